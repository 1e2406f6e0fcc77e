// SPDX-License-Identifier: GPL-2.0

//! A task is in one system call at a time, as a thread is natively. Over the device two callers can act
//! on behalf of the same task: the second waits until the call of the first is over, or is refused
//! while the task is asleep in it.

use altpid::{Disposition, Kill, TaskId, TaskState, WaitFlags, WaitId};
use altpid_device_tests::{
    Fixture, WALL, WNOHANG,
    crowd::{children, threads, wide},
    exited,
    figures::{repeated, scaled, tell},
    patience::eventually,
    sleeper::Sleeper,
    verbs::{Outcome, Place, SPANNING, Scene, VERBS, Verb},
};
use fastrand::Rng;
use rustix::io::Errno;
use std::{collections::BTreeMap, hint, sync::Barrier, thread};

/// waitid(2) for those that exit.
const WEXITED: WaitFlags = WaitFlags::EXITED;

/// What two verbs on behalf of one task come to, one after the other and in both orders.
fn serial(place: Place, size: usize, first: Verb, second: Verb) -> [Outcome; 2] {
    let in_order = |swapped: bool| {
        let scene = Scene::new(place, size);
        let results = if swapped {
            let second = second.run(&scene);
            [first.run(&scene), second]
        } else {
            [first.run(&scene), second.run(&scene)]
        };
        scene.outcome(results)
    };
    [in_order(false), in_order(true)]
}

/// Two verbs at the same time on behalf of one task, the second of them a little later.
fn concurrent(scene: &Scene, [first, second]: [Verb; 2], later: u32) -> [Result<(), Errno>; 2] {
    let gate = Barrier::new(2);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            gate.wait();
            for _ in 0..later {
                hint::spin_loop();
            }
            second.run(scene)
        });
        gate.wait();
        [first.run(scene), other.join().expect("a call")]
    })
}

/// What two verbs come to at the same time is what they come to one after the other; tried so many times.
fn at_once(place: Place, size: usize, verbs: [Verb; 2], times: usize, rng: &mut Rng) {
    let [first, second] = verbs;
    let serial = serial(place, size, first, second);
    for _ in 0..times {
        let scene = Scene::new(place, size);
        let mut order = verbs;
        let swapped = rng.bool();
        if swapped {
            order.reverse();
        }
        let mut results = concurrent(&scene, order, rng.u32(..size as u32 * 200));
        if swapped {
            results.reverse();
        }
        let outcome = scene.outcome(results);
        assert!(
            serial.contains(&outcome),
            "{} and {} at once, by {place:?}:\n{outcome}\n{} first:\n{}\n{} first:\n{}",
            first.name,
            second.name,
            first.name,
            serial[0],
            second.name,
            serial[1],
        );
    }
}

/// Each verb against each, in small processes; in the debug kernel each pair in one of the places.
#[test]
fn one_after_the_other() {
    let mut rng = Rng::with_seed(13);
    let times = repeated(10).div_ceil(5) as usize;
    let places = scaled(10).min(Place::ALL.len() as u64) as usize;
    let mut count = 0;
    for (index, &first) in VERBS.iter().enumerate() {
        for (number, &second) in VERBS[index..].iter().enumerate() {
            for place in number..number + places {
                let place = Place::ALL[place % Place::ALL.len()];
                at_once(place, 5, [first, second], times, &mut rng);
                count += times;
            }
        }
    }
    tell(&format!(
        "one call: {count} times two verbs at once on behalf of one task"
    ));
}

/// Each verb that takes more than one hold of the lock against each, in processes large enough that the
/// other comes in between; each pair in some of the places.
#[test]
fn one_after_the_other_in_large_processes() {
    let mut rng = Rng::with_seed(14);
    let size = scaled(80).max(70) as usize;
    let every = 10 / scaled(10) as usize;
    let spanning = VERBS.iter().filter(|verb| SPANNING.contains(&verb.name));
    let pairs = spanning.flat_map(|first| VERBS.iter().map(move |second| [*first, *second]));
    for (number, pair) in pairs.enumerate().step_by(every) {
        for place in [number, number + 2].map(|place| Place::ALL[place % Place::ALL.len()]) {
            at_once(place, size, pair, 2, &mut rng);
        }
    }
}

