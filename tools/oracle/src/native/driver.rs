// SPDX-License-Identifier: GPL-2.0

//! The driver: what this process is for all arenas.

use super::{check, pidfd};
use crate::{
    channel::Channel,
    kernel::Kernel,
    protocol::{BASE, DRIVER_FD, LAST_PID_FD, MEMBERS_BASE},
};
use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_xorshift::XorShiftRng;
use std::{
    ffi::{CStr, CString, c_char},
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{ffi::OsStrExt, net::UnixStream},
    },
    path::{Path, PathBuf},
};

/// How many priorities there are for agents.
const PRIORITIES: i32 = 8;

/// What the driver is for all arenas.
pub struct Driver {
    /// The shared memory.
    pub channel: Channel,
    /// The kernel that runs.
    pub kernel: Kernel,
    agent: PathBuf,
    /// What the priorities of agents are drawn from; `None` when they have none.
    priorities: Option<XorShiftRng>,
    /// The dead leader of the process group that arenas begin in; `None` when somebody is left in it.
    holder: Option<i32>,
    ns: File,
}

/// What this process drives: real processes, and with them what is to be compared.
pub struct Drivers {
    /// What arenas of the kernel's need.
    pub native: Driver,
    /// What members of a world need, if it is them.
    pub members: Option<Driver>,
    _last_pid: File,
    _pidfd: OwnedFd,
}

impl Drivers {
    /// Makes this process the driver: with a session of its own, and without dispositions of
    /// signals that agents would inherit.
    /// With `cpu` all processes stay on that CPU: what wakes whom then takes less time.
    pub fn new(agent: &Path, cpu: Option<usize>, with_members: bool) -> Result<Self> {
        if let Some(cpu) = cpu {
            // SAFETY: The set is one, and is only read.
            unsafe {
                let mut set = std::mem::zeroed();
                libc::CPU_SET(cpu, &mut set);
                check(libc::sched_setaffinity(0, size_of_val(&set), &raw const set).into())?;
            }
        }
        let last_pid = File::open("/proc/sys/kernel/ns_last_pid")?;
        let pidfd = pidfd::open(std::process::id() as i32)?;
        // SAFETY: Nobody else uses these descriptors, and the dispositions are the defaults.
        unsafe {
            check(libc::dup2(pidfd.as_raw_fd(), DRIVER_FD).into())?;
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
        let members = with_members.then(|| Driver::new(agent, MEMBERS_BASE));
        Ok(Self {
            native: Driver::new(agent, BASE)?,
            members: members.transpose()?,
            _last_pid: last_pid,
            _pidfd: pidfd,
        })
    }

    /// Lets the kernel have the agents of later arenas run in another order: each gets a real-time
    /// priority, drawn from `seed`. With `None` they are all the same again.
    pub fn set_order(&mut self, seed: Option<u64>) {
        let all = [Some(&mut self.native), self.members.as_mut()];
        for driver in all.into_iter().flatten() {
            driver.priorities = seed.map(XorShiftRng::seed_from_u64);
        }
    }
}

impl Driver {
    fn new(agent: &Path, base: usize) -> Result<Self> {
        Ok(Self {
            channel: Channel::new(base)?,
            kernel: Kernel::running()?,
            agent: agent.to_path_buf(),
            priorities: None,
            holder: None,
            ns: File::open("/proc/self/ns/pid")?,
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
    /// who sees that can, and lets it become an agent. `enter` is done by the child before that, and
    /// `entered` by this process between the two.
    fn spawn(
        &self,
        holder: i32,
        enter: impl FnOnce() -> bool,
        entered: impl FnOnce(i32) -> Result<()>,
    ) -> Result<i32> {
        let path = CString::new(self.agent.as_os_str().as_bytes())?;
        let argv = [path.as_ptr(), c"0".as_ptr(), std::ptr::null()];
        let (mut here, there) = UnixStream::pair()?;
        // SAFETY: There is one thread, so that the child can do what it likes.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            drop(here);
            self.become_agent(there, &path, &argv, enter);
        }
        drop(there);
        check(pid.into())?;
        // SAFETY: It changes the process group of a child that has not called exec.
        let joined = unsafe { check(libc::setpgid(pid, holder).into()) };
        joined.context("the arena's init and its process group")?;
        let mut byte = [0];
        here.write_all(&byte)?;
        here.read_exact(&mut byte)
            .context("the arena's init is none")?;
        entered(pid)?;
        Ok(pid)
    }

    /// What a child does that becomes an agent: it goes on when it is told to, and again when its
    /// parent has closed the other end.
    fn become_agent(
        &self,
        mut there: UnixStream,
        path: &CStr,
        argv: &[*const c_char],
        enter: impl FnOnce() -> bool,
    ) -> ! {
        let mut byte = [0];
        if there.read_exact(&mut byte).is_ok()
            && self.channel.hand_down().is_ok()
            && enter()
            && there.write_all(&byte).is_ok()
            && there.read(&mut byte).is_ok()
        {
            // SAFETY: The strings and the list of them live as long as it takes.
            unsafe { libc::execv(path.as_ptr(), argv.as_ptr()) };
        }
        // SAFETY: It ends the process.
        unsafe { libc::_exit(127) }
    }

    /// Draws the priority of an agent.
    pub(super) fn prioritize(&mut self, tid: i32) -> Result<()> {
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

    /// Begins a pid namespace, whose init becomes an agent; returns its number.
    pub(super) fn begin(&mut self) -> Result<i32> {
        let holder = self.hold_group()?;
        // SAFETY: It changes nothing but where children are born, until setns below.
        unsafe { check(libc::unshare(libc::CLONE_NEWPID).into()) }.context("unshare")?;
        let init = self.spawn(holder, || true, |_| Ok(()));
        // SAFETY: As above.
        unsafe { check(libc::setns(self.ns.as_raw_fd(), libc::CLONE_NEWPID).into()) }?;
        init
    }

    /// Begins a process that becomes a member of a world by `enter` and an agent, in a process group of
    /// the kernel's as [`Self::begin`] has it; returns its native number.
    pub(crate) fn begin_member(
        &mut self,
        enter: impl FnOnce() -> bool,
        entered: impl FnOnce(i32) -> Result<()>,
    ) -> Result<i32> {
        let holder = self.hold_group()?;
        self.spawn(holder, enter, entered)
    }

    /// Whoever is left of an arena is in the group, with a parent that controls it: the next one gets
    /// another.
    pub(super) fn abandon_group(&mut self) {
        self.holder = None;
    }

    /// The path of the agents' program.
    pub fn agent(&self) -> &Path {
        &self.agent
    }
}
