// SPDX-License-Identifier: GPL-2.0

//! Sending signals: which ones are ignored, where they become pending, and which thread takes them.
//!
//! `kernel/signal.c`: `send_signal_locked()`, `prepare_signal()`, `sig_ignored()`,
//! `complete_signal()`, `force_sig_info_to_task()`. How they are taken is in [`taking`](super::taking).
//!
//! A virtual task runs no code. A signal is never taken by its sender: a thread that does not block it is
//! queued, and takes it in a step of its own ([`work`](crate::world::work)). A call of a handler is only
//! counted, with the siginfo ([`Task::last_received`]); a default action that kills or stops does so. A signal
//! that is blocked, or sent to a stopped process or to a task at work in a call, stays pending. A signal that
//! kills whatever the process is doing decides that at once, as natively.
//!
//! # The one difference to native
//!
//! Linux 7.3 kills the init of a namespace by a signal that it has no handler for, when one of its
//! threads blocks the signal and another does not: `sig_ignored()` looks at the first,
//! `complete_signal()` takes the second and does not ask again. Here a signal that init would not
//! get never kills it, whichever thread takes it.
//!
//! # Locks
//!
//! Under the tree lock. Entries of queues are not allocated here: a caller that sends many signals, or lets
//! tasks exit, makes room before ([`crate::world::World`]); without room a signal arrives all the same, but
//! without siginfo.

use crate::{
    base::faults::{self, Fault},
    base::slots::Idx,
    native::Native,
    pid::namespace::Namespace,
    pid::Pid,
    reason::{Outcome, Reason},
    tree::budget::SIGNAL_STEPS,
    tree::group::Group,
    tree::pending::{
        SigInfo, SigSet, NSIG, SIGCHLD, SIGCONT, SIGKILL, SIGRTMIN, SI_KERNEL, SI_USER,
    },
    tree::sighand::Disposition,
    tree::task::Task,
    tree::walks::Sender,
    tree::Tree,
    uapi,
};

/// Signals of one world that can be pending with siginfo, as RLIMIT_SIGPENDING limits it for a user. Taking one
/// goes through the entries before it, in one hold of the lock.
const PENDING_LIMIT: usize = 1024;

/// The sender of a signal.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// A task in this namespace, with the siginfo that it gave.
    Task(&'a Namespace, SigInfo),
    /// A task in this namespace, of the process with this pid, that called kill(2): each receiver is
    /// told the number that it sees (`SEND_SIG_NOINFO`).
    Kill(&'a Namespace, &'a Pid),
    /// A task, by the kernel's hand (`SEND_SIG_NOINFO`).
    NoInfo(Idx<Task>),
    /// A process outside of the world.
    Outside,
    /// The kernel (`SEND_SIG_PRIV`).
    Kernel,
    /// A child that has exited, stopped or continued.
    Child(SigInfo),
}

impl<'a> Source<'a> {
    /// The sender of a walk.
    pub(crate) fn of(sender: &'a Sender) -> Self {
        match sender.tgid() {
            Some(tgid) => Source::Kill(sender.ns(), tgid),
            None => Source::Task(sender.ns(), sender.info()),
        }
    }
}

/// Whether a signal is for a thread or for a process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// This thread (`PIDTYPE_PID`).
    Thread,
    /// Any thread of its process (`PIDTYPE_TGID` and wider).
    Process,
}

impl Tree {
    /// Sends a signal, from 1 to 64, to a task, which takes it later ([`Tree::step`]). The process of a member is only
    /// noted to be owed it.
    ///
    /// # Errors
    ///
    /// `EAGAIN` when too many real-time signals wait.
    #[doc(alias = "send_signal_locked")]
    pub(crate) fn send(
        &mut self,
        signal: i32,
        source: Source<'_>,
        target: Idx<Task>,
        scope: Scope,
    ) -> Outcome {
        self.draw(SIGNAL_STEPS);
        let (force, info) = self.seen_by(signal, source, target);
        if scope == Scope::Thread && !self.tasks()[target].is_alive() {
            return Ok(());
        }
        let group = self.tasks()[target].group();
        if self.groups()[group].exit_status().is_some() {
            // In the middle of dying.
            return Ok(());
        }
        if self.is_member(group) {
            self.owe(group, info, 0, force);
            return Ok(());
        }
        let continued = self.prepare(signal, group);
        let result = if self.is_ignored(target, signal, force) {
            Ok(())
        } else {
            let queued = self.nr_queued_now();
            let added = self.enqueue(info, source, target, scope);
            // A signal that was pending before was offered then (`legacy_queue()`).
            if let Ok(true) = added {
                self.complete(signal, target, scope);
            }
            if added.is_ok() {
                self.note_added(queued);
            }
            added.map(|_| ())
        };
        if continued {
            self.take_all_signals(group);
        }
        result
    }

