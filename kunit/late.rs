// SPDX-License-Identifier: GPL-2.0

//! Members without the kernel: tasks whose bodies obey late. What the tree sends to a body is recorded
//! ([`Log`]), and nothing comes of it until the case lets the body obey.

use crate::{
    native::{End, Log, Native},
    pid::alloc_pid,
    pid::namespace::Namespace,
    process::clone::{CloneArgs, ParentArg},
    process::wait::{Look, Search, Wanted, WNOHANG},
    support::{exit_signal, world, Errno, Verbs},
    tree::task::TaskId,
    tree::wakeups::Key,
    world::sleep::Bell,
    world::World,
};
use kernel::{
    prelude::*,
    sync::{aref::ARef, Arc},
};

/// A world with members whose bodies obey late.
pub(crate) struct Late {
    pub(crate) world: Arc<World>,
    log: Arc<Log>,
}

impl Drop for Late {
    fn drop(&mut self) {
        self.log.close();
    }
}

/// Somebody who waits, and is woken.
#[repr(C)]
struct Waiter<'a> {
    bell: Bell,
    log: &'a Log,
}

/// Records that somebody is woken.
fn ring(bell: &Bell) {
    // SAFETY: The bell is the first member of a `Waiter`.
    let waiter = unsafe { &*core::ptr::from_ref(bell).cast::<Waiter<'_>>() };
    waiter.log.note(0, 0);
}

impl Late {
    /// None so far.
    pub(crate) fn new() -> Result<Self> {
        let world = world()?;
        let log = Log::new(world.clone())?;
        Ok(Self { world, log })
    }

    /// What is done to the tasks that are virtual.
    pub(crate) fn verbs(&self) -> Verbs<'_> {
        Verbs(&self.world)
    }

    /// What bodies are sent.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// A process becomes a member, as a child of a task and in its namespace. Returns its number in the
    /// root, by which its body is known as well.
    pub(crate) fn attach(&self, parent: TaskId) -> Result<(TaskId, i32)> {
        let ns = self.world.namespace(self.verbs().ns(parent)?)?;
        self.admit(ns, parent)
    }

    /// Likewise, as init of a new namespace.
    pub(crate) fn attach_init(&self, parent: TaskId) -> Result<(TaskId, i32)> {
        let ns = self.world.namespace(self.verbs().ns(parent)?)?;
        let ns = Namespace::create(Some(&ns), self.world.registry()).map_err(|_| ENOMEM)?;
        self.admit(ns, parent)
    }

    fn admit(&self, ns: ARef<Namespace>, parent: TaskId) -> Result<(TaskId, i32)> {
        let pid = alloc_pid(&ns, &[]).map_err(Error::from)?;
        let admitted = self.world.admit(pid, ns, Some(parent), [0; 16]).errno()?;
        let nr = self.bind(admitted.id)?;
        Ok((admitted.id, nr))
    }

    /// The task of a child that a member clones, which has no body so far.
    pub(crate) fn reserve(&self, member: TaskId, flags: u64) -> Result<TaskId> {
        let args = CloneArgs {
            task: member,
            flags,
            exit_signal: exit_signal(flags),
            set_tid: &[],
            parent: ParentArg::Native,
            takes_pidfd: false,
            by_member: true,
        };
        self.world.clone_task(&args).errno().map(|made| made.child)
    }

    /// It gets one. Nothing is sent before somebody works in this world. Returns its number.
    pub(crate) fn bind(&self, child: TaskId) -> Result<i32> {
        let nr = self.verbs().nr(child, 0);
        self.world.add_member();
        self.world.bind(child, Native::new(nr, self.log.clone())?);
        Ok(nr)
    }

    /// A member clones a child. Returns its number.
    pub(crate) fn birth(&self, member: TaskId, flags: u64) -> Result<(TaskId, i32)> {
        let child = self.reserve(member, flags)?;
        let nr = self.bind(child)?;
        self.work();
        Ok((child, nr))
    }

    /// Somebody works in the world.
    pub(crate) fn work(&self) {
        drop(self.world.work());
    }

    /// The body of a member exits with a status word.
    pub(crate) fn exits(&self, member: TaskId, code: i32) {
        self.ends(member, code, None, None);
    }

    /// Likewise, and another member traces it.
    pub(crate) fn exits_traced(&self, member: TaskId, code: i32, tracer: TaskId) {
        self.ends(member, code, None, Some(tracer));
    }

    /// wait4(2) by a member for any child, with WNOHANG: its number and the status word, zeroes for none.
    pub(crate) fn wait(&self, member: TaskId) -> Result<(i32, i32)> {
        let mut tree = self.world.work();
        let task = tree.find_member(member).errno()?;
        let selection = tree.select(task, &Wanted::Wait4(-1, WNOHANG)).errno()?;
        let mut search = Search::default();
        match tree.look(task, &selection, &mut search).errno()? {
            Look::Found(report) => Ok((report.pid, report.word())),
            _ => Ok((0, 0)),
        }
    }

    /// A tracer waits for a dead member as the kernel calls it; whether that was its.
    pub(crate) fn is_waited_for(&self, member: TaskId, tracer: TaskId) -> bool {
        self.world.native(member).is_some_and(|native| {
            native.set_gone();
            (self.world.let_gone_go(tracer, native.nr())).is_some()
        })
    }

    /// Likewise, and its process with the same one: it has called exit_group.
    pub(crate) fn exits_all(&self, member: TaskId, code: i32) {
        self.ends(member, code, Some(code), None);
    }

    fn ends(&self, member: TaskId, code: i32, group: Option<i32>, tracer: Option<TaskId>) {
        let end = End {
            code,
            uid: 0,
            group,
        };
        self.world.exited(member, &end, [0; 16], tracer);
        self.world.remove_member();
    }

    /// A member waits for its children while something is done: when it is woken that is recorded as (0, 0).
    pub(crate) fn while_waiting(&self, member: TaskId, what: impl FnOnce()) -> Result {
        let waiter = Waiter {
            bell: Bell::new(ring),
            log: &self.log,
        };
        {
            let mut tree = self.world.work();
            let task = tree.find_member(member).errno()?;
            let keys = [
                Key::children(tree.tasks()[task].group()),
                Key::task(&tree, task),
            ];
            // SAFETY: It hangs nowhere else, and stays on this stack until it is taken.
            unsafe { tree.hang_bell(&waiter.bell, keys) };
        }
        what();
        // SAFETY: It was hung above.
        unsafe { self.world.take_bell(&waiter.bell) };
        Ok(())
    }

    /// The body of a member has stopped by a signal, or with 0 goes on, and the world is told.
    pub(crate) fn stops(&self, member: TaskId, signal: i32) -> Result {
        self.world
            .native(member)
            .ok_or(ESRCH)?
            .set_stopped_by(signal);
        self.world.look_at_job(member);
        Ok(())
    }
}
