// SPDX-License-Identifier: GPL-2.0

//! prctl(2), as far as it is about parents: subreapers and parent-death signals.
//!
//! `kernel/sys.c`: `PR_SET_CHILD_SUBREAPER`, `PR_SET_PDEATHSIG`.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::slots::Idx,
    reason::{Outcome, Reason},
    tree::pending::NSIG,
    tree::task::Task,
    tree::Tree,
};

impl Tree {
    /// Whether a process takes the orphans among its descendants.
    #[doc(alias = "PR_GET_CHILD_SUBREAPER")]
    pub(crate) fn is_subreaper(&self, task: Idx<Task>) -> bool {
        self.group_of(task).is_subreaper()
    }

    /// The prctl: a thread will get a signal when its parent dies; 0 for none. It is sent by
    /// `send_pdeath_signals()` in [`exit`](crate::process::exit).
    ///
    /// # Errors
    ///
    /// `EINVAL` for a signal that there is not.
    #[doc(alias = "PR_SET_PDEATHSIG")]
    pub(crate) fn set_pdeath_signal(&mut self, task: Idx<Task>, signal: u64) -> Outcome {
        if signal > NSIG as u64 {
            return Err(Reason::Signal.into());
        }
        self.store_pdeath_signal(task, signal as u8);
        Ok(())
    }
}
