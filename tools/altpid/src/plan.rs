// SPDX-License-Identifier: GPL-2.0

//! How to build a snapshot's tree with the means that a task has: clone, setns, setsid, setpgid,
//! exit.
//!
//! A session and a process group can only be inherited or founded, so who makes a task decides what
//! it gets: the *cloner* of a task is the leader of its process group, that of its session if it
//! leads a group itself, and anybody if it leads a session. Its parent is named with the clone. A
//! leader that is dead, but whose number lives on, gets a stand-in until its group is complete.
//! CRIU goes about it in the same way.

use crate::{
    snapshot::{Comm, PID_MAX_LIMIT, Problem, Snapshot, Task},
    world::CloneFlags,
};
use std::collections::{HashMap, HashSet, VecDeque};

/// Somebody in the plan: a position in [`Plan::cast`].
pub type Who = usize;

/// Who plays in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The task at this position of [`Snapshot::tasks`].
    Task(usize),
    /// Nobody of the snapshot; gone at the end, unless it is the world's init.
    Helper,
}

/// Whose child somebody is born as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birth {
    /// This one's.
    Of(Who),
    /// That of somebody outside of the world.
    Outside,
    /// A thread of its cloner.
    Thread,
}

/// One step. Namespaces are positions in [`Snapshot::namespaces`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sets `kernel.pid_max` of namespace 0.
    PidMax(i32),
    /// Sets `kernel.ns_last_pid` of namespace 0.
    LastPid(i32),
    /// `by` clones `new`, in the namespace where its children are born or as init of a new one.
    Clone {
        /// Who clones.
        by: Who,
        /// Who comes of it.
        new: Who,
        /// The child's numbers, that of its own namespace first.
        set_tid: Vec<i32>,
        /// Whose child it is.
        birth: Birth,
        /// With what flags beside those that `birth` says.
        flags: CloneFlags,
        /// The namespace that it is born in.
        ns: usize,
    },
    /// The task's children are born in `ns` from now on.
    SetNs(Who, usize),
    /// The task founds a session.
    SetSid(Who),
    /// The task joins a process group, by its number as the task sees it; 0 founds one.
    SetPgid(Who, i32),
    /// The task gets a name.
    SetName(Who, Comm),
    /// The task exits, or its whole process.
    Exit(Who, bool),
}

/// What to do, in order, and who is who in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The first is the world's init, which is there from the beginning.
    pub cast: Vec<Role>,
    /// The steps.
    pub ops: Vec<Op>,
    /// What a world cannot be like, in words.
    pub notes: Vec<String>,
}

/// What a planner knows of somebody.
struct Actor {
    /// The active namespace.
    ns: usize,
    /// Where children are born.
    ns_for_children: usize,
    comm: Option<Comm>,
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
    plan: Plan,
    actors: Vec<Actor>,
    made: HashMap<Item, Who>,
    /// Processes by number at level 0.
    leaders: HashMap<i32, usize>,
    /// Dead leaders by number at level 0.
    dead: HashMap<i32, Dead>,
    /// The process that is pid 1 of each namespace.
    inits: HashMap<usize, usize>,
    used: HashSet<(usize, i32)>,
    /// Whom those without process group and session are cloned by.
    outsider: Who,
    /// Members of groups whose leader came after them.
    late: Vec<usize>,
}

/// The world's init, in every cast.
const INIT: Who = 0;

/// Makes the plan for a snapshot that has been checked.
///
/// # Errors
///
/// A tree that no history of system calls can have led to, with the task.
pub fn plan(snapshot: &Snapshot) -> Result<Plan, Problem> {
    let mut planner = Planner::new(snapshot)?;
    planner.begin();
    planner.make_processes()?;
    planner.make_threads();
    planner.join_late()?;
    planner.finish();
    Ok(planner.plan)
}

