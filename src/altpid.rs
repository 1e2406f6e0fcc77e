// SPDX-License-Identifier: GPL-2.0

//! altpid: an alternative pid subsystem behind `/dev/altpid`.
//!
//! # Layers
//!
//! Each knows only those above it in this list.
//!
//! 1. [`pidmap`]: the numbers of one namespace.
//! 2. [`pid`] and [`namespace`]: an identity with a number a level, and what the levels are.
//! 3. [`reason`]: why something fails; [`task`] and [`tree`]: threads, processes, process groups, sessions, and who begot whom;
//!    [`pending`]: signals that wait for them; [`events`]: what happens to them all;
//!    [`faults`]: what a test build gets wrong on purpose.
//! 4. The verbs over the tree, each named after its system call: [`clone`], [`unshare`], [`exec`],
//!    [`exit`], [`wait`], [`kill`], [`sigaction`], [`session`], [`prctl`], [`reboot`], and
//!    what is done by a [`pidfd`]; what [`signal`]s and [`jobctl`] do; and what can be asked: [`query`], [`nsfs`], [`blockers`],
//!    [`audit`].
//! 5. [`world`]: one universe of all that, and [`device`]: its interface, [`uapi`].
//!    [`loading`]: whether the kernel is the one that the module was built for.
//!
//! # Lock order
//!
//! 1. The lock of who sends a signal to a process group, one a world
//!    ([`world::World::walking`]): a mutex.
//! 2. The tree lock, one a world ([`world::World::tree`]): a spinlock, `tasklist_lock` natively.
//! 3. The registry lock, one a world ([`registry::Registry`]), or
//!    the reclaim lock, one for the module ([`mem::reclaim_lock`]).
//!
//! Allocation of a pid, its release, lookup and translation take none of them, but for the reclaim
//! lock once in 64 numbers. Nothing sleeps or allocates under any of them.

mod audit;
mod blockers;
mod clone;
mod device;
mod events;
mod exec;
mod exit;
mod faults;
mod jobctl;
mod kill;
mod loading;
mod mem;
#[cfg(altpid_faults)]
mod messages;
mod namespace;
mod nsfs;
mod pending;
mod pid;
mod pidfd;
mod pidmap;
mod prctl;
mod query;
mod reason;
mod reboot;
mod registry;
mod session;
mod sigaction;
mod signal;
mod slab;
mod slots;
mod sync;
mod task;
mod tree;
mod uapi;
mod unshare;
mod wait;
mod world;

use core::borrow::Borrow;
use kernel::prelude::*;

/// The module, with one more parameter in a test build.
macro_rules! declare {
    ($($more:tt)*) => {
        module! {
            type: Altpid,
            name: "altpid",
            authors: ["The altpid authors"],
            description: "An alternative pid subsystem",
            license: "GPL",
            params: {
                max_worlds: u32 {
                    default: 65536,
                    description: "The most worlds there may be",
                },
                max_tasks: u32 {
                    default: 1048576,
                    description: "The most tasks a world may hold",
                },
                max_namespaces: u32 {
                    default: 262144,
                    description: "The most pid namespaces a world may hold",
                },
                max_pidfds: u32 {
                    default: 1048576,
                    description: "The most pidfds of a world that may be open",
                },
                max_events: u32 {
                    default: 8192,
                    description: "The last events of a world that are kept for readers",
                },
                $($more)*
            },
        }
    };
}

#[cfg(not(altpid_faults))]
declare! {}

#[cfg(altpid_faults)]
declare! {
    fault: u32 {
        default: 0,
        description: "Which deliberate fault to have",
    },
}

/// The value of a parameter, which Linux 7.2 lends and 7.3 copies.
fn parameter(value: impl Borrow<u32>) -> u32 {
    *value.borrow()
}

/// What there may be at most, from the module's parameters.
fn limits() -> world::Limits {
    world::Limits {
        worlds: parameter(module_parameters::max_worlds.value()) as usize,
        tasks: parameter(module_parameters::max_tasks.value()) as usize,
        namespaces: parameter(module_parameters::max_namespaces.value()) as usize,
        pidfds: parameter(module_parameters::max_pidfds.value()) as usize,
        events: parameter(module_parameters::max_events.value()) as usize,
    }
}

/// The loaded module. Fields are dropped in order: the device goes before the caches.
#[pin_data]
struct Altpid {
    #[pin]
    device: device::Device,
    directory: device::Directory,
    caches: mem::Caches,
}

impl kernel::InPlaceModule for Altpid {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        #[cfg(altpid_faults)]
        {
            faults::choose(parameter(module_parameters::fault.value()));
            messages::print();
        }
        try_pin_init!(Self {
            // What stands first here is done first.
            _: { loading::check()? },
            // Made first, whatever the order of the fields.
            caches: mem::Caches::new()?,
            directory: device::Directory::new(),
            device <- device::Device::register(module),
        })
    }
}
