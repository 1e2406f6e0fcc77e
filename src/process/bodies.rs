// SPDX-License-Identifier: GPL-2.0

//! Real processes as tasks: changes of the tree when a process becomes a member, forks, calls exec, stops and exits.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    native::{self, usage::Usage, End, Native, NativeNr},
    pid::{find_pid, namespace::Namespace, NewPid, Pid},
    process::clone::Unborn,
    reason::{Outcome, Reason},
    tree::fate::Fate,
    tree::group::{Group, JobState, Parent},
    tree::pending::SIGCHLD,
    tree::room::{NewSighand, Spares},
    tree::sighand::Handlers,
    tree::task::{Task, TaskId, TaskState, COMM_LEN},
    tree::Tree,
    world::sleep::pause,
    world::work::is_killed,
    world::World,
};
use kernel::{error::code::ERESTARTNOINTR, sync::aref::ARef};

/// A task for a process that becomes a member.
pub(crate) struct Admitted {
    pub(crate) id: TaskId,
    pub(crate) pid: ARef<Pid>,
}

impl World {
    /// Makes a task for a calling process that becomes a member, with no parent in this world or this one.
    /// May sleep.
    ///
    /// # Errors
    ///
    /// See `struct altpid_attach`. Nothing is changed then.
    pub(crate) fn admit(
        &self,
        pid: NewPid,
        ns: ARef<Namespace>,
        parent: Option<TaskId>,
        comm: [u8; COMM_LEN],
    ) -> Outcome<Admitted> {
        let mut spares = Spares::new(false, true);
        let mut unborn = Unborn { pid, ns };
        let mut held_up = None;
        loop {
            let mut tree = self.work();
            if tree.is_sending_to_many() {
                held_up.get_or_insert_with(|| self.hold_up());
                tree.let_walks_end(false)?;
                continue;
            }
            match self.admit_to(&mut tree, unborn, parent, comm, &mut spares)? {
                Ok(admitted) => return Ok(admitted),
                Err(back) => unborn = back,
            }
            drop(tree);
            spares.fill()?;
        }
    }

    /// [`World::admit`] in one hold. Gives `unborn` back when there is no room: fill `spares` without the lock and try
    /// again.
    fn admit_to(
        &self,
        tree: &mut Tree,
        unborn: Unborn,
        parent: Option<TaskId>,
        comm: [u8; COMM_LEN],
        spares: &mut Spares,
    ) -> Outcome<Result<Admitted, Unborn>> {
        let Unborn { pid, ns } = unborn;
        let relative = match parent {
            Some(id) => tree.find_alive(id)?,
            None => {
                let init = find_pid(self.root(), 1);
                let init = init.and_then(|pid| tree.task_of(&pid));
                init.ok_or(Reason::TaskGone)?
            }
        };
        let parent = parent.map_or(Parent::Outside, |_| Parent::Task(relative));
        if let Parent::Task(parent) = parent {
            if !tree.tasks()[parent].ns().is_ancestor_or_self(&ns) {
                return Err(Reason::ParentBlind.into());
            }
        }
        if tree.tasks().len() >= tree.max_tasks() {
            return Err(Reason::TaskLimit.into());
        }
        if !pid.ns().upwards().all(Namespace::is_adding) {
            return Err(Reason::NsDead.into());
        }
        let (pgid, sid) = {
            let group = tree.group_of(relative);
            (group.pgid().clone(), group.sid().clone())
        };
        let self_exec_id = tree.tasks()[relative].self_exec_id();
        let Some(room) = tree.room_for_process(spares) else {
            return Ok(Err(Unborn { pid, ns }));
        };
        let pid = pid.keep();
        let (tgid, admitted) = (pid.clone(), pid.clone());
        let new_group = |sighand| {
            Group::new(tgid, pgid, sid, parent, SIGCHLD, sighand).with_parent_exec_id(self_exec_id)
        };
        let new_task = |group| Task::new(group, pid, ns, comm);
        let (group, entrant) = room.insert(NewSighand::Own(Handlers::DEFAULT), new_group, new_task);
        let task = tree.join_group(entrant);
        tree.join_tree(group, task);
        tree.tell_clone(task, parent, 0);
        Ok(Ok(Admitted {
            id: tree.tasks().id(task),
            pid: admitted,
        }))
    }

    /// Asks whether the child of a member may join now, when no signal for many is on its way.
    ///
    /// # Errors
    ///
    /// `ENOMEM` when the world ends with its descriptor; `ERESTARTNOINTR` when a signal waits for the caller, which
    /// it may have been sent with others: natively it has no child before it has taken it (`copy_process()`).
    pub(super) fn lets_member_clone(&self) -> Outcome {
        if self.is_ending() {
            return Err(Reason::NsDead.into());
        }
        if native::has_signals() {
            return Err(ERESTARTNOINTR.into());
        }
        Ok(())
    }

