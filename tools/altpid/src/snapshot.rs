// SPDX-License-Identifier: GPL-2.0

//! A tree of processes as a file: what `altpid capture` writes and `altpid restore` reads.
//!
//! A [`Snapshot`] has been checked when it came from [`Snapshot::parse`] or passed
//! [`Snapshot::check`]: what refers to something refers to something that is there.

mod check;
mod world;

use crate::types::NsState;
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, HashSet},
    fmt,
};

/// The form of the file that this program writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// Numbers are below this (`PID_MAX_LIMIT`).
pub const PID_MAX_LIMIT: i32 = 4 * 1024 * 1024;

/// Levels that a namespace can be at (`MAX_PID_NS_LEVEL` + 1).
pub const LEVELS: usize = crate::uapi::ALTPID_LEVELS as usize;

/// The name of a task: bytes of any value, mostly text.
///
/// # Examples
///
/// ```
/// use altpid::snapshot::Comm;
///
/// assert_eq!(Comm::new(b"line\nbreak").to_string(), "line\\nbreak");
/// assert_eq!(Comm::new(b"\xff").as_bytes(), b"\xff");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Comm {
    /// One that is UTF-8.
    Text(String),
    /// One that is not.
    Bytes(Vec<u8>),
}

impl Comm {
    /// The name made of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(bytes.to_owned()),
        }
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl fmt::Display for Comm {
    /// The name with everything escaped that could confuse a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.as_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() {
                    write!(f, "{}", c.escape_default())?
                } else {
                    write!(f, "{c}")?
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// A pid namespace.
///
/// # Examples
///
/// ```
/// use altpid::{NsState, snapshot::Snapshot};
///
/// let text = r#"{"version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": null,
///     "namespaces": [{"parent": null, "level": 0, "inode": 1}],
///     "tasks": [{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
///                "ppid": 0, "ns": 0, "state": "S", "comm": "init"}]}"#;
/// let snapshot = Snapshot::parse(text.as_bytes())?;
/// let root = &snapshot.namespaces[0];
/// assert_eq!((root.level, root.inode, root.state), (0, Some(1), NsState::Active));
/// # Ok::<(), altpid::snapshot::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// Position of the namespace above in [`Snapshot::namespaces`]; none for the first.
    pub parent: Option<usize>,
    /// 0 for the one that the snapshot was taken from.
    pub level: usize,
    /// Its inode number in nsfs, which names it on the machine it is from; none where the kernel does
    /// not tell, as of one that awaits its init.
    pub inode: Option<u64>,
    /// Where it is in its life. Nobody is in one that awaits its init or is dead: a task has it for
    /// its children.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: NsState,
}

/// Whether a member need not be written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A thread. The vectors have its number at each level, level 0 first.
///
/// # Examples
///
/// ```
/// use altpid::{snapshot::Snapshot};
///
/// let text = r#"{"version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": null,
///     "namespaces": [{"parent": null, "level": 0, "inode": 1}],
///     "tasks": [{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
///                "ppid": 0, "ns": 0, "state": "S", "comm": "init"}]}"#;
/// let snapshot = Snapshot::parse(text.as_bytes())?;
/// let init = &snapshot.tasks[0];
/// assert!(init.is_leader() && !init.is_zombie());
/// assert_eq!(init.to_string(), "task 1 (init)");
/// # Ok::<(), altpid::snapshot::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Its own number (`NSpid`).
    pub pid: Vec<i32>,
    /// Its thread group's (`NStgid`).
    pub tgid: Vec<i32>,
    /// Its process group's (`NSpgid`); 0 where that has none.
    pub pgid: Vec<i32>,
    /// Its session's (`NSsid`); 0 where that has none.
    pub sid: Vec<i32>,
    /// The process that is its parent, by its number at level 0; 0 for one outside.
    pub ppid: i32,
    /// Position of its namespace in [`Snapshot::namespaces`].
    pub ns: usize,
    /// Where its children are born, if that is another namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_for_children: Option<usize>,
    /// The letter for its state in `/proc/PID/status`.
    pub state: char,
    /// Whether it is exiting and not a zombie yet (`PF_EXITING`, and its memory is gone), as the init
    /// of a dying namespace that waits for the others.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exiting: bool,
    /// Its name.
    pub comm: Comm,
}

impl Task {
    /// Whether it leads its thread group.
    pub fn is_leader(&self) -> bool {
        self.pid == self.tgid
    }

    /// Whether it has exited and was not reaped.
    pub fn is_zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// Whether it is stopped by a signal.
    pub fn is_stopped(&self) -> bool {
        self.state == 'T'
    }

    /// Whether it is stopped by a tracer.
    pub fn is_traced(&self) -> bool {
        self.state == 't'
    }

    /// Its number at level 0.
    pub fn root_pid(&self) -> i32 {
        self.pid.first().copied().unwrap_or(0)
    }

    /// Its number in its own namespace.
    pub fn own_pid(&self) -> i32 {
        self.pid.last().copied().unwrap_or(0)
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} ({})", Numbers(&self.pid), self.comm)
    }
}

/// Shows a vector of numbers as `/proc` does: outermost first, `4213/17/1`.
///
/// # Examples
///
/// ```
/// use altpid::snapshot::Numbers;
///
/// assert_eq!(Numbers(&[4213, 17, 1]).to_string(), "4213/17/1");
/// ```
pub struct Numbers<'a>(pub &'a [i32]);

