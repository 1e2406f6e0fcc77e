// SPDX-License-Identifier: GPL-2.0

//! Joining the task tree, moving in it, and leaving it.
//!
//! `kernel/pid.c`: `attach_pid()`, `detach_pid()`, `change_pid()`, `exchange_tids()`;
//! `kernel/exit.c`: `__unhash_process()`.
//!
//! # Locks
//!
//! Under the tree lock.

use super::Tree;
use crate::{
    base::slots::Idx,
    pid::{Pid, PidType},
    tree::group::{Group, Parent},
    tree::pending::SigSet,
    tree::room::Entrant,
    tree::task::{Task, TaskState},
    tree::wakeups::Key,
};
use kernel::sync::aref::ARef;

impl Tree {
    /// Adds a thread to its group. The pid is one that nobody used so far.
    pub(crate) fn join_group(&mut self, entrant: Entrant) -> Idx<Task> {
        let task = entrant.task;
        let group = self.tasks[task].group;
        if let Some(body) = entrant.body {
            self.expect_body(task, body);
        }
        let members = &mut self.groups[group];
        if entrant.crowd.is_some() {
            members.crowd = entrant.crowd;
        }
        members.threads.push_back(&mut self.tasks, task);
        members.nr_threads += 1;
        members.nr_live += 1;
        self.changes += 1;
        let pid = &self.tasks[task].pid;
        pid.attach();
        pid.set_user(PidType::Pid, Idx::to_raw(Some(task)));
        task
    }

    /// Makes a group the process whose leader is `leader`, with its number, its process group and
    /// its session.
    pub(crate) fn join_tree(&mut self, group: Idx<Group>, leader: Idx<Task>) {
        self.groups[group].leader = Some(leader);
        let pid = &self.groups[group].tgid;
        pid.set_user(PidType::Tgid, Idx::to_raw(Some(group)));
        // is_child_reaper()
        if pid.nr() == 1 {
            pid.ns().set_child_reaper(Idx::to_raw(Some(leader)));
        }
        self.enter_process_group(group);
        self.enter_session(group);
        self.enter_children(group);
    }

    /// A thread begins to exit: it leaves the list of live threads.
    pub(crate) fn leave_live_threads(&mut self, task: Idx<Task>) {
        let group = self.tasks[task].group;
        let Some(crowd) = self.groups[group].crowd else {
            return;
        };
        let process = &mut self.groups[group];
        let next = process.threads.next(&self.tasks, task);
        process.threads.remove(&mut self.tasks, task);
        let crowd = &mut self.crowds[crowd];
        crowd.forget_thread(task, next);
        crowd.exiting.push_back(&mut self.tasks, task);
    }

    /// The thread behind one in the list of those of a group, and round.
    pub(crate) fn next_thread(&self, task: Idx<Task>) -> Idx<Task> {
        let group = self.group_of(task);
        let exiting = group.crowd.map(|crowd| &self.crowds[crowd].exiting);
        let first = |exiting_first: bool| {
            let exiting = exiting.and_then(|exiting| exiting.first());
            match exiting_first {
                true => exiting.or(group.threads.first()),
                false => group.threads.first().or(exiting),
            }
        };
        match exiting {
            Some(exiting) if !self.tasks[task].is_alive() => {
                exiting.next(&self.tasks, task).or_else(|| first(false))
            }
            _ => (group.threads.next(&self.tasks, task)).or_else(|| first(true)),
        }
        .unwrap_or(task)
    }

    /// Two threads of a group change numbers, at every level (`exchange_tids()`).
    pub(crate) fn exchange_tids(&mut self, one: Idx<Task>, other: Idx<Task>) {
        let pid = self.tasks[one].pid.clone();
        let pid = core::mem::replace(&mut self.tasks[other].pid, pid);
        self.tasks[one].pid = pid;
        for task in [one, other] {
            let pid = &self.tasks[task].pid;
            pid.set_user(PidType::Pid, Idx::to_raw(Some(task)));
        }
    }

    fn enter_process_group(&mut self, group: Idx<Group>) {
        self.changes += 1;
        let mut members = self.process_group(&self.groups[group].pgid);
        let stopped = u32::from(self.groups[group].is_stopped());
        members.push_back(&mut self.groups, group);
        match members.first().filter(|&first| first != group) {
            Some(first) => {
                let first = &mut self.groups[first];
                first.pgrp_stopped += stopped;
                // All members before this one are known not to be controlled.
                first.pgrp_controlled.get_or_insert(group);
            }
            None => {
                let first = &mut self.groups[group];
                first.pgrp_stopped = stopped;
                first.pgrp_controlled = Some(group);
            }
        }
        let pid = &self.groups[group].pgid;
        pid.set_user(PidType::Pgid, Idx::to_raw(members.first()));
    }

    fn leave_process_group(&mut self, group: Idx<Group>) {
        self.changes += 1;
        let mut members = self.process_group(&self.groups[group].pgid);
        let next = members.next(&self.groups, group);
        self.leave_walks(group, next);
        if let Some(first) = members.first() {
            let stopped = u32::from(self.groups[group].is_stopped());
            let known = &mut self.groups[first];
            known.pgrp_stopped -= stopped;
            if known.pgrp_controlled == Some(group) {
                known.pgrp_controlled = next;
            }
            // The next first member takes over what the first one knows about the group.
            if let (true, Some(next)) = (first == group, next) {
                let known = (known.pgrp_stopped, known.pgrp_controlled);
                let next = &mut self.groups[next];
                (next.pgrp_stopped, next.pgrp_controlled) = known;
            }
        }
        members.remove(&mut self.groups, group);
        let pid = &self.groups[group].pgid;
        pid.set_user(PidType::Pgid, Idx::to_raw(members.first()));
    }

