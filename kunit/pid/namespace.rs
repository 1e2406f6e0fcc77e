// SPDX-License-Identifier: GPL-2.0

//! Namespaces: depth, sysctls, states, lifetime; unshare and setns.

use crate::{
    pid::namespace::{pid_max_min, CreateError, Namespace, PID_MAX_LIMIT},
    pid::registry::{NsId, Registry},
    process::clone::flags,
    support::{world, world_of, Errno, Verbs},
    tree::task::TaskId,
    uapi,
    world::World,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_namespace)]
mod tests {
    use super::*;

    /// `create_pid_namespace()`: ENOSPC beyond MAX_PID_NS_LEVEL
    #[test]
    fn thirty_three_levels_and_no_more() -> Result {
        let registry = Registry::new(64)?;
        let mut ns = Namespace::create(None, &registry)?;
        for level in 1..=32 {
            ns = Namespace::create(Some(&ns), &registry)?;
            assert_eq!(ns.level(), level);
        }
        let beyond = Namespace::create(Some(&ns), &registry).err();
        assert!(beyond == Some(CreateError::TooDeep));
        assert_eq!(registry.len(), 33);
        // put_pid_ns(): the chain goes with its last child.
        drop(ns);
        assert_eq!(registry.len(), 0);
        Ok(())
    }

