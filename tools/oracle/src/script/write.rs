// SPDX-License-Identifier: GPL-2.0

//! Operations to lines.

use super::BY_PIDFD;
use crate::op::{Answer, Call, Handle, Name, Num, Op, Space, Whom};
use altpid::{Disposition, Mask, Scope, SigInfo, uapi};
use altpid_command::script::{
    self, Arg, Expected, Line, NsRef, PidRef, Statement, Status, Value, Verb,
};
use std::fmt::{self, Display, Formatter};

/// The sysctls, as the language has them.
const PID_MAX: Arg = Arg::Bits(uapi::ALTPID_NS_PID_MAX as u64);
const LAST_PID: Arg = Arg::Bits(uapi::ALTPID_NS_LAST_PID as u64);

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("a"),
            number => write!(f, "t{number}"),
        }
    }
}

impl Display for Space {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Space::Of(name) => name.fmt(f),
            Space::By(number) => write!(f, "n{number}"),
        }
    }
}

impl Display for Handle {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "h{}", self.0)
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&line(self, None, None))
    }
}

impl From<Num> for Arg {
    fn from(num: Num) -> Self {
        Self::Pid(match num {
            Num::Is(number) => PidRef::Number(number),
            Num::Of(name) | Num::Minus(name) => PidRef::Of {
                name: name.to_string(),
                is_group: matches!(num, Num::Minus(_)),
            },
        })
    }
}

fn task(name: Name) -> Arg {
    Arg::Task(name.to_string())
}

fn ns(name: impl Display) -> Arg {
    Arg::Ns(NsRef {
        name: name.to_string(),
        of_children: false,
    })
}

fn pidfd(handle: Handle) -> Arg {
    Arg::Pidfd(handle.to_string())
}

fn number(number: impl Into<i64>) -> Arg {
    Arg::Number(number.into())
}

/// Bits, if there are any.
fn some_bits(bits: u64) -> Arg {
    match bits {
        0 => Arg::Absent,
        bits => Arg::Bits(bits),
    }
}

/// A disposition, as the language has it.
fn bits_of(disposition: Disposition) -> u64 {
    match disposition {
        Disposition::Default => 0,
        Disposition::Ignore => 1,
        Disposition::Handler => 2,
    }
}

/// The arguments of a clone3(2).
fn clone_args(by: Name, flags: u64, exit_signal: i32, set_tid: &[i32]) -> Vec<Arg> {
    let numbers = match set_tid {
        [] => Arg::Absent,
        numbers => Arg::Numbers(numbers.to_vec()),
    };
    vec![
        task(by),
        some_bits(flags),
        numbers,
        Arg::Signal(exit_signal),
    ]
}

/// The verb of an operation, and its arguments.
fn words(op: &Op) -> (&'static str, Vec<Arg>) {
    let by = task(op.by);
    match &op.call {
        Call::Clone {
            flags,
            exit_signal,
            set_tid,
            ..
        } => ("clone", clone_args(op.by, *flags, *exit_signal, set_tid)),
        Call::Unshare(_) => ("unshare", vec![by, Arg::Bits(libc::CLONE_NEWPID as u64)]),
        Call::Setns(space) => ("setns", vec![by, ns(space)]),
        Call::SetnsOf(name) => ("setns", vec![by, ns(name)]),
        Call::SetnsBy(handle) => ("setns", vec![by, pidfd(*handle)]),
        Call::Exec => ("exec", vec![by]),
        Call::Exit(code) => ("exit", vec![by, number(*code)]),
        Call::ExitGroup(code) => ("exit_group", vec![by, number(*code)]),
        Call::Kill(pid, signal) => ("kill", vec![by, (*pid).into(), Arg::Signal(*signal)]),
        Call::Tgkill(tgid, tid, signal) => (
            "tgkill",
            vec![by, (*tgid).into(), (*tid).into(), Arg::Signal(*signal)],
        ),
        Call::Tkill(tid, signal) => ("tkill", vec![by, (*tid).into(), Arg::Signal(*signal)]),
        Call::Queue(pid, signal, code, value) => {
            let signal = Arg::Signal(*signal);
            let rest = [signal, number(*code), number(*value as i64)];
            ("sigqueue", [vec![by, (*pid).into()], rest.into()].concat())
        }
        Call::PidfdOpen(_, pid, flags) => (
            "pidfd_open",
            vec![by, (*pid).into(), some_bits(flags.bits().into())],
        ),
        Call::PidfdSend(name, signal) => (
            "pidfd_send_signal",
            vec![by, task(*name), Arg::Signal(*signal)],
        ),
        Call::PidfdSendBy(handle, signal, scope) => {
            let scope = match scope {
                Scope::AsOpened => 0,
                Scope::Thread => 1,
                Scope::ThreadGroup => 2,
                Scope::ProcessGroup => 4,
            };
            let args = [pidfd(*handle), Arg::Signal(*signal), some_bits(scope)];
            ("pidfd_send_signal", [vec![by], args.into()].concat())
        }
        Call::Close(handle) => ("close", vec![pidfd(*handle)]),
        Call::Poll(handle) => ("poll", vec![pidfd(*handle)]),
        Call::Sigaction(signal, new) => {
            let disposition = Arg::Bits(bits_of(new.disposition));
            let flags = some_bits(new.flags.bits().into());
            (
                "sigaction",
                vec![by, Arg::Signal(*signal), disposition, flags],
            )
        }
        Call::Sigprocmask(how, set) => {
            let how = match how {
                Mask::Block => 0,
                Mask::Unblock => 1,
                Mask::Set => 2,
            };
            (
                "sigprocmask",
                vec![by, Arg::Bits(how), Arg::Signals(set.bits())],
            )
        }
        Call::Sigwait(set) => ("sigwait", vec![by, Arg::Signals(set.bits())]),
        Call::Wait4(pid, options) => (
            "wait4",
            vec![by, (*pid).into(), Arg::Bits((*options).into())],
        ),
        Call::WaitId(whom, options) => {
            let (id_type, id) = match whom {
                Whom::All => (0, Arg::Absent),
                Whom::Pid(pid) => (1, (*pid).into()),
                Whom::Pgid(pgid) => (2, (*pgid).into()),
                Whom::Pidfd(handle) => (3, pidfd(*handle)),
            };
            let options = Arg::Bits((*options).into());
            ("waitid", vec![by, Arg::Bits(id_type), id, options])
        }
        Call::Setsid => ("setsid", vec![by]),
        Call::Setpgid(pid, pgid) => ("setpgid", vec![by, (*pid).into(), (*pgid).into()]),
        Call::Subreaper(on) => (
            "prctl",
            vec![
                by,
                Arg::Bits(libc::PR_SET_CHILD_SUBREAPER as u64),
                number(*on),
            ],
        ),
        Call::Pdeath(signal) => {
            let option = Arg::Bits(libc::PR_SET_PDEATHSIG as u64);
            ("prctl", vec![by, option, Arg::Signal(*signal)])
        }
        Call::Reboot(command) => ("reboot", vec![by, Arg::Bits((*command).into())]),
        Call::PidMax(value) => ("sysctl", vec![ns(op.by), PID_MAX, number(*value)]),
        Call::LastPid(value) => ("sysctl", vec![ns(op.by), LAST_PID, number(*value)]),
    }
}

