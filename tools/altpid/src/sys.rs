// SPDX-License-Identifier: GPL-2.0

//! The one place that talks to the kernel by ioctl(2).

use crate::uapi;
use rustix::{
    fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd},
    io::{Errno, Result},
    ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};
use std::{ffi::c_void, fs::File, os::unix::fs::MetadataExt, path::Path};

/// A struct of the interface together with the command that takes it.
pub(crate) trait Command: Default {
    /// The number of the command.
    const NUMBER: u32;

    /// Sets the first member, which says how large the struct is.
    fn set_size(&mut self, size: u32);
}

macro_rules! command {
    ($($name:ident: $number:ident,)*) => {
        $(impl Command for uapi::$name {
            const NUMBER: u32 = uapi::$number as u32;

            fn set_size(&mut self, size: u32) {
                self.size = size;
            }
        })*
    };
}

command! {
    altpid_world: ALTPID_CMD_WORLD,
    altpid_clone: ALTPID_CMD_CLONE,
    altpid_unshare: ALTPID_CMD_UNSHARE,
    altpid_setns: ALTPID_CMD_SETNS,
    altpid_exit: ALTPID_CMD_EXIT,
    altpid_wait: ALTPID_CMD_WAIT,
    altpid_waitid: ALTPID_CMD_WAITID,
    altpid_kill: ALTPID_CMD_KILL,
    altpid_sigaction: ALTPID_CMD_SIGACTION,
    altpid_sigprocmask: ALTPID_CMD_SIGPROCMASK,
    altpid_sigwait: ALTPID_CMD_SIGWAIT,
    altpid_signals: ALTPID_CMD_SIGNALS,
    altpid_exec: ALTPID_CMD_EXEC,
    altpid_prctl: ALTPID_CMD_PRCTL,
    altpid_reboot: ALTPID_CMD_REBOOT,
    altpid_setsid: ALTPID_CMD_SETSID,
    altpid_setpgid: ALTPID_CMD_SETPGID,
    altpid_set_name: ALTPID_CMD_SET_NAME,
    altpid_get_name: ALTPID_CMD_GET_NAME,
    altpid_getid: ALTPID_CMD_GETID,
    altpid_sigpending: ALTPID_CMD_SIGPENDING,
    altpid_attach: ALTPID_CMD_ATTACH,
    altpid_pidfd_open: ALTPID_CMD_PIDFD_OPEN,
    altpid_pidfd_close: ALTPID_CMD_PIDFD_CLOSE,
    altpid_pidfd_info: ALTPID_CMD_PIDFD_INFO,
    altpid_poll: ALTPID_CMD_POLL,
    altpid_task: ALTPID_CMD_TASK,
    altpid_ns: ALTPID_CMD_NS,
    altpid_ns_set: ALTPID_CMD_NS_SET,
    altpid_ns_get: ALTPID_CMD_NS_GET,
    altpid_find: ALTPID_CMD_FIND,
    altpid_translate: ALTPID_CMD_TRANSLATE,
    altpid_list: ALTPID_CMD_LIST,
    altpid_audit: ALTPID_CMD_AUDIT,
    altpid_failure: ALTPID_CMD_FAILURE,
    altpid_batch: ALTPID_CMD_BATCH,
}

/// One call: the command of `T` with a pointer to it.
struct Call<'a, T>(&'a mut T);

// SAFETY: The command takes a pointer to the struct, whose size stands in its first member, and
// reads and writes no more than that. What the struct points to is the business of `call`'s caller.
unsafe impl<T: Command> Ioctl for Call<'_, T> {
    type Output = ();

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        T::NUMBER as Opcode
    }

    fn as_ptr(&mut self) -> *mut c_void {
        (&raw mut *self.0).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> Result<()> {
        Ok(())
    }
}

/// Performs the command that `arg` belongs to.
///
/// # Safety
///
/// Addresses in `arg` are those of memory that the command may read or write, as the header says.
pub(crate) unsafe fn call<T: Command>(fd: BorrowedFd<'_>, arg: &mut T) -> Result<()> {
    arg.set_size(u32::try_from(size_of::<T>()).map_err(|_| Errno::INVAL)?);
    // SAFETY: By the safety requirements, and `Call` describes the command rightly.
    unsafe { ioctl(fd, Call(arg)) }
}

