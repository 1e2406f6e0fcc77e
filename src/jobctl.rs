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
    pending::{SigInfo, CLD_CONTINUED, CLD_STOPPED, SIGCHLD, SIGCONT, SIGHUP},
    pid::Pid,
    signal::{Scope, Source, Walk},
    slots::Idx,
    task::{Group, JobState, Parent, Task},
    tree::Tree,
    uapi,
};
use kernel::sync::aref::ARef;

/// Whether a process group is orphaned: now, or as soon as a process is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orphan {
    /// As it is.
    AsItIs,
    /// Without this member.
    Without(Idx<Group>),
}

/// A process group that is orphaned, and the signal that its members are getting: first SIGHUP, then
/// SIGCONT. It can have any number of them, which are told in pieces.
pub(crate) struct Hangup {
    pgrp: ARef<Pid>,
    signal: i32,
}

/// The answer to whether a process group is orphaned, and for when it was given.
#[derive(Default)]
pub(crate) struct Orphaned {
    kinship: u64,
    pgrp: usize,
    is_orphaned: bool,
}

/// Members of an orphaned process group that are told at a time.
const PIECE: usize = 64;

fn same(a: &Pid, b: &Pid) -> bool {
    core::ptr::eq(a, b)
}

impl Tree {
    /// A process stops by a signal.
    #[doc(alias = "do_signal_stop")]
    pub(crate) fn stop(&mut self, group: Idx<Group>, signal: i32) {
        self.groups[group].job = JobState::Stopped(signal);
        self.nr_stopped += 1;
        self.tell_job(group, uapi::ALTPID_EVENT_STOP, signal);
        self.notify_job(group, CLD_STOPPED, signal);
    }

    /// A stopped process goes on; false when it was not stopped.
    pub(crate) fn resume(&mut self, group: Idx<Group>) -> bool {
        let stopped = self.groups[group].is_stopped();
        if stopped {
            self.nr_stopped -= 1;
            self.groups[group].job = JobState::Continued;
            self.tell_job(group, uapi::ALTPID_EVENT_CONTINUE, SIGCONT);
        }
        stopped
    }

    /// Tells the parent of a process that it goes on.
    pub(crate) fn notify_continued(&mut self, group: Idx<Group>) {
        self.notify_job(group, CLD_CONTINUED, SIGCONT);
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
        // SIGCHLD is no real-time signal: that it arrives does not depend on room.
        let _ = self.send(SIGCHLD, Source::Child(info), parent, Scope::Process);
    }

    /// Whether no member of a process group has a parent that controls it: one in another process
    /// group of the same session.
    ///
    /// Looks at every member of a group that is orphaned, under the lock, as native does for each
    /// exit; here only while there are stopped processes, and once between two chances for others.
    #[doc(alias = "will_become_orphaned_pgrp")]
    pub(crate) fn is_orphaned(&self, pgrp: &Pid, orphan: Orphan) -> bool {
        self.process_group(pgrp).iter(&self.groups).all(|index| {
            let member = &self.groups[index];
            let Parent::Task(parent) = member.parent else {
                return true;
            };
            let parent = self.tasks[parent].group;
            if orphan == Orphan::Without(index) || self.is_dead(index) || self.is_world_init(parent)
            {
                return true;
            }
            let parent = &self.groups[parent];
            same(&parent.pgid, pgrp) || !same(&parent.sid, &member.sid)
        })
    }

    /// [`Tree::is_orphaned`] as it is. A stop signal to a whole process group asks this for each of
    /// its members, so it is looked at once as long as nobody's kin has changed.
    pub(crate) fn is_orphaned_now(&mut self, pgrp: &Pid) -> bool {
        // The address names the pid: for another one to have it somebody would have had to leave.
        let (kinship, address) = (self.kinship, core::ptr::from_ref(pgrp).addr());
        if (self.orphaned.kinship, self.orphaned.pgrp) != (kinship, address) {
            self.orphaned = Orphaned {
                kinship,
                pgrp: address,
                is_orphaned: self.is_orphaned(pgrp, Orphan::AsItIs),
            };
        }
        self.orphaned.is_orphaned
    }

    fn has_stopped_jobs(&self, pgrp: &Pid) -> bool {
        self.process_group(pgrp)
            .iter(&self.groups)
            .any(|member| self.groups[member].is_stopped())
    }

    /// When a process exits, or with `father` has just lost that parent: its process group may be
    /// orphaned by it, and what is stopped there gets SIGHUP and SIGCONT.
    #[doc(alias = "kill_orphaned_pgrp")]
    pub(crate) fn kill_orphaned(&mut self, group: Idx<Group>, father: Option<Idx<Task>>) {
        // Most worlds have no stopped jobs, and need not go through their process groups.
        if self.nr_stopped == 0 {
            return;
        }
        let (parent, orphan) = match (father, self.groups[group].parent) {
            (Some(father), _) => (father, Orphan::AsItIs),
            (None, Parent::Task(parent)) => (parent, Orphan::Without(group)),
            (None, Parent::Outside) => return,
        };
        let pgrp = self.groups[group].pgid.clone();
        let parent = self.group_of(parent);
        if !same(&parent.pgid, &pgrp)
            && same(&parent.sid, &self.groups[group].sid)
            && self.is_orphaned(&pgrp, orphan)
            && self.has_stopped_jobs(&pgrp)
        {
            self.begin_walk(Walk::Hangup, &pgrp);
            self.hangup = Some(Hangup {
                pgrp,
                signal: SIGHUP,
            });
            // A small one gets both signals at once.
            for _ in 0..2 {
                self.hang_up();
            }
        }
    }

    /// Tells some more members of the process group that is orphaned; false when there is none.
    /// There is one at a time: who makes process groups orphaned looks here before.
    pub(crate) fn hang_up(&mut self) -> bool {
        let Some(Hangup { pgrp, signal }) = &self.hangup else {
            return false;
        };
        let (pgrp, signal) = (pgrp.clone(), *signal);
        for _ in 0..PIECE {
            if let Some(leader) = self.walk(Walk::Hangup) {
                // Neither signal fails for want of room.
                let _ = self.send(signal, Source::Kernel, leader, Scope::Process);
            } else if signal == SIGHUP {
                self.begin_walk(Walk::Hangup, &pgrp);
                self.hangup = Some(Hangup {
                    pgrp,
                    signal: SIGCONT,
                });
                break;
            } else {
                self.hangup = None;
                break;
            }
        }
        true
    }
}
