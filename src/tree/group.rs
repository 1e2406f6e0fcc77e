// SPDX-License-Identifier: GPL-2.0

//! Thread groups: the part of a process that its threads share.
//!
//! `include/linux/sched/signal.h`: `struct signal_struct`, and of the leader's `struct task_struct` what belongs
//! to the process. All of it is protected by the tree lock.

use crate::{
    base::slots::{
        chain::{Chain, Link},
        Id, Idx,
    },
    pid::Pid,
    tree::call::Call,
    tree::crowd::Crowd,
    tree::fate::Fate,
    tree::pending::Pending,
    tree::shares::Share,
    tree::sighand::Sighand,
    tree::task::{chain, Task},
};
use kernel::sync::aref::ARef;

/// The parent of a process (`real_parent`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parent {
    /// None in this world: the process is the world's init, or was injected from outside.
    Outside,
    /// This thread.
    Task(Idx<Task>),
}

/// Whether a process is stopped or was continued, and what a wait by its parent has not reported yet.
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

/// A stop or a continuation, as a wait reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobReport {
    /// The process has stopped, by this signal.
    Stopped(u8),
    /// The process was continued.
    Continued,
}

impl JobState {
    /// The stop or the continuation that a wait has to report.
    pub(crate) fn to_report(self) -> Option<JobReport> {
        match self {
            Self::Stopped(signal @ 1..) => Some(JobReport::Stopped(signal)),
            Self::Continued
            | Self::Stopping {
                is_continued: true, ..
            } => Some(JobReport::Continued),
            Self::Running | Self::Stopped(0) | Self::Stopping { .. } => None,
        }
    }

    /// Whether a thread that is in a call, or in none, is stopped (`task_is_stopped()`).
    #[inline]
    pub(super) fn stops(self, call: Call) -> bool {
        match self {
            Self::Stopped(_) => true,
            Self::Stopping { .. } => !call.defers_signals(),
            Self::Running | Self::Continued => false,
        }
    }

    /// The state after a wait has reported it.
    pub(super) fn reported(self) -> Self {
        match self {
            Self::Stopped(_) => Self::Stopped(0),
            Self::Stopping { signal, .. } => Self::Stopping {
                signal,
                is_continued: false,
            },
            Self::Running | Self::Continued => Self::Running,
        }
    }
}

/// The notification that a SIGCONT leaves for the parent (`prepare_signal()`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Owed {
    #[default]
    Nothing,
    /// The process was about to stop (`SIGNAL_CLD_STOPPED`).
    Stopped,
    /// The process was stopped (`SIGNAL_CLD_CONTINUED`).
    Continued,
}

/// Names a process of a world.
pub(crate) type GroupId = Id<Group>;

/// A thread group.
pub(crate) struct Group {
    /// `None` only between the making of the group and that of its first task.
    pub(super) leader: Option<Idx<Task>>,
    /// Its threads; once there have been several, those that have not begun to exit ([`Crowd::exiting`]
    /// are the others).
    pub(super) threads: Chain<chain::Threads, Task>,
    /// The part of a process that only one with several threads has.
    pub(super) crowd: Option<Idx<Crowd>>,
    /// Threads, a dead leader among them.
    pub(super) nr_threads: u32,
    /// Threads that have not begun to exit.
    pub(super) nr_live: u32,
    pub(super) parent: Parent,
    /// Orders the children of a parent: a child that joined later has a larger one.
    pub(super) place: u64,
    pub(super) tgid: ARef<Pid>,
    pub(super) pgid: ARef<Pid>,
    pub(super) sid: ARef<Pid>,
    /// Signal to the parent at exit.
    pub(super) exit_signal: i32,
    pub(super) fate: Fate,
    /// Is reaped as soon as it has exited (`CLONE_AUTOREAP`).
    pub(super) autoreap: bool,
    /// Init of a namespace (`SIGNAL_UNKILLABLE`).
    pub(super) unkillable: bool,
    /// It exits, and does not count any more as a parent that keeps a process group from being orphaned.
    pub(super) is_leaving: bool,
    /// Has called exec since it was forked (no `PF_FORKNOEXEC`).
    pub(super) has_execed: bool,
    /// [`Task::self_exec_id`] of the parent at the time of the fork (`parent_exec_id`).
    pub(super) parent_exec_id: u32,
    /// Takes orphans among its descendants (`PR_SET_CHILD_SUBREAPER`).
    pub(super) is_subreaper: bool,
    /// A thread of it may have a [`Task::pdeath_signal`].
    pub(super) wants_pdeath: bool,
    /// The id of an ancestor, 0 for none: there is no subreaper between the process and that ancestor. Valid as
    /// long as [`Tree::subreapers_set`](crate::tree::Tree) equals `hinted_at`.
    pub(super) reaper_hint: GroupId,
    /// See [`Group::reaper_hint`].
    pub(super) hinted_at: u32,
    /// Of the first member of a process group: how many members are stopped.
    pub(super) pgrp_stopped: u32,
    /// Of the first member of a process group: no member before this one is controlled; `None`: no
    /// member is.
    pub(super) pgrp_controlled: Option<Idx<Group>>,
    pub(super) sighand: Idx<Sighand>,
    /// Signals that are pending for any thread (`shared_pending`).
    pub(super) pending: Pending,
    pub(super) job: JobState,
    /// How often it has stopped, or begun to while calls of its threads deferred that.
    pub(super) nr_stops: u32,
    /// The notification that a SIGCONT has left for the parent; the next thread that takes signals sends it
    /// (`SIGNAL_CLD_MASK`).
    pub(super) owed: Owed,
    /// The share that its queued work belongs to, if it is killed or has duties.
    pub(super) share: Share,
    children: Link<Group>,
    process_group: Link<Group>,
    session: Link<Group>,
    killed: Link<Group>,
    crowded: Link<Group>,
}

