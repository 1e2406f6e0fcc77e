// SPDX-License-Identifier: GPL-2.0

//! Whether a task is natively what it is in altpid.

use crate::{
    divergence::Mismatch,
    native::Arena,
    op::{Handle, Name},
    programs::{Looked, siginfo},
    status::Status,
    twin::{Seen, State, Told},
};
use altpid::{SigInfo, SigSet, Task, TaskState};
use altpid_command::script::{self, Value};
use anyhow::Result;
use std::collections::HashMap;

/// By how many signals the native count of a task may differ from altpid's. Of those that
/// are sent at the same time to a process that has not taken the first yet, only one arrives, at any of
/// its threads; and none when the process ignores it by the time that it would take it, as one does that
/// has its handlers in common with an init that dies.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    /// Those that altpid has counted and that need not have been natively, by task.
    fewer: HashMap<Name, u32>,
    /// Those that need not have been in altpid, and that any thread can have got natively, by process: of
    /// several children that one operation stops or ends each sends a SIGCHLD.
    more: HashMap<Name, u32>,
}

impl Merged {
    /// Takes notice of what has changed from one state to the next.
    pub fn note(&mut self, before: &State, after: &State) {
        let count = |seen: &Seen| seen.signals.map_or(0, |signals| signals.received);
        let mut news = Vec::new();
        let mut by_process: HashMap<Name, u32> = HashMap::new();
        for (name, seen) in &after.tasks {
            let old = before.tasks.get(name).map_or(0, count);
            let more = count(seen).wrapping_sub(old);
            if seen.signals.is_some() && more > 0 {
                news.push((*name, seen, more));
                *by_process.entry(seen.leader).or_default() += more;
            }
        }
        for (name, seen, more) in news {
            let is_all = by_process.get(&seen.leader) == Some(&more);
            let is_ignored = seen
                .signals
                .is_some_and(|s| s.ignored.contains(s.last.signo));
            let merged = more - u32::from(is_all && !is_ignored);
            if merged > 0 {
                *self.fewer.entry(name).or_default() += merged;
            }
        }
        for (process, count) in by_process {
            let sent = children_that_tell(before, after, process);
            let more = sent.saturating_sub(count);
            if sent > 1 && more > 0 {
                *self.more.entry(process).or_default() += more;
            }
        }
    }

    /// Whether what a task has received natively can be what altpid has counted.
    fn differs(&self, name: Name, count: u32, last: SigInfo, seen: &Seen) -> Option<Mismatch> {
        let signals = seen.signals?;
        let merged = self.fewer.get(&name).copied().unwrap_or(0);
        let more = self.more.get(&seen.leader).copied().unwrap_or(0);
        let expected = signals.received;
        if count > expected + more || count < expected - merged.min(expected) {
            let what = format!("received: {count} signals, altpid {expected}");
            return Some(Mismatch::new(what).with("received", name, count));
        }
        ((merged, more) == (0, 0) && count > 0 && last != signals.last)
            .then(|| Mismatch::of_signal(last, signals.last))
    }
}

/// How many children of a process have stopped, gone on or died between two states: each tells it.
fn children_that_tell(before: &State, after: &State, process: Name) -> u32 {
    let tells = |(name, old): &(&Name, &Seen)| {
        let is_child = old.parent == Some(process) && old.is_leader();
        let state = after.tasks.get(name).map(|new| new.task.state);
        is_child && state != Some(old.task.state)
    };
    before.tasks.iter().filter(tells).count() as u32
}

/// What a task natively is, as a scenario calls it.
fn state_of(status: &Status) -> &'static str {
    match status.state {
        b'Z' => "zombie",
        b'T' => "stopped",
        _ if status.has_memory => "running",
        _ => "exiting",
    }
}

/// That a task is there natively and gone in altpid.
pub fn gone(name: Name, status: &Status) -> Mismatch {
    let what = format!("state: {}, altpid gone", status.state as char);
    Mismatch::new(what).with("state", name, state_of(status))
}

/// The first field in which a task differs; `None` when it is the same. `None` as its status means
/// that it is gone.
pub fn task(
    name: Name,
    seen: &Seen,
    status: Option<&Status>,
    arena: &Arena<'_>,
    state: &State,
    merged: &Merged,
) -> Option<Mismatch> {
    let Some(status) = status else {
        let what = format!("gone, altpid {:?}", seen.task.state);
        return Some(Mismatch::new(what).with("state", name, "gone"));
    };
    let task = &seen.task;
    let numbers = [
        ("NSpid", "pid", &status.pid, &task.pid),
        ("NStgid", "tgid", &status.tgid, &task.tgid),
        ("NSpgid", "pgid", &status.pgid, &task.pgid),
        ("NSsid", "sid", &status.sid, &task.sid),
    ];
    for (field, property, native, altpid) in numbers {
        // Level 0 is the machine's own, with other numbers.
        if native.get(1..) != altpid.get(1..) {
            let mismatch = Mismatch::new(format!("{field}: {native:?}, altpid {altpid:?}"));
            return Some(match native.last() {
                Some(own) if altpid.last() != Some(own) => mismatch.with(property, name, own),
                _ => mismatch,
            });
        }
    }
    let is_state = match task.state {
        TaskState::Running => status.has_memory && matches!(status.state, b'R' | b'S' | b'D'),
        TaskState::Stopped => status.state == b'T',
        TaskState::Zombie => status.state == b'Z',
        TaskState::Exiting => {
            !status.has_memory && matches!(status.state, b'R' | b'S' | b'D' | b'I')
        }
    };
    if !is_state {
        let what = format!("state: {}, altpid {:?}", status.state as char, task.state);
        return Some(Mismatch::new(what).with("state", name, state_of(status)));
    }
    let parent = match arena.name(status.ppid) {
        None if status.ppid != std::process::id() as i32 => {
            let what = format!("parent: stranger {}", status.ppid);
            return Some(Mismatch::new(what));
        }
        parent => parent,
    };
    if parent != seen.parent {
        let what = format!("parent: {parent:?}, altpid {:?}", seen.parent);
        // Whose child the arena's init is.
        let native = parent.map_or("d".to_owned(), |parent| parent.to_string());
        return Some(Mismatch::new(what).with("parent", name, native));
    }
    signals(name, seen, status, arena, state, merged)
}

