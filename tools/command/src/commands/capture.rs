// SPDX-License-Identifier: GPL-2.0

//! `altpid capture`

use crate::{
    output::{DIFFERS, counted, print},
    place::Place,
};
use altpid::capture::{Captured, capture, own_number};
use anyhow::{Context, Result};
use std::{fs, path::PathBuf, process::ExitCode};

/// Write the process tree of this machine, or of a world, to a snapshot
///
/// Every process and thread that /proc shows, with its numbers in all pid namespaces, its
/// parent, process group and session. The capturing process itself is left out. What is there and
/// cannot be seen is told. With --world or --target it is the tree of that world.
#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 3 if not all could be seen.\n\nExamples:\n  altpid capture -o snapshot.json\n  altpid capture --world 3"
)]
pub struct Args {
    /// Where to write it instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The procfs to read
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    proc: PathBuf,
    /// Exit status 0 also if not all could be seen
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    place: Place,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let Captured { snapshot, unseen } = if self.place.is_given() {
            self.of_world()?
        } else {
            capture(&self.proc, own_number(&self.proc))?
        };
        let text = snapshot.to_json();
        match self.output {
            Some(path) => {
                fs::write(&path, text).with_context(|| path.display().to_string())?;
                let (tasks, namespaces) = (snapshot.tasks.len(), snapshot.namespaces.len());
                eprintln!(
                    "altpid: {} in {}",
                    counted(tasks, "task"),
                    counted(namespaces, "pid namespace")
                );
            }
            None => print(text.as_bytes())?,
        }
        for what in &unseen {
            eprintln!("altpid: not seen: {what}");
        }
        Ok(if unseen.is_empty() || self.partial {
            ExitCode::SUCCESS
        } else {
            DIFFERS.into()
        })
    }

    /// The tree of a world, and the namespaces that are not in it.
    fn of_world(&self) -> Result<Captured> {
        let chosen = self.place.chosen()?;
        let snapshot = chosen.snapshot()?;
        let all = chosen.world.namespaces(None)?.len();
        let left_out = all.saturating_sub(snapshot.namespaces.len());
        let unseen = (left_out > 0).then(|| {
            let namespaces = counted(left_out, "pid namespace");
            format!("{namespaces} with no task, which only pidfds keep")
        });
        Ok(Captured {
            snapshot,
            unseen: unseen.into_iter().collect(),
        })
    }
}
