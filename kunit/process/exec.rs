// SPDX-License-Identifier: GPL-2.0

//! exec: the numbers of the leader, and what stays.

use crate::{
    process::clone::{flags::*, ParentArg},
    signal::kill::{By, Kill},
    support::{signals::*, state::*, world, Errno, Verbs},
    tree::pending::*,
    tree::sighand::Disposition,
    tree::task::TaskId,
};
use kernel::prelude::*;

const NAME: [u8; 16] = *b"program\0\0\0\0\0\0\0\0\0";

#[kernel::macros::kunit_tests(altpid_exec)]
mod tests {
    use super::*;

    /// `de_thread()`, `exchange_tids()`, at every level
    #[test]
    fn a_thread_takes_the_leaders_numbers() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        let leader = verbs.fork(init)?;
        let others = [verbs.thread(leader)?, verbs.thread(leader)?];
        let thread = verbs.thread(leader)?;
        let child = verbs.fork(others[0])?;
        let before = world.describe_task(leader)?;
        let freed = world.describe_task(thread)?.pid;
        world.exec(thread, &NAME)?;
        let after = world.describe_task(thread)?;
        assert_eq!(after.pid, before.pid);
        assert_eq!(after.tgid, before.tgid);
        assert_eq!((after.leader, after.nr_threads), (thread.to_raw(), 1));
        assert_eq!(after.comm, NAME);
        for gone in [leader, others[0], others[1]] {
            assert_eq!(verbs.state(gone), GONE);
        }
        // Children of the other threads are its own now.
        assert_eq!(verbs.parent(child), thread);
        let ns = verbs.ns(init)?;
        for (nr, error) in [(before.pid[1], None), (freed[1], Some(ESRCH))] {
            let found = world.find(ns, nr, crate::pid::PidType::Pid, false);
            assert!(found.errno().err() == error);
        }
        verbs.exit(thread, 4)?;
        assert_eq!(verbs.wait(init, -1)?, (before.pid[1], 4 << 8));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `exchange_tids()`: whoever is pid 1 of the world's root is its init
    #[test]
    fn the_worlds_init_is_who_is_pid_1() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let first = world.init();
        let thread = verbs.thread(first)?;
        world.exec(first, &NAME)?;
        assert_eq!(world.init(), first);
        let second = verbs.thread(first)?;
        // A leader that has exited has its number still.
        world.exit(first, 0, false)?;
        assert_eq!(world.describe().init, first.to_raw());
        world.exec(second, &NAME)?;
        assert_eq!([verbs.state(first), verbs.state(thread)], [GONE, GONE]);
        assert_eq!(
            (world.init(), world.describe().init),
            (second, second.to_raw())
        );
        assert_eq!(verbs.nr(second, 0), 1);
        let child = verbs.fork(world.init())?;
        assert_eq!(verbs.parent(child), second);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `exchange_tids()`, `is_child_reaper()`: pid 1 and its immunity go to the thread
    #[test]
    fn a_thread_of_init_stays_init() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        let thread = verbs.thread(init)?;
        let member = verbs.fork(init)?;
        world.exec(thread, &NAME)?;
        assert_eq!(verbs.nr(thread, 1), 1);
        let ns = world.describe_namespace(verbs.ns(thread)?)?;
        assert_eq!(ns.child_reaper, thread.to_raw());
        verbs.kill(member, 1, SIGKILL)?;
        assert_eq!(verbs.state(thread), RUNNING);
        let orphan = verbs.fork(member)?;
        verbs.exit(member, 0)?;
        assert_eq!(verbs.parent(orphan), thread);
        verbs.exit(thread, 0)?;
        assert_eq!(verbs.state(orphan), GONE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `de_thread()`: the leader is a zombie that nobody could reap
    #[test]
    fn also_when_the_leader_was_dead_before() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        let thread = verbs.thread(leader)?;
        world.exit(leader, 1, false)?;
        assert_eq!(verbs.state(leader), ZOMBIE);
        assert_eq!(verbs.wait(world.init(), -1)?, (0, 0));
        world.exec(thread, &NAME)?;
        assert_eq!(verbs.nr(thread, 0), 2);
        assert_eq!(verbs.state(leader), GONE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `begin_new_exec()`: handlers go, what is ignored, blocked and pending stays
    #[test]
    fn what_stays_and_what_goes() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        verbs.setsid(task)?;
        let ns = world.unshare(task, NEWPID)?.ok_or(EINVAL)?;
        verbs.sigaction(task, SIGUSR1, Disposition::Handler)?;
        verbs.sigaction(task, SIGCHLD, Disposition::Ignore)?;
        verbs.block(task, &[SIGTERM])?;
        verbs.kill(task, 2, SIGTERM)?;
        world.exec(task, &NAME)?;
        let signals = world.describe_signals(task)?;
        assert_eq!(signals.handled, 0);
        assert_eq!(signals.ignored, SigSet::of(&[SIGCHLD]).bits());
        assert_eq!(signals.blocked, SigSet::of(&[SIGTERM]).bits());
        assert!(verbs.pending(task)?.contains(SIGTERM));
        let after = world.describe_task(task)?;
        assert_eq!((after.pgid[0], after.sid[0]), (2, 2));
        assert_eq!(after.ns_for_children, ns.to_raw());
        // The first child is init there, as before.
        let child = verbs.fork(task)?;
        assert_eq!(verbs.nr(child, 1), 1);
        Ok(())
    }

    /// `flush_itimer_signals()`
    #[test]
    fn what_timers_have_sent_goes() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        verbs.block(task, &[SIGUSR1, SIGTERM, SIGRTMIN])?;
        for (signal, code) in [
            (SIGUSR1, SI_TIMER),
            (SIGTERM, -1),
            (SIGRTMIN, SI_TIMER),
            (SIGRTMIN, -1),
        ] {
            world
                .kill(
                    task,
                    Kill::Queue {
                        pid: 2,
                        code,
                        value: 0,
                    },
                    signal,
                )
                .errno()?;
        }
        world.exec(task, &NAME)?;
        assert_eq!(
            verbs.pending(task)?.bits(),
            SigSet::of(&[SIGTERM, SIGRTMIN]).bits()
        );
        let all = SigSet::from_bits(u64::MAX);
        for signal in [SIGTERM, SIGRTMIN] {
            let info = world.sigwait(task, all, 0)?;
            assert_eq!((info.signo(), info.code()), (signal, -1));
        }
        assert!(verbs.pending(task)?.bits() == 0);
        Ok(())
    }

