// SPDX-License-Identifier: GPL-2.0

//! `altpid ids`

use super::exec::become_program;
use crate::output::print_line;
use anyhow::Result;
use nix::unistd::{getpgid, getpid, getppid, getsid};
use std::process::ExitCode;

/// Say the numbers of this process
///
/// PID, PPID, PGID and SID, as getpid(2), getppid(2), getpgid(2) and getsid(2) give them; 0 stands for what
/// has no number here. With a COMMAND it becomes that, and keeps them.
#[derive(clap::Args)]
#[command(
    after_help = "Exit status: that of COMMAND; 126 if it cannot be run, 127 if it is not found.\n\n\
Examples:\n  altpid exec -- altpid ids\n  altpid exec -- sh -c 'altpid ids -- sleep 1000 & altpid ls'"
)]
pub struct Args {
    /// A program, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let numbers = [getpid(), getppid(), getpgid(None)?, getsid(None)?];
        let numbers = numbers.map(|pid| pid.to_string());
        print_line(&numbers.join(" "))?;
        Ok(match self.command.is_empty() {
            true => ExitCode::SUCCESS,
            false => become_program(&self.command, None),
        })
    }
}
