// SPDX-License-Identifier: GPL-2.0

//! altpid: an alternative pid subsystem behind `/dev/altpid`.
//!
//! # Layers
//!
//! Each knows only those before it in this list, by name or by a method of one of their types:
//! `tools/scripts/layers` builds every beginning of it without the rest.
//!
//! 1. [`uapi`]: the types of the interface.
//! 2. [`base`]: what the kernel crate does not have: atomics, slabs, slots with chains, counts of
//!    references; and what a test build gets wrong on purpose.
//! 3. [`native`]: the kernel's own side of a real process: its number, its signals, its end.
//! 4. [`pid`]: the numbers of one namespace ([`pid::pidmap`]), an identity with a number a level, and
//!    what the levels are ([`pid::namespace`]).
//! 5. [`reason`]: why something fails.
//! 6. [`tree`]: threads, processes, process groups, sessions, parents, the signals that wait for them,
//!    and the queue of what is left to be done.
//! 7. [`world`]: one universe of all that; how the tree lock is taken ([`world::hold`]), how queued work
//!    is worked off ([`world::work`]), and sleeping ([`world::sleep`]).
//! 8. [`signal`]: sending and taking signals, and job control.
//! 9. [`process`]: the verbs over the tree, each named after its system call, and the steps of what
//!    they leave to be done.
//! 10. [`ask`]: questions, which change nothing.
//! 11. [`stock`]: whether the kernel is the one that the module was built for.
//! 12. [`body`]: real processes as tasks of a world.
//! 13. [`procfs`]: /proc as the tasks of a world see it.
//! 14. [`device`]: the interface.
//!
//! # Lock order
//!
//! 1. The lock of the probes ([`body`]), a mutex, or the lock of what a world has lent ([`world::lent`]), a mutex.
//! 2. The tree lock, one a world ([`world::World::tree`]): a spinlock, `tasklist_lock` natively. How long
//!    it may be held, and what follows, is in [`world::hold`].
//! 3. The lock of the table of members ([`body`]), or
//!    the locks of the wait queues of a world ([`world::sleep`]), or
//!    the lock of the longest hold, one for the module ([`world::hold::longest`]), or
//!    the registry lock, one a world ([`pid::registry::Registry`]), or
//!    the reclaim lock, one for the module ([`pid::mem::reclaim_lock`]).
//!
//! Allocation of a pid, its release, lookup and translation take none of them, but for the reclaim
//! lock once in 64 numbers. Nothing sleeps or allocates under any of them.

mod ask;
mod base;
mod body;
mod device;
mod native;
mod pid;
mod process;
mod procfs;
mod reason;
mod signal;
mod stock;
mod tree;
mod uapi;
mod world;

use core::{borrow::Borrow, ops::RangeInclusive};
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
                    description: "The most worlds there may be (1 to 1048576)",
                },
                max_tasks: u32 {
                    default: 1048576,
                    description: "The most tasks a world may hold (1 to 4194304)",
                },
                max_namespaces: u32 {
                    default: 262144,
                    description: "The most pid namespaces a world may hold (1 to 4194304)",
                },
                max_pidfds: u32 {
                    default: 1048576,
                    description: "The most pidfds of a world that may be open (0 to 4194304)",
                },
                max_events: u32 {
                    default: 8192,
                    description: "The last events of a world that are kept for readers (1 to 1048576)",
                },
                probe_seconds: u32 {
                    default: 10,
                    description: "How long probes stay behind the last member (0 to 1000000)",
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
        description: "Which deliberate fault to have (0 to 102)",
    },
}

/// The value of a parameter, which Linux 7.2 lends and 7.3 copies.
fn parameter(value: impl Borrow<u32>) -> u32 {
    *value.borrow()
}

/// The values of parameters by name, each with the least and the most that it may be.
macro_rules! parameters {
    ($($name:ident: $min:expr, $max:expr;)*) => {
        &[$((
            stringify!($name),
            parameter(module_parameters::$name.value()),
            $min..=$max,
        ),)*]
    };
}

/// Refuses a parameter that is out of bounds, and says which.
///
/// # Errors
///
/// `EINVAL`
fn check(parameters: &[(&str, u32, RangeInclusive<u32>)]) -> Result {
    for (name, value, bounds) in parameters {
        if !bounds.contains(value) {
            let (min, max) = (bounds.start(), bounds.end());
            pr_err!("{name}={value} is not from {min} to {max}\n");
            return Err(EINVAL);
        }
    }
    Ok(())
}

/// Refuses parameters that are out of bounds, which are those of their descriptions.
///
/// Numbers are below [`pid::namespace::PID_MAX_LIMIT`], so that no world has more tasks; the events of a
/// world are one array, of 64 MiB at most.
///
/// # Errors
///
/// `EINVAL`
fn check_parameters() -> Result {
    const NUMBERS: u32 = pid::namespace::PID_MAX_LIMIT as u32;
    #[cfg(altpid_faults)]
    check(parameters! {
        fault: 0, base::faults::Fault::OtherLayout as u32;
    })?;
    check(parameters! {
        max_worlds: 1, 1 << 20;
        max_tasks: 1, NUMBERS;
        max_namespaces: 1, NUMBERS;
        max_pidfds: 0, NUMBERS;
        max_events: 1, 1 << 20;
        probe_seconds: 0, 1_000_000;
    })
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
    filesystem: procfs::Filesystem,
    directory: device::Directory,
    bodies: body::Bodies,
    workers: world::work::Workers,
    dead: body::Dead,
    caches: pid::mem::Caches,
}

impl kernel::InPlaceModule for Altpid {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        #[cfg(altpid_faults)]
        {
            base::faults::choose(parameter(module_parameters::fault.value()));
            stock::messages::print();
        }
        try_pin_init!(Self {
            // Checked and made first, whatever the order of the fields.
            caches: {
                stock::loading::check()?;
                check_parameters()?;
                pid::mem::Caches::new()?
            },
            dead: body::Dead::new(),
            workers: world::work::Workers::new()?,
            bodies: body::Bodies::new(parameter(module_parameters::probe_seconds.value()))?,
            directory: device::Directory::new(module)?,
            filesystem: procfs::Filesystem::new(device::world_of)?,
            device <- {
                device::set_limits(limits());
                device::Device::register(module)
            },
        })
    }
}
