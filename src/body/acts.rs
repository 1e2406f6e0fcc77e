// SPDX-License-Identifier: GPL-2.0

//! What a member does to itself and its family: setsid, setpgid, unshare and reboot.
//!
//! # Locks
//!
//! The tree lock.

use super::member::Member;
use crate::{native, process::clone::flags, reason::Outcome};
use kernel::prelude::*;

/// setsid(2), of which the kernel is told.
pub(super) fn setsid(member: &Member) -> Outcome<i32> {
    let (mut tree, task) = member.world.act_alone_as_member(member.id)?;
    let nr = tree.setsid(task)?;
    let group = tree.tasks()[task].group();
    tree.tell_group(group, native::own_tgid());
    Ok(nr)
}

/// Puts a process into a process group; returns the numbers for the kernel to do likewise, if it is
/// somebody that it knows.
pub(super) fn setpgid(member: &Member, pid: i32, pgid: i32) -> Outcome<Option<(u64, u64)>> {
    let (mut tree, task) = member.world.act_alone_as_member(member.id)?;
    tree.setpgid_by_member(task, pid, pgid)
}

/// Unshares the pid namespace; returns the other flags, which are for the kernel.
pub(super) fn unshare(member: &Member, wanted: u64) -> Outcome<u64> {
    let others = wanted & !flags::NEWPID;
    if others & flags::NEWUSER == 0 && !native::has_admin() {
        return Err(EPERM.into());
    }
    member.world.unshare_member(member.id)?;
    Ok(others)
}

/// reboot(2), as the kernel checks it.
pub(super) fn reboot(member: &Member, args: &[u64; 6]) -> Outcome {
    const MAGIC: u32 = 0xfee1_dead;
    const OTHERS: [u32; 4] = [0x2812_1969, 0x0512_1996, 0x1604_1998, 0x2011_2000];
    if !native::may_reboot() {
        return Err(EPERM.into());
    }
    if args[0] as u32 != MAGIC || !OTHERS.contains(&(args[1] as u32)) {
        return Err(EINVAL.into());
    }
    member.world.reboot_by_member(member.id, args[2] as u32)
}
