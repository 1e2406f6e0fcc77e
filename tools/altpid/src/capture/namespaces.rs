// SPDX-License-Identifier: GPL-2.0

//! Which pid namespaces there are, and how they are nested.

use super::{Seen, hidden::Hidden, threads::inode};
use crate::{snapshot::Namespace, sys, types::NsState};
use anyhow::{Context, Result, bail};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    os::unix::fs::MetadataExt,
    path::Path,
};

/// Finds out which namespaces there are and how they are nested, and tells each task its own.
///
/// Told are those that had to be left out, and namespaces of which it could not be found out whether
/// they are dead or await their init; they are said to be dead.
pub(super) fn name_namespaces(
    proc: &Path,
    seen: &mut Vec<Seen>,
    hidden: &mut Hidden,
) -> Result<Vec<Namespace>> {
    // The capturing process may itself be in a namespace below.
    let root = seen
        .iter()
        .filter(|s| s.task.pid.len() == 1)
        .find_map(|s| s.ns)
        .or_else(|| inode(&proc.join("self/ns/pid")).ok())
        .unwrap_or(0);
    guess_hidden(root, seen)?;
    if hidden.is_any() {
        hidden.without_init = leave_out_without_init(root, seen)?;
    }
    let mut found = Found::default();
    found.add(0, root, None, NsState::Active);
    for s in seen.iter() {
        let Some(ns) = s.ns else { continue };
        let level = s.task.pid.len() - 1;
        if level > 0 && !found.levels.contains_key(&ns) {
            found.add(level, ns, Some(parent_of(s, seen, root)?), NsState::Active);
        }
    }
    for s in seen.iter() {
        found.add_empty(s);
    }
    let mut namespaces = found.list()?;
    let position: HashMap<u64, usize> = namespaces
        .iter()
        .enumerate()
        .filter_map(|(i, ns)| Some((ns.inode?, i)))
        .collect();
    for s in seen.iter_mut() {
        s.task.ns = s.ns.and_then(|ns| position.get(&ns).copied()).unwrap_or(0);
        let ns_for_children = s.ns_for_children.and_then(|ns| position.get(&ns).copied());
        s.task.ns_for_children = ns_for_children.filter(|&ns| ns != s.task.ns);
        if s.awaits_init {
            // Whose inode the kernel does not tell, and nobody else can have joined it.
            s.task.ns_for_children = Some(namespaces.len());
            namespaces.push(Namespace {
                parent: Some(s.task.ns),
                level: s.task.pid.len(),
                inode: None,
                state: NsState::AwaitingInit,
            });
        }
    }
    hidden.uncertain = found.uncertain;
    Ok(namespaces)
}

/// Leaves out the tasks of namespaces whose init is not shown, and of those below: a tree has no place
/// for them. Returns how many they are.
fn leave_out_without_init(root: u64, seen: &mut Vec<Seen>) -> Result<usize> {
    let leads = |s: &&Seen| s.task.is_leader() && s.task.own_pid() == 1;
    let mut complete: HashSet<u64> = seen.iter().filter(leads).filter_map(|s| s.ns).collect();
    complete.insert(root);
    loop {
        let mut below = HashSet::new();
        for s in seen.iter().filter(leads) {
            let Some(ns) = s.ns.filter(|ns| *ns != root && complete.contains(ns)) else {
                continue;
            };
            if !complete.contains(&parent_of(s, seen, root)?) {
                below.insert(ns);
            }
        }
        if below.is_empty() {
            break;
        }
        complete.retain(|ns| !below.contains(ns));
    }
    let all = seen.len();
    seen.retain(|s| s.ns.is_none_or(|ns| complete.contains(&ns)));
    Ok(all - seen.len())
}

/// The namespaces that were found so far.
#[derive(Default)]
struct Found {
    /// By level and inode, so that parents come first: the one above, and the state.
    all: BTreeMap<(usize, u64), (Option<u64>, NsState)>,
    levels: HashMap<u64, usize>,
    /// How many there are of which it is not known whether they are dead.
    uncertain: usize,
}

impl Found {
    fn add(&mut self, level: usize, inode: u64, above: Option<u64>, state: NsState) {
        self.all.insert((level, inode), (above, state));
        self.levels.insert(inode, level);
    }

    /// The namespace for the children of a task, if nobody was seen in it: it is dead, and so may be
    /// some of those above it, or it awaits its init, which Linux shows since 7.0.
    fn add_empty(&mut self, s: &Seen) {
        let (Some(own), Some(children)) = (s.ns, s.ns_for_children) else {
            return;
        };
        if self.levels.contains_key(&children) {
            return;
        }
        let link = s.dir.join("ns/pid_for_children");
        // Where the kernel does not say what is above, it was made from the task's own.
        let above = sys::ancestors(&link).unwrap_or_else(|_| vec![children, own]);
        let known = above.iter().position(|ns| self.levels.contains_key(ns));
        let Some((at, level)) = known.and_then(|at| Some((at, *self.levels.get(&above[at])?)))
        else {
            return;
        };
        for (depth, pair) in above[..=at].windows(2).rev().enumerate() {
            self.add(level + depth + 1, pair[0], Some(pair[1]), NsState::Dead);
        }
        match File::open(&link).ok().and_then(|ns| sys::has_had_init(&ns)) {
            Some(true) => {}
            Some(false) => self.add(level + at, children, Some(above[1]), NsState::AwaitingInit),
            None => self.uncertain += 1,
        }
    }

    /// All of them, those above first.
    fn list(&self) -> Result<Vec<Namespace>> {
        let inodes = self.all.keys().enumerate();
        let position: HashMap<u64, usize> = inodes.map(|(i, &(_, inode))| (inode, i)).collect();
        let namespace = |(&(level, inode), &(above, state)): (&(usize, u64), &(Option<u64>, _))| {
            let parent = above.map(|above| {
                position.get(&above).copied().with_context(|| {
                    format!("pid namespace {inode} is below {above}, in which nobody was seen")
                })
            });
            Ok(Namespace {
                parent: parent.transpose()?,
                level,
                inode: (inode != 0).then_some(inode),
                state,
            })
        };
        self.all.iter().map(namespace).collect()
    }
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
fn parent_of(s: &Seen, seen: &[Seen], root: u64) -> Result<u64> {
    if let Ok(parent) =
        sys::parent_namespace(&s.dir.join("ns/pid")).and_then(|parent| parent.metadata())
    {
        return Ok(parent.ino());
    }
    // What is at level 1 is below the one of level 0.
    if s.task.pid.len() == 2 {
        return Ok(root);
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
