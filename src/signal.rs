// SPDX-License-Identifier: GPL-2.0

//! Signals: sending and taking them, what processes do about them, and job control.

pub(crate) mod crowd;
pub(crate) mod jobctl;
pub(crate) mod kill;
pub(crate) mod sending;
pub(crate) mod sigaction;
pub(crate) mod sigwait;
pub(crate) mod taking;
pub(crate) mod walk;
