// SPDX-License-Identifier: GPL-2.0

//! Atomic operations of any architecture: those of the kernel crate.

use super::{Number, Word};
use kernel::sync::atomic::{ordering::Ordering, Acquire, Atomic, Release};

macro_rules! word {
    ($([$($of:ident)?] $word:ty;)*) => {$(
        impl$(<$of>)? Word for $word {
            fn load_acquire(a: &Atomic<Self>) -> Self {
                a.load(Acquire)
            }

            fn store_release(a: &Atomic<Self>, value: Self) {
                a.store(value, Release);
            }

            fn xchg<O: Ordering>(a: &Atomic<Self>, value: Self, order: O) -> Self {
                a.xchg(value, order)
            }

            fn cmpxchg<O: Ordering>(
                a: &Atomic<Self>,
                old: Self,
                new: Self,
                order: O,
            ) -> Result<Self, Self> {
                a.cmpxchg(old, new, order)
            }
        }
    )*};
}

macro_rules! number {
    ($($number:ty)*) => {$(
        impl Number for $number {
            fn fetch_add<O: Ordering>(a: &Atomic<Self>, value: Self, order: O) -> Self {
                a.fetch_add(value, order)
            }

            fn negated(value: Self) -> Self {
                value.wrapping_neg()
            }
        }
    )*};
}

word! {
    [] i32;
    [] u32;
    [] i64;
    [] u64;
    [T] *mut T;
    [T] *const T;
}
number!(i32 u32 i64 u64);
