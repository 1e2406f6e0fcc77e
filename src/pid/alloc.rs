// SPDX-License-Identifier: GPL-2.0

//! Making a pid: a number in its namespace and in each one above, or in none.
//!
//! `kernel/pid.c`: `alloc_pid()`.
//!
//! A reservation of a number undoes itself when it is dropped, and so does a [`NewPid`]: what fails
//! halfway leaves nothing.
//!
//! # Locks
//!
//! None.

use super::{
    object::{Numbers, PidMemory},
    Pid,
};
use crate::{
    base::faults::{self, Fault},
    pid::namespace::{Answer, Namespace, LEVELS},
    pid::pidmap::{Reservation, ReserveError},
};
use core::{
    mem::{ManuallyDrop, MaybeUninit},
    ptr::NonNull,
};
use kernel::{prelude::*, sync::aref::ARef};

/// Why there is no pid. In the order in which `alloc_pid()` looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AllocError {
    /// More numbers were asked for than the namespace has levels.
    TooManyNumbers,
    /// There is no memory.
    NoMemory,
    /// A number asked for is below 1, or not below `pid_max` at its level.
    OutOfRange,
    /// A number asked for is in use.
    InUse,
    /// Every number of a level is in use.
    Full,
    /// A namespace has no init yet, and this would not be it: pid 1 must come first.
    NotInit,
    /// The init of a namespace has exited: nothing can be born there any more.
    Dead,
}

impl From<AllocError> for Error {
    fn from(error: AllocError) -> Error {
        match error {
            AllocError::TooManyNumbers | AllocError::OutOfRange | AllocError::NotInit => EINVAL,
            AllocError::InUse => EEXIST,
            AllocError::Full => EAGAIN,
            AllocError::NoMemory | AllocError::Dead => ENOMEM,
        }
    }
}

impl From<ReserveError> for AllocError {
    fn from(error: ReserveError) -> AllocError {
        match error {
            ReserveError::InUse => AllocError::InUse,
            ReserveError::Full => AllocError::Full,
            ReserveError::NoMemory => AllocError::NoMemory,
        }
    }
}

/// A pid that has numbers and no user yet. Dropping it frees the numbers.
pub(crate) struct NewPid(ManuallyDrop<ARef<Pid>>);

impl NewPid {
    /// The pid, whose numbers from now on stay until [`Pid::free_numbers`].
    pub(crate) fn keep(self) -> ARef<Pid> {
        // The reference that comes with the numbers stays with them; the caller gets another.
        let this = ManuallyDrop::new(self);
        (*this.0).clone()
    }
}

impl core::ops::Deref for NewPid {
    type Target = Pid;

    fn deref(&self) -> &Pid {
        &self.0
    }
}

impl Drop for NewPid {
    fn drop(&mut self) {
        self.0.free_numbers();
    }
}

/// The numbers reserved so far, deepest level first. Dropping it gives them back.
struct Reservations<'a> {
    items: [MaybeUninit<Reservation<'a, Pid>>; LEVELS],
    /// # Invariants
    ///
    /// The first `len` items are initialized.
    len: usize,
}

impl<'a> Reservations<'a> {
    fn new() -> Self {
        // INVARIANT: None is.
        Self {
            items: [const { MaybeUninit::uninit() }; LEVELS],
            len: 0,
        }
    }

    fn push(&mut self, reservation: Reservation<'a, Pid>) {
        if let Some(item) = self.items.get_mut(self.len) {
            item.write(reservation);
            // INVARIANT: One more is.
            self.len += 1;
        }
    }

    fn pop(&mut self) -> Option<Reservation<'a, Pid>> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: By the invariants it is initialized; it is not counted any more.
        Some(unsafe { self.items[self.len].assume_init_read() })
    }
}

impl Drop for Reservations<'_> {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

/// Makes a pid in `ns`: a number there and in each namespace above. May sleep.
///
/// `set_tid` are the numbers to have, for `ns` first and then upwards; levels beyond it get the
/// next number in cyclic order.
///
/// # Errors
///
/// See [`AllocError`], whose order is the order of the checks. Nothing is changed then, except
/// that, as natively, cursors of levels below the one that failed have moved.
pub(crate) fn alloc_pid(ns: &Namespace, set_tid: &[i32]) -> Result<NewPid, AllocError> {
    if set_tid.len() > ns.level() + 1 {
        return Err(AllocError::TooManyNumbers);
    }
    let mut memory = PidMemory::alloc(ns.level())?;
    for (&tid, level) in set_tid.iter().zip(ns.upwards()) {
        if tid < 1 || tid >= level.pid_max() {
            return Err(AllocError::OutOfRange);
        }
    }
    // An earlier attempt to make init failed: the next one gets 1 again.
    let stage = ns.life().stage();
    if stage.child_reaper == 0 && stage.is_adding && ns.map().is_empty() {
        ns.map().set_cursor(0);
    }
    let mut taken = Reservations::new();
    let mut wanted = set_tid.iter();
    let mut dead = false;
    for level in ns.upwards() {
        let reservation = match wanted.next() {
            Some(&tid) => level.map().reserve(tid as u32)?,
            None => {
                if faults::has(Fault::WrapToOne) && level.last_pid() + 1 >= level.pid_max() {
                    level.map().set_cursor(0);
                }
                level.map().reserve_next(level.pid_max() as u32)?
            }
        };
        let nr = reservation.nr();
        taken.push(reservation);
        // The reservation is fully ordered before this: see `Life::disable`.
        match level.life().answer(nr) {
            Answer::Welcome => {}
            Answer::NotInit => return Err(AllocError::NotInit),
            Answer::Dead => dead = true,
        }
        memory.set_number(level.level(), nr as i32);
    }
    // Last, so that other errors keep their priority.
    if dead && !faults::has(Fault::NoGuard) {
        return Err(AllocError::Dead);
    }
    let pid = memory.incarnate(ns, Numbers::InMaps);
    while let Some(reservation) = taken.pop() {
        reservation.publish(NonNull::from(&*pid));
    }
    Ok(NewPid(ManuallyDrop::new(pid)))
}
