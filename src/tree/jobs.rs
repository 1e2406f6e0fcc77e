// SPDX-License-Identifier: GPL-2.0

//! Which processes are stopped, and which process groups are orphaned.
//!
//! `kernel/exit.c`: `will_become_orphaned_pgrp()`, `has_stopped_jobs()`.
//!
//! # Locks
//!
//! Under the tree lock.

use super::{
    group::{Group, JobState, Owed, Parent},
    task::Task,
    wakeups::Key,
    walks::Orphaned,
    Tree,
};
use crate::{base::slots::Idx, pid::Pid};

impl Tree {
    /// Clears the job state of a process that dies: no stop is left to report.
    pub(crate) fn forget_job(&mut self, group: Idx<Group>) {
        if self.groups[group].is_stopped() {
            self.count_stopped(group, false);
            self.changes += 1;
        }
        let group = &mut self.groups[group];
        group.job = JobState::Running;
        group.owed = Owed::Nothing;
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
        !parent.pgid.is(&member.pgid) && parent.sid.is(&member.sid)
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

    /// Any member of a process group may be controlled from now on: the search begins at the first one again.
    pub(crate) fn note_control(&mut self, pgrp: &Pid) {
        if let Some(first) = self.process_group(pgrp).first() {
            self.groups[first].pgrp_controlled = Some(first);
        }
    }

    /// Whether a thread is stopped by a signal (`task_is_stopped()`).
    pub(crate) fn is_stopped(&self, task: Idx<Task>) -> bool {
        let thread = &self.tasks[task];
        self.groups[thread.group].job.stops(thread.call)
    }

    /// A process begins to stop by a signal. Threads in calls that defer it stop when these are over.
    pub(crate) fn begin_stop(&mut self, group: Idx<Group>, signal: i32) {
        // Callers that sleep on behalf of its threads look again.
        self.note_wakeup(|_| Key::children(group));
        let process = &mut self.groups[group];
        process.nr_stops = process.nr_stops.wrapping_add(1);
        process.job = JobState::Stopping {
            signal: signal as u8,
            is_continued: process.job == JobState::Continued,
        };
        self.changes += 1;
    }

    /// The signal by which a process has stopped just now: no call of a thread defers it any more. `None`
    /// when it goes on, does not stop yet, or had stopped.
    pub(crate) fn complete_stop(&mut self, group: Idx<Group>) -> Option<i32> {
        let JobState::Stopping { signal, .. } = self.groups[group].job else {
            return None;
        };
        if self.nr_deferring(group) > 0 {
            return None;
        }
        self.groups[group].job = JobState::Stopped(signal);
        self.count_stopped(group, true);
        self.changes += 1;
        Some(signal.into())
    }

    /// A wait has reported what a process that lives had to report.
    pub(crate) fn note_job_reported(&mut self, group: Idx<Group>) {
        let process = &mut self.groups[group];
        process.job = process.job.reported();
    }

    /// Cancels a stop that is not complete, as a thread of the process calls exec (`zap_other_threads()`).
    pub(crate) fn cancel_stop(&mut self, group: Idx<Group>) {
        if let JobState::Stopping { is_continued, .. } = self.groups[group].job {
            self.groups[group].job = match is_continued {
                true => JobState::Continued,
                false => JobState::Running,
            };
            self.changes += 1;
        }
    }

    /// Continues a stopped process, and leaves a notification for its parent; false when it was not stopped.
    pub(crate) fn set_continued(&mut self, group: Idx<Group>) -> bool {
        self.groups[group].owed = match self.groups[group].job {
            JobState::Running | JobState::Continued => return false,
            JobState::Stopping { .. } => Owed::Stopped,
            JobState::Stopped(_) => {
                self.count_stopped(group, false);
                Owed::Continued
            }
        };
        self.groups[group].job = JobState::Continued;
        self.changes += 1;
        true
    }
}
