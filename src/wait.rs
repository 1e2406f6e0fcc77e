// SPDX-License-Identifier: GPL-2.0

//! wait4(2): which child, and reaping it.
//!
//! `kernel/exit.c`: `kernel_wait4()`, `do_wait()`, `eligible_child()`, `wait_task_zombie()`.
//!
//! # Locks
//!
//! Under the tree lock; the sleeping is the world's ([`crate::world::World::wait`]).

use crate::{
    pid::{find_pid, Pid, PidType},
    slots::Idx,
    task::{Group, Task, SIGCHLD},
    tree::Tree,
};
use kernel::{prelude::*, sync::aref::ARef};

/// Options of wait4(2) (`include/uapi/linux/wait.h`).
pub(crate) const WNOHANG: u32 = 0x1;
const WUNTRACED: u32 = 0x2;
const WCONTINUED: u32 = 0x8;
const WNOTHREAD: u32 = 0x2000_0000;
const WALL: u32 = 0x4000_0000;
const WCLONE: u32 = 0x8000_0000;

/// Which children are waited for, looked up once when the call begins (`struct wait_opts`).
pub(crate) struct Selection {
    options: u32,
    which: Which,
}

enum Which {
    Any,
    /// The process with this number, and nobody when it has none.
    Process(Option<ARef<Pid>>),
    /// The processes of this process group.
    ProcessGroup(Option<ARef<Pid>>),
}

/// A child that was reaped.
pub(crate) struct Reaped {
    /// The id it had.
    pub(crate) child: u64,
    /// Its number as the waiter saw it.
    pub(crate) pid: i32,
    /// The status word.
    pub(crate) status: i32,
}

/// What a look at the children has found.
pub(crate) enum Look {
    /// A dead child, which is reaped now.
    Reaped(Reaped),
    /// Children that are waited for, none of them dead yet.
    Living,
}

impl Tree {
    /// Reads the arguments of wait4(2), as `task` means them.
    ///
    /// # Errors
    ///
    /// `EINVAL` for unknown options, `ESRCH` for `INT_MIN`.
    pub(crate) fn select(&self, task: Idx<Task>, pid: i32, options: u32) -> Result<Selection> {
        if options & !(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE) != 0 {
            return Err(EINVAL);
        }
        if pid == i32::MIN {
            return Err(ESRCH);
        }
        let ns = self.tasks[task].ns();
        let which = match pid {
            -1 => Which::Any,
            0 => Which::ProcessGroup(Some(self.group_of(task).pgid.clone())),
            ..=-2 => Which::ProcessGroup(find_pid(ns, -pid)),
            1.. => Which::Process(find_pid(ns, pid)),
        };
        Ok(Selection { options, which })
    }

    /// Looks at the children of `task` and the other threads of its group, and reaps the first dead
    /// one that is waited for (`do_wait()`).
    ///
    /// # Errors
    ///
    /// `ECHILD` when there is no child that is waited for.
    pub(crate) fn reap(&mut self, task: Idx<Task>, selection: &Selection) -> Result<Look> {
        let mut found = false;
        let dead = if let Which::Process(pid) = &selection.which {
            let child = pid.as_deref().and_then(|pid| self.leader_of(pid));
            child
                .filter(|&child| self.is_child(child, task, selection))
                .filter(|&child| self.is_eligible(child, selection))
                .inspect(|_| found = true)
                .filter(|&child| self.is_dead(child))
        } else {
            self.waiters(task, selection)
                .flat_map(|t| self.tasks[t].children.iter(&self.groups))
                .filter(|&child| self.is_eligible(child, selection))
                .inspect(|_| found = true)
                .find(|&child| self.is_dead(child))
        };
        match dead {
            Some(child) => Ok(Look::Reaped(self.reap_child(task, child))),
            None if found => Ok(Look::Living),
            None => Err(ECHILD),
        }
    }

    /// The threads whose children count: all of the group, or only the waiting one.
    fn waiters<'a>(
        &'a self,
        task: Idx<Task>,
        selection: &Selection,
    ) -> impl Iterator<Item = Idx<Task>> + 'a {
        let alone = selection.options & WNOTHREAD != 0;
        let all = self.group_of(task).threads.iter(&self.tasks);
        all.filter(move |&t| !alone || t == task)
    }

    fn is_child(&self, child: Idx<Group>, task: Idx<Task>, selection: &Selection) -> bool {
        let crate::task::Parent::Task(parent) = self.groups[child].parent else {
            return false;
        };
        if selection.options & WNOTHREAD != 0 {
            parent == task
        } else {
            self.tasks[parent].group == self.tasks[task].group
        }
    }

    /// `eligible_child()`
    fn is_eligible(&self, child: Idx<Group>, selection: &Selection) -> bool {
        let group = &self.groups[child];
        if let Which::ProcessGroup(pid) = &selection.which {
            if !pid
                .as_deref()
                .is_some_and(|pid| core::ptr::eq(pid, &*group.pgid))
            {
                return false;
            }
        }
        let clone = selection.options & WCLONE != 0;
        selection.options & WALL != 0 || (group.exit_signal != SIGCHLD) == clone
    }

    /// `wait_task_zombie()`
    fn reap_child(&mut self, task: Idx<Task>, child: Idx<Group>) -> Reaped {
        let group = &self.groups[child];
        let reaped = Reaped {
            child: group.leader.map_or(0, |leader| self.tasks.id(leader)),
            pid: group.tgid.nr_ns(self.tasks[task].ns()),
            status: group.group_exit.unwrap_or(0),
        };
        self.release_leader(child);
        reaped
    }

    /// The process that uses a number of a kind in the way that `type` says, see
    /// `struct altpid_find`: the task, and whether the number is in use so at all.
    pub(crate) fn user_of(&self, pid: &Pid, kind: PidType) -> Option<Option<Idx<Task>>> {
        let raw = pid.user(kind);
        if raw == 0 {
            return None;
        }
        Some(match kind {
            PidType::Pid => self.task_of(pid),
            PidType::Tgid | PidType::Pgid | PidType::Sid => {
                Idx::<Group>::from_raw(raw).and_then(|group| self.groups[group].leader)
            }
        })
    }
}
