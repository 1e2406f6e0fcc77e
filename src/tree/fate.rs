// SPDX-License-Identifier: GPL-2.0

//! How a process ends, once that is decided.
//!
//! `kernel/exit.c`: `do_group_exit()`; `kernel/signal.c`: `complete_signal()` for a fatal signal.
//!
//! # Locks
//!
//! Under the tree lock.

use super::Tree;
use crate::{
    base::slots::Idx,
    reason::Reason,
    tree::{
        call::Exec,
        group::Group,
        task::{Task, TaskState},
    },
};

/// Whether a process lives on. Of this name there is another one in `body/border.rs`, which says what becomes of a
/// system call of a real process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It lives on.
    Alive,
    /// One of its threads calls exec: it goes on as another program as soon as the other threads are gone
    /// (`group_exec_task`).
    Exec(Idx<Exec>),
    /// It exits with this status word (`group_exit_code`, `SIGNAL_GROUP_EXIT`).
    Exiting(i32),
}

impl Tree {
    /// All threads of a group begin to exit with a status word (`do_group_exit()`, or a fatal signal), the rest of
    /// which is done by [`Tree::step`]. The process of a member is only sent SIGKILL: it exits when its body does.
    pub(crate) fn begin_group_exit(&mut self, group: Idx<Group>, status: i32) {
        if self.groups[group].nr_live == 0 {
            return;
        }
        if self.is_member(group) {
            self.kill_body(group);
            return;
        }
        if self.groups[group].exit_status().is_none() {
            self.decide_exit(group, status);
        }
        self.begin_kill(group);
    }

    /// Decides the status word with which a process exits.
    pub(crate) fn decide_exit(&mut self, group: Idx<Group>, status: i32) {
        let process = &mut self.groups[group];
        let before = core::mem::replace(&mut process.fate, Fate::Exiting(status));
        process.pending.forget_info(&mut self.queued);
        self.forget_job(group);
        if let Fate::Exec(exec) = before {
            self.end_exec(exec, Err(Reason::Killed.into()));
        }
    }

    /// A thread becomes [`TaskState::Exiting`] with a status word: it takes no more signals and clones no more.
    pub(crate) fn set_exiting(&mut self, task: Idx<Task>, status: i32) {
        self.unqueue_work(task);
        self.leave_live_threads(task);
        let exiting = &mut self.tasks[task];
        exiting.state = TaskState::Exiting;
        exiting.exit_code = status;
        exiting.ns_for_children = None;
        exiting.pending.forget_info(&mut self.queued);
        self.changes += 1;
    }

    /// A thread that exits is not counted among the live ones of its process any more.
    pub(crate) fn uncount_live(&mut self, group: Idx<Group>, status: i32) {
        let process = &mut self.groups[group];
        process.nr_live -= 1;
        // The last thread's status is the group's (`synchronize_group_exit()`).
        if process.nr_live == 0 && process.exit_status().is_none() {
            self.decide_exit(group, status);
        }
    }
}
