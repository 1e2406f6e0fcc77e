// SPDX-License-Identifier: GPL-2.0

//! The part of a process that only one with several threads has, and work that has to be done for every thread.
//!
//! `kernel/signal.c`: `complete_signal()`, `retarget_shared_pending()`, `flush_sigqueue_mask()` in
//! `prepare_signal()`, which go through all threads of a process in one hold of its lock. Here a process
//! may have a million. Work for up to [`FEW`] threads is done at once; for more it becomes a *duty* of the process,
//! which [`Tree::step_crowd`] does a part at a time.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::{chain::Chain, Idx},
    tree::call::Call,
    tree::group::{Group, Owed},
    tree::pending::SigInfo,
    tree::pending::{SigSet, SIGCONT},
    tree::task::{chain, Task},
    tree::Tree,
};

/// Up to so many threads work is done at once; for more it becomes a duty.
pub(crate) const FEW: u32 = 16;

/// How far the sending of parent-death signals to the threads of a process has come. It is done in parts
/// (`hand_on_children()` in `process/exit.rs`), and every thread has a signal of its own, [`Task::pdeath_signal`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PdeathProgress {
    /// The parent is not dying.
    None,
    /// This live thread is next; `None`: every thread has been sent its signal.
    At(Option<Idx<Task>>),
}

/// The part of a process that only one with several threads has; it is allocated for the second thread.
pub(crate) struct Crowd {
    /// Threads that have begun to exit, a dead leader among them.
    pub(super) exiting: Chain<chain::Threads, Task>,
    /// The live thread that is asked first whether it takes a signal, after the one that it was sent to;
    /// `None` for the first one.
    pub(super) curr_target: Option<Idx<Task>>,
    /// Counts flushes of stop or continue signals of all threads. A thread catches up on them when its pending
    /// signals are looked at next ([`Task::flushed`]).
    flushes: u64,
    /// [`Crowd::flushes`] when a SIGCONT last flushed stop signals, and when a stop signal last flushed
    /// SIGCONT.
    stops_flushed: u64,
    conts_flushed: u64,
    pub(super) pdeath_progress: PdeathProgress,
    /// Threads in calls that defer signals and stops ([`Call::defers_signals`]).
    pub(super) nr_deferring: u32,
    pub(super) duties: Duties,
}

impl Crowd {
    read! {
        /// See [`Crowd::exiting`].
        exiting: Chain<chain::Threads, Task>;
    }

    read_value! {
        /// See [`Crowd::pdeath_progress`].
        pdeath_progress: PdeathProgress;
    }
}

/// Work that has to be done for every live thread.
pub(crate) struct Duties {
    /// The thread that is next; `None` for the first.
    at: Option<Idx<Task>>,
    /// How many threads are left to go through.
    left: u32,
    /// Pending signals of the group for which no thread has been found yet that takes them.
    offered: SigSet,
    /// Every thread takes its pending signals: the process goes on after a stop.
    takes: bool,
    /// Signals to be flushed from every thread: they are ignored from now on.
    forgotten: SigSet,
}

impl Duties {
    read_value! {
        /// See [`Duties::offered`].
        offered: SigSet;
        /// See [`Duties::takes`].
        takes: bool;
        /// See [`Duties::forgotten`].
        forgotten: SigSet;
    }
}

impl Crowd {
    /// For a process that has had one thread so far, which is in `call`.
    pub(crate) fn new(call: Call) -> Self {
        Self {
            exiting: Chain::new(),
            curr_target: None,
            flushes: 0,
            stops_flushed: 0,
            conts_flushed: 0,
            pdeath_progress: PdeathProgress::None,
            nr_deferring: call.defers_signals().into(),
            duties: Duties {
                at: None,
                left: 0,
                offered: SigSet::EMPTY,
                takes: false,
                forgotten: SigSet::EMPTY,
            },
        }
    }

    /// Stop signals (`flushed` is SIGCONT) or SIGCONT are flushed from all threads.
    fn note_flush(&mut self, flushed_by_cont: bool) {
        self.flushes += 1;
        if flushed_by_cont {
            self.stops_flushed = self.flushes;
        } else {
            self.conts_flushed = self.flushes;
        }
    }

    /// Signals that were flushed since `when`, by [`Crowd::flushes`].
    fn flushed_since(&self, when: u64) -> SigSet {
        let mut flushed = SigSet::EMPTY;
        if self.stops_flushed > when {
            flushed = flushed.union(SigSet::STOP);
        }
        if self.conts_flushed > when {
            flushed = flushed.union(SigSet::of(&[SIGCONT]));
        }
        flushed
    }

    /// A thread begins to exit: whatever points to it points to the next live one.
    pub(crate) fn forget_thread(&mut self, thread: Idx<Task>, next: Option<Idx<Task>>) {
        if self.curr_target == Some(thread) {
            self.curr_target = next;
        }
        if self.duties.at == Some(thread) {
            self.duties.at = next;
        }
        if self.pdeath_progress == PdeathProgress::At(Some(thread)) {
            self.pdeath_progress = PdeathProgress::At(next);
        }
    }
}

