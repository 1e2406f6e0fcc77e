// SPDX-License-Identifier: GPL-2.0

//! What an audit checks of each object.
//!
//! # Locks
//!
//! Under the tree lock.

use super::{Audit, List, Numbers};
use crate::{
    base::slots::Idx,
    pid::{find_pid, Pid},
    tree::group::{Group, JobState, Parent},
    tree::task::{Task, TaskState},
    tree::{News, Tree},
};
use kernel::prelude::*;

impl Audit {
    /// A task; returns how many objects and numbers that were.
    pub(super) fn task(&mut self, tree: &Tree, index: Idx<Task>) -> usize {
        self.findings.tasks += 1;
        let task = &tree.tasks()[index];
        let nr = task.pid().nr();
        self.findings.check(
            tree.task_of(task.pid()) == Some(index),
            fmt!("pid {nr} does not know its task"),
        );
        let signals = task.pending().len(tree.queued());
        self.listed.signals += signals;
        self.findings.check(
            task.state() != TaskState::Zombie || task.children().is_empty(),
            fmt!("task {nr} is dead and has children"),
        );
        for first in task.news().iter().flatten() {
            let its =
                (tree.groups().get(*first)).is_some_and(|c| c.parent() == Parent::Task(index));
            self.findings.check(
                its,
                fmt!("task {nr} would look first at a child that is not its own"),
            );
        }
        self.lists[0] = (task.children().first()).map(|first| List::Children(index, first));
        1 + self.pid(task.pid())
    }

    /// A child on the list of a task.
    pub(super) fn child(&mut self, tree: &Tree, index: Idx<Task>, child: Idx<Group>) {
        let (task, group) = (&tree.tasks()[index], &tree.groups()[child]);
        let (nr, child_nr) = (task.pid().nr(), group.tgid().nr());
        self.findings.check(
            group.parent() == Parent::Task(index),
            fmt!("process {child_nr} is a child of {nr} and knows another parent"),
        );
        self.findings.check(
            task.ns().is_ancestor_or_self(group.tgid().ns()),
            fmt!("process {child_nr} cannot be seen by its parent {nr}"),
        );
        let next = task.children().next(tree.groups(), child);
        self.findings.check(
            next.is_none_or(|next| tree.groups()[next].place() > group.place()),
            fmt!("process {child_nr} is behind its place among the children of {nr}"),
        );
        for news in News::ALL {
            let first = task.news()[news as usize].and_then(|first| tree.groups().get(first));
            let is_met = first.is_some_and(|first| first.place() <= group.place());
            self.findings.check(
                is_met || tree.news_of(child) != Some(news),
                fmt!("process {child_nr} has something to tell, which {nr} would not hear"),
            );
        }
        self.listed.children += 1;
    }

    /// A process; returns how many objects and numbers that were.
    pub(super) fn group(&mut self, tree: &Tree, index: Idx<Group>) -> usize {
        let group = &tree.groups()[index];
        let nr = group.tgid().nr();
        let findings = &mut self.findings;
        let leader = group.leader().and_then(|leader| tree.tasks().get(leader));
        findings.check(
            leader.is_some_and(|leader| leader.pid().is(group.tgid())),
            fmt!("group {nr} has another number than its leader"),
        );
        findings.check(
            tree.leader_of(group.tgid()) == Some(index),
            fmt!("pid {nr} does not know its group"),
        );
        let handlers = tree.handlers(index);
        let overlap = handlers.ignored().bits() & handlers.handled().bits();
        findings.check(
            overlap == 0,
            fmt!("process {nr} both ignores and handles signals {overlap:#x}"),
        );
        findings.check(
            matches!(group.job(), JobState::Running | JobState::Continued)
                || group.exit_status().is_none(),
            fmt!("process {nr} is killed and still stopped"),
        );
        if group.parent() == Parent::Outside {
            let dead = tree.is_dead(index);
            findings.check(!dead, fmt!("process {nr} is dead and nobody will reap it"));
        } else {
            self.listed.have_parent += 1;
        }
        let signals = group.pending().len(tree.queued());
        self.listed.stopped += usize::from(group.is_stopped());
        self.listed.subreapers += usize::from(group.is_subreaper());
        self.listed.signals += signals;
        self.listed.counted_deferring += tree.nr_deferring(index) as usize;
        let threads = group.threads().first();
        let exiting = tree.crowd(index).and_then(|crowd| crowd.exiting().first());
        self.lists[0] = (threads.or(exiting)).map(|first| List::Threads(index, first, 0, 0));
        // These lists are gone through once, from their first members.
        let in_group = tree.process_group(group.pgid()).first() == Some(index);
        self.lists[1] = in_group.then_some(List::ProcessGroup(index, index));
        let in_session = tree.session(group.sid()).first() == Some(index);
        self.lists[2] = in_session.then_some(List::Session(index, index));
        let mut looked_at = 1;
        for pid in [group.pgid(), group.sid()] {
            if pid.has_numbers() {
                looked_at += self.pid(pid);
            }
        }
        looked_at
    }

