// SPDX-License-Identifier: GPL-2.0

//! altpid's side: a world with a driver and an arena like the native ones.

mod members;

pub use members::Members;

use crate::{
    flags::VFORK,
    op::{Answer, Call, Handle, Name, Num, Op, Space, Whom},
};
use altpid::{
    CloneArgs, CloneFlags, Error, Kill, Ns, NsId, PidfdFlags, PidfdId, PollFlags, Signals, Task,
    TaskId, TaskState, WaitFlags, WaitId, World,
};
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, HashMap};

/// A task as altpid has it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Everything about it.
    pub task: Task,
    /// Its signals, as long as it lives.
    pub signals: Option<Signals>,
    /// The leader of its process.
    pub leader: Name,
    /// The leader of its parent's process; `None` for the driver.
    pub parent: Option<Name>,
}

impl Seen {
    /// Whether it leads its process.
    pub fn is_leader(&self) -> bool {
        self.task.id == self.task.leader
    }

    /// Whether it can be told to do something.
    pub fn is_running(&self) -> bool {
        self.task.state == TaskState::Running && !self.task.is_in_vfork
    }

    /// Whether it has not begun to exit.
    pub fn is_alive(&self) -> bool {
        matches!(self.task.state, TaskState::Running | TaskState::Stopped)
    }

    /// The level of its active namespace.
    pub fn level(&self) -> usize {
        self.task.pid.len() - 1
    }
}

/// What a pidfd tells of the task that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who it is, until it is reaped.
    pub task: Option<Name>,
    /// How it ended, as a status word, from then on.
    pub exit_code: Option<i32>,
    /// What poll(2) says.
    pub events: PollFlags,
}

/// A pidfd that is open.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// What it tells.
    pub told: Told,
    /// Whether waiting by it does not sleep.
    pub is_nonblock: bool,
    /// Whether it is for a thread.
    pub is_thread: bool,
}

/// All tasks, namespaces and pidfds of a sequence, as altpid has them.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The tasks.
    pub tasks: BTreeMap<Name, Seen>,
    /// The namespaces that exist.
    pub spaces: BTreeMap<Space, Ns>,
    /// The pidfds that are open.
    pub handles: BTreeMap<Handle, Held>,
}

impl State {
    /// The name of a namespace.
    pub fn space(&self, id: NsId) -> Option<Space> {
        let mut spaces = self.spaces.iter();
        spaces.find(|(_, ns)| ns.id == id).map(|(name, _)| *name)
    }

    /// The namespace with this id.
    pub fn ns(&self, id: NsId) -> Option<&Ns> {
        self.spaces.values().find(|ns| ns.id == id)
    }

    /// Whether a namespace is `above` or below it.
    pub fn is_below(&self, mut id: NsId, above: NsId) -> bool {
        loop {
            if id == above {
                return true;
            }
            match self.ns(id).and_then(|ns| ns.parent) {
                Some(parent) => id = parent,
                None => return false,
            }
        }
    }

    /// The number that one of the vectors of a task has for who sees it from `viewer`'s namespace;
    /// `None` when that does not see the task.
    pub fn number(&self, viewer: Name, target: Name, of: fn(&Task) -> &[i32]) -> Option<i32> {
        let (viewer, target) = (self.tasks.get(&viewer)?, self.tasks.get(&target)?);
        self.is_below(target.task.ns, viewer.task.ns)
            .then(|| of(&target.task).get(viewer.level()).copied())?
    }

    /// What a system call of `by` gets for a number.
    pub fn resolve(&self, by: Name, num: Num) -> Option<i32> {
        match num {
            Num::Is(number) => Some(number),
            Num::Of(name) => self.number(by, name, |task| &task.pid),
            Num::Minus(name) => self.number(by, name, |task| &task.pid).map(|nr| -nr),
        }
    }