    /// `inc_pid_namespaces()`: `ENOSPC`
    #[test]
    fn as_many_as_the_world_may_have() -> Result {
        let world = world_of(64, 3)?;
        let verbs = Verbs(&world);
        let init = world.init();
        let a = verbs.container(init)?;
        let _b = verbs.container(init)?;
        assert!(verbs.container(init).err() == Some(ENOSPC));
        assert!(world.unshare(init, flags::NEWPID).errno().err() == Some(ENOSPC));
        verbs.exit(a, 0)?;
        verbs.wait(init, -1)?;
        verbs.container(init)?;
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `register_pidns_sysctls()`: pid_max_min to PID_MAX_LIMIT; `pid_ns_ctl_handler()`: 0 to pid_max,
    /// both inclusive
    #[test]
    fn sysctls() -> Result {
        let registry = Registry::new(4)?;
        let ns = Namespace::create(None, &registry)?;
        let (min, max) = (i64::from(pid_max_min()), i64::from(PID_MAX_LIMIT));
        for (value, good) in [
            (min, true),
            (min - 1, false),
            (max, true),
            (max + 1, false),
            (0, false),
            (-1, false),
            (i64::MAX, false),
        ] {
            assert_eq!(ns.set_pid_max(value).is_ok(), good);
        }
        assert_eq!(i64::from(ns.pid_max()), max);
        ns.set_pid_max(1000)?;
        for (value, good) in [(0, true), (1000, true), (1001, false), (-1, false)] {
            assert_eq!(ns.set_last_pid(value).is_ok(), good);
        }
        assert_eq!(ns.last_pid(), 1000);
        let child = Namespace::create(Some(&ns), &registry)?;
        assert_eq!(child.pid_max(), PID_MAX_LIMIT);
        Ok(())
    }

    /// `pid_namespace::child_reaper`, `PIDNS_ADDING`: before, during and after the life
    /// of init
    #[test]
    fn states() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let state = |ns| world.describe_namespace(ns).map_or(99, |ns| ns.state);
        let ns = world.unshare(init, flags::NEWPID)?.ok_or(EINVAL)?;
        assert_eq!(state(ns), uapi::ALTPID_NS_AWAITING_INIT);
        let first = verbs.fork(init)?;
        assert_eq!(state(ns), uapi::ALTPID_NS_ACTIVE);
        assert_eq!(verbs.nr(first, 1), 1);
        // Someone injected, whose parent is outside and does not wait.
        let stuck = verbs.fork(init)?;
        verbs.exit(first, 0)?;
        assert_eq!(state(ns), uapi::ALTPID_NS_DYING);
        assert_eq!(verbs.state(stuck), i64::from(uapi::ALTPID_TASK_ZOMBIE));
        assert_eq!(verbs.state(first), i64::from(uapi::ALTPID_TASK_EXITING));
        verbs.wait(init, -1)?;
        verbs.wait(init, -1)?;
        // Held by pid_for_children of init only.
        assert_eq!(state(ns), uapi::ALTPID_NS_DEAD);
        assert!(verbs.fork(init).err() == Some(ENOMEM));
        world.setns(init, world.root().id())?;
        assert!(world.describe_namespace(ns).is_err());
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `copy_pid_ns()`: EINVAL while pid_ns_for_children is not the active namespace
    #[test]
    fn unshare_is_deferred_and_once() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let task = verbs.fork(world.init())?;
        let before = verbs.ns(task)?;
        assert_eq!(world.unshare(task, 0)?, None);
        let ns = world.unshare(task, flags::NEWPID)?.ok_or(EINVAL)?;
        assert_eq!(verbs.ns(task)?, before);
        assert!(world.unshare(task, flags::NEWPID).errno().err() == Some(EINVAL));
        assert!(verbs.container(task).err() == Some(EINVAL));
        assert!(verbs.thread(task).err() == Some(EINVAL));
        let first = verbs.fork(task)?;
        let second = verbs.fork(task)?;
        assert_eq!((verbs.nr(first, 1), verbs.nr(second, 1)), (1, 2));
        assert_eq!(verbs.ns(first)?, ns);
        assert_eq!(verbs.parent(second), task);
        world.setns(task, before)?;
        assert!(verbs.thread(task).is_ok());
        assert!(world.unshare(task, flags::NEWPID).is_ok());
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `check_unshare_flags()`: flags that unshare(2) has, and that mean nothing here, and those that
    /// it has not; alone and together
    #[test]
    fn other_flags_of_unshare() -> Result {
        const KNOWN: u64 = 0x7e07_0f80 | 1 << 20;
        let world = world()?;
        let task = Verbs(&world).fork(world.init())?;
        let before = world.describe().namespaces;
        for bit in (0..64)
            .map(|bit| 1u64 << bit)
            .filter(|&bit| bit != flags::NEWPID)
        {
            let reason = if KNOWN & bit != 0 {
                uapi::ALTPID_REASON_NOT_VIRTUAL
            } else {
                uapi::ALTPID_REASON_FLAGS
            };
            for flags in [bit, bit | flags::NEWPID, bit | flags::NEWPID | flags::FS] {
                let failure = world.unshare(task, flags).err().ok_or(EINVAL)?;
                assert!(failure.error() == EINVAL);
                assert_eq!(failure.code(), reason);
            }
        }
        assert_eq!(world.describe().namespaces, before);
        Ok(())
    }

    /// `pidns_install()`
    #[test]
    fn setns_goes_down_only() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (a, b) = (verbs.container(init)?, verbs.container(init)?);
        let inner = verbs.container(a)?;
        let (root, ns_a, ns_b) = (world.root().id(), verbs.ns(a)?, verbs.ns(b)?);
        let ns_inner = verbs.ns(inner)?;
        let cases: &[(TaskId, NsId, bool)] = &[
            (init, root, true),
            (init, ns_a, true),
            (init, ns_inner, true),
            (a, ns_a, true),
            (a, ns_inner, true),
            (a, root, false),
            (a, ns_b, false),
            (inner, ns_a, false),
        ];
        for &(task, ns, good) in cases {
            assert_eq!(
                world.setns(task, ns).errno().err(),
                if good { None } else { Some(EINVAL) }
            );
        }
        assert!(world.setns(a, NsId::from_raw(12345)).errno().err() == Some(ENOENT));
        assert!(world.setns(TaskId::from_raw(12345), root).errno().err() == Some(ESRCH));
        // An injected task: its number inside, its parent outside, invisible from in there.
        world.setns(init, ns_inner)?;
        let injected = verbs.fork(init)?;
        assert_eq!(verbs.nr(injected, 2), 2);
        assert_eq!(verbs.parent(injected), init);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// The namespaces of a world that listns(2) would list.
    fn active(world: &World) -> Result<KVec<NsId>> {
        // With room: it is filled under the tree lock.
        let mut found = KVec::with_capacity(64, GFP_KERNEL)?;
        let mut position = Some(0);
        while let Some(from) = position {
            position = world.list_namespaces(from, None, true, &mut |ns| {
                assert!(ns.flags == uapi::ALTPID_NS_REF_ACTIVE);
                found.push_within_capacity(NsId::from_raw(ns.ns)).is_ok()
            });
        }
        Ok(found)
    }

    /// Whether a namespace is there, and whether listns(2) would list it.
    fn is_active(world: &World, ns: NsId) -> Result<bool> {
        let flags = world.describe_namespace(ns)?.flags;
        let is_active = flags & uapi::ALTPID_NS_REF_ACTIVE != 0;
        assert_eq!(active(world)?.contains(&ns), is_active);
        Ok(is_active)
    }

    /// `legitimize_ns()`, `ns_ref_active_get()`, `nsproxy_ns_active_get()`: numbers of those born
    /// there and tasks whose children go there, not pidfds nor namespaces below
    #[test]
    fn what_makes_one_active() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let root = world.root().id();
        assert!(is_active(&world, root)?);
        // Before there is an init, by who will make it.
        let maker = verbs.fork(init)?;
        let ns = world.unshare(maker, flags::NEWPID)?.ok_or(EINVAL)?;
        assert!(is_active(&world, ns)?);
        let first = verbs.fork(maker)?;
        let pidfd = verbs.pidfd(first)?;
        world.setns(maker, root)?;
        assert!(is_active(&world, ns)?);
        // A zombie has its number still.
        verbs.exit(first, 0)?;
        assert!(is_active(&world, ns)?);
        verbs.wait(maker, -1)?;
        assert!(!is_active(&world, ns)?);
        // Joining brings it back, though nothing can be born there.
        for (to, expected) in [(ns, true), (ns, true), (root, false), (ns, true)] {
            world.setns(maker, to)?;
            assert_eq!(is_active(&world, ns)?, expected);
        }
        // Two that point there.
        world.setns(init, ns)?;
        verbs.exit(maker, 0)?;
        assert!(is_active(&world, ns)?);
        world.setns(init, root)?;
        assert!(!is_active(&world, ns)?);
        world.pidfd_close(pidfd)?;
        assert!(world.namespace(ns).errno().err() == Some(ENOENT));
        // Kept from below, by one that is active.
        let outer = verbs.container(init)?;
        let inner = verbs.container(outer)?;
        let (ns_outer, ns_inner) = (verbs.ns(outer)?, verbs.ns(inner)?);
        world.setns(init, ns_inner)?;
        let nr = verbs.nr(outer, 0);
        verbs.exit(outer, 0)?;
        assert!(is_active(&world, ns_outer)? && is_active(&world, ns_inner)?);
        assert_eq!(verbs.wait(init, nr)?.0, nr);
        assert!(!is_active(&world, ns_outer)? && is_active(&world, ns_inner)?);
        world.setns(init, root)?;
        assert_eq!(active(&world)?.len(), 1);
        // The number of a process group outside.
        let leader = verbs.fork(init)?;
        verbs.setsid(leader)?;
        let member = verbs.container(leader)?;
        let ns = verbs.ns(member)?;
        let nr = verbs.nr(member, 0);
        verbs.setpgid(leader, nr, 0)?;
        let other = verbs.fork(leader)?;
        verbs.setpgid(leader, verbs.nr(other, 0), nr)?;
        verbs.exit(member, 0)?;
        verbs.wait(leader, nr)?;
        assert!(is_active(&world, ns)?);
        verbs.exit(other, 0)?;
        verbs.wait(leader, -1)?;
        assert!(world.namespace(ns).errno().err() == Some(ENOENT));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// A task that has joined the namespace in which the children of the world's init are born from
    /// now on, and that namespace.
    fn joined(world: &World) -> Result<(TaskId, NsId)> {
        let other = Verbs(world).fork(world.init())?;
        let ns = world.unshare(world.init(), flags::NEWPID)?.ok_or(EINVAL)?;
        world.setns(other, ns)?;
        Ok((other, ns))
    }

    /// `alloc_pid()`, pidns_init_via_setns.c: pid 1 made by who has joined
    #[test]
    fn another_task_can_make_init() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (other, ns) = joined(&world)?;
        let first = verbs.fork(other)?;
        assert_eq!(verbs.nr(first, 1), 1);
        assert_eq!(world.describe_namespace(ns)?.child_reaper, first.to_raw());
        Ok(())
    }

