// SPDX-License-Identifier: GPL-2.0

//! `altpid run`

use crate::{
    commands::hold::keep,
    input::read_text,
    output::{Hinted, counted, print, print_line},
    place::Place,
};
use altpid_command::script::{Player, Script, trace};
use anyhow::Result;
use std::{path::PathBuf, process::ExitCode};

/// Run scenarios: system calls of named tasks, and what must come of them
///
/// Each file is played in a world of its own, which is audited in the end; with --world or --target in
/// that one, where "find" names who is there. All of them are read before anything is done.
/// docs/scenarios.md describes the language, and "help" in altpid shell.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  altpid run tools/scenarios/nested-containers.altpid
  altpid run --hold box.altpid &
  echo 'x = find init 4213' | altpid run --world 3 -

Exit status: 0 if every call succeeded and every expectation held, 1 if a call failed that was not
expected to or a file could not be read, 2 for a line that is not understood, 3 if an expectation
did not hold.")]
pub struct Args {
    /// The scenarios, - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Failures only
    #[arg(short, long)]
    quiet: bool,
    /// Comments as well
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    /// Go on after a failure
    #[arg(short, long)]
    keep_going: bool,
    /// Only read the files, and say what is not understood
    #[arg(short = 'n', long)]
    check: bool,
    /// Keep the world afterwards, however it went, for others to look at, until a signal ends it
    #[arg(long, conflicts_with = "check")]
    hold: bool,
    #[command(flatten)]
    place: Place,
}

/// A file that was read.
struct Scenario {
    name: String,
    text: String,
    script: Script,
}

/// How a run can end otherwise than well.
const CALL_FAILED: u8 = 1;
const NOT_UNDERSTOOD: u8 = 2;
const NOT_AS_EXPECTED: u8 = 3;

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let mut scenarios = Vec::new();
        let mut is_understood = true;
        for path in &self.files {
            let (name, text) = read_text(path)?;
            match Script::parse(&text) {
                Ok(script) => scenarios.push(Scenario { name, text, script }),
                Err(errors) => {
                    is_understood = false;
                    for error in errors {
                        eprintln!("altpid: {name}:{}: {error}", error.line);
                    }
                }
            }
        }
        if !is_understood {
            return Ok(ExitCode::from(NOT_UNDERSTOOD));
        }
        if self.hold && scenarios.len() > 1 && !self.place.is_named() {
            return Err(Hinted::usage(
                "--hold keeps one world, and each file has its own".into(),
                "hold one file, or play them in one world with --world NUMBER",
            ));
        }
        let mut status = 0;
        for scenario in scenarios.iter().filter(|_| !self.check) {
            let result = self.play(scenario)?;
            status = if status == 0 { result } else { status };
        }
        Ok(ExitCode::from(status))
    }

    /// Plays a scenario; returns the exit status.
    fn play(&self, scenario: &Scenario) -> Result<u8> {
        let name = &scenario.name;
        let mut player = Player::new(self.place.world_or_new()?)?;
        let (mut status, mut played) = (0, 0);
        let texts = scenario.text.lines();
        for (index, (line, text)) in scenario.script.lines.iter().zip(texts).enumerate() {
            let Some(statement) = &line.statement else {
                if self.verbose {
                    print_line(text)?;
                }
                continue;
            };
            played += 1;
            match player.play(statement) {
                Ok(_) if self.quiet => (),
                Ok(result) => print_line(&trace(statement, &result))?,
                Err(failure) => {
                    let what = failure.what();
                    let number = index + 1;
                    eprintln!("altpid: {name}:{number}: {what}\n    {number} | {text}\n{failure}");
                    let this = match failure.is_expectation {
                        true => NOT_AS_EXPECTED,
                        false => CALL_FAILED,
                    };
                    status = if status == 0 { this } else { status };
                    if !self.keep_going {
                        break;
                    }
                }
            }
        }
        if let Err(refusal) = player.audit() {
            eprintln!("altpid: {name}: the audit in the end: {}", refusal.show());
            status = if status == 0 { CALL_FAILED } else { status };
        }
        if status == 0 && !self.quiet {
            let played = counted(played, "statement");
            print(format!("{name}: {played}, all as expected\n").as_bytes())?;
        }
        if self.hold {
            keep(player.world())?;
        }
        Ok(status)
    }
}
