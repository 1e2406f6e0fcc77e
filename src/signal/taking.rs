// SPDX-License-Identifier: GPL-2.0

//! Taking signals that wait, and what they do then.
//!
//! `kernel/signal.c`: `get_signal()`, `dequeue_signal()`, `retarget_shared_pending()`, `sig_fatal()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    tree::fate::Fate,
    tree::group::Group,
    tree::pending::{SigInfo, SigSet, SIGSTOP},
    tree::sighand::Disposition,
    tree::task::Task,
    tree::walks::Orphaned,
    tree::Tree,
    uapi,
};

impl Tree {
    /// A thread takes what waits for it or its group and is not blocked (`get_signal()`), and if that
    /// is much leaves the rest for later.
    pub(crate) fn take_signals(&mut self, task: Idx<Task>) {
        let group = self.tasks()[task].group();
        if !self.tasks()[task].is_alive() {
            return;
        }
        if !self.begin_taking(task) {
            return;
        }
        self.finish_stop(group);
        self.settle_signals(task);
        self.notify_owed(group);
        let awaited = self.awaited_by(task);
        if self.next_signal(task, awaited).is_some() {
            // Left for its call, which ends.
            self.wake_task(task);
        }
        let mut is_first = true;
        while self.tasks()[task].is_alive()
            && self.groups()[group].fate() == Fate::Alive
            && !self.is_stopped(task)
        {
            let wanted = SigSet::EVERY.minus(self.tasks()[task].blocked().union(awaited));
            let Some(signal) = self.next_signal(task, wanted) else {
                return;
            };
            if self.is_spent() {
                self.signal_wake_up(task);
                return;
            }
            if self.stops_if_controlled(group, signal) {
                let pgrp = self.groups()[group].pgid().clone();
                match self.is_orphaned(&pgrp) {
                    Orphaned::Unknown => {
                        self.signal_wake_up(task);
                        return;
                    }
                    Orphaned::Yes => {
                        self.dequeue(task, SigSet::of(&[signal]));
                        continue;
                    }
                    Orphaned::No => {}
                }
            }
            if let Some(info) = self.dequeue(task, SigSet::of(&[signal])) {
                is_first &= !self.do_signal(task, info, is_first);
            }
        }
    }

    /// Whether a signal stops a process unless its process group is orphaned.
    fn stops_if_controlled(&self, group: Idx<Group>, signal: i32) -> bool {
        signal != SIGSTOP
            && SigSet::STOP.contains(signal)
            && self.handlers(group).of(signal) == Disposition::Default
            && !self.is_immune(group)
    }

    /// A thread does what is to be done about a signal that it has taken; true when that is to call a
    /// handler, of which the first decides what becomes of a system call (`handle_signal()`).
    fn do_signal(&mut self, task: Idx<Task>, info: SigInfo, is_first: bool) -> bool {
        let group = self.tasks()[task].group();
        let signal = info.signo();
        match self.handlers(group).of(signal) {
            Disposition::Ignore => {}
            Disposition::Handler => {
                let handlers = self.handlers_mut(group);
                // What the handler itself would block is over, as it has returned.
                let restarts = handlers.has_flag(signal, uapi::ALTPID_SA_RESTART);
                if handlers.has_flag(signal, uapi::ALTPID_SA_RESETHAND) {
                    handlers.set(signal, Disposition::Default);
                }
                self.note_handler(task, info, is_first && !restarts);
                // A call in which it is asleep ends.
                self.wake_task(task);
                return true;
            }
            Disposition::Default if SigSet::IGNORE.contains(signal) => {}
            // What init does not want from its own people. SIGKILL and SIGSTOP come this far
            // only by force.
            Disposition::Default if self.is_immune(group) && !SigSet::ONLY.contains(signal) => {}
            Disposition::Default if SigSet::STOP.contains(signal) => self.stop(group, signal),
            Disposition::Default => self.begin_group_exit(group, signal),
        }
        false
    }

    /// Signals that kill a process whatever it is doing (`sig_fatal()`). That init dies by SIGKILL
    /// from above does not depend on it: nobody takes that one.
    pub(super) fn fatal(&self, group: Idx<Group>) -> SigSet {
        if self.is_immune(group) {
            return SigSet::EMPTY;
        }
        let handlers = self.handlers(group);
        SigSet::from_bits(u64::MAX)
            .minus(handlers.ignored().union(handlers.handled()))
            .minus(SigSet::IGNORE.union(SigSet::STOP))
    }
}
