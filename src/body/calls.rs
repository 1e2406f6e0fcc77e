// SPDX-License-Identifier: GPL-2.0

//! The way of a member into a system call, and out of it.
//!
//! `include/linux/entry-common.h`: `syscall_trace_enter()`, `syscall_exit_work()`. With -1 for its number a
//! call is not made, and its result stays what it is set to. Behind a call the number and the arguments
//! are put back, since a restart uses the registers as they are.
//!
//! # Locks
//!
//! None are held here; the tree lock is taken for moments.

use super::{
    acts,
    arguments::Entry,
    birth::{self, Birth},
    border::{self, Fate, Missed},
    killing,
    member::{Member, Own},
    messages::Received,
    numbers::{from_kernel, Kind},
    pidfds, prctl, queueing,
    results::Lent,
    tracing::Began,
    waiting::{self, Waiting},
};
use crate::{
    ask::ids::Asked, native, pid::namespace::Namespace, process::clone::flags, reason::Outcome,
    tree::task::COMM_LEN,
};
use kernel::{bindings, prelude::*, sync::aref::ARef};

/// What is put back when a system call is over.
#[derive(Clone, Copy)]
pub(super) struct Saved {
    pub(super) nr: u64,
    pub(super) args: [u64; 6],
}

impl Saved {
    /// Puts it back.
    pub(super) fn put_back(&self, regs: &mut bindings::pt_regs) {
        regs.orig_ax = self.nr as usize;
        set_args(regs, &self.args);
    }
}

/// The system call that a member is in, as far as altpid has to do with it.
pub(super) enum Call {
    None,
    /// It was changed, and this is done behind it.
    Changed(Saved, Then),
}

/// What is done behind a system call.
pub(super) enum Then {
    Nothing,
    /// This is its result, whatever the kernel says.
    Result(i64),
    /// This is its result if it succeeds.
    Number(i64),
    /// A clone by this member.
    Clone(Birth),
    /// The first thing that a new thread does.
    Born(birth::Words),
    /// It waits for a child.
    Wait(Waiting),
    /// It calls exec.
    Exec,
    /// It unshares more than its pid namespace.
    Unshare,
    /// Somebody is traced.
    Trace(Began),
    /// Its result is a native number.
    Task,
    /// The kernel was lent memory for it.
    Lent(Lent),
    /// It receives messages.
    Received(Received),
    /// It joins namespaces, and this one.
    Setns(Option<ARef<Namespace>>),
    /// It is called by another name.
    Name,
}

impl Call {
    /// The thread dies in it.
    pub(super) fn abandon(self, member: &Member) {
        match self {
            Call::Changed(_, Then::Clone(birth)) => birth.abandon(member),
            Call::Changed(_, Then::Lent(lent)) => lent.abandon(),
            Call::Changed(_, Then::Wait(waiting)) => waiting.abandon(),
            _ => {}
        }
    }
}

/// The arguments of a system call.
pub(super) fn args_of(regs: &bindings::pt_regs) -> [u64; 6] {
    [regs.di, regs.si, regs.dx, regs.r10, regs.r8, regs.r9].map(|arg| arg as u64)
}

pub(super) fn set_args(regs: &mut bindings::pt_regs, args: &[u64; 6]) {
    let args = args.map(|arg| arg as usize);
    [regs.di, regs.si, regs.dx, regs.r10, regs.r8, regs.r9] = args;
}

/// Restarts behind a signal, or gives `EINTR` to who has a handler without `SA_RESTART`.
pub(super) const ERESTARTSYS: i64 = -512;

pub(super) const ENOSYS_: i64 = -38;

/// The result of a system call as the kernel has it.
pub(super) fn result<T: Into<i64>>(outcome: Outcome<T>) -> i64 {
    match outcome {
        Ok(value) => value.into(),
        Err(failure) => failure.error().to_errno().into(),
    }
}

