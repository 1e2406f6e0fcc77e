// SPDX-License-Identifier: GPL-2.0

//! wait4(2) and waitid(2): finding a child, reporting it, and reaping it.
//!
//! `kernel/exit.c`: `kernel_wait4()`, `kernel_waitid_prepare()`, `do_wait()`, `eligible_child()`,
//! `wait_consider_task()`.
//!
//! # Locks
//!
//! Under the tree lock, which is released to sleep.

mod report;

pub(crate) use self::report::Report;

use crate::{
    base::slots::Idx,
    native::usage::Usage,
    pid::{find_pid, Pid},
    reason::{Outcome, Reason},
    tree::call::Call,
    tree::group::{Group, JobReport, Parent},
    tree::handles::PidfdId,
    tree::pending::{
        CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, SIGCHLD, SIGCONT,
    },
    tree::task::{Task, TaskId},
    tree::wakeups::Key,
    tree::{News, Tree},
    world::sleep::FOR_EVER,
    world::work::is_killed,
    world::World,
};
use kernel::{prelude::*, sync::aref::ARef, task::might_sleep};

/// Options of wait4(2) and waitid(2) (`include/uapi/linux/wait.h`).
pub(crate) const WNOHANG: u32 = 0x1;
pub(crate) const WUNTRACED: u32 = 0x2;
pub(crate) const WSTOPPED: u32 = WUNTRACED;
pub(crate) const WEXITED: u32 = 0x4;
pub(crate) const WCONTINUED: u32 = 0x8;
pub(crate) const WNOWAIT: u32 = 0x0100_0000;
pub(crate) const WNOTHREAD: u32 = 0x2000_0000;
pub(crate) const WALL: u32 = 0x4000_0000;
pub(crate) const WCLONE: u32 = 0x8000_0000;

/// The kinds of ids of waitid(2) (`include/uapi/linux/wait.h`).
pub(crate) const P_ALL: u32 = 0;
pub(crate) const P_PID: u32 = 1;
pub(crate) const P_PGID: u32 = 2;
pub(crate) const P_PIDFD: u32 = 3;

/// The arguments of a wait, as the caller gives them.
#[derive(Clone)]
pub(crate) enum Wanted {
    /// wait4(2): pid and options.
    Wait4(i32, u32),
    /// waitid(2): the kind of the id, the id, options.
    WaitId(u32, i32, u32),
    /// waitid(2) with `P_PIDFD`: the handle's id, options.
    Pidfd(PidfdId, u32),
    /// Likewise, of a member: whom its own pidfd is on, and whether that has `PIDFD_NONBLOCK`.
    Process(ARef<Pid>, bool, u32),
}

/// Whether these are options that waitid(2) takes.
pub(crate) fn are_waitid_options(options: u32) -> bool {
    options & !(EVERY | WEXITED | WNOWAIT) == 0 && options & (WEXITED | WSTOPPED | WCONTINUED) != 0
}

/// Options of wait4(2).
const EVERY: u32 = WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE;

impl Wanted {
    /// The options.
    pub(crate) fn options(&self) -> u32 {
        match *self {
            Wanted::Wait4(_, options)
            | Wanted::WaitId(_, _, options)
            | Wanted::Pidfd(_, options)
            | Wanted::Process(_, _, options) => options,
        }
    }
}

/// Which children are waited for, looked up once when the call begins (`struct wait_opts`).
pub(crate) struct Selection {
    options: u32,
    which: Which,
    /// Without a child to report the result is `EAGAIN`, as the handle is `PIDFD_NONBLOCK`.
    is_nonblock: bool,
}

enum Which {
    Any,
    /// The process with this pid; `None` matches no process.
    Process(Option<ARef<Pid>>),
    /// The processes of this process group.
    ProcessGroup(Option<ARef<Pid>>),
}

/// The result of a search among the children.
pub(crate) enum Look {
    /// A child, which is reported and if need be reaped.
    Found(Report),
    /// There are children that the wait is for, but none of them has news yet.
    Nothing,
    /// More children than can be looked at in one hold of the lock.
    More,
    /// The waiter itself is stopped, and does not search.
    Asleep,
}

