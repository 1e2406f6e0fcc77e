// SPDX-License-Identifier: GPL-2.0

//! Commands that ask, and the sysctls of a namespace.

use super::args::{check_flags, Args, Array, Call, Extensible, MAX_SIZE};
use crate::{
    ask::nsfs::Direction,
    base::slots::Id,
    pid::{self, PidType},
    reason::{Outcome, Reason},
    uapi,
};
use core::mem::size_of;
use kernel::prelude::*;
use zerocopy::{Immutable, IntoBytes};

/// Numbers that are translated between two looks at whether the caller is wanted elsewhere.
const TRANSLATE_PIECE: usize = 128;

/// Entries of a listing that are put together at a time.
const LIST_PIECE: usize = 64;

/// The least of an entry that a listing can be asked for: up to and with the id.
const MIN_ENTRY: usize = 16;

pub(super) fn world_info(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_world>::read(call)?;
    check_flags(args.value.flags.into(), 0)?;
    args.value = call.world.describe();
    args.reply()
}

pub(super) fn task(call: &Call<'_>) -> Outcome {
    describe(call, |asked: uapi::altpid_task| {
        call.world.describe_task(Id::from_raw(asked.task))
    })
}

pub(super) fn signals(call: &Call<'_>) -> Outcome {
    describe(call, |asked: uapi::altpid_signals| {
        call.world.describe_signals(Id::from_raw(asked.task))
    })
}

pub(super) fn namespace(call: &Call<'_>) -> Outcome {
    describe(call, |asked: uapi::altpid_ns| {
        call.world.describe_namespace(Id::from_raw(asked.ns))
    })
}

/// Replaces a struct, of which only who is asked about counts, by the answer.
fn describe<T: Extensible + Copy>(
    call: &Call<'_>,
    answer: impl FnOnce(T) -> Outcome<T>,
) -> Outcome {
    let mut args = Args::read(call)?;
    args.value = answer(args.value)?;
    args.reply()
}

pub(super) fn set_sysctl(call: &Call<'_>) -> Outcome {
    let args = Args::<uapi::altpid_ns_set>::read(call)?;
    let ns = call.world.namespace(Id::from_raw(args.value.ns))?;
    match args.value.what {
        uapi::ALTPID_NS_PID_MAX => ns.set_pid_max(args.value.value),
        uapi::ALTPID_NS_LAST_PID => ns.set_last_pid(args.value.value),
        _ => return Err(EINVAL.into()),
    }
    .map_err(|_| Reason::Range.into())
}

pub(super) fn ns_get(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_ns_get>::read(call)?;
    let value = &mut args.value;
    check_flags(value.reserved.into(), 0)?;
    let (task, ns) = (Id::from_raw(value.task), Id::from_raw(value.ns));
    let find = |nr, direction, kind| call.world.pidns_nr(task, ns, nr, direction, kind);
    (value.nr, value.parent) = match value.what {
        uapi::ALTPID_NS_GET_PARENT if value.nr == 0 => {
            (0, call.world.pidns_parent(task, ns)?.to_raw())
        }
        uapi::ALTPID_NS_GET_PID_FROM_PIDNS => (find(value.nr, Direction::From, PidType::Pid)?, 0),
        uapi::ALTPID_NS_GET_TGID_FROM_PIDNS => (find(value.nr, Direction::From, PidType::Tgid)?, 0),
        uapi::ALTPID_NS_GET_PID_IN_PIDNS => (find(value.nr, Direction::In, PidType::Pid)?, 0),
        uapi::ALTPID_NS_GET_TGID_IN_PIDNS => (find(value.nr, Direction::In, PidType::Tgid)?, 0),
        _ => return Err(Reason::Range.into()),
    };
    args.reply()
}

pub(super) fn find(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_find>::new(call);
    args.fill()?;
    let value = &mut args.value;
    check_flags(value.flags.into(), uapi::ALTPID_FIND_GE.into())?;
    check_flags(value.reserved, 0)?;
    let kind = *PidType::ALL.get(value.type_ as usize).ok_or(EINVAL)?;
    let or_next = value.flags & uapi::ALTPID_FIND_GE != 0;
    let ns = Id::from_raw(value.ns);
    let (nr, task) = call.world.find(ns, value.nr, kind, or_next)?;
    (value.nr, value.task) = (nr, task.to_raw());
    args.reply()
}