    /// The thread behind a task is known from now on. Does not sleep: signals that the task is owed already are sent
    /// when a [`Work`](crate::world::hold::Work) is dropped next.
    pub(crate) fn bind(&self, id: TaskId, native: Native) {
        self.tree().tree_mut().bind(id, native);
    }

    /// The thread behind a task will not be made: the task exits and is reaped, and its parent is not told.
    pub(crate) fn abandon(&self, id: TaskId) {
        let mut tree = self.work();
        let Some(task) = tree.tasks().find(id) else {
            return;
        };
        let group = tree.tasks()[task].group();
        if tree.is_leader(task) {
            tree.set_autoreap(group);
        }
        tree.begin_exit(task, 0);
    }

    /// The body of a task exits, which the kernel has called so in the end and that member traces; returns whether it
    /// is to wait for it first. May sleep.
    pub(crate) fn exited(
        &self,
        id: TaskId,
        end: &End,
        comm: [u8; COMM_LEN],
        tracer: Option<TaskId>,
    ) -> bool {
        let mut usage = None;
        let (mut tree, task, group) = loop {
            let tree = self.work();
            let Some(task) = tree.tasks().find(id) else {
                return false;
            };
            let group = tree.tasks()[task].group();
            if tree.groups()[group].nr_live() > 1 || usage.is_some() {
                break (tree, task, group);
            }
            let is_init = tree.groups()[group].tgid().nr() == 1;
            // The last thread sums up the usage of the process, without the lock. It stays the last one.
            drop(tree);
            usage = Some(Usage::own());
            if is_init {
                // To the kernel it is none, and the tree asks the kernel who wants to know of children.
                native::ignore_children();
            }
        };
        if let Some(body) = tree.tasks()[task].body() {
            tree.set_body_uid(body, end.uid);
        }
        if let Some(usage) = usage {
            tree.set_usage(group, usage);
        }
        if let (Some(status), Fate::Alive) = (end.of_group(), tree.groups()[group].fate()) {
            tree.decide_exit(group, status);
        }
        tree.set_name(task, &comm);
        let is_held = tracer.is_some_and(|tracer| tree.hold(task, tracer));
        tree.begin_exit(task, end.code);
        is_held
    }

    /// Sleeps until a task that exits has exited, which for the init of a namespace is when the namespace is empty
    /// (`zap_pid_ns_processes()`). Returns early when only virtual tasks are left and no descriptor of the world is
    /// open by which they could be ended.
    pub(crate) fn wait_for_end(&self, id: TaskId) {
        let _waiting = self.count_waiting();
        loop {
            let is_over = {
                let tree = self.tree();
                let task = tree.tasks().find(id).map(|task| tree.tasks()[task].state());
                task.is_none_or(|state| state == TaskState::Zombie)
            };
            if is_over || self.is_left_alone() {
                return;
            }
            pause();
        }
    }

    /// A member has called exec, as the thread that the kernel now calls by this. The other threads of its
    /// process are gone, or nearly. May sleep.
    pub(crate) fn execed(
        &self,
        id: TaskId,
        native: &Native,
        comm: [u8; COMM_LEN],
    ) -> Option<ARef<Pid>> {
        loop {
            let mut tree = self.work();
            let task = tree.find_member(id).ok()?;
            if tree.is_all_that_is_left(task) {
                tree.finish_member_exec(task, native, comm);
                return Some(tree.tasks()[task].pid().clone());
            }
            // Other threads work off the rest of their exits.
            drop(tree);
            kernel::task::might_sleep();
            if is_killed() {
                return None;
            }
            pause();
        }
    }

    /// A member is called by another name.
    pub(crate) fn rename_member(&self, id: TaskId, comm: [u8; COMM_LEN]) {
        let mut tree = self.work();
        if let Ok(task) = tree.find_member(id) {
            tree.set_name(task, &comm);
        }
    }

    /// The pids of a task and its process.
    pub(crate) fn pids_of(&self, id: TaskId) -> Option<(ARef<Pid>, ARef<Pid>)> {
        let tree = self.tree();
        let task = tree.tasks().find(id)?;
        Some((
            tree.tasks()[task].pid().clone(),
            tree.group_of(task).tgid().clone(),
        ))
    }

    /// The thread behind a member.
    pub(crate) fn native(&self, id: TaskId) -> Option<Native> {
        let tree = self.tree();
        let task = tree.tasks().find(id)?;
        tree.native_of_task(task).cloned()
    }

