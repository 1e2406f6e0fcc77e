// SPDX-License-Identifier: GPL-2.0

//! What the kernel crate does not have. Knows nothing of pids.

pub(crate) mod faults;
pub(crate) mod refcount;
pub(crate) mod slab;
pub(crate) mod slots;
pub(crate) mod sync;