/// exec by a thread of the world's init, and its exit: the world keeps its init.
#[test]
fn the_worlds_init_calls_exec_and_exit() {
    let sizes = [(1, repeated(500)), (scaled(10_000) as usize, 1)];
    for (size, rounds) in sizes {
        for _ in 0..rounds {
            let world = Fixture::new();
            wide(&world);
            world.fork(world.init);
            threads(&world, world.init, size);
            let task = world.thread(world.init);
            let (exec, exit) = thread::scope(|scope| {
                let exec = scope.spawn(|| world.exec(task, b"init"));
                let exit = world.exit(task, 3);
                (exec.join().expect("a call"), exit)
            });
            // The one who is left as the last thread is the init, and cannot exit.
            match (exec, exit) {
                (Ok(()), Err(error)) => assert_eq!(error.errno, Errno::BUSY),
                (Err(error), Ok(())) => assert_eq!(error.errno, Errno::SRCH),
                other => panic!("{other:?}"),
            }
            let info = world.info().expect("world");
            let ns = world.ns(world.root).expect("ns");
            let init = ns.child_reaper.expect("an init");
            assert_eq!(world.state_of(init), Some(TaskState::Running));
            // After an exec it is the only thread of its process.
            assert!(info.tasks >= 2);
            world.fork(init);
        }
    }
}

/// A world with room for many, and a process in it, which can be the init of a container.
fn somebody(is_container: bool) -> (Fixture, TaskId) {
    let world = Fixture::new();
    wide(&world);
    let leader = match is_container {
        true => world.container(world.init).0,
        false => world.fork(world.init),
    };
    (world, leader)
}

/// The second exec of a task comes when the first has only the last thread of its process left, while a
/// large exit elsewhere is being worked off: neither of them kills the process.
#[test]
fn exec_again_while_the_first_is_under_way() {
    for is_container in [false, true] {
        let (world, leader) = somebody(is_container);
        let other = world.fork(world.init);
        let count = scaled(20_000) as usize;
        children(&world, leader, count);
        children(&world, other, 3 * count);
        threads(&world, leader, 63);
        let task = world.thread(leader);
        thread::scope(|scope| {
            let first = scope.spawn(|| world.exec(task, b"first"));
            scope.spawn(|| world.exit_group(other, 0).expect("exit_group"));
            eventually("it is alone", || {
                world.task(task).expect("task").nr_threads == 1
            });
            world.exec(task, b"second").expect("the second exec");
            first.join().expect("a call").expect("the first exec");
        });
        let info = world.task(task).expect("task");
        assert_eq!((info.state, info.leader), (TaskState::Running, task));
        world.exec(task, b"third").expect("exec");
        assert_eq!(world.end(task, 3), exited(3));
    }
}

/// While the leader hands on its children for the sake of an exec, a thread is cloned and the one who
/// calls exec exits: who is left can do everything.
#[test]
fn clone_and_exit_while_exec_is_under_way() {
    for is_container in [false, true] {
        let (world, leader) = somebody(is_container);
        children(&world, leader, scaled(30_000) as usize);
        let task = world.thread(leader);
        let cloned = thread::scope(|scope| {
            let exec = scope.spawn(|| world.exec(task, b"program"));
            eventually("the leader dies", || {
                world.state_of(leader) != Some(TaskState::Running)
            });
            let cloned = world.thread(task);
            world.exit(task, 0).expect("exit");
            exec.join().expect("a call").expect("exec");
            cloned
        });
        let info = world.task(cloned).expect("task");
        assert_eq!((info.state, info.nr_threads), (TaskState::Running, 1));
        let child = world.fork(cloned);
        assert_eq!(world.end(child, 1), exited(1));
        world.exec(cloned, b"again").expect("exec");
        assert_eq!(world.end(cloned, 3), exited(3));
    }
}

