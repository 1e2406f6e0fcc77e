// SPDX-License-Identifier: GPL-2.0

//! Signals, and waitid(2), which tells of what they do.

use crate::{
    types::{PidfdId, Result, TaskId, WaitFlags},
    uapi,
    world::World,
};
use bitflags::bitflags;
use std::{fmt, time::Duration};

/// A set of signals.
///
/// # Examples
///
/// ```
/// use altpid::SigSet;
///
/// let set = SigSet::of(&[1, 15]);
/// assert!(set.contains(15) && !set.contains(9));
/// assert_eq!(format!("{set:?}"), "{1, 15}");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SigSet(u64);

impl SigSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);
    /// Every signal.
    pub const ALL: Self = Self(u64::MAX);

    /// The set of some signals.
    ///
    /// # Panics
    ///
    /// For a number that is no signal: 1 to 64.
    pub fn of(signals: &[i32]) -> Self {
        let bits = signals.iter().map(|&signal| {
            assert!((1..=64).contains(&signal), "signal {signal}");
            1u64 << (signal - 1)
        });
        Self(bits.fold(0, |set, bit| set | bit))
    }

    /// The set with these bits, bit 0 being signal 1.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As bits, bit 0 being signal 1.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Whether a signal is in it.
    pub fn contains(self, signal: i32) -> bool {
        (1..=64).contains(&signal) && self.0 >> (signal - 1) & 1 != 0
    }

    /// The signals in it, the lowest first.
    pub fn iter(self) -> impl Iterator<Item = i32> {
        (1..=64).filter(move |&signal| self.contains(signal))
    }
}

impl fmt::Debug for SigSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What came with a signal; see `struct altpid_siginfo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SigInfo {
    /// The signal.
    pub signo: i32,
    /// Where it comes from: `SI_USER` and so on.
    pub code: i32,
    /// The sender's number as the receiver sees it, 0 for who is not visible.
    pub pid: i32,
    /// Of SIGCHLD: the exit code, or the signal.
    pub status: i32,
    /// What the sender gave along.
    pub value: u64,
}

impl From<uapi::altpid_siginfo> for SigInfo {
    fn from(raw: uapi::altpid_siginfo) -> Self {
        Self {
            signo: raw.signo,
            code: raw.code,
            pid: raw.pid,
            status: raw.status,
            value: raw.value,
        }
    }
}

/// Who sends a signal to whom; see `struct altpid_kill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// kill(2) by a task, with its pid.
    Pid(TaskId, i32),
    /// tgkill(2) by a task, with tgid and tid.
    Thread(TaskId, i32, i32),
    /// tkill(2) by a task, with tid.
    Tkill(TaskId, i32),
    /// rt_sigqueueinfo(2) by a task, with pid, `si_code` and `si_value`.
    Queue(TaskId, i32, i32, u64),
    /// rt_tgsigqueueinfo(2) by a task, with tgid, tid, `si_code` and `si_value`.
    QueueThread(TaskId, i32, i32, i32, u64),
    /// pidfd_send_signal(2) by a task, to another one.
    Task(TaskId, TaskId),
    /// By a process outside of the world, to a task.
    Outside(TaskId),
    /// By the kernel, to a task.
    Kernel(TaskId),
    /// By a fault in a task's own code.
    Fault(TaskId),
    /// pidfd_send_signal(2) by a task, by a pidfd and to whom that says.
    Pidfd(TaskId, PidfdId, Scope),
    /// Likewise, with a siginfo.
    PidfdInfo(TaskId, PidfdId, Scope, Given),
}

/// A siginfo as a sender gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `si_signo`, which must be the signal.
    pub signo: i32,
    /// `si_code`
    pub code: i32,
    /// `si_value`
    pub value: u64,
}

/// Whom a signal by a pidfd is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Whom the pidfd is for: its process, or its thread.
    #[default]
    AsOpened,
    /// `PIDFD_SIGNAL_THREAD`
    Thread,
    /// `PIDFD_SIGNAL_THREAD_GROUP`
    ThreadGroup,
    /// `PIDFD_SIGNAL_PROCESS_GROUP`: the members of the process group that has the number.
    ProcessGroup,
}

impl Scope {
    fn to_uapi(self) -> u32 {
        match self {
            Scope::AsOpened => 0,
            Scope::Thread => uapi::ALTPID_SIGNAL_THREAD,
            Scope::ThreadGroup => uapi::ALTPID_SIGNAL_THREAD_GROUP,
            Scope::ProcessGroup => uapi::ALTPID_SIGNAL_PROCESS_GROUP,
        }
    }
}

