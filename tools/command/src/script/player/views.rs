// SPDX-License-Identifier: GPL-2.0

//! Things to look at, and what explains a failure.

use super::{
    super::{
        constants::{show_signal, show_signals},
        syntax::{Arg, Call},
        values::{NsRef, Status, join},
        verbs::Op,
    },
    Object, Player, Refusal,
    ask::{ns_state, task_state},
};
use altpid::{Blocker, Ns, NsId, PidfdId, Result, Task, TaskId, TaskState};

impl Player {
    /// What a call is to show.
    pub(super) fn view(&mut self, call: &Call) -> std::result::Result<String, Refusal> {
        let arg = &call.args[0];
        let ns = |player: &Self| match arg {
            Arg::Absent => Ok(None),
            arg => player.ns_of(arg).map(Some),
        };
        Ok(match (call.verb.op, arg) {
            (Op::Show, Arg::Ns(what)) => self.show(what)?,
            (Op::Signals, Arg::Task(name)) => self.show_signals_of(self.task(name))?,
            (Op::Tasks, _) => {
                let tasks = self.world.tasks(ns(self)?)?;
                let lines: Result<Vec<_>> = tasks
                    .iter()
                    .map(|task| Ok(format!("{}: {}", self.called(task.id), self.sketch(task)?)))
                    .collect();
                lines?.join("\n")
            }
            (Op::Namespaces, _) => {
                let namespaces = self.world.namespaces(ns(self)?)?;
                let lines = namespaces
                    .iter()
                    .map(|ns| format!("{}: {}", self.called_ns(ns.id), self.sketch_ns(ns)));
                lines.collect::<Vec<_>>().join("\n")
            }
            (_, arg) => {
                let blockers = self.world.blockers(self.ns_of(arg)?)?;
                let lines: Vec<_> = blockers.iter().map(|one| self.show_blocker(one)).collect();
                match lines.is_empty() {
                    true => "nothing keeps it".to_owned(),
                    false => lines.join("\n"),
                }
            }
        })
    }

    fn show(&mut self, what: &NsRef) -> Result<String> {
        match self.objects.get(&what.name) {
            Some(&Object::Task(task)) if !what.of_children => self.show_task(task),
            _ => {
                let ns = self.world.ns(self.ns(what)?)?;
                Ok(format!(
                    "{}\nkernel.pid_max {}, kernel.ns_last_pid {}, {} bytes for the numbers",
                    self.sketch_ns(&ns),
                    ns.pid_max,
                    ns.last_pid,
                    ns.map_bytes
                ))
            }
        }
    }

    fn show_task(&mut self, id: TaskId) -> Result<String> {
        let task = self.meet(id)?;
        let children = match task.ns_for_children {
            Some(ns) => self.called_ns(ns),
            None => "none".to_owned(),
        };
        Ok(format!(
            "{}\ncomm {}, tgid {}, pgid {}, sid {}, {} threads, exit signal {}\n\
             lives in {}, its children are born in {children}",
            self.sketch(&task)?,
            String::from_utf8_lossy(&task.comm),
            join(&task.tgid, "/"),
            join(&task.pgid, "/"),
            join(&task.sid, "/"),
            task.nr_threads,
            show_signal(task.exit_signal),
            self.called_ns(task.ns),
        ))
    }

    fn show_signals_of(&mut self, task: TaskId) -> Result<String> {
        let signals = self.world.signals(task)?;
        let sets = [
            ("blocked", signals.blocked),
            ("pending", signals.pending),
            ("shared", signals.shared),
            ("ignored", signals.ignored),
            ("handled", signals.handled),
        ];
        let shown = sets.map(|(name, set)| format!("{name} {}", show_signals(set.bits())));
        Ok(format!(
            "{}, received {}",
            shown.join(", "),
            signals.received
        ))
    }

