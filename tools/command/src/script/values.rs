// SPDX-License-Identifier: GPL-2.0

//! What stands in calls, in facts and in what has happened: namespaces, numbers, statuses.

pub use altpid::Status;
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

/// Some words with something between them.
pub(super) fn join<T: ToString>(items: &[T], between: &str) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(between)
}
