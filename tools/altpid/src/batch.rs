// SPDX-License-Identifier: GPL-2.0

//! Many operations in one call.

use crate::{
    kill::Kill,
    pidfd::PidfdFlags,
    sys::Command,
    types::*,
    uapi::{self, altpid_op},
    world::World,
};
use rustix::io::Errno;

/// Operations to be done one after the other by one call.
///
/// Each is what the method of the same name of [`World`] is. The ids that the methods here return
/// stand for what the operation will have made, and can be used in later operations of the same
/// batch, and nowhere else.
///
/// # Examples
///
/// A container with a process in it, which exits and is reaped:
///
/// ```no_run
/// use altpid::{Batch, CloneArgs, CloneFlags, WaitFlags, World};
///
/// let world = World::open()?;
/// let mut batch = Batch::new();
/// let init = batch.clone(world.info()?.init, &CloneArgs::new().flags(CloneFlags::NEWPID));
/// let member = batch.clone(init, &CloneArgs::new());
/// batch.exit_group(member, 3).wait(init, -1, WaitFlags::NOHANG);
/// let done = batch.run(&world, false)?;
/// assert!(done.iter().all(Result::is_ok));
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Default)]
pub struct Batch {
    ops: Vec<altpid_op>,
    verbs: Vec<&'static str>,
    // What the operations point to; it does not move when there is more of it.
    args: Vec<Box<dyn Send + Sync>>,
    numbers: Vec<Vec<i32>>,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.verbs).finish()
    }
}

impl Batch {
    /// No operations yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Adds an operation; returns the id that stands for what it makes.
    fn push<T: Command + Send + Sync + 'static>(&mut self, verb: &'static str, mut arg: T) -> u64 {
        arg.set_size(size_of::<T>() as u32);
        let mut arg = Box::new(arg);
        self.ops.push(altpid_op {
            cmd: T::NUMBER,
            arg: (&raw mut *arg).expose_provenance() as u64,
            ..Default::default()
        });
        self.args.push(arg);
        self.verbs.push(verb);
        u64::from(uapi::ALTPID_MADE_BY) | (self.ops.len() as u64 - 1)
    }

    /// clone3(2)
    pub fn clone(&mut self, task: TaskId, args: &CloneArgs) -> TaskId {
        self.numbers.push(args.set_tid.clone());
        let numbers = self.numbers.last().map_or(&[][..], Vec::as_slice);
        let arg = args.to_uapi(task, numbers);
        TaskId(self.push("clone", arg))
    }

    /// unshare(2) with `CLONE_NEWPID`
    pub fn unshare(&mut self, task: TaskId) -> NsId {
        NsId(self.push(
            "unshare",
            uapi::altpid_unshare {
                task: task.0,
                flags: CloneFlags::NEWPID.bits(),
                ..Default::default()
            },
        ))
    }

    /// setns(2)
    pub fn setns(&mut self, task: TaskId, ns: NsId) -> &mut Self {
        self.push(
            "setns",
            uapi::altpid_setns {
                task: task.0,
                ns: ns.0,
                ..Default::default()
            },
        );
        self
    }

    /// exit_group(2)
    pub fn exit_group(&mut self, task: TaskId, code: i32) -> &mut Self {
        self.push(
            "exit_group",
            uapi::altpid_exit {
                task: task.0,
                flags: uapi::ALTPID_EXIT_GROUP,
                code,
                ..Default::default()
            },
        );
        self
    }

    /// wait4(2); the id in the result is that of the child.
    pub fn wait(&mut self, task: TaskId, pid: i32, options: WaitFlags) -> &mut Self {
        self.push(
            "wait4",
            uapi::altpid_wait {
                task: task.0,
                pid,
                options: options.bits(),
                ..Default::default()
            },
        );
        self
    }

    /// A signal.
    pub fn kill(&mut self, kill: Kill, signal: i32) -> &mut Self {
        self.push("kill", kill.to_uapi(signal));
        self
    }

    /// A pidfd for a task, opened from outside of the world.
    pub fn pidfd_of(&mut self, target: TaskId, flags: PidfdFlags) -> PidfdId {
        PidfdId(self.push(
            "pidfd_open",
            uapi::altpid_pidfd_open {
                flags: flags.bits(),
                target: target.0,
                ..Default::default()
            },
        ))
    }

    /// close(2) of a pidfd
    pub fn pidfd_close(&mut self, pidfd: PidfdId) -> &mut Self {
        self.push(
            "close",
            uapi::altpid_pidfd_close {
                pidfd: pidfd.0,
                ..Default::default()
            },
        );
        self
    }

    /// setsid(2)
    pub fn setsid(&mut self, task: TaskId) -> &mut Self {
        self.push(
            "setsid",
            uapi::altpid_setsid {
                task: task.0,
                ..Default::default()
            },
        );
        self
    }

    /// setpgid(2)
    pub fn setpgid(&mut self, task: TaskId, pid: i32, pgid: i32) -> &mut Self {
        self.push(
            "setpgid",
            uapi::altpid_setpgid {
                task: task.0,
                pid,
                pgid,
                ..Default::default()
            },
        );
        self
    }

    /// Whom number `nr` of a namespace names as a `kind`; the result has the task.
    pub fn find(&mut self, ns: NsId, nr: i32, kind: PidType) -> TaskId {
        TaskId(self.push("find", kind.to_uapi(ns, nr, 0)))
    }

    /// Does all of it, up to the first operation that fails or, with `go_on`, to the end. Returns
    /// what came of each operation that was tried: the id that it had to give, 0 for none.
    ///
    /// # Errors
    ///
    /// When the call as a whole fails; what operations return is in the list.
    pub fn run(&mut self, world: &World, go_on: bool) -> Result<Vec<Result<u64>>> {
        let mut arg = uapi::altpid_batch {
            flags: if go_on { uapi::ALTPID_BATCH_GO_ON } else { 0 },
            ops: self.ops.as_mut_ptr().expose_provenance() as u64,
            count: u32::try_from(self.ops.len()).map_err(|_| Error {
                verb: "batch",
                errno: Errno::INVAL,
                reason: Reason::default(),
            })?,
            ..Default::default()
        };
        // The operations and what they point to are ours and borrowed mutably.
        world.call("batch", &mut arg)?;
        let ended = !go_on && arg.failed > 0;
        let tried = arg.count as usize + usize::from(ended);
        let verbs = self.verbs.iter();
        Ok(self.ops[..tried]
            .iter()
            .zip(verbs)
            .map(|(op, verb)| match op.error {
                0 => Ok(op.made),
                error => Err(Error {
                    verb,
                    errno: Errno::from_raw_os_error(-error),
                    reason: Reason(op.reason),
                }),
            })
            .collect())
    }
}
