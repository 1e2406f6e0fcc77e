// SPDX-License-Identifier: GPL-2.0

//! KUnit suites for altpid, built with the sources that they test.
//!
//! The suites run when the module is loaded, after its init: the slab caches are there by then.
//! Each test makes what it needs and leaves nothing. What a case mirrors is said with it, by the
//! name of the native function or the rule.

// The interface's own parsing is not built in here, so some of what it uses has no user.
#![allow(dead_code)]

/// The sources under test. Inside an inline module, so that their own files are looked for where
/// they are.
#[path = "../src"]
mod sources {
    pub(crate) mod audit;
    pub(crate) mod blockers;
    pub(crate) mod clone;
    pub(crate) mod crowd;
    pub(crate) mod events;
    pub(crate) mod exec;
    pub(crate) mod exit;
    pub(crate) mod faults;
    pub(crate) mod hold;
    pub(crate) mod ids;
    pub(crate) mod jobctl;
    pub(crate) mod kill;
    pub(crate) mod mem;
    pub(crate) mod namespace;
    pub(crate) mod nsfs;
    pub(crate) mod pending;
    pub(crate) mod pid;
    pub(crate) mod pidfd;
    pub(crate) mod pidmap;
    pub(crate) mod prctl;
    pub(crate) mod query;
    pub(crate) mod reaper;
    pub(crate) mod reason;
    pub(crate) mod reboot;
    pub(crate) mod refcount;
    pub(crate) mod registry;
    pub(crate) mod session;
    pub(crate) mod sigaction;
    pub(crate) mod signal;
    pub(crate) mod sigwait;
    pub(crate) mod slab;
    pub(crate) mod sleep;
    pub(crate) mod slots;
    pub(crate) mod sync;
    pub(crate) mod task;
    pub(crate) mod tree;
    pub(crate) mod uapi;
    pub(crate) mod unshare;
    pub(crate) mod vfork;
    pub(crate) mod wait;
    pub(crate) mod walk;
    pub(crate) mod work;
    pub(crate) mod world;
    pub(crate) mod zap;
}

use sources::*;

mod support;

mod test_autoreap;
mod test_blockers;
mod test_clone;
mod test_exec;
mod test_exit;
mod test_ids;
mod test_immunity;
mod test_jobs;
mod test_kill;
mod test_namespace;
mod test_notify;
mod test_nsfs;
mod test_pid;
mod test_pidfd;
mod test_pidfd_close;
mod test_pidmap;
mod test_pieces;
mod test_random;
mod test_reaper;
mod test_session;
mod test_sigaction;
mod test_sighand;
mod test_signal;
mod test_slots;
mod test_threads;

// Looks at what the others have done.
mod test_hold;

use kernel::prelude::*;

module! {
    type: AltpidKunit,
    name: "altpid_kunit",
    authors: ["The altpid authors"],
    description: "KUnit suites for altpid",
    license: "GPL",
}

/// What the suites need as long as the module is loaded.
struct AltpidKunit {
    // Dropped before the caches: their work items have worlds.
    _workers: work::Workers,
    _caches: mem::Caches,
}

impl kernel::Module for AltpidKunit {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let caches = mem::Caches::new()?;
        Ok(Self {
            _workers: work::Workers::new()?,
            _caches: caches,
        })
    }
}
