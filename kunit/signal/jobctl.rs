// SPDX-License-Identifier: GPL-2.0

//! Stopping and continuing, what wait tells of it, and orphaned process groups.

use crate::{
    process::wait::*,
    signal::kill::{By, Kill},
    signal::sigaction::Action,
    support::{signals::*, state::*, world, Errno, Verbs},
    tree::pending::*,
    tree::sighand::Disposition,
    uapi,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_jobctl)]
mod tests {
    use super::*;

    /// `wait_task_stopped()`, `wait_task_continued()`
    #[test]
    fn stop_and_continue() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (parent, child) = verbs.family()?;
        let thread = verbs.thread(child)?;
        for signal in [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU] {
            world.kill(parent, Kill::Task(child), signal)?;
            assert_eq!(verbs.state(child), STOPPED);
            assert_eq!(verbs.state(thread), STOPPED);
            assert_eq!(Verbs(&world).word(parent, WCONTINUED)?, 0);
            assert_eq!(Verbs(&world).word(parent, WUNTRACED)?, signal << 8 | 0x7f);
            // Told once.
            assert_eq!(Verbs(&world).word(parent, WUNTRACED)?, 0);
            world.kill(parent, Kill::Task(child), SIGCONT)?;
            assert_eq!(verbs.state(child), RUNNING);
            assert_eq!(Verbs(&world).word(parent, WUNTRACED)?, 0);
            assert_eq!(Verbs(&world).word(parent, WCONTINUED)?, 0xffff);
            assert_eq!(Verbs(&world).word(parent, WCONTINUED)?, 0);
            assert!(verbs.is_sound());
        }
        // Who goes on without having been stopped has nothing to tell.
        world.kill(parent, Kill::Task(child), SIGCONT)?;
        assert_eq!(Verbs(&world).word(parent, WCONTINUED)?, 0);
        Ok(())
    }

    /// `prepare_signal()`: SIGCONT undoes `SIGNAL_STOP_STOPPED`, a stop `SIGNAL_STOP_CONTINUED`
    #[test]
    fn a_stop_that_is_over_is_not_told() -> Result {
        let world = world()?;
        let (parent, child) = Verbs(&world).family()?;
        world.kill(parent, Kill::Task(child), SIGSTOP)?;
        world.kill(parent, Kill::Task(child), SIGCONT)?;
        assert_eq!(Verbs(&world).word(parent, WUNTRACED)?, 0);
        world.kill(parent, Kill::Task(child), SIGSTOP)?;
        assert_eq!(Verbs(&world).word(parent, WCONTINUED)?, 0);
        assert_eq!(Verbs(&world).word(parent, WUNTRACED)?, SIGSTOP << 8 | 0x7f);
        Ok(())
    }

    /// `wants_signal()`, `complete_signal()`: a stopped process takes SIGKILL only
    #[test]
    fn the_stopped_do_nothing() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (parent, child) = verbs.family()?;
        world.kill(parent, Kill::Task(child), SIGSTOP)?;
        assert!(verbs.fork(child).err() == Some(EBUSY));
        assert!(verbs.exit(child, 0).err() == Some(EBUSY));
        assert!(verbs.setsid(child).err() == Some(EBUSY));
        assert!(verbs.kill(child, 1, 0).err() == Some(EBUSY));
        // wants_signal(): they take nothing but SIGKILL.
        world.kill(parent, Kill::Task(child), SIGTERM)?;
        assert_eq!(verbs.state(child), STOPPED);
        assert!(verbs.pending(child)?.contains(SIGTERM));
        world.kill(parent, Kill::Task(child), SIGCONT)?;
        assert_eq!(verbs.state(child), ZOMBIE);
        assert_eq!(verbs.wait(parent, -1)?.1, SIGTERM);
        let child = verbs.fork(parent)?;
        world.kill(parent, Kill::Task(child), SIGSTOP)?;
        world.kill(parent, Kill::Task(child), SIGKILL)?;
        assert_eq!(verbs.state(child), ZOMBIE);
        // What it was stopped by is forgotten (SIGNAL_GROUP_EXIT).
        assert_eq!(Verbs(&world).word(parent, WUNTRACED)?, SIGKILL);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `prepare_signal()`
    #[test]
    fn stop_and_continue_undo_each_other() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (parent, child) = verbs.family()?;
        verbs.block(child, &[SIGTSTP, SIGCONT])?;
        world.kill(parent, Kill::Task(child), SIGTSTP)?;
        assert!(verbs.pending(child)?.contains(SIGTSTP));
        world.kill(parent, Kill::Task(child), SIGCONT)?;
        assert!(!verbs.pending(child)?.contains(SIGTSTP));
        assert!(verbs.pending(child)?.contains(SIGCONT));
        world.kill(parent, Kill::Task(child), SIGTTIN)?;
        assert!(!verbs.pending(child)?.contains(SIGCONT));
        assert_eq!(verbs.state(child), STOPPED);
        // Even if SIGCONT is ignored or blocked.
        world.kill(parent, Kill::Task(child), SIGCONT)?;
        assert_eq!(verbs.state(child), RUNNING);
        Ok(())
    }

    /// `do_notify_parent_cldstop()`: (SA_NOCLDSTOP, how often it is told)
    #[test]
    fn a_parent_is_told_by_sigchld() -> Result {
        for (nocldstop, told) in [(false, 2), (true, 0)] {
            let world = world()?;
            let verbs = Verbs(&world);
            let (parent, child) = verbs.family()?;
            let mut action = Action::from(Disposition::Handler);
            if nocldstop {
                action.flags = uapi::ALTPID_SA_NOCLDSTOP;
            }
            world.sigaction(parent, SIGCHLD, Some(action))?;
            world.kill_from(By::Outside, child, SIGSTOP)?;
            let (_, info) = verbs.received(parent)?;
            if !nocldstop {
                assert_eq!((info.code, info.status), (CLD_STOPPED, SIGSTOP));
                assert_eq!(info.pid, verbs.nr(child, 0));
            }
            world.kill_from(By::Outside, child, SIGCONT)?;
            let (count, info) = verbs.received(parent)?;
            assert_eq!(count, told);
            if !nocldstop {
                assert_eq!((info.code, info.status), (CLD_CONTINUED, SIGCONT));
            }
        }
        Ok(())
    }

    /// `kernel_waitid_prepare()`: (which, id, options, error)
    #[test]
    fn waitid() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (parent, child) = verbs.family()?;
        let nr = verbs.nr(child, 0);
        let hang = WNOHANG | WEXITED;
        let cases = [
            (0, 0, hang, None),
            (1, nr, hang, None),
            (2, nr, hang, None),
            (2, 0, hang, Some(ECHILD)),
            (1, 0, hang, Some(EINVAL)),
            (1, -1, hang, Some(EINVAL)),
            (2, -1, hang, Some(EINVAL)),
            (4, nr, hang, Some(EINVAL)),
            (0, 0, WNOHANG, Some(EINVAL)),
            (0, 0, hang | 0x40, Some(EINVAL)),
            (1, 77, hang, Some(ECHILD)),
            (2, 77, hang, Some(ECHILD)),
        ];
        for (which, id, options, error) in cases {
            let result = world.wait(parent, Wanted::WaitId(which, id, options));
            assert!(result.errno().err() == error);
        }
        world.kill_from(By::Outside, child, SIGSTOP)?;
        let wait = |options| world.wait(parent, Wanted::WaitId(0, 0, WNOHANG | options));
        let all = WEXITED | WSTOPPED | WCONTINUED;
        // WNOWAIT leaves it to be told again.
        for _ in 0..2 {
            let report = wait(all | WNOWAIT)?.ok_or(EIO)?;
            assert_eq!((report.code, report.status), (CLD_STOPPED, SIGSTOP));
        }
        assert!(wait(all)?.is_some() && wait(all)?.is_none());
        world.kill_from(By::Outside, child, SIGCONT)?;
        assert!(wait(WEXITED)?.is_none());
        let report = wait(WCONTINUED)?.ok_or(EIO)?;
        assert_eq!((report.code, report.status), (CLD_CONTINUED, SIGCONT));
        verbs.exit(child, 5)?;
        // A dead child is nothing to wait for, for who asks for stops only.
        assert!(wait(WSTOPPED).errno().err() == Some(ECHILD));
        for options in [WEXITED | WNOWAIT, WEXITED] {
            let report = wait(options)?.ok_or(EIO)?;
            assert_eq!(
                (report.code, report.status, report.pid),
                (CLD_EXITED, 5, nr)
            );
        }
        assert!(wait(WEXITED).errno().err() == Some(ECHILD));
        Ok(())
    }

    /// `kill_orphaned_pgrp()`: a shell with a stopped job exits
    #[test]
    fn an_orphaned_group_is_told_and_goes_on() -> Result {
        for (handler, state) in [(false, ZOMBIE), (true, RUNNING)] {
            let world = world()?;
            let verbs = Verbs(&world);
            let init = world.init();
            let shell = verbs.fork(init)?;
            verbs.setsid(shell)?;
            let job = verbs.fork(shell)?;
            verbs.setpgid(job, 0, 0)?;
            if handler {
                verbs.sigaction(job, SIGHUP, Disposition::Handler)?;
            }
            world.kill(shell, Kill::Task(job), SIGTSTP)?;
            assert_eq!(verbs.state(job), STOPPED);
            verbs.exit(shell, 0)?;
            assert_eq!(verbs.state(job), state);
            if handler {
                let (count, info) = verbs.received(job)?;
                assert_eq!((count, info.signo, info.code), (1, SIGHUP, SI_KERNEL));
            }
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `will_become_orphaned_pgrp()`: another member has a parent in the session
    #[test]
    fn a_group_that_somebody_controls_stays_stopped() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (shell, one) = verbs.family()?;
        let other = verbs.fork(shell)?;
        verbs.setpgid(other, 0, verbs.nr(one, 0))?;
        world.kill(shell, Kill::Task(other), SIGSTOP)?;
        verbs.exit(one, 0)?;
        assert_eq!(verbs.state(other), STOPPED);
        // With the last connection gone it is orphaned.
        verbs.exit(shell, 0)?;
        assert_eq!(verbs.state(other), ZOMBIE);
        Ok(())
    }

    /// `do_exit()`: `group_dead`, when the children of all threads have been handed on
    #[test]
    fn the_last_thread_leaves_a_group_orphaned() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        verbs.setsid(init)?;
        let worker = verbs.fork(init)?;
        verbs.setpgid(worker, 0, 0)?;
        let thread = verbs.thread(worker)?;
        let child = verbs.fork(thread)?;
        world.kill_from(By::Outside, child, SIGSTOP)?;
        world.kill_from(By::Outside, worker, SIGKILL)?;
        assert_eq!(verbs.state(worker), ZOMBIE);
        assert_eq!(verbs.parent(child), init);
        // Whose child it is now controls the group.
        assert_eq!(verbs.state(child), STOPPED);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_exit()`: `group_dead`, when init has taken the namespace along
    #[test]
    fn members_are_killed_before_they_are_orphaned() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let shell = verbs.fork(world.init())?;
        verbs.setsid(shell)?;
        let init = verbs.container(shell)?;
        verbs.setpgid(init, 0, 0)?;
        verbs.thread(init)?;
        let member = verbs.fork(init)?;
        let pidfd = verbs.pidfd(member)?;
        world.kill_from(By::Outside, member, SIGSTOP)?;
        world.kill_from(By::Outside, init, SIGKILL)?;
        assert_eq!(verbs.state(member), GONE);
        assert_eq!(world.pidfd_info(pidfd, None, true)?.exit_code, SIGKILL);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `get_signal()`: `is_current_pgrp_orphaned()`
    #[test]
    fn who_is_orphaned_is_not_stopped_from_the_terminal() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        verbs.setsid(leader)?;
        for signal in [SIGTSTP, SIGTTIN, SIGTTOU] {
            world.kill_from(By::Outside, leader, signal)?;
            assert_eq!(verbs.state(leader), RUNNING);
        }
        world.kill_from(By::Outside, leader, SIGSTOP)?;
        assert_eq!(verbs.state(leader), STOPPED);
        Ok(())
    }

    /// `will_become_orphaned_pgrp()` exempts the children of the global init only
    #[test]
    fn init_of_a_namespace_controls_jobs() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        verbs.setsid(init)?;
        let middle = verbs.fork(init)?;
        let job = verbs.fork(middle)?;
        verbs.setpgid(job, 0, 0)?;
        world.kill(init, Kill::Task(job), SIGSTOP)?;
        verbs.exit(middle, 0)?;
        assert_eq!(verbs.parent(job), init);
        assert_eq!(verbs.state(job), STOPPED);
        Ok(())
    }

    /// `zap_pid_ns_processes()`: stopped members are killed
    #[test]
    fn the_stopped_die_with_their_namespace() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        for _ in 0..100 {
            let member = verbs.fork(init)?;
            world.kill_from(By::Outside, member, SIGSTOP)?;
        }
        verbs.exit(init, 0)?;
        assert_eq!(verbs.state(init), ZOMBIE);
        assert_eq!(world.describe().tasks, 2);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `will_become_orphaned_pgrp()`: a child of the global init is controlled by nobody, of the same
    /// session or not
    #[test]
    fn the_worlds_init_controls_no_jobs() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let middle = verbs.fork(world.init())?;
        let job = verbs.fork(middle)?;
        verbs.setpgid(job, 0, 0)?;
        world.kill(middle, Kill::Task(job), SIGSTOP)?;
        let group = world.describe_task(job)?;
        assert_eq!(group.sid[0], world.describe_task(world.init())?.sid[0]);
        verbs.exit(middle, 0)?;
        assert_eq!(verbs.parent(job), world.init());
        assert_eq!(verbs.state(job), ZOMBIE);
        Ok(())
    }

    /// `do_notify_parent_cldstop()`: si_pid is the number in the namespace of the parent
    #[test]
    fn a_parent_is_told_the_number_that_it_sees() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        let member = verbs.fork(init)?;
        for task in [world.init(), init] {
            verbs.sigaction(task, SIGCHLD, Disposition::Handler)?;
        }
        for (child, parent, nr) in [
            (member, init, verbs.nr(member, 1)),
            (init, world.init(), verbs.nr(init, 0)),
        ] {
            world.kill_from(By::Outside, child, SIGSTOP)?;
            assert_eq!(verbs.received(parent)?.1.pid, nr);
        }
        Ok(())
    }
}