    /// Updates the job state of a member's process from the kernel's. Returns whether the kernel's state was final,
    /// and whether the process is stopped, or gone. May sleep.
    pub(crate) fn look_at_job(&self, id: TaskId) -> (bool, bool) {
        let mut tree = self.work();
        let Ok(task) = tree.find_alive(id) else {
            return (true, true);
        };
        let group = tree.tasks()[task].group();
        let Some(stopped) = tree.native_of(group).map(Native::stopped_by) else {
            return (true, true);
        };
        let Ok(stopped) = stopped else {
            return (false, false);
        };
        if tree.groups()[group].exit_status().is_some() {
            return (true, true);
        }
        match (stopped, tree.groups()[group].job()) {
            (Some(signal), JobState::Running | JobState::Continued) => tree.stop(group, signal),
            (None, JobState::Stopped(_) | JobState::Stopping { .. }) => {
                tree.resume(group);
                tree.notify_owed(group);
            }
            _ => {}
        }
        (true, stopped.is_some())
    }
}

impl Tree {
    /// The last thread of a member's process has become another program (`begin_new_exec()`).
    fn finish_member_exec(&mut self, task: Idx<Task>, native: &Native, comm: [u8; COMM_LEN]) {
        let index = self.tasks()[task].group();
        let leader = self.groups()[index].leader();
        if let Some(leader) = leader.filter(|&leader| leader != task) {
            self.exchange_bodies(task, leader, native.clone());
            self.take_over(task);
        }
        self.note_exec(task);
        self.change_family(index);
        self.set_name(task, &comm);
        self.tell_exec(task);
    }

    /// A member puts a process into a process group; returns the native numbers for setpgid(2): 0 for the caller's
    /// own process, and the kernel's group. The kernel's group is decided on here, under the lock: several callers may
    /// move the same process, and each makes its native call a little later. `None` for a virtual process.
    ///
    /// # Errors
    ///
    /// As [`Tree::setpgid`].
    pub(crate) fn setpgid_by_member(
        &mut self,
        caller: Idx<Task>,
        pid: i32,
        pgid: i32,
    ) -> Outcome<Option<(u64, u64)>> {
        let own = self.tasks()[caller].group();
        let target = match pid {
            0 => Some(own),
            _ => (self.numbered(caller, pid).ok()).map(|task| self.tasks()[task].group()),
        };
        let before = target.map(|target| self.groups()[target].pgid().clone());
        self.setpgid(caller, pid, pgid)?;
        let (Some(target), Some(before)) = (target, before) else {
            return Ok(None);
        };
        let Some(nr) = self.native_of(target).map(Native::nr) else {
            return Ok(None);
        };
        let group = &self.groups()[target];
        let decided = if group.pgid().is(group.tgid()) {
            nr
        } else {
            let is_moved = !group.pgid().is(&before);
            let told = self.told_group(target).filter(|_| !is_moved);
            // If nobody is left whom the kernel knows there it is one of its own, which others find.
            told.or_else(|| self.native_group_but(group.pgid(), Some(target)))
                .unwrap_or(nr)
        };
        self.tell_group(target, decided);
        let process = if target == own { 0 } else { nr.to_argument() };
        Ok(Some((process, decided.to_argument())))
    }

    /// The kernel's process group for a terminal that is given to the process group with this pid. If no real process is in it, the native
    /// number of the process with this pid, which the kernel accepts as well (`session_of_pgrp()`). Natively zombies
    /// are members of a process group: for one that has only zombies and is in the caller's session this is the
    /// caller's own.
    pub(crate) fn native_group(&self, caller: Idx<Task>, pgrp: &Pid) -> Option<NativeNr> {
        let own = self.tasks()[caller].group();
        self.native_group_but(pgrp, None).or_else(|| {
            let first = self.process_group(pgrp).first();
            let process = first.or(self.leader_of(pgrp))?;
            let is_beside = self.groups()[process].sid().is(self.groups()[own].sid());
            match self.is_dead(process) {
                true if is_beside => self.native_of(own)?.group(),
                // Its native number may be that of somebody else.
                true => None,
                false => self.native_of(process).map(Native::nr),
            }
        })
    }

    /// The kernel's process group of the real processes in the process group with this pid, if there are some.
    pub(crate) fn native_group_of(&self, pgrp: &Pid) -> Option<NativeNr> {
        self.native_group_but(pgrp, None)
    }

    /// The kernel's process group of the members of a process group other than `but`.
    fn native_group_but(&self, pgrp: &Pid, but: Option<Idx<Group>>) -> Option<NativeNr> {
        let members = self.process_group(pgrp);
        let others = members.iter(self.groups()).take(64);
        // A process that is dead here may still be in the kernel's group.
        let mut others = others.filter(|&other| Some(other) != but && !self.is_dead(other));
        others.find_map(|other| {
            let actual = || self.native_of(other)?.group();
            self.told_group(other).or_else(actual)
        })
    }
}
