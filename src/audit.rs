// SPDX-License-Identifier: GPL-2.0

//! Looking whether everything holds that must hold.
//!
//! [`World::audit`] walks every structure of a world and counts the broken invariants:
//!
//! - each number of a task, a thread group, a process group and a session is in use in its
//!   namespace and in every one above, and names that very pid there;
//! - each pid knows its users, and they know it;
//! - each process has a parent that is there, knows it, and can see it; or it is outside's;
//! - each task is on the list of its group, and counts agree with lists;
//! - each pidfd is of a task that has the pid, or of one that is reaped and has left its status;
//! - each signal in a queue waits for somebody, and nobody who is killed is stopped;
//! - a namespace counts as many numbers as its table holds, and its init is its pid 1;
//! - nothing lives in a namespace without init, and nothing is dead and unwaited for.
//!
//! # Locks
//!
//! The tree lock all the time: it is a tool for tests, and as slow as it has to be.

use crate::{
    namespace::Namespace,
    pid::{find_pid, find_pid_from, Pid},
    slots::Idx,
    task::{Group, Parent, Task, TaskState},
    tree::Tree,
    world::World,
};
use kernel::{fmt, prelude::*, str::NullTerminatedFormatter};

/// What an audit has found.
pub(crate) struct Findings {
    /// Broken invariants.
    pub(crate) broken: u32,
    /// Tasks looked at.
    pub(crate) tasks: u64,
    /// Numbers looked at.
    pub(crate) numbers: u64,
    /// The first broken one in words.
    pub(crate) what: [u8; 128],
}

impl Findings {
    fn new() -> Self {
        Self {
            broken: 0,
            tasks: 0,
            numbers: 0,
            what: [0; 128],
        }
    }

    fn check(&mut self, holds: bool, what: fmt::Arguments<'_>) {
        if holds {
            return;
        }
        if self.broken == 0 {
            if let Some(mut text) = NullTerminatedFormatter::new(&mut self.what) {
                // What does not fit is left out.
                let _ = fmt::Write::write_fmt(&mut text, what);
            }
        }
        self.broken = self.broken.saturating_add(1);
    }
}

impl World {
    /// Checks every invariant of the world.
    pub(crate) fn audit(&self) -> Findings {
        let mut findings = Findings::new();
        let tree = self.tree().lock();
        let mut listed = Listed::default();
        for position in 0..tree.tasks.positions() {
            if let Some(task) = tree.tasks.at(position) {
                tree.audit_task(task, &mut listed, &mut findings);
            }
        }
        for position in 0..tree.groups.positions() {
            if let Some(group) = tree.groups.at(position) {
                tree.audit_group(group, &mut listed, &mut findings);
            }
        }
        tree.audit_lists(&listed, &mut findings);
        for position in 0..tree.pidfds.positions() {
            if let Some(pidfd) = tree.pidfds.at(position) {
                let nr = tree.pidfds[pidfd].pid.nr();
                findings.check(
                    tree.is_pidfd_sound(pidfd),
                    fmt!("a pidfd of {nr} is neither of a task nor of a reaped one"),
                );
            }
        }
        for position in 0..self.registry().positions() {
            if let Some(ns) = self.registry().at(position) {
                tree.audit_namespace(&ns, &mut findings);
            }
        }
        findings
    }
}

/// How many objects were met on lists where they belong, and how many belong on one.
#[derive(Default)]
struct Listed {
    threads: usize,
    children: usize,
    have_parent: usize,
    in_process_groups: usize,
    in_sessions: usize,
    stopped: usize,
    subreapers: usize,
    signals: usize,
}

impl Tree {
    fn audit_task(&self, index: Idx<Task>, listed: &mut Listed, findings: &mut Findings) {
        findings.tasks += 1;
        let task = &self.tasks[index];
        let nr = task.pid.nr();
        findings.check(
            self.task_of(&task.pid) == Some(index),
            fmt!("pid {nr} does not know its task"),
        );
        self.audit_pid(&task.pid, findings);
        listed.signals += task.pending.len(&self.queued);
        for child in task.children.iter(&self.groups) {
            let child = &self.groups[child];
            findings.check(
                child.parent == Parent::Task(index),
                fmt!(
                    "process {} is a child of {nr} and knows another parent",
                    child.tgid.nr()
                ),
            );
            findings.check(
                task.ns().is_ancestor_or_self(child.tgid.ns()),
                fmt!(
                    "process {} cannot be seen by its parent {nr}",
                    child.tgid.nr()
                ),
            );
            listed.children += 1;
        }
        findings.check(
            task.state != TaskState::Zombie || task.children.is_empty(),
            fmt!("task {nr} is dead and has children"),
        );
    }

