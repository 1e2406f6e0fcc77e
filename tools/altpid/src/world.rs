// SPDX-License-Identifier: GPL-2.0

//! A world: one open of the device, and everything that can be done and asked there.

use crate::{
    sys::{Command, call},
    uapi,
};
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    fs::{Mode, OFlags, open},
    io::Errno,
};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Names a task of a world, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u64);

/// Names a pid namespace of a world, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NsId(pub u64);

/// What the kernel refused, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// What was tried, by the name of its system call.
    pub verb: &'static str,
    /// The error number.
    pub errno: Errno,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.verb, self.errno)
    }
}

impl std::error::Error for Error {}

/// What the methods of [`World`] return.
pub type Result<T> = std::result::Result<T, Error>;

bitflags::bitflags! {
    /// Flags of clone3(2) that altpid looks at (`include/uapi/linux/sched.h`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CloneFlags: u64 {
        /// Share the memory.
        const VM = 0x100;
        /// Share the table of signal handlers.
        const SIGHAND = 0x800;
        /// The child gets the parent of the caller.
        const PARENT = 0x8000;
        /// The child is a thread of the caller's process.
        const THREAD = 0x10000;
        /// The child is init of a new pid namespace.
        const NEWPID = 0x2000_0000;
        /// The child vanishes when it exits.
        const AUTOREAP = 1 << 34;
        /// Any other flag, to be refused or ignored by the kernel.
        const _ = !0;
    }
}

/// Whose child a new process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// Whose clone3(2) makes it.
    Native,
    /// This task's.
    Task(TaskId),
    /// Nobody's in this world.
    Outside,
}

/// The arguments of clone3(2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clone {
    flags: CloneFlags,
    exit_signal: i32,
    set_tid: Vec<i32>,
    parent: Parent,
}

impl Clone {
    /// fork(2): a child process that sends SIGCHLD when it exits.
    pub fn new() -> Self {
        Self {
            flags: CloneFlags::empty(),
            exit_signal: 17,
            set_tid: Vec::new(),
            parent: Parent::Native,
        }
    }

    /// A thread of the caller's process.
    pub fn thread() -> Self {
        Self::new()
            .flags(CloneFlags::THREAD | CloneFlags::SIGHAND | CloneFlags::VM)
            .exit_signal(0)
    }

    /// With these flags.
    pub fn flags(mut self, flags: CloneFlags) -> Self {
        self.flags = flags;
        self
    }

    /// Sends this signal to the parent when it exits; 0 for none.
    pub fn exit_signal(mut self, signal: i32) -> Self {
        self.exit_signal = signal;
        self
    }

    /// With these numbers, that of the most nested namespace first.
    pub fn set_tid(mut self, numbers: &[i32]) -> Self {
        self.set_tid = numbers.to_vec();
        self
    }

    /// As a child of somebody else.
    pub fn parent(mut self, parent: Parent) -> Self {
        self.parent = parent;
        self
    }
}

impl Default for Clone {
    fn default() -> Self {
        Self::new()
    }
}

/// What clone3(2) has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cloned {
    /// The new task.
    pub task: TaskId,
    /// Its number as the caller sees it.
    pub pid: i32,
}

/// What a world is and holds; see `struct altpid_world`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldInfo {
    /// The initial namespace.
    pub root_ns: NsId,
    /// Its init.
    pub init: TaskId,
    /// Tasks, zombies among them.
    pub tasks: u64,
    /// Zombies.
    pub zombies: u64,
    /// Namespaces.
    pub namespaces: u64,
    /// Pids in the whole module.
    pub pids: u64,
    /// Worlds in the whole module.
    pub worlds: u64,
    /// The most tasks there may be.
    pub max_tasks: u64,
    /// The most namespaces there may be.
    pub max_namespaces: u64,
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Alive.
    Running,
    /// Stopped by a signal.
    Stopped,
    /// Exited, not reaped yet.
    Zombie,
    /// Exiting; as init of a namespace it waits for the others.
    Exiting,
}

