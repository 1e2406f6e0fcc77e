// SPDX-License-Identifier: GPL-2.0

//! One process that tries to make somebody hold the tree lock for long.
//!
//! It builds what a loop under the lock could go through whole: processes of many threads that block
//! signals, long lines below subreapers, process groups of many members some of which are stopped, long
//! queues of signals, nested namespaces. Then it lets something happen to them: they are killed,
//! stopped, continued, get signals, and lose their parents. Others do the same to them at the same
//! time, so that whatever it tries may fail.

use super::{Count, Tally};
use altpid::{
    Batch, CloneArgs, CloneFlags, Disposition, Kill, Mask, Parent, Result, SigSet, TaskId, World,
};
use rustix::fd::BorrowedFd;
use std::thread;

/// Threads that build.
const THREADS: usize = 2;
/// Tasks of a world from which on it is emptied before more are made.
const FULL: u64 = 30_000;
/// Members of what is built, at most.
const LARGE: usize = 3000;
/// Tasks that are remembered, of which things happen to some.
const KNOWN: usize = 400;

/// Signals that do something of their own each.
const SIGNALS: [i32; 10] = [
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGTERM,
    libc::SIGCHLD,
    libc::SIGCONT,
    libc::SIGSTOP,
    libc::SIGTSTP,
    libc::SIGTTIN,
    40,
    64,
];

/// Builds and destroys in these worlds until it is killed.
///
/// # Panics
///
/// When they are no worlds.
pub fn build(shared: &[BorrowedFd<'_>], tally: &Tally, seed: u64) {
    let worlds = shared.iter().map(|fd| {
        let fd = fd.try_clone_to_owned().expect("a descriptor");
        World::from_fd(fd).expect("a world")
    });
    let worlds: Vec<World> = worlds.collect();
    thread::scope(|scope| {
        for number in 0..THREADS as u64 {
            let worlds = &worlds;
            scope.spawn(move || {
                let mut known: Vec<_> = worlds.iter().map(|_| Vec::new()).collect();
                let mut rng = fastrand::Rng::with_seed(seed.wrapping_add(number));
                loop {
                    let which = rng.usize(..worlds.len());
                    let mut builder = Builder {
                        world: &worlds[which],
                        known: &mut known[which],
                        rng: &mut rng,
                        tally,
                    };
                    // Nothing depends on its success.
                    let _ = builder.turn();
                }
            });
        }
    });
}

/// Who builds in a world.
struct Builder<'a> {
    world: &'a World,
    known: &'a mut Vec<TaskId>,
    rng: &'a mut fastrand::Rng,
    tally: &'a Tally,
}