impl Group {
    read! {
        /// See [`Group::threads`].
        threads: Chain<chain::Threads, Task>;
        /// See [`Group::tgid`].
        tgid: ARef<Pid>;
        /// See [`Group::pgid`].
        pgid: ARef<Pid>;
        /// See [`Group::sid`].
        sid: ARef<Pid>;
        /// See [`Group::pending`].
        pending: Pending;
    }

    read_value! {
        /// See [`Group::leader`].
        leader: Option<Idx<Task>>;
        /// See [`Group::nr_threads`].
        nr_threads: u32;
        /// See [`Group::nr_live`].
        nr_live: u32;
        /// See [`Group::parent`].
        parent: Parent;
        /// See [`Group::place`].
        place: u64;
        /// See [`Group::exit_signal`].
        exit_signal: i32;
        /// See [`Group::fate`].
        fate: Fate;
        /// See [`Group::autoreap`].
        autoreap: bool;
        /// See [`Group::unkillable`].
        unkillable: bool;
        /// See [`Group::has_execed`].
        has_execed: bool;
        /// See [`Group::parent_exec_id`].
        parent_exec_id: u32;
        /// See [`Group::is_subreaper`].
        is_subreaper: bool;
        /// See [`Group::wants_pdeath`].
        wants_pdeath: bool;
        /// See [`Group::reaper_hint`].
        reaper_hint: GroupId;
        /// See [`Group::hinted_at`].
        hinted_at: u32;
        /// See [`Group::pgrp_stopped`].
        pgrp_stopped: u32;
        /// See [`Group::pgrp_controlled`].
        pgrp_controlled: Option<Idx<Group>>;
        /// See [`Group::sighand`].
        sighand: Idx<Sighand>;
        /// See [`Group::job`].
        job: JobState;
        /// See [`Group::nr_stops`].
        nr_stops: u32;
    }
}

impl Group {
    /// A group without threads, on no list. With pid 1 it is init of a namespace.
    pub(crate) fn new(
        tgid: ARef<Pid>,
        pgid: ARef<Pid>,
        sid: ARef<Pid>,
        parent: Parent,
        exit_signal: i32,
        sighand: Idx<Sighand>,
    ) -> Self {
        let is_init = tgid.nr() == 1;
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
            unkillable: is_init,
            is_leaving: false,
            has_execed: false,
            parent_exec_id: 0,
            is_subreaper: false,
            wants_pdeath: false,
            reaper_hint: GroupId::NOTHING,
            hinted_at: 0,
            pgrp_stopped: 0,
            pgrp_controlled: None,
            sighand,
            pending: Pending::new(),
            job: JobState::Running,
            nr_stops: 0,
            owed: Owed::Nothing,
            share: Share::default(),
            children: Link::new(),
            process_group: Link::new(),
            session: Link::new(),
            killed: Link::new(),
            crowded: Link::new(),
        }
    }

    /// The same group with [`Group::autoreap`] set or not.
    pub(crate) fn with_autoreap(self, autoreap: bool) -> Self {
        Self { autoreap, ..self }
    }

    /// The same group with [`Task::self_exec_id`] of its parent.
    pub(crate) fn with_parent_exec_id(self, parent_exec_id: u32) -> Self {
        Self {
            parent_exec_id,
            ..self
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

    /// Whether it is on the list of groups with duties.
    pub(crate) fn is_crowded(&self) -> bool {
        self.crowded.is_linked()
    }
}

member!(Group, Children, children);
member!(Group, ProcessGroup, process_group);
member!(Group, Session, session);
member!(Group, Killed, killed);
member!(Group, Crowded, crowded);
