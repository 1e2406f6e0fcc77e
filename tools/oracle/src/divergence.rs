// SPDX-License-Identifier: GPL-2.0

//! What is not the same on both sides, and what has to be known of it.

use crate::{
    native::Arena,
    op::{Answer, Name, Num, Op},
    script,
    status::Status,
    twin::{Seen, State},
};
use altpid::{SigInfo, SigSet, TaskState};
use anyhow::Result;
use std::fmt::Display;

/// What agents block in a handler: everything that can be.
const IN_HANDLER: SigSet = SigSet::from_bits(!(1 << 8 | 1 << 18));

/// Something that is seen to differ.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// In words: what it is natively, and in altpid.
    pub what: String,
    /// What is natively so, as a line of a scenario, if it can be said in one.
    pub fact: Option<String>,
    /// What came with a signal, natively and in altpid, if that differs.
    pub signals: Option<(SigInfo, SigInfo)>,
}

impl Mismatch {
    /// In words.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            fact: None,
            signals: None,
        }
    }

    /// What came with a signal.
    pub fn of_signal(native: SigInfo, altpid: SigInfo) -> Self {
        Self {
            signals: Some((native, altpid)),
            ..Self::new(format!("last signal: {native:?}, altpid {altpid:?}"))
        }
    }

    /// Of what an operation has returned.
    pub fn of_answer(native: Answer, altpid: Answer) -> Self {
        let signals = match (native, altpid) {
            (Answer::Signal(native), Answer::Signal(altpid)) => Some((native, altpid)),
            _ => None,
        };
        Self {
            signals,
            ..Self::new(format!("{native:?}, altpid {altpid:?}"))
        }
    }

    /// With what a property of something is natively.
    pub fn with(mut self, property: &str, subject: impl Display, native: impl Display) -> Self {
        self.fact = Some(script::fact(property, subject, native));
        self
    }

    /// It is that of somebody.
    pub fn of(mut self, whom: impl Display) -> Self {
        self.what = format!("{whom}: {}", self.what);
        self
    }
}

/// An operation after which something is not the same on both sides.
#[derive(Clone, Debug, Default)]
pub struct Divergence {
    /// What it is.
    pub what: String,
    /// What is natively so, as a line of a scenario, if it can be said in one.
    pub fact: Option<String>,
    /// What the operation has returned natively, if that is known.
    pub native: Option<Answer>,
    /// Who has the number in that.
    pub who: Option<Name>,
    /// What came with a signal, natively and in altpid, if that differs.
    pub signals: Option<(SigInfo, SigInfo)>,
    /// Who is dead natively and alive in altpid.
    pub dead: Vec<Name>,
    /// Who has died in altpid together with its parent, or with who has made its parent ignore SIGCHLD
    /// by that, and is a zombie of a live one now.
    pub orphans: Vec<Name>,
    /// Who was alive, is natively on its way out, and is gone in altpid.
    pub late: Vec<Name>,
    /// Who was stopped and is not in altpid, when another member of its process group has died.
    pub hung_up: Vec<Name>,
    /// Whether the sender in that is natively the number that a process had for itself, and in altpid
    /// one that it had above.
    pub is_untranslated: bool,
    /// Whether somebody is natively stopped in the middle of a handler.
    pub in_handler: bool,
    /// Which of the deliberate differences it is.
    pub deliberate: Option<&'static str>,
}

