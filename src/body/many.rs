// SPDX-License-Identifier: GPL-2.0

//! kill(2) of everybody or of a process group, and pidfd_send_signal(2) to a process group, by a member.
//!
//! `kernel/signal.c`: `kill_something_info()`, `__kill_pgrp_info()`. Natively that is one hold of `tasklist_lock`.
//! Here the caller goes from process to process, as the kernel has to be asked for each of them whether it may,
//! and meanwhile nobody forks, or changes his process group: who wants to waits
//! ([`World::act_alone`](crate::world::World::act_alone)). A caller that is killed goes on to the end, so that no
//! process that was there in the beginning, and no child of one, is left out. A child that the kernel has still to make
//! is sent the signal when it is there, if its parent may be.
//!
//! Virtual processes get theirs by a walk of the tree, which a work item goes on with if the caller is killed.
//!
//! # Locks
//!
//! The tree lock, to find the next few. Signals are sent without it.

use super::{killing::By, member::Member};
use crate::{
    base::slots::{Idx, Spare},
    native::Native,
    pid::{find_pid, namespace::Namespace, Pid},
    reason::{Outcome, Reason},
    signal::sending::{Scope, Source},
    tree::{
        group::{Group, Parent},
        pending::NSIG,
        task::{Task, TaskId},
        walks::{SignalWalk, Targets},
        Tree,
    },
};
use kernel::{prelude::*, sync::aref::ARef, task::might_sleep};

/// A signal for everybody (-1), the own process group (0), or another one.
pub(super) fn kill(member: &Member, pid: i32, signal: i32) -> Outcome {
    send(member, signal, By::Kill, |tree, sender| {
        let pgrp = match pid {
            -1 => {
                let but = member.tgid.clone();
                return Ok(Targets::Everybody { but, next: 2 });
            }
            // -INT_MIN is undefined
            i32::MIN => return Err(Reason::NoNumber.into()),
            0 => tree.group_of(sender).pgid().clone(),
            _ => find_pid(tree.tasks()[sender].ns(), -pid).ok_or(Reason::NoNumber)?,
        };
        Ok(Targets::ProcessGroup { pgrp, at: None })
    })
}

/// A signal for the process group with this pid.
pub(super) fn to_group(member: &Member, pgrp: &Pid, signal: i32, by: By<'_>) -> Outcome {
    send(member, signal, by, |_, _| {
        let pgrp = pgrp.into();
        Ok(Targets::ProcessGroup { pgrp, at: None })
    })
}

fn send(
    member: &Member,
    signal: i32,
    by: By<'_>,
    find: impl Fn(&Tree, Idx<Task>) -> Outcome<Targets>,
) -> Outcome {
    let world = &member.world;
    let mut spare = Spare::new();
    let mut signals = Spare::new();
    // For the walk: without room it would be interrupted by other work.
    drop(world.work_with_room(&mut signals));
    let (walk, mut results) = loop {
        let mut tree = world.work_for_many()?;
        let sender = tree.find_member(member.id)?;
        let targets = find(&tree, sender)?;
        let from = by.sender(&tree, sender);
        let ns: ARef<Namespace> = from.ns().into();
        if let Some(room) = tree.room_for_walk(&mut spare) {
            let is_group = matches!(targets, Targets::ProcessGroup { .. });
            let walk = SignalWalk::new(from, signal, targets.clone()).for_virtual();
            let walk = room.insert(walk);
            tree.begin_posting(&ns, targets);
            tree.begin_walk(walk);
            break (walk, Results::new(is_group));
        }
        drop(tree);
        // Declared behind the lock: what they hold may be the last of a namespace.
        drop((targets, from));
        spare.fill()?;
    };
    let walk = world.work().end_walk(walk);
    if let Some(result) = walk.map(SignalWalk::result) {
        results.add_all(result);
    }
    loop {
        let mut next = Addressees::new();
        let is_end = next.take(&mut world.work());
        for addressee in next.0.into_iter().flatten() {
            results.add(addressee.send(member, signal, by));
        }
        if is_end {
            break;
        }
        might_sleep();
    }
    let posting = world.work().end_posting();
    drop(posting);
    results.of_all()
}

/// A real process that the signal is for.
enum Addressee {
    Process(Native),
    /// It has exited, and nobody has waited for it.
    Dead,
    /// The kernel has still to make it, as a child of that one.
    Unborn(TaskId, Native),
}

impl Addressee {
    /// `None` for a virtual process, and for one that becomes a member just now.
    fn find(tree: &Tree, group: Idx<Group>) -> Option<Self> {
        if !tree.is_member(group) {
            return None;
        }
        let process = &tree.groups()[group];
        if tree.is_dead(group) || process.exit_status().is_some() {
            return Some(Self::Dead);
        }
        if let Some(native) = tree.native_of(group) {
            return Some(Self::Process(native.clone()));
        }
        let Parent::Task(parent) = process.parent() else {
            return None;
        };
        let leader = process.leader()?;
        let parent = tree.native_of_task(parent)?.clone();
        Some(Self::Unborn(tree.tasks().id(leader), parent))
    }

    fn send(self, member: &Member, signal: i32, by: By<'_>) -> Outcome {
        if !(0..=NSIG).contains(&signal) {
            return Err(Reason::Signal.into());
        }
        match self {
            Self::Process(native) => by.to_native(&native, Some(&native), signal),
            Self::Dead => Ok(()),
            Self::Unborn(child, parent) => {
                by.to_native(&parent, Some(&parent), 0)?;
                let mut tree = member.world.work();
                let (Ok(sender), Ok(child)) = (tree.find(member.id), tree.find(child)) else {
                    return Ok(());
                };
                // It may have become anybody if it was born meanwhile.
                if let Some(native) = tree.native_of_task(child).cloned() {
                    drop(tree);
                    return by.to_native(&native, Some(&native), signal);
                }
                let from = by.sender(&tree, sender);
                let sent = tree.send_checked(signal, Source::of(&from), child, Scope::Process);
                drop(tree);
                sent
            }
        }
    }
}

/// Some of those that the signal is for.
struct Addressees([Option<Addressee>; 16]);

impl Addressees {
    fn new() -> Self {
        Self([const { None }; 16])
    }

    /// Takes the next ones from the tree; true when these are the last.
    fn take(&mut self, tree: &mut Tree) -> bool {
        for place in &mut self.0 {
            while place.is_none() {
                if tree.is_spent() {
                    return false;
                }
                let Some(next) = tree.next_addressee() else {
                    return true;
                };
                *place = next.and_then(|group| Addressee::find(tree, group));
            }
        }
        false
    }
}

/// The result so far: of a process group one success is enough, of everybody only that one lacks the permission
/// does not count.
struct Results {
    is_group: bool,
    result: Option<Outcome>,
}

impl Results {
    fn new(is_group: bool) -> Self {
        Self {
            is_group,
            result: None,
        }
    }

    /// The result of one process.
    fn add(&mut self, sent: Outcome) {
        let is_lacking = matches!(sent, Err(failure) if failure.error() == EPERM);
        match self.result {
            Some(Ok(())) if self.is_group || is_lacking => {}
            None if !self.is_group && is_lacking => self.result = Some(Ok(())),
            _ if !self.is_group && is_lacking => {}
            _ => self.result = Some(sent),
        }
    }

    /// That of a walk, which may have met nobody.
    fn add_all(&mut self, result: Outcome) {
        if !matches!(result, Err(failure) if failure.error() == ESRCH) {
            self.add(result);
        }
    }

    fn of_all(self) -> Outcome {
        self.result.unwrap_or(Err(Reason::NoNumber.into()))
    }
}
