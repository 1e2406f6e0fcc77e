// SPDX-License-Identifier: GPL-2.0

//! Allocating a pid and freeing it again.

use super::Chain;
use crate::{
    measure::{compare, Batch},
    native::{Native, NativePid},
    pid::alloc_pid,
};
use kernel::prelude::*;

fn compare_with(case: core::fmt::Arguments<'_>, batch: Batch, chain: &Chain, native: &Native) {
    compare(
        case,
        batch,
        || drop(alloc_pid(&chain.ns, &[])),
        || drop(native.alloc()),
    );
}

/// With so many pids in use in the namespace.
pub(super) fn with(live: usize, chain: &Chain, native: &Native) {
    let level = native.level();
    compare_with(
        format_args!("alloc+free, level {level}, {live} live"),
        Batch::Sustained,
        chain,
        native,
    );
    if live == 0 {
        compare_with(
            format_args!("alloc+free, level {level}, burst"),
            Batch::Burst,
            chain,
            native,
        );
    }
}

/// With one free number of 32,768, in the middle.
pub(super) fn with_one_free(chain: &Chain, native: &Native) -> Result {
    const PID_MAX: usize = 32768;
    chain.ns.set_pid_max(PID_MAX as i64)?;
    let mut ours = KVVec::with_capacity(PID_MAX, GFP_KERNEL)?;
    let mut theirs = KVVec::<NativePid<'_>>::with_capacity(PID_MAX, GFP_KERNEL)?;
    while let Ok(pid) = alloc_pid(&chain.ns, &[]) {
        ours.push(pid, GFP_KERNEL)?;
    }
    while let Ok(pid) = native.alloc() {
        theirs.push(pid, GFP_KERNEL)?;
    }
    drop(ours.remove(ours.len() / 2));
    drop(theirs.remove(theirs.len() / 2));
    compare_with(
        format_args!("alloc+free, level 0, one free of {PID_MAX}"),
        Batch::Sustained,
        chain,
        native,
    );
    Ok(())
}
