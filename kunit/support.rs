// SPDX-License-Identifier: GPL-2.0

//! What the suites have in common: worlds to work in, and random numbers that are the same each
//! time.

use crate::{
    pid::registry::NsId,
    process::clone::{flags, CloneArgs, Cloned, ParentArg},
    process::pidfd::Target,
    process::wait::{Report, Wanted, WNOHANG},
    reason::Outcome,
    signal::kill::{By, Kill},
    signal::sigaction::{Action, How},
    tree::handles::PidfdId,
    tree::pending::{SigSet, SIGCHLD},
    tree::sighand::Disposition,
    tree::task::TaskId,
    uapi,
    world::{Limits, World},
};
use kernel::{prelude::*, sync::Arc};

/// Where a task is, as [`Verbs::state`] has it.
pub(crate) mod state {
    use crate::uapi;

    pub(crate) const RUNNING: i64 = uapi::ALTPID_TASK_RUNNING as i64;
    pub(crate) const STOPPED: i64 = uapi::ALTPID_TASK_STOPPED as i64;
    pub(crate) const ZOMBIE: i64 = uapi::ALTPID_TASK_ZOMBIE as i64;
    pub(crate) const EXITING: i64 = uapi::ALTPID_TASK_EXITING as i64;
    pub(crate) const GONE: i64 = -1;
}

/// Signals that the module itself knows nothing special about.
pub(crate) mod signals {
    use kernel::bindings;

    pub(crate) const SIGUSR1: i32 = bindings::SIGUSR1 as i32;
    pub(crate) const SIGPIPE: i32 = bindings::SIGPIPE as i32;
    pub(crate) const SIGALRM: i32 = bindings::SIGALRM as i32;
    pub(crate) const SIGTERM: i32 = bindings::SIGTERM as i32;
}

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
pub(crate) fn world() -> Result<Arc<World>> {
    world_of(4096, 256)
}

/// How many of something a long test does: a tenth in the debug kernel, where all of it takes that
/// much longer.
pub(crate) const fn many(count: usize) -> usize {
    if cfg!(CONFIG_KASAN) {
        count / 10
    } else {
        count
    }
}

/// A world for so many tasks and namespaces.
pub(crate) fn world_of(tasks: usize, namespaces: usize) -> Result<Arc<World>> {
    World::new(limits(tasks, namespaces))
}

/// Limits of a world for so many tasks and namespaces, which keeps few events.
pub(crate) fn limits(tasks: usize, namespaces: usize) -> Limits {
    Limits {
        worlds: 1 << 16,
        tasks,
        namespaces,
        pidfds: tasks,
        events: 64,
    }
}

/// What came of an operation, as its caller would see it.
pub(crate) trait Errno<T> {
    /// The result, or the errno whatever the reason.
    fn errno(self) -> Result<T>;
}

impl<T> Errno<T> for Outcome<T> {
    fn errno(self) -> Result<T> {
        self.map_err(Error::from)
    }
}

/// The exit signal that goes with flags of a clone.
pub(crate) fn exit_signal(flags: u64) -> i32 {
    if flags & (flags::THREAD | flags::PARENT | flags::AUTOREAP) != 0 {
        0
    } else {
        SIGCHLD
    }
}

/// The verbs in the form that tests like them: errors are errno values, results are ids.
pub(crate) struct Verbs<'a>(pub(crate) &'a World);

