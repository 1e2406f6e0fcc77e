// SPDX-License-Identifier: GPL-2.0

//! Commands about signals.

use super::args::{check_flags, Args, Call};
use crate::{
    base::slots::Id,
    reason::{Outcome, Reason},
    signal::kill::{By, ByPidfd, Given, Kill, To},
    signal::sigaction::{Action, How},
    tree::pending::SigSet,
    tree::sighand::Disposition,
    tree::task::TaskId,
    uapi,
    world::sleep::FOR_EVER,
};
use kernel::{bindings, prelude::*};

/// The least time in jiffies that is no less than some nanoseconds.
fn jiffies(ns: u64) -> c_long {
    const PER_JIFFY: u64 = 1_000_000_000 / bindings::CONFIG_HZ as u64;
    c_long::try_from(ns.div_ceil(PER_JIFFY)).unwrap_or(FOR_EVER - 1)
}

pub(super) fn kill(call: &Call<'_>) -> Outcome {
    let value = Args::<uapi::altpid_kill>::read(call)?.value;
    if value.how == uapi::ALTPID_KILL_PIDFD {
        return kill_by_pidfd(call, &value);
    }
    check_flags(value.flags.into(), 0)?;
    if value.signo != 0 {
        return Err(Reason::Flags.into());
    }
    let (target, pid, tgid) = (value.target, value.pid, value.tgid);
    let (code, sent) = (value.code, value.value);
    let by_task = |kill| Sent::ByTask(Id::from_raw(value.task), kill);
    let to = |by| Sent::By(by, Id::from_raw(target));
    // Which members the way of killing looks at; the others have to be 0.
    let (kill, unused) = match value.how {
        uapi::ALTPID_KILL_PID => (by_task(Kill::Pid(pid)), (0, target, 0, tgid, true)),
        uapi::ALTPID_KILL_THREAD => {
            let kill = Kill::Thread { tgid, tid: pid };
            (by_task(kill), (0, target, 0, 0, true))
        }
        uapi::ALTPID_KILL_TKILL => (by_task(Kill::Tkill(pid)), (0, target, 0, tgid, true)),
        uapi::ALTPID_KILL_QUEUE_THREAD => {
            let kill = Kill::QueueThread {
                tgid,
                tid: pid,
                code,
                value: sent,
            };
            (by_task(kill), (0, target, 0, 0, false))
        }
        uapi::ALTPID_KILL_QUEUE => {
            let kill = Kill::Queue {
                pid,
                code,
                value: sent,
            };
            (by_task(kill), (0, target, 0, tgid, false))
        }
        uapi::ALTPID_KILL_TASK => {
            let kill = Kill::Task(Id::from_raw(target));
            (by_task(kill), (0, 0, pid, tgid, true))
        }
        uapi::ALTPID_KILL_OUTSIDE => (to(By::Outside), (value.task, 0, pid, tgid, true)),
        uapi::ALTPID_KILL_KERNEL => (to(By::Kernel), (value.task, 0, pid, tgid, true)),
        uapi::ALTPID_KILL_FAULT => (to(By::Fault), (value.task, 0, pid, tgid, true)),
        _ => return Err(EINVAL.into()),
    };
    let (task, target, pid, tgid, no_value) = unused;
    if (task, target, pid, tgid) != (0, 0, 0, 0) || (no_value && (code, sent) != (0, 0)) {
        return Err(EINVAL.into());
    }
    match kill {
        Sent::ByTask(sender, kill) => call.world.kill(sender, kill, value.sig),
        Sent::By(by, target) => call.world.kill_from(by, target, value.sig),
    }
}

/// Who sends a signal.
enum Sent {
    ByTask(TaskId, Kill),
    By(By, TaskId),
}

