// SPDX-License-Identifier: GPL-2.0

//! Around the library: commands with any bytes at any address, signals, and the user in C.
//!
//! All unsafe code of the tests is here. What makes it sound is that the module gets no address but
//! those in a [`Region`], which ends with a page that nothing can be written to, and addresses at
//! which a process has no memory.

mod arena;
mod region;
mod shared;
mod slots;

pub use arena::{Address, Arena};
pub use region::{Access, Region};
pub use shared::Counters;
pub use slots::Slots;

use altpid::uapi::{self, altpid_batch, altpid_clone, altpid_list, altpid_translate};
use rustix::{
    fd::{AsFd, AsRawFd},
    io::Errno,
    thread::Pid,
};
use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    mem::offset_of,
    os::unix::process::CommandExt,
    path::Path,
    process::Command,
    ptr, slice,
    sync::Once,
};

/// Bytes of a page; also the largest struct that the module looks at.
pub const PAGE: usize = 4096;

/// What the address in a struct is.
#[derive(Clone, Copy, Debug)]
pub enum Array<'a> {
    /// There is none, or it is 0.
    None,
    /// A byte of a region.
    At(&'a Region, usize),
    /// Where a process cannot have memory: the first page and the kernel's half.
    Nowhere(u64),
}

/// Where in its struct a command has an address.
fn address_field(command: u32) -> Option<usize> {
    match command {
        uapi::ALTPID_CMD_CLONE => Some(offset_of!(altpid_clone, set_tid)),
        uapi::ALTPID_CMD_TRANSLATE => Some(offset_of!(altpid_translate, nrs)),
        uapi::ALTPID_CMD_LIST => Some(offset_of!(altpid_list, entries)),
        uapi::ALTPID_CMD_BATCH => Some(offset_of!(altpid_batch, ops)),
        _ => None,
    }
}

/// Issues a command with its struct in a region: puts `bytes` there, and the address of the array.
///
/// # Errors
///
/// What the module returns.
pub fn call(
    world: impl AsFd,
    command: u32,
    bytes: &[u8],
    array: Array<'_>,
    region: &mut Region,
    at: usize,
) -> Result<(), Errno> {
    let bytes = with_address(command, bytes, array);
    // What does not fit is not there.
    let room = bytes.len().min(region.len() - at);
    region.write(at, &bytes[..room]);
    ioctl(world, command, region.address(at))
}

/// Issues a command that has no array, and returns its reply.
///
/// # Errors
///
/// What the module returns.
pub fn ask<T: Plain>(world: impl AsFd, command: u32, value: &T) -> Result<T, Errno> {
    let mut bytes = bytes_of(value);
    let size = bytes.len() as u32;
    bytes[..4].copy_from_slice(&size.to_ne_bytes());
    let mut region = Region::with_room(bytes.len());
    call(world, command, &bytes, Array::None, &mut region, 0)?;
    Ok(from_bytes(&region.read(0, bytes.len())))
}

/// The bytes of a struct with the address of its array in it.
pub fn with_address(command: u32, bytes: &[u8], array: Array<'_>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let address = match array {
        Array::None => 0,
        Array::At(region, at) => region.address(at),
        Array::Nowhere(address) => {
            assert!(address < PAGE as u64 || address >= 1 << 63);
            address
        }
    };
    if let Some(field) = address_field(command).and_then(|at| bytes.get_mut(at..at + 8)) {
        field.copy_from_slice(&address.to_ne_bytes());
    }
    bytes
}

/// Issues a command with an address at which there is no memory.
///
/// # Errors
///
/// What the module returns.
pub fn call_nowhere(world: impl AsFd, command: u32, address: u64) -> Result<(), Errno> {
    assert!(address < PAGE as u64 || address >= 1 << 63);
    ioctl(world, command, address)
}

/// The address is in a region, or nowhere, and so is the one in the struct.
fn ioctl(world: impl AsFd, command: u32, address: u64) -> Result<(), Errno> {
    let fd = world.as_fd().as_raw_fd();
    // SAFETY: A struct, and an array of what a command with one says, is written from its
    // beginning on, and no further than to the page behind its region that cannot be written to.
    check(unsafe { libc::ioctl(fd, command as _, address) })
}

