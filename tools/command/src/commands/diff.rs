// SPDX-License-Identifier: GPL-2.0

//! `altpid diff`

use crate::{
    input::read_snapshot,
    output::{DIFFERS, print_json, print_with},
};
use altpid::diff::{Difference, diff};
use anyhow::Result;
use serde_json::{Value, json};
use std::{io::Write, path::PathBuf, process::ExitCode};

/// Say what differs between two snapshots
///
/// A line for each task that has come (+), gone (-) or changed (~). Tasks are the same if their
/// numbers at level 0 are.
#[derive(clap::Args)]
#[command(after_help = "Exit status: 3 if they differ.\n\n\
Example: altpid capture -o now.json; altpid diff before.json now.json")]
pub struct Args {
    /// The first snapshot, - for standard input
    a: PathBuf,
    /// The second one
    b: PathBuf,
    /// As JSON
    #[arg(short = 'J', long)]
    json: bool,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let differences = diff(&read_snapshot(&self.a)?, &read_snapshot(&self.b)?);
        if self.json {
            let list: Vec<Value> = differences.iter().map(json_of).collect();
            print_json(&json!({ "differences": list }))?;
        } else {
            print_with(|out| differences.iter().try_for_each(|d| writeln!(out, "{d}")))?;
        }
        Ok(if differences.is_empty() {
            ExitCode::SUCCESS
        } else {
            DIFFERS.into()
        })
    }
}

fn json_of(difference: &Difference) -> Value {
    match difference {
        Difference::Added(task) => json!({ "what": "added", "task": task }),
        Difference::Removed(task) => json!({ "what": "removed", "task": task }),
        Difference::Changed { task, what } => {
            let changes: Vec<Value> = what
                .iter()
                .map(|(what, from, to)| json!({ "what": what, "from": from, "to": to }))
                .collect();
            json!({ "what": "changed", "pid": task.pid, "changes": changes })
        }
        Difference::Header { what, from, to } => json!({ "what": what, "from": from, "to": to }),
    }
}
