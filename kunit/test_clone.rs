// SPDX-License-Identifier: GPL-2.0

//! clone3: which flags go together, and what a child inherits.

use crate::{
    clone::{flags::*, ParentArg},
    pending::SIGCHLD,
    support::{world, world_of, Verbs},
    uapi,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_clone)]
mod tests {
    use super::*;

    const THREAD_ALL: u64 = THREAD | SIGHAND | VM;
    const VFORK: u64 = kernel::bindings::CLONE_VFORK as u64;

    #[test]
    fn flags_that_go_together() -> Result {
        // clone3_args_valid(), copy_process(): (flags, exit signal, allowed)
        let cases: &[(u64, i32, bool)] = &[
            (0, SIGCHLD, true),
            (0, 0, true),
            (0, 64, true),
            (0, 65, false),
            (0, 255, false),
            (0, 256, false),
            (0, -1, false),
            (THREAD, 0, false),
            (THREAD | VM, 0, false),
            (SIGHAND, SIGCHLD, false),
            (SIGHAND | VM, SIGCHLD, true),
            (THREAD_ALL, 0, true),
            (THREAD_ALL, SIGCHLD, false),
            (THREAD_ALL | NEWPID, 0, false),
            (THREAD_ALL | NEWUSER, 0, false),
            (VM | NEWPID, SIGCHLD, true),
            (VM | VFORK | NEWPID, SIGCHLD, true),
            (SIGHAND | VM | CLEAR_SIGHAND, SIGCHLD, false),
            (CLEAR_SIGHAND, SIGCHLD, true),
            (PARENT, SIGCHLD, false),
            (PARENT, 0, true),
            (PARENT | NEWPID, 0, true),
            (AUTOREAP, 0, true),
            (AUTOREAP, SIGCHLD, false),
            (AUTOREAP | PARENT, 0, false),
            (AUTOREAP | THREAD_ALL, 0, false),
            (AUTOREAP | NEWPID, 0, true),
            (NNP, SIGCHLD, true),
            (NNP | AUTOREAP | PIDFD | PIDFD_AUTOKILL, 0, true),
            (AUTOREAP | PIDFD | PIDFD_AUTOKILL | THREAD_ALL, 0, false),
            (NNP | THREAD_ALL, 0, false),
            (PIDFD_AUTOKILL, 0, false),
            (PIDFD_AUTOKILL | PIDFD, 0, false),
            (PIDFD_AUTOKILL | AUTOREAP, 0, false),
            (PIDFD_AUTOKILL | PIDFD | AUTOREAP, 0, true),
            (PIDFD | DETACHED, SIGCHLD, false),
            (DETACHED, SIGCHLD, false),
            (1, SIGCHLD, false),
            (1 << 63, SIGCHLD, false),
            (1 << 38, SIGCHLD, false),
            (NEWNS | FS, SIGCHLD, false),
            (NEWUSER | FS, SIGCHLD, false),
            (NEWIPC | SYSVSEM, SIGCHLD, false),
            (NEWTIME, SIGCHLD, true),
            (EMPTY_MNTNS | INTO_CGROUP, SIGCHLD, true),
        ];
        let world = world()?;
        let verbs = Verbs(&world);
        let caller = verbs.fork(world.init())?;
        for &(flags, signal, allowed) in cases {
            let before = world.describe().tasks;
            let result = verbs.clone_with(caller, flags, signal, &[], ParentArg::Native);
            assert_eq!(result.err(), if allowed { None } else { Some(EINVAL) });
            assert_eq!(world.describe().tasks, before + u64::from(allowed));
        }
        assert!(verbs.is_sound());
        Ok(())
    }

    #[test]
    fn an_init_has_no_siblings() -> Result {
        // CLONE_PARENT by a SIGNAL_UNKILLABLE: EINVAL; CLONE_PARENT when the caller is autoreap
        let world = world()?;
        let verbs = Verbs(&world);
        let container = verbs.container(world.init())?;
        assert!(verbs.clone(container, PARENT, &[]).err() == Some(EINVAL));
        assert!(verbs.clone(world.init(), PARENT, &[]).err() == Some(EINVAL));
        let (autoreap, _) = verbs.clone(container, AUTOREAP, &[])?;
        assert!(verbs.clone(autoreap, PARENT, &[]).err() == Some(EINVAL));
        let child = verbs.fork(container)?;
        let (sibling, _) = verbs.clone(child, PARENT, &[])?;
        assert_eq!(verbs.parent(sibling), container);
        Ok(())
    }

