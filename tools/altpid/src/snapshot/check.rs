// SPDX-License-Identifier: GPL-2.0

//! What must hold in a snapshot: what refers to something refers to something that is there, and
//! nothing is as no kernel would have it.
//!
//! A capture that is torn, for `/proc` is not read in one moment, is noticed here too.

use super::{LEVELS, Numbers, PID_MAX_LIMIT, Problem, Snapshot, Task, VERSION};
use std::collections::{HashMap, HashSet};

mod namespaces;

macro_rules! ensure {
    ($holds:expr, $($what:tt)*) => {
        if !$holds {
            return Err(Problem(format!($($what)*)));
        }
    };
}

use ensure;

/// Who has which number of which namespace.
type Taken<'a> = HashMap<(usize, i32), &'a Task>;

/// Processes by their number at level 0.
type Leaders<'a> = HashMap<i32, &'a Task>;

/// What a process group or a session is called after: the numbers of its leader, dead or alive.
struct Identity<'a> {
    ns: usize,
    pid: &'a [i32],
}

impl Snapshot {
    /// Checks that everything that is referred to is there and fits together.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), Problem> {
        match self.problems().into_iter().next() {
            None => Ok(()),
            Some(problem) => Err(problem),
        }
    }

    /// Everything that is wrong, the first thing about each task. What can only be looked at when
    /// something else is right is left out while that is wrong.
    pub fn problems(&self) -> Vec<Problem> {
        if let Err(problem) = self.check_head().and_then(|()| self.check_namespaces()) {
            return vec![problem];
        }
        let mut problems: Vec<_> = self
            .tasks
            .iter()
            .filter_map(|task| self.check_numbers(task).err())
            .collect();
        if !problems.is_empty() {
            return problems;
        }
        let mut taken = Taken::new();
        for task in &self.tasks {
            problems.extend(self.take_numbers(task, &mut taken).err());
        }
        if !problems.is_empty() {
            return problems;
        }
        let leaders: Leaders<'_> = self
            .tasks
            .iter()
            .filter(|t| t.is_leader())
            .map(|t| (t.root_pid(), t))
            .collect();
        let alive = self.alive();
        for task in &self.tasks {
            problems.extend(self.check_relations(task, &leaders, &alive).err());
        }
        problems.extend(self.check_ancestors(&leaders).err());
        self.check_inits(&leaders, &alive, &mut problems);
        self.check_groups(&leaders, &taken, &mut problems);
        problems
    }

    fn check_head(&self) -> Result<(), Problem> {
        ensure!(
            self.version == VERSION,
            "version {} of the format is not known; this program knows {VERSION}",
            self.version
        );
        let max = self.pid_max.unwrap_or(PID_MAX_LIMIT);
        ensure!(
            (2..=PID_MAX_LIMIT).contains(&max),
            "pid_max {max} is not between 2 and {PID_MAX_LIMIT}"
        );
        Ok(())
    }

    /// Nobody else has one of its numbers.
    fn take_numbers<'a>(&'a self, task: &'a Task, taken: &mut Taken<'a>) -> Result<(), Problem> {
        for (ns, nr) in self.chain(task.ns).into_iter().zip(&task.pid) {
            if let Some(other) = taken.insert((ns, *nr), task) {
                return Err(Problem(format!(
                    "{task}: number {nr} of namespace {ns} is taken by {other}"
                )));
            }
        }
        Ok(())
    }

    fn check_numbers(&self, task: &Task) -> Result<(), Problem> {
        let Some(ns) = self.namespaces.get(task.ns) else {
            return Err(Problem(format!(
                "{task}: there is no namespace {}",
                task.ns
            )));
        };
        for (name, vector) in [
            ("pid", &task.pid),
            ("tgid", &task.tgid),
            ("pgid", &task.pgid),
            ("sid", &task.sid),
        ] {
            ensure!(
                vector.len() == ns.level + 1,
                "{task}: {name} has {} numbers, its namespace is at level {}",
                vector.len(),
                ns.level
            );
            let lowest = i32::from(matches!(name, "pid" | "tgid"));
            for nr in vector {
                ensure!(
                    (lowest..PID_MAX_LIMIT).contains(nr),
                    "{task}: {name} {nr} is out of range"
                );
            }
            // Who has a number at a level has one at all levels above.
            ensure!(
                vector.is_sorted_by_key(|&nr| nr == 0),
                "{task}: {name} {} is visible below a level where it is not",
                Numbers(vector)
            );
        }
        if let Some(ns) = task.ns_for_children {
            ensure!(
                ns < self.namespaces.len() && self.is_ancestor_or_self(task.ns, ns),
                "{task}: its children cannot be born in namespace {ns}"
            );
        }
        Ok(())
    }

    /// A thread and its leader, a process and its parent.
    fn check_relations(
        &self,
        task: &Task,
        leaders: &Leaders<'_>,
        alive: &HashSet<i32>,
    ) -> Result<(), Problem> {
        let leader = leaders
            .get(&task.tgid[0])
            .filter(|leader| leader.pid == task.tgid && leader.ns == task.ns);
        let Some(leader) = leader else {
            return Err(Problem(format!(
                "{task}: its thread group {} has no leader",
                Numbers(&task.tgid)
            )));
        };
        for (same, what) in [
            (task.pgid == leader.pgid, "process group"),
            (task.sid == leader.sid, "session"),
            (task.ppid == leader.ppid, "parent"),
        ] {
            ensure!(
                same,
                "{task}: its {what} is not that of its leader, {leader}"
            );
        }
        if task.ppid == 0 {
            return Ok(());
        }
        let Some(parent) = leaders.get(&task.ppid) else {
            return Err(Problem(format!(
                "{task}: its parent {} does not exist",
                task.ppid
            )));
        };
        ensure!(
            self.is_ancestor_or_self(parent.ns, task.ns),
            "{task}: its parent {parent} is in a namespace that cannot see it"
        );
        ensure!(
            task.own_pid() != 1 || parent.ns != task.ns,
            "{task}: the init of its namespace {} cannot be a child of {parent} in there",
            task.ns
        );
        ensure!(
            alive.contains(&task.ppid),
            "{task}: its parent {parent} is dead"
        );
        Ok(())
    }

    /// Nobody is its own ancestor.
    fn check_ancestors(&self, leaders: &Leaders<'_>) -> Result<(), Problem> {
        // Up the parents from each task, each task once.
        let mut rooted = HashSet::new();
        for task in self.tasks.iter().filter(|task| task.is_leader()) {
            let mut path = Vec::new();
            let mut next = Some(task);
            while let Some(t) = next {
                if !rooted.insert(t.root_pid()) {
                    ensure!(!path.contains(&t.root_pid()), "{t}: it is its own ancestor");
                    break;
                }
                path.push(t.root_pid());
                next = leaders.get(&t.ppid).copied();
            }
        }
        Ok(())
    }

    /// The processes that have a live thread, by number at level 0.
    fn alive(&self) -> HashSet<i32> {
        self.tasks
            .iter()
            .filter(|task| !task.is_zombie())
            .map(|task| task.tgid[0])
            .collect()
    }

    /// Process groups and sessions.
    fn check_groups<'a>(
        &'a self,
        leaders: &Leaders<'a>,
        taken: &Taken<'_>,
        problems: &mut Vec<Problem>,
    ) {
        let identities = self.identities(leaders);
        // The session of each process group: that of its leader, who may be in another group by now,
        // but in no other session. Who is in none is in no session, or in one outside.
        let mut sessions: HashMap<_, _> = leaders.iter().map(|(&nr, t)| (nr, t.sid[0])).collect();
        sessions.insert(0, 0);
        for task in &self.tasks {
            let checked = self.check_numbers_of_the_dead(task, leaders, taken);
            let checked = checked.and_then(|()| {
                if task.is_leader() {
                    self.check_group(task, leaders, &identities, &mut sessions)
                } else {
                    Ok(())
                }
            });
            problems.extend(checked.err());
        }
    }

    /// Who is not there may still have numbers, and then nobody else has them.
    fn check_numbers_of_the_dead(
        &self,
        task: &Task,
        leaders: &Leaders<'_>,
        taken: &Taken<'_>,
    ) -> Result<(), Problem> {
        for (name, vector) in [("process group", &task.pgid), ("session", &task.sid)] {
            if vector[0] == 0 || leaders.contains_key(&vector[0]) {
                continue;
            }
            for (ns, nr) in self.chain(task.ns).into_iter().zip(vector) {
                if let Some(other) = taken.get(&(ns, *nr)) {
                    return Err(Problem(format!(
                        "{task}: number {nr} of namespace {ns} is its {name}'s, and taken by {other}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// The process group and the session of a process.
    fn check_group(
        &self,
        task: &Task,
        leaders: &Leaders<'_>,
        identities: &HashMap<i32, Identity<'_>>,
        sessions: &mut HashMap<i32, i32>,
    ) -> Result<(), Problem> {
        for (name, vector) in [("process group", &task.pgid), ("session", &task.sid)] {
            let Some(identity) = identities.get(&vector[0]) else {
                continue;
            };
            ensure!(
                self.view(identity, task.ns) == *vector,
                "{task}: its {name} {} is not as it sees {}",
                Numbers(vector),
                Numbers(identity.pid)
            );
            // A session is only ever inherited, and children are born in namespaces below.
            ensure!(
                name == "process group" || self.is_ancestor_or_self(identity.ns, task.ns),
                "{task}: its session {} comes from a namespace that is not above",
                Numbers(identity.pid)
            );
        }
        // Nor does a leader ever leave its session.
        if let Some(leader) = leaders.get(&task.sid[0]) {
            ensure!(
                leader.sid == leader.pid,
                "{task}: its session {} is the number of {leader}, who is in another session",
                task.sid[0]
            );
        }
        ensure!(
            task.sid != task.pid || task.pgid == task.pid,
            "{task}: it leads its session, but not its process group"
        );
        let session = *sessions.entry(task.pgid[0]).or_insert(task.sid[0]);
        ensure!(
            session == task.sid[0],
            "{task}: its process group {} is in session {session}, not in {}",
            task.pgid[0],
            task.sid[0]
        );
        Ok(())
    }

    /// The process groups and sessions there are, by number at level 0. A dead leader is as deep as
    /// anybody can see.
    fn identities<'a>(&'a self, leaders: &Leaders<'a>) -> HashMap<i32, Identity<'a>> {
        let mut identities: HashMap<_, _> = leaders
            .iter()
            .map(|(&nr, t)| {
                let (ns, pid) = (t.ns, &t.pid[..]);
                (nr, Identity { ns, pid })
            })
            .collect();
        for task in self.tasks.iter().filter(|task| task.is_leader()) {
            for vector in [&task.sid, &task.pgid] {
                let depth = vector.iter().take_while(|&&nr| nr != 0).count();
                let known = identities.get(&vector[0]);
                if depth > known.map_or(0, |known| known.pid.len())
                    && !leaders.contains_key(&vector[0])
                {
                    let ns = self.chain(task.ns)[depth - 1];
                    let pid = &vector[..depth];
                    identities.insert(vector[0], Identity { ns, pid });
                }
            }
        }
        identities
    }

    /// The numbers of an identity as somebody in `ns` sees them, 0 where they do not.
    fn view(&self, identity: &Identity<'_>, ns: usize) -> Vec<i32> {
        let theirs = self.chain(identity.ns);
        let at = |(level, ns)| {
            if theirs.get(level) == Some(&ns) {
                identity.pid[level]
            } else {
                0
            }
        };
        self.chain(ns).into_iter().enumerate().map(at).collect()
    }
}
