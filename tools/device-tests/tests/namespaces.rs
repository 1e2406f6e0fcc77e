// SPDX-License-Identifier: GPL-2.0

//! Pid namespaces: unshare(2) and setns(2), how deep they go, and how long they live.

use altpid::{CloneArgs, CloneFlags, NsId, NsState, TaskId};
use altpid_device_tests::Fixture;
use rustix::io::Errno;
use std::thread;

const NEWPID: CloneFlags = CloneFlags::NEWPID;
/// `PID_MAX_LIMIT`.
const LIMIT: i32 = 4_194_304;

/// unshare(2) of the pid namespace.
#[track_caller]
fn unshare(world: &Fixture, task: TaskId) -> NsId {
    let ns = world.unshare(task, NEWPID).expect("unshare");
    ns.expect("a namespace")
}

fn state(world: &Fixture, ns: NsId) -> NsState {
    world.ns(ns).expect("ns").state
}

/// Where a task is and where its children are born.
fn places(world: &Fixture, task: TaskId) -> (NsId, NsId) {
    let task = world.task(task).expect("task");
    (task.ns, task.ns_for_children.expect("a live task"))
}

/// How many namespaces the world holds.
fn count(world: &Fixture) -> u64 {
    world.info().expect("world").namespaces
}

#[test]
fn a_new_one() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let found = world.ns(ns).expect("ns");
    assert_eq!((found.id, found.parent), (ns, Some(world.root)));
    assert_eq!((found.level, found.child_reaper), (1, Some(init)));
    assert_eq!((found.state, found.pid_max), (NsState::Active, LIMIT));
    assert_eq!((found.last_pid, found.nr_pids), (1, 1));
    assert_eq!(places(&world, init), (ns, ns));
    let task = world.task(init).expect("task");
    assert!(task.is_reaper);
    assert_eq!(count(&world), 2);
}

#[test]
fn unshare_takes_effect_with_the_next_child() {
    let world = Fixture::new();
    let task = world.fork(world.init);
    let thread = world.thread(task);
    let ns = unshare(&world, task);
    let found = world.ns(ns).expect("ns");
    assert_eq!(
        (found.state, found.child_reaper),
        (NsState::AwaitingInit, None)
    );
    assert_eq!((found.nr_pids, found.level), (0, 1));
    // The task stays; its other threads have nothing to do with it.
    assert_eq!(places(&world, task), (world.root, ns));
    assert_eq!(places(&world, thread), (world.root, world.root));
    assert_eq!(world.pid_of(task), [2]);
    let child = world.fork(task);
    assert_eq!(world.pid_of(child), [4, 1]);
    assert_eq!(places(&world, child), (ns, ns));
    assert_eq!(world.ns(ns).expect("ns").child_reaper, Some(child));
    assert_eq!(state(&world, ns), NsState::Active);
    let child = world.fork(task);
    assert_eq!(world.pid_of(child), [5, 2]);
}

#[test]
fn unshare_of_nothing() {
    let world = Fixture::new();
    let none = CloneFlags::empty();
    assert_eq!(world.unshare(world.init, none), Ok(None));
    assert_eq!(places(&world, world.init), (world.root, world.root));
    let task = world.fork(world.init);
    unshare(&world, task);
    assert_eq!(world.unshare(task, none), Ok(None));
    for flag in [
        0x100,
        0x200,
        0x400,
        0x1_0000,
        0x2_0000,
        0x1000_0000,
        1 << 40,
    ] {
        let flags = CloneFlags::from_bits_retain(flag);
        world.refuses(Errno::INVAL, |w| w.unshare(world.init, flags));
        world.refuses(Errno::INVAL, |w| w.unshare(world.init, flags | NEWPID));
    }
}

#[test]
fn once_until_one_comes_back() {
    let world = Fixture::new();
    let task = world.fork(world.init);
    let first = unshare(&world, task);
    world.refuses(Errno::INVAL, |w| w.unshare(task, NEWPID));
    world.fork(task);
    world.refuses(Errno::INVAL, |w| w.unshare(task, NEWPID));
    // Back in its own namespace it can again.
    world.setns(task, world.root).expect("setns");
    let second = unshare(&world, task);
    assert_ne!(first, second);
    let child = world.fork(task);
    assert_eq!(places(&world, child), (second, second));
    // As soon as its children go elsewhere, for whichever reason.
    world.setns(task, first).expect("setns");
    world.refuses(Errno::INVAL, |w| w.unshare(task, NEWPID));
    let args = CloneArgs::new().flags(NEWPID);
    world.refuses(Errno::INVAL, |w| w.clone(task, &args));
}

