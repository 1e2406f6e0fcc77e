// SPDX-License-Identifier: GPL-2.0

//! Whether something is so.

use super::{
    super::{
        constants::{show_signal, show_signals},
        facts::{Fact, FactValue, GONE, NONE, STATES, What},
        tokens::quote,
        values::{NsRef, Status, join},
    },
    Object, Player, is_gone,
};
use altpid::{Blocker, NsId, NsState, PidfdId, Result, Task, TaskId, TaskState};

/// Whether a fact is so, and what is so instead, in the form in which it can be expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it is.
    pub holds: bool,
    /// What is.
    pub got: String,
}

impl Answer {
    /// What is, compared with what should be; both as they are shown.
    fn compare(got: String, value: &FactValue) -> Self {
        Self {
            holds: got == value.to_string(),
            got,
        }
    }
}

/// The word for a task's state.
pub(super) fn task_state(state: TaskState) -> &'static str {
    STATES.0[match state {
        TaskState::Running => 0,
        TaskState::Stopped => 1,
        TaskState::Zombie => 2,
        TaskState::Exiting => 3,
    }]
}

/// The word for a namespace's state.
pub(super) fn ns_state(state: NsState) -> &'static str {
    STATES.1[match state {
        NsState::AwaitingInit => 0,
        NsState::Active => 1,
        NsState::Dying => 2,
        NsState::Dead => 3,
    }]
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

impl Player {
    /// Whether something is so.
    ///
    /// # Errors
    ///
    /// When the module cannot say, as about a task that is gone.
    pub fn ask(&mut self, fact: &Fact) -> Result<Answer> {
        let value = &fact.value;
        let Some(subject) = &fact.subject else {
            let world = self.world.info()?;
            let number = match fact.property.what {
                What::Tasks => world.tasks,
                What::Zombies => world.zombies,
                What::Pidfds => world.pidfds,
                _ => world.namespaces,
            };
            return Ok(Answer::compare(number.to_string(), value));
        };
        if let Some(Object::Pidfd(pidfd)) = self.objects.get(&subject.name) {
            return self.ask_pidfd(*pidfd, value);
        }
        match fact.property.what {
            What::State => self.ask_state(subject, value),
            What::Init
            | What::Above
            | What::Level
            | What::PidMax
            | What::LastPid
            | What::NrPids
            | What::Why => self.ask_ns(fact, self.ns(subject)?),
            What::Blocked
            | What::Pending
            | What::Shared
            | What::Ignored
            | What::Handled
            | What::Received => self.ask_signals(fact, self.task(&subject.name)),
            _ => self.ask_task(fact, self.task(&subject.name)),
        }
    }

    /// What is asked for says whether the task or its namespace is meant.
    fn ask_state(&mut self, subject: &NsRef, value: &FactValue) -> Result<Answer> {
        let is_ns_state = matches!(value, FactValue::State(state) if STATES.1.contains(state));
        let task = match self.objects.get(&subject.name) {
            Some(Object::Task(task)) if !subject.of_children && !is_ns_state => Some(*task),
            _ => None,
        };
        // A task that has exited has no namespace for its children.
        if subject.of_children
            && let Some(&Object::Task(task)) = self.objects.get(&subject.name)
            && (self.world.task(task)).is_ok_and(|task| task.ns_for_children.is_none())
        {
            return Ok(Answer::compare(NONE.to_owned(), value));
        }
        let state = match task {
            Some(task) => self.world.task(task).map(|task| task_state(task.state)),
            None => self
                .ns(subject)
                .and_then(|ns| self.world.ns(ns))
                .map(|ns| ns_state(ns.state)),
        };
        let state = match state {
            Err(error) if is_gone(&error) => GONE,
            state => state?,
        };
        Ok(Answer::compare(state.to_owned(), value))
    }

    /// How the task of a pidfd has ended: as a zombie's status, or what the pidfd has kept.
    fn ask_pidfd(&self, pidfd: PidfdId, value: &FactValue) -> Result<Answer> {
        let info = self.world.pidfd_info(pidfd, None)?;
        let ended = match (info.exit_code, info.ids) {
            (Some(code), _) => Some(code),
            (None, Some(ids)) => {
                let task = self.world.task(ids.task)?;
                (task.state == TaskState::Zombie).then_some(task.exit_code)
            }
            (None, None) => None,
        };
        let got = match ended {
            Some(code) => Status::from_word(code).to_string(),
            None => "none, it is alive".to_owned(),
        };
        Ok(Answer::compare(got, value))
    }

