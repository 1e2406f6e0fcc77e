// SPDX-License-Identifier: GPL-2.0

//! Nodes of the table of numbers, and the way down to a number.
//!
//! The table is a radix tree of 64-way [`Node`]s, six bits of the number's [`key`] a level, that
//! grows at its root: a table that never saw a number above 64 is one node. It has the shape of the XArray
//! that the kernel keeps pids in (`lib/xarray.c`), and none of its locks.
//!
//! All unsafe code of the table that follows a pointer from node to node is in this file.
//!
//! # Invariants
//!
//! - A slot of a leaf is [`FREE`], [`RESERVED`], [`FROZEN`] or points to the `T` that has the
//!   number. A slot of any other node is `FREE`, `FROZEN` or points to a node one level below.
//! - A node that is reachable stays so until every slot of it is `FROZEN`, and is given back to
//!   the allocator only a grace period after that.
//! - The root only ever gets higher: what was the root becomes child 0 of what is.

use crate::{
    base::sync::{rcu_dereference, Acquire, Atomic, Full, Guard, Relaxed},
    pid::mem,
};
use core::ptr::{null_mut, without_provenance_mut, NonNull};

/// Bits of a number that one level resolves: 6. The host build also tries smaller nodes.
pub(super) const BITS: u32 = mem::NODE_BITS;

/// Slots of a node.
pub(super) const FANOUT: u32 = 1 << BITS;

/// Cache lines that the slots of a node take.
const LINES: u32 = FANOUT.div_ceil(8);

/// Levels the highest table has: 64^4 numbers are four times what PID_MAX_LIMIT asks for.
pub(super) const LEVELS: usize = 4;

/// What a slot holds: a pointer, or one of the three marks below.
pub(super) type Word = *mut ();

/// Nothing: the number is free, or the child does not exist yet.
pub(super) const FREE: Word = null_mut();

/// The number is taken and nobody can find it yet: the NULL that `alloc_pid()` puts into the IDR.
pub(super) const RESERVED: Word = without_provenance_mut(1);

/// The node is being taken out of the table; see [`super::reclaim`].
pub(super) const FROZEN: Word = without_provenance_mut(2);

/// 64 slots, and behind them what is touched seldom: 576 bytes, as `struct xa_node` has.
#[repr(C, align(64))]
pub(crate) struct Node {
    slots: [Atomic<Word>; FANOUT as usize],
    /// Bit i: child i was found to have no free number. Never set in a leaf. May be late on both
    /// sides for a moment, see [`super::full`].
    pub(super) full: Atomic<u64>,
    /// Of a leaf: the cursor is elsewhere, so the leaf is not needed when it is empty. Behind the
    /// truth for a moment when the cursor moves, see [`super::reclaim`].
    pub(super) left: Atomic<u32>,
    /// For the grace period after the node has left the table.
    pub(crate) rcu: mem::RcuHead,
}

impl Node {
    /// A node whose slots are all free, and which the cursor has not left.
    pub(crate) fn new() -> Self {
        Self {
            slots: [const { Atomic::new(FREE) }; FANOUT as usize],
            full: Atomic::new(0),
            left: Atomic::new(0),
            rcu: mem::RcuHead::new(),
        }
    }

    /// The slot of index `index` in a node that is no leaf.
    #[inline]
    pub(super) fn child(&self, index: u32) -> &Atomic<Word> {
        &self.slots[(index % FANOUT) as usize]
    }

    /// The slot of number `nr` in its leaf.
    ///
    /// Neighbours in number are a cache line apart: two CPUs that allocate in turn take numbers
    /// that follow each other, and this keeps them from fighting for one line.
    #[inline]
    pub(super) fn number(&self, nr: u32) -> &Atomic<Word> {
        let i = index(nr, 0);
        &self.slots[((i % LINES) * (FANOUT / LINES) + i / LINES) as usize]
    }