/// Issues a command with a struct of zeroes but for its size, as a new process that has the given
/// number on this machine.
///
/// # Errors
///
/// Of the outer result what the kernel says about such a process (`EEXIST` while somebody has the
/// number), of the inner what the module returns.
pub fn call_as(
    number: Pid,
    world: impl AsFd,
    command: u32,
    size: u32,
) -> Result<Result<(), Errno>, Errno> {
    let mut region = Region::with_room(size as usize);
    region.write(0, &size.to_ne_bytes());
    let (fd, address) = (world.as_fd().as_raw_fd(), region.address(0));
    let number = number.as_raw_nonzero().get();
    // SAFETY: All zeroes are valid arguments.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.exit_signal = libc::SIGCHLD as u64;
    args.set_tid = (&raw const number).expose_provenance() as u64;
    args.set_tid_size = 1;
    // SAFETY: The child has a copy of the memory and does nothing with it but the ioctl, whose
    // struct is in the region.
    let child = unsafe {
        let child = libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args));
        if child == 0 {
            let status = libc::ioctl(fd, command as _, address);
            let error = if status == 0 {
                0
            } else {
                *libc::__errno_location()
            };
            libc::_exit(error);
        }
        child as libc::pid_t
    };
    check(child.min(0))?;
    let mut status = 0;
    // SAFETY: `status` is ours.
    let reaped = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert!(
        reaped == child && libc::WIFEXITED(status),
        "waitpid: {status}"
    );
    match libc::WEXITSTATUS(status) {
        0 => Ok(Ok(())),
        error => Ok(Err(Errno::from_raw_os_error(error))),
    }
}

/// What a system call has returned.
fn check(status: c_int) -> Result<(), Errno> {
    if status == 0 {
        return Ok(());
    }
    assert_eq!(status, -1);
    let error = std::io::Error::last_os_error();
    Err(Errno::from_io_error(&error).expect("an error number"))
}

/// Sends a thread of this process a signal whose handler does nothing, and which ends the system
/// call that the thread is in. Returns whether there is such a thread.
pub fn interrupt(thread: Pid) -> bool {
    static HANDLER: Once = Once::new();

    extern "C" fn nothing(_: c_int) {}

    HANDLER.call_once(|| {
        // SAFETY: All zeroes is a valid sigaction, and the handler does nothing.
        let status = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = nothing as extern "C" fn(c_int) as usize;
            libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut())
        };
        assert_eq!(status, 0, "sigaction");
    });
    let (process, thread) = (std::process::id(), thread.as_raw_nonzero().get());
    // SAFETY: A signal that has a handler, to a thread of this process.
    let status = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGUSR1) };
    status == 0
}

/// finit_module(2)
///
/// # Errors
///
/// What the kernel says.
pub fn finit_module(file: impl AsFd, parameters: &CStr) -> Result<(), Errno> {
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: Loads a module; the string is there during the call.
    let status = unsafe { libc::syscall(libc::SYS_finit_module, fd, parameters.as_ptr(), 0) };
    check(status as c_int)
}

/// Has a program that is started keep a file, which programs that others start meanwhile do not.
pub fn hand_down(command: &mut Command, file: impl AsFd) {
    let fd = file.as_fd().as_raw_fd();
    let keep = move || {
        // SAFETY: Changes a flag of a descriptor.
        let status = unsafe { libc::fcntl(fd, libc::F_SETFD, 0) };
        check(status).map_err(std::io::Error::from)
    };
    // SAFETY: It makes a system call.
    unsafe { command.pre_exec(keep) };
}

/// Has a program that is started, and all that it starts, never gain privileges.
pub fn no_new_privs(command: &mut Command) {
    let give_up = || {
        // SAFETY: Changes a flag of the calling process.
        let status = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
        check(status).map_err(std::io::Error::from)
    };
    // SAFETY: It makes a system call.
    unsafe { command.pre_exec(give_up) };
}

/// delete_module(2), without waiting.
///
/// # Errors
///
/// What the kernel says.
pub fn delete_module(name: &CStr) -> Result<(), Errno> {
    // SAFETY: Unloads a module; the string is there during the call.
    let status = unsafe { libc::syscall(libc::SYS_delete_module, name.as_ptr(), libc::O_NONBLOCK) };
    check(status as c_int)
}

/// A command as C has it.
#[repr(C)]
struct CCommand {
    name: *const c_char,
    number: u32,
    size: u32,
}

// SAFETY: As they are in c/interface.c.
unsafe extern "C" {
    fn altpid_c_command(index: usize, out: *mut CCommand) -> c_int;
    fn altpid_c_drive(path: *const c_char, why: *mut *const c_char) -> c_int;
}

