// SPDX-License-Identifier: GPL-2.0

//! The init of a namespace takes everything in it along.
//!
//! `kernel/pid_namespace.c`: `zap_pid_ns_processes()`.
//!
//! The init of a nested namespace that is killed together with its surroundings is just one more task
//! that exits.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::faults::{self, Fault},
    base::slots::Idx,
    pid::{find_pid_from, Pid},
    tree::budget::SIGNAL_STEPS,
    tree::fate::Fate,
    tree::group::Parent,
    tree::pending::SIGKILL,
    tree::task::{Task, TaskState},
    tree::Tree,
};

impl Tree {
    /// Kills some members of the namespace that `init` takes along.
    pub(crate) fn zap(&mut self, init: Idx<Task>, mut next: i32) {
        loop {
            self.draw(SIGNAL_STEPS);
            let Some((nr, pid)) = find_pid_from(self.tasks()[init].ns(), next) else {
                self.set_state(init, TaskState::ZapWait);
                break;
            };
            self.kill_member(init, &pid);
            next = nr + 1;
            self.set_state(init, TaskState::Zapping { next });
            if self.is_spent() {
                break;
            }
        }
        self.queue_work(init);
    }

    /// SIGKILL to the process that a number of a dying namespace names, if it names one. A child of
    /// init that was dead before is reaped.
    fn kill_member(&mut self, init: Idx<Task>, pid: &Pid) {
        let Some(task) = self.task_of(pid) else {
            return;
        };
        let group = self.tasks()[task].group();
        if group == self.tasks()[init].group() {
            return;
        }
        let is_own = matches!(self.groups()[group].parent(), Parent::Task(parent)
            if self.tasks()[parent].group() == self.tasks()[init].group());
        if is_own && self.is_reapable(group) {
            self.release_leader(group);
        } else {
            self.begin_group_exit(group, SIGKILL);
        }
    }

    /// Decides whether the init of a dying namespace, whose members are all killed, has to wait: it exits
    /// if no number is left but its own, and else is queued again by [`Tree::put_number`].
    pub(crate) fn zap_wait(&mut self, init: Idx<Task>) {
        let group = self.tasks()[init].group();
        // A dead leader keeps its own number beside that of the last thread.
        let own = if self.is_leader(init) { 1 } else { 2 };
        let is_early = faults::has(Fault::NoZapWait)
            && self.tasks()[init].children().is_empty()
            && !self.has_exits();
        if self.tasks()[init].ns().nr_pids() > own && !is_early {
            return;
        }
        debug_assert!(self.tasks()[init].children().is_empty());
        // reboot(2) decides what the parent sees.
        let reboot = self.tasks()[init].ns().reboot();
        if reboot != 0 {
            self.set_fate(group, Fate::Exiting(reboot));
        }
        debug_assert!(self.groups()[group].nr_live() == 0);
        if !self.exit_notify(init) {
            self.begin_half(init);
        }
    }
}
