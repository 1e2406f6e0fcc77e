// SPDX-License-Identifier: GPL-2.0

//! kill(2), tgkill(2), rt_sigqueueinfo(2), pidfd_send_signal(2), and signals of the kernel.
//!
//! `kernel/signal.c`: `kill_something_info()`, `do_send_specific()`, `do_rt_sigqueueinfo()`,
//! `do_pidfd_send_signal()`. There is one user in a world, so that nobody lacks the permission.
//!
//! # Locks
//!
//! Under the tree lock; a signal for everybody lets others have it in between.

use crate::{
    pending::{Queued, SigInfo, NSIG, SI_TKILL, SI_USER},
    pid::{find_pid, find_pid_from, Pid},
    reason::{Outcome, Reason},
    signal::{Scope, Source},
    slots::{Idx, Spare},
    task::Task,
    tree::Tree,
    world::World,
};
use kernel::task::might_sleep;

/// Numbers that are looked at at a time for a signal to everybody.
const PIECE: usize = 64;

/// A signal and whom it is for, as the caller gives it.
#[derive(Clone, Copy)]
pub(crate) enum Kill {
    /// kill(2): by the task with this id, with this pid.
    Pid(u64, i32),
    /// tgkill(2) by a task, with tgid and tid; tkill(2) with 0 for the tgid.
    Thread(u64, i32, i32),
    /// rt_sigqueueinfo(2) by a task, with pid, `si_code` and `si_value`.
    Queue(u64, i32, i32, u64),
    /// pidfd_send_signal(2) by a task, to the process of another one.
    Task(u64, u64),
    /// By a process outside of the world, to the process of a task.
    Outside(u64),
    /// By the kernel, as when a limit is reached, to the process of a task.
    Kernel(u64),
    /// A fault in the code of a task.
    Fault(u64),
}

impl World {
    /// Sends a signal, 0 only asking whether one could. May sleep.
    ///
    /// # Errors
    ///
    /// See `struct altpid_kill`.
    #[doc(alias = "kill_something_info")]
    pub(crate) fn kill(&self, kill: Kill, signal: i32) -> Outcome {
        let result = match kill {
            Kill::Pid(sender, -1) => self.kill_everybody(sender, signal),
            Kill::Pid(sender, pid @ (0 | ..-1)) => self.kill_process_group(sender, pid, signal),
            _ => {
                let mut room = Spare::new();
                // The signal itself, and what a parent is told.
                let mut tree = self.lock_for_signals(2, &mut room);
                tree.kill_one(kill, signal)
            }
        };
        self.work_off();
        result
    }

    /// kill(2) of a process group.
    fn kill_process_group(&self, sender: u64, pid: i32, signal: i32) -> Outcome {
        let mut room = Spare::<Queued>::new();
        let mut members = 0;
        loop {
            // The signal for each, and what the parent of each is told.
            let mut tree = self.lock_for_signals(2 * members, &mut room);
            let sender = tree.find_actor(sender)?;
            let pgrp = match pid {
                // -INT_MIN is undefined
                i32::MIN => return Err(Reason::NoNumber.into()),
                0 => tree.group_of(sender).pgid.clone(),
                _ => find_pid(tree.tasks[sender].ns(), -pid).ok_or(Reason::NoNumber)?,
            };
            let now = tree.process_group(&pgrp).iter(&tree.groups).count();
            if now > members && tree.queued.room() < 2 * now {
                members = now;
                continue;
            }
            let source = tree.sent_by(sender, SI_USER, 0);
            return tree.send_to_process_group(signal, source, &pgrp);
        }
    }

    /// kill(2) of everybody but init and the sender's own process.
    fn kill_everybody(&self, sender: u64, signal: i32) -> Outcome {
        let mut room = Spare::<Queued>::new();
        let mut result = Err(Reason::NoNumber.into());
        let mut next = 2;
        loop {
            let mut tree = self.lock_for_signals(2 * PIECE, &mut room);
            let sender = tree.find_actor(sender)?;
            for _ in 0..PIECE {
                let Some((nr, pid)) = find_pid_from(tree.tasks[sender].ns(), next) else {
                    return result;
                };
                next = nr + 1;
                let Some(leader) = tree.other_process(sender, &pid) else {
                    continue;
                };
                let source = tree.sent_by(sender, SI_USER, 0);
                result = tree.send_checked(signal, source, leader, Scope::Process);
            }
            drop(tree);
            might_sleep();
        }
    }
}

