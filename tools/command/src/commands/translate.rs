// SPDX-License-Identifier: GPL-2.0

//! `altpid translate`

use crate::{
    output::{DIFFERS, Hinted, print_json, print_with},
    place::{Sight, namespace},
};
use altpid::{NsId, World, snapshot::Numbers, view::View};
use anyhow::{Context, Result};
use rustix::io::Errno;
use serde_json::{Value, json};
use std::{
    io::{self, BufRead, Write},
    process::ExitCode,
};

/// Say what numbers of one namespace are in another, or everywhere
///
/// One line for each number: what it is in the other namespace, 0 if it is not visible there, -
/// if nobody has it. Without --to its numbers in all namespaces that have one for it, outermost
/// first. Numbers that are in use for a process group or session only count too.
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
        let numbers = self.numbers()?;
        let world = match self.sight.file(None) {
            Some(_) => None,
            None => Some(self.sight.place().world()?),
        };
        let view = match &world {
            Some(world) => View::of_namespaces(world)?,
            None => self.sight.view()?,
        };
        let place = |text: &Option<String>| {
            let given = text.as_deref().map(|text| namespace(&view, text));
            given.transpose()
        };
        let root = view.root().context("no namespace")?.id;
        let (from, to) = (place(&self.from)?.unwrap_or(root), place(&self.to)?);
        let answers = match &world {
            Some(world) => ask(world, &view, from, to, &numbers)?,
            None => look(&view, from, to, &numbers),
        };
        let all_used = answers
            .iter()
            .all(|answer| !matches!(answer, Answer::Unused));
        self.write(&numbers, &answers)?;
        Ok(if all_used {
            ExitCode::SUCCESS
        } else {
            DIFFERS.into()
        })
    }

    fn numbers(&self) -> Result<Vec<i32>> {
        let mut numbers = Vec::new();
        for text in &self.numbers {
            if text == "-" {
                for line in io::stdin().lock().lines() {
                    let line = line.context("standard input")?;
                    for word in line.split_whitespace() {
                        numbers.push(number(word)?);
                    }
                }
            } else {
                numbers.push(number(text)?);
            }
        }
        Ok(numbers)
    }

    fn write(&self, numbers: &[i32], answers: &[Answer]) -> Result<()> {
        let pairs = || numbers.iter().zip(answers);
        if self.json {
            let list: Vec<Value> = pairs().map(|(nr, answer)| answer.json(*nr)).collect();
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
    fn json(&self, nr: i32) -> Value {
        match self {
            Self::Unused => json!({ "nr": nr, "to": null }),
            Self::Number(there) => json!({ "nr": nr, "to": there }),
            Self::Vector(vector) => {
                let entry = |&(ns, nr): &(NsId, i32)| json!({ "ns": ns.0, "nr": nr });
                let all: Vec<_> = vector.iter().map(entry).collect();
                json!({ "nr": nr, "to": all })
            }
        }
    }
}

fn number(text: &str) -> Result<i32> {
    text.parse()
        .map_err(|_| Hinted::usage(format!("{text}: not a number"), "numbers are like 4213"))
}

/// Asks a world.
fn ask(
    world: &World,
    view: &View,
    from: NsId,
    to: Option<NsId>,
    numbers: &[i32],
) -> Result<Vec<Answer>> {
    let unused = -Errno::SRCH.raw_os_error();
    let in_ns = |to| -> Result<Vec<i32>> {
        let mut there = numbers.to_vec();
        let mut done = 0;
        // A signal that does not end the command ends a call early.
        while done < there.len() {
            done += world.translate(from, to, &mut there[done..])?;
        }
        Ok(there)
    };
    if let Some(to) = to {
        let answer = |nr| {
            if nr == unused {
                Answer::Unused
            } else {
                Answer::Number(nr)
            }
        };
        return Ok(in_ns(to)?.into_iter().map(answer).collect());
    }
    let own = in_ns(from)?;
    let mut answers: Vec<_> = own
        .into_iter()
        .map(|nr| {
            if nr == unused {
                Answer::Unused
            } else {
                Answer::Vector(Vec::new())
            }
        })
        .collect();
    // Those above come first, and who has a number somewhere has one in all that are above.
    for ns in &view.namespaces {
        let related =
            view.is_ancestor_or_self(ns.id, from) || view.is_ancestor_or_self(from, ns.id);
        if !related {
            continue;
        }
        for (answer, nr) in answers.iter_mut().zip(in_ns(ns.id)?) {
            match answer {
                Answer::Vector(vector) if nr > 0 => vector.push((ns.id, nr)),
                _ => {}
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