/// Everything about a task; see `struct altpid_task`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The leader of its thread group.
    pub leader: TaskId,
    /// Its parent, if that is in this world.
    pub parent: Option<TaskId>,
    /// Its active namespace.
    pub ns: NsId,
    /// Where its children are born, unless it has exited.
    pub ns_for_children: Option<NsId>,
    /// Where it is in its life.
    pub state: TaskState,
    /// Whether it is init of its namespace.
    pub is_reaper: bool,
    /// Whether it vanishes when it exits.
    pub is_autoreap: bool,
    /// The status word, for a zombie.
    pub exit_code: i32,
    /// The signal to the parent at exit, -1 for a thread.
    pub exit_signal: i32,
    /// Live threads of its group.
    pub nr_threads: u32,
    /// Its name.
    pub comm: Vec<u8>,
    /// Its number at each level, level 0 first; likewise the other three.
    pub pid: Vec<i32>,
    /// Its thread group's.
    pub tgid: Vec<i32>,
    /// Its process group's, 0 where that has none.
    pub pgid: Vec<i32>,
    /// Its session's, 0 where that has none.
    pub sid: Vec<i32>,
}

impl Task {
    fn from_uapi(raw: &uapi::altpid_task) -> Self {
        let depth = raw.level as usize + 1;
        let vector = |numbers: &[i32]| numbers.iter().take(depth).copied().collect();
        let flag = |bit: u32| raw.flags & bit != 0;
        Self {
            id: TaskId(raw.task),
            leader: TaskId(raw.leader),
            parent: (raw.parent != 0).then_some(TaskId(raw.parent)),
            ns: NsId(raw.ns),
            ns_for_children: (raw.ns_for_children != 0).then_some(NsId(raw.ns_for_children)),
            state: match raw.state {
                uapi::ALTPID_TASK_RUNNING => TaskState::Running,
                uapi::ALTPID_TASK_STOPPED => TaskState::Stopped,
                uapi::ALTPID_TASK_ZOMBIE => TaskState::Zombie,
                _ => TaskState::Exiting,
            },
            is_reaper: flag(uapi::ALTPID_TASK_REAPER),
            is_autoreap: flag(uapi::ALTPID_TASK_AUTOREAP),
            exit_code: raw.exit_code,
            exit_signal: raw.exit_signal,
            nr_threads: raw.nr_threads,
            comm: raw
                .comm
                .iter()
                .copied()
                .take_while(|&byte| byte != 0)
                .collect(),
            pid: vector(&raw.pid),
            tgid: vector(&raw.tgid),
            pgid: vector(&raw.pgid),
            sid: vector(&raw.sid),
        }
    }
}

/// Where a namespace is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NsState {
    /// There is no pid 1 yet.
    AwaitingInit,
    /// Pid 1 lives.
    Active,
    /// Pid 1 has exited, others are left.
    Dying,
    /// Nobody is left, and nobody can be born there.
    Dead,
}

/// Everything about a namespace; see `struct altpid_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ns {
    /// Its id.
    pub id: NsId,
    /// The namespace above.
    pub parent: Option<NsId>,
    /// Its init.
    pub child_reaper: Option<TaskId>,
    /// Where it is in its life.
    pub state: NsState,
    /// 0 for the root.
    pub level: u32,
    /// Numbers end before this one.
    pub pid_max: i32,
    /// The last number given in order.
    pub last_pid: i32,
    /// Numbers in use.
    pub nr_pids: u32,
    /// Memory of its table of numbers, in bytes.
    pub map_bytes: u64,
}

impl Ns {
    fn from_uapi(raw: &uapi::altpid_ns) -> Self {
        Self {
            id: NsId(raw.ns),
            parent: (raw.parent != 0).then_some(NsId(raw.parent)),
            child_reaper: (raw.child_reaper != 0).then_some(TaskId(raw.child_reaper)),
            state: match raw.state {
                uapi::ALTPID_NS_AWAITING_INIT => NsState::AwaitingInit,
                uapi::ALTPID_NS_ACTIVE => NsState::Active,
                uapi::ALTPID_NS_DYING => NsState::Dying,
                _ => NsState::Dead,
            },
            level: raw.level,
            pid_max: raw.pid_max,
            last_pid: raw.last_pid,
            nr_pids: raw.nr_pids,
            map_bytes: raw.map_bytes,
        }
    }
}

