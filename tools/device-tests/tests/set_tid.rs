// SPDX-License-Identifier: GPL-2.0

//! clone3(2) with numbers of the caller's choice: which it may have, what is looked at first, and
//! that a clone which fails takes none.

use altpid::{CloneArgs, CloneFlags, NsId, PidType, TaskId};
use altpid_device_tests::{Fixture, pid_max_min};
use rustix::io::Errno;

const NEWPID: CloneFlags = CloneFlags::NEWPID;

/// Namespaces below one another, the world's first, and their inits.
struct Nest {
    world: Fixture,
    inits: Vec<TaskId>,
    namespaces: Vec<NsId>,
}

impl Nest {
    fn new(levels: usize) -> Self {
        let world = Fixture::new();
        let mut nest = Self {
            inits: vec![world.init],
            namespaces: vec![world.root],
            world,
        };
        while nest.inits.len() < levels {
            let (init, ns) = nest.world.container(nest.innermost());
            nest.inits.push(init);
            nest.namespaces.push(ns);
        }
        nest
    }

    fn innermost(&self) -> TaskId {
        *self.inits.last().expect("an init")
    }

    /// How far the cursors are, level 0 first.
    fn last_pids(&self) -> Vec<i32> {
        let last_pid = |&ns| self.world.ns(ns).expect("ns").last_pid;
        self.namespaces.iter().map(last_pid).collect()
    }
}

fn with(numbers: &[i32]) -> CloneArgs {
    CloneArgs::new().set_tid(numbers)
}

#[test]
fn the_most_nested_comes_first() {
    let nest = Nest::new(3);
    let world = &nest.world;
    let child = world.born(nest.innermost(), &with(&[7, 70, 700]));
    assert_eq!(world.pid_of(child), [700, 70, 7]);
    // The levels above, for which none is given, go on in order.
    let child = world.born(nest.innermost(), &with(&[8, 80]));
    assert_eq!(world.pid_of(child), [4, 80, 8]);
    let child = world.born(nest.innermost(), &with(&[9]));
    assert_eq!(world.pid_of(child), [5, 3, 9]);
    // From further up: those of the namespace that the child is born into.
    let child = world.born(nest.inits[1], &with(&[10, 100]));
    assert_eq!(world.pid_of(child), [100, 10]);
    let child = world.born(nest.inits[1], &with(&[1, 11, 110]).flags(NEWPID));
    assert_eq!(world.pid_of(child), [110, 11, 1]);
}

#[test]
fn threads_can_have_them_too() {
    let nest = Nest::new(2);
    let process = nest.world.fork(nest.innermost());
    let thread = nest
        .world
        .born(process, &CloneArgs::thread().set_tid(&[77, 777]));
    let task = nest.world.task(thread).expect("task");
    assert_eq!((task.pid, task.tgid), (vec![777, 77], vec![3, 2]));
}

#[test]
fn the_number_returned_is_the_callers() {
    let nest = Nest::new(2);
    let world = &nest.world;
    world.setns(world.init, nest.namespaces[1]).expect("setns");
    let child = world.clone(world.init, &with(&[20, 200])).expect("clone");
    assert_eq!(child.pid, 200);
}

#[test]
fn a_number_is_between_1_and_pid_max() {
    let nest = Nest::new(3);
    let world = &nest.world;
    let least = pid_max_min();
    for (level, pid_max) in [(0, least + 2), (1, least + 1), (2, least)] {
        let ns = nest.namespaces[level];
        world.set_pid_max(ns, pid_max.into()).expect("pid_max");
    }
    let free = [50, 60, 70];
    for level in 0..3 {
        let pid_max = world.ns(nest.namespaces[level]).expect("ns").pid_max;
        // Where level 0 is last.
        let place = 2 - level;
        for nr in [i32::MIN, -1, 0, pid_max, pid_max + 1, 4_194_304, i32::MAX] {
            let mut numbers = free;
            numbers[place] = nr;
            let args = with(&numbers);
            world.refuses(Errno::INVAL, |w| w.clone(nest.innermost(), &args));
        }
        let mut numbers = free.map(|nr| nr + 1 + level as i32);
        numbers[place] = pid_max - 1;
        let child = world.born(nest.innermost(), &with(&numbers));
        numbers.reverse();
        assert_eq!(world.pid_of(child), numbers);
    }
    // Reserved for what begins early, but not kept from who asks.
    for nr in [2 + 3, 299, 300] {
        let child = world.born(world.init, &with(&[nr]));
        assert_eq!(world.pid_of(child), [nr]);
    }
}