impl Verbs<'_> {
    /// clone3 with flags and the numbers to have.
    pub(crate) fn clone(&self, task: TaskId, flags: u64, set_tid: &[i32]) -> Result<(TaskId, i32)> {
        self.clone_with(task, flags, exit_signal(flags), set_tid, ParentArg::Native)
    }

    /// clone3 with everything.
    pub(crate) fn clone_with(
        &self,
        task: TaskId,
        flags: u64,
        exit_signal: i32,
        set_tid: &[i32],
        parent: ParentArg,
    ) -> Result<(TaskId, i32)> {
        self.cloned(task, flags, exit_signal, set_tid, parent)
            .map(|cloned| (cloned.child, cloned.pid))
    }

    /// Likewise, with all that came of it.
    pub(crate) fn cloned(
        &self,
        task: TaskId,
        flags: u64,
        exit_signal: i32,
        set_tid: &[i32],
        parent: ParentArg,
    ) -> Result<Cloned> {
        let args = CloneArgs {
            task,
            flags,
            exit_signal,
            set_tid,
            parent,
            takes_pidfd: true,
            by_member: false,
        };
        self.0.clone_task(&args).errno()
    }

    /// fork(2)
    pub(crate) fn fork(&self, task: TaskId) -> Result<TaskId> {
        self.clone(task, 0, &[]).map(|(child, _)| child)
    }

    /// A shell and its job: a session leader, and a child in a process group of its own.
    pub(crate) fn family(&self) -> Result<(TaskId, TaskId)> {
        let parent = self.fork(self.0.init())?;
        self.setsid(parent)?;
        let child = self.fork(parent)?;
        self.setpgid(child, 0, 0)?;
        Ok((parent, child))
    }

    /// A child that is init of a new namespace.
    pub(crate) fn container(&self, task: TaskId) -> Result<TaskId> {
        self.clone(task, flags::NEWPID, &[]).map(|(child, _)| child)
    }

    /// A thread.
    pub(crate) fn thread(&self, task: TaskId) -> Result<TaskId> {
        self.clone(task, flags::THREAD | flags::SIGHAND | flags::VM, &[])
            .map(|(child, _)| child)
    }

    /// A handle on the process of a task, opened from outside.
    pub(crate) fn pidfd(&self, task: TaskId) -> Result<PidfdId> {
        self.0.pidfd_open(Target::Task(task), false, false).errno()
    }

    /// exit_group(2)
    pub(crate) fn exit(&self, task: TaskId, code: i32) -> Result {
        self.0.exit(task, code, true).errno()
    }

    /// wait4(2) with WNOHANG: number and status of who was reaped, 0 and 0 for nobody.
    pub(crate) fn wait(&self, task: TaskId, pid: i32) -> Result<(i32, i32)> {
        let report = self.wait4(task, pid, WNOHANG)?;
        Ok(report.map_or((0, 0), |report| (report.pid, report.word())))
    }

    /// wait4(2)
    pub(crate) fn wait4(&self, task: TaskId, pid: i32, options: u32) -> Result<Option<Report>> {
        self.0.wait(task, Wanted::Wait4(pid, options)).errno()
    }

    /// wait4(2) for any child, with WNOHANG and more options: the status word, 0 for none.
    pub(crate) fn word(&self, task: TaskId, options: u32) -> Result<i32> {
        let report = self.wait4(task, -1, WNOHANG | options)?;
        Ok(report.map_or(0, |report| report.word()))
    }

    /// kill(2)
    pub(crate) fn kill(&self, task: TaskId, pid: i32, signal: i32) -> Result {
        self.0.kill(task, Kill::Pid(pid), signal).errno()
    }

    /// A task sends a process a signal with a value (rt_sigqueueinfo(2), `SI_QUEUE`).
    pub(crate) fn queue(&self, task: TaskId, pid: i32, value: u64, signal: i32) -> Result {
        let kill = Kill::Queue {
            pid,
            code: -1,
            value,
        };
        self.0.kill(task, kill, signal).errno()
    }

    /// A process with a handler for a signal, which its leader was told of while it sleeps in vfork; another
    /// thread of it, and the child.
    pub(crate) fn told_in_vfork(&self, signal: i32) -> Result<[TaskId; 3]> {
        let leader = self.fork(self.0.init())?;
        let thread = self.thread(leader)?;
        self.sigaction(leader, signal, Disposition::Handler)?;
        let (child, _) = self.clone(leader, flags::VM | flags::VFORK, &[])?;
        self.0.kill_from(By::Outside, leader, signal).errno()?;
        Ok([leader, thread, child])
    }

    /// What a process does about a signal from now on.
    pub(crate) fn sigaction(&self, task: TaskId, signal: i32, disposition: Disposition) -> Result {
        self.0
            .sigaction(task, signal, Some(Action::from(disposition)))
            .errno()
            .map(|_| ())
    }

    /// sigprocmask(2) with SIG_BLOCK
    pub(crate) fn block(&self, task: TaskId, signals: &[i32]) -> Result {
        let set = SigSet::of(signals);
        self.0
            .sigprocmask(task, How::Block, set)
            .errno()
            .map(|_| ())
    }

    /// sigprocmask(2) with SIG_UNBLOCK
    pub(crate) fn unblock(&self, task: TaskId, signals: &[i32]) -> Result {
        let set = SigSet::of(signals);
        self.0
            .sigprocmask(task, How::Unblock, set)
            .errno()
            .map(|_| ())
    }

    /// How many signals the handlers of a task were called for, and the last one.
    pub(crate) fn received(&self, task: TaskId) -> Result<(u32, uapi::altpid_siginfo)> {
        let signals = self.0.describe_signals(task)?;
        Ok((signals.received, signals.last))
    }

    /// Signals that wait for a task or its process.
    pub(crate) fn pending(&self, task: TaskId) -> Result<SigSet> {
        let signals = self.0.describe_signals(task)?;
        Ok(SigSet::from_bits(signals.pending | signals.shared))
    }

    /// prctl(PR_SET_CHILD_SUBREAPER)
    pub(crate) fn set_subreaper(&self, task: TaskId, on: bool) -> Result {
        let (mut tree, task) = self.0.act(task)?;
        tree.set_subreaper(task, on);
        Ok(())
    }

    /// prctl(PR_SET_PDEATHSIG)
    pub(crate) fn set_pdeath_signal(&self, task: TaskId, signal: i32) -> Result {
        let (mut tree, task) = self.0.act(task)?;
        tree.set_pdeath_signal(task, signal as u64).errno()
    }

    /// setsid(2)
    pub(crate) fn setsid(&self, task: TaskId) -> Result<i32> {
        self.0.setsid(task).errno()
    }

    /// setpgid(2)
    pub(crate) fn setpgid(&self, task: TaskId, pid: i32, pgid: i32) -> Result {
        self.0.setpgid(task, pid, pgid).errno()
    }

    /// The id of a task's namespace.
    pub(crate) fn ns(&self, task: TaskId) -> Result<NsId> {
        Ok(NsId::from_raw(self.0.describe_task(task)?.ns))
    }

    /// The number of a task at a level.
    pub(crate) fn nr(&self, task: TaskId, level: usize) -> i32 {
        self.0
            .describe_task(task)
            .map_or(-1, |task| task.pid[level])
    }

    /// The parent's id, 0 for none.
    pub(crate) fn parent(&self, task: TaskId) -> TaskId {
        self.0
            .describe_task(task)
            .map_or(TaskId::from_raw(u64::MAX), |task| {
                TaskId::from_raw(task.parent)
            })
    }

    /// The state of a task, or of what an id no longer names, -1.
    pub(crate) fn state(&self, task: TaskId) -> i64 {
        self.0
            .describe_task(task)
            .map_or(state::GONE, |task| i64::from(task.state))
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
