// SPDX-License-Identifier: GPL-2.0

//! What can be typed: the verbs of the command. What each takes stands with what it does.

use crate::commands::{capture, restore, tree};
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Drive an alternative pid subsystem.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit status: 0 if all went well, 1 if something failed, 2 for \
wrong usage, 3 if a restored tree differs from its snapshot."
)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    Capture(capture::Args),
    Restore(restore::Args),
    Tree(tree::Args),
}

impl Verb {
    /// Does it; the exit status says how it went.
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Self::Capture(args) => args.run(),
            Self::Restore(args) => args.run(),
            Self::Tree(args) => args.run(),
        }
    }
}