    /// Whether an operation can be performed: all whom it names are there, and the caller runs.
    pub fn is_possible(&self, op: &Op) -> bool {
        let has = |name: &Name| self.tasks.contains_key(name);
        let alive = |name: &Name| self.tasks.get(name).is_some_and(Seen::is_alive);
        let mut numbers = op.numbers();
        match &op.call {
            Call::Setns(space) if !self.spaces.contains_key(space) => return false,
            Call::SetnsOf(name) => {
                // It is the leader whom a pidfd is for, and the dead have no namespaces.
                let leader = self.tasks.get(name).map(|seen| seen.leader);
                if !leader.is_some_and(|leader| alive(&leader)) {
                    return false;
                }
                numbers.push(Num::Of(*name));
            }
            // A caller in vfork cannot close its own copy of the pidfd.
            Call::Clone { flags, .. } if flags & VFORK != 0 && op.makes().is_some() => {
                return false;
            }
            _ => {}
        }
        (op.is_outside() || self.tasks.get(&op.by).is_some_and(Seen::is_running))
            && op
                .handle()
                .is_none_or(|handle| self.handles.contains_key(&handle))
            && op.tasks().iter().all(has)
            && numbers
                .iter()
                .all(|num| self.resolve(op.by, *num).is_some())
    }
}

/// A world in which a sequence is performed.
pub struct Twin {
    world: World,
    ids: HashMap<Name, TaskId>,
    names: HashMap<TaskId, Name>,
    spaces: HashMap<Space, NsId>,
    handles: HashMap<Handle, (PidfdId, PidfdFlags)>,
    driver: TaskId,
    /// The number of the arena's init as the driver sees it.
    arena: i32,
}

fn failed(error: Error) -> Answer {
    Answer::Error(error.errno.raw_os_error())
}

/// What the preamble of a scenario makes before the arena's init: the driver with a session of its own,
/// and a dead leader of the process group that the arena's init will be in.
struct Preamble {
    driver: TaskId,
    /// The number of the dead leader.
    holder: i32,
}

impl Preamble {
    fn new(world: &World) -> Result<Self> {
        let driver = world.clone(world.info()?.init, &CloneArgs::new())?.task;
        world.setsid(driver)?;
        let holder = world.clone(driver, &CloneArgs::new())?;
        world.setpgid(holder.task, 0, 0)?;
        world.exit_group(holder.task, 0)?;
        Ok(Self {
            driver,
            holder: holder.pid,
        })
    }
}

impl Twin {
    /// A world with what the preamble of a scenario makes.
    pub fn new() -> Result<Self> {
        let world = World::open()?;
        let info = world.info()?;
        let Preamble { driver, holder } = Preamble::new(&world)?;
        let ns = world
            .unshare(driver, CloneFlags::NEWPID)?
            .context("no namespace")?;
        let arena = world.clone(driver, &CloneArgs::new())?;
        world.setns(driver, info.root_ns)?;
        world.setpgid(driver, arena.pid, holder)?;
        world.exec(arena.task, b"a")?;
        Ok(Self {
            world,
            ids: HashMap::from([(Name::INIT, arena.task)]),
            names: HashMap::from([(arena.task, Name::INIT)]),
            spaces: HashMap::from([(Space::Of(Name::INIT), ns)]),
            handles: HashMap::new(),
            driver,
            arena: arena.pid,
        })
    }

