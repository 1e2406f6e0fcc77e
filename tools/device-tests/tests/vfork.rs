// SPDX-License-Identifier: GPL-2.0

//! vfork(2): the caller is asleep until its child has exited or called exec (`wait_for_vfork_done()`).
//! The call over the device returns at once, with the child; the task is what sleeps. Natively that is
//! a sleep which only a signal that kills ends.

use altpid::{
    CloneArgs, CloneFlags, Disposition, Kill, Parent, TaskId, TaskState, WaitFlags, World,
};
use altpid_device_tests::{
    Fixture, WNOHANG,
    figures::scaled,
    sleeper::Sleeper,
    verbs::{Place, Scene, VERBS},
};
use rustix::io::Errno;
use std::thread;

const VFORK: CloneFlags = CloneFlags::VFORK;
/// Options of wait4(2): children that stop too.
const WUNTRACED: WaitFlags = WaitFlags::STOPPED;

/// What vfork(2) is.
fn args() -> CloneArgs {
    CloneArgs::new().flags(CloneFlags::VM | VFORK)
}

/// A parent, a child of that which has called vfork(2), and its child.
fn family(world: &Fixture) -> (TaskId, TaskId, TaskId) {
    let parent = world.fork(world.init);
    let caller = world.fork(parent);
    let child = world.born(caller, &args());
    (parent, caller, child)
}

/// Whether a task may do something, which is what the device says of it.
#[track_caller]
fn is_awake(world: &World, task: TaskId) -> bool {
    let is_in_vfork = world.task(task).expect("task").is_in_vfork;
    match world.set_name(task, b"awake") {
        Ok(()) => {
            assert!(!is_in_vfork);
            true
        }
        Err(error) => {
            assert_eq!(error.errno, Errno::BUSY);
            assert_eq!(error.reason.name(), Some("TASK_BUSY"));
            assert!(is_in_vfork);
            false
        }
    }
}

/// Whether a task may do something, or is refused because it is in vfork, at a moment that nobody knows.
#[track_caller]
fn is_awake_or_busy(world: &World, task: TaskId) {
    if let Err(error) = world.set_name(task, b"name") {
        assert_eq!(error.reason.name(), Some("TASK_BUSY"));
    }
}

/// How a child ends that its parent waits for.
type End = fn(&Fixture, TaskId);

#[test]
fn every_verb_of_the_caller_is_refused() {
    for place in Place::ALL {
        let scene = Scene::new(place, 3);
        let world = &scene.world;
        let child = world.born(scene.task, &args());
        for verb in VERBS {
            world.refuses(Errno::BUSY, |_| verb.call(&scene));
            let refused = verb.call(&scene).expect_err(verb.name);
            assert_eq!(refused.reason.name(), Some("TASK_BUSY"), "{}", verb.name);
        }
        // Another thread of its process is not in vfork.
        assert!(is_awake(world, scene.sibling));
        world.exit_group(child, 0).expect("exit_group");
        assert!(is_awake(world, scene.task), "{place:?}");
    }
}

/// How a child lets its caller go on.
#[test]
fn what_ends_the_sleep() {
    let ends: &[(&str, End)] = &[
        ("exit", |w, child| w.exit(child, 0).expect("exit")),
        ("exit_group", |w, child| {
            w.exit_group(child, 0).expect("exit_group");
        }),
        ("exec", |w, child| w.exec(child, b"program").expect("exec")),
        ("SIGKILL", |w, child| {
            w.kill(Kill::Outside(child), libc::SIGKILL).expect("kill");
        }),
    ];
    for (name, end) in ends {
        let world = Fixture::new();
        let (_, caller, child) = family(&world);
        // What the child does otherwise, and what others do, does not.
        world.fork(child);
        world.setsid(child).expect("setsid");
        world
            .kill(Kill::Outside(child), libc::SIGSTOP)
            .expect("kill");
        world
            .kill(Kill::Outside(child), libc::SIGCONT)
            .expect("kill");
        world.end(world.fork(world.init), 0);
        assert!(!is_awake(&world, caller), "before {name}");
        end(&world, child);
        assert!(is_awake(&world, caller), "after {name}");
    }
}

/// A child that is init of a namespace, a sibling, a task that nobody waits for, and one that vanishes.
#[test]
fn children_of_every_kind() {
    let autoreap = args()
        .flags(CloneFlags::VM | VFORK | CloneFlags::AUTOREAP)
        .exit_signal(0);
    let kinds = [
        args().flags(CloneFlags::VM | VFORK | CloneFlags::NEWPID),
        args()
            .flags(CloneFlags::VM | VFORK | CloneFlags::PARENT)
            .exit_signal(0),
        args().parent(Parent::Outside),
        autoreap,
        CloneArgs::new().flags(VFORK),
    ];
    for kind in kinds {
        let world = Fixture::new();
        let caller = world.fork(world.fork(world.init));
        let child = world.born(caller, &kind);
        assert!(!is_awake(&world, caller), "{kind:?}");
        world.exit_group(child, 0).expect("exit_group");
        assert!(is_awake(&world, caller), "{kind:?}");
    }
}

