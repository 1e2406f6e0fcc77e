// SPDX-License-Identifier: GPL-2.0

//! Atomic operations of any architecture, which sanitizers see: those of the kernel crate.

use super::{Number, Word};
use kernel::sync::atomic::{
    ordering::{AcquireOrRelaxed, Ordering, ReleaseOrRelaxed},
    Atomic,
};

macro_rules! word {
    ($([$($of:ident)?] $word:ty;)*) => {$(
        impl$(<$of>)? Word for $word {
            #[inline(always)]
            fn load<O: AcquireOrRelaxed>(a: &Atomic<Self>, order: O) -> Self {
                a.load(order)
            }

            #[inline(always)]
            fn store<O: ReleaseOrRelaxed>(a: &Atomic<Self>, value: Self, order: O) {
                a.store(value, order);
            }

            #[inline(always)]
            fn xchg<O: Ordering>(a: &Atomic<Self>, value: Self, order: O) -> Self {
                a.xchg(value, order)
            }

            #[inline(always)]
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
            #[inline(always)]
            fn fetch_add<O: Ordering>(a: &Atomic<Self>, value: Self, order: O) -> Self {
                a.fetch_add(value, order)
            }

            #[inline(always)]
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
