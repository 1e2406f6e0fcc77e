// SPDX-License-Identifier: GPL-2.0

//! Taking signals that wait, and what they do then.
//!
//! `kernel/signal.c`: `get_signal()`, `dequeue_signal()`, `retarget_shared_pending()`, `sig_fatal()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    jobctl::Orphan,
    pending::{SigInfo, SigSet, SIGSTOP},
    slots::Idx,
    task::{Disposition, Group, Task},
    tree::Tree,
    uapi,
};

/// Signals that a thread takes at a time.
const PIECE: usize = 64;

impl Tree {
    /// Does something in which nobody who is sent a signal takes it, but in a later [`Tree::step`]:
    /// what natively is one hold of `tasklist_lock`. Who is killed by one is dying at once.
    pub(crate) fn held<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        self.holds_signals = true;
        let result = work(self);
        self.holds_signals = false;
        result
    }

    /// A thread that exits was to take signals of its group: others do (`retarget_shared_pending()`).
    pub(crate) fn retarget(&mut self, task: Idx<Task>) {
        let group = self.tasks[task].group;
        let blocked = self.tasks[task].blocked;
        let mut left = self.groups[group].pending.set().minus(blocked);
        let mut next = self.groups[group].threads.first();
        while let Some(thread) = next.filter(|_| left != SigSet::EMPTY) {
            next = self.groups[group].threads.next(&self.tasks, thread);
            let wanted = left.minus(self.tasks[thread].blocked);
            if self.tasks[thread].is_alive() && wanted != SigSet::EMPTY {
                left = left.minus(wanted);
                self.queue_work(thread);
            }
        }
    }

    /// A thread takes what waits for it or its group and is not blocked (`get_signal()`), and if that
    /// is much leaves the rest to [`Tree::step`].
    pub(crate) fn take_signals(&mut self, task: Idx<Task>) {
        if self.holds_signals {
            if self.tasks[task].is_alive() {
                self.queue_work(task);
            }
            return;
        }
        let group = self.tasks[task].group;
        if core::mem::take(&mut self.groups[group].tells_continued) {
            self.notify_continued(group);
        }
        let mut left = PIECE;
        let mut is_first = true;
        while self.tasks[task].is_alive()
            && self.groups[group].group_exit.is_none()
            && !self.groups[group].is_stopped()
        {
            if left == 0 {
                self.queue_work(task);
                return;
            }
            left -= 1;
            let mut wanted = SigSet::from_bits(u64::MAX);
            if self.groups[group].exec.is_some() {
                // Whoever is left takes the rest as another program.
                wanted = self.fatal(group);
            }
            wanted = wanted.minus(self.tasks[task].blocked);
            let Some(info) = self.dequeue(task, wanted) else {
                return;
            };
            let signal = info.signo;
            match self.handlers(group).of(signal) {
                Disposition::Ignore => {}
                Disposition::Handler => {
                    let handlers = self.handlers_mut(group);
                    // What the handler itself would block is over, as it has returned.
                    let restarts = handlers.has_flag(signal, uapi::ALTPID_SA_RESTART);
                    if handlers.has_flag(signal, uapi::ALTPID_SA_RESETHAND) {
                        handlers.set(signal, Disposition::Default);
                    }
                    let task = &mut self.tasks[task];
                    task.received = (task.received.0.wrapping_add(1), info);
                    // handle_signal(): the first one decides what becomes of the system call.
                    if core::mem::take(&mut is_first) && !restarts {
                        task.interrupts = task.interrupts.wrapping_add(1);
                    }
                }
                Disposition::Default if SigSet::IGNORE.contains(signal) => {}
                // What init does not want from its own people. SIGKILL and SIGSTOP come this far
                // only by force.
                Disposition::Default if self.is_immune(group) && !SigSet::ONLY.contains(signal) => {
                }
                Disposition::Default if SigSet::STOP.contains(signal) => {
                    let pgrp = self.groups[group].pgid.clone();
                    if signal == SIGSTOP || !self.is_orphaned(&pgrp, Orphan::AsItIs) {
                        self.stop(group, signal);
                    }
                }
                Disposition::Default => self.begin_group_exit(group, signal),
            }
        }
    }

    /// Signals that kill a process whatever it is doing (`sig_fatal()`). That init dies by SIGKILL
    /// from above does not depend on it: nobody takes that one.
    pub(super) fn fatal(&self, group: Idx<Group>) -> SigSet {
        if self.is_immune(group) {
            return SigSet::EMPTY;
        }
        let handlers = self.handlers(group);
        SigSet::from_bits(u64::MAX)
            .minus(handlers.ignored.union(handlers.handled))
            .minus(SigSet::IGNORE.union(SigSet::STOP))
    }

    /// All threads of a group take what waits for them.
    pub(super) fn take_all_signals(&mut self, group: Idx<Group>) {
        let mut next = self.groups[group].threads.first();
        while let Some(thread) = next {
            next = self.groups[group].threads.next(&self.tasks, thread);
            self.take_signals(thread);
        }
    }

    /// Takes the first signal of a set that waits for a thread, or for its group
    /// (`dequeue_signal()`).
    pub(crate) fn dequeue(&mut self, task: Idx<Task>, wanted: SigSet) -> Option<SigInfo> {
        let of = |set: SigSet| SigSet::from_bits(set.bits() & wanted.bits()).first();
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
