// SPDX-License-Identifier: GPL-2.0

//! sigaction(2), sigprocmask(2) and sigpending(2).
//!
//! `kernel/signal.c`: `do_sigaction()`, `sigprocmask()`, `do_sigpending()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    reason::{Outcome, Reason},
    tree::pending::{SigSet, NSIG},
    tree::sighand::{Details, Disposition},
    tree::task::{Task, TaskId},
    tree::Tree,
    world::work::is_killed,
    world::World,
};
use kernel::{prelude::*, sync::UniqueArc};

/// A disposition with flags and mask, as sigaction(2) sets it (`struct sigaction`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) disposition: Disposition,
    /// `sa_flags`, as `ALTPID_SA_*`.
    pub(crate) flags: u32,
    /// `sa_mask`
    pub(crate) mask: SigSet,
}

impl From<Disposition> for Action {
    /// Without flags and mask.
    fn from(disposition: Disposition) -> Self {
        Self {
            disposition,
            flags: 0,
            mask: SigSet::EMPTY,
        }
    }
}

/// How sigprocmask(2) changes the mask (`SIG_BLOCK` and so on).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Block,
    Unblock,
    Set,
}

impl World {
    /// Changes the disposition of a signal, unless `new` is `None`; returns the previous one.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a signal that there is not, and for a change of SIGKILL or SIGSTOP; `ESRCH`,
    /// `EBUSY`, `ENOMEM`.
    #[doc(alias = "do_sigaction")]
    pub(crate) fn sigaction(
        &self,
        id: TaskId,
        signal: i32,
        new: Option<Action>,
    ) -> Outcome<Action> {
        // Declared first: it must not be freed under the lock.
        let mut room = None;
        loop {
            let (mut tree, task) = self.act(id)?;
            let is_signal = (1..=NSIG).contains(&signal);
            if !is_signal || (new.is_some() && SigSet::ONLY.contains(signal)) {
                return Err(Reason::Signal.into());
            }
            // Signals may still be flushed after the change before this one.
            if tree.is_forgetting(tree.tasks()[task].group()) {
                tree.work_off_all();
                if is_killed() {
                    return Err(EINTR.into());
                }
                continue;
            }
            if let Some(old) = tree.set_action(task, signal, new, &mut room) {
                return Ok(old);
            }
            drop(tree);
            room = Some(Details::room()?);
        }
    }

    /// A thread changes which signals it blocks, and takes what waited for that; returns what it
    /// blocked so far.
    ///
    /// # Errors
    ///
    /// `ESRCH`, `EBUSY`
    pub(crate) fn sigprocmask(&self, task: TaskId, how: How, set: SigSet) -> Outcome<SigSet> {
        let (mut tree, task) = self.act(task)?;
        let old = tree.tasks()[task].blocked();
        let blocked = match how {
            How::Block => old.union(set),
            How::Unblock => old.minus(set),
            How::Set => set,
        };
        let blocked = blocked.minus(SigSet::ONLY);
        // __set_current_blocked(): without a change a signal that another thread was woken for stays with it.
        if blocked != old {
            tree.leave_to_others(task, blocked.minus(old));
            tree.set_blocked(task, blocked);
            tree.recalc_sigpending(task);
        }
        Ok(old)
    }

    /// The signals that are pending for a thread or its group and blocked by the thread.
    ///
    /// # Errors
    ///
    /// As [`World::act`].
    #[doc(alias = "do_sigpending")]
    pub(crate) fn sigpending(&self, task: TaskId) -> Outcome<SigSet> {
        let (tree, task) = self.act(task)?;
        let waiting = tree
            .own_signals(task)
            .union(tree.group_of(task).pending().set());
        Ok(waiting.intersection(tree.tasks()[task].blocked()))
    }
}

impl Tree {
    /// Changes the disposition of a signal, with `room` for flags and mask if these change. `None`: there was no room,
    /// and nothing is changed.
    fn set_action(
        &mut self,
        task: Idx<Task>,
        signal: i32,
        new: Option<Action>,
        room: &mut Option<UniqueArc<Details>>,
    ) -> Option<Action> {
        let group = self.tasks()[task].group();
        let handlers = self.handlers_mut(group);
        let (flags, mask) = handlers.details(signal);
        let old = Action {
            disposition: handlers.of(signal),
            flags,
            mask,
        };
        let Some(new) = new else { return Some(old) };
        if !handlers.set_details(signal, new.flags, new.mask.minus(SigSet::ONLY), room) {
            return None;
        }
        handlers.set(signal, new.disposition);
        // POSIX 3.3.1.3: a pending signal that is ignored from now on is dropped, blocked or not.
        let ignored = match new.disposition {
            Disposition::Ignore => true,
            Disposition::Default => SigSet::IGNORE.contains(signal),
            Disposition::Handler => false,
        };
        if ignored {
            self.forget_signals(group, SigSet::of(&[signal]));
        }
        Some(old)
    }
}
