// SPDX-License-Identifier: GPL-2.0

//! The calling thread: who it is to the kernel, and what it may do.
//!
//! # Locks
//!
//! None of the module's.

use super::{c, End, NativeNr};
use kernel::{bindings, prelude::*};

/// Why the calling process cannot become a member: `ALTPID_CANNOT` and so on in `native.h`.
pub(crate) fn why_not() -> i32 {
    // SAFETY: No requirements.
    unsafe { c::altpid_may_attach() }
}

/// Whether the calling thread is in a system call of 32 bits.
pub(crate) fn is_32_bit() -> bool {
    // SAFETY: No requirements.
    unsafe { c::altpid_is_32_bit() }
}

/// Whether the calling thread has CAP_SYS_ADMIN in its own user namespace.
pub(crate) fn has_admin() -> bool {
    // SAFETY: No requirements.
    unsafe { c::altpid_has_capability(bindings::CAP_SYS_ADMIN as c_int) }
}

/// Whether the calling thread may choose the numbers of a child (`checkpoint_restore_ns_capable()`): altpid's namespaces
/// have no owner, so that its own user namespace is asked.
pub(crate) fn may_choose_numbers() -> bool {
    // SAFETY: No requirements.
    unsafe { c::altpid_has_capability(bindings::CAP_CHECKPOINT_RESTORE as c_int) || has_admin() }
}

/// Whether the calling thread has CAP_SYS_BOOT in its own user namespace.
pub(crate) fn may_reboot() -> bool {
    // SAFETY: No requirements.
    unsafe { c::altpid_has_capability(bindings::CAP_SYS_BOOT as c_int) }
}

/// The effective user of the calling thread.
pub(crate) fn own_uid() -> u32 {
    // SAFETY: No requirements.
    unsafe { c::altpid_own_uid() }
}

/// A user in the first user namespace, as the calling thread calls it.
pub(crate) fn uid_here(uid: u32) -> u32 {
    // SAFETY: No requirements.
    unsafe { c::altpid_uid_here(uid) }
}

/// Whether the calling thread may do as it likes with processes of others.
pub(crate) fn is_admin() -> bool {
    // SAFETY: No requirements.
    unsafe { c::altpid_is_admin() }
}

/// What the calling thread is called.
pub(crate) fn own_comm() -> [u8; 16] {
    let mut comm = [0; 16];
    // SAFETY: The calling thread is there, and there is room for its name.
    unsafe { c::altpid_comm(kernel::task::Task::current_raw(), comm.as_mut_ptr()) };
    comm
}

/// How the calling thread, which is dying, ends.
pub(crate) fn how_ends() -> End {
    let mut end = End::default();
    // SAFETY: There is room for the answer.
    unsafe { c::altpid_how_ends(&mut end) };
    end
}

/// The calling process ignores SIGCHLD from now on, and with it all that share its handlers.
pub(crate) fn ignore_children() {
    // SAFETY: The calling thread has what it does about signals.
    unsafe { c::altpid_ignore_children() };
}

/// The calling process is an init from now on.
pub(crate) fn make_self_unkillable() {
    // SAFETY: The calling thread has what it does about signals.
    unsafe { c::altpid_set_unkillable(kernel::task::Task::current_raw()) };
}

/// The calling thread dies: its robust futexes, by which it calls itself `nr`, get the number by which the kernel looks
/// for them. Does not sleep.
pub(crate) fn give_native_words(nr: i32) {
    // SAFETY: No requirements.
    unsafe { c::altpid_give_native_words(nr as u32) };
}

/// The native number of the calling thread.
pub(crate) fn own_tid() -> NativeNr {
    // SAFETY: No requirements.
    NativeNr(unsafe { c::altpid_own_tid() })
}

/// The native number of the calling process.
pub(crate) fn own_tgid() -> NativeNr {
    // SAFETY: No requirements.
    NativeNr(unsafe { c::altpid_own_tgid() })
}

/// Whether the children of the calling thread are born in another pid namespace of the kernel's than the first one.
pub(crate) fn has_children_elsewhere() -> bool {
    // SAFETY: The calling thread is not exiting.
    unsafe { c::altpid_has_children_elsewhere() }
}

/// Kills the calling process.
pub(crate) fn kill_self() {
    // SAFETY: No requirements.
    unsafe { c::altpid_kill_self() };
}

/// Whether a new child is what was asked for: a thread or a process, and of the caller's. Another thread may have
/// written over the flags before the kernel has read them.
///
/// # Safety
///
/// It is a child of the calling thread that has not run yet.
pub(crate) unsafe fn is_as_asked(child: *mut bindings::task_struct, is_thread: bool) -> bool {
    // SAFETY: By the safety requirements.
    unsafe { c::altpid_is_as_asked(child, is_thread) }
}
