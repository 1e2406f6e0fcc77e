// SPDX-License-Identifier: GPL-2.0

//! The steps of a plan, and who takes them.

use crate::{snapshot::Comm, types::CloneFlags};

/// Somebody in the plan: a position in [`Plan::cast`](super::Plan::cast).
///
/// # Examples
///
/// ```
/// use altpid::{plan::{Role, Who, plan}, snapshot::Snapshot};
///
/// let text = r#"{"version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": null,
///     "namespaces": [{"parent": null, "level": 0, "inode": 1}],
///     "tasks": [{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
///                "ppid": 0, "ns": 0, "state": "S", "comm": "init"}]}"#;
/// let snapshot = Snapshot::parse(text.as_bytes())?;
/// let plan = plan(&snapshot)?;
/// let init: Who = 0;
/// assert_eq!(plan.cast[init], Role::Task(0));
/// # Ok::<(), altpid::snapshot::Problem>(())
/// ```
pub type Who = usize;

/// Who plays in a plan.
///
/// # Examples
///
/// ```
/// use altpid::{plan::{Role, plan}, snapshot::Snapshot};
///
/// let text = r#"{"version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": null,
///     "namespaces": [{"parent": null, "level": 0, "inode": 1}],
///     "tasks": [{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
///                "ppid": 0, "ns": 0, "state": "S", "comm": "init"}]}"#;
/// let snapshot = Snapshot::parse(text.as_bytes())?;
/// // The only task of the snapshot is played by the world's init, who is always there.
/// assert_eq!(plan(&snapshot)?.cast, [Role::Task(0)]);
/// # Ok::<(), altpid::snapshot::Problem>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The task at this position of [`Snapshot::tasks`](crate::snapshot::Snapshot::tasks).
    Task(usize),
    /// Nobody of the snapshot; gone at the end, unless it is the world's init.
    Helper,
}

/// Whose child somebody is born as.
///
/// # Examples
///
/// ```
/// use altpid::{plan::{Birth, Op, plan}, snapshot::Snapshot};
///
/// let text = r#"{"version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": null,
///     "namespaces": [{"parent": null, "level": 0, "inode": 1}],
///     "tasks": [{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
///                "ppid": 0, "ns": 0, "state": "S", "comm": "init"}]}"#;
/// let snapshot = Snapshot::parse(text.as_bytes())?;
/// // Nobody has to be born.
/// let births = plan(&snapshot)?.ops.into_iter().filter_map(|op| match op {
///     Op::Clone { birth, .. } => Some(birth),
///     _ => None,
/// });
/// assert_eq!(births.collect::<Vec<Birth>>(), []);
/// # Ok::<(), altpid::snapshot::Problem>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birth {
    /// This one's.
    Of(Who),
    /// That of somebody outside of the world.
    Outside,
    /// A thread of its cloner.
    Thread,
}

/// One step. Namespaces are positions in [`Snapshot::namespaces`](crate::snapshot::Snapshot::namespaces).
///
/// # Examples
///
/// ```
/// use altpid::{plan::{Op, plan}, snapshot::Snapshot};
///
/// let text = r#"{"version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": null,
///     "namespaces": [{"parent": null, "level": 0, "inode": 1}],
///     "tasks": [{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
///                "ppid": 0, "ns": 0, "state": "S", "comm": "init"}]}"#;
/// let snapshot = Snapshot::parse(text.as_bytes())?;
/// let ops = plan(&snapshot)?.ops;
/// assert_eq!(ops.first(), Some(&Op::PidMax(32768)));
/// assert!(ops.contains(&Op::SetSid(0)));
/// # Ok::<(), altpid::snapshot::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sets `kernel.pid_max` of namespace 0.
    PidMax(i32),
    /// Sets `kernel.ns_last_pid` of namespace 0.
    LastPid(i32),
    /// `by` clones `new`, in the namespace where its children are born or as init of a new one.
    Clone {
        /// Who clones.
        by: Who,
        /// Who comes of it.
        new: Who,
        /// The child's numbers, that of its own namespace first.
        set_tid: Vec<i32>,
        /// Whose child it is.
        birth: Birth,
        /// With what flags beside those that `birth` says.
        flags: CloneFlags,
        /// The namespace that it is born in.
        ns: usize,
    },
    /// The task's children are born in `ns` from now on.
    SetNs(Who, usize),
    /// The task's children are born in `ns` from now on, which is made by that and awaits its init.
    Unshare(Who, usize),
    /// The task founds a session.
    SetSid(Who),
    /// The task puts the process with a number (0: itself) into a process group (0: that of the
    /// process's own number), both as the task sees them.
    SetPgid(Who, i32, i32),
    /// The task gets a name.
    SetName(Who, Comm),
    /// The task exits, or its whole process.
    Exit(Who, bool),
    /// The process of the task is stopped, as by SIGSTOP.
    Stop(Who),
}
