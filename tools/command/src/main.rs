// SPDX-License-Identifier: GPL-2.0

//! The `altpid` command.

mod cli;
mod commands;
mod editor;
mod input;
mod man;
mod output;
mod place;
mod table;

use cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::read().verb.run() {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => output::report(&error),
    }
}
