// SPDX-License-Identifier: GPL-2.0

//! The `altpid` command.

use altpid::{
    World,
    capture::{capture, own_number},
    restore::restore,
    snapshot::Snapshot,
    tree::{Style, draw},
};
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::{
    fs,
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Mismatches that are listed one by one.
const LISTED: usize = 20;

/// Drive an alternative pid subsystem.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit status: 0 if all went well, 1 if something failed, 2 for \
wrong usage, 3 if a restored tree differs from its snapshot."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Write the process tree of this machine to a snapshot
    ///
    /// Every process and thread that /proc shows, with its numbers in all pid namespaces, its
    /// parent, process group and session. The capturing process itself is left out.
    #[command(after_help = "Example: altpid capture -o snapshot.json")]
    Capture {
        /// Where to write it instead of to standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// The procfs to read
        #[arg(long, value_name = "DIR", default_value = "/proc")]
        proc: PathBuf,
    },
    /// Build a snapshot's tree over the device, compare, and show it
    ///
    /// Makes a world of its own in which every task has the numbers that it had, in every
    /// namespace; reads it back and compares every number. The world ends with the command.
    #[command(after_help = "Example: altpid restore snapshot.json")]
    Restore {
        /// The snapshot, - for standard input
        file: PathBuf,
        /// The verdict only, not the tree
        #[arg(short, long)]
        quiet: bool,
        /// Write the restored tree as a snapshot to standard output, the verdict to standard error
        #[arg(short = 'J', long)]
        json: bool,
    },
    /// Show the tree of a snapshot
    #[command(after_help = "Example: altpid capture | altpid tree -")]
    Tree {
        /// The snapshot, - for standard input
        file: PathBuf,
        /// As JSON
        #[arg(short = 'J', long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().verb) {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("altpid: {}", chain(&error));
            for hint in hints(&error) {
                eprintln!("        {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> Result<ExitCode> {
    match verb {
        Verb::Capture { output, proc } => {
            let snapshot = capture(&proc, own_number(&proc))?;
            let text = snapshot.to_json();
            match output {
                Some(path) => {
                    fs::write(&path, text).with_context(|| path.display().to_string())?;
                    eprintln!(
                        "altpid: {} tasks in {} pid namespaces",
                        snapshot.tasks.len(),
                        snapshot.namespaces.len()
                    );
                }
                None => print(text.as_bytes())?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Verb::Restore { file, quiet, json } => {
            let snapshot = read_snapshot(&file)?;
            let world = World::open().with_context(|| World::device().display().to_string())?;
            let restored = restore(world, &snapshot, progress())?;
            let verdict = restored.verify(&snapshot)?;
            // Who has seen enough of the tree still gets the verdict.
            unless_broken_pipe(if json {
                print(restored.snapshot()?.to_json().as_bytes())
            } else if !quiet {
                show(&restored.snapshot()?)
            } else {
                Ok(())
            })?;
            for note in &restored.notes {
                eprintln!("altpid: note: {note}");
            }
            for mismatch in verdict.mismatches.iter().take(LISTED) {
                eprintln!("altpid: {mismatch}");
            }
            if verdict.mismatches.len() > LISTED {
                eprintln!("altpid: and {} more", verdict.mismatches.len() - LISTED);
            }
            let line = format!(
                "restored: {} tasks, {} namespaces, {} numbers compared, {} mismatches",
                verdict.tasks,
                verdict.namespaces,
                verdict.numbers,
                verdict.mismatches.len()
            );
            if json {
                eprintln!("{line}")
            } else {
                unless_broken_pipe(print(format!("{line}\n").as_bytes()))?;
            }
            Ok(if verdict.mismatches.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(3)
            })
        }
        Verb::Tree { file, json } => {
            let snapshot = read_snapshot(&file)?;
            if json {
                print(snapshot.to_json().as_bytes())?;
            } else {
                show(&snapshot)?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

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

fn print(text: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .context("standard output")
}

fn show(snapshot: &Snapshot) -> Result<()> {
    let color =
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    draw(
        &mut io::BufWriter::new(io::stdout().lock()),
        snapshot,
        Style { color },
    )
    .context("standard output")
}

/// Not to be able to write is an error, unless nobody wants to read.
fn unless_broken_pipe(result: Result<()>) -> Result<()> {
    result.or_else(|error| {
        if is_broken_pipe(&error) {
            Ok(())
        } else {
            Err(error)
        }
    })
}

/// Shows on a terminal how far a long restore is.
fn progress() -> impl FnMut(usize, usize) {
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

/// An error and its causes in one line.
fn chain(error: &anyhow::Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
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
