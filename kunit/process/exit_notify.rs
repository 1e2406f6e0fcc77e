// SPDX-License-Identifier: GPL-2.0

//! What a parent is told of the death of a child, and who reaps it.

use crate::{
    process::clone::{flags::*, ParentArg},
    signal::kill::Kill,
    signal::sigaction::Action,
    support::{signals::*, state::*, world, Verbs},
    tree::pending::*,
    tree::sighand::Disposition,
    uapi,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_exit_notify)]
mod tests {
    use super::*;

    /// `do_notify_parent()`: exit signal, si_code, si_status, si_pid in the parent's namespace
    #[test]
    fn a_parent_is_told_of_a_death() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        for signal in [SIGCHLD, SIGUSR1] {
            verbs.sigaction(init, signal, Disposition::Handler)?;
        }
        let child = verbs.fork(init)?;
        verbs.exit(child, 7)?;
        let (_, info) = verbs.received(init)?;
        assert_eq!((info.signo, info.code), (SIGCHLD, CLD_EXITED));
        assert_eq!((info.status, info.pid), (7, 2));
        let parent = ParentArg::Native;
        let (child, nr) = verbs.clone_with(init, 0, SIGUSR1, &[], parent)?;
        world.kill(init, Kill::Task(child), SIGKILL)?;
        let (count, info) = verbs.received(init)?;
        assert_eq!((count, info.signo, info.code), (2, SIGUSR1, CLD_KILLED));
        assert_eq!((info.status, info.pid), (SIGKILL, nr));
        Ok(())
    }

    /// `do_notify_parent()`: the signal has what the leader itself exited with, wait has what the
    /// process is said to have exited with
    #[test]
    fn do_notify_parent_of_a_rebooted_init() -> Result {
        const RESTART: u32 = 0x0123_4567;
        // (by init itself, by a second thread, si_code, si_status)
        let cases = [
            (true, false, CLD_EXITED, 0),
            (false, false, CLD_KILLED, SIGKILL),
            (false, true, CLD_KILLED, SIGHUP),
        ];
        for (by_init, leader_is_gone, code, status) in cases {
            let world = world()?;
            let verbs = Verbs(&world);
            let parent = verbs.fork(world.init())?;
            verbs.sigaction(parent, SIGCHLD, Disposition::Handler)?;
            let (init, nr) = verbs.clone(parent, NEWPID, &[])?;
            let member = verbs.fork(init)?;
            if leader_is_gone {
                verbs.thread(init)?;
                world.exit(init, 5, false)?;
            }
            world.reboot(if by_init { init } else { member }, RESTART)?;
            let (count, info) = verbs.received(parent)?;
            assert_eq!((count, info.signo, info.pid), (1, SIGCHLD, nr));
            assert_eq!((info.code, info.status), (code, status));
            assert_eq!(verbs.wait(parent, -1)?, (nr, SIGHUP));
        }
        Ok(())
    }

    /// `do_notify_parent()`: (ignored, SA_NOCLDWAIT, told, reaped by itself)
    #[test]
    fn who_does_not_want_to_know_of_deaths() -> Result {
        let cases = [
            (Disposition::Handler, false, 1, false),
            (Disposition::Handler, true, 1, true),
            (Disposition::Ignore, false, 0, true),
            (Disposition::Default, true, 0, true),
            (Disposition::Default, false, 0, false),
        ];
        for (disposition, nocldwait, told, reaped) in cases {
            let world = world()?;
            let verbs = Verbs(&world);
            let parent = verbs.fork(world.init())?;
            let mut action = Action::from(disposition);
            if nocldwait {
                action.flags = uapi::ALTPID_SA_NOCLDWAIT;
            }
            world.sigaction(parent, SIGCHLD, Some(action))?;
            let child = verbs.fork(parent)?;
            verbs.exit(child, 0)?;
            assert_eq!(verbs.received(parent)?.0, told);
            let state = if reaped { GONE } else { ZOMBIE };
            assert_eq!(verbs.state(child), state);
            if reaped {
                assert!(verbs.wait(parent, -1).err() == Some(ECHILD));
            }
            // One with another exit signal is not reaped by itself.
            let native = ParentArg::Native;
            let (child, _) = verbs.clone_with(parent, 0, SIGUSR1, &[], native)?;
            verbs.sigaction(parent, SIGUSR1, Disposition::Ignore)?;
            verbs.exit(child, 0)?;
            assert_eq!(verbs.state(child), ZOMBIE);
        }
        Ok(())
    }
}
