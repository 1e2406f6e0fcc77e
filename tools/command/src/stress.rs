// SPDX-License-Identifier: GPL-2.0

//! Random operations by many threads on one world, with audits in between.
//!
//! Each thread has a container of its own, in which it makes, ends, kills and asks as its seed has
//! it; all share the tree, and the numbers at level 0. What a thread tries depends on nothing but its
//! seed and what came of what it tried before.

use altpid::{CloneArgs, CloneFlags, Kill, NsId, PidType, Result, TaskId, WaitFlags, World};
use fastrand::Rng;
use rustix::io::Errno;
use std::{collections::BTreeMap, thread, time::Instant};

/// Do not sleep (`WNOHANG`), and any kind of child (`__WALL`).
const WAIT_OPTIONS: WaitFlags = WaitFlags::NOHANG.union(WaitFlags::WALL);

/// The kind of clone that makes a namespace.
const CONTAINER: u32 = 3;

/// How much to do.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Threads that do it.
    pub threads: usize,
    /// Operations of each thread in a round. An audit follows each.
    pub round: usize,
    /// About how many tasks each thread has.
    pub tasks: usize,
    /// What decides about everything.
    pub seed: u64,
}

/// How often something was done, and refused with which error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How often it was done.
    pub done: u64,
    /// How often it was refused, by error.
    pub refused: BTreeMap<i32, u64>,
}

impl Count {
    /// How often it was refused.
    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }
}

/// Counts by the name of the operation.
pub type Counts = BTreeMap<&'static str, Count>;

/// What a thread has.
struct Worker<'a> {
    world: &'a World,
    rng: Rng,
    /// The init of its container, which it does not end.
    init: TaskId,
    /// Tasks that it made and that may be there still.
    tasks: Vec<TaskId>,
    namespaces: Vec<NsId>,
    most: usize,
    counts: Counts,
}

/// Threads at work on a world, round by round.
pub struct Stress<'a> {
    world: &'a World,
    workers: Vec<Worker<'a>>,
    load: Load,
    begin: Instant,
}

impl<'a> Stress<'a> {
    /// Makes a container for each thread.
    ///
    /// # Errors
    ///
    /// As [`World::clone`].
    pub fn new(world: &'a World, load: Load) -> Result<Self> {
        let parent = world.info()?.init;
        let mut seeds = Rng::with_seed(load.seed);
        let mut workers = Vec::new();
        for _ in 0..load.threads {
            let container = CloneArgs::new().flags(CloneFlags::NEWPID);
            let init = World::clone(world, parent, &container)?.task;
            workers.push(Worker {
                world,
                rng: Rng::with_seed(seeds.u64(..)),
                init,
                tasks: Vec::new(),
                namespaces: vec![world.task(init)?.ns],
                most: load.tasks,
                counts: Counts::new(),
            });
        }
        let begin = Instant::now();
        Ok(Self {
            world,
            workers,
            load,
            begin,
        })
    }

    /// Does a round; returns what an audit finds then: how much is broken, and the first in words.
    ///
    /// # Errors
    ///
    /// As [`World::audit`].
    pub fn round(&mut self) -> Result<Option<String>> {
        let steps = self.load.round;
        thread::scope(|scope| {
            for worker in &mut self.workers {
                scope.spawn(move || (0..steps).for_each(|_| worker.step()));
            }
        });
        let audit = self.world.audit()?;
        Ok((audit.broken > 0).then_some(audit.what))
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        let mut all = Counts::new();
        for worker in &self.workers {
            for (verb, count) in &worker.counts {
                let sum = all.entry(verb).or_default();
                sum.done += count.done;
                for (errno, times) in &count.refused {
                    *sum.refused.entry(*errno).or_default() += times;
                }
            }
        }
        all
    }

    /// When it began.
    pub fn begin(&self) -> Instant {
        self.begin
    }
}

