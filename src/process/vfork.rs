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
    /// A task exits or calls exec: the clone that waits for it is over (`mm_release()`).
    pub(crate) fn end_vfork_of(&mut self, child: Idx<Task>) {
        if let Some(caller) = self.take_vfork_parent(child) {
            let caller = self.tasks().cookie(caller);
            self.end_call(caller);
        }
    }

    /// A task that may be in a call is killed: the call is over, and the child of a vfork goes on alone.
    pub(crate) fn abandon_call(&mut self, caller: Idx<Task>) {
        let call = self.tasks()[caller].call();
        if let Call::Vfork { child, .. } = call {
            self.take_vfork_parent(child);
        }
        if call != Call::None {
            self.set_call(caller, Call::None);
        }
        let group = self.tasks()[caller].group();
        self.finish_stop(group);
    }
}
