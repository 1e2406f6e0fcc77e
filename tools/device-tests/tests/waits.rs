// SPDX-License-Identifier: GPL-2.0

//! Whoever waits in a call can be killed, whatever others do meanwhile, and is woken only for what he
//! waits for.

use altpid::{Batch, CloneArgs, Kill, PidType, TaskId, WaitFlags, uapi::altpid_event};
use altpid_device_tests::{
    Fixture, WALL, WNOTHREAD,
    caller::{Caller, Given},
    crowd::{children, job, threads, wide},
    exited,
    figures::{is_debug_kernel, scaled},
    holds::are_bounded,
    meanwhile::AtTheEnd,
    patience::eventually,
    sleeper::Sleeper,
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, read},
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
};

/// Makes calls of one kind until it is killed.
#[test]
#[ignore = "another test starts it"]
fn the_other_process() {
    let Some(given) = Given::by_the_other() else {
        return;
    };
    let Given {
        what,
        world,
        numbers,
    } = &given;
    let task = TaskId(numbers[0]);
    given.is_ready();
    loop {
        // Whether it succeeds is not what this is about.
        match what.as_str() {
            "exec" => drop(world.exec(task, b"program")),
            "audit" => drop(world.audit()),
            "find" => {
                let ns = altpid::NsId(numbers[0]);
                let _ = world.find_from(ns, 2, PidType::Sid);
            }
            "kill" => drop(world.kill(Kill::Pid(task, -(numbers[1] as i32)), libc::SIGCONT)),
            "fork" => drop(world.clone(task, &CloneArgs::new())),
            "name" => drop(world.set_name(task, b"name")),
            other => panic!("{other}"),
        }
    }
}

/// exec ends the other threads of a process, while others let the same process clone more of them.
#[test]
fn exec_beside_those_who_clone() {
    let world = Fixture::new();
    wide(&world);
    let leader = world.fork(world.init);
    let task = world.thread(leader);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let end = AtTheEnd(&done);
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    let mut batch = Batch::new();
                    for _ in 0..256 {
                        batch.clone(task, &CloneArgs::thread());
                    }
                    batch.run(&world, true).expect("batch");
                }
            });
        }
        for _ in 0..5 {
            let mut caller = Caller::start("exec", &world, &[task.0]);
            let others = || world.task(task).map_or(0, |task| task.nr_threads);
            eventually("there are threads again", || others() > 1);
            caller.kill();
            eventually("who calls exec is gone", || caller.is_gone());
        }
        drop(end);
    });
    world.exec(task, b"program").expect("exec");
    assert_eq!(world.task(task).expect("task").nr_threads, 1);
    are_bounded(&world);
}

/// Who is killed in a call that takes long is gone before somebody else has done a small part of the
/// same work: that many audits of a world that is so much smaller.
#[test]
fn an_audit_of_a_large_world() {
    const PART: usize = 100;
    let deep = |count: usize| {
        let world = Fixture::new();
        wide(&world);
        let mut init = world.init;
        for _ in 0..31 {
            (init, _) = world.container(init);
        }
        children(&world, init, count);
        world
    };
    let count = scaled(30_000) as usize;
    let (large, small) = (deep(count), deep(count / PART));
    for _ in 0..4 {
        let mut caller = Caller::start("audit", &large, &[0]);
        small.audit().expect("audit");
        caller.kill();
        let mut parts = 0;
        while !caller.is_gone() {
            small.audit().expect("audit");
            parts += 1;
            assert!(parts < PART / 2, "half of an audit after SIGKILL");
        }
    }
    are_bounded(&large);
}

/// Who looks for the next number of a kind that nobody has goes through all of them.
#[test]
fn a_search_in_vain() {
    let world = Fixture::new();
    wide(&world);
    children(&world, world.init, scaled(100_000) as usize);
    let found = world.find_from(world.root, 2, PidType::Sid);
    assert_eq!(found.expect_err("nobody").errno, Errno::SRCH);
    let mut caller = Caller::start("find", &world, &[world.root.0]);
    caller.kill();
    eventually("who looks is gone", || caller.is_gone());
    are_bounded(&world);
}

