// SPDX-License-Identifier: GPL-2.0

//! What can be typed: the verbs of the command. What each takes stands with what it does.

use crate::commands::{
    audit, capture, diff, generate, hold, ls, restore, run, shell, show, stress, translate, tree,
    watch, why, worlds,
};
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Drive an alternative pid subsystem.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit status: 0 if all went well, 1 if something failed, 2 for wrong usage, 3 if \
what was looked at is not as it should be: a restored tree, snapshots that differ, an audit, a scenario.",
    after_long_help = "A world lives as long as some process has /dev/altpid open. Verbs that look at \
one find it by its number (--world), by a process that holds it (--target), or because it is the \
only one.\n\nEnvironment:\n  ALTPID_DEVICE  the device, if not /dev/altpid\n  \
ALTPID_FD      a descriptor of the world to look at, as \"altpid hold\" sets it\n  \
NO_COLOR       no colours, if not empty\n\n\
Exit status:\n  0  all went well\n  1  something failed\n  2  wrong usage\n  3  what was looked at \
is not as it should be: a restored tree, snapshots that differ, an audit, a scenario\n\n\
Example: altpid hold snapshot.json -- altpid tree"
)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    Capture(capture::Args),
    Restore(restore::Args),
    Diff(diff::Args),
    Hold(hold::Args),
    Worlds(worlds::Args),
    Ls(ls::Args),
    Run(run::Args),
    Shell(shell::Args),
    Tree(tree::Args),
    Show(show::Args),
    Translate(translate::Args),
    Watch(watch::Args),
    Why(why::Args),
    Audit(audit::Args),
    Stress(stress::Args),
    #[command(hide = true)]
    Generate(generate::Args),
}

impl Verb {
    /// Does it; the exit status says how it went.
    pub fn run(self) -> Result<ExitCode> {
        match self {
            Self::Capture(args) => args.run(),
            Self::Restore(args) => args.run(),
            Self::Diff(args) => args.run(),
            Self::Hold(args) => args.run(),
            Self::Worlds(args) => args.run(),
            Self::Ls(args) => args.run(),
            Self::Run(args) => args.run(),
            Self::Shell(args) => args.run(),
            Self::Tree(args) => args.run(),
            Self::Show(args) => args.run(),
            Self::Translate(args) => args.run(),
            Self::Watch(args) => args.run(),
            Self::Why(args) => args.run(),
            Self::Audit(args) => args.run(),
            Self::Stress(args) => args.run(),
            Self::Generate(args) => args.run(),
        }
    }
}
