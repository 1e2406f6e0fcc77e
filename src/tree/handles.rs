// SPDX-License-Identifier: GPL-2.0

//! Pidfds: the handles on tasks that are open in a world.
//!
//! # Locks
//!
//! Under the tree lock.

use super::Tree;
use crate::{
    base::slots::{Id, Idx},
    pid::{Pid, PidType},
    reason::{Outcome, Reason},
};
use kernel::sync::aref::ARef;

/// A handle on a task (a file of pidfs).
pub(crate) struct Pidfd {
    pid: ARef<Pid>,
    is_thread: bool,
    is_nonblock: bool,
    is_autokill: bool,
}

/// Names a handle of a world.
pub(crate) type PidfdId = Id<Pidfd>;

impl Pidfd {
    read! {
        /// The pid of the task.
        pid: ARef<Pid>;
    }

    read_value! {
        /// On a thread, not on a process (`PIDFD_THREAD`).
        is_thread: bool;
        /// Waiting by it does not sleep (`PIDFD_NONBLOCK`).
        is_nonblock: bool;
        /// Its process is killed when it is closed (`PIDFD_AUTOKILL`).
        is_autokill: bool;
    }

    /// On a process, or on a thread.
    pub(crate) fn new(pid: ARef<Pid>, is_thread: bool) -> Self {
        Self {
            pid,
            is_thread,
            is_nonblock: false,
            is_autokill: false,
        }
    }

    /// The same handle with `PIDFD_NONBLOCK` or without.
    pub(crate) fn nonblock(self, is_nonblock: bool) -> Self {
        Self {
            is_nonblock,
            ..self
        }
    }

    /// The same handle with `PIDFD_AUTOKILL` or without.
    pub(crate) fn autokill(self, is_autokill: bool) -> Self {
        Self {
            is_autokill,
            ..self
        }
    }
}

impl Tree {
    /// The handle that an id names.
    ///
    /// # Errors
    ///
    /// `EBADF` when there is none any more.
    pub(crate) fn find_pidfd(&self, id: PidfdId) -> Outcome<Idx<Pidfd>> {
        Ok(self.pidfds.find(id).ok_or(Reason::PidfdGone)?)
    }

    /// Whether a handle is as it must be: its pid has a task, or is a reaped one's.
    pub(crate) fn is_pidfd_sound(&self, pidfd: Idx<Pidfd>) -> bool {
        let pid = &self.pidfds[pidfd].pid;
        match self.task_of(pid) {
            Some(task) => {
                let is_its_own = self
                    .tasks
                    .get(task)
                    .is_some_and(|task| task.pid.is(pid) && pid.exit_code().is_none());
                is_its_own && (self.pidfds[pidfd].is_thread || pid.user(PidType::Tgid) != 0)
            }
            None => pid.exit_code().is_some() && pid.user(PidType::Tgid) == 0,
        }
    }
}
