// SPDX-License-Identifier: GPL-2.0

//! Reading the process tree of a machine from `/proc`.
//!
//! `/proc` is not read in one moment: processes come, go and are handed to other parents meanwhile.
//! What has vanished while it was read is left out, and a reading that does not fit together is
//! thrown away and done again. What is there and could not be seen is told ([`Captured::unseen`]).

mod hidden;
mod namespaces;
mod threads;

use crate::snapshot::{Snapshot, Task, VERSION};
use anyhow::{Context, Result, anyhow, bail};
use hidden::Hidden;
use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};
use threads::{Look, inode, numbers_in, read_process, read_thread};

/// How often a reading that does not fit together is done.
const ATTEMPTS: u32 = 20;

/// How often those whose parent is not there are looked at in one reading.
const ROUNDS: u32 = 1000;

/// A thread as `/proc` shows it.
struct Seen {
    task: Task,
    /// Inode of its namespace, where that may be read.
    ns: Option<u64>,
    /// Inode of the namespace where its children are born.
    ns_for_children: Option<u64>,
    /// Whether its children are born in a namespace that awaits its init.
    awaits_init: bool,
    /// Whether its namespace may not be read.
    is_refused: bool,
    /// `/proc/PID/task/TID`
    dir: PathBuf,
}

/// What a capture has found.
///
/// # Examples
///
/// ```no_run
/// use altpid::capture::{Captured, capture};
/// use std::path::Path;
///
/// let Captured { snapshot, unseen } = capture(Path::new("/proc"), None)?;
/// println!("{} tasks", snapshot.tasks.len());
/// for what in unseen {
///     eprintln!("not seen: {what}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The tree, as far as it was seen.
    pub snapshot: Snapshot,
    /// What is there and could not be seen: how much and why, in words.
    pub unseen: Vec<String>,
}

/// Reads a snapshot from a procfs at `proc`. The process `exclude` and its threads are left out: the
/// one that captures.
///
/// # Errors
///
/// When `proc` is no procfs, or something must be known that this user may not read.
pub fn capture(proc: &Path, exclude: Option<u32>) -> Result<Captured> {
    numbers_in(proc).with_context(|| format!("reading {}", proc.display()))?;
    let mut last = None;
    for _ in 0..ATTEMPTS {
        // An error too may come of something having vanished.
        let result = attempt(proc, exclude).and_then(|captured| {
            captured.snapshot.check().with_context(|| {
                format!(
                    "{} never fitted together in {ATTEMPTS} readings; the last time",
                    proc.display()
                )
            })?;
            Ok(captured)
        });
        match result {
            Ok(captured) if captured.snapshot.tasks.is_empty() => {
                let proc = proc.display();
                match captured.unseen.first() {
                    Some(why) => bail!("{proc} shows no process: {why}"),
                    None => bail!("{proc} shows no process; is it a procfs?"),
                }
            }
            Ok(captured) => return Ok(captured),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| anyhow!("{} was not read", proc.display())))
}

/// The number that the calling process has in a procfs, if that shows it.
pub fn own_number(proc: &Path) -> Option<u32> {
    fs::read_link(proc.join("self"))
        .ok()?
        .to_str()?
        .parse()
        .ok()
}

fn attempt(proc: &Path, exclude: Option<u32>) -> Result<Captured> {
    let mut seen = Vec::new();
    let mut hidden = Hidden::default();
    for pid in numbers_in(proc).with_context(|| format!("reading {}", proc.display()))? {
        if exclude != Some(pid) {
            let look = read_process(&proc.join(pid.to_string()), &mut seen)?;
            hidden.refused += usize::from(matches!(look, Look::Refused));
        }
    }
    drop_torn(proc, exclude, &mut seen, &mut hidden)?;
    hidden.namespaces = seen.iter().filter(|s| s.is_refused).count();
    let namespaces = namespaces::name_namespaces(proc, &mut seen, &mut hidden)?;
    let mut tasks: Vec<_> = seen.into_iter().map(|seen| seen.task).collect();
    tasks.sort_by_key(Task::root_pid);
    let mut snapshot = Snapshot {
        version: VERSION,
        kernel: text(&proc.join("sys/kernel/osrelease"))
            .unwrap_or_default()
            .trim_end()
            .to_owned(),
        pid_max: sysctl(proc, "sys/kernel/pid_max"),
        last_pid: sysctl(proc, "sys/kernel/ns_last_pid"),
        namespaces,
        tasks,
    };
    snapshot.note_dying();
    let unseen = hidden.tell(proc, exclude, &snapshot);
    Ok(Captured { snapshot, unseen })
}

