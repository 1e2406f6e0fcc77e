// SPDX-License-Identifier: GPL-2.0

//! The kernel's atomics over those of the processor.

pub(crate) use crate::ordering::{Acquire, Full, Relaxed, Release};
pub(crate) use crate::rcu::{read_lock, Guard};
pub(crate) use crate::saturation::{refcount_warn_saturate, Saturation};

use crate::ordering::{AcquireOrRelaxed, Kind, Ordering, ReleaseOrRelaxed};
use core::{
    cell::{Cell, UnsafeCell},
    sync::atomic::{self, fence, AtomicPtr, AtomicU32, AtomicU64},
};

/// Loads a pointer that is only used to get at what it points to. There is no such load in Rust's
/// memory model; Acquire does more.
pub(crate) fn rcu_dereference(pointer: &Atomic<*mut ()>, _guard: &Guard) -> *mut () {
    pointer.load(Acquire)
}

/// A memory location that many threads change (`kernel::sync::atomic::Atomic`).
#[repr(transparent)]
pub(crate) struct Atomic<T: Value>(UnsafeCell<T>);

// SAFETY: Every access is atomic.
unsafe impl<T: Value> Send for Atomic<T> {}
// SAFETY: As above.
unsafe impl<T: Value> Sync for Atomic<T> {}

/// What can be in an [`Atomic`].
pub(crate) trait Value: Copy {
    /// The atomic of the standard library.
    type Std;
    /// # Safety
    ///
    /// `p` is valid for atomic accesses for `'a`.
    unsafe fn std<'a>(p: *mut Self) -> &'a Self::Std;
    fn load(a: &Self::Std, order: atomic::Ordering) -> Self;
    fn store(a: &Self::Std, value: Self, order: atomic::Ordering);
    fn swap(a: &Self::Std, value: Self, order: atomic::Ordering) -> Self;
    fn compare_exchange(
        a: &Self::Std,
        old: Self,
        new: Self,
        order: atomic::Ordering,
    ) -> Result<Self, Self>;
}

/// What can be added to.
pub(crate) trait Number: Value {
    fn fetch_add(a: &Self::Std, value: Self, order: atomic::Ordering) -> Self;
    fn fetch_sub(a: &Self::Std, value: Self, order: atomic::Ordering) -> Self;
}

macro_rules! value {
    ($($value:ty: $std:ident $(<$of:ty>)?;)*) => {$(
        impl Value for $value {
            type Std = $std$(<$of>)?;
            unsafe fn std<'a>(p: *mut Self) -> &'a Self::Std {
                // SAFETY: By the safety requirements.
                unsafe { $std::from_ptr(p) }
            }
            fn load(a: &Self::Std, order: atomic::Ordering) -> Self {
                a.load(order)
            }
            fn store(a: &Self::Std, value: Self, order: atomic::Ordering) {
                a.store(value, order);
            }
            fn swap(a: &Self::Std, value: Self, order: atomic::Ordering) -> Self {
                a.swap(value, order)
            }
            fn compare_exchange(
                a: &Self::Std,
                old: Self,
                new: Self,
                order: atomic::Ordering,
            ) -> Result<Self, Self> {
                a.compare_exchange(old, new, order, atomic::Ordering::Relaxed)
            }
        }
    )*};
}

macro_rules! number {
    ($($value:ty)*) => {$(
        impl Number for $value {
            fn fetch_add(a: &Self::Std, value: Self, order: atomic::Ordering) -> Self {
                a.fetch_add(value, order)
            }
            fn fetch_sub(a: &Self::Std, value: Self, order: atomic::Ordering) -> Self {
                a.fetch_sub(value, order)
            }
        }
    )*};
}

value! {
    u32: AtomicU32;
    u64: AtomicU64;
    *mut (): AtomicPtr<()>;
}
number!(u32 u64);

impl<T: Value> Atomic<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    fn std(&self) -> &T::Std {
        disturb();
        // SAFETY: It lives as long as `self`, and every access is atomic.
        unsafe { T::std(self.0.get()) }
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    pub(crate) fn load<O: AcquireOrRelaxed>(&self, _: O) -> T {
        T::load(self.std(), plain(O::KIND))
    }

    pub(crate) fn store<O: ReleaseOrRelaxed>(&self, value: T, _: O) {
        T::store(self.std(), value, plain(O::KIND));
    }

    pub(crate) fn xchg<O: Ordering>(&self, value: T, _: O) -> T {
        update(O::KIND, |order| T::swap(self.std(), value, order))
    }

    pub(crate) fn cmpxchg<O: Ordering>(&self, old: T, new: T, _: O) -> Result<T, T> {
        update(O::KIND, |order| {
            T::compare_exchange(self.std(), old, new, order)
        })
    }
}

impl<T: Number> Atomic<T> {
    pub(crate) fn add(&self, value: T, _: Relaxed) {
        self.fetch_add(value, Relaxed);
    }

    pub(crate) fn fetch_add<O: Ordering>(&self, value: T, _: O) -> T {
        update(O::KIND, |order| T::fetch_add(self.std(), value, order))
    }

    pub(crate) fn fetch_sub<O: Ordering>(&self, value: T, _: O) -> T {
        update(O::KIND, |order| T::fetch_sub(self.std(), value, order))
    }
}

fn plain(kind: Kind) -> atomic::Ordering {
    match kind {
        Kind::Relaxed => atomic::Ordering::Relaxed,
        Kind::Acquire => atomic::Ordering::Acquire,
        Kind::Release => atomic::Ordering::Release,
        Kind::Full => atomic::Ordering::SeqCst,
    }
}

/// A read-modify-write; a full one has a full barrier on both sides.
fn update<R>(kind: Kind, f: impl FnOnce(atomic::Ordering) -> R) -> R {
    if kind != Kind::Full {
        return f(plain(kind));
    }
    fence(atomic::Ordering::SeqCst);
    let result = f(atomic::Ordering::SeqCst);
    fence(atomic::Ordering::SeqCst);
    result
}

thread_local! {
    static DISTURBANCE: Cell<u32> = const { Cell::new(0) };
}

/// Lets this thread give up the processor at random places from now on; 0 ends that.
pub(crate) fn disturb_with(seed: u32) {
    DISTURBANCE.set(seed);
}

fn disturb() {
    let mut x = DISTURBANCE.get();
    if x == 0 {
        return;
    }
    // xorshift32
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    DISTURBANCE.set(x);
    if x.is_multiple_of(64) {
        std::thread::yield_now();
    }
}
