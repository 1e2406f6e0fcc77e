// SPDX-License-Identifier: GPL-2.0

//! Counts of references that saturate.
//!
//! `include/linux/refcount.h`: a count that would wrap, be raised from 0 or fall below it warns, and
//! is from then on somewhere between [`MAX`] and `u32::MAX`, near `REFCOUNT_SATURATED`, whatever is
//! added and taken away: what it counts for is never freed. The kernel crate's `Refcount` calls a C
//! function for each operation; these are in line, and go to the kernel's `refcount_warn_saturate()`
//! when something is wrong.

use crate::base::sync::{
    refcount_warn_saturate, Acquire, Atomic, Full, Relaxed, Release, Saturation,
};

/// The most references that are counted (`REFCOUNT_MAX`).
pub(crate) const MAX: u32 = i32::MAX as u32;

/// How many references there are (`refcount_t`).
#[repr(transparent)]
pub(crate) struct RefCount(Atomic<u32>);

impl RefCount {
    /// So many.
    pub(crate) const fn new(count: u32) -> Self {
        Self(Atomic::new(count))
    }

    /// One more, by who has one (`refcount_inc()`).
    #[inline(always)]
    pub(crate) fn inc(&self) {
        let old = self.0.fetch_add(1, Relaxed);
        if !(1..MAX).contains(&old) {
            self.saturate(if old == 0 {
                Saturation::AddUaf
            } else {
                Saturation::AddOvf
            });
        }
    }

    /// One more, if there is any (`refcount_inc_not_zero_acquire()`): who is given one sees what was
    /// written before [`RefCount::set`]. Fully ordered then. Litmus test: MP+take-pid.
    #[inline]
    pub(crate) fn inc_not_zero(&self) -> bool {
        let mut old = self.0.load(Acquire);
        while old != 0 {
            match self.0.cmpxchg(old, old.wrapping_add(1), Full) {
                Ok(_) => {
                    if old >= MAX {
                        self.saturate(Saturation::AddNotZeroOvf);
                    }
                    return true;
                }
                Err(now) => old = now,
            }
        }
        false
    }

    /// One less; says whether it was the last (`refcount_dec_and_test()`). Fully ordered.
    #[inline(always)]
    #[must_use]
    pub(crate) fn dec_and_test(&self) -> bool {
        let old = self.0.fetch_sub(1, Full);
        if old == 1 {
            return true;
        }
        if !(1..=MAX).contains(&old) {
            self.saturate(Saturation::SubUaf);
        }
        false
    }

    /// Begins to count, for an object that nobody has a reference to
    /// (`refcount_set_release()`). Litmus test: MP+take-pid.
    #[inline]
    pub(crate) fn set(&self, count: u32) {
        self.0.store(count, Release);
    }

    #[cold]
    #[inline(never)]
    fn saturate(&self, why: Saturation) {
        refcount_warn_saturate(&self.0, why);
    }
}
