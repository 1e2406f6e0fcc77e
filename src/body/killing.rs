// SPDX-License-Identifier: GPL-2.0

//! kill(2), tkill(2), tgkill(2) by a member: whom they reach is the world's to say, whether the sender may is
//! the kernel's.
//!
//! `kernel/signal.c`: `kill_something_info()`, `do_tkill()`. How a signal goes to many is in [`many`](super::many).
//!
//! # Locks
//!
//! The tree lock to find somebody; signals are sent without it.

use super::{calls::result, many, member::Member, queueing::Info};
use crate::{
    base::slots::{Idx, Spare},
    native::Native,
    pid::Pid,
    reason::{Outcome, Reason},
    signal::sending::{Scope, Source},
    tree::{pending::NSIG, task::Task, walks::Sender, Tree},
};
use kernel::prelude::*;

/// kill(2)
pub(super) fn kill(member: &Member, pid: i32, signal: i32) -> i64 {
    result(match pid {
        1.. => to_one(member, pid, signal, By::Kill).map(|()| 0),
        _ => many::kill(member, pid, signal).map(|()| 0),
    })
}

/// tkill(2), and with a `tgid` tgkill(2)
pub(super) fn tgkill(member: &Member, tgid: Option<i32>, tid: i32, signal: i32) -> i64 {
    result(to_thread(member, tgid, tid, signal, By::Kill).map(|()| 0))
}

/// How a signal is sent.
#[derive(Clone, Copy)]
pub(super) enum By<'a> {
    /// By kill(2) and its kin.
    Kill,
    /// With this along.
    Queue(&'a Info),
}

impl By<'_> {
    /// Sends a signal to a real thread; with a `leader` to its process, which has that one.
    pub(super) fn to_native(
        self,
        native: &Native,
        leader: Option<&Native>,
        signal: i32,
    ) -> Outcome {
        let send = |native: &Native| match self {
            By::Queue(info) => native.queue(signal, info.bytes(), leader.is_none()),
            By::Kill if leader.is_none() => native.kill_thread(signal),
            By::Kill => native.kill(signal),
        };
        let sent = match (send(native), leader) {
            // The thread has just died. Its process may live on.
            (Err(error), Some(leader)) if error == ESRCH && !leader.is(native) => send(leader),
            (sent, _) => sent,
        };
        match sent {
            // It has died meanwhile, and is a zombie here.
            Err(error) if error == ESRCH => Ok(()),
            sent => Ok(sent?),
        }
    }

    /// The sender, as the tree has it.
    pub(super) fn sender(self, tree: &Tree, sender: Idx<Task>) -> Sender {
        match self {
            By::Kill => tree.sent_by_kill(sender),
            By::Queue(info) => tree.sent_by(sender, info.code(), info.value()),
        }
    }

    /// In the tree, to a virtual task.
    fn to_virtual(
        self,
        tree: &mut Tree,
        sender: Idx<Task>,
        signal: i32,
        target: Idx<Task>,
        scope: Scope,
    ) -> Outcome {
        let sender = self.sender(tree, sender);
        tree.send_checked(signal, Source::of(&sender), target, scope)
    }
}

/// Somebody that a signal is for.
enum Target {
    /// A real process: its thread that is asked first, and its leader.
    Native(Native, Native),
    /// It has exited, and nobody has waited for it: the signal is lost.
    Dead,
    /// The signal has been sent in the tree.
    Done,
}

/// Sends a signal to the process of the thread with this number.
pub(super) fn to_one(member: &Member, nr: i32, signal: i32, by: By<'_>) -> Outcome {
    let target = {
        let tree = member.world.tree();
        let sender = tree.find(member.id)?;
        let target = tree.numbered(sender, nr)?;
        tree.tasks()[target].pid().clone()
    };
    to_process(member, &target, signal, by)
}

/// Sends a signal to the process of the thread with this pid, which takes it if it wants it (`complete_signal()`).
pub(super) fn to_process(member: &Member, target: &Pid, signal: i32, by: By<'_>) -> Outcome {
    if !(0..=NSIG).contains(&signal) {
        return Err(Reason::Signal.into());
    }
    // Declared first: it must not be freed under the lock.
    let mut room = Spare::new();
    let target = {
        let mut tree = member.world.work_with_room(&mut room);
        let task = tree.task_of(target).ok_or(Reason::NoNumber)?;
        let group = tree.tasks()[task].group();
        if tree.is_dead(group) || tree.groups()[group].exit_status().is_some() {
            Target::Dead
        } else if let Some(leader) = tree.native_of(group) {
            let thread = match tree.native_of_task(task) {
                Some(thread) => thread,
                // A thread that is not born yet: natively it cannot be found so early.
                None if tree.tasks()[task].is_alive() => return Err(Reason::NoNumber.into()),
                None => leader,
            };
            Target::Native(thread.clone(), leader.clone())
        } else if tree.is_member(group) {
            // Likewise.
            return Err(Reason::NoNumber.into());
        } else {
            let sender = tree.find(member.id)?;
            by.to_virtual(&mut tree, sender, signal, task, Scope::Process)?;
            Target::Done
        }
    };
    match target {
        Target::Native(thread, leader) => by.to_native(&thread, Some(&leader), signal),
        Target::Dead | Target::Done => Ok(()),
    }
}

/// Sends a signal to the thread with this number, of the process with that one if one is given.
pub(super) fn to_thread(
    member: &Member,
    tgid: Option<i32>,
    tid: i32,
    signal: i32,
    by: By<'_>,
) -> Outcome {
    if tid <= 0 || tgid.is_some_and(|tgid| tgid <= 0) {
        return Err(Reason::Range.into());
    }
    let target = {
        let tree = member.world.tree();
        let sender = tree.find(member.id)?;
        let target = tree.numbered(sender, tid)?;
        let of = tree.group_of(target).tgid();
        if tgid.is_some_and(|tgid| tgid != of.nr_ns(tree.tasks()[sender].ns())) {
            return Err(Reason::NoNumber.into());
        }
        tree.tasks()[target].pid().clone()
    };
    to_task(member, &target, signal, by)
}

/// Sends a signal to the thread with this pid.
pub(super) fn to_task(member: &Member, target: &Pid, signal: i32, by: By<'_>) -> Outcome {
    if !(0..=NSIG).contains(&signal) {
        return Err(Reason::Signal.into());
    }
    let mut room = Spare::new();
    let native = {
        let mut tree = member.world.work_with_room(&mut room);
        let target = tree.task_of(target).ok_or(Reason::NoNumber)?;
        if !tree.tasks()[target].is_alive() {
            return Ok(());
        }
        match tree.native_of_task(target) {
            Some(native) => native.clone(),
            None if tree.is_member(tree.tasks()[target].group()) => {
                return Err(Reason::NoNumber.into());
            }
            None => {
                let sender = tree.find(member.id)?;
                return by.to_virtual(&mut tree, sender, signal, target, Scope::Thread);
            }
        }
    };
    by.to_native(&native, None, signal)
}
