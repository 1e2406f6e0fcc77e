// SPDX-License-Identifier: GPL-2.0

//! Questions about tasks and namespaces, answered as the interface has them.
//!
//! `fs/proc/array.c` for a task, `fs/nsfs.c` for a namespace, `kernel/pid.c`: `find_ge_pid()`.
//!
//! # Locks
//!
//! The tree lock for one task at a time, or for a piece of a listing. Namespaces are asked without.

use crate::{
    base::slots::Idx,
    pid::namespace::Namespace,
    pid::registry::NsId,
    pid::vector,
    pid::{find_pid, find_pid_from, PidType},
    reason::{Outcome, Reason},
    tree::group::Parent,
    tree::pending::SigInfo,
    tree::task::{Task, TaskId, TaskState},
    tree::Tree,
    uapi,
    world::work::is_killed,
    world::World,
};
use kernel::{prelude::*, task::might_sleep};

/// Positions of a listing that are looked at in one go; of tasks, under the tree lock.
const LISTED: usize = 128;

impl From<SigInfo> for uapi::altpid_siginfo {
    fn from(info: SigInfo) -> Self {
        Self {
            signo: info.signo(),
            code: info.code(),
            pid: info.pid(),
            status: info.status(),
            value: info.value(),
        }
    }
}

impl Tree {
    /// Everything about a task.
    pub(crate) fn describe(&self, index: Idx<Task>) -> uapi::altpid_task {
        let task = &self.tasks()[index];
        let group = &self.groups()[task.group()];
        let ns = task.ns();
        let is_zombie = task.state() == TaskState::Zombie;
        let mut flags = 0;
        if self.is_leader(index) {
            flags |= uapi::ALTPID_TASK_LEADER;
        }
        if ns.child_reaper() == Idx::to_raw(Some(index)) {
            flags |= uapi::ALTPID_TASK_REAPER;
        }
        if group.parent() == Parent::Outside {
            flags |= uapi::ALTPID_TASK_OUTSIDE;
        }
        if group.autoreap() {
            flags |= uapi::ALTPID_TASK_AUTOREAP;
        }
        if group.is_subreaper() {
            flags |= uapi::ALTPID_TASK_SUBREAPER;
        }
        if self.is_in_vfork(index) {
            flags |= uapi::ALTPID_TASK_VFORK;
        }
        let native = self.native_numbers(index);
        if self.tasks()[index].body().is_some() {
            flags |= uapi::ALTPID_TASK_MEMBER;
        }
        uapi::altpid_task {
            size: core::mem::size_of::<uapi::altpid_task>() as u32,
            state: match task.state() {
                TaskState::Running if self.is_stopped(index) => uapi::ALTPID_TASK_STOPPED,
                TaskState::Running => uapi::ALTPID_TASK_RUNNING,
                TaskState::Exiting | TaskState::Zapping { .. } | TaskState::ZapWait => {
                    uapi::ALTPID_TASK_EXITING
                }
                TaskState::Zombie => uapi::ALTPID_TASK_ZOMBIE,
            },
            task: self.tasks().id(index).to_raw(),
            leader: self.raw_id(group.leader()),
            parent: self.parent_id(group.parent()),
            ns: ns.id().to_raw(),
            ns_for_children: (task.ns_for_children().as_ref()).map_or(0, |ns| ns.id().to_raw()),
            flags,
            level: ns.level() as u32,
            // Of a leader whose threads live on it is its own, which nobody waits for yet.
            exit_code: if is_zombie {
                group.exit_status().unwrap_or(task.exit_code())
            } else {
                0
            },
            exit_signal: if self.is_leader(index) {
                group.exit_signal()
            } else {
                -1
            },
            nr_threads: group.nr_live(),
            reserved: 0,
            comm: task.comm(),
            pid: vector(task.pid(), ns),
            tgid: vector(group.tgid(), ns),
            pgid: vector(group.pgid(), ns),
            sid: vector(group.sid(), ns),
            native_pid: native.map_or(0, |(pid, _)| pid.to_user()),
            native_tgid: native.map_or(0, |(_, tgid)| tgid.to_user()),
        }
    }

    /// Everything about a namespace.
    fn describe_namespace(&self, ns: &Namespace) -> uapi::altpid_ns {
        let init = self.raw_id(Idx::from_raw(ns.child_reaper()));
        let mut flags = 0;
        if ns.is_active() {
            flags |= uapi::ALTPID_NS_REF_ACTIVE;
        }
        uapi::altpid_ns {
            size: core::mem::size_of::<uapi::altpid_ns>() as u32,
            state: ns.state(),
            ns: ns.id().to_raw(),
            parent: ns.parent().map_or(0, |parent| parent.id().to_raw()),
            child_reaper: init,
            level: ns.level() as u32,
            pid_max: ns.pid_max(),
            last_pid: ns.last_pid(),
            nr_pids: ns.nr_pids(),
            map_bytes: ns.map().bytes() as u64,
            flags,
            reserved: 0,
        }
    }
}

