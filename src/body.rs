// SPDX-License-Identifier: GPL-2.0

//! Members: real processes that live in a world.
//!
//! The kernel runs, schedules and signals a member's *body*; numbers, parents, zombies, waits and
//! namespaces are the world's. Probes on tracepoints see each system call of a member before and after it,
//! its forks, its exit and its signals ([`probes`]). A call of which altpid knows the answer is not made
//! ([`calls`]); one that the kernel has to make goes on with other arguments, which are put back
//! behind it; one that names somebody else and is not translated is `ENOSYS` ([`border`]).
//!
//! | file | what |
//! |---|---|
//! | [`border`] | what becomes of each system call |
//! | [`calls`] | the way in and out of a system call |
//! | [`acts`] | setsid, setpgid, unshare, reboot |
//! | [`birth`] | fork, vfork, clone, clone3 |
//! | [`waiting`] | wait4, waitid |
//! | [`killing`] | kill, tkill, tgkill |
//! | [`many`] | signals for everybody or a process group |
//! | [`queueing`] | rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal |
//! | [`pidfds`] | what a pidfd of the kernel's is on |
//! | [`prctl`] | the options of prctl that are about parents |
//! | [`tracing`] | ptrace |
//! | [`arguments`] | numbers in arguments of calls that the kernel makes |
//! | [`results`] | numbers in what they give |
//! | [`messages`] | who sends a message of a socket |
//! | [`numbers`] | from a number of altpid's to one of the kernel's, and back |
//! | [`known`] | which of altpid's pids a native number stands for, of the dead as well |
//! | [`lending`] | memory that the kernel is given in place of what the program points to |
//! | [`news`] | stops and continues, and what cannot be done where it is noticed |
//! | [`leaks`] | in builds for tests: which conversions the kernel is expected to make |
//! | [`member`] | the members, by their threads |
//! | [`probes`] | the tracepoints |
//!
//! # Failing safe
//!
//! A native number is never given to a program: where one would come out that is nobody's in the world
//! it is 0. A number of a program's is never given to a native call: what stands for nobody with a body is a number
//! that nobody has. A child that appears without having been expected
//! is killed.
//!
//! # Locks
//!
//! 1. The lock of the probes, a mutex: registering them.
//! 2. The lock of the tables, a spinlock: a member joins or leaves them. No other lock is wanted under it.
//!
//! Probes of signals run with interrupts off and the receiver's lock of signals held: they look members up
//! under RCU, and take no lock of the module's.

mod acts;
mod arguments;
mod birth;
mod border;
mod calls;
mod killing;
mod known;
mod leaks;
mod lending;
mod many;
mod member;
mod messages;
mod news;
mod numbers;
mod pidfds;
mod prctl;
mod probes;
mod queueing;
mod results;
mod table;
mod tracing;
mod user;
mod waiting;

use crate::{
    native::groups::Kind,
    native::{self, Native},
    pid::registry::NsId,
    pid::{alloc_pid, namespace::Namespace, Pid},
    reason::{Outcome, Reason},
    tree::task::TaskId,
    world::World,
};
use kernel::{
    prelude::*,
    sync::{aref::ARef, Arc},
};
use member::{Member, Own};

/// The world of the calling thread and its task there, if it is a member.
pub(crate) fn own() -> Option<(Arc<World>, TaskId)> {
    member::current().map(|member| (member.world.clone(), member.id))
}

/// The task of the calling thread in a world.
pub(crate) fn own_task(world: &World) -> Option<TaskId> {
    let member = member::current()?;
    core::ptr::eq(&*member.world, world).then_some(member.id)
}

/// The pid of a world that a native number stands for, of the dead as well.
pub(crate) fn numbered(world: &World, nr: i32) -> Option<ARef<Pid>> {
    known::by_number(nr).filter(|pid| world.root().is_ancestor_or_self(pid.ns()))
}

/// A task in a world whose body is in a native process group, if there is one.
pub(crate) fn in_group(world: &World, nr: i32) -> Option<TaskId> {
    numbers::first_in(world, nr, Kind::Group)
}

