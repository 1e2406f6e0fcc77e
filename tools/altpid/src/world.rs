// SPDX-License-Identifier: GPL-2.0

//! A world: one open of the device, and everything that can be done and asked there.

use crate::{
    sys::{Command, call},
    types::*,
    uapi,
};
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    fs::{Mode, OFlags, open},
};
use std::path::{Path, PathBuf};

/// A pid universe. It ends when this, and every duplicate of its descriptor, is dropped.
///
/// # Examples
///
/// ```no_run
/// use altpid::{CloneArgs, Status, WaitFlags, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// let child = world.clone(init, &CloneArgs::new())?;
/// world.exit_group(child.task, 3)?;
/// let waited = world.wait(init, child.pid, WaitFlags::NOHANG)?.expect("a dead child");
/// assert_eq!(waited.how(), Status::Exited(3));
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Debug)]
pub struct World {
    fd: OwnedFd,
}

impl AsFd for World {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl World {
    /// The world that a descriptor of the device is one of.
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self { fd }
    }

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
            .map(Self::new)
            .map_err(|errno| Error {
                verb: "open",
                errno,
                reason: Reason::default(),
            })
    }

    /// A command whose struct points nowhere, or where its caller has made sure that it may.
    pub(crate) fn call<T: Command>(&self, verb: &'static str, arg: &mut T) -> Result<()> {
        // SAFETY: The struct holds no address; callers that put one in make sure of it.
        unsafe { call(self.fd.as_fd(), arg) }.map_err(|errno| Error {
            verb,
            errno,
            reason: self.reason(T::NUMBER),
        })
    }

    /// Why the last command failed, which had this number.
    fn reason(&self, number: u32) -> Reason {
        let mut arg = uapi::altpid_failure::default();
        // SAFETY: The struct holds no address.
        match unsafe { call(self.fd.as_fd(), &mut arg) } {
            Ok(()) if arg.cmd == number => Reason(arg.reason),
            _ => Reason::default(),
        }
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
            pidfds: arg.pidfds,
            max_pidfds: arg.max_pidfds,
        })
    }

    /// clone3(2) by `task`. See `struct altpid_clone` for the errors.
    pub fn clone(&self, task: TaskId, args: &CloneArgs) -> Result<Cloned> {
        let mut arg = args.to_uapi(task, &args.set_tid);
        // `set_tid` is borrowed for as long as the call takes, and only read.
        self.call("clone", &mut arg)?;
        Ok(Cloned {
            task: TaskId(arg.child),
            pid: arg.pid,
            pidfd: (arg.pidfd != 0).then_some(PidfdId(arg.pidfd)),
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

    /// wait4(2) by `task`, with its `pid` and its options. Sleeps unless [`WaitFlags::NOHANG`] is among
    /// them; `None` then says that no child has changed state.
    pub fn wait(&self, task: TaskId, pid: i32, options: WaitFlags) -> Result<Option<Waited>> {
        let mut arg = uapi::altpid_wait {
            task: task.0,
            pid,
            options: options.bits(),
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

    /// execve(2) by `task`: the other threads of its process end, and it takes the numbers of the
    /// leader. The name has 15 bytes at most.
    pub fn exec(&self, task: TaskId, name: &[u8]) -> Result<()> {
        let mut arg = uapi::altpid_exec {
            task: task.0,
            ..Default::default()
        };
        let len = name.len().min(arg.comm.len() - 1);
        arg.comm[..len].copy_from_slice(&name[..len]);
        self.call("execve", &mut arg)
    }

    /// reboot(2) by `task`, inside of a namespace, with a command as `LINUX_REBOOT_CMD_RESTART`.
    pub fn reboot(&self, task: TaskId, cmd: u32) -> Result<()> {
        let mut arg = uapi::altpid_reboot {
            task: task.0,
            cmd,
            ..Default::default()
        };
        self.call("reboot", &mut arg)
    }

    /// prctl(2) by `task`, with any of the `ALTPID_PR_*` options and any value. Returns the value that
    /// an option asks for. `PR_SET_NAME` is [`World::set_name`].
    ///
    /// # Errors
    ///
    /// `EINVAL` for an option or a value that there is not.
    pub fn prctl(&self, task: TaskId, option: u32, value: u64) -> Result<u64> {
        let mut arg = uapi::altpid_prctl {
            task: task.0,
            option,
            value,
            ..Default::default()
        };
        self.call("prctl", &mut arg)?;
        Ok(arg.value)
    }

    /// Whether the process of `task` shall get the orphans among its descendants
    /// (`PR_SET_CHILD_SUBREAPER`).
    pub fn set_child_subreaper(&self, task: TaskId, on: bool) -> Result<()> {
        self.prctl(task, uapi::ALTPID_PR_SET_CHILD_SUBREAPER, on.into())
            .map(drop)
    }

    /// Whether it does (`PR_GET_CHILD_SUBREAPER`).
    pub fn child_subreaper(&self, task: TaskId) -> Result<bool> {
        self.prctl(task, uapi::ALTPID_PR_GET_CHILD_SUBREAPER, 0)
            .map(|value| value != 0)
    }

    /// The signal that `task` gets when its parent dies, 0 for none (`PR_SET_PDEATHSIG`).
    pub fn set_pdeath_signal(&self, task: TaskId, signal: i32) -> Result<()> {
        // A negative number is as far out of range as natively.
        self.prctl(task, uapi::ALTPID_PR_SET_PDEATHSIG, signal as u64)
            .map(drop)
    }

    /// Which it is (`PR_GET_PDEATHSIG`).
    pub fn pdeath_signal(&self, task: TaskId) -> Result<i32> {
        self.prctl(task, uapi::ALTPID_PR_GET_PDEATHSIG, 0)
            .map(|value| value as i32)
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

    /// Whom number `nr` of a namespace names as a `kind`; for a process group and a session the
    /// leader of a process in it.
    pub fn find(&self, ns: NsId, nr: i32, kind: PidType) -> Result<TaskId> {
        Ok(self.find_with(ns, nr, kind, 0)?.1)
    }

    /// The first number at or after `nr` that is in use as a `kind`, and by whom.
    pub fn find_from(&self, ns: NsId, nr: i32, kind: PidType) -> Result<(i32, TaskId)> {
        self.find_with(ns, nr, kind, uapi::ALTPID_FIND_GE)
    }

    fn find_with(&self, ns: NsId, nr: i32, kind: PidType, flags: u32) -> Result<(i32, TaskId)> {
        let mut arg = kind.to_uapi(ns, nr, flags);
        self.call("find", &mut arg)?;
        Ok((arg.nr, TaskId(arg.task)))
    }

    /// The namespace above one, for a task (`NS_GET_PARENT`): `EPERM` unless that is its active one
    /// or below it.
    pub fn ns_parent(&self, task: TaskId, ns: NsId) -> Result<NsId> {
        let mut arg = uapi::altpid_ns_get {
            what: uapi::ALTPID_NS_GET_PARENT,
            task: task.0,
            ns: ns.0,
            ..Default::default()
        };
        self.call("ns_get", &mut arg)?;
        Ok(NsId(arg.parent))
    }

    /// A number between a namespace and a task that asks (`NS_GET_PID_FROM_PIDNS` and its kin):
    /// `ESRCH` for whom there is not, and for who is not visible.
    pub fn ns_nr(&self, task: TaskId, ns: NsId, nr: i32, what: NsNr) -> Result<i32> {
        let mut arg = uapi::altpid_ns_get {
            what: what.to_uapi(),
            task: task.0,
            ns: ns.0,
            nr,
            ..Default::default()
        };
        self.call("ns_get", &mut arg)?;
        Ok(arg.nr)
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
            skipped: arg.skipped,
        })
    }
}
