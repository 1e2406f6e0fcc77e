// SPDX-License-Identifier: GPL-2.0

//! Pending signals: sets of them, and the siginfo of each.
//!
//! `include/linux/signal.h`; `kernel/signal.c`: `next_signal()`, `collect_signal()`,
//! `flush_sigqueue_mask()`.
//!
//! # Locks
//!
//! Pending signals belong to tasks and groups, and are protected by the tree lock.

use crate::{
    base::slots::{
        chain::{Chain, Link, Member},
        Idx, Slots,
    },
    tree::task::chain,
};
use kernel::bindings;

macro_rules! numbers {
    ($($name:ident)*) => {
        $(pub(crate) const $name: i32 = bindings::$name as i32;)*
    };
}

numbers! {
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGSEGV SIGCHLD SIGCONT
    SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGWINCH SIGSYS SIGRTMIN
}

/// The largest signal (`_NSIG`).
pub(crate) const NSIG: i32 = 64;

/// Values of `si_code` that say where a signal comes from.
pub(crate) const SI_USER: i32 = bindings::SI_USER as i32;
pub(crate) const SI_KERNEL: i32 = bindings::SI_KERNEL as i32;
pub(crate) const SI_TKILL: i32 = bindings::SI_TKILL;
pub(crate) const SI_TIMER: i32 = bindings::SI_TIMER;
const SI_SIGIO: i32 = bindings::SI_SIGIO;

/// The `si_code`s of SIGCHLD.
pub(crate) const CLD_EXITED: i32 = bindings::CLD_EXITED as i32;
pub(crate) const CLD_KILLED: i32 = bindings::CLD_KILLED as i32;
pub(crate) const CLD_DUMPED: i32 = bindings::CLD_DUMPED as i32;
pub(crate) const CLD_STOPPED: i32 = bindings::CLD_STOPPED as i32;
pub(crate) const CLD_CONTINUED: i32 = bindings::CLD_CONTINUED as i32;

/// A set of signals (`sigset_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SigSet(u64);

impl SigSet {
    /// No signal.
    pub(crate) const EMPTY: Self = Self(0);
    /// Every signal.
    pub(crate) const EVERY: Self = Self(u64::MAX);
    /// Signals that can be neither caught, blocked nor ignored (`SIG_KERNEL_ONLY_MASK`).
    pub(crate) const ONLY: Self = Self::of(&[SIGKILL, SIGSTOP]);
    /// Signals that stop a process by default (`SIG_KERNEL_STOP_MASK`).
    pub(crate) const STOP: Self = Self::of(&[SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]);
    /// Signals that do nothing by default (`SIG_KERNEL_IGNORE_MASK`).
    pub(crate) const IGNORE: Self = Self::of(&[SIGCONT, SIGCHLD, SIGWINCH, SIGURG]);
    /// Signals that dump core by default (`SIG_KERNEL_COREDUMP_MASK`).
    pub(crate) const COREDUMP: Self = Self::of(&[
        SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS,
    ]);
    /// Signals of a fault in the task's own code, which are taken first (`SYNCHRONOUS_MASK`).
    const SYNCHRONOUS: Self = Self::of(&[SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS]);

    /// The set of some signals.
    pub(crate) const fn of(signals: &[i32]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < signals.len() {
            bits |= 1 << (signals[i] - 1);
            i += 1;
        }
        Self(bits)
    }

    /// The set with these bits, bit 0 being signal 1.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As bits, bit 0 being signal 1.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// Whether a signal is in it. A number that is no signal is in none.
    pub(crate) const fn contains(self, signal: i32) -> bool {
        1 <= signal && signal <= NSIG && self.0 >> (signal - 1) & 1 != 0
    }

    /// The union of two sets.
    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The intersection of two sets.
    pub(crate) const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The set without the signals of another set.
    pub(crate) const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The signal to be taken first: a fault's, then the lowest (`next_signal()`).
    pub(crate) fn first(self) -> Option<i32> {
        let faults = self.0 & Self::SYNCHRONOUS.0;
        let bits = if faults != 0 { faults } else { self.0 };
        (bits != 0).then(|| bits.trailing_zeros() as i32 + 1)
    }
}

/// The siginfo of a signal (`struct kernel_siginfo`). A world has one user, so there is no `si_uid`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SigInfo {
    signo: i32,
    code: i32,
    /// The sender's number as the receiver sees it, 0 for none.
    pid: i32,
    /// Of SIGCHLD: the exit code, or the signal that killed, stopped or continued.
    status: i32,
    /// `si_value`, from the sender.
    value: u64,
}

impl SigInfo {
    read_value! {
        /// See [`SigInfo::signo`].
        signo: i32;
        /// See [`SigInfo::code`].
        code: i32;
        /// See [`SigInfo::pid`].
        pid: i32;
        /// See [`SigInfo::status`].
        status: i32;
        /// See [`SigInfo::value`].
        value: u64;
    }

    /// For a signal and an `si_code`, with everything else 0.
    pub(crate) fn new(signo: i32, code: i32) -> Self {
        Self {
            signo,
            code,
            ..Self::default()
        }
    }

