// SPDX-License-Identifier: GPL-2.0

//! What there is to see, in a world or in a snapshot: one form for both.

mod blockers;

use crate::{
    snapshot::{self, Snapshot},
    types::{Ns, NsId, Result, Task, TaskId, TaskState},
    world::World,
};
use std::collections::{HashMap, HashSet};

/// The tasks and namespaces of a world at some moment, or of a snapshot.
///
/// # Examples
///
/// ```
/// use altpid::{snapshot::Snapshot, view::View};
///
/// let text = r#"{"version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": null,
///     "namespaces": [{"parent": null, "level": 0, "inode": 4026531836}],
///     "tasks": [{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
///                "ppid": 0, "ns": 0, "state": "S", "comm": "init"}]}"#;
/// let view = View::of_snapshot(&Snapshot::parse(text.as_bytes())?);
/// let root = view.named(4026531836).expect("the namespace of level 0");
/// assert_eq!(view.find(root.id, 1).map(|task| task.pid.clone()), Some(vec![1]));
/// # Ok::<(), altpid::snapshot::Problem>(())
/// ```
///
/// A snapshot has no ids: there the number at level 0 stands for a task, and the inode for a
/// namespace.
#[derive(Clone, Debug)]
pub struct View {
    /// The tasks, in the order of their numbers at level 0.
    pub tasks: Vec<Task>,
    /// The namespaces, those above first.
    pub namespaces: Vec<Ns>,
    /// Whether it is of a snapshot, in which less is known.
    pub is_snapshot: bool,
    task_at: HashMap<TaskId, usize>,
    ns_at: HashMap<NsId, usize>,
    inodes: HashMap<NsId, u64>,
}

impl View {
    fn new(mut tasks: Vec<Task>, mut namespaces: Vec<Ns>, is_snapshot: bool) -> Self {
        tasks.sort_by_key(|task| task.pid[0]);
        namespaces.sort_by_key(|ns| (ns.level, ns.id));
        Self {
            task_at: (0..).zip(&tasks).map(|(i, task)| (task.id, i)).collect(),
            ns_at: (0..).zip(&namespaces).map(|(i, ns)| (ns.id, i)).collect(),
            tasks,
            namespaces,
            is_snapshot,
            inodes: HashMap::new(),
        }
    }

    /// What is in a world. Tasks that come and go meanwhile may be in it or not.
    ///
    /// # Errors
    ///
    /// As [`World::tasks`].
    pub fn of_world(world: &World) -> Result<Self> {
        // Who is there has a namespace, which is listed after it.
        let tasks = world.tasks(None)?;
        Ok(Self::new(tasks, world.namespaces(None)?, false))
    }

    /// The namespaces of a world, and no tasks.
    ///
    /// # Errors
    ///
    /// As [`World::namespaces`].
    pub fn of_namespaces(world: &World) -> Result<Self> {
        Ok(Self::new(Vec::new(), world.namespaces(None)?, false))
    }

    /// The same view of a world whose namespaces are restored ones, with the inodes that they had where
    /// they are from, by id.
    pub fn with_inodes(mut self, inodes: HashMap<NsId, u64>) -> Self {
        self.inodes = inodes;
        self
    }

    /// What is in a checked snapshot.
    pub fn of_snapshot(snapshot: &Snapshot) -> Self {
        let names = snapshot.ns_names();
        let ns_id = |position: usize| NsId(names[position]);
        let task_id = |nr: i32| TaskId(u64::from(nr.unsigned_abs()));
        let lives = |task: &snapshot::Task| !task.is_zombie() && !task.exiting;
        let mut live: HashMap<i32, u32> = HashMap::new();
        for task in snapshot.tasks.iter().filter(|task| lives(task)) {
            *live.entry(task.tgid[0]).or_default() += 1;
        }
        let tasks = snapshot.tasks.iter().map(|task| Task {
            id: task_id(task.root_pid()),
            leader: task_id(task.tgid[0]),
            parent: (task.ppid != 0).then(|| task_id(task.ppid)),
            ns: ns_id(task.ns),
            ns_for_children: lives(task).then(|| ns_id(task.ns_for_children.unwrap_or(task.ns))),
            state: match task {
                task if task.is_zombie() => TaskState::Zombie,
                task if task.exiting => TaskState::Exiting,
                task if task.is_stopped() || task.is_traced() => TaskState::Stopped,
                _ => TaskState::Running,
            },
            is_reaper: task.is_leader() && task.own_pid() == 1,
            is_autoreap: false,
            is_subreaper: false,
            is_in_vfork: false,
            native: None,
            exit_code: 0,
            exit_signal: if task.is_leader() { 17 } else { -1 },
            nr_threads: live.get(&task.tgid[0]).copied().unwrap_or(0),
            comm: task.comm.as_bytes().to_owned(),
            pid: task.pid.clone(),
            tgid: task.tgid.clone(),
            pgid: task.pgid.clone(),
            sid: task.sid.clone(),
        });
        let mut view = Self::new(tasks.collect(), Vec::new(), true);
        // Numbers in use: of tasks, and those that only a process group or a session has.
        let mut used = vec![HashSet::new(); snapshot.namespaces.len()];
        for task in &snapshot.tasks {
            for (level, ns) in snapshot.chain(task.ns).into_iter().enumerate() {
                let vectors = [&task.pid, &task.tgid, &task.pgid, &task.sid];
                let numbers = vectors.into_iter().map(|vector| vector[level]);
                used[ns].extend(numbers.filter(|&nr| nr != 0));
            }
        }
        let referred: HashSet<NsId> = view
            .tasks
            .iter()
            .flat_map(|task| [Some(task.ns), task.ns_for_children])
            .flatten()
            .collect();
        let inits: HashMap<NsId, &Task> = view
            .tasks
            .iter()
            .filter(|task| task.is_reaper)
            .map(|task| (task.ns, task))
            .collect();
        view.namespaces = snapshot
            .namespaces
            .iter()
            .enumerate()
            .map(|(i, ns)| Ns {
                id: ns_id(i),
                parent: ns.parent.map(ns_id),
                child_reaper: inits.get(&ns_id(i)).map(|init| init.id),
                state: ns.state,
                level: ns.level as u32,
                pid_max: snapshot.pid_max.filter(|_| i == 0).unwrap_or(0),
                last_pid: snapshot.last_pid.filter(|_| i == 0).unwrap_or(0),
                nr_pids: u32::try_from(used[i].len()).unwrap_or(u32::MAX),
                map_bytes: 0,
                is_active: referred.contains(&ns_id(i)),
            })
            .collect();
        view.inodes = (0..snapshot.namespaces.len())
            .filter_map(|i| Some((ns_id(i), snapshot.namespaces[i].inode?)))
            .collect();
        view.ns_at = (0..)
            .zip(&view.namespaces)
            .map(|(i, ns)| (ns.id, i))
            .collect();
        view
    }

