// SPDX-License-Identifier: GPL-2.0

//! Whether the kernel is the one that the module was built for, and what kernels of distributions need.

pub(crate) mod loading;
#[cfg(altpid_faults)]
pub(crate) mod messages;