/// How far a search among the children has come.
#[derive(Default)]
pub(crate) struct Search {
    /// The thread whose children are being searched, and the next child.
    at: Option<(Idx<Task>, Option<Idx<Group>>)>,
    /// [`Tree::family_of`] when the search began.
    family: u32,
    /// There is a child that the wait is for.
    expected: bool,
    /// The resource usage of the child that was found, if it is a dead member.
    usage: Option<Usage>,
}

impl Search {
    /// The resource usage of the child that was found: none if it is virtual, or lives.
    pub(crate) fn usage(&self) -> Usage {
        self.usage.unwrap_or_default()
    }
}

impl Selection {
    /// Whether it only asks (`WNOHANG`).
    pub(crate) fn only_asks(&self) -> bool {
        self.options & WNOHANG != 0
    }

    /// Whether it is asked by a handle with `PIDFD_NONBLOCK`.
    pub(crate) fn is_nonblock(&self) -> bool {
        self.is_nonblock
    }

    /// Whether it is for a child of this kind, in this process group (`eligible_child()`).
    fn takes(&self, child: &Group) -> bool {
        if let Which::ProcessGroup(pid) = &self.which {
            if !pid.as_deref().is_some_and(|pid| pid.is(child.pgid())) {
                return false;
            }
        }
        let clone = self.options & WCLONE != 0;
        self.options & WALL != 0 || (child.exit_signal() != SIGCHLD) == clone
    }

    /// The kinds of news that the options ask for.
    fn news(&self) -> impl Iterator<Item = News> {
        let kinds = [
            (WEXITED, News::Death),
            (WSTOPPED, News::Stop),
            (WCONTINUED, News::Continue),
        ];
        let options = self.options;
        let wanted = move |&(option, _): &(u32, News)| options & option != 0;
        kinds.into_iter().filter(wanted).map(|(_, news)| news)
    }

    /// Wakes `waiter`, a thread of `group`, for the children that it waits for (`pid_child_should_wake()`).
    pub(crate) fn key(&self, waiter: Idx<Task>, group: Idx<Group>) -> Key {
        let mut key = Key::children(group);
        if self.options & WNOTHREAD != 0 {
            key = key.of_parent(waiter);
        }
        match &self.which {
            Which::Process(Some(pid)) => key.of_process(pid),
            Which::ProcessGroup(Some(pid)) => key.of_process_group(pid),
            _ => key,
        }
    }
}

impl World {
    /// A task waits for a child. Sleeps unless `WNOHANG` is among the options; `None` then says
    /// that there is no child to report yet.
    ///
    /// # Errors
    ///
    /// As [`World::act`]; `EINVAL`, `ECHILD`, `ESRCH` as in `struct altpid_wait` and `struct
    /// altpid_waitid`; `EINTR` when a signal ends the sleep: one for the calling thread, or one that the
    /// task has a handler for without `SA_RESTART`.
    #[doc(alias = "do_wait")]
    pub(crate) fn wait(&self, task: TaskId, wanted: Wanted) -> Outcome<Option<Report>> {
        // Declared first: the lock is released before the call ends.
        let mut call = None;
        let (mut tree, mut waiter) = self.act(task)?;
        let mut selection = tree.select(waiter, &wanted)?;
        let mut interruptions = tree.interruptions(waiter);
        let interrupts = tree.tasks()[waiter].interrupts();
        let mut search = Search::default();
        let mut is_stopped = false;
        // The family counter when there was no child to report: that holds until it moves.
        let mut nothing_at = None;
        loop {
            let family = tree.family_of(tree.tasks()[waiter].group());
            let look = match is_stopped {
                true => Look::Asleep,
                false if nothing_at == Some(family) => Look::Nothing,
                false => tree.look(waiter, &selection, &mut search)?,
            };
            nothing_at = matches!(look, Look::Nothing).then_some(family);
            match look {
                Look::Found(report) => return Ok(Some(report)),
                Look::Nothing if selection.options & WNOHANG != 0 => return Ok(None),
                Look::Nothing if selection.is_nonblock => return Err(EAGAIN.into()),
                Look::Nothing if tree.tasks()[waiter].interrupts() != interrupts => {
                    return Err(EINTR.into())
                }
                Look::More | Look::Nothing | Look::Asleep => {}
            }
            // A wait that takes one hold of the lock needs no call.
            let call = &*call.get_or_insert_with(|| tree.begin_call(waiter, Call::Asleep));
            if matches!(look, Look::More) {
                tree.set_call(waiter, Call::Working);
                drop(tree);
                might_sleep();
                if is_killed() {
                    return Err(EINTR.into());
                }
            } else {
                tree.set_call(waiter, Call::Asleep);
                let children = selection.key(waiter, tree.tasks()[waiter].group());
                let keys = [children, Key::task(&tree, waiter)];
                tree.sleep(keys, FOR_EVER)?;
            }
            (tree, waiter) = call.go_on()?;
            is_stopped = tree.is_stopped(waiter);
            // All handlers that were called have SA_RESTART, or a stop is over: the call is made anew
            // (ERESTARTSYS).
            let now = tree.interruptions(waiter);
            if !is_stopped
                && now != interruptions
                && tree.tasks()[waiter].interrupts() == interrupts
            {
                interruptions = now;
                selection = tree.select(waiter, &wanted)?;
                search = Search::default();
                nothing_at = None;
            }
        }
    }
}

