// SPDX-License-Identifier: GPL-2.0

//! The native side: an arena of real processes below the driver, which is this process.

mod driver;
mod pidfd;

pub use driver::{Driver, Drivers};

use crate::{
    channel::Program,
    op::{Answer, Call, Handle, Name, Op, Space},
    programs::{Asked, Looked},
    status::Status,
    twin::{State, Told},
};
use altpid::PollFlags;
use anyhow::{Context, Result, bail};
use std::{
    collections::HashMap,
    fs::File,
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::fs::{FileExt, MetadataExt},
    },
    time::{Duration, Instant},
};

/// `NS_GET_PID_FROM_PIDNS` (`include/uapi/linux/nsfs.h`)
const GET_PID_FROM_PIDNS: libc::c_ulong = 0x8004_b706;

/// How long a killed arena may take to end.
const END_LIMIT: Duration = Duration::from_secs(3);

/// An agent as the driver knows it.
struct Agent {
    /// Its number as the driver sees it.
    tid: i32,
    /// `/proc/TID/status`, which goes with the task and not with the number.
    status: File,
    /// What it was asked and has not been asked for its answer.
    asked: Option<Asked>,
    /// The pidfd that it has made by what it was asked last, if that was successful.
    made: Option<i32>,
}

/// Whether there is no such task or file.
fn is_gone(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    let errno = error.and_then(io::Error::raw_os_error);
    matches!(errno, Some(libc::ESRCH | libc::ENOENT))
}

fn check(result: i64) -> Result<i64> {
    if result < 0 {
        Err(io::Error::last_os_error())?;
    }
    Ok(result)
}

/// The processes of one sequence.
pub struct Arena<'a> {
    /// What it is driven by.
    pub driver: &'a mut Driver,
    init: i32,
    agents: HashMap<Name, Agent>,
    spaces: HashMap<Space, File>,
    numbers: HashMap<u64, Space>,
    handles: HashMap<Handle, OwnedFd>,
}

impl<'a> Arena<'a> {
    /// A new pid namespace with an agent as its init.
    pub fn new(driver: &'a mut Driver) -> Result<Self> {
        driver.channel.clear()?;
        let tid = driver.begin()?;
        let mut arena = Self::of_members(driver, tid)?;
        arena.add_space(Space::Of(Name::INIT), &format!("/proc/{tid}/ns/pid"))?;
        Ok(arena)
    }

    /// Agents in the driver's own pid namespace, of which the first, which is there already, has this
    /// number; those of others are added by who knows of them.
    pub(crate) fn of_members(driver: &'a mut Driver, tid: i32) -> Result<Self> {
        let mut arena = Self {
            driver,
            init: tid,
            agents: HashMap::new(),
            spaces: HashMap::new(),
            numbers: HashMap::new(),
            handles: HashMap::new(),
        };
        arena.add_agent(Name::INIT, tid)?;
        // Its first answer says that it is the agent by now.
        arena.let_do(Name::INIT, &crate::programs::look(Name::INIT))?;
        Ok(arena)
    }

    /// Lets an agent do something that is no operation, and waits for it.
    fn let_do(&mut self, name: Name, program: &Program) -> Result<()> {
        self.driver.channel.ask(name, program);
        for _ in 0..1000 {
            let patience = Duration::from_millis(10);
            if self.driver.channel.has_answered(name, patience) {
                return Ok(());
            }
        }
        bail!("{name} does not answer");
    }

    fn add_agent(&mut self, name: Name, tid: i32) -> Result<()> {
        let status = File::open(format!("/proc/{tid}/status"))?;
        self.driver.prioritize(tid)?;
        let agent = Agent {
            tid,
            status,
            asked: None,
            made: None,
        };
        self.agents.insert(name, agent);
        Ok(())
    }

    /// Likewise of a member, which may be gone by now.
    pub(crate) fn add_body(&mut self, name: Name, tid: i32) -> Result<()> {
        match self.add_agent(name, tid) {
            Err(error) if is_gone(&error) => Ok(()),
            added => added,
        }
    }

    fn add_space(&mut self, space: Space, path: &str) -> Result<()> {
        let file = File::open(path).with_context(|| path.to_owned())?;
        self.numbers.insert(file.metadata()?.ino(), space);
        self.spaces.insert(space, file);
        Ok(())
    }

    /// The number of an agent as the driver sees it.
    pub fn tid(&self, name: Name) -> Option<i32> {
        self.agents.get(&name).map(|agent| agent.tid)
    }

    /// Who has a number as the driver sees it.
    pub fn name(&self, tid: i32) -> Option<Name> {
        let mut agents = self.agents.iter();
        agents
            .find(|(_, agent)| agent.tid == tid)
            .map(|(name, _)| *name)
    }

