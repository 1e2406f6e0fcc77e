// SPDX-License-Identifier: GPL-2.0

//! clone3: which flags go together, and what a child inherits.

use crate::{
    pid::alloc_pid,
    pid::namespace::Namespace,
    process::clone::{flags::*, CloneArgs, ParentArg, Unborn},
    signal::kill::By,
    support::{state, world, world_of, Errno, Verbs},
    tree::pending::{SIGCHLD, SIGKILL},
    tree::room::Spares,
    tree::task::TaskId,
    tree::Tree,
    uapi,
    world::World,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_clone)]
mod tests {
    use super::*;

    const THREAD_ALL: u64 = THREAD | SIGHAND | VM;

    /// `clone3_args_valid()`, `copy_process()`: (flags, exit signal, allowed)
    #[test]
    fn flags_that_go_together() -> Result {
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
        for &(flags, signal, allowed) in cases {
            // One that has called vfork could not clone again.
            let caller = verbs.fork(world.init())?;
            let before = world.describe().tasks;
            let result = verbs.clone_with(caller, flags, signal, &[], ParentArg::Native);
            assert_eq!(result.err(), if allowed { None } else { Some(EINVAL) });
            assert_eq!(world.describe().tasks, before + u64::from(allowed));
            if let (Ok((child, _)), true) = (result, flags & VFORK != 0) {
                // The caller sleeps until then.
                assert_eq!(verbs.fork(caller).err(), Some(EBUSY));
                verbs.exit(child, 0)?;
            }
        }
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `copy_process()`: CLONE_PARENT by a SIGNAL_UNKILLABLE, and by who is autoreap: EINVAL
    #[test]
    fn an_init_has_no_siblings() -> Result {
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

    /// `kernel_clone()`: `pid_vnr()` in the active namespace of the caller, not in that of the child
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

    /// `alloc_pid()`, clone3_set_tid.c: {1, 12345} with CLONE_NEWPID, {1, 0}, three for two levels
    #[test]
    fn numbers_of_ones_own() -> Result {
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

    /// `copy_process()`: process group and session, exit signal, `copy_namespaces()`
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

    /// `copy_process()` with `CLONE_THREAD`: leader, parent, exit signal -1
    #[test]
    fn threads() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        let thread = verbs.thread(leader)?;
        let other = verbs.thread(thread)?;
        let task = world.describe_task(other)?;
        assert_eq!(task.leader, leader.to_raw());
        assert_eq!(task.parent, world.init().to_raw());
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

    /// A restorer's parent: `CLONE_PARENT` with anybody's; native has none
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
        assert_eq!(verbs.parent(outside), TaskId::NOTHING);
        assert!(with(0, ParentArg::Task(TaskId::from_raw(4711))).err() == Some(ESRCH));
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

    /// `copy_process()`: nr_threads >= max_threads: EAGAIN
    #[test]
    fn as_many_tasks_as_the_world_may_have() -> Result {
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

    /// `find_task_by_vpid()`: an id is not used again, as a pidfd is not
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

    /// What comes of a birth by `caller` into the namespace `ns` when something happens after
    /// `alloc_pid()` and before the publication, and something more has begun to happen to the tree.
    fn join_after(
        world: &World,
        (caller, ns): (TaskId, &Namespace),
        flags: u64,
        happens: impl FnOnce() -> Result,
        begins: impl FnOnce(&mut Tree) -> Result,
    ) -> Result<Result<(), Error>> {
        let args = CloneArgs {
            task: caller,
            flags,
            exit_signal: SIGCHLD,
            set_tid: &[],
            parent: ParentArg::Native,
            takes_pidfd: false,
            by_member: false,
        };
        let pid = alloc_pid(ns, args.set_tid).map_err(Error::from)?;
        happens()?;
        let unborn = Unborn { pid, ns: ns.into() };
        let mut spares = Spares::new(false, false);
        let (joined, more) = {
            let mut tree = world.work();
            while tree.room_for_process(&mut spares).is_none() {
                drop(tree);
                spares.fill()?;
                tree = world.work();
            }
            begins(&mut tree)?;
            let before = tree.tasks().len();
            let joined = match tree.find_actor(caller) {
                Ok(caller) => args
                    .join(&mut tree, caller, unborn, &mut spares)
                    .map(|_| ()),
                Err(failure) => Err(failure),
            };
            (joined.errno(), tree.tasks().len() - before)
        };
        assert_eq!(more, usize::from(joined.is_ok()));
        Ok(joined)
    }

    /// Likewise into a container, by who is outside and has joined it.
    fn publish_after(
        happens: impl FnOnce(&Verbs<'_>, TaskId, TaskId) -> Result,
    ) -> Result<Result<(), Error>> {
        let world = world()?;
        let verbs = Verbs(&world);
        let caller = verbs.fork(world.init())?;
        let container = verbs.container(world.init())?;
        let ns = world.namespace(verbs.ns(container)?)?;
        world.setns(caller, ns.id())?;
        let happens = || happens(&verbs, caller, container);
        let joined = join_after(&world, (caller, &ns), 0, happens, |_| Ok(()))?;
        assert!(verbs.is_sound());
        Ok(joined)
    }

    /// `copy_process()`: PIDNS_ADDING is looked at again under `tasklist_lock`
    #[test]
    fn zap_between_alloc_pid_and_publication() -> Result {
        assert!(publish_after(|_, _, _| Ok(()))? == Ok(()));
        // Whether init waits to be reaped or is gone.
        let exits = |verbs: &Verbs<'_>, container| verbs.exit(container, 0);
        let killed = publish_after(|verbs, _, container| exits(verbs, container))?;
        assert!(killed == Err(ENOMEM));
        let reaped = publish_after(|verbs, _, container| {
            exits(verbs, container)?;
            verbs.wait(verbs.0.init(), -1).map(|_| ())
        })?;
        assert!(reaped == Err(ENOMEM));
        Ok(())
    }

    /// `copy_process()`: of every namespace that the child would have a number in. One that waits for
    /// its init has no member that dies with the one above.
    #[test]
    fn zap_above_between_alloc_pid_and_publication() -> Result {
        for nested in 0..3 {
            let world = world()?;
            let verbs = Verbs(&world);
            let caller = verbs.fork(world.init())?;
            let container = verbs.container(world.init())?;
            // Containers in each other, and in the deepest one who has unshared.
            let mut deepest = container;
            for _ in 0..nested {
                deepest = verbs.container(deepest)?;
            }
            let ns = world.namespace(world.unshare(deepest, NEWPID)?.ok_or(EINVAL)?)?;
            world.setns(caller, ns.id())?;
            let dies = || verbs.exit(container, 0);
            let joined = join_after(&world, (caller, &ns), 0, dies, |_| Ok(()))?;
            assert!(joined == Err(ENOMEM));
            assert!(ns.is_adding() && ns.child_reaper() == 0);
            assert!(ns.map().is_empty());
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `copy_process()` with `CLONE_NEWPID`: the new namespace is alive, the one above is not, and who
    /// clones is not killed yet
    #[test]
    fn zap_of_the_callers_namespace_before_publication() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let container = verbs.container(world.init())?;
        let outer = world.namespace(verbs.ns(container)?)?;
        let member = verbs.fork(container)?;
        let ns = Namespace::create(Some(&outer), world.registry())?;
        let begins = |tree: &mut Tree| {
            let init = tree.find(container)?;
            tree.begin_exit(init, 0);
            while outer.is_adding() {
                tree.step();
            }
            assert!(tree.find_actor(member).is_ok());
            Ok(())
        };
        let joined = join_after(&world, (member, &ns), NEWPID, || Ok(()), begins)?;
        assert!(joined == Err(ENOMEM));
        // What was left of the death is done.
        assert_eq!(verbs.state(member), state::GONE);
        assert_eq!(verbs.state(container), state::ZOMBIE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `copy_process()`: a fatal signal at publication, of which nobody is left to see the EINTR
    #[test]
    fn killed_between_alloc_pid_and_publication() -> Result {
        let killed = publish_after(|verbs, caller, _| {
            verbs.0.kill_from(By::Kernel, caller, SIGKILL).errno()
        })?;
        assert!(killed == Err(ESRCH));
        Ok(())
    }
}
