// SPDX-License-Identifier: GPL-2.0

//! Rules about pidfds: pidfd_open(2), what they are good for, and what they tell.

use super::{Rule, rule};
use crate::{
    event::Event,
    flags::{AUTOREAP, PIDFD, PIDFD_AUTOKILL, THREAD},
    op::{Answer, Call, Name, Whom},
    twin::{Held, Seen, Told},
};
use altpid::{PidfdFlags, PollFlags, Scope, TaskState};
use libc::{EAGAIN, ECHILD, EINVAL, ENOENT, ESRCH};

/// The pidfd that an operation is about, as it was before.
fn held<'a>(e: &Event<'a>) -> Option<&'a Held> {
    e.before.handles.get(&e.op.handle()?)
}

/// Who a pidfd was for, if that one was not reaped.
fn target<'a>(e: &Event<'a>) -> Option<(Name, &'a Seen)> {
    let name = held(e)?.told.task?;
    Some((name, e.before.tasks.get(&name)?))
}

/// Whether it was a pidfd_open(2) with such flags and an outcome like this.
fn opened(e: &Event<'_>, error: i32, fits: impl Fn(PidfdFlags) -> bool) -> bool {
    matches!(e.op.call, Call::PidfdOpen(_, _, flags) if fits(flags)) && e.error() == error
}

/// Whether it was a signal by a pidfd.
fn is_sent(e: &Event<'_>) -> bool {
    matches!(e.op.call, Call::PidfdSendBy(..))
}

/// Whether a signal by a pidfd, with this scope, has reached a process.
fn sent(e: &Event<'_>, scope: Scope) -> bool {
    matches!(e.op.call, Call::PidfdSendBy(_, 1.., to) if to == scope) && e.is_ok()
}

/// Whether it was a waitid(2) by a pidfd.
fn is_awaited(e: &Event<'_>) -> bool {
    matches!(e.op.call, Call::WaitId(Whom::Pidfd(_), _))
}

/// What pidfds tell that have changed: before, and now.
fn changed<'a>(e: &Event<'a>) -> impl Iterator<Item = (&'a Held, &'a Told)> {
    let after = e.after;
    e.before
        .handles
        .iter()
        .filter_map(move |(handle, old)| Some((old, &after.handles.get(handle)?.told)))
        .filter(|(old, new)| old.told != **new)
}

