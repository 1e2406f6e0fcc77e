// SPDX-License-Identifier: GPL-2.0

//! Pidfds of a member: they are the kernel's, on bodies.
//!
//! `kernel/pid.c`, `fs/pidfs.c`, `kernel/signal.c`: `do_pidfd_send_signal()`, `kernel/nsproxy.c`: `validate_nsset()`.
//! Whom one is on is known also when the body is gone ([`known`](super::known)), so that it can be waited for as long
//! as altpid has a zombie. Polling is the kernel's: a body that is gone is ready. The kernel opens none on a body
//! that is gone; a zombie's is a file of altpid's, which can be polled, waited for and sent signals by.
//!
//! # Locks
//!
//! The tree lock for moments, or RCU.

use super::{
    arguments::{int_at, set_int_at},
    known,
    member::Member,
    numbers::as_seen,
};
use crate::{
    native::files,
    pid::{namespace::Namespace, Pid},
    process::clone::flags,
    reason::{errno, Outcome, Reason},
};
use core::ptr::NonNull;
use kernel::{bindings, prelude::*, sync::aref::ARef};

/// A pidfd of the caller's, on one that altpid knows.
pub(super) struct Handle {
    pub(super) pid: ARef<Pid>,
    /// It is on this thread and not on its process (`PIDFD_THREAD`).
    pub(super) is_thread: bool,
    /// That there is nothing to tell yet is `EAGAIN` (`PIDFD_NONBLOCK`).
    pub(super) is_nonblock: bool,
}

/// What a descriptor is to altpid.
pub(super) enum Descriptor {
    Handle(Handle),
    /// A pidfd on somebody who is not in the caller's world.
    Stranger,
    /// No pidfd, or no descriptor.
    Other,
}

/// What a descriptor of the caller's is.
pub(super) fn find(member: &Member, fd: i32) -> Descriptor {
    let (pid, flags) = if let Some((native, flags)) = files::pidfd(fd) {
        (known::by_native(&native), flags)
    } else if let Some((dead, flags)) = files::dead(fd) {
        // SAFETY: The pointer is that of `open_dead`, and the reference goes with this.
        let pid = unsafe { ARef::from_raw(dead.cast::<Pid>()) };
        (Some(pid), flags)
    } else {
        return Descriptor::Other;
    };
    // One of another world is nobody here: what a pid says of its users is about another tree.
    let is_here = |pid: &ARef<Pid>| member.world.root().is_ancestor_or_self(pid.ns());
    match pid.filter(is_here) {
        Some(pid) => Descriptor::Handle(Handle {
            pid,
            is_thread: flags & bindings::O_EXCL != 0,
            is_nonblock: flags & bindings::O_NONBLOCK != 0,
        }),
        None => Descriptor::Stranger,
    }
}

extern "C" {
    fn altpid_proc_directory(fd: c_int, pid: *mut *mut c_void) -> bool;
}

/// Whom a descriptor can send signals to that is no pidfd: it can be the directory of a process in /proc, of a world's.
///
/// # Errors
///
/// `EBADF`, `ESRCH`, `EINVAL`
pub(super) fn directory(member: &Member, fd: i32) -> Outcome<Handle> {
    let mut pid = core::ptr::null_mut();
    // SAFETY: There is room for the pid.
    if !unsafe { altpid_proc_directory(fd, &mut pid) } {
        return Err(EBADF.into());
    }
    let pid = NonNull::new(pid.cast::<Pid>()).ok_or(ESRCH)?;
    // SAFETY: It came with a reference.
    let pid = unsafe { ARef::from_raw(pid) };
    if !member.world.root().is_ancestor_or_self(pid.ns()) {
        return Err(Reason::Invisible.into());
    }
    Ok(Handle {
        pid,
        is_thread: false,
        is_nonblock: false,
    })
}

/// pidfd_open(2) of a process that has no body any more and nobody has waited for: the descriptor. `None` for
/// whom the kernel knows, or is to say what is wrong.
pub(super) fn open_dead(member: &Member, nr: i32, flags: u32) -> Option<Result<i32>> {
    if flags & !(bindings::O_NONBLOCK | bindings::O_EXCL) != 0 || nr <= 0 {
        return None;
    }
    let pid = {
        let tree = member.world.tree();
        let task = tree.numbered(tree.find(member.id).ok()?, nr).ok()?;
        let group = tree.group_of(task);
        let is_dead = group.nr_live() == 0 && group.tgid().is(tree.tasks()[task].pid());
        is_dead.then(|| group.tgid().clone())?
    };
    let pid = ARef::into_raw(pid).cast();
    // SAFETY: It is a pid with a reference.
    let opened = unsafe { files::open_dead(pid, flags) };
    if opened.is_err() {
        // SAFETY: As above; it is not the descriptor's.
        unsafe { altpid_put_dead(pid.as_ptr()) };
    }
    Some(opened)
}

/// One more reference.
///
/// # Safety
///
/// The pointer is one that [`open_dead`] has given away, and there is a reference.
#[no_mangle]
unsafe extern "C" fn altpid_get_dead(pid: *mut c_void) {
    // SAFETY: By the safety requirements.
    let pid: ARef<Pid> = unsafe { &*pid.cast::<Pid>() }.into();
    let _ = ARef::into_raw(pid);
}

