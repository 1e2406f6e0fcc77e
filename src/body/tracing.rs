// SPDX-License-Identifier: GPL-2.0

//! ptrace(2) by a member: it is the kernel's, on bodies.
//!
//! `kernel/ptrace.c`. The number of the tracee is translated, and the numbers in what the kernel tells of its stops.
//! Siginfo of signals has altpid's numbers already. Stops are told by wait(2), which looks natively for tracees
//! ([`waiting`](super::waiting)).
//!
//! # Locks
//!
//! The tree lock for moments, RCU, and the kernel's lock of a tracee's signals.

use super::{
    arguments::Entry,
    calls::Then,
    member::{self, Member, Own},
    numbers::{to_kernel, Kind},
    results::Back,
};
use crate::{
    base::sync::read_lock,
    native::{self, tracing, NativeNr},
    tree::{group::Parent, task::TaskId},
};
use kernel::prelude::*;

/// Requests (`include/uapi/linux/ptrace.h`, `arch/x86/include/uapi/asm/ptrace-abi.h`).
mod request {
    pub(super) const TRACEME: u64 = 0;
    pub(super) const CONT: u64 = 7;
    pub(super) const SINGLESTEP: u64 = 9;
    pub(super) const ATTACH: u64 = 16;
    pub(super) const DETACH: u64 = 17;
    pub(super) const SYSCALL: u64 = 24;
    pub(super) const SYSEMU: u64 = 31;
    pub(super) const SYSEMU_SINGLESTEP: u64 = 32;
    pub(super) const SINGLEBLOCK: u64 = 33;
    pub(super) const GETEVENTMSG: u64 = 0x4201;
    pub(super) const GETSIGINFO: u64 = 0x4202;
    pub(super) const SEIZE: u64 = 0x4206;
}

/// Events whose message is the number of a thread (`include/uapi/linux/ptrace.h`).
pub(super) fn has_number(event: Option<i32>) -> bool {
    // PTRACE_EVENT_FORK, VFORK, CLONE, EXEC, VFORK_DONE
    matches!(event, Some(1..=5))
}

/// Who traces whom behind a call.
pub(super) enum Began {
    /// The caller is traced by its parent.
    Traced,
    /// The caller traces somebody.
    Traces,
}

impl Began {
    /// The call has succeeded.
    pub(super) fn end(self, member: &Member, own: &Own) {
        match self {
            Began::Traces => member.world.traces(member.id),
            Began::Traced => {
                if !own.is_attached && is_traced_elsewhere(member) {
                    pr_warn!("the parent of a member that is traced has gone: it is killed\n");
                    native::kill_self();
                }
                member.world.is_traced_by_parent(member.id);
            }
        }
    }
}

/// Whether the tracer that `PTRACE_TRACEME` gives the caller, its native parent, is its parent in the world as well:
/// nobody else would wait for it.
fn may_be_traced(member: &Member, own: &Own) -> bool {
    let parent = native_parent();
    let tree = member.world.tree();
    let tgid = |id: TaskId| tree.tasks().find(id).map(|task| tree.tasks()[task].group());
    let Some(group) = tgid(member.id) else {
        return false;
    };
    match (tree.groups()[group].parent(), parent) {
        (Parent::Task(parent), Some(native)) => {
            tgid(native).is_some_and(|native| tree.tasks()[parent].group() == native)
        }
        // It has come from outside, where somebody waits for it.
        (Parent::Outside, None) => own.is_attached,
        _ => false,
    }
}

/// Whether the caller is traced by somebody who is not in its world.
fn is_traced_elsewhere(member: &Member) -> bool {
    let guard = read_lock();
    let tracer = tracing::own_tracer(&guard);
    let is_beside = |tracer: &Member| tracer.is_beside(member);
    !tracer.is_null() && !member::find(tracer, &guard).is_some_and(is_beside)
}

/// The task of the caller's native parent, if that is a member.
fn native_parent() -> Option<TaskId> {
    let guard = read_lock();
    member::find(tracing::own_parent(&guard), &guard).map(|parent| parent.id)
}

/// The task of the member that traces the caller, which exits.
pub(super) fn own_tracer(member: &Member) -> Option<TaskId> {
    let guard = read_lock();
    let tracer = tracing::own_tracer(&guard);
    if tracer.is_null() {
        return None;
    }
    let tracer = member::find(tracer, &guard)?;
    tracer.is_beside(member).then_some(tracer.id)
}

/// A member calls ptrace(2).
pub(super) fn begin(entry: &mut Entry<'_>) -> Result<Option<Then>> {
    let [request, _, _, data, ..] = entry.args;
    entry.member.world.note_tracing();
    if request == request::TRACEME {
        return match may_be_traced(entry.member, entry.own) {
            true => Ok(Some(Then::Trace(Began::Traced))),
            false => Err(EPERM),
        };
    }
    let nr = entry.args[1] as i32;
    let translated = entry.number(1, Kind::Task)?;
    let native = to_kernel(entry.member, entry.own, nr, Kind::Task);
    let native = NativeNr::from_kernel(native);
    match request {
        request::ATTACH | request::SEIZE => Ok(Some(Then::Trace(Began::Traces))),
        request::GETEVENTMSG => {
            let back = Back::Message(native, has_number(tracing::event_of(native)));
            entry.lend(3, &[0; 8], back)
        }
        request::GETSIGINFO => entry.lend(3, &[0; 128], Back::Signal(native)),
        request::CONT
        | request::SINGLESTEP
        | request::DETACH
        | request::SYSCALL
        | request::SYSEMU
        | request::SYSEMU_SINGLESTEP
        | request::SINGLEBLOCK
            if (1..=64).contains(&data) =>
        {
            let by_parent = request == request::DETACH;
            let from = sender(entry.member, nr, by_parent);
            tracing::give_signal(native, data as i32, from, by_parent);
            Ok(translated)
        }
        _ => Ok(translated),
    }
}

/// What a tracee, which the caller calls so, calls the sender of a signal that the caller gives it.
fn sender(member: &Member, nr: i32, by_parent: bool) -> i32 {
    let tree = member.world.tree();
    let find = || {
        let task = tree.numbered(tree.find(member.id).ok()?, nr).ok()?;
        let ns = tree.tasks()[task].ns();
        Some(match by_parent {
            true => tree.parent_nr(tree.tasks()[task].group(), ns),
            false => {
                let own = tree.tasks().find(member.id)?;
                tree.tasks()[own].pid().nr_ns(ns)
            }
        })
    };
    find().unwrap_or(0)
}

/// Puts altpid's number of a tracee into what is told of a stop of it, if it is the kernel that has put one in
/// (`ptrace_do_notify()`): what it calls itself.
pub(super) fn translate_signal(native: NativeNr, info: &mut [u8]) {
    use super::arguments::{int_at, set_int_at};
    const CODE: usize = 8;
    const PID: usize = 16;
    let (signal, code) = (int_at(info, 0), int_at(info, CODE));
    // SIGTRAP, with 0x80 of PTRACE_O_TRACESYSGOOD, and events.
    let is_stop = code & 0x7f == signal && (code >> 8 != 0 || matches!(code, 0x05 | 0x85));
    if code > 0 && is_stop && int_at(info, PID) == native.to_user() {
        let pid = super::known::by_number(native.to_user());
        let own = pid.map_or(0, |pid| pid.nr());
        set_int_at(info, PID, own);
    }
}
