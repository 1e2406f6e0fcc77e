// SPDX-License-Identifier: GPL-2.0

//! `altpid restore`

use super::{open_world, read_snapshot};
use crate::output::{print, progress, show_tree, unless_broken_pipe};
use altpid::restore::restore;
use anyhow::Result;
use std::{path::PathBuf, process::ExitCode};

/// Mismatches that are listed one by one.
const LISTED: usize = 20;

/// Build a snapshot's tree over the device, compare, and show it
///
/// Makes a world of its own in which every task has the numbers that it had, in every
/// namespace; reads it back and compares every number. The world ends with the command.
#[derive(clap::Args)]
#[command(after_help = "Example: altpid restore snapshot.json")]
pub struct Args {
    /// The snapshot, - for standard input
    file: PathBuf,
    /// The verdict only, not the tree
    #[arg(short, long)]
    quiet: bool,
    /// Write the restored tree as a snapshot to standard output, the verdict to standard error
    #[arg(short = 'J', long)]
    json: bool,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let snapshot = read_snapshot(&self.file)?;
        let restored = restore(open_world()?, &snapshot, progress())?;
        let verdict = restored.verify(&snapshot)?;
        // Who has seen enough of the tree still gets the verdict.
        unless_broken_pipe(if self.json {
            print(restored.snapshot()?.to_json().as_bytes())
        } else if !self.quiet {
            show_tree(&restored.snapshot()?)
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
        if self.json {
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
}
