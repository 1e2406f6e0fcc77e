// SPDX-License-Identifier: GPL-2.0

//! The stores and the counters of a tree, as the layers above use them: they read the stores, take room in
//! them, and move counters by methods. Fields of a task or of a process are changed in [`fields`](super::fields).
//!
//! # Locks
//!
//! Under the tree lock.

use super::{
    call::{Awaited, Exec},
    group::{Group, Parent},
    handles::Pidfd,
    pending::{Pending, Queued, SigInfo, SigSet},
    ring::Events,
    sighand::Sighand,
    task::{Task, TaskState},
    wakeups::{Key, Wakeups},
    walks::{Hangup, SignalWalk},
    Tree,
};
use crate::{
    base::slots::{Idx, Slots, Spare, Vacancy},
    reason::{Outcome, Reason},
    tree::handles::PidfdId,
};

impl Tree {
    read! {
        /// Every task.
        tasks: Slots<Task>;
        /// Every process.
        groups: Slots<Group>;
        /// The signal dispositions of processes.
        sighands: Slots<Sighand>;
        /// Calls of exec that wait for the other threads to be gone.
        execs: Slots<Exec>;
        /// Open handles on tasks.
        pidfds: Slots<Pidfd>;
        /// Siginfo of pending signals.
        queued: Slots<Queued>;
        /// Events of this world.
        events: Events;
    }

    read_value! {
        /// Zombies among the tasks.
        nr_zombies: usize;
        /// Stopped processes.
        nr_stopped: usize;
        /// Processes that take orphans.
        nr_subreapers: usize;
        /// How often a process has become one.
        subreapers_set: u32;
        /// Dispositions that are reserved for calls of exec.
        kept_sighands: usize;
        /// The most tasks there may be.
        max_tasks: usize;
        /// The most handles that may be open.
        max_pidfds: usize;
        /// Moves with each change of the tree. A scan that has dropped the lock since it read this counter cannot
        /// rely on earlier results: the audit skips comparisons then.
        changes: u64;
    }

    /// The events, to be recorded.
    pub(crate) fn events_mut(&mut self) -> &mut Events {
        &mut self.events
    }

    /// Something has happened: the callers with this key are woken when the lock is released. The key is
    /// made only if anybody sleeps.
    #[inline]
    pub(crate) fn note_wakeup(&mut self, key: impl FnOnce(&Self) -> Key) {
        if self.wakes.has_sleepers() {
            let key = key(self);
            self.wakes.note(key);
        }
    }

    /// Whether there are callers to be woken.
    #[inline]
    pub(crate) fn has_wakeups(&self) -> bool {
        !self.wakes.is_empty()
    }

    /// Takes the wakeups that are due, if there are any.
    pub(crate) fn take_wakeups(&mut self) -> Option<Wakeups> {
        self.wakes.take()
    }

    /// A caller is about to sleep.
    pub(crate) fn begin_sleep(&mut self) {
        self.wakes.begin_sleep();
    }

    /// A caller does not sleep any more.
    pub(crate) fn end_sleep(&mut self) {
        self.wakes.end_sleep();
    }

    /// An exit has begun to change what others see, and goes on later.
    pub(crate) fn begin_half(&mut self, task: Idx<Task>) {
        if !core::mem::replace(&mut self.tasks[task].is_half_done, true) {
            self.half_done += 1;
        }
        self.queue_work(task);
    }

    /// A task has exited and becomes a zombie: only its number and its status are left.
    pub(crate) fn set_zombie(&mut self, task: Idx<Task>) {
        if core::mem::replace(&mut self.tasks[task].is_half_done, false) {
            self.half_done -= 1;
        }
        self.tasks[task].state = TaskState::Zombie;
        self.changes += 1;
        self.nr_zombies += 1;
    }

    /// A process takes, or no longer takes, the orphans among its descendants
    /// (`PR_SET_CHILD_SUBREAPER`).
    pub(crate) fn set_subreaper(&mut self, task: Idx<Task>, on: bool) {
        let group = self.tasks[task].group;
        let was = core::mem::replace(&mut self.groups[group].is_subreaper, on);
        self.nr_subreapers -= usize::from(was);
        self.nr_subreapers += usize::from(on);
        if on && !was {
            // At its end no hint is trusted any more.
            self.subreapers_set = self.subreapers_set.saturating_add(1);
        }
        self.changes += 1;
    }