/// As what a number is in use (`enum pid_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PidType {
    /// A thread's.
    Pid,
    /// A thread group's.
    Tgid,
    /// A process group's.
    Pgid,
    /// A session's.
    Sid,
}

/// What wait4(2) has reaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waited {
    /// The id that the child had.
    pub task: TaskId,
    /// The number that it had, as the waiter saw it.
    pub pid: i32,
    /// Its status word.
    pub status: i32,
}

/// What an audit has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Broken invariants.
    pub broken: u32,
    /// Tasks looked at.
    pub tasks: u64,
    /// Numbers looked at.
    pub numbers: u64,
    /// The first broken invariant in words.
    pub what: String,
}

/// A pid universe. It ends when this, and every duplicate of its descriptor, is dropped.
#[derive(Debug)]
pub struct World {
    fd: OwnedFd,
}

impl AsFd for World {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// How many entries of a listing are asked for at a time.
const LIST_PIECE: usize = 1024;

impl World {
    /// Where the device is: where `ALTPID_DEVICE` in the environment says, else `/dev/altpid`.
    pub fn device() -> PathBuf {
        std::env::var_os("ALTPID_DEVICE").map_or_else(|| "/dev/altpid".into(), PathBuf::from)
    }

    /// Makes a world by opening [the device](World::device).
    ///
    /// # Errors
    ///
    /// `ENOENT` when the module is not loaded, `EACCES` for whom it is not, `ENOMEM`.
    pub fn open() -> Result<Self> {
        Self::open_at(Self::device())
    }

