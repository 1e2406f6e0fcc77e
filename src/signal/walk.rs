// SPDX-License-Identifier: GPL-2.0

//! Signals for many processes: kill(-1), and signals for a process group, which can have any number of members.
//!
//! `kernel/signal.c`: `kill_something_info()`, `__kill_pgrp_info()`; `kernel/exit.c`:
//! `kill_orphaned_pgrp()`, all of which natively are one hold of `tasklist_lock`.
//!
//! Here such a signal goes from process to process in steps, and is one event all the same: a fork, a
//! setsid or a setpgid that meets a walk under way finishes the walk first ([`World::act_alone`]). So every
//! process that was a member when the walk began gets the signal, and so does every child of one. Once begun
//! a walk does not depend on its sender. Where a member sends, and the kernel has to be asked whether it may, its
//! thread goes from process to process itself, and is waited for ([`Posting`](crate::tree::walks::Posting)).
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::{Idx, Spare},
    reason::Outcome,
    signal::sending::{Scope, Source},
    tree::call::Call,
    tree::group::Group,
    tree::pending::{SIGCONT, SIGHUP},
    tree::task::{Task, TaskId},
    tree::walks::Sender,
    tree::walks::{Orphaned, Phase, SignalWalk, Targets},
    tree::Tree,
    world::hold::{InCall, Work},
    world::sleep::pause,
    world::work::is_killed,
    world::World,
};
use kernel::prelude::*;

/// How often a member that sends to many pauses for those who were held up by the signal before. Without that who
/// sends one after the other would keep the world from forking; without an end who waits to fork, and runs seldom,
/// would keep others from sending.
const PATIENCE: u32 = 10;

impl World {
    /// A task sends a signal to many processes. `find` says to which, and from which namespace.
    ///
    /// # Errors
    ///
    /// As [`World::act`], and those of `find`; `ESRCH` when there is no process to send to; for a process group the
    /// last error if no member got the signal, for kill(-1) that of the last process; `EINTR` if the caller is
    /// killed, in which case the walk goes on.
    pub(crate) fn kill_many(
        &self,
        sender: TaskId,
        signal: i32,
        find: impl Fn(&Tree, Idx<Task>) -> Outcome<(Targets, Sender)>,
    ) -> Outcome {
        let mut spare = Spare::new();
        let mut signals = Spare::new();
        // For the signals of the walk: without room it would be interrupted by other work.
        drop(self.work_with_room(&mut signals));
        let (call, mut tree, mut index) = self.enter(sender)?;
        let walk = loop {
            let (targets, sender) = find(&tree, index)?;
            if let Some(room) = tree.room_for_walk(&mut spare) {
                break room.insert(SignalWalk::new(sender, signal, targets));
            }
            drop(tree);
            spare.fill()?;
            (tree, index) = call.go_on()?;
        };
        tree.set_call(index, Call::Sending);
        tree.begin_walk(walk);
        // The guard works the walk off.
        drop(tree);
        let walk = self.work().end_walk(walk);
        // Without the lock: a namespace may go with it.
        walk.map_or(Err(EINTR.into()), SignalWalk::result)
    }

    /// [`World::act`] for a verb that changes which processes get a signal for many: no walk is under way. May
    /// sleep.
    ///
    /// # Errors
    ///
    /// As [`World::act`]; `EINTR` when the caller is killed.
    #[track_caller]
    #[inline(always)]
    pub(crate) fn act_alone(&self, task: TaskId) -> Outcome<(Work<'_>, Idx<Task>)> {
        let mut held_up = None;
        loop {
            let (tree, task) = self.act(task)?;
            if !tree.is_sending_to_many() {
                return Ok((tree, task));
            }
            held_up.get_or_insert_with(|| self.hold_up());
            tree.let_walks_end(false)?;
        }
    }

    /// The tree for a member that begins to send to many: no other one does so, and who was held up by that has mostly
    /// gone first. May sleep.
    ///
    /// # Errors
    ///
    /// `EINTR` when the caller is killed.
    #[track_caller]
    pub(crate) fn work_for_many(&self) -> Outcome<Work<'_>> {
        let mut patience = PATIENCE;
        loop {
            let tree = self.work();
            if !tree.is_posting() {
                if patience == 0 || !self.holds_up() {
                    return Ok(tree);
                }
                patience -= 1;
            }
            tree.let_walks_end(true)?;
        }
    }

    /// [`World::act_alone`] for a member that makes a call itself.
    ///
    /// # Errors
    ///
    /// `ESRCH` for a member that is about to die; `EINTR` when the caller is killed.
    #[track_caller]
    pub(crate) fn act_alone_as_member(&self, member: TaskId) -> Outcome<(Work<'_>, Idx<Task>)> {
        let mut held_up = None;
        loop {
            let mut tree = self.work();
            if !tree.is_sending_to_many() {
                let task = tree.find_member(member)?;
                return Ok((tree, task));
            }
            held_up.get_or_insert_with(|| self.hold_up());
            tree.let_walks_end(false)?;
        }
    }
}

