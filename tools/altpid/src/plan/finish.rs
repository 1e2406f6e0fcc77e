// SPDX-License-Identifier: GPL-2.0

//! When everybody is there: helpers and the dead go, namespaces for children are joined, what is dying
//! begins to die, and what was stopped is stopped.

use super::{Birth, INIT, Op, Planner, Role, Who};
use crate::{snapshot::Task, types::NsState};
use std::collections::{BTreeMap, HashMap, HashSet};

impl Planner<'_> {
    /// Everything that comes after the tasks are made. A namespace is joined before its init exits: the
    /// other way round there would be no init to make it with.
    pub(super) fn finish(&mut self) {
        let cast: Vec<_> = self.plan.cast.iter().copied().enumerate().collect();
        for &(who, role) in &cast {
            if role == Role::Helper && who != INIT && !self.gone.contains(&who) {
                self.plan.ops.push(Op::Exit(who, true));
            }
        }
        let tasks: Vec<(Who, usize)> = cast
            .iter()
            .filter_map(|&(who, role)| match role {
                Role::Task(index) => Some((who, index)),
                Role::Helper => None,
            })
            .collect();
        let dead = self.make_dead_namespaces();
        self.join_for_children(&tasks);
        for init in dead.into_iter().rev() {
            self.plan.ops.push(Op::Exit(init, true));
        }
        let threads = self.snapshot.tasks.iter().filter(|t| !t.is_leader());
        let threaded: HashSet<i32> = threads.map(|t| t.tgid[0]).collect();
        self.note_what_dies();
        self.end_the_dead(&tasks, &threaded);
        self.let_die(&tasks, &threaded);
        self.stop(&tasks);
        if self.site.is_some() {
            return;
        }
        let pid_max = self.snapshot.pid_max.filter(|&max| max >= 301);
        if let Some(max) = pid_max.filter(|&max| max != self.root_pid_max()) {
            self.plan.ops.push(Op::PidMax(max));
        }
        if let (None, Some(max)) = (pid_max, self.snapshot.pid_max) {
            let note = format!("pid_max {max} is lower than a kernel takes; it is another one");
            self.plan.notes.push(note);
        }
        let end = pid_max.unwrap_or_else(|| self.root_pid_max());
        if let Some(last) = self.snapshot.last_pid {
            if (0..=end).contains(&last) {
                self.plan.ops.push(Op::LastPid(last));
            } else {
                let note = format!("the last number given, {last}, is beyond pid_max");
                self.plan.notes.push(note);
            }
        }
    }

    /// A task that the world will have in another state than it was in, and why.
    fn alter(&mut self, index: usize, why: &str) {
        if self.plan.altered.insert(index) {
            let task = self.task(index);
            self.plan.notes.push(format!("{task}: {why}"));
        }
    }

    /// Makes an init in each namespace that is dead, those above first; it is to exit when the namespace
    /// was joined.
    fn make_dead_namespaces(&mut self) -> Vec<Who> {
        let mut inits: BTreeMap<usize, Who> = BTreeMap::new();
        for ns in 1..self.snapshot.namespaces.len() {
            let space = &self.snapshot.namespaces[ns];
            let Some(above) = space.parent.filter(|_| space.state == NsState::Dead) else {
                continue;
            };
            let (by, is_helper) = match inits.get(&above) {
                Some(&init) => (init, false),
                None => (self.make_helper(INIT, above), true),
            };
            let init = self.make_helper_init(by, ns);
            if is_helper {
                self.dismiss(by);
            }
            inits.insert(ns, init);
        }
        inits.into_values().collect()
    }

    /// The namespaces in which children will be born. Those that await their init are made first, each
    /// by a task that lives right above, so that others can join them.
    fn join_for_children(&mut self, tasks: &[(Who, usize)]) {
        let mut unshared = HashSet::new();
        let mut others = Vec::new();
        for &(who, index) in tasks {
            let task = self.task(index);
            if task.is_zombie() || task.exiting {
                continue;
            }
            let ns = task.ns_for_children.unwrap_or(task.ns);
            let awaits = self.snapshot.namespaces[ns].state == NsState::AwaitingInit;
            let above = self.snapshot.namespaces[ns].parent;
            if awaits && above == Some(task.ns) && unshared.insert(ns) {
                self.unshare(who, ns);
            } else {
                others.push((who, index, ns, awaits));
            }
        }
        for (who, index, ns, awaits) in others {
            if awaits && !unshared.contains(&ns) {
                self.alter(
                    index,
                    "the namespace for its children awaits its init, and was made from elsewhere",
                );
            } else {
                self.set_ns(who, ns);
            }
        }
    }

    /// Whether a namespace is dying, or one above it.
    fn is_dying(&self, ns: usize) -> bool {
        let is_dying = |ns: &usize| self.snapshot.namespaces[*ns].state == NsState::Dying;
        self.snapshot.chain(ns).iter().any(is_dying)
    }

    /// Whether a task is in the process of the init of a namespace that is dying.
    fn is_dying_init(&self, task: &Task) -> bool {
        let is_init = task.tgid.last() == Some(&1) && task.ns > 0;
        is_init && self.snapshot.namespaces[task.ns].state == NsState::Dying
    }

    /// Notes what becomes of those in dying namespaces, where a virtual task that is killed is dead at
    /// once, and a dead one whose parent is killed is reaped.
    fn note_what_dies(&mut self) {
        for (index, task) in self.snapshot.tasks.iter().enumerate() {
            if !task.is_leader() && task.is_zombie() {
                self.alter(index, "a thread that is dead and not reaped is alive");
                continue;
            }
            let leader = self.leaders.get(&task.tgid[0]).map(|&at| self.task(at));
            let is_second = !task.is_leader() && leader.is_some_and(|leader| leader.exiting);
            if task.exiting && is_second && self.is_dying_init(task) {
                self.alter(index, "a thread that was exiting is gone");
                continue;
            }
            if !self.is_dying(task.ns) {
                if task.exiting {
                    let why = match task.ppid {
                        _ if !task.is_leader() => "a thread that was exiting is alive",
                        0 => "it was exiting, and stays alive: its parent is outside",
                        _ => "it was exiting, and is a zombie",
                    };
                    self.alter(index, why);
                }
                continue;
            }
            let parent = self.leaders.get(&task.ppid).map(|&at| self.task(at));
            let is_held = parent.is_some_and(|parent| !self.is_dying(parent.ns));
            if self.is_dying_init(task) {
                if task.exiting && !self.is_held_open(task) {
                    self.alter(index, "nothing is left that it could wait for: it is dead");
                }
            } else if !task.is_zombie() {
                self.alter(index, "alive in a namespace that is dying, it is killed");
            } else if !is_held {
                self.alter(
                    index,
                    "its namespace is dying and its parent too, so that it is reaped",
                );
            }
        }
    }

    /// Whether somebody in the namespace of a dying init is dead and will not be reaped, for the parent
    /// lives elsewhere.
    fn is_held_open(&self, init: &Task) -> bool {
        self.snapshot.tasks.iter().any(|task| {
            let parent = self.leaders.get(&task.ppid).map(|&at| self.task(at));
            task.is_leader()
                && task.is_zombie()
                && task.tgid != init.tgid
                && self.snapshot.is_ancestor_or_self(init.ns, task.ns)
                && parent.is_some_and(|parent| !self.is_dying(parent.ns))
        })
    }

    /// Those that are dead exit, and those that were exiting.
    fn end_the_dead(&mut self, tasks: &[(Who, usize)], threaded: &HashSet<i32>) {
        for &(who, index) in tasks {
            let task = self.task(index);
            let ends = task.is_zombie() || task.exiting && !self.is_dying_init(task);
            if !ends || !task.is_leader() {
                continue;
            }
            let has_threads = threaded.contains(&task.root_pid());
            if task.ppid == 0 && !has_threads {
                self.alter(index, "a zombie whose parent is outside stays alive");
                continue;
            }
            self.plan.ops.push(Op::Exit(who, !has_threads));
        }
    }

    /// The inits of dying namespaces begin to take them along, those below first.
    fn let_die(&mut self, tasks: &[(Who, usize)], threaded: &HashSet<i32>) {
        let mut dying: BTreeMap<usize, (Who, usize)> = BTreeMap::new();
        for &(who, index) in tasks {
            let task = self.task(index);
            if task.exiting && self.is_dying_init(task) {
                dying.entry(task.ns).or_insert((who, index));
            }
        }
        for (who, index) in dying.into_values().rev() {
            let task = self.task(index);
            let ends_outside = task.ppid == 0 && self.plan.altered.contains(&index);
            if ends_outside && !threaded.contains(&task.tgid[0]) {
                self.plan
                    .notes
                    .push(format!("{task}: it stays alive, as its parent is outside"));
                continue;
            }
            self.plan.ops.push(Op::Exit(who, true));
        }
    }

    /// What was stopped is stopped.
    fn stop(&mut self, tasks: &[(Who, usize)]) {
        let mut stopped: HashMap<i32, Who> = HashMap::new();
        let lives = |task: &Task| !task.is_zombie() && !task.exiting;
        for &(who, index) in tasks {
            let task = self.task(index);
            if task.is_traced() {
                self.alter(
                    index,
                    "a tracer has stopped it, and a world has none: it runs",
                );
            } else if task.is_stopped() && lives(task) && !self.is_dying(task.ns) {
                stopped.entry(task.tgid[0]).or_insert(who);
            }
        }
        for &(_, index) in tasks {
            let task = self.task(index);
            if stopped.contains_key(&task.tgid[0]) && lives(task) && !task.is_stopped() {
                self.alter(
                    index,
                    "another thread of its process is stopped, and so is it",
                );
            }
        }
        let mut all: Vec<Who> = stopped.into_values().collect();
        all.sort_unstable();
        self.plan.ops.extend(all.into_iter().map(Op::Stop));
    }

    /// An init in a namespace that is to be dead, cloned by somebody right above.
    fn make_helper_init(&mut self, by: Who, ns: usize) -> Who {
        let mut pid = self.free_numbers(ns);
        if let Some(own) = pid.last_mut() {
            *own = 1;
        }
        self.clone_actor(by, Role::Helper, &pid, Birth::Of(INIT), ns, true)
    }
}
