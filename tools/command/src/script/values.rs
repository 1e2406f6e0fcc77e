// SPDX-License-Identifier: GPL-2.0

//! What stands in calls, in facts and in what has happened: namespaces, numbers, statuses.

use super::constants::show_signal;
use std::fmt;

/// A namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NsRef {
    /// The name of it, or of a task that lives in it.
    pub name: String,
    /// Whether it is where the children of that task are born.
    pub of_children: bool,
}

impl fmt::Display for NsRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = if self.of_children { ".children" } else { "" };
        write!(f, "{}{rest}", self.name)
    }
}

/// A number that a call gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PidRef {
    /// Just so.
    Number(i32),
    /// That of a task, or its negative, as the caller sees it.
    Of {
        /// The name of the task.
        name: String,
        /// Whether it is the negative.
        is_group: bool,
    },
}

impl fmt::Display for PidRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Of { name, is_group } => {
                write!(f, "{}{name}", if *is_group { "-" } else { "" })
            }
        }
    }
}

/// What has happened to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has exited with a code.
    Exited(i32),
    /// A signal has killed it.
    Killed(i32),
    /// A signal has stopped it.
    Stopped(i32),
    /// It goes on.
    Continued,
}

impl Status {
    /// What a status word says.
    pub fn from_word(word: i32) -> Self {
        match word & 0x7f {
            0 => Self::Exited(word >> 8 & 0xff),
            0x7f if word == 0xffff => Self::Continued,
            0x7f => Self::Stopped(word >> 8 & 0xff),
            signal => Self::Killed(signal),
        }
    }

    /// What waitid tells by `si_code` and `si_status`.
    pub fn from_code(code: i32, status: i32) -> Self {
        match code {
            1 => Self::Exited(status),
            5 => Self::Stopped(status),
            6 => Self::Continued,
            _ => Self::Killed(status),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exited(code) => write!(f, "exited {code}"),
            Self::Killed(signal) => write!(f, "killed {}", show_signal(signal)),
            Self::Stopped(signal) => write!(f, "stopped {}", show_signal(signal)),
            Self::Continued => write!(f, "continued"),
        }
    }
}

/// Some words with something between them.
pub(super) fn join<T: ToString>(items: &[T], between: &str) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(between)
}
