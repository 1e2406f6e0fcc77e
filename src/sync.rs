// SPDX-License-Identifier: GPL-2.0

//! Atomics, barriers and RCU as the pid layers use them.
//!
//! A re-export of what [`pidmap`](crate::pidmap) needs from the kernel crate, and of nothing else:
//! the host build of the allocator puts a module with the same names and the same meanings in this
//! place, over the atomics of loom or of the standard library.

pub(crate) use kernel::sync::atomic::{Acquire, Atomic, Full, Relaxed, Release};
pub(crate) use kernel::sync::rcu::{read_lock, Guard};

use kernel::sync::atomic::AtomicType;

/// Loads a pointer that is only used to get at what it points to (`rcu_dereference()`).
///
/// What is read by way of the pointer is read after it: by the address dependency, which the
/// kernel's memory model counts on. The kernel crate has only loads with Acquire, which do more
/// and are function calls.
#[inline]
pub(crate) fn rcu_dereference(pointer: &Atomic<*mut ()>, _guard: &Guard) -> *mut () {
    // SAFETY: It points to a live atomic, and in the kernel's memory model a volatile load is
    // atomic (`READ_ONCE()`).
    unsafe { core::ptr::read_volatile(pointer.as_ptr()) }
}

/// Loads without any order (`READ_ONCE()`): `load(Relaxed)` without the function call.
#[inline]
pub(crate) fn read_once<T: AtomicType>(from: &Atomic<T>) -> T {
    // SAFETY: As above.
    unsafe { core::ptr::read_volatile(from.as_ptr()) }
}

/// Stores without any order (`WRITE_ONCE()`): `store(Relaxed)` without the function call.
#[inline]
pub(crate) fn write_once<T: AtomicType>(to: &Atomic<T>, value: T) {
    // SAFETY: As above; a volatile store is atomic as well.
    unsafe { core::ptr::write_volatile(to.as_ptr(), value) }
}
