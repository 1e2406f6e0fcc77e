// SPDX-License-Identifier: GPL-2.0

//! What the tests of the device have in common.
//!
//! The tests themselves are in `tests/`, a program for each area. They need `/dev/altpid` and fail
//! without it; each test opens a world of its own, so that those of one program can run side by
//! side. No test depends on timing: what happens in another thread is waited for by looking at it.
//!
//! [`Fixture`] is such a world, audited when its test is over. [`raw`] goes around the library,
//! with structs and addresses as wrong as they can be, and so does [`array`] with arrays of
//! operations; [`command`] says for every command what
//! its struct looks like. [`command_line`] runs the `altpid` command, on a terminal too. [`sleeper`]
//! is somebody who waits in the kernel, [`caller`] a process that is to be killed, and [`meanwhile`]
//! how much others do while a test does something else. [`header`] reads the interface's own
//! description, from which [`generate`] makes random commands. [`torture`] issues them from many
//! processes until they are killed. [`crowd`] makes many tasks by few calls, [`verbs`] has every verb
//! that a task can call, and [`holds`] knows for how long the tree lock was held. [`members`] runs real programs in a world, and [`mounted`] has
//! its /proc. [`figures`] is where a
//! test tells how much it has done, [`scratch`] a file of its own, [`machine`] has real processes to
//! capture, and [`module`] loads and unloads the module, whose longest hold is written down before.

pub mod array;
pub mod caller;
pub mod command;
#[path = "../../command/tests/command_line/mod.rs"]
pub mod command_line;
pub mod crowd;
pub mod figures;
mod fixture;
pub mod generate;
pub mod header;
pub mod holds;
pub mod machine;
pub mod meanwhile;
pub mod members;
pub mod module;
pub mod mounted;
pub mod patience;
pub mod raw;
pub mod scratch;
pub mod sleeper;
pub mod torture;
pub mod verbs;

pub use fixture::{
    Fixture, SIGCHLD, State, WALL, WCLONE, WNOHANG, WNOTHREAD, exited, numbers, pid_max_min,
};
