// SPDX-License-Identifier: GPL-2.0

//! `altpid restore`

use crate::{
    input::{read_snapshot, read_unchecked},
    output::{DIFFERS, counted, print, progress, show_tree, unless_broken_pipe},
    place::{Place, open_world},
};
use altpid::{
    plan::plan,
    restore::{Restored, conflicts, restore, restore_in},
    snapshot::Snapshot,
    view::View,
};
use anyhow::{Result, bail};
use std::{path::PathBuf, process::ExitCode};

/// Mismatches that are listed one by one.
const LISTED: usize = 20;

/// Build a snapshot's tree over the device, compare, and show it
///
/// Makes a world of its own in which every task has the numbers that it had, in every namespace;
/// reads it back and compares every number. The world ends with the command: "altpid hold FILE"
/// keeps one. With --world or --target the tree is put beside what is in that world and stays there;
/// if that fails, nothing is left of it.
#[derive(clap::Args)]
#[command(
    after_help = "Exit status: 3 if the tree differs from the snapshot, or with --dry-run \
if something stands in the way.\n\nExamples:\n  altpid restore snapshot.json\n  \
altpid restore --dry-run --world 3 snapshot.json"
)]
pub struct Args {
    /// The snapshot, - for standard input
    file: PathBuf,
    /// The verdict only, not the tree
    #[arg(short, long)]
    quiet: bool,
    /// Write the restored tree as a snapshot to standard output, the verdict to standard error
    #[arg(short = 'J', long)]
    json: bool,
    /// List everything that stands in the way, and change nothing
    #[arg(short = 'n', long, conflicts_with_all = ["quiet", "json"])]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        if self.dry_run {
            return self.try_out();
        }
        let snapshot = read_snapshot(&self.file)?;
        let restored = self.restore(&snapshot)?;
        let verdict = restored.verify(&snapshot)?;
        // Who has seen enough of the tree still gets the verdict.
        unless_broken_pipe(if self.json {
            print(restored.snapshot()?.to_json().as_bytes())
        } else if !self.quiet {
            show_tree(&View::of_snapshot(&restored.snapshot()?), false)
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
            "restored: {}, {}, {} compared, {}{}",
            counted(verdict.tasks, "task"),
            counted(verdict.namespaces, "namespace"),
            counted(verdict.numbers, "number"),
            counted_mismatches(verdict.mismatches.len()),
            match verdict.altered {
                0 => String::new(),
                some => format!(
                    ", {} in another state (see the notes)",
                    counted(some, "task")
                ),
            }
        );
        if self.json {
            eprintln!("{line}")
        } else {
            unless_broken_pipe(print(format!("{line}\n").as_bytes()))?;
        }
        Ok(if verdict.mismatches.is_empty() {
            ExitCode::SUCCESS
        } else {
            DIFFERS.into()
        })
    }

    fn restore(&self, snapshot: &Snapshot) -> Result<Restored> {
        if !self.place.is_given() {
            return restore(open_world()?, snapshot, progress("restoring"));
        }
        let world = self.place.world()?;
        let conflicts = conflicts(&world, snapshot)?;
        if let [first, more @ ..] = &conflicts[..] {
            for conflict in more.iter().take(LISTED) {
                eprintln!("altpid: {conflict}");
            }
            bail!("{first}");
        }
        restore_in(world, snapshot, progress("restoring"))
    }

    /// Lists what stands in the way.
    fn try_out(&self) -> Result<ExitCode> {
        let snapshot = read_unchecked(&self.file)?;
        let mut notes = Vec::new();
        let found = if self.place.is_given() {
            conflicts(&self.place.world()?, &snapshot)?
        } else {
            match open_world() {
                Ok(world) => conflicts(&world, &snapshot)?,
                Err(error) => {
                    notes.push(format!("limits were not looked at: {error:#}"));
                    alone(&snapshot)
                }
            }
        };
        let text: String = found
            .iter()
            .map(|conflict| format!("{conflict}\n"))
            .collect();
        unless_broken_pipe(print(text.as_bytes()))?;
        for note in notes {
            eprintln!("altpid: note: {note}");
        }
        let (tasks, namespaces) = (snapshot.tasks.len(), snapshot.namespaces.len());
        let line = match found.len() {
            0 => format!(
                "{} and {} can be restored",
                counted(tasks, "task"),
                counted(namespaces, "namespace")
            ),
            1 => "1 conflict".into(),
            count => format!("{count} conflicts"),
        };
        eprintln!("altpid: {line}");
        Ok(if found.is_empty() {
            ExitCode::SUCCESS
        } else {
            DIFFERS.into()
        })
    }
}

fn counted_mismatches(count: usize) -> String {
    match count {
        1 => "1 mismatch".into(),
        more => format!("{more} mismatches"),
    }
}

/// What stands in the way in any world.
fn alone(snapshot: &Snapshot) -> Vec<String> {
    let mut problems = snapshot.problems();
    if problems.is_empty() {
        problems.extend(plan(snapshot).err());
    }
    problems.iter().map(ToString::to_string).collect()
}
