// SPDX-License-Identifier: GPL-2.0

//! Which names there are, and what they name.

use super::{error::SyntaxError, tokens::Token};
use std::collections::BTreeMap;

/// What a name can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A task.
    Task,
    /// A namespace.
    Ns,
    /// A pidfd.
    Pidfd,
}

impl Kind {
    /// In words.
    pub fn what(self) -> &'static str {
        match self {
            Self::Task => "a task",
            Self::Ns => "a namespace",
            Self::Pidfd => "a pidfd",
        }
    }
}

/// Words that cannot be names.
pub const KEYWORDS: &[&str] = &[
    "init", "outside", "kernel", "none", "in", "expect", "repeat",
];

/// The names that can be used.
#[derive(Clone, Debug)]
pub struct Scope(BTreeMap<String, Kind>);

impl Default for Scope {
    fn default() -> Self {
        Self::new()
    }
}

impl Scope {
    /// Only `init`.
    pub fn new() -> Self {
        Self(BTreeMap::from([("init".to_owned(), Kind::Task)]))
    }

    /// With another name, or with another meaning for one.
    pub fn add(&mut self, name: &str, kind: Kind) {
        self.0.insert(name.to_owned(), kind);
    }

    /// What a name stands for.
    pub fn kind(&self, name: &str) -> Option<Kind> {
        self.0.get(name).copied()
    }

    /// The names of some kinds.
    pub fn names(&self, kinds: &[Kind]) -> impl Iterator<Item = &str> {
        let found = self.0.iter().filter(|(_, kind)| kinds.contains(kind));
        found.map(|(name, _)| name.as_str())
    }

    /// The name that a token is, which must be one of these kinds.
    pub(super) fn expect(&self, token: &Token, kinds: &[Kind]) -> Result<String, SyntaxError> {
        let name = token.word().unwrap_or_default();
        let wanted = kinds.iter().map(|kind| kind.what()).collect::<Vec<_>>();
        match self.kind(name) {
            Some(kind) if kinds.contains(&kind) => Ok(name.to_owned()),
            Some(kind) => Err(SyntaxError::new(
                token.at,
                token.len,
                format!("{name} is {}, not {}", kind.what(), wanted.join(" or ")),
            )),
            None => Err(
                SyntaxError::new(token.at, token.len, format!("nothing is named {name}"))
                    .nearest(name, self.names(kinds)),
            ),
        }
    }
}
