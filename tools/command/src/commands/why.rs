// SPDX-License-Identifier: GPL-2.0

//! `altpid why`

use crate::{
    output::{print, print_json},
    place::{self, Sight},
};
use altpid::{
    Blocker, Ns, NsState, TaskId,
    snapshot::{Comm, Numbers},
    view::View,
};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{fmt::Write, process::ExitCode};

/// Say what keeps a namespace from going
///
/// The init of a dying namespace waits until nobody else is left in it, and a dead one stays as long
/// as something refers to it. Each task, number and namespace in the way is named, with what it is
/// waiting for.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  altpid why 3\n  altpid why 1@3\n  altpid why -s snapshot.json 4026532201"
)]
pub struct Args {
    /// The namespace; "altpid ls ns" lists them; or a task in it, as 17@3, 4213/17/1 or task:5
    #[arg(value_name = "NS|TASK")]
    namespace: String,
    /// As JSON
    #[arg(short = 'J', long)]
    json: bool,
    #[command(flatten)]
    sight: Sight,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let (chosen, view) = self.sight.look()?;
        let id = match place::is_task(&self.namespace) {
            true => place::task(&view, &self.namespace)?.ns,
            false => place::namespace(&view, &self.namespace)?,
        };
        let blockers = match &chosen {
            Some(chosen) => chosen.world.blockers(id)?,
            None => view.blockers(id),
        };
        let ns = view.ns(id).context("no such namespace")?;
        if self.json {
            let list: Vec<Value> = blockers
                .iter()
                .map(|blocker| json_of(&view, blocker))
                .collect();
            print_json(&json!({
                "ns": view.name(id), "state": ns.state.to_string(), "blockers": list
            }))?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = headline(&view, ns, blockers.len());
        for blocker in &blockers {
            _ = writeln!(text, "  {}", line(&view, blocker));
        }
        print(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Somebody, by numbers and name.
fn name(view: &View, task: TaskId) -> String {
    match view.task(task) {
        Some(task) => format!("{} ({})", Numbers(&task.pid), Comm::new(&task.comm)),
        None => "somebody who is gone by now".into(),
    }
}

fn headline(view: &View, ns: &Ns, blockers: usize) -> String {
    let id = view.name(ns.id);
    let init = ns.child_reaper.map_or_else(
        || "its init".into(),
        |init| format!("its init {}", name(view, init)),
    );
    let what = match ns.state {
        NsState::AwaitingInit => {
            format!(
                "namespace {id} awaits its init, the next child of whom it is for; it is held by"
            )
        }
        NsState::Active => {
            format!("namespace {id} is active: {init} lives, and would take along")
        }
        NsState::Dying => format!("namespace {id} is dying: {init} has exited, and waits for"),
        NsState::Dead => format!("namespace {id} is dead: nobody can be born there; it is held by"),
    };
    match (blockers, ns.state) {
        (0, NsState::Dying) => format!(
            "namespace {id} is dying: {init} has exited, and waits only for its parent to reap it\n"
        ),
        (0, _) => format!("{what} nothing\n"),
        _ => what + ":\n",
    }
}

/// One thing that keeps it.
fn line(view: &View, blocker: &Blocker) -> String {
    match blocker {
        Blocker::Alive { nr, task } => format!("{nr}: {} is alive", name(view, *task)),
        Blocker::Zombie {
            nr,
            task,
            waits_for,
        } => {
            let who = name(view, *task);
            let same_process = |other: TaskId| {
                let process = |id| view.task(id).map(|task| task.leader);
                process(other).is_some() && process(other) == process(*task)
            };
            match waits_for {
                Some(thread) if same_process(*thread) => {
                    format!(
                        "{nr}: {who} has exited, but its thread {} lives",
                        name(view, *thread)
                    )
                }
                Some(parent) => format!(
                    "{nr}: {who} is a zombie: its parent {} has not waited for it",
                    name(view, *parent)
                ),
                None => format!("{nr}: {who} has exited and is about to go"),
            }
        }
        Blocker::Number { nr, task } => format!(
            "{nr}: the number of a process group or session that {} is in",
            name(view, *task)
        ),
        Blocker::ForChildren { task } => format!(
            "children of {} would be born there (unshare or setns)",
            name(view, *task)
        ),
        Blocker::Namespace { ns } => format!("namespace {} is right below", view.name(*ns)),
        Blocker::Pidfd { nr, task, .. } => {
            let whose = task.map_or("somebody who is reaped".into(), |task| name(view, task));
            format!("{nr}: a pidfd of {whose}")
        }
    }
}

fn json_of(view: &View, blocker: &Blocker) -> Value {
    match blocker {
        Blocker::Alive { nr, task } => json!({ "why": "alive", "nr": nr, "task": task.0 }),
        Blocker::Zombie {
            nr,
            task,
            waits_for,
        } => json!({
            "why": "zombie", "nr": nr, "task": task.0, "waits_for": waits_for.map(|task| task.0)
        }),
        Blocker::Number { nr, task } => json!({ "why": "number", "nr": nr, "task": task.0 }),
        Blocker::ForChildren { task } => json!({ "why": "for_children", "task": task.0 }),
        Blocker::Namespace { ns } => json!({ "why": "namespace", "ns": view.name(*ns) }),
        Blocker::Pidfd { nr, task, pidfd } => json!({
            "why": "pidfd", "nr": nr, "pidfd": pidfd.0, "task": task.map(|task| task.0)
        }),
    }
}