/// A thread enters a system call.
pub(super) fn enter(member: &Member, own: &mut Own, regs: &mut bindings::pt_regs, nr: c_long) {
    member.goes_on();
    own.given.clear();
    if !matches!(own.call, Call::None) {
        // It has come out of the last one without being seen.
        core::mem::replace(&mut own.call, Call::None).abandon(member);
    }
    let saved = Saved {
        nr: regs.orig_ax as u64,
        args: args_of(regs),
    };
    let args = saved.args;
    if native::is_32_bit() {
        // exit, exit_group, and the ends of signal handlers.
        if !matches!(nr, 1 | 252 | 119 | 173) {
            answer(own, regs, saved, ENOSYS_);
        }
        return;
    }
    let nr = nr as i64;
    if nr == -1 {
        // A tracer has cancelled it.
        return;
    }
    let world = &member.world;
    let id = |asked| result(world.get_own_id(member.id, asked));
    let answered = match border::of(nr) {
        Fate::Native => return,
        Fate::Refused => refuse(member, nr),
        Fate::Futex if border::is_refused_futex(args[1]) => refuse(member, nr),
        Fate::Futex => return,
        Fate::Getpid => member.tgid.nr().into(),
        Fate::Gettid => own.pid.nr().into(),
        Fate::Getppid => id(Asked::Ppid),
        Fate::Getpgrp => id(Asked::Pgid(0)),
        Fate::Getpgid => id(Asked::Pgid(args[0] as i32)),
        Fate::Getsid => id(Asked::Sid(args[0] as i32)),
        Fate::Kill => killing::kill(member, args[0] as i32, args[1] as i32),
        Fate::Tkill => killing::tgkill(member, None, args[0] as i32, args[1] as i32),
        Fate::Tgkill => {
            killing::tgkill(member, Some(args[0] as i32), args[1] as i32, args[2] as i32)
        }
        Fate::Sigqueue => queueing::process(member, own, &args),
        Fate::ThreadSigqueue => queueing::thread(member, own, &args),
        Fate::PidfdSendSignal => queueing::by_pidfd(member, own, &args),
        Fate::Fork | Fate::Vfork | Fate::Clone | Fate::Clone3 => {
            match birth::begin(member, regs, border::of(nr), &args) {
                Ok(birth) => {
                    own.call = Call::Changed(saved, Then::Clone(birth));
                    return;
                }
                Err(failure) => failure.error().to_errno().into(),
            }
        }
        Fate::Wait4 | Fate::Waitid => {
            match waiting::begin(member, own, regs, border::of(nr) == Fate::Wait4, &args) {
                Ok(result) => result,
                Err(waiting) => {
                    own.call = Call::Changed(saved, Then::Wait(waiting));
                    return;
                }
            }
        }
        // AT_EXECVE_CHECK of execveat(2): asks, and does not do it.
        Fate::Exec if nr == 322 && args[4] as u32 & 0x1_0000 != 0 => return,
        Fate::Exec => {
            own.call = Call::Changed(saved, Then::Exec);
            return;
        }
        Fate::Setsid => match acts::setsid(member) {
            Ok(nr) => {
                own.call = Call::Changed(saved, Then::Result(nr.into()));
                return;
            }
            Err(failure) => failure.error().to_errno().into(),
        },
        Fate::Setpgid => match acts::setpgid(member, args[0] as i32, args[1] as i32) {
            Ok(Some((pid, pgid))) => {
                for nr in [pid, pgid] {
                    own.given.note(nr as i32);
                }
                own.call = Call::Changed(saved, Then::Result(0));
                (regs.di, regs.si) = (pid as usize, pgid as usize);
                return;
            }
            Ok(None) => 0,
            Err(failure) => failure.error().to_errno().into(),
        },
        Fate::Unshare if args[0] & flags::NEWPID == 0 => return,
        Fate::Unshare => match acts::unshare(member, args[0]) {
            Ok(0) => 0,
            Ok(others) => {
                own.call = Call::Changed(saved, Then::Unshare);
                regs.di = others as usize;
                return;
            }
            Err(failure) => failure.error().to_errno().into(),
        },
        Fate::Setns => match pidfds::setns(member, args[0] as i32, args[1]) {
            Ok(setns) => {
                regs.si = setns.flags as usize;
                own.call = Call::Changed(saved, Then::Setns(setns.ns));
                return;
            }
            Err(failure) => failure.error().to_errno().into(),
        },
        Fate::SetTidAddress => {
            own.call = Call::Changed(saved, Then::Number(own.pid.nr().into()));
            return;
        }
        Fate::Reboot => match acts::reboot(member, &args) {
            Ok(()) => {
                // exit(0): reboot_pid_ns() does not come back.
                own.call = Call::Changed(saved, Then::Nothing);
                regs.orig_ax = 60;
                regs.di = 0;
                return;
            }
            Err(failure) => failure.error().to_errno().into(),
        },
        fate => match go_on(member, own, regs, saved, fate) {
            Some(result) => result,
            None => return,
        },
    };
    answer(own, regs, saved, answered);
}