    #[test]
    fn the_result_is_the_callers_view() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (container, seen) = verbs.clone(world.init(), NEWPID, &[])?;
        assert_eq!(
            (seen, verbs.nr(container, 0), verbs.nr(container, 1)),
            (2, 2, 1)
        );
        let (child, seen) = verbs.clone(container, 0, &[])?;
        assert_eq!((seen, verbs.nr(child, 0), verbs.nr(child, 1)), (2, 3, 2));
        // CLONE_PARENT | CLONE_NEWPID: pid 1 there, and a parent that cannot see into it deeper.
        let (sibling, seen) = verbs.clone(child, PARENT | NEWPID, &[])?;
        assert_eq!((seen, verbs.nr(sibling, 2)), (3, 1));
        assert_eq!(verbs.parent(sibling), container);
        Ok(())
    }

    #[test]
    fn numbers_of_ones_own() -> Result {
        // clone3_set_tid.c: {1, 12345} with CLONE_NEWPID, {1, 0}, three for two levels
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (container, seen) = verbs.clone(init, NEWPID, &[1, 12345])?;
        assert_eq!((seen, verbs.nr(container, 1)), (12345, 1));
        for (set_tid, errno) in [
            (&[1, 0][..], EINVAL),
            (&[2, 100], EINVAL),
            (&[1, 12345], EEXIST),
            (&[1, 100, 100], EINVAL),
        ] {
            let namespaces = world.describe().namespaces;
            assert_eq!(verbs.clone(init, NEWPID, set_tid).err(), Some(errno));
            assert_eq!(world.describe().namespaces, namespaces);
        }
        assert!(verbs.is_sound());
        Ok(())
    }

    #[test]
    fn what_a_child_inherits() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        verbs.setsid(leader)?;
        let child = verbs.fork(leader)?;
        let deep = verbs.container(child)?;
        let task = world.describe_task(deep)?;
        let nr = verbs.nr(leader, 0);
        // Group and session have no number in the new namespace: getpgrp() and getsid() are 0.
        assert_eq!((task.pgid[0], task.pgid[1]), (nr, 0));
        assert_eq!((task.sid[0], task.sid[1]), (nr, 0));
        assert_eq!(task.ns_for_children, task.ns);
        assert_eq!(task.exit_signal, SIGCHLD);
        // CLONE_PARENT: the exit signal of the caller's group leader.
        let (odd, _) = verbs.clone_with(leader, 0, 10, &[], ParentArg::Native)?;
        let (sibling, _) = verbs.clone(odd, PARENT, &[])?;
        assert_eq!(world.describe_task(sibling)?.exit_signal, 10);
        Ok(())
    }

    #[test]
    fn threads() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        let thread = verbs.thread(leader)?;
        let other = verbs.thread(thread)?;
        let task = world.describe_task(other)?;
        assert_eq!(task.leader, leader);
        assert_eq!(task.parent, world.init());
        assert_eq!(task.tgid[0], verbs.nr(leader, 0));
        assert_eq!(task.exit_signal, -1);
        assert_eq!(task.nr_threads, 3);
        assert_eq!(task.flags & uapi::ALTPID_TASK_LEADER, 0);
        // The child of a thread is the thread's.
        let child = verbs.fork(other)?;
        assert_eq!(verbs.parent(child), other);
        assert!(verbs.is_sound());
        Ok(())
    }

    #[test]
    fn a_parent_of_ones_choice() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (a, b) = (verbs.fork(init)?, verbs.fork(init)?);
        verbs.setsid(a)?;
        let with = |flags, parent| verbs.clone_with(a, flags, SIGCHLD, &[], parent);
        let (child, _) = with(0, ParentArg::Task(b))?;
        assert_eq!(verbs.parent(child), b);
        assert_eq!(world.describe_task(child)?.sid[0], verbs.nr(a, 0));
        let (outside, _) = with(0, ParentArg::Outside)?;
        assert_eq!(verbs.parent(outside), 0);
        assert!(with(0, ParentArg::Task(4711)).err() == Some(ESRCH));
        assert!(with(PARENT, ParentArg::Task(b)).err() == Some(EINVAL));
        // A parent must be able to see its child.
        let container = verbs.container(init)?;
        assert!(with(0, ParentArg::Task(container)).err() == Some(EINVAL));
        // Nobody waits for whom outside has born.
        verbs.exit(outside, 0)?;
        assert_eq!(verbs.state(outside), -1);
        assert!(verbs.is_sound());
        Ok(())
    }

    #[test]
    fn as_many_tasks_as_the_world_may_have() -> Result {
        // nr_threads >= max_threads: EAGAIN
        let world = world_of(4, 4)?;
        let verbs = Verbs(&world);
        let init = world.init();
        verbs.fork(init)?;
        verbs.thread(init)?;
        let last = verbs.fork(init)?;
        assert!(verbs.fork(init).err() == Some(EAGAIN));
        assert!(verbs.thread(init).err() == Some(EAGAIN));
        assert!(verbs.container(init).err() == Some(EAGAIN));
        verbs.exit(last, 0)?;
        assert!(verbs.fork(init).err() == Some(EAGAIN));
        verbs.wait(init, -1)?;
        assert!(verbs.fork(init).is_ok());
        Ok(())
    }

    #[test]
    fn the_dead_do_not_clone() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let child = verbs.fork(world.init())?;
        verbs.exit(child, 0)?;
        assert!(verbs.fork(child).err() == Some(ESRCH));
        verbs.wait(world.init(), -1)?;
        assert!(verbs.fork(child).err() == Some(ESRCH));
        // Its place is taken by somebody else, with another id.
        let other = verbs.fork(world.init())?;
        assert!(other != child);
        assert!(verbs.fork(child).err() == Some(ESRCH));
        Ok(())
    }
}