pub(super) fn translate(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_translate>::read(call)?;
    let from = call.world.namespace(Id::from_raw(args.value.from))?;
    let to = call.world.namespace(Id::from_raw(args.value.to))?;
    let array = Array::new(args.value.nrs, size_of::<i32>())?;
    let count = args.value.count as usize;
    let mut done = 0;
    let mut piece = [0i32; TRANSLATE_PIECE];
    while done < count && !(done > 0 && kernel::current!().signal_pending()) {
        let piece = &mut piece[..TRANSLATE_PIECE.min(count - done)];
        array.read(done, piece)?;
        for nr in piece.iter_mut() {
            *nr = pid::translate(&from, *nr, &to).unwrap_or(ESRCH.to_errno());
        }
        array.write(done, piece)?;
        done += piece.len();
    }
    args.value.count = done as u32;
    args.reply()
}

pub(super) fn list(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_list>::read(call)?;
    let value = &mut args.value;
    let stride = value.entry_size as usize;
    if stride < MIN_ENTRY {
        return Err(EINVAL.into());
    }
    if stride > MAX_SIZE {
        return Err(E2BIG.into());
    }
    let array = Array::new(value.entries, stride)?;
    let view = Id::unless_0(value.ns).map(|id| call.world.namespace(id));
    let view = view.transpose()?;
    check_flags(value.reserved.into(), 0)?;
    check_flags(
        value.flags.into(),
        match value.what {
            uapi::ALTPID_LIST_NAMESPACES => uapi::ALTPID_LIST_REF_ACTIVE.into(),
            _ => 0,
        },
    )?;
    let only_active = value.flags & uapi::ALTPID_LIST_REF_ACTIVE != 0;
    let (room, cursor) = (value.count as usize, value.cursor);
    let (written, cursor) = match value.what {
        uapi::ALTPID_LIST_TASKS => write_entries(&array, room, cursor, |cursor, found| {
            call.world.list_tasks(cursor, view.as_deref(), found)
        }),
        uapi::ALTPID_LIST_NAMESPACES => write_entries(&array, room, cursor, |cursor, found| {
            call.world
                .list_namespaces(cursor, view.as_deref(), only_active, found)
        }),
        uapi::ALTPID_LIST_BLOCKERS => {
            let ns = view.ok_or(Reason::NsGone)?;
            write_entries(&array, room, cursor, |cursor, found| {
                call.world.list_blockers(&ns, cursor, found)
            })
        }
        _ => Err(EINVAL),
    }?;
    value.count = written as u32;
    value.cursor = cursor;
    args.reply()
}

/// Writes entries of a listing, put together in pieces, until there is no more room for any; returns
/// how many, and the cursor to go on from. `next` goes on from a cursor as long as what it gives the
/// entries to takes them, and returns where to go on, `None` at the end.
fn write_entries<T: IntoBytes + Immutable>(
    array: &Array,
    room: usize,
    mut cursor: u64,
    mut next: impl FnMut(u64, &mut dyn FnMut(T) -> bool) -> Option<u64>,
) -> Result<(usize, u64)> {
    let mut entries = KVVec::with_capacity(LIST_PIECE.min(room), GFP_KERNEL)?;
    let mut written = 0;
    while written < room {
        let wanted = LIST_PIECE.min(room - written);
        let next = next(cursor, &mut |entry| {
            entries.len() < wanted && entries.push_within_capacity(entry).is_ok()
        });
        for entry in entries.iter() {
            array.write_prefix(written, entry)?;
            written += 1;
        }
        entries.clear();
        cursor = match next {
            Some(next) => next,
            None => return Ok((written, u64::MAX)),
        };
        if kernel::current!().signal_pending() {
            break;
        }
    }
    Ok((written, cursor))
}

pub(super) fn audit(call: &Call<'_>) -> Outcome {
    let mut args = Args::<uapi::altpid_audit>::read(call)?;
    let findings = call.world.audit();
    args.value.broken = findings.broken;
    args.value.tasks = findings.tasks;
    args.value.numbers = findings.numbers;
    args.value.what = findings.what;
    args.value.skipped = findings.skipped;
    args.value.reserved = 0;
    args.reply()
}
