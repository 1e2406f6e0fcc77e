// SPDX-License-Identifier: GPL-2.0

//! From a number that a member knows to one of the kernel's, and back: nothing else does that.
//!
//! Somebody whom the world does not know, or who has no body, gets a number that nobody has, so that the kernel says
//! what is wrong in its own order. A number of the kernel's that stands for nobody in the world is 0.
//!
//! The number of a task that exits meanwhile may be given to somebody else before the kernel looks: as natively
//! between two calls of a program. The kernel asks whether the caller may.
//!
//! # Locks
//!
//! The tree lock for moments, or RCU.

use super::{
    known,
    member::{self, Member, Own},
};
use crate::{
    base::sync::read_lock,
    native::{
        self,
        groups::{find_in, Kind as InKernel},
        NativeNr,
    },
    pid::{find_pid, Pid},
    tree::{group::Group, task::TaskId},
    world::World,
};
use kernel::bindings;

/// What a number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A thread or process.
    Task,
    /// A process group.
    Group,
    /// A session.
    Session,
    /// A process, or a process group by its negative number.
    TaskOrGroup,
}

/// The kernel's number for one that a member gives, of a task or a process group. 0 and negative ones
/// but those of [`Kind::TaskOrGroup`] are what they are.
pub(super) fn to_kernel(member: &Member, own: &Own, nr: i32, kind: Kind) -> i32 {
    let native = match (kind, nr) {
        // f_setown() refuses it.
        (_, i32::MIN) => nr,
        (Kind::TaskOrGroup, ..0) => -group_to_kernel(member, -nr).to_user(),
        (_, i32::MIN..=0) => nr,
        (Kind::Task | Kind::TaskOrGroup, _) => task_to_kernel(member, own, nr).to_user(),
        (Kind::Group | Kind::Session, _) => group_to_kernel(member, nr).to_user(),
    };
    own.given.note(native);
    native
}

fn task_to_kernel(member: &Member, own: &Own, nr: i32) -> NativeNr {
    if nr == own.pid.nr() {
        return native::own_tid();
    }
    if nr == member.tgid.nr() {
        return native::own_tgid();
    }
    let tree = member.world.tree();
    let found = || {
        let task = tree.numbered(tree.find(member.id).ok()?, nr).ok()?;
        // The number of who is gone may be somebody else's; that of a leader is there as long as its process.
        let is_there = tree.groups()[tree.tasks()[task].group()].nr_live() > 0;
        let native = tree.native_of_task(task).filter(|_| is_there)?;
        Some(native.nr())
    };
    found().unwrap_or(NativeNr::NOBODY)
}

/// A process group that is not there, or in which there is nobody that the kernel knows, is nobody's.
fn group_to_kernel(member: &Member, nr: i32) -> NativeNr {
    let tree = member.world.tree();
    let found = || {
        let task = tree.find(member.id).ok()?;
        let group = find_pid(tree.tasks()[task].ns(), nr)?;
        tree.native_group_of(&group)
    };
    found().unwrap_or(NativeNr::NOBODY)
}

/// The kernel's process group for one that a member gives a terminal to; negative ones are what they are.
pub(super) fn terminal_to_kernel(member: &Member, own: &Own, nr: i32) -> i32 {
    let tree = member.world.tree();
    let found = || {
        let task = tree.find(member.id).ok()?;
        let group = find_pid(tree.tasks()[task].ns(), nr)?;
        tree.native_group(task, &group)
    };
    let native = match nr {
        i32::MIN..0 => nr,
        _ => found().unwrap_or(NativeNr::NOBODY).to_user(),
    };
    own.given.note(native);
    native
}

/// What a member calls whom the kernel calls by this number; what is 0 or negative stays so but for
/// [`Kind::TaskOrGroup`].
pub(super) fn from_kernel(member: &Member, nr: i32, kind: Kind) -> i32 {
    match (kind, nr) {
        (Kind::TaskOrGroup, i32::MIN..0) => {
            -group_from_kernel(member, nr.checked_neg().unwrap_or(0), InKernel::Group)
        }
        (_, i32::MIN..=0) => nr,
        (Kind::Task | Kind::TaskOrGroup, _) => {
            let pid = known::by_number(nr);
            pid.map_or(0, |pid| as_seen(member, &pid))
        }
        (Kind::Group, _) => group_from_kernel(member, nr, InKernel::Group),
        (Kind::Session, _) => group_from_kernel(member, nr, InKernel::Session),
    }
}

/// What a member calls a pid: 0 if it does not see it.
pub(super) fn as_seen(member: &Member, pid: &Pid) -> i32 {
    pid.nr_ns(member.tgid.ns())
}

/// A process group or session is that of the first member of the world in there.
fn group_from_kernel(member: &Member, native: i32, kind: InKernel) -> i32 {
    let found = first_in(&member.world, native, kind);
    let of = |group: &Group| match kind {
        InKernel::Group => group.pgid().clone(),
        InKernel::Session => group.sid().clone(),
    };
    let tree = member.world.tree();
    let other = found.and_then(|id| tree.tasks().find(id));
    let pid = other.map(|other| of(tree.group_of(other)));
    pid.map_or(0, |pid| as_seen(member, &pid))
}

/// The first member of a world in a native process group or session.
pub(super) fn first_in(world: &World, native: i32, kind: InKernel) -> Option<TaskId> {
    let mut found = None;
    let mut is_here = |thread: *mut bindings::task_struct| {
        let guard = read_lock();
        let member = member::find(thread, &guard);
        let member = member.filter(|member| core::ptr::eq(&*member.world, world));
        found = member.map(|member| member.id);
        found.is_some()
    };
    find_in(native, kind, &mut is_here);
    found
}