#[test]
fn setns_goes_down_only() {
    let world = Fixture::new();
    let (outer_init, outer) = world.container(world.init);
    let (inner_init, inner) = world.container(outer_init);
    let (sibling_init, sibling) = world.container(world.init);
    let member = world.fork(outer_init);
    let rows = [
        (world.init, &[world.root, outer, inner, sibling][..]),
        (outer_init, &[outer, inner]),
        (member, &[outer, inner]),
        (inner_init, &[inner]),
        (sibling_init, &[sibling]),
    ];
    for (task, allowed) in rows {
        let (active, _) = places(&world, task);
        for ns in [world.root, outer, inner, sibling] {
            if allowed.contains(&ns) {
                world.setns(task, ns).expect("setns");
                assert_eq!(places(&world, task), (active, ns));
            } else {
                world.refuses(Errno::INVAL, |w| w.setns(task, ns));
            }
        }
        // What counts is where it is, not where its children go.
        if allowed.len() > 1 {
            world.setns(task, inner).expect("setns");
        }
        world.setns(task, active).expect("setns back");
    }
}

#[test]
fn a_thread_can_join_alone() {
    let world = Fixture::new();
    let (_, ns) = world.container(world.init);
    let process = world.fork(world.init);
    let thread = world.thread(process);
    world.setns(thread, ns).expect("setns");
    assert_eq!(world.pid_of(world.fork(thread)).len(), 2);
    assert_eq!(world.pid_of(world.fork(process)).len(), 1);
    world.refuses(Errno::INVAL, |w| w.clone(thread, &CloneArgs::thread()));
    world.thread(process);
}

/// Somebody else can be first in a namespace that was made with unshare(2).
#[test]
fn another_makes_the_init() {
    let world = Fixture::new();
    let maker = world.fork(world.init);
    let ns = unshare(&world, maker);
    world.setns(world.init, ns).expect("setns");
    let init = world.fork(world.init);
    assert_eq!(world.own_pid(init), 1);
    assert_eq!(world.own_pid(world.fork(maker)), 2);
    assert_eq!(world.ns(ns).expect("ns").child_reaper, Some(init));
    world.setns(world.init, world.root).expect("setns");
}

#[test]
fn thirty_three_levels() {
    let world = Fixture::new();
    let mut task = world.init;
    for level in 1..=32 {
        let (init, ns) = world.container(task);
        assert_eq!(world.ns(ns).expect("ns").level, level);
        assert_eq!(world.pid_of(init).len(), level as usize + 1);
        task = init;
    }
    let args = CloneArgs::new().flags(NEWPID);
    world.refuses(Errno::NOSPC, |w| w.clone(task, &args));
    world.refuses(Errno::NOSPC, |w| w.unshare(task, NEWPID));
    // It is the namespace of the child that counts, before its numbers.
    let args = args.set_tid(&[0]);
    world.refuses(Errno::NOSPC, |w| w.clone(task, &args));
    // The deepest is as good as any other.
    let child = world.fork(task);
    let mut expected: Vec<i32> = (3..=34).rev().collect();
    expected.push(2);
    assert_eq!(world.pid_of(child), expected);
}

#[test]
fn a_chain_that_ends_with_its_first() {
    let world = Fixture::new();
    for _ in 0..10 {
        let (first, _) = world.container(world.init);
        let mut task = first;
        while let Ok(next) = world.clone(task, &CloneArgs::new().flags(NEWPID)) {
            task = next.task;
        }
        assert_eq!(count(&world), 33);
        world.end(first, 0);
        assert_eq!(count(&world), 1);
    }
}

#[test]
fn the_states_of_a_life() {
    let world = Fixture::new();
    let maker = world.fork(world.init);
    let ns = unshare(&world, maker);
    assert_eq!(state(&world, ns), NsState::AwaitingInit);
    let init = world.fork(maker);
    assert_eq!(state(&world, ns), NsState::Active);
    world.exit(init, 0).expect("exit");
    let found = world.ns(ns).expect("ns");
    assert_eq!(
        (found.state, found.child_reaper),
        (NsState::Dying, Some(init))
    );
    assert_eq!(world.reap(maker).task, init);
    // Held by who unshared.
    let found = world.ns(ns).expect("ns");
    assert_eq!((found.state, found.child_reaper), (NsState::Dead, None));
    assert_eq!(found.nr_pids, 0);
    world.refuses(Errno::NOMEM, |w| w.clone(maker, &CloneArgs::new()));
    world.setns(maker, world.root).expect("setns");
    assert!(!world.has_ns(ns));
    world.fork(maker);
}