impl Tree {
    /// A signal that a task sends.
    fn sent_by(&self, sender: Idx<Task>, code: i32, value: u64) -> Source {
        let pid = self.group_of(sender).tgid.nr_ns(self.tasks[sender].ns());
        let info = SigInfo {
            code,
            pid,
            value,
            ..SigInfo::default()
        };
        Source::Task(sender, info)
    }

    /// The leader of the process whose number a pid is, unless that is the sender's own.
    fn other_process(&self, sender: Idx<Task>, pid: &Pid) -> Option<Idx<Task>> {
        let group = self.leader_of(pid)?;
        let leader = self.groups[group].leader?;
        (group != self.tasks[sender].group).then_some(leader)
    }

    /// A signal for one task or process.
    fn kill_one(&mut self, kill: Kill, signal: i32) -> Outcome {
        match kill {
            Kill::Pid(sender, pid) => {
                let sender = self.find_actor(sender)?;
                let target = self.numbered(sender, pid)?;
                let source = self.sent_by(sender, SI_USER, 0);
                self.send_checked(signal, source, target, Scope::Process)
            }
            Kill::Thread(sender, tgid, tid) => {
                let sender = self.find_actor(sender)?;
                if tid <= 0 || tgid < 0 {
                    return Err(Reason::Range.into());
                }
                let target = self.numbered(sender, tid)?;
                let of = self.group_of(target).tgid.nr_ns(self.tasks[sender].ns());
                if tgid != 0 && of != tgid {
                    return Err(Reason::NoNumber.into());
                }
                let source = self.sent_by(sender, SI_TKILL, 0);
                self.send_checked(signal, source, target, Scope::Thread)
            }
            Kill::Queue(sender, pid, code, value) => {
                let sender = self.find_actor(sender)?;
                let own = self.tasks[sender].pid.nr();
                // Such codes are the kernel's: nobody is to be made believe them.
                if (code >= 0 || code == SI_TKILL) && own != pid {
                    return Err(Reason::SignalCode.into());
                }
                let target = self.numbered(sender, pid)?;
                let source = self.sent_by(sender, code, value);
                self.send_checked(signal, source, target, Scope::Process)
            }
            Kill::Task(sender, target) => {
                let sender = self.find_actor(sender)?;
                let target = self.find(target)?;
                // access_pidfd_pidns()
                let ns = self.tasks[sender].ns();
                if !ns.is_ancestor_or_self(self.tasks[target].ns()) {
                    return Err(Reason::Invisible.into());
                }
                let source = self.sent_by(sender, SI_USER, 0);
                self.send_checked(signal, source, target, Scope::Process)
            }
            Kill::Outside(target) => {
                let target = self.find(target)?;
                self.send_checked(signal, Source::Outside, target, Scope::Process)
            }
            Kill::Kernel(target) => {
                let target = self.find(target)?;
                self.send_checked(signal, Source::Kernel, target, Scope::Process)
            }
            Kill::Fault(target) => {
                let target = self.find_actor(target)?;
                if !(1..=NSIG).contains(&signal) {
                    return Err(Reason::Signal.into());
                }
                // A kernel whose init dies by a fault panics.
                if self.is_world_init(self.tasks[target].group) {
                    return Err(Reason::WorldInit.into());
                }
                self.force_signal(signal, target)
            }
        }
    }

    /// The task that a number names as the sender sees it.
    fn numbered(&self, sender: Idx<Task>, nr: i32) -> Outcome<Idx<Task>> {
        let pid = find_pid(self.tasks[sender].ns(), nr).ok_or(Reason::NoNumber)?;
        Ok(self.task_of(&pid).ok_or(Reason::NoNumber)?)
    }
}
