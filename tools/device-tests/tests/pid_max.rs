// SPDX-License-Identifier: GPL-2.0

//! `pid_max` and `ns_last_pid` of a namespace: what they may be, and what the numbers do at the end.

use altpid::{CloneArgs, CloneFlags};
use altpid_device_tests::{Fixture, numbers, pid_max_min};
use rustix::io::Errno;

const NEWPID: CloneFlags = CloneFlags::NEWPID;
/// `PID_MAX_LIMIT`.
const LIMIT: i32 = 4_194_304;
/// `RESERVED_PIDS`: where numbers go on after the end.
const RESERVED: i32 = 300;

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
