// SPDX-License-Identifier: GPL-2.0

//! Handles on tasks: what it means that they are open, how many there may be, and closing.

use crate::{
    process::clone::flags::*,
    suites::process::pidfd::{clone_pidfd, exit_code},
    support::{state, world, world_of, Errno, Verbs},
    tree::handles::PidfdId,
    tree::pending::SIGKILL,
    uapi,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_pidfd_close)]
mod tests {
    use super::*;

    /// `pidfs_file_release()`: `SEND_SIG_PRIV`, so that also an init dies
    #[test]
    fn the_last_close_kills() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let kind = AUTOREAP | PIDFD_AUTOKILL;
        let (container, pidfd) = clone_pidfd(&world, init, kind | NEWPID)?;
        let member = verbs.fork(container)?;
        let (thread, _) = clone_pidfd(&world, container, THREAD | SIGHAND | VM)?;
        // One that is opened otherwise is not armed, whatever it is for.
        let other = verbs.pidfd(container)?;
        world.pidfd_close(other)?;
        assert_eq!(verbs.state(container), state::RUNNING);
        let watch = verbs.pidfd(container)?;
        world.pidfd_close(pidfd)?;
        for task in [container, member, thread] {
            assert_eq!(verbs.state(task), state::GONE);
        }
        assert_eq!(exit_code(&world, watch)?, Some(SIGKILL));
        // Nothing is killed by the handle of who is gone already.
        let (child, pidfd) = clone_pidfd(&world, init, kind)?;
        let nr = verbs.nr(child, 0);
        verbs.exit(child, 0)?;
        let (again, _) = verbs.clone(init, 0, &[nr])?;
        world.pidfd_close(pidfd)?;
        assert_eq!(verbs.state(again), state::RUNNING);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `alloc_fd()`: `EMFILE`, and nothing is changed
    #[test]
    fn as_many_as_the_world_may_have() -> Result {
        let world = world_of(3, 4)?;
        let verbs = Verbs(&world);
        let init = world.init();
        let mut pidfd = PidfdId::NOTHING;
        for _ in 0..3 {
            pidfd = verbs.pidfd(init)?;
        }
        assert!(verbs.pidfd(init).err() == Some(EMFILE));
        let before = (world.describe().tasks, world.root().nr_pids());
        assert!(clone_pidfd(&world, init, 0).err() == Some(EMFILE));
        assert!(clone_pidfd(&world, init, NEWPID).err() == Some(EMFILE));
        assert_eq!((world.describe().tasks, world.root().nr_pids()), before);
        assert_eq!(world.describe().namespaces, 1);
        world.pidfd_close(pidfd)?;
        clone_pidfd(&world, init, 0)?;
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `put_pid()`: an open handle on a reaped task keeps its namespace, and its place in the limit
    #[test]
    fn it_keeps_a_dead_namespace() -> Result {
        let world = world_of(10, 2)?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (container, pidfd) = clone_pidfd(&world, init, NEWPID)?;
        let ns = verbs.ns(container)?;
        verbs.exit(container, 0)?;
        verbs.wait(init, -1)?;
        assert!(verbs.container(init).err() == Some(ENOSPC));
        assert_eq!(world.namespace(ns)?.state(), uapi::ALTPID_NS_DEAD);
        // What holds it is told.
        let mut holder = None;
        let end = world.list_blockers(&*world.namespace(ns)?, 0, &mut |blocker| {
            holder = Some(blocker);
            true
        });
        assert!(end.is_none());
        let holder = holder.ok_or(EINVAL)?;
        assert_eq!(holder.reason, uapi::ALTPID_BLOCKER_PIDFD);
        assert_eq!(
            (holder.other, holder.task, holder.nr),
            (pidfd.to_raw(), 0, 1)
        );
        world.pidfd_close(pidfd)?;
        assert!(world.namespace(ns).errno().err() == Some(ENOENT));
        verbs.container(init)?;
        Ok(())
    }
}
