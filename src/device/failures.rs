// SPDX-License-Identifier: GPL-2.0

//! What failed last, for those who ask why.
//!
//! # Locks
//!
//! One spinlock an open file, taken alone.

use super::args::{Args, Call};
use crate::{
    reason::{Failure, Outcome},
    uapi,
};
use kernel::{new_spinlock, prelude::*, sync::SpinLock};

/// Failures that are remembered, of all threads together.
const REMEMBERED: usize = 64;

/// A command that failed.
#[derive(Clone, Copy)]
struct Entry {
    /// The thread that called, as a number of the initial namespace of the machine.
    caller: i32,
    cmd: u32,
    failure: Failure,
}

/// The last failures, in a ring.
struct Ring {
    entries: [Option<Entry>; REMEMBERED],
    next: usize,
}

/// What failed last in a world.
#[pin_data]
pub(super) struct Failures {
    #[pin]
    ring: SpinLock<Ring>,
}

impl Failures {
    /// Nothing so far.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            ring <- new_spinlock!(Ring {
                entries: [None; REMEMBERED],
                next: 0,
            }, "altpid_failures"),
        })
    }

    /// The calling thread had a command fail.
    pub(super) fn note(&self, cmd: u32, failure: Failure) {
        let caller = kernel::current!().pid();
        let mut ring = self.ring.lock();
        let slot = ring
            .entries
            .iter()
            .position(|entry| entry.is_some_and(|entry| entry.caller == caller))
            .unwrap_or(ring.next);
        if slot == ring.next {
            ring.next = (slot + 1) % REMEMBERED;
        }
        ring.entries[slot] = Some(Entry {
            caller,
            cmd,
            failure,
        });
    }

    /// What the calling thread had fail last.
    fn last(&self) -> Option<Entry> {
        let caller = kernel::current!().pid();
        let ring = self.ring.lock();
        let mut entries = ring.entries.iter().flatten();
        entries.find(|entry| entry.caller == caller).copied()
    }
}

pub(super) fn failure(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_failure>::read(call)?;
    let last = call.failures.last().ok_or(ENODATA)?;
    args.value.cmd = last.cmd;
    args.value.error = last.failure.error().to_errno();
    args.value.reason = last.failure.code();
    args.reply()
}