    /// Sends a signal that may be 0, which only asks, or out of range.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a signal that there is not, and as [`Tree::send`].
    #[doc(alias = "group_send_sig_info")]
    pub(crate) fn send_checked(
        &mut self,
        signal: i32,
        source: Source<'_>,
        target: Idx<Task>,
        scope: Scope,
    ) -> Outcome {
        match signal {
            0 => Ok(()),
            1..=NSIG => self.send(signal, source, target, scope),
            _ => Err(Reason::Signal.into()),
        }
    }

    /// A fault in a task's own code: it cannot be blocked or ignored, and init has no immunity
    /// against it.
    #[doc(alias = "force_sig_info_to_task")]
    pub(crate) fn force_signal(&mut self, signal: i32, task: Idx<Task>) -> Outcome {
        let group = self.tasks()[task].group();
        let blocked = self.tasks()[task].blocked().contains(signal);
        let handlers = self.handlers_mut(group);
        if blocked || handlers.of(signal) == Disposition::Ignore {
            handlers.set(signal, Disposition::Default);
            let this = SigSet::of(&[signal]);
            self.set_blocked(task, self.tasks()[task].blocked().minus(this));
        }
        if self.handlers(group).of(signal) == Disposition::Default {
            self.lose_immunity(group);
        }
        self.send(signal, Source::Kernel, task, Scope::Thread)?;
        // The signal may have been pending and blocked before.
        if self.tasks()[task].is_alive() {
            self.signal_wake_up(task);
        }
        Ok(())
    }

    /// Whether the signal is sent with force, so that an init is not immune to SIGKILL and SIGSTOP, and the siginfo as
    /// the target sees it.
    fn seen_by(&self, signal: i32, source: Source<'_>, target: Idx<Task>) -> (bool, SigInfo) {
        let ns = self.tasks()[target].ns();
        match source {
            Source::Task(from, given) => {
                let info = given.with_signo(signal);
                let is_from_above = !ns.is_ancestor_or_self(from);
                if info.names_sender() && is_from_above {
                    (true, info.with_pid(0))
                } else {
                    (info.names_sender() && info.code() == SI_KERNEL, info)
                }
            }
            Source::Kill(from, tgid) => {
                let info = SigInfo::new(signal, SI_USER).with_pid(tgid.nr_ns(ns));
                (!ns.is_ancestor_or_self(from), info)
            }
            Source::NoInfo(sender) => {
                let tgid = self.group_of(sender).tgid().nr_ns(ns);
                let force = self.tasks()[sender].pid().nr_ns(ns) == 0;
                (force, SigInfo::new(signal, SI_USER).with_pid(tgid))
            }
            Source::Outside => (true, SigInfo::new(signal, SI_USER)),
            Source::Kernel => (true, SigInfo::new(signal, SI_KERNEL)),
            Source::Child(given) => (false, given.with_signo(signal)),
        }
    }

    /// Stop and continue signals flush each other, even if they are ignored; true when the group is continued
    /// (`prepare_signal()`).
    fn prepare(&mut self, signal: i32, group: Idx<Group>) -> bool {
        if SigSet::STOP.contains(signal) {
            self.flush_undone(group, false);
            false
        } else if signal == SIGCONT {
            self.flush_undone(group, true);
            self.resume(group)
        } else {
            false
        }
    }

    /// Whether a signal would do nothing, so that it is dropped when it is sent (`sig_ignored()`).
    pub(crate) fn is_ignored(&self, target: Idx<Task>, signal: i32, force: bool) -> bool {
        // The disposition of a blocked signal may have changed when it is taken.
        if self.tasks()[target].blocked().contains(signal) {
            return false;
        }
        let index = self.tasks()[target].group();
        let only = SigSet::ONLY.contains(signal);
        if only && self.is_world_init(index) {
            return true;
        }
        match self.handlers(index).of(signal) {
            Disposition::Default if self.is_immune(index) && !(force && only) => true,
            Disposition::Default => SigSet::IGNORE.contains(signal),
            Disposition::Ignore => true,
            Disposition::Handler => false,
        }
    }

