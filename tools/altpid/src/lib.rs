// SPDX-License-Identifier: GPL-2.0

//! A library over `/dev/altpid`, the device of the altpid kernel module.
//!
//! [`World`] is a pid universe of one's own, with a method for each thing that can be done in it,
//! called after its system call; an [`Error`] has the errno of that and, where it says too little, a
//! [`Reason`]. [`Batch`] does many things in one call, [`Events`] tells what happens.
//!
//! A world ends with the last descriptor of it: [`holders`] finds the processes that have one, and
//! looks at a world that another process holds.
//!
//! [`snapshot`] describes a tree of processes as a file, [`capture`] reads one from `/proc`,
//! [`plan`] says how to build it again, [`restore`] does so and checks the result. [`view`] is one
//! form for worlds and snapshots; [`diff`] compares snapshots. What there is to know of each command
//! of the device stands in `src/uapi/altpid.h`, whose types are in [`uapi`].
//!
//! # Examples
//!
//! Each of these is run over the device by the tests.
//!
//! A container:
//!
//! ```no_run
#![doc = include_str!("../examples/container.rs")]
//! ```
//!
//! Many operations in one call:
//!
//! ```no_run
#![doc = include_str!("../examples/batch.rs")]
//! ```
//!
//! What happens in a world:
//!
//! ```no_run
#![doc = include_str!("../examples/events.rs")]
//! ```
//!
//! A tree from a description:
//!
//! ```no_run
#![doc = include_str!("../examples/snapshot.rs")]
//! ```

mod attach;
mod batch;
pub mod capture;
mod clone;
pub mod diff;
mod error;
mod events;
pub mod holders;
mod ids;
pub mod inodes;
mod kill;
mod lists;
pub mod names;
mod namespace;
mod pidfd;
pub mod plan;
pub mod restore;
mod signals;
pub mod snapshot;
mod sys;
mod types;
pub mod uapi;
pub mod view;
mod wait;
mod world;

pub use attach::Attach;
pub use batch::Batch;
pub use events::{Event, EventKind, Events};
pub use kill::{Given, Kill, Scope};
pub use pidfd::{PidfdFlags, PidfdIds, PidfdInfo, PollFlags};
pub use signals::{Action, Disposition, Mask, SaFlags, SigInfo, SigSet, Signals};
pub use types::{
    Audit, Blocker, CloneArgs, CloneFlags, Cloned, Error, Ns, NsId, NsNr, NsState, Parent, PidType,
    PidfdId, Reason, Result, Status, Task, TaskId, TaskState, WaitFlags, WaitId, WaitIdReport,
    Waited, WorldInfo,
};
pub use world::World;
