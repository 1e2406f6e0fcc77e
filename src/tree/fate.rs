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
    tree::{call::Exec, task::Group},
};

/// Whether a process lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It does.
    Alive,
    /// As another program, as soon as the thread that calls exec is the only one (`group_exec_task`).
    Exec(Idx<Exec>),
    /// It exits with this status word (`group_exit_code`, `SIGNAL_GROUP_EXIT`).
    Exiting(i32),
}

impl Tree {
    /// All threads of a group begin to exit with a status word (`do_group_exit()`, or a fatal
    /// signal). The rest is left to [`Tree::step`].
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

    /// It is decided how a process ends.
    pub(crate) fn decide_exit(&mut self, group: Idx<Group>, status: i32) {
        let process = &mut self.groups[group];
        let before = core::mem::replace(&mut process.fate, Fate::Exiting(status));
        process.pending.forget_info(&mut self.queued);
        self.forget_job(group);
        if let Fate::Exec(exec) = before {
            self.end_exec(exec, Err(Reason::Killed.into()));
        }
    }
}
