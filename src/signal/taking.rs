// SPDX-License-Identifier: GPL-2.0

//! Taking pending signals, and doing what their dispositions say.
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
    /// A thread takes the signals that are pending for it or its group and not blocked (`get_signal()`). If there are
    /// many it is queued again for the rest.
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
            // Its call of sigtimedwait takes this one.
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

    /// Does what the disposition of a signal says that a thread has taken; true when a handler is called. The first
    /// handler decides whether a system call is restarted (`handle_signal()`).
    fn do_signal(&mut self, task: Idx<Task>, info: SigInfo, is_first: bool) -> bool {
        let group = self.tasks()[task].group();
        let signal = info.signo();
        match self.handlers(group).of(signal) {
            Disposition::Ignore => {}
            Disposition::Handler => {
                let handlers = self.handlers_mut(group);
                // The mask of the handler does not matter: it has returned already.
                let restarts = handlers.has_flag(signal, uapi::ALTPID_SA_RESTART);
                if handlers.has_flag(signal, uapi::ALTPID_SA_RESETHAND) {
                    handlers.set(signal, Disposition::Default);
                }
                self.note_handler(task, info, is_first && !restarts);
                // If the thread sleeps in a call that ends.
                self.wake_task(task);
                return true;
            }
            Disposition::Default if SigSet::IGNORE.contains(signal) => {}
            // An init is immune to signals from its own namespace. SIGKILL and SIGSTOP come this far only by
            // force.
            Disposition::Default if self.is_immune(group) && !SigSet::ONLY.contains(signal) => {}
            Disposition::Default if SigSet::STOP.contains(signal) => self.stop(group, signal),
            Disposition::Default => self.begin_group_exit(group, signal),
        }
        false
    }

    /// Signals that kill a process whatever it is doing (`sig_fatal()`). SIGKILL for an init from an ancestor
    /// namespace is not among them: it is not taken by a thread, but kills at once.
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
