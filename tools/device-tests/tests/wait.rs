// SPDX-License-Identifier: GPL-2.0

//! wait4(2): whom it means, what it tells, and when it sleeps.

use altpid::{CloneArgs, Parent, TaskState, WaitFlags};
use altpid_device_tests::{
    Fixture, SIGCHLD, WALL, WCLONE, WNOHANG, WNOTHREAD, exited, sleeper::Sleeper,
};
use rustix::io::Errno;
use std::thread;

/// Whom wait4(2) means by its number.
#[test]
fn numbers_that_are_waited_for() {
    let world = Fixture::new();
    let caller = world.fork(world.init);
    world.setsid(caller).expect("setsid");
    let children: Vec<_> = (0..4).map(|_| world.fork(caller)).collect();
    let nr: Vec<i32> = children.iter().map(|&c| world.own_pid(c)).collect();
    // The third and the fourth are a group.
    world.setpgid(children[2], 0, 0).expect("setpgid");
    world.setpgid(children[3], 0, nr[2]).expect("setpgid");
    let stranger = world.fork(world.init);
    let grandchild = world.fork(children[0]);
    let thread = world.thread(children[0]);
    // Nobody is dead.
    for pid in [-1, 0, nr[0], nr[3], -nr[2], -world.own_pid(caller)] {
        assert_eq!(world.wait(caller, pid, WNOHANG), Ok(None), "{pid}");
    }
    let none = [
        world.own_pid(caller),
        world.own_pid(stranger),
        world.own_pid(grandchild),
        world.own_pid(thread),
        1,
        4000,
        -4000,
        -nr[0],
        -1 - nr[3],
    ];
    for pid in none {
        world.refuses(Errno::CHILD, |w| w.wait(caller, pid, WNOHANG));
    }
    world.refuses(Errno::SRCH, |w| w.wait(caller, i32::MIN, WNOHANG));
    for child in &children[1..] {
        world.exit(*child, 0).expect("exit");
    }
    let reaped = |pid| {
        let waited = world.wait(caller, pid, WNOHANG).expect("wait4")?;
        Some(waited.task)
    };
    assert_eq!(reaped(nr[0]), None);
    assert_eq!(reaped(-nr[2]), Some(children[2]));
    assert_eq!(reaped(0), Some(children[1]), "of its own group");
    assert_eq!(reaped(0), None);
    assert_eq!(reaped(-1), Some(children[3]));
    assert_eq!(reaped(-1), None);
    world.refuses(Errno::CHILD, |w| w.wait(caller, -nr[2], WNOHANG));
}

#[test]
fn waiting_goes_by_what_the_waiter_sees() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let child = world.fork(init);
    let injected = world.inject(world.init, ns);
    let numbers = world.pid_of(injected);
    assert_eq!(numbers.len(), 2);
    world.exit(injected, 0).expect("exit");
    // To somebody inside it is not a child, by whichever number.
    world.refuses(Errno::CHILD, |w| w.wait(init, numbers[1], WNOHANG));
    let found = world.wait(init, world.own_pid(child), WNOHANG);
    assert_eq!(found, Ok(None));
    let waited = world.wait(world.init, numbers[0], WNOHANG).expect("wait4");
    assert_eq!(waited.expect("a child").pid, numbers[0]);
}

