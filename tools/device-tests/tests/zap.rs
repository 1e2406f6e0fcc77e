// SPDX-License-Identifier: GPL-2.0

//! Namespaces that die with their init, and what holds that.

use altpid::{CloneArgs, CloneFlags, NsState, Parent, TaskId, TaskState};
use altpid_device_tests::{Fixture, SIGCHLD, WNOHANG, exited};
use rustix::io::Errno;
use std::thread;

/// The status word of a process that was killed.
const KILLED: i32 = libc::SIGKILL;

#[test]
fn all_go_with_their_init() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let child = world.fork(init);
    let grandchild = world.fork(child);
    let thread = world.thread(child);
    let zombie = world.fork(child);
    world.exit(zombie, 0).expect("exit");
    let injected = world.inject(world.init, ns);
    let bystander = world.fork(world.init);
    world.exit(init, 5).expect("exit");
    for gone in [child, grandchild, thread, zombie] {
        assert_eq!(world.state_of(gone), None);
    }
    // Whose parent is outside is killed, and reaped by that.
    assert_eq!(world.state_of(injected), Some(TaskState::Zombie));
    assert_eq!(world.state_of(init), Some(TaskState::Exiting));
    assert_eq!(world.ns(ns).expect("ns").state, NsState::Dying);
    let nr = world.own_pid(init);
    assert_eq!(nr, 1);
    let nr = world.number_in(init, world.root);
    assert_eq!(world.wait(world.init, nr, WNOHANG), Ok(None), "not yet");
    let waited = world.reap(world.init);
    assert_eq!((waited.task, waited.status), (injected, KILLED));
    let waited = world.reap(world.init);
    assert_eq!((waited.task, waited.status), (init, exited(5)));
    assert!(!world.has_ns(ns));
    assert_eq!(world.state_of(bystander), Some(TaskState::Running));
}

/// Whatever they were to send their father.
#[test]
fn an_init_reaps_children_of_every_kind() {
    for signal in [0, 10, SIGCHLD, 64] {
        for count in [1, 2, 3, 200] {
            let world = Fixture::new();
            let (init, ns) = world.container(world.init);
            let args = CloneArgs::new().exit_signal(signal);
            for nr in 0..count {
                let child = world.born(init, &args);
                // Some are dead before.
                if nr % 3 == 2 {
                    world.exit(child, 0).expect("exit");
                }
            }
            println!("{count} children with signal {signal}");
            assert_eq!(world.end(init, 5), exited(5));
            assert!(!world.has_ns(ns));
        }
    }
}

/// Also when they were other threads' until all exited together.
#[test]
fn an_init_reaps_the_children_of_its_threads() {
    for signal in [0, SIGCHLD] {
        for count in [1, 50, 500] {
            let world = Fixture::new();
            let (init, ns) = world.container(world.init);
            let args = CloneArgs::new().exit_signal(signal);
            for thread in [world.thread(init), world.thread(init), world.thread(init)] {
                for nr in 0..count {
                    let child = world.born(thread, &args);
                    if nr % 2 == 0 {
                        world.exit(child, 0).expect("exit");
                    }
                }
            }
            println!("{count} children of each with signal {signal}");
            assert_eq!(world.end(init, 5), exited(5));
            assert!(!world.has_ns(ns));
        }
    }
}

#[test]
fn who_has_no_parent_does_not_hold_an_init() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let args = CloneArgs::new().parent(Parent::Outside);
    let outsider = world.born(init, &args);
    let own = world.fork(outsider);
    // What an outsider leaves behind is init's.
    world.exit(outsider, 0).expect("exit");
    assert_eq!(world.parent_of(own), Some(init));
    world.born(init, &args);
    assert_eq!(world.end(init, 0), exited(0));
    assert!(!world.has_ns(ns));
}

#[test]
fn nested_namespaces_go_too() {
    let world = Fixture::new();
    let (outermost, ns) = world.container(world.init);
    let (mut init, mut all) = (outermost, vec![ns]);
    for _ in 0..20 {
        world.fork(init);
        world.thread(init);
        let (next, ns) = world.container(init);
        all.push(ns);
        init = next;
    }
    assert_eq!(world.end(outermost, 0), exited(0));
    assert_eq!(world.info().expect("world").tasks, 1);
    assert!(all.iter().all(|&ns| !world.has_ns(ns)));
}

#[test]
fn wide_trees_go_too() {
    let world = Fixture::new();
    let (init, _) = world.container(world.init);
    for _ in 0..50 {
        let (nested, _) = world.container(init);
        for _ in 0..20 {
            let child = world.fork(nested);
            world.thread(child);
        }
    }
    assert_eq!(world.end(init, 0), exited(0));
    let info = world.info().expect("world");
    assert_eq!((info.tasks, info.zombies, info.namespaces), (1, 0, 1));
}

