// SPDX-License-Identifier: GPL-2.0

//! The numbers of one pid namespace: which are in use, by whom, and which comes next.
//!
//! Takes the place of the namespace's IDR and of `pidmap_lock` (`kernel/pid.c`: `alloc_pid()`,
//! `free_pid()`, `find_pid_ns()`, `find_ge_pid()`; `lib/idr.c`: `idr_alloc_cyclic()`). Numbers come
//! out in the order in which native gives them: cyclic, from 1 at first and from
//! [`RESERVED_PIDS`] after the first time round.
//!
//! # How
//!
//! A number is one slot in a radix tree ([`node`]). Taking it is one `cmpxchg` on the slot, giving
//! it back one `xchg`, finding it one load under RCU. Which slot to try is said by the cursor, a
//! counter that is drawn from like a ticket dispenser: two CPUs that allocate at once draw
//! different numbers and never look at the same slot. Full parts of the tree are skipped by a bit
//! for each child ([`full`]), empty ones are given back ([`reclaim`]).
//!
//! # Order
//!
//! Calls that do not overlap in time give exactly native's numbers. Of calls that do, each gets a
//! number of its own, and together they get what native could have given them in some order,
//! with one liberty: when a number is freed while an allocation is passing over it, that
//! allocation may have it although the cursor has been moved beyond it meanwhile.
//!
//! # Locks
//!
//! None on the way of an allocation, a release or a lookup. A CPU that takes an empty node out of
//! the table holds [`mem::reclaim_lock`]; an allocation waits for it in the one case that its own
//! number lies in that node.
//!
//! Nothing here knows what a pid is, and nothing but atomics and the allocation of nodes is asked
//! of the kernel, so that the file also builds on the host, where its races are hunted.

mod cursor;
mod full;
mod node;
mod reclaim;

pub(crate) use node::Node;

use crate::{
    base::refcount::RefCount,
    base::sync::{rcu_dereference, read_lock, Atomic, Full, Guard, Relaxed, Release},
    pid::mem,
};
use core::{marker::PhantomData, ptr::NonNull};
use cursor::{rewound, split};
use node::{Descent, Root, FREE, FROZEN, RESERVED};

/// Where the cursor goes back to after it has reached `pid_max` (`include/linux/pid.h`).
pub(crate) const RESERVED_PIDS: u32 = 300;

/// Why no number was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReserveError {
    /// The number asked for is in use.
    InUse,
    /// No number is free.
    Full,
    /// There is no memory for a node.
    NoMemory,
}

/// What every allocation writes, on a cache line of its own.
#[repr(align(64))]
struct Contended {
    /// The next number to try (`idr_next`) in the low half. The high half counts how often the
    /// cursor was set back, so that no value of the word comes a second time, unless an allocation
    /// that failed undoes its own draw.
    cursor: Atomic<u64>,
    /// See [`PidMap::owner_refs`].
    owner_refs: RefCount,
}

/// A table of numbers, each in use by a `T` or free.
///
/// The map borrows the `T`s it is given for as long as their numbers are in use; it neither drops
/// them nor looks into them.
pub(crate) struct PidMap<T> {
    root: Atomic<node::Word>,
    contended: Contended,
    /// Nodes in the table.
    nodes: Atomic<u32>,
    _users: PhantomData<*const T>,
}

// SAFETY: The map hands out pointers to `T`s that other CPUs put in.
unsafe impl<T: Sync> Send for PidMap<T> {}
// SAFETY: As above; all of its own state is atomic.
unsafe impl<T: Sync> Sync for PidMap<T> {}

/// A number that is taken, and that nobody can find until it is published.
///
/// Dropping the reservation gives the number back.
pub(crate) struct Reservation<'a, T> {
    map: &'a PidMap<T>,
    /// # Invariants
    ///
    /// The slot of `nr`. It holds `RESERVED`, so its leaf cannot leave the table.
    slot: NonNull<Atomic<node::Word>>,
    nr: u32,
}

impl<'a, T> Reservation<'a, T> {
    /// The number.
    pub(crate) fn nr(&self) -> u32 {
        self.nr
    }

