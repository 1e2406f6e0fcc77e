// SPDX-License-Identifier: GPL-2.0

//! Nodes from the host's allocator, which can be told to fail.

use crate::pidmap::Node;
use crate::rcu;
use core::{cell::Cell, ptr::NonNull};
use std::{
    alloc::{alloc, dealloc, Layout},
    sync::{Mutex, MutexGuard},
};

/// As in the kernel.
pub(crate) const NODE_BITS: u32 = 6;

static RECLAIM: Mutex<()> = Mutex::new(());

thread_local! {
    /// Nodes that this thread made, less those that it gave back.
    static NODES: Cell<i64> = const { Cell::new(0) };
    /// Allocations that succeed before one fails.
    static FAIL_AFTER: Cell<Option<u32>> = const { Cell::new(None) };
}

pub(crate) struct RcuHead;

impl RcuHead {
    pub(crate) fn new() -> Self {
        Self
    }
}

/// Nodes that this thread made, less those that it gave back.
pub(crate) fn nodes() -> i64 {
    NODES.get()
}

/// Has every allocation of this thread fail after `count` that succeed.
pub(crate) fn fail_after(count: Option<u32>) {
    FAIL_AFTER.set(count);
}

pub(crate) fn alloc_node() -> Option<NonNull<Node>> {
    if let Some(left) = FAIL_AFTER.get() {
        FAIL_AFTER.set(Some(left.checked_sub(1)?));
    }
    // SAFETY: A node has a size.
    let node = NonNull::new(unsafe { alloc(Layout::new::<Node>()) })?.cast::<Node>();
    // SAFETY: The memory is for a node, and ours.
    unsafe { node.write(Node::new()) };
    NODES.set(NODES.get() + 1);
    Some(node)
}

/// # Safety
///
/// It came from [`alloc_node`], and nobody uses it any more.
pub(crate) unsafe fn free_node(node: NonNull<Node>) {
    NODES.set(NODES.get() - 1);
    // SAFETY: By the safety requirements.
    unsafe { really_free(node) };
}

/// # Safety
///
/// It came from [`alloc_node`], and nobody can find it any more.
pub(crate) unsafe fn free_node_rcu(node: NonNull<Node>) {
    struct Last(NonNull<Node>);
    // SAFETY: It is the only pointer to the node that will be used.
    unsafe impl Send for Last {}
    impl Last {
        fn free(self) {
            // SAFETY: The grace period is over.
            unsafe { really_free(self.0) };
        }
    }
    NODES.set(NODES.get() - 1);
    let last = Last(node);
    rcu::call(move || last.free());
}

/// # Safety
///
/// As for [`free_node`].
unsafe fn really_free(node: NonNull<Node>) {
    // SAFETY: By the safety requirements. Who looks at it nevertheless finds no pointers.
    unsafe {
        node.cast::<u8>().write_bytes(0x6b, size_of::<Node>());
        dealloc(node.as_ptr().cast(), Layout::new::<Node>());
    }
}

pub(crate) fn reclaim_lock() -> MutexGuard<'static, ()> {
    RECLAIM
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
