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
    tree::task::TaskId,
    world::World,
};

// Commands of reboot(2) (`include/uapi/linux/reboot.h`).
const RESTART: u32 = 0x0123_4567;
const RESTART2: u32 = 0xa1b2_c3d4;
const HALT: u32 = 0xcdef_0123;
const POWER_OFF: u32 = 0x4321_fedc;

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
        let signal = match command {
            RESTART | RESTART2 => SIGHUP,
            HALT | POWER_OFF => SIGINT,
            _ => return Err(Reason::Range.into()),
        };
        {
            let (mut tree, task) = self.act(task)?;
            let ns = tree.tasks()[task].ns();
            if ns.level() == 0 {
                return Err(Reason::WorldInit.into());
            }
            ns.set_reboot(signal);
            if let Some(init) = Idx::from_raw(ns.child_reaper()) {
                // SIGKILL takes no room.
                let _ = tree.send(SIGKILL, Source::Kernel, init, Scope::Process);
            }
            tree.begin_exit(task, 0);
        }
        Ok(())
    }
}
