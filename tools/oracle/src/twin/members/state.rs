// SPDX-License-Identifier: GPL-2.0

//! What there is of members: in the tree, and of signals and stops to the kernel.

use super::{LIMIT, Members, Opened};
use crate::{
    op::{Handle, Name},
    programs::siginfo,
    status::Status,
    twin::{Held, Seen, State, Told},
};
use altpid::{PidfdFlags, PollFlags, Signals, Task, TaskId, TaskState};
use anyhow::{Context, Result};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

impl Members<'_> {
    /// Everything there is when all are at rest, and whether they are.
    pub fn state(&mut self) -> Result<(State, bool)> {
        let started = Instant::now();
        loop {
            let (state, is_settled) = self.state_now()?;
            if is_settled || started.elapsed() > LIMIT {
                return Ok((state, is_settled));
            }
            if started.elapsed() < Duration::from_millis(1) {
                std::thread::yield_now();
            } else {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// Everything there is now, and whether all are at rest, and in the tree what they are to the kernel.
    pub fn state_now(&mut self) -> Result<(State, bool)> {
        let tasks = self.world.tasks(None)?;
        let mut is_settled = true;
        let leaders: HashMap<_, _> = tasks.iter().map(|task| (task.id, task.leader)).collect();
        let mut jobs: HashMap<Name, (bool, bool)> = HashMap::new();
        let mut state = State::default();
        let channel = &self.arena.driver.channel;
        let answered = |name: &Name| channel.has_answered(*name, Duration::ZERO);
        self.in_vfork.retain(|name| !answered(name));
        for mut task in tasks {
            let Some(name) = self.names.get(&task.id).copied() else {
                is_settled &= self.others.contains(&task.id);
                continue;
            };
            let process = |id: &TaskId| leaders.get(id).and_then(|id| self.names.get(id)).copied();
            let status = self.arena.status(name)?;
            let sleeps = status.as_ref().is_some_and(|status| status.state == b'D');
            task.is_in_vfork = sleeps && self.in_vfork.contains(&name);
            let leader = process(&task.id).unwrap_or(name);
            is_settled &= is_at_rest(&task, status.as_ref());
            if let (true, Some(status)) = (is_alive(&task), &status) {
                // The tree has it of the process, when all threads have stopped.
                let is_stopped = status.state == b'T';
                jobs.entry(leader)
                    .or_insert((task.state == TaskState::Stopped, true))
                    .1 &= is_stopped;
                task.state = match is_stopped {
                    true => TaskState::Stopped,
                    false => TaskState::Running,
                };
            }
            let seen = Seen {
                signals: status.and_then(|status| self.signals(name, &task, &status)),
                leader,
                parent: task.parent.as_ref().and_then(process),
                task,
            };
            state.tasks.insert(name, seen);
        }
        is_settled &= jobs.values().all(|(tree, kernel)| tree == kernel);
        let names: Vec<Name> = self.arena.names().collect();
        for name in names {
            is_settled &= state.tasks.contains_key(&name) || self.arena.status(name)?.is_none();
        }
        let mut named: HashMap<_, _> = self.spaces.iter().map(|(name, id)| (*id, *name)).collect();
        for ns in self.world.namespaces(None)? {
            if let Some(name) = named.remove(&ns.id) {
                state.spaces.insert(name, ns);
            }
        }
        for (handle, opened) in &self.handles {
            let held = Held {
                told: self.told(*handle, *opened, &state)?,
                is_nonblock: opened.flags.contains(PidfdFlags::NONBLOCK),
                is_thread: opened.flags.contains(PidfdFlags::THREAD),
            };
            state.handles.insert(*handle, held);
        }
        Ok((state, is_settled))
    }

    /// The signals of who lives, which are the kernel's.
    fn signals(&self, name: Name, task: &Task, status: &Status) -> Option<Signals> {
        let (received, info) = self.arena.driver.channel.received(name);
        is_alive(task).then(|| Signals {
            blocked: status.blocked,
            pending: status.pending,
            shared: status.shared,
            ignored: status.ignored,
            handled: status.handled,
            received,
            last: match received {
                0 => altpid::SigInfo::default(),
                _ => siginfo(&info),
            },
        })
    }

    /// What a pidfd tells. That of a member is on its body, which is gone as soon as it is a zombie: to
    /// the kernel that has been reaped.
    fn told(&self, handle: Handle, opened: Opened, state: &State) -> Result<Told> {
        let whom = state.tasks.get(&opened.whom);
        let whom =
            whom.filter(|seen| opened.flags.contains(PidfdFlags::THREAD) || seen.is_leader());
        if whom.is_some_and(|seen| seen.task.state == TaskState::Zombie) {
            let events = self.arena.poll(handle)?.context("no such pidfd")?;
            return Ok(Told {
                task: Some(opened.whom),
                exit_code: None,
                events: events & !PollFlags::HUP,
            });
        }
        let told = match opened.ended {
            Some(exit_code) => self.arena.poll(handle)?.map(|events| Told {
                task: None,
                exit_code: Some(exit_code),
                events,
            }),
            None => self.arena.told(handle)?,
        };
        told.context("no such pidfd")
    }
}

fn is_alive(task: &Task) -> bool {
    matches!(task.state, TaskState::Running | TaskState::Stopped)
}

/// Whether a task does nothing by itself, and lives in the tree if it does so to the kernel.
fn is_at_rest(task: &Task, status: Option<&Status>) -> bool {
    // An init need not have a body while it waits for its namespace.
    let Some(status) = status else {
        return !is_alive(task);
    };
    match task.state {
        TaskState::Zombie => status.state == b'Z',
        TaskState::Exiting => !status.has_memory && status.is_at_rest(),
        _ if task.is_in_vfork => true,
        _ => status.has_memory && status.is_at_rest(),
    }
}
