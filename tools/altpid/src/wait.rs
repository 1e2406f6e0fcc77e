// SPDX-License-Identifier: GPL-2.0

//! wait4(2) and waitid(2): which children, and what has happened to them.

use crate::{names, types::TaskId};
use std::fmt;

bitflags::bitflags! {
    /// Options of wait4(2) and waitid(2) (`include/uapi/linux/wait.h`).
    ///
    /// # Examples
    ///
    /// ```
    /// use altpid::WaitFlags;
    ///
    /// let options = WaitFlags::NOHANG | WaitFlags::WALL;
    /// assert_eq!(options.bits(), 0x4000_0001);
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct WaitFlags: u32 {
        /// Do not sleep.
        const NOHANG = 1;
        /// wait4: also children that a signal has stopped; waitid: `WSTOPPED`.
        const STOPPED = 2;
        /// waitid: children that have exited.
        const EXITED = 4;
        /// Also children that go on after a stop.
        const CONTINUED = 8;
        /// waitid: leave the child as it is.
        const NOWAIT = 0x100_0000;
        /// Only children of this thread.
        const NOTHREAD = 0x2000_0000;
        /// Children of any kind.
        const WALL = 0x4000_0000;
        /// Only children that send another signal than SIGCHLD.
        const CLONE = 0x8000_0000;
        /// Any other option, to be refused by the kernel.
        const _ = !0;
    }
}

/// As C has them.
impl From<u32> for WaitFlags {
    fn from(bits: u32) -> Self {
        Self::from_bits_retain(bits)
    }
}

/// What wait4(2) has reaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waited {
    /// The id that the child had.
    pub task: TaskId,
    /// The number that it had, as the waiter saw it.
    pub pid: i32,
    /// Its status word; [`Waited::how`] takes it apart.
    pub status: i32,
}

impl Waited {
    /// What has happened to the child.
    pub fn how(&self) -> Status {
        Status::from_word(self.status)
    }
}

/// What has happened to a process.
///
/// # Examples
///
/// ```
/// use altpid::Status;
///
/// assert_eq!(Status::from_word(0x0300), Status::Exited(3));
/// assert_eq!(Status::from_word(9).to_string(), "killed SIGKILL");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has exited with a code.
    Exited(i32),
    /// A signal has killed it.
    Killed(i32),
    /// A signal has stopped it.
    Stopped(i32),
    /// It goes on.
    Continued,
}

impl Status {
    /// What a status word says.
    pub fn from_word(word: i32) -> Self {
        match word & 0x7f {
            0 => Self::Exited(word >> 8 & 0xff),
            0x7f if word == 0xffff => Self::Continued,
            0x7f => Self::Stopped(word >> 8 & 0xff),
            signal => Self::Killed(signal),
        }
    }

    /// What waitid tells by `si_code` and `si_status`.
    pub fn from_code(code: i32, status: i32) -> Self {
        match code {
            1 => Self::Exited(status),
            5 => Self::Stopped(status),
            6 => Self::Continued,
            _ => Self::Killed(status),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exited(code) => write!(f, "exited {code}"),
            Self::Killed(signal) => write!(f, "killed {}", signal_name(signal)),
            Self::Stopped(signal) => write!(f, "stopped {}", signal_name(signal)),
            Self::Continued => write!(f, "continued"),
        }
    }
}

/// A signal as people call it, or the number that is none.
fn signal_name(number: i32) -> String {
    match number {
        1..=64 => names::signal(number),
        other => other.to_string(),
    }
}
