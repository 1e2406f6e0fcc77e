// SPDX-License-Identifier: GPL-2.0

//! What the layers above change in a task or a process, a method for each.
//!
//! What also moves a count, a list or a number has a method where that is: [`members`](super::members),
//! [`jobs`](super::jobs), [`fate`](super::fate), [`call`](super::call).
//!
//! # Locks
//!
//! Under the tree lock.

use super::{
    crowd::Pdeath,
    fate::Fate,
    group::{Group, GroupId, Owed},
    pending::{SigInfo, SigSet, SIGCHLD},
    task::{Task, TaskState},
    Tree,
};
use crate::{base::slots::Idx, pid::namespace::ForChildren};

impl Tree {
    /// An exiting task goes on to another part of that.
    pub(crate) fn set_state(&mut self, task: Idx<Task>, state: TaskState) {
        self.tasks[task].state = state;
    }

    /// How a dead task ended, as a status word, is its process's.
    pub(crate) fn set_exit_code(&mut self, task: Idx<Task>, status: i32) {
        self.tasks[task].exit_code = status;
    }

    /// A task blocks other signals than before.
    pub(crate) fn set_blocked(&mut self, task: Idx<Task>, blocked: SigSet) {
        self.tasks[task].blocked = blocked;
    }

    /// The signal that a task gets when its parent dies, 0 for none.
    pub(crate) fn note_pdeath_signal(&mut self, task: Idx<Task>, signal: u8) {
        let group = self.tasks[task].group;
        self.tasks[task].pdeath_signal = signal;
        self.groups[group].wants_pdeath |= signal != 0;
    }

    /// A handler is called for a signal of a task; `interrupts` if that ends a system call, as of several
    /// at once the first does without `SA_RESTART`.
    pub(crate) fn note_handler(&mut self, task: Idx<Task>, info: SigInfo, interrupts: bool) {
        let thread = &mut self.tasks[task];
        thread.nr_received = thread.nr_received.wrapping_add(1);
        thread.last_received = info;
        if interrupts {
            thread.interrupts = thread.interrupts.wrapping_add(1);
        }
    }

    /// Children of a task are born elsewhere from now on; returns where they were. Drop that without the
    /// lock.
    #[must_use]
    pub(crate) fn replace_ns_for_children(
        &mut self,
        task: Idx<Task>,
        ns: ForChildren,
    ) -> Option<ForChildren> {
        self.tasks[task].ns_for_children.replace(ns)
    }

    /// Takes the task whose clone with `CLONE_VFORK` waits for this one.
    pub(crate) fn take_vfork_parent(&mut self, child: Idx<Task>) -> Option<Idx<Task>> {
        self.tasks[child].vfork_parent.take()
    }

    /// Takes what a SIGCONT owes the parent of a process.
    pub(crate) fn take_owed(&mut self, group: Idx<Group>) -> Owed {
        core::mem::take(&mut self.groups[group].owed)
    }

    /// Init of a namespace is killed like everybody else from now on (`SIGNAL_UNKILLABLE`).
    pub(crate) fn lose_immunity(&mut self, group: Idx<Group>) {
        self.groups[group].unkillable = false;
    }

    /// A process vanishes when it exits.
    pub(crate) fn set_autoreap(&mut self, group: Idx<Group>) {
        self.groups[group].autoreap = true;
    }

    /// A process has another leader.
    pub(crate) fn set_leader(&mut self, group: Idx<Group>, task: Idx<Task>) {
        self.groups[group].leader = Some(task);
    }

    /// What becomes of a process.
    pub(crate) fn set_fate(&mut self, group: Idx<Group>, fate: Fate) {
        self.groups[group].fate = fate;
    }

    /// The last thread of a process has become another program.
    pub(crate) fn note_exec(&mut self, task: Idx<Task>) {
        let thread = &mut self.tasks[task];
        thread.self_exec_id = thread.self_exec_id.wrapping_add(1);
        let group = &mut self.groups[thread.group];
        group.fate = Fate::Alive;
        group.exit_signal = SIGCHLD;
        group.has_execed = true;
    }

    /// A process tells its death by SIGCHLD from now on: it was handed on (`reparent_leader()`).
    pub(crate) fn reset_exit_signal(&mut self, group: Idx<Group>) {
        self.groups[group].exit_signal = SIGCHLD;
    }

    /// A process exits, and controls nobody's process group any more, or does after all; returns whether
    /// it did so already.
    pub(crate) fn set_leaving(&mut self, group: Idx<Group>, is_leaving: bool) -> bool {
        core::mem::replace(&mut self.groups[group].is_leaving, is_leaving)
    }

    /// A subreaper is looked for that gets the children of an exiting task; returns whether one was before.
    pub(crate) fn note_reaper_sought(&mut self, task: Idx<Task>) -> bool {
        core::mem::replace(&mut self.tasks[task].has_sought_reaper, true)
    }

    /// Nothing is known of the ancestors of a process.
    pub(crate) fn forget_reaper_hint(&mut self, group: Idx<Group>) {
        self.groups[group].reaper_hint = GroupId::NOTHING;
    }

    /// Nobody took orphans between a process and this ancestor when [`Tree::subreapers_set`] was `then`.
    pub(crate) fn hint_reaper(&mut self, group: Idx<Group>, ancestor: Idx<Group>, then: u32) {
        let id = self.groups.id(ancestor);
        let process = &mut self.groups[group];
        (process.reaper_hint, process.hinted_at) = (id, then);
    }

    /// How far the parent-death signals for the threads of a process have come.
    pub(crate) fn set_pdeath(&mut self, group: Idx<Group>, pdeath: Pdeath) {
        if let Some(crowd) = self.crowd_mut(group) {
            crowd.pdeath = pdeath;
        }
    }
}
