// SPDX-License-Identifier: GPL-2.0

//! What is wrong with a line.

use std::fmt;

/// A line that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Which line, from 1.
    pub line: usize,
    /// The line itself.
    pub text: String,
    /// Where in it, in characters.
    pub at: usize,
    /// How much of it.
    pub len: usize,
    /// What is wrong.
    pub message: String,
    /// What may be meant.
    pub hint: Option<String>,
}

impl SyntaxError {
    /// An error about a part of a line. Which one is filled in where that is known.
    pub(super) fn new(at: usize, len: usize, message: impl Into<String>) -> Self {
        Self {
            line: 0,
            text: String::new(),
            at,
            len,
            message: message.into(),
            hint: None,
        }
    }

    /// With something that may help.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the one of some words that is most like what was written, if one is.
    pub(super) fn nearest<'a>(
        mut self,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        if let Some(near) = nearest(word, known) {
            self.hint = Some(format!("did you mean {near}?"));
        }
        self
    }

    /// In that line.
    pub(super) fn in_line(mut self, line: usize, text: &str) -> Self {
        self.line = line;
        text.trim_end().clone_into(&mut self.text);
        self
    }
}

/// The line, what is wrong marked, and the hint.
impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.message)?;
        let number = self.line.to_string();
        writeln!(f, "    {number} | {}", self.text)?;
        // A tab is as wide in the line of the mark.
        let before = self.text.chars().take(self.at);
        let blank: String = before.map(|c| if c == '\t' { c } else { ' ' }).collect();
        write!(
            f,
            "    {:width$} | {blank}{}",
            "",
            "^".repeat(self.len.max(1)),
            width = number.len()
        )?;
        match &self.hint {
            Some(hint) => write!(f, " {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SyntaxError {}

/// The word that is most like another one, if it is like it at all.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|known| {
            let likeness = strsim::jaro_winkler(&word, &known.to_lowercase());
            (likeness, known)
        })
        .filter(|&(likeness, _)| likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}
