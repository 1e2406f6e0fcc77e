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
    pid::Pid,
    signal::sending::{Scope, Source},
    signal::walk::Orphaned,
    tree::pending::{SigInfo, CLD_CONTINUED, CLD_STOPPED, SIGCHLD, SIGCONT},
    tree::task::{Group, JobState, Owed, Parent, Task},
    tree::Tree,
    uapi,
    world::sleep::Key,
};

fn same(a: &Pid, b: &Pid) -> bool {
    core::ptr::eq(a, b)
}

impl Tree {
    /// A process stops by a signal: at once but for threads that sleep in vfork, after which the whole of
    /// it is stopped.
    #[doc(alias = "do_signal_stop")]
    pub(crate) fn stop(&mut self, group: Idx<Group>, signal: i32) {
        if self.groups[group].nr_in_vfork > 0 {
            let process = &mut self.groups[group];
            process.job = JobState::Stopping(signal as u8);
            process.nr_stops = process.nr_stops.wrapping_add(1);
            self.changes += 1;
            return;
        }
        self.groups[group].job = JobState::Stopped(signal as u8);
        self.count_stopped(group, true);
        self.changes += 1;
        self.note_news(group);
        self.tell_job(group, uapi::ALTPID_EVENT_STOP, signal);
        self.notify_job(group, CLD_STOPPED, signal);
    }

    /// A thread of a process does not sleep in vfork any more: if the others have stopped and it is the
    /// last, the process has stopped.
    pub(crate) fn finish_stop(&mut self, group: Idx<Group>) {
        match self.groups[group].job {
            JobState::Stopping(signal) if self.groups[group].nr_in_vfork == 0 => {
                self.stop(group, signal.into());
            }
            _ => {}
        }
    }

    /// Whether a thread is stopped by a signal (`task_is_stopped()`).
    pub(crate) fn is_stopped(&self, task: Idx<Task>) -> bool {
        match self.group_of(task).job {
            JobState::Stopped(_) => true,
            JobState::Stopping(_) => !self.is_in_vfork(task),
            JobState::Running | JobState::Continued => false,
        }
    }

    /// A stopped process goes on, and owes its parent word of it; false when it was not stopped.
    pub(crate) fn resume(&mut self, group: Idx<Group>) -> bool {
        self.groups[group].owed = match self.groups[group].job {
            JobState::Running | JobState::Continued => return false,
            JobState::Stopping(_) => Owed::Stopped,
            JobState::Stopped(_) => {
                self.count_stopped(group, false);
                Owed::Continued
            }
        };
        let resumed = &mut self.groups[group];
        resumed.job = JobState::Continued;
        resumed.nr_resumed = resumed.nr_resumed.wrapping_add(1);
        self.changes += 1;
        // Callers that wait on behalf of the process look again.
        self.wakes.note(Key::children(group));
        self.note_news(group);
        self.tell_job(group, uapi::ALTPID_EVENT_CONTINUE, SIGCONT);
        true
    }

    /// The job state in which nothing is left to report: a dying process has none.
    pub(crate) fn forget_job(&mut self, group: Idx<Group>) {
        if self.groups[group].is_stopped() {
            self.count_stopped(group, false);
            self.changes += 1;
        }
        let group = &mut self.groups[group];
        group.job = JobState::Running;
        group.owed = Owed::Nothing;
    }

    /// Tells the parent of a process what a SIGCONT owes it. Of a stop that was not complete it does not
    /// say by which signal (`group_exit_code` is 0 by then).
    pub(crate) fn notify_owed(&mut self, group: Idx<Group>) {
        match core::mem::take(&mut self.groups[group].owed) {
            Owed::Nothing => {}
            Owed::Stopped => self.notify_job(group, CLD_STOPPED, 0),
            Owed::Continued => self.notify_job(group, CLD_CONTINUED, SIGCONT),
        }
    }

    /// Tells the parent of a process that it has stopped or goes on. Who waits is woken by the
    /// world, after the tree lock is released.
    #[doc(alias = "do_notify_parent_cldstop")]
    fn notify_job(&mut self, group: Idx<Group>, code: i32, status: i32) {
        let Parent::Task(parent) = self.groups[group].parent else {
            return;
        };
        if !self.wants_job_news(self.tasks[parent].group) {
            return;
        }
        let info = SigInfo {
            signo: SIGCHLD,
            code,
            pid: self.groups[group].tgid.nr_ns(self.tasks[parent].ns()),
            status,
            value: 0,
        };
        let parent_group = self.tasks[parent].group;
        if self.is_member(parent_group) {
            if !self.is_told_natively(group, parent_group) {
                self.owe_child(parent_group, group, info);
            }
            return;
        }
        // SIGCHLD is no real-time signal: that it arrives does not depend on room.
        let _ = self.send(SIGCHLD, Source::Child(info), parent, Scope::Process);
    }

    /// Whether a member of a process group has a parent that controls it: one in another process
    /// group of the same session.
    pub(crate) fn is_controlled(&self, index: Idx<Group>) -> bool {
        let member = &self.groups[index];
        let Parent::Task(parent) = member.parent else {
            return false;
        };
        let parent = self.tasks[parent].group;
        if member.is_leaving || self.is_dead(index) || self.is_world_init(parent) {
            return false;
        }
        let parent = &self.groups[parent];
        !same(&parent.pgid, &member.pgid) && same(&parent.sid, &member.sid)
    }

    /// Counts a process that has stopped, or is stopped no more.
    fn count_stopped(&mut self, group: Idx<Group>, stopped: bool) {
        let first = self.process_group(&self.groups[group].pgid).first();
        if let Some(first) = first {
            let in_group = &mut self.groups[first].pgrp_stopped;
            if stopped {
                (*in_group, self.nr_stopped) = (*in_group + 1, self.nr_stopped + 1);
            } else {
                (*in_group, self.nr_stopped) = (*in_group - 1, self.nr_stopped - 1);
            }
        }
    }

    /// Whether no member of a process group has a parent that controls it.
    ///
    /// The first member of the group remembers up to where no member is controlled
    /// ([`Group::pgrp_controlled`]): each is looked at once, as long as none before comes to be
    /// controlled.
    #[doc(alias = "will_become_orphaned_pgrp")]
    pub(crate) fn is_orphaned(&mut self, pgrp: &Pid) -> Orphaned {
        let members = self.process_group(pgrp);
        let Some(first) = members.first() else {
            return Orphaned::Yes;
        };
        let mut next = self.groups[first].pgrp_controlled;
        let answer = loop {
            let Some(member) = next else {
                break Orphaned::Yes;
            };
            if self.is_controlled(member) {
                break Orphaned::No;
            }
            if self.is_spent() {
                break Orphaned::Unknown;
            }
            next = members.next(&self.groups, member);
        };
        self.groups[first].pgrp_controlled = next;
        answer
    }

    /// Whether a member of a process group is stopped.
    pub(crate) fn has_stopped_jobs(&self, pgrp: &Pid) -> bool {
        let first = self.process_group(pgrp).first();
        first.is_some_and(|first| self.groups[first].pgrp_stopped > 0)
    }

    /// A member of a process group, wherever in it, may be controlled from now on.
    pub(crate) fn note_control(&mut self, pgrp: &Pid) {
        if let Some(first) = self.process_group(pgrp).first() {
            self.groups[first].pgrp_controlled = Some(first);
        }
    }
}
