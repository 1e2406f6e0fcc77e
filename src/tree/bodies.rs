// SPDX-License-Identifier: GPL-2.0

//! Tasks with a real thread behind them: members, and their bodies.
//!
//! The kernel runs, signals and accounts a body; numbers, parents, zombies and waits are the tree's. So the
//! tree does not kill, stop or notify a member itself: it notes a signal that the body is *owed*, which is sent
//! after the lock is released ([`Tree::take_post`]). A member has exited when its body has (`World::exited`),
//! not when it was asked to.
//!
//! # Locks
//!
//! Under the tree lock. A signal is sent without it.
//!
//! # Invariants
//!
//! - All threads of a process have bodies, or none has.
//! - A body that is owed signals and whose thread is known is on [`Tree::owing`].

use super::{held::Hold, Tree};
use crate::{
    base::slots::{
        chain::{Link, Member},
        Idx,
    },
    native::{usage::Usage, Native, NativeNr, Signal},
    reason::{Outcome, Reason},
    tree::group::Group,
    tree::pending::{SigInfo, SigSet, SIGCHLD, SIGKILL, SI_KERNEL},
    tree::task::{chain, Task, TaskId},
};

/// Signals that are sent after one hold of the lock.
const LETTERS: usize = 16;

/// The real thread behind a member, as the tree knows it.
pub(crate) struct Body {
    /// The thread; `None` until the clone that makes it has made it.
    pub(super) native: Option<Native>,
    /// The user that the thread belonged to when it exited.
    uid: u32,
    /// Of the leader: the kernel's process group that it was put into last, or is about to be.
    told_group: Option<NativeNr>,
    /// Of the leader: the resource usage of the process, once all of its threads have exited.
    usage: Usage,
    /// Signals that the process is owed.
    owed: SigSet,
    /// The siginfo of SIGCHLD with the uid in it, and that of the last other signal.
    child: SigInfo,
    child_uid: u32,
    other: SigInfo,
    owing: Link<Body>,
    /// Whose it is, once it has exited ([`held`](super::held)).
    pub(super) hold: Option<Hold>,
    pub(super) held: Link<Body>,
}

impl Member<chain::Owing> for Body {
    fn link(&self) -> &Link<Self> {
        &self.owing
    }
    fn link_mut(&mut self) -> &mut Link<Self> {
        &mut self.owing
    }
}

impl Body {
    /// A body whose thread is still to be made.
    pub(crate) fn new() -> Self {
        Self {
            native: None,
            uid: 0,
            told_group: None,
            usage: Usage::default(),
            owed: SigSet::EMPTY,
            child: SigInfo::default(),
            child_uid: 0,
            other: SigInfo::default(),
            owing: Link::new(),
            hold: None,
            held: Link::new(),
        }
    }

    /// Takes the next signal that the body is owed.
    fn next_letter(&mut self) -> Option<Letter> {
        let native = self.native.clone()?;
        let signo = self.owed.first()?;
        self.owed = self.owed.minus(SigSet::of(&[signo]));
        let (info, uid) = match signo {
            SIGCHLD => (self.child, self.child_uid),
            _ => (self.other, 0),
        };
        let info = match info.signo() == signo {
            true => info,
            false => SigInfo::new(signo, SI_KERNEL),
        };
        Some(Letter {
            to: native,
            signal: Signal {
                signo,
                code: info.code(),
                pid: info.pid(),
                uid,
                status: info.status(),
            },
        })
    }
}

/// A signal for a body.
struct Letter {
    to: Native,
    signal: Signal,
}

/// Signals for bodies, to be sent after the tree lock is released.
pub(crate) struct Post([Option<Letter>; LETTERS]);

impl Post {
    /// Sends them. Not under the tree lock.
    pub(crate) fn send(self) {
        for letter in self.0.iter().flatten() {
            letter.to.send(&letter.signal);
        }
    }
}

impl Tree {
    /// Whether there is a real process behind a group.
    pub(crate) fn is_member(&self, group: Idx<Group>) -> bool {
        self.body_of(group).is_some()
    }

    #[inline]
    fn body_of(&self, group: Idx<Group>) -> Option<Idx<Body>> {
        if self.nr_members == 0 {
            return None;
        }
        self.tasks[self.groups[group].leader?].body
    }

    /// The real process behind a group, if there is one and its thread is known.
    pub(crate) fn native_of(&self, group: Idx<Group>) -> Option<&Native> {
        self.bodies[self.body_of(group)?].native.as_ref()
    }

    /// The real thread behind a task, if there is one and it is known.
    pub(crate) fn native_of_task(&self, task: Idx<Task>) -> Option<&Native> {
        self.bodies[self.tasks[task].body?].native.as_ref()
    }

    /// The native numbers of a thread and its process, for the host's root to see.
    pub(crate) fn native_numbers(&self, task: Idx<Task>) -> Option<(NativeNr, NativeNr)> {
        let native = self.native_of_task(task)?;
        Some((native.nr(), self.native_of(self.tasks[task].group)?.nr()))
    }

    /// A task that joins has a body.
    pub(super) fn expect_body(&mut self, task: Idx<Task>, body: Idx<Body>) {
        self.tasks[task].body = Some(body);
        self.nr_members += 1;
    }

    /// The thread of a body is known from now on.
    pub(crate) fn bind(&mut self, id: TaskId, native: Native) {
        let Some(task) = self.tasks.find(id) else {
            return;
        };
        let Some(body) = self.tasks[task].body else {
            return;
        };
        self.bodies[body].native = Some(native);
        if self.bodies[body].owed != SigSet::EMPTY {
            self.owing.push_back(&mut self.bodies, body);
        }
    }

