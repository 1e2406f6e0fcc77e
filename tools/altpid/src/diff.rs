// SPDX-License-Identifier: GPL-2.0

//! What differs between two snapshots.
//!
//! Who is who is told by the numbers at level 0; which namespace is which, by the number of its init
//! there.

use crate::snapshot::{Comm, Numbers, Snapshot, Task};
use std::{collections::BTreeMap, fmt};

/// One thing that differs.
///
/// # Examples
///
/// ```
/// use altpid::{diff::{Difference, diff}, snapshot::Snapshot};
///
/// let with = |name: &str| {
///     let text = r#"{"version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": null,
///         "namespaces": [{"parent": null, "level": 0, "inode": 1}],
///         "tasks": [{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
///                    "ppid": 0, "ns": 0, "state": "S", "comm": "NAME"}]}"#;
///     Snapshot::parse(text.replace("NAME", name).as_bytes())
/// };
/// let differences = diff(&with("init")?, &with("systemd")?);
/// assert!(matches!(differences[0], Difference::Changed { .. }));
/// assert_eq!(differences[0].to_string(), "~ 1 init: name init → systemd");
/// # Ok::<(), altpid::snapshot::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A task that only the second one has.
    Added(Task),
    /// A task that only the first one has.
    Removed(Task),
    /// A task that both have.
    Changed {
        /// As it was.
        task: Task,
        /// What, and from and to what.
        what: Vec<(&'static str, String, String)>,
    },
    /// Something that is not about a task.
    Header {
        /// What.
        what: &'static str,
        /// As it was.
        from: String,
        /// As it is.
        to: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = |task: &Task| format!("{} {}", Numbers(&task.pid), task.comm);
        match self {
            Self::Added(task) => write!(f, "+ {}", who(task)),
            Self::Removed(task) => write!(f, "- {}", who(task)),
            Self::Changed { task, what } => {
                write!(f, "~ {}:", who(task))?;
                for (i, (what, from, to)) in what.iter().enumerate() {
                    write!(f, "{} {what} {from} → {to}", if i == 0 { "" } else { "," })?;
                }
                Ok(())
            }
            Self::Header { what, from, to } => write!(f, "~ {what}: {from} → {to}"),
        }
    }
}

/// What each namespace is called, by position: after the number of its init at level 0; one without
/// an init after its state and the namespace above.
fn names(snapshot: &Snapshot) -> Vec<String> {
    let mut inits = vec![0; snapshot.namespaces.len()];
    for task in &snapshot.tasks {
        if task.is_leader() && task.own_pid() == 1 && task.ns > 0 {
            inits[task.ns] = task.root_pid();
        }
    }
    let mut names: Vec<String> = Vec::with_capacity(inits.len());
    for (ns, init) in snapshot.namespaces.iter().zip(inits) {
        names.push(match (ns.parent, init) {
            (None, _) => "of level 0".into(),
            (Some(above), 0) => format!("{}, below the one {}", ns.state, names[above]),
            (_, init) => format!("of init {init}"),
        });
    }
    names
}

/// Names that can be compared: the kernel keeps 15 bytes, and what a worker of the kernel does behind
/// its number is of the moment.
fn comm(task: &Task) -> String {
    let bytes = task.comm.as_bytes();
    let end = match bytes.starts_with(b"kworker/") {
        true => bytes.iter().position(|byte| b"-+".contains(byte)),
        false => None,
    };
    let end = end.unwrap_or(bytes.len()).min(15);
    Comm::new(&bytes[..end]).to_string()
}

/// What differs, in the order of the numbers at level 0.
pub fn diff(a: &Snapshot, b: &Snapshot) -> Vec<Difference> {
    let mut differences = Vec::new();
    let limit = |max: Option<i32>| max.map_or("unknown".to_owned(), |max| max.to_string());
    if a.pid_max != b.pid_max {
        differences.push(Difference::Header {
            what: "pid_max",
            from: limit(a.pid_max),
            to: limit(b.pid_max),
        });
    }
    let mut pairs: BTreeMap<i32, (Option<&Task>, Option<&Task>)> = BTreeMap::new();
    for task in &a.tasks {
        pairs.entry(task.root_pid()).or_default().0 = Some(task);
    }
    for task in &b.tasks {
        pairs.entry(task.root_pid()).or_default().1 = Some(task);
    }
    let (names_a, names_b) = (names(a), names(b));
    for pair in pairs.into_values() {
        match pair {
            (Some(was), Some(is)) => {
                let what = changes(was, is, &names_a, &names_b);
                if !what.is_empty() {
                    let task = was.clone();
                    differences.push(Difference::Changed { task, what });
                }
            }
            (Some(was), None) => differences.push(Difference::Removed(was.clone())),
            (None, Some(is)) => differences.push(Difference::Added(is.clone())),
            (None, None) => {}
        }
    }
    differences
}

/// What has become different about a task.
fn changes(
    was: &Task,
    is: &Task,
    names_a: &[String],
    names_b: &[String],
) -> Vec<(&'static str, String, String)> {
    let mut changes = Vec::new();
    let mut note = |what, from: String, to: String| {
        if from != to {
            changes.push((what, from, to));
        }
    };
    let vectors = |name, from: &[i32], to: &[i32]| {
        let (from, to) = (Numbers(from).to_string(), Numbers(to).to_string());
        (name, from, to)
    };
    for (name, from, to) in [
        vectors("pid", &was.pid, &is.pid),
        vectors("tgid", &was.tgid, &is.tgid),
        vectors("pgid", &was.pgid, &is.pgid),
        vectors("sid", &was.sid, &is.sid),
        ("parent", was.ppid.to_string(), is.ppid.to_string()),
        ("namespace", names_a[was.ns].clone(), names_b[is.ns].clone()),
        (
            "children in namespace",
            names_a[was.ns_for_children.unwrap_or(was.ns)].clone(),
            names_b[is.ns_for_children.unwrap_or(is.ns)].clone(),
        ),
        ("state", state(was), state(is)),
        ("name", comm(was), comm(is)),
    ] {
        note(name, from, to);
    }
    changes
}

/// As far as states last: whether it runs or sleeps is of the moment.
fn state(task: &Task) -> String {
    match task {
        task if task.is_zombie() => "zombie",
        task if task.exiting => "exiting",
        task if task.is_stopped() => "stopped",
        task if task.is_traced() => "traced",
        _ => "alive",
    }
    .into()
}
