// SPDX-License-Identifier: GPL-2.0

//! What makes a namespace active, which is what listns(2) lists.
//!
//! `kernel/nscommon.c`: `__ns_ref_active_get()`, `__ns_ref_active_put()`; `kernel/nstree.c`:
//! `legitimize_ns()`; `fs/nsfs.c`: `nsproxy_ns_active_get()`; `kernel/pid.c`: `alloc_pid()`,
//! `free_pid()`.
//!
//! Two things hold an active reference: a number of a pid that was born in the namespace, and a task
//! whose children are born there. A pidfd, and a namespace below, hold the namespace itself and no
//! more. Native files of a namespace (`fs/nsfs.c`) hold an active reference too; a world has none.

use super::Namespace;
use crate::base::sync::{Full, Relaxed};
use core::ops::Deref;
use kernel::sync::aref::ARef;

/// A namespace as the one in which the children of a task are born
/// (`nsproxy->pid_ns_for_children`): a reference that makes it active as long as it is there.
pub(crate) struct ForChildren(ARef<Namespace>);

impl ForChildren {
    /// Makes `ns` active.
    #[doc(alias = "nsproxy_ns_active_get")]
    pub(crate) fn new(ns: ARef<Namespace>) -> Self {
        ns.for_children.add(1u32, Relaxed);
        Self(ns)
    }
}

impl Deref for ForChildren {
    type Target = Namespace;

    fn deref(&self) -> &Namespace {
        &self.0
    }
}

impl Drop for ForChildren {
    #[doc(alias = "nsproxy_ns_active_put")]
    fn drop(&mut self) {
        // Before the reference itself is given back.
        self.0.for_children.fetch_sub(1u32, Full);
    }
}

impl Namespace {
    /// Whether listns(2) would list it (`__ns_ref_active_read()`). Called under the tree lock, so
    /// that it does not change meanwhile.
    ///
    /// Natively numbers of pids that were born further below do not count. No number in a namespace
    /// outlives that of its init, which was born right there: so all of them can be counted.
    pub(crate) fn is_active(&self) -> bool {
        // Initial namespaces are always active.
        self.level() == 0 || self.nr_pids() > 0 || self.for_children.load(Relaxed) > 0
    }
}
