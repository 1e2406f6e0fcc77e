// SPDX-License-Identifier: GPL-2.0

//! From text to statements.

mod args;
mod values;

use super::{
    error::SyntaxError,
    facts::{PROPERTIES, Property},
    scope::{KEYWORDS, Kind, Scope},
    syntax::{Call, Expected, Line, Statement},
    tokens::{Token, What, is_name, tokens},
    verbs::{Verb, meant},
};

/// Most often that a call can be repeated: once for every number there can be.
const MOST: u32 = 4_194_304;

/// A line of tokens, read from left to right.
struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    scope: &'a Scope,
}

type Parsed<T> = Result<T, SyntaxError>;

impl Line {
    /// Reads a line. Names must be in the scope, and what the line names will be in it.
    ///
    /// # Errors
    ///
    /// When it is not understood.
    pub fn parse(text: &str, scope: &mut Scope) -> Parsed<Self> {
        let line = text.trim_end_matches(['\n', '\r']);
        let parsed = tokens(line).and_then(|(tokens, comment)| {
            let mut parser = Parser {
                tokens: &tokens,
                next: 0,
                scope,
            };
            let statement = match tokens.is_empty() {
                true => None,
                false => Some(parser.statement()?),
            };
            Ok(Self { statement, comment })
        });
        let line = parsed.map_err(|error| error.in_line(1, line))?;
        if let Some(Statement::Call { names, call, .. }) = &line.statement {
            for (name, &kind) in names.iter().zip(call.verb.makes) {
                scope.add(name, kind);
            }
        }
        Ok(line)
    }
}

