// SPDX-License-Identifier: GPL-2.0

//! sigaction(2): flags and masks, who has them, and what of them can be seen; sigprocmask(2).

use crate::{
    process::clone::flags::*,
    signal::kill::By,
    signal::sending::{Scope, Source},
    signal::sigaction::Action,
    support::{signals::*, state::*, world, Errno, Verbs},
    tree::pending::*,
    tree::sighand::Disposition::{self, *},
    tree::task::TaskId,
    uapi,
    world::World,
};
use kernel::prelude::*;

const RESTART: u32 = uapi::ALTPID_SA_RESTART;
const NODEFER: u32 = uapi::ALTPID_SA_NODEFER;
const RESETHAND: u32 = uapi::ALTPID_SA_RESETHAND;
const NOCLDSTOP: u32 = uapi::ALTPID_SA_NOCLDSTOP;
const NOCLDWAIT: u32 = uapi::ALTPID_SA_NOCLDWAIT;

fn action(disposition: Disposition, flags: u32, mask: &[i32]) -> Action {
    Action {
        disposition,
        flags,
        mask: SigSet::of(mask),
    }
}

/// What a task does about a signal.
fn of(world: &World, task: TaskId, signal: i32) -> Result<Action> {
    world.sigaction(task, signal, None).errno()
}

/// How often handlers have interrupted what a task was doing.
fn interrupts(world: &World, task: TaskId) -> Result<u32> {
    let tree = world.tree();
    let task = tree.find(task)?;
    Ok(tree.tasks()[task].interrupts())
}

#[kernel::macros::kunit_tests(altpid_sigaction)]
mod tests {
    use super::*;

    /// `do_sigaction()`: the old action with all that was set, of every signal
    #[test]
    fn all_of_it_is_given_back() -> Result {
        let world = world()?;
        let task = Verbs(&world).fork(world.init())?;
        let every = [
            action(Handler, RESTART | NODEFER, &[SIGHUP, 64]),
            action(Ignore, RESETHAND, &[]),
            action(Default, NOCLDSTOP | NOCLDWAIT, &[SIGTERM]),
            action(Handler, 0, &[SIGUSR1]),
            action(Handler, 0, &[]),
            action(Default, 0, &[]),
        ];
        for signal in [1, SIGCHLD, SIGUSR1, 63, 64] {
            let mut before = Default.into();
            for new in every {
                assert_eq!(world.sigaction(task, signal, Some(new))?, before);
                assert_eq!(of(&world, task, signal)?, new);
                before = new;
            }
            world.sigaction(task, signal, Some(every[0]))?;
        }
        // Each signal has its own.
        assert_eq!(of(&world, task, SIGTERM)?, Default.into());
        for signal in [1, SIGCHLD, SIGUSR1, 63, 64] {
            assert_eq!(of(&world, task, signal)?, every[0]);
        }
        // SIGKILL and SIGSTOP cannot be blocked by a handler either.
        let fixed = action(Handler, 0, &[SIGKILL, SIGSTOP, SIGHUP]);
        world.sigaction(task, SIGTERM, Some(fixed))?;
        assert_eq!(of(&world, task, SIGTERM)?.mask, SigSet::of(&[SIGHUP]));
        Ok(())
    }

