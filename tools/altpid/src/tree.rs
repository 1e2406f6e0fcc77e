// SPDX-License-Identifier: GPL-2.0

//! Drawing a tree of processes, in the manner of pstree(1), with its namespaces.

use crate::snapshot::{Numbers, Snapshot, Task};
use std::{
    collections::HashMap,
    io::{self, Write},
};

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With colours, as a terminal understands them.
    pub color: bool,
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
fn threads(task: &Task, threads: &HashMap<i32, Vec<&Task>>) -> String {
    let names: Vec<_> = threads
        .get(&task.root_pid())
        .into_iter()
        .flatten()
        .map(|thread| format!("{{{} {}}}", Numbers(&thread.pid), thread.comm))
        .collect();
    match names.len() {
        0 => String::new(),
        1..=3 => format!("  {}", names.join(" ")),
        more => format!("  {} … {} threads", names[0], more),
    }
}

fn describe(task: &Task, style: Style) -> String {
    let numbers = style.paint("33", &Numbers(&task.pid).to_string());
    let comm = if task.is_zombie() {
        style.paint("31", &format!("{} <defunct>", task.comm))
    } else {
        task.comm.to_string()
    };
    let init = if task.own_pid() == 1 && task.pid.len() > 1 {
        format!(
            "  {}",
            style.paint("36", &format!("[pid namespace {}]", task.ns))
        )
    } else {
        String::new()
    };
    format!("{numbers} {comm}{init}")
}

/// How deep the drawing is indented. What is deeper stands below each other, with its depth.
const DEEPEST: usize = 48;

/// Draws the tree: each process with its numbers, outermost namespace first, below its parent. The
/// init of a namespace names the namespace.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn draw(out: &mut impl Write, snapshot: &Snapshot, style: Style) -> io::Result<()> {
    let mut children: HashMap<i32, Vec<&Task>> = HashMap::new();
    let mut members: HashMap<i32, Vec<&Task>> = HashMap::new();
    for task in &snapshot.tasks {
        if task.is_leader() {
            children.entry(task.ppid).or_default().push(task);
        } else {
            members.entry(task.tgid[0]).or_default().push(task);
        }
    }
    // A stack of who is to be drawn, how deep, and with what in front of the children: no recursion
    // over the tree.
    let mut stack: Vec<(&Task, usize, String, String)> = children
        .get(&0)
        .into_iter()
        .flatten()
        .rev()
        .map(|&task| (task, 0, String::new(), String::new()))
        .collect();
    while let Some((task, depth, first, rest)) = stack.pop() {
        writeln!(
            out,
            "{first}{}{}",
            describe(task, style),
            threads(task, &members)
        )?;
        let below = children
            .get(&task.root_pid())
            .map(Vec::as_slice)
            .unwrap_or_default();
        let depth = depth + 1;
        for (i, child) in below.iter().enumerate().rev() {
            let last = i + 1 == below.len();
            let (first, rest) = if depth > DEEPEST {
                (format!("{rest}…{depth}… "), rest.clone())
            } else if last {
                (format!("{rest}└─ "), format!("{rest}   "))
            } else {
                (format!("{rest}├─ "), format!("{rest}│  "))
            };
            stack.push((*child, depth, first, rest));
        }
    }
    out.flush()
}