impl fmt::Display for Numbers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, nr) in self.0.iter().enumerate() {
            write!(f, "{}{nr}", if i == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

/// A tree of processes.
///
/// # Examples
///
/// ```
/// use altpid::snapshot::Snapshot;
///
/// let problem = Snapshot::parse(b"PID TTY\n").unwrap_err();
/// assert!(problem.to_string().starts_with("not a snapshot: "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// [`VERSION`]
    pub version: u32,
    /// The release of the kernel it was taken on.
    pub kernel: String,
    /// `kernel.pid_max` at level 0, where the kernel tells.
    pub pid_max: Option<i32>,
    /// `kernel.ns_last_pid` at level 0, where the kernel tells.
    pub last_pid: Option<i32>,
    /// The namespaces; the first is at level 0, and parents come before children.
    pub namespaces: Vec<Namespace>,
    /// The threads, in the order of their numbers at level 0.
    pub tasks: Vec<Task>,
}

/// What is wrong with a snapshot.
///
/// # Examples
///
/// ```
/// use altpid::snapshot::{Problem, Snapshot};
///
/// let problem: Problem = Snapshot::parse(b"{").unwrap_err();
/// assert!(problem.0.contains("line 1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

impl Snapshot {
    /// Reads and checks a snapshot.
    ///
    /// # Errors
    ///
    /// What is wrong: with line and column for what is not JSON or not of the right form, with the
    /// task for the rest.
    pub fn parse(text: &[u8]) -> Result<Self, Problem> {
        let snapshot = Self::from_json(text)?;
        snapshot.check()?;
        Ok(snapshot)
    }

    /// Reads a snapshot that is still to be checked.
    ///
    /// # Errors
    ///
    /// With line and column, for what is not JSON or not of the right form.
    pub fn from_json(text: &[u8]) -> Result<Self, Problem> {
        let read = serde_json::from_slice(text);
        let mut snapshot: Self =
            read.map_err(|error| Problem(format!("not a snapshot: {error}")))?;
        snapshot.settle();
        Ok(snapshot)
    }

    /// Draws the conclusions from what the tasks say: the init of a namespace below level 0 whose
    /// state is I, which else only threads of the kernel have, is exiting; and a namespace whose init
    /// is exiting or a zombie is dying.
    fn settle(&mut self) {
        for task in &mut self.tasks {
            task.exiting |= task.state == 'I' && task.pid.len() > 1 && task.own_pid() == 1;
        }
        self.note_dying();
    }

    /// Notes which namespaces are dying: those whose init has no thread that is alive.
    pub fn note_dying(&mut self) {
        let mut inits: HashMap<i32, (usize, bool)> = HashMap::new();
        let leads = |task: &&Task| task.is_leader() && task.own_pid() == 1 && task.ns > 0;
        for init in self.tasks.iter().filter(leads) {
            inits.insert(init.root_pid(), (init.ns, false));
        }
        for task in &self.tasks {
            let leader = task.tgid.first().copied().unwrap_or(0);
            if let Some((_, lives)) = inits.get_mut(&leader) {
                *lives |= !task.exiting && !task.is_zombie();
            }
        }
        for (ns, lives) in inits.into_values() {
            if let Some(ns) = self.namespaces.get_mut(ns).filter(|_| !lives) {
                ns.state = NsState::Dying;
            }
        }
    }

    /// Writes the snapshot as JSON, a line for each task.
    pub fn to_json(&self) -> String {
        let line = |value: serde_json::Result<String>| value.unwrap_or_default();
        let rows = |rows: Vec<String>| {
            if rows.is_empty() {
                String::new()
            } else {
                format!("\n    {}\n  ", rows.join(",\n    "))
            }
        };
        let namespaces = self
            .namespaces
            .iter()
            .map(|ns| line(serde_json::to_string(ns)))
            .collect();
        let tasks = self
            .tasks
            .iter()
            .map(|task| line(serde_json::to_string(task)))
            .collect();
        format!(
            "{{\n  \"version\": {},\n  \"kernel\": {},\n  \"pid_max\": {},\n  \"last_pid\": {},\n  \
             \"namespaces\": [{}],\n  \"tasks\": [{}]\n}}\n",
            self.version,
            line(serde_json::to_string(&self.kernel)),
            line(serde_json::to_string(&self.pid_max)),
            line(serde_json::to_string(&self.last_pid)),
            rows(namespaces),
            rows(tasks),
        )
    }

    /// What the namespaces are called, by position: their inodes, and a number that is none of those
    /// where the inode is not known.
    pub fn ns_names(&self) -> Vec<u64> {
        let mut used: HashSet<u64> = self.namespaces.iter().filter_map(|ns| ns.inode).collect();
        let mut next = 1;
        let mut free = || {
            while !used.insert(next) {
                next += 1;
            }
            next
        };
        let names = self.namespaces.iter();
        names.map(|ns| ns.inode.unwrap_or_else(&mut free)).collect()
    }

    /// The namespaces from level 0 to `ns`, by position.
    pub fn chain(&self, ns: usize) -> Vec<usize> {
        let mut chain: Vec<_> =
            std::iter::successors(Some(ns), |&ns| self.namespaces[ns].parent).collect();
        chain.reverse();
        chain
    }

    /// Whether namespace `upper` is `lower` or above it.
    pub fn is_ancestor_or_self(&self, upper: usize, lower: usize) -> bool {
        std::iter::successors(Some(lower), |&ns| self.namespaces[ns].parent).any(|ns| ns == upper)
    }
}
