// SPDX-License-Identifier: GPL-2.0

//! Whether a task is natively what it is in altpid.

use crate::{
    native::Arena,
    op::Name,
    programs::{Looked, siginfo},
    status::Status,
    twin::{Seen, State},
};
use altpid::{SigInfo, Task, TaskState};
use anyhow::Result;
use std::collections::HashMap;

/// How many signals altpid has counted beyond those that may have become one natively, by task: of
/// those that are sent at the same time to a process that has not taken the first yet, only one
/// arrives, at any of its threads.
#[derive(Clone, Debug, Default)]
pub struct Merged(HashMap<Name, u32>);

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
                news.push((*name, seen.leader, more));
                *by_process.entry(seen.leader).or_default() += more;
            }
        }
        for (name, leader, more) in news {
            let is_all = by_process.get(&leader) == Some(&more);
            let merged = more - u32::from(is_all);
            if merged > 0 {
                *self.0.entry(name).or_default() += merged;
            }
        }
    }

    /// Whether what a task has received natively can be what altpid has counted.
    fn differs(&self, name: Name, count: u32, last: SigInfo, seen: &Seen) -> Option<String> {
        let signals = seen.signals?;
        let merged = self.0.get(&name).copied().unwrap_or(0);
        let expected = signals.received;
        if count > expected || count < expected - merged.min(expected) {
            return Some(format!("received: {count} signals, altpid {expected}"));
        }
        (merged == 0 && count > 0 && last != signals.last)
            .then(|| format!("last signal: {last:?}, altpid {:?}", signals.last))
    }
}

/// The first field in which a task differs, in words; `None` when it is the same. `None` as its
/// status means that it is gone.
pub fn task(
    name: Name,
    seen: &Seen,
    status: Option<&Status>,
    arena: &Arena<'_>,
    state: &State,
    merged: &Merged,
) -> Option<String> {
    let Some(status) = status else {
        return Some(format!("gone, altpid {:?}", seen.task.state));
    };
    let task = &seen.task;
    let numbers = [
        ("NSpid", &status.pid, &task.pid),
        ("NStgid", &status.tgid, &task.tgid),
        ("NSpgid", &status.pgid, &task.pgid),
        ("NSsid", &status.sid, &task.sid),
    ];
    for (field, native, altpid) in numbers {
        // Level 0 is the machine's own, with other numbers.
        if native.get(1..) != altpid.get(1..) {
            return Some(format!("{field}: {native:?}, altpid {altpid:?}"));
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
        let native = status.state as char;
        return Some(format!("state: {native}, altpid {:?}", task.state));
    }
    let parent = match arena.name(status.ppid) {
        None if status.ppid != std::process::id() as i32 => {
            return Some(format!("parent: stranger {}", status.ppid));
        }
        parent => parent,
    };
    if parent != seen.parent {
        return Some(format!("parent: {parent:?}, altpid {:?}", seen.parent));
    }
    let signals = seen.signals?;
    let threads = state
        .tasks
        .values()
        .filter(|other| other.leader == seen.leader);
    let threads = threads.count() as u32;
    if status.threads != threads {
        return Some(format!("threads: {}, altpid {threads}", status.threads));
    }
    let sets = [
        ("SigPnd", status.pending, signals.pending),
        ("ShdPnd", status.shared, signals.shared),
        ("SigBlk", status.blocked, signals.blocked),
        ("SigIgn", status.ignored, signals.ignored),
        ("SigCgt", status.handled, signals.handled),
    ];
    for (field, native, altpid) in sets {
        if native != altpid {
            return Some(format!("{field}: {native:?}, altpid {altpid:?}"));
        }
    }
    let (count, info) = arena.driver.channel.received(name);
    merged.differs(name, count, siginfo(&info), seen)
}

/// The first thing in which what a task says of itself differs. `ppid` says whether the number of
/// its parent can be told.
pub fn looked(name: Name, looked: &Looked, state: &State, ppid: bool) -> Option<String> {
    let seen = state.tasks.get(&name)?;
    let level = seen.level();
    let own = |numbers: &[i32]| i64::from(numbers[level]);
    let tgid: fn(&Task) -> &[i32] = |task| &task.tgid;
    let parent = seen
        .parent
        .and_then(|parent| state.number(name, parent, tgid));
    let ns = state.ns(seen.task.ns)?;
    let values = [
        ("getpid", looked.pid, own(&seen.task.tgid)),
        ("gettid", looked.tid, own(&seen.task.pid)),
        ("getpgid", looked.pgid, own(&seen.task.pgid)),
        ("getsid", looked.sid, own(&seen.task.sid)),
        ("ns_last_pid", looked.last_pid, ns.last_pid.into()),
        (
            "pid_max",
            looked.pid_max.unwrap_or(ns.pid_max.into()),
            ns.pid_max.into(),
        ),
        (
            "getppid",
            if ppid { looked.ppid } else { 0 },
            if ppid { parent.unwrap_or(0).into() } else { 0 },
        ),
    ];
    values
        .iter()
        .find(|(_, native, altpid)| native != altpid)
        .map(|(what, native, altpid)| format!("{what}: {native}, altpid {altpid}"))
}

/// Whether the namespaces of a task, and those of its children, are the same.
pub fn spaces(name: Name, arena: &Arena<'_>, state: &State) -> Result<Option<String>> {
    let Some(seen) = state.tasks.get(&name) else {
        return Ok(None);
    };
    let native = arena.spaces_of(name)?;
    let for_children = seen.task.ns_for_children.and_then(|id| state.space(id));
    let altpid = (state.space(seen.task.ns), for_children);
    Ok((native != altpid).then(|| format!("namespaces: {native:?}, altpid {altpid:?}")))
}
