// SPDX-License-Identifier: GPL-2.0

//! Subreapers, parent-death signals, and reboot of a namespace.

use crate::{
    kill::Kill,
    pending::*,
    support::{signals::*, state::*, world, Errno, Verbs},
    task::Disposition,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_reaper)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_subreaper_gets_orphans() -> Result {
        // find_new_reaper()
        let world = world()?;
        let verbs = Verbs(&world);
        let outer = verbs.fork(world.init())?;
        let inner = verbs.fork(outer)?;
        let father = verbs.fork(inner)?;
        let orphan = verbs.fork(father)?;
        verbs.set_subreaper(outer, true)?;
        verbs.set_subreaper(inner, true)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(orphan), inner);
        // One that is no longer wants none.
        verbs.set_subreaper(inner, false)?;
        let father = verbs.fork(inner)?;
        let second = verbs.fork(father)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(second), outer);
        verbs.exit(inner, 0)?;
        assert_eq!(verbs.parent(orphan), outer);
        verbs.exit(outer, 0)?;
        assert_eq!(verbs.parent(orphan), world.init());
        assert!(verbs.is_sound());
        Ok(())
    }

    #[test]
    fn its_live_threads_get_them() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let reaper = verbs.fork(world.init())?;
        let thread = verbs.thread(reaper)?;
        verbs.set_subreaper(thread, true)?;
        let father = verbs.fork(thread)?;
        let orphan = verbs.fork(father)?;
        world.exit(reaper, 0, false)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(orphan), thread);
        Ok(())
    }

    #[test]
    fn a_subreaper_of_another_level_gets_none() -> Result {
        // task_pid(reaper)->level == ns_level
        let world = world()?;
        let verbs = Verbs(&world);
        let outer = verbs.fork(world.init())?;
        verbs.set_subreaper(outer, true)?;
        let init = verbs.container(outer)?;
        let father = verbs.fork(init)?;
        let orphan = verbs.fork(father)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(orphan), init);
        // One inside does.
        let inner = verbs.fork(init)?;
        verbs.set_subreaper(inner, true)?;
        let father = verbs.fork(inner)?;
        let orphan = verbs.fork(father)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(orphan), inner);
        // Who was injected has its parent outside, and its own orphans go to init.
        world.setns(outer, verbs.ns(init)?)?;
        let injected = verbs.fork(outer)?;
        let orphan = verbs.fork(injected)?;
        verbs.exit(injected, 0)?;
        assert_eq!(verbs.parent(orphan), init);
        Ok(())
    }

    #[test]
    fn a_fork_does_not_inherit_it() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let reaper = verbs.fork(world.init())?;
        verbs.set_subreaper(reaper, true)?;
        let child = verbs.fork(reaper)?;
        let father = verbs.fork(child)?;
        let orphan = verbs.fork(father)?;
        verbs.exit(father, 0)?;
        assert_eq!(verbs.parent(orphan), reaper);
        Ok(())
    }

    #[test]
    fn a_signal_for_the_death_of_the_parent() -> Result {
        // forget_original_parent(): of the thread that is the parent
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let thread = verbs.thread(parent)?;
        let (child, other) = (verbs.fork(thread)?, verbs.fork(parent)?);
        for task in [child, other] {
            verbs.set_pdeath_signal(task, SIGTERM)?;
            verbs.sigaction(task, SIGTERM, Disposition::Handler)?;
        }
        let nr = verbs.nr(parent, 0);
        world.exit(thread, 0, false)?;
        let (count, info) = verbs.received(child)?;
        assert_eq!((count, info.signo, info.pid), (1, SIGTERM, nr));
        assert_eq!(verbs.received(other)?.0, 0);
        // A second parent is one as well.
        verbs.exit(parent, 0)?;
        assert_eq!(verbs.received(child)?.0, 2);
        assert_eq!(verbs.received(other)?.0, 1);
        for signal in [65, 1000] {
            assert!(verbs.set_pdeath_signal(child, signal).err() == Some(EINVAL));
        }
        Ok(())
    }

    #[test]
    fn it_kills_and_is_not_inherited() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let child = verbs.fork(parent)?;
        verbs.set_pdeath_signal(child, SIGKILL)?;
        let grandchild = verbs.fork(child)?;
        verbs.exit(parent, 0)?;
        assert_eq!(verbs.state(child), ZOMBIE);
        assert_eq!(verbs.state(grandchild), RUNNING);
        assert!(verbs.is_sound());
        Ok(())
    }

    #[test]
    fn an_init_is_hit_from_above_only() -> Result {
        // SEND_SIG_NOINFO: forced when the parent is not visible, which is always so for an init
        let world = world()?;
        let verbs = Verbs(&world);
        for (signal, state) in [(SIGKILL, ZOMBIE), (SIGTERM, RUNNING)] {
            let parent = verbs.fork(world.init())?;
            let init = verbs.container(parent)?;
            verbs.set_pdeath_signal(init, signal)?;
            verbs.exit(parent, 0)?;
            assert_eq!(verbs.state(init), state);
        }
        Ok(())
    }

    #[test]
    fn reboot() -> Result {
        // reboot_pid_ns(): (command, what the parent of init sees)
        const CASES: [(u32, i32); 4] = [
            (0x0123_4567, SIGHUP),
            (0xa1b2_c3d4, SIGHUP),
            (0x4321_fedc, SIGINT),
            (0xcdef_0123, SIGINT),
        ];
        for (command, status) in CASES {
            let world = world()?;
            let verbs = Verbs(&world);
            let init = verbs.container(world.init())?;
            let member = verbs.fork(init)?;
            let nested = verbs.container(member)?;
            let other = verbs.fork(nested)?;
            assert!(world.reboot(member, 0).errno().err() == Some(EINVAL));
            assert!(world.reboot(world.init(), command).errno().err() == Some(EBUSY));
            world.reboot(member, command)?;
            for task in [member, nested, other] {
                assert_eq!(verbs.state(task), GONE);
            }
            assert_eq!(verbs.wait(world.init(), -1)?, (2, status));
            assert!(verbs.is_sound());
        }
        // By init itself.
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        world.reboot(init, 0x0123_4567)?;
        assert_eq!(verbs.wait(world.init(), -1)?, (2, SIGHUP));
        // Nobody else is hit by the outer one's.
        let outside = verbs.fork(world.init())?;
        world.kill(Kill::Task(world.init(), outside), 0)?;
        Ok(())
    }
}
