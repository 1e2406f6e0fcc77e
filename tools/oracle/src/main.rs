// SPDX-License-Identifier: GPL-2.0

//! Does the same things with real processes and with altpid, and compares.

mod verdict;
mod workers;

use altpid_oracle::{
    native::Drivers,
    pair::{Pair, Step},
    script,
};
use anyhow::{Context, Result};
use clap::Parser;
use std::{path::PathBuf, process::ExitCode};

/// Performs random operations with real processes and in altpid, and compares.
#[derive(Clone, Parser)]
pub struct Options {
    /// How many operations
    #[arg(long, default_value_t = 20_000)]
    ops: u64,
    /// Where they come from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The program of the agents
    #[arg(long, default_value = "/usr/bin/oracle-agent")]
    agent: PathBuf,
    /// How many divergences of different kinds to look for
    #[arg(long, default_value_t = 1)]
    divergences: usize,
    /// Succeed only if every rule had a case
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    coverage: bool,
    /// Leave out the scenarios that runs begin with, and the deliberate differences
    #[arg(long)]
    undirected: bool,
    /// With members of a world instead of virtual tasks
    #[arg(long)]
    members: bool,
    /// Be one of several workers: the number of the CPU to stay on
    #[arg(long, hide = true)]
    worker: Option<usize>,
    /// Only perform these scenarios, and say what each operation has returned; fail if one differs
    scenarios: Vec<PathBuf>,
}

/// Performs scenarios and prints the answers. A scenario ends with the first operation that differs:
/// the two sides are not in the same state any more. Fails if one does, or if two sides end
/// differently.
fn perform(options: &Options) -> Result<ExitCode> {
    let mut drivers = Drivers::new(&options.agent, None, options.members)?;
    let mut status = ExitCode::SUCCESS;
    for path in &options.scenarios {
        let text = std::fs::read_to_string(path)?;
        let ops = script::read(&text).with_context(|| path.display().to_string())?;
        let mut pair = Pair::new(&mut drivers)?;
        for op in &ops {
            let step = pair.step(op)?;
            println!("{op}: {step:?}");
            if matches!(step, Step::Differs(_)) {
                status = ExitCode::FAILURE;
                break;
            }
        }
        let end = pair.end()?;
        println!("end: {end:?}");
        if end.is_some() {
            status = ExitCode::FAILURE;
        }
    }
    Ok(status)
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    match options.worker {
        _ if !options.scenarios.is_empty() => perform(&options),
        Some(cpu) => workers::work(&options, cpu),
        None => workers::lead(&options),
    }
}
