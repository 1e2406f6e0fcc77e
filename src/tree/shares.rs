// SPDX-License-Identifier: GPL-2.0

//! Whose the queued work is: each caller works off what it has queued and what comes of that, so that a
//! small exit does not wait for a large one.
//!
//! What is queued in a hold of the lock belongs to the *share* of that hold, and so does what comes of it,
//! in whichever hold. A share is a number of a few: it is only counted how many things of each wait. Two
//! holds that have the same one by chance do each other's work, and a hold that would queue what waits for
//! another one already does all that there is.
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
    /// What is queued now belongs to this one.
    now: Share,
    /// The last one that a hold was given.
    last: u8,
    /// Something was to be queued in this hold that waits for another share already.
    is_mixed: bool,
}

impl Shares {
    /// Nothing waits.
    pub(super) const fn new() -> Self {
        Self {
            waiting: [0; SHARES],
            now: Share(0),
            last: 0,
            is_mixed: false,
        }
    }

    /// Something is queued: the share that it belongs to.
    #[inline]
    pub(super) fn queue(&mut self) -> Share {
        self.waiting[usize::from(self.now.0) % SHARES] += 1;
        self.now
    }

    /// Something else is queued that belongs to a share.
    #[inline]
    pub(super) fn queue_also(&mut self, share: Share) {
        self.waiting[usize::from(share.0) % SHARES] += 1;
    }

    /// Something is to be queued that waits already.
    #[inline]
    pub(super) fn meet(&mut self, share: Share) {
        self.is_mixed |= share != self.now;
    }

    /// Something of a share waits no more.
    #[inline]
    pub(super) fn unqueue(&mut self, share: Share) {
        self.waiting[usize::from(share.0) % SHARES] -= 1;
    }

    /// What is queued from now on comes of something of this share.
    #[inline]
    pub(super) fn go_on(&mut self, share: Share) {
        self.now = share;
    }

    #[inline]
    fn has(&self, share: Share) -> bool {
        self.waiting[usize::from(share.0) % SHARES] != 0
    }
}

impl Tree {
    /// A hold of the lock begins: what is queued in it belongs to this share, of which nothing waits unless
    /// something of every one does.
    #[inline]
    pub(crate) fn begin_share(&mut self) -> Share {
        let shares = &mut self.shares;
        for _ in 0..SHARES {
            shares.last = (shares.last + 1) % SHARES as u8;
            if !shares.has(Share(shares.last)) {
                break;
            }
        }
        shares.is_mixed = false;
        shares.now = Share(shares.last);
        shares.now
    }

    /// What the caller of this hold works off, to which a share was given: with `None` all that there is.
    #[inline]
    pub(crate) fn due_share(&self, share: Share) -> Option<Share> {
        (!self.shares.is_mixed).then_some(share)
    }

    /// Whether something of a share waits, or with `None` anything.
    #[inline]
    pub(crate) fn has_work_of(&self, share: Option<Share>) -> bool {
        match share {
            Some(share) => self.shares.has(share),
            None => self.has_work(),
        }
    }
}
