// SPDX-License-Identifier: GPL-2.0

//! Waiting for what comes by itself.

use std::{
    thread::yield_now,
    time::{Duration, Instant},
};

/// Looks until something holds. Gives up after two minutes, which is no part of any test: only what
/// never comes takes so long.
///
/// # Panics
///
/// When it never holds.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(120), "never: {what}");
        yield_now();
    }
}
