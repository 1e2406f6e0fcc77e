// SPDX-License-Identifier: GPL-2.0

//! Queued work: exits, signals to be taken, threads to be killed.
//!
//! Verbs queue work here; [`Tree::step`](crate::tree::Tree) does it, in `process/step.rs`, and
//! [`World::work_off`](crate::world::World) says when and in which thread, in `world/work.rs`.
//!
//! # Locks
//!
//! Under the tree lock.

use super::{budget::ROOM_FOR_SIGNALS, Tree};
use crate::{
    base::slots::{Idx, Spare},
    tree::group::Group,
    tree::pending::Queued,
    tree::shares::Share,
    tree::task::Task,
};

/// The work that is due next.
pub(crate) enum Due {
    /// A walk goes on, or the check of a process group.
    Walk,
    /// A task exits.
    Exit(Idx<Task>),
    /// A process has duties.
    Crowd(Idx<Group>),
    /// A thread takes signals.
    Signals(Idx<Task>),
    /// Threads of a killed process begin to exit.
    Kill(Idx<Group>),
}

impl Tree {
    /// Queues a task for [`Tree::step`].
    pub(crate) fn queue_work(&mut self, task: Idx<Task>) {
        let thread = &mut self.tasks[task];
        if thread.is_queued() {
            self.shares.meet(thread.share);
            return;
        }
        thread.share = self.shares.queue();
        if thread.is_alive() {
            self.taking.push_back(&mut self.tasks, task);
        } else {
            self.exiting.push_back(&mut self.tasks, task);
        }
    }

    /// Takes a task off the queue, if it is on it.
    #[inline]
    pub(crate) fn unqueue_work(&mut self, task: Idx<Task>) {
        if self.tasks[task].is_queued() {
            self.unqueue(task);
        }
    }

    fn unqueue(&mut self, task: Idx<Task>) {
        let thread = &self.tasks[task];
        self.shares.take_away(thread.share);
        if thread.is_alive() {
            self.taking.remove(&mut self.tasks, task);
        } else {
            self.exiting.remove(&mut self.tasks, task);
        }
    }

    /// Queues the killing of the live threads of a group: of all, or of all but the one that calls exec.
    pub(crate) fn begin_kill(&mut self, group: Idx<Group>) {
        if self.groups[group].is_killed() {
            self.shares.meet(self.groups[group].share);
        } else {
            self.share_group(group);
            self.killed.push_back(&mut self.groups, group);
        }
    }

    /// Queues the duties of a group.
    pub(crate) fn queue_crowd(&mut self, group: Idx<Group>) {
        if self.groups[group].is_crowded() {
            self.shares.meet(self.groups[group].share);
        } else {
            self.share_group(group);
            self.crowded.push_back(&mut self.groups, group);
        }
    }

    /// Counts a group that is about to be queued for its share; if it is queued already this is the same share.
    fn share_group(&mut self, group: Idx<Group>) {
        let group = &mut self.groups[group];
        if group.is_killed() || group.is_crowded() {
            self.shares.meet(group.share);
            self.shares.queue_also(group.share);
        } else {
            group.share = self.shares.queue();
        }
    }

    /// Takes a group that is gone off the queue.
    pub(super) fn unqueue_group(&mut self, group: Idx<Group>) {
        let (share, is_killed) = (self.groups[group].share, self.groups[group].is_killed());
        if is_killed {
            self.shares.unqueue(share);
            self.killed.remove(&mut self.groups, group);
        }
        if self.groups[group].is_crowded() {
            self.shares.unqueue(share);
            self.crowded.remove(&mut self.groups, group);
        }
    }

    /// Makes sure that the signals of a step can be queued with their siginfo, with memory from `room` if need be.
    /// False: fill `room` without the lock and try again. A signal that finds no room arrives without siginfo.
    #[inline]
    pub(crate) fn make_room_for_signals(&mut self, room: &mut Spare<Queued>) -> bool {
        self.has_room_for_signals() || self.grow_for_signals(room)
    }

    #[cold]
    fn grow_for_signals(&mut self, room: &mut Spare<Queued>) -> bool {
        while !self.has_room_for_signals() {
            if !self.queued.grow(room) {
                return false;
            }
        }
        true
    }

    /// Whether the signals of a step can be queued with what comes along.
    #[inline]
    pub(crate) fn has_room_for_signals(&self) -> bool {
        self.queued.room() >= ROOM_FOR_SIGNALS
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

    /// Has a thread take its pending signals as soon as it can (`signal_wake_up()`).
    pub(crate) fn signal_wake_up(&mut self, task: Idx<Task>) {
        self.tasks[task].is_told = true;
        self.queue_work(task);
    }

    /// Takes the work that is due next off the queue. Work that it causes belongs to the same share.
    pub(crate) fn next_work(&mut self) -> Option<Due> {
        // Walks and everything else take turns.
        self.walks_turn = !self.walks_turn && self.has_walks();
        if self.walks_turn {
            self.go_on_with_walk();
            return Some(Due::Walk);
        }
        if let Some(task) = self.exiting.first() {
            self.exiting.remove(&mut self.tasks, task);
            self.go_on_with(self.tasks[task].share);
            return Some(Due::Exit(task));
        }
        if let Some(group) = self.crowded.first() {
            self.crowded.remove(&mut self.groups, group);
            self.go_on_with(self.groups[group].share);
            return Some(Due::Crowd(group));
        }
        if let (Some(task), 0) = (self.taking.first(), self.half_done) {
            self.taking.remove(&mut self.tasks, task);
            self.go_on_with(self.tasks[task].share);
            return Some(Due::Signals(task));
        }
        let group = self.killed.first()?;
        self.killed.remove(&mut self.groups, group);
        self.go_on_with(self.groups[group].share);
        Some(Due::Kill(group))
    }

    /// Work of a share is no longer queued, but being done.
    fn go_on_with(&mut self, share: Share) {
        self.shares.unqueue(share);
        self.shares.go_on(share);
    }

    /// Whether a task exits or is about to be killed.
    pub(crate) fn has_exits(&self) -> bool {
        !self.killed.is_empty() || !self.exiting.is_empty()
    }
}