#[test]
fn options() {
    /// A child that is waited for, or one that is not.
    const FOUND: Result<bool, Errno> = Ok(true);
    const NONE: Result<bool, Errno> = Err(Errno::CHILD);
    const BAD: Result<bool, Errno> = Err(Errno::INVAL);
    // Options; then for a child that sends SIGCHLD, one that sends something else, one that sends
    // nothing.
    let rows = [
        (WaitFlags::empty(), [FOUND, NONE, NONE]),
        (WCLONE, [NONE, FOUND, FOUND]),
        (WALL, [FOUND, FOUND, FOUND]),
        (WALL | WCLONE, [FOUND, FOUND, FOUND]),
        (WNOTHREAD, [FOUND, NONE, NONE]),
        (WNOTHREAD | WCLONE, [NONE, FOUND, FOUND]),
        (WaitFlags::STOPPED, [FOUND, NONE, NONE]),
        (WaitFlags::CONTINUED, [FOUND, NONE, NONE]),
        (WaitFlags::EXITED, [BAD; 3]),
        (WaitFlags::from_bits_retain(0x10), [BAD; 3]),
        (WaitFlags::NOWAIT, [BAD; 3]),
        (WaitFlags::from_bits_retain(0x1000_0000), [BAD; 3]),
    ];
    for (options, expected) in rows {
        for (signal, expected) in [SIGCHLD, 10, 0].into_iter().zip(expected) {
            for exits_first in [false, true] {
                for by_number in [false, true] {
                    let world = Fixture::new();
                    let child = world.born(world.init, &CloneArgs::new().exit_signal(signal));
                    let pid = if by_number { world.own_pid(child) } else { -1 };
                    println!("{options:?} for {pid}, signal {signal}, dead: {exits_first}");
                    if exits_first {
                        world.exit(child, 0).expect("exit");
                    }
                    let options = options | WNOHANG;
                    match expected {
                        Ok(_) => {
                            let waited = world.wait(world.init, pid, options).expect("wait4");
                            assert_eq!(waited.map(|w| w.task), exits_first.then_some(child));
                        }
                        Err(errno) => {
                            world.refuses(errno, |w| w.wait(world.init, pid, options));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn children_of_other_threads() {
    let world = Fixture::new();
    let process = world.fork(world.init);
    let thread = world.thread(process);
    let child = world.fork(process);
    let nr = world.own_pid(child);
    for pid in [-1, nr] {
        assert_eq!(world.wait(thread, pid, WNOHANG), Ok(None));
        let options = WNOHANG | WNOTHREAD;
        world.refuses(Errno::CHILD, |w| w.wait(thread, pid, options));
        assert_eq!(world.wait(process, pid, options), Ok(None));
    }
    world.exit(child, 0).expect("exit");
    world.refuses(Errno::CHILD, |w| w.wait(thread, -1, WNOHANG | WNOTHREAD));
    assert_eq!(world.reap(thread).task, child);
}

#[test]
fn ones_own_children_come_first() {
    let world = Fixture::new();
    let process = world.fork(world.init);
    let threads = [process, world.thread(process), world.thread(process)];
    // The older children are the others'.
    let children = threads.map(|thread| {
        let child = world.fork(thread);
        world.exit(child, 0).expect("exit");
        child
    });
    assert_eq!(world.reap(threads[1]).task, children[1]);
    // Then those of the threads after it, and of the ones before.
    assert_eq!(world.reap(threads[1]).task, children[2]);
    assert_eq!(world.reap(threads[1]).task, children[0]);
}

#[test]
fn an_exit_wakes_who_waits() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let (child, other) = (world.fork(parent), world.fork(parent));
    let nr = world.own_pid(child);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), parent, nr, WaitFlags::empty());
        world.exit(other, 1).expect("exit");
        assert!(sleeper.settles(), "that was somebody else");
        world.exit(child, 2).expect("exit");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!((waited.task, waited.status), (child, exited(2)));
    });
    assert_eq!(world.reap(parent).task, other);
}

#[test]
fn each_dead_child_wakes_one() {
    let world = Fixture::new();
    let children: Vec<_> = (0..8).map(|_| world.fork(world.init)).collect();
    // Each thread of the parent can wait.
    let mut waiters = vec![world.init];
    waiters.extend((1..8).map(|_| world.thread(world.init)));
    let mut reaped: Vec<_> = thread::scope(|scope| {
        let sleepers: Vec<_> = waiters
            .iter()
            .map(|&waiter| Sleeper::new(scope, world.world(), waiter, -1, WALL))
            .collect();
        for child in &children {
            world.exit(*child, 0).expect("exit");
        }
        sleepers
            .into_iter()
            .map(|sleeper| sleeper.result().expect("wait4").expect("a child").task)
            .collect()
    });
    reaped.sort();
    assert_eq!(reaped, children);
}

#[test]
fn a_signal_ends_the_wait() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), world.init, -1, WaitFlags::empty());
        assert!(sleeper.settles());
        sleeper.interrupt();
        let error = sleeper.result().expect_err("interrupted");
        assert_eq!(error.errno, Errno::INTR);
    });
    world.exit(child, 3).expect("exit");
    let waited = world.reap(world.init);
    assert_eq!(
        (waited.task, waited.status),
        (child, exited(3)),
        "nothing is lost"
    );
}