fn kill_by_pidfd(call: &Call<'_>, value: &uapi::altpid_kill) -> Outcome {
    let has_info = value.flags & uapi::ALTPID_SIGNAL_INFO != 0;
    let to = match value.flags & !uapi::ALTPID_SIGNAL_INFO {
        0 => None,
        uapi::ALTPID_SIGNAL_THREAD => Some(To::Thread),
        uapi::ALTPID_SIGNAL_THREAD_GROUP => Some(To::Process),
        uapi::ALTPID_SIGNAL_PROCESS_GROUP => Some(To::ProcessGroup),
        _ => return Err(Reason::Flags.into()),
    };
    let given = |signo| Given {
        signo,
        code: value.code,
        value: value.value,
    };
    let info = match (value.signo, value.code, value.value) {
        (signo, _, _) if has_info => Some(given(signo)),
        (0, 0, 0) => None,
        (0, 0, _) => return Err(EINVAL.into()),
        // A code says that there is a siginfo as well; it is one of the signal then.
        (0, _, _) => Some(given(value.sig)),
        _ => return Err(Reason::Flags.into()),
    };
    if (value.pid, value.tgid) != (0, 0) {
        return Err(EINVAL.into());
    }
    let kill = Kill::Pidfd(Id::from_raw(value.target), ByPidfd { to, info });
    call.world.kill(Id::from_raw(value.task), kill, value.sig)
}

pub(super) fn sigaction(call: &Call<'_>) -> Outcome {
    const FLAGS: u32 = uapi::ALTPID_SA_NOCLDSTOP
        | uapi::ALTPID_SA_NOCLDWAIT
        | uapi::ALTPID_SA_RESTART
        | uapi::ALTPID_SA_NODEFER
        | uapi::ALTPID_SA_RESETHAND;
    let mut args = Args::<uapi::altpid_sigaction>::read(call)?;
    let value = &mut args.value;
    check_flags(value.flags.into(), FLAGS.into())?;
    let disposition = match value.handler {
        uapi::ALTPID_SIG_DFL => Some(Disposition::Default),
        uapi::ALTPID_SIG_IGN => Some(Disposition::Ignore),
        uapi::ALTPID_SIG_HANDLER => Some(Disposition::Handler),
        uapi::ALTPID_SIG_KEEP => None,
        _ => return Err(EINVAL.into()),
    };
    let new = disposition.map(|disposition| Action {
        disposition,
        flags: value.flags,
        mask: SigSet::from_bits(value.mask),
    });
    let old = call
        .world
        .sigaction(Id::from_raw(value.task), value.sig, new)?;
    value.handler = match old.disposition {
        Disposition::Default => uapi::ALTPID_SIG_DFL,
        Disposition::Ignore => uapi::ALTPID_SIG_IGN,
        Disposition::Handler => uapi::ALTPID_SIG_HANDLER,
    };
    (value.flags, value.mask) = (old.flags, old.mask.bits());
    args.reply()
}

pub(super) fn sigprocmask(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_sigprocmask>::read(call)?;
    let value = &mut args.value;
    let how = match value.how {
        uapi::ALTPID_SIG_BLOCK => How::Block,
        uapi::ALTPID_SIG_UNBLOCK => How::Unblock,
        uapi::ALTPID_SIG_SETMASK => How::Set,
        _ => return Err(EINVAL.into()),
    };
    let old =
        call.world
            .sigprocmask(Id::from_raw(value.task), how, SigSet::from_bits(value.set))?;
    value.set = old.bits();
    args.reply()
}

pub(super) fn sigpending(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_sigpending>::read(call)?;
    check_flags(args.value.reserved.into(), 0)?;
    args.value.set = call.world.sigpending(Id::from_raw(args.value.task))?.bits();
    args.reply()
}

pub(super) fn sigwait(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_sigwait>::read(call)?;
    let value = &mut args.value;
    check_flags(value.reserved.into(), 0)?;
    let timeout = match value.timeout {
        u64::MAX => FOR_EVER,
        ns => jiffies(ns),
    };
    let set = SigSet::from_bits(value.set);
    value.info = call
        .world
        .sigwait(Id::from_raw(value.task), set, timeout)?
        .into();
    args.reply()
}
