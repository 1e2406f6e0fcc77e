// SPDX-License-Identifier: GPL-2.0

//! Waits of a member that traces others: the kernel waits for its tracees, and what it tells is passed on.
//!
//! `kernel/exit.c`: `ptrace_do_wait()`.
//!
//! # Locks
//!
//! The tree lock, to look.

use super::{hint, Waiting, PID};
use crate::{
    body::{
        arguments::int_at,
        calls::set_args,
        known,
        lending::{Loan, MOST},
        member::{Member, Own},
        numbers::{as_seen, to_kernel, Kind},
        user::write_word,
    },
    native::{self, usage::Usage, Native, NativeNr},
    pid::Pid,
    process::wait::{Wanted, P_ALL, P_PGID, P_PID, WALL, WCLONE, WNOHANG, WNOTHREAD},
};
use kernel::{bindings, prelude::*, sync::aref::ARef};

impl Waiting {
    /// Has the kernel wait for the caller's tracees, if there are some that the wait may be for.
    ///
    /// # Errors
    ///
    /// `EFAULT` where there is no stack, `ENOMEM`.
    pub(super) fn ask_kernel(
        &mut self,
        member: &Member,
        own: &mut Own,
        regs: &mut bindings::pt_regs,
        args: &[u64; 6],
    ) -> Result<bool> {
        let has_none = own.no_tracees.take() == Some(hint(args));
        let mut options = self.wanted.options();
        if has_none || !native::tracing::has_tracees(options & WNOTHREAD == 0) {
            return Ok(false);
        }
        let Some((which, nr)) = self.tracees(member, own) else {
            return Ok(false);
        };
        options &= !(WALL | WCLONE);
        if matches!(self.wanted, Wanted::Process(_, true, _)) {
            options |= WNOHANG;
        }
        own.given.note(nr);
        let zeroes = [0; MOST];
        let len = if self.is_wait4 { 4 } else { 28 };
        let lent = Loan::new(regs, &zeroes[..len])?;
        let (options, to) = (u64::from(options), lent.address());
        let args = if self.is_wait4 {
            let pid = match which {
                P_ALL => -1,
                P_PGID => -nr,
                _ => nr,
            };
            [pid as u64, to, options, self.rusage, 0, 0]
        } else {
            [which.into(), nr as u64, to, options, self.rusage, 0]
        };
        set_args(regs, &args);
        self.lent = Some(lent);
        Ok(true)
    }

    /// The tracees that the wait is for, as the kernel calls them; `None` if it is for one that is no tracee.
    fn tracees(&self, member: &Member, own: &Own) -> Option<(u32, i32)> {
        let one = |pid: &dyn Fn(&crate::tree::Tree) -> Option<_>| {
            let tree = member.world.tree();
            let task = pid(&tree)?;
            let native = tree.native_of_task(task)?;
            let is_one = native.is_there() && Native::is_callers_tracee(native);
            is_one.then(|| (P_PID, native.nr().to_user()))
        };
        let numbered = |nr: i32| one(&|tree| tree.numbered(tree.tasks().find(member.id)?, nr).ok());
        let group = |nr: i32| (P_PGID, to_kernel(member, own, nr, Kind::Group));
        match self.wanted {
            Wanted::Wait4(-1, _) | Wanted::WaitId(P_ALL, ..) => Some((P_ALL, 0)),
            Wanted::Wait4(nr @ 1.., _) | Wanted::WaitId(P_PID, nr, _) => numbered(nr),
            Wanted::Wait4(nr, _) => Some(group(nr.checked_neg()?)),
            Wanted::WaitId(P_PGID, nr, _) => Some(group(nr)),
            Wanted::Process(ref pid, ..) => one(&|tree| tree.task_of(pid)),
            Wanted::WaitId(..) | Wanted::Pidfd(..) => None,
        }
    }

    /// Whom the kernel has told something of; 0 for nobody.
    pub(super) fn told_nr(&self, result: i64, told: Option<&[u8; MOST]>) -> NativeNr {
        NativeNr::from_kernel(match told {
            _ if result < 0 => 0,
            _ if self.is_wait4 => result as i32,
            Some(told) => int_at(told, PID),
            None => 0,
        })
    }

    /// The kernel has told this of a tracee, whom the tree has called `gone` if that is gone, or has nothing to tell
    /// yet; or it fails.
    pub(super) fn pass_on(
        &self,
        member: &Member,
        result: i64,
        told: &[u8],
        nr: NativeNr,
        gone: Option<ARef<Pid>>,
    ) -> i64 {
        if result < 0 {
            return result;
        }
        let nr = nr.to_user();
        if nr == 0 {
            return match self.wanted {
                Wanted::Process(_, true, options) if options & WNOHANG == 0 => {
                    EAGAIN.to_errno().into()
                }
                _ => self.give(None, Usage::default()),
            };
        }
        let pid = gone.or_else(|| known::by_number(nr));
        let nr = pid.map_or(0, |pid| as_seen(member, &pid));
        let mut written = Ok(());
        for at in (0..if self.is_wait4 { 4 } else { 28 }).step_by(4) {
            let word = match at {
                // The padding is not written.
                12 => continue,
                PID => nr,
                _ => int_at(told, at),
            };
            if self.to != 0 && written.is_ok() {
                written = write_word(self.to.wrapping_add(at as u64), word);
            }
        }
        match written {
            Err(error) => error.to_errno().into(),
            Ok(()) if self.is_wait4 => nr.into(),
            Ok(()) => 0,
        }
    }

    /// The thread dies in it.
    pub(in super::super) fn abandon(self) {
        if let Some(lent) = self.lent {
            let _ = lent.end(false);
        }
    }
}
