// SPDX-License-Identifier: GPL-2.0

//! Commands about pidfds.

use super::args::{check_flags, Args, Call};
use crate::{
    base::slots::Id,
    process::pidfd::Target,
    reason::{Outcome, Reason},
    uapi,
};

pub(super) fn open(call: &Call<'_>) -> Outcome {
    const FLAGS: u32 = uapi::ALTPID_PIDFD_THREAD | uapi::ALTPID_PIDFD_NONBLOCK;
    let mut args = Args::<uapi::altpid_pidfd_open>::read(call)?;
    let value = &mut args.value;
    check_flags(value.flags.into(), FLAGS.into())?;
    check_flags(value.reserved.into(), 0)?;
    let target = match (value.task, value.target, value.pid) {
        (0, target, 0) => Target::Task(Id::from_raw(target)),
        (task, 0, pid) => Target::Number(Id::from_raw(task), pid),
        _ => return Err(Reason::Flags.into()),
    };
    let has = |flag| value.flags & flag != 0;
    let pidfd = call.world.pidfd_open(
        target,
        has(uapi::ALTPID_PIDFD_THREAD),
        has(uapi::ALTPID_PIDFD_NONBLOCK),
    )?;
    value.pidfd = pidfd.to_raw();
    args.reply()
}

pub(super) fn close(call: &Call<'_>) -> Outcome {
    let args = Args::<uapi::altpid_pidfd_close>::read(call)?;
    check_flags(args.value.reserved.into(), 0)?;
    call.world.pidfd_close(Id::from_raw(args.value.pidfd))
}

pub(super) fn info(call: &Call<'_>) -> Outcome {
    const MASK: u32 = uapi::ALTPID_PIDFD_INFO_PID | uapi::ALTPID_PIDFD_INFO_EXIT;
    let mut args = Args::<uapi::altpid_pidfd_info>::read(call)?;
    let value = &mut args.value;
    check_flags(value.mask, MASK.into())?;
    check_flags(value.reserved.into(), 0)?;
    let wants_exit = value.mask & u64::from(uapi::ALTPID_PIDFD_INFO_EXIT) != 0;
    let (pidfd, task) = (Id::from_raw(value.pidfd), Id::unless_0(value.task));
    *value = call.world.pidfd_info(pidfd, task, wants_exit)?;
    args.reply()
}

pub(super) fn poll(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_poll>::read(call)?;
    let value = &mut args.value;
    check_flags(value.flags.into(), uapi::ALTPID_POLL_NOWAIT.into())?;
    let events = uapi::ALTPID_POLL_IN | uapi::ALTPID_POLL_HUP;
    check_flags(value.events.into(), events.into())?;
    let wait = value.flags & uapi::ALTPID_POLL_NOWAIT == 0;
    value.revents = call
        .world
        .poll(Id::from_raw(value.pidfd), value.events, wait)?;
    args.reply()
}
