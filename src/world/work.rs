// SPDX-License-Identifier: GPL-2.0

//! Working off what verbs leave to be done: exits, signals to be taken, walks through process groups.
//!
//! A death can take any number of others with it, its children can be any number, and a signal can be
//! for everybody. So a verb only queues such work, and it is done in steps with the tree lock let go of
//! in between. Nothing recurses: what a step causes is queued as well.
//!
//! [`Work`](crate::world::hold::Work) has it done by the thread that has made the call, so that everything
//! that the call causes is done when it returns. If that thread is killed a work item of the world goes on
//! in its place (`kernel/workqueue.c`).
//!
//! What a step does is in `process/step.rs`, above this: a world is made with it ([`Step`]).
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Spare,
    tree::shares::Share,
    tree::Tree,
    world::hold::{self, Held},
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

/// Does one step of the queued work of a tree that has some.
pub(crate) type Step = fn(&mut Tree);

/// Whether the calling thread is being killed (`fatal_signal_pending()`).
pub(crate) fn is_killed() -> bool {
    let current = kernel::task::Task::current_raw();
    // SAFETY: The calling thread is there. Another CPU may be adding signals: it is one word.
    let pending = unsafe { (&raw const (*current).pending.signal.sig[0]).read_volatile() };
    kernel::current!().signal_pending() && pending >> (bindings::SIGKILL - 1) & 1 != 0
}

impl World {
    /// Does the work of a share that is left, or with `None` all of it, first in the hold that the caller
    /// has, and wakes those who wait for what has happened. On the way some of the other work is done, as
    /// all of it waits in the same lines. May sleep.
    pub(crate) fn work_off<'a>(&'a self, mut held: Held<'a>, share: Option<Share>) {
        let has_work = |tree: &Tree| match share {
            Some(share) => tree.has_work_of(share),
            None => tree.has_work(),
        };
        let mut room = Spare::new();
        // Without room a signal arrives all the same, and nothing that came along with it.
        let mut goes_without = false;
        loop {
            let tree = held.tree_mut();
            let mut lacks_room = false;
            while has_work(tree) && !tree.is_spent() && !lacks_room {
                lacks_room = !goes_without && !tree.make_room_for_signals(&mut room);
                if !lacks_room {
                    (self.step())(tree);
                }
            }
            let told = tree.take_news();
            let wakes = tree.take_wakeups();
            let post = tree.owes().then(|| tree.take_post());
            let is_done = !has_work(tree) && !tree.owes();
            let is_left = !is_done && is_killed();
            if let (Some(share), true) = (share, is_done || is_left) {
                tree.end_share(share);
            }
            drop(held);
            // A parent has its SIGCHLD before its wait returns (`do_notify_parent()`).
            if let Some(post) = post {
                post.send();
            }
            if let Some(wakes) = wakes {
                wakes.send(|key| self.queues().wake(key));
            }
            told.send();
            if is_done {
                return;
            }
            if is_left {
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
            this.work_off(this.tree(), None);
        }
    }
}
