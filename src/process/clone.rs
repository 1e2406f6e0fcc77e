// SPDX-License-Identifier: GPL-2.0

//! clone3(2): a new thread or process, in whichever namespace it is born into.
//!
//! `kernel/fork.c`: `clone3_args_valid()`, `copy_process()`; `kernel/nsproxy.c`:
//! `copy_namespaces()`; `kernel/pid_namespace.c`: `copy_pid_ns()`.
//!
//! # Locks
//!
//! The tree lock is taken twice: to see what the caller is, and, after everything that can sleep or
//! fail for want of memory is done, to let the child join.

use crate::{
    base::faults::{self, Fault},
    base::slots::Idx,
    pid::namespace::Namespace,
    pid::Pid,
    pid::{alloc_pid, NewPid},
    reason::{Outcome, Reason},
    tree::call::Call,
    tree::group::{Group, Parent},
    tree::handles::{Pidfd, PidfdId},
    tree::pending::{NSIG, SIGCHLD},
    tree::room::{NewSighand, Spares},
    tree::sighand::Handlers,
    tree::task::{Task, TaskId, COMM_LEN},
    tree::Tree,
    world::hold::{InCall, Work},
    world::work::is_killed,
    world::Limits,
    world::World,
};
use kernel::{
    prelude::*,
    sync::{aref::ARef, Arc},
};

/// Flags of clone3 that are looked at (`include/uapi/linux/sched.h`).
pub(crate) mod flags {
    use kernel::bindings;

    pub(crate) const VM: u64 = bindings::CLONE_VM as u64;
    pub(crate) const VFORK: u64 = bindings::CLONE_VFORK as u64;
    pub(crate) const FS: u64 = bindings::CLONE_FS as u64;
    pub(crate) const SIGHAND: u64 = bindings::CLONE_SIGHAND as u64;
    pub(crate) const PIDFD: u64 = bindings::CLONE_PIDFD as u64;
    pub(crate) const PARENT: u64 = bindings::CLONE_PARENT as u64;
    pub(crate) const THREAD: u64 = bindings::CLONE_THREAD as u64;
    pub(crate) const NEWNS: u64 = bindings::CLONE_NEWNS as u64;
    pub(crate) const SYSVSEM: u64 = bindings::CLONE_SYSVSEM as u64;
    pub(crate) const DETACHED: u64 = bindings::CLONE_DETACHED as u64;
    pub(crate) const NEWTIME: u64 = bindings::CLONE_NEWTIME as u64;
    pub(crate) const NEWIPC: u64 = bindings::CLONE_NEWIPC as u64;
    pub(crate) const NEWUSER: u64 = bindings::CLONE_NEWUSER as u64;
    pub(crate) const NEWPID: u64 = bindings::CLONE_NEWPID as u64;

    // Written out: bindgen leaves out macros of more than 32 bits, and 7.2 lacks the last four.
    pub(crate) const CLEAR_SIGHAND: u64 = 1 << 32;
    pub(crate) const INTO_CGROUP: u64 = 1 << 33;
    pub(crate) const AUTOREAP: u64 = 1 << 34;
    pub(crate) const NNP: u64 = 1 << 35;
    pub(crate) const PIDFD_AUTOKILL: u64 = 1 << 36;
    pub(crate) const EMPTY_MNTNS: u64 = 1 << 37;

    /// `CLONE_LEGACY_FLAGS`: the 32 bits that clone(2) has room for.
    pub(crate) const LEGACY: u64 = 0xffff_ffff;
    /// `CSIGNAL`: the bits of the exit signal in clone(2).
    pub(crate) const CSIGNAL: u64 = 0xff;
}

/// The parent that the new process is to have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParentArg {
    /// The caller, or with `CLONE_PARENT` the parent of the caller.
    Native,
    /// The task with this id.
    Task(TaskId),
    /// None in this world.
    Outside,
}

/// The arguments of clone3 (`struct kernel_clone_args`).
pub(crate) struct CloneArgs<'a> {
    /// The id of the task that clones.
    pub(crate) task: TaskId,
    pub(crate) flags: u64,
    pub(crate) exit_signal: i32,
    /// Numbers to have, the most nested namespace first.
    pub(crate) set_tid: &'a [i32],
    pub(crate) parent: ParentArg,
    /// Whether the caller has a place for a pidfd: `CLONE_PIDFD` is of no effect without.
    pub(crate) takes_pidfd: bool,
    /// The caller is a member that clones itself, and the child will have a body.
    pub(crate) by_member: bool,
}

/// The result of a clone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cloned {
    /// The child's id.
    pub(crate) child: TaskId,
    /// Its number in the caller's active namespace.
    pub(crate) pid: i32,
    /// The handle on it.
    pub(crate) pidfd: Option<PidfdId>,
}