/// The commands as C has them: name, number and size of the struct.
pub fn c_commands() -> Vec<(String, u32, u32)> {
    let mut all = Vec::new();
    loop {
        let mut out = CCommand {
            name: ptr::null(),
            number: 0,
            size: 0,
        };
        // SAFETY: `out` is what the function fills in.
        if unsafe { altpid_c_command(all.len(), &raw mut out) } == 0 {
            return all;
        }
        // SAFETY: The name is a string constant.
        let name = unsafe { CStr::from_ptr(out.name) };
        let name = name.to_string_lossy().into_owned();
        all.push((name, out.number, out.size));
    }
}

/// Issues a command as a 32-bit program does, by the system call gate of those. The struct is
/// copied to memory that such a program can have, and back.
///
/// # Errors
///
/// What the module returns.
#[cfg(target_arch = "x86_64")]
pub fn call_32_bit<T: Plain>(world: impl AsFd, command: u32, value: &mut T) -> Result<(), Errno> {
    const IOCTL: c_int = 54;
    // SAFETY: A new mapping, in the part of memory that 32 bits can name.
    let page = unsafe {
        libc::mmap(
            ptr::null_mut(),
            PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT,
            -1,
            0,
        )
    };
    assert_ne!(page, libc::MAP_FAILED, "mmap");
    assert!(size_of::<T>() <= PAGE);
    let mut status = IOCTL;
    // SAFETY: The mapping has room for the struct, for which all bytes are valid; the command reads
    // and writes no more than that. The gate clobbers what is said here.
    unsafe {
        page.cast::<T>().copy_from(value, 1);
        std::arch::asm!(
            "push rbx",
            "mov ebx, {fd:e}",
            "int 0x80",
            "pop rbx",
            fd = in(reg) world.as_fd().as_raw_fd(),
            inout("eax") status,
            in("ecx") command,
            in("edx") page.expose_provenance() as u32,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
        ptr::from_mut(value).copy_from(page.cast(), 1);
        libc::munmap(page, PAGE);
    }
    match status {
        0.. => Ok(()),
        error => Err(Errno::from_raw_os_error(-error)),
    }
}

/// Drives the device from C.
///
/// # Errors
///
/// What did not hold there.
pub fn c_drive(device: &Path) -> Result<(), String> {
    let path = CString::new(device.as_os_str().as_encoded_bytes()).expect("a path");
    let mut why: *const c_char = ptr::null();
    // SAFETY: `path` is a string, and `why` is set to a string constant when it fails.
    if unsafe { altpid_c_drive(path.as_ptr(), &raw mut why) } == 0 {
        return Ok(());
    }
    // SAFETY: As above.
    let why = unsafe { CStr::from_ptr(why) };
    Err(format!(
        "{}: {}",
        why.to_string_lossy(),
        std::io::Error::last_os_error()
    ))
}

/// The bytes of a struct of the interface.
pub fn bytes_of<T: Plain>(value: &T) -> Vec<u8> {
    let pointer: *const c_void = ptr::from_ref(value).cast();
    // SAFETY: `Plain` structs have no padding, so that every byte is initialized.
    unsafe { slice::from_raw_parts(pointer.cast(), size_of::<T>()) }.to_vec()
}

/// The struct that bytes are, as many as there are; the rest is zeroes.
pub fn from_bytes<T: Plain>(bytes: &[u8]) -> T {
    let mut value = T::default();
    let known = bytes.len().min(size_of::<T>());
    // SAFETY: Within the value, for which all bytes are valid.
    unsafe {
        ptr::from_mut(&mut value)
            .cast::<u8>()
            .copy_from(bytes.as_ptr(), known)
    };
    value
}

/// A struct of integers without padding.
///
/// # Safety
///
/// It is that.
pub unsafe trait Plain: Default {}

macro_rules! plain {
    ($($name:ident)*) => {
        // SAFETY: The interface has explicit padding only, as the module's own build checks.
        $(unsafe impl Plain for uapi::$name {})*
    };
}

plain! {
    altpid_world altpid_clone altpid_unshare altpid_setns altpid_exit altpid_wait altpid_setsid
    altpid_setpgid altpid_set_name altpid_get_name altpid_getid altpid_sigpending altpid_task
    altpid_ns altpid_ns_set altpid_find
    altpid_translate altpid_list altpid_audit altpid_kill altpid_sigaction altpid_sigprocmask
    altpid_sigwait altpid_signals altpid_exec altpid_prctl altpid_reboot altpid_waitid altpid_failure
    altpid_batch altpid_op altpid_pidfd_open altpid_pidfd_close altpid_pidfd_info altpid_poll
    altpid_ns_get
}
