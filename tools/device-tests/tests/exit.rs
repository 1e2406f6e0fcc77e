// SPDX-License-Identifier: GPL-2.0

//! How tasks end, what becomes of their children, and who vanishes.

use altpid::{CloneArgs, CloneFlags, NsState, TaskState};
use altpid_device_tests::{Fixture, SIGCHLD, WALL, WNOHANG, exited};
use rustix::io::Errno;

#[test]
fn a_zombie_waits_for_its_parent() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    world.exit(child, 33).expect("exit");
    let task = world.task(child).expect("a zombie is still there");
    assert_eq!(task.state, TaskState::Zombie);
    assert_eq!((task.exit_code, task.nr_threads), (exited(33), 0));
    assert_eq!((task.pid, task.ns_for_children), (vec![2], None));
    assert_eq!(world.info().expect("world").zombies, 1);
    let waited = world.reap(world.init);
    assert_eq!((waited.task, waited.pid), (child, 2));
    assert_eq!(waited.status, exited(33));
    assert_eq!(world.state_of(child), None);
    let info = world.info().expect("world");
    assert_eq!((info.tasks, info.zombies), (1, 0));
}

#[test]
fn eight_bits_of_the_code_count() {
    let world = Fixture::new();
    for code in [0, 1, 127, 128, 255, 256, 257, -1, i32::MIN, i32::MAX] {
        let child = world.fork(world.init);
        assert_eq!(world.end(child, code), exited(code), "{code}");
        let child = world.fork(world.init);
        world.exit(child, code).expect("exit");
        assert_eq!(world.reap(world.init).status, exited(code), "{code}");
    }
}

#[test]
fn the_worlds_init_does_not_exit() {
    let world = Fixture::new();
    world.refuses(Errno::BUSY, |w| w.exit(world.init, 0));
    world.refuses(Errno::BUSY, |w| w.exit_group(world.init, 0));
    // A thread of it may, even the first, but not the last.
    let thread = world.thread(world.init);
    world.refuses(Errno::BUSY, |w| w.exit_group(thread, 0));
    world.exit(world.init, 0).expect("exit");
    world.refuses(Errno::BUSY, |w| w.exit(thread, 0));
    let child = world.fork(thread);
    assert_eq!(world.parent_of(child), Some(thread));
    let root = world.ns(world.root).expect("ns");
    assert_eq!(root.child_reaper, Some(thread));
    assert_eq!(root.state, NsState::Active);
}

#[test]
fn children_go_to_another_thread_of_the_process() {
    let world = Fixture::new();
    let process = world.fork(world.init);
    let thread = world.thread(process);
    let child = world.born(thread, &CloneArgs::new().exit_signal(10));
    let zombie = world.fork(thread);
    world.exit(zombie, 1).expect("exit");
    world.exit(thread, 0).expect("exit");
    assert_eq!(world.state_of(thread), None, "a thread leaves no zombie");
    assert_eq!(world.parent_of(child), Some(process));
    assert_eq!(world.parent_of(zombie), Some(process));
    let task = world.task(child).expect("task");
    assert_eq!(task.exit_signal, 10, "nobody has to be told");
    assert_eq!(world.reap(process).task, zombie);
}

#[test]
fn orphans_go_to_init() {
    let world = Fixture::new();
    let father = world.fork(world.init);
    let child = world.born(father, &CloneArgs::new().exit_signal(10));
    let grandchild = world.fork(child);
    let zombie = world.born(father, &CloneArgs::new().exit_signal(0));
    world.exit(zombie, 4).expect("exit");
    world.exit(father, 0).expect("exit");
    for orphan in [child, zombie] {
        let task = world.task(orphan).expect("task");
        assert_eq!((task.parent, task.exit_signal), (Some(world.init), SIGCHLD));
    }
    assert_eq!(world.parent_of(grandchild), Some(child));
    // Both are children like any other now.
    let waited = world.wait(world.init, world.own_pid(zombie), WNOHANG);
    assert_eq!(waited.expect("wait4").expect("a child").task, zombie);
}

/// It is the father's namespace that says whose they become.
#[test]
fn orphans_go_to_the_init_of_their_fathers_namespace() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    // Born and orphaned inside.
    let father = world.fork(init);
    let child = world.fork(father);
    world.end(father, 0);
    assert_eq!(world.parent_of(child), Some(init));
    // Born inside, of a father outside.
    let father = world.fork(world.init);
    let injected = world.inject(father, ns);
    let (nested_init, nested) = world.container(father);
    let own = world.fork(injected);
    world.end(father, 0);
    assert_eq!(world.parent_of(injected), Some(world.init));
    assert_eq!(world.parent_of(nested_init), Some(world.init));
    assert!(world.has_ns(nested));
    world.end(injected, 0);
    assert_eq!(world.parent_of(own), Some(init), "an insider's father");
}

