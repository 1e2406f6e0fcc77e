// SPDX-License-Identifier: GPL-2.0

//! `altpid worlds`

use crate::table::{Column, Format, describe, names};
use altpid::{
    holders::{Holder, holders},
    snapshot::Comm,
};
use anyhow::Result;
use serde_json::json;
use std::{path::Path, process::ExitCode};

/// List the worlds that are held, and by whom
///
/// A world is an open of the device, and lives as long as some process has its descriptor. Those
/// of processes that the caller may not trace are not seen.
#[derive(clap::Args)]
#[command(after_long_help = format!(
    "Columns:\n{}\nExample: altpid worlds -o WORLD,PID", describe(COLUMNS)
))]
#[command(after_help = "Example: altpid worlds\n--help has the columns")]
pub struct Args {
    #[command(flatten)]
    format: Format,
}

const COLUMNS: &[Column<Holder>] = &[
    Column::usual(
        "WORLD",
        "its number since the module was loaded",
        |holder| json!(holder.world),
    ),
    Column::usual("PID", "a process that holds it", |holder| json!(holder.pid)),
    Column::usual("FD", "the descriptor there", |holder| json!(holder.fd)),
    Column::usual("TASKS", "tasks, zombies among them", |holder| {
        json!(holder.tasks)
    }),
    Column::usual("NS", "pid namespaces", |holder| json!(holder.namespaces)),
    Column::usual("COMMAND", "the name of the process", |holder| {
        json!(Comm::new(&holder.comm).to_string())
    }),
    Column::other("ZOMBIES", "zombies", |holder| json!(holder.zombies)),
    Column::other("EVENTS", "how many events there have been", |holder| {
        json!(holder.events)
    }),
];

/// The names of all columns.
pub fn columns() -> Vec<&'static str> {
    names(COLUMNS)
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let mut all = holders(Path::new("/proc"));
        all.sort_by_key(|holder| (holder.world, holder.pid, holder.fd));
        self.format.write("worlds", COLUMNS, &all, None)?;
        Ok(ExitCode::SUCCESS)
    }
}