impl Tree {
    /// The duties of a group.
    pub(crate) fn duties(&self, group: Idx<Group>) -> Option<&Duties> {
        self.crowd(group).map(|crowd| &crowd.duties)
    }

    /// The next thread of a group for which duties have to be done.
    pub(crate) fn next_with_duties(&self, group: Idx<Group>) -> Option<Idx<Task>> {
        let duties = self.duties(group).filter(|duties| duties.left > 0)?;
        duties.at.or(self.groups[group].threads.first())
    }

    /// Moves the place of the duties behind this thread, the next one.
    pub(crate) fn pass_duties(&mut self, group: Idx<Group>, thread: Idx<Task>) {
        let behind = self.groups[group].threads.next(&self.tasks, thread);
        if let Some(crowd) = self.crowd_mut(group) {
            crowd.duties.at = behind;
            crowd.duties.left -= 1;
        }
    }

    /// A thread takes signals that are offered to every thread.
    pub(crate) fn take_offer(&mut self, group: Idx<Group>, thread: Idx<Task>, signals: SigSet) {
        if let Some(crowd) = self.crowd_mut(group) {
            crowd.duties.offered = crowd.duties.offered.minus(signals);
            crowd.curr_target = Some(thread);
        }
    }

    /// The duties of a group are done.
    pub(crate) fn end_duties(&mut self, group: Idx<Group>) {
        if let Some(crowd) = self.crowd_mut(group) {
            let duties = &mut crowd.duties;
            (duties.left, duties.takes) = (0, false);
            (duties.offered, duties.forgotten) = (SigSet::EMPTY, SigSet::EMPTY);
        }
    }

    /// The crowd of a group, if it has had several threads.
    pub(crate) fn crowd(&self, group: Idx<Group>) -> Option<&Crowd> {
        self.groups[group].crowd.map(|crowd| &self.crowds[crowd])
    }

    /// [`Tree::crowd`], to be changed.
    pub(super) fn crowd_mut(&mut self, group: Idx<Group>) -> Option<&mut Crowd> {
        match self.groups[group].crowd {
            Some(crowd) => Some(&mut self.crowds[crowd]),
            None => None,
        }
    }

    /// Whether a group has more live threads than are gone through at once.
    pub(crate) fn is_crowd(&self, group: Idx<Group>) -> bool {
        self.groups[group].nr_live > FEW
    }

    /// Flushes pending stop signals of a group and its threads as a SIGCONT was sent, or a pending SIGCONT as a stop
    /// signal was (`prepare_signal()`). Threads catch up when their pending signals are looked at.
    pub(crate) fn flush_undone(&mut self, group: Idx<Group>, by_cont: bool) {
        let signals = match by_cont {
            true => SigSet::STOP,
            false => SigSet::of(&[SIGCONT]),
        };
        self.groups[group].pending.flush(&mut self.queued, signals);
        if let Some(crowd) = self.crowd_mut(group) {
            crowd.note_flush(by_cont);
        } else if let Some(thread) = self.groups[group].threads.first() {
            self.tasks[thread].pending.flush(&mut self.queued, signals);
        }
    }

    /// The signals that are pending for a thread itself.
    pub(crate) fn own_signals(&self, task: Idx<Task>) -> SigSet {
        let thread = &self.tasks[task];
        let flushed = self
            .crowd(thread.group)
            .map_or(SigSet::EMPTY, |crowd| crowd.flushed_since(thread.flushed));
        thread.pending.set().minus(flushed)
    }

    /// A thread catches up on flushes: drops pending signals that were flushed meanwhile.
    pub(crate) fn settle_signals(&mut self, task: Idx<Task>) {
        let Some(crowd) = self.crowd(self.tasks[task].group) else {
            return;
        };
        let (flushed, now) = (crowd.flushed_since(self.tasks[task].flushed), crowd.flushes);
        self.tasks[task].flushed = now;
        if flushed != SigSet::EMPTY {
            self.tasks[task].pending.flush(&mut self.queued, flushed);
        }
    }

    /// Whether a thread has signals to take.
    #[inline]
    pub(crate) fn has_signals(&self, task: Idx<Task>) -> bool {
        let thread = &self.tasks[task];
        let group = &self.groups[thread.group];
        // Mostly none waits.
        let waits = thread.pending.set().union(group.pending.set()) != SigSet::EMPTY;
        group.owed != Owed::Nothing || waits && self.has_wanted_signals(task)
    }

    /// Whether of the signals that wait for a thread and its process one gets through to it.
    fn has_wanted_signals(&self, task: Idx<Task>) -> bool {
        let shared = self.group_of(task).pending.set();
        let waiting = self.own_signals(task).union(shared);
        waiting.minus(self.kept_from(task)) != SigSet::EMPTY
    }

    /// All threads of a group take their pending signals.
    pub(crate) fn take_all_signals(&mut self, group: Idx<Group>) {
        if self.is_crowd(group) {
            self.give_duty(group, |duties| duties.takes = true);
            return;
        }
        let mut next = self.groups[group].threads.first();
        while let Some(thread) = next {
            next = self.groups[group].threads.next(&self.tasks, thread);
            if self.tasks[thread].is_alive() && self.has_signals(thread) {
                self.signal_wake_up(thread);
            }
        }
    }

