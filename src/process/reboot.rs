// SPDX-License-Identifier: GPL-2.0

//! reboot(2) inside of a pid namespace: its init dies as if by a signal.
//!
//! `kernel/pid_namespace.c`: `reboot_pid_ns()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    reason::{Outcome, Reason},
    signal::sending::{Scope, Source},
    tree::pending::{SIGHUP, SIGINT, SIGKILL},
    tree::task::{Task, TaskId},
    tree::Tree,
    world::World,
};

// Commands of reboot(2) (`include/uapi/linux/reboot.h`).
const RESTART: u32 = 0x0123_4567;
const RESTART2: u32 = 0xa1b2_c3d4;
const HALT: u32 = 0xcdef_0123;
const POWER_OFF: u32 = 0x4321_fedc;

/// The signal by which init seems to have died.
fn cause(command: u32) -> Outcome<i32> {
    match command {
        RESTART | RESTART2 => Ok(SIGHUP),
        HALT | POWER_OFF => Ok(SIGINT),
        _ => Err(Reason::Range.into()),
    }
}

impl World {
    /// A task reboots its namespace: init is killed, and its parent sees SIGHUP or SIGINT as the
    /// cause. The task itself exits. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL` for another command, whoever calls; `EBUSY` in the world's own namespace, where
    /// natively the machine would go down, and for a stopped task; `ESRCH`.
    #[doc(alias = "reboot_pid_ns")]
    pub(crate) fn reboot(&self, task: TaskId, command: u32) -> Outcome {
        let signal = cause(command)?;
        let (mut tree, task) = self.act(task)?;
        tree.kill_init(task, signal)?;
        tree.begin_exit(task, 0);
        Ok(())
    }

    /// A member reboots its namespace. It has still to exit itself. May sleep.
    ///
    /// # Errors
    ///
    /// As [`World::reboot`].
    pub(crate) fn reboot_by_member(&self, member: TaskId, command: u32) -> Outcome {
        let signal = cause(command)?;
        let mut tree = self.work();
        let task = tree.find_member(member)?;
        tree.kill_init(task, signal)
    }
}

impl Tree {
    /// Kills the init of a task's namespace, as if it were by a signal.
    fn kill_init(&mut self, task: Idx<Task>, signal: i32) -> Outcome {
        let ns = self.tasks()[task].ns();
        if ns.level() == 0 {
            return Err(Reason::WorldInit.into());
        }
        ns.set_reboot(signal);
        if let Some(init) = Idx::from_raw(ns.child_reaper()) {
            // SIGKILL takes no room.
            let _ = self.send(SIGKILL, Source::Kernel, init, Scope::Process);
        }
        Ok(())
    }
}
