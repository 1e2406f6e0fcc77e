// SPDX-License-Identifier: GPL-2.0

//! What the file of a namespace is asked: its parent, and numbers from there and in there.

use crate::{
    ask::nsfs::Direction::{self, From, In},
    pid::registry::NsId,
    pid::PidType::{self, Pid, Tgid},
    support::{world, Errno, Verbs},
    tree::task::TaskId,
    world::World,
};
use kernel::prelude::*;

/// Three levels with an init each, and a process with a second thread in the innermost.
struct Levels {
    inits: [TaskId; 3],
    namespaces: [NsId; 3],
    process: TaskId,
    thread: TaskId,
    /// In a namespace beside the one of level 1.
    sibling: TaskId,
}

impl Levels {
    fn new(world: &World) -> Result<Self> {
        let verbs = Verbs(world);
        let outer = verbs.container(world.init())?;
        let inner = verbs.container(outer)?;
        let process = verbs.fork(inner)?;
        let inits = [world.init(), outer, inner];
        Ok(Self {
            inits,
            namespaces: [verbs.ns(inits[0])?, verbs.ns(outer)?, verbs.ns(inner)?],
            process,
            thread: verbs.thread(process)?,
            sibling: verbs.container(world.init())?,
        })
    }
}

/// Who asks which namespace for which number, how, and what comes of it.
type Case = (TaskId, NsId, i32, Direction, PidType, Option<i32>);

#[kernel::macros::kunit_tests(altpid_nsfs)]
mod tests {
    use super::*;

    /// `pidns_get_parent()`: EPERM unless the parent is the active namespace of the caller or below,
    /// and for the initial one
    #[test]
    fn the_parent_of_a_namespace() -> Result {
        let world = world()?;
        let levels = Levels::new(&world)?;
        let sibling = Verbs(&world).ns(levels.sibling)?;
        let [root, outer, inner] = levels.namespaces;
        let [init, outer_init, inner_init] = levels.inits;
        let cases = [
            (init, root, None),
            (init, outer, Some(root)),
            (init, inner, Some(outer)),
            (init, sibling, Some(root)),
            (outer_init, root, None),
            (outer_init, outer, None),
            (outer_init, inner, Some(outer)),
            (outer_init, sibling, None),
            (inner_init, inner, None),
            (inner_init, outer, None),
            (levels.sibling, inner, None),
        ];
        for (task, ns, parent) in cases {
            let found = world.pidns_parent(task, ns).errno();
            assert!(found == parent.ok_or(EPERM));
        }
        // It is the active namespace that counts, not where children are born.
        world.setns(init, inner)?;
        assert!(world.pidns_parent(init, outer).errno() == Ok(root));
        assert!(world.pidns_parent(init, NsId::from_raw(4711)).errno() == Err(ENOENT));
        assert!(world.pidns_parent(TaskId::from_raw(4711), outer).errno() == Err(ESRCH));
        Ok(())
    }

    /// `ns_ioctl()`: NS_GET_PID_FROM_PIDNS, TGID_FROM_PIDNS, PID_IN_PIDNS, TGID_IN_PIDNS; ESRCH for
    /// whom there is not, and for who is not visible
    #[test]
    fn numbers_from_and_in_a_namespace() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let levels = Levels::new(&world)?;
        let [root, outer, inner] = levels.namespaces;
        let [init, outer_init, inner_init] = levels.inits;
        let nr = |task, level| verbs.nr(task, level);
        let (process, thread) = (levels.process, levels.thread);
        let cases: &[Case] = &[
            (init, inner, 1, From, Pid, Some(nr(inner_init, 0))),
            (init, inner, nr(thread, 2), From, Pid, Some(nr(thread, 0))),
            (init, inner, nr(thread, 2), From, Tgid, Some(nr(process, 0))),
            (
                outer_init,
                inner,
                nr(thread, 2),
                From,
                Pid,
                Some(nr(thread, 1)),
            ),
            (init, inner, nr(thread, 0), In, Pid, Some(nr(thread, 2))),
            (init, inner, nr(thread, 0), In, Tgid, Some(nr(process, 2))),
            (
                outer_init,
                inner,
                nr(process, 1),
                In,
                Pid,
                Some(nr(process, 2)),
            ),
            (
                process,
                inner,
                nr(process, 2),
                In,
                Pid,
                Some(nr(process, 2)),
            ),
            // Upwards as well: a namespace above knows those below.
            (process, root, nr(process, 2), In, Pid, Some(nr(process, 0))),
            (
                process,
                root,
                nr(process, 0),
                From,
                Pid,
                Some(nr(process, 2)),
            ),
            // Not visible: the caller's own parent there, and a sibling's.
            (process, outer, 1, From, Pid, None),
            (init, outer, 1, In, Pid, None),
            (init, outer, nr(levels.sibling, 0), In, Pid, None),
            (levels.sibling, inner, 1, From, Pid, None),
            // Nobody.
            (init, inner, 77, From, Pid, None),
            (init, inner, 77, In, Tgid, None),
            (init, inner, 0, From, Pid, None),
            (init, inner, -1, In, Pid, None),
            (init, inner, i32::MIN, From, Tgid, None),
        ];
        for &(task, ns, number, direction, kind, expected) in cases {
            let found = world.pidns_nr(task, ns, number, direction, kind).errno();
            assert!(found == expected.ok_or(ESRCH));
        }
        // A zombie has its number still; the number of a group is no task's.
        verbs.setsid(process)?;
        let member = verbs.fork(process)?;
        let (at_root, inside) = (nr(process, 0), nr(process, 2));
        verbs.exit(process, 0)?;
        let find = || world.pidns_nr(init, inner, inside, From, Pid).errno();
        assert!(find() == Ok(at_root));
        verbs.wait(inner_init, -1)?;
        assert!(find() == Err(ESRCH));
        assert_eq!(world.describe_task(member)?.sid[2], inside);
        Ok(())
    }
}
