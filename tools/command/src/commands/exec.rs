// SPDX-License-Identifier: GPL-2.0

//! `altpid exec`

use crate::{
    commands::proc,
    output,
    place::{self, FD_VARIABLE, Place, open_world},
};
use altpid::{Attach, World};
use anyhow::{Context, Result};
use rustix::{
    fd::{AsFd, AsRawFd},
    io::{FdFlags, fcntl_setfd},
};
use std::{
    io::ErrorKind,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

/// Run a real program in a world
///
/// It becomes a task of the world, in this process, and so does all that it starts: getpid, fork, wait,
/// kill and their kin are altpid's for them. Without options it is pid 1 of a new namespace in a new
/// world. The descriptor of the world goes along, with its number in ALTPID_FD, so that other verbs
/// find the world.
#[derive(clap::Args)]
#[command(
    after_help = "Exit status: that of COMMAND; 126 if it cannot be run, 127 if it is not found, 125 \
if it cannot be put into a world.\n\nExamples:\n  altpid exec -- sh\n  \
altpid exec --mount-proc -- ps\n  altpid exec --world 3 --in ns:2 -- sh -c 'echo $$ $PPID'"
)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// In this namespace: its inode, as 4026532201, or ns:3
    #[arg(long = "in", value_name = "NS")]
    ns: Option<String>,
    /// In a new namespace, which is below that of --in
    #[arg(long)]
    new_ns: bool,
    /// The numbers to have, that of the most nested namespace first
    #[arg(long, value_name = "N", value_delimiter = ',')]
    pid: Vec<i32>,
    /// Its parent; without one it has none, and getppid says 0
    #[arg(long, value_name = "TASK")]
    parent: Option<String>,
    /// Kill what lives in the world when its last descriptor is closed
    #[arg(long)]
    kill_on_close: bool,
    /// With the /proc of its world mounted on /proc, in a new mount namespace
    #[arg(long)]
    mount_proc: bool,
    /// The program, with its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        match self.attach() {
            Ok(world) => Ok(become_program(&self.command, Some(&world))),
            Err(error) => {
                let status = output::report(&error);
                // What was typed wrongly is told apart, as elsewhere.
                Ok(match status == ExitCode::from(2) {
                    true => status,
                    false => ExitCode::from(125),
                })
            }
        }
    }

    /// This process becomes a task.
    fn attach(&self) -> Result<World> {
        let world = match self.place.is_given() {
            true => self.place.world()?,
            false => open_world()?,
        };
        let view = || altpid::view::View::of_world(&world).map_err(anyhow::Error::from);
        let ns = match &self.ns {
            Some(name) => Some(place::namespace(&view()?, name)?),
            None => None,
        };
        let parent = match &self.parent {
            Some(name) => Some(place::task(&view()?, name)?.id),
            None => None,
        };
        let mut attach = Attach::new();
        attach.ns = ns;
        attach.parent = parent;
        attach.new_ns = self.new_ns || ns.is_none();
        attach.set_tid.clone_from(&self.pid);
        attach.kill_on_close = self.kill_on_close;
        fcntl_setfd(&world, FdFlags::empty()).context("the descriptor")?;
        world.attach(&attach)?;
        if self.mount_proc {
            proc::mount_own()?;
        }
        Ok(world)
    }
}

/// Becomes a program; returns if that cannot be, with the exit status that env(1) has then.
pub fn become_program(command: &[String], world: Option<&World>) -> ExitCode {
    let Some((program, args)) = command.split_first() else {
        return ExitCode::from(127);
    };
    let mut command = Command::new(program);
    command.args(args);
    if let Some(world) = world {
        command.env(FD_VARIABLE, world.as_fd().as_raw_fd().to_string());
    }
    let error = command.exec();
    eprintln!("altpid: {program}: {error}");
    ExitCode::from(match error.kind() {
        ErrorKind::NotFound => 127,
        _ => 126,
    })
}
