// SPDX-License-Identifier: GPL-2.0

//! A caller works off what it has queued, with what comes of it, and not what others have queued. What the
//! others have queued here nobody works off, until the test asks for it.

use crate::{
    process::wait::WNOHANG,
    signal::sending::{Scope, Source},
    support::{
        many,
        signals::{SIGTERM, SIGUSR1},
        state::*,
        world_of, Errno, Verbs,
    },
    tree::pending::SIGKILL,
    tree::sighand::Disposition,
    tree::task::TaskId,
    world::World,
};
use kernel::{prelude::*, sync::Arc};

/// A world in which a process with so many children is killed, which nobody has worked off yet; the id of
/// that process.
fn killed(count: usize) -> Result<(Arc<World>, TaskId)> {
    let world = world_of(count + 300, 100)?;
    world.root().set_pid_max(1 << 22)?;
    let verbs = Verbs(&world);
    let init = verbs.container(world.init())?;
    for _ in 0..count {
        verbs.fork(init)?;
    }
    {
        let mut held = world.tree();
        let tree = held.tree_mut();
        let group = tree.tasks()[tree.find(init)?].group();
        tree.begin_hold();
        tree.begin_group_exit(group, SIGKILL);
    }
    Ok((world, init))
}

/// A world with a process that has been told of a signal that it has a handler for, and has not taken it
/// yet; its id. It has one for SIGTERM as well.
fn told() -> Result<(Arc<World>, TaskId)> {
    let world = world_of(300, 100)?;
    let verbs = Verbs(&world);
    let task = verbs.fork(world.init())?;
    verbs.sigaction(task, SIGUSR1, Disposition::Handler)?;
    verbs.sigaction(task, SIGTERM, Disposition::Handler)?;
    {
        let mut held = world.tree();
        let tree = held.tree_mut();
        let index = tree.find(task)?;
        tree.begin_hold();
        tree.send_checked(SIGUSR1, Source::Kernel, index, Scope::Process)
            .errno()?;
    }
    assert_eq!(verbs.received(task)?.0, 0);
    Ok((world, task))
}

/// Works off everything; whether there was anything.
fn work_off(world: &World) -> bool {
    let tree = world.work();
    let had_work = tree.has_work();
    tree.work_off_all();
    assert!(!world.tree().has_work());
    had_work
}

#[kernel::macros::kunit_tests(altpid_hold_shares)]
mod tests {
    use super::*;

    /// `do_exit()`, `do_wait()`: neither goes on with a large exit that is another caller's
    #[test]
    fn a_small_exit_beside_a_large_one() -> Result {
        let (world, init) = killed(many(5000))?;
        let verbs = Verbs(&world);
        for code in 1..4 {
            let child = verbs.fork(world.init())?;
            verbs.exit(child, code)?;
            assert_eq!(verbs.state(child), ZOMBIE);
            let reaped = verbs.wait4(world.init(), -1, WNOHANG)?;
            assert_eq!(reaped.map(|report| report.child), Some(child));
        }
        assert_eq!(verbs.wait(world.init(), -1)?, (0, 0));
        assert!(work_off(&world));
        assert_eq!(verbs.state(init), ZOMBIE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `setpgid()`, `fork()`: who queues nothing does nothing for others
    #[test]
    fn who_causes_nothing_works_nothing_off() -> Result {
        let (world, init) = killed(1)?;
        let verbs = Verbs(&world);
        let child = verbs.fork(world.init())?;
        verbs.setpgid(child, 0, 0)?;
        assert_eq!(verbs.state(init), RUNNING);
        assert!(work_off(&world));
        assert_eq!(verbs.state(init), ZOMBIE);
        Ok(())
    }

    /// `copy_process()`: who clones takes first what waits, also what somebody else has queued
    #[test]
    fn what_waits_already() -> Result {
        let (world, task) = told()?;
        let verbs = Verbs(&world);
        verbs.fork(task)?;
        assert_eq!(verbs.received(task)?.0, 1);
        assert!(!work_off(&world));
        Ok(())
    }

    /// `complete_signal()`: a thread that was told of a signal is not told of the next one, and has taken
    /// both when the second kill returns
    #[test]
    fn another_signal_for_one_that_was_told() -> Result {
        let (world, task) = told()?;
        let verbs = Verbs(&world);
        verbs.kill(world.init(), verbs.nr(task, 0), SIGTERM)?;
        assert_eq!(verbs.received(task)?.0, 2);
        assert!(!work_off(&world));
        Ok(())
    }

    /// `kill()`: a signal for many waits for nothing and is waited for
    #[test]
    fn a_signal_for_many_beside_a_large_exit() -> Result {
        let (world, init) = killed(many(5000))?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        verbs.setpgid(leader, 0, 0)?;
        let member = verbs.fork(leader)?;
        verbs.kill(world.init(), -verbs.nr(leader, 0), SIGKILL)?;
        assert_eq!([leader, member].map(|task| verbs.state(task)), [ZOMBIE; 2]);
        work_off(&world);
        assert_eq!(verbs.state(init), ZOMBIE);
        assert!(verbs.is_sound());
        Ok(())
    }
}
