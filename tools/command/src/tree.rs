// SPDX-License-Identifier: GPL-2.0

//! Drawing a tree of processes with its namespaces: in the manner of pstree(1), for Graphviz, and as
//! nested boxes.

mod boxes;
mod dot;
mod svg;

pub use dot::dot;
pub use svg::svg;

use altpid::{
    Task, TaskId, TaskState,
    snapshot::{Comm, Numbers},
    view::View,
};
use std::{
    collections::HashMap,
    io::{self, Write},
};

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colours, as a terminal understands them.
    pub color: bool,
    /// With characters of ASCII only, but for names that have others.
    pub ascii: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Threads, as a process shows them.
fn threads(task: &Task, style: Style, threads: &HashMap<TaskId, Vec<&Task>>) -> String {
    let names: Vec<_> = threads
        .get(&task.id)
        .into_iter()
        .flatten()
        .map(|thread| format!("{{{} {}}}", Numbers(&thread.pid), Comm::new(&thread.comm)))
        .collect();
    match names.len() {
        0 => String::new(),
        1..=3 => format!("  {}", names.join(" ")),
        more if style.ascii => format!("  {} ... {more} threads", names[0]),
        more => format!("  {} … {more} threads", names[0]),
    }
}

fn describe(view: &View, task: &Task, style: Style) -> String {
    let numbers = style.paint("33", &Numbers(&task.pid).to_string());
    let comm = Comm::new(&task.comm).to_string();
    let comm = match task.state {
        TaskState::Zombie => style.paint("31", &format!("{comm} <defunct>")),
        TaskState::Exiting => style.paint("31", &format!("{comm} <exiting>")),
        _ => comm,
    };
    let init = if task.pid.len() > 1 && task.pid.ends_with(&[1]) {
        format!(
            "  {}",
            style.paint("36", &format!("[pid namespace {}]", view.name(task.ns)))
        )
    } else {
        String::new()
    };
    format!("{numbers} {comm}{init}")
}

/// How deep the drawing is indented. What is deeper stands below each other, with its depth.
const DEEPEST: usize = 48;

/// One line of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose line it is: a position in the list that the tree is made of.
    pub at: usize,
    /// What goes before it.
    pub prefix: String,
    /// How many are above it.
    pub depth: usize,
}

/// The lines of a tree, each below its parent, of a list that says who is whose parent. Who is its
/// own ancestor is left out. With `ascii` they are drawn with characters that every terminal has.
pub fn lines(parents: &[Option<usize>], ascii: bool) -> Vec<Line> {
    let (more, last, pass, dots) = match ascii {
        true => ("|- ", "`- ", "|  ", "..."),
        false => ("├─ ", "└─ ", "│  ", "…"),
    };
    let mut children: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    for (at, parent) in parents.iter().enumerate() {
        children.entry(*parent).or_default().push(at);
    }
    let below = |parent| children.get(&parent).map_or(&[][..], Vec::as_slice);
    // A stack of who is to be drawn, how deep, and with what in front of the children: no recursion
    // over the tree.
    let roots = below(None).iter().rev();
    let mut stack: Vec<_> = roots
        .map(|&at| (at, 0, String::new(), String::new()))
        .collect();
    let mut lines = Vec::with_capacity(parents.len());
    while let Some((at, depth, prefix, rest)) = stack.pop() {
        lines.push(Line { at, prefix, depth });
        let depth = depth + 1;
        let below = below(Some(at));
        for (i, &child) in below.iter().enumerate().rev() {
            let (first, rest) = if depth > DEEPEST {
                (format!("{rest}{dots}{depth}{dots} "), rest.clone())
            } else if i + 1 == below.len() {
                (format!("{rest}{last}"), format!("{rest}   "))
            } else {
                (format!("{rest}{more}"), format!("{rest}{pass}"))
            };
            stack.push((child, depth, first, rest));
        }
    }
    lines
}

/// Who is whose parent among some tasks. Who has a parent that is not among them has none.
pub fn parents(tasks: &[&Task]) -> Vec<Option<usize>> {
    let positions: HashMap<TaskId, usize> =
        (0..).zip(tasks).map(|(at, task)| (task.id, at)).collect();
    // The parent may be a thread: its process is the parent then, and of a thread its process is.
    let leaders: HashMap<TaskId, TaskId> =
        tasks.iter().map(|task| (task.id, task.leader)).collect();
    let parent = |task: &&Task| {
        if task.id != task.leader {
            return positions.get(&task.leader).copied();
        }
        let parent = task.parent?;
        let leader = leaders.get(&parent).unwrap_or(&parent);
        positions.get(leader).copied()
    };
    tasks.iter().map(parent).collect()
}

/// Draws the tree: each process with its numbers, outermost namespace first, below its parent. The
/// init of a namespace names the namespace.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn draw(out: &mut impl Write, view: &View, style: Style) -> io::Result<()> {
    let (leaders, others): (Vec<_>, Vec<_>) =
        view.tasks.iter().partition(|task| task.id == task.leader);
    let mut members: HashMap<TaskId, Vec<&Task>> = HashMap::new();
    for thread in others {
        members.entry(thread.leader).or_default().push(thread);
    }
    for line in lines(&parents(&leaders), style.ascii) {
        let task = leaders[line.at];
        let threads = threads(task, style, &members);
        writeln!(
            out,
            "{}{}{threads}",
            line.prefix,
            describe(view, task, style)
        )?;
    }
    out.flush()
}
