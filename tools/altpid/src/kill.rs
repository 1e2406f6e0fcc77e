// SPDX-License-Identifier: GPL-2.0

//! Sending signals: kill(2) and its kin, from outside of the world and from the kernel.

use crate::{
    types::{PidfdId, Result, TaskId},
    uapi,
    world::World,
};

/// Who sends a signal to whom; see `struct altpid_kill`.
///
/// # Examples
///
/// ```no_run
/// use altpid::{Kill, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// // Its init is killed by nobody inside, but by the outside.
/// world.kill(Kill::Pid(init, 1), 9)?;
/// world.kill(Kill::Outside(init), 9)?;
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// kill(2) by a task, with its pid.
    Pid(TaskId, i32),
    /// tgkill(2) by a task, with tgid and tid.
    Thread(TaskId, i32, i32),
    /// tkill(2) by a task, with tid.
    Tkill(TaskId, i32),
    /// rt_sigqueueinfo(2) by a task, with pid, `si_code` and `si_value`.
    Queue(TaskId, i32, i32, u64),
    /// rt_tgsigqueueinfo(2) by a task, with tgid, tid, `si_code` and `si_value`.
    QueueThread(TaskId, i32, i32, i32, u64),
    /// pidfd_send_signal(2) by a task, to another one.
    Task(TaskId, TaskId),
    /// By a process outside of the world, to a task.
    Outside(TaskId),
    /// By the kernel, to a task.
    Kernel(TaskId),
    /// By a fault in a task's own code.
    Fault(TaskId),
    /// pidfd_send_signal(2) by a task, by a pidfd and to whom that says.
    Pidfd(TaskId, PidfdId, Scope),
    /// Likewise, with a siginfo.
    PidfdInfo(TaskId, PidfdId, Scope, Given),
}

/// A siginfo as a sender gives it.
///
/// # Examples
///
/// ```
/// use altpid::{Given, Kill, PidfdId, Scope, TaskId};
///
/// let given = Given { signo: 10, code: -1, value: 42 };
/// let kill = Kill::PidfdInfo(TaskId(1), PidfdId(2), Scope::AsOpened, given);
/// assert_ne!(kill, Kill::Pidfd(TaskId(1), PidfdId(2), Scope::AsOpened));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `si_signo`, which must be the signal.
    pub signo: i32,
    /// `si_code`
    pub code: i32,
    /// `si_value`
    pub value: u64,
}

/// Whom a signal by a pidfd is for.
///
/// # Examples
///
/// ```no_run
/// use altpid::{Kill, PidfdFlags, Scope, World};
///
/// let world = World::open()?;
/// let init = world.info()?.init;
/// let pidfd = world.pidfd_open(init, 1, PidfdFlags::empty())?;
/// world.kill(Kill::Pidfd(init, pidfd, Scope::ProcessGroup), 18)?;
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Whom the pidfd is for: its process, or its thread.
    #[default]
    AsOpened,
    /// `PIDFD_SIGNAL_THREAD`
    Thread,
    /// `PIDFD_SIGNAL_THREAD_GROUP`
    ThreadGroup,
    /// `PIDFD_SIGNAL_PROCESS_GROUP`: the members of the process group that has the number.
    ProcessGroup,
}

impl Scope {
    fn to_uapi(self) -> u32 {
        match self {
            Scope::AsOpened => 0,
            Scope::Thread => uapi::ALTPID_SIGNAL_THREAD,
            Scope::ThreadGroup => uapi::ALTPID_SIGNAL_THREAD_GROUP,
            Scope::ProcessGroup => uapi::ALTPID_SIGNAL_PROCESS_GROUP,
        }
    }
}

impl Kill {
    /// As the interface has it, with a signal.
    pub(crate) fn to_uapi(self, signal: i32) -> uapi::altpid_kill {
        let mut arg = uapi::altpid_kill {
            sig: signal,
            ..Default::default()
        };
        match self {
            Kill::Pid(task, pid) => {
                (arg.how, arg.task, arg.pid) = (uapi::ALTPID_KILL_PID, task.0, pid);
            }
            Kill::Thread(task, tgid, tid) => {
                (arg.how, arg.task) = (uapi::ALTPID_KILL_THREAD, task.0);
                (arg.tgid, arg.pid) = (tgid, tid);
            }
            Kill::Tkill(task, tid) => {
                (arg.how, arg.task, arg.pid) = (uapi::ALTPID_KILL_TKILL, task.0, tid);
            }
            Kill::Queue(task, pid, code, value) => {
                (arg.how, arg.task, arg.pid) = (uapi::ALTPID_KILL_QUEUE, task.0, pid);
                (arg.code, arg.value) = (code, value);
            }
            Kill::QueueThread(task, tgid, tid, code, value) => {
                (arg.how, arg.task) = (uapi::ALTPID_KILL_QUEUE_THREAD, task.0);
                (arg.tgid, arg.pid) = (tgid, tid);
                (arg.code, arg.value) = (code, value);
            }
            Kill::Task(task, target) => {
                (arg.how, arg.task, arg.target) = (uapi::ALTPID_KILL_TASK, task.0, target.0);
            }
            Kill::Outside(target) => (arg.how, arg.target) = (uapi::ALTPID_KILL_OUTSIDE, target.0),
            Kill::Kernel(target) => (arg.how, arg.target) = (uapi::ALTPID_KILL_KERNEL, target.0),
            Kill::Fault(target) => (arg.how, arg.target) = (uapi::ALTPID_KILL_FAULT, target.0),
            Kill::Pidfd(task, pidfd, scope) => {
                (arg.how, arg.task, arg.target) = (uapi::ALTPID_KILL_PIDFD, task.0, pidfd.0);
                arg.flags = scope.to_uapi();
            }
            Kill::PidfdInfo(task, pidfd, scope, given) => {
                (arg.how, arg.task, arg.target) = (uapi::ALTPID_KILL_PIDFD, task.0, pidfd.0);
                arg.flags = scope.to_uapi() | uapi::ALTPID_SIGNAL_INFO;
                (arg.signo, arg.code, arg.value) = (given.signo, given.code, given.value);
            }
        }
        arg
    }
}

impl World {
    /// Sends a signal; 0 only asks whether one could. What it does is done on return.
    pub fn kill(&self, kill: Kill, signal: i32) -> Result<()> {
        self.call("kill", &mut kill.to_uapi(signal))
    }
}
