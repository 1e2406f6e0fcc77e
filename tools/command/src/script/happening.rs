// SPDX-License-Identifier: GPL-2.0

//! What has happened in a world, as `events` tells it.

use super::{
    constants::show_signal,
    values::{Status, join},
};
use std::fmt;

/// The kinds of it: the names of [`EventKind`](altpid::EventKind) but for those unknown.
pub const HAPPENINGS: &[&str] = &[
    "clone", "exec", "exit", "reap", "reparent", "stop", "continue", "ns-born", "ns-dying",
    "ns-dead", "lost",
];

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// A word of `HAPPENINGS`.
    pub kind: &'static str,
    /// The task that it happens to; of a namespace that is born, who made it.
    pub who: Option<String>,
    /// What else is to be said.
    pub more: Option<More>,
}

/// What else is to be said of what happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum More {
    /// Of `exit` and `reap`: how the task has ended.
    Status(Status),
    /// Of `clone`: whose child it is, if anybody's.
    By(Option<String>),
    /// Of `reparent`: whose it is now.
    To(Option<String>),
    /// Of `stop`: by which signal.
    Signal(i32),
    /// Of `lost`: how many events.
    Count(u64),
}

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "outside".to_owned());
        match self {
            Self::Status(status) => status.fmt(f),
            Self::By(parent) => write!(f, "by {}", name(parent)),
            Self::To(parent) => write!(f, "to {}", name(parent)),
            Self::Signal(signal) => f.write_str(&show_signal(*signal)),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        if let Some(who) = &self.who {
            write!(f, " {who}")?;
        }
        self.more
            .as_ref()
            .map_or(Ok(()), |more| write!(f, " {more}"))
    }
}

/// All that happens, in order; `none` for nothing.
pub(super) fn show_happenings(happenings: &[Happening]) -> String {
    match happenings {
        [] => "none".to_owned(),
        some => join(some, ", "),
    }
}