impl Tree {
    /// Reads the arguments of a wait, as `task` means them.
    ///
    /// # Errors
    ///
    /// `EINVAL` for unknown options and, of waitid(2), for none of what it can tell and an id out of
    /// range; `ESRCH` for `INT_MIN` of wait4(2).
    pub(crate) fn select(&self, task: Idx<Task>, wanted: &Wanted) -> Outcome<Selection> {
        let ns = self.tasks()[task].ns();
        let own_group = || Which::ProcessGroup(Some(self.group_of(task).pgid().clone()));
        let mut is_nonblock = false;
        let (options, which) = match *wanted {
            Wanted::Wait4(_, options) if options & !EVERY != 0 => {
                return Err(Reason::Options.into())
            }
            Wanted::Wait4(i32::MIN, _) => return Err(Reason::NoNumber.into()),
            Wanted::Wait4(pid, options) => {
                let which = match pid {
                    -1 => Which::Any,
                    0 => own_group(),
                    ..=-2 => Which::ProcessGroup(find_pid(ns, -pid)),
                    1.. => Which::Process(find_pid(ns, pid)),
                };
                (options | WEXITED, which)
            }
            Wanted::WaitId(_, _, options)
            | Wanted::Pidfd(_, options)
            | Wanted::Process(_, _, options)
                if !are_waitid_options(options) =>
            {
                return Err(Reason::Options.into());
            }
            Wanted::Pidfd(pidfd, options) => {
                let pidfd = &self.pidfds()[self.find_pidfd(pidfd)?];
                is_nonblock = pidfd.is_nonblock();
                (options, Which::Process(Some(pidfd.pid().clone())))
            }
            Wanted::Process(ref pid, nonblock, options) => {
                is_nonblock = nonblock;
                (options, Which::Process(Some(pid.clone())))
            }
            Wanted::WaitId(kind, id, options) => {
                let which = match (kind, id) {
                    (P_ALL, _) => Which::Any,
                    (P_PID, 1..) => Which::Process(find_pid(ns, id)),
                    (P_PGID, 0) => own_group(),
                    (P_PGID, 1..) => Which::ProcessGroup(find_pid(ns, id)),
                    _ => return Err(Reason::Range.into()),
                };
                (options, which)
            }
        };
        Ok(Selection {
            options,
            which,
            is_nonblock,
        })
    }

