// SPDX-License-Identifier: GPL-2.0

//! Subreapers, parent-death signals, and reboot of a namespace.

use crate::{
    process::{clone::ParentArg, reaper::Heir},
    signal::kill::Kill,
    support::{signals::*, state::*, world, Errno, Verbs},
    tree::pending::*,
    tree::sighand::Disposition,
    tree::task::TaskId,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_reaper)]
mod tests {
    use super::*;

    /// `find_new_reaper()`
    #[test]
    fn the_nearest_subreaper_gets_orphans() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let outer = verbs.fork(world.init())?;
        let inner = verbs.fork(outer)?;
        let father = verbs.fork(inner)?;
        let orphan = verbs.fork(father)?;
        verbs.set_subreaper(outer, true)?;
        verbs.set_subreaper(inner, true)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(orphan), inner);
        // One that is no longer wants none.
        verbs.set_subreaper(inner, false)?;
        let father = verbs.fork(inner)?;
        let second = verbs.fork(father)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(second), outer);
        verbs.exit(inner, 0)?;
        assert_eq!(verbs.parent(orphan), outer);
        verbs.exit(outer, 0)?;
        assert_eq!(verbs.parent(orphan), world.init());
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `find_new_reaper()`, `has_child_subreaper`: the way up a long line is not gone anew for each process
    /// that dies, from the last one up
    #[test]
    fn a_long_way_is_shortened() -> Result {
        const LENGTH: usize = 2000;
        let world = world()?;
        let verbs = Verbs(&world);
        let reaper = verbs.fork(world.init())?;
        verbs.set_subreaper(reaper, true)?;
        let mut line = KVVec::with_capacity(LENGTH, GFP_KERNEL)?;
        let mut last = reaper;
        for _ in 0..LENGTH {
            last = verbs.fork(last)?;
            line.push(last, GFP_KERNEL)?;
        }
        let mut steps = 0;
        while let Some(father) = line.pop() {
            let found = loop {
                let mut tree = world.work();
                let task = tree.find(father)?;
                let group = tree.tasks()[task].group();
                let heir = tree.find_subreaper(group, false);
                steps += tree.steps() as usize;
                if let Heir::Found(heir) = heir {
                    break heir.map(|heir| tree.tasks().id(heir));
                }
            };
            // Not under the lock.
            assert_eq!(found, Some(reaper));
        }
        // Of the order of log2(n) for each: some 50 at most. The way itself is 1000 on an average.
        assert!(steps < LENGTH * 100);
        Ok(())
    }

    /// `find_new_reaper()`: `find_alive_thread()` of the subreaper
    #[test]
    fn its_live_threads_get_them() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let reaper = verbs.fork(world.init())?;
        let thread = verbs.thread(reaper)?;
        verbs.set_subreaper(thread, true)?;
        let father = verbs.fork(thread)?;
        let orphan = verbs.fork(father)?;
        world.exit(reaper, 0, false)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(orphan), thread);
        Ok(())
    }

    /// `find_new_reaper()`: task_pid(reaper)->level == ns_level
    #[test]
    fn a_subreaper_of_another_level_gets_none() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let outer = verbs.fork(world.init())?;
        verbs.set_subreaper(outer, true)?;
        let init = verbs.container(outer)?;
        let father = verbs.fork(init)?;
        let orphan = verbs.fork(father)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(orphan), init);
        // One inside does.
        let inner = verbs.fork(init)?;
        verbs.set_subreaper(inner, true)?;
        let father = verbs.fork(inner)?;
        let orphan = verbs.fork(father)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(orphan), inner);
        // Who was injected has its parent outside, and its own orphans go to init.
        world.setns(outer, verbs.ns(init)?)?;
        let injected = verbs.fork(outer)?;
        let orphan = verbs.fork(injected)?;
        verbs.exit(injected, 0)?;
        assert_eq!(verbs.parent(orphan), init);
        Ok(())
    }

    /// `copy_signal()`: `is_child_subreaper` is not inherited, `has_child_subreaper` is
    #[test]
    fn a_fork_does_not_inherit_it() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let reaper = verbs.fork(world.init())?;
        verbs.set_subreaper(reaper, true)?;
        let child = verbs.fork(reaper)?;
        let father = verbs.fork(child)?;
        let orphan = verbs.fork(father)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(orphan), reaper);
        Ok(())
    }

    /// `forget_original_parent()`: of the thread that is the parent
    #[test]
    fn a_signal_for_the_death_of_the_parent() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let thread = verbs.thread(parent)?;
        let (child, other) = (verbs.fork(thread)?, verbs.fork(parent)?);
        for task in [child, other] {
            verbs.set_pdeath_signal(task, SIGTERM)?;
            verbs.sigaction(task, SIGTERM, Disposition::Handler)?;
        }
        let nr = verbs.nr(parent, 0);
        world.exit(thread, 0, false)?;
        let (count, info) = verbs.received(child)?;
        assert_eq!((count, info.signo, info.pid), (1, SIGTERM, nr));
        assert_eq!(verbs.received(other)?.0, 0);
        // A second parent is one as well.
        verbs.exit(parent, 0)?;
        assert_eq!(verbs.received(child)?.0, 2);
        assert_eq!(verbs.received(other)?.0, 1);
        for signal in [65, 1000] {
            assert!(verbs.set_pdeath_signal(child, signal).err() == Some(EINVAL));
        }
        Ok(())
    }

    /// `copy_process()`: `pdeath_signal` is 0
    #[test]
    fn it_kills_and_is_not_inherited() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let child = verbs.fork(parent)?;
        verbs.set_pdeath_signal(child, SIGKILL)?;
        let grandchild = verbs.fork(child)?;
        verbs.exit(parent, 0)?;
        assert_eq!(verbs.state(child), ZOMBIE);
        assert_eq!(verbs.state(grandchild), RUNNING);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `forget_original_parent()`: a leader that has exited is still among the threads
    #[test]
    fn a_dead_leader_still_wants_it() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let child = verbs.fork(parent)?;
        verbs.set_pdeath_signal(child, SIGUSR1)?;
        let thread = verbs.thread(child)?;
        world.exit(child, 0, false).errno()?;
        assert_eq!(verbs.state(thread), RUNNING);
        verbs.exit(parent, 0)?;
        assert_eq!(verbs.state(thread), GONE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `forget_original_parent()`: under `tasklist_lock` nobody takes what it is sent. Who stops by
    /// the death of the parent is no stopped job when that leaves its process group orphaned.
    #[test]
    fn a_stop_for_the_death_of_the_parent() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        for signal in [SIGSTOP, SIGTSTP] {
            let (parent, child) = verbs.family()?;
            verbs.set_pdeath_signal(child, signal)?;
            verbs.exit(parent, 0)?;
            // In a process group that is orphaned only SIGSTOP stops.
            let stops = [RUNNING, STOPPED][usize::from(signal == SIGSTOP)];
            assert_eq!(verbs.state(child), stops);
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `forget_original_parent()`, `prepare_signal()`: with another stopped job there SIGHUP and
    /// SIGCONT are sent, and the stop is forgotten before it is taken
    #[test]
    fn a_stop_for_the_death_of_the_parent_of_a_job() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (parent, child) = verbs.family()?;
        let job = verbs.fork(parent)?;
        verbs.setpgid(job, 0, verbs.nr(child, 0))?;
        for task in [child, job] {
            verbs.sigaction(task, SIGHUP, Disposition::Handler)?;
        }
        verbs.set_pdeath_signal(child, SIGSTOP)?;
        world.kill(parent, Kill::Task(job), SIGSTOP)?;
        verbs.exit(parent, 0)?;
        for task in [child, job] {
            let (count, info) = verbs.received(task)?;
            assert_eq!((verbs.state(task), count, info.signo), (RUNNING, 1, SIGHUP));
        }
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `get_signal()`: who goes on tells its parent by itself, when it has its turn; `exit_notify()`
    /// tells of the dead before that
    #[test]
    fn who_goes_on_tells_it_after_who_has_died() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let reaper = verbs.container(world.init())?;
        verbs.sigaction(reaper, SIGCHLD, Disposition::Handler)?;
        let parent = verbs.fork(reaper)?;
        verbs.setsid(parent)?;
        // An init does not die of the SIGHUP.
        let job = verbs.container(parent)?;
        verbs.setpgid(job, 0, 0)?;
        world.kill(reaper, Kill::Task(job), SIGSTOP)?;
        assert_eq!(verbs.state(job), STOPPED);
        verbs.exit(parent, 7)?;
        assert_eq!(verbs.state(job), RUNNING);
        // The second SIGCHLD comes while the first one waits.
        let (count, info) = verbs.received(reaper)?;
        assert_eq!((count, info.code, info.status), (1, CLD_EXITED, 7));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `send_signal_locked()`: SEND_SIG_NOINFO is forced when the sender is not visible, which the
    /// parent of an init never is
    #[test]
    fn an_init_is_hit_from_above_only() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        for (signal, state) in [(SIGKILL, ZOMBIE), (SIGTERM, RUNNING)] {
            let parent = verbs.fork(world.init())?;
            let init = verbs.container(parent)?;
            verbs.set_pdeath_signal(init, signal)?;
            verbs.exit(parent, 0)?;
            assert_eq!(verbs.state(init), state);
        }
        Ok(())
    }

    /// `reboot_pid_ns()`: (command, what the parent of init sees)
    #[test]
    fn reboot() -> Result {
        const CASES: [(u32, i32); 4] = [
            (0x0123_4567, SIGHUP),
            (0xa1b2_c3d4, SIGHUP),
            (0x4321_fedc, SIGINT),
            (0xcdef_0123, SIGINT),
        ];
        for (command, status) in CASES {
            let world = world()?;
            let verbs = Verbs(&world);
            let init = verbs.container(world.init())?;
            let member = verbs.fork(init)?;
            let nested = verbs.container(member)?;
            let other = verbs.fork(nested)?;
            // CAD_OFF, CAD_ON, SW_SUSPEND, KEXEC, and nothing at all; whoever calls, be it at level 0
            // or nobody.
            for caller in [member, world.init(), TaskId::from_raw(4711)] {
                for other in [0, 0x89ab_cdef, 0xd000_fce2, 0x4558_4543, 1] {
                    assert!(world.reboot(caller, other).errno().err() == Some(EINVAL));
                }
            }
            assert!(world.reboot(world.init(), command).errno().err() == Some(EBUSY));
            world.reboot(member, command)?;
            for task in [member, nested, other] {
                assert_eq!(verbs.state(task), GONE);
            }
            assert_eq!(verbs.wait(world.init(), -1)?, (2, status));
            assert!(verbs.is_sound());
        }
        // By init itself.
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        world.reboot(init, 0x0123_4567)?;
        assert_eq!(verbs.wait(world.init(), -1)?, (2, SIGHUP));
        // Nobody else is hit by the outer one's.
        let outside = verbs.fork(world.init())?;
        world.kill(world.init(), Kill::Task(outside), 0)?;
        Ok(())
    }

    /// `find_new_reaper()`: a subreaper that is exiting gets none, though it has not exited yet
    #[test]
    fn who_is_exiting_gets_none() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let outer = verbs.fork(world.init())?;
        let reaper = verbs.fork(outer)?;
        let father = verbs.fork(reaper)?;
        let orphan = verbs.fork(father)?;
        verbs.set_subreaper(outer, true)?;
        verbs.set_subreaper(reaper, true)?;
        {
            // It is the father's turn first.
            let mut tree = world.work();
            for task in [father, reaper] {
                let task = tree.find(task)?;
                tree.begin_exit(task, 0);
            }
        }
        assert_eq!(verbs.parent(orphan), outer);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `forget_original_parent()`: who has handed on its children gets none any more
    #[test]
    fn who_is_exiting_becomes_no_parent() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let container = verbs.container(init)?;
        world.setns(init, verbs.ns(container)?)?;
        // Held by who has a parent outside.
        let injected = verbs.fork(init)?;
        world.setns(init, verbs.ns(init)?)?;
        verbs.exit(container, 0)?;
        assert_eq!(verbs.state(container), EXITING);
        assert_eq!(verbs.parent(injected), init);
        let of = |parent| {
            let parent = ParentArg::Task(parent);
            verbs.clone_with(init, 0, SIGCHLD, &[], parent)
        };
        assert!(of(container).err() == Some(ESRCH));
        verbs.wait(init, verbs.nr(injected, 0))?;
        assert_eq!(verbs.state(container), ZOMBIE);
        assert!(of(container).err() == Some(ESRCH));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `reparent_leader()`: the exit signal becomes SIGCHLD, unless another thread is the new parent
    #[test]
    fn the_exit_signal_of_an_orphan() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let father = verbs.fork(world.init())?;
        let thread = verbs.thread(father)?;
        let native = ParentArg::Native;
        let (child, _) = verbs.clone_with(father, 0, SIGUSR1, &[], native)?;
        world.exit(father, 0, false)?;
        assert_eq!(verbs.parent(child), thread);
        assert_eq!(world.describe_task(child)?.exit_signal, SIGUSR1);
        verbs.exit(thread, 0)?;
        assert_eq!(verbs.parent(child), world.init());
        assert_eq!(world.describe_task(child)?.exit_signal, SIGCHLD);
        Ok(())
    }

    /// `reparent_leader()`: zombies are told to the new parent, which may not want them; not from
    /// thread to thread
    #[test]
    fn a_zombie_is_told_to_the_new_parent() -> Result {
        for (disposition, state) in [(Disposition::Handler, ZOMBIE), (Disposition::Ignore, GONE)] {
            let world = world()?;
            let verbs = Verbs(&world);
            let reaper = verbs.fork(world.init())?;
            verbs.set_subreaper(reaper, true)?;
            let father = verbs.fork(reaper)?;
            let thread = verbs.thread(father)?;
            let zombie = verbs.fork(father)?;
            let nr = verbs.nr(zombie, 0);
            verbs.exit(zombie, 3)?;
            verbs.sigaction(father, SIGCHLD, Disposition::Handler)?;
            world.exit(father, 0, false)?;
            assert_eq!(verbs.parent(zombie), thread);
            assert_eq!(verbs.received(thread)?.0, 0);
            // Of those that wait the first one is kept: the zombie comes before its father.
            verbs.block(reaper, &[SIGCHLD])?;
            verbs.sigaction(reaper, SIGCHLD, disposition)?;
            verbs.exit(thread, 0)?;
            assert_eq!(verbs.state(zombie), state);
            assert_eq!(verbs.state(father), state);
            let told = world.sigwait(reaper, SigSet::of(&[SIGCHLD]), 0).errno();
            match disposition {
                Disposition::Handler => assert_eq!(told?.pid(), nr),
                _ => assert!(told.err() == Some(EAGAIN)),
            }
            assert!(verbs.is_sound());
        }
        Ok(())
    }
}
