// SPDX-License-Identifier: GPL-2.0

//! What the verbs write: results to standard output, messages to standard error.

use altpid::{
    snapshot::Snapshot,
    tree::{Style, draw},
};
use anyhow::{Context, Result};
use std::io::{self, IsTerminal, Write};

/// Writes a result.
pub fn print(text: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .context("standard output")
}

/// Whether standard output is to have colours.
fn color() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Draws a tree.
pub fn show_tree(snapshot: &Snapshot) -> Result<()> {
    let style = Style { color: color() };
    draw(
        &mut io::BufWriter::new(io::stdout().lock()),
        snapshot,
        style,
    )
    .context("standard output")
}

/// Shows on a terminal how far a long restore is.
pub fn progress() -> impl FnMut(usize, usize) {
    let shown = io::stderr().is_terminal();
    move |done, all| {
        if !shown || all < 5000 {
            return;
        }
        if done == all {
            eprint!("\r\x1b[K");
        } else if done % 1000 == 0 {
            eprint!("\raltpid: restoring, step {done} of {all}");
        }
    }
}

/// Not to be able to write is an error, unless nobody wants to read.
pub fn unless_broken_pipe(result: Result<()>) -> Result<()> {
    result.or_else(|error| {
        if is_broken_pipe(&error) {
            Ok(())
        } else {
            Err(error)
        }
    })
}

/// Whether nobody wants to read any more.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Says what failed, and what may help.
pub fn report(error: &anyhow::Error) {
    eprintln!("altpid: {}", chain(error));
    for hint in hints(error) {
        eprintln!("        {hint}");
    }
}

/// An error and its causes in one line.
fn chain(error: &anyhow::Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}

/// What may help.
fn hints(error: &anyhow::Error) -> Vec<&'static str> {
    let Some(error) = error.downcast_ref::<altpid::Error>() else {
        return Vec::new();
    };
    if error.verb != "open" {
        return Vec::new();
    }
    match error.errno.kind() {
        io::ErrorKind::NotFound => vec!["is the module loaded? try: insmod altpid.ko"],
        io::ErrorKind::PermissionDenied => vec!["the device is root's; try as root"],
        _ => Vec::new(),
    }
}
