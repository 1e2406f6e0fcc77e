// SPDX-License-Identifier: GPL-2.0

//! `altpid kill` and `altpid exit`

use crate::{
    output::{Hinted, print},
    place::{self, Chosen, Place},
};
use altpid::{
    Kill, NsState, Task, TaskId, TaskState,
    names::{self, signal_number},
    snapshot::{Comm, Numbers},
};
use anyhow::{Context, Result};
use std::{fmt::Write, process::ExitCode};

/// Send a signal to tasks of a world
///
/// As a process outside of the world does, which may do so to each. A task is 4213 (its number at
/// level 0), 4213/17/1 (its numbers at all levels), 17@3 (its number in namespace 3) or task:5 (its
/// id). What has come of it is a line for each.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  altpid kill 4213\n  altpid kill -s KILL 1@3; altpid why 3")]
pub struct Args {
    /// The tasks
    #[arg(required = true, value_name = "TASK")]
    tasks: Vec<String>,
    /// The signal, by name or number
    #[arg(short, long, value_name = "SIGNAL", default_value = "TERM")]
    signal: String,
    #[command(flatten)]
    place: Place,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let signal = signal_number(&self.signal).ok_or_else(|| {
            Hinted::usage(
                format!("{}: not a signal", self.signal),
                "a signal is TERM, SIGTERM or 15",
            )
        })?;
        each(&self.place, &self.tasks, |chosen, task| {
            chosen.world.kill(Kill::Outside(task), signal)
        })
    }
}

/// Let tasks of a world exit
///
/// The process of each, as by exit_group(2), or with --thread only the task itself, as by exit(2). A
/// task is given as for altpid kill. What has come of it is a line for each.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  altpid exit 4213\n  altpid exit --code 3 1@3; altpid why 3")]
pub struct ExitArgs {
    /// The tasks
    #[arg(required = true, value_name = "TASK")]
    tasks: Vec<String>,
    /// The exit code
    #[arg(short, long, value_name = "N", default_value_t = 0)]
    code: i32,
    /// The thread alone, not its process
    #[arg(long)]
    thread: bool,
    #[command(flatten)]
    place: Place,
}

impl ExitArgs {
    pub fn run(self) -> Result<ExitCode> {
        each(&self.place, &self.tasks, |chosen, task| match self.thread {
            true => chosen.world.exit(task, self.code),
            false => chosen.world.exit_group(task, self.code),
        })
    }
}

/// Does something to each task, all of which are found first, and says what has become of them.
fn each(
    place: &Place,
    names: &[String],
    act: impl Fn(&Chosen, TaskId) -> altpid::Result<()>,
) -> Result<ExitCode> {
    let chosen = place.chosen()?;
    let view = chosen.view()?;
    let tasks: Vec<&Task> = names
        .iter()
        .map(|name| place::task(&view, name))
        .collect::<Result<_>>()?;
    for task in tasks {
        let name = format!("{} ({})", Numbers(&task.pid), Comm::new(&task.comm));
        act(&chosen, task.id).with_context(|| name.clone())?;
        print(after(&chosen, task, &name)?.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a task is like now.
fn after(chosen: &Chosen, task: &Task, name: &str) -> Result<String> {
    let mut text = format!("{name}: ");
    match chosen.world.task(task.id) {
        Err(_) => text.push_str("gone\n"),
        Ok(now) if now.state == TaskState::Zombie => {
            let status = names::status(now.exit_code);
            _ = writeln!(text, "zombie, {status}; its parent has not waited for it");
        }
        Ok(now) => _ = writeln!(text, "{}", now.state),
    }
    let ns = chosen.world.ns(task.ns);
    if let Ok(ns) = ns.as_ref().map(|ns| ns.state).map_err(|_| ())
        && task.is_reaper
        && matches!(ns, NsState::Dying | NsState::Dead)
    {
        let ns_name = chosen.inodes.get(&task.ns).copied().unwrap_or(task.ns.0);
        _ = writeln!(
            text,
            "  namespace {ns_name} is {ns}; \"altpid why {ns_name}\" says what keeps it"
        );
    }
    Ok(text)
}