impl Divergence {
    /// What differs after an operation, with what `differences::classify` needs to see whether it is
    /// deliberate.
    pub fn new(
        mismatch: Mismatch,
        op: &Op,
        native: Option<Answer>,
        arena: &Arena<'_>,
        before: &State,
        after: &State,
    ) -> Result<Self> {
        let mut divergence = Self {
            what: mismatch.what,
            fact: mismatch.fact,
            signals: mismatch.signals,
            native,
            who: native.and_then(|answer| waited(op, answer, before)),
            orphans: orphans(before, after),
            hung_up: hung_up(before, after),
            ..Self::default()
        };
        for (name, seen) in &after.tasks {
            let status = arena.status(*name)?;
            let lives = |status: &Status| status.has_memory && status.state != b'Z';
            if seen.is_running() && !status.as_ref().is_some_and(lives) {
                divergence.dead.push(*name);
            }
            divergence.in_handler |= seen.task.state == TaskState::Stopped
                && status.is_some_and(|status| status.blocked == IN_HANDLER)
                && seen
                    .signals
                    .is_some_and(|signals| signals.blocked != IN_HANDLER);
        }
        for (name, seen) in &before.tasks {
            let exits = |status: Status| !status.has_memory && status.state != b'Z';
            if seen.is_alive()
                && !after.tasks.contains_key(name)
                && arena.status(*name)?.is_some_and(exits)
            {
                divergence.late.push(*name);
            }
        }
        Ok(divergence)
    }

    /// What remains of it when names and numbers are left out: the same for the same cause.
    pub fn kind(&self) -> String {
        let mut kind = String::new();
        for word in self.what.split_whitespace() {
            let word: String = word.chars().filter(|c| c.is_alphabetic()).collect();
            if word.len() > 1 {
                kind.push_str(&word);
                kind.push(' ');
            }
        }
        kind
    }
}

/// Who has the number that a wait has returned.
fn waited(op: &Op, answer: Answer, before: &State) -> Option<Name> {
    let (Answer::Waited(pid @ 1.., _) | Answer::Told(pid @ 1.., ..)) = answer else {
        return None;
    };
    let mut names = before.tasks.keys();
    let is_it = |name: &&Name| before.resolve(op.by, Num::Of(**name)) == Some(pid);
    names.find(is_it).copied()
}

/// Who has died together with its parent, or with who has made its parent ignore SIGCHLD by that, and
/// is a zombie of somebody who lives.
fn orphans(before: &State, after: &State) -> Vec<Name> {
    let alive = |state: &State, name| state.tasks.get(&name).is_some_and(Seen::is_alive);
    let died = |name| alive(before, name) && !alive(after, name);
    let ignores = |state: &State, name| {
        let signals = state.tasks.get(&name).and_then(|seen| seen.signals);
        signals.is_some_and(|signals| signals.ignored.contains(libc::SIGCHLD))
    };
    let zombies = after
        .tasks
        .iter()
        .filter(|(_, seen)| seen.task.state == TaskState::Zombie);
    let orphans = zombies.filter(|(name, seen)| {
        let parent = before.tasks.get(name).and_then(|seen| seen.parent);
        let heir = seen.parent.filter(|&heir| alive(after, heir));
        let begins = |heir| ignores(after, heir) && !ignores(before, heir);
        died(**name) && heir.is_some_and(|heir| parent.is_some_and(died) || begins(heir))
    });
    orphans.map(|(name, _)| *name).collect()
}

/// Who was stopped and is not any more, while somebody of the same process group has died.
fn hung_up(before: &State, after: &State) -> Vec<Name> {
    let is_alive = |name: &Name| after.tasks.get(name).is_some_and(Seen::is_alive);
    let is_stopped = |seen: &Seen| seen.task.state == TaskState::Stopped;
    let dead: Vec<&Seen> = before
        .tasks
        .iter()
        .filter(|(name, seen)| seen.is_alive() && !is_alive(name))
        .map(|(_, seen)| seen)
        .collect();
    // As the outermost namespace, which all have, numbers it.
    let group = |seen: &Seen| seen.task.pgid.first().copied();
    let has_lost = |seen: &Seen| {
        let mut dead = dead.iter();
        dead.any(|other| other.leader != seen.leader && group(other) == group(seen))
    };
    let stopped = before.tasks.iter().filter(|(name, seen)| {
        is_stopped(seen) && !after.tasks.get(name).is_some_and(is_stopped) && has_lost(seen)
    });
    stopped.map(|(name, _)| *name).collect()
}