#[test]
fn more_numbers_than_levels() {
    let nest = Nest::new(3);
    for (level, &init) in nest.inits.iter().enumerate() {
        let numbers: Vec<i32> = (100..=100 + level as i32 + 1).collect();
        let refused = with(&numbers);
        nest.world
            .refuses(Errno::INVAL, |w| w.clone(init, &refused));
        nest.world.born(init, &with(&numbers[1..]));
    }
    // One more level with one more namespace.
    let args = with(&[1, 200, 201]).flags(NEWPID);
    nest.world.born(nest.inits[1], &args);
}

/// There are 33 levels, and 32 numbers at most.
#[test]
fn the_deepest_level() {
    let nest = Nest::new(33);
    let numbers: Vec<i32> = (400..432).collect();
    let child = nest.world.born(nest.innermost(), &with(&numbers));
    let found = nest.world.pid_of(child);
    let order: Vec<i32> = found.iter().rev().copied().take(32).collect();
    assert_eq!((found[0], order), (34, numbers));

    let numbers = vec![500; 33];
    nest.world
        .refuses(Errno::INVAL, |w| w.clone(nest.innermost(), &with(&numbers)));
}

/// All levels are looked at for one kind of error before any is for the next; within a kind the
/// deepest level is the first.
#[test]
fn the_order_of_errors() {
    let nest = Nest::new(3);
    let world = &nest.world;
    // 3 is in use at level 0, 2 at levels 0 and 1, 1 at all of them.
    let rows: &[(&[i32], Errno)] = &[
        (&[1], Errno::EXIST),
        (&[9, 1], Errno::EXIST),
        (&[9, 2], Errno::EXIST),
        (&[9, 9, 1], Errno::EXIST),
        (&[9, 9, 3], Errno::EXIST),
        (&[1, 1, 1], Errno::EXIST),
        // Out of range comes before in use, at whichever level.
        (&[1, 0], Errno::INVAL),
        (&[0, 1], Errno::INVAL),
        (&[1, 1, 0], Errno::INVAL),
        (&[1, -1, 1], Errno::INVAL),
        (&[9, 1, 4_194_304], Errno::INVAL),
        // And too many come before everything.
        (&[1, 1, 1, 1], Errno::INVAL),
    ];
    for &(numbers, errno) in rows {
        println!("{numbers:?}");
        world.refuses(errno, |w| w.clone(nest.innermost(), &with(numbers)));
    }
}

#[test]
fn in_use_below_comes_before_full_above() {
    let nest = Nest::new(2);
    let world = &nest.world;
    let least = pid_max_min();
    world
        .set_pid_max(world.root, least.into())
        .expect("pid_max");
    while world.clone(world.init, &CloneArgs::new()).is_ok() {}
    // The level below is looked at first: a number in use there, then no number above.
    world.refuses(Errno::EXIST, |w| w.clone(nest.inits[1], &with(&[1])));
    world.refuses(Errno::AGAIN, |w| w.clone(nest.inits[1], &with(&[50])));
    world.refuses(Errno::AGAIN, |w| w.clone(nest.inits[1], &CloneArgs::new()));
    world.refuses(Errno::EXIST, |w| w.clone(nest.inits[1], &with(&[50, 2])));
    // None of them has kept 50, or any other number.
    let root = world.ns(world.root).expect("ns");
    assert_eq!(world.ns(nest.namespaces[1]).expect("ns").nr_pids, 1);
    assert_eq!(root.nr_pids, least as u32 - 1);
}

#[test]
fn the_first_process_is_pid_1() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let ns = world.unshare(parent, NEWPID).expect("unshare");
    let ns = ns.expect("a namespace");
    let rows: &[(&[i32], Errno)] = &[
        (&[5], Errno::INVAL),
        (&[2, 12345], Errno::INVAL),
        // That is seen before the level above is looked at.
        (&[5, 1], Errno::INVAL),
        (&[1, 1], Errno::EXIST),
        (&[1, 0], Errno::INVAL),
        (&[1, 1, 1], Errno::INVAL),
    ];
    for &(numbers, errno) in rows {
        println!("{numbers:?}");
        world.refuses(errno, |w| w.clone(parent, &with(numbers)));
        // The same where the namespace would be made by the clone.
        let args = with(numbers).flags(NEWPID);
        world.refuses(errno, |w| w.clone(world.init, &args));
    }
    // Not even as a number that was set.
    world.set_last_pid(ns, 7).expect("last_pid");
    let child = world.born(parent, &CloneArgs::new());
    assert_eq!(*world.pid_of(child).last().expect("a level"), 1);
    let child = world.born(parent, &CloneArgs::new());
    assert_eq!(*world.pid_of(child).last().expect("a level"), 2);
}

