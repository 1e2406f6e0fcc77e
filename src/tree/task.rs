// SPDX-License-Identifier: GPL-2.0

//! Tasks and thread groups: what the task tree is made of.
//!
//! A [`Task`] is a thread (`struct task_struct`), a [`Group`] what the threads of one process share
//! (`struct signal_struct`, and of its leader's `task_struct` what belongs to the process). Both
//! live in the [`Tree`](crate::tree::Tree) and everything in them is protected by its lock.
//!
//! A task does not know whether a real process stands behind it.

use crate::{
    base::slots::{
        chain::{Chain, Link, Member},
        Idx,
    },
    pid::namespace::{ForChildren, Namespace},
    pid::Pid,
    tree::call::Call,
    tree::crowd::Crowd,
    tree::fate::Fate,
    tree::pending::{Pending, SigInfo, SigSet},
    tree::sighand::Sighand,
    tree::News,
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
    /// Tasks that have something left to do.
    pub(crate) struct Working;
    /// Groups that are killed and have live threads left.
    pub(crate) struct Killed;
    /// Groups with something to do for each of many threads.
    pub(crate) struct Crowded;
    /// Signals that wait for one task or group.
    pub(crate) struct Pending;
    /// Signals that are on their way to many processes.
    pub(crate) struct Walking;
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
    pub(crate) ns_for_children: Option<ForChildren>,
    pub(crate) comm: [u8; COMM_LEN],
    pub(crate) state: TaskState,
    /// How it ended, as a status word; once it exits.
    pub(crate) exit_code: i32,
    /// Processes whose parent is this thread.
    pub(crate) children: Chain<chain::Children, Group>,
    /// Where the first of them can be that has news of each kind ([`News`]).
    pub(crate) news: [Option<Idx<Group>>; News::ALL.len()],
    /// Signals that it does not take for now.
    pub(crate) blocked: SigSet,
    /// Signals that wait for this thread.
    pub(crate) pending: Pending,
    /// Up to when, by [`Crowd::flushes`], stop and continue signals have undone each other in
    /// `pending`.
    pub(crate) flushed: u64,
    /// The last signal that a handler was called for.
    pub(crate) last_received: SigInfo,
    /// How many signals handlers were called for.
    pub(crate) nr_received: u32,
    /// How often that has interrupted what it was doing: each time by a handler without
    /// `SA_RESTART`, of those that it was called for at once by the first.
    pub(crate) interrupts: u32,
    /// Signal that it gets when its parent exits, 0 for none (`PR_SET_PDEATHSIG`).
    pub(crate) pdeath_signal: u8,
    /// Its exit has begun to change what others see and is not over.
    pub(crate) is_half_done: bool,
    /// It was told of signals that its call defers, and takes them afterwards (`TIF_SIGPENDING`).
    pub(crate) is_told: bool,
    /// The call that it is in.
    pub(crate) call: Call,
    /// The task whose clone with `CLONE_VFORK` waits for this one (`vfork_done`).
    pub(crate) vfork_parent: Option<Idx<Task>>,
    /// How often its line of ancestors and it have called exec (`self_exec_id`).
    pub(crate) self_exec_id: u32,
    threads: Link<Task>,
    working: Link<Task>,
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
            is_told: false,
            call: Call::None,
            vfork_parent: None,
            self_exec_id: 0,
            threads: Link::new(),
            working: Link::new(),
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

    /// Whether it is an init that takes its namespace along: it reaps every child at once.
    pub(crate) fn is_zapping(&self) -> bool {
        matches!(self.state, TaskState::Zapping { .. } | TaskState::ZapWait)
    }

    /// Whether it waits on the list of tasks that have something left to do.
    pub(crate) fn is_queued(&self) -> bool {
        self.working.is_linked()
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

/// Whether a process is stopped, and what its parent has not been told yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    /// Neither.
    Running,
    /// All threads have stopped but those in calls that defer it (`group_stop_count`).
    Stopping {
        /// By this signal.
        signal: u8,
        /// No wait has reported that it was continued after the stop before (`SIGNAL_STOP_CONTINUED`).
        is_continued: bool,
    },
    /// Stopped (`SIGNAL_STOP_STOPPED`), with the signal for a wait to report, 0 when that is done.
    Stopped(u8),
    /// Continued after a stop, and no wait has reported it (`SIGNAL_STOP_CONTINUED`).
    Continued,
}

/// What a SIGCONT for a parent says (`prepare_signal()`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Owed {
    #[default]
    Nothing,
    /// The process was about to stop (`SIGNAL_CLD_STOPPED`).
    Stopped,
    /// The process was stopped (`SIGNAL_CLD_CONTINUED`).
    Continued,
}

