// SPDX-License-Identifier: GPL-2.0

//! `altpid translate`

use crate::{
    output::{DIFFERS, Hinted, print_json, print_with},
    place::{Sight, is_task, namespace, task},
};
use altpid::{NsId, World, snapshot::Numbers, view::View};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    io::{self, BufRead, Write},
    process::ExitCode,
};

/// Say what numbers of one namespace are in another, or everywhere
///
/// One line for each number: what it is in the other namespace, 0 if it is not visible there, -
/// if nobody has it. Without --to its numbers in all namespaces that have one for it, outermost
/// first. Numbers that are in use for a process group or session only count too. A task can be given
/// in the other forms as well: 4213/17/1, 17@3 or task:5.
#[derive(clap::Args)]
#[command(after_help = "Exit status: 3 if a number is not in use.\n\n\
Examples:\n  altpid translate 4213\n  altpid translate --from 3 --to 1 1 2 5\n  \
seq 2000 | altpid translate --from 3 --to 1 -")]
pub struct Args {
    /// The numbers; - for those on standard input
    #[arg(required = true, allow_negative_numbers = true)]
    numbers: Vec<String>,
    /// The namespace they are meant in (default: the outermost)
    #[arg(long, value_name = "NAMESPACE")]
    from: Option<String>,
    /// The namespace to see them from
    #[arg(long, value_name = "NAMESPACE")]
    to: Option<String>,
    /// As JSON
    #[arg(short = 'J', long)]
    json: bool,
    #[command(flatten)]
    sight: Sight,
}

/// What a number is elsewhere.
enum Answer {
    Unused,
    Number(i32),
    Vector(Vec<(NsId, i32)>),
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let words = self.words()?;
        let chosen = match self.sight.file(None) {
            Some(_) => None,
            None => Some(self.sight.place().chosen()?),
        };
        let view = match &chosen {
            // Tasks are needed only to find those that are not given by a number.
            Some(chosen) if words.iter().any(|word| is_task(word)) => chosen.view()?,
            Some(chosen) => chosen.namespaces()?,
            None => self.sight.view()?,
        };
        let place = |text: &Option<String>| {
            let given = text.as_deref().map(|text| namespace(&view, text));
            given.transpose()
        };
        let root = view.root().context("no namespace")?.id;
        let (from, to) = (place(&self.from)?.unwrap_or(root), place(&self.to)?);
        let numbers: Vec<i32> = words
            .iter()
            .map(|word| number_of(&view, from, word))
            .collect::<Result<_>>()?;
        let answers = match &chosen {
            Some(chosen) => ask(&chosen.world, &view, from, to, &numbers)?,
            None => look(&view, from, to, &numbers),
        };
        let all_used = answers
            .iter()
            .all(|answer| !matches!(answer, Answer::Unused));
        self.write(&view, &numbers, &answers)?;
        Ok(if all_used {
            ExitCode::SUCCESS
        } else {
            DIFFERS.into()
        })
    }

    /// What is to be translated, with what stands on standard input.
    fn words(&self) -> Result<Vec<String>> {
        let mut words = Vec::new();
        for text in &self.numbers {
            if text == "-" {
                for line in io::stdin().lock().lines() {
                    let line = line.context("standard input")?;
                    words.extend(line.split_whitespace().map(str::to_owned));
                }
            } else {
                words.push(text.clone());
            }
        }
        Ok(words)
    }

    fn write(&self, view: &View, numbers: &[i32], answers: &[Answer]) -> Result<()> {
        let pairs = || numbers.iter().zip(answers);
        if self.json {
            let list: Vec<Value> = pairs().map(|(nr, answer)| answer.json(view, *nr)).collect();
            return print_json(&json!({ "numbers": list }));
        }
        print_with(|out| {
            pairs().try_for_each(|(nr, answer)| match answer {
                Answer::Unused => writeln!(out, "{nr}\t-"),
                Answer::Number(there) => writeln!(out, "{nr}\t{there}"),
                Answer::Vector(vector) => {
                    let all: Vec<_> = vector.iter().map(|(_, nr)| *nr).collect();
                    writeln!(out, "{nr}\t{}", Numbers(&all))
                }
            })
        })
    }
}

impl Answer {
    fn json(&self, view: &View, nr: i32) -> Value {
        match self {
            Self::Unused => json!({ "nr": nr, "to": null }),
            Self::Number(there) => json!({ "nr": nr, "to": there }),
            Self::Vector(vector) => {
                let entry = |&(ns, nr): &(NsId, i32)| json!({ "ns": view.name(ns), "nr": nr });
                let all: Vec<_> = vector.iter().map(entry).collect();
                json!({ "nr": nr, "to": all })
            }
        }
    }
}

/// The number that a word means in namespace `from`: it says so, or names a task.
fn number_of(view: &View, from: NsId, word: &str) -> Result<i32> {
    if !is_task(word) {
        return word.parse().map_err(|_| {
            Hinted::usage(
                format!("{word}: not a number"),
                "a task is 4213, 4213/17/1, 17@3 or task:5",
            )
        });
    }
    let task = task(view, word)?;
    let level = view.ns(from).map_or(0, |ns| ns.level as usize);
    let is_seen = view.is_ancestor_or_self(from, task.ns);
    let number = task.pid.get(level).filter(|_| is_seen);
    number.copied().ok_or_else(|| {
        Hinted::absent(
            format!("{word}: namespace {} does not see it", view.name(from)),
            "--from says in which namespace numbers are meant",
        )
    })
}

/// Asks a world.
fn ask(
    world: &World,
    view: &View,
    from: NsId,
    to: Option<NsId>,
    numbers: &[i32],
) -> Result<Vec<Answer>> {
    let in_ns = |to| world.translate(from, to, numbers);
    if let Some(to) = to {
        let answer = |nr: std::result::Result<_, _>| nr.map_or(Answer::Unused, Answer::Number);
        return Ok(in_ns(to)?.into_iter().map(answer).collect());
    }
    let own = in_ns(from)?.into_iter();
    let mut answers: Vec<_> = own
        .map(|nr| nr.map_or(Answer::Unused, |_| Answer::Vector(Vec::new())))
        .collect();
    // Those above come first, and who has a number somewhere has one in all that are above.
    for ns in &view.namespaces {
        let related =
            view.is_ancestor_or_self(ns.id, from) || view.is_ancestor_or_self(from, ns.id);
        if !related {
            continue;
        }
        for (answer, nr) in answers.iter_mut().zip(in_ns(ns.id)?) {
            if let (Answer::Vector(vector), Ok(nr @ 1..)) = (answer, nr) {
                vector.push((ns.id, nr));
            }
        }
    }
    Ok(answers)
}

/// Looks at a snapshot.
fn look(view: &View, from: NsId, to: Option<NsId>, numbers: &[i32]) -> Vec<Answer> {
    let answer = |&nr: &i32| match (view.vector(from, nr), to) {
        (None, _) => Answer::Unused,
        (Some(vector), None) => Answer::Vector(vector),
        (Some(vector), Some(to)) => {
            let there = vector.iter().find(|(ns, _)| *ns == to);
            Answer::Number(there.map_or(0, |(_, nr)| *nr))
        }
    };
    numbers.iter().map(answer).collect()
}
