// SPDX-License-Identifier: GPL-2.0

//! A model as a snapshot.

use super::{Model, NsNr};
use altpid::{
    NsState,
    snapshot::{Namespace, Snapshot, Task, VERSION},
};
use std::collections::HashMap;

impl Model {
    /// The tree. Namespaces in which nobody is are left out.
    pub fn snapshot(&self) -> Snapshot {
        let root_nr = |pid| self.nr(pid, 0);
        let mut all: Vec<_> = (0..self.spaces.len())
            .filter_map(|ns| {
                let mut inits = self.tasks.values().filter(|t| t.ns == ns);
                let init = inits.find(|t| self.nr(t.pid, ns) == 1)?;
                Some((self.spaces[ns].level, root_nr(init.pid), ns))
            })
            .collect();
        all.sort_unstable();
        let position: HashMap<NsNr, usize> = all
            .iter()
            .enumerate()
            .map(|(i, &(.., ns))| (ns, i))
            .collect();
        let mut tasks: Vec<_> = self
            .tasks
            .values()
            .map(|task| {
                let group = &self.groups[&task.group];
                let vector = |pid| self.vector(pid, task.ns);
                let elsewhere = task.is_alive && task.ns_for_children != task.ns;
                Task {
                    pid: vector(Some(task.pid)),
                    tgid: vector(Some(group.tgid)),
                    pgid: vector(group.pgid),
                    sid: vector(group.sid),
                    ppid: group
                        .parent
                        .map_or(0, |parent| root_nr(self.groups[&parent].tgid)),
                    ns: position[&task.ns],
                    ns_for_children: elsewhere
                        .then(|| position.get(&task.ns_for_children).copied())
                        .flatten(),
                    state: if task.is_alive { 'S' } else { 'Z' },
                    exiting: false,
                    comm: task.comm.clone(),
                }
            })
            .collect();
        tasks.sort_by_key(Task::root_pid);
        Snapshot {
            version: VERSION,
            kernel: "model".into(),
            pid_max: Some(self.spaces[0].pid_max),
            last_pid: Some(self.spaces[0].last_pid),
            namespaces: all
                .iter()
                .map(|&(level, inode, ns)| Namespace {
                    parent: self.spaces[ns].parent.map(|parent| position[&parent]),
                    level,
                    inode: Some(inode as u64),
                    state: NsState::Active,
                })
                .collect(),
            tasks,
        }
    }
}
