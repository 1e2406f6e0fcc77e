// SPDX-License-Identifier: GPL-2.0

//! Counts of references at their limits.

use crate::{
    refcount::{RefCount, MAX},
    saturation::{
        warnings,
        Saturation::{self, AddNotZeroOvf, AddOvf, AddUaf, SubUaf},
        SATURATED,
    },
};
use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};

/// The warning of one step.
fn warned(step: impl FnOnce()) -> Option<Saturation> {
    assert!(warnings().is_empty());
    step();
    let warnings = warnings();
    assert!(warnings.len() < 2, "{warnings:?}");
    warnings.first().copied()
}

/// Whatever is done to a count that has saturated, it stays where it is, and nobody is told that they
/// gave back the last reference.
fn is_saturated(count: &RefCount) {
    for _ in 0..1000 {
        assert_eq!(warned(|| count.inc()), Some(AddOvf));
        assert_eq!(warned(|| assert!(!count.dec_and_test())), Some(SubUaf));
        assert_eq!(warned(|| assert!(!count.dec_and_test())), Some(SubUaf));
        assert_eq!(
            warned(|| assert!(count.inc_not_zero())),
            Some(AddNotZeroOvf)
        );
    }
}

#[test]
fn the_last_one_is_the_last() {
    let count = RefCount::new(0);
    assert!(!count.inc_not_zero());
    count.set(1);
    count.inc();
    assert!(count.inc_not_zero());
    assert_eq!([(); 3].map(|()| count.dec_and_test()), [false, false, true]);
    assert!(!count.inc_not_zero());
    assert!(warnings().is_empty());
}

#[test]
fn the_most_are_counted() {
    let count = RefCount::new(MAX - 1);
    count.inc();
    assert!(!count.dec_and_test());
    assert!(count.inc_not_zero());
    assert!(!count.dec_and_test());
    assert!(warnings().is_empty());
}

#[test]
fn one_more_than_the_most_saturates() {
    let count = RefCount::new(MAX);
    assert_eq!(warned(|| count.inc()), Some(AddOvf));
    is_saturated(&count);
    let count = RefCount::new(MAX);
    assert_eq!(
        warned(|| assert!(count.inc_not_zero())),
        Some(AddNotZeroOvf)
    );
    is_saturated(&count);
}

#[test]
fn what_was_given_back_too_often_saturates() {
    let count = RefCount::new(1);
    assert!(count.dec_and_test());
    assert_eq!(warned(|| assert!(!count.dec_and_test())), Some(SubUaf));
    is_saturated(&count);
    let count = RefCount::new(0);
    assert_eq!(warned(|| count.inc()), Some(AddUaf));
    is_saturated(&count);
}

#[test]
fn everything_beyond_the_most_saturates() {
    for begin in [MAX + 1, SATURATED - 1, SATURATED, SATURATED + 1, u32::MAX] {
        is_saturated(&RefCount::new(begin));
    }
}

/// Many come to the limit at once, and give back what they took.
#[test]
fn nobody_frees_what_others_have() {
    let rounds = if cfg!(miri) { 10 } else { 10_000 };
    for below in 0..4 {
        let count = RefCount::new(MAX - below);
        let freed = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..rounds {
                        if round % 2 == 0 {
                            count.inc();
                        } else {
                            assert!(count.inc_not_zero());
                        }
                        freed.fetch_add(count.dec_and_test().into(), Relaxed);
                    }
                });
            }
        });
        assert_eq!(freed.into_inner(), 0);
        assert!(!count.dec_and_test());
        warnings();
    }
}