/// The pid and the namespace of a child that has not joined yet.
pub(crate) struct Unborn {
    pub(crate) pid: NewPid,
    /// The namespace that its children will be born in.
    pub(crate) ns: ARef<Namespace>,
}

/// A child that has joined.
pub(crate) struct Joined {
    task: Idx<Task>,
    /// The handle on it.
    pidfd: Option<PidfdId>,
}

/// The state of the caller when it was looked at first.
struct Origin {
    ns: ARef<Namespace>,
    /// [`Group::nr_stops`], with `CLONE_VFORK`.
    stops: u32,
}

impl CloneArgs<'_> {
    fn has(&self, flags: u64) -> bool {
        self.flags & flags == flags
    }

    fn has_any(&self, flags: u64) -> bool {
        self.flags & flags != 0
    }

    /// Whether there will be a handle on the child.
    fn makes_pidfd(&self) -> bool {
        self.takes_pidfd && self.has(flags::PIDFD)
    }

    /// Whether the exit signal is one, and goes with the flags (`valid_signal()`,
    /// `clone3_args_valid()`).
    fn has_exit_signal(&self) -> bool {
        let has_none = flags::THREAD | flags::PARENT | flags::AUTOREAP;
        (0..=NSIG).contains(&self.exit_signal) && (self.exit_signal == 0 || !self.has_any(has_none))
    }

    /// The checks that do not depend on the caller: `clone3_args_valid()`, and those of
    /// `copy_process()`. None of the errors has precedence over another, all are `EINVAL`.
    fn is_consistent(&self) -> bool {
        let known = flags::LEGACY
            | flags::CLEAR_SIGHAND
            | flags::INTO_CGROUP
            | flags::AUTOREAP
            | flags::NNP
            | flags::PIDFD_AUTOKILL
            | flags::EMPTY_MNTNS;
        let bad = self.flags & !known != 0
            || self.has_any(flags::DETACHED | (flags::CSIGNAL & !flags::NEWTIME))
            || self.has(flags::SIGHAND | flags::CLEAR_SIGHAND)
            || self.has(flags::NEWNS | flags::FS)
            || self.has(flags::NEWUSER | flags::FS)
            || (self.has(flags::THREAD) && !self.has(flags::SIGHAND))
            || (self.has(flags::SIGHAND) && !self.has(flags::VM))
            || (self.has(flags::THREAD) && self.has_any(flags::NEWUSER | flags::NEWPID))
            || (self.has(flags::AUTOREAP) && self.has_any(flags::THREAD | flags::PARENT))
            || self.has(flags::NNP | flags::THREAD)
            || (self.has(flags::PIDFD_AUTOKILL)
                && (!self.has(flags::PIDFD | flags::AUTOREAP) || self.has(flags::THREAD)))
            || self.has(flags::NEWIPC | flags::SYSVSEM)
            || (self.parent != ParentArg::Native && self.has_any(flags::THREAD | flags::PARENT));
        !bad
    }

    /// Whether the caller may do this at all, which is asked before signals are taken (`copy_process()`).
    #[inline]
    fn is_allowed(&self, tree: &Tree, caller: Idx<Task>) -> Outcome {
        if self.has(flags::PARENT) && tree.group_of(caller).unkillable() {
            return Err(Reason::InitParent.into());
        }
        if self.has(flags::PARENT) && tree.group_of(caller).autoreap() {
            return Err(Reason::AutoreapParent.into());
        }
        if self.has(flags::THREAD) && !tree.tasks()[caller].has_children_at_home() {
            return Err(Reason::ChildrenElsewhere.into());
        }
        Ok(())
    }

    /// The namespace that the child will be born in, looked up after [`CloneArgs::is_allowed`] (`copy_pid_ns()`).
    fn origin(&self, tree: &Tree, caller: Idx<Task>) -> Outcome<Origin> {
        let task = &tree.tasks()[caller];
        let ns = task.ns_for_children().as_deref();
        let ns: ARef<Namespace> = ns.ok_or(Reason::TaskExited)?.into();
        if self.has(flags::NEWPID) && !task.has_children_at_home() {
            return Err(Reason::ChildrenElsewhere.into());
        }
        if let ParentArg::Task(parent) = self.parent {
            let parent = tree.find_alive(parent)?;
            // A parent sees its children: the new namespace, if there is one, is below `ns`.
            if !tree.tasks()[parent].ns().is_ancestor_or_self(&ns) {
                return Err(Reason::ParentBlind.into());
            }
        }
        if tree.tasks().len() >= tree.max_tasks() {
            return Err(Reason::TaskLimit.into());
        }
        let stops = match self.has(flags::VFORK) {
            true => tree.groups()[task.group()].nr_stops(),
            false => 0,
        };
        Ok(Origin { ns, stops })
    }

    /// The parent of the new process.
    fn real_parent(&self, tree: &Tree, caller: Idx<Task>) -> Outcome<Parent> {
        Ok(match self.parent {
            ParentArg::Native if self.has(flags::PARENT) => tree.group_of(caller).parent(),
            ParentArg::Native => Parent::Task(caller),
            ParentArg::Task(id) => Parent::Task(tree.find_alive(id)?),
            ParentArg::Outside => Parent::Outside,
        })
    }

    /// The signal dispositions of the new process: those of the caller, shared or as a copy (`copy_sighand()`).
    fn copy_sighand(&self, tree: &Tree, group: Idx<Group>) -> NewSighand {
        if self.has(flags::SIGHAND) {
            return NewSighand::Shared(tree.groups()[group].sighand());
        }
        let mut handlers = tree.handlers(group).clone();
        if self.has(flags::CLEAR_SIGHAND) {
            handlers.forget();
        }
        NewSighand::Own(handlers)
    }

    /// Lets the child join, with memory from `spares` if need be. Gives `unborn` back when there is no room: fill
    /// `spares` without the lock and try again.
    ///
    /// # Errors
    ///
    /// For changes since [`CloneArgs::origin`]: `ESRCH` for a parent that exits, `ENOMEM` for a namespace
    /// whose init has exited, and limits.
    pub(crate) fn join(
        &self,
        tree: &mut Tree,
        caller: Idx<Task>,
        unborn: Unborn,
        spares: &mut Spares,
    ) -> Outcome<Result<Joined, Unborn>> {
        let Unborn { pid, ns } = unborn;
        let parent = self.real_parent(tree, caller)?;
        if self.makes_pidfd() && tree.pidfds().len() >= tree.max_pidfds() {
            return Err(Reason::PidfdLimit.into());
        }
        if tree.tasks().len() >= tree.max_tasks() {
            return Err(Reason::TaskLimit.into());
        }
        // Init may have exited since the number was given out: then nobody would kill the child.
        if !pid.ns().upwards().all(Namespace::is_adding) && !faults::has(Fault::NoGuard) {
            return Err(Reason::NsDead.into());
        }
        let origin = &tree.tasks()[caller];
        let origin_group = origin.group();
        let (comm, blocked, self_exec_id) =
            (origin.comm(), origin.blocked(), origin.self_exec_id());
        let new_task = |group, pid, ns| {
            Task::new(group, pid, ns, comm)
                .with_mask(blocked)
                .with_exec_id(self_exec_id)
        };
        let new_pidfd = |pid: &ARef<Pid>| {
            Pidfd::new(pid.clone(), self.has(flags::THREAD))
                .autokill(self.has(flags::PIDFD_AUTOKILL))
        };
        if self.has(flags::THREAD) {
            let Some(mut room) = tree.room_for_thread(origin_group, spares) else {
                return Ok(Err(Unborn { pid, ns }));
            };
            let pid = pid.keep();
            let pidfd = room.insert_pidfd(|| new_pidfd(&pid));
            let entrant = room.insert(new_task(origin_group, pid, ns));
            let task = tree.join_group(entrant);
            tree.tell_clone(task, tree.groups()[origin_group].parent(), self.flags);
            return Ok(Ok(Joined { task, pidfd }));
        }
        let group = &tree.groups()[origin_group];
        let exit_signal = if self.has(flags::PARENT) {
            group.exit_signal()
        } else {
            self.exit_signal
        };
        let parent_exec_id = match parent {
            _ if self.has(flags::PARENT) => group.parent_exec_id(),
            Parent::Task(parent) => tree.tasks()[parent].self_exec_id(),
            Parent::Outside => 0,
        };
        let (pgid, sid) = (group.pgid().clone(), group.sid().clone());
        let sighand = self.copy_sighand(tree, origin_group);
        let Some(mut room) = tree.room_for_process(spares) else {
            return Ok(Err(Unborn { pid, ns }));
        };
        let pid = pid.keep();
        let pidfd = room.insert_pidfd(|| new_pidfd(&pid));
        let tgid = pid.clone();
        let new_group = |sighand| {
            Group::new(tgid, pgid, sid, parent, exit_signal, sighand)
                .with_autoreap(self.has(flags::AUTOREAP))
                .with_parent_exec_id(parent_exec_id)
        };
        let new_task = |group| new_task(group, pid, ns);
        let (group, entrant) = room.insert(sighand, new_group, new_task);
        if self.has(flags::SIGHAND) {
            tree.share_sighand(origin_group);
        }
        let task = tree.join_group(entrant);
        tree.join_tree(group, task);
        if self.has(flags::NEWPID) {
            let ns = tree.tasks()[task].ns();
            let (id, above) = (ns.id(), ns.parent().map(Namespace::id));
            tree.tell_ns_born(id, above, caller);
        }
        tree.tell_clone(task, parent, self.flags);
        Ok(Ok(Joined { task, pidfd }))
    }
}

