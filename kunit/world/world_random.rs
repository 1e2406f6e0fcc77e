// SPDX-License-Identifier: GPL-2.0

//! Sequences of verbs drawn at random, with every invariant checked after each.

use crate::{
    base::slots::Id,
    pid::registry::NsId,
    process::clone::{flags::*, ParentArg},
    process::pidfd::Target,
    process::wait::{Wanted, WEXITED, WNOHANG},
    signal::kill::{By, ByPidfd, Kill, To},
    signal::sigaction::{Action, How},
    support::{exit_signal, many, world_of, Random, Verbs},
    tree::handles::PidfdId,
    tree::pending::{SigSet, SIGCHLD, SIGCONT, SIGKILL, SIGSTOP, SIGTSTP},
    tree::sighand::Disposition,
    tree::task::TaskId,
    uapi,
    world::World,
};
use kernel::prelude::*;

/// Ids that tasks, namespaces and handles had when they were made; most name nobody any more.
struct Cast {
    tasks: KVVec<TaskId>,
    namespaces: KVVec<NsId>,
    pidfds: KVVec<PidfdId>,
}

impl Cast {
    fn new(world: &World) -> Result<Self> {
        let mut cast = Self {
            tasks: KVVec::new(),
            namespaces: KVVec::new(),
            pidfds: KVVec::new(),
        };
        cast.pidfds.push(PidfdId::NOTHING, GFP_KERNEL)?;
        cast.tasks.push(world.init(), GFP_KERNEL)?;
        cast.namespaces.push(world.root().id(), GFP_KERNEL)?;
        Ok(cast)
    }

    /// Somebody, the last ones more often.
    fn pick<T>(ids: &[Id<T>], random: &mut Random) -> Id<T> {
        let recent = ids.len().min(40);
        let from = if random.below(4) == 0 {
            0
        } else {
            ids.len() - recent
        };
        ids[from + random.below((ids.len() - from) as u32) as usize]
    }
}

/// Flags of a clone: mostly of a kind that succeeds.
fn draw_flags(random: &mut Random) -> u64 {
    let pidfd = if random.below(8) == 0 { PIDFD } else { 0 };
    let flags = match random.below(14) {
        0..5 => 0,
        5..7 => NEWPID,
        7..9 => THREAD | SIGHAND | VM,
        9 => PARENT,
        10 => AUTOREAP,
        11 => PIDFD | AUTOREAP | PIDFD_AUTOKILL,
        12 => SIGHAND | VM,
        _ => 1 << random.below(40),
    };
    flags | pidfd
}

/// Flags of sigaction(2).
const SA_FLAGS: [u32; 5] = [
    uapi::ALTPID_SA_NOCLDSTOP,
    uapi::ALTPID_SA_NOCLDWAIT,
    uapi::ALTPID_SA_RESTART,
    uapi::ALTPID_SA_NODEFER,
    uapi::ALTPID_SA_RESETHAND,
];