    /// Everything there is now.
    pub fn state(&self) -> Result<State> {
        let tasks = self.world.tasks(None)?;
        let leaders: HashMap<_, _> = tasks.iter().map(|task| (task.id, task.leader)).collect();
        let process = |id: &TaskId| leaders.get(id).and_then(|id| self.names.get(id)).copied();
        let mut state = State::default();
        for task in tasks {
            let Some(name) = self.names.get(&task.id) else {
                continue;
            };
            let alive = matches!(task.state, TaskState::Running | TaskState::Stopped);
            let seen = Seen {
                signals: alive.then(|| self.world.signals(task.id)).transpose()?,
                leader: process(&task.id).unwrap_or(*name),
                parent: task.parent.as_ref().and_then(process),
                task,
            };
            state.tasks.insert(*name, seen);
        }
        let mut named: HashMap<_, _> = self.spaces.iter().map(|(name, id)| (*id, *name)).collect();
        for ns in self.world.namespaces(None)? {
            if let Some(name) = named.remove(&ns.id) {
                state.spaces.insert(name, ns);
            }
        }
        for (handle, (pidfd, flags)) in &self.handles {
            let info = self.world.pidfd_info(*pidfd, None)?;
            let name = |id: TaskId| self.names.get(&id).copied();
            let held = Held {
                told: Told {
                    task: info.ids.and_then(|ids| name(ids.task)),
                    exit_code: info.exit_code,
                    events: self.world.poll_now(*pidfd, PollFlags::IN)?,
                },
                is_nonblock: flags.contains(PidfdFlags::NONBLOCK),
                is_thread: flags.contains(PidfdFlags::THREAD),
            };
            state.handles.insert(*handle, held);
        }
        Ok(state)
    }

