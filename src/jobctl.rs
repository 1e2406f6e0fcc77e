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

/// What a look through a process group has found. Nobody comes to be controlled, or stopped, without
/// a change of [`Tree::ties`] or [`Tree::stops`], so that what is behind need not be looked at again
/// when member after member exits.
#[derive(Default)]
pub(crate) struct Looked {
    /// When that was, by [`Tree::ties`].
    ties: u64,
    /// The address of the group's pid, 0 for none.
    pgrp: usize,
    /// No member before this one is controlled; `None`: no member is.
    next: Option<Idx<Group>>,
    /// When no member was stopped, by [`Tree::stops`].
    unstopped: Option<u64>,
}

/// Process groups of which that is kept.
pub(crate) const LOOKED: usize = 8;

/// Where it is kept what is known of the process group whose pid has an address: pids are aligned to
/// 16 bytes at least.
fn slot_of(address: usize) -> usize {
    (address >> 4) % LOOKED
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
        self.stops += 1;
        self.changes += 1;
        self.note_news(group);
        self.tell_job(group, uapi::ALTPID_EVENT_STOP, signal);
        self.notify_job(group, CLD_STOPPED, signal);
    }

    /// A stopped process goes on; false when it was not stopped.
    pub(crate) fn resume(&mut self, group: Idx<Group>) -> bool {
        let stopped = self.groups[group].is_stopped();
        if stopped {
            self.nr_stopped -= 1;
            self.groups[group].job = JobState::Continued;
            self.changes += 1;
            self.note_news(group);
            self.tell_job(group, uapi::ALTPID_EVENT_CONTINUE, SIGCONT);
        }
        stopped
    }

    /// The job state in which nothing is left to report: a dying process has none.
    pub(crate) fn forget_job(&mut self, group: Idx<Group>) {
        if self.groups[group].is_stopped() {
            self.nr_stopped -= 1;
            self.changes += 1;
        }
        let group = &mut self.groups[group];
        group.job = JobState::Running;
        group.tells_continued = false;
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

    /// Whether a member of a process group has a parent that controls it: one in another process
    /// group of the same session.
    pub(crate) fn is_controlled(&self, index: Idx<Group>) -> bool {
        let member = &self.groups[index];
        let Parent::Task(parent) = member.parent else {
            return false;
        };
        let parent = self.tasks[parent].group;
        if self.is_dead(index) || self.is_world_init(parent) {
            return false;
        }
        let parent = &self.groups[parent];
        !same(&parent.pgid, &member.pgid) && same(&parent.sid, &member.sid)
    }

    /// Whether no member of a process group has a parent that controls it.
    ///
    /// Looks at the members in their order until one is controlled, under the lock, as native does
    /// for each exit; here only while there are stopped processes, and each member once as long as
    /// nobody comes to be controlled.
    #[doc(alias = "will_become_orphaned_pgrp")]
    pub(crate) fn is_orphaned(&mut self, pgrp: &Pid, orphan: Orphan) -> bool {
        let members = self.process_group(pgrp);
        let mut next = self.looked(pgrp).next;
        while let Some(member) = next.filter(|&member| !self.is_controlled(member)) {
            next = members.next(&self.groups, member);
        }
        self.looked(pgrp).next = next;
        // Who is about to be gone is not passed for good: it is gone when all its threads are.
        while let Some(member) = next {
            if orphan != Orphan::Without(member) && self.is_controlled(member) {
                return false;
            }
            next = members.next(&self.groups, member);
        }
        true
    }

    fn has_stopped_jobs(&mut self, pgrp: &Pid) -> bool {
        let unstopped = Some(self.stops);
        if self.looked(pgrp).unstopped == unstopped {
            return false;
        }
        let found = (self.process_group(pgrp).iter(&self.groups))
            .any(|member| self.groups[member].is_stopped());
        if !found {
            self.looked(pgrp).unstopped = unstopped;
        }
        found
    }

    /// Whether a process group was found to be orphaned, and is.
    pub(crate) fn is_known_orphaned(&self, pgrp: &Pid) -> bool {
        self.known(pgrp).is_some_and(|looked| looked.next.is_none())
    }

    /// Whether no member of a process group was found to be stopped, and none is.
    pub(crate) fn is_known_unstopped(&self, pgrp: &Pid) -> bool {
        let unstopped = Some(self.stops);
        (self.known(pgrp)).is_some_and(|looked| looked.unstopped == unstopped)
    }

    /// What is known of a process group still.
    fn known(&self, pgrp: &Pid) -> Option<&Looked> {
        let address = core::ptr::from_ref(pgrp).addr();
        let looked = &self.looked[slot_of(address)];
        (looked.pgrp == address && looked.ties == self.ties).then_some(looked)
    }

    /// What is known of a process group, as of now.
    fn looked(&mut self, pgrp: &Pid) -> &mut Looked {
        let address = core::ptr::from_ref(pgrp).addr();
        let (ties, next) = (self.ties, self.process_group(pgrp).first());
        let looked = &mut self.looked[slot_of(address)];
        if (looked.ties, looked.pgrp) != (ties, address) {
            *looked = Looked {
                ties,
                pgrp: address,
                next,
                unstopped: None,
            };
        }
        looked
    }

    /// A member has left the process group whose pid has an address, which may be empty by now;
    /// `next` was behind it.
    pub(crate) fn forget_member(
        &mut self,
        address: usize,
        is_empty: bool,
        member: Idx<Group>,
        next: Option<Idx<Group>>,
    ) {
        let looked = &mut self.looked[slot_of(address)];
        if looked.pgrp == address {
            if is_empty {
                // Another pid may get the address.
                *looked = Looked::default();
            } else if looked.next == Some(member) {
                looked.next = next;
            }
        }
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