#[test]
fn a_waiter_notices_what_becomes_of_its_children() {
    let world = Fixture::new();
    // The last one vanishes.
    let parent = world.fork(world.init);
    let child = world.autoreap(parent);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), parent, -1, WALL);
        world.exit(child, 0).expect("exit");
        let error = sleeper.result().expect_err("no child is left");
        assert_eq!(error.errno, Errno::CHILD);
    });
    // Somebody else has reaped it.
    let thread = world.thread(parent);
    let child = world.fork(parent);
    let other = world.fork(parent);
    let nr = world.own_pid(child);
    thread::scope(|scope| {
        let first = Sleeper::new(scope, world.world(), parent, nr, WaitFlags::empty());
        let second = Sleeper::new(scope, world.world(), thread, nr, WaitFlags::empty());
        world.exit(child, 0).expect("exit");
        let mut results = [first.result(), second.result()].map(|r| match r {
            Ok(waited) => Ok(waited.expect("a child").task),
            Err(error) => Err(error.errno),
        });
        results.sort_by_key(Result::is_err);
        assert_eq!(results, [Ok(child), Err(Errno::CHILD)]);
    });
    // The parent itself ends.
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), parent, -1, WaitFlags::empty());
        world.exit_group(thread, 0).expect("exit_group");
        let error = sleeper.result().expect_err("nobody waits any more");
        assert_eq!(error.errno, Errno::SRCH);
    });
    assert_eq!(world.parent_of(other), Some(world.init));
}

#[test]
fn orphans_wake_their_new_parent() {
    let world = Fixture::new();
    let father = world.born(world.init, &CloneArgs::new().exit_signal(10));
    let zombie = world.fork(father);
    world.exit(zombie, 0).expect("exit");
    let own = world.fork(world.init);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), world.init, -1, WaitFlags::empty());
        // Of its own children none is dead; of those that it gets now one is.
        world.exit(father, 0).expect("exit");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!(waited.task, zombie);
    });
    assert_eq!(world.state_of(own), Some(TaskState::Running));
}

/// wait4(2) of the own process group is for the one that this is when the call begins.
#[test]
fn the_own_group_is_that_at_the_call() {
    let world = Fixture::new();
    let waiter = world.fork(world.init);
    world.setpgid(waiter, 0, 0).expect("setpgid");
    let (stays, joins) = (world.fork(waiter), world.fork(waiter));
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), waiter, 0, WaitFlags::empty());
        let other = world.fork(world.init);
        world.setpgid(other, 0, 0).expect("setpgid");
        let group = world.pid_of(other)[0];
        let pid = world.own_pid(waiter);
        world.setpgid(world.init, pid, group).expect("setpgid");
        world.setpgid(joins, 0, group).expect("setpgid");
        // Of the group that the waiter is in by now, which is not waited for.
        world.exit_group(joins, 1).expect("exit_group");
        world.exit_group(stays, 2).expect("exit_group");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!((waited.task, waited.status), (stays, exited(2)));
    });
}

#[test]
fn who_has_no_children_does_not_sleep() {
    let world = Fixture::new();
    for options in [WaitFlags::empty(), WNOHANG, WALL, WCLONE, WNOTHREAD] {
        for pid in [-1, 0, 1, 2, -2] {
            world.refuses(Errno::CHILD, |w| w.wait(world.init, pid, options));
        }
    }
    // A task without a parent here is nobody's child.
    world.born(world.init, &CloneArgs::new().parent(Parent::Outside));
    world.refuses(Errno::CHILD, |w| w.wait(world.init, -1, WALL));
}

/// Waiters, children and exits at once: each child is reaped once.
#[test]
fn many_at_once() {
    const PARENTS: usize = 4;
    const CHILDREN: usize = 200;
    let world = Fixture::new();
    thread::scope(|scope| {
        for _ in 0..PARENTS {
            let world = &world;
            let (init, _) = world.container(world.init);
            scope.spawn(move || {
                for _ in 0..CHILDREN {
                    let child = world.fork(init);
                    let grandchild = world.fork(child);
                    world.thread(child);
                    world.exit_group(child, 1).expect("exit_group");
                    world.exit(grandchild, 2).expect("exit");
                }
                let mut sum = 0;
                for _ in 0..2 * CHILDREN {
                    sum += world.reap(init).status;
                }
                assert_eq!(sum, CHILDREN as i32 * exited(3));
            });
        }
    });
    let info = world.info().expect("world");
    assert_eq!((info.tasks, info.zombies), (1 + PARENTS as u64, 0));
}
