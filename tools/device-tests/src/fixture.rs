// SPDX-License-Identifier: GPL-2.0

//! A world for one test: short words for what tests do all the time, and an audit at the end.

use crate::holds::Holds;
use altpid::{
    CloneArgs, CloneFlags, Cloned, Ns, NsId, Result, Signals, Task, TaskId, TaskState, WaitFlags,
    Waited, World, WorldInfo,
};
use rustix::{
    fd::{AsFd, BorrowedFd},
    io::Errno,
};
use std::{fmt::Debug, fs, ops::Deref};

/// `SIGCHLD`, what a forked child sends.
pub const SIGCHLD: i32 = libc::SIGCHLD;
/// Options of wait4(2): do not sleep.
pub const WNOHANG: WaitFlags = WaitFlags::NOHANG;
/// Likewise: children of any kind.
pub const WALL: WaitFlags = WaitFlags::WALL;
/// Likewise: children that send something else than `SIGCHLD`.
pub const WCLONE: WaitFlags = WaitFlags::CLONE;
/// Likewise: children of this thread only.
pub const WNOTHREAD: WaitFlags = WaitFlags::NOTHREAD;

/// The status word of a process that exited with a code.
pub fn exited(code: i32) -> i32 {
    (code & 0xff) << 8
}

/// The least value of `kernel.pid_max` on this machine.
pub fn pid_max_min() -> i32 {
    let text = fs::read_to_string("/sys/devices/system/cpu/possible")
        .expect("/sys/devices/system/cpu/possible");
    // Ranges in order, as in "0-3": the last number is what counts.
    let last = text.trim().rsplit([',', '-']).next().unwrap_or_default();
    let cpus = last.parse::<i32>().expect("a list of CPUs") + 1;
    (8 * cpus).max(301)
}

/// The ids in a list of clones.
pub fn numbers(cloned: &[Cloned]) -> Vec<i32> {
    cloned.iter().map(|c| c.pid).collect()
}

/// All that a command could have changed in a world.
///
/// Not in it: how far the cursor of a namespace has moved, which natively a failed clone may do
/// too, the memory of tables, and the counters of the whole module.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    tasks: Vec<Task>,
    signals: Vec<Signals>,
    namespaces: Vec<Ns>,
    zombies: u64,
    pidfds: u64,
}

impl State {
    /// The state of a world at this moment.
    pub fn of(world: &World) -> Self {
        let info = world.info().expect("world");
        let mut namespaces = world.namespaces(None).expect("list");
        for ns in &mut namespaces {
            ns.last_pid = 0;
            ns.map_bytes = 0;
        }
        let tasks = world.tasks(None).expect("list");
        assert_eq!(tasks.len() as u64, info.tasks, "tasks, listed and counted");
        assert_eq!(
            namespaces.len() as u64,
            info.namespaces,
            "namespaces, listed and counted"
        );
        let signals = tasks.iter().map(|task| world.signals(task.id));
        Self {
            signals: signals.collect::<Result<_>>().expect("signals"),
            tasks,
            namespaces,
            zombies: info.zombies,
            pidfds: info.pidfds,
        }
    }
}

/// A world of a test's own. When it is dropped, everything in it must be as it should.
#[derive(Debug)]
pub struct Fixture {
    world: World,
    /// Init of the world.
    pub init: TaskId,
    /// The namespace of that.
    pub root: NsId,
}

impl Deref for Fixture {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl AsFd for Fixture {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.world.as_fd()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // The test has failed already; let it say why.
        if !std::thread::panicking() {
            self.check();
        }
    }
}

impl Default for Fixture {
    fn default() -> Self {
        Self::new()
    }
}

impl Fixture {
    /// A new world.
    ///
    /// # Panics
    ///
    /// Without the device: these tests are about it.
    pub fn new() -> Self {
        let world = World::open().expect("/dev/altpid: is the module loaded?");
        let WorldInfo { init, root_ns, .. } = world.info().expect("world");
        Self {
            world,
            init,
            root: root_ns,
        }
    }

    /// The world. What `Deref` gives, where that would need to be spelled out.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Audits the world, and looks whether its tree lock was ever held for too long.
    #[track_caller]
    pub fn check(&self) {
        let audit = self.world.audit().expect("audit");
        assert_eq!(audit.broken, 0, "the audit found: {}", audit.what);
        assert_eq!(audit.what, "");
        if let Some(holds) = Holds::of(&self.world) {
            holds.check();
        }
    }

    /// [`World::clone`], which `Deref` cannot give: references have a method of that name.
    pub fn clone(&self, task: TaskId, args: &CloneArgs) -> Result<Cloned> {
        self.world.clone(task, args)
    }

