// SPDX-License-Identifier: GPL-2.0

//! sigtimedwait(2): what it takes, and what ends its sleep.

use crate::{
    signal::kill::By,
    support::{signals::*, world, Errno, Verbs},
    tree::pending::*,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_sigwait)]
mod tests {
    use super::*;

    /// `do_sigtimedwait()`: a signal that was left to another thread, which has not taken it, ends the
    /// sleep (`recalc_sigpending()`); without a look at it this would end with EAGAIN
    #[test]
    fn what_another_thread_was_told_of_ends_the_sleep() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let [leader, thread, child] = verbs.told_in_vfork(SIGUSR1)?;
        assert_eq!(
            (verbs.received(leader)?.0, verbs.received(thread)?.0),
            (0, 0)
        );
        let waited = world.sigwait(thread, SigSet::of(&[SIGTERM]), 2).errno();
        assert!(waited.err() == Some(EINTR));
        assert_eq!(
            (verbs.received(leader)?.0, verbs.received(thread)?.0),
            (0, 1)
        );
        verbs.exit(child, 0)?;
        assert_eq!(verbs.received(leader)?.0, 0);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_sigtimedwait()`: with nothing there, EAGAIN when the time is over; what waits is taken at once
    #[test]
    fn time_passes() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        verbs.block(task, &[SIGTERM])?;
        let wait = || world.sigwait(task, SigSet::of(&[SIGTERM]), 2).errno();
        assert!(wait().err() == Some(EAGAIN));
        world.kill_from(By::Outside, task, SIGTERM)?;
        assert!(wait().is_ok());
        assert!(wait().err() == Some(EAGAIN));
        assert!(verbs.is_sound());
        Ok(())
    }
}