/// What the module needs for members, as long as it is loaded.
pub(crate) struct Bodies {
    _watch: leaks::Watch,
}

impl Bodies {
    /// Gets ready, for probes that stay for so many seconds behind the last member. Called once.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(crate) fn new(probe_seconds: u32) -> Result<Self> {
        // SAFETY: Called once, when the module is loaded.
        unsafe {
            table::init();
            probes::init(probe_seconds);
        }
        news::init()?;
        let watch = leaks::Watch::new().inspect_err(|_| news::end())?;
        Ok(Self { _watch: watch })
    }
}

impl Drop for Bodies {
    /// Unregisters the probes, waits for those that still run and for threads that were members, then for what
    /// was given up to RCU. There are no members.
    fn drop(&mut self) {
        probes::end();
        // SAFETY: No requirements.
        unsafe { kernel::bindings::rcu_barrier() };
        news::end();
    }
}

/// Members that are gone and whom sockets and pidfds still name. Goes after the work items, by which the last members
/// do.
pub(crate) struct Dead(());

impl Dead {
    /// There are none. Called once, when the module is loaded.
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl Drop for Dead {
    fn drop(&mut self) {
        known::end();
    }
}

/// How the calling process wants to live in a world (`struct altpid_attach`).
pub(crate) struct Attach<'a> {
    pub(crate) parent: Option<TaskId>,
    /// `None` for the namespace of level 0.
    pub(crate) ns: Option<NsId>,
    pub(crate) new_ns: bool,
    pub(crate) set_tid: &'a [i32],
}

/// Whether the calling process can become a member.
///
/// # Errors
///
/// `EALREADY`, `EPERM`, `EINVAL`, `EOPNOTSUPP`, with their reasons.
pub(crate) fn may_attach() -> Outcome {
    if member::current().is_some() {
        return Err(Reason::IsMember.into());
    }
    Err(match native::why_not() {
        0 => return Ok(()),
        2 => Reason::NotPrivileged,
        3 => Reason::Not64Bit,
        4 => Reason::HasThreads,
        5 => Reason::HasChildren,
        6 => Reason::Elsewhere,
        _ => Reason::NoBodies,
    }
    .into())
}

/// The calling process, which may do so, becomes a member. Returns the id of its task, and its number. May
/// sleep.
///
/// # Errors
///
/// See `struct altpid_attach`. Nothing is changed then.
pub(crate) fn attach(world: Arc<World>, wanted: &Attach<'_>) -> Outcome<(TaskId, i32)> {
    let mut ns = match wanted.ns {
        None => world.root().into(),
        Some(id) => world.namespace(id)?,
    };
    if wanted.new_ns {
        ns = Namespace::create(Some(&ns), world.registry())?;
    }
    let pid = alloc_pid(&ns, wanted.set_tid)?;
    // It goes again when this is dropped early.
    let joining = probes::Joining::new()?;
    let admitted = world.admit(pid, ns, wanted.parent, native::own_comm())?;
    let (id, nr) = (admitted.id, admitted.pid.nr());
    let member = Own::new(admitted.pid.clone()).and_then(|mut own| {
        own.is_attached = true;
        Member::new(world.clone(), id, admitted.pid, own)
    });
    let member = match member {
        Ok(member) => member,
        Err(error) => {
            world.abandon(id);
            return Err(error.into());
        }
    };
    let current = kernel::task::Task::current_raw();
    // SAFETY: It is the calling thread.
    let Some(native) = (unsafe { Native::of(current) }) else {
        world.abandon(id);
        return Err(ESRCH.into());
    };
    if nr == 1 {
        native::make_self_unkillable();
    }
    // SAFETY: It is the calling thread, which is no member yet.
    unsafe { member.join(current, &native) };
    joining.done();
    world.bind(id, native);
    // What it may be owed already is sent.
    drop(world.work());
    Ok((id, nr))
}
