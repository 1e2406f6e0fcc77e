// SPDX-License-Identifier: GPL-2.0

//! The stream of what happens in a world.
//!
//! `drivers/connector/cn_proc.c` natively. Each event has a number. They are kept, from the first
//! reader on, in a ring; a reader that is too slow for it is told how many it has lost.
//!
//! # Locks
//!
//! Under the tree lock. Readers and those who poll are told after it is released, once for all events of a
//! hold.

use crate::{
    reason::Outcome,
    tree::ring::{Polled, Ring},
    tree::wakeups::Key,
    uapi::altpid_event,
    world::sleep::FOR_EVER,
    world::World,
};
use kernel::{
    prelude::*,
    sync::{poll::PollCondVar, Arc},
};

impl World {
    /// Copies events from number `from` on; returns how many, which is at least one. Sleeps until
    /// there are any, unless `wait` is false.
    ///
    /// # Errors
    ///
    /// `EAGAIN` when there are none and `wait` is false; `EINTR` when a signal ends the sleep;
    /// `ENOMEM`.
    pub(crate) fn read_events(
        &self,
        from: u64,
        wait: bool,
        out: &mut [altpid_event],
    ) -> Outcome<usize> {
        self.record_events()?;
        loop {
            let tree = self.work();
            let copied = tree.events().copy(from, out);
            if copied > 0 {
                return Ok(copied);
            }
            if !wait {
                return Err(EAGAIN.into());
            }
            tree.sleep([Key::EVENTS; 2], FOR_EVER)?;
        }
    }

    /// Whether there are events from number `from` on. Before it looks `wait` is given where it is
    /// told that there are more. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(crate) fn poll_events(&self, from: u64, wait: impl FnOnce(&PollCondVar)) -> Outcome<bool> {
        self.record_events()?;
        wait(self.polled()?.arrived());
        Ok(from < self.events())
    }

    /// Where those wait who poll. Events are recorded. May sleep.
    fn polled(&self) -> Result<Arc<Polled>> {
        if let Some(polled) = self.tree().events().polled() {
            return Ok(polled);
        }
        let new = Polled::new()?;
        let mut tree = self.work();
        let polled = tree.events_mut().poll_at(&new).ok_or(ENOMEM)?;
        drop(tree);
        // Somebody else may have been faster: this one goes, without the lock.
        drop(new);
        Ok(polled)
    }

    /// From now on events are kept. May sleep.
    fn record_events(&self) -> Result {
        if self.tree().events().are_kept() {
            return Ok(());
        }
        let ring = Ring::new(self.max_events())?;
        let mut tree = self.work();
        let unneeded = tree.events_mut().keep(ring);
        drop(tree);
        // Somebody else may have been faster: this one goes, without the lock.
        drop(unneeded);
        Ok(())
    }
}
