// SPDX-License-Identifier: GPL-2.0

//! Signals: dispositions, masks, and what waits for whom.

use crate::{
    types::{Result, TaskId},
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
///
/// # Examples
///
/// ```no_run
/// use altpid::{Kill, Mask, SigSet, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// world.sigprocmask(init, Mask::Block, SigSet::of(&[10]))?;
/// world.kill(Kill::Pid(init, 1), 10)?;
/// let info = world.sigwait(init, SigSet::of(&[10]))?;
/// assert_eq!((info.signo, info.pid), (10, 1));
/// # Ok::<(), altpid::Error>(())
/// ```
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

/// What a process does about a signal.
///
/// # Examples
///
/// ```no_run
/// use altpid::{Disposition, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// let before = world.sigaction(init, 15, Some(Disposition::Handler.into()))?;
/// assert_eq!(before.disposition, Disposition::Default);
/// # Ok::<(), altpid::Error>(())
/// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use altpid::{Action, Disposition, SaFlags};
    ///
    /// let action = Action {
    ///     flags: SaFlags::RESTART | SaFlags::NODEFER,
    ///     ..Disposition::Handler.into()
    /// };
    /// assert!(action.flags.contains(SaFlags::RESTART));
    /// ```
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
///
/// # Examples
///
/// ```
/// use altpid::{Action, Disposition, SaFlags, SigSet};
///
/// let action = Action {
///     disposition: Disposition::Handler,
///     flags: SaFlags::empty(),
///     mask: SigSet::of(&[15]),
/// };
/// assert_ne!(action, Action::from(Disposition::Handler));
/// ```
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
///
/// # Examples
///
/// ```no_run
/// use altpid::{Mask, SigSet, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// world.sigprocmask(init, Mask::Block, SigSet::of(&[10, 12]))?;
/// let before = world.sigprocmask(init, Mask::Unblock, SigSet::of(&[12]))?;
/// assert_eq!(before, SigSet::of(&[10, 12]));
/// # Ok::<(), altpid::Error>(())
/// ```
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
///
/// # Examples
///
/// ```no_run
/// use altpid::World;
///
/// let world = World::open()?;
/// let signals = world.signals(world.info()?.init)?;
/// println!("blocked {:?}, pending {:?}", signals.blocked, signals.pending);
/// # Ok::<(), altpid::Error>(())
/// ```
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

impl World {
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
}
