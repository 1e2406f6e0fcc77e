// SPDX-License-Identifier: GPL-2.0

//! What each command's struct looks like, and a request of it that succeeds.

use super::Command;
use crate::{
    Fixture,
    raw::{Plain, bytes_of},
};
use altpid::{PidfdFlags, PidfdId, TaskId};
use std::sync::LazyLock;

/// A process that can do what it likes.
fn somebody(world: &Fixture) -> TaskId {
    world.fork(world.init)
}

/// A pidfd for init.
fn pidfd(world: &Fixture) -> PidfdId {
    let pidfd = world.pidfd_of(world.init, PidfdFlags::empty());
    pidfd.expect("pidfd_open")
}

fn bytes(value: &impl Plain) -> Vec<u8> {
    bytes_of(value)
}

macro_rules! command {
    ($name:literal, $number:ident, $struct:ident, $replies:literal,
     [$($reserved:ident)*], [$(($flags:ident, $unknown:expr))*], $request:expr) => {
        Command {
            name: $name,
            number: $number,
            size: size_of::<$struct>(),
            replies: $replies,
            reserved: &[$(offset_of!($struct, $reserved),)*],
            unknown: &[$((offset_of!($struct, $flags), $unknown),)*],
            request: $request,
        }
    };
}

// After the macro, which they use.
mod acting;
mod asking;

/// Commands whose structs have grown, with the sizes that these had at first.
pub(super) const GROWN: &[(&str, usize)] = &[
    ("WORLD", 80),
    ("CLONE", 64),
    ("SETNS", 24),
    ("KILL", 48),
    ("SIGACTION", 24),
    ("WAITID", 48),
    ("SIGWAIT", 48),
    ("TASK", 616),
    ("NS", 56),
    ("LIST", 40),
    ("AUDIT", 152),
];

/// All of them.
pub static COMMANDS: LazyLock<Vec<Command>> =
    LazyLock::new(|| [acting::COMMANDS, asking::COMMANDS].concat());
