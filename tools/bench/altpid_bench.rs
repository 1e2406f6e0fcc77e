// SPDX-License-Identifier: GPL-2.0

//! altpid beside the kernel's own code, in one run.
//!
//! Everything is measured while the module is being loaded. Each case runs in batches, one side
//! after the other and again, and writes a line for each batch to the kernel log; so does each
//! amount of memory:
//!
//! ```text
//! altpid_bench: CASE SIDE OPERATIONS NANOSECONDS
//! altpid_bench: memory: WHAT SIDE BYTES
//! ```
//!
//! The native side is the kernel's `alloc_pid()` and its kin, called by address, in the pid
//! namespace that the loading process is in. altpid gets a namespace of the same depth.

// Only a part of the sources is used here.
#![allow(dead_code, unused_imports)]

/// What is measured: layers 1 and 2.
#[path = "../../src"]
mod sources {
    pub(crate) mod base;
    pub(crate) mod pid;
    pub(crate) mod uapi;
}

use base::{faults, slots, sync};
use pid::{mem, namespace, pidmap, registry};
use sources::*;

mod cases;
mod measure;
mod native;
mod peers;

use kernel::prelude::*;

module! {
    type: AltpidBench,
    name: "altpid_bench",
    authors: ["The altpid authors"],
    description: "altpid beside the kernel's own pids",
    license: "GPL",
    params: {
        which: u32 {
            default: 0,
            description: "What to measure: a bit for each group of cases, see cases.rs",
        },
        live: u32 {
            default: 0,
            description: "Pids that are in use meanwhile",
        },
        alloc_pid: u64 {
            default: 0,
            description: "Address of alloc_pid()",
        },
        free_pid: u64 {
            default: 0,
            description: "Address of free_pid()",
        },
        find_pid_ns: u64 {
            default: 0,
            description: "Address of find_pid_ns()",
        },
        pid_nr_ns: u64 {
            default: 0,
            description: "Address of pid_nr_ns()",
        },
        copy_pid_ns: u64 {
            default: 0,
            description: "Address of copy_pid_ns()",
        },
        put_pid_ns: u64 {
            default: 0,
            description: "Address of put_pid_ns()",
        },
    },
}

/// Linux 7.2 lends the value of a parameter, 7.3 copies it.
fn value<T: Copy>(parameter: impl core::borrow::Borrow<T>) -> T {
    *parameter.borrow()
}

struct AltpidBench;

impl kernel::Module for AltpidBench {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let caches = mem::Caches::new()?;
        let native = native::Native::at(native::Addresses {
            alloc_pid: value(module_parameters::alloc_pid.value()),
            free_pid: value(module_parameters::free_pid.value()),
            find_pid_ns: value(module_parameters::find_pid_ns.value()),
            pid_nr_ns: value(module_parameters::pid_nr_ns.value()),
            copy_pid_ns: value(module_parameters::copy_pid_ns.value()),
            put_pid_ns: value(module_parameters::put_pid_ns.value()),
        })?;
        let which: u32 = value(module_parameters::which.value());
        let live: u32 = value(module_parameters::live.value());
        let result = cases::run(which, live as usize, &native);
        drop(caches);
        result.map(|()| Self)
    }
}
