// SPDX-License-Identifier: GPL-2.0

//! Threads of members that have exited, and whom their tracers are to wait for first.
//!
//! `kernel/exit.c`: `exit_notify()`, `wait_task_zombie()`: a traced zombie is its tracer's, and is its parent's when
//! that has waited for it, lets it go, or exits. A traced thread that is no leader stays a zombie likewise.
//!
//! # Locks
//!
//! Under the tree lock.
//!
//! # Invariants
//!
//! - A body is on [`Tree::held`] as long as it has a [`Hold`].

use super::{
    bodies::Body,
    group::Group,
    task::{chain, Task, TaskId, TaskState},
    Tree,
};
use crate::{
    base::slots::{
        chain::{Link, Member},
        Idx,
    },
    native::NativeNr,
};

/// A thread that has exited, or is about to, is its tracer's.
#[derive(Clone, Copy)]
pub(super) struct Hold {
    tracer: TaskId,
    task: TaskId,
}

impl Member<chain::Held> for Body {
    fn link(&self) -> &Link<Self> {
        &self.held
    }
    fn link_mut(&mut self) -> &mut Link<Self> {
        &mut self.held
    }
}

impl Tree {
    /// A thread that begins to exit is its tracer's first, unless that exits as well; true if it is.
    pub(crate) fn hold(&mut self, task: Idx<Task>, tracer: TaskId) -> bool {
        let is_there = |&other: &Idx<Task>| self.tasks[other].is_alive();
        let is_there = self.tasks.find(tracer).as_ref().is_some_and(is_there);
        let Some(body) = self.tasks[task].body.filter(|_| is_there) else {
            return false;
        };
        let task = self.tasks.id(task);
        if self.bodies[body]
            .hold
            .replace(Hold { tracer, task })
            .is_none()
        {
            self.held.push_back(&mut self.bodies, body);
        }
        true
    }

    /// A thread is its tracer's no longer; false if it was nobody's.
    pub(crate) fn unhold(&mut self, task: Idx<Task>) -> bool {
        let Some(body) = self.tasks[task].body else {
            return false;
        };
        let was_held = self.bodies[body].hold.take().is_some();
        if was_held {
            self.held.remove(&mut self.bodies, body);
        }
        was_held
    }

    /// Whether a thread is its tracer's.
    pub(crate) fn is_held(&self, task: Idx<Task>) -> bool {
        let body = self.tasks[task].body;
        !self.held.is_empty() && body.is_some_and(|body| self.bodies[body].hold.is_some())
    }

    /// Whether the leader of a process is its tracer's.
    pub(crate) fn is_leader_held(&self, group: Idx<Group>) -> bool {
        let leader = self.groups[group].leader;
        leader.is_some_and(|leader| self.is_held(leader))
    }

    /// Whether the parent of a process can reap it: it is dead, and not its tracer's.
    pub(crate) fn is_reapable(&self, group: Idx<Group>) -> bool {
        self.is_dead(group) && !self.is_leader_held(group)
    }

    /// A thread of a tracer's in a process that the kernel does not have any more, with what that has called it.
    pub(crate) fn held_and_gone(&self, tracers: Idx<Group>) -> Option<(Idx<Task>, NativeNr)> {
        let mut held = self.held.iter(&self.bodies);
        held.find_map(|body| {
            let body = &self.bodies[body];
            let tracer = self.tasks.find(body.hold?.tracer)?;
            let native = body.native.as_ref()?;
            let is_one = self.tasks[tracer].group == tracers && !native.is_there();
            let task = self.tasks.find(body.hold?.task)?;
            is_one.then(|| (task, native.nr()))
        })
    }

    /// The first thread that is this tracer's.
    pub(crate) fn held_by(&self, tracer: TaskId) -> Option<Idx<Task>> {
        let mut holds = (self.held.iter(&self.bodies)).filter_map(|body| self.bodies[body].hold);
        let hold = holds.find(|hold| hold.tracer == tracer)?;
        self.tasks.find(hold.task)
    }

    /// Dead threads of a process that are not its leader.
    pub(crate) fn nr_held(&self, group: Idx<Group>) -> u32 {
        let leader = self.groups[group].leader;
        let holds = (self.held.iter(&self.bodies)).filter_map(|body| self.bodies[body].hold);
        let is_one = |task: &Idx<Task>| {
            let state = self.tasks[*task].state;
            self.tasks[*task].group == group && state == TaskState::Zombie && leader != Some(*task)
        };
        let held = holds.filter_map(|hold| self.tasks.find(hold.task));
        held.filter(is_one).count() as u32
    }
}
