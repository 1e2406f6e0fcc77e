// SPDX-License-Identifier: GPL-2.0

//! Tables of what is found under RCU, by probes that run with interrupts off.
//!
//! Chains by a hash of some word. What is in a table is freed a grace period after it was taken out.
//!
//! # Locks
//!
//! A spinlock for all tables, to put in and to take out; nothing is wanted under it.

use crate::base::sync::{Acquire, Atomic, Guard, Relaxed, Release};
use core::{marker::PhantomData, ptr::null_mut};
use kernel::prelude::*;

/// Chains of a table, as a power of two.
const BITS: u32 = 12;

kernel::sync::global_lock! {
    // SAFETY: Initialized in `init`, before there is a member.
    unsafe(uninit) static CHANGING: SpinLock<()> = ();
}

/// Gets ready.
///
/// # Safety
///
/// Called once, when the module is loaded.
pub(super) unsafe fn init() {
    // SAFETY: By the safety requirements.
    unsafe { CHANGING.init() };
}

/// The place of an entry in its chain.
pub(super) struct Next(Atomic<*mut ()>);

impl Next {
    pub(super) const fn new() -> Self {
        Self(Atomic::new(null_mut()))
    }
}

/// What can be in a table.
pub(super) trait Entry {
    fn next(&self) -> &Next;
}

/// A table of entries. It does not own them.
pub(super) struct Table<T>([Next; 1 << BITS], PhantomData<*mut T>);

// SAFETY: Its words are atomic; entries are shared between threads as their users say.
unsafe impl<T: Sync> Sync for Table<T> {}

impl<T: Entry> Table<T> {
    pub(super) const fn new() -> Self {
        Self([const { Next::new() }; 1 << BITS], PhantomData)
    }

    fn chain(&self, word: u64) -> &Atomic<*mut ()> {
        let hash = word.wrapping_mul(0x61c8_8646_80b5_83eb);
        &self.0[(hash >> (64 - BITS)) as usize].0
    }

    /// The entries that may have this word.
    pub(super) fn iter<'a>(&'a self, word: u64, _guard: &'a Guard) -> impl Iterator<Item = &'a T> {
        let mut at = self.chain(word);
        core::iter::from_fn(move || {
            // SAFETY: What is in a chain is freed a grace period after it has left it.
            let entry = unsafe { at.load(Acquire).cast::<T>().as_ref() }?;
            at = &entry.next().0;
            Some(entry)
        })
    }

    /// Puts an entry in.
    ///
    /// # Safety
    ///
    /// It is in no table, and stays until a grace period after it was taken out.
    pub(super) unsafe fn insert(&self, word: u64, entry: *mut T) {
        let chain = self.chain(word);
        let _changing = CHANGING.lock();
        // SAFETY: By the safety requirements.
        unsafe { (*entry).next().0.store(chain.load(Relaxed), Relaxed) };
        // Release: who finds it finds all of it.
        chain.store(entry.cast(), Release);
    }

    /// Takes an entry out, if it is in.
    pub(super) fn remove(&self, word: u64, entry: &T) {
        let this = core::ptr::from_ref(entry).cast_mut().cast();
        let mut at = self.chain(word);
        let _changing = CHANGING.lock();
        // SAFETY: Entries are taken out under the lock only.
        while let Some(other) = unsafe { at.load(Relaxed).cast::<T>().as_ref() } {
            if at.load(Relaxed) == this {
                at.store(entry.next().0.load(Relaxed), Release);
                return;
            }
            at = &other.next().0;
        }
    }

    /// Takes out all of which `is_over` says so, and gives each to `taken`; a chain at a time. May sleep.
    pub(super) fn sweep(&self, mut is_over: impl FnMut(&T) -> bool, mut taken: impl FnMut(*mut T)) {
        for Next(head) in &self.0 {
            if head.load(Relaxed).is_null() {
                continue;
            }
            kernel::task::might_sleep();
            let mut at = head;
            let _changing = CHANGING.lock();
            loop {
                let this = at.load(Relaxed).cast::<T>();
                // SAFETY: As in `remove`.
                let Some(entry) = (unsafe { this.as_ref() }) else {
                    break;
                };
                if is_over(entry) {
                    at.store(entry.next().0.load(Relaxed), Release);
                    taken(this);
                } else {
                    at = &entry.next().0;
                }
            }
        }
    }
}
