// SPDX-License-Identifier: GPL-2.0

//! What a line says, and how it is written.

use super::{
    constants::{ACTION, POLL, show_errno, show_si_code, show_signal, show_signals},
    facts::Fact,
    happening::{Happening, show_happenings},
    tokens::quote,
    values::{NsRef, PidRef, Status, join},
    verbs::{ParamKind, Verb},
};
use altpid::{Disposition, Reason};
use std::fmt;

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it says, if it is not only a comment.
    pub statement: Option<Statement>,
    /// What stands behind `#`.
    pub comment: Option<String>,
}

/// What is to be done or to be so.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// Something is done.
    Call {
        /// How often.
        repeat: Option<u32>,
        /// What must come of it.
        expected: Option<Expected>,
        /// The names of what it makes.
        names: Vec<String>,
        /// What is done.
        call: Call,
    },
    /// Something must be so.
    Fact(Fact),
}

/// A verb with its arguments, one for each parameter.
#[derive(Clone, Debug)]
pub struct Call {
    /// The verb.
    pub verb: &'static Verb,
    /// The arguments, [`Arg::Absent`] where one was left out.
    pub args: Vec<Arg>,
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.verb.op == other.verb.op && self.args == other.args
    }
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// It was left out.
    Absent,
    /// A task.
    Task(String),
    /// A process outside of the world.
    Outside,
    /// The kernel.
    Kernel,
    /// A namespace.
    Ns(NsRef),
    /// A pidfd.
    Pidfd(String),
    /// A number as the caller sees it.
    Pid(PidRef),
    /// Several of them.
    Pids(Vec<PidRef>),
    /// The value of constants.
    Bits(u64),
    /// A signal.
    Signal(i32),
    /// A set of signals.
    Signals(u64),
    /// A number.
    Number(i64),
    /// Numbers.
    Numbers(Vec<i32>),
    /// Text.
    Text(String),
}

/// What must come of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It fails.
    Error {
        /// With this errno.
        errno: i32,
        /// And for this reason.
        reason: Option<Reason>,
    },
    /// It would sleep.
    Sleeps,
    /// It returns this.
    Value(Value),
}

/// What a call returns, with names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(i64),
    /// Numbers at all levels, the outermost first.
    Vector(Vec<i32>),
    /// A task.
    Task(String),
    /// What has happened to a child.
    Report {
        /// The child.
        who: String,
        /// What has happened.
        status: Option<Status>,
        /// Its number as the waiter sees it.
        pid: Option<i32>,
    },
    /// A signal, and what came with it.
    Signal {
        /// The signal.
        signal: i32,
        /// Where it comes from.
        code: Option<i32>,
        /// The sender.
        pid: Option<i32>,
        /// Of SIGCHLD.
        status: Option<i32>,
        /// What the sender gave along.
        value: Option<i64>,
    },
    /// A set of signals.
    Signals(u64),
    /// Events of poll.
    Events(u64),
    /// What is done about a signal.
    Action {
        /// What it is.
        disposition: Disposition,
        /// Its flags.
        flags: u64,
        /// What is blocked while a handler runs.
        mask: Option<u64>,
    },
    /// A name.
    Text(String),
    /// Numbers, `-ESRCH` for one that is not in use.
    Numbers(Vec<i32>),
    /// What has happened.
    Happenings(Vec<Happening>),
}

impl Value {
    /// The tasks that it names.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Task(name) | Self::Report { who: name, .. } => vec![name],
            Self::Happenings(all) => all.iter().filter_map(|one| one.who.as_deref()).collect(),
            _ => Vec::new(),
        }
    }
}

