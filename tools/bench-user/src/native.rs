// SPDX-License-Identifier: GPL-2.0

//! What is compared with, of the kernel itself.

use anyhow::{Result, ensure};
use rustix::fd::{AsFd, AsRawFd};
use std::io::Error;

/// fork(2), `_exit(2)` in the child, wait4(2).
pub fn fork_exit_wait() -> Result<()> {
    // SAFETY: There is one thread, and the child does nothing but exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: No requirements.
        unsafe { libc::_exit(3) };
    }
    ensure!(child > 0, "fork: {}", Error::last_os_error());
    let mut status = 0;
    // SAFETY: `status` is ours, and no usage is asked for.
    let reaped = unsafe { libc::wait4(child, &mut status, 0, std::ptr::null_mut()) };
    ensure!(reaped == child && status == 3 << 8, "wait4");
    Ok(())
}

/// An ioctl that the kernel does before it asks the device: the least that a call of its own can
/// cost.
pub fn empty_call(fd: impl AsFd) {
    // SAFETY: FIOCLEX takes no argument, and the descriptor is closed on exec anyway.
    unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::FIOCLEX) };
}
