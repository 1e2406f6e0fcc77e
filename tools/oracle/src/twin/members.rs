// SPDX-License-Identifier: GPL-2.0

//! altpid's side with real processes: agents that are members of a world.
//!
//! The same program does the same system calls as natively, and what they return is the answer. What there is
//! then is what the world says of its tasks, and of signals what the kernel says of their bodies. A virtual
//! task is their driver, as natively this process is.
//!
//! What a member does takes its time, as natively: a state is read again until all are at rest.

mod state;

use super::{Preamble, Seen, State, failed};
use crate::{
    flags::VFORK,
    native::{Arena, Driver},
    op::{Answer, Call, Handle, Name, Op, Space},
    programs::Looked,
};
use altpid::{
    Attach, CloneFlags, Kill, NsId, PidfdFlags, Scope, Task, TaskId, TaskState, WaitFlags, World,
};
use anyhow::{Context, Result, ensure};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// How long an answer may take that will come, and how long all may take to come to rest.
const LIMIT: Duration = Duration::from_secs(20);
/// How long somebody must be at rest to be believed that no answer comes.
const REST: Duration = Duration::from_millis(60);
/// How long a killed arena may take to end.
const END_LIMIT: Duration = Duration::from_secs(3);
/// A descriptor that the driver has for one call.
const SPARE: Handle = Handle(u32::MAX);

/// Who has none of the numbers that there are.
const NOBODY: Name = Name(u32::MAX);

/// A pidfd that an agent has made.
#[derive(Clone, Copy)]
struct Opened {
    /// Whom it was for.
    whom: Name,
    flags: PidfdFlags,
    /// How that had ended already: then it is a file of altpid's, which PIDFD_GET_INFO is not for.
    ended: Option<i32>,
}

/// Members of a world in which a sequence is performed.
pub struct Members<'a> {
    arena: Arena<'a>,
    world: World,
    preamble: Preamble,
    /// The number of the arena's init as the driver sees it.
    init: i32,
    ids: HashMap<Name, TaskId>,
    names: HashMap<TaskId, Name>,
    /// Tasks that are none of the sequence.
    others: HashSet<TaskId>,
    spaces: HashMap<Space, NsId>,
    handles: HashMap<Handle, Opened>,
    /// Who sleeps in vfork: who has not answered, though its child is there.
    in_vfork: HashSet<Name>,
    looked: Option<Looked>,
}

impl<'a> Members<'a> {
    /// A world like that of virtual tasks, with a member as the arena's init.
    pub fn new(driver: &'a mut Driver) -> Result<Self> {
        driver.channel.clear()?;
        let world = World::open()?;
        let preamble = Preamble::new(&world)?;
        let attach = Attach {
            parent: Some(preamble.driver),
            new_ns: true,
            kill_on_close: true,
            ..Attach::new()
        };
        let mut init = None;
        let native = driver.begin_member(
            || match world.attach(&attach) {
                Ok(_) => true,
                Err(error) => {
                    eprintln!("{error}");
                    false
                }
            },
            |native| {
                let tasks = world.tasks(None)?;
                let found = tasks
                    .into_iter()
                    .find(|task| task.native == Some((native, native)));
                let task = found.context("a member that is no task")?;
                world.setpgid(preamble.driver, task.pid[0], preamble.holder)?;
                init = Some(task);
                Ok(())
            },
        )?;
        let init = init.context("no init")?;
        let others = world.tasks(None)?.into_iter().map(|task| task.id);
        let others = others.filter(|id| *id != init.id).collect();
        Ok(Self {
            arena: Arena::of_members(driver, native)?,
            preamble,
            init: init.pid[0],
            ids: HashMap::from([(Name::INIT, init.id)]),
            names: HashMap::from([(init.id, Name::INIT)]),
            others,
            spaces: HashMap::from([(Space::Of(Name::INIT), init.ns)]),
            handles: HashMap::new(),
            in_vfork: HashSet::new(),
            looked: None,
            world,
        })
    }

    /// Whether an operation can be performed that is possible for virtual tasks.
    pub fn can(&self, op: &Op, state: &State) -> bool {
        match &op.call {
            // A file of a pid namespace is the kernel's. A pidfd of somebody in there does as well.
            Call::Setns(space) => self.inhabitant(*space, state).is_some(),
            // The kernel's clone(2) has no place for these flags.
            Call::Clone { flags, .. } => flags >> 32 == 0,
            // Who is dead has no body.
            Call::PidfdSend(name, _) => {
                let leader = state.tasks.get(name).map(|seen| seen.leader);
                let leader = leader.and_then(|leader| state.tasks.get(&leader));
                leader.is_some_and(Seen::is_alive)
            }
            _ => true,
        }
    }

