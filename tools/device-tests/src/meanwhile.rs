// SPDX-License-Identifier: GPL-2.0

//! What other threads do while a test does something else: as often as it allows, and no longer
//! than it goes on.

use std::sync::{
    Condvar, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// Sets a flag when it goes, also when a test fails: whoever looks at it is to stop.
#[derive(Debug)]
pub struct AtTheEnd<'a>(pub &'a AtomicBool);

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// How often others may do something still; `None` when it is over.
///
/// Who has done all that there is sleeps, so that a thread that does as much as it can does not
/// take the only CPU from the one that allows it more.
#[derive(Debug)]
pub struct Allowance {
    left: Mutex<Option<u64>>,
    changed: Condvar,
}

impl Default for Allowance {
    fn default() -> Self {
        Self::new()
    }
}

impl Allowance {
    /// Nothing is allowed yet.
    pub const fn new() -> Self {
        Self {
            left: Mutex::new(Some(0)),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<u64>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, left: Option<u64>) {
        *self.lock() = left;
        self.changed.notify_all();
    }

    /// How much is allowed still.
    pub fn left(&self) -> u64 {
        self.lock().unwrap_or(0)
    }

    /// Allows `count` from now on, whatever was left.
    pub fn allow(&self, count: u64) {
        self.set(Some(count));
    }

    /// Waits until something is allowed, and takes one of it; `false` when it is over.
    pub fn take(&self) -> bool {
        let waits = |left: &mut Option<u64>| *left == Some(0);
        let left = self.changed.wait_while(self.lock(), waits);
        let mut left = left.unwrap_or_else(PoisonError::into_inner);
        *left = left.map(|left| left - 1);
        left.is_some()
    }

    /// It is over when what this returns goes, also when a test fails.
    pub fn until_dropped(&self) -> impl Drop {
        Over(self)
    }
}

/// Ends an allowance when it goes.
struct Over<'a>(&'a Allowance);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