    /// A thread on the list of a process; returns how many were met so far, and of them alive.
    pub(super) fn thread(
        &mut self,
        tree: &Tree,
        index: Idx<Group>,
        thread: Idx<Task>,
        all: u32,
        live: u32,
    ) -> (u32, u32) {
        let nr = tree.groups()[index].tgid().nr();
        let thread = &tree.tasks()[thread];
        self.findings.check(
            thread.group() == index,
            fmt!("thread {} is of another group than {nr}", thread.pid().nr()),
        );
        let is_counted = tree.crowd(index).is_some();
        self.listed.deferring += usize::from(is_counted && thread.call().defers_signals());
        (all + 1, live + u32::from(thread.is_alive()))
    }

    /// All threads of a process were met.
    pub(super) fn count_threads(&mut self, tree: &Tree, index: Idx<Group>, all: u32, live: u32) {
        let group = &tree.groups()[index];
        let nr = group.tgid().nr();
        self.findings.check(
            (all, live) == (group.nr_threads(), group.nr_live()),
            fmt!("group {nr} has {all} threads, {live} alive, and counts others"),
        );
        self.listed.threads += all as usize;
    }

    /// A member on the list of a process group.
    pub(super) fn member(&mut self, tree: &Tree, first: Idx<Group>, member: Idx<Group>) {
        let (pgrp, nr) = (
            tree.groups()[first].pgid(),
            tree.groups()[member].tgid().nr(),
        );
        self.findings.check(
            tree.groups()[member].pgid().is(pgrp),
            fmt!("a process is on the list of another group than its own"),
        );
        let first = &tree.groups()[first];
        self.findings.check(
            first.pgrp_controlled().is_some() || !tree.is_controlled(member),
            fmt!("process {nr} is controlled, in a group that is taken for orphaned"),
        );
        self.findings.check(
            first.pgrp_stopped() > 0 || !tree.groups()[member].is_stopped(),
            fmt!("process {nr} is stopped, in a group where nobody is taken for it"),
        );
        self.listed.in_process_groups += 1;
    }

    /// Nothing was on a wrong list, and as many were on lists as belong there: so none is missing.
    pub(super) fn compare(&mut self, tree: &Tree) {
        let (listed, findings) = (&self.listed, &mut self.findings);
        let (tasks, groups) = (tree.tasks().len(), tree.groups().len());
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
            (listed.stopped, listed.subreapers) == (tree.nr_stopped(), tree.nr_subreapers()),
            fmt!(
                "{} stopped processes and {} subreapers, and other counts",
                listed.stopped,
                listed.subreapers
            ),
        );
        // Execs under way have room for some.
        let kept = tree.kept_sighands();
        findings.check(
            listed.deferring == listed.counted_deferring,
            fmt!(
                "{} calls defer signals, and processes count {}",
                listed.deferring,
                listed.counted_deferring
            ),
        );
        let users = listed.users_of_sighands;
        findings.check(
            users == groups + kept && tree.sighands().len() <= groups + kept,
            fmt!("{groups} processes, {users} that have dispositions of signals"),
        );
        findings.check(
            listed.signals == tree.queued().len(),
            fmt!(
                "{} signals in queues, {} of somebody's",
                tree.queued().len(),
                listed.signals
            ),
        );
    }

    /// A pid that is in use: every number of it names it. Returns how many they are.
    fn pid(&mut self, pid: &Pid) -> usize {
        for ns in pid.ns().upwards() {
            self.findings.numbers += 1;
            let nr = pid.nr_ns(ns);
            let named = find_pid(ns, nr).is_some_and(|found| core::ptr::eq(&*found, pid));
            self.findings.check(
                named,
                fmt!("number {nr} at level {} names another pid", ns.level()),
            );
        }
        pid.ns().level() + 1
    }

    /// A number that a namespace holds.
    pub(super) fn number(&mut self, tree: &Tree, numbers: &mut Numbers, nr: i32, pid: &Pid) {
        numbers.next = nr + 1;
        // One that is being born or has just been given up has no user and is not counted.
        if !pid.is_unused() {
            numbers.held += 1;
            numbers.alive += u32::from(tree.task_of(pid).is_some());
            let id = numbers.ns.id();
            self.findings.check(
                pid.nr_ns(&numbers.ns) == nr,
                fmt!("number {nr} of namespace {id} is another to its pid"),
            );
        }
    }

    /// All numbers of a namespace were looked at.
    pub(super) fn namespace(&mut self, tree: &Tree, numbers: &Numbers) {
        let ns = &numbers.ns;
        let (id, counted) = (ns.id(), ns.nr_pids());
        let init = Idx::from_raw(ns.child_reaper());
        if let Some(init) = init {
            let is_first = tree.tasks().get(init).is_some_and(|init| {
                tree.groups()[init.group()].tgid().nr_ns(ns) == 1 && core::ptr::eq(init.ns(), &**ns)
            });
            (self.findings).check(is_first, fmt!("init of namespace {id} is not its pid 1"));
        }
        if numbers.since != tree.changes() {
            self.findings.skipped += 1;
            return;
        }
        let (held, alive) = (numbers.held, numbers.alive);
        self.findings.check(
            held == counted,
            fmt!("namespace {id} counts {counted} numbers and holds {held}"),
        );
        // Its number may live on, in a process group that outsiders have joined.
        self.findings.check(
            init.is_some() || alive == 0,
            fmt!("namespace {id} has {alive} tasks, no init"),
        );
    }
}
