// SPDX-License-Identifier: GPL-2.0

//! kill(2) and its kin: whom they mean, and what they refuse.

use crate::{
    signal::kill::{By, Kill},
    support::{state::*, world, Errno, Verbs},
    tree::pending::*,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_kill)]
mod tests {
    use super::*;

    /// `kill_something_info()`: (pid, error), in a namespace with 1, 2 and a zombie 3
    #[test]
    fn whom_kill_means() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        let member = verbs.fork(init)?;
        let zombie = verbs.fork(init)?;
        verbs.setsid(init)?;
        verbs.exit(zombie, 0)?;
        let cases = [
            (1, None),
            (2, None),
            (3, None),
            (4, Some(ESRCH)),
            (0, None),
            (-1, None),
            (-2, Some(ESRCH)),
            (i32::MIN, Some(ESRCH)),
        ];
        for (pid, error) in cases {
            assert!(verbs.kill(member, pid, 0).err() == error);
        }
        for (pid, signal, error) in [
            (1, 65, EINVAL),
            (1, -1, EINVAL),
            (4, 65, ESRCH),
            (0, 65, EINVAL),
            (-1, 65, EINVAL),
        ] {
            assert!(verbs.kill(member, pid, signal).err() == Some(error));
        }
        let thread_kill = |tgid, tid| world.kill(member, Kill::Thread { tgid, tid }, 0);
        for (tgid, tid) in [(0, 0), (0, 1), (-1, 1), (1, 0), (1, -1), (i32::MIN, 1)] {
            assert!(thread_kill(tgid, tid).errno().err() == Some(EINVAL));
        }
        assert!(thread_kill(2, 1).errno().err() == Some(ESRCH));
        assert!(thread_kill(1, 9).errno().err() == Some(ESRCH));
        thread_kill(1, 1)?;
        let tkill = |tid| world.kill(member, Kill::Tkill(tid), 0);
        for (tid, error) in [
            (1, None),
            (3, None),
            (0, Some(EINVAL)),
            (-1, Some(EINVAL)),
            (i32::MIN, Some(EINVAL)),
            (9, Some(ESRCH)),
        ] {
            assert!(tkill(tid).errno().err() == error);
        }
        // Reaped: nobody.
        verbs.wait(init, 3)?;
        assert!(verbs.kill(member, 3, 0).err() == Some(ESRCH));
        // access_pidfd_pidns(): not who is not below
        assert!(
            world
                .kill(member, Kill::Task(world.init()), 0)
                .errno()
                .err()
                == Some(EINVAL)
        );
        world.kill(world.init(), Kill::Task(member), SIGKILL)?;
        assert_eq!(verbs.state(member), ZOMBIE);
        Ok(())
    }

    /// `do_rt_tgsigqueueinfo()`: (tgid, tid, `si_code`, error), by thread 3 of process 2
    #[test]
    fn a_queued_signal_for_a_thread() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let process = verbs.fork(world.init())?;
        let thread = verbs.thread(process)?;
        let queue = |tgid, tid, code, signal| {
            let kill = Kill::QueueThread {
                tgid,
                tid,
                code,
                value: 7,
            };
            world.kill(thread, kill, signal).errno()
        };
        let cases = [
            (2, 2, -1, None),
            (2, 3, -1, None),
            (1, 1, -1, None),
            // Every code to oneself, those of the kernel not even to another thread.
            (2, 3, 0, None),
            (2, 3, SI_TKILL, None),
            (2, 3, SI_KERNEL, None),
            (2, 2, 0, Some(EPERM)),
            (2, 2, SI_TKILL, Some(EPERM)),
            (2, 2, SI_KERNEL, Some(EPERM)),
            (1, 2, -1, Some(ESRCH)),
            (9, 9, -1, Some(ESRCH)),
            (9, 9, 0, Some(EPERM)),
            (0, 3, -1, Some(EINVAL)),
            (2, 0, -1, Some(EINVAL)),
            (-1, 3, 0, Some(EINVAL)),
            (2, i32::MIN, 0, Some(EINVAL)),
        ];
        for (tgid, tid, code, error) in cases {
            assert!(queue(tgid, tid, code, 0).err() == error);
        }
        assert!(queue(2, 3, -1, 65).err() == Some(EINVAL));
        assert!(queue(9, 9, -1, 65).err() == Some(ESRCH));
        // It waits for that thread alone, with what came along.
        verbs.block(process, &[SIGRTMIN])?;
        verbs.block(thread, &[SIGRTMIN])?;
        queue(2, 2, -1, SIGRTMIN)?;
        assert!(world.sigwait(thread, SigSet::of(&[SIGRTMIN]), 0).is_err());
        let info = world.sigwait(process, SigSet::of(&[SIGRTMIN]), 0)?;
        assert_eq!((info.code(), info.pid(), info.value()), (-1, 2, 7));
        Ok(())
    }

    /// `kill_something_info()`: kill(-1), nested namespaces and their inits too
    #[test]
    fn everybody_but_oneself_and_init() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        assert!(verbs.kill(init, -1, SIGKILL).err() == Some(ESRCH));
        let member = verbs.fork(init)?;
        let nested = verbs.container(member)?;
        let deepest = verbs.fork(nested)?;
        let bystander = verbs.fork(world.init())?;
        let thread = verbs.thread(member)?;
        verbs.kill(member, -1, SIGKILL)?;
        assert_eq!(verbs.state(member), RUNNING);
        assert_eq!(verbs.state(thread), RUNNING);
        assert_eq!(verbs.state(init), RUNNING);
        assert_eq!(verbs.state(bystander), RUNNING);
        // Nested inits are like everybody, and take their own along.
        assert_eq!(verbs.state(nested), ZOMBIE);
        assert_eq!(verbs.state(deepest), GONE);
        Ok(())
    }

    /// `kill_pid_info()`: a zombie is there until it is reaped
    #[test]
    fn a_zombie_can_be_sent_signals() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let child = verbs.fork(world.init())?;
        verbs.exit(child, 3)?;
        verbs.kill(world.init(), 2, SIGKILL)?;
        world.kill(world.init(), Kill::Task(child), SIGKILL)?;
        assert_eq!(verbs.wait(world.init(), -1)?, (2, 3 << 8));
        assert!(
            world
                .kill(world.init(), Kill::Task(child), SIGKILL)
                .errno()
                .err()
                == Some(ESRCH)
        );
        Ok(())
    }

    /// `__kill_pgrp_info()`: all members of a group by its number, and success if one of them got it
    #[test]
    fn a_process_group_by_its_number() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let leader = verbs.fork(init)?;
        verbs.setpgid(leader, 0, 0)?;
        let nr = verbs.nr(leader, 0);
        let members = [verbs.fork(leader)?, verbs.fork(leader)?];
        let other = verbs.fork(init)?;
        verbs.kill(other, -nr, SIGSTOP)?;
        for member in [leader, members[0], members[1]] {
            assert_eq!(verbs.state(member), STOPPED);
        }
        // The leader is reaped, the group is there; then it has only zombies, then nobody.
        world.kill_from(By::Kernel, leader, SIGKILL)?;
        verbs.wait(init, nr)?;
        verbs.kill(other, -nr, SIGKILL)?;
        for member in members {
            assert_eq!(verbs.state(member), ZOMBIE);
        }
        assert_eq!(verbs.state(other), RUNNING);
        verbs.kill(other, -nr, SIGKILL)?;
        assert_ne!(verbs.wait(init, -nr)?.0, 0);
        assert_ne!(verbs.wait(init, -nr)?.0, 0);
        assert!(verbs.kill(other, -nr, 0).err() == Some(ESRCH));
        Ok(())
    }
}
