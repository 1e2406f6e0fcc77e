// SPDX-License-Identifier: GPL-2.0

//! `altpid shell`

use crate::{
    editor::{Editor, Input},
    output::{print, print_line},
    place::open_world,
};
use altpid_command::script::{Line, Player, Scope, help, trace};
use anyhow::{Context, Result};
use std::{
    fs,
    io::{self, BufRead, IsTerminal},
    process::ExitCode,
};

/// A prompt for the language of scenarios
///
/// Plays each line in a world of its own, as altpid run does. "help" lists the verbs and "help VERB"
/// says by which rule a verb works; the tabulator completes, and the history is kept in
/// ~/.altpid_history. "save FILE" writes what was done as a scenario, "reset" begins with a new
/// world, "quit" or the end of the input ends it.
#[derive(clap::Args)]
#[command(after_help = "Example: echo 'tasks' | altpid shell

Exit status: 0; when the input is not a terminal, that of the first failure: 1 if a call failed,
2 for a line that is not understood, 3 if an expectation did not hold.")]
pub struct Args {}

/// What was said so far.
#[derive(Default)]
struct Session {
    /// There when the first statement is; help needs no world.
    player: Option<Player>,
    /// The lines that did what they were to do.
    done: Vec<String>,
    /// The exit status of the first failure.
    status: u8,
}

/// Whether there is to be another line.
enum Then {
    GoOn,
    Quit,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let mut session = Session::default();
        if !io::stdin().is_terminal() {
            for line in io::stdin().lock().lines() {
                if let Then::Quit = session.line(&line.context("standard input")?)? {
                    break;
                }
            }
            return Ok(ExitCode::from(session.status));
        }
        print(b"A new world with one task, init. help lists the verbs, quit ends it.\n")?;
        let mut editor = Editor::new()?;
        loop {
            match editor.read(session.scope())? {
                Input::Line(line) => {
                    if let Then::Quit = session.line(&line)? {
                        break;
                    }
                }
                Input::Nothing => (),
                Input::End => break,
            }
        }
        editor.keep_history();
        Ok(ExitCode::SUCCESS)
    }
}

impl Session {
    /// The names that there are.
    fn scope(&self) -> Scope {
        self.player.as_ref().map_or_else(Scope::new, Player::scope)
    }

    /// Does what a line says.
    fn line(&mut self, line: &str) -> Result<Then> {
        let words: Vec<_> = line.split_whitespace().collect();
        match *words.as_slice() {
            ["quit"] => return Ok(Then::Quit),
            ["help"] => print(help(None).unwrap_or_default().as_bytes())?,
            ["help", topic] => match help(Some(topic)) {
                Ok(text) => print(text.as_bytes())?,
                Err(none) => eprintln!("altpid: {none}"),
            },
            ["reset"] => *self = Self::default(),
            ["save", path] => self.save(path),
            _ => self.play(line)?,
        }
        Ok(Then::GoOn)
    }

    fn play(&mut self, line: &str) -> Result<()> {
        let parsed = match Line::parse(line, &mut self.scope()) {
            Ok(parsed) => parsed,
            Err(error) => {
                eprintln!("altpid: {error}");
                self.failed(2);
                return Ok(());
            }
        };
        if let Some(statement) = &parsed.statement {
            let player = match &mut self.player {
                Some(player) => player,
                none => none.insert(Player::new(open_world()?)?),
            };
            match player.play(statement) {
                Ok(result) => print_line(&trace(statement, &result))?,
                Err(failure) => {
                    eprintln!("altpid: {}: {statement}\n{failure}", failure.what());
                    self.failed(if failure.is_expectation { 3 } else { 1 });
                    return Ok(());
                }
            }
        }
        self.done.push(parsed.to_string());
        Ok(())
    }

    fn failed(&mut self, status: u8) {
        if self.status == 0 {
            self.status = status;
        }
    }

    /// Writes what was done as a scenario.
    fn save(&mut self, path: &str) {
        let text: String = self.done.iter().map(|line| format!("{line}\n")).collect();
        match fs::write(path, text) {
            Ok(()) => eprintln!("altpid: {} lines in {path}", self.done.len()),
            Err(error) => {
                eprintln!("altpid: {path}: {error}");
                self.failed(1);
            }
        }
    }
}
