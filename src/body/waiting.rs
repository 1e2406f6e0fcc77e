// SPDX-License-Identifier: GPL-2.0

//! wait4(2) and waitid(2) by a member.
//!
//! A wait that has to sleep does so natively, in a call that does nothing, and is woken by task work when
//! something has happened to its children; on its way out it looks again. If there is still nothing it
//! was a signal, and the wait is restarted or interrupted as natively.
//!
//! # Locks
//!
//! The tree lock, to look.

use super::{
    calls::ERESTARTSYS,
    member::{Member, Own},
    pidfds::{self, Descriptor},
    user::write_word,
};
use crate::{
    native::{self, usage::Usage},
    process::wait::{are_waitid_options, Look, Report, Search, Wanted, P_PIDFD, WNOWAIT},
    reason::Outcome,
    tree::{pending::SIGCHLD, wakeups::Key},
    world::work::is_killed,
};
use kernel::{
    prelude::*,
    task::might_sleep,
    uaccess::{UserPtr, UserSlice},
};
use zerocopy::IntoBytes;

/// A wait, with where its results go.
pub(super) struct Waiting {
    wanted: Wanted,
    /// wait4: the status; waitid: the siginfo.
    to: u64,
    is_wait4: bool,
    rusage: u64,
}

/// What came of a look.
enum Seen {
    /// A child, and what it has used.
    Child(Report, Usage),
    Nothing,
    /// Nothing, and the bell hangs.
    Hung,
}

/// A member waits: the result, or what is to be done behind a sleep.
pub(super) fn begin(
    member: &Member,
    own: &mut Own,
    is_wait4: bool,
    args: &[u64; 6],
) -> Result<i64, Waiting> {
    let waiting = if is_wait4 {
        Waiting {
            wanted: Wanted::Wait4(args[0] as i32, args[2] as u32),
            to: args[1],
            is_wait4,
            rusage: args[3],
        }
    } else {
        let options = args[3] as u32;
        let wanted = match (args[0] as u32, args[1] as i32) {
            (P_PIDFD, _) if !are_waitid_options(options) => return Ok(EINVAL.to_errno().into()),
            (P_PIDFD, fd @ 0..) => match pidfds::find(member, fd) {
                Descriptor::Handle(on) => Wanted::Process(on.pid, on.is_nonblock, options),
                // It is nobody's child here.
                Descriptor::Stranger => return Ok(ECHILD.to_errno().into()),
                Descriptor::Other => return Ok(EBADF.to_errno().into()),
            },
            (P_PIDFD, _) => return Ok(EINVAL.to_errno().into()),
            (which, id) => Wanted::WaitId(which, id, options),
        };
        Waiting {
            wanted,
            to: args[2],
            is_wait4,
            rusage: args[4],
        }
    };
    match look(member, own, &waiting, true) {
        Ok(Seen::Child(report, usage)) => Ok(waiting.give(Some(report), usage)),
        Ok(Seen::Nothing) => Ok(waiting.give(None, Usage::default())),
        Ok(Seen::Hung) => Err(waiting),
        Err(failure) => Ok(failure.error().to_errno().into()),
    }
}

/// A member has slept: its result.
pub(super) fn end(member: &Member, own: &mut Own, waiting: &Waiting) -> i64 {
    take_bell(member, own);
    match look(member, own, waiting, false) {
        Ok(Seen::Child(report, usage)) => waiting.give(Some(report), usage),
        Ok(Seen::Nothing | Seen::Hung) => ERESTARTSYS,
        Err(failure) => failure.error().to_errno().into(),
    }
}

/// The bell of a member does not hang any more.
pub(super) fn take_bell(member: &Member, own: &mut Own) {
    if core::mem::take(&mut own.is_hung) {
        // SAFETY: It hangs, and the calling thread has hung it.
        unsafe { member.world.take_bell(&member.bell) };
    }
}

/// Looks at the children, and if there is nothing yet and it `may_sleep` hangs the bell.
fn look(member: &Member, own: &mut Own, waiting: &Waiting, may_sleep: bool) -> Outcome<Seen> {
    let mut search = Search::default();
    loop {
        let mut tree = member.world.work();
        let task = tree.find_member(member.id)?;
        let selection = tree.select(task, &waiting.wanted)?;
        match tree.look(task, &selection, &mut search)? {
            Look::Found(report) => return Ok(Seen::Child(report, search.usage())),
            Look::Nothing | Look::Asleep if selection.only_asks() => return Ok(Seen::Nothing),
            Look::Nothing if selection.is_nonblock() => return Err(EAGAIN.into()),
            Look::Nothing | Look::Asleep if !may_sleep => return Ok(Seen::Nothing),
            Look::Nothing | Look::Asleep => {
                let group = tree.tasks()[task].group();
                let keys = [selection.key(task, group), Key::task(&tree, task)];
                // SAFETY: The bell hangs nowhere, and the calling thread takes it down.
                unsafe { tree.hang_bell(&member.bell, keys) };
                own.is_hung = true;
                return Ok(Seen::Hung);
            }
            Look::More => {}
        }
        drop(tree);
        might_sleep();
        if is_killed() {
            return Err(EINTR.into());
        }
    }
}

impl Waiting {
    /// Gives the caller what there is, and what the child has used; returns the result.
    fn give(&self, report: Option<Report>, usage: Usage) -> i64 {
        if let Some(report) = &report {
            self.take_usage(report, &usage);
        }
        let written = if self.is_wait4 {
            self.give_status(report)
        } else {
            self.give_info(report)
        };
        let written = written.and_then(|()| self.give_usage(report.is_some(), &usage));
        match (written, report) {
            (Err(error), _) => error.to_errno().into(),
            (Ok(()), Some(report)) if self.is_wait4 => report.pid.into(),
            (Ok(()), _) => 0,
        }
    }

    fn give_status(&self, report: Option<Report>) -> Result {
        match report {
            Some(report) if self.to != 0 => write_word(self.to, report.word()),
            _ => Ok(()),
        }
    }

    /// A child that is reaped has used something, which counts for the waiter from now on.
    fn take_usage(&self, report: &Report, usage: &Usage) {
        let options = self.wanted.options();
        if report.is_end() && options & WNOWAIT == 0 {
            usage.add_to_own();
        }
    }

    /// What a dead child has used; zeroes for one that lives.
    fn give_usage(&self, is_child: bool, usage: &Usage) -> Result {
        if !is_child || self.rusage == 0 {
            return Ok(());
        }
        let words = usage.words();
        let user = UserPtr::from_addr(self.rusage as usize);
        UserSlice::new(user, size_of_val(&words))
            .writer()
            .write_slice(words.as_bytes())
    }

    fn give_info(&self, report: Option<Report>) -> Result {
        if self.to == 0 {
            return Ok(());
        }
        // si_signo, si_errno, si_code, padding, si_pid, si_uid, si_status
        let mut info = [0i32; 7];
        if let Some(report) = report {
            info = [
                SIGCHLD,
                0,
                report.code,
                0,
                report.pid,
                native::uid_here(report.uid) as i32,
                report.status,
            ];
        }
        for (index, value) in info.iter().enumerate() {
            // The padding is not written.
            if index != 3 {
                write_word(self.to.wrapping_add(4 * index as u64), *value)?;
            }
        }
        Ok(())
    }
}
