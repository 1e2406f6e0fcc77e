// SPDX-License-Identifier: GPL-2.0

//! How to build a snapshot's tree with the means that a task has: clone, setns, setsid, setpgid,
//! exit.
//!
//! A session and a process group can only be inherited or founded, so who makes a task decides what
//! it gets: the *cloner* of a task is the leader of its process group, that of its session if it
//! leads a group itself, and anybody if it leads a session. Its parent is named with the clone. A
//! leader that is dead, but whose number lives on, gets a stand-in until its group is complete.
//! CRIU goes about it in the same way.
//!
//! Two kinds of members cannot be cloned by the leader of their group: who joined it from a
//! namespace that is not below the leader's is cloned by a helper that joins first; and who is
//! needed to make the leader itself joins when all are there. A leader that has gone to another group
//! itself, while members stayed, does so when all are there as well.

mod finish;
mod make;
mod order;
mod steps;

use crate::snapshot::{Comm, PID_MAX_LIMIT, Problem, Snapshot, Task};
use std::collections::{BTreeSet, HashMap, HashSet};

pub use steps::{Birth, Op, Role, Who};

/// A world that a tree is to be built in beside what is there already.
///
/// # Examples
///
/// ```
/// use altpid::{plan::{Op, Site, plan_in}, snapshot::{Comm, Snapshot}};
///
/// let text = r#"{"version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": null,
///     "namespaces": [{"parent": null, "level": 0, "inode": 1}],
///     "tasks": [{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
///                "ppid": 0, "ns": 0, "state": "S", "comm": "init"}]}"#;
/// let snapshot = Snapshot::parse(text.as_bytes())?;
/// let site = Site {
///     taken: [1, 10].into(),
///     pid_max: 32768,
///     init: Comm::new(b"init"),
///     has_session: true,
///     has_group: true,
/// };
/// // init leads its session already.
/// assert!(!plan_in(&snapshot, &site)?.ops.contains(&Op::SetSid(0)));
/// # Ok::<(), altpid::snapshot::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Numbers at level 0 that are in use.
    pub taken: HashSet<i32>,
    /// Its `kernel.pid_max` at level 0, which stays as it is.
    pub pid_max: i32,
    /// The name of its init, which stays as it is.
    pub init: Comm,
    /// Whether its init leads a session.
    pub has_session: bool,
    /// Whether its init leads a process group.
    pub has_group: bool,
}

/// What to do, in order, and who is who in it.
///
/// # Examples
///
/// ```
/// use altpid::{plan::plan, snapshot::Snapshot};
///
/// let text = r#"{"version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": null,
///     "namespaces": [{"parent": null, "level": 0, "inode": 1}],
///     "tasks": [{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
///                "ppid": 0, "ns": 0, "state": "S", "comm": "init"}]}"#;
/// let snapshot = Snapshot::parse(text.as_bytes())?;
/// let plan = plan(&snapshot)?;
/// assert!(plan.notes.is_empty() && plan.altered.is_empty());
/// # Ok::<(), altpid::snapshot::Problem>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The first is the world's init, which is there from the beginning.
    pub cast: Vec<Role>,
    /// The steps.
    pub ops: Vec<Op>,
    /// What a world cannot be like, in words.
    pub notes: Vec<String>,
    /// The tasks of the snapshot that a world cannot have in the state that they were in: each has a
    /// note. They are alive, or dead, or gone instead.
    pub altered: BTreeSet<usize>,
}

/// Something to be made: a process of the snapshot, or a stand-in for a dead leader.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Item {
    Process(usize),
    StandIn(i32),
}

/// A leader that is dead while its number is in use.
struct Dead {
    /// Its numbers, level 0 first.
    pid: Vec<i32>,
    ns: usize,
    /// The session it is in, by its number at level 0.
    sid: i32,
}

struct Planner<'a> {
    snapshot: &'a Snapshot,
    /// Where it is to be built, if not in a world of its own.
    site: Option<&'a Site>,
    plan: Plan,
    actors: Vec<make::Actor>,
    made: HashMap<Item, Who>,
    /// Processes by number at level 0.
    leaders: HashMap<i32, usize>,
    /// Dead leaders by number at level 0.
    dead: HashMap<i32, Dead>,
    /// The process that is pid 1 of each namespace.
    inits: HashMap<usize, usize>,
    used: HashSet<(usize, i32)>,
    /// Helpers that are gone already.
    gone: HashSet<Who>,
    /// Whom those without process group and session are cloned by.
    outsider: Who,
    /// Processes that others are in the group of, but that are in another one themselves.
    left: HashSet<usize>,
    /// Who joins their group when everybody is there.
    late: BTreeSet<usize>,
}

/// The world's init, in every cast.
const INIT: Who = 0;

/// Makes the plan for a snapshot that has been checked.
///
/// # Errors
///
/// A tree that no history of system calls can have led to, or one that is too strange, with the task:
/// it was put where it cannot go itself, by a parent that could not do that any more.
pub fn plan(snapshot: &Snapshot) -> Result<Plan, Problem> {
    make_plan(snapshot, None)
}

/// Likewise, for a world in which others are. What the snapshot says of its init must hold there, or
/// can be made so.
///
/// # Errors
///
/// As [`plan`].
pub fn plan_in(snapshot: &Snapshot, site: &Site) -> Result<Plan, Problem> {
    make_plan(snapshot, Some(site))
}

fn make_plan(snapshot: &Snapshot, site: Option<&Site>) -> Result<Plan, Problem> {
    let mut planner = Planner::new(snapshot, site);
    planner.begin()?;
    planner.make_processes()?;
    planner.make_threads();
    planner.join_late()?;
    planner.finish();
    Ok(planner.plan)
}

