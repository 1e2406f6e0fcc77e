// SPDX-License-Identifier: GPL-2.0

//! What the kernel does about a count of references that is wrong (`lib/refcount.c`), written down
//! for the tests.

use crate::sync::{Atomic, Relaxed};
use std::cell::RefCell;

/// Where a count goes that has become wrong (`REFCOUNT_SATURATED`): far from 0 on both sides.
pub(crate) const SATURATED: u32 = 0xc000_0000;

/// What is wrong with it (`enum refcount_saturation_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saturation {
    AddNotZeroOvf,
    AddOvf,
    AddUaf,
    SubUaf,
}

thread_local! {
    static WARNINGS: RefCell<Vec<Saturation>> = const { RefCell::new(Vec::new()) };
}

/// Saturates a count, and writes down why.
pub(crate) fn refcount_warn_saturate(count: &Atomic<u32>, why: Saturation) {
    count.store(SATURATED, Relaxed);
    WARNINGS.with_borrow_mut(|warnings| warnings.push(why));
}

/// What was written down since the last call, for this thread of the host.
#[cfg(not(feature = "loom"))]
pub(crate) fn warnings() -> Vec<Saturation> {
    WARNINGS.take()
}
