// SPDX-License-Identifier: GPL-2.0

//! What goes into the methods of [`World`](crate::World) and what comes out.

pub use crate::{clone::*, error::*, namespace::*, wait::*};

use crate::uapi;
use std::fmt;

/// Names a task of a world, for ever.
///
/// # Examples
///
/// ```no_run
/// use altpid::World;
///
/// let world = World::open()?;
/// let init: altpid::TaskId = world.info()?.init;
/// assert_eq!(world.task(init)?.id, init);
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u64);

/// Names a pid namespace of a world, for ever.
///
/// # Examples
///
/// ```no_run
/// use altpid::World;
///
/// let world = World::open()?;
/// let root: altpid::NsId = world.info()?.root_ns;
/// assert_eq!(world.ns(root)?.level, 0);
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NsId(pub u64);

/// Names a pidfd of a world, for ever: a handle on a task that stays when the task is gone.
///
/// # Examples
///
/// ```no_run
/// use altpid::{PidfdFlags, World};
///
/// let world = World::open()?;
/// let pidfd: altpid::PidfdId = world.pidfd_of(world.info()?.init, PidfdFlags::empty())?;
/// world.pidfd_close(pidfd)?;
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PidfdId(pub u64);

/// What a world is and holds; see `struct altpid_world`.
///
/// # Examples
///
/// ```no_run
/// use altpid::World;
///
/// let info = World::open()?.info()?;
/// println!("{} of at most {} tasks", info.tasks, info.max_tasks);
/// # Ok::<(), altpid::Error>(())
/// ```
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
///
/// # Examples
///
/// ```
/// use altpid::TaskState;
///
/// assert_eq!(TaskState::Zombie.to_string(), "zombie");
/// ```
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
///
/// # Examples
///
/// ```no_run
/// use altpid::World;
///
/// let world = World::open()?;
/// let init = world.task(world.info()?.init)?;
/// assert!(init.is_reaper);
/// assert_eq!((init.pid, init.parent), (vec![1], None));
/// # Ok::<(), altpid::Error>(())
/// ```
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

/// As what a number is in use (`enum pid_type`).
///
/// # Examples
///
/// ```no_run
/// use altpid::{PidType, World};
///
/// let world = World::open()?;
/// let info = world.info()?;
/// assert_eq!(world.find(info.root_ns, 1, PidType::Tgid)?, info.init);
/// # Ok::<(), altpid::Error>(())
/// ```
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

/// What an audit has found.
///
/// # Examples
///
/// ```no_run
/// use altpid::World;
///
/// let audit = World::open()?.audit()?;
/// assert_eq!(audit.broken, 0, "{}", audit.what);
/// # Ok::<(), altpid::Error>(())
/// ```
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
