// SPDX-License-Identifier: GPL-2.0

//! Fields of a task or of a process that the layers above change: a method for each.
//!
//! A field that also moves a count, a list or a number is changed elsewhere: [`members`](super::members),
//! [`jobs`](super::jobs), [`fate`](super::fate), [`call`](super::call).
//!
//! # Locks
//!
//! Under the tree lock.

use super::{
    crowd::PdeathProgress,
    fate::Fate,
    group::{Group, GroupId, Owed},
    pending::{SigInfo, SigSet, SIGCHLD},
    task::{Task, TaskState},
    Tree,
};
use crate::{base::slots::Idx, pid::namespace::ForChildren};

impl Tree {
    /// An exiting task enters the next state of its exit.
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

    /// Stores the signal that a task gets when its parent dies, 0 for none, and that its process has to be looked at
    /// for it. The prctl, which checks it, is [`Tree::set_pdeath_signal`].
    pub(crate) fn store_pdeath_signal(&mut self, task: Idx<Task>, signal: u8) {
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

    /// Sets the namespace that children of a task will be born in; returns the previous one, to be dropped without
    /// the lock.
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

    /// Takes the CLD notification that a SIGCONT has left for the parent of a process.
    pub(crate) fn take_owed(&mut self, group: Idx<Group>) -> Owed {
        core::mem::take(&mut self.groups[group].owed)
    }

    /// The init of a namespace is killed like any other process from now on (`SIGNAL_UNKILLABLE`).
    pub(crate) fn lose_immunity(&mut self, group: Idx<Group>) {
        self.groups[group].unkillable = false;
    }

    /// A process is reaped as soon as it has exited, without a wait.
    pub(crate) fn set_autoreap(&mut self, group: Idx<Group>) {
        self.groups[group].autoreap = true;
    }

    /// A process has another leader.
    pub(crate) fn set_leader(&mut self, group: Idx<Group>, task: Idx<Task>) {
        self.groups[group].leader = Some(task);
    }

    /// Sets whether a process lives on, execs or exits.
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

    /// A process was reparented: its exit signal is SIGCHLD from now on (`reparent_leader()`).
    pub(crate) fn reset_exit_signal(&mut self, group: Idx<Group>) {
        self.groups[group].exit_signal = SIGCHLD;
    }

    /// Sets whether a process is leaving: from then on it does not count as a parent outside of a process group that
    /// keeps this from being orphaned. Returns whether it was leaving before.
    pub(crate) fn set_leaving(&mut self, group: Idx<Group>, is_leaving: bool) -> bool {
        core::mem::replace(&mut self.groups[group].is_leaving, is_leaving)
    }

    /// Notes that a reaper was searched for the children of an exiting task; returns whether that was noted
    /// before.
    pub(crate) fn note_reaper_sought(&mut self, task: Idx<Task>) -> bool {
        core::mem::replace(&mut self.tasks[task].has_sought_reaper, true)
    }

    /// Clears the reaper hint of a process: nothing is known about its ancestors.
    pub(crate) fn forget_reaper_hint(&mut self, group: Idx<Group>) {
        self.groups[group].reaper_hint = GroupId::NOTHING;
    }

    /// Sets the reaper hint of a process: there was no subreaper between the process and this ancestor when
    /// [`Tree::subreapers_set`] was `then`.
    pub(crate) fn hint_reaper(&mut self, group: Idx<Group>, ancestor: Idx<Group>, then: u32) {
        let id = self.groups.id(ancestor);
        let process = &mut self.groups[group];
        (process.reaper_hint, process.hinted_at) = (id, then);
    }

    /// Sets how far the sending of parent-death signals to the threads of a process has come.
    pub(crate) fn set_pdeath_progress(&mut self, group: Idx<Group>, progress: PdeathProgress) {
        if let Some(crowd) = self.crowd_mut(group) {
            crowd.pdeath_progress = progress;
        }
    }
}
