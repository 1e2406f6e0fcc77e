// SPDX-License-Identifier: GPL-2.0

//! The system call that a task is in, if that takes more than one hold of the tree lock, and the state that
//! exec and sigtimedwait keep meanwhile. A task is in one call at a time.
//!
//! # Locks
//!
//! Under the tree lock.

use super::Tree;
use crate::{
    base::slots::{Cookie, Idx, Spare, Vacancy},
    reason::{Outcome, Reason},
    tree::crowd::Crowd,
    tree::fate::Fate,
    tree::group::{Group, JobState},
    tree::pending::{SigSet, SIGKILL},
    tree::sighand::{Handlers, Sighand},
    tree::task::{Task, TaskId, TaskState, COMM_LEN},
    tree::wakeups::Key,
};

/// The call that a task is in, if that takes more than one hold of the tree lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// No call: any caller may act for the task.
    None,
    /// A call that is over soon. Signals wait until then.
    Working,
    /// Sending a signal to many. The task may take signals meanwhile.
    Sending,
    /// Asleep until something happens. A signal ends that.
    Asleep,
    /// Asleep until one of these signals arrives.
    Sigwait(Idx<Awaited>),
    /// In exec, until the other threads are gone. Signals wait until then.
    Exec,
    /// In clone with `CLONE_VFORK`. Signals that do not kill wait until it is over.
    Vfork {
        /// Until this one has exited or called exec.
        child: Idx<Task>,
        /// [`Group::nr_stops`] when it began.
        stops: u32,
    },
}

impl Call {
    /// Whether signals that do not kill, and stops, wait until the call is over.
    pub(crate) fn defers_signals(self) -> bool {
        matches!(self, Self::Working | Self::Exec | Self::Vfork { .. })
    }
}

/// A call of exec that waits for the other threads to be gone.
pub(crate) struct Exec {
    pub(super) task: Idx<Task>,
    pub(super) name: [u8; COMM_LEN],
    /// Reserved dispositions, if the process shares its own with others.
    pub(super) sighand: Option<Idx<Sighand>>,
    /// The result, once it is known.
    pub(super) result: Option<Outcome>,
    /// Whether the caller will ask for the result.
    pub(super) is_awaited: bool,
}

impl Exec {
    read_value! {
        /// See [`Exec::task`].
        task: Idx<Task>;
        /// See [`Exec::name`].
        name: [u8; COMM_LEN];
    }
}

/// Room for a call of exec, and for dispositions if the process shares its own with others.
#[must_use]
pub(crate) struct ExecRoom<'a> {
    exec: Vacancy<'a, Exec>,
    sighand: Option<Vacancy<'a, Sighand>>,
    kept_sighands: &'a mut usize,
}

impl ExecRoom<'_> {
    /// Keeps a call of exec.
    pub(crate) fn insert(self, task: Idx<Task>, name: &[u8; COMM_LEN]) -> Idx<Exec> {
        let sighand = self
            .sighand
            .map(|room| room.insert(Sighand::new(Handlers::DEFAULT)));
        *self.kept_sighands += usize::from(sighand.is_some());
        self.exec.insert(Exec {
            task,
            name: *name,
            sighand,
            result: None,
            is_awaited: true,
        })
    }
}

/// Signals that a sleeping thread waits for.
pub(crate) struct Awaited(pub(crate) SigSet);

impl Group {
    /// Whether a thread of this group, which is in `call`, was woken for a signal or a stop, and has not had its turn
    /// to take it (`TIF_SIGPENDING`).
    #[inline]
    fn has_told(&self, thread: &Task, call: Call) -> bool {
        let was_stopped = match call {
            // The thread does not note a stop, but the call knows how many there were before.
            Call::Vfork { stops, .. } => stops != self.nr_stops,
            _ => matches!(self.job, JobState::Stopping { .. }),
        };
        thread.is_told || was_stopped
    }
}

impl Tree {
    /// The task that an id names, if it cannot act now only because it is at work in a call.
    pub(crate) fn at_work(&self, id: TaskId) -> Option<Idx<Task>> {
        let task = self.tasks.find(id)?;
        let call = self.tasks[task].call;
        let is_at_work = matches!(call, Call::Working | Call::Sending | Call::Exec);
        (is_at_work && self.goes_on(task)).then_some(task)
    }

