// SPDX-License-Identifier: GPL-2.0

//! `altpid ls`

use crate::{
    output::{Hinted, style},
    place::{Sight, namespace},
    table::{Column, Format, describe, names as names_of},
};
use altpid::{Ns, NsId, Task, TaskState, names, snapshot::Comm, view::View};
use altpid_command::tree::{Line, lines, parents};
use anyhow::Result;
use clap::ValueHint;
use serde_json::{Value, json};
use std::{collections::HashMap, path::Path, process::ExitCode};

/// List the tasks or the namespaces of a world or of a snapshot
///
/// Numbers are written outermost namespace first: 4213/17/1 is 4213 at level 0, and 1 in the
/// namespace of the task itself.
#[derive(clap::Args)]
#[command(after_long_help = format!(
    "Columns of tasks:\n{}\nColumns of namespaces:\n{}\nExamples:\n  altpid ls -T\n  \
     altpid ls ns -o +BYTES\n  altpid ls ns snapshot.json\n  altpid ls --ns 3 -J",
    describe(TASKS), describe(NAMESPACES)
))]
#[command(after_help = "Example: altpid ls -T\n--help has the columns")]
pub struct Args {
    /// What to list, tasks (the default) or ns, and a snapshot, - for standard input, instead of a world
    #[arg(value_name = "tasks|ns] [FILE", num_args = 0..=2, value_hint = ValueHint::FilePath)]
    words: Vec<String>,
    #[command(flatten)]
    format: Format,
    /// As a tree
    #[arg(short = 'T', long)]
    tree: bool,
    /// Draw the tree with characters of ASCII only
    #[arg(long, requires = "tree")]
    ascii: bool,
    /// All threads, not only processes
    #[arg(short = 'L', long)]
    threads: bool,
    /// Only namespaces that listns(2) would list: not those that only a pidfd, or only one below, keeps
    #[arg(long)]
    listed: bool,
    /// Only what this namespace sees, with the numbers that it sees
    #[arg(long, value_name = "NAMESPACE")]
    ns: Option<String>,
    #[command(flatten)]
    sight: Sight,
}

/// What is listed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Tasks,
    Namespaces,
}

/// A task in a list.
pub struct TaskRow {
    task: Task,
    /// The level of the namespace that looks.
    from: usize,
    /// The number of its parent there.
    ppid: i32,
    /// What its namespace is called, and the one for its children.
    ns: u64,
    ns_for_children: Option<u64>,
    is_snapshot: bool,
}

impl TaskRow {
    fn seen(&self, vector: &[i32]) -> Value {
        json!(vector.get(self.from..).unwrap_or_default())
    }

    /// What only a world knows.
    fn live(&self, value: Value) -> Value {
        if self.is_snapshot { Value::Null } else { value }
    }
}

const TASKS: &[Column<TaskRow>] = &[
    Column::usual("PID", "its numbers, outermost namespace first", |row| {
        row.seen(&row.task.pid)
    }),
    Column::usual("PPID", "the number of its parent in the outermost", |row| {
        json!(row.ppid)
    }),
    Column::usual("NS", "its namespace", |row| json!(row.ns)),
    Column::usual("STATE", "running, stopped, exiting or zombie", |row| {
        json!(row.task.state.to_string())
    }),
    Column::usual("COMMAND", "its name", |row| {
        json!(Comm::new(&row.task.comm).to_string())
    }),
    Column::other("TGID", "the numbers of its process", |row| {
        row.seen(&row.task.tgid)
    }),
    Column::other("PGID", "the numbers of its process group", |row| {
        row.seen(&row.task.pgid)
    }),
    Column::other("SID", "the numbers of its session", |row| {
        row.seen(&row.task.sid)
    }),
    Column::other("LEVEL", "the level of its namespace", |row| {
        json!(row.task.pid.len() - 1)
    }),
    Column::other("THREADS", "live threads of its process", |row| {
        json!(row.task.nr_threads)
    }),
    Column::other("CHILDNS", "where its children are born", |row| {
        json!(row.ns_for_children)
    }),
    Column::other("EXIT", "how it ended, if it is a zombie", |row| {
        let is_zombie = row.task.state == TaskState::Zombie;
        row.live(json!(is_zombie.then(|| names::status(row.task.exit_code))))
    }),
    Column::other(
        "NATIVE",
        "the number of a real thread to the kernel",
        |row| row.live(json!(row.task.native.map(|(pid, _)| pid))),
    ),
    Column::other("TASK", "its id", |row| row.live(json!(row.task.id.0))),
    Column::other("PARENT", "the id of its parent", |row| {
        row.live(json!(row.task.parent.map(|parent| parent.0)))
    }),
];

