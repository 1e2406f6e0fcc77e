// SPDX-License-Identifier: GPL-2.0

//! How long the tree lock is held. The last suite: what it looks at are all the others.

use crate::world::hold;
use kernel::prelude::*;

#[kunit_tests(altpid_hold)]
mod tests {
    use super::*;

    /// Native bounds a hold of `tasklist_lock` by RLIMIT_NPROC and pid_max only.
    #[test]
    fn no_hold_is_longer_than_the_bound() {
        let (steps, at) = hold::longest().unwrap_or((0, core::panic::Location::caller()));
        pr_info!(
            "altpid: longest hold: {} of at most {} steps, at {}:{}\n",
            steps,
            hold::BOUND,
            at.file(),
            at.line()
        );
        assert!(steps > 0);
        assert!(steps <= hold::BOUND);
    }
}
