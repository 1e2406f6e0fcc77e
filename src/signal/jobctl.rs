// SPDX-License-Identifier: GPL-2.0

//! Job control: stopping, continuing, and process groups that nobody controls any more.
//!
//! `kernel/signal.c`: `do_signal_stop()`, `do_notify_parent_cldstop()`; `kernel/exit.c`:
//! `will_become_orphaned_pgrp()`, `kill_orphaned_pgrp()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    signal::sending::{Scope, Source},
    tree::group::{Group, Owed, Parent},
    tree::pending::{SigInfo, CLD_CONTINUED, CLD_STOPPED, SIGCHLD, SIGCONT},
    tree::wakeups::Key,
    tree::Tree,
    uapi,
};

impl Tree {
    /// Stops a process by a signal, at once but for threads in calls that defer it: the stop is complete when these
    /// are over.
    #[doc(alias = "do_signal_stop")]
    pub(crate) fn stop(&mut self, group: Idx<Group>, signal: i32) {
        self.begin_stop(group, signal);
        self.finish_stop(group);
    }

    /// Completes a stop if no call of a thread defers it any more.
    #[doc(alias = "task_participate_group_stop")]
    pub(crate) fn finish_stop(&mut self, group: Idx<Group>) {
        if let Some(signal) = self.complete_stop(group) {
            self.note_news(group);
            self.tell_job(group, uapi::ALTPID_EVENT_STOP, signal);
            self.notify_job(group, CLD_STOPPED, signal);
        }
    }

    /// Continues a stopped process, and leaves a notification for its parent; false when it was not stopped.
    pub(crate) fn resume(&mut self, group: Idx<Group>) -> bool {
        if !self.set_continued(group) {
            return false;
        }
        // Callers that wait on behalf of the process look again.
        self.note_wakeup(|_| Key::children(group));
        self.note_news(group);
        self.tell_job(group, uapi::ALTPID_EVENT_CONTINUE, SIGCONT);
        true
    }

    /// Sends the parent of a process the notification that a SIGCONT has left. For a stop that was not complete the
    /// signal in it is 0 (`group_exit_code` is 0 by then).
    pub(crate) fn notify_owed(&mut self, group: Idx<Group>) {
        match self.take_owed(group) {
            Owed::Nothing => {}
            Owed::Stopped => self.notify_job(group, CLD_STOPPED, 0),
            Owed::Continued => self.notify_job(group, CLD_CONTINUED, SIGCONT),
        }
    }

    /// Sends SIGCHLD to the parent of a process that has stopped or goes on. Callers that wait are woken by the
    /// world, after the tree lock is released.
    #[doc(alias = "do_notify_parent_cldstop")]
    fn notify_job(&mut self, group: Idx<Group>, code: i32, status: i32) {
        let Parent::Task(parent) = self.groups()[group].parent() else {
            return;
        };
        if !self.wants_job_news(self.tasks()[parent].group()) {
            return;
        }
        let info = SigInfo::new(SIGCHLD, code)
            .with_pid(self.groups()[group].tgid().nr_ns(self.tasks()[parent].ns()))
            .with_status(status);
        let parent_group = self.tasks()[parent].group();
        if self.is_member(parent_group) {
            if !self.is_told_natively(group, parent_group) {
                self.owe_child(parent_group, group, info);
            }
            return;
        }
        // SIGCHLD is no real-time signal: that it arrives does not depend on room.
        let _ = self.send(SIGCHLD, Source::Child(info), parent, Scope::Process);
    }
}
