// SPDX-License-Identifier: GPL-2.0

//! Pids: one identity with a number in its own namespace and in every one above.
//!
//! `kernel/pid.c`: `find_pid_ns()`, `find_ge_pid()`, `pid_nr_ns()`. How one is made is in [`alloc`], what it
//! is in memory in [`object`].
//!
//! # Locks
//!
//! None.

mod alloc;
pub(crate) mod mem;
pub(crate) mod namespace;
pub(crate) mod object;
pub(crate) mod pidmap;
pub(crate) mod registry;

pub(crate) use self::{
    alloc::{alloc_pid, AllocError, NewPid},
    object::{count, create_cache, destroy_caches, init_caches, Pid, PidType},
};

use crate::{
    base::sync::read_lock,
    pid::namespace::{Namespace, LEVELS},
};
use kernel::sync::aref::ARef;

/// The pid that has number `nr` in `ns`.
#[doc(alias = "find_get_pid")]
pub(crate) fn find_pid(ns: &Namespace, nr: i32) -> Option<ARef<Pid>> {
    let nr = u32::try_from(nr).ok()?;
    let guard = read_lock();
    loop {
        let found = ns.map().find(nr, &guard)?;
        let got = Pid::try_get(found.user, &guard);
        // It may have become another pid between the two: then the number names it no more.
        if got.is_some() && found.is_still() {
            return got;
        }
    }
}

/// The first pid with a number at or after `nr` in `ns`, and that number.
#[doc(alias = "find_ge_pid")]
pub(crate) fn find_pid_from(ns: &Namespace, nr: i32) -> Option<(i32, ARef<Pid>)> {
    let mut from = u32::try_from(nr).unwrap_or(0);
    let guard = read_lock();
    loop {
        let (nr, pid) = ns.map().get_next(from, &guard)?;
        let got = Pid::try_get(pid, &guard);
        if ns.map().get(nr, &guard) == Some(pid) {
            if let Some(pid) = got {
                return Some((nr as i32, pid));
            }
        }
        // Freed meanwhile; whether somebody has the number by now is seen when it is looked at
        // again.
        from = nr;
    }
}

/// What number `nr` of `from` is in `to`: 0 where it is not visible, `None` if it is not in use.
///
/// Takes no reference.
pub(crate) fn translate(from: &Namespace, nr: i32, to: &Namespace) -> Option<i32> {
    let nr = u32::try_from(nr).ok()?;
    let guard = read_lock();
    loop {
        let first = from.map().find(nr, &guard)?;
        let nr = Pid::nr_of_found(first.user, to, &guard);
        if nr.is_some() && first.is_still() {
            return nr;
        }
    }
}

/// A number at every level, level 0 first.
pub(crate) fn vector(pid: &Pid, ns: &Namespace) -> [i32; LEVELS] {
    let mut numbers = [0; LEVELS];
    for (nr, level) in numbers.iter_mut().zip(0..=ns.level()) {
        *nr = pid.nr_ns(ns.ancestor(level));
    }
    numbers
}
