// SPDX-License-Identifier: GPL-2.0

//! Giving back nodes that hold nothing any more.
//!
//! The cursor goes through the whole range of numbers, and few of them are in use at a time: the
//! table must not keep a node for each place where it has been. A release that empties a leaf where
//! the cursor is not, and an allocation that moves the cursor out of one, therefore try to take the
//! empty leaf out of the table, and then what is empty above it.
//!
//! A node is taken out by freezing its slots one by one, from free to [`FROZEN`]. When all are
//! frozen nobody can put anything into it; it is unlinked from its parent, and freed a grace
//! period later, when the last reader has left it. When a slot turns out to be in use the others
//! are thawed. The leaf that the cursor is in, the root and what is on the way to number 1 are
//! never taken out.

use super::{
    node::{self, Node, Walk, FREE, FROZEN},
    PidMap,
};
use crate::{
    mem,
    sync::{read_lock, Full, Relaxed, Release},
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

impl<T> PidMap<T> {
    /// The cursor has come from `before` to `nr`: keeps the leaf where it is now, and lets go of the
    /// one where it was.
    #[cold]
    pub(super) fn enter_leaf(&self, nr: u32, before: u32) {
        if nr / node::FANOUT == before / node::FANOUT {
            return;
        }
        let guard = read_lock();
        if let Walk::Leaf(path) = self.walk(nr, &guard) {
            path.leaf().left.store(0, Relaxed);
        }
        if let Walk::Leaf(path) = self.walk(before, &guard) {
            path.leaf().left.store(1, Relaxed);
        }
        drop(guard);
        self.reclaim(before);
    }

    /// Takes the leaf of `nr` out of the table if it is empty and not needed, and then the nodes
    /// above it.
    pub(super) fn reclaim(&self, nr: u32) {
        let guard = read_lock();
        let Walk::Leaf(path) = self.walk(nr, &guard) else {
            return;
        };
        if nr < node::FANOUT || !path.leaf().is_empty() {
            return;
        }
        // One at a time. The lock also keeps this CPU from being preempted between the first
        // frozen slot and the last, while others may be waiting for it.
        let lock = mem::reclaim_lock();
        for level in 0..path.root.level() {
            let node = path.node(level);
            let on_the_way_to_1 = nr >> (node::BITS * (level as u32 + 1)) == 0;
            if on_the_way_to_1 || !freeze(node) {
                break;
            }
            let slot = path.node(level + 1).child(node::index(nr, level + 1));
            // Who comes by the parent from now on finds no child and makes a new one.
            slot.store(FREE, Release);
            self.nodes.fetch_sub(1u32, Relaxed);
            // SAFETY: The node has just been taken out of the table, once: only the holder of the
            // lock does that, and it found the node in place, for it was not frozen yet.
            unsafe { mem::free_node_rcu(NonNull::from(node)) };
        }
        drop(lock);
    }
}