/// Likewise of what only who lives has.
fn signals(
    name: Name,
    seen: &Seen,
    status: &Status,
    arena: &Arena<'_>,
    state: &State,
    merged: &Merged,
) -> Option<Mismatch> {
    let signals = seen.signals?;
    let threads = state
        .tasks
        .values()
        .filter(|other| other.leader == seen.leader);
    let threads = threads.count() as u32;
    if status.threads != threads {
        let what = format!("threads: {}, altpid {threads}", status.threads);
        return Some(Mismatch::new(what));
    }
    let sets = [
        ("SigPnd", "pending", status.pending, signals.pending),
        ("ShdPnd", "shared", status.shared, signals.shared),
        ("SigBlk", "blocked", status.blocked, signals.blocked),
        ("SigIgn", "ignored", status.ignored, signals.ignored),
        ("SigCgt", "handled", status.handled, signals.handled),
    ];
    let written = |set: SigSet| Value::Signals(set.bits());
    for (field, property, native, altpid) in sets {
        if native != altpid {
            let what = format!("{field}: {native:?}, altpid {altpid:?}");
            return Some(Mismatch::new(what).with(property, name, written(native)));
        }
    }
    let (count, info) = arena.driver.channel.received(name);
    merged.differs(name, count, siginfo(&info), seen)
}

/// The first thing in which what a pidfd tells differs.
pub fn handle(handle: Handle, altpid: Told, native: Option<Told>) -> Option<Mismatch> {
    let Some(native) = native else {
        return Some(Mismatch::new("closed"));
    };
    if native == altpid {
        return None;
    }
    let mismatch = Mismatch::new(format!("pidfd: {native:?}, altpid {altpid:?}"));
    Some(match native.exit_code {
        Some(code) if altpid.exit_code != native.exit_code => {
            mismatch.with("status", handle, script::Status::from_word(code))
        }
        _ => mismatch,
    })
}

/// The first thing in which what a task says of itself differs. `ppid` says whether the number of
/// its parent can be told.
pub fn looked(name: Name, looked: &Looked, state: &State, ppid: bool) -> Option<Mismatch> {
    let seen = state.tasks.get(&name)?;
    let level = seen.level();
    let own = |numbers: &[i32]| i64::from(numbers[level]);
    let tgid: fn(&Task) -> &[i32] = |task| &task.tgid;
    let parent = seen
        .parent
        .and_then(|parent| state.number(name, parent, tgid));
    let parent = i64::from(parent.unwrap_or(0));
    let ns = state.ns(seen.task.ns)?;
    let pid_max = i64::from(ns.pid_max);
    let values = [
        ("getpid", "tgid", looked.pid, own(&seen.task.tgid)),
        ("gettid", "pid", looked.tid, own(&seen.task.pid)),
        ("getpgid", "pgid", looked.pgid, own(&seen.task.pgid)),
        ("getsid", "sid", looked.sid, own(&seen.task.sid)),
        (
            "ns_last_pid",
            "last_pid",
            looked.last_pid,
            ns.last_pid.into(),
        ),
        (
            "pid_max",
            "pid_max",
            looked.pid_max.unwrap_or(pid_max),
            pid_max,
        ),
        (
            "getppid",
            "ppid",
            if ppid { looked.ppid } else { parent },
            parent,
        ),
    ];
    let mut differing = values
        .iter()
        .filter(|(_, _, native, altpid)| native != altpid);
    differing.next().map(|(what, property, native, altpid)| {
        let what = format!("{what}: {native}, altpid {altpid}");
        Mismatch::new(what).with(property, name, native)
    })
}

/// Whether the namespaces of a task, and those of its children, are the same.
pub fn spaces(name: Name, arena: &Arena<'_>, state: &State) -> Result<Option<Mismatch>> {
    let Some(seen) = state.tasks.get(&name) else {
        return Ok(None);
    };
    let native = arena.spaces_of(name)?;
    let for_children = seen.task.ns_for_children.and_then(|id| state.space(id));
    let altpid = (state.space(seen.task.ns), for_children);
    let what = || Mismatch::new(format!("namespaces: {native:?}, altpid {altpid:?}"));
    Ok((native != altpid).then(|| match native {
        (Some(active), _) if altpid.0 != native.0 => what().with("ns", name, active),
        (_, Some(for_children)) => what().with("children", name, for_children),
        _ => what(),
    }))
}