impl<'a> InCall<'a> {
    /// As [`InCall::go_on`], when no walk is under way.
    ///
    /// # Errors
    ///
    /// As [`InCall::go_on`]; `EINTR` when the caller is killed.
    #[track_caller]
    pub(crate) fn go_on_alone(&self) -> Outcome<(Work<'a>, Idx<Task>)> {
        let mut held_up = None;
        loop {
            let (tree, task) = self.go_on()?;
            if !tree.is_sending_to_many() {
                return Ok((tree, task));
            }
            held_up.get_or_insert_with(|| tree.world().hold_up());
            tree.let_walks_end(false)?;
        }
    }
}

impl Work<'_> {
    /// Signals for many that are under way come to their end, or, if a member sends one, nearly; with `pauses` the
    /// caller sleeps for a moment in any case. May sleep.
    ///
    /// # Errors
    ///
    /// `EINTR` when the caller is killed.
    pub(crate) fn let_walks_end(self, pauses: bool) -> Outcome {
        let is_posting = pauses || self.is_posting();
        self.work_off_all();
        if is_killed() {
            return Err(EINTR.into());
        }
        if is_posting {
            pause();
        }
        Ok(())
    }
}

impl Tree {
    /// Goes on with a walk.
    pub(crate) fn step_walk(&mut self) {
        if self.hangup().is_some() {
            self.hang_up();
            return;
        }
        let Some(walk) = self.first_walk() else {
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

    fn send_on_walk(&mut self, walk: Idx<SignalWalk>, target: Idx<Task>) {
        if self.walk(walk).is_for_virtual() && self.is_member(self.tasks()[target].group()) {
            return;
        }
        let sender = self.walk(walk).sender().clone();
        let signal = self.walk(walk).signal();
        let sent = self.send_checked(signal, Source::of(&sender), target, Scope::Process);
        self.note_sent(walk, sent);
    }

    /// A process with the parent `parent` exits, or was just reparented away from it. That may orphan its process
    /// group, in which case the group gets SIGHUP and SIGCONT if members are stopped. No other group is being
    /// checked. If there is more than one hold can do the rest is [`Tree::hangup`].
    #[doc(alias = "kill_orphaned_pgrp")]
    pub(crate) fn kill_orphaned(&mut self, group: Idx<Group>, parent: Idx<Task>) {
        let process = &self.groups()[group];
        let parent = self.group_of(parent);
        // Most process groups have no stopped jobs, and need not be gone through.
        if self.nr_stopped() == 0
            || parent.pgid().is(process.pgid())
            || !parent.sid().is(process.sid())
            || !self.has_stopped_jobs(process.pgid())
        {
            return;
        }
        self.begin_hangup(process.pgid().clone());
        // Most process groups are small.
        while self.hangup().is_some() && !self.is_spent() {
            self.hang_up();
        }
    }

    /// Goes on with the process group that is being checked.
    fn hang_up(&mut self) {
        let Some(hangup) = self.hangup() else { return };
        let (pgrp, phase) = (hangup.pgrp().clone(), hangup.phase());
        match phase {
            Phase::Look => match self.is_orphaned(&pgrp) {
                Orphaned::Unknown => {}
                Orphaned::Yes if self.has_stopped_jobs(&pgrp) => self.begin_phase(&pgrp, SIGHUP),
                Orphaned::Yes | Orphaned::No => self.end_hangup(),
            },
            Phase::Send(signal) => {
                while let Some(member) = self.next_to_hang_up() {
                    if let Some(leader) = self.groups()[member].leader() {
                        // Neither signal fails for want of room.
                        let _ = self.send(signal, Source::Kernel, leader, Scope::Process);
                    }
                    if self.is_spent() {
                        return;
                    }
                }
                if signal == SIGHUP {
                    self.begin_phase(&pgrp, SIGCONT);
                } else {
                    self.end_hangup();
                }
            }
        }
    }
}
