// SPDX-License-Identifier: GPL-2.0

//! The longest hold of a world's tree lock, in steps, which the module counts and tells in the fdinfo
//! of each descriptor of the device.
//!
//! A step is one turn of a loop under the lock: a task, a child, a signal or a number that is looked
//! at. How many steps a hold may have is fixed, whatever user space has built, so that a test of a few
//! thousand tasks shows what a million would do to the lock.

use altpid::World;
use rustix::fd::{AsFd, AsRawFd};
use std::{
    env,
    fs::{self, OpenOptions},
    io::Write,
};

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

    /// None of them was longer than it may be.
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

/// Writes down the longest hold since the module was loaded, which it forgets when it is unloaded, in
/// the file that `ALTPID_HOLDS` in the environment names: the run judges it at its end. Does nothing
/// without such a file, and while the module is not loaded.
///
/// # Panics
///
/// When the file cannot be written.
pub fn note() {
    let (Some(path), Ok(world)) = (env::var_os("ALTPID_HOLDS"), World::open()) else {
        return;
    };
    if let Some(Holds {
        longest,
        place,
        bound,
    }) = Holds::of(&world)
    {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let text = format!("max_hold:\t{longest} {place}\nhold_bound:\t{bound}");
        file.and_then(|mut file| writeln!(file, "{text}"))
            .expect("the file for holds");
    }
}