    /// Lets an agent begin with an operation.
    pub fn ask(&mut self, op: &Op, state: &State) -> Result<()> {
        let (program, asked) = crate::programs::program(op, state, self)?;
        if let Call::Clone { child, .. } = op.call {
            self.driver.channel.inherit(op.by, child);
        }
        self.driver.channel.ask(op.by, &program);
        let agent = self.agents.get_mut(&op.by).context("no such agent")?;
        agent.asked = Some(asked);
        Ok(())
    }

    /// Whether an agent has something to answer; waits for that as long as `patience`.
    pub fn has_answered(&self, name: Name, patience: Duration) -> bool {
        self.driver.channel.has_answered(name, patience)
    }

    /// Whether an agent still owes an answer.
    pub fn is_asked(&self, name: Name) -> bool {
        self.agents
            .get(&name)
            .is_some_and(|agent| agent.asked.is_some())
    }

    /// Takes the answer of an agent that has answered.
    pub fn take_answer(&mut self, name: Name) -> Option<(Answer, Looked)> {
        let agent = self.agents.get_mut(&name)?;
        let asked = agent.asked.take()?;
        agent.made = asked.made(&self.driver.channel, name);
        Some(asked.read(&self.driver.channel, name))
    }

    /// Takes notice of what a successful operation has made or changed.
    pub fn note(&mut self, op: &Op, answer: Answer, before: &State) -> Result<()> {
        if let (Some(handle), Answer::Value(_)) = (op.makes(), answer) {
            self.adopt(op.by, handle)?;
        }
        match (&op.call, answer) {
            (Call::Clone { child, flags, .. }, Answer::Value(nr)) => {
                let tid = self.find_child(op, answer, before)?;
                let tid = tid.with_context(|| format!("who is {nr}?"))?;
                self.add_agent(*child, tid)?;
                if flags & libc::CLONE_NEWPID as u64 != 0 {
                    self.add_space(Space::Of(*child), &format!("/proc/{tid}/ns/pid"))?;
                }
            }
            (Call::Unshare(number), Answer::Value(0)) => {
                let tid = self.tid(op.by).context("no such agent")?;
                let path = format!("/proc/{tid}/ns/pid_for_children");
                self.add_space(Space::By(*number), &path)?;
            }
            (Call::Exec, Answer::Value(0)) => {
                self.note_exec(op.by, before.tasks[&op.by].leader);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes notice of an exec: who has called it has the number of its leader now, and the leader's file.
    pub(crate) fn note_exec(&mut self, by: Name, leader: Name) {
        if leader != by
            && let Some(agent) = self.agents.remove(&leader)
        {
            self.agents.insert(by, agent);
        }
    }

    /// The number, as the driver sees it, of the child that a clone has answered with; `None` when there
    /// is none yet.
    pub fn find_child(&self, op: &Op, answer: Answer, before: &State) -> Result<Option<i32>> {
        let Answer::Value(nr) = answer else {
            return Ok(None);
        };
        let active = before.tasks[&op.by].task.ns;
        let space = before.space(active).context("a namespace without a name")?;
        let ns = self.spaces[&space].as_raw_fd();
        // SAFETY: The command takes a number and returns one.
        let tid = unsafe { libc::ioctl(ns, GET_PID_FROM_PIDNS, nr) };
        match check(tid.into()) {
            Ok(tid) => Ok(Some(tid as i32)),
            Err(error) => match error.downcast_ref::<io::Error>() {
                Some(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Takes over the pidfd that an agent has made: what is left of it with the agent would be closed
    /// with that.
    pub(crate) fn adopt(&mut self, by: Name, handle: Handle) -> Result<()> {
        let agent = self.agents.get(&by).context("no such agent")?;
        let made = agent.made.context("no pidfd was made")?;
        self.handles.insert(handle, pidfd::take(agent.tid, made)?);
        self.let_do(by, &crate::programs::close(by, made))
    }

    /// The driver's descriptor of a pidfd.
    pub fn handle(&self, handle: Handle) -> Option<i32> {
        self.handles.get(&handle).map(AsRawFd::as_raw_fd)
    }

    /// What poll(2) says of a pidfd.
    pub(crate) fn poll(&self, handle: Handle) -> Result<Option<PollFlags>> {
        self.handles.get(&handle).map(pidfd::poll).transpose()
    }

    /// Has a pidfd for somebody ready for one call of an agent's.
    pub(crate) fn lend_pidfd(&mut self, handle: Handle, tid: i32) -> Result<()> {
        self.handles.insert(handle, pidfd::open(tid)?);
        Ok(())
    }

    /// Closes it.
    pub(crate) fn take_back(&mut self, handle: Handle) {
        self.handles.remove(&handle);
    }

    /// What a pidfd tells.
    pub fn told(&self, handle: Handle) -> Result<Option<Told>> {
        let Some(fd) = self.handles.get(&handle) else {
            return Ok(None);
        };
        let info = pidfd::info(fd)?;
        Ok(Some(Told {
            task: info.tid.and_then(|tid| self.name(tid)),
            exit_code: info.exit_code,
            events: pidfd::poll(fd)?,
        }))
    }

    /// Does what the driver does of a sequence.
    pub fn do_outside(&mut self, op: &Op) -> Result<Answer> {
        Ok(match op.call {
            Call::Close(handle) => match self.handles.remove(&handle) {
                Some(_) => Answer::Value(0),
                None => Answer::Error(libc::EBADF),
            },
            Call::Poll(handle) => match self.handles.get(&handle) {
                Some(fd) => Answer::Events(pidfd::poll(fd)?),
                None => Answer::Error(libc::EBADF),
            },
            _ => bail!("an agent does that"),
        })
    }

    /// The path by which every agent can open a namespace.
    pub fn space_path(&self, space: Space) -> Option<String> {
        let fd = self.spaces.get(&space)?.as_raw_fd();
        Some(format!("/proc/{}/fd/{fd}", std::process::id()))
    }

    /// The namespaces that a task lives in and that its children will be born in.
    pub fn spaces_of(&self, name: Name) -> Result<(Option<Space>, Option<Space>)> {
        let tid = self.tid(name).context("no such agent")?;
        let space = |file: &str| {
            let meta = std::fs::metadata(format!("/proc/{tid}/ns/{file}")).ok()?;
            self.numbers.get(&meta.ino()).copied()
        };
        Ok((space("pid"), space("pid_for_children")))
    }

    /// What `/proc` says of a task; `None` when it is gone.
    pub fn status(&self, name: Name) -> Result<Option<Status>> {
        let Some(agent) = self.agents.get(&name) else {
            return Ok(None);
        };
        let mut buffer = [0; 4096];
        match agent.status.read_at(&mut buffer, 0) {
            Ok(size) => {
                let text = std::str::from_utf8(&buffer[..size])?;
                Ok(Some(Status::parse(text)?))
            }
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
            Err(error) => Err(error)?,
        }
    }

    /// Forgets tasks that are gone on both sides, and namespaces that altpid does not have any
    /// more.
    pub fn forget(&mut self, state: &State) {
        self.agents.retain(|name, _| state.tasks.contains_key(name));
        self.spaces
            .retain(|space, _| state.spaces.contains_key(space));
        self.numbers
            .retain(|_, space| state.spaces.contains_key(space));
    }

    /// Names of the tasks that are known.
    pub fn names(&self) -> impl Iterator<Item = Name> {
        self.agents.keys().copied()
    }

    /// Kills the arena from outside, if it is not dead; returns the status that its parent sees,
    /// `None` when it does not end.
    pub fn end(mut self) -> Result<Option<i32>> {
        self.kill()
    }

    /// Reaps the first agent, which is dead or about to be; fails if it is not.
    pub(crate) fn reap(&mut self) -> Result<()> {
        let started = Instant::now();
        while self.init != 0 {
            // SAFETY: It waits for a child that nobody else waits for.
            let pid = unsafe { libc::waitpid(self.init, std::ptr::null_mut(), libc::WNOHANG) };
            if check(pid.into())? != 0 {
                self.init = 0;
            } else if started.elapsed() > END_LIMIT {
                bail!("the body of a dead init does not end");
            } else {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<Option<i32>> {
        let init = std::mem::replace(&mut self.init, 0);
        let mut killed = false;
        let started = Instant::now();
        while started.elapsed() < END_LIMIT {
            let mut status = 0;
            // SAFETY: It writes the status, and only of a child that nobody else waits for.
            let pid = unsafe { libc::waitpid(init, &raw mut status, libc::WNOHANG) };
            if check(pid.into())? != 0 {
                return Ok(Some(status));
            }
            if !std::mem::replace(&mut killed, true) {
                // SAFETY: The number is that of a child that is not reaped.
                unsafe { check(libc::kill(init, libc::SIGKILL).into()) }?;
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        self.driver.abandon_group();
        Ok(None)
    }
}

impl Drop for Arena<'_> {
    fn drop(&mut self) {
        if self.init != 0 {
            // What cannot be killed stays; the next arena is another one.
            let _ = self.kill();
        }
    }
}