/// A thread group.
pub(crate) struct Group {
    /// `None` only between the making of the group and that of its first task.
    pub(crate) leader: Option<Idx<Task>>,
    /// Its threads; once there have been several, those that have not begun to exit ([`Crowd::exiting`]
    /// are the others).
    pub(crate) threads: Chain<chain::Threads, Task>,
    /// What only a process of several threads needs.
    pub(crate) crowd: Option<Idx<Crowd>>,
    /// Threads, a dead leader among them.
    pub(crate) nr_threads: u32,
    /// Threads that have not begun to exit.
    pub(crate) nr_live: u32,
    pub(crate) parent: Parent,
    /// Where it is among the children of its parent: behind those with a smaller number.
    pub(crate) place: u64,
    pub(crate) tgid: ARef<Pid>,
    pub(crate) pgid: ARef<Pid>,
    pub(crate) sid: ARef<Pid>,
    /// Signal to the parent at exit.
    pub(crate) exit_signal: i32,
    pub(crate) fate: Fate,
    /// Vanishes when it exits (`CLONE_AUTOREAP`).
    pub(crate) autoreap: bool,
    /// Init of a namespace (`SIGNAL_UNKILLABLE`).
    pub(crate) unkillable: bool,
    /// It exits, and controls nobody's process group any more.
    pub(crate) is_leaving: bool,
    /// Has called exec since it was forked (no `PF_FORKNOEXEC`).
    pub(crate) has_execed: bool,
    /// What [`Task::self_exec_id`] of the parent was at the fork (`parent_exec_id`).
    pub(crate) parent_exec_id: u32,
    /// Takes orphans among its descendants (`PR_SET_CHILD_SUBREAPER`).
    pub(crate) is_subreaper: bool,
    /// A thread of it may have a [`Task::pdeath_signal`].
    pub(crate) wants_pdeath: bool,
    /// An ancestor between which and this process nobody takes orphans, as an id, 0 for none; valid as
    /// long as [`Tree::subreapers_set`](crate::tree::Tree) is what it was then.
    pub(crate) reaper_hint: u64,
    /// See [`Group::reaper_hint`].
    pub(crate) hinted_at: u32,
    /// Of the first member of a process group: how many members are stopped.
    pub(crate) pgrp_stopped: u32,
    /// Of the first member of a process group: no member before this one is controlled; `None`: no
    /// member is.
    pub(crate) pgrp_controlled: Option<Idx<Group>>,
    pub(crate) sighand: Idx<Sighand>,
    /// Signals that wait for any thread (`shared_pending`).
    pub(crate) pending: Pending,
    pub(crate) job: JobState,
    /// How often it has stopped, or begun to while calls of its threads deferred that.
    pub(crate) nr_stops: u32,
    /// What SIGCONT owes the parent; the next thread to take signals sends it (`SIGNAL_CLD_MASK`).
    pub(crate) owed: Owed,
    children: Link<Group>,
    process_group: Link<Group>,
    session: Link<Group>,
    killed: Link<Group>,
    crowded: Link<Group>,
}

impl Group {
    /// A group without threads, on no list.
    pub(crate) fn new(
        tgid: ARef<Pid>,
        pgid: ARef<Pid>,
        sid: ARef<Pid>,
        parent: Parent,
        exit_signal: i32,
        sighand: Idx<Sighand>,
    ) -> Self {
        Self {
            leader: None,
            threads: Chain::new(),
            crowd: None,
            nr_threads: 0,
            nr_live: 0,
            parent,
            place: 0,
            tgid,
            pgid,
            sid,
            exit_signal,
            fate: Fate::Alive,
            autoreap: false,
            unkillable: false,
            is_leaving: false,
            has_execed: false,
            parent_exec_id: 0,
            is_subreaper: false,
            wants_pdeath: false,
            reaper_hint: 0,
            hinted_at: 0,
            pgrp_stopped: 0,
            pgrp_controlled: None,
            sighand,
            pending: Pending::new(),
            job: JobState::Running,
            nr_stops: 0,
            owed: Owed::Nothing,
            children: Link::new(),
            process_group: Link::new(),
            session: Link::new(),
            killed: Link::new(),
            crowded: Link::new(),
        }
    }

    /// The status word with which it exits, once that is decided.
    pub(crate) fn exit_status(&self) -> Option<i32> {
        match self.fate {
            Fate::Exiting(status) => Some(status),
            Fate::Alive | Fate::Exec(_) => None,
        }
    }

    /// Whether its pid leads a session.
    pub(crate) fn leads_session(&self) -> bool {
        self.sid.is(&self.tgid)
    }

    /// Whether it is stopped by a signal, all of its threads.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.job, JobState::Stopped(_))
    }

    /// Whether it waits on the list of killed groups.
    pub(crate) fn is_killed(&self) -> bool {
        self.killed.is_linked()
    }

    /// Whether it waits on the list of groups with something to do for each of many threads.
    pub(crate) fn is_crowded(&self) -> bool {
        self.crowded.is_linked()
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
member!(Task, Working, working);
member!(Group, Children, children);
member!(Group, ProcessGroup, process_group);
member!(Group, Session, session);
member!(Group, Killed, killed);
member!(Group, Crowded, crowded);
