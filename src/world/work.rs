// SPDX-License-Identifier: GPL-2.0

//! Working off what verbs leave to be done: exits, signals to be taken, walks through process groups.
//!
//! A death can take any number of others with it, its children can be any number, and a signal can be
//! for everybody. So a verb only queues such work, and it is done in steps with the tree lock let go of
//! in between. Nothing recurses: what a step causes is queued as well.
//!
//! [`Work`](crate::world::hold::Work) has it done by the thread that has made the call, so that everything is done
//! when a call returns. If that thread is killed a work item of the world goes on in its place
//! (`kernel/workqueue.c`).
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
    base::slots::{Idx, Spare},
    tree::pending::Queued,
    tree::task::{Fate, Group, Task, TaskState},
    tree::Tree,
    world::hold::{self, Held, ROOM_FOR_SIGNALS},
    world::World,
};
use core::ptr::null_mut;
use kernel::{
    bindings,
    prelude::*,
    sync::Arc,
    task::might_sleep,
    workqueue::{self, Queue, WorkItem},
};

/// The queue for the work items of worlds, as long as the module is loaded.
pub(crate) struct Workers(());

/// See [`Workers`].
static QUEUE: crate::base::sync::Atomic<*mut bindings::workqueue_struct> =
    crate::base::sync::Atomic::new(null_mut());

impl Workers {
    /// Makes the queue. Called once, when the module is loaded.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: Called once, by the module's init, before there is a world.
        unsafe { hold::init() };
        // SAFETY: The name has no conversions, so that no more arguments are looked at.
        let queue = unsafe {
            bindings::alloc_workqueue_noprof(
                c"altpid".as_char_ptr(),
                bindings::wq_flags_WQ_UNBOUND,
                0,
            )
        };
        if queue.is_null() {
            return Err(ENOMEM);
        }
        QUEUE.store(queue, crate::base::sync::Release);
        Ok(Self(()))
    }
}

impl Drop for Workers {
    /// Waits for the work items that are under way.
    fn drop(&mut self) {
        let queue = QUEUE.load(crate::base::sync::Acquire);
        // SAFETY: `new` made it, and no file of the device is open that could queue more.
        unsafe { bindings::destroy_workqueue(queue) };
    }
}

/// The queue for work items, as long as there is a world.
pub(crate) fn queue<'a>() -> &'a Queue {
    // SAFETY: The queue is there as long as a world; see `Workers`.
    unsafe { Queue::from_raw(QUEUE.load(crate::base::sync::Acquire)) }
}

/// Whether the calling thread is being killed (`fatal_signal_pending()`).
pub(crate) fn is_killed() -> bool {
    let current = kernel::task::Task::current_raw();
    // SAFETY: The calling thread is there. Another CPU may be adding signals: it is one word.
    let pending = unsafe { (&raw const (*current).pending.signal.sig[0]).read_volatile() };
    kernel::current!().signal_pending() && pending >> (bindings::SIGKILL - 1) & 1 != 0
}

impl World {
    /// Does the work that is left, first in the hold that the caller has, and wakes those who wait for
    /// what has happened. May sleep.
    pub(crate) fn work_off<'a>(&'a self, mut held: Held<'a>) {
        let mut room = Spare::new();
        // Without room a signal arrives all the same, and nothing that came along with it.
        let mut goes_without = false;
        loop {
            let tree = held.tree_mut();
            let mut lacks_room = false;
            while tree.has_work() && !tree.is_spent() && !lacks_room {
                lacks_room = !goes_without && !tree.make_room_for_signals(&mut room);
                if !lacks_room {
                    tree.step();
                }
            }
            let told = tree.take_news();
            let wakes = tree.wakes.take();
            let post = tree.owes().then(|| tree.take_post());
            let is_done = !tree.has_work() && !tree.owes();
            drop(held);
            wakes.send(self.queues());
            told.send();
            if let Some(post) = post {
                post.send();
            }
            if is_done {
                return;
            }
            if is_killed() {
                self.hand_over();
                return;
            }
            might_sleep();
            goes_without = lacks_room && room.fill().is_err();
            held = self.tree();
        }
    }

    /// Has the work that is left done by the world's work item.
    fn hand_over(&self) {
        // It is queued already: then it will find this work too.
        let _ = queue().enqueue(self.to_arc());
    }
}

workqueue::impl_has_work! {
    impl HasWork<World> for World { self.work_item }
}

impl WorkItem for World {
    type Pointer = Arc<World>;

    fn run(this: Arc<World>) {
        // The last close of the device ends the world; nobody is left to see its work done.
        if !this.is_closed() {
            this.work_off(this.tree());
        }
    }
}

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
    fn make_room_for_signals(&mut self, room: &mut Spare<Queued>) -> bool {
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

    /// Does some of the work that is left: one thing, or a part of it.
    pub(crate) fn step(&mut self) {
        self.draw(1);
        // Walks and everything else take turns.
        self.walks_turn = !self.walks_turn && self.has_walks();
        if self.walks_turn {
            self.step_walk();
        } else if let Some(task) = self.exiting.first() {
            self.exiting.remove(&mut self.tasks, task);
            self.step_exit(task);
        } else if let Some(group) = self.crowded.first() {
            self.crowded.remove(&mut self.groups, group);
            self.step_crowd(group);
        } else if let (Some(task), 0) = (self.taking.first(), self.half_done) {
            self.taking.remove(&mut self.tasks, task);
            self.take_signals(task);
        } else if let Some(group) = self.killed.first() {
            self.killed.remove(&mut self.groups, group);
            self.kill_threads(group);
        }
    }

    /// A task that is exiting does some of that.
    fn step_exit(&mut self, task: Idx<Task>) {
        match self.tasks[task].state {
            TaskState::Exiting => self.exit(task),
            TaskState::Zapping { next } => self.zap(task, next),
            TaskState::ZapWait => self.zap_wait(task),
            TaskState::Running | TaskState::Zombie => {}
        }
    }

    /// Makes some live threads of a killed group exit, and queues it again if there are more.
    fn kill_threads(&mut self, group: Idx<Group>) {
        if let Fate::Exec(exec) = self.groups[group].fate {
            if self.go_on_with_exec(exec) {
                return;
            }
        }
        let (status, spared) = match self.groups[group].fate {
            Fate::Exiting(status) => (status, None),
            // As do_group_exit() has it for the other threads of an exec.
            Fate::Exec(exec) => (0, Some(self.execs[exec].task())),
            // It was killed for an exec that is over.
            Fate::Alive => return,
        };
        // Threads that exit leave the list of the live ones, so that the next one is at its beginning,
        // or behind the one that is spared.
        for _ in 0..PIECE {
            let live = &self.groups[group].threads;
            let first = live.first();
            let next = match (first, spared) {
                (Some(first), Some(spared)) if first == spared => live.next(&self.tasks, first),
                _ => first,
            };
            let Some(task) = next.filter(|&task| self.tasks[task].is_alive()) else {
                return;
            };
            self.begin_exit(task, status);
        }
        self.begin_kill(group);
    }
}

/// Threads of a killed group that begin to exit at a time.
const PIECE: usize = 64;
