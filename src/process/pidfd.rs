// SPDX-License-Identifier: GPL-2.0

//! Pidfds: handles on tasks that outlive them.
//!
//! `kernel/pid.c`: `pidfd_open()`; `kernel/fork.c`: `pidfd_prepare()`; `fs/pidfs.c`:
//! `pidfd_poll()`, `pidfd_info()`, `pidfs_file_release()`. Signals by a handle are in
//! [`kill`](crate::signal::kill), waiting by one in [`wait`](crate::process::wait).
//!
//! A handle holds a [`Pid`], and so the namespaces that this was born in. It follows the pid, not
//! the task: after an exec by a thread it is the handle on who has the number then. How the task
//! ended stays with the pid ([`Pid::exit_code`]).
//!
//! # Locks
//!
//! Under the tree lock, which is released to sleep.

use crate::{
    base::slots::{Idx, Spare},
    pid::namespace::Namespace,
    pid::vector,
    pid::{find_pid, Pid},
    reason::{Outcome, Reason},
    signal::sending::{Scope, Source},
    tree::handles::{Pidfd, PidfdId},
    tree::pending::SIGKILL,
    tree::task::{Task, TaskId, TaskState},
    tree::wakeups::Key,
    tree::Tree,
    uapi,
    world::sleep::FOR_EVER,
    world::World,
};
use kernel::sync::aref::ARef;

/// The task that a handle is to be opened on.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// The task with this number, as the task with this id sees it.
    Number(TaskId, i32),
    /// The task with this id, for a caller outside of the world.
    Task(TaskId),
}

impl World {
    /// Opens a handle; returns its id. May sleep.
    ///
    /// # Errors
    ///
    /// See `struct altpid_pidfd_open`.
    #[doc(alias = "pidfd_create")]
    pub(crate) fn pidfd_open(
        &self,
        target: Target,
        thread: bool,
        nonblock: bool,
    ) -> Outcome<PidfdId> {
        let mut spare = Spare::new();
        loop {
            let mut tree = self.work();
            let pid = match target {
                Target::Number(task, nr) => {
                    drop(tree);
                    let (acting, task) = self.act(task)?;
                    tree = acting;
                    if nr <= 0 {
                        return Err(Reason::Range.into());
                    }
                    find_pid(tree.tasks()[task].ns(), nr).ok_or(Reason::NoNumber)?
                }
                Target::Task(task) => tree.tasks()[tree.find(task)?].pid().clone(),
            };
            if tree.task_of(&pid).is_none() {
                return Err(Reason::Reaped.into());
            }
            if !thread && tree.leader_of(&pid).is_none() {
                return Err(Reason::NotProcess.into());
            }
            if tree.pidfds().len() >= tree.max_pidfds() {
                return Err(Reason::PidfdLimit.into());
            }
            if let Some(room) = tree.room_for_pidfd(&mut spare) {
                let id = room.id();
                room.insert(Pidfd::new(pid, thread).nonblock(nonblock));
                return Ok(id);
            }
            drop(tree);
            spare.fill()?;
        }
    }

    /// Closes a handle. May sleep.
    ///
    /// # Errors
    ///
    /// `EBADF`
    #[doc(alias = "pidfs_file_release")]
    pub(crate) fn pidfd_close(&self, id: PidfdId) -> Outcome {
        let pidfd = {
            let mut tree = self.work();
            let pidfd = tree.remove_pidfd(id)?;
            let process = tree.leader_of(pidfd.pid()).filter(|_| pidfd.is_autokill());
            if let Some(leader) = process.and_then(|process| tree.groups()[process].leader()) {
                // SIGKILL takes no room.
                let _ = tree.send(SIGKILL, Source::Kernel, leader, Scope::Process);
            }
            pidfd
        };
        // Without the lock: a dead namespace may go with it.
        drop(pidfd);
        Ok(())
    }

