// SPDX-License-Identifier: GPL-2.0

//! Tasks: threads of the task tree.
//!
//! A [`Task`] is a thread (`struct task_struct`), a [`Group`] what the threads of one process share. Both
//! live in the [`Tree`](crate::tree::Tree) and everything in them is protected by its lock.
//!
//! A task with a real thread behind it has a [`Body`](crate::tree::Body) as well.

use crate::{
    base::slots::{
        chain::{Chain, Link},
        Id, Idx,
    },
    pid::namespace::{ForChildren, Namespace},
    pid::Pid,
    tree::call::Call,
    tree::group::Group,
    tree::pending::{Pending, SigInfo, SigSet},
    tree::shares::Share,
    tree::{Body, News},
    uapi,
};
use kernel::sync::aref::ARef;

/// Bytes of a name with its NUL (`TASK_COMM_LEN`).
pub(crate) const COMM_LEN: usize = uapi::ALTPID_COMM_LEN as usize;

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
    /// Tasks with queued work: a step of an exit, or signals to take.
    pub(crate) struct Working;
    /// Groups that are killed and have live threads left.
    pub(crate) struct Killed;
    /// Groups with duties ([`crowd`](crate::tree::crowd)).
    pub(crate) struct Crowded;
    /// Signals that are pending for one task or group.
    pub(crate) struct Pending;
    /// Signals that are on their way to many processes.
    pub(crate) struct Walking;
    /// Bodies that have signals to be sent.
    pub(crate) struct Owing;
    /// Bodies that have exited and are their tracers'.
    pub(crate) struct Held;
}

/// The state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    /// Alive.
    Running,
    /// On its way out (`PF_EXITING`).
    Exiting,
    /// The exiting init of a namespace, which kills the tasks with number `next` or above there.
    Zapping {
        /// The number to go on from.
        next: i32,
    },
    /// The exiting init of a namespace, which has killed all tasks there. `zap_wait()` decides whether it has to
    /// wait.
    ZapWait,
    /// Gone but for its number and its status (`EXIT_ZOMBIE`).
    Zombie,
}

/// Names a task of a world.
pub(crate) type TaskId = Id<Task>;

/// A thread.
pub(crate) struct Task {
    pub(super) group: Idx<Group>,
    /// Its number; the pid's namespace is the task's active one and never changes.
    pub(super) pid: ARef<Pid>,
    /// The namespace that its children are born in (`nsproxy->pid_ns_for_children`); `None` after exit.
    pub(super) ns_for_children: Option<ForChildren>,
    pub(super) comm: [u8; COMM_LEN],
    pub(super) state: TaskState,
    /// How it ended, as a status word; once it exits.
    pub(super) exit_code: i32,
    /// Processes whose parent is this thread.
    pub(super) children: Chain<chain::Children, Group>,
    /// For each kind of news ([`News`]) the first child that can have it: no child before that one has.
    pub(super) news: [Option<Idx<Group>>; News::ALL.len()],
    /// Signals that it does not take for now.
    pub(super) blocked: SigSet,
    /// Signals that are pending for this thread.
    pub(super) pending: Pending,
    /// Up to when, by [`Crowd::flushes`], stop and continue signals have undone each other in
    /// `pending`.
    pub(super) flushed: u64,
    /// The last signal that a handler was called for.
    pub(super) last_received: SigInfo,
    /// How many signals handlers were called for.
    pub(super) nr_received: u32,
    /// How often a handler has interrupted a system call: a handler without `SA_RESTART`, and of several signals that
    /// were taken at once only the first counts.
    pub(super) interrupts: u32,
    /// Signal that it gets when its parent exits, 0 for none (`PR_SET_PDEATHSIG`).
    pub(super) pdeath_signal: u8,
    /// Its exit has begun to change what others see and is not over.
    pub(super) is_half_done: bool,
    /// It exits, and the search for a reaper of its children has begun.
    pub(super) has_sought_reaper: bool,
    /// It was woken for signals, and has not had its turn to take them (`TIF_SIGPENDING`).
    pub(super) is_told: bool,
    /// The share that its queued work belongs to, if it is queued.
    pub(super) share: Share,
    /// The call that it is in.
    pub(super) call: Call,
    /// The task whose clone with `CLONE_VFORK` waits for this one (`vfork_done`).
    pub(super) vfork_parent: Option<Idx<Task>>,
    /// How often its line of ancestors and it have called exec (`self_exec_id`).
    pub(super) self_exec_id: u32,
    /// The real thread behind it, if it is a member.
    pub(super) body: Option<Idx<Body>>,
    threads: Link<Task>,
    working: Link<Task>,
}

