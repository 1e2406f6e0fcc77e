// SPDX-License-Identifier: GPL-2.0

//! Whole scenarios: read first, then played line by line.

use super::{
    error::SyntaxError,
    facts::FactValue,
    player::{Player, Refusal, Returned},
    scope::Scope,
    syntax::{Arg, Call, Expected, Line, Statement},
    values::PidRef,
    verbs::Returns,
};
use std::fmt;

/// A scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// Its lines.
    pub lines: Vec<Line>,
}

impl Script {
    /// Reads a scenario. Nothing is done yet.
    ///
    /// # Errors
    ///
    /// All lines that are not understood.
    pub fn parse(text: &str) -> Result<Self, Vec<SyntaxError>> {
        let mut scope = Scope::new();
        let mut lines = Vec::new();
        let mut errors = Vec::new();
        for (index, text) in text.lines().enumerate() {
            match Line::parse(text, &mut scope) {
                Ok(line) => lines.push(line),
                Err(mut error) => {
                    error.line = index + 1;
                    errors.push(error);
                    Line::promise(text, &mut scope);
                }
            }
        }
        if errors.is_empty() {
            Ok(Self { lines })
        } else {
            Err(errors)
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// What went otherwise than it was to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whether an expectation did not hold; otherwise a call failed that nobody expected to.
    pub is_expectation: bool,
    /// What was expected.
    pub expected: String,
    /// What came instead.
    pub got: String,
    /// What may explain it, a line each.
    pub why: Vec<String>,
}

impl Failure {
    /// What it is, in words.
    pub fn what(&self) -> &'static str {
        match self.is_expectation {
            true => "expectation not met",
            false => "call failed",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_expectation {
            writeln!(f, "    expected: {}", self.expected)?;
        }
        write!(f, "    got:      {}", self.got)?;
        for (index, line) in self.why.iter().enumerate() {
            let label = if index == 0 { "why:" } else { "" };
            write!(f, "\n    {label:9} {line}")?;
        }
        Ok(())
    }
}

/// How many columns a statement takes before what came of it.
const COLUMN: usize = 44;

/// A statement and what came of it, in one line, if it is not something longer to look at.
pub fn trace(statement: &Statement, result: &str) -> String {
    let text = statement.to_string();
    match statement {
        Statement::Fact(_) => format!("{text:COLUMN$} {result}"),
        Statement::Call { call, .. } if call.verb.returns == Returns::View => {
            let lines: String = result.lines().map(|line| format!("\n    {line}")).collect();
            format!("{text}{lines}")
        }
        Statement::Call { .. } => format!("{text:COLUMN$} = {result}"),
    }
}

/// The names that stand in a statement, in order.
fn mentioned(statement: &Statement) -> Vec<&str> {
    let mut names = Vec::new();
    match statement {
        Statement::Call { expected, call, .. } => {
            if call.args.first() == Some(&Arg::Absent) {
                names.push("init");
            }
            for arg in &call.args {
                match arg {
                    Arg::Task(name) | Arg::Pidfd(name) | Arg::Pid(PidRef::Of { name, .. }) => {
                        names.push(name)
                    }
                    Arg::Ns(ns) => names.push(&ns.name),
                    Arg::Pids(pids) => names.extend(pids.iter().filter_map(|pid| match pid {
                        PidRef::Of { name, .. } => Some(name.as_str()),
                        PidRef::Number(_) => None,
                    })),
                    _ => (),
                }
            }
            if let Some(Expected::Value(value)) = expected {
                names.extend(value.names());
            }
        }
        Statement::Fact(fact) => {
            names.extend(fact.subject.as_ref().map(|ns| ns.name.as_str()));
            names.extend(fact.view.as_ref().map(|ns| ns.name.as_str()));
            match &fact.value {
                FactValue::Task(Some(name)) | FactValue::Blocker(_, name) => names.push(name),
                FactValue::Ns(Some(ns)) | FactValue::Below(ns) => names.push(&ns.name),
                _ => (),
            }
        }
    }
    names
}

impl Player {
    /// Does what a statement says, or looks whether it is so. Returns what came of it, in words.
    ///
    /// # Errors
    ///
    /// When it went otherwise than it was to.
    pub fn play(&mut self, statement: &Statement) -> Result<String, Failure> {
        match statement {
            Statement::Call {
                repeat,
                expected,
                names,
                call,
            } => {
                let mut last = String::new();
                for turn in 1..=repeat.unwrap_or(1) {
                    last = self
                        .play_call(statement, expected.as_ref(), names, call)
                        .map_err(|mut failure| {
                            if repeat.is_some() {
                                failure.why.insert(0, format!("it was the {turn}. time"));
                            }
                            failure
                        })?;
                }
                Ok(last)
            }
            Statement::Fact(fact) => {
                let value = fact.value.to_string();
                let (holds, got) = match self.ask(fact) {
                    Ok(answer) => (answer.holds, answer.got),
                    Err(error) => (false, Refusal::Error(error).show()),
                };
                if holds {
                    return Ok("ok".to_owned());
                }
                Err(Failure {
                    is_expectation: true,
                    expected: value,
                    got,
                    why: self.explain(mentioned(statement)),
                })
            }
        }
    }

    fn play_call(
        &mut self,
        statement: &Statement,
        expected: Option<&Expected>,
        names: &[String],
        call: &Call,
    ) -> Result<String, Failure> {
        let outcome = self.call(call, names);
        let is_right = match expected {
            Some(expected) => self.is_expected(&outcome, expected),
            None => outcome.is_ok(),
        };
        let got = match &outcome {
            Ok(returned) => self.show_returned(returned),
            Err(refusal) => refusal.show(),
        };
        if is_right {
            return Ok(got);
        }
        let reported = match &outcome {
            Ok(Returned::Report(task, ..)) => Some(self.called(*task)),
            _ => None,
        };
        let mut why = self.explain(mentioned(statement).into_iter().chain(reported.as_deref()));
        if let Err(Refusal::Sleeps) = &outcome {
            let nobody = "it would sleep for ever, as nothing else happens meanwhile";
            why.insert(0, nobody.to_owned());
        }
        Err(Failure {
            is_expectation: expected.is_some(),
            expected: expected.map_or("success".to_owned(), ToString::to_string),
            got,
            why,
        })
    }
}