/// A system call goes on natively, with other arguments if it carries numbers; or this is its result.
fn go_on(
    member: &Member,
    own: &mut Own,
    regs: &mut bindings::pt_regs,
    saved: Saved,
    fate: Fate,
) -> Option<i64> {
    let args = saved.args;
    let answered = match fate {
        Fate::PidfdOpen => {
            let dead = pidfds::open_dead(member, args[0] as i32, args[1] as u32);
            dead.map(|opened| result(opened.map_err(Into::into)))
        }
        Fate::Prctl => prctl::prctl(member, &args),
        _ => None,
    };
    if answered.is_some() {
        return answered;
    }
    let mut entry = Entry {
        member,
        own,
        regs,
        args,
    };
    match entry.begin(fate) {
        Ok(then) => {
            if let Some(then) = then {
                own.call = Call::Changed(saved, then);
            }
            None
        }
        Err(error) => {
            // Some of its arguments may have been changed.
            set_args(regs, &args);
            Some(error.to_errno().into())
        }
    }
}

/// A system call is not to be had.
fn refuse(member: &Member, nr: i64) -> i64 {
    if let Some(missed) = Missed::of(nr) {
        if member.world.tells_once(missed as u32) {
            let name = missed.name();
            pr_info!("members cannot have {name}, which one has asked for: ENOSYS\n");
        }
    }
    ENOSYS_
}

/// A system call is not made, and this is its result.
fn answer(own: &mut Own, regs: &mut bindings::pt_regs, saved: Saved, result: i64) {
    own.call = Call::Changed(saved, Then::Nothing);
    regs.orig_ax = u64::MAX as usize;
    regs.ax = result as usize;
}

/// A thread leaves a system call.
pub(super) fn leave(member: &Member, own: &mut Own, regs: &mut bindings::pt_regs) {
    own.given.clear();
    let Call::Changed(saved, then) = core::mem::replace(&mut own.call, Call::None) else {
        return;
    };
    let failed = (regs.ax as i64) < 0;
    if let (Then::Exec, false) = (&then, failed) {
        // The registers are those of the new program.
        execed(member, own);
        return;
    }
    // Behind a birth that is done already, and a tracer may have changed something.
    if !matches!(&then, Then::Clone(birth) if birth.is_done()) {
        saved.put_back(regs);
    }
    match then {
        Then::Nothing | Then::Exec => {}
        Then::Result(result) => regs.ax = result as usize,
        Then::Number(_) | Then::Task | Then::Name | Then::Setns(_) if failed => {}
        Then::Number(result) => regs.ax = result as usize,
        Then::Clone(birth) => regs.ax = birth.end(member, regs.ax as i64) as usize,
        Then::Born(words) => {
            words.write();
            if words.is_vfork() {
                // What it was owed before it lived is sent.
                drop(member.world.work());
            }
        }
        Then::Wait(waiting) => {
            regs.ax = waiting::end(member, own, waiting, &saved.args, regs.ax as i64) as usize;
        }
        Then::Trace(_) if failed => {}
        Then::Trace(began) => began.end(member, own),
        Then::Unshare if failed => member.world.unshare_undone(member.id),
        Then::Unshare => {}
        Then::Task if border::of(saved.nr as i64) == Fate::Seccomp && regs.ax != 0 => {
            // A thread that has failed: 0 would be success.
            let nr = from_kernel(member, regs.ax as i32, Kind::Task);
            regs.ax = if nr != 0 { nr } else { ESRCH.to_errno() } as usize;
        }
        Then::Task => regs.ax = from_kernel(member, regs.ax as i32, Kind::Task) as usize,
        Then::Lent(lent) => regs.ax = lent.end(member, regs.ax as i64) as usize,
        Then::Received(received) => received.end(member, regs.ax as i64),
        Then::Name => member.world.rename_member(member.id, native::own_comm()),
        // Another descriptor was there when the kernel looked.
        Then::Setns(_) if native::has_children_elsewhere() => {
            pr_warn!("a member has joined a pid namespace of the kernel's: it is killed\n");
            native::kill_self();
        }
        Then::Setns(None) => {}
        Then::Setns(Some(ns)) => {
            let joined = member.world.setns_member(member.id, ns).map(|()| 0);
            regs.ax = result(joined) as usize;
        }
    }
}

/// The caller has become another program.
fn execed(member: &Member, own: &mut Own) {
    // SAFETY: It is the calling thread.
    let native = unsafe { native::Native::of(kernel::task::Task::current_raw()) };
    let Some(native) = native else { return };
    let comm: [u8; COMM_LEN] = native::own_comm();
    if let Some(pid) = member.world.execed(member.id, &native, comm) {
        if !own.pid.is(&pid) {
            // The kernel calls it by the number of its leader, too.
            own.know(native, pid.clone());
        }
        own.pid = pid;
        if !own.is_attached {
            // de_thread() has changed it, which would let a native wait find this.
            native::tracing::set_exit_signal(0);
        }
    }
}