impl Task {
    read! {
        /// See [`Task::pid`].
        pid: ARef<Pid>;
        /// See [`Task::ns_for_children`].
        ns_for_children: Option<ForChildren>;
        /// See [`Task::children`].
        children: Chain<chain::Children, Group>;
        /// See [`Task::pending`].
        pending: Pending;
    }

    read_value! {
        /// See [`Task::group`].
        group: Idx<Group>;
        /// See [`Task::comm`].
        comm: [u8; COMM_LEN];
        /// See [`Task::state`].
        state: TaskState;
        /// See [`Task::exit_code`].
        exit_code: i32;
        /// See [`Task::news`].
        news: [Option<Idx<Group>>; News::ALL.len()];
        /// See [`Task::blocked`].
        blocked: SigSet;
        /// See [`Task::last_received`].
        last_received: SigInfo;
        /// See [`Task::nr_received`].
        nr_received: u32;
        /// See [`Task::interrupts`].
        interrupts: u32;
        /// See [`Task::pdeath_signal`].
        pdeath_signal: u8;
        /// See [`Task::call`].
        call: Call;
        /// See [`Task::self_exec_id`].
        self_exec_id: u32;
        /// See [`Task::body`].
        body: Option<Idx<Body>>;
    }
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
            ns_for_children: Some(ForChildren::new(ns_for_children)),
            comm,
            state: TaskState::Running,
            exit_code: 0,
            children: Chain::new(),
            news: [None; News::ALL.len()],
            blocked: SigSet::EMPTY,
            pending: Pending::new(),
            flushed: 0,
            last_received: SigInfo::default(),
            nr_received: 0,
            interrupts: 0,
            pdeath_signal: 0,
            is_half_done: false,
            has_sought_reaper: false,
            is_told: false,
            share: Share::default(),
            call: Call::None,
            vfork_parent: None,
            self_exec_id: 0,
            body: None,
            threads: Link::new(),
            working: Link::new(),
        }
    }

    /// With a mask of blocked signals: that of the task that clones it.
    pub(crate) fn with_mask(self, blocked: SigSet) -> Self {
        Self { blocked, ..self }
    }

    /// With a count of calls of exec: that of the task that clones it.
    pub(crate) fn with_exec_id(self, self_exec_id: u32) -> Self {
        Self {
            self_exec_id,
            ..self
        }
    }

    /// The active namespace (`task_active_pid_ns()`).
    pub(crate) fn ns(&self) -> &Namespace {
        self.pid.ns()
    }

    /// Whether its children are born in its own namespace.
    pub(crate) fn has_children_at_home(&self) -> bool {
        let ns = self.ns_for_children.as_deref();
        ns.is_some_and(|ns| core::ptr::eq(ns, self.ns()))
    }

    /// Whether it has not begun to exit.
    pub(crate) fn is_alive(&self) -> bool {
        self.state == TaskState::Running
    }

    /// Whether it is an init that takes its namespace along: it reaps every child at once.
    pub(crate) fn is_zapping(&self) -> bool {
        matches!(self.state, TaskState::Zapping { .. } | TaskState::ZapWait)
    }

    /// Whether it has queued work.
    pub(crate) fn is_queued(&self) -> bool {
        self.working.is_linked()
    }
}

member!(Task, Threads, threads);
member!(Task, Working, working);
