// SPDX-License-Identifier: GPL-2.0

//! What must hold for namespaces: how they are nested, their inits, and where each is in its life.

use super::{LEVELS, Leaders, Problem, Snapshot, Task, ensure};
use crate::types::NsState;
use std::collections::{HashMap, HashSet};

/// What the tasks say about the namespaces, by position.
struct Peopled<'a> {
    /// Those that a task is in.
    own: HashSet<usize>,
    /// Those that a task has for its children, and those above them.
    for_children: HashSet<usize>,
    /// The inits.
    inits: HashMap<usize, &'a Task>,
    /// Processes of which a thread is alive, and of which one is exiting.
    lives: HashSet<i32>,
    exits: HashSet<i32>,
}

impl Snapshot {
    pub(super) fn check_namespaces(&self) -> Result<(), Problem> {
        ensure!(!self.namespaces.is_empty(), "there is no namespace");
        let mut inodes = HashMap::new();
        for (i, inode) in self.namespaces.iter().map(|ns| ns.inode).enumerate() {
            let other = inode.and_then(|inode| inodes.insert(inode, i));
            if let Some(other) = other {
                return Err(Problem(format!(
                    "namespace {i} has the inode of namespace {other}"
                )));
            }
        }
        for (i, ns) in self.namespaces.iter().enumerate() {
            match ns.parent {
                None => ensure!(
                    i == 0 && ns.level == 0,
                    "namespace {i} has no parent, as only the first at level 0 may"
                ),
                // Parents come first, so there can be no cycle.
                Some(parent) => ensure!(
                    parent < i && self.namespaces[parent].level + 1 == ns.level,
                    "namespace {i} at level {}: its parent {parent} is not before it and one level \
                     above",
                    ns.level
                ),
            }
            ensure!(
                ns.level < LEVELS,
                "namespace {i}: level {} is beyond 32",
                ns.level
            );
        }
        Ok(())
    }

    /// Namespaces begin and end with their pid 1; only that of the first may be missing.
    pub(super) fn check_inits(
        &self,
        leaders: &Leaders<'_>,
        alive: &HashSet<i32>,
        problems: &mut Vec<Problem>,
    ) {
        let inits: HashMap<usize, &Task> = leaders
            .values()
            .filter(|t| t.own_pid() == 1)
            .map(|&t| (t.ns, t))
            .collect();
        let check = |task: &Task| {
            for ns in self.chain(task.ns) {
                let Some(init) = inits.get(&ns) else {
                    ensure!(ns == 0, "{task}: its namespace {ns} has no pid 1");
                    continue;
                };
                ensure!(
                    alive.contains(&init.root_pid()) || task.tgid == init.pid,
                    "{task}: the init of its namespace {ns} is dead"
                );
            }
            Ok(())
        };
        problems.extend(self.tasks.iter().filter_map(|task| check(task).err()));
        let peopled = self.peopled(inits);
        let states = (0..self.namespaces.len()).map(|ns| self.check_state(ns, &peopled));
        problems.extend(states.filter_map(Result::err));
    }

    fn peopled<'a>(&'a self, inits: HashMap<usize, &'a Task>) -> Peopled<'a> {
        let mut peopled = Peopled {
            own: HashSet::new(),
            for_children: HashSet::new(),
            inits,
            lives: HashSet::new(),
            exits: HashSet::new(),
        };
        for task in &self.tasks {
            peopled.own.insert(task.ns);
            let mut next = task.ns_for_children;
            while let Some(ns) = next.filter(|&ns| peopled.for_children.insert(ns)) {
                next = self.namespaces[ns].parent;
            }
            if task.exiting {
                peopled.exits.insert(task.tgid[0]);
            } else if !task.is_zombie() {
                peopled.lives.insert(task.tgid[0]);
            }
        }
        peopled
    }

    /// What the state of a namespace says about the tasks.
    fn check_state(&self, ns: usize, tasks: &Peopled<'_>) -> Result<(), Problem> {
        let is_peopled = tasks.own.contains(&ns);
        match self.namespaces[ns].state {
            NsState::Active => {
                ensure!(ns == 0 || is_peopled, "namespace {ns}: nobody is in it");
            }
            NsState::Dying => {
                let init = tasks.inits.get(&ns).map_or(0, |init| init.root_pid());
                ensure!(
                    tasks.exits.contains(&init) && !tasks.lives.contains(&init),
                    "namespace {ns}: it is dying, and its init is not exiting"
                );
            }
            state => {
                ensure!(
                    !is_peopled,
                    "namespace {ns}: it is {state}, and a task is in it"
                );
                ensure!(
                    ns > 0 && tasks.for_children.contains(&ns),
                    "namespace {ns}: it is {state}, and no task has it for its children"
                );
                let above = self.namespaces[ns].parent;
                let above = above.map_or(NsState::Active, |above| self.namespaces[above].state);
                ensure!(
                    above != NsState::AwaitingInit
                        && (above != NsState::Dead || state == NsState::Dead),
                    "namespace {ns}: it is {state}, and the one above is {above}"
                );
            }
        }
        Ok(())
    }
}
