// SPDX-License-Identifier: GPL-2.0

//! `altpid tree`

use super::read_snapshot;
use crate::output::{print, show_tree};
use anyhow::Result;
use std::{path::PathBuf, process::ExitCode};

/// Show the tree of a snapshot
#[derive(clap::Args)]
#[command(after_help = "Example: altpid capture | altpid tree -")]
pub struct Args {
    /// The snapshot, - for standard input
    file: PathBuf,
    /// As JSON
    #[arg(short = 'J', long)]
    json: bool,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let snapshot = read_snapshot(&self.file)?;
        if self.json {
            print(snapshot.to_json().as_bytes())?;
        } else {
            show_tree(&snapshot)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
