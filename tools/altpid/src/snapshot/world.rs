// SPDX-License-Identifier: GPL-2.0

//! A world as a snapshot.

use super::{Comm, Namespace, Snapshot, Task, VERSION};
use crate::{
    types::{self, Ns, NsId, TaskState},
    world::World,
};
use std::collections::{HashMap, HashSet};

/// The namespaces that a task is in or has for its children, and those above them.
fn referred(tasks: &[types::Task], namespaces: &[Ns]) -> HashSet<NsId> {
    let above: HashMap<NsId, Option<NsId>> =
        namespaces.iter().map(|ns| (ns.id, ns.parent)).collect();
    let mut found = HashSet::new();
    for task in tasks {
        let both = [Some(task.ns), task.ns_for_children];
        for ns in both.into_iter().flatten() {
            let mut next = Some(ns);
            while let Some(ns) = next.filter(|ns| above.contains_key(ns)) {
                if !found.insert(ns) {
                    break;
                }
                next = above[&ns];
            }
        }
    }
    found
}

impl Snapshot {
    /// A world as a snapshot. The id of a namespace stands for its inode. Namespaces in which nobody is
    /// and that no task has for its children are left out: only pidfds keep them.
    ///
    /// # Errors
    ///
    /// When the world cannot be read.
    pub fn of_world(world: &World) -> types::Result<Self> {
        let all = world.tasks(None)?;
        let mut namespaces = world.namespaces(None)?;
        let referred = referred(&all, &namespaces);
        namespaces.retain(|ns| ns.parent.is_none() || referred.contains(&ns.id));
        namespaces.sort_by_key(|ns| (ns.level, ns.id));
        let position: HashMap<_, _> = (0..).zip(&namespaces).map(|(i, ns)| (ns.id, i)).collect();
        let root_pid: HashMap<_, _> = all.iter().map(|task| (task.id, task.tgid[0])).collect();
        let number = |parent: Option<types::TaskId>| {
            let number = parent.and_then(|id| root_pid.get(&id));
            number.copied().unwrap_or(0)
        };
        let mut tasks: Vec<_> = all
            .iter()
            .map(|task| Task {
                pid: task.pid.clone(),
                tgid: task.tgid.clone(),
                pgid: task.pgid.clone(),
                sid: task.sid.clone(),
                ppid: number(task.parent),
                ns: position.get(&task.ns).copied().unwrap_or(0),
                ns_for_children: task
                    .ns_for_children
                    .filter(|&ns| ns != task.ns)
                    .and_then(|ns| position.get(&ns).copied()),
                state: match task.state {
                    TaskState::Running => 'S',
                    TaskState::Stopped => 'T',
                    TaskState::Exiting => 'I',
                    TaskState::Zombie => 'Z',
                },
                exiting: task.state == TaskState::Exiting,
                comm: Comm::new(&task.comm),
            })
            .collect();
        tasks.sort_by_key(Task::root_pid);
        let root = namespaces.first();
        Ok(Self {
            version: VERSION,
            kernel: "altpid".into(),
            pid_max: root.map(|root| root.pid_max),
            last_pid: root.map(|root| root.last_pid),
            namespaces: namespaces
                .iter()
                .map(|ns| Namespace {
                    parent: ns.parent.and_then(|parent| position.get(&parent).copied()),
                    level: ns.level as usize,
                    inode: Some(ns.id.0),
                    state: ns.state,
                })
                .collect(),
            tasks,
        })
    }

    /// Gives namespaces of a world the inodes that they had where they are from, by id.
    pub fn relabel(&mut self, inodes: &HashMap<NsId, u64>) {
        for ns in &mut self.namespaces {
            let known = ns.inode.and_then(|id| inodes.get(&NsId(id)));
            ns.inode = known.copied().or(ns.inode);
        }
    }
}
