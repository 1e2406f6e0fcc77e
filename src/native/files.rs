// SPDX-License-Identifier: GPL-2.0

//! What descriptors of the calling thread are to the kernel.
//!
//! # Locks
//!
//! None of the module's.

use super::Native;
use core::ptr::NonNull;
use kernel::{bindings, ffi::*, prelude::*};

#[allow(
    improper_ctypes,
    reason = "structs of the kernel's may be empty, and only pointers to them are passed"
)]
extern "C" {
    fn altpid_pidfd(fd: c_int, flags: *mut c_uint) -> *mut bindings::pid;
    fn altpid_peer(fd: c_int) -> *mut bindings::pid;
    fn altpid_namespace_kind(fd: c_int) -> c_uint;
    fn altpid_open_dead(pid: *mut c_void, flags: c_uint) -> c_int;
    fn altpid_dead(fd: c_int, flags: *mut c_uint) -> *mut c_void;
}

/// Whom a descriptor is a pidfd on, and the flags of its file.
pub(crate) fn pidfd(fd: i32) -> Option<(Native, u32)> {
    let mut flags = 0;
    // SAFETY: There is room for the flags.
    let pid = NonNull::new(unsafe { altpid_pidfd(fd, &mut flags) })?;
    Some((Native(pid), flags))
}

/// The peer of a socket, if it has one.
pub(crate) fn peer(fd: i32) -> Option<Native> {
    // SAFETY: No requirements.
    NonNull::new(unsafe { altpid_peer(fd) }).map(Native)
}

/// The flag of clone(2) for the kind of namespace that a descriptor is.
pub(crate) fn namespace_kind(fd: i32) -> Option<u64> {
    // SAFETY: No requirements.
    let kind = unsafe { altpid_namespace_kind(fd) };
    (kind != 0).then_some(kind.into())
}

/// A descriptor for somebody who is dead.
///
/// # Errors
///
/// `EMFILE`, `ENFILE`, `ENOMEM`: the reference is still the caller's.
///
/// # Safety
///
/// `altpid_get_dead()`, `altpid_put_dead()` and `altpid_is_reaped()` can be called with the pointer, of which there
/// is a reference that goes with the descriptor.
pub(crate) unsafe fn open_dead(pid: NonNull<c_void>, flags: u32) -> Result<i32> {
    // SAFETY: By the safety requirements.
    let fd = unsafe { altpid_open_dead(pid.as_ptr(), flags) };
    kernel::error::to_result(fd.min(0))?;
    Ok(fd)
}

/// Whom a descriptor of [`open_dead`] is on, with a reference, and the flags of its file.
pub(crate) fn dead(fd: i32) -> Option<(NonNull<c_void>, u32)> {
    let mut flags = 0;
    // SAFETY: There is room for the flags.
    let pid = NonNull::new(unsafe { altpid_dead(fd, &mut flags) })?;
    Some((pid, flags))
}
