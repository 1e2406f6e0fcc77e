// SPDX-License-Identifier: GPL-2.0

//! unshare(2) and setns(2): the namespace that the children of a task will be born in.
//!
//! `kernel/fork.c`: `ksys_unshare()`; `kernel/pid_namespace.c`: `copy_pid_ns()`,
//! `pidns_install()`.
//!
//! Neither moves the task. It keeps its numbers and its active namespace for life; only
//! `pid_ns_for_children` changes, for this thread alone.
//!
//! # Locks
//!
//! The tree lock, to look and to change; a namespace is made in between.

use crate::{
    base::faults::{self, Fault},
    base::slots::Idx,
    pid::namespace::{ForChildren, Namespace},
    pid::registry::NsId,
    process::clone::flags,
    reason::{Outcome, Reason},
    tree::handles::PidfdId,
    tree::task::{Task, TaskId},
    tree::Tree,
    world::hold::{InCall, Work},
    world::World,
};
use kernel::{bindings, sync::aref::ARef};

/// Flags of unshare(2) beside `CLONE_NEWPID` (`check_unshare_flags()`), for resources that a virtual task does
/// not have or cannot unshare.
const UNSHARE: u64 = flags::THREAD
    | flags::FS
    | flags::SIGHAND
    | flags::VM
    | flags::SYSVSEM
    | flags::NEWNS
    | flags::NEWIPC
    | flags::NEWUSER
    | flags::NEWTIME
    | bindings::CLONE_FILES as u64
    | bindings::CLONE_NEWCGROUP as u64
    | bindings::CLONE_NEWUTS as u64
    | bindings::CLONE_NEWNET as u64
    // UNSHARE_EMPTY_MNTNS, which 7.2 lacks.
    | 1 << 20;

impl World {
    /// A task unshares: its next child will be init of a new namespace. Returns the id of that, `None` if none was
    /// asked for. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL` for other flags, of which those that unshare(2) knows have a reason of their own, and
    /// when the children go elsewhere already; `ENOSPC`, `ENOMEM`, `ESRCH`.
    #[doc(alias = "ksys_unshare")]
    pub(crate) fn unshare(&self, task: TaskId, flags: u64) -> Outcome<Option<NsId>> {
        match flags & !flags::NEWPID {
            0 => {}
            others if others & !UNSHARE == 0 => return Err(Reason::NotVirtual.into()),
            _ => return Err(Reason::Flags.into()),
        }
        let (call, tree, index) = self.enter(task)?;
        self.unshare_in(call, tree, index, flags)
    }

    /// A member unshares: its next child will be init of a new namespace. May sleep.
    ///
    /// # Errors
    ///
    /// As [`World::unshare`].
    pub(crate) fn unshare_member(&self, member: TaskId) -> Outcome<Option<NsId>> {
        let (call, tree, index) = self.enter_member(member)?;
        self.unshare_in(call, tree, index, flags::NEWPID)
    }

    /// The children of a member are born in its own namespace again.
    pub(crate) fn unshare_undone(&self, member: TaskId) {
        let old = {
            let mut tree = self.work();
            let Ok(task) = tree.find_alive(member) else {
                return;
            };
            let own = ForChildren::new(tree.tasks()[task].ns().into());
            tree.replace_ns_for_children(task, own)
        };
        drop(old);
    }

    fn unshare_in(
        &self,
        call: InCall<'_>,
        tree: Work<'_>,
        index: Idx<Task>,
        flags: u64,
    ) -> Outcome<Option<NsId>> {
        let active = {
            let task = &tree.tasks()[index];
            if flags == 0 {
                return Ok(None);
            }
            if !task.has_children_at_home() && !faults::has(Fault::UnshareTwice) {
                return Err(Reason::ChildrenElsewhere.into());
            }
            ARef::<Namespace>::from(task.ns())
        };
        drop(tree);
        let ns = Namespace::create(Some(&active), self.registry())?;
        let id = ns.id();
        let old = {
            let (mut tree, index) = call.go_on()?;
            let old = tree.replace_ns_for_children(index, ForChildren::new(ns));
            tree.tell_ns_born(id, Some(active.id()), index);
            call.end(&mut tree);
            old
        };
        drop(old);
        Ok(Some(id))
    }

    /// A task joins a namespace: its children will be born there.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a namespace that is neither the active one of the task nor a descendant of that; `ENOENT` for a
    /// namespace that does not exist, `ESRCH`.
    #[doc(alias = "pidns_install")]
    pub(crate) fn setns(&self, task: TaskId, ns: NsId) -> Outcome {
        let ns = self.namespace(ns)?;
        self.install(task, |_| Ok(ns))
    }

    /// [`World::setns`] with the active namespace of the task that a handle is on.
    ///
    /// # Errors
    ///
    /// As [`World::setns`]; `EBADF` for a handle that is closed, `ESRCH` for a handle whose task has exited.
    #[doc(alias = "validate_nsset")]
    pub(crate) fn setns_by_pidfd(&self, task: TaskId, pidfd: PidfdId) -> Outcome {
        self.install(task, |tree| tree.ns_of_pidfd(pidfd))
    }

    /// The children of a member will be born in a namespace, which it has found by a pidfd.
    ///
    /// # Errors
    ///
    /// `ESRCH` when it is about to die.
    pub(crate) fn setns_member(&self, member: TaskId, ns: ARef<Namespace>) -> Outcome {
        let old = {
            let mut tree = self.work();
            let task = tree.find_member(member)?;
            tree.replace_ns_for_children(task, ForChildren::new(ns))
        };
        drop(old);
        Ok(())
    }

    fn install(
        &self,
        task: TaskId,
        target: impl FnOnce(&Tree) -> Outcome<ARef<Namespace>>,
    ) -> Outcome {
        let old = {
            let (mut tree, task) = self.act(task)?;
            let new = target(&tree)?;
            if !tree.tasks()[task].ns().is_ancestor_or_self(&new) {
                return Err(Reason::NsNotBelow.into());
            }
            tree.replace_ns_for_children(task, ForChildren::new(new))
        };
        drop(old);
        Ok(())
    }
}
