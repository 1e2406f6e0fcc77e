// SPDX-License-Identifier: GPL-2.0

//! kill(2), tgkill(2), tkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2), pidfd_send_signal(2), and
//! signals of the kernel.
//!
//! `kernel/signal.c`: `kill_something_info()`, `do_send_specific()`, `do_rt_sigqueueinfo()`,
//! `do_pidfd_send_signal()`. There is one user in a world, so that nobody lacks the permission.
//!
//! # Locks
//!
//! Under the tree lock. How a signal goes to many is in [`walk`](crate::signal::walk).

use crate::{
    base::slots::{Idx, Spare},
    pid::{find_pid, Pid},
    reason::{Outcome, Reason},
    signal::sending::{Scope, Source},
    tree::handles::{Pidfd, PidfdId},
    tree::pending::{SigInfo, NSIG, SI_TKILL, SI_USER},
    tree::task::{Task, TaskId},
    tree::walks::{Sender, Targets},
    tree::Tree,
    world::World,
};
use kernel::sync::aref::ARef;

/// The target of a signal that a task sends, and by which call.
#[derive(Clone, Copy)]
pub(crate) enum Kill {
    /// kill(2), with a pid.
    Pid(i32),
    /// tgkill(2)
    Thread { tgid: i32, tid: i32 },
    /// tkill(2), with a tid.
    Tkill(i32),
    /// rt_sigqueueinfo(2), with `si_code` and `si_value`.
    Queue { pid: i32, code: i32, value: u64 },
    /// rt_tgsigqueueinfo(2), likewise.
    QueueThread {
        tgid: i32,
        tid: i32,
        code: i32,
        value: u64,
    },
    /// pidfd_send_signal(2), to the process of a task.
    Task(TaskId),
    /// pidfd_send_signal(2), by a handle.
    Pidfd(PidfdId, ByPidfd),
}

/// The sender of a signal that no task sends, to the process of a task.
#[derive(Clone, Copy)]
pub(crate) enum By {
    /// A process outside of the world.
    Outside,
    /// The kernel, as when a limit is reached.
    Kernel,
    /// A fault in the code of the task itself.
    Fault,
}

/// The target of a signal by a handle, if it is not the task that the handle is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// `PIDFD_SIGNAL_THREAD`
    Thread,
    /// `PIDFD_SIGNAL_THREAD_GROUP`
    Process,
    /// `PIDFD_SIGNAL_PROCESS_GROUP`: the members of the group that has the number.
    ProcessGroup,
}

/// How a signal is sent by a handle.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ByPidfd {
    pub(crate) to: Option<To>,
    /// The siginfo, if one is given.
    pub(crate) info: Option<Given>,
}

/// A siginfo as the sender gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) signo: i32,
    pub(crate) code: i32,
    pub(crate) value: u64,
}

impl ByPidfd {
    fn scope(self, pidfd: &Pidfd) -> Scope {
        match self.to {
            Some(To::Thread) => Scope::Thread,
            Some(To::Process | To::ProcessGroup) => Scope::Process,
            None if pidfd.is_thread() => Scope::Thread,
            None => Scope::Process,
        }
    }
}

/// Whether a code is reserved to the kernel, so that a task must not send it to others
/// (`si_code_reserved_to_kernel()`).
pub(crate) fn is_reserved(code: i32) -> bool {
    code >= 0 || code == SI_TKILL
}