    /// The inode that a namespace has or had, if that is known.
    pub fn inode(&self, ns: NsId) -> Option<u64> {
        self.inodes.get(&ns).copied()
    }

    /// What a namespace is called: its inode where that is known, else its id.
    pub fn name(&self, ns: NsId) -> u64 {
        self.inode(ns).unwrap_or(ns.0)
    }

    /// The namespace that is called so: by its inode, else by its id.
    pub fn named(&self, name: u64) -> Option<&Ns> {
        let mut by_inode = self.inodes.iter().filter(|(_, inode)| **inode == name);
        let id = by_inode.next().map_or(NsId(name), |(&id, _)| id);
        self.ns(id)
    }

    /// A task by its id.
    pub fn task(&self, id: TaskId) -> Option<&Task> {
        self.task_at.get(&id).map(|&at| &self.tasks[at])
    }

    /// A namespace by its id.
    pub fn ns(&self, id: NsId) -> Option<&Ns> {
        self.ns_at.get(&id).map(|&at| &self.namespaces[at])
    }

    /// The namespace at level 0.
    pub fn root(&self) -> Option<&Ns> {
        self.namespaces.first()
    }

    /// A namespace and those above it, up to level 0.
    pub fn upwards(&self, ns: NsId) -> impl Iterator<Item = &Ns> {
        std::iter::successors(self.ns(ns), |ns| self.ns(ns.parent?))
    }

    /// Whether `upper` is `lower` or above it.
    pub fn is_ancestor_or_self(&self, upper: NsId, lower: NsId) -> bool {
        self.upwards(lower).any(|ns| ns.id == upper)
    }

    /// Who has a number in a namespace.
    pub fn find(&self, ns: NsId, nr: i32) -> Option<&Task> {
        let level = self.ns(ns)?.level as usize;
        self.tasks
            .iter()
            .find(|task| task.pid.get(level) == Some(&nr) && self.is_ancestor_or_self(ns, task.ns))
    }

    /// What number `nr` of namespace `from` is in every namespace in which whoever it names, be it a
    /// task, a process group or a session, has one: those from level 0 to its own. `None` for a
    /// number that is not in use.
    pub fn vector(&self, from: NsId, nr: i32) -> Option<Vec<(NsId, i32)>> {
        let level = self.ns(from)?.level as usize;
        // Who is called so; of several that see it, the one that sees deepest.
        let seen = |task: &Task| {
            let vectors = [&task.pid, &task.tgid, &task.pgid, &task.sid];
            let seen = vectors
                .into_iter()
                .filter(|vector| vector.get(level) == Some(&nr));
            seen.max_by_key(|vector| vector.iter().take_while(|&&nr| nr != 0).count())
                .cloned()
        };
        let (ns, vector) = self
            .tasks
            .iter()
            .filter(|task| self.is_ancestor_or_self(from, task.ns))
            .filter_map(|task| Some((task.ns, seen(task)?)))
            .max_by_key(|(_, vector)| vector.iter().take_while(|&&nr| nr != 0).count())?;
        let mut chain: Vec<_> = self.upwards(ns).map(|ns| ns.id).collect();
        chain.reverse();
        let numbers = chain.into_iter().zip(vector);
        Some(numbers.filter(|&(_, nr)| nr != 0).collect())
    }
}
