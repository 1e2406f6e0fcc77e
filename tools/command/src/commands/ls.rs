// SPDX-License-Identifier: GPL-2.0

//! `altpid ls`

use crate::{
    place::{Sight, namespace},
    table::{Column, Format, describe},
};
use altpid::{Ns, NsId, Task, TaskState, names, snapshot::Comm, view::View};
use altpid_command::tree::{Line, lines, parents};
use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Value, json};
use std::{collections::HashMap, process::ExitCode};

/// List the tasks or the namespaces of a world or of a snapshot
///
/// Numbers are written outermost namespace first: 4213/17/1 is 4213 at level 0, and 1 in the
/// namespace of the task itself.
#[derive(clap::Args)]
#[command(after_long_help = format!(
    "Columns of tasks:\n{}\nColumns of namespaces:\n{}\nExamples:\n  altpid ls -T\n  \
     altpid ls ns -o +BYTES\n  altpid ls --ns 3 -J",
    describe(TASKS), describe(NAMESPACES)
))]
#[command(after_help = "Example: altpid ls -T\n--help has the columns")]
pub struct Args {
    /// What to list
    #[arg(value_enum, default_value_t = What::Tasks)]
    what: What,
    #[command(flatten)]
    format: Format,
    /// As a tree
    #[arg(short = 'T', long, conflicts_with = "json")]
    tree: bool,
    /// All threads, not only processes
    #[arg(short = 'L', long)]
    threads: bool,
    /// Only what this namespace sees, with the numbers that it sees
    #[arg(long, value_name = "NAMESPACE")]
    ns: Option<String>,
    #[command(flatten)]
    sight: Sight,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Tasks,
    #[value(alias = "namespaces")]
    Ns,
}

/// A task in a list.
pub struct TaskRow {
    task: Task,
    /// The level of the namespace that looks.
    from: usize,
    /// The number of its parent there.
    ppid: i32,
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
    Column::usual("NS", "its namespace", |row| json!(row.task.ns.0)),
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
        json!(row.task.ns_for_children.map(|ns| ns.0))
    }),
    Column::other("EXIT", "how it ended, if it is a zombie", |row| {
        let is_zombie = row.task.state == TaskState::Zombie;
        row.live(json!(is_zombie.then(|| names::status(row.task.exit_code))))
    }),
    Column::other("TASK", "its id", |row| row.live(json!(row.task.id.0))),
    Column::other("PARENT", "the id of its parent", |row| {
        row.live(json!(row.task.parent.map(|parent| parent.0)))
    }),
];

/// A namespace in a list.
pub struct NsRow {
    ns: Ns,
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
    Column::usual("NS", "its id, in a snapshot its position", |row| {
        json!(row.ns.id.0)
    }),
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
    Column::other("PARENT", "the namespace above", |row| {
        json!(row.ns.parent.map(|parent| parent.0))
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

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let view = self.sight.view()?;
        let from = self.ns.as_deref().map(|ns| namespace(&view, ns));
        let from = from.transpose()?.or(view.root().map(|root| root.id));
        let Some(from) = from else {
            return Ok(ExitCode::SUCCESS);
        };
        match self.what {
            What::Tasks => self.tasks(&view, from)?,
            What::Ns => self.namespaces(&view, from)?,
        }
        Ok(ExitCode::SUCCESS)
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
            is_snapshot: view.is_snapshot,
        };
        let (tasks, prefixes) = self.arrange(tasks, parents);
        let rows: Vec<_> = tasks.into_iter().map(row).collect();
        let tree = self.tree.then_some(("COMMAND", &prefixes[..]));
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
            .collect();
        let row = |ns: &Ns| NsRow {
            ns: *ns,
            init: ns.child_reaper.and_then(|init| view.task(init)).cloned(),
            tasks: tasks.get(&ns.id).copied().unwrap_or(0),
            is_snapshot: view.is_snapshot,
        };
        let (namespaces, prefixes) = self.arrange(namespaces, |list| {
            let at: HashMap<NsId, usize> = (0..).zip(list).map(|(i, ns)| (ns.id, i)).collect();
            let parent = |ns: &&Ns| at.get(&ns.parent?).copied();
            list.iter().map(parent).collect()
        });
        let rows: Vec<_> = namespaces.into_iter().map(row).collect();
        let tree = self.tree.then_some(("NS", &prefixes[..]));
        self.format.write("namespaces", NAMESPACES, &rows, tree)
    }

    /// Puts a list into the order of a tree, if it is to be one, with what goes before each.
    fn arrange<'a, T>(
        &self,
        list: Vec<&'a T>,
        parents: impl FnOnce(&[&'a T]) -> Vec<Option<usize>>,
    ) -> (Vec<&'a T>, Vec<String>) {
        if !self.tree {
            return (list, Vec::new());
        }
        let lines = lines(&parents(&list)).into_iter();
        lines.map(|Line { at, prefix }| (list[at], prefix)).unzip()
    }
}