    /// The same with the number of the sender as the receiver sees it, 0 for none.
    pub(crate) fn with_pid(self, pid: i32) -> Self {
        Self { pid, ..self }
    }

    /// The same with the status of a child.
    pub(crate) fn with_status(self, status: i32) -> Self {
        Self { status, ..self }
    }

    /// The same with an `si_value`.
    pub(crate) fn with_value(self, value: u64) -> Self {
        Self { value, ..self }
    }

    /// The same for another signal.
    pub(crate) fn with_signo(self, signo: i32) -> Self {
        Self { signo, ..self }
    }

    /// Whether the code is one that comes with the sender's number (`has_si_pid_and_uid()`).
    pub(crate) fn names_sender(&self) -> bool {
        match self.code {
            SI_TIMER | SI_SIGIO => false,
            1..SI_KERNEL => self.signo == SIGCHLD && self.code <= CLD_CONTINUED,
            _ => true,
        }
    }
}

/// A signal in a queue (`struct sigqueue`).
pub(crate) struct Queued {
    info: SigInfo,
    link: Link<Queued>,
}

impl Member<chain::Pending> for Queued {
    fn link(&self) -> &Link<Self> {
        &self.link
    }
    fn link_mut(&mut self) -> &mut Link<Self> {
        &mut self.link
    }
}

/// Signals that are pending for a task, or for any thread of a group (`struct sigpending`).
pub(crate) struct Pending {
    set: SigSet,
    /// Their siginfo, as far as there was room for it.
    queue: Chain<chain::Pending, Queued>,
}

impl Pending {
    /// No signal.
    pub(crate) const fn new() -> Self {
        Self {
            set: SigSet::EMPTY,
            queue: Chain::new(),
        }
    }

    /// The signals.
    pub(crate) fn set(&self) -> SigSet {
        self.set
    }

    /// How many signals are pending with siginfo.
    pub(crate) fn len(&self, queued: &Slots<Queued>) -> usize {
        self.queue.iter(queued).count()
    }

    /// Adds a signal with siginfo. False: there was no room, and nothing was added.
    pub(crate) fn add(&mut self, queued: &mut Slots<Queued>, info: SigInfo) -> bool {
        let Some(room) = queued.vacancy() else {
            return false;
        };
        let link = Link::new();
        let entry = room.insert(Queued { info, link });
        self.queue.push_back(queued, entry);
        self.add_bare(info.signo);
        true
    }

    /// Adds a signal without siginfo.
    pub(crate) fn add_bare(&mut self, signal: i32) {
        self.set = self.set.union(SigSet::of(&[signal]));
    }

    /// Takes a signal that is in the set, with the oldest siginfo of it (`collect_signal()`).
    pub(crate) fn take(&mut self, queued: &mut Slots<Queued>, signal: i32) -> SigInfo {
        let (first, is_last) = {
            let entries = self.queue.iter(queued);
            let mut found = entries.filter(|&entry| queued[entry].info.signo == signal);
            (found.next(), found.next().is_none())
        };
        if is_last {
            self.set = self.set.minus(SigSet::of(&[signal]));
        }
        first
            .and_then(|entry| self.remove(queued, entry))
            .unwrap_or(SigInfo::new(signal, SI_USER))
    }

    /// Drops pending signals (`flush_sigqueue_mask()`).
    pub(crate) fn flush(&mut self, queued: &mut Slots<Queued>, signals: SigSet) {
        let kept = self.set.minus(signals);
        if kept == self.set {
            return;
        }
        self.set = kept;
        let mut next = self.queue.first();
        while let Some(entry) = next {
            next = self.queue.next(queued, entry);
            if signals.contains(queued[entry].info.signo) {
                self.remove(queued, entry);
            }
        }
    }

    /// Drops the siginfo of all signals, which will not be taken any more; the signals are still seen as pending.
    pub(crate) fn forget_info(&mut self, queued: &mut Slots<Queued>) {
        while let Some(entry) = self.queue.first() {
            self.remove(queued, entry);
            queued.meet();
        }
    }

    /// Drops signals of timers (`__flush_itimer_signals()`).
    pub(crate) fn flush_timers(&mut self, queued: &mut Slots<Queued>) {
        let (mut from_timers, mut from_others) = (SigSet::EMPTY, SigSet::EMPTY);
        let mut next = self.queue.first();
        while let Some(entry) = next {
            next = self.queue.next(queued, entry);
            let info = queued[entry].info;
            let signal = SigSet::of(&[info.signo]);
            if info.code == SI_TIMER {
                from_timers = from_timers.union(signal);
                self.remove(queued, entry);
            } else {
                from_others = from_others.union(signal);
            }
        }
        self.set = self.set.minus(from_timers).union(from_others);
    }

    fn remove(&mut self, queued: &mut Slots<Queued>, entry: Idx<Queued>) -> Option<SigInfo> {
        self.queue.remove(queued, entry);
        queued.remove(entry).map(|queued| queued.info)
    }
}
