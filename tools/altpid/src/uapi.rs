// SPDX-License-Identifier: GPL-2.0

//! The interface of `/dev/altpid` as C has it, made by bindgen from `src/uapi/altpid.h`.
//!
//! What the fields mean and which errors there are stands in that header.

// What bindgen writes is not for us to tidy up; not `expect`, for it varies with bindgen's version.
#![allow(
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]

include!(concat!(env!("OUT_DIR"), "/uapi.rs"));

/// `ALTPID_OUTSIDE`, which is wider than what bindgen takes a macro for.
pub const ALTPID_OUTSIDE: u64 = u64::MAX;
