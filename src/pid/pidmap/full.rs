// SPDX-License-Identifier: GPL-2.0

//! Passing over what is full, and the search for a free number.
//!
//! Each node above the leaves has one bit for each child, [`Node::full`](super::Node), that says
//! that no number below the child is free. Allocations do not keep the bits: the search sets one
//! when it has found a child full, and a release clears those above the number it frees. So both
//! are right most of the time and late now and then; two rules keep a free number from being
//! passed over for good:
//!
//! - who sets a bit looks at the child once more *after* that, and clears it again if there is a
//!   free number by now;
//! - who makes a number free clears the bits above *after* that.
//!
//! With a full barrier in each, at least one of the two sees what the other did (the store
//! buffering pattern, litmus test SB+release-full). The same pair joins each level to the next.

use super::{
    node::{self, Descent, Node, Path, FANOUT, FREE, FROZEN},
    PidMap,
};
use crate::base::sync::{read_lock, Full, Guard, Relaxed};

/// Whether the node at `level` has no free number as far as it knows itself.
fn is_full(node: &Node, level: usize) -> bool {
    if level == 0 {
        node.slots().iter().all(|slot| {
            let word = slot.load(Relaxed);
            word != FREE && word != FROZEN
        })
    } else {
        node.full.load(Relaxed) == u64::MAX >> (64 - FANOUT)
    }
}

/// Sets (`on`) or clears bit `index` of the node; tells whether it was the other way before.
fn change(node: &Node, index: u32, on: bool) -> bool {
    let bit = 1u64 << index;
    let mut old = node.full.load(Relaxed);
    loop {
        if (old & bit != 0) == on {
            return false;
        }
        match node.full.cmpxchg(old, old ^ bit, Full) {
            Ok(_) => return true,
            Err(now) => old = now,
        }
    }
}

impl<T> PidMap<T> {
    /// The first free number in `from..end`, if any.
    ///
    /// It is only a hint: somebody else may take the number before the caller does.
    pub(super) fn next_free(&self, from: u32, end: u32) -> Option<u32> {
        let mut nr = from;
        while nr < end {
            // Let go of RCU now and then: a full map has tens of thousands of leaves.
            let guard = read_lock();
            match self.walk(nr, &guard) {
                Descent::Outside(_) | Descent::Missing(_) | Descent::Frozen(_) => return Some(nr),
                Descent::Leaf(path) => {
                    if let Some(behind) = self.behind_full(nr, &path) {
                        nr = behind;
                        continue;
                    }
                    let leaf_end = node::end_of(nr, 0);
                    let free = (nr..leaf_end).find(|&nr| {
                        let word = path.leaf().number(nr).load(Relaxed);
                        word == FREE || word == FROZEN
                    });
                    match free {
                        Some(nr) => return (nr < end).then_some(nr),
                        None => self.mark_full(nr, path, &guard),
                    }
                    nr = leaf_end;
                }
            }
        }
        None
    }

    /// When a node on the way to `nr` is marked full: the first number that is not below a marked
    /// one, as far as the bits of one node tell.
    fn behind_full(&self, nr: u32, path: &Path<'_>) -> Option<u32> {
        for level in (1..=path.root.level()).rev() {
            let index = node::index(nr, level);
            let marked = path.node(level).full.load(Relaxed) >> index;
            if marked & 1 != 0 {
                let skip = marked.trailing_ones().min(FANOUT - index);
                let child = node::ordinal(nr, level - 1);
                return Some(node::first_of(child + skip, level - 1));
            }
        }
        None
    }

    /// Marks the leaf of `nr` full if it is, and then what is full above it.
    fn mark_full(&self, nr: u32, path: Path<'_>, guard: &Guard) {
        for level in 0..path.root.level() {
            let child = path.node(level);
            if !is_full(child, level) {
                return;
            }
            let parent = path.node(level + 1);
            // Full, then the second look: partner of the xchg in `PidMap::release`, and of the
            // cmpxchg in `clear_full` one level below. Litmus test: SB+release-full.
            change(parent, node::index(nr, level + 1), true);
            if !is_full(child, level) {
                self.clear_full(nr, guard);
                return;
            }
        }
    }

    /// Whether the leaf of `nr`, which is below `parent`, may be marked full although `nr` became
    /// free.
    ///
    /// The caller has done a fully ordered read-modify-write on the slot: whoever marks the leaf
    /// after this sees that it has a free number. What is marked above without the leaf being
    /// marked is for those to clear who took the leaf's mark away.
    #[inline]
    pub(super) fn is_marked(&self, nr: u32, parent: Option<&Node>, guard: &Guard) -> bool {
        match parent {
            Some(parent) => parent.full.load(Relaxed) & (1 << node::index(nr, 1)) != 0,
            // Unless the table has grown since, there is no mark to be found.
            None => self.root(guard).level() != 0,
        }
    }

    /// After a number became free: clears the marks above it.
    ///
    /// The caller has done a fully ordered read-modify-write on what became free.
    #[cold]
    pub(super) fn clear_full(&self, nr: u32, guard: &Guard) {
        // The table may grow a new root with marks of its own meanwhile.
        while let Descent::Leaf(path) | Descent::Missing(path) | Descent::Frozen(path) =
            self.walk(nr, guard)
        {
            for level in path.bottom.max(1)..=path.root.level() {
                change(path.node(level), node::index(nr, level), false);
            }
            if self.root(guard) == path.root {
                return;
            }
        }
    }
}
