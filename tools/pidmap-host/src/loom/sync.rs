// SPDX-License-Identifier: GPL-2.0

//! The kernel's atomics over those of loom, and RCU as a rule that every access is checked
//! against.
//!
//! # RCU
//!
//! A node that was given to [`free_node_rcu`](crate::mem::free_node_rcu) may be touched by those
//! who hold a guard that they took before that, and by nobody else, even if it would happen to be
//! still there: so that the shortest grace period that is possible is always the one that is
//! tried. A guard that is taken afterwards comes with everything that the remover did before, as
//! a grace period guarantees.
//!
//! # Differences to the kernel's memory model
//!
//! Full is an AcqRel read-modify-write between two SeqCst fences, since loom knows the total order
//! of SeqCst fences and not that of SeqCst accesses. The fence in front is also there when a
//! cmpxchg fails, which the kernel does not promise; nothing in the allocator goes on from a failed
//! cmpxchg as if it had been ordered.

pub(crate) use crate::mem::{read_lock, Guard};
pub(crate) use crate::ordering::{Acquire, Full, Relaxed, Release};
pub(crate) use crate::saturation::{refcount_warn_saturate, Saturation};

use crate::{
    mem,
    ordering::{AcquireOrRelaxed, Kind, Ordering, ReleaseOrRelaxed},
};
use core::{cell::UnsafeCell, marker::PhantomData, ptr};
use loom::sync::atomic::{fence, AtomicU64, Ordering as Order};

/// Loads a pointer that is only used to get at what it points to. There is no such load in Rust's
/// memory model; Acquire does more.
pub(crate) fn rcu_dereference(pointer: &Atomic<*mut ()>, _guard: &Guard) -> *mut () {
    pointer.load(Acquire)
}

/// A memory location that many threads change (`kernel::sync::atomic::Atomic`).
///
/// As long as only one thread runs it is a plain value; [`mem::start`] makes it known to loom.
#[repr(C)]
pub(crate) struct Atomic<T: Value> {
    modelled: UnsafeCell<Option<Box<Modelled>>>,
    /// All of one size, so that the atomics of a node are an array.
    plain: UnsafeCell<Plain<T>>,
    _value: PhantomData<T>,
}

#[derive(Clone, Copy)]
#[repr(C)]
union Plain<T: Value> {
    value: T,
    _size: u64,
}

/// An atomic as loom sees it.
struct Modelled {
    word: AtomicU64,
    /// One for each thread, for the loads that it does of `word`.
    ///
    /// Loom looks for a race between a store and the latest access to the same atomic. When this
    /// is a load by the storing thread itself, it overlooks the loads that others did before that
    /// one, and never tries the store in front of them. So each load is also one of an atomic that
    /// no other thread loads, and each store a cmpxchg of all those of the others. It always fails,
    /// which orders nothing.
    loads: Vec<AtomicU64>,
}

// SAFETY: It stands for an atomic.
unsafe impl<T: Value> Send for Atomic<T> {}
// SAFETY: As above. Loom's threads take turns on one thread of the host.
unsafe impl<T: Value> Sync for Atomic<T> {}

/// What can be in an [`Atomic`].
pub(crate) trait Value: Copy {
    fn to_bits(self) -> u64;
    fn from_bits(bits: u64) -> Self;
}

impl Value for u32 {
    fn to_bits(self) -> u64 {
        self.into()
    }
    fn from_bits(bits: u64) -> Self {
        bits as u32
    }
}

impl Value for u64 {
    fn to_bits(self) -> u64 {
        self
    }
    fn from_bits(bits: u64) -> Self {
        bits
    }
}

impl Value for *mut () {
    fn to_bits(self) -> u64 {
        self.expose_provenance() as u64
    }
    fn from_bits(bits: u64) -> Self {
        ptr::with_exposed_provenance_mut(bits as usize)
    }
}

impl<T: Value> Atomic<T> {
    pub(crate) const fn new(value: T) -> Self {
        let mut plain = Plain { _size: 0 };
        plain.value = value;
        Self {
            modelled: UnsafeCell::new(None),
            plain: UnsafeCell::new(plain),
            _value: PhantomData,
        }
    }

    /// Makes it known to loom.
    fn modelled(&self) -> &Modelled {
        // SAFETY: Loom's threads take turns, and it is changed only here and by `plain`.
        let modelled = unsafe { &mut *self.modelled.get() };
        modelled.get_or_insert_with(|| {
            // SAFETY: Only one thread knows it so far, and it holds a value of the type.
            let value = unsafe { (*self.plain.get()).value };
            Box::new(Modelled {
                word: AtomicU64::new(value.to_bits()),
                loads: (0..mem::threads()).map(|_| AtomicU64::new(0)).collect(),
            })
        })
    }

    /// Makes it known to loom, if there are threads.
    pub(crate) fn touch(&self) {
        if mem::is_concurrent() {
            self.modelled();
        }
    }

