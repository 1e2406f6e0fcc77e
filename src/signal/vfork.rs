// SPDX-License-Identifier: GPL-2.0

//! vfork(2): the caller of a clone with `CLONE_VFORK` sleeps until the child has exited or called exec.
//!
//! `kernel/fork.c`: `wait_for_vfork_done()`, `complete_vfork_done()`, `mm_release()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    tree::task::{Call, Task},
    tree::Tree,
};

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
        self.groups[group].nr_in_vfork += 1;
        self.changes += 1;
    }

    /// A task does not sleep in vfork any more.
    fn leave_vfork(&mut self, caller: Idx<Task>) {
        let group = self.tasks[caller].group;
        self.groups[group].nr_in_vfork -= 1;
        self.changes += 1;
        self.finish_stop(group);
    }

    /// Whether a task sleeps in a clone with `CLONE_VFORK`.
    pub(crate) fn is_in_vfork(&self, task: Idx<Task>) -> bool {
        matches!(self.tasks[task].call, Call::Vfork { .. })
    }

    /// Whether a task that sleeps in vfork has been told of a signal or a stop. It is not offered another
    /// signal, and one that would kill it waits (`wants_signal()`).
    pub(crate) fn is_signalled_in_vfork(&self, task: Idx<Task>) -> bool {
        match self.tasks[task].call {
            Call::Vfork {
                stops,
                is_signalled,
                ..
            } => is_signalled || stops != self.group_of(task).nr_stops,
            _ => false,
        }
    }

    /// A thread takes what waits for it, as soon as it can (`signal_wake_up()`).
    pub(crate) fn signal_wake_up(&mut self, task: Idx<Task>) {
        if let Call::Vfork { is_signalled, .. } = &mut self.tasks[task].call {
            *is_signalled = true;
        }
        self.queue_work(task);
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
