// SPDX-License-Identifier: GPL-2.0

//! `/dev/altpid`: parse, act, reply.
//!
//! Each open of the device is a [`World`]. A command reads its struct ([`args`]), calls the one
//! method of the world that does it, and writes back what came of it; everything that there is to
//! know about a command stands in `src/uapi/altpid.h`.

mod args;

use crate::{
    clone::{CloneArgs, ParentArg},
    namespace::{Namespace, LEVELS},
    pid::{self, PidType},
    uapi,
    world::World,
};
use args::{Args, Array};
use kernel::{
    fs::File,
    miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
    prelude::*,
    sync::aref::ARef,
};

/// Numbers that are translated between two looks at whether the caller is wanted elsewhere.
const TRANSLATE_PIECE: usize = 128;

/// Entries of a listing that are put together at a time.
const LIST_PIECE: usize = 64;

/// The least of an entry that a listing can be asked for: up to and with the id.
const MIN_ENTRY: usize = 16;

/// The registered device.
#[pin_data]
pub(crate) struct Device {
    #[pin]
    device: MiscDeviceRegistration<OpenFile>,
}

impl Device {
    /// Registers the device.
    pub(crate) fn register() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            device <- MiscDeviceRegistration::register(MiscDeviceOptions { name: c"altpid" }),
        })
    }
}

/// One open of the device.
#[pin_data]
struct OpenFile {
    #[pin]
    world: World,
}

#[vtable]
impl MiscDevice for OpenFile {
    type Ptr = Pin<KBox<Self>>;

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        let world = World::new(crate::limits())?;
        KBox::try_pin_init(try_pin_init!(Self { world <- world }), GFP_KERNEL_ACCOUNT)
    }

    fn ioctl(this: Pin<&Self>, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
        let world = &this.get_ref().world;
        match cmd {
            uapi::ALTPID_IOC_WORLD => world_info(world, arg),
            uapi::ALTPID_IOC_CLONE => clone(world, arg),
            uapi::ALTPID_IOC_UNSHARE => unshare(world, arg),
            uapi::ALTPID_IOC_SETNS => setns(world, arg),
            uapi::ALTPID_IOC_EXIT => exit(world, arg),
            uapi::ALTPID_IOC_WAIT => wait(world, arg),
            uapi::ALTPID_IOC_SETSID => setsid(world, arg),
            uapi::ALTPID_IOC_SETPGID => setpgid(world, arg),
            uapi::ALTPID_IOC_SET_NAME => set_name(world, arg),
            uapi::ALTPID_IOC_TASK => task(world, arg),
            uapi::ALTPID_IOC_NS => namespace(world, arg),
            uapi::ALTPID_IOC_NS_SET => set_sysctl(world, arg),
            uapi::ALTPID_IOC_FIND => find(world, arg),
            uapi::ALTPID_IOC_TRANSLATE => translate(world, arg),
            uapi::ALTPID_IOC_LIST => list(world, arg),
            uapi::ALTPID_IOC_AUDIT => audit(world, arg),
            _ => Err(ENOTTY),
        }?;
        Ok(0)
    }
}

/// `EINVAL` unless a flag word has known flags only, or a reserved member is 0.
fn check_flags(flags: u64, known: u64) -> Result {
    if flags & !known == 0 {
        Ok(())
    } else {
        Err(EINVAL)
    }
}

fn world_info(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_world>::read(arg)?;
    check_flags(args.value.flags.into(), 0)?;
    args.value = world.describe();
    args.reply()
}

fn clone(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_clone>::read(arg)?;
    let value = &mut args.value;
    check_flags(value.reserved.into(), 0)?;
    let wanted = value.set_tid_size as usize;
    // As native: one less than the levels that exist.
    if wanted >= LEVELS || (value.set_tid == 0) != (wanted == 0) {
        return Err(EINVAL);
    }
    let mut set_tid = [0i32; LEVELS];
    Array::new(value.set_tid, size_of::<i32>())?.read(0, &mut set_tid[..wanted])?;
    let cloned = world.clone_task(&CloneArgs {
        task: value.task,
        flags: value.flags,
        exit_signal: value.exit_signal,
        set_tid: &set_tid[..wanted],
        parent: match value.parent {
            0 => ParentArg::Native,
            id if id == uapi::ALTPID_OUTSIDE as u64 => ParentArg::Outside,
            id => ParentArg::Task(id),
        },
    })?;
    value.child = cloned.child;
    value.pid = cloned.pid;
    args.reply()
}

