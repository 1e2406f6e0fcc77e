// SPDX-License-Identifier: GPL-2.0

//! Performs sequences until one diverges, and makes that one as short as it can be.

use crate::{
    divergence::Divergence,
    draw::Draw,
    event::Event,
    native::Drivers,
    op::{Answer, Op},
    pair::{Pair, Step},
    script::{self, PREAMBLE},
    twin::State,
};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// How often a sequence is performed again before its divergence is believed: as it was, and with
/// processes that run in another order each time.
const REPEATS: usize = 5;
const ORDERS: u64 = 20;

/// A sequence that diverges, and how.
#[derive(Clone, Debug)]
pub struct Found {
    /// The operations, the last of which diverges.
    pub ops: Vec<Op>,
    /// What those before that have returned on both sides.
    pub answers: Vec<Answer>,
    /// In what.
    pub divergence: Divergence,
}

/// How a sequence has gone.
pub enum Course {
    /// As many operations as this were the same.
    Same,
    /// One was not.
    Differs(Box<Found>),
}

/// Counts of a hunt.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Operations that were performed on both sides.
    pub ops: u64,
    /// Sequences.
    pub sequences: u64,
    /// Divergences that were not there when the sequence was performed again: the kernel has given
    /// different answers to the same questions.
    pub races: u64,
    /// Divergences of a kind that was found before.
    pub repeated: u64,
    /// Sequences that have come to one of the deliberate differences.
    pub deliberate: u64,
}

/// Performs operations that are there, in a fresh arena. `seen` is told of each that was the same.
pub fn replay(drivers: &mut Drivers, ops: &[Op], seen: impl FnMut(&Event<'_>)) -> Result<Course> {
    let mut ops = ops.iter();
    perform(drivers, |_| ops.next().cloned(), seen)
}

/// Draws and performs a sequence. `seen` is told of each operation that
/// was the same.
pub fn sequence(
    drivers: &mut Drivers,
    draw: &mut Draw,
    seen: impl FnMut(&Event<'_>),
) -> Result<Course> {
    perform(drivers, |state| draw.next(state), seen)
}

/// Performs what `next` makes of the state, in a fresh arena, up to the first divergence.
fn perform(
    drivers: &mut Drivers,
    mut next: impl FnMut(&State) -> Option<Op>,
    mut seen: impl FnMut(&Event<'_>),
) -> Result<Course> {
    let mut pair = Pair::new(drivers)?;
    let (mut ops, mut answers) = (Vec::new(), Vec::new());
    while let (false, Some(op)) = (pair.is_over(), next(pair.state())) {
        match pair.step(&op)? {
            Step::Skipped => {}
            Step::Same(answer) => {
                seen(&pair.event(&op, answer));
                ops.push(op);
                answers.push(answer);
            }
            Step::Differs(divergence) => {
                ops.push(op);
                // Nothing that is left of it is of interest.
                let _ = pair.end();
                return Ok(Course::Differs(Box::new(Found {
                    ops,
                    answers,
                    divergence: *divergence,
                })));
            }
        }
    }
    Ok(match pair.end()? {
        None => Course::Same,
        Some(what) => {
            let divergence = Divergence {
                what,
                ..Divergence::default()
            };
            Course::Differs(Box::new(Found {
                ops,
                answers,
                divergence,
            }))
        }
    })
}

/// Whether a divergence is always there: as often as the sequence is performed again. When it is
/// not, altpid's answer is one of those that the kernel gives; or what the kernel does in another
/// order differs deliberately, and only that, at the same operation.
pub fn is_real(drivers: &mut Drivers, found: &Found) -> Result<bool> {
    let orders = [None; REPEATS].into_iter().chain((0..ORDERS).map(Some));
    for order in orders {
        drivers.set_order(order);
        let course = replay(drivers, &found.ops, |_| {});
        drivers.set_order(None);
        match course? {
            Course::Same => return Ok(false),
            Course::Differs(again) => {
                let is_there = again.ops.len() == found.ops.len();
                if is_there && again.divergence.deliberate.is_some() {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

/// Leaves out operations as long as it still diverges in the same way, and not in a deliberate one.
pub fn shrink(drivers: &mut Drivers, found: &Found) -> Result<Found> {
    let kind = found.divergence.kind();
    let mut best = Box::new(found.clone());
    let mut piece = best.ops.len().div_ceil(2);
    while piece > 0 {
        let mut from = 0;
        let mut shorter = false;
        while from < best.ops.len() {
            let mut ops = best.ops.clone();
            let to = (from + piece).min(ops.len());
            ops.drain(from..to);
            match replay(drivers, &ops, |_| {})? {
                Course::Differs(next)
                    if next.divergence.kind() == kind
                        && next.divergence.deliberate.is_none()
                        && next.ops.len() < best.ops.len() =>
                {
                    best = next;
                    shorter = true;
                }
                _ => from += piece,
            }
        }
        if !shorter || piece > 1 {
            piece /= 2;
        }
    }
    Ok(*best)
}

impl Found {
    /// As a scenario that `altpid run` performs: what the last operation must return, and what must
    /// be so behind it, is what it was natively.
    pub fn scenario(&self, title: &str) -> String {
        let mut text = format!("# {title}\n{PREAMBLE}");
        let failed = |answer: &&Answer| matches!(answer, Answer::Error(_));
        let last = self.ops.len() - 1;
        for (index, op) in self.ops.iter().enumerate() {
            let answer = self.answers.get(index).filter(failed).copied();
            let answer = answer.or(self.divergence.native.filter(|_| index == last));
            let _ = writeln!(text, "{}", script::line(op, answer, self.divergence.who));
        }
        if let Some(fact) = &self.divergence.fact {
            let _ = writeln!(text, "{fact}");
        }
        let _ = writeln!(text, "# differs: {}", self.divergence.what);
        text
    }
}
