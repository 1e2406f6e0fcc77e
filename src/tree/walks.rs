// SPDX-License-Identifier: GPL-2.0

//! Signals that are being sent to many processes, and the process group that is checked for being orphaned.
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
        Idx, Slots,
    },
    pid::namespace::Namespace,
    pid::{find_pid_from, Pid, PidType},
    reason::{Outcome, Reason},
};
use kernel::sync::aref::ARef;

/// The sender of a walk. The task itself may be gone before the last process has got the signal.
#[derive(Clone)]
pub(crate) struct Sender {
    ns: ARef<Namespace>,
    info: SigInfo,
    /// The process that has called kill(2), which has no siginfo of its own.
    tgid: Option<ARef<Pid>>,
}

impl Sender {
    read_value! {
        /// The siginfo of the signal.
        info: SigInfo;
    }

    /// A task in a namespace, with the siginfo that it gives.
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

/// The processes that a walk sends to.
#[derive(Clone)]
pub(crate) enum Targets {
    /// Every process in the sender's namespace but init and the process with this pid.
    Everybody {
        /// The pid of the sender's process.
        but: ARef<Pid>,
        /// The number to go on from.
        next: i32,
    },
    /// The members of a process group.
    ProcessGroup {
        pgrp: ARef<Pid>,
        /// The next member, once the walk has begun.
        at: Option<Option<Idx<Group>>>,
    },
}

impl Targets {
    /// Moves on: the next process, `Some(None)` if the next number is none, `None` at the end. `ns` is the namespace
    /// of the sender.
    fn next(&mut self, ns: &Namespace, groups: &Slots<Group>) -> Option<Option<Idx<Group>>> {
        match self {
            Targets::Everybody { but, next } => {
                let (nr, pid) = find_pid_from(ns, *next)?;
                *next = nr + 1;
                if pid.is(but) {
                    return Some(None);
                }
                Some(Idx::from_raw(pid.user(PidType::Tgid)))
            }
            Targets::ProcessGroup { pgrp, at } => {
                let members = Chain::<chain::ProcessGroup, Group>::starting_at(Idx::from_raw(
                    pgrp.user(PidType::Pgid),
                ));
                let member = at.unwrap_or(members.first())?;
                *at = Some(members.next(groups, member));
                Some(Some(member))
            }
        }
    }

    /// A member leaves its process group: `next` is behind it.
    fn leave(&mut self, member: Idx<Group>, next: Option<Idx<Group>>) {
        if let Targets::ProcessGroup { at: Some(at), .. } = self {
            if *at == Some(member) {
                *at = next;
            }
        }
    }
}

/// A signal that is being sent to many processes.
pub(crate) struct SignalWalk {
    sender: Sender,
    signal: i32,
    targets: Targets,
    /// Only the virtual ones among them: the others get it by a [`Posting`].
    is_for_virtual: bool,
    /// The result so far.
    result: Outcome,
    is_done: bool,
    /// Whether the caller will ask for the result.
    is_awaited: bool,
    share: Share,
    link: Link<SignalWalk>,
}

impl SignalWalk {
    read! {
        /// The sender.
        sender: Sender;
    }

    read_value! {
        /// The signal.
        signal: i32;
        /// Whether it is for virtual processes only.
        is_for_virtual: bool;
    }

    /// A walk that has not sent anything yet.
    pub(crate) fn new(sender: Sender, signal: i32, targets: Targets) -> Self {
        Self {
            sender,
            signal,
            targets,
            is_for_virtual: false,
            result: Err(Reason::NoNumber.into()),
            is_done: false,
            is_awaited: true,
            share: Share::default(),
            link: Link::new(),
        }
    }

    /// The part of a member's signal that is for virtual processes.
    pub(crate) fn for_virtual(self) -> Self {
        Self {
            is_for_virtual: true,
            ..self
        }
    }

    /// The result.
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

/// A signal that a member sends to many processes, as far as these are real: its own thread sends it to each, so
/// that the kernel can say whether it may. There is one at a time.
pub(crate) struct Posting {
    ns: ARef<Namespace>,
    targets: Targets,
}

/// How far the check of a process group has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its members are looked at: is it orphaned?
    Look,
    /// It is orphaned, and its members are being sent this signal.
    Send(i32),
}

/// A process group that may have been orphaned by an exit. There is one at a time; an exit that may orphan
/// another one waits.
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
        /// How far the check has come.
        phase: Phase;
    }
}

/// Whether a process group is orphaned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orphaned {
    Yes,
    No,
    /// Not known yet, as it has many members: look again later.
    Unknown,
}

impl Tree {
    /// Whether a walk or the check of a process group is under way.
    #[inline]
    pub(crate) fn has_walks(&self) -> bool {
        self.hangup.is_some() || !self.walking.is_empty()
    }

    /// Whether a signal for many is on its way: nobody joins or leaves a process group now.
    #[inline]
    pub(crate) fn is_sending_to_many(&self) -> bool {
        self.has_walks() || self.is_posting()
    }

    /// Whether a member sends a signal to many.
    #[inline]
    pub(crate) fn is_posting(&self) -> bool {
        self.posting.is_some()
    }

