// SPDX-License-Identifier: GPL-2.0

//! `altpid shell`

use crate::{
    editor::{Editor, Input},
    output::{print, print_folded, print_line},
    place::Place,
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
/// Plays each line in a world of its own, as altpid run does, or in one that is held (--world). "help" lists the verbs and "help VERB"
/// says by which rule a verb works; the tabulator completes, and the history is kept in
/// ~/.altpid_history. "save FILE" writes what was done as a scenario, "reset" begins with a new
/// world, "quit" or the end of the input ends it.
#[derive(clap::Args)]
#[command(after_help = "Example: echo 'tasks' | altpid shell

Exit status: 0; when the input is not a terminal, that of the first failure: 1 if a call failed,
2 for a line that is not understood, 3 if an expectation did not hold.")]
pub struct Args {
    #[command(flatten)]
    place: Place,
}

/// What was said so far.
struct Session<'a> {
    /// Where to play.
    place: &'a Place,
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
        let mut session = Session::new(&self.place);
        if !io::stdin().is_terminal() {
            let mut input = io::stdin().lock();
            let mut bytes = Vec::new();
            for number in 1.. {
                bytes.clear();
                if input
                    .read_until(b'\n', &mut bytes)
                    .context("standard input")?
                    == 0
                {
                    break;
                }
                let Ok(line) = str::from_utf8(&bytes) else {
                    eprintln!("altpid: standard input:{number}: this is not UTF-8");
                    session.failed(2);
                    continue;
                };
                if let Then::Quit = session.line(line.trim_end_matches(['\n', '\r']))? {
                    break;
                }
            }
            return Ok(ExitCode::from(session.status));
        }
        print(match self.place.is_named() {
            true => b"find names who is there: x = find init 4213. help lists the verbs, quit ends it.\n",
            false => b"A new world with one task, init. help lists the verbs, quit ends it.\n",
        })?;
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

impl<'a> Session<'a> {
    fn new(place: &'a Place) -> Self {
        Self {
            place,
            player: None,
            done: Vec::new(),
            status: 0,
        }
    }

    /// The names that there are.
    fn scope(&self) -> Scope {
        self.player.as_ref().map_or_else(Scope::new, Player::scope)
    }

    /// Does what a line says.
    fn line(&mut self, line: &str) -> Result<Then> {
        let words: Vec<_> = line.split_whitespace().collect();
        match *words.as_slice() {
            ["quit"] => return Ok(Then::Quit),
            ["help"] => print_folded(&help(None).unwrap_or_default())?,
            ["help", topic] => match help(Some(topic)) {
                Ok(text) => print_folded(&text)?,
                Err(none) => eprintln!("altpid: {none}"),
            },
            ["reset"] => *self = Self::new(self.place),
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
                none => none.insert(Player::new(self.place.world_or_new()?)?),
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
