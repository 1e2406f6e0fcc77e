// SPDX-License-Identifier: GPL-2.0

//! wait4(2) and waitid(2) by a member.
//!
//! A wait that has to sleep does so natively, in a call that does nothing, and is woken by task work when
//! something has happened to its children; on its way out it looks again. If there is still nothing it
//! was a signal, and the wait is restarted or interrupted as natively.
//!
//! A member that traces others sleeps in the kernel's own wait for these, which tells their stops and deaths
//! (`kernel/exit.c`: `ptrace_do_wait()`). The kernel finds nobody else there: without `__WALL` and `__WCLONE` a body is
//! nobody's child, as it sends no signal when it exits.
//!
//! # Locks
//!
//! The tree lock, to look.

mod tracees;

use super::{
    calls::{set_args, ERESTARTSYS},
    lending::Loan,
    member::{Member, Own},
    pidfds::{self, Descriptor},
    user::write_word,
};
use crate::{
    native::{self, usage::Usage},
    process::wait::{
        are_waitid_options, Look, Report, Search, Wanted, P_PIDFD, WCONTINUED, WNOHANG, WNOWAIT,
        WSTOPPED,
    },
    reason::Outcome,
    tree::{pending::SIGCHLD, wakeups::Key},
    world::{sleep::pause, work::is_killed},
};
use kernel::{
    bindings,
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
    /// Where the kernel, which looks for tracees, writes what it finds.
    lent: Option<Loan>,
}

/// Where a `siginfo_t` has the number of a child.
const PID: usize = 16;

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
    regs: &mut bindings::pt_regs,
    is_wait4: bool,
    args: &[u64; 6],
) -> Result<i64, Waiting> {
    let mut waiting = if is_wait4 {
        Waiting {
            wanted: Wanted::Wait4(args[0] as i32, args[2] as u32),
            to: args[1],
            is_wait4,
            rusage: args[3],
            lent: None,
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
            lent: None,
        }
    };
    let seen = look_for_jobs(member, own, &waiting);
    let has_no_news = match &seen {
        Ok(Seen::Child(..)) => false,
        Ok(_) => true,
        Err(failure) => matches!(failure.error(), error if error == ECHILD || error == EAGAIN),
    };
    if has_no_news && member.world.has_tracing() {
        match waiting.ask_kernel(member, own, regs, args) {
            Ok(true) => return Err(waiting),
            Ok(false) => {}
            Err(error) => {
                take_bell(member, own);
                return Ok(error.to_errno().into());
            }
        }
    }
    match seen {
        Ok(Seen::Child(report, usage)) => Ok(waiting.give(Some(report), usage)),
        Ok(Seen::Nothing) => Ok(waiting.give(None, Usage::default())),
        Ok(Seen::Hung) => {
            // ppoll(NULL, 0, NULL, NULL, 0): sleeps until there is a signal.
            regs.orig_ax = 271;
            set_args(regs, &[0; 6]);
            Err(waiting)
        }
        Err(failure) => {
            take_bell(member, own);
            Ok(failure.error().to_errno().into())
        }
    }
}

/// A member has slept: its result.
pub(super) fn end(
    member: &Member,
    own: &mut Own,
    mut waiting: Waiting,
    args: &[u64; 6],
    result: i64,
) -> i64 {
    take_bell(member, own);
    let (mut has_asked, mut has_none) = (false, true);
    if let Some(lent) = waiting.lent.take() {
        let told = lent.end(false);
        let nr = waiting.told_nr(result, told.as_ref().ok());
        has_none = result == i64::from(ECHILD.to_errno());
        // Who is gone is not asked of what the kernel has told: another thread may have written over that, and if there
        // is no place for what a tracee has used the kernel has waited for it and fails.
        let gone = match has_none || result == ERESTARTSYS {
            true => None,
            false => member.world.let_gone_go(member.id, nr),
        };
        let told = match told {
            Ok(told) => told,
            Err(error) => return error.to_errno().into(),
        };
        has_asked = true;
        if !has_none && result != ERESTARTSYS {
            return waiting.pass_on(member, result, &told, nr, gone);
        }
    }
    let only_asks = waiting.wanted.options() & WNOHANG != 0;
    match look(member, own, &waiting, false) {
        Ok(Seen::Child(report, usage)) => waiting.give(Some(report), usage),
        Ok(Seen::Nothing | Seen::Hung) if only_asks => waiting.give(None, Usage::default()),
        Ok(Seen::Nothing | Seen::Hung) => {
            if has_asked && has_none {
                // The last tracee has gone, or it cannot tell what is wanted: it sleeps as one without.
                own.no_tracees = Some(hint(args));
                member.wake_self();
            }
            ERESTARTSYS
        }
        Err(failure) if !has_none && failure.error() == ECHILD => ERESTARTSYS,
        Err(failure) => failure.error().to_errno().into(),
    }
}

/// A first look. The kernel tells a parent of a stop before the tree knows it; a wait that does not sleep finds it
/// all the same.
fn look_for_jobs(member: &Member, own: &mut Own, waiting: &Waiting) -> Outcome<Seen> {
    /// Jiffies: what is told is taken over in a few.
    const MOST: u32 = 250;
    let asks_for_jobs = waiting.wanted.options() & (WSTOPPED | WCONTINUED) != 0;
    for _ in 0..MOST {
        // Before it looks: what was taken over by then is found.
        let is_to_come = asks_for_jobs && member.world.has_untaken_jobs();
        let seen = look(member, own, waiting, true);
        if !is_to_come || !matches!(seen, Ok(Seen::Nothing)) || is_killed() {
            return seen;
        }
        pause();
    }
    look(member, own, waiting, true)
}

/// What makes a wait with these arguments another one.
fn hint(args: &[u64; 6]) -> [u64; 4] {
    [args[0], args[1], args[2], args[3]]
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
        let looked = tree.look(task, &selection, &mut search);
        // The kernel may still have tracees to wait for, and meanwhile another thread may have a child.
        let is_childless = matches!(&looked, Err(failure) if failure.error() == ECHILD);
        if is_childless && may_sleep && !selection.only_asks() && member.world.has_tracing() {
            let group = tree.tasks()[task].group();
            let keys = [selection.key(task, group), Key::task(&tree, task)];
            // SAFETY: The bell hangs nowhere, and the calling thread takes it down.
            unsafe { tree.hang_bell(&member.bell, keys) };
            own.is_hung = true;
        }
        match looked? {
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
