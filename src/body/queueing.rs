// SPDX-License-Identifier: GPL-2.0

//! rt_sigqueueinfo(2), rt_tgsigqueueinfo(2), pidfd_send_signal(2) by a member: signals with what comes along.
//!
//! `kernel/signal.c`: `do_rt_sigqueueinfo()`, `do_rt_tgsigqueueinfo()`, `do_pidfd_send_signal()`. To a process the
//! kernel does not say `EAGAIN` when there is no room for what comes along: the signal comes without.
//!
//! # Locks
//!
//! The tree lock to find somebody; signals are sent without it.

use super::{
    calls::result,
    killing::{self, By},
    many,
    member::{Member, Own},
    pidfds::{self, Descriptor, Handle},
    user::read_bytes,
};
use crate::{
    reason::{Outcome, Reason},
    signal::kill::is_reserved,
};
use kernel::{bindings, prelude::*};

/// What comes along with a signal: the first bytes of a `siginfo_t`, which are all that the kernel keeps.
#[derive(Clone, Copy)]
pub(super) struct Info([u8; 48]);

impl Info {
    /// `copy_siginfo_from_user()`, with another signal number.
    fn read(address: u64, signal: i32) -> Result<Self> {
        const ALL: usize = 128;
        let mut all = [0; ALL];
        read_bytes(address, 0, &mut all)?;
        let mut info = Self([0; 48]);
        info.0.copy_from_slice(&all[..48]);
        if !is_known(signal, info.code()) && all[48..] != [0; ALL - 48] {
            return Err(E2BIG);
        }
        info.0[..4].copy_from_slice(&signal.to_ne_bytes());
        Ok(info)
    }

    pub(super) fn code(&self) -> i32 {
        super::arguments::int_at(&self.0, 8)
    }

    /// `si_value`
    pub(super) fn value(&self) -> u64 {
        let word = |at| u64::from(super::arguments::int_at(&self.0, at) as u32);
        word(24) | word(28) << 32
    }

    pub(super) fn bytes(&self) -> &[u8; 48] {
        &self.0
    }
}

/// Whether nothing more than is known comes with a code (`known_siginfo_layout()`).
fn is_known(signal: i32, code: i32) -> bool {
    const SI_KERNEL: i32 = 0x80;
    let limit = match signal as u32 {
        bindings::SIGILL => 11,
        bindings::SIGFPE => 15,
        bindings::SIGSEGV => 10,
        bindings::SIGBUS => 5,
        bindings::SIGSYS => 2,
        _ => 6,
    };
    match code {
        SI_KERNEL | SI_ASYNCNL => true,
        1.. => code <= limit,
        _ => code >= SI_DETHREAD,
    }
}

/// Codes that are known below 0 (`include/uapi/asm-generic/siginfo.h`).
const SI_DETHREAD: i32 = -7;
const SI_ASYNCNL: i32 = -60;

/// rt_sigqueueinfo(2)
pub(super) fn process(member: &Member, own: &Own, args: &[u64; 6]) -> i64 {
    let (nr, signal) = (args[0] as i32, args[1] as i32);
    let queue = || -> Outcome<i32> {
        let info = Info::read(args[2], signal)?;
        if is_reserved(info.code()) && nr != own.pid.nr() {
            return Err(Reason::SignalCode.into());
        }
        killing::to_one(member, nr, signal, By::Queue(&info))?;
        Ok(0)
    };
    result(queue())
}

/// rt_tgsigqueueinfo(2)
pub(super) fn thread(member: &Member, own: &Own, args: &[u64; 6]) -> i64 {
    let (tgid, tid, signal) = (args[0] as i32, args[1] as i32, args[2] as i32);
    let queue = || -> Outcome<i32> {
        let info = Info::read(args[3], signal)?;
        if tid <= 0 || tgid <= 0 {
            return Err(Reason::Range.into());
        }
        if is_reserved(info.code()) && tid != own.pid.nr() {
            return Err(Reason::SignalCode.into());
        }
        killing::to_thread(member, Some(tgid), tid, signal, By::Queue(&info))?;
        Ok(0)
    };
    result(queue())
}

/// pidfd_send_signal(2)
pub(super) fn by_pidfd(member: &Member, own: &Own, args: &[u64; 6]) -> i64 {
    result(send(member, own, args).map(|()| 0))
}

const THREAD: u32 = 1;
const THREAD_GROUP: u32 = 2;
const PROCESS_GROUP: u32 = 4;

fn send(member: &Member, own: &Own, args: &[u64; 6]) -> Outcome {
    const SELF_THREAD: i32 = -10000;
    const SELF_THREAD_GROUP: i32 = -10001;
    let (fd, signal, flags) = (args[0] as i32, args[1] as i32, args[3] as u32);
    if !matches!(flags, 0 | THREAD | THREAD_GROUP | PROCESS_GROUP) {
        return Err(Reason::Flags.into());
    }
    let self_as = |pid: &crate::pid::Pid, is_thread| Handle {
        pid: pid.into(),
        is_thread,
        is_nonblock: false,
    };
    let handle = match fd {
        SELF_THREAD => self_as(&own.pid, true),
        SELF_THREAD_GROUP => self_as(&member.tgid, false),
        _ => match pidfds::find(member, fd) {
            Descriptor::Handle(handle) => handle,
            Descriptor::Stranger => return Err(Reason::Invisible.into()),
            Descriptor::Other => pidfds::directory(member, fd)?,
        },
    };
    // access_pidfd_pidns()
    if !member.tgid.ns().is_ancestor_or_self(handle.pid.ns()) {
        return Err(Reason::Invisible.into());
    }
    let is_own = own.pid.is(&handle.pid) && flags != PROCESS_GROUP;
    let info = if args[2] == 0 {
        None
    } else {
        let mut signo = [0; 4];
        read_bytes(args[2], 0, &mut signo)?;
        let info = Info::read(args[2], signal)?;
        if i32::from_ne_bytes(signo) != signal {
            return Err(Reason::SignalInfo.into());
        }
        if !is_own && is_reserved(info.code()) {
            return Err(Reason::SignalCode.into());
        }
        Some(info)
    };
    let by = info.as_ref().map_or(By::Kill, By::Queue);
    match (flags, handle.is_thread) {
        (PROCESS_GROUP, _) => many::to_group(member, &handle.pid, signal, by),
        (THREAD, _) | (0, true) => killing::to_task(member, &handle.pid, signal, by),
        // One on a thread is for the process of that.
        _ => killing::to_process(member, &handle.pid, signal, by),
    }
}
