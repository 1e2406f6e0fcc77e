// SPDX-License-Identifier: GPL-2.0

//! Calls that have done what they do, and whose callers cannot say so yet.

use super::{LIMIT, Pair};
use crate::{
    compare,
    divergence::Mismatch,
    op::{Answer, Call, Op},
    twin::State,
};
use anyhow::Result;
use std::time::{Duration, Instant};

impl Pair<'_> {
    /// Takes notice of the child of a caller that sleeps until that has exited or called exec; in what
    /// it differs when there is no child or the caller does not sleep.
    pub(super) fn note_vfork(
        &mut self,
        op: &Op,
        answer: Answer,
        before: &State,
    ) -> Result<Option<Mismatch>> {
        let Call::Clone { child, .. } = op.call else {
            return Ok(None);
        };
        let started = Instant::now();
        while self.arena.find_child(op, answer, before)?.is_none() {
            if self.arena.has_answered(op.by, Duration::from_millis(1)) {
                let got = self.arena.take_answer(op.by).map(|(answer, _)| answer);
                let what = format!("{got:?} from {}, altpid sleeps in vfork", op.by);
                return Ok(Some(Mismatch::new(what)));
            }
            if started.elapsed() > LIMIT {
                let what = format!("no child of {}, altpid {answer:?}", op.by);
                return Ok(Some(Mismatch::new(what)));
            }
        }
        self.arena.note(op, answer, before)?;
        let mismatch = compare::spaces(child, &self.arena, &self.state)?;
        Ok(mismatch.map(|mismatch| mismatch.of(child)))
    }

    /// Takes notice of an exec that has come about by a thread that is stopped before it can say so: it has
    /// the number of its leader. In what it differs when it has not.
    pub(super) fn note_late_exec(
        &mut self,
        op: &Op,
        answer: Answer,
        before: &State,
    ) -> Result<Option<Mismatch>> {
        let leader = before.tasks[&op.by].leader;
        if answer != Answer::Value(0) || leader == op.by {
            return Ok(None);
        }
        let started = Instant::now();
        while self.arena.status(op.by)?.is_some() {
            if started.elapsed() > LIMIT {
                let what = format!("{} has its own number, altpid that of {leader}", op.by);
                return Ok(Some(Mismatch::new(what)));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.arena.note(op, answer, before)?;
        Ok(None)
    }
}