impl Kill {
    /// As the interface has it, with a signal.
    pub(crate) fn to_uapi(self, signal: i32) -> uapi::altpid_kill {
        let mut arg = uapi::altpid_kill {
            sig: signal,
            ..Default::default()
        };
        match self {
            Kill::Pid(task, pid) => {
                (arg.how, arg.task, arg.pid) = (uapi::ALTPID_KILL_PID, task.0, pid);
            }
            Kill::Thread(task, tgid, tid) => {
                (arg.how, arg.task) = (uapi::ALTPID_KILL_THREAD, task.0);
                (arg.tgid, arg.pid) = (tgid, tid);
            }
            Kill::Tkill(task, tid) => {
                (arg.how, arg.task, arg.pid) = (uapi::ALTPID_KILL_TKILL, task.0, tid);
            }
            Kill::Queue(task, pid, code, value) => {
                (arg.how, arg.task, arg.pid) = (uapi::ALTPID_KILL_QUEUE, task.0, pid);
                (arg.code, arg.value) = (code, value);
            }
            Kill::QueueThread(task, tgid, tid, code, value) => {
                (arg.how, arg.task) = (uapi::ALTPID_KILL_QUEUE_THREAD, task.0);
                (arg.tgid, arg.pid) = (tgid, tid);
                (arg.code, arg.value) = (code, value);
            }
            Kill::Task(task, target) => {
                (arg.how, arg.task, arg.target) = (uapi::ALTPID_KILL_TASK, task.0, target.0);
            }
            Kill::Outside(target) => (arg.how, arg.target) = (uapi::ALTPID_KILL_OUTSIDE, target.0),
            Kill::Kernel(target) => (arg.how, arg.target) = (uapi::ALTPID_KILL_KERNEL, target.0),
            Kill::Fault(target) => (arg.how, arg.target) = (uapi::ALTPID_KILL_FAULT, target.0),
            Kill::Pidfd(task, pidfd, scope) => {
                (arg.how, arg.task, arg.target) = (uapi::ALTPID_KILL_PIDFD, task.0, pidfd.0);
                arg.flags = scope.to_uapi();
            }
            Kill::PidfdInfo(task, pidfd, scope, given) => {
                (arg.how, arg.task, arg.target) = (uapi::ALTPID_KILL_PIDFD, task.0, pidfd.0);
                arg.flags = scope.to_uapi() | uapi::ALTPID_SIGNAL_INFO;
                (arg.signo, arg.code, arg.value) = (given.signo, given.code, given.value);
            }
        }
        arg
    }
}

/// What a process does about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The default: `SIG_DFL`.
    Default,
    /// Nothing: `SIG_IGN`.
    Ignore,
    /// It calls a handler, which is counted.
    Handler,
}

bitflags! {
    /// Flags of sigaction(2).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct SaFlags: u32 {
        /// Of SIGCHLD: not for children that stop or continue.
        const NOCLDSTOP = uapi::ALTPID_SA_NOCLDSTOP;
        /// Of SIGCHLD: children do not become zombies.
        const NOCLDWAIT = uapi::ALTPID_SA_NOCLDWAIT;
        /// A wait that its handler interrupts goes on.
        const RESTART = uapi::ALTPID_SA_RESTART;
        /// It is not blocked while its handler runs.
        const NODEFER = uapi::ALTPID_SA_NODEFER;
        /// Its handler is called once.
        const RESETHAND = uapi::ALTPID_SA_RESETHAND;
    }
}

/// What sigaction(2) sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What is done about the signal.
    pub disposition: Disposition,
    /// How.
    pub flags: SaFlags,
    /// What is blocked while a handler runs (`sa_mask`).
    pub mask: SigSet,
}

impl From<Disposition> for Action {
    /// Without flags.
    fn from(disposition: Disposition) -> Self {
        Self {
            disposition,
            flags: SaFlags::empty(),
            mask: SigSet::EMPTY,
        }
    }
}

/// How sigprocmask(2) changes what is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// `SIG_BLOCK`: these as well.
    Block,
    /// `SIG_UNBLOCK`: no longer these.
    Unblock,
    /// `SIG_SETMASK`: exactly these.
    Set,
}

/// A task and its signals; see `struct altpid_signals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signals {
    /// What it blocks.
    pub blocked: SigSet,
    /// What waits for it.
    pub pending: SigSet,
    /// What waits for any thread of its process.
    pub shared: SigSet,
    /// What its process ignores.
    pub ignored: SigSet,
    /// What its process has handlers for.
    pub handled: SigSet,
    /// How many signals its handlers were called for.
    pub received: u32,
    /// The last of them.
    pub last: SigInfo,
}

/// Whom waitid(2) waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitId {
    /// Any child.
    All,
    /// The child with this number.
    Pid(i32),
    /// A child in this process group, 0 for the caller's.
    Pgid(i32),
    /// The child that this pidfd is for.
    Pidfd(PidfdId),
}

/// What waitid(2) reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitIdReport {
    /// The child.
    pub task: TaskId,
    /// Its number as the waiter sees it.
    pub pid: i32,
    /// What has happened: `CLD_EXITED` and so on.
    pub code: i32,
    /// The exit code, or the signal.
    pub status: i32,
}

impl World {
    /// Sends a signal; 0 only asks whether one could. What it does is done on return.
    pub fn kill(&self, kill: Kill, signal: i32) -> Result<()> {
        self.call("kill", &mut kill.to_uapi(signal))
    }

