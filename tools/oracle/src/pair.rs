// SPDX-License-Identifier: GPL-2.0

//! One sequence on both sides: performs an operation twice and compares everything.

mod differs;
mod late;

use crate::{
    compare::{self, Merged},
    divergence::{Divergence, Mismatch},
    event::Event,
    native::{Arena, Drivers},
    op::{Answer, Call, Name, Num, Op, Whom},
    programs::Looked,
    status::Status,
    twin::{Members, State, Twin},
};
use altpid::TaskState;
use anyhow::Result;
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// How long what is at rest must differ to be believed that it does.
const REST: Duration = Duration::from_millis(60);
/// How long it may take to come to rest.
const LIMIT: Duration = Duration::from_secs(20);

/// What has become of an operation.
#[derive(Debug)]
pub enum Step {
    /// It makes no sense here, and was left out.
    Skipped,
    /// Both sides have done the same.
    Same(Answer),
    /// They have not.
    Differs(Box<Divergence>),
}

/// altpid's side.
enum Side<'a> {
    /// Virtual tasks: what an operation has made of them is there when it returns.
    Virtual(Twin),
    /// Members, who take their time.
    Members(Box<Members<'a>>),
}

/// Both sides of a sequence.
pub struct Pair<'a> {
    arena: Arena<'a>,
    twin: Side<'a>,
    /// What there was before the last operation that was compared.
    before: State,
    state: State,
    merged: Merged,
    /// How signals had merged before the last operation.
    merged_before: Merged,
    /// A caller was stopped in a call that it begins anew when it goes on (`ERESTARTNOINTR`): on the
    /// other side that has failed, and nothing that comes behind can be compared.
    is_over: bool,
    /// What agents will answer that were stopped before they could; `None` when those of both sides were.
    expected: HashMap<Name, Option<Answer>>,
    /// Processes whose children may natively be in another order.
    unordered: HashSet<Name>,
    /// Numbers of all processes that there were, for a signal can be older than its sender.
    numbers: HashSet<Vec<i32>>,
}

/// Whether what comes behind an operation whose caller is stopped cannot be compared: one that could
/// clone was stopped before it did, or a member has not said yet what has come of its clone or exec.
fn is_over(op: &Op, answer: Option<Answer>) -> bool {
    let is_clone = matches!(op.call, Call::Clone { .. });
    match answer {
        Some(answer) => is_clone && answer == Answer::Error(libc::EBUSY),
        None => is_clone || op.call == Call::Exec || op.makes().is_some(),
    }
}

impl Side<'_> {
    /// Everything there is now.
    fn state(&mut self) -> Result<State> {
        match self {
            Self::Virtual(twin) => twin.state(),
            Self::Members(members) => members.state().map(|(state, _)| state),
        }
    }
}

impl<'a> Pair<'a> {
    /// A new arena and a new world.
    pub fn new(drivers: &'a mut Drivers) -> Result<Self> {
        let mut twin = match &mut drivers.members {
            None => Side::Virtual(Twin::new()?),
            Some(driver) => Side::Members(Box::new(Members::new(driver)?)),
        };
        let state = twin.state()?;
        let mut pair = Self {
            arena: Arena::new(&mut drivers.native)?,
            twin,
            before: State::default(),
            state,
            merged_before: Merged::default(),
            merged: Merged::default(),
            is_over: false,
            expected: HashMap::new(),
            unordered: HashSet::new(),
            numbers: HashSet::new(),
        };
        if let Some(mismatch) = pair.settle(&State::default())? {
            anyhow::bail!("a new arena is not like a new world: {}", mismatch.what);
        }
        Ok(pair)
    }

    /// Whether nothing more can be compared.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// What there is now.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// An operation that was the same, with what was there before and after it.
    pub fn event<'b>(&'b self, op: &'b Op, answer: Answer) -> Event<'b> {
        Event {
            op,
            answer,
            before: &self.before,
            after: &self.state,
        }
    }