    fn audit_group(&self, index: Idx<Group>, listed: &mut Listed, findings: &mut Findings) {
        let group = &self.groups[index];
        let nr = group.tgid.nr();
        let (mut all, mut live) = (0, 0);
        for thread in group.threads.iter(&self.tasks) {
            let thread = &self.tasks[thread];
            findings.check(
                thread.group == index,
                fmt!("thread {} is of another group than {nr}", thread.pid.nr()),
            );
            all += 1;
            live += u32::from(thread.is_alive());
        }
        listed.threads += all as usize;
        findings.check(
            (all, live) == (group.nr_threads, group.nr_live),
            fmt!("group {nr} has {all} threads, {live} alive, and counts others"),
        );
        let leader = group.leader.and_then(|leader| self.tasks.get(leader));
        findings.check(
            leader.is_some_and(|leader| core::ptr::eq(&*leader.pid, &*group.tgid)),
            fmt!("group {nr} has another number than its leader"),
        );
        findings.check(
            self.leader_of(&group.tgid) == Some(index),
            fmt!("pid {nr} does not know its group"),
        );
        // The list is gone through once, from its first member.
        let members = self.process_group(&group.pgid);
        if members.first() == Some(index) {
            for member in members.iter(&self.groups) {
                let same = core::ptr::eq(&*self.groups[member].pgid, &*group.pgid);
                findings.check(
                    same,
                    fmt!("a process is on the list of another group than its own"),
                );
                listed.in_process_groups += 1;
            }
        }
        let members = self.session(&group.sid);
        if members.first() == Some(index) {
            for member in members.iter(&self.groups) {
                let same = core::ptr::eq(&*self.groups[member].sid, &*group.sid);
                findings.check(
                    same,
                    fmt!("a process is on the list of another session than its own"),
                );
                listed.in_sessions += 1;
            }
        }
        listed.stopped += usize::from(group.is_stopped());
        listed.subreapers += usize::from(group.is_subreaper);
        listed.signals += group.pending.len(&self.queued);
        let handlers = self.handlers(index);
        let overlap = handlers.ignored.bits() & handlers.handled.bits();
        findings.check(
            overlap == 0,
            fmt!("process {nr} both ignores and handles signals {overlap:#x}"),
        );
        findings.check(
            !group.is_stopped() || group.group_exit.is_none(),
            fmt!("process {nr} is killed and still stopped"),
        );
        if group.pgid.has_numbers() {
            self.audit_pid(&group.pgid, findings);
        }
        if group.sid.has_numbers() {
            self.audit_pid(&group.sid, findings);
        }
        if group.parent == Parent::Outside {
            let dead = self.is_dead(index);
            findings.check(!dead, fmt!("process {nr} is dead and nobody will reap it"));
        } else {
            listed.have_parent += 1;
        }
    }

    /// Nothing was on a wrong list, and as many were on lists as belong there: so none is missing.
    fn audit_lists(&self, listed: &Listed, findings: &mut Findings) {
        let (tasks, groups) = (self.tasks.len(), self.groups.len());
        findings.check(
            listed.threads == tasks,
            fmt!("{tasks} tasks, {} on lists of threads", listed.threads),
        );
        findings.check(
            listed.children == listed.have_parent,
            fmt!(
                "{} processes have parents, {} are on their lists",
                listed.have_parent,
                listed.children
            ),
        );
        findings.check(
            listed.in_process_groups == groups,
            fmt!(
                "{groups} processes, {} in process groups",
                listed.in_process_groups
            ),
        );
        findings.check(
            listed.in_sessions == groups,
            fmt!("{groups} processes, {} in sessions", listed.in_sessions),
        );
        findings.check(
            (listed.stopped, listed.subreapers) == (self.nr_stopped, self.nr_subreapers),
            fmt!(
                "{} stopped processes and {} subreapers, and other counts",
                listed.stopped,
                listed.subreapers
            ),
        );
        let sighands = (0..self.sighands.positions()).filter_map(|at| self.sighands.at(at));
        let users = sighands.fold(0, |users, at| users + self.sighands[at].users as usize);
        findings.check(
            users == groups && self.sighands.len() <= groups,
            fmt!("{groups} processes, {users} that have dispositions of signals"),
        );
        findings.check(
            listed.signals == self.queued.len(),
            fmt!(
                "{} signals in queues, {} of somebody's",
                self.queued.len(),
                listed.signals
            ),
        );
    }

    /// A pid that is in use: every number of it names it.
    fn audit_pid(&self, pid: &Pid, findings: &mut Findings) {
        for ns in pid.ns().upwards() {
            findings.numbers += 1;
            let nr = pid.nr_ns(ns);
            let named = find_pid(ns, nr).is_some_and(|found| core::ptr::eq(&*found, pid));
            findings.check(
                named,
                fmt!("number {nr} at level {} names another pid", ns.level()),
            );
        }
    }

    fn audit_namespace(&self, ns: &Namespace, findings: &mut Findings) {
        let (id, counted) = (ns.id(), ns.nr_pids());
        let (mut held, mut alive, mut nr) = (0, 0, 0);
        while let Some((found, pid)) = find_pid_from(ns, nr) {
            nr = found + 1;
            // One that is being born or has just been given up has no user and is not counted.
            if !pid.is_unused() {
                held += 1;
                alive += u32::from(self.task_of(&pid).is_some());
                findings.check(
                    pid.nr_ns(ns) == found,
                    fmt!("number {found} of namespace {id} is another to its pid"),
                );
            }
        }
        findings.check(
            held == counted,
            fmt!("namespace {id} counts {counted} numbers and holds {held}"),
        );
        match Idx::from_raw(ns.child_reaper()) {
            // Its number may live on, in a process group that outsiders have joined.
            None => findings.check(
                alive == 0,
                fmt!("namespace {id} has {alive} tasks, no init"),
            ),
            Some(init) => {
                let is_first = self.tasks.get(init).is_some_and(|init| {
                    self.groups[init.group].tgid.nr_ns(ns) == 1 && core::ptr::eq(init.ns(), ns)
                });
                findings.check(is_first, fmt!("init of namespace {id} is not its pid 1"));
            }
        }
    }
}
