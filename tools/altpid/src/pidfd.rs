// SPDX-License-Identifier: GPL-2.0

//! Pidfds: handles on tasks that stay when the tasks are gone.

use crate::{
    types::{NsId, PidfdId, Result, TaskId},
    uapi,
    world::World,
};
use bitflags::bitflags;

bitflags! {
    /// How a pidfd is opened.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use altpid::{PidfdFlags, World};
    ///
    /// let world = World::open()?;
    /// let init = world.info()?.init;
    /// let pidfd = world.pidfd_open(init, 1, PidfdFlags::NONBLOCK)?;
    /// world.pidfd_close(pidfd)?;
    /// # Ok::<(), altpid::Error>(())
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct PidfdFlags: u32 {
        /// For a thread, not for a process.
        const THREAD = uapi::ALTPID_PIDFD_THREAD;
        /// waitid(2) by it does not sleep.
        const NONBLOCK = uapi::ALTPID_PIDFD_NONBLOCK;
    }

    /// What poll(2) says of a pidfd.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use altpid::{PidfdFlags, PollFlags, World};
    ///
    /// let world = World::open()?;
    /// let pidfd = world.pidfd_of(world.info()?.init, PidfdFlags::empty())?;
    /// // It lives.
    /// assert_eq!(world.poll_now(pidfd, PollFlags::IN)?, PollFlags::empty());
    /// # Ok::<(), altpid::Error>(())
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct PollFlags: u32 {
        /// The process, or the thread, has exited.
        const IN = uapi::ALTPID_POLL_IN;
        /// It is reaped.
        const HUP = uapi::ALTPID_POLL_HUP;
        /// The pidfd was closed meanwhile; told whether asked for or not.
        const NVAL = uapi::ALTPID_POLL_NVAL;
    }
}

/// Numbers of a task that is not reaped, as who asks sees them.
///
/// # Examples
///
/// ```no_run
/// use altpid::{PidfdFlags, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// let pidfd = world.pidfd_of(init, PidfdFlags::empty())?;
/// let ids = world.pidfd_info(pidfd, Some(init))?.ids.expect("it is not reaped");
/// assert_eq!((ids.task, ids.pid, ids.ppid), (init, 1, 0));
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PidfdIds {
    /// The task.
    pub task: TaskId,
    /// Its number.
    pub pid: i32,
    /// That of its process.
    pub tgid: i32,
    /// That of its parent, 0 for one that is not visible.
    pub ppid: i32,
}

/// What a pidfd knows; see `struct altpid_pidfd_info`.
///
/// # Examples
///
/// ```no_run
/// use altpid::{CloneArgs, CloneFlags, Status, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// let args = CloneArgs::new().flags(CloneFlags::PIDFD | CloneFlags::AUTOREAP).exit_signal(0);
/// let child = world.clone(init, &args)?;
/// world.exit_group(child.task, 3)?;
/// // It is gone, and its pidfd still knows how it ended.
/// let pidfd = child.pidfd.expect("it was asked for");
/// let info = world.pidfd_info(pidfd, None)?;
/// assert_eq!(info.exit_code.map(Status::from_word), Some(Status::Exited(3)));
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PidfdInfo {
    /// Of a task that is not reaped.
    pub ids: Option<PidfdIds>,
    /// How the task ended, as a status word; of one that is reaped.
    pub exit_code: Option<i32>,
    /// Its active namespace and where its children are born, until it exits.
    pub namespaces: Option<(NsId, NsId)>,
    /// The number that it has, or had, at each level, level 0 first.
    pub nr: Vec<i32>,
}

impl World {
    /// pidfd_open(2) by `task`, of who has number `pid` as it sees it.
    pub fn pidfd_open(&self, task: TaskId, pid: i32, flags: PidfdFlags) -> Result<PidfdId> {
        self.pidfd_open_with(uapi::altpid_pidfd_open {
            flags: flags.bits(),
            task: task.0,
            pid,
            ..Default::default()
        })
    }

    /// A pidfd for a task, opened from outside of the world.
    pub fn pidfd_of(&self, target: TaskId, flags: PidfdFlags) -> Result<PidfdId> {
        self.pidfd_open_with(uapi::altpid_pidfd_open {
            flags: flags.bits(),
            target: target.0,
            ..Default::default()
        })
    }

    fn pidfd_open_with(&self, mut arg: uapi::altpid_pidfd_open) -> Result<PidfdId> {
        self.call("pidfd_open", &mut arg)?;
        Ok(PidfdId(arg.pidfd))
    }

    /// close(2) of a pidfd; kills the process if it was made so.
    pub fn pidfd_close(&self, pidfd: PidfdId) -> Result<()> {
        let mut arg = uapi::altpid_pidfd_close {
            pidfd: pidfd.0,
            ..Default::default()
        };
        self.call("close", &mut arg)
    }

    /// What a pidfd knows, with how the task ended (`PIDFD_INFO_EXIT`), as `task` sees it, or from
    /// outside of the world.
    pub fn pidfd_info(&self, pidfd: PidfdId, task: Option<TaskId>) -> Result<PidfdInfo> {
        let mut arg = uapi::altpid_pidfd_info {
            pidfd: pidfd.0,
            task: task.map_or(0, |task| task.0),
            mask: uapi::ALTPID_PIDFD_INFO_EXIT.into(),
            ..Default::default()
        };
        self.call("PIDFD_GET_INFO", &mut arg)?;
        let has = |bit: u32| arg.mask & u64::from(bit) != 0;
        Ok(PidfdInfo {
            ids: has(uapi::ALTPID_PIDFD_INFO_PID).then_some(PidfdIds {
                task: TaskId(arg.target),
                pid: arg.pid,
                tgid: arg.tgid,
                ppid: arg.ppid,
            }),
            exit_code: has(uapi::ALTPID_PIDFD_INFO_EXIT).then_some(arg.exit_code),
            namespaces: (arg.ns != 0).then_some((NsId(arg.ns), NsId(arg.ns_for_children))),
            nr: arg.nr[..=arg.level as usize].to_vec(),
        })
    }

    /// poll(2) of a pidfd: sleeps until one of `events` or [`PollFlags::HUP`] has come true.
    pub fn poll(&self, pidfd: PidfdId, events: PollFlags) -> Result<PollFlags> {
        self.poll_with(pidfd, events, 0)
    }

    /// Likewise without sleeping: empty when none has.
    pub fn poll_now(&self, pidfd: PidfdId, events: PollFlags) -> Result<PollFlags> {
        self.poll_with(pidfd, events, uapi::ALTPID_POLL_NOWAIT)
    }

    fn poll_with(&self, pidfd: PidfdId, events: PollFlags, flags: u32) -> Result<PollFlags> {
        let mut arg = uapi::altpid_poll {
            flags,
            pidfd: pidfd.0,
            events: events.bits(),
            ..Default::default()
        };
        self.call("poll", &mut arg)?;
        Ok(PollFlags::from_bits_truncate(arg.revents))
    }

    /// setns(2) by `task`, with a pidfd: its children will be born where that one's task lives.
    pub fn setns_by_pidfd(&self, task: TaskId, pidfd: PidfdId) -> Result<()> {
        let mut arg = uapi::altpid_setns {
            task: task.0,
            pidfd: pidfd.0,
            flags: crate::CloneFlags::NEWPID.bits(),
            ..Default::default()
        };
        self.call("setns", &mut arg)
    }
}