fn unshare(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_unshare>::read(arg)?;
    check_flags(args.value.reserved.into(), 0)?;
    args.value.ns = world.unshare(args.value.task, args.value.flags)?;
    args.reply()
}

fn setns(world: &World, arg: usize) -> Result {
    let args = Args::<uapi::altpid_setns>::read(arg)?;
    check_flags(args.value.reserved.into(), 0)?;
    world.setns(args.value.task, args.value.ns)
}

fn exit(world: &World, arg: usize) -> Result {
    let args = Args::<uapi::altpid_exit>::read(arg)?;
    check_flags(args.value.flags.into(), uapi::ALTPID_EXIT_GROUP.into())?;
    check_flags(args.value.reserved.into(), 0)?;
    let whole_group = args.value.flags & uapi::ALTPID_EXIT_GROUP != 0;
    world.exit(args.value.task, args.value.code, whole_group)
}

fn wait(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_wait>::read(arg)?;
    let value = &mut args.value;
    check_flags(value.reserved.into(), 0)?;
    let reaped = world.wait(value.task, value.pid, value.options)?;
    value.child = reaped.as_ref().map_or(0, |r| r.child);
    value.result = reaped.as_ref().map_or(0, |r| r.pid);
    value.status = reaped.as_ref().map_or(0, |r| r.status);
    args.reply()
}

fn setsid(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_setsid>::read(arg)?;
    args.value.sid = {
        let mut tree = world.tree().lock();
        let task = tree.find_alive(args.value.task)?;
        tree.setsid(task)?
    };
    args.reply()
}

fn setpgid(world: &World, arg: usize) -> Result {
    let args = Args::<uapi::altpid_setpgid>::read(arg)?;
    check_flags(args.value.reserved.into(), 0)?;
    let mut tree = world.tree().lock();
    let task = tree.find_alive(args.value.task)?;
    tree.setpgid(task, args.value.pid, args.value.pgid)
}

fn set_name(world: &World, arg: usize) -> Result {
    let args = Args::<uapi::altpid_set_name>::read(arg)?;
    check_flags(args.value.reserved.into(), 0)?;
    let mut tree = world.tree().lock();
    let task = tree.find_alive(args.value.task)?;
    tree.set_name(task, &args.value.comm);
    Ok(())
}

fn task(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_task>::read(arg)?;
    args.value = world.describe_task(args.value.task)?;
    args.reply()
}

fn namespace(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_ns>::read(arg)?;
    args.value = world.describe_namespace(args.value.ns)?;
    args.reply()
}

fn set_sysctl(world: &World, arg: usize) -> Result {
    let args = Args::<uapi::altpid_ns_set>::read(arg)?;
    let ns = world.namespace(args.value.ns)?;
    match args.value.what {
        uapi::ALTPID_NS_PID_MAX => ns.set_pid_max(args.value.value),
        uapi::ALTPID_NS_LAST_PID => ns.set_last_pid(args.value.value),
        _ => Err(EINVAL),
    }
}

fn find(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_find>::read(arg)?;
    let value = &mut args.value;
    check_flags(value.flags.into(), uapi::ALTPID_FIND_GE.into())?;
    check_flags(value.reserved, 0)?;
    let kind = *PidType::ALL.get(value.type_ as usize).ok_or(EINVAL)?;
    let or_next = value.flags & uapi::ALTPID_FIND_GE != 0;
    (value.nr, value.task) = world.find(value.ns, value.nr, kind, or_next)?;
    args.reply()
}

fn translate(world: &World, arg: usize) -> Result {
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

fn list(world: &World, arg: usize) -> Result {
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

fn audit(world: &World, arg: usize) -> Result {
    let mut args = Args::<uapi::altpid_audit>::read(arg)?;
    let findings = world.audit();
    args.value.broken = findings.broken;
    args.value.tasks = findings.tasks;
    args.value.numbers = findings.numbers;
    args.value.what = findings.what;
    args.reply()
}
