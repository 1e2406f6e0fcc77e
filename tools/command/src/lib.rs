// SPDX-License-Identifier: GPL-2.0

//! What the `altpid` command is made of, besides its terminal: the language of scenarios
//! ([`script`]), drawings of a process tree ([`tree`]) and random load ([`stress`]).
//!
//! All of it is built on the library [`altpid`], which knows the device. The oracle and the tests of
//! the device read and write scenarios with this crate.

pub mod script;
pub mod stress;
pub mod tree;