/// `NS_GET_PARENT` (`include/uapi/linux/nsfs.h`), which takes nothing and returns a descriptor.
struct GetParent;

// SAFETY: The command takes no argument, and its result is a new descriptor.
unsafe impl Ioctl for GetParent {
    type Output = OwnedFd;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        opcode::none(0xb7, 0x2)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(out: IoctlOutput, _: *mut c_void) -> Result<OwnedFd> {
        // SAFETY: The command was successful, so this is a descriptor that nobody else has.
        Ok(unsafe { OwnedFd::from_raw_fd(out) })
    }
}

/// The pid namespace above the one that a file of nsfs stands for.
///
/// # Errors
///
/// `EPERM` when that is outside of the caller's own.
pub(crate) fn parent_namespace(path: &Path) -> std::io::Result<File> {
    let ns = File::open(path)?;
    // SAFETY: `GetParent` describes the command rightly.
    let parent = unsafe { ioctl(&ns, GetParent) }?;
    Ok(parent.into())
}

/// Whether the pid namespace that a file of nsfs stands for has had an init; `None` where that cannot be
/// found out.
///
/// The kernel tells nobody, but clone3(2) refuses differently (`alloc_pid()`): where there was no init yet
/// the number of the first one must be 1 (`EINVAL`), else the numbers are looked at further, of which
/// those above are in use by the inits there (`EEXIST`). So nothing is ever made.
pub(crate) fn has_had_init(ns: &File) -> Option<bool> {
    let levels_below = {
        let own = std::fs::metadata("/proc/self/ns/pid").ok()?.ino();
        // SAFETY: `GetParent` describes the command rightly.
        let above = |ns: &File| unsafe { ioctl(ns, GetParent) }.map(File::from).ok();
        let all = std::iter::successors(above(ns), above);
        1 + all
            .map(|ns| ns.metadata().map(|data| data.ino()))
            .position(|inode| inode.is_ok_and(|inode| inode == own))?
    };
    let ns = ns.try_clone().ok()?;
    // A thread of its own: its children would be born there from then on.
    let errno = std::thread::spawn(move || {
        move_into_link_name_space(ns.as_fd(), Some(LinkNameSpaceType::ProcessID)).ok()?;
        refused_clone(levels_below)
    });
    match errno.join().ok()?? {
        Errno::INVAL => Some(false),
        Errno::EXIST => Some(true),
        _ => None,
    }
}

/// Why clone3(2) refuses to make somebody who is 5 in the namespace for children and 1 in those above it,
/// up to the caller's own, in which 1 is in use.
fn refused_clone(levels_below: usize) -> Option<Errno> {
    let mut numbers = vec![1i32; levels_below + 1];
    numbers[0] = 5;
    let mut args = [0u64; 10];
    // exit_signal, set_tid and set_tid_size of struct clone_args.
    args[4] = 17;
    args[8] = numbers.as_ptr().expose_provenance() as u64;
    args[9] = numbers.len() as u64;
    // SAFETY: The call reads the arguments and the numbers, which live longer. It makes no process: the
    // number 1 of the caller's own namespace is in use as long as the caller lives.
    let result = unsafe { libc::syscall(libc::SYS_clone3, args.as_ptr(), size_of_val(&args)) };
    if result == 0 {
        // SAFETY: A child that cannot be, and must not go on.
        unsafe { libc::_exit(0) }
    }
    (result < 0)
        .then(|| std::io::Error::last_os_error().raw_os_error())?
        .map(Errno::from_raw_os_error)
}

/// The inodes of a pid namespace, which a file of nsfs stands for, and of those above it as far as the
/// caller may know of them.
///
/// # Errors
///
/// When the file cannot be opened.
pub(crate) fn ancestors(path: &Path) -> std::io::Result<Vec<u64>> {
    let mut ns = File::open(path)?;
    let mut inodes = vec![ns.metadata()?.ino()];
    // SAFETY: `GetParent` describes the command rightly.
    while let Ok(above) = unsafe { ioctl(&ns, GetParent) } {
        ns = above.into();
        inodes.push(ns.metadata()?.ino());
    }
    Ok(inodes)
}
