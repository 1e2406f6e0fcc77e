// SPDX-License-Identifier: GPL-2.0

//! Signals for many: for everybody, and for a process group that can have any number of members.
//!
//! `kernel/signal.c`: `kill_something_info()`, `__kill_pgrp_info()`; `kernel/exit.c`:
//! `kill_orphaned_pgrp()`, all of which natively are one hold of `tasklist_lock`.
//!
//! Here such a signal goes from process to process in steps, and is one event all the same: a fork, a
//! setsid or a setpgid that meets a walk under way has it finished first ([`World::act_alone`]). So
//! whoever was a member when it began, and whoever is a child of one, gets the signal. Once begun a walk
//! does not depend on its sender.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::{
        chain::{Link, Member},
        Idx, Spare,
    },
    pid::{find_pid_from, Pid},
    reason::{Outcome, Reason},
    signal::kill::Sender,
    signal::sending::{Scope, Source},
    tree::pending::{SIGCONT, SIGHUP},
    tree::task::{chain, Call, Group, Task},
    tree::Tree,
    world::hold::{InCall, Work, SIGNAL_STEPS},
    world::work::is_killed,
    world::World,
};
use kernel::{prelude::*, sync::aref::ARef};

/// Whom a walk meets.
pub(crate) enum Targets {
    /// Everybody in the sender's namespace but init and the process with this pid.
    Everybody {
        /// The sender's.
        but: ARef<Pid>,
        /// The number to go on from.
        next: i32,
    },
    /// The members of a process group.
    ProcessGroup {
        pgrp: ARef<Pid>,
        /// The next one, once the walk has begun.
        at: Option<Option<Idx<Group>>>,
    },
}

/// A signal on its way to many.
pub(crate) struct SignalWalk {
    sender: Sender,
    signal: i32,
    targets: Targets,
    /// What came of it so far.
    result: Outcome,
    is_done: bool,
    /// Whether the caller will ask for the result.
    is_awaited: bool,
    link: Link<SignalWalk>,
}

impl Member<chain::Walking> for SignalWalk {
    fn link(&self) -> &Link<Self> {
        &self.link
    }
    fn link_mut(&mut self) -> &mut Link<Self> {
        &mut self.link
    }
}

/// What an orphaned process group is being done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It is being looked at whether it is orphaned.
    Look,
    /// Its members are sent this signal.
    Send(i32),
}

/// A process group that may be orphaned by an exit. There is one at a time; an exit that comes by
/// another one waits for its turn.
pub(crate) struct Hangup {
    pgrp: ARef<Pid>,
    phase: Phase,
    at: Option<Idx<Group>>,
}

/// What is known of a process group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orphaned {
    Yes,
    No,
    /// It has many members: look again later.
    Unknown,
}

impl World {
    /// A task sends a signal to many. `find` says whom, and from where.
    ///
    /// # Errors
    ///
    /// As [`World::act`], and those of `find`; `ESRCH` when there is nobody to get it, else the last error
    /// if no member of a process group got it, or that of the last process of all; `EINTR` if the caller
    /// is killed: the signal is on its way then.
    pub(crate) fn kill_many(
        &self,
        sender: u64,
        signal: i32,
        find: impl Fn(&Tree, Idx<Task>) -> Outcome<(Targets, Sender)>,
    ) -> Outcome {
        let mut room = Spare::new();
        let (call, mut tree, mut index) = self.enter(sender)?;
        while !tree.signal_walks.make_room(&mut room) {
            drop(tree);
            room.fill()?;
            (tree, index) = call.go_on()?;
        }
        let (targets, sender) = find(&tree, index)?;
        tree.tasks[index].call = Call::Sending;
        let walk = tree.begin_walk(SignalWalk {
            sender,
            signal,
            targets,
            result: Err(Reason::NoNumber.into()),
            is_done: false,
            is_awaited: true,
            link: Link::new(),
        });
        // Has it done.
        drop(tree);
        let walk = self.work().end_walk(walk);
        // Without the lock: a namespace may go with it.
        walk.map_or(Err(EINTR.into()), |walk| walk.result)
    }