    /// sigaction(2) by `task`; with `None` it only asks. Returns what was done so far.
    pub fn sigaction(&self, task: TaskId, signal: i32, new: Option<Action>) -> Result<Action> {
        let mut arg = uapi::altpid_sigaction {
            sig: signal,
            task: task.0,
            handler: match new.map(|action| action.disposition) {
                None => uapi::ALTPID_SIG_KEEP,
                Some(Disposition::Default) => uapi::ALTPID_SIG_DFL,
                Some(Disposition::Ignore) => uapi::ALTPID_SIG_IGN,
                Some(Disposition::Handler) => uapi::ALTPID_SIG_HANDLER,
            },
            ..Default::default()
        };
        if let Some(action) = new {
            (arg.flags, arg.mask) = (action.flags.bits(), action.mask.bits());
        }
        self.call("sigaction", &mut arg)?;
        Ok(Action {
            disposition: match arg.handler {
                uapi::ALTPID_SIG_DFL => Disposition::Default,
                uapi::ALTPID_SIG_IGN => Disposition::Ignore,
                _ => Disposition::Handler,
            },
            flags: SaFlags::from_bits_retain(arg.flags),
            mask: SigSet::from_bits(arg.mask),
        })
    }

    /// sigprocmask(2) by `task`; it takes at once what it no longer blocks. Returns what it blocked
    /// so far.
    pub fn sigprocmask(&self, task: TaskId, how: Mask, set: SigSet) -> Result<SigSet> {
        let mut arg = uapi::altpid_sigprocmask {
            how: match how {
                Mask::Block => uapi::ALTPID_SIG_BLOCK,
                Mask::Unblock => uapi::ALTPID_SIG_UNBLOCK,
                Mask::Set => uapi::ALTPID_SIG_SETMASK,
            },
            task: task.0,
            set: set.bits(),
            ..Default::default()
        };
        self.call("sigprocmask", &mut arg)?;
        Ok(SigSet::from_bits(arg.set))
    }

    /// sigpending(2) by `task`: what waits for it or its process and is blocked.
    pub fn sigpending(&self, task: TaskId) -> Result<SigSet> {
        let mut arg = uapi::altpid_sigpending {
            task: task.0,
            ..Default::default()
        };
        self.call("sigpending", &mut arg)?;
        Ok(SigSet::from_bits(arg.set))
    }

    /// sigtimedwait(2) by `task`, without a time: takes the first of some signals that waits.
    pub fn sigwait(&self, task: TaskId, set: SigSet) -> Result<SigInfo> {
        self.sigtimedwait(task, set, Some(Duration::ZERO))
    }

    /// sigtimedwait(2) by `task`: takes the first of some signals, and sleeps until there is one for as
    /// long as is given, or for as long as it takes.
    pub fn sigtimedwait(
        &self,
        task: TaskId,
        set: SigSet,
        timeout: Option<Duration>,
    ) -> Result<SigInfo> {
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1);
        let mut arg = uapi::altpid_sigwait {
            task: task.0,
            set: set.bits(),
            timeout: timeout.map_or(u64::MAX, nanos),
            ..Default::default()
        };
        self.call("sigtimedwait", &mut arg)?;
        Ok(arg.info.into())
    }

    /// A task and its signals.
    pub fn signals(&self, task: TaskId) -> Result<Signals> {
        let mut arg = uapi::altpid_signals {
            task: task.0,
            ..Default::default()
        };
        self.call("signals", &mut arg)?;
        Ok(Signals {
            blocked: SigSet::from_bits(arg.blocked),
            pending: SigSet::from_bits(arg.pending),
            shared: SigSet::from_bits(arg.shared),
            ignored: SigSet::from_bits(arg.ignored),
            handled: SigSet::from_bits(arg.handled),
            received: arg.received,
            last: arg.last.into(),
        })
    }

    /// waitid(2) by `task`. Sleeps unless [`WaitFlags::NOHANG`] is among the options; `None` then says
    /// that there is nothing to report.
    pub fn waitid(
        &self,
        task: TaskId,
        id: WaitId,
        options: impl Into<WaitFlags>,
    ) -> Result<Option<WaitIdReport>> {
        let options = options.into().bits();
        let (which, id, pidfd) = match id {
            WaitId::All => (0, 0, 0),
            WaitId::Pid(pid) => (1, pid, 0),
            WaitId::Pgid(pgid) => (2, pgid, 0),
            WaitId::Pidfd(pidfd) => (3, 0, pidfd.0),
        };
        let mut arg = uapi::altpid_waitid {
            options,
            task: task.0,
            which,
            id,
            pidfd,
            ..Default::default()
        };
        self.call("waitid", &mut arg)?;
        let report = WaitIdReport {
            task: TaskId(arg.child),
            pid: arg.pid,
            code: arg.code,
            status: arg.status,
        };
        Ok((arg.child != 0).then_some(report))
    }
}
