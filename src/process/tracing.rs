// SPDX-License-Identifier: GPL-2.0

//! ptrace(2), as far as it changes who waits for whom.
//!
//! `kernel/exit.c`: `wait_task_zombie()`, `kernel/ptrace.c`: `__ptrace_detach()`. Who traces whom, and the stops of
//! tracees, are the kernel's, of bodies. A traced body that exits is a zombie of its tracer's to the kernel; the tree
//! does not tell its parent as long as it is that ([`held`](crate::tree)).
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    native::{Native, NativeNr},
    pid::Pid,
    tree::group::{Group, Parent},
    tree::pending::SIGCHLD,
    tree::task::{Task, TaskId, TaskState},
    tree::wakeups::Key,
    tree::Tree,
    world::World,
};
use kernel::{sync::aref::ARef, task::might_sleep};

impl World {
    /// A member has waited for tracees: those whom the kernel does not have any more are let go. Returns what the tree
    /// calls the one that the kernel has called so, if that is one of them. May sleep.
    pub(crate) fn let_gone_go(&self, waiter: TaskId, nr: NativeNr) -> Option<ARef<Pid>> {
        let mut found = None;
        loop {
            let mut tree = self.work();
            let waiter = tree.tasks().find(waiter)?;
            let tracers = tree.tasks()[waiter].group();
            let Some((task, gone)) = tree.held_and_gone(tracers) else {
                return found;
            };
            if gone == nr {
                found = Some(tree.tasks()[task].pid().clone());
            }
            tree.let_go(task, Some(tracers));
            drop(tree);
            might_sleep();
        }
    }

    /// SIGCHLD, if that is what a process sends to its parent when it exits, this is its leader, and it is its parent
    /// that traces it.
    pub(crate) fn signal_for(&self, id: TaskId, tracer: TaskId) -> Option<i32> {
        let tree = self.tree();
        let (task, tracer) = (tree.tasks().find(id)?, tree.tasks().find(tracer)?);
        let group = tree.group_of(task);
        let Parent::Task(parent) = group.parent() else {
            return None;
        };
        let is_parent = tree.tasks()[parent].group() == tree.tasks()[tracer].group();
        let is_meant = is_parent && tree.is_leader(task);
        (is_meant && group.exit_signal() == SIGCHLD).then_some(SIGCHLD)
    }

    /// A member has exited: the dead whom it has traced are their parents'. May sleep.
    pub(crate) fn let_all_go(&self, tracer: TaskId) {
        loop {
            let mut tree = self.work();
            let Some(task) = tree.held_by(tracer) else {
                return;
            };
            tree.let_go(task, None);
            drop(tree);
            might_sleep();
        }
    }

    /// A thread is traced from now on, by its parent: who waits for it there waits for its stops as well.
    pub(crate) fn is_traced_by_parent(&self, id: TaskId) {
        let mut tree = self.work();
        let Some(task) = tree.tasks().find(id) else {
            return;
        };
        let group = tree.tasks()[task].group();
        if let Parent::Task(parent) = tree.groups()[group].parent() {
            let parent = tree.tasks()[parent].group();
            tree.note_wakeup(|_| Key::children(parent));
        }
    }

    /// A thread traces somebody from now on: the other threads of its process wait for that one as well.
    pub(crate) fn traces(&self, id: TaskId) {
        let mut tree = self.work();
        if let Some(task) = tree.tasks().find(id) {
            let group = tree.tasks()[task].group();
            tree.note_wakeup(|_| Key::children(group));
        }
    }
}

impl Tree {
    /// A thread is its tracer's no longer; `waiters` if it was waited for, by a thread of that process.
    fn let_go(&mut self, task: Idx<Task>, waiters: Option<Idx<Group>>) {
        if !self.unhold(task) {
            return;
        }
        let group = self.tasks()[task].group();
        let is_leader = self.is_leader(task);
        let is_done = match self.groups()[group].parent() {
            // It is its parent that has waited.
            Parent::Task(parent) => {
                is_leader && waiters.is_some_and(|waiters| self.tasks()[parent].group() == waiters)
            }
            Parent::Outside => false,
        };
        if is_done {
            self.set_autoreap(group);
        }
        if self.tasks()[task].state() != TaskState::Zombie {
            // It goes on with its exit.
        } else if !is_leader {
            self.release(task);
        } else if self.is_group_empty(group) {
            self.become_waitable(group);
        }
    }

    /// Whether a process is traced by the caller's: stops of its are told by the kernel (`wait_consider_task()`).
    pub(crate) fn is_callers_tracee(&self, child: Idx<Group>) -> bool {
        self.native_of(child).is_some_and(Native::is_callers_tracee)
    }
}