    /// Sets the call that a task is in: it begins, changes between work and sleep, or ends. Callers that wait for the
    /// task are woken; they are refused if it has fallen asleep. Signals that the task was woken for meanwhile are
    /// taken as soon as the call does not defer them. A task that exits is in no call.
    #[inline(always)]
    pub(crate) fn set_call(&mut self, task: Idx<Task>, call: Call) {
        let thread = &mut self.tasks[task];
        debug_assert!(thread.is_alive() || call == Call::None);
        let before = core::mem::replace(&mut thread.call, call);
        if before != Call::None {
            self.change_call(task, before, call);
        } else if call.defers_signals() {
            let crowd = self.groups[thread.group].crowd;
            self.count_deferring(crowd, true);
        }
    }

    /// [`Tree::set_call`] for a task that was in a call.
    fn change_call(&mut self, task: Idx<Task>, before: Call, call: Call) {
        let thread = &self.tasks[task];
        let group = &self.groups[thread.group];
        let (deferred, defers) = (before.defers_signals(), call.defers_signals());
        let takes_now = deferred && !defers && thread.is_alive() && group.has_told(thread, before);
        if deferred != defers {
            self.count_deferring(group.crowd, defers);
        }
        if before != call {
            self.wake_task(task);
        }
        if takes_now {
            self.signal_wake_up(task);
        }
    }

    /// One more thread of a process defers signals, or one less. One that has always been alone is not
    /// counted.
    #[inline]
    fn count_deferring(&mut self, crowd: Option<Idx<Crowd>>, defers: bool) {
        if let Some(crowd) = crowd {
            self.count_in_crowd(crowd, defers);
        }
    }

    #[inline(never)]
    fn count_in_crowd(&mut self, crowd: Idx<Crowd>, defers: bool) {
        let count = &mut self.crowds[crowd].nr_deferring;
        match defers {
            true => *count += 1,
            false => *count -= 1,
        }
        self.changes += 1;
    }

    /// Wakes the callers that wait for a task or sleep on its behalf.
    #[inline]
    pub(crate) fn wake_task(&mut self, task: Idx<Task>) {
        self.note_wakeup(|tree| Key::task(tree, task));
    }

    /// Ends the call of a task: it takes the signals that it was woken for meanwhile, and others may act for it.
    pub(crate) fn end_call(&mut self, task: Cookie<Task>) {
        if let Some((task, _)) = self.tasks.remembered(task) {
            self.set_call(task, Call::None);
        }
    }

    /// The task that a cookie names, for a caller that is in a call of it.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it has begun to exit, or is about to.
    #[inline]
    pub(crate) fn find_caller(&self, task: Cookie<Task>) -> Outcome<Idx<Task>> {
        let (index, task) = self.tasks.remembered(task).ok_or(Reason::TaskGone)?;
        if !task.is_alive() || !self.is_spared(index, self.groups[task.group].fate) {
            return Err(Reason::TaskExited.into());
        }
        Ok(index)
    }

    /// How many threads of a process are in calls that defer signals and stops. Of one that has never had
    /// another thread it is 0: its only thread takes no stop signal meanwhile.
    pub(crate) fn nr_deferring(&self, group: Idx<Group>) -> u32 {
        self.crowd(group).map_or(0, |crowd| crowd.nr_deferring)
    }

    /// Whether a task sleeps in a clone with `CLONE_VFORK`.
    pub(crate) fn is_in_vfork(&self, task: Idx<Task>) -> bool {
        matches!(self.tasks[task].call, Call::Vfork { .. })
    }

    /// Whether a task was woken for a signal or a stop, and has not had its turn to take it (`TIF_SIGPENDING`).
    pub(super) fn is_told(&self, task: Idx<Task>) -> bool {
        let thread = &self.tasks[task];
        self.groups[thread.group].has_told(thread, thread.call)
    }

    /// Whether a task was woken for a signal and is not at work (`task_curr()`).
    pub(crate) fn has_been_told(&self, task: Idx<Task>) -> bool {
        let is_at_work = matches!(self.tasks[task].call, Call::Working | Call::Sending);
        !is_at_work && self.is_told(task)
    }

    /// Signals that a task does not want: all but SIGKILL if it is stopped or was woken for another one already,
    /// and else those that it blocks (`wants_signal()`).
    pub(crate) fn unwanted_by(&self, task: Idx<Task>) -> SigSet {
        if self.is_stopped(task) || self.has_been_told(task) {
            SigSet::EVERY.minus(SigSet::of(&[SIGKILL]))
        } else {
            self.kept_from(task)
        }
    }

    /// A task is about to take signals; false when its call defers that until it is over.
    pub(crate) fn begin_taking(&mut self, task: Idx<Task>) -> bool {
        if self.tasks[task].call.defers_signals() {
            return false;
        }
        self.tasks[task].is_told = false;
        true
    }

