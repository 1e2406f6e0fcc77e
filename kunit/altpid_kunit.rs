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
    pub(crate) mod ask;
    pub(crate) mod base;
    pub(crate) mod pid;
    pub(crate) mod process;
    pub(crate) mod reason;
    pub(crate) mod signal;
    pub(crate) mod tree;
    pub(crate) mod uapi;
    pub(crate) mod world;
}

use sources::*;

/// No real processes here.
mod native;

mod late;

mod support;

/// The suites: each is in the folder of the file that it tests, and begins with its name.
#[path = "."]
mod suites {
    mod ask {
        mod blockers;
        mod ids;
        mod nsfs;
    }
    mod base {
        mod slots;
    }
    mod pid {
        mod namespace;
        #[allow(clippy::module_inception)]
        mod pid;
        mod pidmap;
    }
    pub(crate) mod process {
        mod bodies;
        mod clone;
        mod clone_sighand;
        mod exec;
        mod exit;
        mod exit_autoreap;
        mod exit_notify;
        pub(crate) mod pidfd;
        mod pidfd_close;
        mod reaper;
        mod session;
        mod tracing;
    }
    mod signal {
        mod jobctl;
        mod jobctl_calls;
        mod kill;
        mod sending_immunity;
        mod sigaction;
        mod sigwait;
        mod taking;
    }
    mod world {
        mod hold;
        mod hold_budget;
        mod hold_shares;
        mod world_end;
        mod world_random;
        mod world_threads;
    }
}

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
    _workers: world::work::Workers,
    _caches: pid::mem::Caches,
}

impl kernel::Module for AltpidKunit {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let caches = pid::mem::Caches::new()?;
        Ok(Self {
            _workers: world::work::Workers::new()?,
            _caches: caches,
        })
    }
}