/// Every verb on behalf of a task that is asleep in a wait is refused, and changes nothing.
#[test]
fn who_is_asleep_calls_nothing_else() {
    type Wait = fn(&Fixture, TaskId) -> altpid::Result<TaskId>;
    let waits: [Wait; 2] = [
        |world, task| Ok(world.wait(task, -1, WALL)?.expect("a child").task),
        |world, task| {
            Ok(world
                .waitid(task, WaitId::All, WEXITED)?
                .expect("a child")
                .task)
        },
    ];
    for place in Place::ALL {
        for wait in waits {
            let scene = Scene::new(place, 3);
            let (world, task) = (&scene.world, scene.task);
            thread::scope(|scope| {
                let sleeper = Sleeper::of(scope, || wait(world, task));
                assert!(sleeper.settles(), "it sleeps");
                for verb in VERBS {
                    world.refuses(Errno::BUSY, |_| verb.call(&scene));
                    let refused = verb.call(&scene).expect_err(verb.name);
                    assert_eq!(refused.reason.name(), Some("TASK_BUSY"), "{}", verb.name);
                }
                // Questions about it are answered, and another thread of its process does what it likes.
                assert_eq!(world.state_of(task), Some(TaskState::Running));
                world.set_name(scene.sibling, b"sibling").expect("prctl");
                let child = scene.children[0];
                world.exit_group(child, 3).expect("exit_group");
                assert_eq!(sleeper.result(), Ok(child));
            });
            // It is awake.
            world.set_name(task, b"awake").expect("prctl");
        }
    }
}

/// What others do to a task that sleeps goes on: it is put into a group, stopped and continued, gets
/// signals, and dies.
#[test]
fn what_is_done_to_who_sleeps() {
    let world = Fixture::new();
    let waiter = world.fork(world.init);
    let child = world.fork(waiter);
    let pid = world.own_pid(waiter);
    world
        .sigaction(waiter, libc::SIGUSR1, Some(Disposition::Handler.into()))
        .expect("sigaction");
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, &world, waiter, -1, WALL);
        world.setpgid(world.init, pid, pid).expect("setpgid");
        assert_eq!(world.task(waiter).expect("task").pgid, [pid]);
        world
            .kill(Kill::Pid(world.init, -pid), libc::SIGSTOP)
            .expect("kill");
        assert_eq!(world.state_of(waiter), Some(TaskState::Stopped));
        world
            .kill(Kill::Pid(child, pid), libc::SIGCONT)
            .expect("kill");
        assert_eq!(world.state_of(waiter), Some(TaskState::Running));
        assert!(sleeper.settles(), "it sleeps on");
        world
            .kill(Kill::Pid(child, pid), libc::SIGUSR1)
            .expect("kill");
        let interrupted = sleeper.result().expect_err("a handler was called");
        assert_eq!(interrupted.errno, Errno::INTR);
        assert_eq!(world.signals(waiter).expect("signals").received, 1);
        let sleeper = Sleeper::new(scope, &world, waiter, -1, WALL);
        world
            .kill(Kill::Pid(child, pid), libc::SIGKILL)
            .expect("kill");
        let gone = sleeper.result().expect_err("it is killed");
        assert_eq!(gone.errno, Errno::SRCH);
    });
    assert_eq!(world.parent_of(child), Some(world.init));
    assert_eq!(world.reap(world.init).task, waiter);
}

/// Each thread of a process can be asleep in a wait of its own; one that is not is in the way of none.
#[test]
fn each_thread_sleeps_for_itself() {
    const THREADS: usize = 8;
    let world = Fixture::new();
    let leader = world.fork(world.init);
    let mut all = threads(&world, leader, THREADS - 1);
    all.push(leader);
    let waited_for = all.iter().map(|&thread| (thread, world.fork(thread)));
    let waited_for: BTreeMap<TaskId, TaskId> = waited_for.collect();
    let idle = world.thread(leader);
    thread::scope(|scope| {
        let sleepers: Vec<_> = waited_for
            .iter()
            .map(|(&thread, &child)| {
                let pid = world.own_pid(child);
                (child, Sleeper::new(scope, &world, thread, pid, WALL))
            })
            .collect();
        for &thread in waited_for.keys() {
            world.refuses(Errno::BUSY, |w| w.wait(thread, -1, WNOHANG));
        }
        assert_eq!(world.wait(idle, -1, WNOHANG), Ok(None));
        for (child, sleeper) in sleepers {
            world.exit_group(child, 1).expect("exit_group");
            let waited = sleeper.result().expect("wait4").expect("a child");
            assert_eq!(waited.task, child);
        }
    });
    assert_eq!(world.end_by(idle, 0), (leader, exited(0)));
}