/// A zombie in a nested namespace that somebody outside of all has to reap holds both inits.
#[test]
fn a_zombie_holds_every_init_above_it() {
    let world = Fixture::new();
    let (outer, outer_ns) = world.container(world.init);
    let (inner, inner_ns) = world.container(outer);
    let injected = world.inject(world.init, inner_ns);
    world.exit(outer, 0).expect("exit");
    for init in [outer, inner] {
        assert_eq!(world.state_of(init), Some(TaskState::Exiting));
    }
    world.refuses(Errno::SRCH, |w| w.clone(inner, &CloneArgs::new()));
    assert_eq!(world.reap(world.init).task, injected);
    assert_eq!(world.state_of(inner), None);
    assert_eq!(world.reap(world.init).task, outer);
    assert!(!world.has_ns(outer_ns) && !world.has_ns(inner_ns));
}

#[test]
fn a_group_or_session_holds_an_init_too() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    // Both are the children of somebody outside, who has to reap them; the leader's number is a
    // session's as long as the other is there.
    let leader = world.inject(world.init, ns);
    world.setsid(leader).expect("setsid");
    let member = world.born(
        leader,
        &CloneArgs::new().flags(CloneFlags::PARENT).exit_signal(0),
    );
    let nr = world.number_in(leader, world.root);
    world.exit(init, 0).expect("exit");
    let waited = world.wait(world.init, nr, WNOHANG).expect("wait4");
    assert_eq!(waited.expect("a child").task, leader);
    assert_eq!(world.state_of(init), Some(TaskState::Exiting));
    assert_eq!(world.ns(ns).expect("ns").nr_pids, 3);
    assert_eq!(world.reap(world.init).task, member);
    assert_eq!(world.reap(world.init).task, init);
}

#[test]
fn an_init_lives_as_long_as_a_thread_of_it() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let thread = world.thread(init);
    let (member, child) = (world.fork(init), world.fork(thread));
    world.exit(init, 1).expect("exit");
    let found = world.ns(ns).expect("ns");
    assert_eq!(
        (found.state, found.child_reaper),
        (NsState::Active, Some(thread))
    );
    assert_eq!(world.state_of(init), Some(TaskState::Zombie));
    assert_eq!(world.parent_of(member), Some(thread));
    assert_eq!(world.wait(world.init, -1, WNOHANG), Ok(None));
    // Who is orphaned now goes to that thread.
    let grandchild = world.fork(child);
    world.end(child, 0);
    assert_eq!(world.parent_of(grandchild), Some(thread));
    world.exit(thread, 2).expect("exit");
    assert_eq!(world.state_of(grandchild), None);
    let waited = world.reap(world.init);
    assert_eq!((waited.task, waited.status), (init, exited(2)));
    assert!(!world.has_ns(ns));
}

#[test]
fn the_last_thread_of_an_init_waits_for_the_members() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let thread = world.thread(init);
    let injected = world.inject(world.init, ns);
    world.exit(init, 1).expect("exit");
    world.exit(thread, 2).expect("exit");
    assert_eq!(world.state_of(thread), Some(TaskState::Exiting));
    assert_eq!(world.state_of(injected), Some(TaskState::Zombie));
    assert_eq!(world.reap(world.init).task, injected);
    assert_eq!(world.state_of(thread), None);
    assert_eq!(world.reap(world.init).task, init);
}

/// Children are born into a namespace, from inside and from outside, while its init exits: those
/// that are born die with it.
#[test]
fn births_and_the_death_of_an_init() {
    for _ in 0..100 {
        let world = Fixture::new();
        let (init, ns) = world.container(world.init);
        let outside = world.fork(world.init);
        world.setns(outside, ns).expect("setns");
        let births = |parent: TaskId, end: &[Errno]| {
            let mut born = 0;
            loop {
                match world.clone(parent, &CloneArgs::new()).map_err(|e| e.errno) {
                    Ok(_) => born += 1,
                    // All numbers are in use, since init has not come to its exit yet.
                    Err(Errno::AGAIN) => thread::yield_now(),
                    Err(errno) => {
                        assert!(end.contains(&errno), "{errno}");
                        return born;
                    }
                }
            }
        };
        let injected = thread::scope(|scope| {
            let injected = scope.spawn(|| births(outside, &[Errno::NOMEM]));
            scope.spawn(|| births(init, &[Errno::NOMEM, Errno::SRCH]));
            world.exit(init, 0).expect("exit");
            injected.join().expect("births")
        });
        for _ in 0..injected {
            assert_eq!(world.reap(outside).status, KILLED);
        }
        world.refuses(Errno::CHILD, |w| w.wait(outside, -1, WNOHANG));
        assert_eq!(world.reap(world.init).task, init);
        assert_eq!(world.ns(ns).expect("ns").nr_pids, 0);
    }
}