/// A signal, something done about signals, or one of the verbs that few tasks use.
fn signal(verbs: &Verbs<'_>, cast: &Cast, task: TaskId, random: &mut Random) {
    let world = verbs.0;
    let other = Cast::pick(&cast.tasks, random);
    // Those that stop and continue more often than others.
    let signal = match random.below(4) {
        0 => [SIGSTOP, SIGTSTP, SIGCONT, SIGCHLD][random.below(4) as usize],
        1 => [SIGCONT, SIGKILL, 0, 65][random.below(4) as usize],
        _ => 1 + random.below(64) as i32,
    };
    let pid = random.below(60) as i32 - 20;
    match random.below(26) {
        0..4 => _ = world.kill(task, Kill::Pid(pid), signal),
        4..6 => _ = world.kill(task, Kill::Task(other), signal),
        6..8 => _ = world.kill_from(By::Outside, task, signal),
        8 => _ = world.kill_from(By::Kernel, task, signal),
        9 => _ = world.kill(task, Kill::Tkill(pid), signal),
        24 => {
            _ = world.kill(
                task,
                Kill::Thread {
                    tgid: pid,
                    tid: pid,
                },
                signal,
            )
        }
        25 => {
            _ = world.kill(
                task,
                Kill::QueueThread {
                    tgid: pid,
                    tid: pid,
                    code: -1,
                    value: 7,
                },
                signal,
            )
        }
        10 => {
            _ = world.kill(
                task,
                Kill::Queue {
                    pid,
                    code: -1,
                    value: 7,
                },
                signal,
            )
        }
        11 => _ = world.kill_from(By::Fault, task, signal),
        12..16 => {
            let disposition = [
                Disposition::Default,
                Disposition::Ignore,
                Disposition::Handler,
            ][random.below(3) as usize];
            let mut action = Action::from(disposition);
            for flag in SA_FLAGS {
                if random.below(8) == 0 {
                    action.flags |= flag;
                }
            }
            if random.below(8) == 0 {
                action.mask = SigSet::from_bits(1 << random.below(64));
            }
            _ = world.sigaction(task, signal, Some(action));
        }
        16..19 => {
            let how = [How::Block, How::Unblock, How::Set][random.below(3) as usize];
            let set = u64::from(random.below(u32::MAX)) << random.below(33);
            _ = world.sigprocmask(task, how, SigSet::from_bits(set));
        }
        19 => _ = world.sigwait(task, SigSet::from_bits(u64::MAX), 0),
        20..22 => _ = world.exec(task, &[b'x'; 16]),
        22 => {
            if let Ok((mut tree, task)) = world.act(task) {
                tree.set_subreaper(task, random.below(3) > 0);
                _ = tree.set_pdeath_signal(task, random.below(70).into());
            }
        }
        _ => _ = world.reboot(task, 0x0123_4567),
    }
}

/// Something done with a handle.
fn pidfd(verbs: &Verbs<'_>, cast: &mut Cast, task: TaskId, random: &mut Random) -> Result {
    let world = verbs.0;
    let pidfd = Cast::pick(&cast.pidfds, random);
    match random.below(8) {
        0 => {
            let target = match random.below(2) {
                0 => Target::Task(task),
                _ => Target::Number(task, random.below(60) as i32),
            };
            let opened = world.pidfd_open(target, random.below(2) == 0, random.below(2) == 0);
            if let Ok(pidfd) = opened {
                cast.pidfds.push(pidfd, GFP_KERNEL)?;
            }
        }
        1..3 => _ = world.pidfd_close(pidfd),
        3 => _ = world.pidfd_info(pidfd, Some(task), random.below(2) == 0),
        4 => _ = world.poll(pidfd, random.below(2), false),
        5 => {
            let to = [
                None,
                Some(To::Thread),
                Some(To::Process),
                Some(To::ProcessGroup),
            ][random.below(4) as usize];
            let how = ByPidfd { to, info: None };
            _ = world.kill(task, Kill::Pidfd(pidfd, how), random.below(65) as i32);
        }
        6 => _ = world.wait(task, Wanted::Pidfd(pidfd, WEXITED | WNOHANG)),
        _ => _ = world.setns_by_pidfd(task, pidfd),
    }
    Ok(())
}

/// One verb. Whether it succeeds is not the question here.
fn act(verbs: &Verbs<'_>, cast: &mut Cast, random: &mut Random) -> Result {
    let world = verbs.0;
    let task = Cast::pick(&cast.tasks, random);
    match random.below(133) {
        0..45 => {
            let wanted = [random.below(40) as i32, random.below(90) as i32];
            let set_tid = &wanted[..(random.below(8) as usize).saturating_sub(5).min(2)];
            let child = if random.below(10) == 0 {
                let parent = match random.below(4) {
                    0 => ParentArg::Outside,
                    _ => ParentArg::Task(Cast::pick(&cast.tasks, random)),
                };
                verbs.cloned(task, draw_flags(random), 0, set_tid, parent)
            } else {
                let flags = draw_flags(random);
                verbs.cloned(task, flags, exit_signal(flags), set_tid, ParentArg::Native)
            };
            if let Ok(cloned) = child {
                cast.tasks.push(cloned.child, GFP_KERNEL)?;
                if let Some(pidfd) = cloned.pidfd {
                    cast.pidfds.push(pidfd, GFP_KERNEL)?;
                }
                if let Ok(ns) = verbs.ns(cloned.child) {
                    if cast.namespaces.last() != Some(&ns) {
                        cast.namespaces.push(ns, GFP_KERNEL)?;
                    }
                }
            }
        }
        45..60 => _ = world.exit(task, random.below(300) as i32, random.below(3) > 0),
        60..78 => {
            let which = random.below(60) as i32 - 20;
            let options =
                [1, 1, 11, 0x4000_0001, 0x8000_0001, 0x2000_0001][random.below(6) as usize];
            _ = verbs.wait4(task, if random.below(2) == 0 { -1 } else { which }, options);
        }
        78..83 => _ = verbs.setsid(task),
        83..90 => {
            let (pid, pgid) = (random.below(30) as i32, random.below(30) as i32);
            let own = random.below(2) as i32;
            _ = verbs.setpgid(task, pid * own, pgid * own);
        }
        90..94 => {
            if let Ok(Some(ns)) = world.unshare(task, NEWPID) {
                cast.namespaces.push(ns, GFP_KERNEL)?;
            }
        }
        94..98 => _ = world.setns(task, Cast::pick(&cast.namespaces, random)),
        98..124 => signal(verbs, cast, task, random),
        124..132 => pidfd(verbs, cast, task, random)?,
        _ => {
            if let Ok(ns) = world.namespace(Cast::pick(&cast.namespaces, random)) {
                _ = ns.set_pid_max(i64::from(290 + random.below(60)));
                _ = ns.set_last_pid(random.below(330).into());
            }
        }
    }
    Ok(())
}

