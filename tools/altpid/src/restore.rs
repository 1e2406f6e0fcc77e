// SPDX-License-Identifier: GPL-2.0

//! Building a snapshot's tree in a world, and comparing the two.
//!
//! The tree has a world of its own, which goes with it when something fails; or it is put beside what
//! is in a world already, and then what was made of it is undone.

mod beside;
mod verdict;

pub use beside::{conflicts, restore_in};

use crate::{
    kill::Kill,
    plan::{Birth, Op, Plan, Role, Who, plan},
    snapshot::Snapshot,
    types::{CloneArgs, CloneFlags, NsId, Parent, TaskId},
    world::World,
};
use anyhow::{Context, Result};
use std::collections::{BTreeSet, HashMap};

/// `SIGSTOP`
const SIGSTOP: i32 = 19;

/// A snapshot's tree as it lives in a world.
///
/// # Examples
///
/// ```no_run
/// use altpid::{World, restore::restore, snapshot::Snapshot};
///
/// let snapshot = Snapshot::parse(&std::fs::read("snapshot.json")?)?;
/// let restored = restore(World::open()?, &snapshot, |_, _| ())?;
/// for note in &restored.notes {
///     println!("{note}");
/// }
/// println!("{} tasks live", restored.world.info()?.tasks);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Restored {
    /// The world. The tree ends with it.
    pub world: World,
    /// The task that each task of the snapshot has become.
    pub tasks: Vec<TaskId>,
    /// The namespace that each namespace of the snapshot has become; none for one that could not be.
    pub namespaces: Vec<Option<NsId>>,
    /// What could not be made as it was, in words.
    pub notes: Vec<String>,
    /// The tasks of the snapshot, by position, that are in another state than they were in; each has a
    /// note.
    pub altered: BTreeSet<usize>,
    /// The inodes of the snapshot, by namespace.
    inodes: HashMap<NsId, u64>,
    /// Whether others are in the world too.
    is_shared: bool,
}

/// What a comparison has found.
///
/// # Examples
///
/// ```no_run
/// use altpid::{World, restore::restore, snapshot::Snapshot};
///
/// let snapshot = Snapshot::parse(&std::fs::read("snapshot.json")?)?;
/// let verdict = restore(World::open()?, &snapshot, |_, _| ())?.verify(&snapshot)?;
/// assert!(verdict.mismatches.is_empty(), "{:?}", verdict.mismatches);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Tasks of the snapshot.
    pub tasks: usize,
    /// Namespaces of the snapshot.
    pub namespaces: usize,
    /// Numbers that were compared: each of the four of a task at each level, and its parent.
    pub numbers: usize,
    /// Tasks that could not be in the state that they were in, and were not compared in that.
    pub altered: usize,
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
                    Birth::Thread => CloneArgs::thread(),
                    Birth::Of(parent) => CloneArgs::new().parent(Parent::Task(self.task(*parent)?)),
                    Birth::Outside => CloneArgs::new().parent(Parent::Outside),
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
            Op::Unshare(who, ns) => {
                let made = self.world.unshare(self.task(*who)?, CloneFlags::NEWPID)?;
                self.namespaces[*ns] = made;
            }
            Op::SetSid(who) => _ = self.world.setsid(self.task(*who)?)?,
            Op::SetPgid(who, pid, pgid) => self.world.setpgid(self.task(*who)?, *pid, *pgid)?,
            Op::SetName(who, comm) => self.world.set_name(self.task(*who)?, comm.as_bytes())?,
            Op::Exit(who, true) => self.world.exit_group(self.task(*who)?, 0)?,
            Op::Exit(who, false) => self.world.exit(self.task(*who)?, 0)?,
            Op::Stop(who) => self.world.kill(Kill::Kernel(self.task(*who)?), SIGSTOP)?,
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
            Op::Unshare(who, ns) => format!("{}: making namespace {ns}", self.name(*who)),
            Op::Stop(who) => format!("{}: stopping it", self.name(*who)),
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
    let mut performer = Performer::new(&world, snapshot, &plan)?;
    let tasks = performer.run(&mut progress)?;
    let namespaces = performer.namespaces;
    Ok(Restored::new(world, snapshot, plan, tasks, namespaces))
}

impl Restored {
    fn new(
        world: World,
        snapshot: &Snapshot,
        plan: Plan,
        tasks: Vec<TaskId>,
        namespaces: Vec<Option<NsId>>,
    ) -> Self {
        let pairs = namespaces.iter().zip(&snapshot.namespaces);
        let inodes = pairs.filter_map(|(id, ns)| Some(((*id)?, ns.inode?)));
        Self {
            inodes: inodes.collect(),
            world,
            tasks,
            namespaces,
            notes: plan.notes,
            altered: plan.altered,
            is_shared: false,
        }
    }

    /// The inodes that the namespaces had where they are from, by id.
    pub fn inodes(&self) -> &HashMap<NsId, u64> {
        &self.inodes
    }

    /// The world as a snapshot of its own, in the order of the numbers at level 0, with the inodes that
    /// the namespaces had.
    ///
    /// # Errors
    ///
    /// When the world cannot be read back.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut snapshot = Snapshot::of_world(&self.world)?;
        snapshot.relabel(&self.inodes);
        Ok(snapshot)
    }
}
