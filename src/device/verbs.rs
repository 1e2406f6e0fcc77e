// SPDX-License-Identifier: GPL-2.0

//! Commands by which a task does something.

use super::args::{check_flags, Args, Array, Call};
use crate::{
    ask::ids::Asked,
    base::slots::Id,
    body::{self, Attach},
    pid::namespace::LEVELS,
    process::clone::{flags, CloneArgs, ParentArg},
    process::wait::{Wanted, P_PIDFD},
    reason::{Outcome, Reason},
    uapi,
};
use core::mem::size_of;
use kernel::prelude::*;

pub(super) fn clone(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_clone>::new(call);
    args.fill()?;
    let takes_pidfd = args.reaches(size_of::<uapi::altpid_clone>());
    let value = &mut args.value;
    check_flags(value.reserved.into(), 0)?;
    let parent = match value.parent {
        0 => ParentArg::Native,
        id if id == uapi::ALTPID_OUTSIDE as u64 => ParentArg::Outside,
        id => ParentArg::Task(Id::from_raw(id)),
    };
    // As native: one less than the levels that exist.
    let cloned = with_set_tid(value.set_tid, value.set_tid_size, LEVELS - 1, |set_tid| {
        call.world.clone_task(&CloneArgs {
            task: Id::from_raw(value.task),
            flags: value.flags,
            exit_signal: value.exit_signal,
            set_tid,
            parent,
            takes_pidfd,
            by_member: false,
        })
    })?;
    value.child = cloned.child.to_raw();
    value.pid = cloned.pid;
    value.pidfd = cloned.pidfd.map_or(0, Id::to_raw);
    args.reply()
}

/// Goes on with the numbers that a new task is to have: `size` of them at an address, the most nested
/// namespace first.
///
/// # Errors
///
/// `EINVAL` for more than `most`, and for an address without any or the reverse; `EFAULT`.
#[inline]
fn with_set_tid<T>(
    address: u64,
    size: u64,
    most: usize,
    mut go_on: impl FnMut(&[i32]) -> Outcome<T>,
) -> Outcome<T> {
    if size > most as u64 || (address == 0) != (size == 0) {
        return Err(Reason::SetTidSize.into());
    }
    if size == 0 {
        return go_on(&[]);
    }
    read_set_tid(address, size as usize, &mut go_on)
}

/// [`with_set_tid`] when there are some: most clones ask for none, and need no memory for them.
#[inline(never)]
fn read_set_tid<T>(
    address: u64,
    size: usize,
    go_on: &mut dyn FnMut(&[i32]) -> Outcome<T>,
) -> Outcome<T> {
    let mut set_tid = [0i32; LEVELS];
    let set_tid = &mut set_tid[..size];
    Array::new(address, size_of::<i32>())?.read(0, set_tid)?;
    go_on(set_tid)
}

pub(super) fn attach(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_attach>::read(call)?;
    let value = &mut args.value;
    check_flags(value.reserved.into(), 0)?;
    let known = uapi::ALTPID_ATTACH_NEW_NS | uapi::ALTPID_ATTACH_KILL_ON_CLOSE;
    check_flags(value.flags.into(), known.into())?;
    body::may_attach()?;
    if !call.world.is_own() {
        return Err(Reason::NotOwner.into());
    }
    let attached = with_set_tid(value.set_tid, value.set_tid_size, LEVELS, |set_tid| {
        let attach = Attach {
            parent: match value.parent {
                id if id == uapi::ALTPID_OUTSIDE as u64 => None,
                id => Id::unless_0(id),
            },
            ns: Id::unless_0(value.ns),
            new_ns: value.flags & uapi::ALTPID_ATTACH_NEW_NS != 0,
            set_tid,
        };
        body::attach(call.world.to_arc(), &attach)
    })?;
    if value.flags & uapi::ALTPID_ATTACH_KILL_ON_CLOSE != 0 {
        call.world.kill_on_close();
    }
    (value.task, value.pid) = (attached.0.to_raw(), attached.1);
    args.reply()
}

pub(super) fn unshare(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_unshare>::read(call)?;
    check_flags(args.value.reserved.into(), 0)?;
    let ns = call
        .world
        .unshare(Id::from_raw(args.value.task), args.value.flags)?;
    args.value.ns = ns.map_or(0, Id::to_raw);
    args.reply()
}

pub(super) fn setns(call: &Call<'_>) -> Outcome {
    let args = Args::<uapi::altpid_setns>::read(call)?;
    let value = &args.value;
    check_flags(value.reserved.into(), 0)?;
    check_flags(value.flags, flags::NEWPID)?;
    let task = Id::from_raw(value.task);
    match (value.ns, value.pidfd, value.flags) {
        (ns, 0, _) => call.world.setns(task, Id::from_raw(ns)),
        (0, pidfd, 1..) => call.world.setns_by_pidfd(task, Id::from_raw(pidfd)),
        _ => Err(Reason::Flags.into()),
    }
}