    fn inhabitant(&self, space: Space, state: &State) -> Option<i32> {
        let ns = state.spaces.get(&space)?.id;
        let mut tasks = state.tasks.values();
        let found = tasks.find(|seen| seen.is_alive() && seen.is_leader() && seen.task.ns == ns);
        found.and_then(|seen| seen.task.native).map(|(tid, _)| tid)
    }

    /// What the agent that has answered last says of itself.
    pub fn take_looked(&mut self) -> Option<Looked> {
        self.looked.take()
    }

    /// Performs an operation that is possible in the state that the world is in; `None` when the agent has
    /// not answered.
    pub fn perform(&mut self, op: &Op, state: &State) -> Result<Option<Answer>> {
        self.looked = None;
        let done = |result: altpid::Result<()>| match result {
            Ok(()) => Answer::Value(0),
            Err(error) => failed(error),
        };
        let ns = |name| state.tasks[name].task.ns;
        match op.call {
            // In /proc they are those of whose namespace is mounted there, and not of the caller's.
            Call::PidMax(value) => Ok(Some(done(self.world.set_pid_max(ns(&op.by), value)))),
            Call::LastPid(value) => Ok(Some(done(self.world.set_last_pid(ns(&op.by), value)))),
            Call::Close(handle) => {
                self.handles.remove(&handle);
                self.arena.do_outside(op).map(Some)
            }
            Call::Poll(handle) => Ok(Some(match state.handles.get(&handle) {
                Some(held) => Answer::Events(held.told.events),
                None => Answer::Error(libc::EBADF),
            })),
            Call::Setns(space) => {
                let tid = self.inhabitant(space, state).context("nobody is there")?;
                self.ask_with_pidfd(op.by, tid, Call::SetnsBy(SPARE), state)
            }
            // Its directory of /proc is one of the kernel's.
            Call::PidfdSend(name, signal) => {
                let leader = &state.tasks[&state.tasks[&name].leader];
                let (tid, _) = leader.task.native.context("nobody is there")?;
                let call = Call::PidfdSendBy(SPARE, signal, Scope::ThreadGroup);
                self.ask_with_pidfd(op.by, tid, call, state)
            }
            _ => self.ask(op, state),
        }
    }

    /// Has an agent make a call with a pidfd that it gets for that.
    fn ask_with_pidfd(
        &mut self,
        by: Name,
        tid: i32,
        call: Call,
        state: &State,
    ) -> Result<Option<Answer>> {
        self.arena.lend_pidfd(SPARE, tid)?;
        let answer = self.ask(&Op { by, call }, state);
        self.arena.take_back(SPARE);
        answer
    }

    /// Lets the agent make the calls of an operation, and takes notice of what has come of it.
    fn ask(&mut self, op: &Op, state: &State) -> Result<Option<Answer>> {
        self.arena.ask(op, state)?;
        let started = Instant::now();
        let mut rest = None;
        while !self.arena.has_answered(op.by, Duration::from_millis(5)) {
            if let Call::Clone { child, flags, .. } = op.call
                && flags & VFORK != 0
                && let Some(task) = self.new_task()?
            {
                self.in_vfork.insert(op.by);
                let level = state.tasks[&op.by].level();
                let nr = task.pid.get(level).copied().unwrap_or(0);
                self.adopt(child, flags, task)?;
                return Ok(Some(Answer::Value(nr.into())));
            }
            let status = self.arena.status(op.by)?;
            let waits = status.map_or(op.call == Call::Exec, |status| !status.is_at_rest());
            let since = *rest.get_or_insert_with(Instant::now);
            if waits {
                rest = None;
            } else if since.elapsed() > REST {
                return Ok(None);
            }
            if started.elapsed() > LIMIT {
                return Ok(None);
            }
        }
        let Some((answer, looked)) = self.arena.take_answer(op.by) else {
            return Ok(None);
        };
        self.looked = Some(looked);
        self.note(op, answer, state)?;
        Ok(Some(answer))
    }

    /// The answer of somebody who could not give it when it was asked.
    pub fn take_late(&mut self, name: Name) -> Option<Answer> {
        if !self.arena.has_answered(name, Duration::ZERO) {
            return None;
        }
        self.arena.take_answer(name).map(|(answer, _)| answer)
    }

    /// A task that has no name yet: the child of the last clone.
    fn new_task(&self) -> Result<Option<Task>> {
        let tasks = self.world.tasks(None)?;
        let is_new = |id: &TaskId| !self.names.contains_key(id) && !self.others.contains(id);
        // One without a body is not born yet.
        let mut new = tasks
            .into_iter()
            .filter(|task| is_new(&task.id) && task.native.is_some());
        Ok(new.next())
    }