    /// Searches the children of `task` and of the other threads of its group, and reports the first one that has
    /// news.
    ///
    /// The result is true of one moment, as natively, where the search is one hold of `tasklist_lock`. Here
    /// children without news are not looked at ([`News`]), and a search among many is done in parts: it begins again
    /// if the children of the process have changed between two parts ([`Tree::family_of`]).
    ///
    /// # Errors
    ///
    /// `ECHILD` when there is no child that is waited for.
    pub(crate) fn look(
        &mut self,
        task: Idx<Task>,
        selection: &Selection,
        search: &mut Search,
    ) -> Outcome<Look> {
        if let Which::Process(pid) = &selection.which {
            search.expected = false;
            let child = pid.as_deref().and_then(|pid| self.leader_of(pid));
            let child = child.filter(|&child| self.is_child(child, task, selection));
            return match child.and_then(|c| self.consider(task, c, selection, search)) {
                Some(report) => Ok(Look::Found(report)),
                None if search.expected => Ok(Look::Nothing),
                None => Err(Reason::NoChild.into()),
            };
        }
        let family = self.family_of(self.tasks()[task].group());
        if search.family != family {
            search.at = None;
        }
        // The waiter's own children come first, then those of the next threads, and round.
        let (mut thread, mut next_child) = search.at.take().unwrap_or_else(|| {
            search.expected = false;
            (task, self.tasks()[task].children().first())
        });
        loop {
            if self.is_spent() {
                search.at = Some((thread, next_child));
                search.family = family;
                return Ok(Look::More);
            }
            if let Some(child) = next_child {
                let report = self.consider(task, child, selection, search);
                if let Some(report) = report {
                    return Ok(Look::Found(report));
                }
                next_child = self.next_child(thread, child);
                if search.expected {
                    let kinds = selection.news();
                    next_child = next_child.and_then(|next| self.first_news(thread, next, kinds));
                }
                continue;
            }
            thread = self.next_thread(thread);
            if thread != task && selection.options & WNOTHREAD == 0 {
                next_child = self.tasks()[thread].children().first();
            } else if search.expected {
                return Ok(Look::Nothing);
            } else {
                return Err(Reason::NoChild.into());
            }
        }
    }

    /// Reports a child, if it has news that the wait asks for. Sets [`Search::expected`] when it may have news later
    /// (`wait_consider_task()`).
    fn consider(
        &mut self,
        waiter: Idx<Task>,
        child: Idx<Group>,
        selection: &Selection,
        search: &mut Search,
    ) -> Option<Report> {
        let group = &self.groups()[child];
        if !selection.takes(group) {
            return None;
        }
        let report = |code, status| Report {
            child: (group.leader()).map_or(TaskId::NOTHING, |leader| self.tasks().id(leader)),
            pid: group.tgid().nr_ns(self.tasks()[waiter].ns()),
            code,
            status,
            uid: self.uid_of(child),
        };
        let keep = selection.options & WNOWAIT != 0;
        if self.is_dead(child) && self.is_leader_held(child) {
            // EXIT_TRACE: its tracer comes first.
            search.expected = true;
            return None;
        }
        if self.is_dead(child) {
            // A dead one that is not asked for is nothing to wait for either.
            if selection.options & WEXITED == 0 {
                return None;
            }
            let status = group.exit_status().unwrap_or(0);
            let report = match status & 0x7f {
                0 => report(CLD_EXITED, status >> 8),
                signal if status & 0x80 != 0 => report(CLD_DUMPED, signal),
                signal => report(CLD_KILLED, signal),
            };
            // Most children are virtual, and have used nothing.
            if self.is_member(child) {
                search.usage = self.usage_of(child);
            }
            if !keep {
                self.release_leader(child);
            }
            return Some(report);
        }
        search.expected = true;
        let job = group.job().to_report();
        let report = match job.filter(|_| !self.is_callers_tracee(child)) {
            Some(JobReport::Stopped(signal)) if selection.options & WSTOPPED != 0 => {
                report(CLD_STOPPED, signal.into())
            }
            Some(JobReport::Continued) if selection.options & WCONTINUED != 0 => {
                report(CLD_CONTINUED, SIGCONT)
            }
            _ => return None,
        };
        if !keep {
            self.note_job_reported(child);
        }
        Some(report)
    }

    fn is_child(&self, child: Idx<Group>, task: Idx<Task>, selection: &Selection) -> bool {
        let Parent::Task(parent) = self.groups()[child].parent() else {
            return false;
        };
        if selection.options & WNOTHREAD != 0 {
            parent == task
        } else {
            self.tasks()[parent].group() == self.tasks()[task].group()
        }
    }
}