    /// Performs an operation on both sides.
    pub fn step(&mut self, op: &Op) -> Result<Step> {
        // The pidfd that somebody uses who was stopped in the middle of it is not closed by that.
        let is_used = op.is_outside() && !self.expected.is_empty();
        let can = match &self.twin {
            Side::Virtual(_) => true,
            Side::Members(members) => members.can(op, &self.state),
        };
        if is_used || !self.state.is_possible(op) || !can {
            return Ok(Step::Skipped);
        }
        if op.is_outside() {
            return self.step_outside(op);
        }
        let native_first = self.is_unordered(op);
        let mut native = None;
        if native_first {
            self.arena.ask(op, &self.state)?;
            native = self.await_answer(op)?;
        }
        let op_of_twin = match native {
            Some((answer, _)) => chosen(op, answer),
            None => op.clone(),
        };
        let answer = match &mut self.twin {
            Side::Virtual(twin) => Some(twin.perform(&op_of_twin, &self.state)),
            Side::Members(members) => members.perform(&op_of_twin, &self.state)?,
        };
        let before = self.advance()?;
        if !native_first {
            self.arena.ask(op, &before)?;
        }
        let caller = self.state.tasks.get(&op.by).map(|seen| &seen.task);
        let is_in_vfork = caller.is_some_and(|caller| caller.is_in_vfork);
        let expected = match (caller.map(|caller| caller.state), answer) {
            (Some(TaskState::Running), Some(answer)) if !is_in_vfork => answer,
            (Some(TaskState::Running), None) => {
                let what = format!("no answer from {} in altpid", op.by);
                return self.differs_by(op, &before, Mismatch::new(what), None);
            }
            (Some(TaskState::Stopped), answer) if is_over(op, answer) => {
                self.is_over = true;
                Answer::Nothing
            }
            (Some(TaskState::Running | TaskState::Stopped), answer) => {
                self.expected.insert(op.by, answer);
                Answer::Nothing
            }
            _ => Answer::Nothing,
        };
        if let (true, Some(answer)) = (is_in_vfork, answer) {
            if let Some(mismatch) = self.note_vfork(op, answer, &before)? {
                return self.differs_by(op, &before, mismatch, None);
            }
        } else if let (Call::Exec, true, Some(answer)) =
            (&op.call, self.expected.contains_key(&op.by), answer)
        {
            if let Some(mismatch) = self.note_late_exec(op, answer, &before)? {
                return self.differs_by(op, &before, mismatch, None);
            }
        } else if expected != Answer::Nothing {
            if native.is_none() {
                native = self.await_answer(op)?;
            }
            let Some((got, looked)) = native else {
                let what = format!("no answer from {}, altpid {expected:?}", op.by);
                return self.differs_by(op, &before, Mismatch::new(what), None);
            };
            if got != expected {
                return self.differs_in_answer(op, &before, got, expected);
            }
            self.arena.note(op, got, &before)?;
            if let Some(mismatch) = self.differs_at_once(op, &before, &looked)? {
                return self.differs_by(op, &before, mismatch, Some(got));
            }
        }
        self.conclude(op, before, expected)
    }

    /// What the driver does, on both sides.
    fn step_outside(&mut self, op: &Op) -> Result<Step> {
        let expected = match &mut self.twin {
            Side::Virtual(twin) => twin.perform(op, &self.state),
            Side::Members(members) => {
                let answer = members.perform(op, &self.state)?;
                answer.unwrap_or(Answer::Nothing)
            }
        };
        let before = self.advance()?;
        let got = self.arena.do_outside(op)?;
        if got != expected {
            return self.differs_in_answer(op, &before, got, expected);
        }
        self.conclude(op, before, expected)
    }

    /// Sees what altpid has made of an operation; returns what was there before.
    fn advance(&mut self) -> Result<State> {
        let after = self.twin.state()?;
        self.merged_before = self.merged.clone();
        self.merged.note(&self.state, &after);
        self.note_order(&after);
        self.note_numbers(&after);
        Ok(std::mem::replace(&mut self.state, after))
    }

    fn note_numbers(&mut self, after: &State) {
        for seen in after.tasks.values() {
            if !self.numbers.contains(&seen.task.tgid) {
                self.numbers.insert(seen.task.tgid.clone());
            }
        }
    }

    /// Sees again what members have made of an operation since that was looked at last; whether all are at
    /// rest.
    fn refresh(&mut self, before: &State) -> Result<bool> {
        let Side::Members(members) = &mut self.twin else {
            return Ok(true);
        };
        let (after, is_settled) = members.state_now()?;
        self.merged = self.merged_before.clone();
        self.merged.note(before, &after);
        self.note_order(&after);
        self.note_numbers(&after);
        self.state = after;
        Ok(is_settled)
    }

    /// Compares all that there is after an operation with the same answer.
    fn conclude(&mut self, op: &Op, before: State, answer: Answer) -> Result<Step> {
        if let Some(mismatch) = self.settle(&before)? {
            return self.differs_by(op, &before, mismatch, Some(answer));
        }
        self.arena.forget(&self.state);
        if let Side::Members(members) = &mut self.twin {
            members.forget(&self.state);
        }
        self.before = before;
        Ok(Step::Same(answer))
    }

