// SPDX-License-Identifier: GPL-2.0

//! What a task asks about itself: the numbers that it sees, and its name, which it also sets.

use crate::{
    types::{Result, TaskId},
    uapi,
    world::World,
};

impl World {
    /// getpid(2) by `task`: the number of its process.
    pub fn getpid(&self, task: TaskId) -> Result<i32> {
        self.getid("getpid", task, uapi::ALTPID_GETPID, 0)
    }

    /// gettid(2) by `task`: its own number.
    pub fn gettid(&self, task: TaskId) -> Result<i32> {
        self.getid("gettid", task, uapi::ALTPID_GETTID, 0)
    }

    /// getppid(2) by `task`: the number of its parent's process, 0 for one that it does not see.
    pub fn getppid(&self, task: TaskId) -> Result<i32> {
        self.getid("getppid", task, uapi::ALTPID_GETPPID, 0)
    }

    /// getpgid(2) by `task`, of who has number `pid` as it sees it, 0 for itself: the process group,
    /// 0 for one without a number in its namespace.
    ///
    /// # Errors
    ///
    /// `ESRCH` for a number that no task has.
    pub fn getpgid(&self, task: TaskId, pid: i32) -> Result<i32> {
        self.getid("getpgid", task, uapi::ALTPID_GETPGID, pid)
    }

    /// getsid(2) by `task`: likewise the session.
    ///
    /// # Errors
    ///
    /// As [`World::getpgid`].
    pub fn getsid(&self, task: TaskId, pid: i32) -> Result<i32> {
        self.getid("getsid", task, uapi::ALTPID_GETSID, pid)
    }

    fn getid(&self, verb: &'static str, task: TaskId, what: u32, pid: i32) -> Result<i32> {
        let mut arg = uapi::altpid_getid {
            what,
            task: task.0,
            pid,
            ..Default::default()
        };
        self.call(verb, &mut arg)?;
        Ok(arg.result)
    }

    /// The name of `task` (`PR_GET_NAME`).
    pub fn name(&self, task: TaskId) -> Result<Vec<u8>> {
        let mut arg = uapi::altpid_get_name {
            task: task.0,
            ..Default::default()
        };
        self.call("prctl", &mut arg)?;
        let name = arg.comm.iter().copied().take_while(|&byte| byte != 0);
        Ok(name.collect())
    }

    /// Names `task` (`PR_SET_NAME`), with 15 bytes at most.
    pub fn set_name(&self, task: TaskId, name: &[u8]) -> Result<()> {
        let mut arg = uapi::altpid_set_name {
            task: task.0,
            ..Default::default()
        };
        let len = name.len().min(arg.comm.len() - 1);
        arg.comm[..len].copy_from_slice(&name[..len]);
        self.call("prctl", &mut arg)
    }
}