    /// Lets the number be found: from now on it is `user`'s, until [`PidMap::release`].
    #[doc(alias = "idr_replace")]
    pub(crate) fn publish(self, user: NonNull<T>) {
        let this = core::mem::ManuallyDrop::new(self);
        debug_assert!(user.addr().get() > FROZEN.addr());
        // SAFETY: By the invariants the slot is in a node of the table.
        let slot = unsafe { this.slot.as_ref() };
        // Release: pairs with the load in `PidMap::get`; who finds the user finds it as it
        // was made. Litmus test: MP+publish-pid.
        slot.store(user.as_ptr().cast(), Release);
    }
}

impl<T> Drop for Reservation<'_, T> {
    fn drop(&mut self) {
        self.map.release(self.nr);
    }
}

/// Who had a number when it was looked up.
pub(crate) struct Found<'g, T> {
    pub(crate) user: NonNull<T>,
    /// The slot of the number, in a leaf that may have left the table since. It is frozen then.
    slot: &'g Atomic<node::Word>,
}

impl<T> Found<'_, T> {
    /// Whether the number is still that user's, or again.
    #[inline]
    pub(crate) fn is_still(&self) -> bool {
        self.slot.load(Relaxed) == self.user.as_ptr().cast()
    }
}

impl<T> PidMap<T> {
    /// A map in which every number is free. It takes no memory for the table yet.
    pub(crate) const fn new() -> Self {
        Self {
            root: Atomic::new(core::ptr::null_mut()),
            contended: Contended {
                cursor: Atomic::new(0),
                owner_refs: RefCount::new(1),
            },
            nodes: Atomic::new(0),
            _users: PhantomData,
        }
    }

