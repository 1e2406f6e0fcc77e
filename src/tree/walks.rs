// SPDX-License-Identifier: GPL-2.0

//! Signals that are on their way to many processes, and the process group that may be orphaned.
//!
//! How they go from process to process is in [`walk`](crate::signal::walk).
//!
//! # Locks
//!
//! Under the tree lock.

use super::{
    budget::SIGNAL_STEPS,
    group::Group,
    pending::SigInfo,
    shares::Share,
    task::{chain, Task},
    Tree,
};
use crate::{
    base::slots::{
        chain::{Chain, Link, Member},
        Idx,
    },
    pid::namespace::Namespace,
    pid::{find_pid_from, Pid, PidType},
    reason::{Outcome, Reason},
};
use kernel::sync::aref::ARef;

/// Where a signal of a task comes from. The task may be gone before the last one has got it.
#[derive(Clone)]
pub(crate) struct Sender {
    ns: ARef<Namespace>,
    info: SigInfo,
    /// Of kill(2), which gives nothing along: the process that has called it.
    tgid: Option<ARef<Pid>>,
}

impl Sender {
    read_value! {
        /// What comes with the signal.
        info: SigInfo;
    }

    /// A task in a namespace, that gives something along.
    pub(crate) fn with_info(ns: &Namespace, info: SigInfo) -> Self {
        Self {
            ns: ns.into(),
            info,
            tgid: None,
        }
    }

    /// A process in a namespace that calls kill(2).
    pub(crate) fn by_kill(ns: &Namespace, tgid: &Pid) -> Self {
        Self {
            ns: ns.into(),
            info: SigInfo::default(),
            tgid: Some(tgid.into()),
        }
    }

    /// The process that has called kill(2).
    pub(crate) fn tgid(&self) -> Option<&Pid> {
        self.tgid.as_deref()
    }

    /// The namespace that it is sent from.
    pub(crate) fn ns(&self) -> &Namespace {
        &self.ns
    }
}

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
    share: Share,
    link: Link<SignalWalk>,
}

impl SignalWalk {
    read! {
        /// Who sends it.
        sender: Sender;
    }

    read_value! {
        /// The signal.
        signal: i32;
    }

    /// One that has met nobody so far.
    pub(crate) fn new(sender: Sender, signal: i32, targets: Targets) -> Self {
        Self {
            sender,
            signal,
            targets,
            result: Err(Reason::NoNumber.into()),
            is_done: false,
            is_awaited: true,
            share: Share::default(),
            link: Link::new(),
        }
    }

    /// What came of it.
    pub(crate) fn result(self) -> Outcome {
        self.result
    }
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
pub(crate) enum Phase {
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
    /// The next member.
    at: Option<Idx<Group>>,
    share: Share,
}

impl Hangup {
    read! {
        /// The process group.
        pgrp: ARef<Pid>;
    }

    read_value! {
        /// What it is being done.
        phase: Phase;
    }
}

/// What is known of a process group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orphaned {
    Yes,
    No,
    /// It has many members: look again later.
    Unknown,
}

impl Tree {
    /// Whether a signal for many is on its way, or a process group may be.
    #[inline]
    pub(crate) fn has_walks(&self) -> bool {
        self.hangup.is_some() || !self.walking.is_empty()
    }

    /// What comes of the next step of a walk belongs to its share, and to a hangup's first.
    pub(super) fn go_on_with_walk(&mut self) {
        let walk = self.walking.first();
        let walk = walk.map(|walk| self.signal_walks[walk].share);
        let hangup = self.hangup.as_ref().map(|hangup| hangup.share);
        if let Some(share) = hangup.or(walk) {
            self.shares.go_on(share);
        }
    }

    /// A signal for many, which is in its store, is on its way.
    pub(crate) fn begin_walk(&mut self, walk: Idx<SignalWalk>) {
        self.signal_walks[walk].share = self.shares.queue();
        self.walking.push_back(&mut self.signal_walks, walk);
    }

    /// The caller of a walk asks for it. `None` if it is not over: nobody will ask again.
    pub(crate) fn end_walk(&mut self, walk: Idx<SignalWalk>) -> Option<SignalWalk> {
        if !self.signal_walks[walk].is_done {
            self.signal_walks[walk].is_awaited = false;
            return None;
        }
        self.signal_walks.remove(walk)
    }

    /// The process that a walk meets next, if the next number or member is one; `None` at the end.
    pub(crate) fn next_target(&mut self, walk: Idx<SignalWalk>) -> Option<Option<Idx<Task>>> {
        self.draw(SIGNAL_STEPS);
        let walk = &mut self.signal_walks[walk];
        match &mut walk.targets {
            Targets::Everybody { but, next } => {
                let (nr, pid) = find_pid_from(walk.sender.ns(), *next)?;
                *next = nr + 1;
                if pid.is(but) {
                    return Some(None);
                }
                let group = Idx::<Group>::from_raw(pid.user(PidType::Tgid));
                Some(group.and_then(|group| self.groups[group].leader))
            }
            Targets::ProcessGroup { pgrp, at } => {
                let members = Chain::<chain::ProcessGroup, Group>::starting_at(Idx::from_raw(
                    pgrp.user(PidType::Pgid),
                ));
                let member = at.unwrap_or(members.first())?;
                *at = Some(members.next(&self.groups, member));
                Some(self.groups[member].leader)
            }
        }
    }

    /// A walk has met somebody: what came of it.
    pub(crate) fn note_sent(&mut self, walk: Idx<SignalWalk>, sent: Outcome) {
        let walk = &mut self.signal_walks[walk];
        // Of a process group it is enough if one of them got it.
        if walk.result.is_err() || matches!(walk.targets, Targets::Everybody { .. }) {
            walk.result = sent;
        }
    }

    /// A walk has met everybody.
    pub(crate) fn finish_walk(&mut self, walk: Idx<SignalWalk>) {
        self.shares.unqueue(self.signal_walks[walk].share);
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

    /// It is being looked at whether a process group is orphaned. There is no other one.
    pub(crate) fn begin_hangup(&mut self, pgrp: ARef<Pid>) {
        debug_assert!(self.hangup.is_none());
        self.hangup = Some(Hangup {
            pgrp,
            phase: Phase::Look,
            at: None,
            share: self.shares.queue(),
        });
    }

    /// The next member of the orphaned process group, and the place moves on.
    pub(crate) fn next_to_hang_up(&mut self) -> Option<Idx<Group>> {
        let hangup = self.hangup.as_ref()?;
        let member = hangup.at?;
        let next = self.process_group(&hangup.pgrp).next(&self.groups, member);
        if let Some(hangup) = &mut self.hangup {
            hangup.at = next;
        }
        Some(member)
    }

    /// The process group is not orphaned, or has been told.
    pub(crate) fn end_hangup(&mut self) {
        if let Some(hangup) = self.hangup.take() {
            self.shares.unqueue(hangup.share);
        }
    }

    /// The members of an orphaned process group are sent a signal from now on.
    pub(crate) fn begin_phase(&mut self, pgrp: &Pid, signal: i32) {
        let at = self.process_group(pgrp).first();
        if let Some(hangup) = &mut self.hangup {
            (hangup.phase, hangup.at) = (Phase::Send(signal), at);
        }
    }
}