    /// Has a task take the signals that are pending for it or its process and not blocked, if there are any, also
    /// one that another thread was woken for; returns whether there are. If not it has nothing to be woken for.
    pub(crate) fn recalc_sigpending(&mut self, task: Idx<Task>) -> bool {
        let has_signals = self.has_signals(task);
        if has_signals {
            self.signal_wake_up(task);
        } else {
            self.tasks[task].is_told = false;
        }
        has_signals
    }

    /// Counters that change when a task calls a handler and when its process begins to stop: both interrupt a
    /// sleep.
    pub(crate) fn interruptions(&self, task: Idx<Task>) -> (u32, u32) {
        (self.tasks[task].nr_received, self.group_of(task).nr_stops)
    }

    /// The signals that a task waits for in sigtimedwait.
    pub(crate) fn awaited_by(&self, task: Idx<Task>) -> SigSet {
        match self.tasks[task].call {
            Call::Sigwait(awaited) => self.awaited[awaited].0,
            _ => SigSet::EMPTY,
        }
    }

    /// The signals that a task blocks and does not wait for in sigtimedwait.
    pub(crate) fn kept_from(&self, task: Idx<Task>) -> SigSet {
        self.tasks[task].blocked.minus(self.awaited_by(task))
    }

    /// Whether a live thread is the only one of its process, but for a dead leader.
    pub(crate) fn is_all_that_is_left(&self, task: Idx<Task>) -> bool {
        let group = self.group_of(task);
        let is_dead = |leader: Idx<Task>| self.tasks[leader].state == TaskState::Zombie;
        let others = u32::from(group.leader.is_some_and(is_dead));
        group.nr_threads == 1 + others
    }

    /// A thread of a process is gone, or its leader is dead: queues an exec that has waited for that.
    pub(crate) fn wake_exec(&mut self, group: Idx<Group>) {
        if let Fate::Exec(exec) = self.groups[group].fate {
            let task = self.execs[exec].task;
            if self.is_all_that_is_left(task) {
                self.begin_kill(group);
            }
        }
    }

    /// Ends a call of exec with its result.
    pub(crate) fn end_exec(&mut self, exec: Idx<Exec>, result: Outcome) {
        if let Some(sighand) = self.execs[exec].sighand.take() {
            self.kept_sighands -= 1;
            self.put_sighand(sighand);
        }
        if self.execs[exec].is_awaited {
            self.execs[exec].result = Some(result);
        } else {
            self.execs.discard(exec);
        }
    }

    /// Takes the result of a call of exec; `None` if it goes on, in which case nobody will ask again.
    pub(crate) fn result_of_exec(&mut self, exec: Idx<Exec>) -> Option<Outcome> {
        let result = self.execs[exec].result.take();
        if result.is_some() {
            self.execs.discard(exec);
        } else {
            self.execs[exec].is_awaited = false;
        }
        result
    }

    /// Room for a call of exec. `None`: fill both without the lock and try again.
    pub(crate) fn room_for_exec(
        &mut self,
        group: Idx<Group>,
        sighands: &mut Spare<Sighand>,
        execs: &mut Spare<Exec>,
    ) -> Option<ExecRoom<'_>> {
        let sighand = match self.shares_handlers(group) {
            true => Some(self.sighands.make_room(sighands)?),
            false => None,
        };
        Some(ExecRoom {
            exec: self.execs.make_room(execs)?,
            sighand,
            kept_sighands: &mut self.kept_sighands,
        })
    }

    /// Gives a process dispositions of its own, a copy in the room that its exec has reserved
    /// (`unshare_sighand()`).
    pub(crate) fn unshare_sighand(&mut self, group: Idx<Group>, exec: Idx<Exec>) {
        let Some(own) = self.execs[exec].sighand.take() else {
            return;
        };
        self.kept_sighands -= 1;
        self.changes += 1;
        self.sighands[own].handlers = self.handlers(group).clone();
        let shared = core::mem::replace(&mut self.groups[group].sighand, own);
        self.put_sighand(shared);
    }

    /// A task has cloned a child with `CLONE_VFORK` and sleeps; `stops` is what [`Group::nr_stops`] was
    /// when the clone began.
    pub(crate) fn begin_vfork(&mut self, caller: Idx<Task>, child: Idx<Task>, stops: u32) {
        self.set_call(caller, Call::Vfork { child, stops });
        self.tasks[child].vfork_parent = Some(caller);
        self.changes += 1;
    }
}
