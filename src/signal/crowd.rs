// SPDX-License-Identifier: GPL-2.0

//! What is to be done for each of very many threads of a process: a part of it at a time.
//!
//! `kernel/signal.c`: `complete_signal()`, `retarget_shared_pending()`. What is to be done is in
//! [`crowd`](crate::tree::crowd).
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx, tree::group::Group, tree::pending::SigSet, tree::task::Task, tree::Tree,
};

impl Tree {
    /// Does what is to be done for some threads of a group.
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

    /// Does what is to be done for a live thread of a group.
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
