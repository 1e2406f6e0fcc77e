// SPDX-License-Identifier: GPL-2.0

//! What a procfs does not show, and why.

use super::{own_number, threads::inode};
use crate::snapshot::Snapshot;
use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open, test_kill_process},
};
use std::{
    collections::{BTreeSet, HashSet},
    fs,
    path::Path,
};

/// What was noticed to be missing.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    /// Processes that are listed and may not be read.
    pub(super) refused: usize,
    /// Parents that are not listed, or may not be read.
    pub(super) parents: BTreeSet<i32>,
    /// Tasks whose namespaces may not be read.
    pub(super) namespaces: usize,
    /// Tasks that were left out because the init of their namespace is not shown.
    pub(super) without_init: usize,
    /// Namespaces for children in which nobody is: whether they are dead is not known.
    pub(super) uncertain: usize,
}

/// What was mounted at a path with options that hide something, as `hidepid=ptraceable`.
fn mount_option(proc: &Path, name: &str) -> Option<String> {
    let proc = fs::canonicalize(proc).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let options = mounts.lines().rev().find_map(|line| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let is_it = mount.split(' ').nth(4)? == proc.to_str()?;
        is_it.then(|| filesystem.split(' ').nth(2)).flatten()
    })?;
    let mut options = options.split(',');
    let found = options.find(|option| option.split('=').next() == Some(name))?;
    (found != "hidepid=off").then(|| found.to_owned())
}

/// How many processes there are in this process's namespace that a procfs of it does not show.
fn count(proc: &Path, snapshot: &Snapshot, exclude: Option<u32>) -> Option<usize> {
    let is_own = own_number(proc)? == std::process::id()
        && inode(&proc.join("self/ns/pid")).ok() == inode(Path::new("/proc/self/ns/pid")).ok();
    let end = snapshot.pid_max.filter(|_| is_own)?;
    let mut seen: HashSet<i32> = snapshot.tasks.iter().map(|task| task.root_pid()).collect();
    seen.extend(exclude.and_then(|own| i32::try_from(own).ok()));
    let is_process = |nr: &i32| {
        let Some(pid) = Pid::from_raw(*nr) else {
            return false;
        };
        // A thread has no pidfd of this kind.
        test_kill_process(pid) != Err(Errno::SRCH) && pidfd_open(pid, PidfdFlags::empty()).is_ok()
    };
    Some(
        (1..end)
            .filter(|nr| !seen.contains(nr))
            .filter(is_process)
            .count(),
    )
}

fn processes(count: usize) -> String {
    match count {
        1 => "1 process".into(),
        more => format!("{more} processes"),
    }
}

impl Hidden {
    /// Whether processes are hidden, as far as that was noticed.
    pub(super) fn is_any(&self) -> bool {
        self.refused > 0 || !self.parents.is_empty()
    }

    /// What could not be seen, and why, in words.
    pub(super) fn tell(
        &self,
        proc: &Path,
        exclude: Option<u32>,
        snapshot: &Snapshot,
    ) -> Vec<String> {
        let mut words = Vec::new();
        let option = mount_option(proc, "hidepid");
        let own = exclude.and_then(|own| i32::try_from(own).ok());
        let mut parents = self.parents.clone();
        let has_children = own.is_some_and(|own| parents.remove(&own));
        if option.is_some() || !parents.is_empty() || self.refused > 0 {
            let why = match &option {
                Some(option) => format!("the procfs is mounted with {option}"),
                None => "this user may not see them".to_owned(),
            };
            let hidden = match count(proc, snapshot, exclude) {
                Some(all) => all,
                None => self.refused + parents.len(),
            };
            if hidden > 0 {
                words.push(format!("{} not shown: {why}", processes(hidden)));
            }
        }
        if !parents.is_empty() {
            let orphans = processes(parents.len());
            let have = if parents.len() == 1 { "has" } else { "have" };
            words.push(format!(
                "{orphans} not shown that {have} children here; their parent is said to be outside"
            ));
        }
        if has_children {
            words.push(
                "the capturing process, which has children; their parent is said to be outside"
                    .into(),
            );
        }
        match self.without_init {
            0 => {}
            1 => words.push("1 task left out: the init of its pid namespace is not shown".into()),
            more => words.push(format!(
                "{more} tasks left out: the inits of their pid namespaces are not shown"
            )),
        }
        // Before, the kernel did not show those that await their init.
        let shows_awaiting = || {
            let major = snapshot.kernel.split('.').next();
            major
                .and_then(|major| major.parse().ok())
                .is_none_or(|major: u32| major >= 7)
        };
        if self.uncertain > 0 && shows_awaiting() {
            words.push(format!(
                "whether namespaces for children in which nobody is await their init or are dead, which \
                 only root can find out: {} said to be dead",
                match self.uncertain {
                    1 => "1 is".to_owned(),
                    more => format!("{more} are"),
                }
            ));
        }
        if self.namespaces > 0 {
            words.push(format!(
                "the namespaces of {} tasks, which this user may not read: they are said to be those \
                 of the parents",
                self.namespaces
            ));
        }
        words
    }
}
