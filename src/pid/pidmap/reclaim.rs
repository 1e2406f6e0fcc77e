// SPDX-License-Identifier: GPL-2.0

//! Giving back nodes that hold nothing any more.
//!
//! The cursor goes through the whole range of numbers, and few of them are in use at a time: the
//! table must not keep a node for each place where it has been. A release that empties a leaf where
//! the cursor is not, and an allocation that moves the cursor out of one, therefore try to take the
//! empty leaf out of the table, and then what is empty above it. A leaf notes whether the cursor is
//! in it ([`Node::left`](super::Node)), so that a release need not look at the cursor.
//!
//! A node is taken out by freezing its slots one by one, from free to [`FROZEN`]. When all are
//! frozen nobody can put anything into it; it is unlinked from its parent, and freed a grace
//! period later, when the last reader has left it. When a slot turns out to be in use the others
//! are thawed. The leaf that the cursor is in, the root and what is on the way to number 1 are
//! never taken out.

use super::{
    node::{self, Descent, Node, FREE, FROZEN},
    PidMap,
};
use crate::{
    base::sync::{read_lock, Full, Relaxed, Release},
    pid::mem,
};
use core::ptr::NonNull;

/// Freezes every slot of the node, or none.
fn freeze(node: &Node) -> bool {
    for (i, slot) in node.slots().iter().enumerate() {
        if slot.cmpxchg(FREE, FROZEN, Full).is_err() {
            for slot in &node.slots()[..i] {
                slot.store(FREE, Release);
            }
            return false;
        }
    }
    true
}

/// Which leaf the cursor is in when `next` is the next number: that of the number before.
fn cursor_leaf(next: u32) -> u32 {
    node::ordinal(next.saturating_sub(1).max(1), 0)
}

impl<T> PidMap<T> {
    /// Who has moved the cursor calls this afterwards, with the next numbers of before and now.
    pub(super) fn cursor_moved(&self, from: u32, to: u32) {
        let (from, to) = (cursor_leaf(from), cursor_leaf(to));
        if from != to {
            for leaf in [to, from] {
                self.cursor_passed(node::first_of(leaf, 0));
            }
        }
    }

    /// The cursor has come to the leaf of `nr`, or has left it and with it perhaps an empty leaf.
    #[cold]
    fn cursor_passed(&self, nr: u32) {
        let guard = read_lock();
        if let Descent::Leaf(path) = self.walk(nr, &guard) {
            if self.update_left(nr, path.leaf()) {
                drop(guard);
                self.reclaim(nr);
            }
        }
    }

    /// Writes down in the leaf of `nr` whether the cursor is elsewhere, and returns it.
    pub(super) fn update_left(&self, nr: u32, leaf: &Node) -> bool {
        let is_elsewhere = || cursor_leaf(self.cursor()) != node::ordinal(nr, 0);
        loop {
            let left = is_elsewhere();
            // Full: before the second look at the cursor, so that of all who write this the last
            // one is right; and before the look at the numbers, see `PidMap::release`.
            // Litmus tests: R+left-cursor and SB+release-left.
            leaf.left.xchg(left.into(), Full);
            if is_elsewhere() == left {
                return left;
            }
        }
    }

    /// Takes the leaf of `nr` out of the table if it is empty, or if there is none the lowest node
    /// on the way to it, and then the nodes above.
    pub(super) fn reclaim(&self, nr: u32) {
        let guard = read_lock();
        let (Descent::Leaf(path) | Descent::Missing(path)) = self.walk(nr, &guard) else {
            return;
        };
        if node::ordinal(nr, 0) == 0 || !path.node(path.bottom).is_empty() {
            return;
        }
        // One at a time. The lock also keeps this CPU from being preempted between the first
        // frozen slot and the last, while others may be waiting for it.
        let lock = mem::reclaim_lock();
        for level in path.bottom..path.root.level() {
            let node = path.node(level);
            let on_the_way_to_1 = node::ordinal(nr, level) == 0;
            if on_the_way_to_1 || !freeze(node) {
                break;
            }
            let slot = path.node(level + 1).child(node::index(nr, level + 1));
            // Who comes by the parent from now on finds no child and makes a new one.
            let Some(unlinked) = NonNull::new(slot.xchg(FREE, Full).cast::<Node>()) else {
                break;
            };
            self.nodes.fetch_sub(1u32, Relaxed);
            // SAFETY: The node has just been taken out of the table, once: only the holder of the
            // lock does that, and it found the node in place, for it was not frozen yet.
            unsafe { mem::free_node_rcu(unlinked) };
        }
        drop(lock);
    }
}
