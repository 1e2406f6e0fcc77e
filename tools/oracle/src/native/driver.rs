// SPDX-License-Identifier: GPL-2.0

//! The driver: what this process is for all arenas.

use super::{check, pidfd};
use crate::{
    channel::Channel,
    kernel::Kernel,
    protocol::{DRIVER_FD, LAST_PID_FD},
};
use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_xorshift::XorShiftRng;
use std::{
    ffi::CString,
    fs::File,
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
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
    _last_pid: File,
    _pidfd: OwnedFd,
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
        Ok(Self {
            channel,
            kernel: Kernel::running()?,
            agent: agent.to_path_buf(),
            priorities: None,
            holder: None,
            ns: File::open("/proc/self/ns/pid")?,
            _last_pid: last_pid,
            _pidfd: pidfd,
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
        let init = self.spawn(holder);
        // SAFETY: As above.
        unsafe { check(libc::setns(self.ns.as_raw_fd(), libc::CLONE_NEWPID).into()) }?;
        init
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