impl World {
    /// A task is about to clone. Signals that wait for it or its process are taken before (`copy_process()`),
    /// also those that were left to another thread: if they stop it, or kill it, it does not clone.
    ///
    /// # Errors
    ///
    /// As [`World::clone_task`].
    fn begin_clone(&self, args: &CloneArgs<'_>) -> Outcome<(InCall<'_>, Work<'_>, Origin)> {
        if args.by_member {
            // Signals are the kernel's to look at.
            let (call, tree, caller) = self.enter_member(args.task)?;
            args.is_allowed(&tree, caller)?;
            let origin = args.origin(&tree, caller)?;
            return Ok((call, tree, origin));
        }
        loop {
            let (mut tree, caller) = self.act(args.task)?;
            args.is_allowed(&tree, caller)?;
            if !tree.recalc_sigpending(caller) {
                let origin = args.origin(&tree, caller)?;
                let call = tree.begin_call(caller, Call::Working);
                return Ok((call, tree, origin));
            }
            drop(tree);
            if is_killed() {
                return Err(EINTR.into());
            }
        }
    }

    /// A task clones. May sleep.
    ///
    /// # Errors
    ///
    /// See `struct altpid_clone`. Nothing is changed then.
    #[doc(alias = "kernel_clone")]
    pub(crate) fn clone_task(&self, args: &CloneArgs<'_>) -> Outcome<Cloned> {
        if !args.has_exit_signal() {
            return Err(Reason::ExitSignal.into());
        }
        if !args.is_consistent() {
            return Err(Reason::Flags.into());
        }
        let (call, tree, origin) = self.begin_clone(args)?;
        drop(tree);
        let Origin { mut ns, stops } = origin;
        if args.has(flags::NEWPID) {
            ns = Namespace::create(Some(&ns), self.registry())?;
        }
        let pid = alloc_pid(&ns, args.set_tid)?;
        let mut unborn = Unborn { pid, ns };
        let mut spares = Spares::new(args.makes_pidfd(), args.by_member);
        let (mut tree, caller, Joined { task, pidfd }) = loop {
            let (mut tree, caller) = call.go_on_alone()?;
            if args.by_member {
                self.lets_member_clone()?;
            }
            match args.join(&mut tree, caller, unborn, &mut spares)? {
                Ok(joined) => break (tree, caller, joined),
                Err(back) => unborn = back,
            }
            drop(tree);
            spares.fill()?;
        };
        let pid = tree.tasks()[task].pid().nr_ns(tree.tasks()[caller].ns());
        let child = tree.tasks().id(task);
        if args.has(flags::VFORK) {
            tree.begin_vfork(caller, task, stops);
            call.leave_to_others();
        } else {
            call.end(&mut tree);
        }
        Ok(Cloned { child, pid, pidfd })
    }
}

