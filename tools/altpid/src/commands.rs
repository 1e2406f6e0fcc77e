// SPDX-License-Identifier: GPL-2.0

//! The verbs, a file each, and what several of them read.

pub mod capture;
pub mod restore;
pub mod tree;

use altpid::{World, snapshot::Snapshot};
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
fn read_snapshot(path: &Path) -> Result<Snapshot> {
    let (name, text) = if path == Path::new("-") {
        let mut text = Vec::new();
        let result = io::stdin().lock().read_to_end(&mut text);
        ("standard input".to_owned(), result.map(|_| text))
    } else {
        (path.display().to_string(), fs::read(path))
    };
    text.map_err(anyhow::Error::from)
        .and_then(|text| Ok(Snapshot::parse(&text)?))
        .context(name)
}