/// The rules.
pub const RULES: &[Rule] = &[
    rule("pidfd: range", "pidfd_open of 0 or less is EINVAL", |e| {
        opened(e, EINVAL, |flags| flags.is_empty())
    }),
    rule(
        "pidfd: flags",
        "other flags of pidfd_open are EINVAL",
        |e| opened(e, EINVAL, |flags| !(flags - PidfdFlags::all()).is_empty()),
    ),
    rule(
        "pidfd: nobody",
        "pidfd_open of a free number is ESRCH",
        |e| opened(e, ESRCH, |_| true),
    ),
    rule(
        "pidfd: thread",
        "pidfd_open of a thread that does not lead is ENOENT",
        |e| opened(e, ENOENT, |flags| !flags.contains(PidfdFlags::THREAD)),
    ),
    rule("pidfd: PIDFD_THREAD", "unless it is asked for", |e| {
        opened(e, 0, |flags| flags.contains(PidfdFlags::THREAD))
            && e.op.makes().is_some_and(|handle| {
                let name = e.after.handles.get(&handle).and_then(|held| held.told.task);
                let seen = name.and_then(|name| e.after.tasks.get(&name));
                seen.is_some_and(|seen| !seen.is_leader())
            })
    }),
    rule("pidfd: zombie", "pidfd_open of a zombie", |e| {
        opened(e, 0, |_| true)
            && e.op.makes().is_some_and(|handle| {
                let held = e.after.handles.get(&handle);
                held.is_some_and(|held| held.told.events == PollFlags::IN)
            })
    }),
    rule("pidfd: CLONE_PIDFD", "a pidfd from birth", |e| {
        e.child().is_some() && e.op.makes().is_some()
    }),
    rule("pidfd: CLONE_THREAD", "a thread's pidfd from birth", |e| {
        let flags = e.wants().map(|(flags, _)| flags);
        e.child().is_some() && flags.is_some_and(|flags| flags & (PIDFD | THREAD) == PIDFD | THREAD)
    }),
    rule("pidfd: signal", "pidfd_send_signal to a process", |e| {
        sent(e, Scope::AsOpened) && held(e).is_some_and(|held| !held.is_thread)
    }),
    rule(
        "pidfd: signal, thread",
        "a signal by a thread's pidfd",
        |e| sent(e, Scope::AsOpened) && held(e).is_some_and(|held| held.is_thread),
    ),
    rule("pidfd: signal, THREAD", "PIDFD_SIGNAL_THREAD", |e| {
        sent(e, Scope::Thread)
    }),
    rule(
        "pidfd: signal, THREAD_GROUP",
        "PIDFD_SIGNAL_THREAD_GROUP",
        |e| sent(e, Scope::ThreadGroup),
    ),
    rule(
        "pidfd: signal, PROCESS_GROUP",
        "PIDFD_SIGNAL_PROCESS_GROUP",
        |e| sent(e, Scope::ProcessGroup),
    ),
    rule(
        "pidfd: signal, no group",
        "PIDFD_SIGNAL_PROCESS_GROUP by who leads none is ESRCH",
        |e| {
            matches!(e.op.call, Call::PidfdSendBy(_, _, Scope::ProcessGroup))
                && target(e).is_some()
                && e.error() == ESRCH
        },
    ),
    rule(
        "pidfd: signal, reaped",
        "pidfd_send_signal to who is reaped is ESRCH",
        |e| {
            is_sent(e) && held(e).is_some_and(|held| held.told.task.is_none()) && e.error() == ESRCH
        },
    ),
    rule(
        "pidfd: signal, outside",
        "pidfd_send_signal to who is not below is EINVAL",
        |e| is_sent(e) && target(e).is_some() && e.error() == EINVAL,
    ),
    rule(
        "pidfd: signal, init",
        "pidfd_send_signal of SIGKILL to init from inside has no effect",
        |e| {
            matches!(e.op.call, Call::PidfdSendBy(_, 9, _))
                && e.is_ok()
                && target(e).is_some_and(|(name, seen)| {
                    seen.task.is_reaper
                        && !e.is_above(seen)
                        && e.now(name) == Some(TaskState::Running)
                })
        },
    ),
    rule("pidfd: setns", "setns by a pidfd", |e| {
        matches!(e.op.call, Call::SetnsBy(_)) && e.is_ok()
    }),
    rule(
        "pidfd: setns up",
        "setns by a pidfd of above is EINVAL",
        |e| matches!(e.op.call, Call::SetnsBy(_)) && target(e).is_some() && e.error() == EINVAL,
    ),
    rule(
        "pidfd: setns, exited",
        "setns by a pidfd of who has exited is ESRCH",
        |e| matches!(e.op.call, Call::SetnsBy(_)) && e.error() == ESRCH,
    ),
    rule("pidfd: P_PIDFD", "waitid by a pidfd", |e| {
        is_awaited(e) && matches!(e.answer, Answer::Told(1.., ..))
    }),
    rule(
        "pidfd: P_PIDFD, no child",
        "waitid by the pidfd of who is no child is ECHILD",
        |e| is_awaited(e) && target(e).is_some() && e.error() == ECHILD,
    ),
    rule(
        "pidfd: P_PIDFD, reaped",
        "and by that of who is reaped",
        |e| is_awaited(e) && target(e).is_none() && e.error() == ECHILD,
    ),
    rule(
        "pidfd: PIDFD_NONBLOCK",
        "waitid by such a pidfd does not sleep: EAGAIN",
        |e| is_awaited(e) && e.error() == EAGAIN,
    ),
    rule("pidfd: exit", "poll says when a process has exited", |e| {
        changed(e).any(|(old, new)| old.told.events.is_empty() && new.events == PollFlags::IN)
    }),
    rule("pidfd: HUP", "and when it is reaped", |e| {
        changed(e).any(|(_, new)| new.events == PollFlags::IN | PollFlags::HUP)
    }),
    rule(
        "pidfd: exit code",
        "it tells how one ended that is reaped",
        |e| changed(e).any(|(_, new)| new.exit_code.is_some_and(|code| code > 0)),
    ),
    rule(
        "pidfd: exec",
        "after an exec by a thread the leader's pidfd is for that",
        |e| {
            e.op.call == Call::Exec
                && changed(e)
                    .any(|(old, new)| old.told.task != new.task && new.task == Some(e.op.by))
        },
    ),
    rule("pidfd: autoreap", "how one ended that vanishes", |e| {
        changed(e).any(|(old, new)| {
            let seen = old.told.task.and_then(|name| e.before.tasks.get(&name));
            seen.is_some_and(|seen| seen.task.is_autoreap) && new.exit_code.is_some()
        })
    }),
    rule(
        "pidfd: autokill",
        "the last close kills who was made so, even init",
        |e| {
            matches!(e.op.call, Call::Close(_))
                && e.is_ok()
                && e.died()
                    .any(|(_, seen)| seen.task.is_autoreap && seen.task.is_reaper)
        },
    ),
    rule(
        "pidfd: autokill, flags",
        "PIDFD_AUTOKILL without PIDFD or AUTOREAP, or of a thread, is EINVAL",
        |e| {
            super::clone_fails(e, EINVAL).is_some_and(|(flags, _)| {
                let needs = PIDFD | AUTOREAP;
                flags & PIDFD_AUTOKILL != 0 && (flags & needs != needs || flags & THREAD != 0)
            })
        },
    ),
];
