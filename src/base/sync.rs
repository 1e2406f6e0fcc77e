// SPDX-License-Identifier: GPL-2.0

//! Atomics, barriers and RCU as the pid layers use them.
//!
//! What [`pidmap`](crate::pid::pidmap) and its neighbours need from the kernel crate, and nothing else:
//! the host build of the allocator puts a module with the same names and the same meanings in this
//! place, over the atomics of loom or of the standard library.
//!
//! [`Atomic`] is the kernel crate's. That crate calls a C function for each operation, unless the kernel was
//! configured with `RUST_INLINE_HELPERS`; on x86-64 they are in line all the same ([`arch`], which says what
//! that saves). Where a sanitizer looks at accesses to memory they are the kernel crate's, which it sees.

#[rustfmt::skip]
#[cfg(any(not(CONFIG_X86_64), CONFIG_KASAN, CONFIG_KCSAN, CONFIG_KMSAN, CONFIG_RUST_INLINE_HELPERS))]
#[path = "sync/generic.rs"]
mod arch;
#[rustfmt::skip]
#[cfg(not(any(not(CONFIG_X86_64), CONFIG_KASAN, CONFIG_KCSAN, CONFIG_KMSAN, CONFIG_RUST_INLINE_HELPERS)))]
#[path = "sync/x86.rs"]
mod arch;

pub(crate) use kernel::sync::atomic::{Acquire, Full, Relaxed, Release};
pub(crate) use kernel::sync::rcu::{read_lock, Guard};

use kernel::{
    bindings,
    sync::atomic::{
        self,
        ordering::{AcquireOrRelaxed, Ordering, ReleaseOrRelaxed},
        AtomicType,
    },
};

/// A memory location that many threads change (`kernel::sync::atomic::Atomic`).
#[repr(transparent)]
pub(crate) struct Atomic<T: Word>(atomic::Atomic<T>);

impl<T: Word> Atomic<T> {
    /// One that holds `value`.
    pub(crate) const fn new(value: T) -> Self {
        Self(atomic::Atomic::new(value))
    }

    /// The value, which nobody else can reach.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Loads (`READ_ONCE()`, `smp_load_acquire()`).
    #[doc(alias = "atomic_read")]
    #[inline(always)]
    pub(crate) fn load<O: AcquireOrRelaxed>(&self, order: O) -> T {
        T::load(&self.0, order)
    }

    /// Stores (`WRITE_ONCE()`, `smp_store_release()`).
    #[doc(alias = "atomic_set")]
    #[inline(always)]
    pub(crate) fn store<O: ReleaseOrRelaxed>(&self, value: T, order: O) {
        T::store(&self.0, value, order);
    }

    /// Stores `value`; returns what was there before.
    #[doc(alias = "atomic_xchg")]
    #[inline(always)]
    pub(crate) fn xchg<O: Ordering>(&self, value: T, order: O) -> T {
        T::xchg(&self.0, value, order)
    }

    /// Stores `new` if `old` is there; returns what was, as an error if it was something else. In
    /// that case nothing is ordered.
    #[doc(alias = "atomic_cmpxchg")]
    #[inline(always)]
    pub(crate) fn cmpxchg<O: Ordering>(&self, old: T, new: T, order: O) -> Result<T, T> {
        T::cmpxchg(&self.0, old, new, order)
    }
}

impl<T: Number> Atomic<T> {
    /// Adds `value`, wrapping.
    #[doc(alias = "atomic_add")]
    #[inline(always)]
    pub(crate) fn add(&self, value: T, _: Relaxed) {
        T::fetch_add(&self.0, value, Relaxed);
    }

    /// Adds `value`, wrapping; returns what was there before.
    #[doc(alias = "atomic_fetch_add")]
    #[inline(always)]
    pub(crate) fn fetch_add<O: Ordering>(&self, value: T, order: O) -> T {
        T::fetch_add(&self.0, value, order)
    }

    /// Subtracts `value`, wrapping; returns what was there before.
    #[doc(alias = "atomic_fetch_sub")]
    #[inline(always)]
    pub(crate) fn fetch_sub<O: Ordering>(&self, value: T, order: O) -> T {
        T::fetch_add(&self.0, T::negated(value), order)
    }
}

/// What an [`Atomic`] can hold. The methods are those of `Atomic`, for one width.
pub(crate) trait Word: AtomicType {
    fn load<O: AcquireOrRelaxed>(a: &atomic::Atomic<Self>, order: O) -> Self;
    fn store<O: ReleaseOrRelaxed>(a: &atomic::Atomic<Self>, value: Self, order: O);
    fn xchg<O: Ordering>(a: &atomic::Atomic<Self>, value: Self, order: O) -> Self;
    fn cmpxchg<O: Ordering>(
        a: &atomic::Atomic<Self>,
        old: Self,
        new: Self,
        order: O,
    ) -> Result<Self, Self>;
}

/// What can be added to.
pub(crate) trait Number: Word {
    fn fetch_add<O: Ordering>(a: &atomic::Atomic<Self>, value: Self, order: O) -> Self;
    /// Adding the result takes away `value`.
    fn negated(value: Self) -> Self;
}

/// What is wrong with a count of references (`enum refcount_saturation_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saturation {
    /// One too many was taken of an object that may be gone.
    AddNotZeroOvf = bindings::refcount_saturation_type_REFCOUNT_ADD_NOT_ZERO_OVF as isize,
    /// One too many was taken.
    AddOvf = bindings::refcount_saturation_type_REFCOUNT_ADD_OVF as isize,
    /// One was taken where there was none.
    AddUaf = bindings::refcount_saturation_type_REFCOUNT_ADD_UAF as isize,
    /// One was given back that there was not.
    SubUaf = bindings::refcount_saturation_type_REFCOUNT_SUB_UAF as isize,
}

/// Saturates a count of references for good, and warns once of each kind (`lib/refcount.c`).
pub(crate) fn refcount_warn_saturate(count: &Atomic<u32>, why: Saturation) {
    let count: *mut bindings::refcount_t = count.0.as_ptr().cast();
    // SAFETY: A `refcount_t` is an atomic of 32 bits, as this is.
    unsafe { bindings::refcount_warn_saturate(count, why as u32) };
}

/// Loads a pointer that is only used to get at what it points to (`rcu_dereference()`).
///
/// What is read by way of the pointer is read after it: by the address dependency, which the
/// kernel's memory model counts on.
#[inline(always)]
pub(crate) fn rcu_dereference(pointer: &Atomic<*mut ()>, _guard: &Guard) -> *mut () {
    pointer.load(Relaxed)
}
