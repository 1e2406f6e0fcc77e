// SPDX-License-Identifier: GPL-2.0

//! Who is reaped by nobody, and thread groups as handles see them: the cases of the kernel's own
//! `pidfd_autoreap_test`, `pidfd_info_test` and `pidfd_wait`.

use crate::{
    process::clone::flags::*,
    process::pidfd::Target,
    process::wait::{Wanted, WCONTINUED, WEXITED, WNOHANG, WSTOPPED},
    signal::kill::{ByPidfd, Kill, To},
    support::{exit_signal, signals::*, state::*, world, Errno, Verbs},
    tree::handles::PidfdId,
    tree::pending::*,
    tree::task::TaskId,
    uapi,
    world::World,
};
use kernel::prelude::*;

const THREAD_ALL: u64 = THREAD | SIGHAND | VM;
const IN: u32 = uapi::ALTPID_POLL_IN;
const HUP: u32 = uapi::ALTPID_POLL_HUP;

/// What poll(2) and PIDFD_GET_INFO say: events, and how the task ended once it is reaped.
fn look(world: &World, pidfd: PidfdId) -> Result<(u32, Option<i32>)> {
    let info = world.pidfd_info(pidfd, None, true)?;
    let has_exit = info.mask & u64::from(uapi::ALTPID_PIDFD_INFO_EXIT) != 0;
    let events = world.poll(pidfd, IN, false)?;
    Ok((events, has_exit.then_some(info.exit_code)))
}

/// A child that vanishes when it exits, and a handle on it.
fn autoreap(verbs: &Verbs<'_>, task: TaskId) -> Result<(TaskId, PidfdId)> {
    let (child, _) = verbs.clone(task, AUTOREAP, &[])?;
    Ok((child, verbs.pidfd(child)?))
}

#[kernel::macros::kunit_tests(altpid_exit_autoreap)]
mod tests {
    use super::*;

    /// `autoreap_basic`, `autoreap_signaled`, `autoreap_without_pidfd`: `do_notify_parent()`
    #[test]
    fn nobody_waits_for_it() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        verbs.sigaction(parent, SIGCHLD, crate::tree::sighand::Disposition::Handler)?;
        let (child, pidfd) = autoreap(&verbs, parent)?;
        // As long as it lives it can be waited for.
        assert_eq!(verbs.wait(parent, -1), Err(ECHILD));
        let any = verbs.wait4(parent, -1, WNOHANG | 0x4000_0000)?;
        assert!(any.is_none());
        verbs.exit(child, 42)?;
        assert_eq!(look(&world, pidfd)?, (IN | HUP, Some(42 << 8)));
        assert_eq!(verbs.wait(parent, -1), Err(ECHILD));
        assert_eq!(verbs.received(parent)?.0, 0);