    /// `alloc_pid()`, pidns_init_via_setns.c: likewise with numbers that are given
    #[test]
    fn another_task_can_make_init_with_numbers() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let (other, _) = joined(&world)?;
        for set_tid in [&[2][..], &[2, 500], &[1, 500, 500]] {
            assert!(verbs.clone(other, 0, set_tid).err() == Some(EINVAL));
        }
        let (first, seen) = verbs.clone(other, 0, &[1, 500])?;
        assert_eq!((verbs.nr(first, 1), seen), (1, 500));
        // From then on any.
        let (second, _) = verbs.clone(world.init(), 0, &[77])?;
        assert_eq!(verbs.nr(second, 1), 77);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `exit_nsproxy_namespaces()`, ns_active_ref_test.c: what a thread has unshared goes when that
    /// exits, though its process goes on
    #[test]
    fn a_thread_that_unshared_and_exits() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let process = verbs.fork(world.init())?;
        for leads in [false, true] {
            let thread = verbs.thread(process)?;
            let one = if leads { process } else { thread };
            let ns = world.unshare(one, flags::NEWPID)?.ok_or(EINVAL)?;
            assert!(world.namespace(ns).is_ok());
            // It is the thread's alone.
            let other = if leads { thread } else { process };
            let children = world.describe_task(other)?.ns_for_children;
            assert_eq!(children, world.root().id().to_raw());
            world.exit(one, 0, false)?;
            assert!(world.namespace(ns).errno().err() == Some(ENOENT));
        }
        assert!(verbs.is_sound());
        Ok(())
    }
}