/// The names of what an operation makes.
fn names(op: &Op) -> Vec<String> {
    let mut names = match op.call {
        Call::Clone { child, .. } => vec![child.to_string()],
        Call::Unshare(number) => vec![Space::By(number).to_string()],
        _ => Vec::new(),
    };
    names.extend(op.makes().map(|handle| handle.to_string()));
    names
}

fn report(who: Option<Name>, pid: i32, status: Status) -> Option<Value> {
    Some(match pid {
        0 => Value::Number(0),
        _ => Value::Report {
            who: who?.to_string(),
            status: Some(status),
            pid: Some(pid),
        },
    })
}

fn signal(info: SigInfo) -> Value {
    let is_child = (1..=6).contains(&info.code);
    Value::Signal {
        signal: info.signo,
        code: Some(info.code),
        pid: Some(info.pid),
        status: is_child.then_some(info.status),
        value: (!is_child).then_some(info.value as i64),
    }
}

/// What must come of an operation for it to be as this answer; who has a number in it is `who`.
fn expected(op: &Op, answer: Answer, who: Option<Name>) -> Option<Expected> {
    let value = match answer {
        // The command never sleeps: it says that it would.
        Answer::Error(libc::EAGAIN) if matches!(op.call, Call::WaitId(..)) => {
            return Some(Expected::Sleeps);
        }
        Answer::Error(errno) => {
            return Some(Expected::Error {
                errno,
                reason: None,
            });
        }
        Answer::Value(number) => Value::Number(number),
        Answer::Waited(pid, status) => report(who, pid, Status::from_word(status))?,
        Answer::Told(pid, code, status) => report(who, pid, Status::from_code(code, status))?,
        Answer::Signal(info) => signal(info),
        Answer::Action(action) => Value::Action {
            disposition: action.disposition,
            flags: action.flags.bits().into(),
            mask: None,
        },
        Answer::Set(set) => Value::Signals(set.bits()),
        Answer::Events(events) => Value::Events(events.bits().into()),
        Answer::Nothing => return None,
    };
    Some(Expected::Value(value))
}

/// An operation as a line, with an answer that it must have, in which `who` has the number.
pub fn line(op: &Op, answer: Option<Answer>, who: Option<Name>) -> String {
    let (verb, mut args) = words(op);
    let verb = Verb::named(verb).unwrap_or_else(|| panic!("the language has no {verb}"));
    args.resize(verb.params.len(), Arg::Absent);
    let expected = answer.and_then(|answer| expected(op, answer, who));
    let names = match expected {
        Some(Expected::Error { .. } | Expected::Sleeps) => Vec::new(),
        _ => names(op),
    };
    let comment = matches!(op.call, Call::SetnsOf(_)).then(|| format!(" {BY_PIDFD}"));
    let statement = Some(Statement::Call {
        repeat: None,
        expected,
        names,
        call: script::Call { verb, args },
    });
    Line { statement, comment }.to_string()
}

/// What is natively so of a task or a pidfd, as a line.
pub fn fact(property: &str, subject: impl Display, value: impl Display) -> String {
    format!("expect {property} {subject} {value}")
}
