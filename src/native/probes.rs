// SPDX-License-Identifier: GPL-2.0

//! Tracepoints by their names, and the module that has functions for them.
//!
//! # Locks
//!
//! None of the module's. What may sleep says so.

use core::ffi::CStr;
use kernel::prelude::*;

extern "C" {
    fn altpid_register_probes(probes: *mut Probe) -> c_int;
    fn altpid_unregister_probes(probes: *mut Probe);
    fn altpid_retire_later(seconds: c_uint);
    fn altpid_retire_never();
    fn altpid_synchronize_probes();
    fn altpid_hold_module();
}

/// A tracepoint by its name, and the function for it (`struct altpid_probe`).
#[repr(C)]
pub(crate) struct Probe {
    name: *const c_char,
    function: *mut c_void,
    tracepoint: *mut c_void,
}

impl Probe {
    /// The end of an array.
    pub(crate) const END: Self = Self {
        name: core::ptr::null(),
        function: core::ptr::null_mut(),
        tracepoint: core::ptr::null_mut(),
    };

    /// A function for a tracepoint.
    #[expect(
        clippy::disallowed_methods,
        reason = "what the kernel has for that is no constant function"
    )]
    pub(crate) const fn new(name: &'static CStr, function: *mut c_void) -> Self {
        Self {
            name: name.as_ptr().cast(),
            function,
            tracepoint: core::ptr::null_mut(),
        }
    }
}

/// Registers probes, or none. May sleep.
///
/// # Errors
///
/// `EOPNOTSUPP` for a tracepoint that there is not, `ENOMEM`.
///
/// # Safety
///
/// The functions are for the tracepoints with the names, and [`synchronize`] is called behind
/// [`unregister`] before they go. The array ends with [`Probe::END`].
pub(crate) unsafe fn register(probes: &mut [Probe]) -> Result {
    // SAFETY: By the safety requirements.
    kernel::error::to_result(unsafe { altpid_register_probes(probes.as_mut_ptr()) })
}

/// Unregisters what [`register`] has registered. May sleep.
pub(crate) fn unregister(probes: &mut [Probe]) {
    // SAFETY: The array ends as it did then.
    unsafe { altpid_unregister_probes(probes.as_mut_ptr()) };
}

/// Has `altpid_retire_probes()` called after so many seconds, later if this is called once more before. From
/// everywhere.
pub(crate) fn retire_later(seconds: u32) {
    // SAFETY: No requirements.
    unsafe { altpid_retire_later(seconds) };
}

/// Takes back [`retire_later`], and waits for what is under way of it. Nobody calls that any more.
pub(crate) fn retire_never() {
    // SAFETY: No requirements.
    unsafe { altpid_retire_never() };
}

/// Waits until no probe runs that is unregistered, and nobody who has given back the module is on the
/// way out of it. May sleep for long.
pub(crate) fn synchronize() {
    // SAFETY: No requirements.
    unsafe { altpid_synchronize_probes() };
}

/// Keeps the module for one more member; the task work of its exit gives it back.
pub(crate) fn hold_module() {
    // SAFETY: The module is in use: its code runs in a call on its device, or for another member.
    unsafe { altpid_hold_module() };
}
