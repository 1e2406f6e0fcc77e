// SPDX-License-Identifier: GPL-2.0

//! Tasks and thread groups: what the task tree is made of.
//!
//! A [`Task`] is a thread (`struct task_struct`), a [`Group`] what the threads of one process share
//! (`struct signal_struct`, and of its leader's `task_struct` what belongs to the process). Both
//! live in the [`Tree`](crate::tree::Tree) and everything in them is protected by its lock.
//!
//! A task does not know whether a real process stands behind it.

use crate::{
    namespace::Namespace,
    pid::Pid,
    slots::{Chain, Idx, Link, Member},
    uapi,
};
use kernel::{bindings, sync::aref::ARef};

/// Bytes of a name with its NUL (`TASK_COMM_LEN`).
pub(crate) const COMM_LEN: usize = uapi::ALTPID_COMM_LEN as usize;

/// `SIGCHLD` and `SIGKILL`, the signals that the tree itself deals with.
pub(crate) const SIGCHLD: i32 = bindings::SIGCHLD as i32;
pub(crate) const SIGKILL: i32 = bindings::SIGKILL as i32;

/// The lists that tasks and groups hang on.
pub(crate) mod chain {
    /// The threads of a group.
    pub(crate) struct Threads;
    /// The children of a task: groups.
    pub(crate) struct Children;
    /// The groups of a process group.
    pub(crate) struct ProcessGroup;
    /// The groups of a session.
    pub(crate) struct Session;
    /// Tasks that are exiting and have work left to do.
    pub(crate) struct Exiting;
    /// Groups that are killed and have live threads left.
    pub(crate) struct Killed;
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    /// Alive.
    Running,
    /// On its way out (`PF_EXITING`).
    Exiting,
    /// Init of a namespace on its way out: kills what has number `next` or above there.
    Zapping {
        /// The number to go on from.
        next: i32,
    },
    /// Init of a namespace on its way out: waits until its number is the last one.
    ZapWait,
    /// Gone but for its number and its status (`EXIT_ZOMBIE`).
    Zombie,
}

/// A thread.
pub(crate) struct Task {
    pub(crate) group: Idx<Group>,
    /// Its number; the pid's namespace is the task's active one and never changes.
    pub(crate) pid: ARef<Pid>,
    /// Where its children are born (`nsproxy->pid_ns_for_children`); `None` after exit.
    pub(crate) ns_for_children: Option<ARef<Namespace>>,
    pub(crate) comm: [u8; COMM_LEN],
    pub(crate) state: TaskState,
    /// Processes whose parent is this thread.
    pub(crate) children: Chain<chain::Children, Group>,
    threads: Link<Task>,
    exiting: Link<Task>,
}

impl Task {
    /// A live task without children, on no list.
    pub(crate) fn new(
        group: Idx<Group>,
        pid: ARef<Pid>,
        ns_for_children: ARef<Namespace>,
        comm: [u8; COMM_LEN],
    ) -> Self {
        Self {
            group,
            pid,
            ns_for_children: Some(ns_for_children),
            comm,
            state: TaskState::Running,
            children: Chain::new(),
            threads: Link::new(),
            exiting: Link::new(),
        }
    }

    /// The active namespace (`task_active_pid_ns()`).
    pub(crate) fn ns(&self) -> &Namespace {
        self.pid.ns()
    }

    /// Whether it has not begun to exit.
    pub(crate) fn is_alive(&self) -> bool {
        self.state == TaskState::Running
    }

    /// Whether it waits on the list of exiting tasks.
    pub(crate) fn is_queued(&self) -> bool {
        self.exiting.is_linked()
    }
}

/// Whose child a process is (`real_parent`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    /// Nobody's in this world: the world's init, or a task injected from outside.
    Outside,
    /// This thread's.
    Task(Idx<Task>),
}

/// A thread group.
pub(crate) struct Group {
    /// `None` only between the making of the group and that of its first task.
    pub(crate) leader: Option<Idx<Task>>,
    pub(crate) threads: Chain<chain::Threads, Task>,
    /// Threads on the list, a dead leader among them.
    pub(crate) nr_threads: u32,
    /// Threads that have not begun to exit.
    pub(crate) nr_live: u32,
    pub(crate) parent: Parent,
    pub(crate) tgid: ARef<Pid>,
    pub(crate) pgid: ARef<Pid>,
    pub(crate) sid: ARef<Pid>,
    /// Signal to the parent at exit.
    pub(crate) exit_signal: i32,
    /// The status word, once it is decided (`group_exit_code`, `SIGNAL_GROUP_EXIT`).
    pub(crate) group_exit: Option<i32>,
    /// Vanishes when it exits (`CLONE_AUTOREAP`).
    pub(crate) autoreap: bool,
    /// Children vanish when they exit, since SIGCHLD is ignored.
    pub(crate) ignores_sigchld: bool,
    /// Init of a namespace (`SIGNAL_UNKILLABLE`).
    pub(crate) unkillable: bool,
    children: Link<Group>,
    process_group: Link<Group>,
    session: Link<Group>,
    killed: Link<Group>,
}

impl Group {
    /// A group without threads, on no list.
    pub(crate) fn new(
        tgid: ARef<Pid>,
        pgid: ARef<Pid>,
        sid: ARef<Pid>,
        parent: Parent,
        exit_signal: i32,
    ) -> Self {
        Self {
            leader: None,
            threads: Chain::new(),
            nr_threads: 0,
            nr_live: 0,
            parent,
            tgid,
            pgid,
            sid,
            exit_signal,
            group_exit: None,
            autoreap: false,
            ignores_sigchld: false,
            unkillable: false,
            children: Link::new(),
            process_group: Link::new(),
            session: Link::new(),
            killed: Link::new(),
        }
    }

    /// Whether its pid leads a session.
    pub(crate) fn leads_session(&self) -> bool {
        core::ptr::eq(&*self.sid, &*self.tgid)
    }

    /// Whether it waits on the list of killed groups.
    pub(crate) fn is_killed(&self) -> bool {
        self.killed.is_linked()
    }
}

macro_rules! member {
    ($object:ty, $kind:ident, $field:ident) => {
        impl Member<chain::$kind> for $object {
            fn link(&self) -> &Link<Self> {
                &self.$field
            }
            fn link_mut(&mut self) -> &mut Link<Self> {
                &mut self.$field
            }
        }
    };
}

member!(Task, Threads, threads);
member!(Task, Exiting, exiting);
member!(Group, Children, children);
member!(Group, ProcessGroup, process_group);
member!(Group, Session, session);
member!(Group, Killed, killed);
