// SPDX-License-Identifier: GPL-2.0

//! Pid namespaces: unshare(2) and setns(2), how deep they go, how long they live, and their
//! sysctls.

use altpid::{CloneArgs, CloneFlags, NsId, NsState, TaskId};
use altpid_device_tests::{Fixture, numbers, pid_max_min};
use rustix::io::Errno;
use std::thread;

const NEWPID: CloneFlags = CloneFlags::NEWPID;
/// `PID_MAX_LIMIT`.
const LIMIT: i32 = 4_194_304;
/// `RESERVED_PIDS`: where numbers go on after the end.
const RESERVED: i32 = 300;

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

#[test]
fn pid_max_has_limits() {
    let world = Fixture::new();
    let (_, below) = world.container(world.init);
    let least = i64::from(pid_max_min());
    for ns in [world.root, below] {
        for value in [
            i64::MIN,
            -1,
            0,
            1,
            300,
            least - 1,
            i64::from(LIMIT) + 1,
            1 << 32,
            (1 << 32) + 400,
            i64::MAX,
        ] {
            world.refuses(Errno::INVAL, |w| w.set_pid_max(ns, value));
        }
        for value in [least, least + 1, 32768, i64::from(LIMIT)] {
            world.set_pid_max(ns, value).expect("pid_max");
            assert_eq!(i64::from(world.ns(ns).expect("ns").pid_max), value);
        }
    }
    // Each has its own.
    world.set_pid_max(below, 5000).expect("pid_max");
    assert_eq!(world.ns(world.root).expect("ns").pid_max, LIMIT);
    let (_, another) = world.container(world.init);
    assert_eq!(world.ns(another).expect("ns").pid_max, LIMIT);
}

/// What `pid_idr_init()` makes of the number of CPUs.
#[test]
fn a_world_begins_with_the_kernels_pid_max() {
    let world = Fixture::new();
    let text = std::fs::read_to_string("/proc/sys/kernel/pid_max").expect("kernel.pid_max");
    let kernel: i32 = text.trim().parse().expect("a number");
    assert_eq!(world.ns(world.root).expect("ns").pid_max, kernel);
}

#[test]
fn last_pid_has_limits() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    world.set_pid_max(ns, 1000).expect("pid_max");
    for value in [i64::MIN, -1, 1001, 1 << 32, (1 << 32) + 5, i64::MAX] {
        world.refuses(Errno::INVAL, |w| w.set_last_pid(ns, value));
    }
    // What is set, and the number that comes then. pid_max itself can be set; after the end
    // numbers go on with 300.
    let rows = [
        (0, 2),
        (1, 3),
        (50, 51),
        (299, 300),
        (300, 301),
        (998, 999),
        (999, RESERVED + 2),
        (1000, RESERVED + 3),
        (50, 52),
    ];
    for (value, expected) in rows {
        world.set_last_pid(ns, value).expect("last_pid");
        assert_eq!(i64::from(world.ns(ns).expect("ns").last_pid), value);
        assert_eq!(world.own_pid(world.fork(init)), expected, "after {value}");
        assert_eq!(world.ns(ns).expect("ns").last_pid, expected);
    }
    // Not above.
    let root = world.ns(world.root).expect("ns");
    assert_eq!(root.last_pid, 2 + rows.len() as i32);
}

#[test]
fn numbers_end_before_pid_max() {
    let world = Fixture::new();
    let least = pid_max_min();
    world
        .set_pid_max(world.root, least.into())
        .expect("pid_max");
    let mut children = Vec::new();
    for _ in 2..least {
        children.push(world.clone(world.init, &CloneArgs::new()).expect("clone"));
    }
    assert_eq!(numbers(&children), (2..least).collect::<Vec<_>>());
    world.refuses(Errno::AGAIN, |w| w.clone(world.init, &CloneArgs::new()));
    world.refuses(Errno::AGAIN, |w| w.clone(world.init, &CloneArgs::thread()));
    let args = CloneArgs::new().flags(NEWPID);
    world.refuses(Errno::AGAIN, |w| w.clone(world.init, &args));
    // Below 300 the numbers of the dead are not given out again, when the cursor is behind that.
    world.end(children[0].task, 0);
    assert_eq!(children[0].pid, 2);
    world.refuses(Errno::AGAIN, |w| w.clone(world.init, &CloneArgs::new()));
    // At and behind it they are; with 301 this is the only one.
    let reserved = children.iter().find(|c| c.pid == RESERVED);
    world.end(reserved.expect("number 300").task, 0);
    for _ in 0..3 {
        let child = world.clone(world.init, &CloneArgs::new()).expect("clone");
        assert_eq!(child.pid, RESERVED);
        world.refuses(Errno::AGAIN, |w| w.clone(world.init, &CloneArgs::new()));
        world.end(child.task, 0);
    }
    // More room is more numbers.
    world
        .set_pid_max(world.root, i64::from(least) + 1)
        .expect("pid_max");
    let mut pids = Vec::new();
    while let Ok(child) = world.clone(world.init, &CloneArgs::new()) {
        pids.push(child.pid);
    }
    pids.sort_unstable();
    assert_eq!(pids, [RESERVED, least]);
}

#[test]
fn a_full_namespace_above_is_full_below() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    world
        .set_pid_max(world.root, pid_max_min().into())
        .expect("pid_max");
    while world.clone(world.init, &CloneArgs::new()).is_ok() {}
    world.refuses(Errno::AGAIN, |w| w.clone(init, &CloneArgs::new()));
    let found = world.ns(ns).expect("ns");
    assert_eq!((found.nr_pids, found.pid_max), (1, LIMIT));
}

#[test]
fn a_lower_pid_max_renames_nobody() {
    let world = Fixture::new();
    let high = world.born(world.init, &CloneArgs::new().set_tid(&[20_000]));
    world.set_last_pid(world.root, 10_000).expect("last_pid");
    let behind = world.fork(world.init);
    world.set_pid_max(world.root, 5000).expect("pid_max");
    assert_eq!(world.pid_of(high), [20_000]);
    assert_eq!(world.pid_of(behind), [10_001]);
    assert_eq!(world.ns(world.root).expect("ns").last_pid, 10_001);
    assert_eq!(world.own_pid(world.fork(world.init)), RESERVED);
    world.end(high, 0);
    let args = CloneArgs::new().set_tid(&[20_000]);
    world.refuses(Errno::INVAL, |w| w.clone(world.init, &args));
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
