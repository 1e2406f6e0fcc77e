// SPDX-License-Identifier: GPL-2.0

//! getpid(2) and its kin: the numbers that a task sees of itself and of others.
//!
//! `kernel/sys.c`: `SYSCALL_DEFINE0(getpid)` and those behind it, `do_getpgid()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    pid::{find_pid, Pid},
    reason::{Outcome, Reason},
    tree::group::Group,
    tree::task::{Task, TaskId},
    tree::Tree,
    world::World,
};

/// Which number is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// getpid(2)
    Pid,
    /// gettid(2)
    Tid,
    /// getppid(2)
    Ppid,
    /// getpgid(2) of the process or thread with this number, 0 for oneself.
    Pgid(i32),
    /// getsid(2), likewise.
    Sid(i32),
}

impl World {
    /// A number as `task` sees it; 0 for what has none in its namespace.
    ///
    /// # Errors
    ///
    /// `ESRCH` for a number that no task has, and for `task` itself, `EBUSY`.
    #[doc(alias = "getpid")]
    #[doc(alias = "getpgid")]
    pub(crate) fn get_id(&self, task: TaskId, asked: Asked) -> Outcome<i32> {
        let (tree, index) = self.act(task)?;
        tree.get_id(index, asked)
    }

    /// Likewise, for a member that asks itself.
    ///
    /// # Errors
    ///
    /// `ESRCH`
    pub(crate) fn get_own_id(&self, member: TaskId, asked: Asked) -> Outcome<i32> {
        let tree = self.tree();
        let index = tree.find(member)?;
        tree.get_id(index, asked)
    }
}

impl Tree {
    /// A number as a task sees it.
    fn get_id(&self, index: Idx<Task>, asked: Asked) -> Outcome<i32> {
        let tree = self;
        let task = &tree.tasks()[index];
        let ns = task.ns();
        let group_of = |nr: i32| -> Outcome<&Group> {
            if nr == 0 {
                return Ok(&tree.groups()[task.group()]);
            }
            // find_task_by_vpid(): a thread, or a zombie, too.
            let found = find_pid(ns, nr).and_then(|pid| tree.task_of(&pid));
            Ok(tree.group_of(found.ok_or(Reason::NoNumber)?))
        };
        let pid: &Pid = match asked {
            Asked::Ppid => return Ok(tree.parent_nr(task.group(), ns)),
            Asked::Pid => tree.groups()[task.group()].tgid(),
            Asked::Tid => task.pid(),
            Asked::Pgid(nr) => group_of(nr)?.pgid(),
            Asked::Sid(nr) => group_of(nr)?.sid(),
        };
        Ok(pid.nr_ns(ns))
    }
}
