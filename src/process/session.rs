// SPDX-License-Identifier: GPL-2.0

//! setsid(2) and setpgid(2).
//!
//! `kernel/sys.c`: `ksys_setsid()`, `setpgid()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    pid::{find_pid, Pid, PidType},
    reason::{Outcome, Reason},
    tree::group::Parent,
    tree::task::{Task, TaskId},
    tree::Tree,
    world::World,
};
use kernel::sync::aref::ARef;

impl World {
    /// See [`Tree::setsid`].
    ///
    /// # Errors
    ///
    /// As there and [`World::act_alone`].
    #[doc(alias = "ksys_setsid")]
    pub(crate) fn setsid(&self, task: TaskId) -> Outcome<i32> {
        let (mut tree, task) = self.act_alone(task)?;
        tree.setsid(task)
    }

    /// See [`Tree::setpgid`].
    ///
    /// # Errors
    ///
    /// As there and [`World::act_alone`].
    pub(crate) fn setpgid(&self, task: TaskId, pid: i32, pgid: i32) -> Outcome {
        let (mut tree, task) = self.act_alone(task)?;
        tree.setpgid(task, pid, pgid)
    }
}

impl Tree {
    /// `task` begins a session of its own; returns the session's number as the task sees it.
    ///
    /// # Errors
    ///
    /// `EPERM` for a session leader, and when a process group with its number exists.
    pub(crate) fn setsid(&mut self, task: Idx<Task>) -> Outcome<i32> {
        let index = self.tasks()[task].group();
        let group = &self.groups()[index];
        let own = group.tgid().clone();
        if group.leads_session() {
            return Err(Reason::SessionLeader.into());
        }
        if own.user(PidType::Pgid) != 0 {
            return Err(Reason::GroupExists.into());
        }
        let nr = own.nr_ns(self.tasks()[task].ns());
        // set_special_pids()
        self.change_session(index, own.clone());
        self.change_process_group(index, own);
        Ok(nr)
    }

    /// `task` puts the process `pid` (0: itself) into the process group `pgid` (0: that of its own
    /// number), both as the task sees them.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a negative `pgid` and a thread that does not lead; `ESRCH` for who is neither
    /// the caller nor a child; `EACCES` for a child that has called exec; `EPERM` for another
    /// session, a session leader, and a group that is not in the session.
    pub(crate) fn setpgid(&mut self, task: Idx<Task>, pid: i32, pgid: i32) -> Outcome {
        let caller = self.tasks()[task].group();
        let ns = self.tasks()[task].ns();
        // With no group given it is that of the number `pid`, and that is checked as one.
        if pgid < 0 || (pgid == 0 && pid < 0) {
            return Err(Reason::Range.into());
        }
        let (found, other);
        let (index, target_pid) = if pid == 0 {
            (caller, self.groups()[caller].tgid())
        } else {
            found = find_pid(ns, pid).ok_or(Reason::NoNumber)?;
            let thread = self.task_of(&found).ok_or(Reason::NoNumber)?;
            if !self.is_leader(thread) {
                return Err(Reason::NotLeader.into());
            }
            (self.tasks()[thread].group(), &found)
        };
        let target = &self.groups()[index];
        if index != caller {
            let is_child = matches!(target.parent(), Parent::Task(parent)
                if self.tasks()[parent].group() == caller);
            if !is_child {
                return Err(Reason::NotChild.into());
            }
            if !target.sid().is(self.groups()[caller].sid()) {
                return Err(Reason::OtherSession.into());
            }
            if target.has_execed() {
                return Err(Reason::HasExeced.into());
            }
        }
        if target.leads_session() {
            return Err(Reason::SessionLeader.into());
        }
        let pgrp: &ARef<Pid> = if pgid == 0 || pgid == target_pid.nr_ns(ns) {
            target_pid
        } else {
            other = find_pid(ns, pgid).ok_or(Reason::NoGroup)?;
            let member = self.process_group(&other).first();
            let member = member.ok_or(Reason::NoGroup)?;
            if !self.groups()[member].sid().is(self.groups()[caller].sid()) {
                return Err(Reason::OtherSession.into());
            }
            &other
        };
        if !pgrp.is(target.pgid()) {
            let pgrp = pgrp.clone();
            self.change_process_group(index, pgrp);
        }
        Ok(())
    }
}
