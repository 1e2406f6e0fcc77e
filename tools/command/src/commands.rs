// SPDX-License-Identifier: GPL-2.0

//! The verbs, a file each.

pub mod audit;
pub mod capture;
pub mod diff;
pub mod exec;
pub mod generate;
pub mod hold;
pub mod ids;
pub mod kill;
pub mod ls;
pub mod proc;
pub mod restore;
pub mod run;
pub mod shell;
pub mod show;
pub mod stress;
pub mod translate;
pub mod tree;
pub mod watch;
pub mod why;
pub mod worlds;