impl World {
    /// A task sends a signal, with 0 only asking whether it could. May sleep.
    ///
    /// # Errors
    ///
    /// See `struct altpid_kill`.
    #[doc(alias = "kill_something_info")]
    pub(crate) fn kill(&self, sender: TaskId, kill: Kill, signal: i32) -> Outcome {
        // Declared first: it must not be freed under the lock.
        let mut room = Spare::new();
        match kill {
            Kill::Pid(-1) => self.kill_many(sender, signal, |tree, sender| {
                let targets = Targets::Everybody {
                    but: tree.group_of(sender).tgid().clone(),
                    next: 2,
                };
                Ok((targets, tree.sent_by_kill(sender)))
            }),
            Kill::Pid(pid @ (0 | ..-1)) => self.kill_many(sender, signal, |tree, sender| {
                let pgrp = match pid {
                    // -INT_MIN is undefined
                    i32::MIN => return Err(Reason::NoNumber.into()),
                    0 => tree.group_of(sender).pgid().clone(),
                    _ => find_pid(tree.tasks()[sender].ns(), -pid).ok_or(Reason::NoNumber)?,
                };
                let targets = Targets::ProcessGroup { pgrp, at: None };
                Ok((targets, tree.sent_by_kill(sender)))
            }),
            Kill::Pidfd(pidfd, how) if how.to == Some(To::ProcessGroup) => {
                self.kill_many(sender, signal, |tree, sender| {
                    let (pgrp, sender) = tree.sent_by_pidfd(sender, pidfd, how, signal)?;
                    Ok((Targets::ProcessGroup { pgrp, at: None }, sender))
                })
            }
            _ => {
                let (mut tree, sender) = self.act_with_room(sender, &mut room)?;
                tree.kill_one(sender, kill, signal)
            }
        }
    }

    /// Sends a signal that no task sends to the process of a task, with 0 only asking. May sleep.
    ///
    /// # Errors
    ///
    /// See `struct altpid_kill`.
    pub(crate) fn kill_from(&self, by: By, target: TaskId, signal: i32) -> Outcome {
        // Declared first: it must not be freed under the lock.
        let mut room = Spare::new();
        let source = match by {
            By::Outside => Source::Outside,
            By::Kernel => Source::Kernel,
            By::Fault => {
                let (mut tree, target) = self.act_with_room(target, &mut room)?;
                if !(1..=NSIG).contains(&signal) {
                    return Err(Reason::Signal.into());
                }
                // A kernel whose init dies by a fault panics.
                if tree.is_world_init(tree.tasks()[target].group()) {
                    return Err(Reason::WorldInit.into());
                }
                return tree.force_signal(signal, target);
            }
        };
        let mut tree = self.work_with_room(&mut room);
        let target = tree.find(target)?;
        tree.send_checked(signal, source, target, Scope::Process)
    }
}

impl Tree {
    /// A signal that a task sends.
    pub(crate) fn sent_by(&self, sender: Idx<Task>, code: i32, value: u64) -> Sender {
        let ns = self.tasks()[sender].ns();
        let info = SigInfo::new(0, code)
            .with_pid(self.group_of(sender).tgid().nr_ns(ns))
            .with_value(value);
        Sender::with_info(ns, info)
    }

    /// A signal that a task sends by kill(2).
    pub(crate) fn sent_by_kill(&self, sender: Idx<Task>) -> Sender {
        Sender::by_kill(self.tasks()[sender].ns(), self.group_of(sender).tgid())
    }

    /// A signal that a task sends by a handle, and the pid that this is on.
    #[doc(alias = "do_pidfd_send_signal")]
    fn sent_by_pidfd(
        &self,
        sender: Idx<Task>,
        pidfd: PidfdId,
        how: ByPidfd,
        signal: i32,
    ) -> Outcome<(ARef<Pid>, Sender)> {
        let pidfd = &self.pidfds()[self.find_pidfd(pidfd)?];
        let task = &self.tasks()[sender];
        // access_pidfd_pidns()
        if !task.ns().is_ancestor_or_self(pidfd.pid().ns()) {
            return Err(Reason::Invisible.into());
        }
        let is_own = task.pid().is(pidfd.pid()) && how.to != Some(To::ProcessGroup);
        let (code, value) = match how.info {
            Some(given) if given.signo != signal => return Err(Reason::SignalInfo.into()),
            // Only to oneself.
            Some(given) if !is_own && is_reserved(given.code) => {
                return Err(Reason::SignalCode.into())
            }
            Some(given) => (given.code, given.value),
            // prepare_kill_siginfo()
            None => match how.scope(pidfd) {
                Scope::Thread => (SI_TKILL, 0),
                Scope::Process => (SI_USER, 0),
            },
        };
        Ok((pidfd.pid().clone(), self.sent_by(sender, code, value)))
    }

