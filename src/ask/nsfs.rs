// SPDX-License-Identifier: GPL-2.0

//! What the file of a pid namespace is asked: its parent, and numbers from there and in there.
//!
//! `fs/nsfs.c`: `ns_ioctl()`; `kernel/pid_namespace.c`: `pidns_get_parent()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    pid::namespace::Namespace,
    pid::registry::NsId,
    pid::{find_pid, PidType},
    reason::{Outcome, Reason},
    tree::task::TaskId,
    world::World,
};

/// Between the namespace that is asked and the task that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// A number there, as the task sees it (`NS_GET_PID_FROM_PIDNS`).
    From,
    /// A number that the task sees, as it is there (`NS_GET_PID_IN_PIDNS`).
    In,
}

impl World {
    /// The id of the namespace above one, for a task.
    ///
    /// # Errors
    ///
    /// `EPERM` unless that is the task's active one or below it; `ESRCH`, `EBUSY`, `ENOENT`.
    #[doc(alias = "NS_GET_PARENT")]
    #[doc(alias = "pidns_get_parent")]
    pub(crate) fn pidns_parent(&self, task: TaskId, ns: NsId) -> Outcome<NsId> {
        let (tree, task) = self.act(task)?;
        let active = tree.tasks()[task].ns();
        let ns = self.namespace(ns)?;
        let parent = ns
            .parent()
            .filter(|parent| active.is_ancestor_or_self(parent));
        Ok(parent.map(Namespace::id).ok_or(Reason::NsNotInside)?)
    }

    /// The number of a task or thread between a namespace and who asks; with [`PidType::Tgid`] that
    /// of its process.
    ///
    /// # Errors
    ///
    /// `ESRCH` for a number that no task has, and for a task that is not visible from where its
    /// number is wanted; `EBUSY`, `ENOENT`.
    #[doc(alias = "NS_GET_PID_FROM_PIDNS")]
    pub(crate) fn pidns_nr(
        &self,
        task: TaskId,
        ns: NsId,
        nr: i32,
        direction: Direction,
        kind: PidType,
    ) -> Outcome<i32> {
        let (tree, task) = self.act(task)?;
        let active = tree.tasks()[task].ns();
        let ns = self.namespace(ns)?;
        let (known_in, wanted_in) = match direction {
            Direction::From => (&*ns, active),
            Direction::In => (active, &*ns),
        };
        let found = find_pid(known_in, nr).and_then(|pid| tree.task_of(&pid));
        let found = found.ok_or(Reason::NoNumber)?;
        let pid = match kind {
            PidType::Tgid => tree.group_of(found).tgid(),
            _ => tree.tasks()[found].pid(),
        };
        match pid.nr_ns(wanted_in) {
            0 => Err(Reason::NoNumber.into()),
            nr => Ok(nr),
        }
    }
}