    /// A task leaves the tree, and its body with it.
    pub(crate) fn leave_body(&mut self, task: Idx<Task>) {
        if self.nr_members == 0 {
            return;
        }
        self.unhold(task);
        if let Some(body) = self.tasks[task].body.take() {
            self.owing.remove(&mut self.bodies, body);
            self.bodies.discard(body);
            self.nr_members -= 1;
        }
    }

    /// Two tasks of a process exchange bodies, as `task` takes the place of the leader (`de_thread()`). `native` is
    /// the thread as the kernel knows it after its own exec.
    pub(crate) fn exchange_bodies(&mut self, task: Idx<Task>, leader: Idx<Task>, native: Native) {
        let bodies = (self.tasks[task].body, self.tasks[leader].body);
        (self.tasks[leader].body, self.tasks[task].body) = bodies;
        if let Some(body) = self.tasks[task].body {
            self.bodies[body].native = Some(native);
        }
        // A dead leader vanishes, also when it is traced.
        self.unhold(task);
    }

    /// Notes a signal from the kernel that the process of a member is owed. A signal that is owed already is not
    /// noted twice, as a pending one is not natively. The kernel sends every signal with force, so SIGKILL and
    /// SIGSTOP without `force` are dropped here for an init (`sig_task_ignored()`).
    pub(crate) fn owe(&mut self, group: Idx<Group>, info: SigInfo, uid: u32, force: bool) {
        let Some(body) = self.body_of(group) else {
            return;
        };
        if !force && self.groups[group].unkillable && SigSet::ONLY.contains(info.signo()) {
            return;
        }
        let signal = SigSet::of(&[info.signo()]);
        let entry = &mut self.bodies[body];
        if entry.owed.contains(info.signo()) {
            return;
        }
        entry.owed = entry.owed.union(signal);
        match info.signo() {
            SIGCHLD => (entry.child, entry.child_uid) = (info, uid),
            _ => entry.other = info,
        }
        let is_unlinked = !entry.owing.is_linked();
        if is_unlinked && entry.native.is_some() {
            self.owing.push_back(&mut self.bodies, body);
        }
    }

    /// Notes that the process of a member is to be killed.
    pub(crate) fn kill_body(&mut self, group: Idx<Group>) {
        self.owe(group, SigInfo::new(SIGKILL, SI_KERNEL), 0, true);
    }

    /// Whether a body is owed signals.
    #[inline]
    pub(crate) fn owes(&self) -> bool {
        !self.owing.is_empty()
    }

    /// Takes some of the signals that bodies are owed.
    pub(crate) fn take_post(&mut self) -> Post {
        let mut letters = [const { None }; LETTERS];
        let mut len = 0;
        while let (Some(body), Some(place)) = (self.owing.first(), letters.get_mut(len)) {
            *place = self.bodies[body].next_letter();
            if place.is_some() {
                len += 1;
            } else {
                self.owing.remove(&mut self.bodies, body);
            }
        }
        Post(letters)
    }

    /// Stores the user of a body that exits, for the SIGCHLD of its parent.
    pub(crate) fn set_body_uid(&mut self, body: Idx<Body>, uid: u32) {
        self.bodies[body].uid = uid;
    }

    /// The kernel's process group that a process was put into last, or is about to be.
    pub(crate) fn told_group(&self, group: Idx<Group>) -> Option<NativeNr> {
        self.bodies[self.body_of(group)?].told_group
    }

    /// A process is about to be put into a process group of the kernel's.
    pub(crate) fn tell_group(&mut self, group: Idx<Group>, told: NativeNr) {
        if let Some(body) = self.body_of(group) {
            self.bodies[body].told_group = Some(told);
        }
    }

    /// Stores the resource usage of a process that exits.
    pub(crate) fn set_usage(&mut self, group: Idx<Group>, usage: Usage) {
        if let Some(body) = self.body_of(group) {
            self.bodies[body].usage = usage;
        }
    }

    /// The resource usage of a process that has exited; `None` if it is virtual.
    pub(crate) fn usage_of(&self, child: Idx<Group>) -> Option<Usage> {
        Some(self.bodies[self.body_of(child)?].usage)
    }

    /// The uid for the SIGCHLD of a child: the user that it belonged to.
    pub(crate) fn uid_of(&self, child: Idx<Group>) -> u32 {
        self.body_of(child).map_or(0, |body| self.bodies[body].uid)
    }

    /// The member that an id names, for a call that it makes itself.
    ///
    /// # Errors
    ///
    /// `ESRCH` for a member that is gone or about to die.
    pub(crate) fn find_member(&mut self, id: TaskId) -> Outcome<Idx<Task>> {
        let task = self.find_alive(id)?;
        if !self.goes_on(task) {
            return Err(Reason::TaskExited.into());
        }
        Ok(task)
    }
}

impl Tree {
    /// Whether the kernel itself sends the SIGCHLD for a stop of a child: the child has the same parent natively.
    pub(crate) fn is_told_natively(&self, child: Idx<Group>, parent: Idx<Group>) -> bool {
        match (self.native_of(child), self.native_of(parent)) {
            (Some(child), Some(parent)) => child.is_child_of(parent),
            _ => false,
        }
    }

    /// Notes that a member is owed a SIGCHLD.
    pub(crate) fn owe_child(&mut self, parent: Idx<Group>, child: Idx<Group>, info: SigInfo) {
        let uid = self.uid_of(child);
        self.owe(parent, info, uid, false);
    }
}