impl<'a> Planner<'a> {
    fn new(snapshot: &'a Snapshot) -> Result<Self, Problem> {
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
        let used = snapshot
            .tasks
            .iter()
            .flat_map(|t| snapshot.chain(t.ns).into_iter().zip(t.pid.iter().copied()))
            .collect();
        let mut planner = Self {
            snapshot,
            plan: Plan {
                cast: Vec::new(),
                ops: Vec::new(),
                notes: Vec::new(),
            },
            actors: Vec::new(),
            made: HashMap::new(),
            leaders,
            dead: HashMap::new(),
            inits,
            used,
            outsider: INIT,
            late: Vec::new(),
        };
        planner.find_dead_leaders()?;
        Ok(planner)
    }

    fn task(&self, index: usize) -> &'a Task {
        &self.snapshot.tasks[index]
    }

    /// Finds the numbers of groups and sessions that belong to nobody who is there.
    fn find_dead_leaders(&mut self) -> Result<(), Problem> {
        let processes: Vec<_> = self.leaders.values().map(|&i| self.task(i)).collect();
        for task in processes {
            for vector in [&task.sid, &task.pgid] {
                let number = vector[0];
                if number == 0 || self.leaders.contains_key(&number) {
                    continue;
                }
                let depth = vector.iter().take_while(|&&nr| nr != 0).count();
                let known = self.dead.get(&number).map_or(0, |dead| dead.pid.len());
                if depth <= known {
                    continue;
                }
                let ns = self.snapshot.chain(task.ns)[depth - 1];
                if vector[depth - 1] == 1 && ns != 0 {
                    return Err(Problem(format!(
                        "{task}: the init of its namespace is gone"
                    )));
                }
                let dead = Dead {
                    pid: vector[..depth].to_vec(),
                    ns,
                    sid: task.sid[0],
                };
                self.used.extend(
                    self.snapshot
                        .chain(ns)
                        .into_iter()
                        .zip(dead.pid.iter().copied()),
                );
                self.dead.insert(number, dead);
            }
        }
        Ok(())
    }

    fn add_actor(&mut self, role: Role, ns: usize, comm: Option<Comm>) -> Who {
        self.plan.cast.push(role);
        self.actors.push(Actor {
            ns,
            ns_for_children: ns,
            comm,
        });
        self.actors.len() - 1
    }

    /// What can be done before anybody else is there.
    fn begin(&mut self) {
        let highest = self
            .used
            .iter()
            .filter(|(ns, _)| *ns == 0)
            .map(|(_, nr)| *nr)
            .max();
        // Room for helpers above what is used.
        if highest.unwrap_or(0) >= self.snapshot.pid_max - 64 || self.snapshot.pid_max < 301 {
            self.plan.ops.push(Op::PidMax(PID_MAX_LIMIT));
        } else {
            self.plan.ops.push(Op::PidMax(self.snapshot.pid_max));
        }
        let init = self.leaders.get(&1).copied();
        let role = init.map_or(Role::Helper, Role::Task);
        self.add_actor(role, 0, Some(Comm::new(b"init")));
        let Some(init) = init else {
            self.plan
                .notes
                .push("pid 1 is not in the snapshot; the world has one all the same".into());
            return;
        };
        self.made.insert(Item::Process(init), INIT);
        let task = self.task(init);
        // init is without group and session only now; somebody else stays so for those who need it.
        let founds = task.pgid == task.pid;
        let others = self
            .leaders
            .values()
            .any(|&i| i != init && self.task(i).sid[0] == 0);
        if founds && others {
            self.outsider = self.make_helper(INIT, 0);
        }
        self.found(INIT, task);
        self.rename(INIT, task);
    }

    /// A helper in namespace `ns`, with whatever number is free, cloned by `by`.
    fn make_helper(&mut self, by: Who, ns: usize) -> Who {
        let mut pid = Vec::new();
        for ns in self.snapshot.chain(ns) {
            let end = if ns == 0 {
                self.root_pid_max()
            } else {
                PID_MAX_LIMIT
            };
            let free = (2..end).rev().find(|&nr| !self.used.contains(&(ns, nr)));
            let nr = free.unwrap_or(end - 1);
            self.used.insert((ns, nr));
            pid.push(nr);
        }
        self.clone_actor(by, Role::Helper, &pid, Birth::Of(INIT), ns, false)
    }

    fn root_pid_max(&self) -> i32 {
        match self.plan.ops.first() {
            Some(Op::PidMax(value)) => *value,
            _ => PID_MAX_LIMIT,
        }
    }

    fn set_ns(&mut self, who: Who, ns: usize) {
        if self.actors[who].ns_for_children != ns {
            self.actors[who].ns_for_children = ns;
            self.plan.ops.push(Op::SetNs(who, ns));
        }
    }

    /// `by` clones somebody with the numbers `pid`, level 0 first.
    fn clone_actor(
        &mut self,
        by: Who,
        role: Role,
        pid: &[i32],
        birth: Birth,
        ns: usize,
        is_init: bool,
    ) -> Who {
        let mut flags = CloneFlags::empty();
        if is_init {
            flags |= CloneFlags::NEWPID;
            let above = self.actors[by].ns;
            self.set_ns(by, above);
        } else {
            self.set_ns(by, ns);
        }
        if role == Role::Helper {
            flags |= CloneFlags::AUTOREAP;
        }
        let mut set_tid: Vec<_> = pid.iter().rev().copied().collect();
        // clone3 takes no more than 32 numbers; that of level 0 can be brought about otherwise.
        if set_tid.len() > 32 {
            set_tid.truncate(32);
            self.plan.ops.push(Op::LastPid(pid[0] - 1));
        }
        let comm = self.actors[by].comm.clone();
        let new = self.add_actor(role, ns, comm);
        self.plan.ops.push(Op::Clone {
            by,
            new,
            set_tid,
            birth,
            flags,
            ns,
        });
        new
    }

    /// Founds the session or the process group that the task leads.
    fn found(&mut self, who: Who, task: &Task) {
        if task.sid == task.pid {
            self.plan.ops.push(Op::SetSid(who));
        } else if task.pgid == task.pid {
            self.plan.ops.push(Op::SetPgid(who, 0));
        }
    }

    fn rename(&mut self, who: Who, task: &Task) {
        if self.actors[who].comm.as_ref() != Some(&task.comm) {
            self.actors[who].comm = Some(task.comm.clone());
            self.plan.ops.push(Op::SetName(who, task.comm.clone()));
        }
    }

    /// The leader with a number, alive or stood in for; `None` for number 0.
    fn leader(&self, number: i32) -> Option<Item> {
        match self.leaders.get(&number) {
            Some(&index) => Some(Item::Process(index)),
            None => (number != 0).then_some(Item::StandIn(number)),
        }
    }

    /// By whom an item must be cloned; `None` when that is [`Planner::outsider`] or anybody.
    fn cloner(&self, item: Item, late: bool) -> Option<Item> {
        match item {
            Item::Process(index) => {
                let task = self.task(index);
                if task.sid == task.pid {
                    self.leaders
                        .get(&task.ppid)
                        .map(|&parent| Item::Process(parent))
                } else if task.pgid == task.pid || late {
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
    fn make_processes(&mut self) -> Result<(), Problem> {
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
            let open = numbers
                .iter()
                .map(|&(_, item)| item)
                .filter(|i| missing.contains_key(i));
            let mut first = None;
            let late = open.inspect(|i| _ = first.get_or_insert(*i)).find(|&item| {
                self.needs(item, true)
                    .iter()
                    .all(|need| self.made.contains_key(need))
            });
            match (late, first) {
                (None, None) => return Ok(()),
                (None, Some(Item::Process(index))) => {
                    return Err(Problem(format!(
                        "{}: its parent, session and process group cannot have come about",
                        self.task(index)
                    )));
                }
                (None, Some(Item::StandIn(number))) => {
                    return Err(Problem(format!(
                        "the process group or session {number} cannot have come about"
                    )));
                }
                (Some(item), _) => {
                    if let Item::Process(index) = item {
                        self.late.push(index);
                    }
                    ready.push_back(item);
                }
            }
        }
    }

    /// Makes one item, whose needs are met.
    fn make(&mut self, item: Item) -> Who {
        let late = matches!(item, Item::Process(index) if self.late.contains(&index));
        let cloner = self
            .cloner(item, late)
            .and_then(|cloner| self.made.get(&cloner).copied());
        match item {
            Item::StandIn(number) => {
                let (pid, ns) = (self.dead[&number].pid.clone(), self.dead[&number].ns);
                let sid = self.dead[&number].sid;
                let by = cloner.unwrap_or(if sid == number { INIT } else { self.outsider });
                let who = self.clone_actor(by, Role::Helper, &pid, Birth::Of(INIT), ns, false);
                let op = if sid == number {
                    Op::SetSid(who)
                } else {
                    Op::SetPgid(who, 0)
                };
                self.plan.ops.push(op);
                who
            }
            Item::Process(index) => {
                let task = self.task(index);
                let leads_session = task.sid == task.pid;
                let mut by = cloner.unwrap_or(if leads_session { INIT } else { self.outsider });
                let birth = match self.leaders.get(&task.ppid) {
                    Some(&parent) => Birth::Of(self.made[&Item::Process(parent)]),
                    None => Birth::Outside,
                };
                let is_init = task.own_pid() == 1;
                let above = self.snapshot.namespaces[task.ns].parent;
                // A namespace is made from the one right above it.
                let helper = above.filter(|&above| is_init && self.actors[by].ns != above);
                if let Some(above) = helper {
                    by = self.make_helper(by, above);
                }
                let who =
                    self.clone_actor(by, Role::Task(index), &task.pid, birth, task.ns, is_init);
                if helper.is_some() {
                    self.plan.ops.push(Op::Exit(by, true));
                }
                self.found(who, task);
                self.rename(who, task);
                who
            }
        }
    }

    fn make_threads(&mut self) {
        for (index, task) in self.snapshot.tasks.iter().enumerate() {
            if task.is_leader() {
                continue;
            }
            let leader = self.made[&Item::Process(self.leaders[&task.tgid[0]])];
            let role = Role::Task(index);
            let who = self.clone_actor(leader, role, &task.pid, Birth::Thread, task.ns, false);
            self.rename(who, task);
        }
    }

    fn join_late(&mut self) -> Result<(), Problem> {
        for index in std::mem::take(&mut self.late) {
            let task = self.task(index);
            let pgid = task.pgid.last().copied().unwrap_or(0);
            if task.pgid == task.pid || task.sid == task.pid {
                continue;
            }
            if pgid == 0 {
                return Err(Problem(format!("{task}: it cannot name its process group")));
            }
            let who = self.made[&Item::Process(index)];
            self.plan.ops.push(Op::SetPgid(who, pgid));
        }
        Ok(())
    }

    /// When everybody is there: helpers and the dead go, and what was changed is put back.
    fn finish(&mut self) {
        let gone: HashSet<Who> = self
            .plan
            .ops
            .iter()
            .filter_map(|op| {
                if let Op::Exit(who, _) = op {
                    Some(*who)
                } else {
                    None
                }
            })
            .collect();
        let cast: Vec<_> = self.plan.cast.iter().copied().enumerate().collect();
        for &(who, role) in &cast {
            if role == Role::Helper && who != INIT && !gone.contains(&who) {
                self.plan.ops.push(Op::Exit(who, true));
            }
        }
        for &(who, role) in &cast {
            let Role::Task(index) = role else { continue };
            let task = self.task(index);
            if !task.is_zombie() {
                self.set_ns(who, task.ns_for_children.unwrap_or(task.ns));
            }
        }
        for &(who, role) in &cast {
            let Role::Task(index) = role else { continue };
            let task = self.task(index);
            if !task.is_zombie() || !task.is_leader() {
                continue;
            }
            if task.ppid == 0 {
                self.plan.notes.push(format!(
                    "{task}: a zombie whose parent is outside stays alive"
                ));
                continue;
            }
            let has_threads = self
                .snapshot
                .tasks
                .iter()
                .any(|t| t.tgid == task.pid && !t.is_leader());
            self.plan.ops.push(Op::Exit(who, !has_threads));
        }
        if self.root_pid_max() != self.snapshot.pid_max && self.snapshot.pid_max >= 301 {
            self.plan.ops.push(Op::PidMax(self.snapshot.pid_max));
        }
        if let Some(last) = self
            .snapshot
            .last_pid
            .filter(|last| (0..=self.snapshot.pid_max).contains(last))
        {
            self.plan.ops.push(Op::LastPid(last));
        }
    }
}
