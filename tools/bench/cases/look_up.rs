// SPDX-License-Identifier: GPL-2.0

//! Finding who has a number, and what it is elsewhere.

use super::{Chain, Live};
use crate::{
    measure::{compare, Batch},
    native::Native,
    pid::translate,
    sync::read_lock,
};
use core::{cell::Cell, hint::black_box};
use kernel::prelude::*;

/// Numbers that are looked up one after the other.
const SAMPLE: usize = 4096;

/// A number that nobody has.
const MISS: i32 = (1 << 22) - 2;

/// So many numbers of the pids in use, from all over.
fn sample(count: usize, nr: impl Fn(usize) -> i32) -> Result<KVVec<i32>> {
    let mut numbers = KVVec::with_capacity(SAMPLE, GFP_KERNEL)?;
    for i in 0..SAMPLE {
        numbers.push(nr(i * 1_000_003 % count.max(1)), GFP_KERNEL)?;
    }
    Ok(numbers)
}

/// Among the pids in use.
pub(super) fn among(live: &Live<'_>, chain: &Chain, native: &Native) -> Result {
    let (level, count) = (native.level(), live.ours.len());
    let ours = sample(count, |i| live.ours[i].nr())?;
    let theirs = sample(count, |i| native.nr(&live.theirs[i]))?;
    let root = chain.ns.ancestor(0);
    let (mut i, mut j) = (0, 0);
    // Each that is looked up is there.
    let missed = Cell::new(0u32);
    let check = |is_there: bool| missed.set(missed.get() + u32::from(!is_there));
    compare(
        format_args!("look up, level {level}, {count} live"),
        Batch::Short,
        || {
            let guard = read_lock();
            let nr = ours[i % SAMPLE] as u32;
            check(chain.ns.map().get(nr, &guard).is_some());
            i += 1;
        },
        || {
            check(native.find(theirs[j % SAMPLE]));
            j += 1;
        },
    );
    compare(
        format_args!("look up a miss, level {level}, {count} live"),
        Batch::Short,
        || {
            let guard = read_lock();
            black_box(chain.ns.map().get(MISS as u32, &guard));
        },
        || {
            black_box(native.find(MISS));
        },
    );
    compare(
        format_args!("translate, level {level} to 0, {count} live"),
        Batch::Short,
        || {
            let found = translate(&chain.ns, ours[i % SAMPLE], root);
            check(found.is_some_and(|nr| nr != 0));
            i += 1;
        },
        || {
            check(native.translate(theirs[j % SAMPLE]) != 0);
            j += 1;
        },
    );
    if missed.get() == 0 {
        Ok(())
    } else {
        Err(EIO)
    }
}
