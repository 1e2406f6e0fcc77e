// SPDX-License-Identifier: GPL-2.0

//! The line editor of `altpid shell`: history, completion, and the usage of a verb as a hint.

use altpid_command::script::{Scope, Verb, complete};
use anyhow::{Context, Result};
use rustyline::{
    CompletionType, Config, Helper, completion::Completer, error::ReadlineError,
    highlight::Highlighter, hint::Hinter, history::FileHistory, validate::Validator,
};
use std::{borrow::Cow, io::ErrorKind, path::PathBuf};

const PROMPT: &str = "altpid> ";
/// Lines that are remembered.
const REMEMBERED: usize = 1000;

/// What came from the terminal.
pub enum Input {
    Line(String),
    /// A line that was given up.
    Nothing,
    End,
}

/// What helps while a line is being typed.
struct Assistant {
    scope: Scope,
}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(complete(&line[..pos], &self.scope))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    /// Behind a verb, what it takes.
    fn hint(&self, line: &str, pos: usize, _: &rustyline::Context<'_>) -> Option<String> {
        if pos < line.len() {
            return None;
        }
        let call = line.rsplit([':', '=']).next()?;
        let name = call.trim_start().strip_suffix(' ')?;
        let usage = Verb::named(name)?.usage();
        let (_, params) = usage.split_once(name)?;
        Some(params.trim_start().to_owned())
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        format!("\x1b[2m{hint}\x1b[0m").into()
    }
}

impl Validator for Assistant {}
impl Helper for Assistant {}

/// A terminal to type lines at.
pub struct Editor {
    inner: rustyline::Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
}

impl Editor {
    /// With the history of the last time.
    pub fn new() -> Result<Self> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .auto_add_history(true)
            .max_history_size(REMEMBERED)?
            .build();
        let mut inner = rustyline::Editor::with_config(config).context("the terminal")?;
        inner.set_helper(Some(Assistant {
            scope: Scope::new(),
        }));
        let home = std::env::var_os("HOME");
        let history = home.map(|home| PathBuf::from(home).join(".altpid_history"));
        if let Some(path) = &history {
            // There is none the first time.
            let _ = inner.load_history(path);
        }
        Ok(Self { inner, history })
    }

    /// The next line, with these names to complete.
    pub fn read(&mut self, scope: Scope) -> Result<Input> {
        if let Some(helper) = self.inner.helper_mut() {
            helper.scope = scope;
        }
        match self.inner.readline(PROMPT) {
            Ok(line) => Ok(Input::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Input::Nothing),
            Err(ReadlineError::Eof) => Ok(Input::End),
            Err(error) => Err(error).context("the terminal"),
        }
    }

    /// Keeps the history for the next time, if that can be.
    pub fn keep_history(&mut self) {
        let Some(path) = &self.history else { return };
        match self.inner.append_history(path) {
            Ok(()) => {}
            // A small kernel has no locks for files, and the history is kept under one.
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(error) => eprintln!("altpid: {}: {error}", path.display()),
        }
    }
}
