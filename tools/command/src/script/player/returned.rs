// SPDX-License-Identifier: GPL-2.0

//! What came of a call.

use super::{
    super::{
        constants::{POLL, is_of_child, show_errno, show_si_code, show_signal, show_signals},
        happening::{Happening, More, show_happenings},
        syntax::{Expected, Value, show_action, show_translated},
        tokens::quote,
        values::{Status, join},
    },
    Player,
};
use altpid::{Action, Error, Event, EventKind, PollFlags, SigInfo, SigSet, TaskId};

/// What a call has returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returned {
    /// A number.
    Number(i64),
    /// A child, its number as the caller sees it, and those at all levels.
    Child(TaskId, i32, Vec<i32>),
    /// A task.
    Task(TaskId),
    /// A child, its number as the waiter sees it, and what has happened to it.
    Report(TaskId, i32, Status),
    /// A signal.
    Signal(SigInfo),
    /// A set of signals.
    Signals(SigSet),
    /// Events of poll.
    Events(PollFlags),
    /// What is done about a signal.
    Action(Action),
    /// A name.
    Text(String),
    /// Numbers.
    Numbers(Vec<i32>),
    /// What has happened.
    Happened(Vec<Event>),
    /// Something to look at.
    View(String),
}

/// Why a call did not do what it was to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The module says so.
    Error(Error),
    /// It would sleep.
    Sleeps,
    /// So many invariants of the world are broken; the first in words.
    Broken(u32, String),
    /// The caller has no number for this task.
    Unseen(String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Refusal {
    /// In the form in which it can be expected, with the reason.
    pub fn show(&self) -> String {
        match self {
            Self::Error(error) => {
                let errno = show_errno(error.errno.raw_os_error());
                match (error.reason.name(), error.reason.text()) {
                    (Some(name), Some(text)) => format!("{errno} {name} ({text})"),
                    _ => format!("{errno} ({})", error.errno),
                }
            }
            Self::Sleeps => "sleeps".to_owned(),
            Self::Broken(count, what) => format!("{count} broken invariants, the first: {what}"),
            Self::Unseen(name) => format!("{name} has no number in the caller's namespace"),
        }
    }
}

impl Player {
    /// In the form in which it can be expected.
    pub fn show_returned(&self, returned: &Returned) -> String {
        match returned {
            Returned::Number(number) => number.to_string(),
            Returned::Child(_, pid, numbers) if numbers.len() > 1 => {
                format!("{pid} ({})", join(numbers, "/"))
            }
            Returned::Child(_, pid, _) => pid.to_string(),
            Returned::Task(task) => self.called(*task),
            Returned::Report(task, pid, status) => {
                format!("{} {status} pid={pid}", self.called(*task))
            }
            Returned::Signal(info) => {
                let mut shown = format!(
                    "{} code={} pid={}",
                    show_signal(info.signo),
                    show_si_code(info.code),
                    info.pid
                );
                if is_of_child(info.code) {
                    shown.push_str(&format!(" status={}", info.status));
                }
                if info.value != 0 {
                    shown.push_str(&format!(" value={}", info.value as i64));
                }
                shown
            }
            Returned::Signals(set) => show_signals(set.bits()),
            Returned::Events(events) => POLL.show(events.bits().into()),
            Returned::Action(action) => {
                let mask = Some(action.mask.bits()).filter(|&mask| mask != 0);
                show_action(action.disposition, action.flags.bits().into(), mask)
            }
            Returned::Text(text) => quote(text),
            Returned::Numbers(numbers) => show_translated(numbers),
            Returned::Happened(events) => {
                let all: Vec<_> = events.iter().map(|event| self.happening(event)).collect();
                show_happenings(&all)
            }
            Returned::View(text) => text.clone(),
        }
    }

    /// Whether what came of a call is what was expected.
    pub fn is_expected(
        &self,
        outcome: &std::result::Result<Returned, Refusal>,
        expected: &Expected,
    ) -> bool {
        match (outcome, expected) {
            (Err(Refusal::Error(error)), Expected::Error { errno, reason }) => {
                error.errno.raw_os_error() == *errno
                    && reason.is_none_or(|reason| reason == error.reason)
            }
            (Err(Refusal::Sleeps), Expected::Sleeps) => true,
            (Ok(returned), Expected::Value(value)) => self.is_value(returned, value),
            _ => false,
        }
    }

    fn is_value(&self, returned: &Returned, value: &Value) -> bool {
        match (returned, value) {
            (Returned::Number(number), Value::Number(wanted)) => number == wanted,
            (Returned::Child(_, pid, _), Value::Number(wanted)) => i64::from(*pid) == *wanted,
            (Returned::Child(_, _, numbers), Value::Vector(wanted)) => numbers == wanted,
            (Returned::Task(task), Value::Task(name)) => *task == self.task(name),
            (Returned::Report(task, number, what), Value::Report { who, status, pid }) => {
                *task == self.task(who)
                    && status.is_none_or(|status| status == *what)
                    && pid.is_none_or(|pid| pid == *number)
            }
            (
                Returned::Signal(info),
                Value::Signal {
                    signal,
                    code,
                    pid,
                    status,
                    value,
                },
            ) => {
                info.signo == *signal
                    && code.is_none_or(|code| code == info.code)
                    && pid.is_none_or(|pid| pid == info.pid)
                    && status.is_none_or(|status| status == info.status)
                    && value.is_none_or(|value| value == info.value as i64)
            }
            (Returned::Signals(set), Value::Signals(wanted)) => set.bits() == *wanted,
            (Returned::Events(events), Value::Events(wanted)) => {
                u64::from(events.bits()) == *wanted
            }
            (
                Returned::Action(action),
                Value::Action {
                    disposition,
                    flags,
                    mask,
                },
            ) => {
                action.disposition == *disposition
                    && u64::from(action.flags.bits()) == *flags
                    && mask.is_none_or(|mask| mask == action.mask.bits())
            }
            (Returned::Text(text), Value::Text(wanted)) => text == wanted,
            (Returned::Text(text), Value::Number(wanted)) => *text == wanted.to_string(),
            (Returned::Numbers(numbers), Value::Numbers(wanted)) => numbers == wanted,
            (Returned::Happened(events), Value::Happenings(wanted)) => {
                events.len() == wanted.len()
                    && events
                        .iter()
                        .zip(wanted)
                        .all(|(event, wanted)| self.is_happening(event, wanted))
            }
            _ => false,
        }
    }

    /// An event with the names of who is in it.
    fn happening(&self, event: &Event) -> Happening {
        let name = |task: Option<TaskId>| task.map(|task| self.called(task));
        let more = match event.kind {
            EventKind::Clone(parent) => Some(More::By(name(parent))),
            EventKind::Reparent(parent) => Some(More::To(name(parent))),
            EventKind::Exit(word) | EventKind::Reap(word) => {
                Some(More::Status(Status::from_word(word)))
            }
            EventKind::Stop(signal) => Some(More::Signal(signal)),
            EventKind::Lost(count) => Some(More::Count(count)),
            _ => None,
        };
        Happening {
            kind: event.kind.name(),
            who: name(event.task),
            more,
        }
    }

    /// Whether an event is what was wanted; what else there is to say counts only if it was said.
    fn is_happening(&self, event: &Event, wanted: &Happening) -> bool {
        // The names that are given now: one can have been another's.
        let name = |name: &String| self.called(self.task(name));
        let more = wanted.more.as_ref().map(|more| match more {
            More::By(parent) => More::By(parent.as_ref().map(name)),
            More::To(parent) => More::To(parent.as_ref().map(name)),
            other => other.clone(),
        });
        let found = self.happening(event);
        found.kind == wanted.kind
            && event.task == wanted.who.as_ref().map(|who| self.task(who))
            && more.is_none_or(|more| found.more == Some(more))
    }
}