    /// Waits for an answer as long as one can come.
    fn await_answer(&mut self, op: &Op) -> Result<Option<(Answer, Looked)>> {
        let name = op.by;
        let started = Instant::now();
        let mut rest = None;
        while !self.arena.has_answered(name, Duration::from_millis(5)) {
            let status = self.arena.status(name)?;
            // A thread that calls exec takes the number of the leader, and has lost its own.
            let waits = status.map_or(op.call == Call::Exec, |status| !status.is_at_rest());
            let since = *rest.get_or_insert_with(Instant::now);
            if waits {
                rest = None;
            } else if since.elapsed() > REST {
                return Ok(None);
            }
            if started.elapsed() > LIMIT {
                return Ok(None);
            }
        }
        Ok(self.arena.take_answer(name))
    }

    /// Compares all tasks and pidfds until they are the same; what is not, when that will not be.
    fn settle(&mut self, before: &State) -> Result<Option<Mismatch>> {
        let mut names = self.names();
        let started = Instant::now();
        let mut rest: Option<Instant> = None;
        loop {
            let mut at_rest = true;
            let mut left = Vec::new();
            let mut first = None;
            for name in names {
                let status = self.arena.status(name)?;
                at_rest &= status.as_ref().is_none_or(|s| self.is_at_rest(name, s));
                if let Some(mismatch) = self.differs(name, status.as_ref())? {
                    first.get_or_insert(mismatch.of(name));
                    left.push(name);
                }
            }
            for (handle, held) in &self.state.handles {
                let told = self.arena.told(*handle)?;
                if let Some(mismatch) = compare::handle(*handle, held.told, told) {
                    first.get_or_insert(mismatch.of(handle));
                }
            }
            let Some(mut first) = first else {
                return Ok(None);
            };
            names = left;
            if let Side::Members(_) = self.twin {
                at_rest &= self.refresh(before)?;
                names = self.names();
            }
            let since = *rest.get_or_insert_with(Instant::now);
            if !at_rest {
                rest = None;
            } else if since.elapsed() > REST {
                return Ok(Some(first));
            }
            if started.elapsed() > LIMIT {
                first.what += " (and no rest)";
                return Ok(Some(first));
            }
            if started.elapsed() < Duration::from_millis(1) {
                std::thread::yield_now();
            } else {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// Who is there on either side.
    fn names(&self) -> Vec<Name> {
        let is_gone = |name: &Name| !self.state.tasks.contains_key(name);
        let gone = self.arena.names().filter(is_gone);
        self.state.tasks.keys().copied().chain(gone).collect()
    }

    /// Whether a task does nothing by itself. One that owes an answer may be in vfork, which `/proc`
    /// does not tell from other sleeps that cannot be interrupted.
    fn is_at_rest(&self, name: Name, status: &Status) -> bool {
        status.is_at_rest() || status.state == b'D' && self.expected.contains_key(&name)
    }

    /// Whether a wait can natively find another child first: one of several that came to the caller
    /// from different parents at the same time.
    fn is_unordered(&self, op: &Op) -> bool {
        let several = match op.call {
            Call::Wait4(Num::Is(pid), _) => pid <= 0,
            Call::Wait4(Num::Minus(_), _) => true,
            Call::WaitId(Whom::All | Whom::Pgid(_), _) => true,
            _ => false,
        };
        let leader = self.state.tasks.get(&op.by).map(|seen| seen.leader);
        several && leader.is_some_and(|leader| self.unordered.contains(&leader))
    }

    fn note_order(&mut self, after: &State) {
        let mut heirs = HashMap::new();
        for (name, seen) in &after.tasks {
            let Some(before) = self.state.tasks.get(name) else {
                continue;
            };
            if let Some(parent) = seen.parent
                && before.task.parent != seen.task.parent
                && *heirs.entry(parent).or_insert(before.task.parent) != before.task.parent
            {
                self.unordered.insert(parent);
            }
            // Another thread leads the process since an exec.
            if self.unordered.contains(&before.leader) {
                self.unordered.insert(seen.leader);
            }
        }
    }

    /// Ends the arena and the world, and compares how.
    pub fn end(mut self) -> Result<Option<String>> {
        let altpid = match &mut self.twin {
            Side::Virtual(twin) => twin.end()?,
            Side::Members(members) => members.end()?,
        };
        let native = self.arena.end()?;
        // Init never ends when it is in the process group of somebody else of its namespace: it waits
        // for a number that it uses itself. That neither of the two ends is the same as well.
        Ok((altpid != native).then(|| format!("the end: {native:x?}, altpid {altpid:x?}")))
    }
}

/// The operation that waits for exactly the child that was found.
fn chosen(op: &Op, answer: Answer) -> Op {
    let call = match (&op.call, answer) {
        (Call::Wait4(_, options), Answer::Waited(pid @ 1.., _)) => {
            Call::Wait4(Num::Is(pid), *options)
        }
        (Call::WaitId(_, options), Answer::Told(pid @ 1.., ..)) => {
            Call::WaitId(Whom::Pid(Num::Is(pid)), *options)
        }
        (call, _) => call.clone(),
    };
    Op { by: op.by, call }
}
