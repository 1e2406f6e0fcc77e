// SPDX-License-Identifier: GPL-2.0

//! Reading the process tree of a machine from `/proc`.
//!
//! `/proc` is not read in one moment: processes come, go and are handed to other parents meanwhile.
//! What has vanished while it was read is left out, and a reading that does not fit together is
//! thrown away and done again.

use crate::{
    snapshot::{Comm, Namespace, Snapshot, Task, VERSION},
    sys,
};
use anyhow::{Context, Result, anyhow, bail};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// How often a reading that does not fit together is done.
const ATTEMPTS: u32 = 20;

/// A thread as `/proc` shows it.
struct Seen {
    task: Task,
    /// Inode of its namespace, where that may be read.
    ns: Option<u64>,
    /// Inode of the namespace where its children are born.
    ns_for_children: Option<u64>,
    /// `/proc/PID/task/TID`
    dir: PathBuf,
}

/// Reads a snapshot from a procfs at `proc`. The process `exclude` and its threads are left out: the
/// one that captures.
///
/// # Errors
///
/// When `proc` is no procfs, or something must be known that this user may not read.
pub fn capture(proc: &Path, exclude: Option<u32>) -> Result<Snapshot> {
    numbers_in(proc).with_context(|| format!("reading {}", proc.display()))?;
    let mut last = None;
    for _ in 0..ATTEMPTS {
        // An error too may come of something having vanished.
        let result = attempt(proc, exclude).and_then(|snapshot| {
            snapshot.check().with_context(|| {
                format!(
                    "{} never fitted together in {ATTEMPTS} readings; the last time",
                    proc.display()
                )
            })?;
            Ok(snapshot)
        });
        match result {
            Ok(snapshot) if snapshot.tasks.is_empty() => {
                bail!("{} shows no process; is it a procfs?", proc.display())
            }
            Ok(snapshot) => return Ok(snapshot),
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

fn attempt(proc: &Path, exclude: Option<u32>) -> Result<Snapshot> {
    let mut seen = Vec::new();
    for pid in numbers_in(proc).with_context(|| format!("reading {}", proc.display()))? {
        if exclude != Some(pid) {
            read_process(&proc.join(pid.to_string()), &mut seen)?;
        }
    }
    drop_torn(&mut seen);
    let namespaces = name_namespaces(proc, &mut seen)?;
    let mut tasks: Vec<_> = seen.into_iter().map(|seen| seen.task).collect();
    tasks.sort_by_key(Task::root_pid);
    let number = |path: &str| read_number(&proc.join(path));
    Ok(Snapshot {
        version: VERSION,
        kernel: text(&proc.join("sys/kernel/osrelease"))
            .unwrap_or_default()
            .trim_end()
            .to_owned(),
        pid_max: number("sys/kernel/pid_max").unwrap_or(crate::snapshot::PID_MAX_LIMIT),
        last_pid: number("sys/kernel/ns_last_pid"),
        namespaces,
        tasks,
    })
}

/// The entries of a directory whose names are numbers, in order.
fn numbers_in(dir: &Path) -> io::Result<Vec<u32>> {
    let mut numbers: Vec<u32> = fs::read_dir(dir)?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn text(path: &Path) -> Option<String> {
    Some(String::from_utf8_lossy(&fs::read(path).ok()?).into_owned())
}

fn read_number(path: &Path) -> Option<i32> {
    text(path)?.trim().parse().ok()
}

/// Reads the threads of a process; none if it vanishes.
fn read_process(dir: &Path, seen: &mut Vec<Seen>) -> Result<()> {
    let Ok(threads) = numbers_in(&dir.join("task")) else {
        return Ok(());
    };
    for tid in threads {
        let dir = dir.join("task").join(tid.to_string());
        if let Some(thread) = read_thread(&dir)? {
            seen.push(thread);
        }
    }
    Ok(())
}

/// Reads one thread; `None` if it vanishes.
fn read_thread(dir: &Path) -> Result<Option<Seen>> {
    let (Ok(status), Ok(mut comm)) = (fs::read(dir.join("status")), fs::read(dir.join("comm")))
    else {
        return Ok(None);
    };
    if comm.last() == Some(&b'\n') {
        comm.pop();
    }
    let status = String::from_utf8_lossy(&status);
    let fields: HashMap<_, _> = status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .collect();
    let field = |name: &str| {
        fields
            .get(name)
            .copied()
            .with_context(|| format!("{} has no {name}", dir.display()))
    };
    let vector = |name: &str| -> Result<Vec<i32>> {
        field(name)?
            .split_whitespace()
            .map(|nr| {
                nr.parse()
                    .with_context(|| format!("{name} in {}", dir.display()))
            })
            .collect()
    };
    let task = Task {
        pid: vector("NSpid")?,
        tgid: vector("NStgid")?,
        pgid: vector("NSpgid")?,
        sid: vector("NSsid")?,
        ppid: field("PPid")?
            .trim()
            .parse()
            .with_context(|| format!("PPid in {}", dir.display()))?,
        ns: 0,
        ns_for_children: None,
        state: field("State")?.trim().chars().next().unwrap_or('?'),
        comm: Comm::new(&comm),
    };
    // A thread that is being reaped has no numbers any more.
    if task.pid.is_empty() || task.pid.contains(&0) || task.tgid.contains(&0) {
        return Ok(None);
    }
    Ok(Some(Seen {
        task,
        ns: inode(&dir.join("ns/pid")),
        ns_for_children: inode(&dir.join("ns/pid_for_children")),
        dir: dir.to_owned(),
    }))
}

/// The inode of a namespace file; `None` where there is none or it may not be read.
fn inode(path: &Path) -> Option<u64> {
    // The link says it too, and needs no open file: "pid:[4026531836]".
    let link = fs::read_link(path).ok()?;
    link.to_str()?
        .strip_prefix("pid:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

/// Leaves out threads whose leader or parent has vanished while the rest was read. Whose parent is
/// dead or not there is looked at again first: it may have got another one.
fn drop_torn(seen: &mut Vec<Seen>) {
    loop {
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
        seen.retain_mut(|s| {
            if leaders.get(&s.task.tgid[0]) != Some(&s.task.tgid) {
                return false;
            }
            let has_parent = |s: &Seen| s.task.ppid == 0 || leaders.contains_key(&s.task.ppid);
            if has_parent(s) && (s.task.ppid == 0 || alive.contains(&s.task.ppid)) {
                return true;
            }
            match read_thread(&s.dir) {
                Ok(Some(now)) if now.task.pid == s.task.pid => *s = now,
                _ => return false,
            }
            has_parent(s)
        });
        if seen.len() == before {
            return;
        }
    }
}

/// Finds out which namespaces there are and how they are nested, and tells each task its own.
fn name_namespaces(proc: &Path, seen: &mut [Seen]) -> Result<Vec<Namespace>> {
    // Who captures may itself be in a namespace below.
    let root = seen
        .iter()
        .filter(|s| s.task.pid.len() == 1)
        .find_map(|s| s.ns)
        .or_else(|| inode(&proc.join("self/ns/pid")))
        .unwrap_or(0);
    guess_hidden(root, seen)?;
    // By level and inode: parents come first.
    let mut parents: BTreeMap<(usize, u64), Option<u64>> = BTreeMap::new();
    parents.insert((0, root), None);
    for s in seen.iter() {
        let Some(ns) = s.ns else { continue };
        let level = s.task.pid.len() - 1;
        if level > 0 && !parents.contains_key(&(level, ns)) {
            parents.insert((level, ns), Some(parent_of(s, seen)?));
        }
    }
    let position: HashMap<u64, usize> = parents
        .keys()
        .enumerate()
        .map(|(i, &(_, inode))| (inode, i))
        .collect();
    let namespaces = parents
        .iter()
        .map(|(&(level, inode), parent)| {
            let parent = parent.map(|parent| {
                position.get(&parent).copied().with_context(|| {
                    format!("pid namespace {inode} is below {parent}, in which nobody was seen")
                })
            });
            Ok(Namespace {
                parent: parent.transpose()?,
                level,
                inode,
            })
        })
        .collect::<Result<_>>()?;
    for s in seen {
        s.task.ns = s.ns.and_then(|ns| position.get(&ns).copied()).unwrap_or(0);
        let ns_for_children = s.ns_for_children.and_then(|ns| position.get(&ns).copied());
        s.task.ns_for_children = ns_for_children.filter(|&ns| ns != s.task.ns);
    }
    Ok(namespaces)
}

/// Fills in namespaces of tasks whose own may not be read: from their depth, or their parent's.
fn guess_hidden(root: u64, seen: &mut [Seen]) -> Result<()> {
    loop {
        let known: HashMap<i32, (usize, u64)> = seen
            .iter()
            .filter_map(|s| Some((s.task.root_pid(), (s.task.pid.len(), s.ns?))))
            .collect();
        let (mut open, mut progress) = (None, false);
        for s in seen.iter_mut().filter(|s| s.ns.is_none()) {
            let depth = s.task.pid.len();
            let relative = if s.task.is_leader() {
                s.task.ppid
            } else {
                s.task.tgid[0]
            };
            s.ns = if depth == 1 {
                Some(root)
            } else {
                known
                    .get(&relative)
                    .filter(|(d, _)| *d == depth)
                    .map(|(_, ns)| *ns)
            };
            if s.ns.is_some() {
                progress = true;
            } else {
                open = Some(s.task.to_string());
            }
        }
        match open {
            None => return Ok(()),
            Some(task) if !progress => {
                bail!("the pid namespace of {task} may not be read; run as root to see it")
            }
            Some(_) => {}
        }
    }
}

/// The namespace above that of a task.
fn parent_of(s: &Seen, seen: &[Seen]) -> Result<u64> {
    if let Ok(parent) =
        sys::parent_namespace(&s.dir.join("ns/pid")).and_then(|parent| parent.metadata())
    {
        return Ok(parent.ino());
    }
    // The kernel does not say: init's parent lives above, if it is not from further away.
    let depth = s.task.pid.len();
    let init = seen
        .iter()
        .find(|other| other.ns == s.ns && other.task.own_pid() == 1 && other.task.is_leader());
    init.and_then(|init| seen.iter().find(|p| p.task.root_pid() == init.task.ppid))
        .filter(|parent| parent.task.pid.len() == depth - 1)
        .and_then(|parent| parent.ns)
        .with_context(|| format!("the namespace above that of {} may not be read", s.task))
}