    /// All slots, in the order of memory.
    pub(super) fn slots(&self) -> &[Atomic<Word>; FANOUT as usize] {
        &self.slots
    }

    /// Whether no slot is in use. Frozen ones are not: they may be thawed the next moment.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| {
            let word = slot.load(Relaxed);
            word == FREE || word == FROZEN
        })
    }
}

/// The root of the table and its height in one word, so that both change together.
///
/// # Invariants
///
/// Null, or a pointer to a node whose low bits, free by its alignment, are the root's level.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Root(Word);

impl Root {
    pub(super) fn new(node: NonNull<Node>, level: usize) -> Self {
        // INVARIANT: `LEVELS` is less than the alignment of `Node`.
        Self(node.as_ptr().map_addr(|a| a | level).cast())
    }

    pub(super) fn from_word(word: Word) -> Self {
        Self(word)
    }

    pub(super) fn word(self) -> Word {
        self.0
    }

    /// The root node, `None` for an empty table.
    pub(super) fn node(self) -> Option<NonNull<Node>> {
        NonNull::new(self.0.map_addr(|a| a & !(LEVELS - 1)).cast())
    }

    /// The root's level: 0 when it is a leaf.
    pub(super) fn level(self) -> usize {
        self.0.addr() & (LEVELS - 1)
    }

    /// How many numbers the table has room for as it stands.
    pub(super) fn capacity(self) -> u32 {
        if self.0.is_null() {
            0
        } else {
            1 << (BITS * (self.level() as u32 + 1))
        }
    }
}

/// Where number `nr` is in the table: numbers begin at 1, places at 0, so that 64 numbers take one
/// node. For 0, which is no number, a place that no table has room for.
#[inline]
pub(super) fn key(nr: u32) -> u32 {
    nr.wrapping_sub(1)
}

/// The index of number `nr` in a node at `level`.
#[inline]
pub(super) fn index(nr: u32, level: usize) -> u32 {
    (key(nr) >> (BITS * level as u32)) % FANOUT
}

/// How many nodes of the full table are before the one at `level` that `nr` belongs to.
#[inline]
pub(super) fn ordinal(nr: u32, level: usize) -> u32 {
    key(nr) >> (BITS * (level as u32 + 1))
}

/// The first number of the node at `level` that `ordinal` others are before.
pub(super) fn first_of(ordinal: u32, level: usize) -> u32 {
    (ordinal << (BITS * (level as u32 + 1))) + 1
}

/// The first number behind those that the node at `level` with `nr` in it is there for.
pub(super) fn end_of(nr: u32, level: usize) -> u32 {
    first_of(ordinal(nr, level) + 1, level)
}

/// The nodes from the root to the leaf that a number belongs to.
///
/// The borrow of the RCU guard is what keeps them in memory.
#[derive(Clone, Copy)]
pub(super) struct Path<'g> {
    /// Indexed by level, from `bottom` to the root's; the other entries repeat the root.
    nodes: [&'g Node; LEVELS],
    pub(super) root: Root,
    /// Level of the lowest node on the way: 0 when the way goes down to the leaf.
    pub(super) bottom: usize,
}

impl<'g> Path<'g> {
    /// The leaf, on a way that goes down to it.
    pub(super) fn leaf(&self) -> &'g Node {
        self.nodes[0]
    }

    /// The node at `level`, from `bottom` up to the root's.
    pub(super) fn node(&self, level: usize) -> &'g Node {
        self.nodes[level % LEVELS]
    }
}