    /// Performs an operation that is possible in the state that the world is in.
    pub fn perform(&mut self, op: &Op, state: &State) -> Answer {
        let by = self.ids[&op.by];
        let world = &self.world;
        let number = |num: Num| state.resolve(op.by, num).unwrap_or(0);
        let unit = |result: altpid::Result<()>| match result {
            Ok(()) => Answer::Value(0),
            Err(error) => failed(error),
        };
        match &op.call {
            Call::Clone {
                child,
                flags,
                exit_signal,
                set_tid,
            } => {
                let flags = CloneFlags::from_bits_retain(*flags);
                let args = CloneArgs::new()
                    .flags(flags)
                    .exit_signal(*exit_signal)
                    .set_tid(set_tid);
                match world.clone(by, &args) {
                    Ok(cloned) => {
                        self.ids.insert(*child, cloned.task);
                        self.names.insert(cloned.task, *child);
                        if flags.contains(CloneFlags::NEWPID)
                            && let Ok(task) = self.world.task(cloned.task)
                        {
                            self.spaces.insert(Space::Of(*child), task.ns);
                        }
                        if let (Some(handle), Some(pidfd)) = (op.makes(), cloned.pidfd) {
                            let mut kind = PidfdFlags::empty();
                            kind.set(PidfdFlags::THREAD, flags.contains(CloneFlags::THREAD));
                            self.handles.insert(handle, (pidfd, kind));
                        }
                        Answer::Value(cloned.pid.into())
                    }
                    Err(error) => failed(error),
                }
            }
            Call::Unshare(number) => match world.unshare(by, CloneFlags::NEWPID) {
                Ok(ns) => {
                    if let Some(ns) = ns {
                        self.spaces.insert(Space::By(*number), ns);
                    }
                    Answer::Value(0)
                }
                Err(error) => failed(error),
            },
            Call::Setns(space) => unit(world.setns(by, self.spaces[space])),
            Call::SetnsOf(name) => unit(world.setns(by, state.tasks[name].task.ns)),
            Call::SetnsBy(handle) => unit(world.setns_by_pidfd(by, self.handles[handle].0)),
            Call::Exec => unit(world.exec(by, b"a")),
            Call::Exit(code) => unit(world.exit(by, *code)),
            Call::ExitGroup(code) => unit(world.exit_group(by, *code)),
            Call::Kill(pid, signal) => unit(world.kill(Kill::Pid(by, number(*pid)), *signal)),
            Call::Tgkill(tgid, tid, signal) => {
                unit(world.kill(Kill::Thread(by, number(*tgid), number(*tid)), *signal))
            }
            Call::Tkill(tid, signal) => unit(world.kill(Kill::Tkill(by, number(*tid)), *signal)),
            Call::Queue(pid, signal, code, value) => {
                unit(world.kill(Kill::Queue(by, number(*pid), *code, *value), *signal))
            }
            Call::PidfdSend(name, signal) => {
                unit(world.kill(Kill::Task(by, self.ids[name]), *signal))
            }
            Call::PidfdOpen(handle, pid, flags) => {
                match world.pidfd_open(by, number(*pid), *flags) {
                    Ok(pidfd) => {
                        self.handles.insert(*handle, (pidfd, *flags));
                        Answer::Value(0)
                    }
                    Err(error) => failed(error),
                }
            }
            Call::PidfdSendBy(handle, signal, scope) => {
                let kill = Kill::Pidfd(by, self.handles[handle].0, *scope);
                unit(world.kill(kill, *signal))
            }
            Call::Close(handle) => match self.handles.remove(handle) {
                Some((pidfd, _)) => unit(self.world.pidfd_close(pidfd)),
                None => Answer::Error(libc::EBADF),
            },
            Call::Poll(handle) => match world.poll_now(self.handles[handle].0, PollFlags::IN) {
                Ok(events) => Answer::Events(events),
                Err(error) => failed(error),
            },
            Call::Sigaction(signal, action) => match world.sigaction(by, *signal, Some(*action)) {
                Ok(old) => Answer::Action(old),
                Err(error) => failed(error),
            },
            Call::Sigprocmask(how, set) => match world.sigprocmask(by, *how, *set) {
                Ok(old) => Answer::Set(old),
                Err(error) => failed(error),
            },
            Call::Sigwait(set) => match world.sigwait(by, *set) {
                Ok(info) => Answer::Signal(info),
                Err(error) => failed(error),
            },
            Call::Wait4(pid, options) => {
                match world.wait(by, number(*pid), WaitFlags::from_bits_retain(*options)) {
                    Ok(Some(waited)) => Answer::Waited(waited.pid, waited.status),
                    Ok(None) => Answer::Waited(0, 0),
                    Err(error) => failed(error),
                }
            }
            Call::WaitId(whom, options) => {
                let whom = match whom {
                    Whom::All => WaitId::All,
                    Whom::Pid(pid) => WaitId::Pid(number(*pid)),
                    Whom::Pgid(pgid) => WaitId::Pgid(number(*pgid)),
                    Whom::Pidfd(handle) => WaitId::Pidfd(self.handles[handle].0),
                };
                match world.waitid(by, whom, WaitFlags::from_bits_retain(*options)) {
                    Ok(Some(told)) => Answer::Told(told.pid, told.code, told.status),
                    Ok(None) => Answer::Told(0, 0, 0),
                    Err(error) => failed(error),
                }
            }
            Call::Setsid => match world.setsid(by) {
                Ok(sid) => Answer::Value(sid.into()),
                Err(error) => failed(error),
            },
            Call::Setpgid(pid, pgid) => unit(world.setpgid(by, number(*pid), number(*pgid))),
            Call::Subreaper(on) => unit(world.set_child_subreaper(by, *on)),
            Call::Pdeath(signal) => unit(world.set_pdeath_signal(by, *signal)),
            Call::Reboot(command) => unit(world.reboot(by, *command)),
            Call::PidMax(value) => unit(world.set_pid_max(state.tasks[&op.by].task.ns, *value)),
            Call::LastPid(value) => unit(world.set_last_pid(state.tasks[&op.by].task.ns, *value)),
        }
    }

    /// Kills the arena from outside; returns the status that the driver sees, `None` when it does
    /// not end. Nothing but the driver and what is above may be left of one that has ended, and every
    /// invariant must hold.
    pub fn end(&mut self) -> Result<Option<i32>> {
        let mut waited = self
            .world
            .wait(self.driver, self.arena, WaitFlags::NOHANG)?;
        if waited.is_none() {
            self.world.kill(Kill::Pid(self.driver, self.arena), 9)?;
            waited = self
                .world
                .wait(self.driver, self.arena, WaitFlags::NOHANG)?;
        }
        let audit = self.world.audit()?;
        ensure!(audit.broken == 0, "audit: {}", audit.what);
        let left = self.state()?.tasks.len();
        ensure!(
            waited.is_none() || left == 0,
            "{left} tasks are left of a dead arena"
        );
        Ok(waited.map(|waited| waited.status))
    }
}
