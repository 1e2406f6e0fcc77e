// SPDX-License-Identifier: GPL-2.0

//! Commands that ask, and the sysctls of a namespace.

use super::args::{check_flags, Args, Array};
use crate::{
    namespace::Namespace,
    pid::{self, PidType},
    uapi,
    world::World,
};
use core::mem::size_of;
use kernel::{prelude::*, sync::aref::ARef};

/// Numbers that are translated between two looks at whether the caller is wanted elsewhere.
const TRANSLATE_PIECE: usize = 128;

/// Entries of a listing that are put together at a time.
const LIST_PIECE: usize = 64;

/// The least of an entry that a listing can be asked for: up to and with the id.
const MIN_ENTRY: usize = 16;

pub(super) fn world_info(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_world>::read(arg)?;
    check_flags(args.value.flags.into(), 0)?;
    args.value = world.describe();
    args.reply()
}

pub(super) fn task(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_task>::read(arg)?;
    args.value = world.describe_task(args.value.task)?;
    args.reply()
}

pub(super) fn signals(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_signals>::read(arg)?;
    args.value = world.describe_signals(args.value.task)?;
    args.reply()
}

pub(super) fn namespace(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_ns>::read(arg)?;
    args.value = world.describe_namespace(args.value.ns)?;
    args.reply()
}

pub(super) fn set_sysctl(world: &World, arg: usize) -> Result {
    let args = Args::<uapi::altpid_ns_set>::read(arg)?;
    let ns = world.namespace(args.value.ns)?;
    match args.value.what {
        uapi::ALTPID_NS_PID_MAX => ns.set_pid_max(args.value.value),
        uapi::ALTPID_NS_LAST_PID => ns.set_last_pid(args.value.value),
        _ => Err(EINVAL),
    }
}

pub(super) fn find(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_find>::read(arg)?;
    let value = &mut args.value;
    check_flags(value.flags.into(), uapi::ALTPID_FIND_GE.into())?;
    check_flags(value.reserved, 0)?;
    let kind = *PidType::ALL.get(value.type_ as usize).ok_or(EINVAL)?;
    let or_next = value.flags & uapi::ALTPID_FIND_GE != 0;
    (value.nr, value.task) = world.find(value.ns, value.nr, kind, or_next)?;
    args.reply()
}

pub(super) fn translate(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_translate>::read(arg)?;
    let from = world.namespace(args.value.from)?;
    let to = world.namespace(args.value.to)?;
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

pub(super) fn list(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_list>::read(arg)?;
    let value = &mut args.value;
    let stride = value.entry_size as usize;
    if stride < MIN_ENTRY {
        return Err(EINVAL);
    }
    let array = Array::new(value.entries, stride)?;
    let view = match value.ns {
        0 => None,
        id => Some(world.namespace(id)?),
    };
    let room = value.count as usize;
    let (written, cursor) = match value.what {
        uapi::ALTPID_LIST_TASKS => list_tasks(world, &array, room, value.cursor, view)?,
        uapi::ALTPID_LIST_NAMESPACES => list_namespaces(world, &array, room, value.cursor, view)?,
        uapi::ALTPID_LIST_BLOCKERS => {
            list_blockers(world, &array, room, value.cursor, &*view.ok_or(ENOENT)?)?
        }
        _ => return Err(EINVAL),
    };
    value.count = written as u32;
    value.cursor = cursor;
    args.reply()
}

/// Lists tasks from `cursor` on; returns how many, and the cursor to go on from.
fn list_tasks(
    world: &World,
    array: &Array,
    room: usize,
    cursor: u64,
    view: Option<ARef<Namespace>>,
) -> Result<(usize, u64)> {
    let mut entries = KVVec::with_capacity(LIST_PIECE.min(room), GFP_KERNEL)?;
    let mut position = usize::try_from(cursor).unwrap_or(usize::MAX);
    let mut written = 0;
    while written < room {
        let wanted = LIST_PIECE.min(room - written);
        let next = world.list_tasks(position, view.as_deref(), |entry| {
            entries.len() < wanted && entries.push_within_capacity(entry).is_ok()
        });
        for entry in entries.iter() {
            array.write_prefix(written, entry)?;
            written += 1;
        }
        entries.clear();
        match next {
            Some(next) => position = next,
            None => return Ok((written, u64::MAX)),
        }
        if kernel::current!().signal_pending() {
            break;
        }
    }
    Ok((written, position as u64))
}

/// Likewise namespaces.
fn list_namespaces(
    world: &World,
    array: &Array,
    room: usize,
    cursor: u64,
    view: Option<ARef<Namespace>>,
) -> Result<(usize, u64)> {
    let mut position = usize::try_from(cursor).unwrap_or(usize::MAX);
    let mut written = 0;
    while written < room && position < world.registry().positions() {
        if let Some(ns) = world.registry().at(position) {
            if view
                .as_ref()
                .is_none_or(|view| view.is_ancestor_or_self(&ns))
            {
                array.write_prefix(written, &world.describe_namespace(ns.id())?)?;
                written += 1;
            }
        }
        position += 1;
    }
    let at_end = position >= world.registry().positions();
    Ok((written, if at_end { u64::MAX } else { position as u64 }))
}

/// Likewise what keeps a namespace from going.
fn list_blockers(
    world: &World,
    array: &Array,
    room: usize,
    mut cursor: u64,
    ns: &Namespace,
) -> Result<(usize, u64)> {
    let mut entries = KVVec::with_capacity(LIST_PIECE.min(room), GFP_KERNEL)?;
    let mut written = 0;
    while written < room {
        let wanted = LIST_PIECE.min(room - written);
        let next = world.list_blockers(ns, cursor, |entry| {
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

pub(super) fn audit(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_audit>::read(arg)?;
    let findings = world.audit();
    args.value.broken = findings.broken;
    args.value.tasks = findings.tasks;
    args.value.numbers = findings.numbers;
    args.value.what = findings.what;
    args.reply()
}