#[test]
fn what_keeps_a_namespace() {
    let world = Fixture::new();
    // Children to be born there.
    let maker = world.fork(world.init);
    let ns = unshare(&world, maker);
    let init = world.fork(maker);
    world.end(init, 0);
    assert!(world.has_ns(ns));
    // Joining a dead one works, and keeps it as well.
    world.setns(world.init, ns).expect("setns");
    world.setns(maker, world.root).expect("setns");
    assert_eq!(state(&world, ns), NsState::Dead);
    world.refuses(Errno::NOMEM, |w| w.clone(w.info()?.init, &CloneArgs::new()));
    world.setns(world.init, world.root).expect("setns");
    assert!(!world.has_ns(ns));
    // One that never had an init goes too, with the task that would have made it.
    let maker = world.fork(world.init);
    let ns = unshare(&world, maker);
    world.exit(maker, 0).expect("exit");
    assert!(!world.has_ns(ns), "an exited task has no children to come");
    // The zombie of its init, and a namespace below that is held.
    world.reap(world.init);
    let (outer_init, outer) = world.container(world.init);
    let (inner_init, inner) = world.container(outer_init);
    world.setns(world.init, inner).expect("setns");
    world.exit(outer_init, 0).expect("exit");
    assert_eq!(world.state_of(inner_init), None);
    assert_eq!(state(&world, inner), NsState::Dead);
    assert_eq!(state(&world, outer), NsState::Dying);
    assert_eq!(world.reap(world.init).task, outer_init);
    assert_eq!(state(&world, outer), NsState::Dead, "kept from below");
    assert_eq!(world.ns(inner).expect("ns").parent, Some(outer));
    world.setns(world.init, world.root).expect("setns");
    assert!(!world.has_ns(inner) && !world.has_ns(outer));
}

#[test]
fn nothing_is_born_below_the_dead() {
    let world = Fixture::new();
    let (outer_init, outer) = world.container(world.init);
    let (_, inner) = world.container(outer_init);
    let (first, second) = (world.fork(world.init), world.fork(world.init));
    world.setns(first, outer).expect("setns");
    world.setns(second, inner).expect("setns");
    world.end(outer_init, 0);
    for task in [first, second] {
        world.refuses(Errno::NOMEM, |w| w.clone(task, &CloneArgs::new()));
        world.setns(task, world.root).expect("setns");
        world.fork(task);
    }
    assert_eq!(count(&world), 1);
}

/// setns(2) looks whether the namespace is below, and not whether it lives (`pidns_install()`); the
/// clone that follows finds no init (`alloc_pid()`).
#[test]
fn one_that_is_dead_can_be_joined() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let holder = world.fork(world.init);
    world.setns(holder, ns).expect("setns");
    let held = world.fork(holder);
    world.exit_group(init, 0).expect("exit");
    assert_eq!(state(&world, ns), NsState::Dying);
    let joins = |state_then: NsState| {
        let joiner = world.fork(world.init);
        world.setns(joiner, ns).expect("setns");
        assert_eq!(places(&world, joiner), (world.root, ns));
        world.refuses(Errno::NOMEM, |world| world.clone(joiner, &CloneArgs::new()));
        // It may go back, and then has children again.
        world.setns(joiner, world.root).expect("setns");
        world.fork(joiner);
        assert_eq!(state(&world, ns), state_then);
    };
    joins(NsState::Dying);
    assert_eq!(world.reap(holder).task, held);
    world.reap(world.init);
    assert_eq!(state(&world, ns), NsState::Dead);
    joins(NsState::Dead);
}

#[test]
fn a_clone_that_fails_leaves_no_namespace() {
    let world = Fixture::new();
    let before = count(&world);
    let args = CloneArgs::new().flags(NEWPID).set_tid(&[1, 1]);
    for _ in 0..100 {
        world.refuses(Errno::EXIST, |w| w.clone(world.init, &args));
    }
    assert_eq!(count(&world), before);
}

/// Several tasks unshare, join and make inits of the same namespaces at once.
#[test]
fn many_at_once() {
    let world = Fixture::new();
    let makers: Vec<_> = (0..4).map(|_| world.fork(world.init)).collect();
    thread::scope(|scope| {
        for &maker in &makers {
            let world = &world;
            scope.spawn(move || {
                for _ in 0..200 {
                    let ns = unshare(world, maker);
                    let init = world.fork(maker);
                    let member = world.fork(maker);
                    assert_eq!(world.own_pid(init), 1);
                    assert_eq!(world.own_pid(member), 2);
                    world.exit(init, 0).expect("exit");
                    world.reap(maker);
                    world.reap(maker);
                    world.setns(maker, world.root).expect("setns");
                    assert!(!world.has_ns(ns));
                }
            });
        }
        // One task is told to do it by all, and only one of them is obeyed.
        let task = world.fork(world.init);
        let made = thread::scope(|scope| {
            let attempts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| world.unshare(task, NEWPID).is_ok()))
                .collect();
            let results = attempts.into_iter().map(|a| a.join().expect("a thread"));
            results.filter(|&made| made).count()
        });
        assert_eq!(made, 1);
    });
    assert_eq!(count(&world), 2);
}