#[test]
fn a_first_process_with_numbers() {
    let world = Fixture::new();
    let child = world.clone(world.init, &with(&[1, 12345]).flags(NEWPID));
    let child = child.expect("clone");
    assert_eq!(
        (child.pid, world.pid_of(child.task)),
        (12345, vec![12345, 1])
    );
}

#[test]
fn a_dead_namespace() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let parent = world.fork(world.init);
    world.setns(parent, ns).expect("setns");
    world.exit(init, 0).expect("exit");
    // ENOMEM comes last: what is wrong otherwise is said.
    let rows: &[(&[i32], Errno)] = &[
        (&[], Errno::NOMEM),
        (&[5], Errno::NOMEM),
        (&[5, 50], Errno::NOMEM),
        (&[1], Errno::EXIST),
        (&[5, 1], Errno::EXIST),
        (&[0], Errno::INVAL),
        (&[5, 0], Errno::INVAL),
    ];
    for &(numbers, errno) in rows {
        println!("a zombie as init: {numbers:?}");
        world.refuses(errno, |w| w.clone(parent, &with(numbers)));
    }
    assert_eq!(world.reap(world.init).task, init);
    for &(numbers, errno) in rows {
        // Its number is free, its namespace dead.
        let errno = if numbers == [1] { Errno::NOMEM } else { errno };
        println!("no init: {numbers:?}");
        world.refuses(errno, |w| w.clone(parent, &with(numbers)));
    }
}

#[test]
fn what_fails_leaves_no_number_at_any_level() {
    let nest = Nest::new(3);
    let world = &nest.world;
    let free = |numbers: [i32; 3]| {
        for (ns, nr) in nest.namespaces.iter().rev().zip(numbers) {
            if nr > 3 {
                world.refuses(Errno::SRCH, |w| w.find(*ns, nr, PidType::Pid));
            }
        }
    };
    // In use at level 0, at level 1, at level 2; so that 2, 1 and no levels have to be undone.
    for numbers in [[50, 60, 2], [50, 1, 70], [1, 60, 70]] {
        let args = with(&numbers);
        world.refuses(Errno::EXIST, |w| w.clone(nest.innermost(), &args));
        free(numbers);
    }
    for _ in 0..1000 {
        let result = world.clone(nest.innermost(), &with(&[50, 60, 2]));
        assert_eq!(result.map_err(|e| e.errno), Err(Errno::EXIST));
    }
    let child = world.born(nest.innermost(), &with(&[50, 60, 70]));
    assert_eq!(world.pid_of(child), [70, 60, 50]);
}

#[test]
fn cursors_stay() {
    let nest = Nest::new(3);
    let world = &nest.world;
    let before = nest.last_pids();
    assert_eq!(before, [3, 2, 1]);
    for numbers in [[250, 251, 252], [3000, 3001, 3002]] {
        world.born(nest.innermost(), &with(&numbers));
        assert_eq!(nest.last_pids(), before);
    }
    let refused = with(&[60, 61, 1]);
    world.refuses(Errno::EXIST, |w| w.clone(nest.innermost(), &refused));
    assert_eq!(nest.last_pids(), before);
    let child = world.fork(nest.innermost());
    assert_eq!(world.pid_of(child), [4, 3, 2]);
    // Only those for which no number is given move.
    world.born(nest.innermost(), &with(&[90, 91]));
    assert_eq!(nest.last_pids(), [5, 3, 2]);
    // A number that is in use is passed over.
    world.born(nest.innermost(), &with(&[3, 4, 6]));
    let child = world.fork(nest.innermost());
    assert_eq!(world.pid_of(child), [7, 5, 4]);
}

#[test]
fn a_number_that_was_freed_can_be_had_at_once() {
    let world = Fixture::new();
    for _ in 0..100 {
        let child = world.born(world.init, &with(&[4213]));
        world.refuses(Errno::EXIST, |w| w.clone(world.init, &with(&[4213])));
        world.exit(child, 0).expect("exit");
        world.refuses(Errno::EXIST, |w| w.clone(world.init, &with(&[4213])));
        assert_eq!(world.reap(world.init).task, child);
    }
}

#[test]
fn the_same_number_at_every_level_and_in_every_namespace() {
    let world = Fixture::new();
    let (first, _) = world.container(world.init);
    let (second, _) = world.container(world.init);
    let child = world.born(first, &with(&[100, 100]));
    assert_eq!(world.pid_of(child), [100, 100]);
    world.refuses(Errno::EXIST, |w| w.clone(second, &with(&[100, 100])));
    let child = world.born(second, &with(&[100, 101]));
    assert_eq!(world.pid_of(child), [101, 100]);
}
