// SPDX-License-Identifier: GPL-2.0

//! The module's pid allocator, `src/pid/pidmap.rs` and what is below it, counts of references and the life
//! of a namespace, built on the host: there their races can be hunted with means that a kernel does not
//! have.
//!
//! The sources are the module's own. What they ask of the kernel comes from facades of the same
//! names: atomics, RCU, memory for nodes, and the one lock.
//!
//! - With the feature `loom`: every interleaving of a few threads on a map with two slots a node,
//!   and every value that a load may see ([`models`]). Each access to a node is checked against its
//!   life.
//! - Without: random sequences against a model that is obviously right ([`properties`]), and many
//!   threads at full speed ([`threads`]); both also under Miri.

#![cfg(test)]

mod ordering;
mod saturation;

#[cfg(not(feature = "loom"))]
#[path = "host/rcu.rs"]
mod rcu;

// The facades stand where the module has what they are for.
#[path = "../../../src/base"]
mod base {
    #[cfg(not(feature = "loom"))]
    #[path = "../../tools/pidmap-host/src/host/sync.rs"]
    pub(crate) mod sync;

    #[cfg(feature = "loom")]
    #[path = "../../tools/pidmap-host/src/loom/sync.rs"]
    pub(crate) mod sync;

    // What only the rest of the module uses.
    #[allow(dead_code)]
    pub(crate) mod refcount;
}

// With two slots a node some constants are 1.
#[cfg_attr(feature = "loom", allow(clippy::modulo_one))]
#[path = "../../../src/pid"]
mod pid {
    #[cfg(not(feature = "loom"))]
    #[path = "../../tools/pidmap-host/src/host/mem.rs"]
    pub(crate) mod mem;

    #[cfg(feature = "loom")]
    #[path = "../../tools/pidmap-host/src/loom/mem.rs"]
    pub(crate) mod mem;

    #[allow(dead_code)]
    pub(crate) mod pidmap;

    #[allow(dead_code)]
    pub(crate) mod namespace {
        pub(crate) mod life;
    }
}

#[cfg(not(feature = "loom"))]
use base::refcount;
use base::sync;
use pid::{mem, pidmap};

#[cfg(feature = "loom")]
mod models;
#[cfg(not(feature = "loom"))]
mod properties;
#[cfg(not(feature = "loom"))]
mod refcounts;
#[cfg(not(feature = "loom"))]
mod threads;
