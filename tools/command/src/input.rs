// SPDX-License-Identifier: GPL-2.0

//! What is read from files and from standard input.

use crate::output::Hinted;
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
    let (name, text) = read_bytes(path)?;
    parse(&text).context(name)
}

/// The name of a file, and its text, which must be UTF-8.
pub fn read_text(path: &Path) -> Result<(String, String)> {
    let (name, bytes) = read_bytes(path)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
            Err(Hinted::usage(
                format!("{name}:{line}: this is not UTF-8"),
                "the text of a scenario is UTF-8 or ASCII",
            ))
        }
    }
}

/// The name of a file, and what is in it.
fn read_bytes(path: &Path) -> Result<(String, Vec<u8>)> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        let name = "standard input";
        io::stdin().lock().read_to_end(&mut bytes).context(name)?;
        return Ok((name.to_owned(), bytes));
    }
    let name = path.display().to_string();
    let bytes = fs::read(path).with_context(|| name.clone())?;
    Ok((name, bytes))
}
