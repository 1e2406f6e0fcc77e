// SPDX-License-Identifier: GPL-2.0

//! Questions. They change nothing.

pub(crate) mod audit;
pub(crate) mod blockers;
pub(crate) mod events;
pub(crate) mod ids;
pub(crate) mod nsfs;
pub(crate) mod query;
