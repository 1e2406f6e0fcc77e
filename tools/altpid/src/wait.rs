// SPDX-License-Identifier: GPL-2.0

//! wait4(2) and waitid(2): which children, and what has happened to them.

use crate::{
    names,
    types::{PidfdId, Result, TaskId},
    uapi,
    world::World,
};
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

/// What wait4(2) has reaped.
///
/// # Examples
///
/// ```no_run
/// use altpid::{CloneArgs, Status, WaitFlags, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// let child = world.clone(init, &CloneArgs::new())?;
/// world.exit_group(child.task, 3)?;
/// let waited = world.wait(init, -1, WaitFlags::NOHANG)?.expect("a dead child");
/// assert_eq!(waited.how(), Status::Exited(3));
/// # Ok::<(), altpid::Error>(())
/// ```
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

/// Whom waitid(2) waits for.
///
/// # Examples
///
/// ```no_run
/// use altpid::{WaitFlags, WaitId, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// let options = WaitFlags::EXITED | WaitFlags::NOHANG;
/// if let Some(report) = world.waitid(init, WaitId::All, options)? {
///     println!("{}: {}", report.pid, report.how());
/// }
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitId {
    /// Any child.
    All,
    /// The child with this number.
    Pid(i32),
    /// A child in this process group, 0 for the caller's.
    Pgid(i32),
    /// The child that this pidfd is for.
    Pidfd(PidfdId),
}

/// What waitid(2) reports.
///
/// # Examples
///
/// ```
/// use altpid::{Status, TaskId, WaitIdReport};
///
/// // CLD_EXITED
/// let report = WaitIdReport { task: TaskId(7), pid: 2, code: 1, status: 3 };
/// assert_eq!(report.how(), Status::Exited(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitIdReport {
    /// The child.
    pub task: TaskId,
    /// Its number as the waiter sees it.
    pub pid: i32,
    /// What has happened: `CLD_EXITED` and so on.
    pub code: i32,
    /// The exit code, or the signal.
    pub status: i32,
}

impl WaitIdReport {
    /// What has happened to the child.
    pub fn how(&self) -> Status {
        Status::from_code(self.code, self.status)
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

impl World {
    /// waitid(2) by `task`. Sleeps unless [`WaitFlags::NOHANG`] is among the options; `None` then says
    /// that there is nothing to report.
    pub fn waitid(
        &self,
        task: TaskId,
        id: WaitId,
        options: WaitFlags,
    ) -> Result<Option<WaitIdReport>> {
        let (which, id, pidfd) = match id {
            WaitId::All => (0, 0, 0),
            WaitId::Pid(pid) => (1, pid, 0),
            WaitId::Pgid(pgid) => (2, pgid, 0),
            WaitId::Pidfd(pidfd) => (3, 0, pidfd.0),
        };
        let mut arg = uapi::altpid_waitid {
            options: options.bits(),
            task: task.0,
            which,
            id,
            pidfd,
            ..Default::default()
        };
        self.call("waitid", &mut arg)?;
        let report = WaitIdReport {
            task: TaskId(arg.child),
            pid: arg.pid,
            code: arg.code,
            status: arg.status,
        };
        Ok((arg.child != 0).then_some(report))
    }
}

/// A signal as people call it, or the number that is none.
fn signal_name(number: i32) -> String {
    match number {
        1..=64 => names::signal(number),
        other => other.to_string(),
    }
}
