// SPDX-License-Identifier: GPL-2.0

//! Duties: work for every thread of a process with very many of them, done a part at a time.
//!
//! `kernel/signal.c`: `complete_signal()`, `retarget_shared_pending()`. Which duties there are is in
//! [`crowd`](crate::tree::crowd).
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx, tree::group::Group, tree::pending::SigSet, tree::task::Task, tree::Tree,
};

impl Tree {
    /// Does the duties for some threads of a group, and queues the group again if there are more.
    pub(crate) fn step_crowd(&mut self, group: Idx<Group>) {
        while let Some(thread) = self.next_with_duties(group) {
            if self.is_spent() {
                self.queue_crowd(group);
                return;
            }
            self.pass_duties(group, thread);
            self.do_duties(group, thread);
        }
        self.end_duties(group);
    }

    /// Does the duties for one live thread of a group.
    fn do_duties(&mut self, group: Idx<Group>, thread: Idx<Task>) {
        let waiting = self.groups()[group].pending().set();
        // As complete() asks each of a few threads.
        let unwanted = self.unwanted_by(thread);
        let Some(duties) = self.duties(group) else {
            return;
        };
        let (forgotten, takes) = (duties.forgotten(), duties.takes());
        let wanted = duties.offered().intersection(waiting).minus(unwanted);
        if wanted != SigSet::EMPTY {
            self.take_offer(group, thread, wanted);
        }
        if forgotten != SigSet::EMPTY {
            self.flush_pending(thread, forgotten);
        }
        if wanted != SigSet::EMPTY {
            self.take_or_die(group, thread, wanted);
        } else if takes && self.has_signals(thread) {
            self.signal_wake_up(thread);
        }
    }
}
