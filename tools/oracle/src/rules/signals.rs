// SPDX-License-Identifier: GPL-2.0

//! Rules about signals, the immunity of init, jobs and waits.

use super::{Rule, rule};
use crate::{
    event::Event,
    op::{Answer, Call, Num, Whom},
};
use altpid::{Disposition, TaskState};
use libc::{EACCES, ECHILD, EINVAL, EPERM, ESRCH};

/// kill(2) of an init that has no handler for the signal.
fn init_without_handler(e: &Event<'_>, signals: &[i32], from_above: bool) -> Option<TaskState> {
    let (name, seen, signal) = e.kill()?;
    let fits = seen.task.is_reaper
        && seen.is_running()
        && signals.contains(&signal)
        && Event::disposition(seen, signal) == Disposition::Default
        && seen.signals.is_some_and(|s| !s.blocked.contains(signal))
        && e.is_above(seen) == from_above
        && e.answer == Answer::Value(0);
    fits.then(|| e.now(name).unwrap_or(TaskState::Zombie))
}

/// The rules.
pub const RULES: &[Rule] = &[
    rule("signal: pdeath", "PR_SET_PDEATHSIG", |e| {
        matches!(e.op.call, Call::Exit(_) | Call::ExitGroup(_))
            && e.before.tasks.iter().any(|(name, seen)| {
                seen.parent == Some(e.caller().leader)
                    && e.received(*name)
                        .is_some_and(|info| info.code == 0 && info.signo == 10)
            })
    }),
    rule(
        "init: KILL inside",
        "SIGKILL from inside has no effect on init",
        |e| init_without_handler(e, &[9], false) == Some(TaskState::Running),
    ),
    rule(
        "init: STOP inside",
        "SIGSTOP from inside has no effect on init",
        |e| init_without_handler(e, &[19], false) == Some(TaskState::Running),
    ),
    rule(
        "init: TERM inside",
        "SIGTERM from inside has no effect on init",
        |e| init_without_handler(e, &[15, 2, 1], false) == Some(TaskState::Running),
    ),
    rule("init: KILL above", "SIGKILL from above kills init", |e| {
        init_without_handler(e, &[9], true).is_some_and(|state| state != TaskState::Running)
    }),
    rule("init: STOP above", "SIGSTOP from above stops init", |e| {
        init_without_handler(e, &[19], true) == Some(TaskState::Stopped)
    }),
    rule(
        "init: TERM above",
        "SIGTERM from above has no effect on init",
        |e| init_without_handler(e, &[15, 20, 21, 22], true) == Some(TaskState::Running),
    ),
    rule(
        "init: handler",
        "init gets what it has a handler for, with the sender",
        |e| {
            e.kill().is_some_and(|(name, seen, _)| {
                seen.task.is_reaper
                    && !e.is_above(seen)
                    && e.received(name).is_some_and(|info| info.pid > 0)
            })
        },
    ),
    rule("init: handler, above", "a sender above is 0", |e| {
        e.kill().is_some_and(|(name, seen, _)| {
            e.is_above(seen)
                && e.received(name)
                    .is_some_and(|info| info.pid == 0 && info.code == 0)
        })
    }),
    rule(
        "init: unblock",
        "what init blocks waits, and vanishes when it does not any more",
        |e| {
            let signals = |state: &crate::twin::State| state.tasks.get(&e.op.by)?.signals;
            matches!(e.op.call, Call::Sigprocmask(..))
                && e.caller().task.is_reaper
                && signals(e.before)
                    .zip(signals(e.after))
                    .is_some_and(|(old, new)| {
                        old.shared.bits() & !new.shared.bits() != 0 && old.received == new.received
                    })
        },
    ),
    rule(
        "init: SI_KERNEL",
        "init can kill itself by SI_KERNEL",
        |e| {
            matches!(e.op.call, Call::Queue(_, 9, 0x80, _))
                && e.caller().task.is_reaper
                && e.now(e.op.by) != Some(TaskState::Running)
        },
    ),
    rule(
        "queue: code",
        "a code of the kernel's to somebody else is EPERM",
        |e| matches!(e.op.call, Call::Queue(..)) && e.error() == EPERM,
    ),
    rule(
        "kill: 0",
        "kill(0) works without a number of the group",
        |e| {
            matches!(e.op.call, Call::Kill(Num::Is(0), _))
                && e.is_ok()
                && e.caller().task.pgid.last() == Some(&0)
        },
    ),
    rule("kill: -1", "kill(-1) spares init and the caller", |e| {
        matches!(e.op.call, Call::Kill(Num::Is(-1), 9)) && e.is_ok() && e.died().count() > 0
    }),
    rule("kill: -1 nested", "kill(-1) hits nested inits", |e| {
        matches!(e.op.call, Call::Kill(Num::Is(-1), 9))
            && e.died().any(|(_, seen)| seen.task.is_reaper)
    }),
    rule("kill: -1 nobody", "kill(-1) for nobody is ESRCH", |e| {
        matches!(e.op.call, Call::Kill(Num::Is(-1), _)) && e.error() == ESRCH
    }),
    rule("kill: zombie", "a zombie can be signalled", |e| {
        e.kill()
            .is_some_and(|(_, seen, _)| seen.task.state == TaskState::Zombie)
            && e.is_ok()
    }),
    rule("kill: nobody", "a number of nobody is ESRCH", |e| {
        matches!(e.op.call, Call::Kill(Num::Is(2..), _)) && e.error() == ESRCH
    }),
    rule("kill: signal", "a signal above 64 is EINVAL", |e| {
        matches!(e.op.call, Call::Kill(_, 65..)) && e.error() == EINVAL
    }),
    rule("kill: INT_MIN", "kill(INT_MIN) is ESRCH", |e| {
        matches!(e.op.call, Call::Kill(Num::Is(i32::MIN), _)) && e.error() == ESRCH
    }),
    rule("tgkill: group", "tgkill with another group is ESRCH", |e| {
        matches!(e.op.call, Call::Tgkill(_, Num::Of(_), _)) && e.error() == ESRCH
    }),
    rule("tgkill: range", "tgkill of 0 is EINVAL", |e| {
        matches!(e.op.call, Call::Tgkill(Num::Is(..=0), _, _)) && e.error() == EINVAL
    }),
    rule(
        "kill: pidfd, outside",
        "pidfd_send_signal to who is not below is EINVAL",
        |e| matches!(e.op.call, Call::PidfdSend(_, 0..=64)) && e.error() == EINVAL,
    ),
    rule(
        "chld: pid",
        "SIGCHLD tells the number as the parent sees it",
        |e| {
            e.died().any(|(_, seen)| {
                seen.parent.is_some_and(|p| {
                    e.received(p).is_some_and(|info| {
                        info.signo == 17
                            && info.pid > 0
                            && seen.task.ns != e.before.tasks[&p].task.ns
                    })
                })
            })
        },
    ),
    rule("jobs: setsid", "setsid of a leader is EPERM", |e| {
        e.op.call == Call::Setsid && e.error() == EPERM
    }),
    rule(
        "jobs: setsid of init",
        "init of a namespace can call setsid",
        |e| e.op.call == Call::Setsid && e.is_ok() && e.caller().task.is_reaper,
    ),
    rule(
        "jobs: setpgid of init",
        "setpgid by the parent of a nested init",
        |e| {
            matches!(e.op.call, Call::Setpgid(Num::Of(name), _) if e.is_ok()
            && e.before.tasks[&name].task.is_reaper && name != e.op.by)
        },
    ),
    rule(
        "jobs: setpgid, foreign session",
        "setpgid(0, 0) in a session of outside",
        |e| {
            e.op.call == Call::Setpgid(Num::Is(0), Num::Is(0))
                && e.is_ok()
                && e.caller().task.sid.last() == Some(&0)
        },
    ),
    rule(
        "jobs: setpgid, exec",
        "setpgid of a child that has called exec is EACCES",
        |e| matches!(e.op.call, Call::Setpgid(..)) && e.error() == EACCES,
    ),
    rule(
        "jobs: orphaned",
        "newly orphaned stopped jobs get SIGHUP and SIGCONT",
        |e| {
            e.died().any(|(_, seen)| {
                seen.task.state == TaskState::Stopped
                    && !seen.task.is_reaper
                    && seen.leader != e.op.by
            }) && matches!(e.op.call, Call::Exit(_) | Call::ExitGroup(_))
                && !e.died().any(|(_, seen)| seen.task.is_reaper)
        },
    ),
    rule(
        "jobs: stop",
        "a stopped child is told of",
        |e| matches!(e.answer, Answer::Waited(1.., status) if status & 0xff == 0x7f),
    ),
    rule("jobs: continue", "a continued child is told of", |e| {
        matches!(e.answer, Answer::Waited(1.., 0xffff))
    }),
    rule("wait: nobody", "no child is ECHILD", |e| {
        matches!(e.op.call, Call::Wait4(..)) && e.error() == ECHILD
    }),
    rule("wait: INT_MIN", "wait4(INT_MIN) is ESRCH", |e| {
        matches!(e.op.call, Call::Wait4(Num::Is(i32::MIN), _)) && e.error() == ESRCH
    }),
    rule("waitid: nothing", "waitid for nothing is EINVAL", |e| {
        matches!(e.op.call, Call::WaitId(_, 1)) && e.error() == EINVAL
    }),
    rule("waitid: P_PID 0", "P_PID with 0 is EINVAL", |e| {
        matches!(e.op.call, Call::WaitId(Whom::Pid(Num::Is(..=0)), 5)) && e.error() == EINVAL
    }),
    rule("waitid: WNOWAIT", "WNOWAIT leaves the child", |e| {
        matches!(e.op.call, Call::WaitId(_, options) if options & 0x100_0000 != 0)
            && matches!(e.answer, Answer::Told(1.., ..))
            && e.before.tasks.len() == e.after.tasks.len()
    }),
];
