// SPDX-License-Identifier: GPL-2.0

//! Does the same things with real processes and with altpid, and compares.
//!
//! A sequence of operations ([`op`]) is performed twice ([`pair`]): by real processes in a pid
//! namespace of their own ([`native`]), which are told what to do over shared memory ([`channel`],
//! [`protocol`], [`programs`]), and by virtual tasks of a world ([`twin`]). After each operation
//! everything that can be seen of every task is compared ([`compare`], [`status`], [`divergence`]).

pub mod channel;
pub mod compare;
pub mod differences;
pub mod directed;
pub mod divergence;
pub mod draw;
pub mod event;
pub mod flags;
pub mod hunt;
pub mod kernel;
pub mod native;
pub mod op;
pub mod pair;
pub mod programs;
pub mod protocol;
pub mod rules;
pub mod script;
pub mod status;
pub mod twin;
