// SPDX-License-Identifier: GPL-2.0

//! vfork(2): the caller is asleep until its child has exited or called exec (`wait_for_vfork_done()`).
//! The call over the device returns at once, with the child; the task is what sleeps. Natively that is
//! a sleep which only a signal that kills ends.

use altpid::{
    CloneArgs, CloneFlags, Disposition, Kill, Parent, TaskId, TaskState, WaitFlags, World,
};
use altpid_device_tests::{
    Fixture, WALL, WNOHANG, exited,
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

/// Another thread of the caller's process acts for itself: its signals are its own, and exec and
/// exit_group by it end the one who sleeps. The process stops when all of its threads do.
#[test]
fn other_threads_of_the_caller() {
    let world = Fixture::new();
    let leader = world.fork(world.init);
    world
        .sigaction(leader, libc::SIGUSR1, Some(Disposition::Handler.into()))
        .expect("sigaction");
    let thread = world.thread(leader);
    world.born(leader, &args());
    let (pid, tid) = (world.own_pid(leader), world.own_pid(thread));
    let signal = Kill::Thread(world.init, pid, tid);
    world.kill(signal, libc::SIGUSR1).expect("kill");
    assert_eq!(world.signals(thread).expect("signals").received, 1);
    world
        .kill(Kill::Outside(leader), libc::SIGSTOP)
        .expect("kill");
    let options = WUNTRACED | WNOHANG | WALL;
    assert_eq!(world.wait(world.init, -1, options), Ok(None));
    world
        .kill(Kill::Outside(leader), libc::SIGCONT)
        .expect("kill");
    world.exec(thread, b"program").expect("exec");
    assert_eq!(world.state_of(leader), None);
    assert_eq!(world.task(thread).expect("task").nr_threads, 1);
    assert!(is_awake(&world, thread));

    let process = world.fork(world.init);
    let thread = world.thread(process);
    let child = world.born(process, &args());
    assert_eq!(world.end_by(thread, 2), (process, exited(2)));
    assert_eq!(world.parent_of(child), Some(world.init));
}

/// The other threads of a caller stop at once, and the process has stopped when the caller has; a
/// SIGCONT before that tells the parent of a stop, by no signal, and is one to wait for.
#[test]
fn a_stop_of_the_other_threads() {
    let world = Fixture::new();
    let stop = |thread: TaskId| {
        let (tgid, tid) = (
            world.task(thread).expect("task").tgid[0],
            world.own_pid(thread),
        );
        let by = Kill::Thread(world.init, tgid, tid);
        world.kill(by, libc::SIGSTOP).expect("kill");
    };
    let parent = world.fork(world.init);
    let action = Some(Disposition::Handler.into());
    world
        .sigaction(parent, libc::SIGCHLD, action)
        .expect("sigaction");
    let process = world.fork(parent);
    let thread = world.thread(process);
    let told = || {
        let signals = world.signals(parent).expect("signals");
        (signals.received, signals.last.code, signals.last.status)
    };
    let look = || {
        let options = WUNTRACED | WaitFlags::CONTINUED | WNOHANG | WALL;
        let waited = world.wait(parent, -1, options).expect("wait4");
        waited.map(|waited| waited.status)
    };

    let child = world.born(process, &args());
    stop(thread);
    assert_eq!(world.state_of(thread), Some(TaskState::Stopped));
    assert_eq!(world.state_of(process), Some(TaskState::Running));
    let refused = world.set_name(thread, b"name").expect_err("stopped");
    assert_eq!(refused.reason.name(), Some("TASK_STOPPED"));
    assert_eq!((look(), told().0), (None, 0));
    world.exit_group(child, 0).expect("exit_group");
    assert_eq!(world.state_of(process), Some(TaskState::Stopped));
    assert_eq!(told(), (1, libc::CLD_STOPPED, libc::SIGSTOP));
    assert_eq!(look(), Some(libc::SIGSTOP << 8 | 0x7f));
    world
        .kill(Kill::Outside(process), libc::SIGCONT)
        .expect("kill");
    assert_eq!((look(), told().0), (Some(0xffff), 2));
    world.reap(process);

    let child = world.born(process, &args());
    stop(thread);
    world
        .kill(Kill::Outside(process), libc::SIGCONT)
        .expect("kill");
    assert_eq!(world.state_of(thread), Some(TaskState::Running));
    assert_eq!(told(), (3, libc::CLD_STOPPED, 0));
    assert_eq!(look(), Some(0xffff));
    world.exit_group(child, 0).expect("exit_group");
    assert_eq!(
        (world.state_of(process), look()),
        (Some(TaskState::Running), None)
    );

    // One that is killed meanwhile has never stopped.
    world.reap(process);
    world.born(process, &args());
    stop(thread);
    world
        .kill(Kill::Outside(process), libc::SIGKILL)
        .expect("kill");
    assert_eq!(look(), Some(libc::SIGKILL));
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
