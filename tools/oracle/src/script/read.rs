// SPDX-License-Identifier: GPL-2.0

//! Lines to operations.

use super::{BY_PIDFD, PREAMBLE};
use crate::op::{Call, Handle, Name, Num, Op, Space, Whom};
use altpid::{Action, CloneFlags, Disposition, Mask, PidfdFlags, SaFlags, Scope, SigSet, uapi};
use altpid_command::script::{self, Arg, Kind, Line, PidRef, Scope as Names, Statement, Verb};
use anyhow::{Context, Result, anyhow, bail};
use std::collections::HashMap;

/// What has been named so far.
#[derive(Default)]
struct Reader {
    tasks: HashMap<String, Name>,
    spaces: HashMap<String, Space>,
    handles: HashMap<String, Handle>,
    next: u32,
}

/// The operations of a scenario; the lines of [`PREAMBLE`] are not among them. What is expected
/// was found out natively, and both sides are asked again, after each operation for all facts.
pub fn read(text: &str) -> Result<Vec<Op>> {
    let mut reader = Reader::default();
    reader.tasks.insert("a".to_owned(), Name::INIT);
    reader.spaces.insert("a".to_owned(), Space::Of(Name::INIT));
    let mut scope = Names::new();
    scope.add("a", Kind::Task);
    let mut ops = Vec::new();
    for text in text.replace(PREAMBLE, "").lines() {
        let line = Line::parse(text, &mut scope).map_err(|error| anyhow!("{error}"))?;
        let by_pidfd = line.comment.is_some_and(|text| text.contains(BY_PIDFD));
        match line.statement {
            None | Some(Statement::Fact(_)) => {}
            Some(Statement::Call { names, call, .. }) => {
                let op = reader.op(&call, &names, by_pidfd);
                ops.push(op.with_context(|| text.to_owned())?);
            }
        }
    }
    Ok(ops)
}

fn bits(arg: &Arg) -> u64 {
    match arg {
        Arg::Bits(bits) => *bits,
        _ => 0,
    }
}

fn number(arg: &Arg) -> Option<i64> {
    match arg {
        Arg::Number(number) => Some(*number),
        _ => None,
    }
}

fn signal(arg: &Arg) -> i32 {
    match arg {
        Arg::Signal(signal) => *signal,
        _ => libc::SIGTERM,
    }
}

fn signals(arg: &Arg) -> SigSet {
    match arg {
        Arg::Signals(set) => SigSet::from_bits(*set),
        _ => SigSet::EMPTY,
    }
}

fn action(args: &[Arg]) -> Action {
    Action {
        disposition: match bits(&args[0]) {
            0 => Disposition::Default,
            1 => Disposition::Ignore,
            _ => Disposition::Handler,
        },
        flags: SaFlags::from_bits_retain(bits(&args[1]) as u32),
        mask: signals(&args[2]),
    }
}

fn scope(arg: &Arg) -> Scope {
    match bits(arg) {
        1 => Scope::Thread,
        2 => Scope::ThreadGroup,
        4 => Scope::ProcessGroup,
        _ => Scope::AsOpened,
    }
}

impl Reader {
    fn op(&mut self, call: &script::Call, names: &[String], by_pidfd: bool) -> Result<Op> {
        let args = &call.args;
        let by = match &args[0] {
            Arg::Task(name) => self.task(name)?,
            Arg::Ns(ns) => self.task(&ns.name)?,
            // The driver does it.
            Arg::Pidfd(_) => Name::INIT,
            _ => bail!("no caller"),
        };
        let call = match call.verb.op {
            script::Op::Clone => self.clone_call(args, names),
            script::Op::Unshare => {
                let number = self.number();
                if let Some(name) = names.first() {
                    self.spaces.insert(name.clone(), Space::By(number));
                }
                Call::Unshare(number)
            }
            script::Op::PidfdOpen => {
                let handle = Handle(self.number());
                let flags = PidfdFlags::from_bits_retain(bits(&args[2]) as u32);
                let call = Call::PidfdOpen(handle, self.num(&args[1])?, flags);
                if let Some(name) = names.first() {
                    self.handles.insert(name.clone(), handle);
                }
                call
            }
            script::Op::Setns => match &args[1] {
                Arg::Pidfd(_) => Call::SetnsBy(self.handle(&args[1])?),
                Arg::Ns(ns) if by_pidfd => Call::SetnsOf(self.task(&ns.name)?),
                Arg::Ns(ns) => {
                    let space = self.spaces.get(&ns.name);
                    Call::Setns(*space.context("no namespace was made with it")?)
                }
                _ => bail!("no namespace"),
            },
            _ => self.plain(call.verb, args)?,
        };
        Ok(Op { by, call })
    }