#[test]
fn a_thousand_children_find_a_parent() {
    let world = Fixture::new();
    let father = world.fork(world.init);
    let children: Vec<_> = (0..1000).map(|_| world.fork(father)).collect();
    for child in children.iter().step_by(2) {
        world.exit(*child, 0).expect("exit");
    }
    world.end(father, 0);
    for child in &children {
        assert_eq!(world.parent_of(*child), Some(world.init));
    }
    // The oldest is the first, before and after.
    for child in children.iter().step_by(2) {
        assert_eq!(world.reap(world.init).task, *child);
    }
}

#[test]
fn a_leader_waits_for_its_threads() {
    let world = Fixture::new();
    let leader = world.fork(world.init);
    let threads = [world.thread(leader), world.thread(leader)];
    world.exit(leader, 1).expect("exit");
    assert_eq!(world.state_of(leader), Some(TaskState::Zombie));
    let alive = |expected| {
        assert_eq!(world.wait(world.init, -1, WNOHANG), Ok(None));
        let task = world.task(leader).expect("task");
        assert_eq!((task.state, task.nr_threads), (TaskState::Zombie, expected));
    };
    alive(2);
    // Its threads go on, and can have children and threads.
    let child = world.fork(threads[1]);
    let third = world.thread(threads[0]);
    alive(3);
    world.exit(threads[0], 2).expect("exit");
    world.exit(third, 3).expect("exit");
    alive(1);
    world.exit(threads[1], 4).expect("exit");
    let waited = world.reap(world.init);
    assert_eq!(
        (waited.task, waited.status),
        (leader, exited(4)),
        "the last one's"
    );
    assert_eq!(world.parent_of(child), Some(world.init));
}

#[test]
fn exit_group_ends_all_threads() {
    let world = Fixture::new();
    for caller in 0..3 {
        let leader = world.fork(world.init);
        let threads = [leader, world.thread(leader), world.thread(leader)];
        world.exit_group(threads[caller], 9).expect("exit_group");
        assert_eq!(world.state_of(threads[1]), None);
        assert_eq!(world.state_of(threads[2]), None);
        let waited = world.reap(world.init);
        assert_eq!((waited.task, waited.status), (leader, exited(9)));
    }
    // After the leader has exited with something else.
    let leader = world.fork(world.init);
    let thread = world.thread(leader);
    world.exit(leader, 1).expect("exit");
    assert_eq!(world.end_by(thread, 6), (leader, exited(6)));
}

#[test]
fn exit_group_ends_a_thousand_threads() {
    let world = Fixture::new();
    let leader = world.fork(world.init);
    for _ in 0..1000 {
        world.thread(leader);
    }
    assert_eq!(world.end(leader, 2), exited(2));
    assert_eq!(world.info().expect("world").tasks, 1);
}

#[test]
fn who_vanishes() {
    let world = Fixture::new();
    // Autoreap, also as an orphan, and when its parent waits for it in particular.
    let child = world.autoreap(world.init);
    let nr = world.own_pid(child);
    assert!(world.task(child).expect("task").is_autoreap);
    assert_eq!(world.wait(world.init, nr, WNOHANG | WALL), Ok(None));
    world.exit(child, 0).expect("exit");
    assert_eq!(world.state_of(child), None);
    world.refuses(Errno::CHILD, |w| w.wait(world.init, nr, WNOHANG | WALL));
    let father = world.fork(world.init);
    let orphan = world.autoreap(father);
    let own = world.fork(orphan);
    world.end(father, 0);
    world.exit(orphan, 0).expect("exit");
    assert_eq!(world.state_of(orphan), None);
    // It is not inherited.
    assert_eq!(world.parent_of(own), Some(world.init));
    world.exit(own, 0).expect("exit");
    assert_eq!(world.reap(world.init).task, own);
    // A leader does once its threads are gone.
    let child = world.autoreap(world.init);
    let thread = world.thread(child);
    world.exit(child, 0).expect("exit");
    assert_eq!(world.state_of(child), Some(TaskState::Zombie));
    world.exit(thread, 0).expect("exit");
    assert_eq!(world.state_of(child), None);
    // And an init, with all the others.
    let args = CloneArgs::new()
        .flags(CloneFlags::AUTOREAP | CloneFlags::NEWPID)
        .exit_signal(0);
    let init = world.born(world.init, &args);
    let ns = world.task(init).expect("task").ns;
    let member = world.fork(init);
    world.exit(init, 0).expect("exit");
    assert_eq!((world.state_of(init), world.state_of(member)), (None, None));
    assert!(!world.has_ns(ns));
}