/// Where the way down to a number ended.
pub(super) enum Descent<'g> {
    /// At its leaf.
    Leaf(Path<'g>),
    /// The root is too low for it, or there is none.
    Outside(Root),
    /// At a node, the path's lowest, that has no child there.
    Missing(Path<'g>),
    /// At a node, the path's lowest, that is being taken out.
    Frozen(Path<'g>),
}

/// Follows `root` down to the leaf of `nr`.
///
/// # Safety
///
/// `root` was read from a live table whose nodes obey the invariants of this file, under `guard`.
pub(super) unsafe fn walk<'g>(root: Root, nr: u32, guard: &'g Guard) -> Descent<'g> {
    let Some(top) = root.node() else {
        return Descent::Outside(root);
    };
    if key(nr) >= root.capacity() {
        return Descent::Outside(root);
    }
    // SAFETY: The root is never taken out of a live table.
    let mut node: &'g Node = unsafe { top.as_ref() };
    let mut path = Path {
        nodes: [node; LEVELS],
        root,
        bottom: root.level(),
    };
    while path.bottom > 0 {
        // Pairs with the Full cmpxchg of `PidMap::add_node`: the node is seen as it was made.
        // Litmus test: MP+publish-node.
        let child = rcu_dereference(node.child(index(nr, path.bottom)), guard);
        if child == FREE {
            return Descent::Missing(path);
        }
        if child == FROZEN {
            return Descent::Frozen(path);
        }
        // SAFETY: By the invariants the slot points to a node, which was in the table after
        // `guard` was taken and so stays in memory as long as that.
        node = unsafe { &*child.cast::<Node>() };
        path.bottom -= 1;
        path.nodes[path.bottom] = node;
    }
    Descent::Leaf(path)
}

/// The leaf of `nr`, if there is one, and the node above it, if it is not the root: what [`walk`]
/// finds, without the rest of the way.
///
/// # Safety
///
/// As for [`walk`].
#[inline]
pub(super) unsafe fn leaf<'g>(
    root: Root,
    nr: u32,
    guard: &'g Guard,
) -> Option<(&'g Node, Option<&'g Node>)> {
    if key(nr) >= root.capacity() {
        return None;
    }
    // SAFETY: The root is never taken out of a live table.
    let mut node: &'g Node = unsafe { root.node()?.as_ref() };
    let mut parent = None;
    for level in (1..=root.level()).rev() {
        // As in `walk`. Litmus test: MP+publish-node.
        let child = rcu_dereference(node.child(index(nr, level)), guard);
        if child == FREE || child == FROZEN {
            return None;
        }
        parent = Some(node);
        // SAFETY: As in `walk`.
        node = unsafe { &*child.cast::<Node>() };
    }
    Some((node, parent))
}

/// Calls `visit` with every node of a table and its level, children before parents.
///
/// # Safety
///
/// Nobody else uses the table any more, or its invariants hold and the caller is an RCU reader;
/// `visit` may free the node only in the first case.
pub(super) unsafe fn for_each_node(root: Root, mut visit: impl FnMut(NonNull<Node>, usize)) {
    let Some(top) = root.node() else { return };
    // One cursor a level: the depth is fixed, so no recursion is needed.
    let mut nodes = [top; LEVELS];
    let mut next = [0u32; LEVELS];
    let mut level = root.level();
    loop {
        if level > 0 && next[level] < FANOUT {
            // SAFETY: The node is in the table, and has not been visited yet.
            let child = unsafe { nodes[level].as_ref() }
                .child(next[level])
                .load(Acquire);
            next[level] += 1;
            if child == FROZEN {
                continue;
            }
            if let Some(child) = NonNull::new(child.cast::<Node>()) {
                level -= 1;
                nodes[level] = child;
                next[level] = 0;
            }
            continue;
        }
        visit(nodes[level], level);
        if level == root.level() {
            return;
        }
        level += 1;
    }
}

/// Takes a number in its leaf: from free to reserved.
///
/// Full: a reservation is ordered before the allocator's look at whether the namespace is dead;
/// see `Life::disable` in `src/pid/namespace/life.rs`.
pub(super) fn claim(slot: &Atomic<Word>) -> Result<(), Word> {
    slot.cmpxchg(FREE, RESERVED, Full).map(|_| ())
}