    /// Adds a signal with its siginfo to the pending signals of a thread, or with `is_shared` of its process;
    /// false when there is no room.
    pub(crate) fn add_pending(
        &mut self,
        target: Idx<Task>,
        is_shared: bool,
        info: SigInfo,
    ) -> bool {
        let group = self.tasks[target].group;
        let pending = match is_shared {
            true => &mut self.groups[group].pending,
            false => &mut self.tasks[target].pending,
        };
        pending.add(&mut self.queued, info)
    }

    /// The pending signals of a thread, or with `is_shared` of its process.
    pub(crate) fn pending_mut(&mut self, target: Idx<Task>, is_shared: bool) -> &mut Pending {
        let group = self.tasks[target].group;
        match is_shared {
            true => &mut self.groups[group].pending,
            false => &mut self.tasks[target].pending,
        }
    }

    /// Flushes pending signals of a thread.
    pub(crate) fn flush_pending(&mut self, task: Idx<Task>, signals: SigSet) {
        self.tasks[task].pending.flush(&mut self.queued, signals);
    }

    /// Flushes pending signals that timers have sent to a thread and its process.
    pub(crate) fn flush_timers(&mut self, task: Idx<Task>) {
        let group = self.tasks[task].group;
        self.tasks[task].pending.flush_timers(&mut self.queued);
        self.groups[group].pending.flush_timers(&mut self.queued);
    }

    /// One more process shares the signal dispositions of `group`.
    pub(crate) fn share_sighand(&mut self, group: Idx<Group>) -> Idx<Sighand> {
        let sighand = self.groups[group].sighand;
        self.sighands[sighand].users += 1;
        sighand
    }

    /// Room for a handle. `None`: fill `spare` without the lock and try again.
    pub(crate) fn room_for_pidfd(
        &mut self,
        spare: &mut Spare<Pidfd>,
    ) -> Option<Vacancy<'_, Pidfd>> {
        self.pidfds.make_room(spare)
    }

    /// Takes a handle out.
    ///
    /// # Errors
    ///
    /// `EBADF` when there is none any more.
    pub(crate) fn remove_pidfd(&mut self, id: PidfdId) -> Outcome<Pidfd> {
        let pidfd = self.find_pidfd(id)?;
        Ok(self.pidfds.remove(pidfd).ok_or(Reason::PidfdGone)?)
    }

    /// Room for the signals that a call of sigtimedwait waits for. `None`: fill `spare` without the lock and try again.
    pub(crate) fn room_for_awaited(
        &mut self,
        spare: &mut Spare<Awaited>,
    ) -> Option<Vacancy<'_, Awaited>> {
        self.awaited.make_room(spare)
    }

    /// The signals that a call of sigtimedwait waits for.
    pub(crate) fn awaited(&self, awaited: Idx<Awaited>) -> SigSet {
        self.awaited[awaited].0
    }

    /// A call of sigtimedwait is over.
    pub(crate) fn discard_awaited(&mut self, awaited: Idx<Awaited>) {
        self.awaited.discard(awaited);
    }

    /// Room for a signal for many. `None`: fill `spare` without the lock and try again.
    pub(crate) fn room_for_walk(
        &mut self,
        spare: &mut Spare<SignalWalk>,
    ) -> Option<Vacancy<'_, SignalWalk>> {
        self.signal_walks.make_room(spare)
    }

    /// The signal for many that is being sent.
    pub(crate) fn first_walk(&self) -> Option<Idx<SignalWalk>> {
        self.walking.first()
    }

    /// A signal for many.
    pub(crate) fn walk(&self, walk: Idx<SignalWalk>) -> &SignalWalk {
        &self.signal_walks[walk]
    }

    /// The process group that is being checked for having become orphaned, or that is being sent SIGHUP and
    /// SIGCONT because it has.
    pub(crate) fn hangup(&self) -> Option<&Hangup> {
        self.hangup.as_ref()
    }

    /// The id of a task as user space is given it, 0 for none.
    pub(crate) fn raw_id(&self, task: Option<Idx<Task>>) -> u64 {
        task.map_or(0, |task| self.tasks.id(task).to_raw())
    }

    /// The id of a parent as user space is given it, 0 for one outside of the world.
    pub(crate) fn parent_id(&self, parent: Parent) -> u64 {
        match parent {
            Parent::Outside => 0,
            Parent::Task(parent) => self.raw_id(Some(parent)),
        }
    }
}
