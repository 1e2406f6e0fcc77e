// SPDX-License-Identifier: GPL-2.0

//! Signals of members, as the kernel has them: with `signals.c`, for what bindgen cannot read.

use kernel::{bindings, prelude::*};

#[allow(
    improper_ctypes,
    reason = "structs of the kernel's may be empty, and only pointers to them are passed"
)]
extern "C" {
    fn altpid_hold_signals() -> u64;
    fn altpid_has_signals() -> bool;
    fn altpid_tells_of_job(info: *const c_void) -> bool;
    fn altpid_mark_pdeath(has_one: bool);
    fn altpid_has_pdeath_mark() -> bool;
    fn altpid_let_go_on(blocked: u64);
    fn altpid_let_child_go_on(child: *mut bindings::task_struct, blocked: u64);
    fn altpid_is_immune(task: *mut bindings::task_struct) -> bool;
    fn altpid_sent(sig: c_int, task: *mut bindings::task_struct, group: bool, nr: c_int);
}

/// The calling thread takes no signal but SIGKILL, so that a fork does not fail for one.
pub(crate) struct HeldSignals(u64);

impl HeldSignals {
    /// From now on.
    pub(crate) fn new() -> Self {
        // SAFETY: No requirements.
        Self(unsafe { altpid_hold_signals() })
    }

    /// The child that it has made blocks what its parent does.
    ///
    /// # Safety
    ///
    /// It is a child of the calling thread that has not run yet.
    pub(crate) unsafe fn let_child_go_on(&self, child: *mut bindings::task_struct) {
        // SAFETY: By the safety requirements.
        unsafe { altpid_let_child_go_on(child, self.0) };
    }
}

impl Drop for HeldSignals {
    fn drop(&mut self) {
        // SAFETY: No requirements.
        unsafe { altpid_let_go_on(self.0) };
    }
}

/// Marks that the calling thread has a parent-death signal of altpid's: the kernel takes the mark away when it would
/// take the signal away.
pub(crate) fn mark_pdeath(has_one: bool) {
    // SAFETY: No requirements.
    unsafe { altpid_mark_pdeath(has_one) };
}

/// Whether the calling thread has the mark.
pub(crate) fn has_pdeath_mark() -> bool {
    // SAFETY: No requirements.
    unsafe { altpid_has_pdeath_mark() }
}

/// Whether a signal that it does not block waits for the calling thread or its process, or something else that it
/// looks at with signals (`recalc_sigpending()`).
pub(crate) fn has_signals() -> bool {
    // SAFETY: No requirements.
    unsafe { altpid_has_signals() }
}

/// Whether a signal for a member was ignored because its process is an init.
///
/// # Safety
///
/// As [`sent`].
pub(crate) unsafe fn is_immune(task: *mut bindings::task_struct) -> bool {
    // SAFETY: By the safety requirements.
    unsafe { altpid_is_immune(task) }
}

/// Whether the siginfo of a SIGCHLD tells of a child that has stopped or been continued.
///
/// # Safety
///
/// Called by the probe of `signal_generate`, with what that was given.
pub(crate) unsafe fn tells_of_job(info: *mut c_void) -> bool {
    // SAFETY: By the safety requirements.
    unsafe { altpid_tells_of_job(info) }
}

/// A signal was queued for a member, for which the calling process has a number.
///
/// # Safety
///
/// Called by the probe of `signal_generate`, with what that was given.
pub(crate) unsafe fn sent(sig: i32, task: *mut bindings::task_struct, group: bool, nr: i32) {
    // SAFETY: By the safety requirements.
    unsafe { altpid_sent(sig, task, group, nr) };
}
