// SPDX-License-Identifier: GPL-2.0

//! Rules about birth and death: clone, exec, exit, zap_pid_ns_processes(), reboot.

use super::{Rule, clone_fails, rule};
use crate::{
    event::Event,
    flags::{AUTOREAP, NEWPID, PARENT, SIGHAND, THREAD, VM},
    op::{Answer, Call},
    twin::Seen,
};
use altpid::{Disposition, TaskState};
use libc::EINVAL;

/// Whether somebody has got another parent, and what `is` says of the two holds.
fn adopted(e: &Event<'_>, is: impl Fn(&Seen, &Seen) -> bool) -> bool {
    e.reparented().any(|(_, child)| {
        let heir = child.parent.and_then(|heir| e.after.tasks.get(&heir));
        heir.is_some_and(|heir| is(child, heir))
    })
}

/// Whether two live in the same namespace.
fn is_with(one: &Seen, other: &Seen) -> bool {
    one.task.ns == other.task.ns
}

/// The rules.
pub const RULES: &[Rule] = &[
    rule(
        "clone: THREAD",
        "CLONE_THREAD without CLONE_SIGHAND is EINVAL",
        |e| clone_fails(e, EINVAL).is_some_and(|(flags, _)| flags == THREAD),
    ),
    rule(
        "clone: SIGHAND",
        "CLONE_SIGHAND without CLONE_VM is EINVAL",
        |e| clone_fails(e, EINVAL).is_some_and(|(flags, _)| flags == SIGHAND),
    ),
    rule(
        "clone: SIGHAND, processes",
        "processes that share their handlers do so until one of them calls exec",
        |e| {
            let Call::Sigaction(..) = e.op.call else {
                return false;
            };
            e.is_ok()
                && e.after.tasks.iter().any(|(name, seen)| {
                    let sets = |seen: &Seen| seen.signals.map(|s| (s.ignored, s.handled));
                    let old = e.before.tasks.get(name);
                    seen.leader != e.caller().leader
                        && old.is_some_and(|old| sets(old) != sets(seen))
                })
        },
    ),
    rule(
        "clone: VFORK",
        "the caller of a clone with CLONE_VFORK sleeps until the child has exited or called exec",
        |e| {
            e.after.tasks.iter().any(|(name, seen)| {
                let before = e.before.tasks.get(name);
                seen.is_running() && before.is_some_and(|before| before.task.is_in_vfork)
            })
        },
    ),
    rule(
        "clone: VFORK, signal",
        "a signal that does not kill waits for a caller that sleeps in vfork",
        |e| {
            e.after.tasks.values().any(|seen| {
                let signals = seen.signals.filter(|_| seen.task.is_in_vfork);
                signals
                    .is_some_and(|s| (s.pending.bits() | s.shared.bits()) & !s.blocked.bits() != 0)
            })
        },
    ),
    rule(
        "clone: PARENT, init",
        "CLONE_PARENT by an init is EINVAL",
        |e| {
            clone_fails(e, EINVAL).is_some_and(|(flags, _)| flags == PARENT)
                && e.caller().task.tgid.last() == Some(&1)
        },
    ),
    rule(
        "clone: THREAD|NEWPID",
        "CLONE_THREAD with CLONE_NEWPID is EINVAL",
        |e| {
            clone_fails(e, EINVAL).is_some_and(|(flags, _)| flags == THREAD | SIGHAND | VM | NEWPID)
        },
    ),
    rule(
        "clone: THREAD, away",
        "CLONE_THREAD after unshare is EINVAL",
        |e| {
            e.is_away()
                && clone_fails(e, EINVAL).is_some_and(|(flags, _)| flags == THREAD | SIGHAND | VM)
        },
    ),
    rule(
        "clone: PARENT|NEWPID",
        "CLONE_PARENT with CLONE_NEWPID is allowed",
        |e| e.child().is_some() && e.wants().is_some_and(|(flags, _)| flags == PARENT | NEWPID),
    ),
    rule(
        "clone: VM|NEWPID",
        "CLONE_VM with CLONE_NEWPID is allowed",
        |e| e.child().is_some() && e.wants().is_some_and(|(flags, _)| flags == VM | NEWPID),
    ),
    rule(
        "clone: AUTOREAP",
        "CLONE_AUTOREAP with an exit signal, THREAD or PARENT is EINVAL",
        |e| clone_fails(e, EINVAL).is_some_and(|(flags, _)| flags & AUTOREAP != 0),
    ),
    rule(
        "clone: exit signal",
        "an exit signal above 64 is EINVAL",
        |e| {
            matches!(
                e.op.call,
                Call::Clone {
                    exit_signal: 65..,
                    ..
                }
            ) && e.error() == EINVAL
        },
    ),
    rule(
        "see: group outside",
        "a process group without a number in the namespace is 0",
        |e| {
            e.child()
                .is_some_and(|child| child.task.pgid.last() == Some(&0))
        },
    ),
    rule(
        "see: parent outside",
        "getppid is 0 for who is injected",
        |e| e.child().is_some_and(|child| !child.task.is_reaper) && e.is_away(),
    ),
    rule(
        "exec: thread",
        "who calls exec takes the numbers of the process",
        |e| e.op.call == Call::Exec && e.is_ok() && !e.caller().is_leader(),
    ),
    rule(
        "exec: thread of init",
        "a thread of init that calls exec becomes pid 1",
        |e| {
            e.op.call == Call::Exec
                && e.is_ok()
                && !e.caller().is_leader()
                && e.caller().task.tgid.last() == Some(&1)
        },
    ),
    rule(
        "exit: to init",
        "orphans go to the init of the dead parent's namespace",
        |e| adopted(e, |child, heir| heir.task.is_reaper && is_with(child, heir)),
    ),
    rule(
        "exit: to subreaper",
        "orphans go to a subreaper in the namespace",
        |e| {
            adopted(e, |child, heir| {
                heir.task.is_subreaper && !heir.task.is_reaper && is_with(child, heir)
            })
        },
    ),
    rule(
        "exit: subreaper outside",
        "a subreaper outside of the namespace gets none",
        |e| {
            adopted(e, |child, heir| {
                let above = heir.parent.and_then(|above| e.after.tasks.get(&above));
                heir.task.is_reaper
                    && is_with(child, heir)
                    && above.is_some_and(|above| above.task.is_subreaper)
            })
        },
    ),
    rule(
        "exit: injected",
        "an injected task whose parent dies stays outside",
        |e| adopted(e, |child, heir| !is_with(child, heir)),
    ),
    rule(
        "exit: to thread",
        "another thread of the parent takes the children",
        |e| {
            e.reparented()
                .any(|(old, new)| old.parent.is_some() && old.parent == new.parent)
        },
    ),
    rule(
        "exit: leader first",
        "a leader that exits first cannot be waited for",
        |e| {
            matches!(e.op.call, Call::Wait4(..) | Call::WaitId(..))
                && matches!(e.answer, Answer::Waited(0, _) | Answer::Told(0, ..))
                && e.before.tasks.values().any(|seen| {
                    seen.task.state == TaskState::Zombie
                        && seen.is_leader()
                        && seen.task.nr_threads > 0
                        && seen.parent == Some(e.caller().leader)
                })
        },
    ),
    rule(
        "exit: main thread of init",
        "init goes on as long as a thread lives",
        |e| {
            matches!(e.op.call, Call::Exit(_))
                && e.caller().task.tgid.last() == Some(&1)
                && e.caller().is_leader()
                && e.now(e.op.by) == Some(TaskState::Zombie)
                && e.caller().task.nr_threads > 1
        },
    ),
    rule("zap: members", "with init all members die", |e| {
        e.died().count() > 1 && e.died().any(|(_, seen)| seen.task.is_reaper)
    }),
    rule("zap: nested", "with init nested inits die", |e| {
        e.died().filter(|(_, seen)| seen.task.is_reaper).count() > 1
    }),
    rule("zap: stopped", "stopped members die with init", |e| {
        e.died().any(|(_, seen)| seen.task.is_reaper)
            && e.died()
                .any(|(_, seen)| seen.task.state == TaskState::Stopped)
    }),
    rule(
        "zap: waits",
        "init waits for a zombie whose parent is outside",
        |e| {
            e.died()
                .any(|(name, _)| e.now(name) == Some(TaskState::Exiting))
        },
    ),
    rule(
        "reap: ignored",
        "children of who ignores SIGCHLD vanish",
        |e| {
            e.died().any(|(name, seen)| {
                e.now(name).is_none()
                    && seen.is_leader()
                    && seen
                        .parent
                        .and_then(|p| e.before.tasks.get(&p))
                        .is_some_and(|p| Event::disposition(p, 17) == Disposition::Ignore)
            })
        },
    ),
    rule(
        "reap: NOCLDWAIT",
        "with SA_NOCLDWAIT children vanish and the signal comes",
        |e| {
            e.died().any(|(name, seen)| {
                e.now(name).is_none()
                    && seen.is_leader()
                    && seen.task.exit_signal == 17
                    && seen
                        .parent
                        .is_some_and(|p| e.received(p).is_some_and(|info| info.signo == 17))
            })
        },
    ),
    rule(
        "reap: AUTOREAP",
        "children made with CLONE_AUTOREAP vanish",
        |e| {
            e.died()
                .any(|(name, seen)| seen.task.is_autoreap && e.now(name).is_none())
        },
    ),
    rule("reboot: RESTART", "init is seen as killed by SIGHUP", |e| {
        matches!(e.answer, Answer::Waited(1.., 1))
    }),
    rule("reboot: HALT", "init is seen as killed by SIGINT", |e| {
        matches!(e.answer, Answer::Waited(1.., 2))
    }),
    rule("reboot: others", "another command is EINVAL", |e| {
        matches!(e.op.call, Call::Reboot(_)) && e.error() == EINVAL
    }),
];
