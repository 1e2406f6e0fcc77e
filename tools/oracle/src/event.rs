// SPDX-License-Identifier: GPL-2.0

//! An operation that was the same on both sides, with what was there before and after it.

use crate::{
    op::{Answer, Call, Name, Num, Op},
    twin::{Seen, State},
};
use altpid::{Disposition, Ns, TaskState};

/// What the rules look at.
pub struct Event<'a> {
    /// The operation.
    pub op: &'a Op,
    /// What both sides have answered.
    pub answer: Answer,
    /// What was there before.
    pub before: &'a State,
    /// What is there now.
    pub after: &'a State,
}

impl<'a> Event<'a> {
    /// The errno, 0 when it was successful.
    pub fn error(&self) -> i32 {
        match self.answer {
            Answer::Error(errno) => errno,
            _ => 0,
        }
    }

    /// Whether it has returned, and not with an error.
    pub fn is_ok(&self) -> bool {
        !matches!(self.answer, Answer::Error(_) | Answer::Nothing)
    }

    /// Who has made the call, as it was before.
    pub fn caller(&self) -> &'a Seen {
        &self.before.tasks[&self.op.by]
    }

    /// The flags and the wanted numbers of a clone.
    pub fn wants(&self) -> Option<(u64, &'a [i32])> {
        match &self.op.call {
            Call::Clone { flags, set_tid, .. } => Some((*flags, set_tid)),
            _ => None,
        }
    }

    /// The child of a successful clone.
    pub fn child(&self) -> Option<&'a Seen> {
        match &self.op.call {
            Call::Clone { child, .. } => self.after.tasks.get(child),
            _ => None,
        }
    }

    /// The namespace that the caller's children were born in before.
    pub fn nursery(&self) -> Option<&'a Ns> {
        let id = self.caller().task.ns_for_children?;
        self.before.ns(id)
    }

    /// Whether the caller's children were born elsewhere.
    pub fn is_away(&self) -> bool {
        let task = &self.caller().task;
        task.ns_for_children != Some(task.ns)
    }

    /// To whom a signal was sent by kill(2), as it was before, and the signal.
    pub fn kill(&self) -> Option<(Name, &'a Seen, i32)> {
        let Call::Kill(num, signal) = self.op.call else {
            return None;
        };
        let nr = self.before.resolve(self.op.by, num)?;
        let mut tasks = self.before.tasks.iter();
        let (name, seen) = tasks.find(|(name, _)| {
            nr > 0 && self.before.resolve(self.op.by, Num::Of(**name)) == Some(nr)
        })?;
        Some((*name, seen, signal))
    }

    /// Whether the caller is outside of the namespace of somebody.
    pub fn is_above(&self, target: &Seen) -> bool {
        target.task.ns != self.caller().task.ns
            && !self.before.is_below(self.caller().task.ns, target.task.ns)
    }

    /// How a task is now; `None` when it is gone.
    pub fn now(&self, name: Name) -> Option<TaskState> {
        self.after.tasks.get(&name).map(|seen| seen.task.state)
    }

    /// Those who were alive and are not any more.
    pub fn died(&self) -> impl Iterator<Item = (Name, &'a Seen)> {
        self.before
            .tasks
            .iter()
            .filter(|(_, seen)| seen.signals.is_some())
            .filter(|(name, _)| {
                !matches!(
                    self.now(**name),
                    Some(TaskState::Running | TaskState::Stopped)
                )
            })
            .map(|(name, seen)| (*name, seen))
    }

    /// Those who have got another parent: as they were before, and as they are now.
    pub fn reparented(&self) -> impl Iterator<Item = (&'a Seen, &'a Seen)> {
        self.before.tasks.iter().filter_map(|(name, old)| {
            let new = self.after.tasks.get(name)?;
            (old.task.parent != new.task.parent).then_some((old, new))
        })
    }

    /// What a process does about a signal.
    pub fn disposition(seen: &Seen, signal: i32) -> Disposition {
        match seen.signals {
            Some(signals) if signals.ignored.contains(signal) => Disposition::Ignore,
            Some(signals) if signals.handled.contains(signal) => Disposition::Handler,
            _ => Disposition::Default,
        }
    }

    /// Whether a task has had one more signal, and which.
    pub fn received(&self, name: Name) -> Option<altpid::SigInfo> {
        let old = self.before.tasks.get(&name)?.signals?;
        let new = self.after.tasks.get(&name)?.signals?;
        (old.received != new.received).then_some(new.last)
    }
}