/// Others send signals to a large group, one after the other: who waits for a turn, because of the
/// group or because the task is in one of those calls, does not wait for all of them when killed.
#[test]
fn turns_that_others_have() {
    const WALKERS: u64 = 32;
    let world = Fixture::new();
    wide(&world);
    let shell = world.fork(world.init);
    let sender = world.fork(world.init);
    let members = job(&world, shell, scaled(50_000) as usize);
    let group = world.own_pid(members[0]);
    let last = members[members.len() - 1];
    for (what, task) in [("kill", last), ("fork", last), ("name", sender)] {
        let done = AtomicBool::new(false);
        let walks = AtomicU64::new(0);
        thread::scope(|scope| {
            let end = AtTheEnd(&done);
            for _ in 0..WALKERS {
                scope.spawn(|| {
                    while !done.load(Relaxed) {
                        let by = Kill::Pid(sender, -group);
                        world.kill(by, libc::SIGCONT).expect("kill");
                        walks.fetch_add(1, Relaxed);
                    }
                });
            }
            for _ in 0..3 {
                let mut caller = Caller::start(what, &world, &[task.0, group as u64]);
                let begun = walks.load(Relaxed);
                eventually("others have turns", || walks.load(Relaxed) > begun);
                caller.kill();
                let killed = walks.load(Relaxed);
                eventually("who waits is gone", || caller.is_gone());
                let meanwhile = walks.load(Relaxed) - killed;
                // In the debug kernel the exit of a process itself takes as long as many turns.
                let is_soon = meanwhile < WALKERS || is_debug_kernel();
                assert!(is_soon, "{what}: {meanwhile} turns of others");
            }
            drop(end);
        });
    }
    are_bounded(&world);
}

/// Many descriptors' worth of pollers, and events that come in numbers at once: those who poll are
/// woken, not under the lock, and not once for each event.
#[test]
fn one_poll_with_very_many_entries() {
    const POLLERS: usize = 4;
    let count = scaled(250_000) as usize;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(1 << 20),
            maximum: Some(1 << 20),
        },
    )
    .expect("setrlimit");
    let world = Fixture::new();
    let process = world.fork(world.init);
    threads(&world, process, 63);
    // What has happened so far is read, so that nobody is told of it.
    let flags = fcntl_getfl(&world).expect("fcntl");
    fcntl_setfl(&world, flags | OFlags::NONBLOCK).expect("fcntl");
    let mut events = vec![0u8; 512 * size_of::<altpid_event>()];
    while read(&world, &mut events[..]).is_ok() {}
    thread::scope(|scope| {
        let world = &world;
        let pollers: Vec<_> = (0..POLLERS)
            .map(|_| {
                Sleeper::of(scope, move || {
                    let mut entries = vec![PollFd::new(world, PollFlags::IN); count];
                    poll(&mut entries, None)
                })
            })
            .collect();
        for poller in &pollers {
            assert!(poller.settles(), "nothing has happened");
        }
        world.exit_group(process, 3).expect("exit_group");
        for poller in pollers {
            assert_eq!(poller.result(), Ok(count));
        }
    });
    assert_eq!(world.reap(world.init).status, exited(3));
    are_bounded(&world);
    setrlimit(Resource::Nofile, limit).expect("setrlimit");
}

/// Who waits for a child sleeps through what others do.
#[test]
fn who_waits_is_woken_for_what_he_waits_for() {
    /// Sleeps more than the one: reading of `/proc` may count one that has not begun.
    const FEW: u64 = 10;
    let world = Fixture::new();
    let parents: Vec<_> = (0..8).map(|_| world.fork(world.init)).collect();
    let waited_for: Vec<_> = parents.iter().map(|&parent| world.fork(parent)).collect();
    thread::scope(|scope| {
        let world = &world;
        let sleepers: Vec<_> = parents
            .iter()
            .zip(&waited_for)
            .map(|(&parent, &child)| {
                let pid = world.own_pid(child);
                Sleeper::new(scope, world, parent, pid, WALL)
            })
            .collect();
        let slept: Vec<u64> = sleepers.iter().map(Sleeper::sleeps_so_far).collect();
        for _ in 0..scaled(2000) {
            world.end(world.fork(world.init), 0);
        }
        for (sleeper, before) in sleepers.iter().zip(slept) {
            assert!(sleeper.settles(), "those were others");
            let woken = sleeper.sleeps_so_far() - before;
            assert!(woken <= FEW, "woken {woken} times for others");
        }
        for (sleeper, &child) in sleepers.into_iter().zip(&waited_for) {
            world.exit_group(child, 5).expect("exit_group");
            let waited = sleeper.result().expect("wait4").expect("a child");
            assert_eq!((waited.task, waited.status), (child, exited(5)));
        }
    });
}