/// A namespace in a list.
pub struct NsRow {
    ns: Ns,
    /// What it is called, and the one above.
    name: u64,
    parent: Option<u64>,
    inode: Option<u64>,
    init: Option<Task>,
    tasks: usize,
    is_snapshot: bool,
}

impl NsRow {
    /// What only a world knows.
    fn live(&self, value: Value) -> Value {
        if self.is_snapshot { Value::Null } else { value }
    }
}

const NAMESPACES: &[Column<NsRow>] = &[
    Column::usual(
        "NS",
        "its inode, or its id in a world that was not restored",
        |row| json!(row.name),
    ),
    Column::usual("LEVEL", "0 for the outermost", |row| json!(row.ns.level)),
    Column::usual("STATE", "awaiting init, active, dying or dead", |row| {
        json!(row.ns.state.to_string())
    }),
    Column::usual("NPIDS", "numbers in use", |row| json!(row.ns.nr_pids)),
    Column::usual("PID", "the numbers of its init", |row| {
        json!(row.init.as_ref().map(|init| &init.pid))
    }),
    Column::usual("COMMAND", "the name of its init", |row| {
        let name = |init: &Task| Comm::new(&init.comm).to_string();
        json!(row.init.as_ref().map(name))
    }),
    Column::other("PARENT", "the namespace above", |row| json!(row.parent)),
    Column::other("INODE", "its inode, here or where it is from", |row| {
        json!(row.inode)
    }),
    Column::other("ID", "its id", |row| row.live(json!(row.ns.id.0))),
    Column::other("LISTED", "whether listns(2) would list it", |row| {
        json!(row.ns.is_active)
    }),
    Column::other("TASKS", "tasks in it, not counting those below", |row| {
        json!(row.tasks)
    }),
    Column::other("LASTPID", "the last number given in order", |row| {
        row.live(json!(row.ns.last_pid))
    }),
    Column::other("PIDMAX", "numbers end before this one", |row| {
        row.live(json!(row.ns.pid_max))
    }),
    Column::other("BYTES", "memory that its table of numbers takes", |row| {
        row.live(json!(row.ns.map_bytes))
    }),
    Column::other("INIT", "the id of its init", |row| {
        row.live(json!(row.ns.child_reaper.map(|init| init.0)))
    }),
];

