// SPDX-License-Identifier: GPL-2.0

//! Atomics, barriers and RCU as the pid layers use them.
//!
//! A re-export of what [`pidmap`](crate::pidmap) needs from the kernel crate, and of nothing else:
//! the host build of the allocator puts a module with the same names and the same meanings in this
//! place, over the atomics of loom or of the standard library.

pub(crate) use kernel::sync::atomic::{Acquire, Atomic, Full, Relaxed, Release};
pub(crate) use kernel::sync::rcu::{read_lock, Guard};