    fn enter_session(&mut self, group: Idx<Group>) {
        self.changes += 1;
        let mut members = self.session(&self.groups[group].sid);
        members.push_back(&mut self.groups, group);
        let pid = &self.groups[group].sid;
        pid.set_user(PidType::Sid, Idx::to_raw(members.first()));
    }

    fn leave_session(&mut self, group: Idx<Group>) {
        let mut members = self.session(&self.groups[group].sid);
        members.remove(&mut self.groups, group);
        let pid = &self.groups[group].sid;
        pid.set_user(PidType::Sid, Idx::to_raw(members.first()));
    }

    /// Moves a process to another process group (`change_pid()`).
    pub(crate) fn change_process_group(&mut self, group: Idx<Group>, pgid: ARef<Pid>) {
        self.leave_process_group(group);
        let old = core::mem::replace(&mut self.groups[group].pgid, pgid);
        self.enter_process_group(group);
        self.change_family(group);
        // Children in the group that it has left may be controlled by it from now on.
        self.note_control(&old);
        self.put_number(&old);
    }

    /// Moves a process to another session (`change_pid()`).
    pub(crate) fn change_session(&mut self, group: Idx<Group>, sid: ARef<Pid>) {
        self.leave_session(group);
        let old = core::mem::replace(&mut self.groups[group].sid, sid);
        self.enter_session(group);
        self.put_number(&old);
    }

    /// Makes a process the child of another thread.
    pub(crate) fn change_parent(&mut self, group: Idx<Group>, new: Parent) {
        self.changes += 1;
        let was_controlled = self.is_controlled(group);
        self.leave_children(group);
        self.groups[group].parent = new;
        self.enter_children(group);
        self.enter_news(group);
        if !was_controlled && self.is_controlled(group) {
            let pgrp = self.groups[group].pgid.clone();
            self.note_control(&pgrp);
        }
    }

    /// Takes a thread out of the tree (`__unhash_process()`), and with a leader its group.
    pub(crate) fn leave(&mut self, task: Idx<Task>) {
        self.tell_reap(task);
        let group = self.tasks[task].group;
        if self.groups[group].leader != Some(task) {
            // A dead leader that waited for this thread is dead for others from now on.
            self.change_family(group);
        } else {
            self.leave_children(group);
            self.leave_process_group(group);
            self.leave_session(group);
            let leaving = &self.groups[group];
            leaving.tgid.set_user(PidType::Tgid, 0);
            // Both often are in use by others still.
            let unused = |pid: &ARef<Pid>| pid.is_unused().then(|| pid.clone());
            let unused = [unused(&leaving.pgid), unused(&leaving.sid)];
            for pid in unused.iter().flatten() {
                self.put_number(pid);
            }
        }
        let process = &mut self.groups[group];
        match process.crowd {
            Some(crowd) => self.crowds[crowd].exiting.remove(&mut self.tasks, task),
            None => process.threads.remove(&mut self.tasks, task),
        }
        self.groups[group].nr_threads -= 1;
        self.changes += 1;
        // The init of a dying namespace may have been woken once more while it was finished.
        self.unqueue_work(task);
        self.note_wakeup(|tree| Key::pid(&tree.tasks[task].pid));
        self.leave_body(task);
        let every = SigSet::EVERY;
        self.tasks[task].pending.flush(&mut self.queued, every);
        let gone = &self.tasks[task];
        if gone.state == TaskState::Zombie {
            self.nr_zombies -= 1;
        }
        if gone.ns().child_reaper() == Idx::to_raw(Some(task)) {
            // A dead leader that waited for this thread stands for the namespace until it is reaped.
            let leader = self.groups[group].leader.filter(|&leader| leader != task);
            gone.ns().set_child_reaper(Idx::to_raw(leader));
        }
        gone.pid.set_user(PidType::Pid, 0);
        gone.pid.set_exit_code(gone.exit_code);
        let pid = gone.pid.clone();
        self.tasks.discard(task);
        self.put_number(&pid);
        if self.groups[group].nr_threads == 0 {
            let gone = &mut self.groups[group];
            gone.pending.flush(&mut self.queued, every);
            debug_assert!(!gone.is_stopped());
            self.nr_subreapers -= usize::from(gone.is_subreaper);
            let sighand = gone.sighand;
            if let Some(crowd) = gone.crowd {
                self.crowds.discard(crowd);
            }
            // Its last thread may have exited before the rest of a kill was worked off.
            if gone.is_killed() || gone.is_crowded() {
                self.unqueue_group(group);
            }
            self.groups.discard(group);
            self.put_sighand(sighand);
        }
    }

    /// Frees the numbers of a pid after one of its uses has ended, if that was the last one.
    fn put_number(&mut self, pid: &Pid) {
        if !pid.is_unused() || !pid.has_numbers() {
            return;
        }
        for ns in pid.ns().upwards() {
            // The init of a dying namespace may have waited for the last number (`free_pid()`).
            let left = ns.uncount_pid();
            if left <= 2 && !ns.is_adding() {
                self.wake_zap(ns.child_reaper());
                if left == 0 {
                    self.events.tell_ns_dead(ns);
                }
            }
        }
        pid.free_numbers();
    }

    /// Lets the init of a dying namespace look again.
    fn wake_zap(&mut self, reaper: u32) {
        let Some(reaper) = Idx::from_raw(reaper) else {
            return;
        };
        let waits = self
            .tasks
            .get(reaper)
            .is_some_and(|t| t.state == TaskState::ZapWait);
        if waits {
            self.queue_work(reaper);
        }
    }
}
