// SPDX-License-Identifier: GPL-2.0

//! Steps of queued work, which verbs leave to be done: exits, signals to be taken, walks through process groups.
//!
//! When they are done, and by which thread, is in [`work`](crate::world::work).
//!
//! # Order
//!
//! Walks and exits take turns, so that a large one does not hold up others. Signals are taken when no
//! exit is half done: natively an exit is one hold of `tasklist_lock`, and takes effect on others when
//! that is over. Threads of killed processes begin to exit when nothing else is left, a few at a time.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    tree::fate::Fate,
    tree::group::Group,
    tree::queue::Due,
    tree::task::{Task, TaskState},
    tree::Tree,
};

/// Threads of a killed group that begin to exit at a time.
const KILLED_AT_ONCE: usize = 64;

impl Tree {
    /// Does one step of the queued work.
    pub(crate) fn step(&mut self) {
        self.draw(1);
        match self.next_work() {
            Some(Due::Walk) => self.step_walk(),
            Some(Due::Exit(task)) => self.step_exit(task),
            Some(Due::Crowd(group)) => self.step_crowd(group),
            Some(Due::Signals(task)) => self.take_signals(task),
            Some(Due::Kill(group)) => self.kill_threads(group),
            None => {}
        }
    }

    /// Does a step of the exit of a task.
    fn step_exit(&mut self, task: Idx<Task>) {
        match self.tasks()[task].state() {
            TaskState::Exiting => self.exit(task),
            TaskState::Zapping { next } => self.zap(task, next),
            TaskState::ZapWait => self.zap_wait(task),
            TaskState::Running | TaskState::Zombie => {}
        }
    }

    /// Makes some live threads of a killed group exit, and queues it again if there are more.
    fn kill_threads(&mut self, group: Idx<Group>) {
        if let Fate::Exec(exec) = self.groups()[group].fate() {
            if self.go_on_with_exec(exec) {
                return;
            }
        }
        let (status, spared) = match self.groups()[group].fate() {
            Fate::Exiting(status) => (status, None),
            // As do_group_exit() has it for the other threads of an exec.
            Fate::Exec(exec) => (0, Some(self.execs()[exec].task())),
            // It was queued to be killed for an exec that is over.
            Fate::Alive => return,
        };
        // Threads that exit leave the list of the live ones, so that the next one is at its beginning,
        // or behind the one that is spared.
        for _ in 0..KILLED_AT_ONCE {
            let live = &self.groups()[group].threads();
            let first = live.first();
            let next = match (first, spared) {
                (Some(first), Some(spared)) if first == spared => live.next(self.tasks(), first),
                _ => first,
            };
            let Some(task) = next.filter(|&task| self.tasks()[task].is_alive()) else {
                return;
            };
            self.begin_exit(task, status);
        }
        self.begin_kill(group);
    }
}
