// SPDX-License-Identifier: GPL-2.0

//! `altpid capture`

use crate::{output::print, place::Place};
use altpid::{
    capture::{capture, own_number},
    snapshot::Snapshot,
};
use anyhow::{Context, Result};
use std::{fs, path::PathBuf, process::ExitCode};

/// Write the process tree of this machine, or of a world, to a snapshot
///
/// Every process and thread that /proc shows, with its numbers in all pid namespaces, its
/// parent, process group and session. The capturing process itself is left out. With --world or
/// --target it is the tree of that world.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  altpid capture -o snapshot.json\n  altpid capture --world 3")]
pub struct Args {
    /// Where to write it instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The procfs to read
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    proc: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let snapshot = if self.place.is_given() {
            Snapshot::of_world(&self.place.world()?)?
        } else {
            capture(&self.proc, own_number(&self.proc))?
        };
        let text = snapshot.to_json();
        match self.output {
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
}
