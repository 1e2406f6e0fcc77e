// SPDX-License-Identifier: GPL-2.0

//! ptrace(2), as the kernel sees it: who traces whom, and what a tracee is stopped for.
//!
//! # Locks
//!
//! RCU, and the kernel's lock of a tracee's signals.

use super::{Native, NativeNr};
use crate::base::sync::Guard;
use kernel::{bindings, prelude::*};

#[allow(
    improper_ctypes,
    reason = "structs of the kernel's may be empty, and only pointers to them are passed"
)]
extern "C" {
    fn altpid_own_tracer() -> *mut bindings::task_struct;
    fn altpid_own_parent() -> *mut bindings::task_struct;
    fn altpid_is_tracee(pid: *mut bindings::pid) -> bool;
    fn altpid_has_tracees(any: bool) -> bool;
    fn altpid_event_of(nr: c_int) -> c_int;
    fn altpid_give_signal(nr: c_int, sig: c_int, from: c_int, by_parent: bool);
    fn altpid_set_exit_signal(sig: c_int);
    fn altpid_child_of_signal(sig: c_int, task: *mut bindings::task_struct, group: bool) -> c_int;
    fn altpid_own_regs() -> *mut bindings::pt_regs;
}

/// Who traces the calling thread, if somebody does and does not exit.
pub(crate) fn own_tracer(_guard: &Guard) -> *mut bindings::task_struct {
    // SAFETY: The caller is in a section of RCU.
    unsafe { altpid_own_tracer() }
}

/// The parent of the calling thread.
pub(crate) fn own_parent(_guard: &Guard) -> *mut bindings::task_struct {
    // SAFETY: As above.
    unsafe { altpid_own_parent() }
}

/// Whether the calling thread traces somebody, or one of its process does.
pub(crate) fn has_tracees(is_any_thread: bool) -> bool {
    // SAFETY: No requirements.
    unsafe { altpid_has_tracees(is_any_thread) }
}

/// The `PTRACE_EVENT_` that a tracee of the calling thread is stopped for, 0 for none; `None` if it is not stopped.
pub(crate) fn event_of(nr: NativeNr) -> Option<i32> {
    // SAFETY: No requirements.
    let event = unsafe { altpid_event_of(nr.0) };
    (event >= 0).then_some(event)
}

/// A tracee of the calling thread is about to go on with another signal than it has stopped for, from that number: the
/// tracer's, or its parent's.
pub(crate) fn give_signal(nr: NativeNr, signal: i32, from: i32, by_parent: bool) {
    // SAFETY: No requirements.
    unsafe { altpid_give_signal(nr.0, signal, from, by_parent) };
}

/// The signal that the kernel sends to the parent of the calling thread when that exits.
pub(crate) fn set_exit_signal(signal: i32) {
    // SAFETY: No requirements.
    unsafe { altpid_set_exit_signal(signal) };
}

/// Whom a SIGCHLD that the kernel has just queued is about, if it is one: a tracee, or a child that has stopped.
///
/// # Safety
///
/// As [`sent`](super::sent).
pub(crate) unsafe fn child_of_signal(
    sig: i32,
    task: *mut bindings::task_struct,
    group: bool,
) -> Option<NativeNr> {
    // SAFETY: By the safety requirements.
    let nr = unsafe { altpid_child_of_signal(sig, task, group) };
    (nr > 0).then_some(NativeNr(nr))
}

/// The registers with which the calling thread goes back to its program.
pub(crate) fn own_regs() -> *mut bindings::pt_regs {
    // SAFETY: No requirements.
    unsafe { altpid_own_regs() }
}

impl Native {
    /// Whether the thread is traced by one of the calling process.
    pub(crate) fn is_callers_tracee(&self) -> bool {
        // SAFETY: There is a reference.
        unsafe { altpid_is_tracee(self.0.as_ptr()) }
    }
}
