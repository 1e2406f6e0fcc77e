// SPDX-License-Identifier: GPL-2.0

//! `altpid audit`

use crate::{
    output::{DIFFERS, print, print_json},
    place::Place,
};
use anyhow::Result;
use serde_json::json;
use std::process::ExitCode;

/// Check every invariant of a world
///
/// The module walks all of its structures. A broken invariant is a bug of the module.
#[derive(clap::Args)]
#[command(after_help = "Exit status: 3 if something is broken.\n\nExample: altpid audit")]
pub struct Args {
    /// As JSON
    #[arg(short = 'J', long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let audit = self.place.world()?.audit()?;
        if self.json {
            print_json(&json!({
                "tasks": audit.tasks,
                "numbers": audit.numbers,
                "broken": audit.broken,
                "first": (audit.broken > 0).then_some(&audit.what),
                "skipped": audit.skipped,
            }))?;
        } else {
            let what = match audit.broken {
                0 => "nothing is broken".to_owned(),
                broken => format!("{broken} broken, the first: {}", audit.what),
            };
            let (tasks, numbers) = (audit.tasks, audit.numbers);
            let skipped = match audit.skipped {
                0 => String::new(),
                skipped => format!(" ({skipped} comparisons left out: it was changed meanwhile)"),
            };
            let text = format!("{tasks} tasks and {numbers} numbers looked at, {what}{skipped}\n");
            print(text.as_bytes())?;
        }
        Ok(if audit.broken == 0 {
            ExitCode::SUCCESS
        } else {
            DIFFERS.into()
        })
    }
}
