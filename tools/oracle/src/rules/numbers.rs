// SPDX-License-Identifier: GPL-2.0

//! Rules about numbers and namespaces: alloc_pid(), the sysctls, unshare and setns.

use super::{Rule, clone_fails, nursery_is, rule};
use crate::{flags::NEWPID, op::Call};
use altpid::NsState;
use libc::{EAGAIN, EEXIST, EINVAL, ENOMEM, ENOSPC};

/// The rules.
pub const RULES: &[Rule] = &[
    rule(
        "alloc: range",
        "set_tid below 1 or at pid_max is EINVAL",
        |e| {
            clone_fails(e, EINVAL).is_some_and(|(_, tids)| tids.first().is_some_and(|tid| *tid < 1))
        },
    ),
    rule(
        "alloc: in use",
        "set_tid of a number in use is EEXIST",
        |e| clone_fails(e, EEXIST).is_some() && nursery_is(e, NsState::Active),
    ),
    rule(
        "alloc: below 300",
        "set_tid may be below 300 after the numbers have gone beyond that",
        |e| {
            e.child().is_some()
                && e.wants()
                    .is_some_and(|(_, tids)| tids.first().is_some_and(|tid| *tid < 300))
                && e.nursery().is_some_and(|ns| ns.last_pid >= 300)
        },
    ),
    rule(
        "alloc: exclusive",
        "the highest number is pid_max - 1",
        |e| {
            e.child().is_some_and(|child| {
                let max = e.after.ns(child.task.ns).map(|ns| ns.pid_max - 1);
                child.task.pid.last().copied() == max
            })
        },
    ),
    rule("alloc: wrap", "numbers wrap to 300", |e| {
        e.wants().is_some_and(|(_, tids)| tids.is_empty())
            && e.child().is_some_and(|child| {
                let nr = child.task.pid.last().copied().unwrap_or(0);
                nr >= 300 && e.nursery().is_some_and(|ns| ns.last_pid >= nr)
            })
    }),
    rule("alloc: full", "no free number is EAGAIN", |e| {
        clone_fails(e, EAGAIN).is_some()
    }),
    rule(
        "alloc: outer limit",
        "a lower pid_max outside limits those inside",
        |e| clone_fails(e, EAGAIN).is_some() && e.nursery().is_some_and(|ns| ns.pid_max > 1000),
    ),
    rule(
        "alloc: pid 1 first",
        "the first process of a namespace has to be pid 1: EINVAL",
        |e| {
            clone_fails(e, EINVAL).is_some_and(|(_, tids)| tids.first().is_some_and(|tid| *tid > 1))
                && nursery_is(e, NsState::AwaitingInit)
        },
    ),
    rule("alloc: two levels", "set_tid of two levels", |e| {
        e.child().is_some() && e.wants().is_some_and(|(_, tids)| tids.len() == 2)
    }),
    rule("alloc: levels", "more numbers than levels is EINVAL", |e| {
        clone_fails(e, EINVAL).is_some_and(|(_, tids)| tids.len() > 32)
    }),
    rule(
        "alloc: dying",
        "set_tid=1 while init is dead and not reaped is EEXIST",
        |e| clone_fails(e, EEXIST).is_some() && nursery_is(e, NsState::Dying),
    ),
    rule(
        "alloc: no init",
        "a fork while init is dead and not reaped is ENOMEM",
        |e| clone_fails(e, ENOMEM).is_some() && nursery_is(e, NsState::Dying),
    ),
    rule(
        "alloc: dead",
        "a fork into a dead namespace is ENOMEM",
        |e| clone_fails(e, ENOMEM).is_some() && nursery_is(e, NsState::Dead),
    ),
    rule(
        "alloc: dead range",
        "set_tid=0 in a dead namespace is EINVAL",
        |e| {
            clone_fails(e, EINVAL).is_some_and(|(flags, tids)| flags == 0 && tids == [0])
                && nursery_is(e, NsState::Dead)
        },
    ),
    rule("sysctl: pid_max low", "pid_max 300 is EINVAL", |e| {
        e.op.call == Call::PidMax(300) && e.error() == EINVAL
    }),
    rule("sysctl: pid_max", "pid_max 301 is taken", |e| {
        e.op.call == Call::PidMax(301) && e.is_ok()
    }),
    rule(
        "sysctl: last_pid",
        "ns_last_pid takes pid_max itself",
        |e| {
            matches!(e.op.call, Call::LastPid(value)
            if e.is_ok() && e.before.ns(e.caller().task.ns).is_some_and(|ns| i64::from(ns.pid_max) == value))
        },
    ),
    rule(
        "sysctl: last_pid high",
        "ns_last_pid beyond pid_max is EINVAL",
        |e| matches!(e.op.call, Call::LastPid(1..)) && e.error() == EINVAL,
    ),
    rule("sysctl: last_pid low", "ns_last_pid -1 is EINVAL", |e| {
        e.op.call == Call::LastPid(-1) && e.error() == EINVAL
    }),
    rule("ns: depth", "CLONE_NEWPID below level 32 is ENOSPC", |e| {
        clone_fails(e, ENOSPC).is_some()
    }),
    rule(
        "ns: unshare depth",
        "unshare below level 32 is ENOSPC",
        |e| matches!(e.op.call, Call::Unshare(_)) && e.error() == ENOSPC,
    ),
    rule("ns: unshare twice", "unshare again is EINVAL", |e| {
        matches!(e.op.call, Call::Unshare(_)) && e.error() == EINVAL && e.is_away()
    }),
    rule(
        "ns: unshare, NEWPID",
        "CLONE_NEWPID after unshare is EINVAL",
        |e| e.is_away() && clone_fails(e, EINVAL).is_some_and(|(flags, _)| flags == NEWPID),
    ),
    rule("ns: setns home", "setns back to the own namespace", |e| {
        matches!(e.op.call, Call::Setns(_))
            && e.is_ok()
            && e.is_away()
            && e.after
                .tasks
                .get(&e.op.by)
                .is_some_and(|seen| seen.task.ns_for_children == Some(seen.task.ns))
    }),
    rule(
        "ns: unshare again",
        "unshare leaves the caller where it is",
        |e| matches!(e.op.call, Call::Unshare(_)) && e.is_ok(),
    ),
    rule(
        "ns: init by setns",
        "another task than who has unshared can make pid 1",
        |e| {
            nursery_is(e, NsState::AwaitingInit)
                && e.child().is_some_and(|child| {
                    let maker = e.nursery().and_then(|ns| e.before.space(ns.id));
                    child.task.is_reaper
                        && maker.is_some()
                        && e.before
                            .tasks
                            .values()
                            .filter(|seen| seen.task.ns_for_children == Some(child.task.ns))
                            .count()
                            > 1
                })
        },
    ),
    rule(
        "ns: setns up",
        "setns to a namespace above is EINVAL",
        |e| {
            matches!(e.op.call, Call::Setns(space) if e.error() == EINVAL
            && e.before.spaces.get(&space).is_some_and(|ns| (ns.level as usize) < e.caller().level()))
        },
    ),
    rule("ns: setns dead", "setns to a dead namespace works", |e| {
        matches!(e.op.call, Call::Setns(space) if e.is_ok()
            && e.before.spaces.get(&space).is_some_and(|ns| ns.state == NsState::Dead))
    }),
    rule("ns: setns by pidfd", "setns by a pidfd", |e| {
        matches!(e.op.call, Call::SetnsOf(_)) && e.is_ok()
    }),
];