    /// A task in one line.
    fn sketch(&self, task: &Task) -> Result<String> {
        let state = match task.state {
            TaskState::Zombie => format!("zombie, {}", Status::from_word(task.exit_code)),
            state => task_state(state).to_owned(),
        };
        let kind = if task.is_reaper { ", init" } else { "" };
        let of = if task.id != task.leader {
            format!("thread of {}", self.called(task.leader))
        } else {
            match task.parent {
                Some(parent) => format!("child of {}", self.called(parent)),
                None => "without a parent".to_owned(),
            }
        };
        Ok(format!("{}{kind}, {state}, {of}", join(&task.pid, "/")))
    }

    /// A namespace in one line.
    fn sketch_ns(&self, ns: &Ns) -> String {
        let init = match ns.child_reaper {
            Some(reaper) => format!(", init {}", self.called(reaper)),
            None => String::new(),
        };
        let unlisted = if ns.is_active {
            ""
        } else {
            ", not listed by listns(2)"
        };
        format!(
            "level {}, {}{init}, {} numbers in use{unlisted}",
            ns.level,
            ns_state(ns.state),
            ns.nr_pids
        )
    }

    pub(super) fn show_blocker(&self, blocker: &Blocker) -> String {
        match *blocker {
            Blocker::Alive { nr, task } => format!("alive {} ({nr})", self.called(task)),
            Blocker::Zombie {
                nr,
                task,
                waits_for,
            } => {
                let whom = match waits_for {
                    Some(other) => format!("waits for {}", self.called(other)),
                    None => "waits for nobody in this world".to_owned(),
                };
                format!("zombie {} ({nr}), which {whom}", self.called(task))
            }
            Blocker::Number { nr, task } => {
                format!(
                    "number {} (in the group or session {nr})",
                    self.called(task)
                )
            }
            Blocker::ForChildren { task } => format!("for_children {}", self.called(task)),
            Blocker::Namespace { ns } => format!("namespace {}", self.called_ns(ns)),
            Blocker::Pidfd { nr, task, pidfd } => {
                let object = Object::Pidfd(pidfd);
                let named = self.objects.iter().find(|(_, known)| **known == object);
                let name = named.map_or("without a name", |(name, _)| name);
                match task {
                    Some(task) => format!("pidfd {name}, of {} ({nr})", self.called(task)),
                    None => format!("pidfd {name}, of who had {nr} and is reaped"),
                }
            }
        }
    }

    /// What there is to know about some names, a line each, for whom a failure surprises.
    pub fn explain<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for name in names {
            let line = match self.objects.get(name) {
                Some(&Object::Task(task)) => self.explain_task(name, task),
                Some(&Object::Ns(ns)) => self.explain_ns(name, ns),
                Some(&Object::Pidfd(pidfd)) => self.explain_pidfd(name, pidfd),
                None => continue,
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    fn explain_task(&mut self, name: &str, id: TaskId) -> String {
        let Ok(task) = self.meet(id) else {
            let was = self.known.get(&id);
            let was = was.map_or(String::new(), |known| {
                format!(", it was {}", join(&known.pid, "/"))
            });
            return format!("{name} is gone{was}");
        };
        let sketch = self.sketch(&task).unwrap_or_default();
        let elsewhere = match task.ns_for_children {
            Some(ns) if ns != task.ns => {
                format!(", its children are born in {}", self.called_ns(ns))
            }
            _ => String::new(),
        };
        format!("{name} is {sketch}{elsewhere}")
    }

    fn explain_pidfd(&self, name: &str, pidfd: PidfdId) -> String {
        match self.world.pidfd_info(pidfd, None).map(|info| info.ids) {
            Ok(Some(ids)) => format!("{name} is for {}", self.called(ids.task)),
            Ok(None) => format!("{name} is for who is reaped"),
            Err(_) => format!("{name} is closed"),
        }
    }

    fn explain_ns(&mut self, name: &str, id: NsId) -> String {
        match self.world.ns(id) {
            Ok(ns) => format!("{name} is {}", self.sketch_ns(&ns)),
            Err(_) => format!("{name} is gone"),
        }
    }
}
