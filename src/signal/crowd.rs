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
    base::slots::Idx,
    tree::pending::SigSet,
    tree::task::{Group, Task},
    tree::Tree,
};

impl Tree {
    /// Does what is to be done for some threads of a group.
    pub(crate) fn step_crowd(&mut self, group: Idx<Group>) {
        loop {
            let first = self.groups()[group].threads.first();
            let Some(duties) = self.crowd(group).map(|crowd| &crowd.duties) else {
                return;
            };
            let next = duties.at.or(first);
            let (Some(thread), 1..) = (next, duties.left) else {
                break;
            };
            if self.is_spent() {
                self.queue_crowd(group);
                return;
            }
            let behind = self.groups()[group].threads.next(self.tasks(), thread);
            if let Some(crowd) = self.crowd_mut(group) {
                crowd.duties.at = behind;
                crowd.duties.left -= 1;
            }
            self.do_duties(group, thread);
        }
        if let Some(crowd) = self.crowd_mut(group) {
            let duties = &mut crowd.duties;
            (duties.left, duties.takes) = (0, false);
            (duties.offered, duties.forgotten) = (SigSet::EMPTY, SigSet::EMPTY);
        }
    }

    /// Does what is to be done for a live thread of a group.
    fn do_duties(&mut self, group: Idx<Group>, thread: Idx<Task>) {
        let waiting = self.groups()[group].pending.set();
        // As complete() asks each of a few threads.
        let blocked = if self.is_stopped(thread) || self.is_told_in_vfork(thread) {
            SigSet::EVERY
        } else {
            self.kept_from(thread)
        };
        let Some(crowd) = self.crowd_mut(group) else {
            return;
        };
        let forgotten = crowd.duties.forgotten;
        let takes = crowd.duties.takes;
        let wanted = crowd.duties.offered.intersection(waiting).minus(blocked);
        if wanted != SigSet::EMPTY {
            crowd.duties.offered = crowd.duties.offered.minus(wanted);
            crowd.curr_target = Some(thread);
        }
        if forgotten != SigSet::EMPTY {
            self.flush_pending(thread, forgotten);
        }
        if wanted != SigSet::EMPTY {
            self.take_or_die(group, thread, wanted);
        } else if takes && self.has_signals(thread) {
            self.queue_work(thread);
        }
    }
}