    fn ask_task(&mut self, fact: &Fact, id: TaskId) -> Result<Answer> {
        let task = self.meet(id)?;
        let got = match fact.property.what {
            What::Pid => return self.ask_number(fact, &task, &task.pid),
            What::Tgid => return self.ask_number(fact, &task, &task.tgid),
            What::Pgid => return self.ask_number(fact, &task, &task.pgid),
            What::Sid => return self.ask_number(fact, &task, &task.sid),
            What::Ppid => {
                let ns = fact.view.as_ref().map_or(Ok(task.ns), |ns| self.ns(ns))?;
                let number = match task.parent {
                    Some(parent) => {
                        let leader = self.world.task(parent)?.leader;
                        self.number_in(leader, ns)?
                    }
                    None => 0,
                };
                number.to_string()
            }
            What::Parent => return Ok(self.is_task(task.parent, &fact.value)),
            What::Status => match task.state {
                TaskState::Zombie => Status::from_word(task.exit_code).to_string(),
                state => format!("none, it is {}", task_state(state)),
            },
            What::Ns => return self.is_ns(Some(task.ns), &fact.value),
            What::Children => return self.is_ns(task.ns_for_children, &fact.value),
            What::Threads => task.nr_threads.to_string(),
            What::Comm => quote(&String::from_utf8_lossy(&task.comm)),
            What::ExitSignal => show_signal(task.exit_signal),
            What::Subreaper => yes(task.is_subreaper),
            _ => yes(task.is_autoreap),
        };
        Ok(Answer::compare(got, &fact.value))
    }

    /// A number in some namespace, or the vector.
    fn ask_number(&mut self, fact: &Fact, task: &Task, numbers: &[i32]) -> Result<Answer> {
        let got = match (&fact.value, &fact.view) {
            (FactValue::Vector(_), _) => join(numbers, "/"),
            (_, None) => numbers[numbers.len() - 1].to_string(),
            (_, Some(view)) => {
                let view = self.ns(view)?;
                let (seen, own) = (self.chain(view)?, self.chain(task.ns)?);
                let is_visible = own.starts_with(&seen);
                let number = if is_visible {
                    numbers[seen.len() - 1]
                } else {
                    0
                };
                number.to_string()
            }
        };
        Ok(Answer::compare(got, &fact.value))
    }

    /// Whether a task, or none, is the one that a value names.
    fn is_task(&self, task: Option<TaskId>, value: &FactValue) -> Answer {
        let wanted = match value {
            FactValue::Task(Some(name)) => Some(self.task(name)),
            _ => None,
        };
        Answer {
            holds: task == wanted,
            got: task.map_or("none".to_owned(), |task| self.called(task)),
        }
    }

    fn is_ns(&self, ns: Option<NsId>, value: &FactValue) -> Result<Answer> {
        let wanted = match value {
            FactValue::Ns(Some(ns)) => Some(self.ns(ns)?),
            _ => None,
        };
        Ok(Answer {
            holds: ns == wanted,
            got: ns.map_or("none".to_owned(), |ns| self.called_ns(ns)),
        })
    }

    fn ask_signals(&mut self, fact: &Fact, task: TaskId) -> Result<Answer> {
        let signals = self.world.signals(task)?;
        let set = match fact.property.what {
            What::Blocked => signals.blocked,
            What::Pending => signals.pending,
            What::Shared => signals.shared,
            What::Ignored => signals.ignored,
            What::Handled => signals.handled,
            _ => return Ok(Answer::compare(signals.received.to_string(), &fact.value)),
        };
        Ok(Answer::compare(show_signals(set.bits()), &fact.value))
    }

    fn ask_ns(&mut self, fact: &Fact, id: NsId) -> Result<Answer> {
        let ns = self.world.ns(id)?;
        let number = match fact.property.what {
            What::Init => return Ok(self.is_task(ns.child_reaper, &fact.value)),
            What::Above => return self.is_ns(ns.parent, &fact.value),
            What::Listed => return Ok(Answer::compare(yes(ns.is_active), &fact.value)),
            What::Why => return self.ask_why(id, &fact.value),
            What::Level => i64::from(ns.level),
            What::PidMax => ns.pid_max.into(),
            What::LastPid => ns.last_pid.into(),
            _ => ns.nr_pids.into(),
        };
        Ok(Answer::compare(number.to_string(), &fact.value))
    }

    fn ask_why(&mut self, ns: NsId, value: &FactValue) -> Result<Answer> {
        let blockers = self.world.blockers(ns)?;
        let below = match value {
            FactValue::Below(ns) => Some(self.ns(ns)?),
            _ => None,
        };
        let is_it = |blocker: &Blocker| match (blocker, value) {
            (Blocker::Alive { task, .. }, FactValue::Blocker("alive", name))
            | (Blocker::Zombie { task, .. }, FactValue::Blocker("zombie", name))
            | (Blocker::Number { task, .. }, FactValue::Blocker("number", name))
            | (Blocker::ForChildren { task }, FactValue::Blocker("for_children", name)) => {
                *task == self.task(name)
            }
            (Blocker::Pidfd { pidfd, .. }, FactValue::Blocker("pidfd", name)) => {
                *pidfd == self.pidfd(name)
            }
            (Blocker::Namespace { ns }, FactValue::Below(_)) => Some(*ns) == below,
            _ => false,
        };
        let holds = match value {
            FactValue::Task(None) => blockers.is_empty(),
            _ => blockers.iter().any(is_it),
        };
        let shown: Vec<_> = blockers
            .iter()
            .map(|blocker| self.show_blocker(blocker))
            .collect();
        Ok(Answer {
            holds,
            got: match shown.is_empty() {
                true => "none".to_owned(),
                false => shown.join("; "),
            },
        })
    }
}
