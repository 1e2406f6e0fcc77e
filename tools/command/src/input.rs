// SPDX-License-Identifier: GPL-2.0

//! Snapshots from files and from standard input.

use altpid::snapshot::{Problem, Snapshot};
use anyhow::{Context, Result};
use std::{
    fs,
    io::{self, Read},
    path::Path,
};

/// Reads and checks a snapshot, from standard input if the path is `-`.
pub fn read_snapshot(path: &Path) -> Result<Snapshot> {
    read_with(path, Snapshot::parse)
}

/// Reads a snapshot that is still to be checked.
pub fn read_unchecked(path: &Path) -> Result<Snapshot> {
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
