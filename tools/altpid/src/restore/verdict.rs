// SPDX-License-Identifier: GPL-2.0

//! Whether a world is what a snapshot says.

use super::{Restored, Verdict};
use crate::{
    snapshot::{self, Numbers, Snapshot},
    types::{Ns, NsId, Task, TaskId, TaskState},
};
use anyhow::Result;
use std::collections::{HashMap, HashSet};

impl Restored {
    /// Compares the world with the snapshot in everything that a snapshot holds: every number of every
    /// task, parents, namespaces and those for children, states, names, and the limits at level 0. A
    /// task that could not be in its state ([`Restored::altered`]) is not compared in that.
    ///
    /// # Errors
    ///
    /// When the world cannot be read back.
    pub fn verify(&self, snapshot: &Snapshot) -> Result<Verdict> {
        let all = self.world.tasks(None)?;
        let spaces: HashMap<NsId, Ns> = {
            let all = self.world.namespaces(None)?.into_iter();
            all.map(|ns| (ns.id, ns)).collect()
        };
        let by_id: HashMap<TaskId, &Task> = all.iter().map(|task| (task.id, task)).collect();
        let mut verdict = Verdict {
            tasks: snapshot.tasks.len(),
            namespaces: snapshot.namespaces.len(),
            altered: self.altered.len(),
            ..Verdict::default()
        };
        for (index, (wanted, id)) in snapshot.tasks.iter().zip(&self.tasks).enumerate() {
            let is_altered = self.altered.contains(&index);
            match by_id.get(id) {
                Some(found) => {
                    self.compare(wanted, found, &mut verdict);
                    if !is_altered {
                        self.compare_state(wanted, found, &mut verdict);
                        self.compare_parent(wanted, found, &by_id, &mut verdict);
                    }
                }
                None if is_altered => {}
                None => verdict.mismatches.push(format!("{wanted}: not there")),
            }
        }
        self.compare_namespaces(snapshot, &spaces, &mut verdict);
        if !self.is_shared {
            self.compare_header(snapshot, &spaces, &mut verdict)?;
        }
        let expected: HashSet<_> = self.tasks.iter().collect();
        let init = self.world.info()?.init;
        for task in &all {
            if !self.is_shared && !expected.contains(&task.id) && task.id != init {
                let pid = Numbers(&task.pid);
                verdict
                    .mismatches
                    .push(format!("task {pid}: not in the snapshot"));
            }
        }
        let audit = self.world.audit()?;
        if audit.broken != 0 {
            verdict.mismatches.push(format!(
                "{} broken invariants: {}",
                audit.broken, audit.what
            ));
        }
        Ok(verdict)
    }

    fn compare(&self, wanted: &snapshot::Task, found: &Task, verdict: &mut Verdict) {
        for (name, wanted_nr, found_nr) in [
            ("pid", &wanted.pid, &found.pid),
            ("tgid", &wanted.tgid, &found.tgid),
            ("pgid", &wanted.pgid, &found.pgid),
            ("sid", &wanted.sid, &found.sid),
        ] {
            verdict.numbers += wanted_nr.len();
            if wanted_nr != found_nr {
                verdict.mismatches.push(format!(
                    "{wanted}: {name} is {}, was {}",
                    Numbers(found_nr),
                    Numbers(wanted_nr)
                ));
            }
        }
        if self.namespaces.get(wanted.ns).copied().flatten() != Some(found.ns) {
            verdict
                .mismatches
                .push(format!("{wanted}: it is in another namespace"));
        }
        // The kernel's name of a task has 15 bytes.
        let comm = wanted.comm.as_bytes();
        let is_kept = self.is_shared && found.pid == [1];
        if found.comm != comm[..comm.len().min(15)] && !is_kept {
            verdict
                .mismatches
                .push(format!("{wanted}: it has another name"));
        }
    }

    /// Where a task is in its life, and where its children are born.
    fn compare_state(&self, wanted: &snapshot::Task, found: &Task, verdict: &mut Verdict) {
        let was = match wanted {
            task if task.is_zombie() => TaskState::Zombie,
            task if task.exiting => TaskState::Exiting,
            task if task.is_stopped() => TaskState::Stopped,
            _ => TaskState::Running,
        };
        if was != found.state {
            let is = found.state;
            verdict
                .mismatches
                .push(format!("{wanted}: it is {is}, was {was}"));
        }
        if was == TaskState::Zombie || was == TaskState::Exiting {
            return;
        }
        let ns = wanted.ns_for_children.unwrap_or(wanted.ns);
        if self.namespaces.get(ns).copied().flatten() != found.ns_for_children {
            verdict
                .mismatches
                .push(format!("{wanted}: its children are born elsewhere"));
        }
    }

    fn compare_parent(
        &self,
        wanted: &snapshot::Task,
        found: &Task,
        by_id: &HashMap<TaskId, &Task>,
        verdict: &mut Verdict,
    ) {
        let parent = found.parent.and_then(|id| by_id.get(&id));
        let ppid = parent.map_or(0, |parent| parent.tgid[0]);
        verdict.numbers += 1;
        if ppid != wanted.ppid {
            let was = wanted.ppid;
            verdict
                .mismatches
                .push(format!("{wanted}: its parent is {ppid}, was {was}"));
        }
    }

    fn compare_namespaces(
        &self,
        snapshot: &Snapshot,
        found: &HashMap<NsId, Ns>,
        verdict: &mut Verdict,
    ) {
        let names = snapshot.ns_names();
        for (i, wanted) in snapshot.namespaces.iter().enumerate() {
            let name = names[i];
            let Some(ns) = self.namespaces[i].and_then(|id| found.get(&id)) else {
                verdict
                    .mismatches
                    .push(format!("namespace {name}: it is not there"));
                continue;
            };
            let above = wanted.parent.and_then(|parent| self.namespaces[parent]);
            if ns.parent != above {
                verdict
                    .mismatches
                    .push(format!("namespace {name}: it is below another one"));
            }
            // What dies with nothing to wait for is dead at once, which is said about its init.
            let mut inits = snapshot.tasks.iter().enumerate();
            let is_altered = inits.any(|(index, task)| {
                task.ns == i && task.tgid.ends_with(&[1]) && self.altered.contains(&index)
            });
            if ns.state != wanted.state && !is_altered {
                verdict.mismatches.push(format!(
                    "namespace {name}: it is {}, was {}",
                    ns.state, wanted.state
                ));
            }
        }
    }

    /// The limits at level 0, as far as the snapshot has them and a kernel takes them.
    fn compare_header(
        &self,
        snapshot: &Snapshot,
        found: &HashMap<NsId, Ns>,
        verdict: &mut Verdict,
    ) -> Result<()> {
        let root = self.world.info()?.root_ns;
        let Some(root) = found.get(&root) else {
            return Ok(());
        };
        let last = |&last: &i32| (0..=root.pid_max).contains(&last);
        for (name, was, is) in [
            (
                "pid_max",
                snapshot.pid_max.filter(|&max| max >= 301),
                root.pid_max,
            ),
            ("last_pid", snapshot.last_pid.filter(last), root.last_pid),
        ] {
            if was.is_some_and(|was| was != is) {
                let was = was.unwrap_or_default();
                verdict
                    .mismatches
                    .push(format!("{name}: it is {is}, was {was}"));
            }
        }
        Ok(())
    }
}
