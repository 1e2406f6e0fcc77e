// SPDX-License-Identifier: GPL-2.0

//! Many threads that do everything at random, until they are killed in the middle of it.
//!
//! A [`worker`] is a process: some threads that issue generated commands to worlds which they share
//! with other processes and to worlds of their own, whose descriptors are closed under them. A
//! [`builder`] is one that builds large things in the worlds that are shared, and lets something happen
//! to them, so that the tree lock is held for long if it can be. Both go on until they are killed. What
//! was done is counted in memory that outlives them ([`Tally`]).

pub mod builder;
pub mod worker;

use crate::{header::shapes, raw::Counters};
use std::{path::Path, sync::atomic::Ordering::Relaxed};

/// What is counted beside the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Worlds opened.
    Opened,
    /// Descriptors closed that other threads may have been using.
    Closed,
    /// Signals to threads that may have been sleeping.
    Interrupted,
    /// Calls of read(2).
    Reads,
    /// Events that were read.
    Events,
    /// Of those: the init of a namespace has begun to take it along.
    Zaps,
    /// Results that the header does not allow.
    Wrong,
    /// Large things that were built.
    Shapes,
    /// What happened to them.
    Happenings,
}

/// How many kinds of [`Count`] there are.
const COUNTS: usize = 9;

/// What all processes have done.
#[derive(Debug)]
pub struct Tally(Counters);

impl Tally {
    /// That in a file.
    pub fn open(path: &Path) -> Self {
        Self(Counters::open(path, COUNTS + 2 * shapes().len()))
    }

    /// Counts something.
    pub fn add(&self, what: Count, count: u64) {
        self.0.all()[what as usize].fetch_add(count, Relaxed);
    }

    /// Counts a command.
    pub fn add_command(&self, shape: usize, done: bool) {
        let counters = &self.0.all()[COUNTS + 2 * shape..];
        counters[0].fetch_add(1, Relaxed);
        counters[1].fetch_add(done.into(), Relaxed);
    }

    /// How many there are of something.
    pub fn get(&self, what: Count) -> u64 {
        self.0.all()[what as usize].load(Relaxed)
    }

    /// How often a command was issued, and how often it was successful.
    pub fn commands(&self) -> impl Iterator<Item = (&'static str, u64, u64)> {
        shapes().iter().enumerate().map(|(index, shape)| {
            let counters = &self.0.all()[COUNTS + 2 * index..];
            let (all, done) = (counters[0].load(Relaxed), counters[1].load(Relaxed));
            (shape.name.as_str(), all, done)
        })
    }
}
