// SPDX-License-Identifier: GPL-2.0

//! Pidfds that the driver has.

use super::check;
use altpid::PollFlags;
use anyhow::{Context, Result};
use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

/// `PIDFD_GET_INFO` with the first version of the struct (`include/uapi/linux/pidfd.h`)
const GET_INFO: libc::c_ulong = 0xc040_ff0b;
/// `PIDFD_INFO_PID`, `PIDFD_INFO_EXIT`
const INFO_PID: u64 = 1;
const INFO_EXIT: u64 = 1 << 3;

/// `struct pidfd_info`
#[repr(C)]
#[derive(Default)]
struct RawInfo {
    mask: u64,
    cgroupid: u64,
    pid: u32,
    tgid: u32,
    ppid: u32,
    credentials: [u32; 8],
    exit_code: i32,
}

const _: () = assert!(size_of::<RawInfo>() == 64);

/// What a pidfd knows.
pub struct Info {
    /// The number that its task has for the driver, until it is reaped.
    pub tid: Option<i32>,
    /// How that ended, from then on.
    pub exit_code: Option<i32>,
}

/// A pidfd for a process or a thread that the driver sees.
pub fn open(tid: i32) -> Result<OwnedFd> {
    // SAFETY: It makes a descriptor, which nobody else has.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, tid, libc::PIDFD_THREAD);
        Ok(OwnedFd::from_raw_fd(check(fd).context("pidfd_open")? as i32))
    }
}

/// Another descriptor of the file that somebody has as `fd`.
pub fn take(tid: i32, fd: i32) -> Result<OwnedFd> {
    let pidfd = open(tid)?;
    // SAFETY: As above.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), fd, 0);
        Ok(OwnedFd::from_raw_fd(
            check(fd).context("pidfd_getfd")? as i32
        ))
    }
}

/// What a pidfd knows, how its task ended included.
pub fn info(fd: &OwnedFd) -> Result<Info> {
    // Linux 7.2 looks how a task ended before it looks for the task: when it is reaped in between
    // there is neither. The next time there is the one.
    let raw = get_info(fd).or_else(|error| match error.raw_os_error() {
        Some(libc::ESRCH) => get_info(fd),
        _ => Err(error),
    });
    let raw = raw.context("PIDFD_GET_INFO")?;
    Ok(Info {
        tid: (raw.mask & INFO_PID != 0).then_some(raw.pid as i32),
        exit_code: (raw.mask & INFO_EXIT != 0).then_some(raw.exit_code),
    })
}

fn get_info(fd: &OwnedFd) -> io::Result<RawInfo> {
    let mut raw = RawInfo {
        mask: INFO_EXIT,
        ..RawInfo::default()
    };
    // SAFETY: It writes the struct, whose size the command has.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), GET_INFO, &raw mut raw) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(raw)
}

/// What poll(2) says of a pidfd now.
pub fn poll(fd: &OwnedFd) -> Result<PollFlags> {
    let mut polled = libc::pollfd {
        fd: fd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: It writes to the one that it gets.
    let result = unsafe { libc::poll(&raw mut polled, 1, 0) };
    if result < 0 {
        Err(io::Error::last_os_error()).context("poll")?;
    }
    let mut events = PollFlags::empty();
    events.set(PollFlags::IN, polled.revents & libc::POLLIN != 0);
    events.set(PollFlags::HUP, polled.revents & libc::POLLHUP != 0);
    Ok(events)
}
