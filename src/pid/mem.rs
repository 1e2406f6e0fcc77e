// SPDX-License-Identifier: GPL-2.0

//! Memory for the nodes of [`pidmap`](crate::pid::pidmap), and the lock under which they are taken out.
//!
//! Like [`sync`](crate::base::sync) this is the kernel's side of a pair: the host build of the allocator
//! has a module of the same name and meaning.

use crate::{base::slab::Cache, pid::pidmap::Node};
use core::{alloc::Layout, mem::offset_of, ptr::NonNull};
use kernel::{bindings, prelude::*, sync::GlobalGuard, types::Opaque};

/// Bits of a number that one level of the table resolves.
pub(crate) const NODE_BITS: u32 = 6;

static NODES: Cache = Cache::new();

kernel::sync::global_lock! {
    // SAFETY: Initialized in `Caches::new`, before the first map exists.
    pub(crate) unsafe(uninit) static RECLAIM: SpinLock<()> = ();
}

/// The slab caches of the module, which exist as long as this does.
pub(crate) struct Caches(());

impl Caches {
    /// Creates them. There is one `Caches` in the life of a module.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: Called exactly once, by the module's init.
        unsafe {
            RECLAIM.init();
            crate::pid::init_caches();
        }
        let caches = Self(());
        NODES.create(c"altpid_node", Layout::new::<Node>(), None)?;
        Ok(caches)
    }
}

impl Drop for Caches {
    fn drop(&mut self) {
        // What waits for a grace period is freed by code of this module.
        // SAFETY: No requirements.
        unsafe { bindings::rcu_barrier() };
        crate::pid::destroy_caches();
        NODES.destroy();
    }
}

/// What an object needs to wait for a grace period (`struct rcu_head`).
pub(crate) struct RcuHead(Opaque<bindings::callback_head>);

// SAFETY: It is only touched by RCU, after its object was given up.
unsafe impl Send for RcuHead {}
// SAFETY: As above.
unsafe impl Sync for RcuHead {}

impl RcuHead {
    /// One that waits for nothing yet.
    pub(crate) fn new() -> Self {
        Self(Opaque::uninit())
    }

    /// Has `callback` called with this head after a grace period.
    ///
    /// # Safety
    ///
    /// The object that the head is in stays as it is until then, and `callback` may be called with
    /// the head.
    pub(crate) unsafe fn call(&self, callback: unsafe extern "C" fn(*mut bindings::callback_head)) {
        // SAFETY: By the safety requirements.
        unsafe { bindings::call_rcu(self.0.get(), Some(callback)) };
    }
}

/// Allocates a node. May sleep.
pub(crate) fn alloc_node() -> Option<NonNull<Node>> {
    let node = NODES.alloc()?.cast::<Node>();
    // SAFETY: The object is as large as a node, aligned like one, and ours.
    unsafe { node.write(Node::new()) };
    Some(node)
}

/// Frees a node.
///
/// # Safety
///
/// It came from [`alloc_node`], and nobody uses it any more.
pub(crate) unsafe fn free_node(node: NonNull<Node>) {
    // SAFETY: By the safety requirements.
    unsafe { NODES.free(node.cast()) };
}

/// Frees a node after a grace period.
///
/// # Safety
///
/// It came from [`alloc_node`], and nobody can find it any more.
pub(crate) unsafe fn free_node_rcu(node: NonNull<Node>) {
    /// Frees the node of a head.
    ///
    /// # Safety
    ///
    /// Called by RCU, once, with the head that was given to it.
    unsafe extern "C" fn free(head: *mut bindings::callback_head) {
        // SAFETY: The head is that of a node that `free_node_rcu` was called with.
        unsafe {
            let node = head.byte_sub(offset_of!(Node, rcu)).cast::<Node>();
            free_node(NonNull::new_unchecked(node));
        }
    }
    // SAFETY: The node is not used for anything else until it is freed.
    unsafe { node.as_ref().rcu.call(free) };
}

/// The lock that is held while a node is taken out of a table. Taken with no other lock of the
/// module wanted after it.
pub(crate) fn reclaim_lock() -> GlobalGuard<RECLAIM> {
    RECLAIM.lock()
}