    /// A task sends a signal to one task or process.
    fn kill_one(&mut self, sender: Idx<Task>, kill: Kill, signal: i32) -> Outcome {
        let own = self.tasks()[sender].pid().nr();
        match kill {
            Kill::Pid(pid) => {
                let target = self.numbered(sender, pid)?;
                let sender = self.sent_by_kill(sender);
                self.send_checked(signal, Source::of(&sender), target, Scope::Process)
            }
            Kill::Thread { tgid, .. } if tgid <= 0 => Err(Reason::Range.into()),
            Kill::QueueThread { tgid, .. } if tgid <= 0 => Err(Reason::Range.into()),
            Kill::Thread { tid, .. } | Kill::Tkill(tid) | Kill::QueueThread { tid, .. }
                if tid <= 0 =>
            {
                Err(Reason::Range.into())
            }
            Kill::Thread { tgid, tid } => {
                self.send_specific(sender, Some(tgid), tid, signal, (SI_TKILL, 0))
            }
            Kill::Tkill(tid) => self.send_specific(sender, None, tid, signal, (SI_TKILL, 0)),
            Kill::QueueThread { tid: to, code, .. } | Kill::Queue { pid: to, code, .. }
                if is_reserved(code) && own != to =>
            {
                Err(Reason::SignalCode.into())
            }
            Kill::QueueThread {
                tgid,
                tid,
                code,
                value,
            } => self.send_specific(sender, Some(tgid), tid, signal, (code, value)),
            Kill::Queue { pid, code, value } => {
                let target = self.numbered(sender, pid)?;
                let sender = self.sent_by(sender, code, value);
                self.send_checked(signal, Source::of(&sender), target, Scope::Process)
            }
            Kill::Task(target) => {
                let target = self.find(target)?;
                // access_pidfd_pidns()
                let ns = self.tasks()[sender].ns();
                if !ns.is_ancestor_or_self(self.tasks()[target].ns()) {
                    return Err(Reason::Invisible.into());
                }
                let sender = self.sent_by(sender, SI_USER, 0);
                self.send_checked(signal, Source::of(&sender), target, Scope::Process)
            }
            Kill::Pidfd(pidfd, how) => {
                let (pid, sender) = self.sent_by_pidfd(sender, pidfd, how, signal)?;
                let scope = how.scope(&self.pidfds()[self.find_pidfd(pidfd)?]);
                let target = self.task_of(&pid).ok_or(Reason::Reaped)?;
                self.send_checked(signal, Source::of(&sender), target, scope)
            }
        }
    }

    /// A signal for one thread, of this process if that is given, with `si_code` and `si_value`.
    #[doc(alias = "do_send_specific")]
    fn send_specific(
        &mut self,
        sender: Idx<Task>,
        tgid: Option<i32>,
        tid: i32,
        signal: i32,
        (code, value): (i32, u64),
    ) -> Outcome {
        let target = self.numbered(sender, tid)?;
        let of = self
            .group_of(target)
            .tgid()
            .nr_ns(self.tasks()[sender].ns());
        if tgid.is_some_and(|tgid| tgid != of) {
            return Err(Reason::NoNumber.into());
        }
        let sender = self.sent_by(sender, code, value);
        self.send_checked(signal, Source::of(&sender), target, Scope::Thread)
    }

    /// The task that a number names as the sender sees it.
    pub(crate) fn numbered(&self, sender: Idx<Task>, nr: i32) -> Outcome<Idx<Task>> {
        let pid = find_pid(self.tasks()[sender].ns(), nr).ok_or(Reason::NoNumber)?;
        Ok(self.task_of(&pid).ok_or(Reason::NoNumber)?)
    }
}
