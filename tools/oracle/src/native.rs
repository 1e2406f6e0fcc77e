// SPDX-License-Identifier: GPL-2.0

//! The native side: an arena of real processes below the driver, which is this process.

use crate::{
    channel::Channel,
    op::{Answer, Call, Name, Op, Space},
    programs::{Asked, Looked},
    protocol::LAST_PID_FD,
    status::Status,
    twin::State,
};
use anyhow::{Context, Result, bail};
use rand::{RngExt, SeedableRng};
use rand_xorshift::XorShiftRng;
use std::{
    collections::HashMap,
    ffi::CString,
    fs::File,
    io,
    os::{
        fd::AsRawFd,
        unix::{
            ffi::OsStrExt,
            fs::{FileExt, MetadataExt},
        },
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// `NS_GET_PID_FROM_PIDNS` (`include/uapi/linux/nsfs.h`)
const GET_PID_FROM_PIDNS: libc::c_ulong = 0x8004_b706;

/// How many priorities there are for agents.
const PRIORITIES: i32 = 8;

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
}

/// What the driver is for all arenas.
pub struct Driver {
    /// The shared memory.
    pub channel: Channel,
    agent: PathBuf,
    /// What the priorities of agents are drawn from; `None` when they have none.
    priorities: Option<XorShiftRng>,
    /// The dead leader of the process group that arenas begin in; `None` when somebody is left in it.
    holder: Option<i32>,
    ns: File,
    _last_pid: File,
}

fn check(result: i64) -> Result<i64> {
    if result < 0 {
        Err(io::Error::last_os_error())?;
    }
    Ok(result)
}

impl Driver {
    /// Makes this process the driver: with a session of its own, and without dispositions of
    /// signals that agents would inherit.
    /// With `cpu` all processes stay on that CPU: what wakes whom then takes less time.
    pub fn new(agent: &Path, cpu: Option<usize>) -> Result<Self> {
        if let Some(cpu) = cpu {
            // SAFETY: The set is one, and is only read.
            unsafe {
                let mut set = std::mem::zeroed();
                libc::CPU_SET(cpu, &mut set);
                check(libc::sched_setaffinity(0, size_of_val(&set), &raw const set).into())?;
            }
        }
        let channel = Channel::new()?;
        let last_pid = File::open("/proc/sys/kernel/ns_last_pid")?;
        // SAFETY: Nobody else uses these descriptors, and the dispositions are the defaults.
        unsafe {
            check(libc::dup2(last_pid.as_raw_fd(), LAST_PID_FD).into())?;
            for signal in 1..=64 {
                // Not by the C library, which keeps two for itself.
                let default = [0u64; 4];
                let action = default.as_ptr();
                libc::syscall(libc::SYS_rt_sigaction, signal, action, 0, 8);
            }
            let no_cores = libc::rlimit {
                rlim_cur: 0,
                rlim_max: 0,
            };
            check(libc::setrlimit(libc::RLIMIT_CORE, &raw const no_cores).into())?;
            // It is a child of whoever started it, and leads nothing yet.
            check(libc::setsid().into())?;
        }
        Ok(Self {
            channel,
            agent: agent.to_path_buf(),
            priorities: None,
            holder: None,
            ns: File::open("/proc/self/ns/pid")?,
            _last_pid: last_pid,
        })
    }

    /// A process group that nobody but a dead process is in.
    fn hold_group(&mut self) -> Result<i32> {
        if let Some(holder) = self.holder {
            return Ok(holder);
        }
        // SAFETY: The child does nothing but to exit, and is never reaped. It may be dead when it
        // becomes the leader of the group, which makes no difference.
        let holder = unsafe {
            match libc::fork() {
                0 => {
                    libc::setpgid(0, 0);
                    libc::_exit(0)
                }
                pid => check(pid.into())? as i32,
            }
        };
        let mut waited = 0;
        // SAFETY: It leaves the child as it is, and writes what it is given.
        let is_dead = || unsafe {
            let mut info = std::mem::zeroed();
            let options = libc::WEXITED | libc::WNOWAIT;
            libc::waitid(libc::P_PID, holder as u32, &raw mut info, options) == 0
        };
        while !is_dead() && waited < 1000 {
            waited += 1;
        }
        self.holder = Some(holder);
        Ok(holder)
    }

    /// Forks the init of an arena; puts it into the process group of the holder, which only someone
    /// who sees that can, and lets it become an agent.
    fn spawn(&self, holder: i32) -> Result<i32> {
        let path = CString::new(self.agent.as_os_str().as_bytes())?;
        let argv = [path.as_ptr(), c"0".as_ptr(), std::ptr::null()];
        let mut pipe = [0; 2];
        // SAFETY: There is one thread, so that the child can do what it likes; it only waits for the
        // end of the pipe, and calls exec with strings that live as long.
        unsafe {
            check(libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC).into())?;
            let pid = libc::fork();
            if pid == 0 {
                libc::close(pipe[1]);
                libc::read(pipe[0], (&raw mut pipe).cast(), 1);
                libc::execv(path.as_ptr(), argv.as_ptr());
                libc::_exit(127);
            }
            let joined = match check(pid.into()) {
                Ok(_) => check(libc::setpgid(pid, holder).into()),
                Err(error) => Err(error),
            };
            libc::close(pipe[0]);
            libc::close(pipe[1]);
            joined.context("the arena's init and its process group")?;
            Ok(pid)
        }
    }

    /// Lets the kernel have the agents of later arenas run in another order: each gets a real-time
    /// priority, drawn from `seed`. With `None` they are all the same again.
    pub fn set_order(&mut self, seed: Option<u64>) {
        self.priorities = seed.map(XorShiftRng::seed_from_u64);
    }

    /// Draws the priority of an agent.
    fn prioritize(&mut self, tid: i32) -> Result<()> {
        let Some(priorities) = &mut self.priorities else {
            return Ok(());
        };
        let param = libc::sched_param {
            sched_priority: priorities.random_range(1..=PRIORITIES),
        };
        // SAFETY: It only reads the parameters. Who is dead by now needs none.
        let result = unsafe { libc::sched_setscheduler(tid, libc::SCHED_FIFO, &raw const param) };
        if result < 0 && io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH) {
            Err(io::Error::last_os_error()).context("sched_setscheduler")?;
        }
        Ok(())
    }

    /// The path of the agents' program.
    pub fn agent(&self) -> &Path {
        &self.agent
    }
}

