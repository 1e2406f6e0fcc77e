// SPDX-License-Identifier: GPL-2.0

//! Whose a terminal is: TIOCGPGRP, TIOCSPGRP and TIOCGSID of ioctl(2) by a member.
//!
//! `drivers/tty/tty_jobctrl.c`: `tiocgpgrp()`, `tiocspgrp()`, `tiocgsid()`. Process groups and sessions of
//! members are the kernel's too, made by setpgid(2) and setsid(2) of their bodies, so that the kernel
//! sends what ^C and ^Z mean and stops who reads from the background. Only the numbers are translated: the
//! kernel is given a word of its own below the caller's stack.
//!
//! # Locks
//!
//! The tree lock for moments; RCU for a native process group.

use super::{
    calls::Then,
    member::{self, Member},
    user::{read_word, write_word},
};
use crate::{
    base::sync::read_lock,
    native::groups::{find_in, Kind},
    pid::{find_pid, Pid},
    tree::group::Group,
};
use kernel::{bindings, prelude::*};

const TIOCGPGRP: u32 = 0x540f;
const TIOCSPGRP: u32 = 0x5410;
const TIOCGSID: u32 = 0x5429;

/// What is done with the kernel's word when the call is over: nothing of the kernel's is ever in one of the
/// program's, and what stands there is read once.
pub(super) struct Word {
    /// Below the stack of the caller, where everything may be overwritten at any time.
    scratch: u64,
    /// What was there.
    before: i32,
    /// Where what the kernel has written goes, and what it is.
    to: Option<(u64, Kind)>,
}

/// Bytes below the stack that the program may use (the red zone of the ABI).
const RED_ZONE: u64 = 128;

/// A member asks for a terminal's process group or session, or gives it another process group: what is
/// done behind the call; `None` when it has nothing to do with that. The error is the call's.
pub(super) fn begin(
    member: &Member,
    regs: &mut bindings::pt_regs,
    cmd: u32,
    address: u64,
) -> Result<Option<Then>> {
    let (to, value) = match cmd {
        TIOCGPGRP => (Some((address, Kind::Group)), 0),
        TIOCGSID => (Some((address, Kind::Session)), 0),
        // The kernel says what is wrong with a word that cannot be read, and with a negative number.
        TIOCSPGRP => match read_word(address, 0) {
            Some(nr @ 0..) => (None, native_group(member, nr)),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let scratch = ((regs.sp as u64).wrapping_sub(RED_ZONE) & !7).wrapping_sub(8);
    let before = read_word(scratch, 0).ok_or(EFAULT)?;
    write_word(scratch, value)?;
    regs.dx = scratch as usize;
    Ok(Some(Then::Word(Word {
        scratch,
        before,
        to,
    })))
}

impl Word {
    /// The call is over: its result.
    pub(super) fn end(&self, member: &Member, result: i64) -> i64 {
        let native = read_word(self.scratch, 0);
        let _ = write_word(self.scratch, self.before);
        let written = match (self.to, native) {
            (Some((address, kind)), Some(native)) if result >= 0 => {
                write_word(address, number_here(member, native, kind))
            }
            (Some(_), None) => Err(EFAULT),
            _ => Ok(()),
        };
        match written {
            Err(error) if result >= 0 => error.to_errno().into(),
            _ => result,
        }
    }
}

/// The kernel's number of a process group that a member names; one that nobody has for one that is not
/// there, or in which there is nobody that the kernel knows.
fn native_group(member: &Member, nr: i32) -> i32 {
    const NOBODY: i32 = i32::MAX;
    let tree = member.world.tree();
    let Ok(task) = tree.find(member.id) else {
        return NOBODY;
    };
    let group = find_pid(tree.tasks()[task].ns(), nr);
    let group = group.and_then(|group| tree.native_group(task, &group));
    group.map_or(NOBODY, |group| group.to_user())
}

/// What a member calls a native process group or session: by the first member of its world in there; 0 if
/// there is none.
fn number_here(member: &Member, native: i32, kind: Kind) -> i32 {
    let mut found = None;
    let mut is_beside = |thread: *mut bindings::task_struct| {
        let guard = read_lock();
        let other = member::find(thread, &guard).filter(|other| other.is_beside(member));
        found = other.map(|other| other.id);
        found.is_some()
    };
    find_in(native, kind, &mut is_beside);
    let of = |group: &Group| match kind {
        Kind::Group => group.pgid().clone(),
        Kind::Session => group.sid().clone(),
    };
    let tree = member.world.tree();
    let other = found.and_then(|id| tree.tasks().find(id));
    let pid = other.map(|other| of(tree.group_of(other)));
    let own = tree.tasks().find(member.id);
    match (pid, own) {
        (Some(pid), Some(own)) => Pid::nr_ns(&pid, tree.tasks()[own].ns()),
        _ => 0,
    }
}
