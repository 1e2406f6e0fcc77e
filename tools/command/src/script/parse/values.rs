// SPDX-License-Identifier: GPL-2.0

//! What is expected: outcomes and facts.

use super::{
    super::{
        constants::{ACTION, DISPOSITION, ERRNO, POLL, si_code},
        error::SyntaxError,
        facts::{BLOCKERS, Fact, FactKind, FactValue, GONE, NONE, Property, STATES, Subject},
        happening::{HAPPENINGS, Happening, More},
        scope::Kind,
        syntax::{Expected, Value},
        tokens::{Token, is_name},
        values::{NsRef, Status},
        verbs::{Returns, Verb},
    },
    Parsed, Parser,
};
use altpid::{Disposition, Reason};

/// What has happened to a process, in words.
const STATUSES: &[&str] = &["exited", "killed", "stopped", "continued"];

/// Whether a word looks like the name of an error number.
fn is_errno(word: &str) -> bool {
    word.len() > 2
        && word.starts_with('E')
        && (word.chars()).all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

impl<'a> Parser<'a> {
    /// What a verb must return, as these tokens say.
    pub(super) fn outcome(
        &self,
        verb: &Verb,
        expect: &Token,
        tokens: &'a [Token],
    ) -> Parsed<Expected> {
        let mut parser = Parser {
            tokens,
            next: 0,
            scope: self.scope,
        };
        let Some(first) = parser.take() else {
            return Err(Self::error(expect, "the outcome is missing"));
        };
        let word = first.word().unwrap_or_default();
        let expected = if word == "sleeps" && verb.returns == Returns::Report {
            Expected::Sleeps
        } else if let Some(errno) = ERRNO
            .value(word)
            .filter(|_| verb.returns != Returns::Numbers)
        {
            Expected::Error {
                errno: errno as i32,
                reason: parser.reason()?,
            }
        } else if verb.returns != Returns::Numbers && is_errno(word) {
            let error = Self::error(first, format!("there is no errno {word}"));
            return Err(error.nearest(word, ERRNO.names.iter().map(|&(name, _)| name)));
        } else {
            Expected::Value(parser.value(verb, first)?)
        };
        parser.finish()?;
        Ok(expected)
    }

    /// The name of a reason, if there is more.
    fn reason(&mut self) -> Parsed<Option<Reason>> {
        let Some(token) = self.take() else {
            return Ok(None);
        };
        let name = token.word().unwrap_or_default();
        let short = name.strip_prefix("ALTPID_REASON_").unwrap_or(name);
        let found = Reason::named(short);
        found.map(Some).ok_or_else(|| {
            Self::error(token, format!("there is no reason {name}")).nearest(short, Reason::names())
        })
    }

    fn value(&mut self, verb: &Verb, first: &Token) -> Parsed<Value> {
        let word = first.word().unwrap_or_default();
        match verb.returns {
            Returns::Zero if word == "0" => Ok(Value::Number(0)),
            Returns::Zero => Err(Self::error(
                first,
                format!("{} returns 0 or fails with an errno", verb.name),
            )),
            Returns::Number if word.starts_with("SIG") => {
                Self::signal(first).map(|signal| Value::Number(signal.into()))
            }
            Returns::Number => Self::number(first).map(Value::Number),
            Returns::NumberOrName if word.starts_with("SIG") => {
                Self::signal(first).map(|signal| Value::Number(signal.into()))
            }
            Returns::NumberOrName => match word.parse() {
                Ok(number) => Ok(Value::Number(number)),
                Err(_) => Self::text(first).map(Value::Text),
            },
            Returns::Child if word.contains('/') => Self::vector(first).map(Value::Vector),
            Returns::Child => Self::number(first).map(Value::Number),
            Returns::Task => self.named(first, &[Kind::Task]).map(Value::Task),
            Returns::Report if word == "0" => Ok(Value::Number(0)),
            Returns::Report => self.report(first),
            Returns::Signal => self.siginfo(first),
            Returns::Signals => self.signals(first).map(Value::Signals),
            Returns::Events => self.events(first).map(Value::Events),
            Returns::Action => self.action(first),
            Returns::Numbers => self.translated(first),
            Returns::Happenings if word == "none" => Ok(Value::Happenings(Vec::new())),
            Returns::Happenings => self.happenings(first).map(Value::Happenings),
            Returns::View => Err(Self::error(
                first,
                format!("{} is for looking at, not for expecting", verb.name),
            )),
        }
    }

    /// Numbers at all levels.
    fn vector(token: &Token) -> Parsed<Vec<i32>> {
        let numbers = token.word().unwrap_or_default().split('/');
        let numbers: Option<Vec<i32>> = numbers.map(|number| number.parse().ok()).collect();
        numbers.ok_or_else(|| Self::error(token, "numbers with / between them are expected here"))
    }

    /// `exited 3` and the like, if that is next.
    fn status(&mut self) -> Parsed<Option<Status>> {
        let Some(word) = self.peek_word().filter(|word| STATUSES.contains(word)) else {
            return Ok(None);
        };
        self.next += 1;
        if word == "continued" {
            return Ok(Some(Status::Continued));
        }
        let token = self.need(if word == "exited" {
            "the code"
        } else {
            "the signal"
        })?;
        Ok(Some(match word {
            "exited" => Status::Exited(Self::number32(token)?),
            "killed" => Status::Killed(Self::signal(token)?),
            _ => Status::Stopped(Self::signal(token)?),
        }))
    }

    fn report(&mut self, first: &Token) -> Parsed<Value> {
        let who = self.named(first, &[Kind::Task])?;
        let status = self.status()?;
        let pid = match self.peek() {
            Some(token) if self.is_before('=') => {
                if token.word() != Some("pid") {
                    return Err(Self::error(token, "only pid= can be expected here"));
                }
                self.next += 2;
                Some(Self::number32(self.need("a number")?)?)
            }
            Some(token) if status.is_none() => {
                return Err(Self::error(token, "what has happened is expected here")
                    .hint("exited N, killed SIG, stopped SIG or continued"));
            }
            _ => None,
        };
        Ok(Value::Report { who, status, pid })
    }

    fn siginfo(&mut self, first: &Token) -> Parsed<Value> {
        let signal = Self::signal(first)?;
        let (mut code, mut pid, mut status, mut value) = (None, None, None, None);
        while let Some(token) = self.take() {
            let key = token.word().unwrap_or_default();
            if !self.take_sign('=') {
                return Err(Self::error(
                    token,
                    "code=, pid=, status= or value= is expected here",
                ));
            }
            let token_of = self.need("a value")?;
            match key {
                "code" => {
                    let found = si_code(token_of.word().unwrap_or_default());
                    let found = found.ok_or_else(|| Self::error(token_of, "this is no si_code"));
                    code = Some(found?);
                }
                "pid" => pid = Some(Self::number32(token_of)?),
                "status" => status = Some(Self::number32(token_of)?),
                "value" => value = Some(Self::number(token_of)?),
                _ => {
                    return Err(Self::error(token, format!("a signal has no {key}="))
                        .nearest(key, ["code", "pid", "status", "value"]));
                }
            }
        }
        Ok(Value::Signal {
            signal,
            code,
            pid,
            status,
            value,
        })
    }

    /// 0, or events with `|`.
    fn events(&mut self, first: &Token) -> Parsed<u64> {
        self.bits(&POLL, first)
    }

    fn action(&mut self, first: &Token) -> Parsed<Value> {
        let word = first.word().unwrap_or_default();
        let disposition = match DISPOSITION.value(word) {
            Some(0) => Disposition::Default,
            Some(1) => Disposition::Ignore,
            Some(_) => Disposition::Handler,
            None => return Err(Self::error(first, "DFL, IGN or HANDLER is expected here")),
        };
        let (mut flags, mut mask) = (0, None);
        while let Some(token) = self.take() {
            if token.is('|') {
                continue;
            }
            let word = token.word().unwrap_or_default();
            if word == "mask" && self.take_sign('=') {
                let first = self.need("signals")?;
                mask = Some(self.signals(first)?);
                continue;
            }
            flags |= ACTION.value(word).ok_or_else(|| {
                Self::error(token, "a flag of sigaction or mask= is expected here")
                    .nearest(word, ACTION.names.iter().map(|&(name, _)| name))
            })?;
        }
        Ok(Value::Action {
            disposition,
            flags,
            mask,
        })
    }

    fn translated(&mut self, first: &Token) -> Parsed<Value> {
        let number = |token: &Token| match token.word() {
            Some("ESRCH") => Ok(-3),
            _ => Self::number32(token),
        };
        let mut numbers = vec![number(first)?];
        while let Some(token) = self.take() {
            numbers.push(number(token)?);
        }
        Ok(Value::Numbers(numbers))
    }

    /// What has happened, with commas.
    fn happenings(&mut self, first: &Token) -> Parsed<Vec<Happening>> {
        let mut all = vec![self.happening(first)?];
        while self.take_sign(',') {
            let token = self.need("what else has happened")?;
            all.push(self.happening(token)?);
        }
        Ok(all)
    }

    fn happening(&mut self, token: &Token) -> Parsed<Happening> {
        let word = token.word().unwrap_or_default();
        let kind = HAPPENINGS.iter().find(|kind| **kind == word);
        let kind = *kind.ok_or_else(|| {
            Self::error(token, format!("{word} is nothing that happens"))
                .nearest(word, HAPPENINGS.iter().copied())
        })?;
        let who = match kind {
            "ns-dead" | "lost" => None,
            _ => {
                let whom = self.need("whom it happens to")?;
                Some(self.named(whom, &[Kind::Task])?)
            }
        };
        let more = match (kind, self.peek_word()) {
            (_, None) => None,
            ("exit" | "reap", _) => self.status()?.map(More::Status),
            ("clone", Some("by")) => Some(More::By(self.parent()?)),
            ("reparent", Some("to")) => Some(More::To(self.parent()?)),
            ("stop", _) => Some(More::Signal(Self::signal(self.need("a signal")?)?)),
            ("lost", _) => {
                let count = self.need("how many")?;
                let known = Self::number(count)?.try_into().ok().map(More::Count);
                Some(known.ok_or_else(|| Self::error(count, "how many is never below 0"))?)
            }
            _ => None,
        };
        Ok(Happening { kind, who, more })
    }

    /// A parent, behind a word that says so.
    fn parent(&mut self) -> Parsed<Option<String>> {
        self.next += 1;
        let token = self.need("a parent")?;
        match token.word() {
            Some("outside") => Ok(None),
            _ => self.named(token, &[Kind::Task]).map(Some),
        }
    }

    /// What must be so; the property is read already.
    pub(super) fn fact_about(&mut self, property: &'static Property, at: &Token) -> Parsed<Fact> {
        let example = |error: SyntaxError| match error.hint {
            None => error.hint(format!("as in {}", property.example)),
            Some(_) => error,
        };
        let subject = match property.subject {
            Subject::World => None,
            Subject::Task => {
                let token = self.need_of("a task", at)?;
                self.named(token, &[Kind::Task]).map_err(example)?;
                Some(self.ns(token).map_err(example)?)
            }
            Subject::TaskOrPidfd => {
                let token = self.need_of("a task", at)?;
                let name = self.named(token, &[Kind::Task, Kind::Pidfd]);
                Some(NsRef {
                    name: name.map_err(example)?,
                    of_children: false,
                })
            }
            Subject::Ns | Subject::Either => {
                let token = self.need_of("a namespace", at)?;
                Some(self.ns(token).map_err(example)?)
            }
        };
        let token = self.need_of("the value", at).map_err(example)?;
        let value = self.fact_value(property, token).map_err(example)?;
        let view = match self.peek() {
            Some(token) if token.word() == Some("in") => {
                let has_view = matches!(property.kind, FactKind::Pids | FactKind::Pid);
                if !has_view || !matches!(value, FactValue::Number(_)) {
                    return Err(Self::error(token, "only one number is seen from somewhere"));
                }
                self.next += 1;
                let ns = self.need("a namespace")?;
                Some(self.ns(ns)?)
            }
            _ => None,
        };
        Ok(Fact {
            property,
            subject,
            value,
            view,
        })
    }

    /// Takes the next token of a fact.
    fn need_of(&mut self, what: &str, at: &Token) -> Parsed<&'a Token> {
        let property = at.word().unwrap_or_default();
        self.need(&format!("{what} of expect {property}"))
    }

    fn fact_value(&mut self, property: &Property, token: &'a Token) -> Parsed<FactValue> {
        let word = token.word().unwrap_or_default();
        Ok(match property.kind {
            FactKind::Pids if word.contains('/') => FactValue::Vector(Self::vector(token)?),
            FactKind::Pids | FactKind::Pid | FactKind::Number => {
                FactValue::Number(Self::number(token)?)
            }
            FactKind::Task => FactValue::Task(self.name_or_none(token)?),
            FactKind::Ns if word == "none" => FactValue::Ns(None),
            FactKind::Ns => FactValue::Ns(Some(self.ns(token)?)),
            FactKind::State => {
                let (tasks, namespaces) = STATES;
                let known = || {
                    tasks
                        .iter()
                        .chain(namespaces)
                        .chain([&GONE, &NONE])
                        .copied()
                };
                let found = known().find(|state| *state == word);
                FactValue::State(found.ok_or_else(|| {
                    Self::error(token, format!("there is no state {word}")).nearest(word, known())
                })?)
            }
            FactKind::Status => {
                self.next -= 1;
                let status = self.status()?;
                FactValue::Status(
                    status.ok_or_else(|| {
                        Self::error(token, "exited N or killed SIG is expected here")
                    })?,
                )
            }
            FactKind::Text => FactValue::Text(Self::text(token)?),
            FactKind::Signal => FactValue::Signal(Self::signal(token)?),
            FactKind::Signals => FactValue::Signals(self.signals(token)?),
            FactKind::Yes => match word {
                "yes" => FactValue::Yes(true),
                "no" => FactValue::Yes(false),
                _ => return Err(Self::error(token, "yes or no is expected here")),
            },
            FactKind::Blocker if word == "none" => FactValue::Task(None),
            FactKind::Blocker if word == "namespace" => {
                let ns = self.need("a namespace")?;
                FactValue::Below(self.ns(ns)?)
            }
            FactKind::Blocker if word == "pidfd" => {
                let pidfd = self.need("a pidfd")?;
                FactValue::Blocker("pidfd", self.named(pidfd, &[Kind::Pidfd])?)
            }
            FactKind::Blocker => {
                let how = BLOCKERS.iter().find(|how| **how == word);
                let how = how.ok_or_else(|| {
                    Self::error(token, format!("nothing is kept by {word}"))
                        .nearest(word, BLOCKERS.iter().copied())
                })?;
                let task = self.need("a task")?;
                FactValue::Blocker(how, self.named(task, &[Kind::Task])?)
            }
        })
    }

    fn name_or_none(&self, token: &Token) -> Parsed<Option<String>> {
        match token.word() {
            Some("none") => Ok(None),
            Some(word) if is_name(word) => self.named(token, &[Kind::Task]).map(Some),
            _ => Err(Self::error(token, "a task or none is expected here")),
        }
    }
}
