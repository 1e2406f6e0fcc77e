// SPDX-License-Identifier: GPL-2.0

//! `altpid generate`, which the build runs.

use crate::man;
use anyhow::{Context, Result};
use clap::{Command, ValueEnum};
use clap_complete::Shell;
use std::{fs, path::PathBuf, process::ExitCode};

/// Write man pages and shell completions
///
/// DIR/man gets a page for the command and one for each verb, DIR/completions a file for each of bash,
/// zsh and fish.
#[derive(clap::Args)]
#[command(after_help = "Example: altpid generate /tmp/altpid; man /tmp/altpid/man/altpid-ls.1")]
pub struct Args {
    /// Where to
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Args {
    /// Writes those of `command`.
    pub fn run(self, mut command: Command) -> Result<ExitCode> {
        let pages = self.directory.join("man");
        let completions = self.directory.join("completions");
        for directory in [&pages, &completions] {
            fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
        }
        // For those who read it and those who complete it, not for a terminal of some width.
        let read = command.clone().name("altpid").term_width(0);
        man::write(read, &pages).with_context(|| pages.display().to_string())?;
        for &shell in Shell::value_variants() {
            if [Shell::Bash, Shell::Zsh, Shell::Fish].contains(&shell) {
                clap_complete::generate_to(shell, &mut command, "altpid", &completions)
                    .with_context(|| completions.display().to_string())?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