impl Line {
    /// Adds the name that a line gives which is not understood, so that those behind it are.
    pub(super) fn promise(text: &str, scope: &mut Scope) {
        let last = text.rsplit(':').next().unwrap_or_default();
        let Some((before, call)) = last.split_once('=') else {
            return;
        };
        let verb = call.split_whitespace().next().and_then(Verb::named);
        let makes = verb.map_or(&[Kind::Task, Kind::Pidfd][..], |verb| verb.makes);
        for (name, &kind) in before.split(',').map(str::trim).zip(makes) {
            if is_name(name) {
                scope.add(name, kind);
            }
        }
    }
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    fn peek_word(&self) -> Option<&'a str> {
        self.peek().and_then(Token::word)
    }

    /// Whether the token behind the next one is this sign.
    fn is_before(&self, sign: char) -> bool {
        let behind = self.tokens.get(self.next + 1);
        behind.is_some_and(|token| token.is(sign))
    }

    fn take(&mut self) -> Option<&'a Token> {
        let token = self.peek()?;
        self.next += 1;
        Some(token)
    }

    /// Takes this sign, if it is next.
    fn take_sign(&mut self, sign: char) -> bool {
        let is_next = self.peek().is_some_and(|token| token.is(sign));
        self.next += usize::from(is_next);
        is_next
    }

    /// Takes the next token, which there has to be.
    fn need(&mut self, what: &str) -> Parsed<&'a Token> {
        let end = self.end();
        self.take()
            .ok_or_else(|| SyntaxError::new(end, 1, format!("{what} is missing")))
    }

    /// Behind the last token.
    fn end(&self) -> usize {
        self.tokens.last().map_or(0, |last| last.at + last.len + 1)
    }

    /// An error about a token.
    fn error(token: &Token, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(token.at, token.len, message)
    }

    /// Nothing may be left.
    fn finish(&self) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(token) => Err(Self::error(token, "nothing more is expected here")),
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let repeat = self.repeat()?;
        let expect = self.peek().filter(|token| token.word() == Some("expect"));
        let Some(expect) = expect else {
            return self.call(repeat, None);
        };
        self.next += 1;
        let rest = &self.tokens[self.next..];
        match rest.iter().position(|token| token.is(':')) {
            Some(len) => {
                let outcome = &rest[..len];
                self.next += len + 1;
                self.call(repeat, Some((expect, outcome)))
            }
            None if repeat.is_some() => Err(Self::error(expect, "only a call can be repeated")),
            None => self.fact(expect),
        }
    }

    /// `repeat N:`
    fn repeat(&mut self) -> Parsed<Option<u32>> {
        if self.peek_word() != Some("repeat") {
            return Ok(None);
        }
        self.next += 1;
        let token = self.need("how often")?;
        let times = token.word().and_then(|word| word.parse().ok());
        let times = times.filter(|times| (1..=MOST).contains(times));
        let times = times.ok_or_else(|| {
            Self::error(
                token,
                format!("how often must be a number from 1 to {MOST}"),
            )
        })?;
        if !self.take_sign(':') {
            return Err(Self::error(token, "a : must follow").hint("as in repeat 3: clone a"));
        }
        Ok(Some(times))
    }

    /// A call, of which an outcome may be expected, written as in these tokens.
    fn call(
        &mut self,
        repeat: Option<u32>,
        expected: Option<(&Token, &'a [Token])>,
    ) -> Parsed<Statement> {
        let names = self.names()?;
        let token = self.need("a verb")?;
        let verb = match &token.what {
            What::Word(word) => Verb::named(word).ok_or_else(|| Self::unknown(token, word)),
            _ => Err(Self::error(token, "a verb is expected here")),
        }?;
        if let Some((token, name)) = names.get(verb.makes.len()) {
            return Err(Self::error(
                token,
                format!("{} makes nothing that could be named {name}", verb.name),
            ));
        }
        let args = self.args(verb, token)?;
        let expected = expected
            .map(|(expect, outcome)| self.outcome(verb, expect, outcome))
            .transpose()?;
        if let (Some((token, _)), Some(Expected::Error { .. })) = (names.first(), &expected) {
            return Err(Self::error(token, "what fails makes nothing to be named"));
        }
        Ok(Statement::Call {
            repeat,
            expected,
            names: names.into_iter().map(|(_, name)| name).collect(),
            call: Call { verb, args },
        })
    }

    /// `NAME =`, or two names with a comma.
    fn names(&mut self) -> Parsed<Vec<(&'a Token, String)>> {
        let mut names = Vec::new();
        while self.is_before(if names.is_empty() && self.is_before(',') {
            ','
        } else {
            '='
        }) {
            names.push(self.name()?);
        }
        Ok(names)
    }

    /// A name, and the sign behind it.
    fn name(&mut self) -> Parsed<(&'a Token, String)> {
        let token = self.need("a name")?;
        let name = token.word().unwrap_or_default();
        if KEYWORDS.contains(&name) {
            return Err(Self::error(
                token,
                format!("{name} has a meaning of its own"),
            ));
        }
        if !is_name(name) {
            return Err(Self::error(
                token,
                "a name begins with a small letter and has letters, digits and _",
            ));
        }
        self.next += 1;
        Ok((token, name.to_owned()))
    }

    fn unknown(token: &Token, word: &str) -> SyntaxError {
        let error = Self::error(token, format!("there is no verb {word}"));
        match meant(word) {
            Some(verb) => error.hint(format!("did you mean {verb}?")),
            None => error.hint("help lists them"),
        }
    }

    /// What stands behind `expect` when it is not about a call.
    fn fact(&mut self, expect: &Token) -> Parsed<Statement> {
        let Some(token) = self.take() else {
            return Err(Self::error(expect, "what is expected is missing")
                .hint("a fact, as in expect pid b 1, or an outcome, as in expect EINVAL: exec b"));
        };
        let name = token.word().unwrap_or_default();
        let Some(property) = Property::named(name) else {
            let known = PROPERTIES.iter().map(|property| property.name);
            // Somebody who forgot the colon.
            let is_call = self.tokens[self.next - 1..]
                .iter()
                .filter_map(Token::word)
                .any(|word| Verb::named(word).is_some());
            let error = Self::error(token, format!("there is nothing called {name} to expect"));
            return Err(match is_call {
                true => error.hint("an outcome has a : behind it, as in expect EINVAL: exec b"),
                false => error.nearest(name, known),
            });
        };
        let fact = self.fact_about(property, token)?;
        self.finish()?;
        Ok(Statement::Fact(fact))
    }

    /// A name of some kinds.
    fn named(&self, token: &Token, kinds: &[Kind]) -> Parsed<String> {
        self.scope.expect(token, kinds)
    }
}