    /// Makes a world by opening the device at a path.
    ///
    /// # Errors
    ///
    /// As [`World::open`].
    pub fn open_at(path: impl AsRef<Path>) -> Result<Self> {
        open(path.as_ref(), OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .map(|fd| Self { fd })
            .map_err(|errno| Error {
                verb: "open",
                errno,
            })
    }

    /// A command whose struct points nowhere.
    fn call<T: Command>(&self, verb: &'static str, arg: &mut T) -> Result<()> {
        // SAFETY: The struct holds no address; callers that put one in make sure of it.
        unsafe { call(self.fd.as_fd(), arg) }.map_err(|errno| Error { verb, errno })
    }

    /// What the world is and holds.
    pub fn info(&self) -> Result<WorldInfo> {
        let mut arg = uapi::altpid_world::default();
        self.call("world", &mut arg)?;
        Ok(WorldInfo {
            root_ns: NsId(arg.root_ns),
            init: TaskId(arg.init),
            tasks: arg.tasks,
            zombies: arg.zombies,
            namespaces: arg.namespaces,
            pids: arg.pids,
            worlds: arg.worlds,
            max_tasks: arg.max_tasks,
            max_namespaces: arg.max_namespaces,
        })
    }

    /// clone3(2) by `task`. See `struct altpid_clone` for the errors.
    pub fn clone(&self, task: TaskId, args: &Clone) -> Result<Cloned> {
        let mut arg = uapi::altpid_clone {
            exit_signal: args.exit_signal,
            task: task.0,
            flags: args.flags.bits(),
            set_tid: if args.set_tid.is_empty() {
                0
            } else {
                args.set_tid.as_ptr().expose_provenance() as u64
            },
            set_tid_size: args.set_tid.len() as u64,
            parent: match args.parent {
                Parent::Native => 0,
                Parent::Task(id) => id.0,
                Parent::Outside => uapi::ALTPID_OUTSIDE,
            },
            ..Default::default()
        };
        // `set_tid` is borrowed for as long as the call takes, and only read.
        self.call("clone", &mut arg)?;
        Ok(Cloned {
            task: TaskId(arg.child),
            pid: arg.pid,
        })
    }

    /// unshare(2) by `task`: its next child will be init of a new namespace.
    pub fn unshare(&self, task: TaskId, flags: CloneFlags) -> Result<Option<NsId>> {
        let mut arg = uapi::altpid_unshare {
            task: task.0,
            flags: flags.bits(),
            ..Default::default()
        };
        self.call("unshare", &mut arg)?;
        Ok((arg.ns != 0).then_some(NsId(arg.ns)))
    }

    /// setns(2) by `task`: its children will be born in `ns`.
    pub fn setns(&self, task: TaskId, ns: NsId) -> Result<()> {
        let mut arg = uapi::altpid_setns {
            task: task.0,
            ns: ns.0,
            ..Default::default()
        };
        self.call("setns", &mut arg)
    }

    /// exit(2) by `task`, one thread.
    pub fn exit(&self, task: TaskId, code: i32) -> Result<()> {
        let mut arg = uapi::altpid_exit {
            task: task.0,
            code,
            ..Default::default()
        };
        self.call("exit", &mut arg)
    }

    /// exit_group(2) by `task`: its whole process.
    pub fn exit_group(&self, task: TaskId, code: i32) -> Result<()> {
        let mut arg = uapi::altpid_exit {
            task: task.0,
            code,
            flags: uapi::ALTPID_EXIT_GROUP,
            ..Default::default()
        };
        self.call("exit_group", &mut arg)
    }

    /// wait4(2) by `task`, with its `pid` and its options. Sleeps unless `WNOHANG` (1) is among
    /// them; `None` then says that no child has changed state.
    pub fn wait(&self, task: TaskId, pid: i32, options: u32) -> Result<Option<Waited>> {
        let mut arg = uapi::altpid_wait {
            task: task.0,
            pid,
            options,
            ..Default::default()
        };
        self.call("wait4", &mut arg)?;
        let waited = Waited {
            task: TaskId(arg.child),
            pid: arg.result,
            status: arg.status,
        };
        Ok((arg.child != 0).then_some(waited))
    }

    /// setsid(2) by `task`.
    pub fn setsid(&self, task: TaskId) -> Result<i32> {
        let mut arg = uapi::altpid_setsid {
            task: task.0,
            ..Default::default()
        };
        self.call("setsid", &mut arg)?;
        Ok(arg.sid)
    }

    /// setpgid(2) by `task`, with numbers as it sees them.
    pub fn setpgid(&self, task: TaskId, pid: i32, pgid: i32) -> Result<()> {
        let mut arg = uapi::altpid_setpgid {
            task: task.0,
            pid,
            pgid,
            ..Default::default()
        };
        self.call("setpgid", &mut arg)
    }

    /// Names `task`, with 15 bytes at most.
    pub fn set_name(&self, task: TaskId, name: &[u8]) -> Result<()> {
        let mut arg = uapi::altpid_set_name {
            task: task.0,
            ..Default::default()
        };
        let len = name.len().min(arg.comm.len() - 1);
        arg.comm[..len].copy_from_slice(&name[..len]);
        self.call("prctl", &mut arg)
    }

    /// Everything about a task.
    pub fn task(&self, task: TaskId) -> Result<Task> {
        let mut arg = uapi::altpid_task {
            task: task.0,
            ..Default::default()
        };
        self.call("task", &mut arg)?;
        Ok(Task::from_uapi(&arg))
    }

    /// Everything about a namespace.
    pub fn ns(&self, ns: NsId) -> Result<Ns> {
        let mut arg = uapi::altpid_ns {
            ns: ns.0,
            ..Default::default()
        };
        self.call("ns", &mut arg)?;
        Ok(Ns::from_uapi(&arg))
    }

    /// Writes `kernel.pid_max` of a namespace.
    pub fn set_pid_max(&self, ns: NsId, value: i64) -> Result<()> {
        self.set_sysctl(ns, uapi::ALTPID_NS_PID_MAX, "kernel.pid_max", value)
    }

    /// Writes `kernel.ns_last_pid` of a namespace.
    pub fn set_last_pid(&self, ns: NsId, value: i64) -> Result<()> {
        self.set_sysctl(ns, uapi::ALTPID_NS_LAST_PID, "kernel.ns_last_pid", value)
    }

    fn set_sysctl(&self, ns: NsId, what: u32, verb: &'static str, value: i64) -> Result<()> {
        let mut arg = uapi::altpid_ns_set {
            ns: ns.0,
            what,
            value,
            ..Default::default()
        };
        self.call(verb, &mut arg)
    }

    /// Whom number `nr` of a namespace names as a `kind`. `None` in the result says that the number
    /// is in use so, but its leader is gone.
    pub fn find(&self, ns: NsId, nr: i32, kind: PidType) -> Result<Option<TaskId>> {
        Ok(self.find_with(ns, nr, kind, 0)?.1)
    }

    /// The first number at or after `nr` that is in use as a `kind`, and by whom.
    pub fn find_from(&self, ns: NsId, nr: i32, kind: PidType) -> Result<(i32, Option<TaskId>)> {
        self.find_with(ns, nr, kind, uapi::ALTPID_FIND_GE)
    }

    fn find_with(
        &self,
        ns: NsId,
        nr: i32,
        kind: PidType,
        flags: u32,
    ) -> Result<(i32, Option<TaskId>)> {
        let type_ = match kind {
            PidType::Pid => uapi::ALTPID_PIDTYPE_PID,
            PidType::Tgid => uapi::ALTPID_PIDTYPE_TGID,
            PidType::Pgid => uapi::ALTPID_PIDTYPE_PGID,
            PidType::Sid => uapi::ALTPID_PIDTYPE_SID,
        };
        let mut arg = uapi::altpid_find {
            ns: ns.0,
            nr,
            type_,
            flags,
            ..Default::default()
        };
        self.call("find", &mut arg)?;
        Ok((arg.nr, (arg.task != 0).then_some(TaskId(arg.task))))
    }

    /// What numbers of namespace `from` are in `to`, in place: 0 where not visible, `-ESRCH` where
    /// not in use. Returns how many were done; fewer than all when a signal came.
    pub fn translate(&self, from: NsId, to: NsId, numbers: &mut [i32]) -> Result<usize> {
        let mut arg = uapi::altpid_translate {
            from: from.0,
            to: to.0,
            count: u32::try_from(numbers.len()).unwrap_or(u32::MAX),
            nrs: numbers.as_mut_ptr().expose_provenance() as u64,
            ..Default::default()
        };
        // `numbers` is borrowed mutably for as long as the call takes.
        self.call("translate", &mut arg)?;
        Ok(arg.count as usize)
    }

    /// All tasks, or those that are visible in a namespace.
    pub fn tasks(&self, visible_in: Option<NsId>) -> Result<Vec<Task>> {
        let raw = self.list::<uapi::altpid_task>(uapi::ALTPID_LIST_TASKS, visible_in)?;
        Ok(raw.iter().map(Task::from_uapi).collect())
    }

    /// All namespaces, or those at and below one.
    pub fn namespaces(&self, below: Option<NsId>) -> Result<Vec<Ns>> {
        let raw = self.list::<uapi::altpid_ns>(uapi::ALTPID_LIST_NAMESPACES, below)?;
        Ok(raw.iter().map(Ns::from_uapi).collect())
    }

    fn list<E: Default + Copy>(&self, what: u32, view: Option<NsId>) -> Result<Vec<E>> {
        let mut all = Vec::new();
        let mut piece = vec![E::default(); LIST_PIECE];
        let mut arg = uapi::altpid_list {
            what,
            ns: view.map_or(0, |ns| ns.0),
            ..Default::default()
        };
        loop {
            arg.entries = piece.as_mut_ptr().expose_provenance() as u64;
            arg.count = LIST_PIECE as u32;
            arg.entry_size = size_of::<E>() as u32;
            // `piece` has room for so many entries of that size, and lives longer than the call.
            self.call("list", &mut arg)?;
            all.extend_from_slice(&piece[..arg.count as usize]);
            if arg.cursor == u64::MAX {
                return Ok(all);
            }
        }
    }

    /// Checks every invariant of the world.
    pub fn audit(&self) -> Result<Audit> {
        let mut arg = uapi::altpid_audit::default();
        self.call("audit", &mut arg)?;
        let text: Vec<u8> = arg
            .what
            .iter()
            .copied()
            .take_while(|&byte| byte != 0)
            .collect();
        Ok(Audit {
            broken: arg.broken,
            tasks: arg.tasks,
            numbers: arg.numbers,
            what: String::from_utf8_lossy(&text).into_owned(),
        })
    }
}
