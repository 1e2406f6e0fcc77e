// SPDX-License-Identifier: GPL-2.0

//! Holding the tree lock: for how long, and what has to be done before it is given up for good.
//!
//! # The bound
//!
//! Whatever user space has built, a hold takes no more than [`BOUND`] steps. A step is an object met on
//! a list or by position, which [`Slots`](crate::base::slots::Slots) counts by itself, or what a loop over
//! something else counts with [`Tree::draw`]. Loops end when [`BUDGET`] is used up
//! ([`Tree::is_spent`]) and say where they stopped; what cannot stop in the middle takes fewer steps than
//! lie between the two. Each hold is measured when it ends, and [`longest`] is the longest one since the
//! module was loaded.
//!
//! # The guards
//!
//! A [`Held`] lends the tree to be looked at. Only a [`Work`] lends it to be changed: what is queued
//! then (exits, signals to be taken, walks), with what comes of it, is worked off when it is dropped, and
//! those are woken that wait for what has happened. So no verb can forget either. What others have queued
//! is theirs to work off ([`shares`](crate::tree::shares)).
//!
//! # Locks
//!
//! The tree lock of a world. The lock of the longest hold is taken under it, seldom.

use crate::{
    base::slots::{Cookie, Idx, Spare},
    base::sync::{Atomic, Relaxed},
    reason::{Failure, Outcome},
    tree::call::Call,
    tree::pending::Queued,
    tree::task::{Task, TaskId},
    tree::wakeups::Key,
    tree::Tree,
    world::sleep::FOR_EVER,
    world::World,
};
use core::{
    ops::{Deref, DerefMut},
    panic::Location,
};
use kernel::{
    prelude::*,
    sync::lock::{spinlock::SpinLockBackend, Guard},
};

/// Steps that no hold goes beyond.
pub(crate) const BOUND: u32 = 4096;

/// The most steps of a hold so far.
static LONGEST: Atomic<u32> = Atomic::new(0);

kernel::sync::global_lock! {
    // SAFETY: Initialized in `init`, before there is a world.
    /// The longest hold, with the place that took the lock.
    unsafe(uninit) static LONGEST_AT: SpinLock<Option<(u32, &'static Location<'static>)>> = None;
}

/// Gets ready to measure.
///
/// # Safety
///
/// Called once, when the module is loaded.
pub(crate) unsafe fn init() {
    // SAFETY: By the safety requirements.
    unsafe { LONGEST_AT.init() };
}

/// The longest hold of a tree lock since the module was loaded: its steps, and the place that took the
/// lock.
pub(crate) fn longest() -> Option<(u32, &'static Location<'static>)> {
    *LONGEST_AT.lock()
}

/// A hold has ended.
#[inline]
fn measure(steps: u32, by: &'static Location<'static>) {
    if steps > LONGEST.load(Relaxed) {
        note_longest(steps, by);
    }
}

#[cold]
#[inline(never)]
fn note_longest(steps: u32, by: &'static Location<'static>) {
    let mut longest = LONGEST_AT.lock();
    if longest.is_none_or(|(most, _)| steps > most) {
        *longest = Some((steps, by));
        LONGEST.store(steps, Relaxed);
    }
}

/// The tree under its lock, to be looked at.
pub(crate) struct Held<'a> {
    tree: Guard<'a, Tree, SpinLockBackend>,
    by: &'static Location<'static>,
}

impl Deref for Held<'_> {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.tree
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        measure(self.tree.end_count(), self.by);
    }
}

/// The tree under its lock, to be changed. What is queued is worked off, and callers that wait are
/// woken, when this is dropped; that may sleep.
pub(crate) struct Work<'a> {
    world: &'a World,
    /// `None` once it is released.
    held: Option<Held<'a>>,
}

impl<'a> Work<'a> {
    /// A task, which is in no call, begins one. The lock has to be released before the call is dropped.
    #[inline(always)]
    pub(crate) fn begin_call(&mut self, task: Idx<Task>, call: Call) -> InCall<'a> {
        self.set_call(task, call);
        InCall {
            world: self.world,
            task: self.tasks().cookie(task),
        }
    }

    /// The task that an id names cannot act: waits if it will when its call is over, and else returns why
    /// not.
    ///
    /// # Errors
    ///
    /// `failure`; `EINTR` when a signal ends the wait.
    #[cold]
    fn wait_for_call(self, id: TaskId, failure: Failure) -> Outcome {
        let task = self.at_work(id).ok_or(failure)?;
        let key = Key::task(&self, task);
        self.sleep([key; 2], FOR_EVER)?;
        Ok(())
    }

    /// The world.
    pub(crate) fn world(&self) -> &'a World {
        self.world
    }

    /// Whether there is work that was queued in this hold, or came of it, or somebody to be told or woken.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.has_own_work() || self.owes() || self.has_wakeups()
    }

    /// Has all the work done that there is, also that of others. May sleep.
    pub(crate) fn work_off_all(mut self) {
        if let Some(mut held) = self.held.take() {
            held.tree_mut().end_hold();
            self.world.work_off(held, None);
        }
    }

    /// Releases the lock. There is no work of this hold, and nobody to be woken.
    pub(crate) fn release(mut self) -> &'a World {
        debug_assert!(!self.is_due());
        self.end_hold();
        self.held = None;
        self.world
    }
}

impl Deref for Work<'_> {
    type Target = Tree;

    #[inline]
    fn deref(&self) -> &Tree {
        self.held.as_ref().expect("altpid: the lock is held")
    }
}

