// SPDX-License-Identifier: GPL-2.0

//! The probes: registered with the first member, and gone a while after the last.
//!
//! Registering rewrites code of the kernel, for which every CPU is interrupted; so they stay for a while,
//! in which another member may come.
//!
//! `include/trace/events/syscalls.h`, `sched.h`, `signal.h`. `sys_enter` and `sys_exit` may fault and sleep
//! for a moment; `sched_*` may not sleep; those of signals run with interrupts off under the lock of the
//! receiver's signals.
//!
//! # Locks
//!
//! A mutex for registering. What the probes take is said with each.

use super::{birth, calls, member};
use crate::{
    base::sync::{read_lock, Acquire, Atomic, Full, Relaxed},
    native::{
        self,
        probes::{self as tracepoints, Probe},
        tracing::child_of_signal,
    },
    tree::pending::{SigSet, SIGCHLD, SIGCONT, SIGKILL, SIGSTOP},
};
use kernel::{bindings, prelude::*};

/// Members, and processes that are about to become one.
static MEMBERS: Atomic<i64> = Atomic::new(0);

/// How long the probes stay behind the last member.
static SECONDS: Atomic<u32> = Atomic::new(0);

/// The probes, with their tracepoints once they were registered.
struct Probes([Probe; 8]);

// SAFETY: The pointers are to what is always there.
unsafe impl Send for Probes {}

kernel::sync::global_lock! {
    // SAFETY: Initialized in `init`, before there is a member.
    unsafe(uninit) static PROBES: Mutex<Option<Probes>> = None;
}

/// Gets ready.
///
/// # Safety
///
/// Called once, when the module is loaded.
pub(super) unsafe fn init(seconds: u32) {
    SECONDS.store(seconds, Relaxed);
    // SAFETY: By the safety requirements.
    unsafe { PROBES.init() };
}

fn probes() -> Probes {
    Probes([
        Probe::new(c"sys_enter", sys_enter as *mut c_void),
        Probe::new(c"sys_exit", sys_exit as *mut c_void),
        Probe::new(c"sched_process_fork", sched_process_fork as *mut c_void),
        Probe::new(c"sched_process_exit", sched_process_exit as *mut c_void),
        Probe::new(c"sched_prepare_exec", sched_prepare_exec as *mut c_void),
        Probe::new(c"signal_generate", signal_generate as *mut c_void),
        Probe::new(c"signal_deliver", signal_deliver as *mut c_void),
        Probe::END,
    ])
}

/// A process is about to become a member: the probes are there as long as this.
pub(super) struct Joining(());

impl Joining {
    /// Registers the probes if they are not. May sleep.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` where a tracepoint is not to be had, `ENOMEM`.
    pub(super) fn new() -> Result<Self> {
        let mut registered = PROBES.lock();
        if registered.is_none() {
            let mut all = probes();
            // SAFETY: Each function is for its tracepoint; `Bodies` waits for them before the module
            // goes.
            unsafe { tracepoints::register(&mut all.0)? };
            *registered = Some(all);
        }
        // Under the lock: whoever unregisters them looks under it.
        MEMBERS.add(1, Relaxed);
        Ok(Self(()))
    }

    /// It is one.
    pub(super) fn done(self) {
        drop(self);
    }
}

impl Drop for Joining {
    fn drop(&mut self) {
        left();
    }
}

/// One more member, beside one or somebody who is about to be one. Does not sleep.
pub(super) fn joined() {
    MEMBERS.add(1, Relaxed);
    tracepoints::hold_module();
}

/// One less; some time after the last one the probes go. Does not sleep.
pub(super) fn left() {
    if MEMBERS.fetch_sub(1, Full) == 1 {
        tracepoints::retire_later(SECONDS.load(Relaxed));
    }
}

/// Unregisters the probes, unless there are members again. May sleep.
#[no_mangle]
extern "C" fn altpid_retire_probes() {
    let mut registered = PROBES.lock();
    if MEMBERS.load(Acquire) == 0 {
        if let Some(mut probes) = registered.take() {
            tracepoints::unregister(&mut probes.0);
        }
    }
}

/// The module goes: nobody is a member, or becomes one. May sleep for long.
pub(super) fn end() {
    tracepoints::retire_never();
    altpid_retire_probes();
    tracepoints::synchronize();
}

