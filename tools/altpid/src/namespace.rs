// SPDX-License-Identifier: GPL-2.0

//! Namespaces: what there is to know of one, and what keeps it.

use crate::{
    types::{NsId, PidfdId, TaskId},
    uapi,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a namespace is in its life.
///
/// # Examples
///
/// ```no_run
/// use altpid::{CloneFlags, NsState, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// let ns = world.unshare(init, CloneFlags::NEWPID)?.expect("a new one");
/// assert_eq!(world.ns(ns)?.state, NsState::AwaitingInit);
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NsState {
    /// There is no pid 1 yet.
    AwaitingInit,
    /// Pid 1 lives.
    #[default]
    Active,
    /// Pid 1 has exited, others are left.
    Dying,
    /// Nobody is left, and nobody can be born there.
    Dead,
}

impl fmt::Display for NsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AwaitingInit => "awaiting init",
            Self::Active => "active",
            Self::Dying => "dying",
            Self::Dead => "dead",
        })
    }
}

/// Everything about a namespace; see `struct altpid_ns`.
///
/// # Examples
///
/// ```no_run
/// use altpid::World;
///
/// let world = World::open()?;
/// for ns in world.namespaces(None)? {
///     println!("{:?} at level {}: {}, {} numbers", ns.id, ns.level, ns.state, ns.nr_pids);
/// }
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ns {
    /// Its id.
    pub id: NsId,
    /// The namespace above.
    pub parent: Option<NsId>,
    /// Its init.
    pub child_reaper: Option<TaskId>,
    /// Where it is in its life.
    pub state: NsState,
    /// 0 for the root.
    pub level: u32,
    /// Numbers end before this one.
    pub pid_max: i32,
    /// The last number given in order.
    pub last_pid: i32,
    /// Numbers in use.
    pub nr_pids: u32,
    /// Memory of its table of numbers, in bytes.
    pub map_bytes: u64,
    /// Whether listns(2) would list it: a number of somebody born there is in use, or the children
    /// of a task would be born there.
    pub is_active: bool,
}

impl Ns {
    pub(crate) fn from_uapi(raw: &uapi::altpid_ns) -> Self {
        Self {
            id: NsId(raw.ns),
            parent: (raw.parent != 0).then_some(NsId(raw.parent)),
            child_reaper: (raw.child_reaper != 0).then_some(TaskId(raw.child_reaper)),
            state: match raw.state {
                uapi::ALTPID_NS_AWAITING_INIT => NsState::AwaitingInit,
                uapi::ALTPID_NS_ACTIVE => NsState::Active,
                uapi::ALTPID_NS_DYING => NsState::Dying,
                _ => NsState::Dead,
            },
            level: raw.level,
            pid_max: raw.pid_max,
            last_pid: raw.last_pid,
            nr_pids: raw.nr_pids,
            map_bytes: raw.map_bytes,
            is_active: raw.flags & uapi::ALTPID_NS_REF_ACTIVE != 0,
        }
    }
}

/// One thing that keeps a namespace from going; see `struct altpid_blocker`.
///
/// # Examples
///
/// ```no_run
/// use altpid::{Blocker, World};
///
/// let world = World::open()?;
/// for blocker in world.blockers(world.info()?.root_ns)? {
///     match blocker {
///         Blocker::Zombie { nr, waits_for, .. } => println!("{nr} waits for {waits_for:?}"),
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocker {
    /// A task that has not exited.
    Alive {
        /// Its number in the namespace.
        nr: i32,
        /// The task.
        task: TaskId,
    },
    /// A task that has exited and is not reaped.
    Zombie {
        /// Its number in the namespace.
        nr: i32,
        /// The task.
        task: TaskId,
        /// Whom it waits for: its parent, or a live thread of its process.
        waits_for: Option<TaskId>,
    },
    /// A number that a process group or a session has.
    Number {
        /// The number.
        nr: i32,
        /// A process in that group or session.
        task: TaskId,
    },
    /// A task that lives elsewhere and whose children would be born there.
    ForChildren {
        /// The task.
        task: TaskId,
    },
    /// A namespace right below.
    Namespace {
        /// The namespace.
        ns: NsId,
    },
    /// A pidfd of a task that is, or was, born there.
    Pidfd {
        /// The number that the task has or had.
        nr: i32,
        /// The task, if it is not reaped.
        task: Option<TaskId>,
        /// The pidfd.
        pidfd: PidfdId,
    },
}

impl Blocker {
    pub(crate) fn from_uapi(raw: &uapi::altpid_blocker) -> Self {
        let (nr, task) = (raw.nr, TaskId(raw.task));
        match raw.reason {
            uapi::ALTPID_BLOCKER_ALIVE => Self::Alive { nr, task },
            uapi::ALTPID_BLOCKER_ZOMBIE => Self::Zombie {
                nr,
                task,
                waits_for: (raw.other != 0).then_some(TaskId(raw.other)),
            },
            uapi::ALTPID_BLOCKER_NUMBER => Self::Number { nr, task },
            uapi::ALTPID_BLOCKER_FOR_CHILDREN => Self::ForChildren { task },
            uapi::ALTPID_BLOCKER_PIDFD => Self::Pidfd {
                nr,
                task: (raw.task != 0).then_some(task),
                pidfd: PidfdId(raw.other),
            },
            _ => Self::Namespace {
                ns: NsId(raw.other),
            },
        }
    }
}

/// Which number is asked for between a namespace and a task that asks.
///
/// # Examples
///
/// ```no_run
/// use altpid::{NsNr, World};
///
/// let world = World::open()?;
/// let info = world.info()?;
/// assert_eq!(world.ns_nr(info.init, info.root_ns, 1, NsNr::PidFrom)?, 1);
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NsNr {
    /// Of a number there, what the task sees.
    PidFrom,
    /// Likewise, of its process.
    TgidFrom,
    /// Of a number that the task sees, what it is there.
    PidIn,
    /// Likewise, of its process.
    TgidIn,
}

impl NsNr {
    pub(crate) fn to_uapi(self) -> u32 {
        match self {
            Self::PidFrom => uapi::ALTPID_NS_GET_PID_FROM_PIDNS,
            Self::TgidFrom => uapi::ALTPID_NS_GET_TGID_FROM_PIDNS,
            Self::PidIn => uapi::ALTPID_NS_GET_PID_IN_PIDNS,
            Self::TgidIn => uapi::ALTPID_NS_GET_TGID_IN_PIDNS,
        }
    }
}
