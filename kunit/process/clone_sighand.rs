// SPDX-License-Identifier: GPL-2.0

//! What processes do about signals when they have that in common: `CLONE_SIGHAND` without
//! `CLONE_THREAD`, `CLONE_CLEAR_SIGHAND`, exec.

use crate::{
    process::clone::{flags::*, ParentArg},
    signal::kill::By,
    support::{signals::*, state, world, Verbs},
    tree::pending::{SIGCHLD, SIGSEGV},
    tree::sighand::Disposition::{self, *},
    tree::task::TaskId,
};
use kernel::prelude::*;

/// What a task does about a signal.
fn disposition(verbs: &Verbs<'_>, task: TaskId, signal: i32) -> Result<Disposition> {
    let action = verbs.0.sigaction(task, signal, None)?;
    Ok(action.disposition)
}

/// A child process that has its dispositions in common with its parent.
fn sharer(verbs: &Verbs<'_>, task: TaskId, flags: u64) -> Result<TaskId> {
    let (child, _) = verbs.clone(task, SIGHAND | VM | flags, &[])?;
    Ok(child)
}

#[kernel::macros::kunit_tests(altpid_clone_sighand)]
mod tests {
    use super::*;

    /// `copy_sighand()`
    #[test]
    fn in_common_or_a_copy() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        verbs.sigaction(task, SIGTERM, Handler)?;
        let shared = sharer(&verbs, task, 0)?;
        let copied = verbs.fork(task)?;
        let inner = sharer(&verbs, shared, NEWPID)?;
        let thread = verbs.thread(shared)?;
        assert!(verbs.is_sound());
        verbs.sigaction(inner, SIGTERM, Ignore)?;
        for user in [task, shared, inner, thread] {
            assert_eq!(disposition(&verbs, user, SIGTERM)?, Ignore);
        }
        assert_eq!(disposition(&verbs, copied, SIGTERM)?, Handler);
        // What is blocked and what is pending is everybody's own.
        verbs.block(task, &[SIGUSR1])?;
        world.kill_from(By::Outside, task, SIGUSR1)?;
        assert_eq!(world.describe_signals(shared)?.blocked, 0);
        verbs.sigaction(shared, SIGUSR1, Ignore)?;
        assert!(verbs.pending(task)?.contains(SIGUSR1));
        // Who goes leaves it to the others.
        verbs.exit(task, 0)?;
        verbs.exit(inner, 0)?;
        verbs.wait(world.init(), -1)?;
        assert_eq!(disposition(&verbs, shared, SIGTERM)?, Ignore);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `flush_signal_handlers()` of `CLONE_CLEAR_SIGHAND`
    #[test]
    fn cleared_but_for_what_is_ignored() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        verbs.sigaction(task, SIGTERM, Handler)?;
        verbs.sigaction(task, SIGUSR1, Ignore)?;
        let (child, _) = verbs.clone(task, CLEAR_SIGHAND, &[])?;
        assert_eq!(disposition(&verbs, child, SIGTERM)?, Default);
        assert_eq!(disposition(&verbs, child, SIGUSR1)?, Ignore);
        assert_eq!(disposition(&verbs, task, SIGTERM)?, Handler);
        let both = SIGHAND | VM | CLEAR_SIGHAND;
        assert!(verbs.clone(task, both, &[]).err() == Some(EINVAL));
        Ok(())
    }

    /// `unshare_sighand()`
    #[test]
    fn exec_ends_it() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        verbs.sigaction(task, SIGTERM, Handler)?;
        verbs.sigaction(task, SIGUSR1, Ignore)?;
        let shared = sharer(&verbs, task, 0)?;
        let thread = verbs.thread(shared)?;
        world.exec(thread, &[b'x'; 16])?;
        assert!(verbs.is_sound());
        assert_eq!(disposition(&verbs, thread, SIGTERM)?, Default);
        assert_eq!(disposition(&verbs, thread, SIGUSR1)?, Ignore);
        assert_eq!(disposition(&verbs, task, SIGTERM)?, Handler);
        verbs.sigaction(thread, SIGALRM, Handler)?;
        assert_eq!(disposition(&verbs, task, SIGALRM)?, Default);
        // The last one that has it keeps it.
        world.exec(task, &[b'y'; 16])?;
        assert_eq!(disposition(&verbs, task, SIGTERM)?, Default);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `zap_pid_ns_processes()`, `force_sig_info_to_task()`: what the kernel changes, it changes for
    /// all of them
    #[test]
    fn what_the_kernel_does_to_one() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let container = sharer(&verbs, task, NEWPID)?;
        verbs.fork(container)?;
        let child = verbs.fork(task)?;
        verbs.exit(container, 0)?;
        assert_eq!(disposition(&verbs, task, SIGCHLD)?, Ignore);
        verbs.exit(child, 0)?;
        assert_eq!(verbs.state(child), state::GONE);

        verbs.sigaction(task, SIGSEGV, Ignore)?;
        let victim = sharer(&verbs, task, 0)?;
        world.kill_from(By::Fault, victim, SIGSEGV)?;
        assert_eq!(disposition(&verbs, task, SIGSEGV)?, Default);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// A restorer's parent does not matter: it is the caller's that are shared
    #[test]
    fn of_the_caller_not_of_the_parent() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (caller, parent) = (verbs.fork(world.init())?, verbs.fork(world.init())?);
        let parent = ParentArg::Task(parent);
        let child = verbs.clone_with(caller, SIGHAND | VM, SIGCHLD, &[], parent);
        verbs.sigaction(child?.0, SIGTERM, Handler)?;
        assert_eq!(disposition(&verbs, caller, SIGTERM)?, Handler);
        assert!(verbs.clone(caller, SIGHAND, &[]).err() == Some(EINVAL));
        Ok(())
    }
}
