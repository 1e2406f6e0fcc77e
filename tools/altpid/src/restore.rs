// SPDX-License-Identifier: GPL-2.0

//! Building a snapshot's tree in a world, and comparing the two.
//!
//! The tree has a world of its own, which goes with it when something fails; or it is put beside what
//! is in a world already, and then what was made of it is undone.

mod beside;

pub use beside::{conflicts, restore_in};

use crate::{
    plan::{Birth, Op, Plan, Role, Who, plan},
    snapshot::{self, Numbers, Snapshot},
    types::{Clone, CloneFlags, NsId, Parent, Task, TaskId, TaskState},
    world::World,
};
use anyhow::{Context, Result};
use std::collections::{HashMap, HashSet};

/// A snapshot's tree as it lives in a world.
pub struct Restored {
    /// The world. The tree ends with it.
    pub world: World,
    /// The task that each task of the snapshot has become.
    pub tasks: Vec<TaskId>,
    /// What could not be made as it was, in words.
    pub notes: Vec<String>,
    /// Whether others are in the world too.
    is_shared: bool,
}

/// What a comparison has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Tasks of the snapshot.
    pub tasks: usize,
    /// Namespaces of the snapshot.
    pub namespaces: usize,
    /// Numbers that were compared: each of the four of a task at each level, and its parent.
    pub numbers: usize,
    /// What differs, in words.
    pub mismatches: Vec<String>,
}

/// Carries out a plan.
struct Performer<'a> {
    world: &'a World,
    plan: &'a Plan,
    snapshot: &'a Snapshot,
    tasks: Vec<Option<TaskId>>,
    namespaces: Vec<Option<NsId>>,
}

impl<'a> Performer<'a> {
    fn new(world: &'a World, snapshot: &'a Snapshot, plan: &'a Plan) -> Result<Self> {
        let info = world.info()?;
        let mut performer = Self {
            world,
            plan,
            snapshot,
            tasks: vec![None; plan.cast.len()],
            namespaces: vec![None; snapshot.namespaces.len()],
        };
        performer.tasks[0] = Some(info.init);
        performer.namespaces[0] = Some(info.root_ns);
        Ok(performer)
    }

    /// Does everything; returns what each task of the snapshot has become.
    fn run(&mut self, progress: &mut impl FnMut(usize, usize)) -> Result<Vec<TaskId>> {
        let ops = &self.plan.ops;
        for (done, op) in ops.iter().enumerate() {
            progress(done, ops.len());
            self.perform(op).with_context(|| self.about(op))?;
        }
        progress(ops.len(), ops.len());
        let mut tasks = vec![TaskId(0); self.snapshot.tasks.len()];
        for (who, role) in self.plan.cast.iter().enumerate() {
            if let Role::Task(index) = role {
                tasks[*index] = self.task(who)?;
            }
        }
        Ok(tasks)
    }

    /// Who it is, in words.
    fn name(&self, who: Who) -> String {
        match self.plan.cast.get(who) {
            Some(Role::Task(index)) => self.snapshot.tasks[*index].to_string(),
            _ if who == 0 => "the world's init".into(),
            _ => "a helper".into(),
        }
    }

    fn task(&self, who: Who) -> Result<TaskId> {
        self.tasks[who].with_context(|| format!("{} was not made yet", self.name(who)))
    }

    fn ns(&self, ns: usize) -> Result<NsId> {
        self.namespaces[ns].with_context(|| format!("namespace {ns} was not made yet"))
    }