/// What a vector says in the namespace of the task that has it.
fn innermost(numbers: &[i32]) -> i32 {
    numbers.last().copied().unwrap_or(0)
}

impl<'a> Planner<'a> {
    fn new(snapshot: &'a Snapshot, site: Option<&'a Site>) -> Self {
        let processes = || {
            snapshot
                .tasks
                .iter()
                .enumerate()
                .filter(|(_, t)| t.is_leader())
        };
        let leaders: HashMap<_, _> = processes().map(|(i, t)| (t.root_pid(), i)).collect();
        let inits = processes()
            .filter(|(_, t)| t.own_pid() == 1)
            .map(|(i, t)| (t.ns, i))
            .collect();
        let taken = site
            .into_iter()
            .flat_map(|site| site.taken.iter().map(|&nr| (0, nr)));
        let used = snapshot
            .tasks
            .iter()
            .flat_map(|t| snapshot.chain(t.ns).into_iter().zip(t.pid.iter().copied()))
            .chain(taken)
            .collect();
        let groups: HashSet<i32> = processes().map(|(_, t)| t.pgid[0]).collect();
        let left = processes()
            .filter(|(_, t)| t.pgid != t.pid && groups.contains(&t.root_pid()))
            .map(|(i, _)| i)
            .collect();
        let mut planner = Self {
            snapshot,
            site,
            plan: Plan {
                cast: Vec::new(),
                ops: Vec::new(),
                notes: Vec::new(),
                altered: BTreeSet::new(),
            },
            actors: Vec::new(),
            made: HashMap::new(),
            leaders,
            dead: HashMap::new(),
            inits,
            used,
            gone: HashSet::new(),
            outsider: INIT,
            left,
            late: BTreeSet::new(),
        };
        planner.find_dead_leaders();
        planner
    }

    fn task(&self, index: usize) -> &'a Task {
        &self.snapshot.tasks[index]
    }

    /// Finds the numbers of groups and sessions that belong to nobody who is there.
    fn find_dead_leaders(&mut self) {
        for task in self.snapshot.tasks.iter().filter(|t| t.is_leader()) {
            for vector in [&task.sid, &task.pgid] {
                let number = vector[0];
                if number == 0 || self.leaders.contains_key(&number) {
                    continue;
                }
                // As deep as anybody can see it.
                let depth = vector.iter().take_while(|&&nr| nr != 0).count();
                let known = self.dead.get(&number).map_or(0, |dead| dead.pid.len());
                if depth <= known {
                    continue;
                }
                let dead = Dead {
                    pid: vector[..depth].to_vec(),
                    ns: self.snapshot.chain(task.ns)[depth - 1],
                    sid: task.sid[0],
                };
                let chain = self.snapshot.chain(dead.ns);
                self.used.extend(chain.into_iter().zip(dead.pid.clone()));
                self.dead.insert(number, dead);
            }
        }
    }

    /// What can be done before anybody else is there.
    fn begin(&mut self) -> Result<(), Problem> {
        let highest = self
            .used
            .iter()
            .filter(|(ns, _)| *ns == 0)
            .map(|(_, nr)| *nr)
            .max();
        // Room for helpers above what is used.
        if let Some(site) = self.site {
            self.plan.ops.push(Op::PidMax(site.pid_max));
        } else {
            let max = self.snapshot.pid_max.unwrap_or(PID_MAX_LIMIT);
            let has_room = highest.unwrap_or(0) < max - 64 && max >= 301;
            let max = if has_room { max } else { PID_MAX_LIMIT };
            self.plan.ops.push(Op::PidMax(max));
        }
        let init = self.leaders.get(&1).copied();
        self.add_actor(
            init.map_or(Role::Helper, Role::Task),
            0,
            Some(
                self.site
                    .map_or(Comm::new(b"init"), |site| site.init.clone()),
            ),
            &[1],
        );
        // What it founds: a session, or a process group.
        let (session, group) = match init.map(|init| self.task(init)) {
            Some(task) if task.sid[0] > 1 => {
                return Err(Problem(format!(
                    "{task}: the first task there is cannot be in a session of somebody else"
                )));
            }
            Some(task) => (
                task.sid == task.pid,
                task.pgid == task.pid || init.is_some_and(|init| self.left.contains(&init)),
            ),
            None => {
                self.plan
                    .notes
                    .push("pid 1 is not in the snapshot; the world has one all the same".into());
                let dead = self.dead.get(&1);
                (dead.is_some_and(|dead| dead.sid == 1), dead.is_some())
            }
        };
        // init is without group and session only now; somebody else stays so for those who need it.
        let mut others = self.leaders.values().filter(|&&i| Some(i) != init);
        if group && others.any(|&i| self.task(i).sid[0] == 0) {
            self.outsider = self.make_helper(INIT, 0);
        }
        let (has_session, has_group) = self
            .site
            .map_or((false, false), |site| (site.has_session, site.has_group));
        if session && !has_session {
            self.plan.ops.push(Op::SetSid(INIT));
        } else if group && !has_group {
            self.plan.ops.push(Op::SetPgid(INIT, 0, 0));
        }
        let Some(init) = init else {
            self.made.insert(Item::StandIn(1), INIT);
            return Ok(());
        };
        self.made.insert(Item::Process(init), INIT);
        let task = self.task(init);
        if self.site.is_none() {
            self.rename(INIT, task);
        }
        if task.pgid[0] > 1 {
            self.late.insert(init);
        }
        self.keep_group(INIT, init);
        Ok(())
    }
}