    /// Takes the next number in cyclic order below `pid_max`.
    ///
    /// # Errors
    ///
    /// [`ReserveError::Full`] and [`ReserveError::NoMemory`]; the cursor is then where it was.
    #[doc(alias = "idr_alloc_cyclic")]
    pub(crate) fn reserve_next(&self, pid_max: u32) -> Result<Reservation<'_, T>, ReserveError> {
        let ticket = self.contended.cursor.fetch_add(1u64, Full);
        let nr = split(ticket).1;
        if (1..pid_max).contains(&nr) {
            match self.reserve(nr) {
                Ok(reservation) => {
                    if node::index(nr, 0) == 0 {
                        self.cursor_moved(nr, nr + 1);
                    }
                    return Ok(reservation);
                }
                Err(ReserveError::InUse) => {}
                Err(error) => {
                    self.cursor_moved(nr, nr + 1);
                    self.move_back(ticket + 1, ticket);
                    return Err(error);
                }
            }
        }
        self.reserve_by_search(ticket, pid_max)
    }

    /// Goes on from a ticket whose number cannot be had: the next free one is searched for.
    #[cold]
    fn reserve_by_search(
        &self,
        ticket: u64,
        pid_max: u32,
    ) -> Result<Reservation<'_, T>, ReserveError> {
        let drawn = split(ticket).1;
        self.cursor_moved(drawn, drawn + 1);
        loop {
            let cursor = self.contended.cursor.load(Relaxed);
            // Native looks at the cursor as it was before this allocation, and so do we, unless
            // somebody has set it back since.
            let first = if split(cursor).0 == split(ticket).0 {
                drawn
            } else {
                split(cursor).1
            };
            let lowest = if first > RESERVED_PIDS {
                RESERVED_PIDS
            } else {
                1
            };
            let next = split(cursor).1.max(lowest);
            let (nr, target) = if let Some(nr) = self.next_free(next, pid_max) {
                (nr, cursor + u64::from(nr + 1 - split(cursor).1))
            } else if let Some(nr) = self.next_free(lowest, pid_max) {
                (nr, rewound(cursor, nr + 1))
            } else {
                self.return_ticket_full(ticket, pid_max);
                return Err(ReserveError::Full);
            };
            // Who moves the cursor has drawn the number, as with a ticket.
            if self.contended.cursor.cmpxchg(cursor, target, Full).is_err() {
                continue;
            }
            self.cursor_moved(split(cursor).1, nr + 1);
            match self.reserve(nr) {
                // Somebody asked for just this number meanwhile.
                Err(ReserveError::InUse) => {}
                Err(error) => {
                    // Back to before the draw, if nobody else has drawn in between.
                    let before = if cursor == ticket + 1 { ticket } else { cursor };
                    self.move_back(target, before);
                    return Err(error);
                }
                reserved => return reserved,
            }
        }
    }

    /// Takes `nr`, which is not 0, without moving the cursor.
    ///
    /// # Errors
    ///
    /// [`ReserveError::InUse`] and [`ReserveError::NoMemory`].
    #[doc(alias = "idr_alloc")]
    #[inline]
    pub(crate) fn reserve(&self, nr: u32) -> Result<Reservation<'_, T>, ReserveError> {
        loop {
            let guard = read_lock();
            // SAFETY: The map is live, so its table is, and the root was read under the guard.
            if let Some((leaf, _)) = unsafe { node::leaf(self.root(&guard), nr, &guard) } {
                let slot = leaf.number(nr);
                match node::claim(slot) {
                    Ok(()) => {
                        return Ok(Reservation {
                            map: self,
                            slot: NonNull::from(slot),
                            nr,
                        })
                    }
                    Err(FROZEN) => {}
                    Err(_) => return Err(ReserveError::InUse),
                }
            } else if let Descent::Missing(_) | Descent::Outside(_) = self.walk(nr, &guard) {
                drop(guard);
                if let Err(error) = self.add_node(nr) {
                    // Nodes that were added so far hold nothing.
                    self.reclaim(nr);
                    return Err(error);
                }
                continue;
            }
            drop(guard);
            // Whoever is taking the node out is done when the lock is free.
            drop(mem::reclaim_lock());
        }
    }

    /// Adds the first node that is missing on the way to `nr`; does nothing when none is.
    #[cold]
    fn add_node(&self, nr: u32) -> Result<(), ReserveError> {
        let new = mem::alloc_node().ok_or(ReserveError::NoMemory)?;
        self.nodes.add(1u32, Relaxed);
        let guard = read_lock();
        // Full: whoever finds the new node finds it as it was made. Litmus test: MP+publish-node.
        let added = match self.walk(nr, &guard) {
            Descent::Outside(root) => {
                let level = match root.node() {
                    Some(old) => {
                        // SAFETY: Nobody knows the new node yet.
                        unsafe { new.as_ref() }
                            .child(0)
                            .store(old.as_ptr().cast(), Relaxed);
                        root.level() + 1
                    }
                    None => 0,
                };
                self.root
                    .cmpxchg(root.word(), Root::new(new, level).word(), Full)
                    .is_ok()
            }
            Descent::Missing(path) => {
                let slot = path.node(path.bottom).child(node::index(nr, path.bottom));
                let added = slot.cmpxchg(FREE, new.as_ptr().cast(), Full).is_ok();
                if added && path.bottom == 1 {
                    // SAFETY: The node was added to the table under the guard.
                    self.update_left(nr, unsafe { new.as_ref() });
                }
                added
            }
            Descent::Leaf(_) | Descent::Frozen(_) => false,
        };
        drop(guard);
        if !added {
            self.nodes.fetch_sub(1u32, Relaxed);
            // SAFETY: The node did not become reachable.
            unsafe { mem::free_node(new) };
        }
        Ok(())
    }

    /// Gives a number back that was reserved or published; it can be had again at once.
    #[doc(alias = "idr_remove")]
    pub(crate) fn release(&self, nr: u32) {
        let guard = read_lock();
        // SAFETY: The map is live, so its table is, and the root was read under the guard.
        let Some((leaf, parent)) = (unsafe { node::leaf(self.root(&guard), nr, &guard) }) else {
            debug_assert!(false, "a number in use has a leaf");
            return;
        };
        // Full: the slot is free before the bits that say "full" are looked at. Partner: the
        // cmpxchg in `mark_full`. Litmus test: SB+release-full. And before `left` is looked at.
        // Partner: the xchg in `update_left`. Litmus test: SB+release-left.
        let was = leaf.number(nr).xchg(FREE, Full);
        debug_assert!(was != FREE && was != FROZEN);
        if self.is_marked(nr, parent, &guard) {
            self.clear_full(nr, &guard);
        }
        if leaf.left.load(Relaxed) != 0 && leaf.is_empty() {
            drop(guard);
            self.reclaim(nr);
        }
    }

    /// Who has number `nr`; `None` when it is free, or taken and not published yet.
    ///
    /// The caller must know otherwise that the `T` is still there, or hold what keeps it in memory.
    #[doc(alias = "idr_find")]
    #[inline]
    pub(crate) fn get(&self, nr: u32, guard: &Guard) -> Option<NonNull<T>> {
        self.find(nr, guard).map(|found| found.user)
    }

    /// The same, for who wants to look once more later.
    #[inline]
    pub(crate) fn find<'g>(&self, nr: u32, guard: &'g Guard) -> Option<Found<'g, T>> {
        // SAFETY: The map is live, so its table is, and the root was read under `guard`.
        let (leaf, _) = unsafe { node::leaf(self.root(guard), nr, guard) }?;
        let slot = leaf.number(nr);
        // Pairs with the Release store of `Reservation::publish`. Litmus test: MP+publish-pid.
        let user = user(rcu_dereference(slot, guard))?;
        Some(Found { user, slot })
    }

    /// The first number at or after `from` that somebody has, and who.
    #[doc(alias = "idr_get_next")]
    pub(crate) fn get_next(&self, from: u32, guard: &Guard) -> Option<(u32, NonNull<T>)> {
        let mut nr = from.max(1);
        loop {
            nr = match self.walk(nr, guard) {
                Descent::Outside(_) => return None,
                Descent::Leaf(path) => {
                    let end = node::end_of(nr, 0);
                    for nr in nr..end {
                        if let Some(user) = user(rcu_dereference(path.leaf().number(nr), guard)) {
                            return Some((nr, user));
                        }
                    }
                    end
                }
                // Nothing is there: on behind the missing child.
                Descent::Missing(path) | Descent::Frozen(path) => node::end_of(nr, path.bottom - 1),
            };
        }
    }

    /// A count that the map keeps for whom it is part of, and does not look at: 1 at first. Whoever
    /// allocates a number takes a reference to the owner as well, and that way both are on one
    /// cache line.
    pub(crate) fn owner_refs(&self) -> &RefCount {
        &self.contended.owner_refs
    }

    /// Whether no number is taken, not even one that is not published.
    pub(crate) fn is_empty(&self) -> bool {
        let guard = read_lock();
        let mut empty = true;
        // SAFETY: The table is live, `guard` is held and nothing is freed.
        unsafe {
            node::for_each_node(self.root(&guard), |node, level| {
                // SAFETY: The node is in the table, and the guard is held.
                empty &= level > 0 || node.as_ref().is_empty();
            })
        };
        drop(guard);
        empty
    }

    /// Memory that the table takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.nodes.load(Relaxed) as usize * core::mem::size_of::<Node>()
    }

    #[inline]
    fn root(&self, guard: &Guard) -> Root {
        // Pairs with the Full cmpxchg of `add_node`. Litmus test: MP+publish-node.
        Root::from_word(rcu_dereference(&self.root, guard))
    }

    #[inline]
    fn walk<'g>(&self, nr: u32, guard: &'g Guard) -> Descent<'g> {
        // SAFETY: The map is live, so its table is, and the root was read under `guard`.
        unsafe { node::walk(self.root(guard), nr, guard) }
    }
}

impl<T> Drop for PidMap<T> {
    fn drop(&mut self) {
        let root = Root::from_word(*self.root.get_mut());
        // SAFETY: Nobody else has the map any more, so nobody is in its table.
        unsafe { node::for_each_node(root, |node, _| mem::free_node(node)) };
    }
}

/// What a slot of a leaf says about who has the number.
fn user<T>(word: node::Word) -> Option<NonNull<T>> {
    if word == RESERVED || word == FROZEN {
        None
    } else {
        NonNull::new(word.cast())
    }
}