    /// `copy_sighand()`, `flush_signal_handlers()`: a fork has a copy, who shares has the same, an
    /// exec forgets
    #[test]
    fn who_has_it() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let first = action(Handler, RESTART, &[SIGHUP]);
        let ignored = action(Ignore, NODEFER, &[SIGHUP]);
        world.sigaction(task, SIGTERM, Some(first))?;
        world.sigaction(task, SIGUSR1, Some(ignored))?;
        let copied = verbs.fork(task)?;
        let shared = verbs.clone(task, SIGHAND | VM, &[])?.0;
        let cleared = verbs.clone(task, CLEAR_SIGHAND, &[])?.0;
        let second = action(Handler, RESETHAND, &[]);
        assert_eq!(world.sigaction(copied, SIGTERM, Some(second))?, first);
        for (user, terminate, user_1) in [
            (task, first, ignored),
            (shared, first, ignored),
            (copied, second, ignored),
            (cleared, Default.into(), Ignore.into()),
        ] {
            assert_eq!(of(&world, user, SIGTERM)?, terminate);
            assert_eq!(of(&world, user, SIGUSR1)?, user_1);
        }
        world.sigaction(shared, SIGTERM, Some(second))?;
        assert_eq!(of(&world, task, SIGTERM)?, second);
        world.exec(shared, &[b'x'; 16])?;
        assert_eq!(of(&world, shared, SIGTERM)?, Default.into());
        assert_eq!(of(&world, shared, SIGUSR1)?, Ignore.into());
        assert_eq!(of(&world, task, SIGTERM)?, second);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `get_signal()`: `SA_ONESHOT`, which leaves flags and mask as they are
    #[test]
    fn a_handler_that_is_called_once() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let once = action(Handler, RESETHAND | RESTART, &[SIGHUP]);
        world.sigaction(task, SIGTERM, Some(once))?;
        // Nothing but a call of it undoes it.
        verbs.block(task, &[SIGTERM])?;
        world.kill_from(By::Outside, task, SIGTERM)?;
        assert_eq!(of(&world, task, SIGTERM)?, once);
        verbs.unblock(task, &[SIGTERM])?;
        assert_eq!(verbs.received(task)?.0, 1);
        let after = Action {
            disposition: Default,
            ..once
        };
        assert_eq!(of(&world, task, SIGTERM)?, after);
        world.kill_from(By::Outside, task, SIGTERM)?;
        assert_eq!(verbs.state(task), ZOMBIE);
        // Of two that wait the second one finds the default.
        let task = verbs.fork(world.init())?;
        world.sigaction(task, SIGRTMIN, Some(once))?;
        verbs.block(task, &[SIGRTMIN])?;
        world.kill_from(By::Outside, task, SIGRTMIN)?;
        world.kill_from(By::Outside, task, SIGRTMIN)?;
        verbs.unblock(task, &[SIGRTMIN])?;
        assert_eq!(verbs.state(task), ZOMBIE);
        // It is the same for everybody who has it in common.
        let task = verbs.fork(world.init())?;
        world.sigaction(task, SIGTERM, Some(once))?;
        let shared = verbs.clone(task, SIGHAND | VM, &[])?.0;
        world.kill_from(By::Outside, task, SIGTERM)?;
        assert_eq!(of(&world, shared, SIGTERM)?, after);
        world.kill_from(By::Outside, shared, SIGTERM)?;
        assert_eq!(verbs.state(shared), ZOMBIE);
        Ok(())
    }

    /// `handle_signal()`: of several handlers that are called at once the first one decides whether
    /// the system call goes on
    #[test]
    fn which_handler_interrupts() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let set = |signal, flags| {
            let new = action(Handler, flags, &[]);
            world.sigaction(task, signal, Some(new)).errno()
        };
        set(SIGUSR1, RESTART)?;
        set(SIGTERM, 0)?;
        world.kill_from(By::Outside, task, SIGUSR1)?;
        assert_eq!(interrupts(&world, task)?, 0);
        world.kill_from(By::Outside, task, SIGTERM)?;
        assert_eq!(interrupts(&world, task)?, 1);
        // What does not call a handler interrupts nothing.
        world.kill_from(By::Outside, task, SIGCHLD)?;
        assert_eq!(interrupts(&world, task)?, 1);
        let both = || -> Result {
            world.kill_from(By::Outside, task, SIGSTOP)?;
            // They are taken in the order of their numbers.
            world.kill_from(By::Outside, task, SIGTERM)?;
            world.kill_from(By::Outside, task, SIGUSR1)?;
            world.kill_from(By::Outside, task, SIGCONT)?;
            Ok(())
        };
        both()?;
        assert_eq!(interrupts(&world, task)?, 1);
        set(SIGUSR1, 0)?;
        set(SIGTERM, RESTART)?;
        both()?;
        assert_eq!(interrupts(&world, task)?, 2);
        assert_eq!(verbs.received(task)?.0, 6);
        Ok(())
    }

    /// `__set_task_blocked()`: what a thread was told of and blocks before it has taken it goes to another
    /// one (`retarget_shared_pending()`)
    #[test]
    fn what_is_blocked_before_it_is_taken_goes_to_another() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        let thread = verbs.thread(leader)?;
        verbs.sigaction(leader, SIGUSR1, Handler)?;
        {
            let mut held = world.tree();
            let tree = held.tree_mut();
            let index = tree.find(leader)?;
            tree.begin_hold();
            tree.send_checked(SIGUSR1, Source::Kernel, index, Scope::Process)
                .errno()?;
        }
        verbs.block(leader, &[SIGUSR1])?;
        let received = [leader, thread].map(|task| verbs.received(task).map(|r| r.0));
        assert!(received == [Ok(0), Ok(1)]);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `__set_current_blocked()`: nothing is looked at when nothing changes, so that a signal stays with
    /// the thread that was told of it
    #[test]
    fn a_mask_that_stays_takes_nothing() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let [leader, thread, child] = verbs.told_in_vfork(SIGUSR1)?;
        verbs.unblock(thread, &[SIGTERM])?;
        assert_eq!(verbs.received(thread)?.0, 0);
        verbs.exit(child, 0)?;
        assert_eq!(verbs.received(leader)?.0, 1);
        assert!(verbs.is_sound());
        Ok(())
    }
}