#[kernel::macros::kunit_tests(altpid_world_random)]
mod tests {
    use super::*;

    /// All verbs in 25,000 random steps of two worlds, and every invariant after each.
    fn each_step_leaves_a_sound_world(seeds: [u64; 2]) -> Result {
        for seed in seeds {
            let world = world_of(60, 20)?;
            let verbs = Verbs(&world);
            let mut cast = Cast::new(&world)?;
            let mut random = Random::new(seed * 0x9e37_79b9);
            for _ in 0..12_500 {
                act(&verbs, &mut cast, &mut random)?;
                assert!(verbs.is_sound());
            }
        }
        Ok(())
    }

    /// The first quarter of 100,000 steps: a case that takes minutes on a busy machine would look
    /// hung to the kernel
    #[test]
    fn every_step_leaves_a_sound_world() -> Result {
        each_step_leaves_a_sound_world([1, 2])
    }

    /// The second quarter
    #[test]
    fn every_step_of_the_second_quarter() -> Result {
        each_step_leaves_a_sound_world([3, 4])
    }

    /// The third quarter
    #[test]
    fn every_step_of_the_third_quarter() -> Result {
        each_step_leaves_a_sound_world([5, 6])
    }

    /// The last quarter
    #[test]
    fn every_step_of_the_last_quarter() -> Result {
        each_step_leaves_a_sound_world([7, 8])
    }

    /// All verbs in a larger world
    #[test]
    fn large_worlds_stay_sound() -> Result {
        let world = world_of(3000, 300)?;
        let verbs = Verbs(&world);
        let mut cast = Cast::new(&world)?;
        let mut random = Random::new(42);
        for step in 0..many(20_000) {
            act(&verbs, &mut cast, &mut random)?;
            if step % 1000 == 0 {
                assert!(verbs.is_sound());
            }
        }
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `put_pid()`, `put_pid_ns()`: nothing is left
    #[test]
    fn nothing_is_left_of_a_world() -> Result {
        let before = (crate::pid::count(), World::count());
        {
            let world = world_of(500, 50)?;
            let verbs = Verbs(&world);
            let mut cast = Cast::new(&world)?;
            let mut random = Random::new(4711);
            for _ in 0..5000 {
                act(&verbs, &mut cast, &mut random)?;
            }
            assert!(crate::pid::count() > before.0);
        }
        assert!((crate::pid::count(), World::count()) == before);
        Ok(())
    }

    /// An audit that could see nothing would prove nothing
    #[test]
    fn an_audit_sees_what_is_wrong() -> Result {
        let world = world_of(10, 10)?;
        let verbs = Verbs(&world);
        verbs.fork(world.init())?;
        assert_eq!(world.audit().broken, 0);
        world.root().count_pid();
        let findings = world.audit();
        assert_eq!(findings.broken, 1);
        assert!(findings
            .what
            .starts_with(b"namespace 1 counts 3 numbers and holds 2\0"));
        world.root().uncount_pid();
        assert_eq!(world.audit().broken, 0);
        Ok(())
    }
}
