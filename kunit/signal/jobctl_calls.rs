// SPDX-License-Identifier: GPL-2.0

//! Stops of a process while calls of its threads defer them.

use crate::{
    process::wait::*,
    signal::kill::{By, Kill},
    signal::sending::{Scope, Source},
    support::{signals::*, state::*, world, Verbs},
    tree::pending::*,
    tree::sighand::Disposition,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_jobctl_calls)]
mod tests {
    use super::*;

    /// `do_signal_stop()`, `task_participate_group_stop()`: a thread at work in a call stops when that is over,
    /// and only then the process has stopped
    #[test]
    fn a_call_defers_a_stop() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (parent, child) = verbs.family()?;
        let thread = verbs.thread(child)?;
        let (call, tree, _) = world.enter(thread)?;
        drop(tree);
        world.kill(parent, Kill::Task(child), SIGSTOP)?;
        assert_eq!(verbs.state(child), STOPPED);
        assert_eq!(verbs.state(thread), RUNNING);
        assert_eq!(Verbs(&world).word(parent, WUNTRACED)?, 0);
        assert!(verbs.is_sound());
        drop(call);
        assert_eq!(verbs.state(thread), STOPPED);
        assert_eq!(Verbs(&world).word(parent, WUNTRACED)?, SIGSTOP << 8 | 0x7f);
        // The last thread that deferred it dies instead.
        world.kill(parent, Kill::Task(child), SIGCONT)?;
        let (call, tree, _) = world.enter(thread)?;
        drop(tree);
        world.kill(parent, Kill::Task(child), SIGSTOP)?;
        world.kill(parent, Kill::Task(child), SIGKILL)?;
        drop(call);
        assert_eq!(Verbs(&world).word(parent, 0)?, SIGKILL);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `zap_other_threads()`: `group_stop_count` is 0 again when a thread calls exec
    #[test]
    fn an_exec_cancels_a_stop() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (parent, child) = verbs.family()?;
        let thread = verbs.thread(child)?;
        for (is_continued, told) in [(false, 0), (true, 0xffff)] {
            if is_continued {
                world.kill(parent, Kill::Task(child), SIGSTOP)?;
                world.kill(parent, Kill::Task(child), SIGCONT)?;
            }
            let (call, tree, index) = world.enter(thread)?;
            drop(tree);
            world.kill(parent, Kill::Task(child), SIGSTOP)?;
            let mut tree = world.work();
            let group = tree.tasks()[index].group();
            tree.cancel_stop(group);
            drop(tree);
            drop(call);
            assert_eq!(verbs.state(child), RUNNING);
            assert_eq!(verbs.state(thread), RUNNING);
            assert_eq!(Verbs(&world).word(parent, WUNTRACED)?, 0);
            assert_eq!(Verbs(&world).word(parent, WCONTINUED)?, told);
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `wants_signal()`: `TIF_SIGPENDING`, which a signal during the clone has set, is set in
    /// `wait_for_vfork_done()`
    #[test]
    fn a_signal_before_the_sleep_in_vfork() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (parent, caller) = verbs.family()?;
        let child = verbs.fork(caller)?;
        verbs.sigaction(caller, SIGUSR1, Disposition::Handler)?;
        for is_told in [false, true] {
            let (call, tree, index) = world.enter(caller)?;
            let stops = tree.group_of(index).nr_stops();
            drop(tree);
            if is_told {
                world.kill(parent, Kill::Task(caller), SIGUSR1)?;
            }
            let mut tree = world.work();
            let of_child = tree.find(child)?;
            tree.begin_vfork(index, of_child, stops);
            call.leave_to_others();
            assert_eq!(tree.has_been_told(index), is_told);
            tree.end_vfork_of(of_child);
            drop(tree);
            assert_eq!(verbs.received(caller)?.0, u32::from(is_told));
        }
        Ok(())
    }
    /// `copy_process()`: `recalc_sigpending()` takes `TIF_SIGPENDING` back when what it was set for is gone
    #[test]
    fn a_signal_that_is_gone_before_the_sleep_in_vfork() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (_, caller) = verbs.family()?;
        let child = verbs.fork(caller)?;
        let mut tree = world.work();
        let (task, of_child) = (tree.find(caller)?, tree.find(child)?);
        // SIGCONT undoes the other one, before the task has its turn.
        for signal in [SIGTTIN, SIGCONT] {
            tree.send(signal, Source::Kernel, task, Scope::Process)?;
        }
        let was_told = tree.has_been_told(task);
        tree.recalc_sigpending(task);
        let stops = tree.group_of(task).nr_stops();
        tree.begin_vfork(task, of_child, stops);
        drop(tree);
        let tree = world.tree();
        let is_told = tree.has_been_told(task);
        drop(tree);
        assert!(was_told && !is_told);
        // So one that kills does so at once.
        world.kill_from(By::Outside, caller, SIGTERM)?;
        assert_eq!(verbs.state(caller), ZOMBIE);
        assert!(verbs.is_sound());
        Ok(())
    }
}