    /// A member sends a signal to many, from a namespace. None does so yet.
    pub(crate) fn begin_posting(&mut self, ns: &Namespace, targets: Targets) {
        debug_assert!(self.posting.is_none());
        let ns = ns.into();
        self.posting = Some(Posting { ns, targets });
    }

    /// The next process of the member's signal, as [`Tree::next_target`].
    pub(crate) fn next_addressee(&mut self) -> Option<Option<Idx<Group>>> {
        self.draw(SIGNAL_STEPS);
        let Posting { ns, targets } = self.posting.as_mut()?;
        targets.next(ns, &self.groups)
    }

    /// Everybody has got it. What this returns is dropped without the lock: a namespace may go with it.
    pub(crate) fn end_posting(&mut self) -> Option<Posting> {
        self.posting.take()
    }

    /// Work that the next step of a walk queues belongs to the share of the walk, or to that of a hangup, which is
    /// done first.
    pub(super) fn go_on_with_walk(&mut self) {
        let walk = self.walking.first();
        let walk = walk.map(|walk| self.signal_walks[walk].share);
        let hangup = self.hangup.as_ref().map(|hangup| hangup.share);
        if let Some(share) = hangup.or(walk) {
            self.shares.go_on(share);
        }
    }

    /// Queues a walk, which is in its store.
    pub(crate) fn begin_walk(&mut self, walk: Idx<SignalWalk>) {
        self.signal_walks[walk].share = self.shares.queue();
        self.walking.push_back(&mut self.signal_walks, walk);
    }

    /// Takes a walk out, for its caller. `None` if it goes on, in which case nobody will ask again.
    pub(crate) fn end_walk(&mut self, walk: Idx<SignalWalk>) -> Option<SignalWalk> {
        if !self.signal_walks[walk].is_done {
            self.signal_walks[walk].is_awaited = false;
            return None;
        }
        self.signal_walks.remove(walk)
    }

    /// Moves a walk on: the leader of the next process, `Some(None)` if the next number is none, `None` at the
    /// end.
    pub(crate) fn next_target(&mut self, walk: Idx<SignalWalk>) -> Option<Option<Idx<Task>>> {
        self.draw(SIGNAL_STEPS);
        let walk = &mut self.signal_walks[walk];
        let next = walk.targets.next(walk.sender.ns(), &self.groups)?;
        Some(next.and_then(|group| self.groups[group].leader))
    }

    /// Adds the result of one send to that of a walk.
    pub(crate) fn note_sent(&mut self, walk: Idx<SignalWalk>, sent: Outcome) {
        let walk = &mut self.signal_walks[walk];
        // One success is enough for a process group.
        if walk.result.is_err() || matches!(walk.targets, Targets::Everybody { .. }) {
            walk.result = sent;
        }
    }

    /// A walk has sent to every process.
    pub(crate) fn finish_walk(&mut self, walk: Idx<SignalWalk>) {
        self.shares.unqueue(self.signal_walks[walk].share);
        self.walking.remove(&mut self.signal_walks, walk);
        if self.signal_walks[walk].is_awaited {
            self.signal_walks[walk].is_done = true;
        } else {
            self.signal_walks.discard(walk);
        }
    }

    /// A member leaves its process group: a walk or a hangup that points to it goes on with the next member.
    pub(crate) fn leave_walks(&mut self, member: Idx<Group>, next: Option<Idx<Group>>) {
        if let Some(walk) = self.walking.first() {
            self.signal_walks[walk].targets.leave(member, next);
        }
        if let Some(posting) = &mut self.posting {
            posting.targets.leave(member, next);
        }
        if let Some(hangup) = &mut self.hangup {
            if hangup.at == Some(member) {
                hangup.at = next;
            }
        }
    }

    /// Begins the check whether a process group is orphaned. No other check is under way.
    pub(crate) fn begin_hangup(&mut self, pgrp: ARef<Pid>) {
        debug_assert!(self.hangup.is_none());
        self.hangup = Some(Hangup {
            pgrp,
            phase: Phase::Look,
            at: None,
            share: self.shares.queue(),
        });
    }

    /// Takes the next member of the orphaned process group.
    pub(crate) fn next_to_hang_up(&mut self) -> Option<Idx<Group>> {
        let hangup = self.hangup.as_ref()?;
        let member = hangup.at?;
        let next = self.process_group(&hangup.pgrp).next(&self.groups, member);
        if let Some(hangup) = &mut self.hangup {
            hangup.at = next;
        }
        Some(member)
    }

    /// Ends the check: the process group is not orphaned, or was sent its signals.
    pub(crate) fn end_hangup(&mut self) {
        if let Some(hangup) = self.hangup.take() {
            self.shares.unqueue(hangup.share);
        }
    }

    /// Begins to send a signal to the members of an orphaned process group.
    pub(crate) fn begin_phase(&mut self, pgrp: &Pid, signal: i32) {
        let at = self.process_group(pgrp).first();
        if let Some(hangup) = &mut self.hangup {
            (hangup.phase, hangup.at) = (Phase::Send(signal), at);
        }
    }
}