impl Worker<'_> {
    /// One of its tasks, or its init.
    fn somebody(&mut self) -> TaskId {
        match self.rng.usize(..=self.tasks.len()) {
            0 => self.init,
            at => self.tasks[at - 1],
        }
    }

    /// One of its tasks that may end.
    fn victim(&mut self) -> Option<TaskId> {
        let count = self.tasks.len();
        (count > 0).then(|| self.tasks[self.rng.usize(..count)])
    }

    fn namespace(&mut self) -> NsId {
        self.namespaces[self.rng.usize(..self.namespaces.len())]
    }

    /// Counts what came of something, and forgets who is gone.
    fn note<T>(&mut self, verb: &'static str, about: TaskId, result: Result<T>) -> Option<T> {
        let count = self.counts.entry(verb).or_default();
        match result {
            Ok(value) => {
                count.done += 1;
                Some(value)
            }
            Err(error) => {
                *count.refused.entry(error.errno.raw_os_error()).or_default() += 1;
                if error.errno == Errno::SRCH {
                    self.tasks.retain(|&task| task != about);
                }
                None
            }
        }
    }

    fn step(&mut self) {
        let is_full = self.tasks.len() >= self.most;
        match self.rng.u32(..100) {
            0..40 if !is_full => self.make(),
            0..52 => self.end(),
            52..68 => self.wait(),
            68..80 => self.change(),
            80..86 => self.move_namespace(),
            _ => self.ask(),
        }
    }

    fn make(&mut self) {
        let by = self.somebody();
        let kind = self.rng.u32(..20);
        let args = match kind {
            0..3 => CloneArgs::thread(),
            CONTAINER => CloneArgs::new().flags(CloneFlags::NEWPID),
            4 => CloneArgs::new().flags(CloneFlags::PARENT),
            5 => CloneArgs::new().exit_signal(0),
            6 => CloneArgs::new().set_tid(&[self.rng.i32(1..40_000)]),
            _ => CloneArgs::new(),
        };
        let made = World::clone(self.world, by, &args);
        if let Some(child) = self.note("clone", by, made) {
            self.tasks.push(child.task);
            if kind == CONTAINER
                && self.namespaces.len() < 64
                && let Ok(task) = self.world.task(child.task)
            {
                self.namespaces.push(task.ns);
            }
        }
    }

    fn end(&mut self) {
        let Some(task) = self.victim() else { return };
        let code = self.rng.i32(..256);
        let (verb, result) = match self.rng.u32(..4) {
            0 => ("exit", self.world.exit(task, code)),
            1 => ("kill", self.world.kill(Kill::Kernel(task), 9)),
            2 => (
                "kill",
                self.world
                    .kill(Kill::Task(self.init, task), self.rng.i32(1..=64)),
            ),
            _ => ("exit_group", self.world.exit_group(task, code)),
        };
        self.note(verb, task, result);
    }

    fn wait(&mut self) {
        let by = self.somebody();
        let result = self.world.wait(by, -1, WAIT_OPTIONS);
        if let Some(Some(waited)) = self.note("wait4", by, result) {
            self.tasks.retain(|&task| task != waited.task);
        }
    }

    /// Something about a task itself.
    fn change(&mut self) {
        let Some(task) = self.victim() else { return };
        match self.rng.u32(..6) {
            0 => {
                let result = self.world.setsid(task);
                self.note("setsid", task, result);
            }
            1 | 2 => {
                let result = self.world.setpgid(task, 0, 0);
                self.note("setpgid", task, result);
            }
            3 => {
                let result = self.world.exec(task, b"stressed");
                self.note("execve", task, result);
            }
            4 => {
                let on = self.rng.bool();
                let result = self.world.set_child_subreaper(task, on);
                self.note("prctl", task, result);
            }
            _ => {
                let result = self.world.set_name(task, b"renamed");
                self.note("prctl", task, result);
            }
        }
    }

    fn move_namespace(&mut self) {
        let Some(task) = self.victim() else { return };
        if self.rng.bool() {
            let result = self.world.unshare(task, CloneFlags::NEWPID);
            self.note("unshare", task, result);
        } else {
            let ns = self.namespace();
            let result = self.world.setns(task, ns);
            if result.is_err_and(|error| error.errno == Errno::NOENT) {
                let own = self.namespaces[0];
                self.namespaces.retain(|&known| known != ns || known == own);
            }
            self.note("setns", task, result);
        }
    }

    fn ask(&mut self) {
        let task = self.somebody();
        let ns = self.namespaces[0];
        let nr = self.rng.i32(1..2000);
        match self.rng.u32(..3) {
            0 => {
                let result = self.world.task(task);
                self.note("task", task, result);
            }
            1 => {
                let result = self.world.find_from(ns, nr, PidType::Pid);
                // Nobody is gone for not having a number.
                self.note("find", self.init, result);
            }
            _ => {
                let mut numbers: Vec<i32> = (nr..nr + 16).collect();
                let to = self.namespace();
                let result = self.world.translate_in_place(ns, to, &mut numbers);
                self.note("translate", self.init, result);
            }
        }
    }
}
