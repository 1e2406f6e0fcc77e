// SPDX-License-Identifier: GPL-2.0

//! clone3(2): what goes in and what comes out.

use crate::{
    types::{PidfdId, TaskId},
    uapi,
};

bitflags::bitflags! {
    /// Flags of clone3(2) that altpid looks at (`include/uapi/linux/sched.h`).
    ///
    /// # Examples
    ///
    /// ```
    /// use altpid::CloneFlags;
    ///
    /// let flags = CloneFlags::NEWPID | CloneFlags::PIDFD;
    /// assert_eq!(flags.bits(), 0x2000_1000);
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct CloneFlags: u64 {
        /// Share the memory.
        const VM = 0x100;
        /// Share the table of signal handlers.
        const SIGHAND = 0x800;
        /// There is a pidfd for the child.
        const PIDFD = 0x1000;
        /// The caller sleeps until the child has exited or called exec.
        const VFORK = 0x4000;
        /// The child gets the parent of the caller.
        const PARENT = 0x8000;
        /// The child is a thread of the caller's process.
        const THREAD = 0x10000;
        /// The child is init of a new pid namespace.
        const NEWPID = 0x2000_0000;
        /// The child begins with the default for each signal that is not ignored.
        const CLEAR_SIGHAND = 1 << 32;
        /// The child vanishes when it exits.
        const AUTOREAP = 1 << 34;
        /// The child is killed when its pidfd is closed.
        const PIDFD_AUTOKILL = 1 << 36;
        /// Any other flag, to be refused or ignored by the kernel.
        const _ = !0;
    }
}

/// Whose child a new process is.
///
/// # Examples
///
/// ```
/// use altpid::{CloneArgs, Parent, TaskId};
///
/// // A child of another task than the one whose clone3(2) makes it.
/// let args = CloneArgs::new().parent(Parent::Task(TaskId(7)));
/// assert_ne!(args, CloneArgs::new());
/// ```
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
///
/// # Examples
///
/// ```
/// use altpid::{CloneArgs, CloneFlags};
///
/// // A process that becomes pid 1 of a new namespace, and 4213 in the one above.
/// let container = CloneArgs::new().flags(CloneFlags::NEWPID).set_tid(&[1, 4213]);
/// assert_ne!(container, CloneArgs::thread());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloneArgs {
    pub(crate) flags: CloneFlags,
    pub(crate) exit_signal: i32,
    pub(crate) set_tid: Vec<i32>,
    pub(crate) parent: Parent,
}

impl CloneArgs {
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

    /// As the interface has it, done by `task`, with the numbers to have where they are.
    pub(crate) fn to_uapi(&self, task: TaskId, set_tid: &[i32]) -> uapi::altpid_clone {
        uapi::altpid_clone {
            exit_signal: self.exit_signal,
            task: task.0,
            flags: self.flags.bits(),
            set_tid: if set_tid.is_empty() {
                0
            } else {
                set_tid.as_ptr().expose_provenance() as u64
            },
            set_tid_size: set_tid.len() as u64,
            parent: match self.parent {
                Parent::Native => 0,
                Parent::Task(id) => id.0,
                Parent::Outside => uapi::ALTPID_OUTSIDE,
            },
            ..Default::default()
        }
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

impl Default for CloneArgs {
    fn default() -> Self {
        Self::new()
    }
}

/// What clone3(2) has made.
///
/// # Examples
///
/// ```no_run
/// use altpid::{CloneArgs, CloneFlags, World};
///
/// let world = World::open()?;
/// let args = CloneArgs::new().flags(CloneFlags::PIDFD);
/// let child = world.clone(world.info()?.init, &args)?;
/// println!("{:?} is {} to its parent", child.task, child.pid);
/// let pidfd = child.pidfd.expect("it was asked for");
/// world.pidfd_close(pidfd)?;
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cloned {
    /// The new task.
    pub task: TaskId,
    /// Its number as the caller sees it.
    pub pid: i32,
    /// The pidfd for it, with [`CloneFlags::PIDFD`].
    pub pidfd: Option<PidfdId>,
}
