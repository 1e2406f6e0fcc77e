// SPDX-License-Identifier: GPL-2.0

//! Atomic operations of x86-64, in line: the instructions that the kernel has for them
//! (`arch/x86/include/asm/cmpxchg.h`, `atomic.h`, `barrier.h`).
//!
//! A locked instruction is a full barrier, whatever order was asked for; `xchg` is always locked. In
//! a kernel for one CPU the prefix is left out, as the kernel's `LOCK_PREFIX` is. The processor
//! keeps loads in order with loads and stores behind loads and stores, so that Acquire and Release
//! hold back nothing but the compiler. An `asm!` that does not say otherwise does that: it may read
//! and write any memory (the "memory" clobber of C).
//!
//! # What it saves
//!
//! Debian's kernels are built by gcc and so without `RUST_INLINE_HELPERS`: the kernel crate calls a C helper of
//! 3 to 5 instructions for a load, and returns by a thunk. Instructions with both in the kernel
//! 7.3.4+deb13-amd64, those of the kernel's functions among them:
//!
//! | | in line | the kernel crate's | |
//! |---|---|---|---|
//! | clone+exit+wait in an array | 7,517 | 8,324 | 1.11 |
//! | a clone in a nested namespace, in an array | 3,456 | 3,850 | 1.11 |
//! | a zap of 1,000, for each task | 2,983 | 3,633 | 1.22 |
//! | a number looked up, in an array | 987 | 1,075 | 1.09 |
//! | of that `find_pid()` and helpers of atomics | 100 | 168 | 1.68 |
//! | the module's text | 421 KiB | 439 KiB | 1.04 |

use super::{Number, Word};
use core::{
    arch::asm,
    ptr::{read_volatile, write_volatile},
};
use kernel::sync::atomic::{
    ordering::{AcquireOrRelaxed, Ordering, OrderingType, ReleaseOrRelaxed},
    Atomic,
};

/// Keeps the compiler from moving accesses to memory across it (`barrier()`).
#[inline(always)]
fn barrier() {
    // SAFETY: It is no instruction.
    unsafe { asm!("", options(nostack, preserves_flags)) };
}

/// `LOCK_PREFIX`
#[cfg(CONFIG_SMP)]
macro_rules! lock {
    ($instruction:literal, $($rest:tt)*) => {
        asm!(concat!("lock ", $instruction), $($rest)*)
    };
}
#[cfg(not(CONFIG_SMP))]
macro_rules! lock {
    ($instruction:literal, $($rest:tt)*) => {
        asm!($instruction, $($rest)*)
    };
}

macro_rules! word {
    ($([$($of:ident)?] $word:ty: $xchg:literal, $cmpxchg:literal;)*) => {$(
        impl$(<$of>)? Word for $word {
            #[inline(always)]
            fn load<O: AcquireOrRelaxed>(a: &Atomic<Self>, _: O) -> Self {
                // SAFETY: It points to a live atomic, and in the kernel's memory model a volatile load is
                // atomic (`READ_ONCE()`).
                let value = unsafe { read_volatile(a.as_ptr()) };
                if matches!(O::TYPE, OrderingType::Acquire) {
                    barrier();
                }
                value
            }

            #[inline(always)]
            fn store<O: ReleaseOrRelaxed>(a: &Atomic<Self>, value: Self, _: O) {
                if matches!(O::TYPE, OrderingType::Release) {
                    barrier();
                }
                // SAFETY: As above; a volatile store is atomic as well.
                unsafe { write_volatile(a.as_ptr(), value) };
            }

            #[inline(always)]
            fn xchg<O: Ordering>(a: &Atomic<Self>, value: Self, _: O) -> Self {
                let was;
                // SAFETY: It points to a live atomic of the instruction's width.
                unsafe {
                    asm!(
                        $xchg,
                        a = in(reg) a.as_ptr(),
                        value = inout(reg) value => was,
                        options(nostack, preserves_flags),
                    )
                };
                was
            }

            #[inline(always)]
            fn cmpxchg<O: Ordering>(
                a: &Atomic<Self>,
                old: Self,
                new: Self,
                _: O,
            ) -> Result<Self, Self> {
                let was;
                // SAFETY: As above.
                unsafe {
                    lock!(
                        $cmpxchg,
                        a = in(reg) a.as_ptr(),
                        new = in(reg) new,
                        inout("rax") old => was,
                        options(nostack),
                    )
                };
                if was == old {
                    Ok(was)
                } else {
                    Err(was)
                }
            }
        }
    )*};
}

macro_rules! number {
    ($($number:ty: $xadd:literal;)*) => {$(
        impl Number for $number {
            #[inline(always)]
            fn fetch_add<O: Ordering>(a: &Atomic<Self>, value: Self, _: O) -> Self {
                let was;
                // SAFETY: It points to a live atomic of the instruction's width.
                unsafe {
                    lock!(
                        $xadd,
                        a = in(reg) a.as_ptr(),
                        value = inout(reg) value => was,
                        options(nostack),
                    )
                };
                was
            }

            #[inline(always)]
            fn negated(value: Self) -> Self {
                value.wrapping_neg()
            }
        }
    )*};
}

word! {
    [] i32: "xchg [{a}], {value:e}", "cmpxchg [{a}], {new:e}";
    [] u32: "xchg [{a}], {value:e}", "cmpxchg [{a}], {new:e}";
    [] i64: "xchg [{a}], {value:r}", "cmpxchg [{a}], {new:r}";
    [] u64: "xchg [{a}], {value:r}", "cmpxchg [{a}], {new:r}";
    [T] *mut T: "xchg [{a}], {value:r}", "cmpxchg [{a}], {new:r}";
    [T] *const T: "xchg [{a}], {value:r}", "cmpxchg [{a}], {new:r}";
}
number! {
    i32: "xadd [{a}], {value:e}";
    u32: "xadd [{a}], {value:e}";
    i64: "xadd [{a}], {value:r}";
    u64: "xadd [{a}], {value:r}";
}
