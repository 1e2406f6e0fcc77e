// SPDX-License-Identifier: GPL-2.0

//! What of the two sides is not the same, and why.

use super::{Pair, Side, Step};
use crate::{
    compare, differences,
    divergence::{Divergence, Mismatch},
    op::{Answer, Call, Name, Op},
    programs::Looked,
    status::Status,
    twin::State,
};
use anyhow::Result;
use std::time::Duration;

impl Pair<'_> {
    pub(super) fn differs_in_answer(
        &self,
        op: &Op,
        before: &State,
        native: Answer,
        altpid: Answer,
    ) -> Result<Step> {
        let mismatch = Mismatch::of_answer(native, altpid);
        self.differs_by(op, before, mismatch, Some(native))
    }

    pub(super) fn differs_by(
        &self,
        op: &Op,
        before: &State,
        mismatch: Mismatch,
        native: Option<Answer>,
    ) -> Result<Step> {
        let is_untranslated = mismatch.signals.is_some_and(|(native, altpid)| {
            let mut numbers = self.numbers.iter().filter_map(|tgid| tgid.split_last());
            numbers.any(|(own, above)| *own == native.pid && above.contains(&altpid.pid))
        });
        let mut divergence =
            Divergence::new(mismatch, op, native, &self.arena, before, &self.state)?;
        divergence.is_untranslated = is_untranslated;
        let kernel = self.arena.driver.kernel;
        let with_members = matches!(self.twin, Side::Members(_));
        differences::classify(&mut divergence, kernel, with_members, op, before);
        Ok(Step::Differs(Box::new(divergence)))
    }

    /// What the caller says of itself, and the namespaces of who may have got others.
    pub(super) fn differs_at_once(
        &mut self,
        op: &Op,
        before: &State,
        looked: &Looked,
    ) -> Result<Option<Mismatch>> {
        if let Side::Members(members) = &mut self.twin
            && let Some(mut looked) = members.take_looked()
            && let Some(ns) = self.state.tasks.get(&op.by).map(|seen| seen.task.ns)
        {
            // What it has asked for those are the kernel's.
            looked.last_pid = self.state.ns(ns).map_or(0, |ns| ns.last_pid.into());
            looked.pid_max = None;
            if let Some(mismatch) = compare::looked(op.by, &looked, &self.state, false) {
                return Ok(Some(mismatch.of("what the member sees").of(op.by)));
            }
        }
        let parent = |state: &State| state.tasks.get(&op.by).map(|seen| seen.parent);
        let same_parent = parent(before) == parent(&self.state);
        if let Some(mismatch) = compare::looked(op.by, looked, &self.state, same_parent) {
            return Ok(Some(mismatch.of(op.by)));
        }
        let name = match op.call {
            Call::Clone { child, .. } => child,
            Call::Unshare(_)
            | Call::Setns(_)
            | Call::SetnsOf(_)
            | Call::SetnsBy(_)
            | Call::Exec => op.by,
            _ => return Ok(None),
        };
        let mismatch = compare::spaces(name, &self.arena, &self.state)?;
        Ok(mismatch.map(|mismatch| mismatch.of(name)))
    }

    /// In what a task differs now, an answer that it owes included.
    pub(super) fn differs(
        &mut self,
        name: Name,
        status: Option<&Status>,
    ) -> Result<Option<Mismatch>> {
        let Some(seen) = self.state.tasks.get(&name) else {
            self.expected.remove(&name);
            return Ok(status.map(|status| compare::gone(name, status)));
        };
        let mismatch = compare::task(name, seen, status, &self.arena, &self.state, &self.merged);
        if mismatch.is_some() {
            return Ok(mismatch);
        }
        if seen.task.is_in_vfork && self.arena.has_answered(name, Duration::ZERO) {
            return Ok(Some(Mismatch::new("awake, altpid sleeps in vfork")));
        }
        if !seen.is_running() {
            return Ok(None);
        }
        // A caller that was stopped in the middle of its call, or slept in vfork, answers when it goes on.
        let Some(expected) = self.expected.get(&name).copied() else {
            return Ok(None);
        };
        if !self.arena.has_answered(name, Duration::ZERO) {
            let what = format!("no answer, altpid {expected:?}");
            return Ok(Some(Mismatch::new(what)));
        }
        let expected = match (expected, &mut self.twin) {
            (Some(expected), _) => Some(expected),
            (None, Side::Members(members)) => members.take_late(name),
            (None, Side::Virtual(_)) => None,
        };
        let Some(expected) = expected else {
            return Ok(Some(Mismatch::new("answers, and not yet in altpid")));
        };
        self.expected.remove(&name);
        let got = self.arena.take_answer(name).map(|(answer, _)| answer);
        let differs = got != Some(expected);
        Ok(differs.then(|| Mismatch::new(format!("late {got:?}, altpid {expected:?}"))))
    }
}