impl World {
    /// A world with an init. May sleep.
    ///
    /// # Errors
    ///
    /// `ENFILE` when there are as many as there may be, `ENOMEM`.
    pub(crate) fn new(limits: Limits) -> Result<Arc<World>> {
        Self::create(limits, Tree::step, Tree::add_init)
    }
}

impl Tree {
    /// Makes the init of a world, pid 1 of its root.
    fn add_init(&mut self, root: &Namespace) -> Result {
        let outside = Pid::outside(root)?;
        let pid = alloc_pid(root, &[])?;
        let mut comm = [0; COMM_LEN];
        comm[..4].copy_from_slice(b"init");
        let mut spares = Spares::new(false, false);
        let room = loop {
            if let Some(room) = self.room_for_process(&mut spares) {
                break room;
            }
            spares.fill()?;
        };
        let pid = pid.keep();
        let tgid = pid.clone();
        let new_group = |sighand| {
            let outside_too = outside.clone();
            Group::new(
                tgid,
                outside,
                outside_too,
                Parent::Outside,
                SIGCHLD,
                sighand,
            )
        };
        let new_task = |group| Task::new(group, pid, root.into(), comm);
        let (group, entrant) = room.insert(NewSighand::Own(Handlers::DEFAULT), new_group, new_task);
        let task = self.join_group(entrant);
        self.join_tree(group, task);
        Ok(())
    }
}