/// A thread enters a system call.
///
/// # Safety
///
/// Called for the tracepoint.
unsafe extern "C" fn sys_enter(_: *mut c_void, regs: *mut bindings::pt_regs, nr: c_long) {
    if let Some(member) = member::current() {
        // SAFETY: The registers are the calling thread's, and so is the member.
        unsafe { calls::enter(member, member.own(), &mut *regs, nr) };
    }
}

/// A thread leaves a system call, or begins to run behind a fork.
///
/// # Safety
///
/// Called for the tracepoint.
unsafe extern "C" fn sys_exit(_: *mut c_void, regs: *mut bindings::pt_regs, _: c_long) {
    if let Some(member) = member::current() {
        // SAFETY: As above.
        unsafe { calls::leave(member, member.own(), &mut *regs) };
    }
}

/// The calling thread has a child that has not run yet.
///
/// # Safety
///
/// Called for the tracepoint.
unsafe extern "C" fn sched_process_fork(
    _: *mut c_void,
    _: *mut bindings::task_struct,
    child: *mut bindings::task_struct,
) {
    if let Some(member) = member::current() {
        // SAFETY: The member is the calling thread's, in its system call, and the child has not run.
        unsafe { birth::born(member.own(), child) };
    }
}

/// The calling thread calls exec, which does not fail any more: its memory goes.
///
/// # Safety
///
/// Called for the tracepoint.
unsafe extern "C" fn sched_prepare_exec(
    _: *mut c_void,
    _: *mut bindings::task_struct,
    _: *mut c_void,
) {
    if let Some(member) = member::current() {
        // SAFETY: It is the thread of this member, in its system call.
        native::give_native_words(unsafe { member.own() }.pid.nr());
    }
}

/// The calling thread exits.
///
/// # Safety
///
/// Called for the tracepoint.
unsafe extern "C" fn sched_process_exit(_: *mut c_void, _: *mut bindings::task_struct, _: bool) {
    if let Some(member) = member::current() {
        // SAFETY: It is the thread of this member, in its exit.
        native::give_native_words(unsafe { member.own() }.pid.nr());
        member.begin_exit();
    }
}

/// A signal is sent to a task, by the calling thread if it is not an interrupt that does so.
///
/// # Safety
///
/// Called for the tracepoint, with the lock of the task's signals held.
unsafe extern "C" fn signal_generate(
    _: *mut c_void,
    sig: c_int,
    info: *mut c_void,
    task: *mut bindings::task_struct,
    group: c_int,
    result: c_int,
) {
    const DELIVERED: c_int = 0;
    const IGNORED: c_int = 1;
    let guard = read_lock();
    let Some(receiver) = member::find(task, &guard) else {
        return;
    };
    let sender = member::find(kernel::task::Task::current_raw(), &guard);
    let nr = match sender {
        Some(sender) if sender.is_beside(receiver) => sender.tgid.nr_ns(receiver.tgid.ns()),
        _ => 0,
    };
    if result == DELIVERED {
        // SAFETY: What the tracepoint gave.
        let child = unsafe { child_of_signal(sig, task, group != 0) };
        let nr = child.map_or(nr, |child| receiver.nr_of(child));
        // SAFETY: As above.
        unsafe { native::sent(sig, task, group != 0, nr) };
    }
    if sig == SIGCONT {
        receiver.look_at_job();
    }
    // SAFETY: What the tracepoint gave.
    if let (SIGCHLD, Some(sender), true) = (sig, sender, unsafe { native::tells_of_job(info) }) {
        sender.is_told_of();
    }
    // From above an init is killed and stopped, which the kernel does not see here. A signal for one of its
    // threads is for all of them then.
    if result == IGNORED && nr == 0 && matches!(sig, SIGKILL | SIGSTOP) {
        // SAFETY: What the tracepoint gave.
        if receiver.tgid.nr() == 1 && unsafe { native::is_immune(task) } {
            receiver.send_again(sig);
        }
    }
}

/// The calling thread takes a signal.
///
/// # Safety
///
/// Called for the tracepoint, with the lock of its signals held.
unsafe extern "C" fn signal_deliver(
    _: *mut c_void,
    sig: c_int,
    _info: *mut c_void,
    action: *mut bindings::k_sigaction,
) {
    let Some(member) = member::current() else {
        return;
    };
    // SAFETY: What the tracepoint gave.
    let is_default = unsafe { (*action).sa.sa_handler }.is_none();
    if is_default && SigSet::STOP.contains(sig) {
        member.may_stop();
    }
}
