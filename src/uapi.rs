// SPDX-License-Identifier: GPL-2.0

//! The types of the interface, made by bindgen from `src/uapi/altpid.h`.

#[allow(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    missing_docs,
    non_camel_case_types,
    unreachable_pub
)]
mod generated {
    include!(env!("ALTPID_UAPI"));
}

pub(crate) use generated::*;