/// The names of all columns.
pub fn columns() -> Vec<&'static str> {
    let mut all = names_of(TASKS);
    all.extend(names_of(NAMESPACES));
    all.sort_unstable();
    all.dedup();
    all
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let (what, file) = self.what()?;
        let view = self.sight.view_or(file)?;
        let from = self.ns.as_deref().map(|ns| namespace(&view, ns));
        let from = from.transpose()?.or(view.root().map(|root| root.id));
        let Some(from) = from else {
            return Ok(ExitCode::SUCCESS);
        };
        match what {
            What::Tasks if self.listed => {
                return Err(Hinted::usage(
                    "--listed is about namespaces".into(),
                    "as in: altpid ls ns --listed",
                ));
            }
            What::Tasks => self.tasks(&view, from)?,
            What::Namespaces => self.namespaces(&view, from)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What the words say: what to list, then of which file.
    fn what(&self) -> Result<(What, Option<&Path>)> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let (what, files) = match *words.as_slice() {
            ["tasks", ref files @ ..] => (What::Tasks, files),
            ["ns" | "namespaces", ref files @ ..] => (What::Namespaces, files),
            ref files => (What::Tasks, files),
        };
        match *files {
            [] => Ok((what, None)),
            [file] if self.sight.file(None).is_none() => Ok((what, Some(Path::new(file)))),
            [_] => Err(Hinted::usage(
                "two snapshots".into(),
                "a FILE and --snapshot say the same",
            )),
            _ => Err(Hinted::usage(
                format!("{}: neither tasks nor ns", words[0]),
                "as in: altpid ls ns snapshot.json",
            )),
        }
    }

    fn tasks(&self, view: &View, from: NsId) -> Result<()> {
        let level = view.ns(from).map_or(0, |ns| ns.level as usize);
        let tasks: Vec<&Task> = view
            .tasks
            .iter()
            .filter(|task| self.threads || task.id == task.leader)
            .filter(|task| view.is_ancestor_or_self(from, task.ns))
            .collect();
        let row = |task: &Task| TaskRow {
            task: task.clone(),
            from: level,
            ppid: task
                .parent
                .and_then(|parent| view.task(parent))
                .filter(|parent| view.is_ancestor_or_self(from, parent.ns))
                .map_or(0, |parent| parent.tgid[level]),
            ns: view.name(task.ns),
            ns_for_children: task.ns_for_children.map(|ns| view.name(ns)),
            is_snapshot: view.is_snapshot,
        };
        let (tasks, drawn) = self.arrange(tasks, parents);
        let rows: Vec<_> = tasks.into_iter().map(row).collect();
        let tree = self.tree.then_some(("COMMAND", &drawn[..]));
        self.format.write("tasks", TASKS, &rows, tree)
    }

    fn namespaces(&self, view: &View, from: NsId) -> Result<()> {
        let mut tasks: HashMap<NsId, usize> = HashMap::new();
        for task in &view.tasks {
            *tasks.entry(task.ns).or_default() += 1;
        }
        let namespaces: Vec<&Ns> = view
            .namespaces
            .iter()
            .filter(|ns| view.is_ancestor_or_self(from, ns.id))
            .filter(|ns| ns.is_active || !self.listed)
            .collect();
        let row = |ns: &Ns| NsRow {
            ns: *ns,
            name: view.name(ns.id),
            parent: ns.parent.map(|parent| view.name(parent)),
            inode: view.inode(ns.id),
            init: ns.child_reaper.and_then(|init| view.task(init)).cloned(),
            tasks: tasks.get(&ns.id).copied().unwrap_or(0),
            is_snapshot: view.is_snapshot,
        };
        let (namespaces, drawn) = self.arrange(namespaces, |list| {
            let at: HashMap<NsId, usize> = (0..).zip(list).map(|(i, ns)| (ns.id, i)).collect();
            let parent = |ns: &&Ns| at.get(&ns.parent?).copied();
            list.iter().map(parent).collect()
        });
        let rows: Vec<_> = namespaces.into_iter().map(row).collect();
        let tree = self.tree.then_some(("NS", &drawn[..]));
        self.format.write("namespaces", NAMESPACES, &rows, tree)
    }

    /// Puts a list into the order of a tree, if it is to be one, with the lines of it.
    fn arrange<'a, T>(
        &self,
        list: Vec<&'a T>,
        parents: impl FnOnce(&[&'a T]) -> Vec<Option<usize>>,
    ) -> (Vec<&'a T>, Vec<Line>) {
        if !self.tree {
            return (list, Vec::new());
        }
        let lines = lines(&parents(&list), style(self.ascii).ascii);
        (lines.iter().map(|line| list[line.at]).collect(), lines)
    }
}
