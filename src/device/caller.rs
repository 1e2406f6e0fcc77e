// SPDX-License-Identifier: GPL-2.0

//! Who calls: a thread of this machine.
//!
//! `include/linux/pid.h`: `struct pid`, which exists to outlive the reuse of its number.

use core::ptr::NonNull;
use kernel::{bindings, task::Task};

/// A thread that has called, whom no later one with its number is taken for. Owns a reference to
/// its `struct pid`, by whose address it is told apart.
#[derive(PartialEq, Eq)]
pub(super) struct Caller(NonNull<bindings::pid>);

// SAFETY: `put_pid()` can be called by everybody.
unsafe impl Send for Caller {}

impl Caller {
    /// The calling thread.
    pub(super) fn current() -> Option<Self> {
        // SAFETY: The calling thread is there, and has a pid as long as it runs.
        let pid =
            unsafe { bindings::get_task_pid(Task::current_raw(), bindings::pid_type_PIDTYPE_PID) };
        NonNull::new(pid).map(Self)
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        // SAFETY: The reference is this one's, and goes with it.
        unsafe { bindings::put_pid(self.0.as_ptr()) };
    }
}
