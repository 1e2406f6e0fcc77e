// SPDX-License-Identifier: GPL-2.0

//! In which order processes are made: what each one needs, and what to do when they need each
//! other.

use super::{Item, Planner, innermost};
use crate::snapshot::{Problem, Task};
use std::collections::{HashMap, VecDeque};

impl Planner<'_> {
    /// The leader with a number, alive or stood in for; `None` for number 0.
    pub(super) fn leader(&self, number: i32) -> Option<Item> {
        match self.leaders.get(&number) {
            Some(&index) => Some(Item::Process(index)),
            None => (number != 0).then_some(Item::StandIn(number)),
        }
    }

    /// By whom an item must be cloned; `None` when that is [`Planner::outsider`] or anybody.
    pub(super) fn cloner(&self, item: Item, late: bool) -> Option<Item> {
        match item {
            Item::Process(index) => {
                let task = self.task(index);
                if task.sid == task.pid {
                    self.leaders
                        .get(&task.ppid)
                        .map(|&parent| Item::Process(parent))
                } else if task.pgid == task.pid || late || self.left.contains(&index) {
                    self.leader(task.sid[0])
                } else {
                    self.leader(task.pgid[0])
                }
            }
            Item::StandIn(number) => {
                let sid = self.dead[&number].sid;
                if sid == number {
                    None
                } else {
                    self.leader(sid)
                }
            }
        }
    }

    /// What must be there before an item can be made.
    fn needs(&self, item: Item, late: bool) -> Vec<Item> {
        let mut needs: Vec<_> = self.cloner(item, late).into_iter().collect();
        let ns = match item {
            Item::Process(index) => {
                let task = self.task(index);
                needs.extend(
                    self.leaders
                        .get(&task.ppid)
                        .map(|&parent| Item::Process(parent)),
                );
                if task.own_pid() == 1 {
                    self.snapshot.namespaces[task.ns].parent
                } else {
                    Some(task.ns)
                }
            }
            Item::StandIn(number) => Some(self.dead[&number].ns),
        };
        let init = ns.filter(|&ns| ns != 0).and_then(|ns| self.inits.get(&ns));
        needs.extend(init.map(|&init| Item::Process(init)));
        needs.retain(|need| *need != item);
        needs
    }

    /// Makes every process and every stand-in, each after what it needs.
    pub(super) fn make_processes(&mut self) -> Result<(), Problem> {
        let mut numbers: Vec<_> = self
            .leaders
            .iter()
            .map(|(&nr, &i)| (nr, Item::Process(i)))
            .collect();
        numbers.extend(self.dead.keys().map(|&nr| (nr, Item::StandIn(nr))));
        numbers.sort_by_key(|(nr, _)| *nr);
        let mut waiting: HashMap<Item, Vec<Item>> = HashMap::new();
        let mut missing: HashMap<Item, usize> = HashMap::new();
        let mut ready = VecDeque::new();
        for &(_, item) in numbers
            .iter()
            .filter(|(_, item)| !self.made.contains_key(item))
        {
            let mut needs = self.needs(item, false);
            needs.retain(|need| !self.made.contains_key(need));
            missing.insert(item, needs.len());
            if needs.is_empty() {
                ready.push_back(item);
            }
            for need in needs {
                waiting.entry(need).or_default().push(item);
            }
        }
        loop {
            while let Some(item) = ready.pop_front() {
                if self.made.contains_key(&item) {
                    continue;
                }
                let who = self.make(item);
                self.made.insert(item, who);
                missing.remove(&item);
                for other in waiting.remove(&item).unwrap_or_default() {
                    if let Some(count) = missing.get_mut(&other) {
                        *count -= 1;
                        if *count == 0 {
                            ready.push_back(other);
                        }
                    }
                }
            }
            // Who waits for the leader of its group, and the leader for it: joins the group later.
            numbers.retain(|(_, item)| missing.contains_key(item));
            let late = numbers
                .iter()
                .find_map(|&(_, item)| Some((item, self.could_join_later(item)?)));
            match (late, numbers.first()) {
                (None, None) => return Ok(()),
                (None, Some(&(_, Item::Process(index)))) => {
                    return Err(Problem(format!(
                        "{}: no order was found in which its parent, session and process group come about",
                        self.task(index)
                    )));
                }
                (None, Some((number, Item::StandIn(_)))) => {
                    return Err(Problem(format!(
                        "no order was found in which the process group or session {number} comes about"
                    )));
                }
                (Some((item, index)), _) => {
                    self.late.insert(index);
                    ready.push_back(item);
                }
            }
        }
    }

    /// The process that an item is, if it can be made without its group and join that later.
    fn could_join_later(&self, item: Item) -> Option<usize> {
        let Item::Process(index) = item else {
            return None;
        };
        let task = self.task(index);
        let joins = task.pgid != task.pid
            && (innermost(&task.pgid) != 0 || self.parent_can_put(task).is_some());
        let is_free = || {
            let needs = self.needs(item, true);
            needs.iter().all(|need| self.made.contains_key(need))
        };
        (joins && is_free()).then_some(index)
    }

    /// The parent of a task and its process group as the parent sees that, if the parent can put the
    /// task there.
    pub(super) fn parent_can_put(&self, task: &Task) -> Option<(Item, usize)> {
        let &index = self.leaders.get(&task.ppid)?;
        let parent = self.task(index);
        let level = self.snapshot.namespaces[parent.ns].level;
        (parent.sid[0] == task.sid[0] && task.pgid[level] != 0)
            .then_some((Item::Process(index), level))
    }
}
