// SPDX-License-Identifier: GPL-2.0

//! What failed last, for those who ask why.
//!
//! # Locks
//!
//! One spinlock an open file, taken alone.

use super::args::{Args, Call};
use crate::{
    native::Native,
    reason::{errno, Failure, Outcome},
    uapi,
};
use kernel::{bindings, new_spinlock, prelude::*, sync::SpinLock};

/// Failures that are remembered, of all threads together.
const REMEMBERED: usize = 64;

/// A command that failed.
#[derive(Clone, Copy)]
struct Failed {
    cmd: u32,
    failure: Failure,
}

/// The last failures, each of another thread, in a ring.
struct LastFailures {
    entries: [Option<(Native, Failed)>; REMEMBERED],
    next: usize,
}

impl LastFailures {
    /// What a thread had fail last.
    fn of(&mut self, caller: &Native) -> Option<&mut Failed> {
        let mut entries = self.entries.iter_mut().flatten();
        entries.find_map(|(who, failed)| (who == caller).then_some(failed))
    }
}

/// What failed last in a world.
#[pin_data]
pub(super) struct Failures {
    #[pin]
    ring: SpinLock<LastFailures>,
}

impl Failures {
    /// Nothing so far.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            ring <- new_spinlock!(LastFailures {
                entries: [const { None }; REMEMBERED],
                next: 0,
            }, "altpid_failures"),
        })
    }

    /// The calling thread had a command fail.
    pub(super) fn note(&self, cmd: u32, failure: Failure) {
        let Some(caller) = Native::own() else {
            return;
        };
        let failed = Failed { cmd, failure };
        let mut ring = self.ring.lock();
        if let Some(own) = ring.of(&caller) {
            *own = failed;
            return;
        }
        let slot = ring.next;
        ring.next = (slot + 1) % REMEMBERED;
        let oldest = ring.entries[slot].replace((caller, failed));
        drop(ring);
        // Without the lock: it may be the last reference.
        drop(oldest);
    }

    /// What the calling thread had fail last.
    fn last(&self) -> Option<Failed> {
        let caller = Native::own()?;
        self.ring.lock().of(&caller).copied()
    }
}

pub(super) fn failure(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_failure>::read(call)?;
    let last = call
        .failures
        .last()
        .ok_or_else(|| errno(bindings::ENODATA))?;
    args.value.cmd = last.cmd;
    args.value.error = last.failure.error().to_errno();
    args.value.reason = last.failure.code();
    args.reply()
}
