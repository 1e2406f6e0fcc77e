// SPDX-License-Identifier: GPL-2.0

//! What the verbs write: results to standard output, messages to standard error.

use altpid::view::View;
use altpid_command::tree::{Style, draw};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    fmt,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

/// The exit status when something is not as it should be.
pub const DIFFERS: u8 = 3;

/// An error with what may help.
#[derive(Debug)]
pub struct Hinted {
    what: String,
    hint: String,
    is_usage: bool,
}

impl Hinted {
    /// Something that failed.
    pub fn failure(what: String, hint: impl Into<String>) -> anyhow::Error {
        let (hint, is_usage) = (hint.into(), false);
        Self {
            what,
            hint,
            is_usage,
        }
        .into()
    }

    /// Something that was typed wrongly.
    pub fn usage(what: String, hint: impl Into<String>) -> anyhow::Error {
        let (hint, is_usage) = (hint.into(), true);
        Self {
            what,
            hint,
            is_usage,
        }
        .into()
    }
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Hinted {}

/// Writes a result.
pub fn print(text: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .context("standard output")
}

/// Writes a line of a result.
pub fn print_line(line: &str) -> Result<()> {
    print(format!("{line}\n").as_bytes())
}

/// Writes a result as JSON.
pub fn print_json(value: &serde_json::Value) -> Result<()> {
    print(format!("{}\n", serde_json::to_string_pretty(value)?).as_bytes())
}

/// Writes a long result piece by piece.
pub fn print_with(
    write: impl FnOnce(&mut io::BufWriter<io::StdoutLock<'_>>) -> io::Result<()>,
) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)
        .and_then(|()| out.flush())
        .context("standard output")
}

/// How standard output is to look.
pub fn style() -> Style {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Style {
        color: io::stdout().is_terminal() && !no_color,
    }
}

/// Draws a tree.
pub fn show_tree(view: &View) -> Result<()> {
    print_with(|out| draw(out, view, style()))
}

/// Shows on a terminal how far something long is, if there are many steps.
pub fn progress(what: &'static str) -> impl FnMut(usize, usize) {
    const MANY: usize = 5000;
    let mut bar: Option<ProgressBar> = None;
    move |done, all| {
        if all < MANY || done % 256 != 0 && done != all {
            return;
        }
        let bar = bar.get_or_insert_with(|| {
            // Not drawn when standard error is no terminal.
            let target = ProgressDrawTarget::stderr();
            let bar = ProgressBar::with_draw_target(Some(all as u64), target);
            let style =
                ProgressStyle::with_template("altpid: {msg} [{bar:30}] {pos}/{len}, {eta} left");
            bar.with_style(
                style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            )
            .with_message(what)
        });
        bar.set_position(done as u64);
        if done == all {
            bar.finish_and_clear();
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

/// Says what failed, and what may help; returns the exit status.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("altpid: {}", chain(error));
    for hint in hints(error) {
        eprintln!("        {hint}");
    }
    match error.downcast_ref::<Hinted>() {
        Some(Hinted { is_usage: true, .. }) => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}

/// An error and its causes in one line.
fn chain(error: &anyhow::Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}

/// What may help.
fn hints(error: &anyhow::Error) -> Vec<&str> {
    if let Some(hinted) = error.downcast_ref::<Hinted>() {
        return hinted.hint.lines().collect();
    }
    let Some(error) = error.downcast_ref::<altpid::Error>() else {
        return Vec::new();
    };
    match (error.verb, error.errno.kind()) {
        ("open", io::ErrorKind::NotFound) => {
            vec!["is the module loaded? try: insmod altpid.ko"]
        }
        ("open", io::ErrorKind::PermissionDenied) => {
            vec!["the device is root's; try as root"]
        }
        ("pidfd_getfd", io::ErrorKind::PermissionDenied) => {
            vec!["only who could trace a process can look at its world; try as root"]
        }
        _ => Vec::new(),
    }
}
