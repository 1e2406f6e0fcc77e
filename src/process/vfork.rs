// SPDX-License-Identifier: GPL-2.0

//! vfork(2): the caller of a clone with `CLONE_VFORK` sleeps until the child has exited or called exec.
//!
//! `kernel/fork.c`: `wait_for_vfork_done()`, `complete_vfork_done()`, `mm_release()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{base::slots::Idx, tree::call::Call, tree::task::Task, tree::Tree};

impl Tree {
    /// A task has cloned a child with `CLONE_VFORK` and sleeps.
    pub(crate) fn begin_vfork(&mut self, caller: Idx<Task>, child: Idx<Task>) {
        let group = self.tasks[caller].group;
        self.tasks[caller].call = Call::Vfork {
            child,
            stops: self.groups[group].nr_stops,
            is_signalled: false,
        };
        self.tasks[child].vfork_parent = Some(caller);
        if let Some(crowd) = self.crowd_mut(group) {
            crowd.nr_in_vfork += 1;
        }
        self.changes += 1;
    }

    /// A task does not sleep in vfork any more.
    fn leave_vfork(&mut self, caller: Idx<Task>) {
        let group = self.tasks[caller].group;
        if let Some(crowd) = self.crowd_mut(group) {
            crowd.nr_in_vfork -= 1;
        }
        self.changes += 1;
        self.finish_stop(group);
    }

    /// A task exits or calls exec: the clone that waits for it is over (`mm_release()`).
    pub(crate) fn end_vfork_of(&mut self, child: Idx<Task>) {
        if let Some(caller) = self.tasks[child].vfork_parent.take() {
            let id = self.tasks.id(caller);
            self.end_call(id);
            self.leave_vfork(caller);
        }
    }

    /// A task that may sleep in vfork is killed: its child goes on alone.
    pub(crate) fn abandon_vfork(&mut self, caller: Idx<Task>) {
        if let Call::Vfork { child, .. } = self.tasks[caller].call {
            self.tasks[child].vfork_parent = None;
            self.tasks[caller].call = Call::None;
            self.leave_vfork(caller);
        }
    }
}
