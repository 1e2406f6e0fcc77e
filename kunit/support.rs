// SPDX-License-Identifier: GPL-2.0

//! What the suites have in common: worlds to work in, and random numbers that are the same each
//! time.

use crate::{
    clone::{flags, CloneArgs, ParentArg},
    task::SIGCHLD,
    wait::WNOHANG,
    world::{Limits, World},
};
use kernel::prelude::*;

/// Numbers that look random: xorshift64.
pub(crate) struct Random(u64);

impl Random {
    /// The sequence that a seed, which is not 0, begins.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % u64::from(end)) as u32
    }
}

/// A world with the usual limits.
pub(crate) fn world() -> Result<Pin<KBox<World>>> {
    world_of(4096, 256)
}

/// A world for so many tasks and namespaces.
pub(crate) fn world_of(tasks: usize, namespaces: usize) -> Result<Pin<KBox<World>>> {
    KBox::pin_init(World::new(Limits { tasks, namespaces })?, GFP_KERNEL)
}

/// The verbs in the form that tests like them: errors are errno values, results are ids.
pub(crate) struct Verbs<'a>(pub(crate) &'a World);

impl Verbs<'_> {
    /// clone3 with flags and the numbers to have.
    pub(crate) fn clone(&self, task: u64, flags: u64, set_tid: &[i32]) -> Result<(u64, i32)> {
        let exit_signal = if flags & (flags::THREAD | flags::PARENT | flags::AUTOREAP) != 0 {
            0
        } else {
            SIGCHLD
        };
        self.clone_with(task, flags, exit_signal, set_tid, ParentArg::Native)
    }

    /// clone3 with everything.
    pub(crate) fn clone_with(
        &self,
        task: u64,
        flags: u64,
        exit_signal: i32,
        set_tid: &[i32],
        parent: ParentArg,
    ) -> Result<(u64, i32)> {
        let args = CloneArgs {
            task,
            flags,
            exit_signal,
            set_tid,
            parent,
        };
        self.0
            .clone_task(&args)
            .map(|cloned| (cloned.child, cloned.pid))
    }

    /// fork(2)
    pub(crate) fn fork(&self, task: u64) -> Result<u64> {
        self.clone(task, 0, &[]).map(|(child, _)| child)
    }

    /// A child that is init of a new namespace.
    pub(crate) fn container(&self, task: u64) -> Result<u64> {
        self.clone(task, flags::NEWPID, &[]).map(|(child, _)| child)
    }

    /// A thread.
    pub(crate) fn thread(&self, task: u64) -> Result<u64> {
        self.clone(task, flags::THREAD | flags::SIGHAND | flags::VM, &[])
            .map(|(child, _)| child)
    }

    /// exit_group(2)
    pub(crate) fn exit(&self, task: u64, code: i32) -> Result {
        self.0.exit(task, code, true)
    }

    /// wait4(2) with WNOHANG: number and status of who was reaped, 0 and 0 for nobody.
    pub(crate) fn wait(&self, task: u64, pid: i32) -> Result<(i32, i32)> {
        let reaped = self.0.wait(task, pid, WNOHANG)?;
        Ok(reaped.map_or((0, 0), |reaped| (reaped.pid, reaped.status)))
    }

    /// setsid(2)
    pub(crate) fn setsid(&self, task: u64) -> Result<i32> {
        let mut tree = self.0.tree().lock();
        let task = tree.find_alive(task)?;
        tree.setsid(task)
    }

    /// setpgid(2)
    pub(crate) fn setpgid(&self, task: u64, pid: i32, pgid: i32) -> Result {
        let mut tree = self.0.tree().lock();
        let task = tree.find_alive(task)?;
        tree.setpgid(task, pid, pgid)
    }

    /// The id of a task's namespace.
    pub(crate) fn ns(&self, task: u64) -> Result<u64> {
        Ok(self.0.describe_task(task)?.ns)
    }

    /// The number of a task at a level.
    pub(crate) fn nr(&self, task: u64, level: usize) -> i32 {
        self.0
            .describe_task(task)
            .map_or(-1, |task| task.pid[level])
    }

    /// The parent's id, 0 for none.
    pub(crate) fn parent(&self, task: u64) -> u64 {
        self.0
            .describe_task(task)
            .map_or(u64::MAX, |task| task.parent)
    }

    /// The state of a task, or of what an id no longer names, -1.
    pub(crate) fn state(&self, task: u64) -> i64 {
        self.0
            .describe_task(task)
            .map_or(-1, |task| i64::from(task.state))
    }

    /// Whether every invariant holds; says which does not.
    pub(crate) fn is_sound(&self) -> bool {
        let findings = self.0.audit();
        if findings.broken != 0 {
            let end = findings
                .what
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(0);
            let what = core::str::from_utf8(&findings.what[..end]).unwrap_or("?");
            pr_err!("{} broken invariants: {}\n", findings.broken, what);
        }
        findings.broken == 0
    }
}
