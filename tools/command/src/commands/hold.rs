// SPDX-License-Identifier: GPL-2.0

//! `altpid hold`

use crate::{
    input::read_snapshot,
    output::{print, progress, unless_broken_pipe},
    place::{FD_VARIABLE, open_world},
};
use altpid::{World, inodes, restore::restore};
use anyhow::{Context, Result};
use rustix::{
    fd::{AsFd, AsRawFd},
    io::{FdFlags, fcntl_setfd},
};
use std::{
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Command, ExitCode, id},
    thread::park,
};

/// Keep a world alive, empty or with the tree of a snapshot, so that others can look at it
///
/// The world lives as long as this command, or as COMMAND: that has the descriptor, and its number
/// in ALTPID_FD, where the other verbs find it. Ctrl-C, or any signal that kills, ends the world.
#[derive(clap::Args)]
#[command(after_help = "Exit status: that of COMMAND.\n\nExamples:\n  \
altpid hold snapshot.json &\n  altpid hold snapshot.json -- sh -c 'altpid ls; altpid tree'")]
pub struct Args {
    /// The snapshot, - for standard input; without one there is only an init
    file: Option<PathBuf>,
    /// Run this in the meantime
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let snapshot = self.file.as_deref().map(read_snapshot).transpose()?;
        let world = open_world()?;
        let (world, inodes) = match snapshot {
            Some(snapshot) => {
                let restored = restore(world, &snapshot, progress("restoring"))?;
                for note in &restored.notes {
                    eprintln!("altpid: note: {note}");
                }
                let inodes = inodes::publish(&restored.world, restored.inodes());
                (restored.world, Some(inodes.context("the inodes")?))
            }
            None => (world, None),
        };
        // Whoever looks at the world finds them as long as the file is open.
        let status = match self.command.split_first() {
            Some((program, args)) => run(&world, program, args),
            None => keep(&world),
        }?;
        drop(inodes);
        Ok(status)
    }
}

/// Says which world this process holds, and holds it until a signal ends the process.
pub fn keep(world: &World) -> Result<ExitCode> {
    let number = world.number().context("its descriptor is not in /proc")?;
    let line = format!("world {number} is held by process {}\n", id());
    unless_broken_pipe(print(line.as_bytes()))?;
    loop {
        park();
    }
}

/// Runs a command that has the descriptor.
fn run(world: &World, program: &str, args: &[String]) -> Result<ExitCode> {
    fcntl_setfd(world, FdFlags::empty()).context("the descriptor")?;
    let status = Command::new(program)
        .args(args)
        .env(FD_VARIABLE, world.as_fd().as_raw_fd().to_string())
        .status()
        .with_context(|| program.to_owned())?;
    // As a shell has it.
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    Ok(ExitCode::from(u8::try_from(code.unwrap_or(1)).unwrap_or(1)))
}
