// SPDX-License-Identifier: GPL-2.0

//! Shares: which caller does which queued work. Each caller does the work that it has queued and the work that
//! this causes, so that a small exit does not wait for a large one.
//!
//! Work that is queued in a hold of the lock belongs to the *share* of that hold. A hold is given a share when it
//! queues something; most holds never do. When a step does that work, in whichever hold, the work that the step
//! queues belongs to the same share. There are [`SHARES`] of them, and each only counts how many things wait: if all are
//! in use two callers get the same one, and each does the work of both.
//!
//! A task or group that is queued for one share can be wanted by another share. It stays where it is or moves; the
//! share that does not have it is *mixed* from then on, and its caller does all queued work.
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

/// Names one of them.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Share(u8);

/// All shares of a world.
pub(crate) struct Shares {
    /// How many things wait that belong to each.
    waiting: [u32; SHARES],
    /// How many callers have each and have not worked it off.
    owners: [u32; SHARES],
    /// A bit for each that is mixed.
    mixed: u32,
    /// The share that work queued now belongs to. `None`: this hold has not been given one.
    now: Option<Share>,
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
            now: None,
            last: 0,
        }
    }

    /// Counts one more task or group that is queued; returns the share that it belongs to.
    #[inline]
    pub(super) fn queue(&mut self) -> Share {
        let now = self.now();
        self.waiting[now.place()] += 1;
        now
    }

    /// The share of this hold.
    #[inline]
    fn now(&mut self) -> Share {
        self.now.unwrap_or_else(|| self.give())
    }

    /// Gives this hold a share that no other caller has, unless all of them are in use.
    fn give(&mut self) -> Share {
        let mut share = Share(self.last);
        for _ in 0..SHARES {
            share = Share((share.0 + 1) % SHARES as u8);
            if self.is_free(share) {
                self.mixed &= !share.bit();
                break;
            }
        }
        self.owners[share.place()] += 1;
        (self.last, self.now) = (share.0, Some(share));
        share
    }

    /// The share of this hold is mixed.
    #[inline]
    fn mix(&mut self) {
        self.mixed |= self.now().bit();
    }

    /// Counts one more task or group that is queued for this share.
    #[inline]
    pub(super) fn queue_also(&mut self, share: Share) {
        self.waiting[share.place()] += 1;
    }

    /// A task or group was to be queued, and is queued for `share` already.
    #[inline]
    pub(super) fn meet(&mut self, share: Share) {
        if Some(share) != self.now {
            self.mix();
        }
    }

    /// A task or group that was queued for `share` is taken off the queue by this hold, which takes care of it.
    #[inline]
    pub(super) fn take_away(&mut self, share: Share) {
        self.unqueue(share);
        if Some(share) != self.now {
            self.mixed |= share.bit();
        }
    }

    /// A task or group that was queued for `share` is not queued any more.
    #[inline]
    pub(super) fn unqueue(&mut self, share: Share) {
        self.waiting[share.place()] -= 1;
    }

    /// Work that is queued from now on belongs to this share.
    #[inline]
    pub(super) fn go_on(&mut self, share: Share) {
        self.now = Some(share);
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
    /// A hold of the lock begins that may queue something.
    #[inline]
    pub(crate) fn begin_hold(&mut self) {
        self.shares.now = None;
    }

    /// The share of this hold, which the caller is to end ([`Tree::end_share`]); gives it one if it has
    /// queued nothing.
    pub(crate) fn share(&mut self) -> Share {
        self.shares.now()
    }

    /// A hold ends, and its work is done if there was any. Its share is free again.
    #[inline]
    pub(crate) fn end_hold(&mut self) {
        if let Some(share) = self.shares.now {
            self.end_share(share);
        }
    }

    /// Whether work of this hold is left to be done.
    #[inline]
    pub(crate) fn has_own_work(&self) -> bool {
        (self.shares.now).is_some_and(|share| self.has_work_of(share))
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

    /// A signal was added to the pending ones; `queued_before` is [`Tree::nr_queued_now`] from before. If no thread was
    /// queued for it, a thread that is queued for another share may take the signal: this share is mixed then.
    pub(crate) fn note_added(&mut self, queued_before: u32) {
        if self.nr_queued_now() == queued_before && !self.taking.is_empty() {
            self.shares.mix();
        }
    }

    /// How many tasks and groups are queued for the share of this hold.
    #[inline]
    pub(crate) fn nr_queued_now(&self) -> u32 {
        (self.shares.now).map_or(0, |now| self.shares.waiting[now.place()])
    }
}