    /// The tree, to be changed, and a task that does something which changes who gets a signal for many:
    /// no such signal is on its way. May sleep.
    ///
    /// # Errors
    ///
    /// As [`World::act`]; `EINTR` when the caller is killed.
    #[track_caller]
    pub(crate) fn act_alone(&self, task: u64) -> Outcome<(Work<'_>, Idx<Task>)> {
        loop {
            let (tree, task) = self.act(task)?;
            if !tree.has_walks() {
                return Ok((tree, task));
            }
            // Has them done.
            drop(tree);
            if is_killed() {
                return Err(EINTR.into());
            }
        }
    }
}

impl World {
    /// Likewise, and a member that acts for itself.
    ///
    /// # Errors
    ///
    /// `ESRCH` for one that is about to die; `EINTR` when the caller is killed.
    #[track_caller]
    pub(crate) fn act_alone_as_member(&self, member: u64) -> Outcome<(Work<'_>, Idx<Task>)> {
        loop {
            let mut tree = self.work();
            if !tree.has_walks() {
                let task = tree.find_member(member)?;
                return Ok((tree, task));
            }
            // Has them done.
            drop(tree);
            if is_killed() {
                return Err(EINTR.into());
            }
        }
    }
}

impl<'a> InCall<'a> {
    /// As [`InCall::go_on`], when no signal for many is on its way.
    ///
    /// # Errors
    ///
    /// As there; `EINTR` when the caller is killed.
    #[track_caller]
    pub(crate) fn go_on_alone(&self) -> Outcome<(Work<'a>, Idx<Task>)> {
        loop {
            let (tree, task) = self.go_on()?;
            if !tree.has_walks() {
                return Ok((tree, task));
            }
            drop(tree);
            if is_killed() {
                return Err(EINTR.into());
            }
        }
    }
}

impl Tree {
    /// Whether a signal for many is on its way, or a process group may be.
    #[inline]
    pub(crate) fn has_walks(&self) -> bool {
        self.hangup.is_some() || !self.walking.is_empty()
    }

    fn begin_walk(&mut self, walk: SignalWalk) -> Idx<SignalWalk> {
        let walk = self.signal_walks.insert(walk);
        let walk = walk.unwrap_or_else(|_| panic!("altpid: no room was made"));
        self.walking.push_back(&mut self.signal_walks, walk);
        walk
    }

    /// The caller of a walk asks for it. `None` if it is not over: nobody will ask again.
    fn end_walk(&mut self, walk: Idx<SignalWalk>) -> Option<SignalWalk> {
        if !self.signal_walks[walk].is_done {
            self.signal_walks[walk].is_awaited = false;
            return None;
        }
        self.signal_walks.remove(walk)
    }

    /// Goes on with a walk.
    pub(crate) fn step_walk(&mut self) {
        if self.hangup.is_some() {
            self.hang_up();
            return;
        }
        let Some(walk) = self.walking.first() else {
            return;
        };
        loop {
            let Some(target) = self.next_target(walk) else {
                self.finish_walk(walk);
                return;
            };
            if let Some(leader) = target {
                self.send_on_walk(walk, leader);
            }
            if self.is_spent() {
                return;
            }
        }
    }

    /// The process that a walk meets next, if the next number or member is one; `None` at the end.
    fn next_target(&mut self, walk: Idx<SignalWalk>) -> Option<Option<Idx<Task>>> {
        self.draw(SIGNAL_STEPS);
        let walk = &mut self.signal_walks[walk];
        match &mut walk.targets {
            Targets::Everybody { but, next } => {
                let (nr, pid) = find_pid_from(walk.sender.ns(), *next)?;
                *next = nr + 1;
                if core::ptr::eq(&*pid, &**but) {
                    return Some(None);
                }
                let group = Idx::<Group>::from_raw(pid.user(crate::pid::PidType::Tgid));
                Some(group.and_then(|group| self.groups[group].leader))
            }
            Targets::ProcessGroup { pgrp, at } => {
                let members = chain_of(pgrp);
                let member = at.unwrap_or(members.first())?;
                *at = Some(members.next(&self.groups, member));
                Some(self.groups[member].leader)
            }
        }
    }