    /// Something that must fail with `errno` and change nothing.
    #[track_caller]
    pub fn refuses<T: Debug>(&self, errno: Errno, attempt: impl FnOnce(&World) -> Result<T>) {
        let before = State::of(&self.world);
        match attempt(&self.world) {
            Ok(done) => panic!("{done:?} instead of {errno}"),
            Err(error) => assert_eq!(error.errno, errno, "{}", error.verb),
        }
        assert_eq!(State::of(&self.world), before, "{errno} has changed this");
        self.check();
    }

    /// A clone that must be possible.
    #[track_caller]
    pub fn born(&self, parent: TaskId, args: &CloneArgs) -> TaskId {
        self.clone(parent, args).expect("clone").task
    }

    /// fork(2): a child process.
    #[track_caller]
    pub fn fork(&self, parent: TaskId) -> TaskId {
        self.born(parent, &CloneArgs::new())
    }

    /// A child that vanishes when it exits.
    #[track_caller]
    pub fn autoreap(&self, parent: TaskId) -> TaskId {
        let args = CloneArgs::new().flags(CloneFlags::AUTOREAP).exit_signal(0);
        self.born(parent, &args)
    }

    /// Whose child a task is.
    #[track_caller]
    pub fn parent_of(&self, task: TaskId) -> Option<TaskId> {
        self.task(task).expect("task").parent
    }

    /// A thread of the process of `task`.
    #[track_caller]
    pub fn thread(&self, task: TaskId) -> TaskId {
        self.born(task, &CloneArgs::thread())
    }

    /// A child that is init of a new namespace, and that.
    #[track_caller]
    pub fn container(&self, parent: TaskId) -> (TaskId, NsId) {
        let init = self.born(parent, &CloneArgs::new().flags(CloneFlags::NEWPID));
        (init, self.task(init).expect("task").ns)
    }

    /// A child of `parent` born in a namespace below: setns(2), fork(2), and setns(2) back.
    #[track_caller]
    pub fn inject(&self, parent: TaskId, ns: NsId) -> TaskId {
        let back = self.task(parent).expect("task").ns_for_children;
        self.setns(parent, ns).expect("setns");
        let child = self.fork(parent);
        self.setns(parent, back.expect("a live parent"))
            .expect("setns");
        child
    }

    /// The numbers of a task, level 0 first.
    #[track_caller]
    pub fn pid_of(&self, task: TaskId) -> Vec<i32> {
        self.task(task).expect("task").pid
    }

    /// The number of a task in its own namespace.
    #[track_caller]
    pub fn own_pid(&self, task: TaskId) -> i32 {
        *self.pid_of(task).last().expect("a level")
    }

    /// Checks that every one of some tasks is in a state.
    ///
    /// # Panics
    ///
    /// When one of them is in another.
    #[track_caller]
    pub fn all_are(&self, state: TaskState, tasks: &[TaskId]) {
        for &task in tasks {
            assert_eq!(self.state_of(task), Some(state), "{task:?}");
        }
    }

    /// Where a task is in its life, `None` for no more.
    #[track_caller]
    pub fn state_of(&self, task: TaskId) -> Option<TaskState> {
        match self.task(task) {
            Ok(task) => Some(task.state),
            Err(error) => {
                assert_eq!(error.errno, Errno::SRCH);
                None
            }
        }
    }

    /// Whether a namespace is still there.
    #[track_caller]
    pub fn has_ns(&self, ns: NsId) -> bool {
        match self.ns(ns) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.errno, Errno::NOENT);
                false
            }
        }
    }

    /// wait4(2) for any child; there must be a dead one.
    #[track_caller]
    pub fn reap(&self, parent: TaskId) -> Waited {
        self.wait(parent, -1, WNOHANG | WALL)
            .expect("wait4")
            .expect("a dead child")
    }

    /// exit_group(2), and its parent reaps it. Returns the status.
    #[track_caller]
    pub fn end(&self, task: TaskId, code: i32) -> i32 {
        let parent = self.parent_of(task).expect("a parent");
        let pid = self.number_in(task, self.task(parent).expect("task").ns);
        self.exit_group(task, code).expect("exit_group");
        let waited = self.wait(parent, pid, WNOHANG | WALL);
        let waited = waited.expect("wait4").expect("a dead child");
        assert_eq!(waited.task, task);
        waited.status
    }

    /// exit_group(2) by a thread, and the parent of its process reaps that. Returns which and the
    /// status.
    #[track_caller]
    pub fn end_by(&self, thread: TaskId, code: i32) -> (TaskId, i32) {
        let parent = self.parent_of(thread).expect("a parent");
        self.exit_group(thread, code).expect("exit_group");
        let waited = self.reap(parent);
        (waited.task, waited.status)
    }

    /// The number of a task as seen from a namespace at or above its own.
    #[track_caller]
    pub fn number_in(&self, task: TaskId, ns: NsId) -> i32 {
        let level = self.ns(ns).expect("ns").level;
        self.pid_of(task)[level as usize]
    }
}
