// SPDX-License-Identifier: GPL-2.0

//! The module's pid allocator, `src/pidmap.rs` and what is below it, counts of references and the life
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

#[cfg(not(feature = "loom"))]
#[path = "host/mem.rs"]
mod mem;
#[cfg(not(feature = "loom"))]
#[path = "host/rcu.rs"]
mod rcu;
#[cfg(not(feature = "loom"))]
#[path = "host/sync.rs"]
mod sync;

#[cfg(feature = "loom")]
#[path = "loom/mem.rs"]
mod mem;
#[cfg(feature = "loom")]
#[path = "loom/sync.rs"]
mod sync;

mod ordering;
mod saturation;

// With two slots a node some constants are 1.
#[cfg_attr(feature = "loom", allow(clippy::modulo_one))]
// What only the rest of the module uses.
#[allow(dead_code)]
#[path = "../../../src"]
mod module {
    pub(crate) mod namespace {
        pub(crate) mod life;
    }
    pub(crate) mod pidmap;
    pub(crate) mod refcount;
}
use module::{pidmap, refcount};

#[cfg(feature = "loom")]
mod models;
#[cfg(not(feature = "loom"))]
mod properties;
#[cfg(not(feature = "loom"))]
mod refcounts;
#[cfg(not(feature = "loom"))]
mod threads;