/// A reference less.
///
/// # Safety
///
/// As [`altpid_get_dead`].
#[no_mangle]
unsafe extern "C" fn altpid_put_dead(pid: *mut c_void) {
    if let Some(pid) = NonNull::new(pid.cast::<Pid>()) {
        // SAFETY: By the safety requirements.
        drop(unsafe { ARef::from_raw(pid) });
    }
}

/// Whether somebody has waited for it.
///
/// # Safety
///
/// As [`altpid_get_dead`].
#[no_mangle]
unsafe extern "C" fn altpid_is_reaped(pid: *mut c_void) -> bool {
    // SAFETY: By the safety requirements.
    unsafe { &*pid.cast::<Pid>() }.exit_code().is_some()
}

/// The peer of a socket of the caller's, dead or alive.
pub(super) fn peer_of(fd: i32) -> Option<ARef<Pid>> {
    known::by_native(&files::peer(fd)?)
}

/// Whether an operation of ioctl(2) is `PIDFD_GET_INFO`, whatever the size of its struct.
pub(super) fn is_get_info(cmd: u32) -> bool {
    cmd & !(0x3fff << 16) == 0xc000_ff0b
}

/// Translates what the kernel has written into a `struct pidfd_info`: about this one, or, if a descriptor was exchanged
/// for another one meanwhile, about somebody whose numbers are not told.
///
/// # Errors
///
/// `ESRCH` for one that the caller does not see.
pub(super) fn translate_info(member: &Member, pid: Option<&Pid>, info: &mut [u8]) -> Result {
    const PID: usize = 16;
    const TGID: usize = 20;
    const PPID: usize = 24;
    // PIDFD_INFO_PID: the numbers are there.
    if int_at(info, 0) & 1 == 0 {
        return Ok(());
    }
    let (mut nr, mut tgid, mut ppid) = (0, 0, 0);
    if let Some(pid) = pid {
        nr = as_seen(member, pid);
        if nr == 0 {
            return Err(ESRCH);
        }
        let tree = member.world.tree();
        if let Some(task) = tree.task_of(pid) {
            tgid = as_seen(member, tree.group_of(task).tgid());
            ppid = tree.parent_nr(tree.tasks()[task].group(), member.tgid.ns());
        }
    }
    set_int_at(info, PID, nr);
    set_int_at(info, TGID, tgid);
    set_int_at(info, PPID, ppid);
    Ok(())
}

/// What setns(2) takes.
const NAMESPACES: u64 = flags::NEWNS
    | flags::NEWIPC
    | flags::NEWUSER
    | flags::NEWPID
    | flags::NEWTIME
    | bindings::CLONE_NEWCGROUP as u64
    | bindings::CLONE_NEWUTS as u64
    | bindings::CLONE_NEWNET as u64;

/// What the kernel does of a setns(2), with these flags, and where the children of the caller are born behind that.
pub(super) struct Setns {
    pub(super) flags: u64,
    pub(super) ns: Option<ARef<Namespace>>,
}

/// setns(2) of what a descriptor is when it is looked at: flags by which the kernel takes it for that alone. A file of a
/// pid namespace is none of altpid's; a pidfd has the namespace of its process.
pub(super) fn setns(member: &Member, fd: i32, wanted: u64) -> Outcome<Setns> {
    const UTS: u64 = bindings::CLONE_NEWUTS as u64;
    let wanted = u64::from(wanted as u32);
    let native = |flags| Setns { flags, ns: None };
    match files::namespace_kind(fd) {
        Some(flags::NEWPID) => return Err(errno(bindings::ENOSYS).into()),
        Some(kind) if wanted == 0 || wanted == kind => return Ok(native(kind)),
        Some(_) => return Err(EINVAL.into()),
        None => {}
    }
    if let Some((dead, _)) = files::dead(fd) {
        // SAFETY: The reference is that of `dead`.
        unsafe { altpid_put_dead(dead.as_ptr()) };
        // check_setns_flags()
        let is_known = wanted != 0 && wanted & !NAMESPACES == 0;
        return Err(if is_known { ESRCH } else { EINVAL }.into());
    }
    let is_pid = wanted & flags::NEWPID != 0;
    let handle = match find(member, fd) {
        Descriptor::Handle(handle) if is_pid => handle,
        // It is not visible.
        Descriptor::Stranger if is_pid => return Err(EINVAL.into()),
        // The kernel says what is wrong.
        Descriptor::Other if is_pid => return Ok(native(UTS)),
        // EINVAL, as 0 is for all that is no namespace.
        _ if wanted == 0 => return Ok(native(flags::THREAD)),
        _ => return Ok(native(wanted)),
    };
    let ns = {
        let tree = member.world.tree();
        let task = tree.task_of(&handle.pid).ok_or(Reason::Reaped)?;
        let task = &tree.tasks()[task];
        if !task.is_alive() {
            return Err(ESRCH.into());
        }
        ARef::<Namespace>::from(task.ns())
    };
    if !member.tgid.ns().is_ancestor_or_self(&ns) {
        return Err(Reason::NsNotBelow.into());
    }
    // All bodies are in the first pid namespace: to join that natively changes nothing, but the kernel asks for
    // permission (validate_nsset(), pidns_install()).
    Ok(Setns {
        flags: wanted,
        ns: Some(ns),
    })
}