/// A number, or `ESRCH` for none.
pub(super) fn show_translated(numbers: &[i32]) -> String {
    let shown = numbers.iter().map(|&number| match number {
        -3 => show_errno(3),
        number => number.to_string(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Vector(numbers) => f.write_str(&join(numbers, "/")),
            Self::Task(name) => f.write_str(name),
            Self::Report { who, status, pid } => {
                f.write_str(who)?;
                if let Some(status) = status {
                    write!(f, " {status}")?;
                }
                pid.map_or(Ok(()), |pid| write!(f, " pid={pid}"))
            }
            Self::Signal {
                signal,
                code,
                pid,
                status,
                value,
            } => {
                f.write_str(&show_signal(*signal))?;
                if let Some(code) = code {
                    write!(f, " code={}", show_si_code(*code))?;
                }
                for (key, number) in [
                    ("pid", pid.map(i64::from)),
                    ("status", status.map(i64::from)),
                    ("value", *value),
                ] {
                    if let Some(number) = number {
                        write!(f, " {key}={number}")?;
                    }
                }
                Ok(())
            }
            Self::Signals(set) => f.write_str(&show_signals(*set)),
            Self::Events(events) => f.write_str(&POLL.show(*events)),
            Self::Action {
                disposition,
                flags,
                mask,
            } => f.write_str(&show_action(*disposition, *flags, *mask)),
            Self::Text(text) => f.write_str(&quote(text)),
            Self::Numbers(numbers) => f.write_str(&show_translated(numbers)),
            Self::Happenings(happenings) => f.write_str(&show_happenings(happenings)),
        }
    }
}

/// What is done about a signal.
pub(super) fn show_action(disposition: Disposition, flags: u64, mask: Option<u64>) -> String {
    let mut shown = match disposition {
        Disposition::Default => "DFL",
        Disposition::Ignore => "IGN",
        Disposition::Handler => "HANDLER",
    }
    .to_owned();
    if flags != 0 {
        shown.push_str(&format!(" {}", ACTION.show(flags)));
    }
    if let Some(mask) = mask {
        shown.push_str(&format!(" mask={}", show_signals(mask)));
    }
    shown
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error { errno, reason } => {
                f.write_str(&show_errno(*errno))?;
                match reason.and_then(Reason::name) {
                    Some(name) => write!(f, " {name}"),
                    None => Ok(()),
                }
            }
            Self::Sleeps => f.write_str("sleeps"),
            Self::Value(value) => value.fmt(f),
        }
    }
}

/// An argument as it is written for a parameter of this kind.
fn show_arg(kind: ParamKind, arg: &Arg) -> String {
    match arg {
        Arg::Absent => String::new(),
        Arg::Task(name) | Arg::Pidfd(name) => name.clone(),
        Arg::Outside => "outside".to_owned(),
        Arg::Kernel => "kernel".to_owned(),
        Arg::Ns(ns) if matches!(kind, ParamKind::InNs) => format!("in {ns}"),
        Arg::Ns(ns) => ns.to_string(),
        Arg::Pid(pid) => pid.to_string(),
        Arg::Pids(pids) => join(pids, " "),
        Arg::Bits(bits) => match kind {
            ParamKind::Constant(constants) => constants.show(*bits),
            _ => bits.to_string(),
        },
        Arg::Signal(signal) => show_signal(*signal),
        Arg::Signals(set) => show_signals(*set),
        Arg::Number(number) if matches!(kind, ParamKind::SiCode) => show_si_code(*number as i32),
        Arg::Number(number) => number.to_string(),
        Arg::Numbers(numbers) => join(numbers, ","),
        Arg::Text(text) => quote(text),
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb.name)?;
        for (param, arg) in self.verb.params.iter().zip(&self.args) {
            let shown = show_arg(param.kind, arg);
            match (arg, param.key, param.kind) {
                (Arg::Absent, ..) => Ok(()),
                (_, Some(key), _) => write!(f, " {key}={shown}"),
                (_, _, ParamKind::Assigned) => write!(f, "={shown}"),
                _ => write!(f, " {shown}"),
            }?;
        }
        Ok(())
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call {
                repeat,
                expected,
                names,
                call,
            } => {
                if let Some(times) = repeat {
                    write!(f, "repeat {times}: ")?;
                }
                if let Some(expected) = expected {
                    write!(f, "expect {expected}: ")?;
                }
                if !names.is_empty() {
                    write!(f, "{} = ", names.join(", "))?;
                }
                call.fmt(f)
            }
            Self::Fact(fact) => fact.fmt(f),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(statement) = &self.statement {
            statement.fmt(f)?;
        }
        match &self.comment {
            Some(comment) if self.statement.is_some() => write!(f, "  #{comment}"),
            Some(comment) => write!(f, "#{comment}"),
            None => Ok(()),
        }
    }
}