    fn perform(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::PidMax(value) => self.world.set_pid_max(self.ns(0)?, (*value).into())?,
            Op::LastPid(value) => self.world.set_last_pid(self.ns(0)?, (*value).into())?,
            Op::Clone {
                by,
                new,
                set_tid,
                birth,
                flags,
                ns,
            } => {
                let args = match birth {
                    Birth::Thread => Clone::thread(),
                    Birth::Of(parent) => Clone::new().parent(Parent::Task(self.task(*parent)?)),
                    Birth::Outside => Clone::new().parent(Parent::Outside),
                };
                let mut args = args.set_tid(set_tid);
                if *birth != Birth::Thread {
                    args = args.flags(*flags);
                }
                if flags.contains(CloneFlags::AUTOREAP) {
                    args = args.exit_signal(0);
                }
                let child = self.world.clone(self.task(*by)?, &args)?;
                self.tasks[*new] = Some(child.task);
                if flags.contains(CloneFlags::NEWPID) {
                    self.namespaces[*ns] = Some(self.world.task(child.task)?.ns);
                }
            }
            Op::SetNs(who, ns) => self.world.setns(self.task(*who)?, self.ns(*ns)?)?,
            Op::SetSid(who) => _ = self.world.setsid(self.task(*who)?)?,
            Op::SetPgid(who, pid, pgid) => self.world.setpgid(self.task(*who)?, *pid, *pgid)?,
            Op::SetName(who, comm) => self.world.set_name(self.task(*who)?, comm.as_bytes())?,
            Op::Exit(who, true) => self.world.exit_group(self.task(*who)?, 0)?,
            Op::Exit(who, false) => self.world.exit(self.task(*who)?, 0)?,
        }
        Ok(())
    }

    /// Whom a step is about, in words.
    fn about(&self, op: &Op) -> String {
        match op {
            Op::PidMax(value) => format!("setting pid_max to {value}"),
            Op::LastPid(value) => format!("setting ns_last_pid to {value}"),
            Op::Clone { by, new, .. } => {
                format!("making {} from {}", self.name(*new), self.name(*by))
            }
            Op::SetNs(who, ns) => format!("{}: joining namespace {ns}", self.name(*who)),
            Op::SetSid(who) => format!("{}: founding its session", self.name(*who)),
            Op::SetPgid(who, 0, _) => format!("{}: joining its process group", self.name(*who)),
            Op::SetPgid(who, pid, pgid) => {
                format!(
                    "{}: putting {pid} into process group {pgid}",
                    self.name(*who)
                )
            }
            Op::SetName(who, _) => format!("{}: naming it", self.name(*who)),
            Op::Exit(who, _) => format!("{}: exiting", self.name(*who)),
        }
    }
}

/// Builds the tree of a checked snapshot in a new world. `progress` is told how many of how many
/// steps are done.
///
/// # Errors
///
/// What failed, and about whom. The world goes with the error, so nothing is left half done.
pub fn restore(
    world: World,
    snapshot: &Snapshot,
    mut progress: impl FnMut(usize, usize),
) -> Result<Restored> {
    let plan = plan(snapshot)?;
    let tasks = Performer::new(&world, snapshot, &plan)?.run(&mut progress)?;
    Ok(Restored {
        world,
        tasks,
        notes: plan.notes,
        is_shared: false,
    })
}

impl Restored {
    /// Compares the world with the snapshot: every number of every task, parents, namespaces, names
    /// and who is dead.
    ///
    /// # Errors
    ///
    /// When the world cannot be read back.
    pub fn verify(&self, snapshot: &Snapshot) -> Result<Verdict> {
        let all = self.world.tasks(None)?;
        let by_id: HashMap<TaskId, &Task> = all.iter().map(|task| (task.id, task)).collect();
        let mut verdict = Verdict {
            tasks: snapshot.tasks.len(),
            namespaces: snapshot.namespaces.len(),
            ..Verdict::default()
        };
        // Which namespace of the world each one of the snapshot is: that of the first task in it.
        let mut namespaces: Vec<Option<NsId>> = vec![None; snapshot.namespaces.len()];
        for (wanted, id) in snapshot.tasks.iter().zip(&self.tasks) {
            match by_id.get(id) {
                Some(found) => {
                    namespaces[wanted.ns].get_or_insert(found.ns);
                    self.compare(wanted, found, namespaces[wanted.ns], &mut verdict);
                    self.compare_parent(wanted, found, &by_id, &mut verdict);
                }
                None => verdict.mismatches.push(format!("{wanted}: not there")),
            }
        }
        self.compare_namespaces(snapshot, &namespaces, &mut verdict)?;
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

    fn compare(
        &self,
        wanted: &snapshot::Task,
        found: &Task,
        ns: Option<NsId>,
        verdict: &mut Verdict,
    ) {
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
        if ns != Some(found.ns) {
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
        let excused = wanted.ppid == 0 || !wanted.is_leader();
        if wanted.is_zombie() != (found.state == TaskState::Zombie) && !excused {
            verdict
                .mismatches
                .push(format!("{wanted}: it is {:?}", found.state));
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
        namespaces: &[Option<NsId>],
        verdict: &mut Verdict,
    ) -> Result<()> {
        let parents: HashMap<NsId, Option<NsId>> = self
            .world
            .namespaces(None)?
            .into_iter()
            .map(|ns| (ns.id, ns.parent))
            .collect();
        for (i, wanted) in snapshot.namespaces.iter().enumerate() {
            let Some(id) = namespaces[i] else {
                verdict
                    .mismatches
                    .push(format!("namespace {i}: nobody is in it"));
                continue;
            };
            let above = wanted.parent.and_then(|parent| namespaces[parent]);
            if parents.get(&id) != Some(&above) {
                verdict
                    .mismatches
                    .push(format!("namespace {i}: it is below another one"));
            }
        }
        Ok(())
    }

    /// The world as a snapshot of its own, in the order of the numbers at level 0.
    ///
    /// # Errors
    ///
    /// When the world cannot be read back.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot::of_world(&self.world)?)
    }
}
