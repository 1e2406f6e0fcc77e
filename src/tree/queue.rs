// SPDX-License-Identifier: GPL-2.0

//! The queue of what is left to be done: exits, signals to be taken, threads to be killed.
//!
//! Verbs queue such work here; [`Tree::step`](crate::tree::Tree) does it, in `process/step.rs`.
//!
//! # Locks
//!
//! Under the tree lock.

use super::{budget::ROOM_FOR_SIGNALS, Tree};
use crate::{
    base::slots::{Idx, Spare},
    tree::pending::Queued,
    tree::{
        call::Call,
        task::{Group, Task},
    },
};

impl Tree {
    /// Lets a task have its turn in [`Tree::step`].
    pub(crate) fn queue_work(&mut self, task: Idx<Task>) {
        if self.tasks[task].is_queued() {
            return;
        }
        if self.tasks[task].is_alive() {
            self.taking.push_back(&mut self.tasks, task);
        } else {
            self.exiting.push_back(&mut self.tasks, task);
        }
    }

    /// Takes a task off the list on which it waits for its turn.
    pub(crate) fn unqueue_work(&mut self, task: Idx<Task>) {
        if self.tasks[task].is_alive() {
            self.taking.remove(&mut self.tasks, task);
        } else {
            self.exiting.remove(&mut self.tasks, task);
        }
    }

    /// Live threads of a group begin to exit: all of them, or all but the one that calls exec.
    pub(crate) fn begin_kill(&mut self, group: Idx<Group>) {
        if !self.groups[group].is_killed() {
            self.killed.push_back(&mut self.groups, group);
        }
    }

    /// Makes sure that the signals of a step can be queued with what comes along, with `room` if need
    /// be. False: fill `room` without the lock and try again.
    pub(crate) fn make_room_for_signals(&mut self, room: &mut Spare<Queued>) -> bool {
        while self.queued.room() < ROOM_FOR_SIGNALS {
            if !self.queued.grow(room) {
                return false;
            }
        }
        true
    }

    /// Whether there is work left.
    #[inline]
    pub(crate) fn has_work(&self) -> bool {
        !self.exiting.is_empty()
            || !self.taking.is_empty()
            || !self.killed.is_empty()
            || !self.crowded.is_empty()
            || self.has_walks()
    }

    /// A thread takes what waits for it, as soon as it can (`signal_wake_up()`).
    pub(crate) fn signal_wake_up(&mut self, task: Idx<Task>) {
        if let Call::Vfork { is_signalled, .. } = &mut self.tasks[task].call {
            *is_signalled = true;
        }
        self.queue_work(task);
    }
}
