// SPDX-License-Identifier: GPL-2.0

//! The kernel's own side of a member: its `struct pid`, its signals, how it ends.
//!
//! What is behind these functions is in `native.c` and `native/`. A number of the kernel's is a [`NativeNr`], and
//! nothing makes a number of altpid's of it, or the reverse: who has one goes by way of a task.
//!
//! # Locks
//!
//! None of the module's. Nothing here sleeps but what is in [`probes`].

mod caller;
pub(crate) mod files;
pub(crate) mod groups;
pub(crate) mod probes;
pub(crate) mod signals;
pub(crate) mod tracing;
pub(crate) mod usage;

pub(crate) use self::caller::{
    give_native_words, has_admin, has_children_elsewhere, how_ends, ignore_children, is_32_bit,
    is_admin, is_as_asked, kill_self, make_self_unkillable, may_choose_numbers, may_reboot,
    own_comm, own_tgid, own_tid, own_uid, uid_here, why_not,
};
pub(crate) use self::signals::{
    has_pdeath_mark, has_signals, is_immune, mark_pdeath, sent, tells_of_job, HeldSignals,
};

use core::ptr::NonNull;
use kernel::{bindings, prelude::*};

/// A number in the kernel's own first pid namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NativeNr(i32);

impl NativeNr {
    /// One that nobody has: beyond `PID_MAX_LIMIT`, and small enough for the number of a CPU clock.
    pub(crate) const NOBODY: Self = Self(0x0fff_ffff);

    /// What the kernel calls somebody.
    pub(crate) fn from_kernel(nr: i32) -> Self {
        Self(nr)
    }

    /// A word to hash.
    pub(crate) fn word(self) -> u64 {
        self.0 as u64
    }

    /// For the host's root to see.
    pub(crate) fn to_user(self) -> i32 {
        self.0
    }

    /// As an argument of a native system call.
    pub(crate) fn to_argument(self) -> u64 {
        self.0 as u64
    }
}

/// How a thread ends (`struct altpid_end`).
#[repr(C)]
#[derive(Default)]
pub(crate) struct End {
    /// Its own status word.
    pub(crate) code: i32,
    is_group: i32,
    group_code: i32,
    /// The user that it belongs to, in the first user namespace.
    pub(crate) uid: u32,
}

impl End {
    /// The status word of its process, if that is decided.
    pub(crate) fn of_group(&self) -> Option<i32> {
        (self.is_group != 0).then_some(self.group_code)
    }
}

/// A signal with what comes along (`struct altpid_signal`).
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Signal {
    pub(crate) signo: i32,
    pub(crate) code: i32,
    /// The number that the receiver is told.
    pub(crate) pid: i32,
    pub(crate) uid: u32,
    pub(crate) status: i32,
}

/// What a process does about SIGCHLD, as far as it matters to its children.
#[derive(Clone, Copy)]
pub(crate) struct AboutChildren(i32);

impl AboutChildren {
    /// It ignores it: children vanish, and it is told nothing.
    pub(crate) fn ignores(self) -> bool {
        self.0 & 1 != 0
    }

    /// Children vanish (`SA_NOCLDWAIT`).
    pub(crate) fn does_not_wait(self) -> bool {
        self.0 & 2 != 0
    }

    /// It is not told when they stop (`SA_NOCLDSTOP`).
    pub(crate) fn no_stops(self) -> bool {
        self.0 & 4 != 0
    }
}

#[allow(
    improper_ctypes,
    reason = "structs of the kernel's may be empty, and only pointers to them are passed"
)]
mod c {
    use super::{End, Signal};
    use kernel::{bindings, ffi::*};

