// SPDX-License-Identifier: GPL-2.0

//! What is verified of the kernel when the module is loaded.
//!
//! A build compares all sizes and offsets that Rust believes in with what the kernel says of itself
//! (scripts/check-layout). Here is asked once more whether the kernel is the one that was built
//! for, which `insmod -f` would not, and whether some fields lie where they are looked for: each
//! is compared with what one of the kernel's own functions finds there.

use crate::base::faults::{self, Fault};
use core::ffi::CStr;
use kernel::{bindings, ffi, prelude::*};

/// `include/generated/utsrelease.h` of the kernel that was built for: `#define UTS_RELEASE "..."`.
const UTS_RELEASE: &str = include_str!(env!("ALTPID_UTSRELEASE"));

extern "C" {
    /// The release of the running kernel: src/stock/kernel_release.c.
    fn altpid_kernel_release() -> *const ffi::c_char;
}

/// The release of the kernel that the module was built for.
fn built_for() -> &'static str {
    UTS_RELEASE.split('"').nth(1).unwrap_or("")
}

/// Refuses a kernel of another release, or one whose fields lie elsewhere, with a message that names
/// it.
///
/// # Errors
///
/// [`ENOEXEC`], which is also what the kernel says to a module of another kernel.
pub(crate) fn check() -> Result {
    // SAFETY: The release is there as long as the kernel and always ends with a NUL; nobody changes
    // it once the kernel runs.
    let release = unsafe { CStr::from_char_ptr(altpid_kernel_release()) };
    let expected = if faults::has(Fault::OtherRelease) {
        "another"
    } else {
        built_for()
    };
    if release.to_bytes() != expected.as_bytes() {
        pr_err!("this module was built for Linux {expected}, and this is another\n");
        return Err(ENOEXEC);
    }
    for (field, agrees) in fields() {
        if !agrees {
            pr_err!(
                "{field} lies elsewhere in this kernel than in the one the module was built for\n"
            );
            return Err(ENOEXEC);
        }
    }
    Ok(())
}

/// Fields of the task that loads the module, of the first task and of the first pid namespace,
/// and whether they hold what they must.
fn fields() -> [(&'static str, bool); 8] {
    let shift = if faults::has(Fault::OtherLayout) {
        8
    } else {
        0
    };
    // SAFETY: All of these are there as long as the kernel, or as long as the task that runs this; the
    // fields read do not change meanwhile. Should one lie elsewhere it is still inside of its struct
    // of several KiB, or the pointer that is compared is not followed.
    unsafe {
        let ns = &raw mut bindings::init_pid_ns;
        let current = bindings::get_current();
        let pid = (&raw const (*current).pid).byte_add(shift).read_volatile();
        let own = bindings::__task_pid_nr_ns(current, bindings::pid_type_PIDTYPE_PID, ns);
        let leader = bindings::__task_pid_nr_ns(current, bindings::pid_type_PIDTYPE_TGID, ns);
        let first = &raw const bindings::init_task;
        let reaper = (*ns).child_reaper;
        let thread_pid = (*current).thread_pid;
        let known = bindings::get_task_pid(current, bindings::pid_type_PIDTYPE_PID);
        bindings::put_pid(known);
        [
            ("task_struct.pid", pid == own && (*first).pid == 0),
            ("task_struct.tgid", (*current).tgid == leader),
            (
                "task_struct.comm",
                (&raw const (*first).comm).cast::<[u8; 7]>().read() == *b"swapper",
            ),
            ("task_struct.thread_pid", core::ptr::eq(thread_pid, known)),
            (
                "pid.level",
                (*known).level == (*bindings::task_active_pid_ns(current)).level,
            ),
            (
                "pid_namespace.level",
                (*ns).level == 0 && (*ns).parent.is_null(),
            ),
            (
                "pid_namespace.user_ns",
                core::ptr::eq((*ns).user_ns, &raw const bindings::init_user_ns),
            ),
            ("pid_namespace.child_reaper", is_init(reaper)),
        ]
    }
}

/// Whether a pointer is to the first process, found by its number; it is compared, not followed.
fn is_init(reaper: *const bindings::task_struct) -> bool {
    let _guard = kernel::sync::rcu::read_lock();
    // SAFETY: RCU is held, under which both functions may be called; what they find is compared.
    unsafe {
        let init = bindings::find_pid_ns(1, &raw mut bindings::init_pid_ns);
        core::ptr::eq(
            reaper,
            bindings::pid_task(init, bindings::pid_type_PIDTYPE_TGID),
        )
    }
}
