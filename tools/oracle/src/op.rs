// SPDX-License-Identifier: GPL-2.0

//! Operations: what a task of a sequence does, in words that mean the same on both sides.
//!
//! Tasks and namespaces have names that do not change when other operations are left out of a
//! sequence; numbers are those of named tasks as the caller sees them, looked up when the operation
//! is performed.

use altpid::{Action, CloneFlags, Mask, PidfdFlags, PollFlags, Scope, SigSet};

/// Names a task of a sequence: 0 is the init of the arena, the child of operation n is n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(pub u32);

impl Name {
    /// The init of the arena, with which a sequence begins.
    pub const INIT: Self = Self(0);
}

/// Names a pid namespace of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// The one that was made together with this task, its init.
    Of(Name),
    /// The one that the unshare with this number has made.
    By(u32),
}

/// Names a pidfd of a sequence: that of the child of operation n is n, like one that operation n
/// has opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(pub u32);

/// A number that a system call gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Num {
    /// This one.
    Is(i32),
    /// That of a task as the caller sees it.
    Of(Name),
    /// Its negative, which means a process group.
    Minus(Name),
}

/// Whom waitid(2) waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// `P_ALL`
    All,
    /// `P_PID`
    Pid(Num),
    /// `P_PGID`
    Pgid(Num),
    /// `P_PIDFD`
    Pidfd(Handle),
}

/// A system call, without who makes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// clone3(2)
    Clone {
        /// The name of the child.
        child: Name,
        /// Its flags.
        flags: u64,
        /// Its exit signal.
        exit_signal: i32,
        /// Numbers to have, the most nested namespace first.
        set_tid: Vec<i32>,
    },
    /// unshare(2) with `CLONE_NEWPID`; the number names the namespace.
    Unshare(u32),
    /// setns(2) with a descriptor of nsfs.
    Setns(Space),
    /// setns(2) with a pidfd that is opened for it.
    SetnsOf(Name),
    /// setns(2) with a pidfd.
    SetnsBy(Handle),
    /// execve(2)
    Exec,
    /// exit(2) with a code.
    Exit(i32),
    /// exit_group(2) with a code.
    ExitGroup(i32),
    /// kill(2): whom, and the signal.
    Kill(Num, i32),
    /// tgkill(2): thread group, thread, signal.
    Tgkill(Num, Num, i32),
    /// tkill(2): thread, signal.
    Tkill(Num, i32),
    /// rt_sigqueueinfo(2): whom, the signal, `si_code`, `si_value`.
    Queue(Num, i32, i32, u64),
    /// pidfd_open(2): the name of the pidfd, whom, flags.
    PidfdOpen(Handle, Num, PidfdFlags),
    /// pidfd_send_signal(2) by a directory of `/proc`: whom, the signal.
    PidfdSend(Name, i32),
    /// pidfd_send_signal(2): the pidfd, the signal, and whether it is for others than that says.
    PidfdSendBy(Handle, i32, Scope),
    /// close(2) of a pidfd, which nobody of the sequence does: who has it is the driver.
    Close(Handle),
    /// poll(2) of a pidfd, likewise, without sleeping.
    Poll(Handle),
    /// sigaction(2): the signal, and what is done about it from now on.
    Sigaction(i32, Action),
    /// sigprocmask(2)
    Sigprocmask(Mask, SigSet),
    /// sigtimedwait(2) without a time.
    Sigwait(SigSet),
    /// wait4(2): whom, options.
    Wait4(Num, u32),
    /// waitid(2): whom, options.
    WaitId(Whom, u32),
    /// setsid(2)
    Setsid,
    /// setpgid(2): whom, and the process group.
    Setpgid(Num, Num),
    /// prctl(2) with `PR_SET_CHILD_SUBREAPER`
    Subreaper(bool),
    /// prctl(2) with `PR_SET_PDEATHSIG`
    Pdeath(i32),
    /// reboot(2) with a command.
    Reboot(u32),
    /// Writes `kernel.pid_max` of the caller's namespace.
    PidMax(i64),
    /// Writes `kernel.ns_last_pid` of the caller's namespace.
    LastPid(i64),
}

/// A system call that a task makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// Who makes it.
    pub by: Name,
    /// What it is.
    pub call: Call,
}

impl Op {
    /// The pidfd that it makes when it is successful.
    pub fn makes(&self) -> Option<Handle> {
        match self.call {
            Call::Clone { child, flags, .. } => {
                let has = CloneFlags::from_bits_retain(flags).contains(CloneFlags::PIDFD);
                has.then_some(Handle(child.0))
            }
            Call::PidfdOpen(handle, ..) => Some(handle),
            _ => None,
        }
    }

    /// The pidfd that it is about.
    pub fn handle(&self) -> Option<Handle> {
        match self.call {
            Call::SetnsBy(handle)
            | Call::PidfdSendBy(handle, ..)
            | Call::Close(handle)
            | Call::Poll(handle)
            | Call::WaitId(Whom::Pidfd(handle), _) => Some(handle),
            _ => None,
        }
    }

    /// Whether it is the driver that does it.
    pub fn is_outside(&self) -> bool {
        matches!(self.call, Call::Close(_) | Call::Poll(_))
    }

    /// The numbers that the system call gets, in their order.
    pub fn numbers(&self) -> Vec<Num> {
        match self.call {
            Call::Kill(pid, _)
            | Call::Tkill(pid, _)
            | Call::Queue(pid, ..)
            | Call::Wait4(pid, _)
            | Call::WaitId(Whom::Pid(pid) | Whom::Pgid(pid), _)
            | Call::PidfdOpen(_, pid, _) => vec![pid],
            Call::Tgkill(a, b, _) | Call::Setpgid(a, b) => vec![a, b],
            _ => Vec::new(),
        }
    }

    /// The tasks that must be there for it to have a meaning, the caller first.
    pub fn tasks(&self) -> Vec<Name> {
        let mut tasks = vec![self.by];
        for num in self.numbers() {
            match num {
                Num::Is(_) => {}
                Num::Of(name) | Num::Minus(name) => tasks.push(name),
            }
        }
        if let Call::SetnsOf(name) | Call::PidfdSend(name, _) = self.call {
            tasks.push(name);
        }
        tasks
    }
}

/// What a system call has returned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// It failed with this errno.
    Error(i32),
    /// A number.
    Value(i64),
    /// wait4(2): who, and the status word.
    Waited(i32, i32),
    /// waitid(2): who, `si_code`, `si_status`.
    Told(i32, i32, i32),
    /// sigtimedwait(2)
    Signal(altpid::SigInfo),
    /// sigaction(2): what was done so far.
    Action(Action),
    /// sigprocmask(2): what was blocked so far.
    Set(SigSet),
    /// poll(2)
    Events(PollFlags),
    /// It does not return, or not before the caller is continued.
    Nothing,
}
