// SPDX-License-Identifier: GPL-2.0

//! Whose the queued work is: each caller works off what it has queued and what comes of that, so that a
//! small exit does not wait for a large one.
//!
//! What is queued in a hold of the lock belongs to the *share* of that hold, and so does what comes of it,
//! in whichever hold. A share is a number of a few: it is only counted how many things of each wait. Two
//! holds that have the same one by chance do each other's work. When two of them meet at one thing, as it
//! was to be queued for one and waits for the other already, the share that did not get it is *mixed*: its
//! owner works off all that there is.
//!
//! # Locks
//!
//! Under the tree lock.
//!
//! # Invariants
//!
//! - Of each share so many tasks, groups, walks and hangups wait as are counted.

use super::Tree;

/// How many there are.
const SHARES: usize = 32;

/// The share that something belongs to.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share(u8);

/// What waits of each share.
pub(crate) struct Shares {
    waiting: [u32; SHARES],
    /// Holds that a share was given to and that have not worked it off.
    owners: [u32; SHARES],
    /// A bit for each that is mixed.
    mixed: u32,
    /// What is queued now belongs to this one.
    now: Share,
    /// The last one that a hold was given.
    last: u8,
}

impl Shares {
    /// Nothing waits.
    pub(super) const fn new() -> Self {
        Self {
            waiting: [0; SHARES],
            owners: [0; SHARES],
            mixed: 0,
            now: Share(0),
            last: 0,
        }
    }

    /// Something is queued: the share that it belongs to.
    #[inline]
    pub(super) fn queue(&mut self) -> Share {
        self.waiting[self.now.place()] += 1;
        self.now
    }

    /// Something else is queued that belongs to a share.
    #[inline]
    pub(super) fn queue_also(&mut self, share: Share) {
        self.waiting[share.place()] += 1;
    }

    /// Something is to be queued that waits already.
    #[inline]
    pub(super) fn meet(&mut self, share: Share) {
        if share != self.now {
            self.mixed |= self.now.bit();
        }
    }

    /// Something of a share waits no more, and is not done.
    #[inline]
    pub(super) fn take_away(&mut self, share: Share) {
        self.unqueue(share);
        if share != self.now {
            self.mixed |= share.bit();
        }
    }

    /// Something of a share waits no more.
    #[inline]
    pub(super) fn unqueue(&mut self, share: Share) {
        self.waiting[share.place()] -= 1;
    }

    /// What is queued from now on comes of something of this share.
    #[inline]
    pub(super) fn go_on(&mut self, share: Share) {
        self.now = share;
    }

    #[inline]
    fn is_free(&self, share: Share) -> bool {
        self.waiting[share.place()] == 0 && self.owners[share.place()] == 0
    }
}

impl Share {
    #[inline]
    fn place(self) -> usize {
        usize::from(self.0) % SHARES
    }

    #[inline]
    fn bit(self) -> u32 {
        1 << self.place()
    }
}

impl Tree {
    /// A hold of the lock begins: what is queued in it belongs to this share, which nobody else has unless
    /// every one is somebody's.
    #[inline]
    pub(crate) fn begin_share(&mut self) -> Share {
        let shares = &mut self.shares;
        let mut share = Share(shares.last);
        for _ in 0..SHARES {
            share = Share((share.0 + 1) % SHARES as u8);
            if shares.is_free(share) {
                shares.mixed &= !share.bit();
                break;
            }
        }
        shares.owners[share.place()] += 1;
        (shares.last, shares.now) = (share.0, share);
        share
    }

    /// A share is worked off, or left to the world's work item.
    #[inline]
    pub(crate) fn end_share(&mut self, share: Share) {
        self.shares.owners[share.place()] -= 1;
    }

    /// Whether work is left that the owner of a share has to do.
    #[inline]
    pub(crate) fn has_work_of(&self, share: Share) -> bool {
        let is_mixed = self.shares.mixed & share.bit() != 0;
        self.shares.waiting[share.place()] != 0 || is_mixed && self.has_work()
    }

    /// A signal was added to what waits for somebody. If nobody was queued for that it is taken when others
    /// let it be: then that is waited for.
    pub(crate) fn note_added(&mut self, queued_before: u32) {
        if self.nr_queued_now() == queued_before && !self.taking.is_empty() {
            self.shares.mixed |= self.shares.now.bit();
        }
    }

    /// How much is queued of what this hold causes.
    #[inline]
    pub(crate) fn nr_queued_now(&self) -> u32 {
        self.shares.waiting[self.shares.now.place()]
    }
}