pub(super) fn exit(call: &Call<'_>) -> Outcome {
    let args = Args::<uapi::altpid_exit>::read(call)?;
    check_flags(args.value.flags.into(), uapi::ALTPID_EXIT_GROUP.into())?;
    check_flags(args.value.reserved.into(), 0)?;
    let whole_group = args.value.flags & uapi::ALTPID_EXIT_GROUP != 0;
    call.world
        .exit(Id::from_raw(args.value.task), args.value.code, whole_group)
}

pub(super) fn exec(call: &Call<'_>) -> Outcome {
    let args = Args::<uapi::altpid_exec>::read(call)?;
    check_flags(args.value.reserved.into(), 0)?;
    call.world
        .exec(Id::from_raw(args.value.task), &args.value.comm)
}

pub(super) fn wait(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_wait>::new(call);
    args.fill()?;
    let value = &mut args.value;
    check_flags(value.reserved.into(), 0)?;
    let wanted = Wanted::Wait4(value.pid, value.options);
    let report = call.world.wait(Id::from_raw(value.task), wanted)?;
    value.child = report.map_or(0, |r| r.child.to_raw());
    value.result = report.map_or(0, |r| r.pid);
    value.status = report.map_or(0, |r| r.word());
    args.reply()
}

pub(super) fn waitid(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_waitid>::new(call);
    args.fill()?;
    let value = &mut args.value;
    check_flags(value.reserved.into(), 0)?;
    let wanted = match (value.which, value.id, value.pidfd) {
        (P_PIDFD, 0, pidfd) => Wanted::Pidfd(Id::from_raw(pidfd), value.options),
        (P_PIDFD, _, _) => return Err(Reason::Range.into()),
        (which, id, 0) => Wanted::WaitId(which, id, value.options),
        _ => return Err(Reason::Flags.into()),
    };
    let report = call.world.wait(Id::from_raw(value.task), wanted)?;
    value.child = report.map_or(0, |r| r.child.to_raw());
    value.pid = report.map_or(0, |r| r.pid);
    value.code = report.map_or(0, |r| r.code);
    value.status = report.map_or(0, |r| r.status);
    args.reply()
}

pub(super) fn setsid(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_setsid>::read(call)?;
    args.value.sid = call.world.setsid(Id::from_raw(args.value.task))?;
    args.reply()
}

pub(super) fn setpgid(call: &Call<'_>) -> Outcome {
    let args = Args::<uapi::altpid_setpgid>::read(call)?;
    check_flags(args.value.reserved.into(), 0)?;
    let value = &args.value;
    call.world
        .setpgid(Id::from_raw(value.task), value.pid, value.pgid)
}

pub(super) fn set_name(call: &Call<'_>) -> Outcome {
    let args = Args::<uapi::altpid_set_name>::read(call)?;
    check_flags(args.value.reserved.into(), 0)?;
    let (mut tree, task) = call.world.act(Id::from_raw(args.value.task))?;
    tree.set_name(task, &args.value.comm);
    Ok(())
}

pub(super) fn get_name(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_get_name>::read(call)?;
    check_flags(args.value.reserved.into(), 0)?;
    {
        let (tree, task) = call.world.act(Id::from_raw(args.value.task))?;
        args.value.comm = tree.tasks()[task].comm();
    }
    args.reply()
}

pub(super) fn getid(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_getid>::read(call)?;
    let value = &mut args.value;
    let asked = match (value.what, value.pid) {
        (uapi::ALTPID_GETPID, 0) => Asked::Pid,
        (uapi::ALTPID_GETTID, 0) => Asked::Tid,
        (uapi::ALTPID_GETPPID, 0) => Asked::Ppid,
        (uapi::ALTPID_GETPGID, pid) => Asked::Pgid(pid),
        (uapi::ALTPID_GETSID, pid) => Asked::Sid(pid),
        _ => return Err(Reason::Flags.into()),
    };
    value.result = call.world.get_id(Id::from_raw(value.task), asked)?;
    args.reply()
}

pub(super) fn prctl(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_prctl>::read(call)?;
    {
        let (mut tree, task) = call.world.act(Id::from_raw(args.value.task))?;
        let value = &mut args.value.value;
        match args.value.option {
            uapi::ALTPID_PR_SET_PDEATHSIG => tree.set_pdeath_signal(task, *value)?,
            uapi::ALTPID_PR_GET_PDEATHSIG => *value = tree.tasks()[task].pdeath_signal().into(),
            uapi::ALTPID_PR_SET_CHILD_SUBREAPER => tree.set_subreaper(task, *value != 0),
            uapi::ALTPID_PR_GET_CHILD_SUBREAPER => *value = tree.is_subreaper(task).into(),
            _ => return Err(EINVAL.into()),
        }
    }
    args.reply()
}

pub(super) fn reboot(call: &Call<'_>) -> Outcome {
    let args = Args::<uapi::altpid_reboot>::read(call)?;
    call.world
        .reboot(Id::from_raw(args.value.task), args.value.cmd)
}