impl DerefMut for Work<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Tree {
        &mut self.held.as_mut().expect("altpid: the lock is held").tree
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if self.held.is_none() {
            return;
        }
        let is_due = self.is_due() || self.events().has_news();
        if let Some(mut held) = self.held.take() {
            if is_due {
                let share = held.tree_mut().share();
                self.world.work_off(held, Some(share));
            } else {
                held.tree_mut().end_hold();
            }
        }
    }
}

impl Held<'_> {
    /// The tree, to do some of its work.
    pub(crate) fn tree_mut(&mut self) -> &mut Tree {
        &mut self.tree
    }
}

impl World {
    /// The tree, to be looked at.
    #[track_caller]
    #[inline]
    pub(crate) fn tree(&self) -> Held<'_> {
        Held {
            tree: self.locked().lock(),
            by: Location::caller(),
        }
    }

    /// The tree, to be changed.
    #[track_caller]
    #[inline]
    pub(crate) fn work(&self) -> Work<'_> {
        let mut held = self.tree();
        held.tree_mut().begin_hold();
        Work {
            world: self,
            held: Some(held),
        }
    }

    /// Likewise, with room for what comes along with a signal if there is memory. May sleep. `room` must
    /// outlive the guard: it is not freed under the lock.
    #[track_caller]
    pub(crate) fn work_with_room(&self, room: &mut Spare<Queued>) -> Work<'_> {
        loop {
            let mut tree = self.work();
            // Also for what working it off sends: else others come in between.
            if tree.make_room_for_signals(room) {
                return tree;
            }
            drop(tree);
            if room.fill().is_err() {
                return self.work();
            }
        }
    }

    /// The tree, to be changed, and the task that an id names, to do something itself. Waits for as long
    /// as the task is at work in another call.
    ///
    /// # Errors
    ///
    /// `ESRCH` when there is none, or none alive; `EBUSY` for one that is stopped, or asleep in a call;
    /// `EINTR` when a signal ends the wait.
    #[track_caller]
    #[inline(always)]
    pub(crate) fn act(&self, id: TaskId) -> Outcome<(Work<'_>, Idx<Task>)> {
        loop {
            let tree = self.work();
            match tree.find_actor(id) {
                Ok(task) => return Ok((tree, task)),
                Err(failure) => tree.wait_for_call(id, failure)?,
            }
        }
    }

    /// Likewise, with room for what comes along with a signal if there is memory. May sleep. `room` must
    /// outlive the guard: it is not freed under the lock.
    ///
    /// # Errors
    ///
    /// As [`World::act`].
    #[track_caller]
    pub(crate) fn act_with_room(
        &self,
        id: TaskId,
        room: &mut Spare<Queued>,
    ) -> Outcome<(Work<'_>, Idx<Task>)> {
        loop {
            let tree = self.work_with_room(room);
            match tree.find_actor(id) {
                Ok(task) => return Ok((tree, task)),
                Err(failure) => tree.wait_for_call(id, failure)?,
            }
        }
    }

    /// Begins a call of a task that takes more than one hold of the lock. Nobody else acts for the task
    /// until the call is over; what others do to it goes on.
    ///
    /// # Errors
    ///
    /// As [`World::act`].
    #[track_caller]
    pub(crate) fn enter(&self, id: TaskId) -> Outcome<(InCall<'_>, Work<'_>, Idx<Task>)> {
        let (mut tree, task) = self.act(id)?;
        let call = tree.begin_call(task, Call::Working);
        // The lock goes first when all of this is dropped in the order of a pattern.
        Ok((call, tree, task))
    }
}

impl World {
    /// A member begins a call of its own that takes more than one hold of the lock.
    ///
    /// # Errors
    ///
    /// `ESRCH` for one that is about to die.
    #[track_caller]
    pub(crate) fn enter_member(&self, id: TaskId) -> Outcome<(InCall<'_>, Work<'_>, Idx<Task>)> {
        let mut tree = self.work();
        let task = tree.find_member(id)?;
        let call = tree.begin_call(task, Call::Working);
        Ok((call, tree, task))
    }
}

/// A call that a task is in, and that ends when this is dropped.
#[must_use]
pub(crate) struct InCall<'a> {
    world: &'a World,
    task: Cookie<Task>,
}

impl<'a> InCall<'a> {
    /// The tree, to be changed, and the task, which has to be fit to go on.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it has begun to exit, or is about to.
    #[track_caller]
    #[inline(always)]
    pub(crate) fn go_on(&self) -> Outcome<(Work<'a>, Idx<Task>)> {
        let tree = self.world.work();
        let task = self.task(&tree)?;
        Ok((tree, task))
    }

    /// The task, which has to be fit to go on.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it has begun to exit, or is about to.
    pub(crate) fn task(&self, tree: &Tree) -> Outcome<Idx<Task>> {
        tree.find_caller(self.task)
    }

    /// Ends the call in the hold that the caller has.
    pub(crate) fn end(self, tree: &mut Tree) {
        tree.end_call(self.task);
        core::mem::forget(self);
    }

    /// The call stays when this is gone: something else ends it ([`Call::Exec`], [`Call::Vfork`]).
    pub(crate) fn leave_to_others(self) {
        core::mem::forget(self);
    }
}

impl Drop for InCall<'_> {
    fn drop(&mut self) {
        self.world.work().end_call(self.task);
    }
}