    extern "C" {
        pub(super) fn altpid_queue_exit(head: *mut bindings::callback_head) -> c_int;
        pub(super) fn altpid_queue_wake(
            task: *mut bindings::task_struct,
            head: *mut bindings::callback_head,
        ) -> c_int;
        pub(super) fn altpid_may_attach() -> c_int;
        pub(super) fn altpid_has_children_elsewhere() -> bool;
        pub(super) fn altpid_kill_self();
        pub(super) fn altpid_is_32_bit() -> bool;
        pub(super) fn altpid_ignore_children();
        pub(super) fn altpid_own_uid() -> c_uint;
        pub(super) fn altpid_uid_here(uid: c_uint) -> c_uint;
        pub(super) fn altpid_is_admin() -> bool;
        pub(super) fn altpid_has_capability(capability: c_int) -> bool;
        pub(super) fn altpid_comm(task: *mut bindings::task_struct, comm: *mut u8);
        pub(super) fn altpid_how_ends(end: *mut End);
        pub(super) fn altpid_make_body(child: *mut bindings::task_struct);
        pub(super) fn altpid_set_unkillable(task: *mut bindings::task_struct);
        pub(super) fn altpid_is_as_asked(
            child: *mut bindings::task_struct,
            is_thread: bool,
        ) -> bool;
        pub(super) fn altpid_kill_child(child: *mut bindings::task_struct);
        pub(super) fn altpid_native_nr(pid: *mut bindings::pid) -> c_int;
        pub(super) fn altpid_is_there(pid: *mut bindings::pid) -> bool;
        pub(super) fn altpid_sigchld(pid: *mut bindings::pid) -> c_int;
        pub(super) fn altpid_is_native_child(
            child: *mut bindings::pid,
            parent: *mut bindings::pid,
        ) -> bool;
        pub(super) fn altpid_stopped_by(pid: *mut bindings::pid) -> c_int;
        pub(super) fn altpid_native_group(pid: *mut bindings::pid) -> c_int;
        pub(super) fn altpid_send(pid: *mut bindings::pid, signal: *const Signal) -> c_int;
        pub(super) fn altpid_send_thread(pid: *mut bindings::pid, sig: c_int) -> c_int;
        pub(super) fn altpid_queue(
            pid: *mut bindings::pid,
            sig: c_int,
            info: *const [u8; 48],
            thread: bool,
        ) -> c_int;
        pub(super) fn altpid_is_last_reference(pid: *mut bindings::pid) -> bool;
        pub(super) fn altpid_is_taken(pid: *mut bindings::pid) -> bool;
        pub(super) fn altpid_give_native_words(nr: c_uint);
        pub(super) fn altpid_forget_later();
        pub(super) fn altpid_forget_never();
        pub(super) fn altpid_keeps_pdeath_mark(pid: *mut bindings::pid) -> bool;
        pub(super) fn altpid_own_tid() -> c_int;
        pub(super) fn altpid_own_tgid() -> c_int;
    }
}

/// A thread of the kernel's, by the `struct pid` that outlives its number, and by whose address it is told
/// apart. Owns a reference.
///
/// An `ARef<Task>` of the kernel crate, which has nothing for a `struct pid`, would keep a dead thread's
/// `task_struct` with its `signal_struct`, its credentials and its cgroup (6 KiB and 1 KiB in Debian's 7.3, for
/// each of the 64 threads whose failures a descriptor remembers, and for every zombie) instead of 128 bytes.
#[derive(PartialEq, Eq)]
pub(crate) struct Native(NonNull<bindings::pid>);

// SAFETY: A `struct pid` is reference counted, and may be used from everywhere.
unsafe impl Send for Native {}
// SAFETY: As above.
unsafe impl Sync for Native {}

impl Clone for Native {
    fn clone(&self) -> Self {
        // SAFETY: This one has a reference; the count is the first member.
        unsafe { bindings::refcount_inc(&raw mut (*self.0.as_ptr()).count) };
        Self(self.0)
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        // SAFETY: The reference is this one's, and goes with it.
        unsafe { bindings::put_pid(self.0.as_ptr()) };
    }
}

impl Native {
    /// The calling thread.
    pub(crate) fn own() -> Option<Self> {
        // SAFETY: It is the calling thread.
        unsafe { Self::of(kernel::task::Task::current_raw()) }
    }

    /// The `struct pid` of a thread.
    ///
    /// # Safety
    ///
    /// The task is the calling one, or a child of it that has not run yet.
    pub(crate) unsafe fn of(task: *mut bindings::task_struct) -> Option<Self> {
        // SAFETY: By the safety requirements.
        let pid = unsafe { bindings::get_task_pid(task, bindings::pid_type_PIDTYPE_PID) };
        NonNull::new(pid).map(Self)
    }

    /// The number, which is somebody else's as soon as the thread is gone.
    pub(crate) fn nr(&self) -> NativeNr {
        // SAFETY: There is a reference.
        NativeNr(unsafe { c::altpid_native_nr(self.0.as_ptr()) })
    }

    /// Whether it is the same `struct pid`.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Whether nobody else has a reference, nor will: the thread is gone.
    pub(crate) fn is_last_reference(&self) -> bool {
        // SAFETY: There is a reference.
        unsafe { c::altpid_is_last_reference(self.0.as_ptr()) }
    }

    /// Whether its number is now that of somebody else.
    pub(crate) fn is_taken(&self) -> bool {
        // SAFETY: There is a reference.
        unsafe { c::altpid_is_taken(self.0.as_ptr()) }
    }

    /// Whether the number still is its own: the thread is there, if only as a zombie.
    pub(crate) fn is_there(&self) -> bool {
        // SAFETY: There is a reference.
        unsafe { c::altpid_is_there(self.0.as_ptr()) }
    }

    /// What the process does about SIGCHLD.
    pub(crate) fn about_children(&self) -> AboutChildren {
        // SAFETY: There is a reference.
        AboutChildren(unsafe { c::altpid_sigchld(self.0.as_ptr()) })
    }