    fn send_on_walk(&mut self, walk: Idx<SignalWalk>, target: Idx<Task>) {
        let (signal, sender) = {
            let walk = &self.signal_walks[walk];
            (walk.signal, walk.sender.clone())
        };
        let sent = self.send_checked(signal, sender.source(), target, Scope::Process);
        let walk = &mut self.signal_walks[walk];
        match walk.targets {
            Targets::Everybody { .. } => walk.result = sent,
            // Success if one of them got it.
            Targets::ProcessGroup { .. } => {
                if walk.result.is_err() {
                    walk.result = sent;
                }
            }
        }
    }

    fn finish_walk(&mut self, walk: Idx<SignalWalk>) {
        self.walking.remove(&mut self.signal_walks, walk);
        if self.signal_walks[walk].is_awaited {
            self.signal_walks[walk].is_done = true;
        } else {
            self.signal_walks.discard(walk);
        }
    }

    /// A member leaves its process group: a walk that would meet it next meets the one behind it.
    pub(crate) fn leave_walks(&mut self, member: Idx<Group>, next: Option<Idx<Group>>) {
        if let Some(walk) = self.walking.first() {
            if let Targets::ProcessGroup { at: Some(at), .. } = &mut self.signal_walks[walk].targets
            {
                if *at == Some(member) {
                    *at = next;
                }
            }
        }
        if let Some(hangup) = &mut self.hangup {
            if hangup.at == Some(member) {
                hangup.at = next;
            }
        }
    }

    /// A process exits whose parent is `parent`, or has just lost that one: its process group may be
    /// orphaned by it, and what is stopped there gets SIGHUP and SIGCONT. No other group is being looked
    /// at. What is left is [`Tree::hangup`].
    #[doc(alias = "kill_orphaned_pgrp")]
    pub(crate) fn kill_orphaned(&mut self, group: Idx<Group>, parent: Idx<Task>) {
        let process = &self.groups[group];
        let parent = self.group_of(parent);
        // Most process groups have no stopped jobs, and need not be gone through.
        if self.nr_stopped == 0
            || core::ptr::eq(&*parent.pgid, &*process.pgid)
            || !core::ptr::eq(&*parent.sid, &*process.sid)
            || !self.has_stopped_jobs(&process.pgid)
        {
            return;
        }
        self.hangup = Some(Hangup {
            pgrp: process.pgid.clone(),
            phase: Phase::Look,
            at: None,
        });
        // Most are small.
        while self.hangup.is_some() && !self.is_spent() {
            self.hang_up();
        }
    }

    /// Goes on with the process group that may be orphaned.
    fn hang_up(&mut self) {
        let Some(hangup) = &self.hangup else { return };
        let (pgrp, phase) = (hangup.pgrp.clone(), hangup.phase);
        match phase {
            Phase::Look => match self.is_orphaned(&pgrp) {
                Orphaned::Unknown => {}
                Orphaned::Yes if self.has_stopped_jobs(&pgrp) => self.begin_phase(pgrp, SIGHUP),
                Orphaned::Yes | Orphaned::No => self.hangup = None,
            },
            Phase::Send(signal) => {
                while let Some(member) = self.hangup.as_ref().and_then(|hangup| hangup.at) {
                    if self.is_spent() {
                        return;
                    }
                    let next = chain_of(&pgrp).next(&self.groups, member);
                    if let Some(hangup) = &mut self.hangup {
                        hangup.at = next;
                    }
                    if let Some(leader) = self.groups[member].leader {
                        // Neither signal fails for want of room.
                        let _ = self.send(signal, Source::Kernel, leader, Scope::Process);
                    }
                }
                if signal == SIGHUP {
                    self.begin_phase(pgrp, SIGCONT);
                } else {
                    self.hangup = None;
                }
            }
        }
    }

    /// The members of an orphaned process group are sent a signal from now on.
    fn begin_phase(&mut self, pgrp: ARef<Pid>, signal: i32) {
        let at = self.process_group(&pgrp).first();
        self.hangup = Some(Hangup {
            pgrp,
            phase: Phase::Send(signal),
            at,
        });
    }
}

/// The members of a process group, as [`Tree::process_group`] gives them.
fn chain_of(pgrp: &Pid) -> crate::base::slots::chain::Chain<chain::ProcessGroup, Group> {
    crate::base::slots::chain::Chain::starting_at(Idx::from_raw(
        pgrp.user(crate::pid::PidType::Pgid),
    ))
}