    fn adopt(&mut self, child: Name, flags: u64, task: Task) -> Result<()> {
        self.ids.insert(child, task.id);
        self.names.insert(task.id, child);
        if flags & CloneFlags::NEWPID.bits() != 0 {
            self.spaces.insert(Space::Of(child), task.ns);
        }
        match task.native {
            Some((tid, _)) => self.arena.add_body(child, tid),
            None => Ok(()),
        }
    }

    /// Takes notice of what a successful operation has made or changed.
    fn note(&mut self, op: &Op, answer: Answer, before: &State) -> Result<()> {
        let Answer::Value(_) = answer else {
            return Ok(());
        };
        if let Some(handle) = op.makes() {
            self.arena.adopt(op.by, handle)?;
        }
        match &op.call {
            Call::Clone { child, flags, .. } => {
                if let Some(task) = self.new_task()? {
                    self.adopt(*child, *flags, task)?;
                }
                if let Some(handle) = op.makes() {
                    let mut kind = PidfdFlags::empty();
                    let is_thread = flags & CloneFlags::THREAD.bits() != 0;
                    kind.set(PidfdFlags::THREAD, is_thread);
                    let opened = Opened {
                        whom: *child,
                        flags: kind,
                        ended: None,
                    };
                    self.handles.insert(handle, opened);
                }
            }
            Call::Unshare(number) => {
                let task = self.world.task(self.ids[&op.by])?;
                if let Some(ns) = task.ns_for_children {
                    self.spaces.insert(Space::By(*number), ns);
                }
            }
            Call::PidfdOpen(handle, pid, flags) => {
                let nr = before.resolve(op.by, *pid);
                let mut names = before.tasks.keys();
                let whom = names.find(|name| {
                    nr.is_some() && before.number(op.by, **name, |task| &task.pid) == nr
                });
                let whom = *whom.context("a pidfd for nobody")?;
                let seen = &before.tasks[&whom];
                let is_dead = seen.task.state == TaskState::Zombie && seen.task.nr_threads == 0;
                let opened = Opened {
                    whom,
                    flags: *flags,
                    ended: is_dead.then_some(seen.task.exit_code),
                };
                self.handles.insert(*handle, opened);
            }
            Call::Exec => {
                let leader = before.tasks[&op.by].leader;
                self.arena.note_exec(op.by, leader);
                for opened in self.handles.values_mut() {
                    // It has the number of its leader now, and its own is gone.
                    if opened.whom == leader {
                        opened.whom = op.by;
                    } else if opened.whom == op.by {
                        opened.whom = NOBODY;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Forgets who is gone on both sides.
    pub fn forget(&mut self, state: &State) {
        self.arena.forget(state);
    }

    /// Kills the arena from outside; returns the status that the driver sees, `None` when it does not end.
    /// Nothing but the driver and what is above may be left of one that has ended, no body either, and every
    /// invariant must hold.
    pub fn end(&mut self) -> Result<Option<i32>> {
        let started = Instant::now();
        let mut is_killed = false;
        let waited = loop {
            let driver = self.preamble.driver;
            let waited = self.world.wait(driver, self.init, WaitFlags::NOHANG)?;
            if waited.is_some() || started.elapsed() > END_LIMIT {
                break waited;
            }
            if !std::mem::replace(&mut is_killed, true) {
                self.world.kill(Kill::Pid(driver, self.init), 9)?;
            }
            std::thread::sleep(Duration::from_micros(100));
        };
        if waited.is_some() {
            self.arena.reap()?;
            self.await_nobody()?;
        }
        let audit = self.world.audit()?;
        ensure!(audit.broken == 0, "audit: {}", audit.what);
        Ok(waited.map(|waited| waited.status))
    }

    /// Waits until no task and no body of a dead arena is left.
    fn await_nobody(&mut self) -> Result<()> {
        let started = Instant::now();
        loop {
            let tasks = self.world.tasks(None)?;
            let left = tasks.iter().filter(|task| !self.others.contains(&task.id));
            let left = left.count();
            let names: Vec<Name> = self.arena.names().collect();
            let mut bodies = 0;
            for name in names {
                bodies += usize::from(self.arena.status(name)?.is_some());
            }
            if left == 0 && bodies == 0 {
                return Ok(());
            }
            let is_over = started.elapsed() > LIMIT;
            ensure!(
                !is_over,
                "{left} tasks and {bodies} bodies are left of a dead arena"
            );
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}