    /// Whether default actions that kill or stop do not apply to a process (`SIGNAL_UNKILLABLE`).
    pub(super) fn is_immune(&self, group: Idx<Group>) -> bool {
        self.groups()[group].unkillable() && !faults::has(Fault::NoImmunity)
    }

    /// Adds a signal to those pending for a thread or a group (`__send_signal_locked()`); false when it is pending
    /// there already.
    fn enqueue(
        &mut self,
        info: SigInfo,
        source: Source<'_>,
        target: Idx<Task>,
        scope: Scope,
    ) -> Outcome<bool> {
        let signal = info.signo();
        let waiting = self.queued().len();
        if scope == Scope::Thread {
            self.settle_signals(target);
        }
        let is_shared = scope == Scope::Process;
        let pending = self.pending_mut(target, is_shared);
        let is_realtime = signal >= SIGRTMIN;
        if !is_realtime && pending.set().contains(signal) {
            return Ok(false);
        }
        if signal == SIGKILL {
            pending.add_bare(signal);
            return Ok(true);
        }
        let from_task = matches!(source, Source::Task(..) | Source::Child(_));
        let over_limit = !is_realtime && (!from_task || info.code() >= 0);
        let added =
            (over_limit || waiting < PENDING_LIMIT) && self.add_pending(target, is_shared, info);
        if !added {
            if from_task && is_realtime && info.code() != SI_USER {
                return Err(Reason::SignalQueue.into());
            }
            // The signal arrives without siginfo.
            self.pending_mut(target, is_shared).add_bare(signal);
        }
        Ok(true)
    }

    /// Finds a thread that takes a signal that was added (`complete_signal()`).
    fn complete(&mut self, signal: i32, target: Idx<Task>, scope: Scope) {
        let wants = |tree: &Self, task: Idx<Task>| {
            tree.tasks()[task].is_alive() && !tree.unwanted_by(task).contains(signal)
        };
        let group = self.tasks()[target].group();
        let taker = if wants(self, target) {
            Some(target)
        } else if scope == Scope::Thread {
            None
        } else {
            self.find_taker(group, signal, wants)
        };
        if let Some(taker) = taker {
            self.take_or_die(group, taker, SigSet::of(&[signal]));
        }
    }

    /// Wakes the thread that was found for some signals. If one of them kills whatever the process is doing, the
    /// process dies now.
    pub(crate) fn take_or_die(&mut self, group: Idx<Group>, taker: Idx<Task>, signals: SigSet) {
        let kills = self.fatal(group).minus(SigSet::COREDUMP);
        let kills = kills.union(SigSet::of(&[SIGKILL])).intersection(signals);
        // A blocked one is there because the thread waits for it in sigtimedwait (`real_blocked`).
        let kills = kills.minus(self.tasks()[taker].blocked());
        match kills.first() {
            Some(signal) => self.begin_group_exit(group, signal),
            None => self.signal_wake_up(taker),
        }
    }

    /// Whether children of a process that exit with SIGCHLD are reaped at once, and whether the process gets the
    /// SIGCHLD then.
    pub(crate) fn reaps_by_itself(&self, group: Idx<Group>) -> (bool, bool) {
        if let Some(about) = self.native_of(group).map(Native::about_children) {
            let ignored = about.ignores();
            return (ignored || about.does_not_wait(), !ignored);
        }
        let handlers = self.handlers(group);
        let ignored = handlers.of(SIGCHLD) == Disposition::Ignore;
        let nocldwait = handlers.has_flag(SIGCHLD, uapi::ALTPID_SA_NOCLDWAIT);
        (ignored || nocldwait, !ignored)
    }

    /// Whether a process wants SIGCHLD for children that stop or continue.
    pub(crate) fn wants_job_news(&self, group: Idx<Group>) -> bool {
        if let Some(about) = self.native_of(group).map(Native::about_children) {
            return !about.ignores() && !about.no_stops();
        }
        let handlers = self.handlers(group);
        handlers.of(SIGCHLD) != Disposition::Ignore
            && !handlers.has_flag(SIGCHLD, uapi::ALTPID_SA_NOCLDSTOP)
    }
}
