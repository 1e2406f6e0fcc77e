// SPDX-License-Identifier: GPL-2.0

//! The tree for Graphviz: a cluster for each namespace, a node for each process, an edge from each
//! parent to its children.

use altpid::{
    NsId, Task, TaskState,
    snapshot::{Comm, Numbers},
    view::View,
};
use std::{
    collections::HashMap,
    io::{self, Write},
};

/// What the levels look like, over and over.
const COLORS: [(&str, &str); 6] = [
    ("#f6f8fa", "#aab6c2"),
    ("#e7f0fb", "#6f9fd8"),
    ("#e6f5ec", "#66b08a"),
    ("#fdf2dd", "#d9a648"),
    ("#f3ebfb", "#a988d3"),
    ("#fceaea", "#d98484"),
];

/// A string of the language.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn node(out: &mut impl Write, task: &Task) -> io::Result<()> {
    let numbers = Numbers(&task.pid);
    let comm = Comm::new(&task.comm).to_string();
    let mut label = quote(&format!("{numbers}\n{comm}")).replace('\n', "\\n");
    if task.nr_threads > 1 {
        label.pop();
        label += &format!("\\n{} threads\"", task.nr_threads);
    }
    let look = match task.state {
        TaskState::Zombie => ", style=\"rounded,dashed\", fontcolor=\"#8a949e\"",
        _ if task.is_reaper => ", penwidth=2",
        _ => "",
    };
    writeln!(out, "t{} [label={label}{look}];", task.id.0)
}

/// Writes the tree in the language of Graphviz, to be drawn by dot(1).
///
/// # Errors
///
/// When `out` cannot be written.
pub fn dot(out: &mut impl Write, view: &View) -> io::Result<()> {
    let processes = || view.tasks.iter().filter(|task| task.id == task.leader);
    let mut members: HashMap<NsId, Vec<&Task>> = HashMap::new();
    for task in processes() {
        members.entry(task.ns).or_default().push(task);
    }
    let mut inside: HashMap<Option<NsId>, Vec<NsId>> = HashMap::new();
    for ns in &view.namespaces {
        inside.entry(ns.parent).or_default().push(ns.id);
    }
    writeln!(out, "digraph altpid {{")?;
    writeln!(
        out,
        "rankdir=LR;\nfontname=\"DejaVu Sans Mono\";\nfontsize=11;"
    )?;
    writeln!(
        out,
        "node [shape=box, style=\"rounded,filled\", fillcolor=white, color=\"#8796a5\", \
         fontname=\"DejaVu Sans Mono\", fontsize=10];\nedge [color=\"#8796a5\", arrowsize=0.6];"
    )?;
    // What is still to be written, the next last; a namespace twice, the second time its end.
    let mut stack: Vec<(NsId, bool)> = Vec::new();
    let push = |stack: &mut Vec<(NsId, bool)>, parent| {
        let below = inside.get(&parent).map_or(&[][..], Vec::as_slice);
        stack.extend(below.iter().rev().map(|&ns| (ns, false)));
    };
    push(&mut stack, None);
    while let Some((id, is_end)) = stack.pop() {
        if is_end {
            writeln!(out, "}}")?;
            continue;
        }
        let level = view.ns(id).map_or(0, |ns| ns.level) as usize;
        let (area, edge) = COLORS[level % COLORS.len()];
        writeln!(
            out,
            "subgraph cluster_{} {{\nlabel=\"namespace {}\"; labeljust=l; style=\"rounded,filled\"; \
             fillcolor=\"{area}\"; color=\"{edge}\";",
            id.0,
            view.name(id)
        )?;
        for task in members.get(&id).into_iter().flatten() {
            node(out, task)?;
        }
        stack.push((id, true));
        push(&mut stack, Some(id));
    }
    for task in processes() {
        let parent = task.parent.and_then(|parent| view.task(parent));
        if let Some(parent) = parent {
            writeln!(out, "t{} -> t{};", parent.leader.0, task.id.0)?;
        }
    }
    writeln!(out, "}}")?;
    out.flush()
}
