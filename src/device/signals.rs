// SPDX-License-Identifier: GPL-2.0

//! Commands about signals.

use super::args::{check_flags, Args, Call};
use crate::{
    reason::{Outcome, Reason},
    signal::kill::{ByPidfd, Given, Kill, To},
    signal::sigaction::{Action, How},
    tree::pending::SigSet,
    tree::sighand::Disposition,
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
    let (task, target, pid, tgid) = (value.task, value.target, value.pid, value.tgid);
    // Which members the way of killing looks at; the others have to be 0.
    let (kill, unused) = match value.how {
        uapi::ALTPID_KILL_PID => (Kill::Pid(task, pid), (0, target, 0, tgid, true)),
        uapi::ALTPID_KILL_THREAD => (Kill::Thread(task, tgid, pid), (0, target, 0, 0, true)),
        uapi::ALTPID_KILL_TKILL => (Kill::Tkill(task, pid), (0, target, 0, tgid, true)),
        uapi::ALTPID_KILL_QUEUE_THREAD => (
            Kill::QueueThread(task, tgid, pid, value.code, value.value),
            (0, target, 0, 0, false),
        ),
        uapi::ALTPID_KILL_QUEUE => (
            Kill::Queue(task, pid, value.code, value.value),
            (0, target, 0, tgid, false),
        ),
        uapi::ALTPID_KILL_TASK => (Kill::Task(task, target), (0, 0, pid, tgid, true)),
        uapi::ALTPID_KILL_OUTSIDE => (Kill::Outside(target), (task, 0, pid, tgid, true)),
        uapi::ALTPID_KILL_KERNEL => (Kill::Kernel(target), (task, 0, pid, tgid, true)),
        uapi::ALTPID_KILL_FAULT => (Kill::Fault(target), (task, 0, pid, tgid, true)),
        _ => return Err(EINVAL.into()),
    };
    let (task, target, pid, tgid, no_value) = unused;
    if (task, target, pid, tgid) != (0, 0, 0, 0)
        || (no_value && (value.code, value.value) != (0, 0))
    {
        return Err(EINVAL.into());
    }
    call.world.kill(kill, value.sig)
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
    let kill = Kill::Pidfd(value.task, value.target, ByPidfd { to, info });
    call.world.kill(kill, value.sig)
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
    let old = call.world.sigaction(value.task, value.sig, new)?;
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
    let old = call
        .world
        .sigprocmask(value.task, how, SigSet::from_bits(value.set))?;
    value.set = old.bits();
    args.reply()
}

pub(super) fn sigpending(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_sigpending>::read(call)?;
    check_flags(args.value.reserved.into(), 0)?;
    args.value.set = call.world.sigpending(args.value.task)?.bits();
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
    value.info = call.world.sigwait(value.task, set, timeout)?.into();
    args.reply()
}