    /// The info of a handle as `task` sees it, or without one a caller outside of the world. With `wants_exit` also
    /// the exit status of its task.
    ///
    /// # Errors
    ///
    /// See `struct altpid_pidfd_info`.
    pub(crate) fn pidfd_info(
        &self,
        id: PidfdId,
        task: Option<TaskId>,
        wants_exit: bool,
    ) -> Outcome<uapi::altpid_pidfd_info> {
        let (tree, view) = match task {
            None => (self.work(), ARef::from(self.root())),
            Some(task) => {
                let (tree, task) = self.act(task)?;
                let view = tree.tasks()[task].ns().into();
                (tree, view)
            }
        };
        let view: &Namespace = &view;
        let pid = tree.pidfds()[tree.find_pidfd(id)?].pid();
        if !view.is_ancestor_or_self(pid.ns()) {
            return Err(Reason::Remote.into());
        }
        let mut info = uapi::altpid_pidfd_info {
            size: core::mem::size_of::<uapi::altpid_pidfd_info>() as u32,
            level: pid.ns().level() as u32,
            pidfd: id.to_raw(),
            task: task.map_or(0, TaskId::to_raw),
            mask: 0,
            target: 0,
            ns: 0,
            ns_for_children: 0,
            pid: 0,
            tgid: 0,
            ppid: 0,
            exit_code: 0,
            nr: vector(pid, pid.ns()),
            reserved: 0,
        };
        if let Some(task) = tree.task_of(pid) {
            tree.describe_living(task, view, &mut info);
        } else if !wants_exit {
            return Err(Reason::Reaped.into());
        }
        if let Some(status) = pid.exit_code().filter(|_| wants_exit) {
            info.mask |= u64::from(uapi::ALTPID_PIDFD_INFO_EXIT);
            info.exit_code = status;
        }
        Ok(info)
    }

    /// Which of `events` a handle has, and whether it hangs up (`POLLIN`, `POLLHUP`). Sleeps until
    /// there is one, unless `wait` is false.
    ///
    /// # Errors
    ///
    /// `EBADF`; `EINTR` when a signal ends the sleep.
    #[doc(alias = "pidfd_poll")]
    pub(crate) fn poll(&self, id: PidfdId, events: u32, wait: bool) -> Outcome<u32> {
        let mut tree = self.work();
        let pid = tree.pidfds()[tree.find_pidfd(id)?].pid().clone();
        loop {
            let found = tree.poll(&pid) & (events | uapi::ALTPID_POLL_HUP);
            if found != 0 || !wait {
                // As natively a close does not end the sleep, and is seen then (`do_pollfd()`).
                return match tree.find_pidfd(id) {
                    Ok(_) => Ok(found),
                    Err(_) => Ok(uapi::ALTPID_POLL_NVAL),
                };
            }
            tree.sleep([Key::pid(&pid); 2], FOR_EVER)?;
            tree = self.work();
        }
    }
}

impl Tree {
    /// Fills in the fields that only a task has which is not reaped, as seen from `view`.
    fn describe_living(
        &self,
        index: Idx<Task>,
        view: &Namespace,
        info: &mut uapi::altpid_pidfd_info,
    ) {
        let task = &self.tasks()[index];
        let group = self.group_of(index);
        info.mask |= u64::from(uapi::ALTPID_PIDFD_INFO_PID);
        info.target = self.tasks().id(index).to_raw();
        info.pid = task.pid().nr_ns(view);
        info.tgid = group.tgid().nr_ns(view);
        info.ppid = self.parent_nr(task.group(), view);
        // A task that exits gives up its nsproxy, which natively both are read from.
        if let Some(for_children) = task.ns_for_children() {
            info.ns = task.ns().id().to_raw();
            info.ns_for_children = for_children.id().to_raw();
        }
    }

    /// The events that poll(2) would return for a handle on `pid`.
    fn poll(&self, pid: &Pid) -> u32 {
        let Some(task) = self.task_of(pid) else {
            return uapi::ALTPID_POLL_IN | uapi::ALTPID_POLL_HUP;
        };
        // delay_group_leader()
        let is_delayed = self.is_leader(task) && !self.is_group_empty(self.tasks()[task].group());
        if self.tasks()[task].state() == TaskState::Zombie && !is_delayed {
            uapi::ALTPID_POLL_IN
        } else {
            0
        }
    }

    /// The namespace that a handle stands for: the active one of its task.
    ///
    /// # Errors
    ///
    /// `EBADF`; `ESRCH` for a task that has exited.
    #[doc(alias = "validate_nsset")]
    pub(crate) fn ns_of_pidfd(&self, id: PidfdId) -> Outcome<ARef<Namespace>> {
        let pid = self.pidfds()[self.find_pidfd(id)?].pid();
        let task = self.task_of(pid).ok_or(Reason::Reaped)?;
        if self.tasks()[task].ns_for_children().is_none() {
            return Err(Reason::TaskExited.into());
        }
        Ok(self.tasks()[task].ns().into())
    }
}