impl World {
    /// What the world is and holds.
    pub(crate) fn describe(&self) -> uapi::altpid_world {
        let (tasks, zombies, max_tasks, pidfds, max_pidfds) = {
            let tree = self.tree();
            let tasks = tree.tasks().len();
            (
                tasks,
                tree.nr_zombies(),
                tree.max_tasks(),
                tree.pidfds().len(),
                tree.max_pidfds(),
            )
        };
        uapi::altpid_world {
            size: core::mem::size_of::<uapi::altpid_world>() as u32,
            flags: 0,
            root_ns: self.root().id().to_raw(),
            init: self.init().to_raw(),
            tasks: tasks as u64,
            zombies: zombies as u64,
            namespaces: self.registry().len() as u64,
            pids: crate::pid::count(),
            worlds: World::count(),
            max_tasks: max_tasks as u64,
            max_namespaces: self.registry().max() as u64,
            pidfds: pidfds as u64,
            max_pidfds: max_pidfds as u64,
        }
    }

    /// Everything about a task.
    ///
    /// # Errors
    ///
    /// `ESRCH`
    pub(crate) fn describe_task(&self, id: TaskId) -> Outcome<uapi::altpid_task> {
        let tree = self.tree();
        Ok(tree.describe(tree.find(id)?))
    }

    /// Everything about a namespace.
    ///
    /// # Errors
    ///
    /// `ENOENT`
    pub(crate) fn describe_namespace(&self, id: NsId) -> Outcome<uapi::altpid_ns> {
        let ns = self.namespace(id)?;
        Ok(self.tree().describe_namespace(&ns))
    }

    /// A task and its signals.
    ///
    /// # Errors
    ///
    /// `ESRCH`
    pub(crate) fn describe_signals(&self, task: TaskId) -> Outcome<uapi::altpid_signals> {
        let tree = self.tree();
        let index = tree.find(task)?;
        let (thread, group) = (&tree.tasks()[index], tree.group_of(index));
        let handlers = tree.handlers(thread.group());
        Ok(uapi::altpid_signals {
            size: core::mem::size_of::<uapi::altpid_signals>() as u32,
            received: thread.nr_received(),
            task: task.to_raw(),
            blocked: thread.blocked().bits(),
            pending: tree.own_signals(index).bits(),
            shared: group.pending().set().bits(),
            ignored: handlers.ignored().bits(),
            handled: handlers.handled().bits(),
            last: thread.last_received().into(),
        })
    }

    /// Whom number `nr` of a namespace names as a `kind`, or with `or_next` the first number at or
    /// behind it that names anybody so; with the number.
    ///
    /// # Errors
    ///
    /// `ESRCH`, `ENOENT`; `EINTR` when the caller is killed.
    pub(crate) fn find(
        &self,
        ns: NsId,
        nr: i32,
        kind: PidType,
        or_next: bool,
    ) -> Outcome<(i32, TaskId)> {
        let ns = self.namespace(ns)?;
        let mut nr = nr;
        loop {
            let pid = if or_next {
                let (found, pid) = find_pid_from(&ns, nr).ok_or(Reason::NoNumber)?;
                nr = found;
                pid
            } else {
                find_pid(&ns, nr).ok_or(Reason::NoNumber)?
            };
            let user = {
                let tree = self.tree();
                tree.user_of(&pid, kind).map(|task| tree.tasks().id(task))
            };
            match user {
                Some(id) => return Ok((nr, id)),
                None if or_next => nr += 1,
                None => return Err(Reason::NoNumber.into()),
            }
            might_sleep();
            if is_killed() {
                return Err(EINTR.into());
            }
        }
    }

    /// Goes through the tasks from `position` on that are visible in `ns` (any, if none is given),
    /// a piece of them under the lock, as long as `found` has room for more. Returns where to go on,
    /// `None` at the end.
    pub(crate) fn list_tasks(
        &self,
        position: u64,
        ns: Option<&Namespace>,
        found: &mut dyn FnMut(uapi::altpid_task) -> bool,
    ) -> Option<u64> {
        let tree = self.tree();
        list_piece(position, tree.tasks().positions(), |position| {
            tree.tasks().at(position).is_none_or(|task| {
                let visible = ns.is_none_or(|ns| ns.is_ancestor_or_self(tree.tasks()[task].ns()));
                !visible || found(tree.describe(task))
            })
        })
    }

    /// Likewise through the namespaces, with `only_active` through those that listns(2) lists.
    pub(crate) fn list_namespaces(
        &self,
        position: u64,
        ns: Option<&Namespace>,
        only_active: bool,
        found: &mut dyn FnMut(uapi::altpid_ns) -> bool,
    ) -> Option<u64> {
        let registry = self.registry();
        list_piece(position, registry.positions(), |position| {
            registry.at(position).is_none_or(|listed| {
                let visible = ns.is_none_or(|ns| ns.is_ancestor_or_self(&listed));
                if !visible {
                    return true;
                }
                let tree = self.tree();
                only_active && !listed.is_active() || found(tree.describe_namespace(&listed))
            })
        })
    }
}

/// Looks at a piece of the positions from `from` to `end`, as long as `look` says that it could.
/// Returns where to go on, `None` at the end.
fn list_piece(from: u64, end: usize, mut look: impl FnMut(usize) -> bool) -> Option<u64> {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let next = from.saturating_add(LISTED);
    let stopped = (from..next.min(end)).find(|&position| !look(position));
    stopped
        .or((next < end).then_some(next))
        .map(|position| position as u64)
}