/// A process waits for one child, for those of a process group and for those of one thread, and sleeps
/// through the deaths and stops of its other children.
#[test]
fn who_waits_sleeps_through_what_other_children_do() {
    const FEW: u64 = 10;
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let by_group = world.thread(parent);
    let by_thread = world.thread(parent);
    let mut others = children(&world, parent, scaled(1000) as usize);
    let (one, member) = (world.fork(parent), world.fork(parent));
    world.setpgid(member, 0, 0).expect("setpgid");
    let own = world.fork(by_thread);
    let last = others.pop().expect("another");
    thread::scope(|scope| {
        let world = &world;
        let wanted = [
            (parent, world.own_pid(one), WALL, one),
            (by_group, -world.own_pid(member), WALL, member),
            (by_thread, -1, WNOTHREAD | WALL, own),
        ];
        let sleepers =
            wanted.map(|(task, pid, options, _)| Sleeper::new(scope, world, task, pid, options));
        let slept = sleepers.each_ref().map(Sleeper::sleeps_so_far);
        for &other in &others {
            world.exit_group(other, 0).expect("exit_group");
        }
        for signal in [libc::SIGSTOP, libc::SIGCONT].repeat(50) {
            world.kill(Kill::Outside(last), signal).expect("kill");
        }
        for (sleeper, before) in sleepers.iter().zip(slept) {
            assert!(sleeper.settles(), "those were others");
            let woken = sleeper.sleeps_so_far() - before;
            assert!(woken <= FEW, "woken {woken} times for others");
        }
        for (sleeper, (_, _, _, child)) in sleepers.into_iter().zip(wanted) {
            world.exit_group(child, 5).expect("exit_group");
            let waited = sleeper.result().expect("wait4").expect("a child");
            assert_eq!((waited.task, waited.status), (child, exited(5)));
        }
    });
    are_bounded(&world);
}

/// A stop restarts a wait: whom it is for is found out anew.
#[test]
fn a_wait_that_is_stopped_begins_anew() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let process = world.fork(parent);
    let child = world.fork(process);
    thread::scope(|scope| {
        // For its own process group, in which the child is.
        let sleeper = Sleeper::new(scope, &world, process, 0, WALL);
        let send = |signal| world.kill(Kill::Outside(process), signal).expect("kill");
        send(libc::SIGSTOP);
        world
            .setpgid(parent, world.own_pid(process), 0)
            .expect("setpgid");
        assert!(sleeper.settles(), "it is stopped");
        send(libc::SIGCONT);
        let waited = sleeper.result().expect_err("no child in its group");
        assert_eq!(waited.errno, Errno::CHILD);
    });
    world.exit_group(child, 0).expect("exit_group");
    world.reap(process);
}

/// A child that is handed on while it is stopped wakes nobody (`reparent_leader()`); the next look finds
/// it.
#[test]
fn a_stopped_child_that_is_handed_on() {
    let world = Fixture::new();
    let reaper = world.fork(world.init);
    world.set_child_subreaper(reaper, true).expect("subreaper");
    let parent = world.fork(reaper);
    let (other, stopped) = (world.fork(reaper), world.fork(parent));
    let pgid = world.own_pid(other);
    world.setpgid(reaper, pgid, 0).expect("setpgid");
    let pid = world.own_pid(stopped);
    world.setpgid(parent, pid, pgid).expect("setpgid");
    world
        .kill(Kill::Outside(stopped), libc::SIGSTOP)
        .expect("kill");
    thread::scope(|scope| {
        let world = &world;
        let sleeper = Sleeper::new(scope, world, reaper, -pgid, WaitFlags::STOPPED);
        world.exit_group(parent, 4).expect("exit_group");
        assert_eq!(world.parent_of(stopped), Some(reaper));
        assert!(sleeper.settles(), "nobody has told of a stop since");
        world.exit_group(other, 3).expect("exit_group");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!((waited.task, waited.status), (other, exited(3)));
        let waited = world.wait(reaper, -pgid, WaitFlags::STOPPED);
        let waited = waited.expect("wait4").expect("a child");
        assert_eq!(
            (waited.task, waited.status),
            (stopped, libc::SIGSTOP << 8 | 0x7f)
        );
    });
}
