// SPDX-License-Identifier: GPL-2.0

//! `altpid show`

use crate::{
    output::{print, print_json},
    place::{Sight, is_namespace, namespace, task},
};
use altpid::{
    Ns, SigSet, Signals, Task, TaskId, TaskState, World, names,
    snapshot::{Comm, Numbers},
    view::View,
};
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::{fmt::Write, process::ExitCode};

/// Show everything about one task or one namespace
///
/// A task is 4213 (its number at level 0), 4213/17/1 (its numbers at all levels), 17@3 (its number in
/// namespace 3) or task:5 (its id); a namespace is its inode, as 4026532201, or ns:3.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  altpid show 4213\n  altpid show 1@3\n  altpid show ns:3")]
pub struct Args {
    /// The task, or ns: and the namespace
    #[arg(value_name = "TASK|NS")]
    what: String,
    /// As JSON
    #[arg(short = 'J', long)]
    json: bool,
    #[command(flatten)]
    sight: Sight,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let (chosen, view) = self.sight.look()?;
        let world = chosen.as_ref().map(|chosen| &chosen.world);
        let facts = if is_namespace(&self.what) {
            let ns = namespace(&view, &self.what)?;
            of_ns(&view, view.ns(ns).context("no such namespace")?)
        } else {
            of_task(&view, task(&view, &self.what)?, world)?
        };
        if self.json {
            print_json(&Value::Object(facts))?;
        } else {
            print(lines(&facts).as_bytes())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A line for each fact.
fn lines(facts: &Map<String, Value>) -> String {
    let width = facts.keys().map(String::len).max().unwrap_or(0) + 1;
    let mut text = String::new();
    for (name, value) in facts {
        let value = match value {
            Value::Null => "-".into(),
            Value::String(text) => text.clone(),
            Value::Array(items) if items.is_empty() => "-".into(),
            Value::Array(items) => {
                let words: Vec<_> = items
                    .iter()
                    .map(|item| {
                        item.as_str()
                            .map_or_else(|| item.to_string(), str::to_owned)
                    })
                    .collect();
                let is_vector = items.iter().all(Value::is_number);
                words.join(if is_vector { "/" } else { ", " })
            }
            other => other.to_string(),
        };
        _ = writeln!(text, "{:width$} {value}", format!("{name}:"));
    }
    text
}

fn somebody(view: &View, id: Option<TaskId>) -> Value {
    let task = id.and_then(|id| view.task(id));
    let name = |task: &Task| format!("{} ({})", Numbers(&task.pid), Comm::new(&task.comm));
    json!(task.map(name))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn of_task(view: &View, task: &Task, world: Option<&World>) -> Result<Map<String, Value>> {
    let mut chain: Vec<u64> = view.upwards(task.ns).map(|ns| view.name(ns.id)).collect();
    chain.reverse();
    let chain: Vec<String> = chain.iter().map(u64::to_string).collect();
    let is_zombie = task.state == TaskState::Zombie;
    let mut roles = Vec::new();
    for (is_so, role) in [
        (task.is_reaper, "init of its namespace"),
        (task.is_subreaper, "child subreaper"),
        (task.is_autoreap, "vanishes when it exits"),
        (task.is_in_vfork, "sleeps in vfork"),
        (task.native.is_some(), "real process"),
        (task.pid == task.sid, "session leader"),
        (task.pid == task.pgid, "process group leader"),
        (task.id != task.leader, "thread"),
    ] {
        if is_so {
            roles.push(role);
        }
    }
    let mut facts = object(json!({
        "name": Comm::new(&task.comm).to_string(),
        "state": task.state.to_string(),
        "exit": is_zombie.then(|| names::status(task.exit_code)),
        "pid": task.pid,
        "tgid": task.tgid,
        "pgid": task.pgid,
        "sid": task.sid,
        "in namespaces": chain,
        "children in": task.ns_for_children.map(|ns| view.name(ns)),
        "parent": somebody(view, task.parent),
        "threads": task.nr_threads,
        "native": task.native.map(|(pid, _)| pid),
        "roles": roles,
    }));
    if let Some(world) = world {
        let signals = world.signals(task.id)?;
        let signal = (task.exit_signal > 0).then(|| names::signal(task.exit_signal));
        facts.extend(object(json!({ "id": task.id.0, "exit signal": signal })));
        facts.extend(of_signals(&signals));
    }
    Ok(facts)
}

fn of_signals(signals: &Signals) -> Map<String, Value> {
    let set = |set: SigSet| -> Vec<String> { set.iter().map(names::signal).collect() };
    object(json!({
        "blocked": set(signals.blocked),
        "pending": set(signals.pending),
        "pending for the process": set(signals.shared),
        "ignored": set(signals.ignored),
        "handled": set(signals.handled),
        "handlers called": signals.received,
        "last handled": (signals.received > 0).then(|| names::signal(signals.last.signo)),
    }))
}

fn of_ns(view: &View, ns: &Ns) -> Map<String, Value> {
    let tasks = view.tasks.iter();
    let own = tasks.clone().filter(|task| task.ns == ns.id).count();
    let all = tasks
        .filter(|task| view.is_ancestor_or_self(ns.id, task.ns))
        .count();
    let below: Vec<String> = view
        .namespaces
        .iter()
        .filter(|below| below.parent == Some(ns.id))
        .map(|below| view.name(below.id).to_string())
        .collect();
    let mut facts = object(json!({
        "inode": view.inode(ns.id),
        "state": ns.state.to_string(),
        "level": ns.level,
        "parent": ns.parent.map(|parent| view.name(parent)),
        "init": somebody(view, ns.child_reaper),
        "tasks in it": own,
        "tasks it sees": all,
        "numbers in use": ns.nr_pids,
        "namespaces below": below,
        "listed by listns": ns.is_active,
    }));
    if !view.is_snapshot {
        facts.extend(object(json!({
            "id": ns.id.0,
            "last pid": ns.last_pid,
            "pid_max": ns.pid_max,
            "bytes of its table": ns.map_bytes,
        })));
    }
    facts
}