    /// The value, when only one thread runs.
    #[allow(clippy::mut_from_ref, reason = "it is a cell")]
    fn plain(&self) -> Option<&mut T> {
        mem::check_access(ptr::from_ref(self).addr());
        if mem::is_concurrent() {
            return None;
        }
        // SAFETY: Only one thread runs, and no such reference outlives a statement below.
        let (plain, modelled) = unsafe { (&mut *self.plain.get(), &mut *self.modelled.get()) };
        if let Some(modelled) = modelled.take() {
            // SAFETY: As above; loom checks that all stores are behind us.
            let bits = unsafe { modelled.word.unsync_load() };
            plain.value = T::from_bits(bits);
        }
        // SAFETY: It holds a value of the type.
        Some(unsafe { &mut plain.value })
    }

    /// Sets the value, when only one thread runs.
    fn set(&self, value: T) -> bool {
        let Some(plain) = self.plain() else {
            return false;
        };
        *plain = value;
        true
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.plain().expect("all threads have ended")
    }

    pub(crate) fn load<O: AcquireOrRelaxed>(&self, _: O) -> T {
        if let Some(plain) = self.plain() {
            return *plain;
        }
        let Modelled { word, loads } = self.modelled();
        loads[mem::thread()].load(Order::Relaxed);
        T::from_bits(word.load(plain(O::KIND)))
    }

    /// The word, for a thread that is about to store.
    fn word(&self) -> &AtomicU64 {
        let Modelled { word, loads } = self.modelled();
        let me = mem::thread();
        for (_, load) in loads.iter().enumerate().filter(|&(i, _)| i != me) {
            let _ = load.compare_exchange(1, 1, Order::Relaxed, Order::Relaxed);
        }
        word
    }

    fn update<O: Ordering>(
        &self,
        change: impl Fn(T) -> T,
        modelled: impl FnOnce(&AtomicU64, Order) -> u64,
    ) -> T {
        if let Some(plain) = self.plain() {
            let old = *plain;
            self.set(change(old));
            return old;
        }
        let word = self.word();
        if O::KIND == Kind::Full {
            fence(Order::SeqCst);
        }
        let old = modelled(word, rmw(O::KIND));
        if O::KIND == Kind::Full {
            fence(Order::SeqCst);
        }
        T::from_bits(old)
    }

    pub(crate) fn store<O: ReleaseOrRelaxed>(&self, value: T, _: O) {
        if !self.set(value) {
            self.word().store(value.to_bits(), plain(O::KIND));
        }
    }

    pub(crate) fn xchg<O: Ordering>(&self, value: T, _: O) -> T {
        self.update::<O>(|_| value, |word, order| word.swap(value.to_bits(), order))
    }

    pub(crate) fn cmpxchg<O: Ordering>(&self, old: T, new: T, _: O) -> Result<T, T> {
        if let Some(plain) = self.plain() {
            let now = *plain;
            if now.to_bits() != old.to_bits() {
                return Err(now);
            }
            self.set(new);
            return Ok(now);
        }
        let word = self.word();
        if O::KIND == Kind::Full {
            fence(Order::SeqCst);
        }
        let (old, new) = (old.to_bits(), new.to_bits());
        let result = word.compare_exchange(old, new, rmw(O::KIND), Order::Relaxed);
        if O::KIND == Kind::Full && result.is_ok() {
            fence(Order::SeqCst);
        }
        result.map(T::from_bits).map_err(T::from_bits)
    }
}

/// What can be added to.
pub(crate) trait Number: Value {
    fn plus(self, bits: u64) -> Self {
        Self::from_bits(self.to_bits().wrapping_add(bits))
    }
}
impl Number for u32 {}
impl Number for u64 {}

impl<T: Number> Atomic<T> {
    pub(crate) fn add(&self, value: T, _: Relaxed) {
        self.fetch_add(value, Relaxed);
    }

    pub(crate) fn fetch_add<O: Ordering>(&self, value: T, _: O) -> T {
        let bits = value.to_bits();
        self.update::<O>(|v| v.plus(bits), |word, order| word.fetch_add(bits, order))
    }

    pub(crate) fn fetch_sub<O: Ordering>(&self, value: T, _: O) -> T {
        let bits = value.to_bits();
        self.update::<O>(
            |v| v.plus(bits.wrapping_neg()),
            |word, order| word.fetch_sub(bits, order),
        )
    }
}

fn plain(kind: Kind) -> Order {
    match kind {
        Kind::Relaxed => Order::Relaxed,
        Kind::Acquire => Order::Acquire,
        Kind::Release => Order::Release,
        Kind::Full => Order::SeqCst,
    }
}

fn rmw(kind: Kind) -> Order {
    match kind {
        Kind::Full => Order::AcqRel,
        kind => plain(kind),
    }
}
