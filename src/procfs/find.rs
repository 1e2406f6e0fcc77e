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
    pid::{find_pid, find_pid_from, namespace::Namespace, Pid, PidType},
    tree::group::{GroupId, Parent},
    tree::task::{Task, TaskId, TaskState},
    tree::Tree,
    world::World,
};
use kernel::{sync::aref::ARef, task::might_sleep};

/// Threads that are gone through in one hold of the lock.
const AT_ONCE: u64 = 512;

/// Whom a file or a directory is about. A process stays itself when another thread than its leader calls exec and
/// takes over the leader's number.
#[derive(Clone, Copy)]
pub(super) enum Who {
    /// The leader of a process.
    Leader(GroupId),
    /// Another thread.
    Thread(TaskId),
}

impl Who {
    /// Set in the number of a [`Who::Leader`]. The low half of an id is the number of an object, of which there are
    /// fewer.
    const LEADER: u64 = 1 << 31;

    /// As a number that is not 0, for the C files.
    pub(super) fn to_raw(self) -> u64 {
        match self {
            Self::Leader(id) => id.to_raw() | Self::LEADER,
            Self::Thread(id) => id.to_raw(),
        }
    }

    /// The reverse of [`Who::to_raw`].
    pub(super) fn from_raw(raw: u64) -> Self {
        match raw & Self::LEADER {
            0 => Self::Thread(TaskId::from_raw(raw)),
            _ => Self::Leader(GroupId::from_raw(raw & !Self::LEADER)),
        }
    }

    /// Likewise; `None` for 0.
    pub(super) fn unless_0(raw: u64) -> Option<Self> {
        (raw != 0).then(|| Self::from_raw(raw))
    }

    fn of(tree: &Tree, task: Idx<Task>) -> Self {
        match tree.is_leader(task) {
            true => Self::Leader(tree.groups().id(tree.tasks()[task].group())),
            false => Self::Thread(tree.tasks().id(task)),
        }
    }

    /// The task, if it is there.
    pub(super) fn find(self, tree: &Tree) -> Option<Idx<Task>> {
        match self {
            Self::Leader(id) => tree.groups()[tree.groups().find(id)?].leader(),
            Self::Thread(id) => tree.tasks().find(id),
        }
    }
}

/// A task as a view shows it (`struct altpid_proc_task`).
#[repr(C)]
pub(super) struct Shown {
    /// [`Who`] it is.
    who: u64,
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
            who: Who::of(tree, task).to_raw(),
            nr,
            native: native.map_or(0, |native| native.nr().to_user()),
        })
    }

    /// Whether somebody is there.
    pub(super) fn is_there(&self, who: Who) -> bool {
        (self.world()).is_some_and(|world| who.find(&world.tree()).is_some())
    }

    /// The pid of a process.
    pub(super) fn pid(&self, who: Who) -> Option<ARef<Pid>> {
        let world = self.world()?;
        let tree = world.tree();
        let task = who.find(&tree)?;
        Some(tree.group_of(task).tgid().clone())
    }

    /// The task with a number, or with a process its thread with that.
    pub(super) fn find(&self, process: Option<Who>, nr: i32) -> Option<Shown> {
        let world = self.world()?;
        let pid = find_pid(&self.ns, nr)?;
        let tree = world.tree();
        let task = tree.task_of(&pid)?;
        if let Some(process) = process {
            let process = process.find(&tree)?;
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

    /// The thread of a process at a place of the list of its threads; with the thread at the place before, if that
    /// is known. May sleep.
    pub(super) fn thread(&self, process: Who, before: Option<Who>, place: u64) -> Option<Shown> {
        let world = self.world()?;
        // Where to go on from, and how many there are still to be gone over.
        let (mut from, mut left) = (before, if before.is_some() { 1 } else { place });
        loop {
            {
                let tree = world.tree();
                let leader = tree.group_of(process.find(&tree)?).leader()?;
                let is_here =
                    |task: &Idx<Task>| tree.tasks()[*task].group() == tree.tasks()[leader].group();
                let known = from.and_then(|who| who.find(&tree)).filter(is_here);
                let mut at = match known {
                    Some(at) => at,
                    // The one before is gone: begin at the first one.
                    None if before.is_some() && left == 1 => {
                        left = place;
                        leader
                    }
                    None if from.is_none() => leader,
                    None => return None,
                };
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
                from = Some(Who::of(&tree, at));
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

    /// The namespace that sysctls and loadavg are about: natively not that of the mount, but that of who asks
    /// (`task_active_pid_ns()`). Of somebody who is not in the world it is that of the mount.
    pub(super) fn callers_ns(&self, world: &World) -> ARef<Namespace> {
        let own = body::own_task(world).and_then(|task| {
            let tree = world.tree();
            let task = tree.tasks().find(task)?;
            Some(ARef::from(tree.group_of(task).tgid().ns()))
        });
        own.unwrap_or_else(|| self.ns.clone())
    }

    /// What is told of a task.
    pub(super) fn numbers(&self, tree: &Tree, task: Idx<Task>) -> Numbers {
        let group = tree.group_of(task);
        Numbers {
            pid: tree.tasks()[task].pid().nr_ns(&self.ns),
            tgid: group.tgid().nr_ns(&self.ns),
            ppid: match group.parent() {
                Parent::Task(parent) => tree.group_of(parent).tgid().nr_ns(&self.ns),
                Parent::Outside => 0,
            },
            pgid: group.pgid().nr_ns(&self.ns),
            sid: group.sid().nr_ns(&self.ns),
        }
    }
}

impl Shown {
    /// [`Who`] it is, as a number.
    pub(super) fn who(&self) -> u64 {
        self.who
    }
}
