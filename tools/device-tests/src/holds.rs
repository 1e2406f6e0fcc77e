// SPDX-License-Identifier: GPL-2.0

//! The longest hold of a world's tree lock, in steps, which the module counts and tells in the fdinfo
//! of each descriptor of the device.
//!
//! A step is one turn of a loop under the lock: a task, a child, a signal or a number that is looked
//! at. How many steps a hold may have is fixed, whatever user space has built, so that a test of a few
//! thousand tasks shows what a million would do to the lock.

use crate::figures::tell_most;
use rustix::fd::{AsFd, AsRawFd};
use std::fs;

/// What the module tells of the holds of the tree lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holds {
    /// Steps of the longest one so far.
    pub longest: u64,
    /// Where in the module's source that was: the file and the line.
    pub place: String,
    /// The most steps that one may have.
    pub bound: u64,
}

impl Holds {
    /// What the fdinfo of a descriptor says; `None` where there are no such lines.
    fn parse(fdinfo: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut lines = fdinfo.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"))
        };
        let (longest, place) = value("max_hold")?.split_once(' ')?;
        Some(Self {
            longest: longest.parse().ok()?,
            place: place.to_owned(),
            bound: value("hold_bound")?.parse().ok()?,
        })
    }

    /// Those of the world that a descriptor is one of; `None` of a module that does not count them.
    ///
    /// # Panics
    ///
    /// Without `/proc`.
    pub fn of(world: impl AsFd) -> Option<Self> {
        let path = format!("/proc/self/fdinfo/{}", world.as_fd().as_raw_fd());
        Self::parse(&fs::read_to_string(path).expect("fdinfo"))
    }

    /// None of them was longer than it may be; the longest of all tests is told at the end of a run.
    ///
    /// # Panics
    ///
    /// When one was.
    #[track_caller]
    pub fn check(&self) {
        let Self {
            longest,
            place,
            bound,
        } = self;
        tell_most(
            "longest hold of the tree lock:",
            *longest,
            &format!("steps of {bound} that it may have, at {place}"),
        );
        assert!(
            longest <= bound,
            "the tree lock was held for {longest} steps, {bound} are allowed, at {place}"
        );
    }
}

/// No hold of a world's tree lock was longer than it may be.
///
/// # Panics
///
/// When one was, and when the module does not count them.
#[track_caller]
pub fn are_bounded(world: impl AsFd) {
    let holds = Holds::of(world);
    holds.expect("max_hold and hold_bound in fdinfo").check();
}
