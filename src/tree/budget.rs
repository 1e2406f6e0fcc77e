// SPDX-License-Identifier: GPL-2.0

//! How many steps a hold of the tree lock has taken.
//!
//! A step is an object met on a list or by position, which [`Slots`](crate::base::slots::Slots) counts by
//! itself, or what a loop over something else counts with [`Tree::draw`]. Loops end when [`BUDGET`] is
//! used up ([`Tree::is_spent`]) and say where they stopped.
//!
//! # Locks
//!
//! Under the tree lock.

use super::Tree;

/// Steps after which a hold begins nothing more.
pub(crate) const BUDGET: u32 = 1024;

/// Steps that sending a signal counts as.
pub(crate) const SIGNAL_STEPS: u32 = 8;

/// Signals that a hold can send before room for their siginfo is checked again: each costs [`SIGNAL_STEPS`].
pub(crate) const ROOM_FOR_SIGNALS: usize = (BUDGET / SIGNAL_STEPS) as usize + 8;

impl Tree {
    /// Steps of all holds, this one included, modulo 2^32.
    #[inline]
    fn all_steps(&self) -> u32 {
        (self.tasks.met())
            .wrapping_add(self.groups.met())
            .wrapping_add(self.queued.met())
            .wrapping_add(self.pidfds.met())
            .wrapping_add(self.sighands.met())
            .wrapping_add(self.drawn.get())
    }

    /// Steps of this hold so far.
    #[inline]
    pub(crate) fn steps(&self) -> u32 {
        self.all_steps().wrapping_sub(self.steps_before.get())
    }

    /// A hold of the lock ends; returns its steps.
    #[inline]
    pub(crate) fn end_count(&self) -> u32 {
        let all = self.all_steps();
        all.wrapping_sub(self.steps_before.replace(all))
    }

    /// Counts steps of a loop that meets no objects of a store.
    #[inline]
    pub(crate) fn draw(&self, steps: u32) {
        self.drawn.set(self.drawn.get().wrapping_add(steps));
    }

    /// Whether the budget of this hold is used up, or many callers are to be woken: a loop stops here and
    /// says where it is.
    #[inline]
    pub(crate) fn is_spent(&self) -> bool {
        self.steps() >= BUDGET || self.wakes.are_many()
    }
}