    /// Whether the process is a child of another one to the kernel too.
    pub(crate) fn is_child_of(&self, parent: &Self) -> bool {
        // SAFETY: There are references.
        unsafe { c::altpid_is_native_child(self.0.as_ptr(), parent.0.as_ptr()) }
    }

    /// Whether the thread has the mark of [`mark_pdeath`], or is gone.
    pub(crate) fn keeps_pdeath_mark(&self) -> bool {
        // SAFETY: There is a reference.
        unsafe { c::altpid_keeps_pdeath_mark(self.0.as_ptr()) }
    }

    /// The signal that the process is stopped by, if it is; `Err` when it is about to.
    pub(crate) fn stopped_by(&self) -> Result<Option<i32>, ()> {
        // SAFETY: There is a reference.
        match unsafe { c::altpid_stopped_by(self.0.as_ptr()) } {
            0 => Ok(None),
            by @ 1.. => Ok(Some(by)),
            _ => Err(()),
        }
    }

    /// The process group of the process, if it is still there.
    pub(crate) fn group(&self) -> Option<NativeNr> {
        // SAFETY: There is a reference.
        let nr = unsafe { c::altpid_native_group(self.0.as_ptr()) };
        (nr != 0).then_some(NativeNr(nr))
    }

    /// Sends a signal to the process by the kernel's hand: nobody's permission counts.
    pub(crate) fn send(&self, signal: &Signal) {
        // It may be gone, and then nobody needs it.
        // SAFETY: There is a reference, and the signal is looked at during the call only.
        let _ = unsafe { c::altpid_send(self.0.as_ptr(), signal) };
    }

    /// The calling thread sends a signal to the process, 0 only asking: the kernel says whether it may.
    pub(crate) fn kill(&self, signal: i32) -> Result {
        // SAFETY: There is a reference.
        kernel::error::to_result(unsafe { bindings::kill_pid(self.0.as_ptr(), signal, 0) })
    }

    /// Likewise with a siginfo, to the process or the thread. Of the siginfo these are the first bytes.
    pub(crate) fn queue(&self, signal: i32, info: &[u8; 48], to_thread: bool) -> Result {
        // SAFETY: There is a reference, and the siginfo is as long as the kernel's.
        let sent = unsafe { c::altpid_queue(self.0.as_ptr(), signal, info, to_thread) };
        kernel::error::to_result(sent)
    }

    /// Likewise, to the thread.
    pub(crate) fn kill_thread(&self, signal: i32) -> Result {
        self.kill(0)?;
        // SAFETY: There is a reference.
        kernel::error::to_result(unsafe { c::altpid_send_thread(self.0.as_ptr(), signal) })
    }
}

/// Has `altpid_body_exits()` called with the head when the calling thread, which is dying, may sleep.
///
/// # Safety
///
/// The head stays until then, and is queued nowhere else.
pub(crate) unsafe fn queue_exit(head: *mut bindings::callback_head) -> Result {
    // SAFETY: By the safety requirements.
    kernel::error::to_result(unsafe { c::altpid_queue_exit(head) })
}

/// Has `altpid_body_woken()` called with the head by a thread, whose sleep that ends.
///
/// # Safety
///
/// The thread is there. The head stays until then, and is queued nowhere else.
pub(crate) unsafe fn queue_wake(
    task: *mut bindings::task_struct,
    head: *mut bindings::callback_head,
) -> Result {
    // SAFETY: By the safety requirements.
    kernel::error::to_result(unsafe { c::altpid_queue_wake(task, head) })
}

/// Makes a new process a body, and an init's one that its own people cannot kill.
///
/// # Safety
///
/// It is a child of the calling thread that has not run yet and leads its thread group.
pub(crate) unsafe fn make_body(child: *mut bindings::task_struct, is_init: bool) {
    // SAFETY: By the safety requirements.
    unsafe { c::altpid_make_body(child) };
    if is_init {
        // SAFETY: As above.
        unsafe { c::altpid_set_unkillable(child) };
    }
}

/// Kills a new process.
///
/// # Safety
///
/// It is a child of the calling thread that has not run yet.
pub(crate) unsafe fn kill_child(child: *mut bindings::task_struct) {
    // SAFETY: By the safety requirements.
    unsafe { c::altpid_kill_child(child) };
}

/// Has `altpid_forget()` called in a second, and again as long as that says so. From everywhere.
pub(crate) fn forget_later() {
    // SAFETY: No requirements.
    unsafe { c::altpid_forget_later() };
}

/// Takes back [`forget_later`], and waits for what is under way of it. May sleep.
pub(crate) fn forget_never() {
    // SAFETY: No requirements.
    unsafe { c::altpid_forget_never() };
}
