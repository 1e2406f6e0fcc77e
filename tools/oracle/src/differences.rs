// SPDX-License-Identifier: GPL-2.0

//! In what altpid differs from the kernel on purpose, each with its reason.
//!
//! Each has a scenario in which it shows. It is performed with every run: one in which nothing
//! differs any more is an error.

use crate::{
    divergence::Divergence,
    kernel::Kernel,
    op::{Call, Name, Op},
    twin::{Seen, State},
};

/// One of them.
pub struct Difference {
    /// Its name.
    pub name: &'static str,
    /// What differs, and why.
    pub reason: &'static str,
    /// The kernel that differs; `None` for all of them.
    pub only: Option<Kernel>,
    /// Where it shows, in the last operation.
    pub scenario: &'static str,
    /// Whether it is what has diverged, in the operation after this state.
    is: fn(&Op, &State, &Divergence) -> bool,
}

/// All of them.
const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "init-second-thread",
        reason: "Linux kills the init of a pid namespace by a signal from inside that it has no handler \
        for, when the thread that is asked first blocks the signal and another one does not: \
        sig_ignored() looks at the one, complete_signal() takes the other and does not ask again. \
        In altpid a signal that init would not get never kills it, whichever thread takes it.",
        only: None,
        scenario: "\
t1 = clone a VM|SIGHAND|THREAD
t2 = clone a
sigprocmask a BLOCK TERM
kill t2 1 TERM
",
        is: init_second_thread,
    },
    Difference {
        name: "handlers-take-no-time",
        reason: "A virtual task runs no code: a handler is counted as called, and is over. A process can \
        be stopped, or meet its next signal, in the middle of one.",
        only: None,
        scenario: "\
t1 = clone a
setpgid t1 0 0
sigaction t1 CHLD HANDLER
t2 = clone t1
kill a -t1 STOP
",
        is: |_, _, divergence| divergence.in_handler,
    },
    Difference {
        name: "who-dies-first",
        reason: "Of a parent and a child that one operation kills, either may die first. When it is the \
        child, a parent that does not want to know of it lets it vanish; when it is the parent, \
        the child goes to somebody who does. It is the same with a child and an init that has its \
        parent's handlers, since SIGCHLD is ignored there as soon as the init dies. In altpid the one \
        that is met first dies first.",
        only: None,
        scenario: "\
t1 = clone a
sigaction t1 CHLD DFL NOCLDWAIT
t2 = clone t1
kill t2 0 TERM
",
        is: who_dies_first,
    },
    Difference {
        name: "last-thread-of-init",
        reason: "Of the threads of an init that is killed, the one that dies last takes the namespace \
        along. Any of them may be the last; in altpid it is the leader, if it was still alive.",
        only: None,
        scenario: "\
t1 = clone a NEWPID
t2 = clone t1 VM|SIGHAND|THREAD
t3 = clone a
setns t3 t1
t4 = clone t3
kill a t1 KILL
",
        is: last_thread_of_init,
    },
    Difference {
        name: "kill-to-above",
        reason: "In 7.2 a process that kill(2) reaches in a namespace above gets the number that the \
        sender has in its own namespace. Since 7.3, and in altpid, it gets the one that it sees \
        itself.",
        only: Some(Kernel::V7_2),
        scenario: "\
n = unshare a NEWPID
b = clone a
t = clone b VM|SIGHAND|THREAD
sigaction a TSTP HANDLER
kill t 0 TSTP
",
        is: kill_to_above,
    },
];

/// All of those of members, who have none of the others: it is the kernel that signals them.
const OF_MEMBERS: &[Difference] = &[Difference {
    name: "orphans-of-bodies",
    reason: "When a process exits the kernel's rule of orphaned process groups is applied to bodies as well,     whose native parents are others: that of an orphan is the one that the kernel has found. Stopped jobs of     its process group are sent SIGHUP and SIGCONT then, though they are controlled in the world; and SIGTSTP, \
    SIGTTIN and SIGTTOU do not stop an orphan that leads one of its own.",
    only: None,
    scenario: "\
t1 = clone a
t2 = clone a
setpgid a 0 0
t3 = clone t1
exit_group t1 0
kill a t3 STOP
exit_group t2 0
",
    is: orphans_of_bodies,
}];