        let (child, pidfd) = autoreap(&verbs, parent)?;
        world.kill(parent, Kill::Task(child), SIGTERM)?;
        assert_eq!(look(&world, pidfd)?, (IN | HUP, Some(SIGTERM)));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `autoreap_reparent`: `reparent_leader()` makes its exit signal SIGCHLD, and it still vanishes
    #[test]
    fn also_with_another_parent() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let father = verbs.fork(init)?;
        let (child, pidfd) = autoreap(&verbs, father)?;
        verbs.exit(father, 0)?;
        verbs.wait(init, -1)?;
        assert_eq!(verbs.parent(child), init);
        assert_eq!(world.describe_task(child)?.exit_signal, SIGCHLD);
        verbs.exit(child, 8)?;
        assert_eq!(look(&world, pidfd)?, (IN | HUP, Some(8 << 8)));
        assert_eq!(verbs.wait(init, -1), Err(ECHILD));
        Ok(())
    }

    /// `autoreap_multithreaded`: the leader waits for its threads like any other
    #[test]
    fn with_its_last_thread() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (leader, pidfd) = autoreap(&verbs, world.init())?;
        let thread = verbs.thread(leader)?;
        world.exit(leader, 1, false)?;
        assert_eq!(look(&world, pidfd)?, (0, None));
        assert_eq!(verbs.state(leader), ZOMBIE);
        world.exit(thread, 2, false)?;
        assert_eq!(look(&world, pidfd)?, (IN | HUP, Some(2 << 8)));
        assert_eq!(verbs.state(leader), GONE);
        Ok(())
    }

    /// `autoreap_no_inherit`
    #[test]
    fn its_children_are_reaped_by_it() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (parent, _) = autoreap(&verbs, world.init())?;
        let child = verbs.fork(parent)?;
        assert_eq!(
            world.describe_task(child)?.flags & uapi::ALTPID_TASK_AUTOREAP,
            0
        );
        verbs.exit(child, 5)?;
        assert_eq!(verbs.state(child), ZOMBIE);
        assert_eq!(verbs.wait(parent, -1)?.1, 5 << 8);
        Ok(())
    }

    /// `thread_group`: neither handle on a leader tells of its early exit
    #[test]
    fn a_leader_that_exits_before_its_thread() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let leader = verbs.fork(init)?;
        let thread = verbs.thread(leader)?;
        let process = verbs.pidfd(leader)?;
        let of_leader = world.pidfd_open(Target::Task(leader), true, false)?;
        let of_thread = world.pidfd_open(Target::Task(thread), true, false)?;
        world.exit(leader, 0, false)?;
        for pidfd in [process, of_leader, of_thread] {
            assert_eq!(look(&world, pidfd)?, (0, None));
        }
        assert_eq!(
            world.pidfd_info(process, Some(init), true)?.pid,
            verbs.nr(leader, 0)
        );
        // To the dead leader alone nothing happens; to its process it does.
        let by = |pidfd, to| {
            let how = ByPidfd { to, info: None };
            world.kill(init, Kill::Pidfd(pidfd, how), SIGKILL)
        };
        by(of_leader, None)?;
        assert_eq!(verbs.state(thread), RUNNING);
        by(of_leader, Some(To::Process))?;
        assert_eq!(look(&world, of_thread)?, (IN | HUP, Some(SIGKILL)));
        for pidfd in [process, of_leader] {
            assert_eq!(look(&world, pidfd)?, (IN, None));
        }
        assert!(world
            .wait(init, Wanted::Pidfd(process, WEXITED))
            .errno()?
            .is_some());
        for pidfd in [process, of_leader] {
            assert_eq!(look(&world, pidfd)?, (IN | HUP, Some(SIGKILL)));
        }
        Ok(())
    }

    /// `thread_group_exec`, `thread_group_exec_thread`: the struct pid of the leader lives on
    #[test]
    fn a_thread_that_execs() -> Result {
        for leader_exits_first in [true, false] {
            let world = world()?;
            let verbs = Verbs(&world);
            let init = world.init();
            let leader = verbs.fork(init)?;
            let thread = verbs.thread(leader)?;
            let process = verbs.pidfd(leader)?;
            let of_leader = world.pidfd_open(Target::Task(leader), true, false)?;
            let of_thread = world.pidfd_open(Target::Task(thread), true, false)?;
            if leader_exits_first {
                world.exit(leader, 5, false)?;
            }
            world.exec(thread, &[b'x'; 16])?;
            // It is the old leader that has gone, with the number of the thread.
            let code = if leader_exits_first { 5 << 8 } else { 0 };
            assert_eq!(look(&world, of_thread)?, (IN | HUP, Some(code)));
            assert_eq!(look(&world, process)?, (0, None));
            assert_eq!(look(&world, of_leader)?, (0, None));
            world.kill(init, Kill::Pidfd(process, ByPidfd::default()), SIGKILL)?;
            assert_eq!(look(&world, of_leader)?, (IN, None));
            verbs.wait(init, -1)?;
            assert_eq!(look(&world, of_leader)?, (IN | HUP, Some(SIGKILL)));
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `wait_states`: stop, continue and exit by one handle
    #[test]
    fn all_that_a_wait_can_tell() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let child = verbs.fork(init)?;
        let pidfd = verbs.pidfd(child)?;
        let send = |signal| world.kill(init, Kill::Pidfd(pidfd, ByPidfd::default()), signal);
        let wait = |options| -> Result<(i32, i32)> {
            let report = world.wait(init, Wanted::Pidfd(pidfd, options | WNOHANG))?;
            Ok(report.map_or((0, 0), |report| (report.code, report.status)))
        };
        send(SIGSTOP)?;
        assert_eq!(wait(WSTOPPED)?, (CLD_STOPPED, SIGSTOP));
        send(SIGCONT)?;
        assert_eq!(wait(WCONTINUED)?, (CLD_CONTINUED, SIGCONT));
        assert_eq!(wait(WCONTINUED | WSTOPPED | WEXITED)?, (0, 0));
        send(SIGSTOP)?;
        assert_eq!(wait(WSTOPPED | WEXITED)?, (CLD_STOPPED, SIGSTOP));
        send(SIGKILL)?;
        assert_eq!(wait(WSTOPPED | WEXITED)?, (CLD_KILLED, SIGKILL));
        Ok(())
    }

    /// `nnp_sets_no_new_privs`, `autoreap_no_new_privs_unset`: a flag of no effect goes with both
    #[test]
    fn no_new_privileges() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        for flags in [NNP, NNP | AUTOREAP] {
            let (child, _) = verbs.clone(world.init(), flags, &[])?;
            assert_eq!(world.describe_task(child)?.exit_signal, exit_signal(flags));
        }
        assert!(verbs.clone(world.init(), NNP | THREAD_ALL, &[]).err() == Some(EINVAL));
        Ok(())
    }
}