    /// Flushes pending signals of a group and its threads, as they are ignored from now on.
    pub(crate) fn forget_signals(&mut self, group: Idx<Group>, signals: SigSet) {
        self.groups[group].pending.flush(&mut self.queued, signals);
        if self.is_crowd(group) {
            self.give_duty(group, |duties| {
                duties.forgotten = duties.forgotten.union(signals)
            });
            return;
        }
        let mut next = self.groups[group].threads.first();
        while let Some(thread) = next {
            next = self.groups[group].threads.next(&self.tasks, thread);
            self.tasks[thread].pending.flush(&mut self.queued, signals);
        }
    }

    /// Whether signals are still being flushed from the threads: dispositions must not change again before that is
    /// done.
    pub(crate) fn is_forgetting(&self, group: Idx<Group>) -> bool {
        self.crowd(group)
            .is_some_and(|crowd| crowd.duties.forgotten != SigSet::EMPTY)
    }

    /// A thread is about to block signals, or to exit. If it was woken for a signal that it has not taken, other
    /// threads take that (`__set_task_blocked()`, `exit_signals()`).
    pub(crate) fn leave_to_others(&mut self, task: Idx<Task>, signals: SigSet) {
        if self.is_told(task) {
            self.retarget(task, signals);
        }
    }

    /// Has other threads take signals that are pending for the group, as `task` does not
    /// (`retarget_shared_pending()`). `task` still is on the list of live threads.
    pub(crate) fn retarget(&mut self, task: Idx<Task>, signals: SigSet) {
        let group = self.tasks[task].group;
        let mut left = self.groups[group].pending.set().intersection(signals);
        if left == SigSet::EMPTY || self.groups[group].nr_live == 1 {
            return;
        }
        if self.is_crowd(group) {
            self.give_duty(group, |duties| duties.offered = duties.offered.union(left));
            return;
        }
        let threads = Chain::<chain::Threads, _>::starting_at(self.groups[group].threads.first());
        let mut next = threads.next(&self.tasks, task).or(threads.first());
        while let Some(thread) = next.filter(|&next| next != task && left != SigSet::EMPTY) {
            next = threads.next(&self.tasks, thread).or(threads.first());
            let wanted = left.minus(self.kept_from(thread));
            if wanted != SigSet::EMPTY {
                left = left.minus(wanted);
                self.signal_wake_up(thread);
            }
        }
    }

    /// Searches up to [`FEW`] threads of a group for one that takes a signal, beginning with the thread that took
    /// the last one. Of more threads the others are asked later, as a duty.
    pub(crate) fn find_taker(
        &mut self,
        group: Idx<Group>,
        signal: i32,
        wants: impl Fn(&Self, Idx<Task>) -> bool,
    ) -> Option<Idx<Task>> {
        let crowd = self.groups[group].crowd?;
        let threads = Chain::<chain::Threads, _>::starting_at(self.groups[group].threads.first());
        let first = self.crowds[crowd].curr_target.or(threads.first())?;
        let mut thread = first;
        for _ in 0..FEW {
            if wants(self, thread) {
                self.crowds[crowd].curr_target = Some(thread);
                return Some(thread);
            }
            thread = threads.next(&self.tasks, thread).or(threads.first())?;
            if thread == first {
                self.crowds[crowd].curr_target = Some(first);
                return None;
            }
        }
        self.crowds[crowd].curr_target = Some(thread);
        self.give_duty(group, |duties| {
            duties.at = Some(thread);
            duties.offered = duties.offered.union(SigSet::of(&[signal]));
        });
        None
    }

    /// Adds a duty of a group.
    fn give_duty(&mut self, group: Idx<Group>, add: impl FnOnce(&mut Duties)) {
        let live = self.groups[group].nr_live;
        if let Some(crowd) = self.crowd_mut(group) {
            add(&mut crowd.duties);
            crowd.duties.left = live;
            self.queue_crowd(group);
        }
    }

    /// The first signal of a set that is pending for a thread, or for its group.
    pub(crate) fn next_signal(&self, task: Idx<Task>, wanted: SigSet) -> Option<i32> {
        let own = self.own_signals(task).intersection(wanted).first();
        let group = &self.groups[self.tasks[task].group];
        own.or_else(|| group.pending.set().intersection(wanted).first())
    }

    /// Takes the first signal of a set that is pending for a thread, or for its group (`dequeue_signal()`).
    pub(crate) fn dequeue(&mut self, task: Idx<Task>, wanted: SigSet) -> Option<SigInfo> {
        self.settle_signals(task);
        let of = |set: SigSet| set.intersection(wanted).first();
        if let Some(signal) = of(self.tasks[task].pending.set()) {
            let pending = &mut self.tasks[task].pending;
            return Some(pending.take(&mut self.queued, signal));
        }
        let group = self.tasks[task].group;
        let signal = of(self.groups[group].pending.set())?;
        let pending = &mut self.groups[group].pending;
        Some(pending.take(&mut self.queued, signal))
    }
}