    /// A call that names nothing.
    fn plain(&self, verb: &Verb, args: &[Arg]) -> Result<Call> {
        let code = || number(&args[1]).unwrap_or_default() as i32;
        Ok(match verb.op {
            script::Op::Exec => Call::Exec,
            script::Op::Exit => Call::Exit(code()),
            script::Op::ExitGroup => Call::ExitGroup(code()),
            script::Op::Kill => Call::Kill(self.num(&args[1])?, signal(&args[2])),
            script::Op::Tgkill => {
                Call::Tgkill(self.num(&args[1])?, self.num(&args[2])?, signal(&args[3]))
            }
            script::Op::Tkill => Call::Tkill(self.num(&args[1])?, signal(&args[2])),
            script::Op::Sigqueue => {
                let code = number(&args[3]).unwrap_or(-1) as i32;
                let value = number(&args[4]).unwrap_or_default() as u64;
                Call::Queue(self.num(&args[1])?, signal(&args[2]), code, value)
            }
            script::Op::PidfdSendSignal => match &args[1] {
                Arg::Task(name) => Call::PidfdSend(self.task(name)?, signal(&args[2])),
                arg => Call::PidfdSendBy(self.handle(arg)?, signal(&args[2]), scope(&args[3])),
            },
            script::Op::Close => Call::Close(self.handle(&args[0])?),
            script::Op::Poll => Call::Poll(self.handle(&args[0])?),
            script::Op::Sigaction => Call::Sigaction(signal(&args[1]), action(&args[2..])),
            script::Op::Sigprocmask => {
                let how = match bits(&args[1]) {
                    0 => Mask::Block,
                    1 => Mask::Unblock,
                    _ => Mask::Set,
                };
                Call::Sigprocmask(how, signals(&args[2]))
            }
            script::Op::Sigwait => Call::Sigwait(signals(&args[1])),
            script::Op::Wait4 => {
                let pid = match &args[1] {
                    Arg::Absent => Num::Is(-1),
                    arg => self.num(arg)?,
                };
                Call::Wait4(pid, bits(&args[2]) as u32)
            }
            script::Op::Waitid => {
                let whom = match bits(&args[1]) {
                    0 => Whom::All,
                    1 => Whom::Pid(self.num(&args[2])?),
                    2 => Whom::Pgid(self.num(&args[2])?),
                    _ => Whom::Pidfd(self.handle(&args[2])?),
                };
                Call::WaitId(whom, bits(&args[3]) as u32)
            }
            script::Op::Setsid => Call::Setsid,
            script::Op::Setpgid => Call::Setpgid(self.num(&args[1])?, self.num(&args[2])?),
            script::Op::Prctl => match (bits(&args[1]) as i32, &args[2]) {
                (libc::PR_SET_CHILD_SUBREAPER, on) => Call::Subreaper(number(on) != Some(0)),
                (libc::PR_SET_PDEATHSIG, arg) => Call::Pdeath(signal(arg)),
                _ => bail!("no operation"),
            },
            script::Op::Reboot => Call::Reboot(bits(&args[1]) as u32),
            script::Op::Sysctl => {
                let value = number(&args[2]).context("no value")?;
                match bits(&args[1]) as u32 {
                    uapi::ALTPID_NS_PID_MAX => Call::PidMax(value),
                    _ => Call::LastPid(value),
                }
            }
            _ => bail!("no operation"),
        })
    }

    fn clone_call(&mut self, args: &[Arg], names: &[String]) -> Call {
        let child = Name(self.number());
        let flags = bits(&args[1]);
        // As clone3 wants it of threads, siblings and those that reap themselves.
        let silent = CloneFlags::THREAD | CloneFlags::PARENT | CloneFlags::AUTOREAP;
        let exit_signal = match &args[3] {
            Arg::Signal(signal) => *signal,
            _ if CloneFlags::from_bits_retain(flags).intersects(silent) => 0,
            _ => libc::SIGCHLD,
        };
        let set_tid = match &args[2] {
            Arg::Numbers(numbers) => numbers.clone(),
            _ => Vec::new(),
        };
        if let Some(name) = names.first() {
            self.tasks.insert(name.clone(), child);
            self.spaces.insert(name.clone(), Space::Of(child));
        }
        if let Some(name) = names.get(1) {
            self.handles.insert(name.clone(), Handle(child.0));
        }
        Call::Clone {
            child,
            flags,
            exit_signal,
            set_tid,
        }
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn task(&self, name: &str) -> Result<Name> {
        let found = self.tasks.get(name).copied();
        found.with_context(|| format!("{name} is no task of the sequence"))
    }

    fn handle(&self, arg: &Arg) -> Result<Handle> {
        let Arg::Pidfd(name) = arg else {
            bail!("no pidfd");
        };
        let found = self.handles.get(name).copied();
        found.with_context(|| format!("{name} is no pidfd of the sequence"))
    }

    /// A number that the call gets, 0 for one that was left out.
    fn num(&self, arg: &Arg) -> Result<Num> {
        Ok(match arg {
            Arg::Pid(PidRef::Number(number)) => Num::Is(*number),
            Arg::Pid(PidRef::Of { name, is_group }) => match self.task(name)? {
                name if *is_group => Num::Minus(name),
                name => Num::Of(name),
            },
            _ => Num::Is(0),
        })
    }
}
