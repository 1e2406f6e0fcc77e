// SPDX-License-Identifier: GPL-2.0

//! Signals: which thread takes one, what waits, and what is told.

use crate::{
    process::clone::flags::*,
    signal::kill::Kill,
    support::{signals::*, state::*, world, Errno, Verbs},
    tree::pending::*,
    tree::sighand::Disposition,
    tree::task::TaskId,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_taking)]
mod tests {
    use super::*;

    /// `legacy_queue()`, `collect_signal()`
    #[test]
    fn one_of_each_and_all_of_the_real_time() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let nr = verbs.nr(task, 0);
        let realtime = SIGRTMIN + 2;
        verbs.block(task, &[SIGUSR1, SIGTERM, realtime])?;
        for value in 1..=3 {
            for signal in [realtime, SIGUSR1, SIGTERM] {
                verbs.queue(task, nr, value, signal)?;
            }
        }
        let every = SigSet::from_bits(u64::MAX);
        // The lowest first, the real-time ones in order.
        for (signal, value) in [
            (SIGUSR1, 1),
            (SIGTERM, 1),
            (realtime, 1),
            (realtime, 2),
            (realtime, 3),
        ] {
            let info = world.sigwait(task, every, 0)?;
            assert_eq!((info.signo(), info.value()), (signal, value));
            assert_eq!((info.code(), info.pid()), (-1, nr));
        }
        assert!(world.sigwait(task, every, 0).errno().err() == Some(EAGAIN));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `__send_signal_locked()`: EAGAIN for sigqueue, none for kill
    #[test]
    fn too_many_real_time_signals() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let nr = verbs.nr(task, 0);
        verbs.block(task, &[SIGRTMIN, SIGRTMIN + 1])?;
        let mut sent = 0;
        while verbs.queue(task, nr, sent, SIGRTMIN).is_ok() {
            sent += 1;
            assert!(sent < 100_000);
        }
        assert!(verbs.queue(task, nr, sent, SIGRTMIN).err() == Some(EAGAIN));
        verbs.kill(task, nr, SIGRTMIN + 1)?;
        // What came along is lost, the signal is not.
        let info = world.sigwait(task, SigSet::of(&[SIGRTMIN + 1]), 0)?;
        assert_eq!((info.signo(), info.pid()), (SIGRTMIN + 1, 0));
        assert!(verbs.is_sound());
        verbs.exit(task, 0)?;
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_sigaction()`, POSIX 3.3.1.3
    #[test]
    fn what_is_ignored_is_forgotten() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let nr = verbs.nr(task, 0);
        verbs.block(task, &[SIGUSR1, SIGCHLD])?;
        verbs.kill(task, nr, SIGUSR1)?;
        verbs.kill(task, nr, SIGCHLD)?;
        verbs.sigaction(task, SIGUSR1, Disposition::Ignore)?;
        verbs.sigaction(task, SIGCHLD, Disposition::Default)?;
        assert!(verbs.pending(task)? == SigSet::EMPTY);
        for signal in [0, 65, SIGKILL, SIGSTOP] {
            let changed = verbs.sigaction(task, signal, Disposition::Ignore);
            assert!(changed.err() == Some(EINVAL));
        }
        assert!(world.sigaction(task, SIGKILL, None).is_ok());
        Ok(())
    }

    /// `complete_signal()`: whichever thread takes it
    #[test]
    fn a_signal_takes_all_threads() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let leader = verbs.fork(parent)?;
        let thread = verbs.thread(leader)?;
        let nr = verbs.nr(leader, 0);
        verbs.block(leader, &[SIGTERM])?;
        verbs.kill(parent, nr, SIGTERM)?;
        assert_eq!(verbs.state(leader), ZOMBIE);
        assert_eq!(verbs.state(thread), GONE);
        assert_eq!(verbs.wait(parent, -1)?, (nr, SIGTERM));
        // For one thread, which blocks it: it waits.
        let leader = verbs.fork(parent)?;
        let thread = verbs.thread(leader)?;
        let tid = verbs.nr(thread, 0);
        verbs.block(thread, &[SIGTERM])?;
        world.kill(parent, Kill::Tkill(tid), SIGTERM)?;
        assert_eq!(verbs.state(leader), RUNNING);
        verbs.unblock(thread, &[SIGTERM])?;
        assert_eq!(verbs.state(leader), ZOMBIE);
        Ok(())
    }

    /// `copy_sighand()`, `copy_signal()`; `flush_signal_handlers()` for CLONE_CLEAR_SIGHAND
    #[test]
    fn children_inherit_what_is_ignored_blocked_and_handled() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        verbs.sigaction(task, SIGUSR1, Disposition::Handler)?;
        verbs.sigaction(task, SIGTERM, Disposition::Ignore)?;
        verbs.block(task, &[SIGALRM])?;
        verbs.kill(task, verbs.nr(task, 0), SIGALRM)?;
        for (flags, handled) in [(0, true), (CLEAR_SIGHAND, false)] {
            let (child, _) = verbs.clone(task, flags, &[])?;
            let signals = world.describe_signals(child)?;
            assert_eq!(
                signals.handled,
                SigSet::of(&[SIGUSR1]).bits() * u64::from(handled)
            );
            assert_eq!(signals.ignored, SigSet::of(&[SIGTERM]).bits());
            assert_eq!(signals.blocked, SigSet::of(&[SIGALRM]).bits());
            assert_eq!((signals.pending, signals.shared), (0, 0));
        }
        Ok(())
    }

    /// `complete_signal()`: who has taken the last one is asked first (`curr_target`), unless the one
    /// that it was sent to takes it
    #[test]
    fn complete_signal_goes_on_where_it_was() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        let threads = [leader, verbs.thread(leader)?, verbs.thread(leader)?];
        let blocker = verbs.thread(leader)?;
        verbs.sigaction(leader, SIGUSR1, Disposition::Handler)?;
        let received = |thread: TaskId| verbs.received(thread).map(|received| received.0);
        let queue = || verbs.queue(leader, verbs.nr(blocker, 0), 0, SIGUSR1);
        for thread in [leader, threads[1], blocker] {
            verbs.block(thread, &[SIGUSR1])?;
        }
        queue()?;
        assert_eq!(received(threads[2])?, 1);
        for thread in [leader, threads[1]] {
            verbs.unblock(thread, &[SIGUSR1])?;
        }
        queue()?;
        assert_eq!(received(threads[2])?, 2);
        verbs.kill(leader, verbs.nr(threads[1], 0), SIGUSR1)?;
        queue()?;
        assert_eq!((received(threads[1])?, received(threads[2])?), (1, 3));
        // When it is gone, or does not want it any more, it is the turn of those behind it.
        verbs.block(threads[2], &[SIGUSR1])?;
        queue()?;
        assert_eq!(received(leader)?, 1);
        verbs.block(leader, &[SIGUSR1])?;
        queue()?;
        assert_eq!(received(threads[1])?, 2);
        world.exit(threads[1], 0, false)?;
        verbs.unblock(leader, &[SIGUSR1])?;
        verbs.unblock(threads[2], &[SIGUSR1])?;
        queue()?;
        assert_eq!((received(leader)?, received(threads[2])?), (1, 4));
        assert!(verbs.is_sound());
        Ok(())
    }
}
