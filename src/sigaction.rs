// SPDX-License-Identifier: GPL-2.0

//! sigaction(2) and sigprocmask(2): what a task does about signals.
//!
//! `kernel/signal.c`: `do_sigaction()`, `sigprocmask()`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    pending::{SigSet, NSIG, SIGCHLD},
    reason::{Outcome, Reason},
    slots::Idx,
    task::{Disposition, Task},
    tree::Tree,
    work::is_killed,
    world::World,
};
use kernel::prelude::*;

/// What sigaction(2) sets (`struct sigaction`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) disposition: Disposition,
    /// `SA_NOCLDWAIT`; of SIGCHLD alone.
    pub(crate) nocldwait: bool,
    /// `SA_NOCLDSTOP`; of SIGCHLD alone.
    pub(crate) nocldstop: bool,
}

/// How sigprocmask(2) changes what is blocked (`SIG_BLOCK` and so on).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Block,
    Unblock,
    Set,
}

impl World {
    /// A process changes, unless `new` is `None`, what it does about a signal; returns what it did
    /// so far.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a signal that there is not, and for a change of SIGKILL or SIGSTOP; `ESRCH`,
    /// `EBUSY`.
    #[doc(alias = "do_sigaction")]
    pub(crate) fn sigaction(&self, id: u64, signal: i32, new: Option<Action>) -> Outcome<Action> {
        let (mut tree, mut task) = self.act(id)?;
        // A change before this one may still have signals to be forgotten.
        while tree.is_forgetting(tree.tasks[task].group) {
            drop(tree);
            if is_killed() {
                return Err(EINTR.into());
            }
            (tree, task) = self.act(id)?;
        }
        if !(1..=NSIG).contains(&signal) || (new.is_some() && SigSet::ONLY.contains(signal)) {
            return Err(Reason::Signal.into());
        }
        Ok(tree.set_action(task, signal, new))
    }

    /// A thread changes which signals it blocks, and takes what waited for that; returns what it
    /// blocked so far.
    ///
    /// # Errors
    ///
    /// `ESRCH`, `EBUSY`
    pub(crate) fn sigprocmask(&self, task: u64, how: How, set: SigSet) -> Outcome<SigSet> {
        let (mut tree, task) = self.act(task)?;
        let old = tree.tasks[task].blocked;
        let blocked = match how {
            How::Block => old.union(set),
            How::Unblock => old.minus(set),
            How::Set => set,
        };
        tree.tasks[task].blocked = blocked.minus(SigSet::ONLY);
        if tree.has_signals(task) {
            tree.queue_work(task);
        }
        Ok(old)
    }
}

impl Tree {
    fn set_action(&mut self, task: Idx<Task>, signal: i32, new: Option<Action>) -> Action {
        let group = self.tasks[task].group;
        let handlers = self.handlers_mut(group);
        let is_child = signal == SIGCHLD;
        let old = Action {
            disposition: handlers.of(signal),
            nocldwait: is_child && handlers.nocldwait,
            nocldstop: is_child && handlers.nocldstop,
        };
        let Some(new) = new else { return old };
        handlers.set(signal, new.disposition);
        if is_child {
            handlers.nocldwait = new.nocldwait;
            handlers.nocldstop = new.nocldstop;
        }
        // POSIX 3.3.1.3: what is ignored from now on and waits is forgotten, blocked or not.
        let ignored = match new.disposition {
            Disposition::Ignore => true,
            Disposition::Default => SigSet::IGNORE.contains(signal),
            Disposition::Handler => false,
        };
        if ignored {
            self.forget_signals(group, SigSet::of(&[signal]));
        }
        old
    }
}