fn text(path: &Path) -> Option<String> {
    Some(String::from_utf8_lossy(&fs::read(path).ok()?).into_owned())
}

/// A sysctl of the namespace that a procfs is of. The kernel shows those of the reader's, so that it is
/// not known to somebody who is in another.
fn sysctl(proc: &Path, path: &str) -> Option<i32> {
    let status = text(&proc.join("self/status"));
    let numbers = status.as_deref().and_then(|status| {
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix("NSpid:"))
    });
    // One number: the reader is in the namespace that the procfs is of.
    if numbers?.split_whitespace().count() != 1 {
        return None;
    }
    let number = |proc: &Path| text(&proc.join(path))?.trim().parse().ok();
    // Mounted with subset=pid it has no sysctls; those of another procfs are the same, for they depend
    // on the reader.
    let is_own = || {
        let ns = |proc: &Path| inode(&proc.join("self/ns/pid")).ok();
        ns(proc).is_some_and(|own| ns(Path::new("/proc")) == Some(own))
    };
    number(proc).or_else(|| number(Path::new("/proc")).filter(|_| is_own()))
}

/// Leaves out threads whose leader has vanished while the rest was read. One whose parent is dead or
/// not there is looked at again first: it may have got another one. A parent that was not seen is
/// looked for: it may be younger than the reading, or hidden.
fn drop_torn(
    proc: &Path,
    exclude: Option<u32>,
    seen: &mut Vec<Seen>,
    hidden: &mut Hidden,
) -> Result<()> {
    for _ in 0..ROUNDS {
        let before = seen.len();
        let leaders: HashMap<i32, Vec<i32>> = seen
            .iter()
            .filter(|s| s.task.is_leader())
            .map(|s| (s.task.root_pid(), s.task.pid.clone()))
            .collect();
        let alive: HashSet<i32> = seen
            .iter()
            .filter(|s| !s.task.is_zombie())
            .map(|s| s.task.tgid[0])
            .collect();
        let mut parents = HashSet::new();
        seen.retain_mut(|s| {
            if leaders.get(&s.task.tgid[0]) != Some(&s.task.tgid) {
                return false;
            }
            let has_parent = |s: &Seen| s.task.ppid == 0 || leaders.contains_key(&s.task.ppid);
            if has_parent(s) && (s.task.ppid == 0 || alive.contains(&s.task.ppid)) {
                return true;
            }
            match read_thread(&s.dir) {
                Ok(Look::At(now)) if now.task.pid == s.task.pid => *s = now,
                _ => return false,
            }
            if !has_parent(s) {
                parents.insert(s.task.ppid);
            }
            true
        });
        let dropped = seen.len() != before;
        for &parent in &parents {
            let is_own = u32::try_from(parent)
                .ok()
                .is_some_and(|nr| exclude == Some(nr));
            if is_own || !find_parent(proc, parent, seen)? {
                hidden.parents.insert(parent);
                let children = seen.iter_mut().filter(|s| s.task.ppid == parent);
                children.for_each(|s| s.task.ppid = 0);
            }
        }
        if !dropped && parents.is_empty() {
            return Ok(());
        }
    }
    bail!("{}: parents came and went all the time", proc.display())
}

/// Reads a process that is the parent of others and was not seen; returns false if it is hidden.
fn find_parent(proc: &Path, nr: i32, seen: &mut Vec<Seen>) -> Result<bool> {
    let children: Vec<PathBuf> = seen
        .iter()
        .filter(|s| s.task.ppid == nr)
        .map(|s| s.dir.clone())
        .collect();
    let mut found = Vec::new();
    let look = read_process(&proc.join(nr.to_string()), &mut found)?;
    if found.iter().any(|s| s.task.root_pid() == nr) {
        seen.append(&mut found);
        return Ok(true);
    }
    if let Look::Refused = look {
        return Ok(false);
    }
    // It has gone meanwhile if its children have another parent by now.
    let mut moved = false;
    for dir in children {
        if let Look::At(now) = read_thread(&dir)? {
            moved |= now.task.ppid != nr;
        }
    }
    Ok(moved)
}
