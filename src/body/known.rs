// SPDX-License-Identifier: GPL-2.0

//! Which of altpid's pids a `struct pid` of the kernel's stands for, by the native number.
//!
//! The dead are known as well, as long as somebody else has a reference on their `struct pid`: a socket whose
//! peer they were, a pidfd, a semaphore that they changed last. A number that has been given again is that of
//! the one who lives.
//!
//! # Locks
//!
//! Those of [`table`](super::table); what is over is freed by a work item, which sleeps.

use super::table::{Entry, Next, Table};
use crate::{
    base::sync::{read_lock, Atomic, Full, Relaxed},
    native::{self, Native, NativeNr},
    pid::Pid,
};
use core::ptr::null_mut;
use kernel::{prelude::*, sync::aref::ARef};

/// By the native number.
static TABLE: Table<Known> = Table::new();

/// A thread that is, or was, a member.
pub(super) struct Known {
    next: Next,
    native: Native,
    nr: NativeNr,
    pid: ARef<Pid>,
    /// Threads that are called so: at an exec two for a while. None is left of the dead.
    users: Atomic<u32>,
    /// The next one to be freed.
    over: Atomic<*mut ()>,
}

impl Entry for Known {
    fn next(&self) -> &Next {
        &self.next
    }
}

impl Known {
    fn is_dead(&self) -> bool {
        self.users.load(Relaxed) == 0
    }
}

/// Room for one that is to be known, made before that is. Freed if it is not.
pub(super) struct Room(KBox<core::mem::MaybeUninit<Known>>);

impl Room {
    /// May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(super) fn new() -> Result<Self> {
        Ok(Self(KBox::new_uninit(GFP_KERNEL_ACCOUNT)?))
    }

    /// A thread is known from now on, which nobody was by this `struct pid` before. Does not sleep.
    pub(super) fn know(self, native: Native, pid: ARef<Pid>) -> KnownRef {
        let nr = native.nr();
        let known = KBox::write(
            self.0,
            Known {
                next: Next::new(),
                native,
                nr,
                pid,
                users: Atomic::new(1),
                over: Atomic::new(null_mut()),
            },
        );
        let known = KBox::into_raw(known);
        // SAFETY: It is freed by `forget` alone, a grace period after that has taken it out.
        unsafe { TABLE.insert(nr.word(), known) };
        KnownRef(known)
    }
}

/// A thread that is known, and lives.
pub(super) struct KnownRef(*mut Known);

// SAFETY: What it points to may be shared.
unsafe impl Send for KnownRef {}
// SAFETY: As above.
unsafe impl Sync for KnownRef {}

impl Drop for KnownRef {
    /// The thread is about to be gone.
    fn drop(&mut self) {
        // SAFETY: It is not taken out before this.
        if unsafe { (*self.0).users.fetch_sub(1, Full) } == 1 {
            native::forget_later();
        }
    }
}

/// One more thread is called by the `struct pid` of somebody who is known, or was.
pub(super) fn know_again(native: &Native) -> Option<KnownRef> {
    let guard = read_lock();
    let mut all = TABLE.iter(native.nr().word(), &guard);
    let known = all.find(|known| known.native.is(native))?;
    // It is not taken out meanwhile: the caller has a reference on the `struct pid` as well.
    known.users.add(1, Relaxed);
    Some(KnownRef(core::ptr::from_ref(known).cast_mut()))
}

/// The pid of somebody with this native number; of a dead one only as long as nobody else has the number.
pub(super) fn by_number(nr: i32) -> Option<ARef<Pid>> {
    let guard = read_lock();
    let nr = NativeNr::from_kernel(nr);
    let all = TABLE.iter(nr.word(), &guard);
    let known = all.filter(|known| known.nr == nr).reduce(|one, other| {
        // The youngest comes first.
        if one.is_dead() && !other.is_dead() {
            other
        } else {
            one
        }
    })?;
    (!known.native.is_taken()).then(|| known.pid.clone())
}

/// The pid that this `struct pid` of the kernel's stands for.
pub(super) fn by_native(native: &Native) -> Option<ARef<Pid>> {
    let guard = read_lock();
    let mut all = TABLE.iter(native.nr().word(), &guard);
    let known = all.find(|known| known.native.is(native))?;
    Some(known.pid.clone())
}

/// Frees the dead ones that nobody else has a reference on, or all of the dead; returns whether some are left. May
/// sleep.
fn forget(all: bool) -> bool {
    let mut over: *mut Known = null_mut();
    let mut is_left = false;
    let is_over = |known: &Known| {
        let is_dead = known.is_dead();
        let is_over = is_dead && (all || known.native.is_last_reference());
        is_left |= is_dead && !is_over;
        is_over
    };
    let take = |known: *mut Known| {
        // SAFETY: It was just taken out.
        unsafe { (*known).over.store(over.cast(), Relaxed) };
        over = known;
    };
    TABLE.sweep(is_over, take);
    if !over.is_null() {
        // SAFETY: No requirements.
        unsafe { kernel::bindings::synchronize_rcu() };
    }
    while !over.is_null() {
        // SAFETY: It is of `know`, and nobody finds it any more since a grace period.
        let known = unsafe { KBox::from_raw(over) };
        over = known.over.load(Relaxed).cast();
    }
    is_left
}

/// Looks for what is over; returns whether to look again later. May sleep.
#[no_mangle]
extern "C" fn altpid_forget() -> bool {
    forget(false)
}

/// There are no members any more, and nobody looks. May sleep.
pub(super) fn end() {
    native::forget_never();
    forget(true);
}
