// SPDX-License-Identifier: GPL-2.0

//! What keeps a namespace from going, as far as a view shows it.

use super::View;
use crate::types::{Blocker, NsId, NsState, TaskId, TaskState};
use std::collections::{BTreeMap, HashMap};

impl View {
    /// What keeps a namespace from going, in the order of [`World::blockers`](crate::World::blockers):
    /// by number, then tasks that have it for their children, then the namespaces right below. Pidfds
    /// are not seen.
    pub fn blockers(&self, id: NsId) -> Vec<Blocker> {
        let Some(ns) = self.ns(id) else {
            return Vec::new();
        };
        let level = ns.level as usize;
        let is_ending = matches!(ns.state, NsState::Dying | NsState::Dead);
        let init = ns.child_reaper.and_then(|init| self.task(init));
        let members = || {
            let members = self.tasks.iter();
            members.filter(|task| self.is_ancestor_or_self(id, task.ns))
        };
        let mut by_number = BTreeMap::new();
        let mut groups = HashMap::new();
        for task in members() {
            let nr = task.pid[level];
            for vector in [&task.tgid, &task.pgid, &task.sid] {
                groups.entry(vector[level]).or_insert(task.id);
            }
            // An init that is exiting does not wait for itself.
            if is_ending && init.is_some_and(|init| init.id == task.leader) {
                continue;
            }
            let blocker = match task.state {
                TaskState::Zombie => Blocker::Zombie {
                    nr,
                    task: task.id,
                    waits_for: self.waits_for(task.id),
                },
                _ => Blocker::Alive { nr, task: task.id },
            };
            by_number.insert(nr, blocker);
        }
        for (nr, task) in groups {
            let is_init = init.is_some_and(|init| init.pid[level] == nr);
            if nr != 0 && !is_init {
                by_number.entry(nr).or_insert(Blocker::Number { nr, task });
            }
        }
        let mut blockers: Vec<_> = by_number.into_values().collect();
        blockers.extend(
            self.tasks
                .iter()
                .filter(|task| task.ns_for_children == Some(id) && task.ns != id)
                .map(|task| Blocker::ForChildren { task: task.id }),
        );
        let below = self.namespaces.iter().filter(|ns| ns.parent == Some(id));
        blockers.extend(below.map(|ns| Blocker::Namespace { ns: ns.id }));
        blockers
    }

    /// Whom a dead task waits for: a live thread of its process, else its parent.
    fn waits_for(&self, id: TaskId) -> Option<TaskId> {
        let task = self.task(id)?;
        let mut threads = self
            .tasks
            .iter()
            .filter(|other| other.leader == task.leader);
        let alive = threads.find(|other| other.id != id && other.state != TaskState::Zombie);
        alive.map(|other| other.id).or(task.parent)
    }
}