impl Builder<'_> {
    /// Builds something, and lets a few things happen.
    fn turn(&mut self) -> Result<()> {
        let info = self.world.info()?;
        if info.tasks > FULL {
            self.empty(info.init)?;
        }
        self.world.set_pid_max(info.root_ns, 1 << 22)?;
        let count = self.rng.usize(10..LARGE);
        match self.rng.u32(..6) {
            0 => self.threads(info.init, count)?,
            1 => self.line(info.init, count)?,
            2 | 3 => self.job(info.init, count)?,
            4 => self.queue(info.init, count)?,
            _ => self.nest(info.init, count / 10)?,
        }
        self.tally.add(Count::Shapes, 1);
        for _ in 0..self.rng.u32(..60) {
            let _ = self.happening(info.init);
            self.tally.add(Count::Happenings, 1);
        }
        Ok(())
    }

    /// Everybody dies, and is reaped.
    fn empty(&mut self, init: TaskId) -> Result<()> {
        self.known.clear();
        self.world.kill(Kill::Pid(init, -1), libc::SIGKILL)?;
        loop {
            let mut batch = Batch::new();
            for _ in 0..1000 {
                batch.wait(init, -1, crate::WNOHANG | crate::WALL);
            }
            let reaped = batch.run(self.world, false)?;
            if !reaped.last().is_some_and(|last| matches!(last, Ok(1..))) {
                return Ok(());
            }
        }
    }

    /// Remembers some of those that were made.
    fn remember(&mut self, tasks: &[TaskId]) {
        for _ in 0..20.min(tasks.len()) {
            let task = tasks[self.rng.usize(..tasks.len())];
            if self.known.len() < KNOWN {
                self.known.push(task);
            } else {
                let at = self.rng.usize(..KNOWN);
                self.known[at] = task;
            }
        }
    }

    /// Tasks that one makes, as far as it succeeds.
    fn many(&mut self, task: TaskId, how: &CloneArgs, count: usize) -> Result<Vec<TaskId>> {
        let mut batch = Batch::new();
        for _ in 0..count {
            batch.clone(task, how);
        }
        let made = batch.run(self.world, true)?;
        let made: Vec<TaskId> = made.into_iter().flatten().map(TaskId).collect();
        self.remember(&made);
        Ok(made)
    }

    fn fork(&mut self, task: TaskId) -> Result<TaskId> {
        Ok(self.world.clone(task, &CloneArgs::new())?.task)
    }

    fn signal(&mut self) -> i32 {
        *self.rng.choice(&SIGNALS).expect("there are some")
    }

    /// A process that blocks some signals and has handlers for some, and its threads; they want to know
    /// when their parent dies, and have children.
    fn threads(&mut self, init: TaskId, count: usize) -> Result<()> {
        let parent = self.fork(init)?;
        let leader = self.fork(parent)?;
        for signal in SIGNALS {
            if self.rng.bool() {
                let handler = Some(Disposition::Handler.into());
                let _ = self.world.sigaction(leader, signal, handler);
            }
        }
        let blocked = SigSet::from_bits(self.rng.u64(..) | self.rng.u64(..));
        self.world.sigprocmask(leader, Mask::Set, blocked)?;
        let threads = self.many(leader, &CloneArgs::thread(), count)?;
        let signal = self.signal();
        for &thread in &threads {
            self.world.set_pdeath_signal(thread, signal)?;
        }
        for _ in 0..10 {
            if let Some(&thread) = self.rng.choice(&threads) {
                self.many(thread, &CloneArgs::new(), count / 50)?;
            }
        }
        self.remember(&[parent, leader]);
        Ok(())
    }

    /// A line of descendants, with subreapers here and there.
    fn line(&mut self, init: TaskId, count: usize) -> Result<()> {
        let signals = [libc::SIGCHLD, libc::SIGCHLD, libc::SIGTERM, 0];
        let exit_signal = *self.rng.choice(&signals).expect("there are some");
        let how = CloneArgs::new().exit_signal(exit_signal);
        let mut batch = Batch::new();
        let mut parent = init;
        for _ in 0..count {
            parent = batch.clone(parent, &how);
        }
        let line = batch.run(self.world, false)?;
        let line: Vec<TaskId> = line.into_iter().flatten().map(TaskId).collect();
        let signal = self.signal();
        for (number, &task) in line.iter().enumerate() {
            if number == 0 || self.rng.u32(..200) == 0 {
                self.world.set_child_subreaper(task, true)?;
            }
            if self.rng.u32(..4) == 0 {
                self.world.set_pdeath_signal(task, signal)?;
            }
        }
        self.remember(&line);
        if let Some(first) = line.first() {
            self.remember(&[*first]);
        }
        Ok(())
    }

    /// A shell with a job of many, some of which are stopped.
    fn job(&mut self, init: TaskId, count: usize) -> Result<()> {
        let shell = self.fork(init)?;
        self.world.setsid(shell)?;
        let leader = self.fork(shell)?;
        self.world.setpgid(leader, 0, 0)?;
        let parents = [Parent::Native, Parent::Task(shell), Parent::Outside];
        for parent in parents {
            let how = CloneArgs::new().parent(parent);
            let members = self.many(leader, &how, count / 3)?;
            for _ in 0..self.rng.usize(..20) {
                if let Some(&member) = self.rng.choice(&members) {
                    let _ = self.world.kill(Kill::Outside(member), libc::SIGSTOP);
                }
            }
        }
        if self.rng.bool() {
            self.world.kill(Kill::Pid(leader, 0), libc::SIGTSTP)?;
        }
        self.remember(&[shell, leader]);
        Ok(())
    }

    /// A process that blocks everything, and as many signals for it as can wait.
    fn queue(&mut self, init: TaskId, count: usize) -> Result<()> {
        let task = self.fork(init)?;
        let handler = Some(Disposition::Handler.into());
        for signal in 34..=64 {
            self.world.sigaction(task, signal, handler)?;
        }
        self.world.sigprocmask(task, Mask::Set, SigSet::ALL)?;
        let others = self.rng.usize(..200);
        let threads = self.many(task, &CloneArgs::thread(), others)?;
        let pid = self.world.task(task)?.pid[0];
        for value in 0..count as u64 {
            let signal = self.rng.i32(34..=64);
            self.world.kill(Kill::Queue(init, pid, -1, value), signal)?;
        }
        let taker = *self.rng.choice(&threads).unwrap_or(&task);
        if self.rng.bool() {
            self.world.sigprocmask(taker, Mask::Set, SigSet::EMPTY)?;
        }
        self.remember(&[task, taker]);
        Ok(())
    }

    /// Namespaces in each other, with members born there and ones from outside.
    fn nest(&mut self, init: TaskId, count: usize) -> Result<()> {
        let outside = self.fork(init)?;
        let mut place = self.fork(init)?;
        for _ in 0..self.rng.u32(1..16) {
            let how = CloneArgs::new().flags(CloneFlags::NEWPID);
            place = self.world.clone(place, &how)?.task;
            self.remember(&[place]);
            self.many(place, &CloneArgs::new(), count)?;
            let ns = self.world.task(place)?.ns;
            if self.rng.bool() && self.world.setns(outside, ns).is_ok() {
                self.many(outside, &CloneArgs::new(), 5)?;
            }
        }
        self.remember(&[outside]);
        Ok(())
    }

    /// Something happens to one of those that are remembered, or to its relatives.
    fn happening(&mut self, init: TaskId) -> Result<()> {
        let Some(&task) = self.rng.choice(&*self.known) else {
            return Ok(());
        };
        let signal = self.signal();
        let info = self.world.task(task)?;
        let group = info.pgid[0];
        match self.rng.u32(..20) {
            0 | 1 => self.world.exit_group(task, 1),
            2 => self.world.exit(task, 2),
            3 => self.world.kill(Kill::Outside(task), libc::SIGKILL),
            4 | 5 => self.world.kill(Kill::Outside(task), signal),
            6 => match info.parent {
                Some(parent) if parent != init => self.world.exit_group(parent, 3),
                _ => Ok(()),
            },
            7 if group > 1 => self.world.kill(Kill::Pid(init, -group), libc::SIGKILL),
            8..=10 if group > 1 => self.world.kill(Kill::Pid(init, -group), signal),
            11 => self.world.kill(Kill::Pid(task, -1), libc::SIGCONT),
            12 => self.world.exec(task, b"program"),
            13 => self.world.setsid(task).map(drop),
            14 => self.world.setpgid(task, 0, self.rng.i32(0..2) * group),
            15 => {
                let how = if self.rng.bool() {
                    Disposition::Ignore
                } else {
                    Disposition::Default
                };
                self.world
                    .sigaction(task, signal, Some(how.into()))
                    .map(drop)
            }
            16 => {
                let set = SigSet::from_bits(self.rng.u64(..));
                self.world.sigprocmask(task, Mask::Set, set).map(drop)
            }
            17 => self
                .world
                .wait(task, -1, crate::WNOHANG | crate::WALL)
                .map(drop),
            18 => {
                let vfork = CloneFlags::VM | CloneFlags::from_bits_retain(0x4000);
                let child = self.world.clone(task, &CloneArgs::new().flags(vfork))?.task;
                self.remember(&[child]);
                Ok(())
            }
            _ => self.world.wait(task, -group, crate::WNOHANG).map(drop),
        }
    }
}