    /// `setpgid()`: PF_FORKNOEXEC
    #[test]
    fn the_parent_may_not_move_it_any_more() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let child = verbs.fork(parent)?;
        let nr = verbs.nr(child, 0);
        verbs.setpgid(parent, nr, nr)?;
        world.exec(child, &NAME)?;
        assert!(verbs.setpgid(parent, nr, nr).err() == Some(EACCES));
        verbs.setpgid(child, 0, 0)?;
        // A fork begins anew.
        let grandchild = verbs.fork(child)?;
        let nr = verbs.nr(grandchild, 0);
        verbs.setpgid(child, nr, nr)?;
        Ok(())
    }

    /// `do_notify_parent()`: parent_exec_id is not self_exec_id; `begin_new_exec()`: exit_signal
    #[test]
    fn another_program_gets_sigchld() -> Result {
        for (parent_execs, child_execs) in [(false, false), (true, false), (false, true)] {
            let world = world()?;
            let verbs = Verbs(&world);
            let parent = verbs.fork(world.init())?;
            let (child, _) = verbs.clone_with(parent, 0, SIGUSR1, &[], ParentArg::Native)?;
            if parent_execs {
                world.exec(parent, &NAME)?;
            }
            if child_execs {
                world.exec(child, &NAME)?;
            }
            for signal in [SIGUSR1, SIGCHLD] {
                verbs.sigaction(parent, signal, Disposition::Handler)?;
            }
            verbs.exit(child, 0)?;
            let expected = if parent_execs || child_execs {
                SIGCHLD
            } else {
                SIGUSR1
            };
            assert_eq!(verbs.received(parent)?.1.signo, expected);
        }
        Ok(())
    }

    /// `begin_new_exec()`: what arrives while `de_thread()` waits is for the new program
    #[test]
    fn begin_new_exec_takes_signals_afterwards() -> Result {
        // (what a child gets when the old leader dies, its exit signal, how the new program is)
        let cases = [
            (SIGSTOP, SIGCHLD, RUNNING),
            (SIGKILL, SIGCHLD, RUNNING),
            (SIGKILL, SIGUSR1, ZOMBIE),
        ];
        for (signal, exit_signal, state) in cases {
            let world = world()?;
            let verbs = Verbs(&world);
            let leader = verbs.fork(world.init())?;
            let thread = verbs.thread(leader)?;
            for handled in [SIGCHLD, SIGUSR1] {
                verbs.sigaction(leader, handled, Disposition::Handler)?;
            }
            let native = ParentArg::Native;
            let (child, _) = verbs.clone_with(leader, 0, exit_signal, &[], native)?;
            verbs.set_pdeath_signal(child, signal)?;
            world.exec(thread, &NAME)?;
            assert!(verbs.state(child) != RUNNING);
            assert_eq!(verbs.state(thread), state);
            if state == RUNNING {
                assert_eq!(verbs.received(thread)?.0, 0);
                assert_eq!(verbs.pending(thread)?.bits(), 0);
            }
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `de_thread()`: not who is stopped, dying, or gone
    #[test]
    fn who_cannot() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        world.kill_from(By::Outside, task, SIGSTOP)?;
        assert!(world.exec(task, &NAME).errno().err() == Some(EBUSY));
        world.kill_from(By::Outside, task, SIGKILL)?;
        assert!(world.exec(task, &NAME).errno().err() == Some(ESRCH));
        assert!(world.exec(TaskId::from_raw(u64::MAX), &NAME).errno().err() == Some(ESRCH));
        Ok(())
    }

    /// `zap_other_threads()`
    #[test]
    fn with_a_thousand_threads() -> Result {
        let world = crate::support::world_of(2000, 10)?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        let mut last = leader;
        for _ in 0..1000 {
            last = verbs.thread(leader)?;
        }
        world.exec(last, &NAME)?;
        assert_eq!(world.describe().tasks, 2);
        assert_eq!(verbs.nr(last, 0), 2);
        assert!(verbs.is_sound());
        Ok(())
    }
}
