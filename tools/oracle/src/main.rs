// SPDX-License-Identifier: GPL-2.0

//! Does the same things with real processes and with altpid, and compares.

mod verdict;
mod workers;

use altpid_oracle::{native::Driver, script};
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
    /// Be one of several workers: the number of the CPU to stay on
    #[arg(long, hide = true)]
    worker: Option<usize>,
    /// Only perform these scenarios, and say what each operation has returned
    scenarios: Vec<PathBuf>,
}

/// Performs scenarios and prints the answers.
fn perform(options: &Options) -> Result<ExitCode> {
    let mut driver = Driver::new(&options.agent, None)?;
    for path in &options.scenarios {
        let text = std::fs::read_to_string(path)?;
        let ops = script::read(&text).with_context(|| path.display().to_string())?;
        let mut pair = altpid_oracle::pair::Pair::new(&mut driver)?;
        for op in &ops {
            println!("{op}: {:?}", pair.step(op)?);
        }
        println!("end: {:?}", pair.end()?);
    }
    Ok(ExitCode::SUCCESS)
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    match options.worker {
        _ if !options.scenarios.is_empty() => perform(&options),
        Some(cpu) => workers::work(&options, cpu),
        None => workers::lead(&options),
    }
}
