// SPDX-License-Identifier: GPL-2.0

//! `altpid tree`

use crate::{
    input::read_snapshot,
    output::{print, print_with, show_tree},
    place::Sight,
};
use altpid_command::tree::{dot, svg};
use anyhow::Result;
use std::{path::PathBuf, process::ExitCode};

/// Show the tree of a world or of a snapshot
///
/// Each process with its numbers, outermost namespace first, below its parent. A picture has the
/// namespaces as nested boxes with the processes in them.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  altpid capture | altpid tree -\n  \
altpid tree --svg snapshot.json >tree.svg\n  altpid tree --dot | dot -Tpng >tree.png")]
pub struct Args {
    /// A snapshot, - for standard input, instead of a world
    #[arg(conflicts_with = "snapshot")]
    file: Option<PathBuf>,
    #[command(flatten)]
    sight: Sight,
    /// As JSON, in the form of a snapshot
    #[arg(short = 'J', long, group = "form")]
    json: bool,
    /// As a picture in SVG
    #[arg(long, group = "form")]
    svg: bool,
    /// For Graphviz
    #[arg(long, group = "form")]
    dot: bool,
    /// With characters of ASCII only; so it is when the locale has no others
    #[arg(long, conflicts_with = "form")]
    ascii: bool,
    /// How many processes of each namespace a picture shows
    #[arg(long, value_name = "N", default_value_t = 48, requires = "svg")]
    most: usize,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let file = self.file.as_deref();
        if self.json {
            let snapshot = match self.sight.file(file) {
                Some(path) => read_snapshot(path)?,
                None => self.sight.place().chosen()?.snapshot()?,
            };
            print(snapshot.to_json().as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let view = self.sight.view_or(file)?;
        if self.svg {
            print_with(|out| svg(out, &view, self.most))?;
        } else if self.dot {
            print_with(|out| dot(out, &view))?;
        } else {
            show_tree(&view, self.ascii)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
