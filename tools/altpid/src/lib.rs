// SPDX-License-Identifier: GPL-2.0

//! A library over `/dev/altpid`, the device of the altpid kernel module, and what the `altpid`
//! command is made of.
//!
//! [`World`] is a pid universe of one's own, with a method for each thing that can be done in it.
//! [`snapshot`] describes a tree of processes as a file, [`capture`] reads one from `/proc`,
//! [`plan`] says how to build it again, [`restore`] does so and checks the result, and [`tree`]
//! draws it.
//!
//! # Examples
//!
//! A namespace and its init, seen from inside and from outside:
//!
//! ```no_run
//! use altpid::{Clone, CloneFlags, World};
//!
//! let world = World::open()?;
//! let init = world.info()?.init;
//! let child = world.clone(init, &Clone::new().flags(CloneFlags::NEWPID))?;
//! assert_eq!(world.task(child.task)?.pid, [child.pid, 1]);
//! # Ok::<(), altpid::Error>(())
//! ```

mod batch;
pub mod capture;
pub mod diff;
mod events;
pub mod holders;
pub mod names;
mod pidfd;
pub mod plan;
pub mod restore;
pub mod script;
mod signals;
pub mod snapshot;
pub mod stress;
mod sys;
pub mod tree;
mod types;
pub mod uapi;
pub mod view;
mod world;

pub use batch::Batch;
pub use events::{Event, EventKind, Events};
pub use pidfd::{PidfdFlags, PidfdIds, PidfdInfo, PollFlags};
pub use signals::{
    Action, Disposition, Kill, Mask, Scope, SigInfo, SigSet, Signals, WaitId, WaitIdReport,
};
pub use types::{
    Audit, Blocker, Clone, CloneFlags, Cloned, Error, Ns, NsId, NsState, Parent, PidType, PidfdId,
    Reason, Result, Task, TaskId, TaskState, Waited, WorldInfo,
};
pub use world::World;
