// SPDX-License-Identifier: GPL-2.0

//! What goes into the methods of [`World`](crate::World) and what comes out.

pub use crate::{clone::*, error::*, wait::*};

use crate::uapi;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names a task of a world, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u64);

/// Names a pid namespace of a world, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NsId(pub u64);

/// Names a pidfd of a world, for ever: a handle on a task that stays when the task is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PidfdId(pub u64);

/// What a world is and holds; see `struct altpid_world`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldInfo {
    /// The initial namespace.
    pub root_ns: NsId,
    /// Its init.
    pub init: TaskId,
    /// Tasks, zombies among them.
    pub tasks: u64,
    /// Zombies.
    pub zombies: u64,
    /// Namespaces.
    pub namespaces: u64,
    /// Pids in the whole module.
    pub pids: u64,
    /// Worlds in the whole module.
    pub worlds: u64,
    /// The most tasks there may be.
    pub max_tasks: u64,
    /// The most namespaces there may be.
    pub max_namespaces: u64,
    /// Pidfds that are open.
    pub pidfds: u64,
    /// The most that may be.
    pub max_pidfds: u64,
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Alive.
    Running,
    /// Stopped by a signal.
    Stopped,
    /// Exited, not reaped yet.
    Zombie,
    /// Exiting; as init of a namespace it waits for the others.
    Exiting,
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Zombie => "zombie",
            Self::Exiting => "exiting",
        })
    }
}

/// Everything about a task; see `struct altpid_task`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The leader of its thread group.
    pub leader: TaskId,
    /// Its parent, if that is in this world.
    pub parent: Option<TaskId>,
    /// Its active namespace.
    pub ns: NsId,
    /// Where its children are born, unless it has exited.
    pub ns_for_children: Option<NsId>,
    /// Where it is in its life.
    pub state: TaskState,
    /// Whether it is init of its namespace.
    pub is_reaper: bool,
    /// Whether it vanishes when it exits.
    pub is_autoreap: bool,
    /// Whether it gets the orphans among its descendants.
    pub is_subreaper: bool,
    /// It sleeps in a clone with `CLONE_VFORK`.
    pub is_in_vfork: bool,
    /// The native numbers of a member's thread and its process.
    pub native: Option<(i32, i32)>,
    /// The status word, for a zombie.
    pub exit_code: i32,
    /// The signal to the parent at exit, -1 for a thread.
    pub exit_signal: i32,
    /// Live threads of its group.
    pub nr_threads: u32,
    /// Its name.
    pub comm: Vec<u8>,
    /// Its number at each level, level 0 first; likewise the other three.
    pub pid: Vec<i32>,
    /// Its thread group's.
    pub tgid: Vec<i32>,
    /// Its process group's, 0 where that has none.
    pub pgid: Vec<i32>,
    /// Its session's, 0 where that has none.
    pub sid: Vec<i32>,
}

impl Task {
    pub(crate) fn from_uapi(raw: &uapi::altpid_task) -> Self {
        let depth = raw.level as usize + 1;
        let vector = |numbers: &[i32]| numbers.iter().take(depth).copied().collect();
        let flag = |bit: u32| raw.flags & bit != 0;
        Self {
            id: TaskId(raw.task),
            leader: TaskId(raw.leader),
            parent: (raw.parent != 0).then_some(TaskId(raw.parent)),
            ns: NsId(raw.ns),
            ns_for_children: (raw.ns_for_children != 0).then_some(NsId(raw.ns_for_children)),
            state: match raw.state {
                uapi::ALTPID_TASK_RUNNING => TaskState::Running,
                uapi::ALTPID_TASK_STOPPED => TaskState::Stopped,
                uapi::ALTPID_TASK_ZOMBIE => TaskState::Zombie,
                _ => TaskState::Exiting,
            },
            is_reaper: flag(uapi::ALTPID_TASK_REAPER),
            is_autoreap: flag(uapi::ALTPID_TASK_AUTOREAP),
            is_subreaper: flag(uapi::ALTPID_TASK_SUBREAPER),
            is_in_vfork: flag(uapi::ALTPID_TASK_VFORK),
            native: flag(uapi::ALTPID_TASK_MEMBER).then_some((raw.native_pid, raw.native_tgid)),
            exit_code: raw.exit_code,
            exit_signal: raw.exit_signal,
            nr_threads: raw.nr_threads,
            comm: raw
                .comm
                .iter()
                .copied()
                .take_while(|&byte| byte != 0)
                .collect(),
            pid: vector(&raw.pid),
            tgid: vector(&raw.tgid),
            pgid: vector(&raw.pgid),
            sid: vector(&raw.sid),
        }
    }
}

/// Where a namespace is in its life.
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

/// As what a number is in use (`enum pid_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PidType {
    /// A thread's.
    Pid,
    /// A thread group's.
    Tgid,
    /// A process group's.
    Pgid,
    /// A session's.
    Sid,
}

impl PidType {
    /// The question whom a number names as this.
    pub(crate) fn to_uapi(self, ns: NsId, nr: i32, flags: u32) -> uapi::altpid_find {
        uapi::altpid_find {
            ns: ns.0,
            nr,
            type_: match self {
                Self::Pid => uapi::ALTPID_PIDTYPE_PID,
                Self::Tgid => uapi::ALTPID_PIDTYPE_TGID,
                Self::Pgid => uapi::ALTPID_PIDTYPE_PGID,
                Self::Sid => uapi::ALTPID_PIDTYPE_SID,
            },
            flags,
            ..Default::default()
        }
    }
}

/// One thing that keeps a namespace from going; see `struct altpid_blocker`.
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

/// What an audit has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Broken invariants.
    pub broken: u32,
    /// Tasks looked at.
    pub tasks: u64,
    /// Numbers looked at.
    pub numbers: u64,
    /// The first broken invariant in words.
    pub what: String,
    /// Lists and counts that were left out because others had changed the world meanwhile.
    pub skipped: u32,
}
