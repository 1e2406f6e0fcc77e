// SPDX-License-Identifier: GPL-2.0

//! Who is in the namespace of a view, by the namespace's numbers.
//!
//! `fs/proc/base.c`: `proc_pid_lookup()`, `next_tgid()`, `proc_task_lookup()`, `first_tid()`.
//!
//! # Locks
//!
//! The tree lock, for one task or a part of a list.

use super::View;
use crate::{
    base::slots::Idx,
    body,
    pid::{find_pid, find_pid_from, PidType},
    tree::task::{Task, TaskId, TaskState},
    tree::Tree,
};
use kernel::task::might_sleep;

/// Threads that are gone through in one hold of the lock.
const AT_ONCE: u64 = 512;

/// A task as a view shows it (`struct altpid_proc_task`).
#[repr(C)]
pub(super) struct Shown {
    /// Its id.
    id: u64,
    /// Its number in the namespace.
    nr: i32,
    /// The kernel's number of its body, 0 if there is none.
    native: i32,
}

/// The numbers that are told of a task.
pub(super) struct Numbers {
    pub(super) pid: i32,
    pub(super) tgid: i32,
    pub(super) ppid: i32,
    pub(super) pgid: i32,
    pub(super) sid: i32,
}

/// Whether nothing of a task is left but its number and its status.
pub(super) fn is_gone(tree: &Tree, task: Idx<Task>) -> bool {
    tree.tasks()[task].state() == TaskState::Zombie && tree.group_of(task).nr_live() == 0
}

impl View {
    fn show(&self, tree: &Tree, task: Idx<Task>) -> Option<Shown> {
        let nr = tree.tasks()[task].pid().nr_ns(&self.ns);
        let native = tree.native_of_task(task).filter(|native| {
            // Where only a zombie is left the kernel has nothing that is worth telling.
            native.is_there() && !is_gone(tree, task)
        });
        (nr != 0).then(|| Shown {
            id: tree.tasks().id(task).to_raw(),
            nr,
            native: native.map_or(0, |native| native.nr().to_user()),
        })
    }

    /// The task with a number, or with a process its thread with that.
    pub(super) fn find(&self, process: Option<TaskId>, nr: i32) -> Option<Shown> {
        let world = self.world()?;
        let pid = find_pid(&self.ns, nr)?;
        let tree = world.tree();
        let task = tree.task_of(&pid)?;
        if let Some(process) = process {
            let process = tree.tasks().find(process)?;
            if tree.tasks()[process].group() != tree.tasks()[task].group() {
                return None;
            }
        }
        self.show(&tree, task)
    }

    /// The first process with this number or one behind it. May sleep.
    pub(super) fn next(&self, nr: i32) -> Option<Shown> {
        let world = self.world()?;
        let mut nr = nr.max(1);
        loop {
            let (found, pid) = find_pid_from(&self.ns, nr)?;
            {
                let tree = world.tree();
                let process = tree.user_of(&pid, PidType::Tgid);
                if let Some(shown) = process.and_then(|process| self.show(&tree, process)) {
                    return Some(shown);
                }
            }
            nr = found + 1;
            might_sleep();
            if crate::world::work::is_killed() {
                return None;
            }
        }
    }

    /// The thread of a process at a place of the list of its threads, and its id; with the thread at the place
    /// before, if that is known. May sleep.
    pub(super) fn thread(
        &self,
        process: TaskId,
        before: Option<TaskId>,
        place: u64,
    ) -> Option<Shown> {
        let world = self.world()?;
        // Where to go on from, and how many there are still to be gone over.
        let (mut from, mut left) = (None, place);
        if let Some(before) = before {
            (from, left) = (Some(before), 1);
        }
        loop {
            {
                let tree = world.tree();
                let leader = tree.group_of(tree.tasks().find(process)?).leader()?;
                let mut at = match from {
                    // It is gone: begin at the first one.
                    Some(id) if left == 1 && tree.tasks().find(id).is_none() => {
                        left = place;
                        leader
                    }
                    Some(id) => tree.tasks().find(id)?,
                    None => leader,
                };
                if tree.tasks()[at].group() != tree.tasks()[leader].group() {
                    return None;
                }
                for _ in 0..left.min(AT_ONCE) {
                    at = tree.next_thread(at);
                    if at == leader {
                        return None;
                    }
                    tree.tasks().meet();
                    left -= 1;
                }
                if left == 0 {
                    return self.show(&tree, at);
                }
                from = Some(tree.tasks().id(at));
            }
            might_sleep();
        }
    }

    /// The numbers of the calling thread's process and of itself, if it has any here.
    pub(super) fn own(&self) -> Option<(i32, i32)> {
        let world = self.world()?;
        let task = body::own_task(&world)?;
        let tree = world.tree();
        let task = tree.tasks().find(task)?;
        let tid = tree.tasks()[task].pid().nr_ns(&self.ns);
        (tid != 0).then(|| (tree.group_of(task).tgid().nr_ns(&self.ns), tid))
    }

    /// What is told of a task.
    pub(super) fn numbers(&self, tree: &Tree, task: Idx<Task>) -> Numbers {
        let group = tree.group_of(task);
        Numbers {
            pid: tree.tasks()[task].pid().nr_ns(&self.ns),
            tgid: group.tgid().nr_ns(&self.ns),
            ppid: match group.parent() {
                crate::tree::group::Parent::Task(parent) => {
                    tree.group_of(parent).tgid().nr_ns(&self.ns)
                }
                crate::tree::group::Parent::Outside => 0,
            },
            pgid: group.pgid().nr_ns(&self.ns),
            sid: group.sid().nr_ns(&self.ns),
        }
    }
}

impl Shown {
    pub(super) fn id(&self) -> u64 {
        self.id
    }
}
