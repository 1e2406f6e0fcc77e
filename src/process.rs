// SPDX-License-Identifier: GPL-2.0

//! The verbs over the tree, each named after its system call, and what they leave to be done.

pub(crate) mod bodies;
pub(crate) mod clone;
pub(crate) mod exec;
pub(crate) mod exit;
pub(crate) mod pidfd;
pub(crate) mod prctl;
pub(crate) mod reaper;
pub(crate) mod reboot;
pub(crate) mod session;
mod step;
pub(crate) mod tracing;
pub(crate) mod unshare;
pub(crate) mod vfork;
pub(crate) mod wait;
pub(crate) mod zap;