/// The processes of one sequence.
pub struct Arena<'a> {
    /// What it is driven by.
    pub driver: &'a mut Driver,
    init: i32,
    agents: HashMap<Name, Agent>,
    spaces: HashMap<Space, File>,
    numbers: HashMap<u64, Space>,
}

impl<'a> Arena<'a> {
    /// A new pid namespace with an agent as its init.
    pub fn new(driver: &'a mut Driver) -> Result<Self> {
        driver.channel.clear()?;
        let holder = driver.hold_group()?;
        // SAFETY: It changes nothing but where children are born, until setns below.
        unsafe { check(libc::unshare(libc::CLONE_NEWPID).into()) }.context("unshare")?;
        let init = driver.spawn(holder);
        // SAFETY: As above.
        unsafe { check(libc::setns(driver.ns.as_raw_fd(), libc::CLONE_NEWPID).into()) }?;
        let tid = init?;
        let mut arena = Self {
            driver,
            init: tid,
            agents: HashMap::new(),
            spaces: HashMap::new(),
            numbers: HashMap::new(),
        };
        arena.add_agent(Name::INIT, tid)?;
        arena.add_space(Space::Of(Name::INIT), &format!("/proc/{tid}/ns/pid"))?;
        // Its first answer says that it is the agent by now.
        let program = crate::programs::look(Name::INIT);
        arena.driver.channel.ask(Name::INIT, &program);
        for _ in 0..1000 {
            if arena
                .driver
                .channel
                .has_answered(Name::INIT, Duration::from_millis(10))
            {
                return Ok(arena);
            }
        }
        bail!("the arena's init does not answer");
    }

    fn add_agent(&mut self, name: Name, tid: i32) -> Result<()> {
        let status = File::open(format!("/proc/{tid}/status"))?;
        self.driver.prioritize(tid)?;
        let agent = Agent {
            tid,
            status,
            asked: None,
        };
        self.agents.insert(name, agent);
        Ok(())
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
        let asked = self.agents.get_mut(&name)?.asked.take()?;
        Some(asked.read(&self.driver.channel, name))
    }

    /// Takes notice of what a successful operation has made or changed.
    pub fn note(&mut self, op: &Op, answer: Answer, before: &State) -> Result<()> {
        match (&op.call, answer) {
            (Call::Clone { child, flags, .. }, Answer::Value(nr)) => {
                let active = before.tasks[&op.by].task.ns;
                let space = before.space(active).context("a namespace without a name")?;
                let ns = self.spaces[&space].as_raw_fd();
                // SAFETY: The command takes a number and returns one.
                let tid = unsafe { libc::ioctl(ns, GET_PID_FROM_PIDNS, nr) };
                let tid = check(tid.into()).with_context(|| format!("who is {nr}?"))? as i32;
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
                // It has the number of the leader now, and so has the leader's file.
                let leader = before.tasks[&op.by].leader;
                if leader != op.by
                    && let Some(agent) = self.agents.remove(&leader)
                {
                    self.agents.insert(op.by, agent);
                }
            }
            _ => {}
        }
        Ok(())
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
        // Whoever is left is in the group, with a parent that controls it.
        self.driver.holder = None;
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
