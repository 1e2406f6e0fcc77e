// SPDX-License-Identifier: GPL-2.0

//! Where a namespace is in its life: who is its init, and whether numbers are given out.
//!
//! Both are in one word. An allocation looks at it without a lock, while init may exit and be
//! reaped; of two words it could read one as it was before that and the other as it is afterwards,
//! and take a dead namespace for one that waits for its init.
//!
//! # Locks
//!
//! Changed under the tree lock of the world, read without.

use crate::base::sync::{Atomic, Full, Relaxed};

/// Numbers may be given out (`PIDNS_ADDING`). Below it is init, as the tree's raw index.
const ADDING: u64 = 1 << 32;

/// `PIDNS_ADDING` and `child_reaper` of `struct pid_namespace`.
pub(crate) struct Life(Atomic<u64>);

/// A [`Life`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// Whether numbers may be given out.
    pub(crate) is_adding: bool,
    /// The task that is init, as the tree's raw index; 0 before there is one and after.
    pub(crate) child_reaper: u32,
}

/// What a namespace says to a number that was reserved in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It may be used.
    Welcome,
    /// There is no init yet, and this would not be it.
    NotInit,
    /// Init has exited.
    Dead,
}

impl Life {
    /// Of a namespace that waits for its init.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(ADDING))
    }

    /// Where it is.
    #[inline]
    pub(crate) fn stage(&self) -> Stage {
        let word = self.0.load(Relaxed);
        Stage {
            is_adding: word & ADDING != 0,
            child_reaper: word as u32,
        }
    }

    /// What to do with number `nr`, which was reserved with a full barrier. Partner:
    /// [`Life::disable`]. Litmus test: SB+reserve-dead.
    #[inline]
    pub(crate) fn answer(&self, nr: u32) -> Answer {
        let stage = self.stage();
        if !stage.is_adding {
            Answer::Dead
        } else if nr != 1 && stage.child_reaper == 0 {
            Answer::NotInit
        } else {
            Answer::Welcome
        }
    }

    /// Forbids allocation for ever: init is gone. Called under the tree lock.
    ///
    /// Full: who looks at the map after this finds each number that somebody reserved without
    /// seeing that the namespace is dead.
    pub(crate) fn disable(&self) {
        let word = self.0.load(Relaxed);
        self.0.xchg(word & !ADDING, Full);
    }

    /// Changes who is init, 0 for nobody. Called under the tree lock.
    pub(crate) fn set_child_reaper(&self, task: u32) {
        let word = self.0.load(Relaxed);
        self.0.store((word & ADDING) | u64::from(task), Relaxed);
    }
}