/// exec by a thread of the child is an exec of the child, and so is the exit of its last thread.
#[test]
fn a_child_with_threads() {
    let world = Fixture::new();
    let (_, caller, child) = family(&world);
    let thread = world.thread(child);
    world.exec(thread, b"program").expect("exec");
    assert!(is_awake(&world, caller));
    let child = world.born(caller, &args());
    let thread = world.thread(child);
    // mm_release() of the one that was cloned, whatever threads it has.
    world.exit(child, 0).expect("exit");
    assert!(is_awake(&world, caller));
    world.exit_group(thread, 0).expect("exit_group");
}

/// A stop takes hold when the sleep is over; what the parent waits for comes only then.
#[test]
fn a_stop_takes_hold_afterwards() {
    let world = Fixture::new();
    let (parent, caller, child) = family(&world);
    let options = WUNTRACED | WNOHANG;
    world
        .kill(Kill::Outside(caller), libc::SIGSTOP)
        .expect("kill");
    assert_eq!(world.state_of(caller), Some(TaskState::Running));
    assert_eq!(world.wait(parent, -1, options), Ok(None));
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, &world, parent, -1, WUNTRACED);
        world
            .kill(Kill::Outside(child), libc::SIGSTOP)
            .expect("kill");
        assert!(sleeper.settles(), "its child is stopped, the caller sleeps");
        world
            .kill(Kill::Outside(child), libc::SIGKILL)
            .expect("kill");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!(
            (waited.task, waited.status),
            (caller, libc::SIGSTOP << 8 | 0x7f)
        );
    });
    assert_eq!(world.state_of(caller), Some(TaskState::Stopped));
    // A stop that is taken back meanwhile never was.
    let (parent, caller, child) = family(&world);
    world
        .kill(Kill::Outside(caller), libc::SIGSTOP)
        .expect("kill");
    world
        .kill(Kill::Outside(caller), libc::SIGCONT)
        .expect("kill");
    world.exit_group(child, 0).expect("exit_group");
    assert_eq!(world.state_of(caller), Some(TaskState::Running));
    assert_eq!(world.wait(parent, -1, options), Ok(None));
}

/// A handler is called when the sleep is over, and so acts a signal that writes a core dump; one that
/// kills ends the sleep.
#[test]
fn signals_of_the_caller() {
    let world = Fixture::new();
    let (_, caller, child) = family(&world);
    // A caller cannot set a handler while it sleeps.
    world.exit_group(child, 0).expect("exit_group");
    world
        .sigaction(caller, libc::SIGUSR1, Some(Disposition::Handler.into()))
        .expect("sigaction");
    let child = world.born(caller, &args());
    world
        .kill(Kill::Outside(caller), libc::SIGUSR1)
        .expect("kill");
    let signals = world.signals(caller).expect("signals");
    assert_eq!(signals.received, 0);
    assert!(signals.shared.contains(libc::SIGUSR1));
    world.exec(child, b"program").expect("exec");
    assert_eq!(world.signals(caller).expect("signals").received, 1);

    for (signal, waits) in [
        (libc::SIGQUIT, true),
        (libc::SIGTERM, false),
        (libc::SIGKILL, false),
    ] {
        let (parent, caller, child) = family(&world);
        world.kill(Kill::Outside(caller), signal).expect("kill");
        if waits {
            assert_eq!(world.state_of(caller), Some(TaskState::Running));
            world.exit_group(child, 0).expect("exit_group");
        }
        assert_eq!(world.state_of(caller), Some(TaskState::Zombie), "{signal}");
        let killed = world.reap(parent).status & 0x7f;
        assert_eq!(killed, signal);
        if !waits {
            // Nobody sleeps for it any more; it lives on.
            assert_eq!(world.parent_of(child), Some(world.init));
            world.exec(child, b"program").expect("exec");
            world.end(child, 0);
        }
    }
}

/// Deep in namespaces, and with its world's end: nobody waits for what cannot come.
#[test]
fn the_caller_dies_with_its_namespace() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let caller = world.fork(init);
    let child = world.born(caller, &args());
    let of_init = world.born(init, &args());
    assert!(!is_awake(&world, init));
    world
        .kill(
            Kill::Pid(world.init, world.number_in(init, world.root)),
            libc::SIGKILL,
        )
        .expect("kill");
    world.reap(world.init);
    for task in [init, caller, child, of_init] {
        assert_eq!(world.state_of(task), None);
    }
    assert!(!world.has_ns(ns));
    // A world may be closed while somebody sleeps in it.
    family(&world);
}

/// A second caller that waits until a clone is over is refused when the task falls asleep in it.
#[test]
fn a_caller_that_waits_for_one_who_falls_asleep() {
    let world = Fixture::new();
    let task = world.fork(world.init);
    for _ in 0..scaled(500) {
        let child = thread::scope(|scope| {
            let clone = scope.spawn(|| world.born(task, &args()));
            // Before the clone, or when the task is asleep in it.
            is_awake_or_busy(&world, task);
            clone.join().expect("a call")
        });
        world.exit_group(child, 0).expect("exit_group");
        world.reap(task);
    }
}