/// Those of a kernel.
pub fn of(kernel: Kernel, with_members: bool) -> impl Iterator<Item = &'static Difference> {
    let is_there = move |only: Option<Kernel>| only.is_none_or(|only| only == kernel);
    let all = if with_members {
        OF_MEMBERS
    } else {
        DIFFERENCES
    };
    all.iter()
        .filter(move |difference| is_there(difference.only))
}

/// Notes in `divergence`, seen after `op` in the state `before`, which deliberate difference it is.
pub fn classify(
    divergence: &mut Divergence,
    kernel: Kernel,
    with_members: bool,
    op: &Op,
    before: &State,
) {
    let found = of(kernel, with_members).find(|difference| (difference.is)(op, before, divergence));
    divergence.deliberate = found.map(|difference| difference.name);
}

/// Whether a divergence is that of a task, in these words.
fn is_of(divergence: &Divergence, name: Name, what: &str) -> bool {
    divergence.what == format!("{name}: {what}")
}

/// Who has died together with its parent, or with an init that has the parent's handlers, is gone
/// natively, and a zombie in altpid.
fn who_dies_first(_: &Op, _: &State, divergence: &Divergence) -> bool {
    let mut orphans = divergence.orphans.iter();
    orphans.any(|name| is_of(divergence, *name, "gone, altpid Zombie"))
}

/// Who was stopped is so natively, and has been continued or killed in altpid when a member of its process
/// group died; or a stop signal of a terminal has stopped somebody natively only.
fn orphans_of_bodies(op: &Op, before: &State, divergence: &Divergence) -> bool {
    let signal = match op.call {
        Call::Kill(_, signal)
        | Call::Tgkill(_, _, signal)
        | Call::Tkill(_, signal)
        | Call::Queue(_, signal, ..)
        | Call::PidfdSend(_, signal)
        | Call::PidfdSendBy(_, signal, _) => signal,
        _ => 0,
    };
    if matches!(signal, libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) {
        let mut names = before.tasks.keys();
        return names.any(|name| is_of(divergence, *name, "state: T, altpid Running"));
    }
    let mut stopped = divergence.hung_up.iter();
    stopped.any(|name| {
        ["Running", "Zombie", "gone"]
            .iter()
            .any(|altpid| is_of(divergence, *name, &format!("state: T, altpid {altpid}")))
    })
}

/// The leader of an init is dead natively and another thread of it takes the namespace along; in
/// altpid the leader does so, and the thread is gone.
fn last_thread_of_init(_: &Op, before: &State, divergence: &Divergence) -> bool {
    before.tasks.iter().any(|(name, init)| {
        let is_thread = |other: &Name| {
            let thread = before.tasks.get(other);
            other != name && thread.is_some_and(|seen| seen.leader == *name)
        };
        is_of(divergence, *name, "state: Z, altpid Exiting")
            && init.is_alive()
            && init.task.tgid.last() == Some(&1)
            && divergence.late.iter().any(is_thread)
    })
}

/// What differs is only the number of the sender.
fn kill_to_above(_: &Op, _: &State, divergence: &Divergence) -> bool {
    let Some((native, altpid)) = divergence.signals else {
        return false;
    };
    let same = altpid::SigInfo {
        pid: native.pid,
        ..altpid
    };
    native == same && native.code == libc::SI_USER && divergence.is_untranslated
}

/// An init is dead natively that is alive in altpid, and its threads did not block the same
/// signals; or one of them has just changed that.
fn init_second_thread(op: &Op, before: &State, divergence: &Divergence) -> bool {
    divergence.dead.iter().any(|dead| {
        let Some(init) = before.tasks.get(dead) else {
            return false;
        };
        let threads: Vec<(&Name, &Seen)> = before
            .tasks
            .iter()
            .filter(|(_, seen)| seen.leader == init.leader)
            .collect();
        let blocked = |seen: &Seen| seen.signals.map(|signals| signals.blocked);
        let differ = threads
            .iter()
            .any(|(_, seen)| blocked(seen) != blocked(init));
        let changes = threads.iter().any(|(name, _)| **name == op.by);
        init.task.tgid.last() == Some(&1) && threads.len() > 1 && (differ || changes)
    })
}
