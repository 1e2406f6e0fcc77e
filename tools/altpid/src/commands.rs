// SPDX-License-Identifier: GPL-2.0

//! The verbs, a file each, and what several of them read.

pub mod audit;
pub mod capture;
pub mod diff;
pub mod generate;
pub mod hold;
pub mod ls;
pub mod restore;
pub mod run;
pub mod shell;
pub mod show;
pub mod stress;
pub mod translate;
pub mod tree;
pub mod watch;
pub mod why;
pub mod worlds;

use altpid::{
    World,
    snapshot::{Problem, Snapshot},
};
use anyhow::{Context, Result};
use std::{
    fs,
    io::{self, Read},
    path::Path,
};

/// Makes a world.
fn open_world() -> Result<World> {
    World::open().with_context(|| World::device().display().to_string())
}

/// Reads and checks a snapshot, from standard input if the path is `-`.
pub fn read_snapshot(path: &Path) -> Result<Snapshot> {
    read_with(path, Snapshot::parse)
}

/// Reads a snapshot that is still to be checked.
fn read_unchecked(path: &Path) -> Result<Snapshot> {
    read_with(path, Snapshot::from_json)
}

fn read_with(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<Snapshot, Problem>,
) -> Result<Snapshot> {
    let (name, text) = if path == Path::new("-") {
        let mut text = Vec::new();
        let result = io::stdin().lock().read_to_end(&mut text);
        ("standard input".to_owned(), result.map(|_| text))
    } else {
        (path.display().to_string(), fs::read(path))
    };
    text.map_err(anyhow::Error::from)
        .and_then(|text| Ok(parse(&text)?))
        .context(name)
}
