// SPDX-License-Identifier: GPL-2.0

//! Process groups and sessions of the kernel's.
//!
//! # Locks
//!
//! RCU.

use kernel::{bindings, ffi::*};

#[allow(
    improper_ctypes,
    reason = "structs of the kernel's may be empty, and only pointers to them are passed"
)]
extern "C" {
    fn altpid_find_in(
        nr: c_int,
        is_session: bool,
        is_it: unsafe extern "C" fn(*mut bindings::task_struct, *mut c_void) -> bool,
        data: *mut c_void,
    );
}

/// What processes of the kernel's have in common.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Their process group.
    Group,
    /// Their session.
    Session,
}

/// Looks for a thread in a process group or session, among the first ones of it. `is_it` is called under RCU until
/// it says yes.
pub(crate) fn find_in(
    nr: i32,
    kind: Kind,
    is_it: &mut dyn FnMut(*mut bindings::task_struct) -> bool,
) {
    let mut is_it = is_it;
    let is_session = matches!(kind, Kind::Session);
    // SAFETY: `look` is given what it is called with, which is there during the call.
    unsafe { altpid_find_in(nr, is_session, look, (&raw mut is_it).cast()) };
}

/// See [`find_in`].
///
/// # Safety
///
/// Called by `altpid_find_in()` with what that was given.
unsafe extern "C" fn look(task: *mut bindings::task_struct, is_it: *mut c_void) -> bool {
    let is_it = is_it.cast::<&mut dyn FnMut(*mut bindings::task_struct) -> bool>();
    // SAFETY: By the safety requirements.
    unsafe { (*is_it)(task) }
}
