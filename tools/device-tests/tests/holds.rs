// SPDX-License-Identifier: GPL-2.0

//! Processes of many threads, and signals for them: no hold of the tree lock grows with what user space
//! has built. Each shape here is one that a loop under the lock would go through whole.

use altpid::{CloneArgs, Disposition, Kill, Mask, SigSet, TaskId, TaskState};
use altpid_device_tests::{
    Fixture, WNOHANG,
    crowd::{self, children, job, threads, wide},
    figures::scaled,
    holds::are_bounded,
};
use std::thread;

/// Threads of a large process: each of them may be looked at for each of them.
fn many() -> usize {
    scaled(5000) as usize
}

/// A world with room for all numbers.
fn world() -> Fixture {
    let world = Fixture::new();
    wide(&world);
    world
}

/// A process that has a handler for a signal, and all its threads, the leader last. They block what it
/// blocked when they were cloned.
fn process(world: &Fixture, parent: TaskId, signal: i32, blocked: &[i32]) -> Vec<TaskId> {
    let leader = world.fork(parent);
    let handler = Some(Disposition::Handler.into());
    world.sigaction(leader, signal, handler).expect("sigaction");
    world
        .sigprocmask(leader, Mask::Set, SigSet::of(blocked))
        .expect("sigprocmask");
    let mut all = threads(world, leader, many());
    all.push(leader);
    all
}

/// How many signals the handlers of some tasks were called for.
fn received(world: &Fixture, tasks: &[TaskId]) -> u64 {
    let of = |&task| u64::from(world.signals(task).expect("signals").received);
    tasks.iter().map(of).sum()
}

/// Each thread wants a signal when its parent dies; it is for the process, and each thread could take
/// it.
#[test]
fn the_parent_of_many_threads_dies() {
    for (signal, is_blocked) in [
        (libc::SIGUSR1, true),
        (libc::SIGUSR1, false),
        (libc::SIGCONT, false),
        (34, true),
        (34, false),
    ] {
        let world = world();
        let parent = world.fork(world.init);
        let blocked: &[i32] = if is_blocked { &[signal] } else { &[] };
        let threads = process(&world, parent, signal, blocked);
        for &thread in &threads {
            world.set_pdeath_signal(thread, signal).expect("prctl");
        }
        world.end(parent, 0);
        let waits = world.signals(threads[0]).expect("signals").shared;
        assert_eq!(waits.contains(signal), is_blocked, "signal {signal}");
        assert_eq!(received(&world, &threads) > 0, !is_blocked);
        are_bounded(&world);
        // One after the other takes what waits.
        for thread in &threads[..50] {
            world
                .sigprocmask(*thread, Mask::Set, SigSet::EMPTY)
                .expect("sigprocmask");
        }
        assert!(received(&world, &threads) > 0);
        are_bounded(&world);
    }
}

/// SIGCHLD waits for a process whose threads all block it, and comes again for each child that stops,
/// goes on or dies; two callers send what makes it come.
#[test]
fn children_of_a_process_that_blocks_their_signal() {
    let world = world();
    let sender = world.fork(world.init);
    let parent = world.fork(world.init);
    let handler = Some(Disposition::Handler.into());
    world
        .sigaction(parent, libc::SIGCHLD, handler)
        .expect("sigaction");
    let members = job(&world, parent, many());
    world
        .sigprocmask(parent, Mask::Block, SigSet::of(&[libc::SIGCHLD]))
        .expect("sigprocmask");
    let mut all = threads(&world, parent, many());
    all.push(parent);
    let group = world.own_pid(members[0]);
    let expected = [
        (libc::SIGSTOP, TaskState::Stopped),
        (libc::SIGCONT, TaskState::Running),
        (libc::SIGKILL, TaskState::Zombie),
    ];
    for (signal, state) in expected {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let sent = world.kill(Kill::Pid(sender, -group), signal);
                    sent.expect("kill");
                });
            }
        });
        for &member in &members {
            assert_eq!(world.state_of(member), Some(state), "signal {signal}");
        }
    }
    let waits = world.signals(parent).expect("signals").shared;
    assert!(waits.contains(libc::SIGCHLD));
    assert_eq!(received(&world, &all), 0);
    are_bounded(&world);
}

/// Who could take a signal is the last thread that is looked at, or the first; then nobody.
#[test]
fn one_thread_of_many_takes_signals() {
    let world = world();
    let threads = process(&world, world.init, libc::SIGUSR1, &[libc::SIGUSR1]);
    let leader = threads[threads.len() - 1];
    let set = SigSet::of(&[libc::SIGUSR1]);
    for taker in [
        threads[0],
        threads[threads.len() / 2],
        threads[threads.len() - 2],
        leader,
    ] {
        let before = world.signals(taker).expect("signals").received;
        world
            .sigprocmask(taker, Mask::Unblock, set)
            .expect("sigprocmask");
        for _ in 0..20 {
            world
                .kill(Kill::Outside(leader), libc::SIGUSR1)
                .expect("kill");
        }
        assert_eq!(world.signals(taker).expect("signals").received, before + 20);
        // What waits for all of them is offered to the others when one blocks it (retarget).
        world
            .sigprocmask(taker, Mask::Block, set)
            .expect("sigprocmask");
        world
            .kill(Kill::Outside(leader), libc::SIGUSR1)
            .expect("kill");
        assert_eq!(world.signals(taker).expect("signals").received, before + 20);
        world
            .sigprocmask(taker, Mask::Unblock, set)
            .expect("sigprocmask");
        assert_eq!(world.signals(taker).expect("signals").received, before + 21);
        world
            .sigprocmask(taker, Mask::Block, set)
            .expect("sigprocmask");
    }
    are_bounded(&world);
}

/// Every signal waits for a process, and its threads exit one by one: each might have been the one to
/// take them, so that each time the others are asked.
#[test]
fn threads_exit_while_every_signal_waits() {
    let world = world();
    let leader = world.fork(world.init);
    world
        .sigprocmask(leader, Mask::Set, SigSet::ALL)
        .expect("sigprocmask");
    let threads = threads(&world, leader, many());
    let fatal = [libc::SIGKILL, libc::SIGSTOP];
    for signal in (1..=64).filter(|signal| !fatal.contains(signal)) {
        world.kill(Kill::Outside(leader), signal).expect("kill");
    }
    let waits = world.signals(leader).expect("signals").shared;
    assert!(waits.iter().count() > 50);
    for &thread in &threads[..200] {
        world.exit(thread, 0).expect("exit");
    }
    world.exit(leader, 0).expect("exit");
    are_bounded(&world);
    let last = threads[threads.len() - 1];
    world.exec(last, b"program").expect("exec");
    assert_eq!(world.task(last).expect("task").nr_threads, 1);
    assert_eq!(world.signals(last).expect("signals").shared, waits);
    are_bounded(&world);
}

/// A signal waits for each of some threads; ignoring it takes it away from all, and so does what
/// continues a process, or stops it.
#[test]
fn signals_that_are_taken_away_from_every_thread() {
    let world = world();
    let stops = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
    let blocked = [&[libc::SIGUSR1, libc::SIGCONT, 40][..], &stops].concat();
    let threads = process(&world, world.init, libc::SIGUSR1, &blocked);
    let leader = threads[threads.len() - 1];
    let pid = world.own_pid(leader);
    // For some of them signals wait; all of them are asked.
    let some: Vec<TaskId> = threads.iter().copied().step_by(25).collect();
    let tids: Vec<i32> = some.iter().map(|&thread| world.own_pid(thread)).collect();
    let to_each = |signal| {
        for &tid in &tids {
            let to = Kill::Thread(world.init, pid, tid);
            world.kill(to, signal).expect("tgkill");
        }
    };
    let waits_for_each = |signal, expected| {
        for &thread in &some {
            let pending = world.signals(thread).expect("signals").pending;
            assert_eq!(pending.contains(signal), expected, "signal {signal}");
        }
    };
    to_each(libc::SIGUSR1);
    waits_for_each(libc::SIGUSR1, true);
    world
        .sigaction(leader, libc::SIGUSR1, Some(Disposition::Ignore.into()))
        .expect("sigaction");
    waits_for_each(libc::SIGUSR1, false);
    are_bounded(&world);
    to_each(libc::SIGTSTP);
    waits_for_each(libc::SIGTSTP, true);
    world
        .kill(Kill::Outside(leader), libc::SIGCONT)
        .expect("kill");
    waits_for_each(libc::SIGTSTP, false);
    to_each(libc::SIGCONT);
    waits_for_each(libc::SIGCONT, true);
    world
        .kill(Kill::Outside(leader), libc::SIGSTOP)
        .expect("kill");
    waits_for_each(libc::SIGCONT, false);
    assert_eq!(world.state_of(leader), Some(TaskState::Stopped));
    are_bounded(&world);
    world
        .kill(Kill::Outside(leader), libc::SIGKILL)
        .expect("kill");
    world.reap(world.init);
}

/// As many signals wait as can, for a process of many threads, and are taken at once; then they are
/// thrown away at once, by ignoring them and by an exit.
#[test]
fn a_long_queue() {
    let world = world();
    for how in ["taken", "ignored", "dropped"] {
        let all: Vec<i32> = (34..=64).collect();
        let threads = process(&world, world.init, 34, &all);
        let leader = threads[threads.len() - 1];
        let pid = world.own_pid(leader);
        let mut sent = 0;
        while world
            .kill(Kill::Queue(world.init, pid, -1, sent), 34)
            .is_ok()
        {
            sent += 1;
        }
        assert!(sent > 100);
        match how {
            "taken" => {
                world
                    .sigprocmask(threads[0], Mask::Set, SigSet::EMPTY)
                    .expect("sigprocmask");
                assert_eq!(received(&world, &threads), sent);
            }
            "ignored" => {
                let ignore = Some(Disposition::Ignore.into());
                world.sigaction(leader, 34, ignore).expect("sigaction");
                assert!(!world.signals(leader).expect("signals").shared.contains(34));
            }
            _ => {}
        }
        are_bounded(&world);
        world.end_by(threads[0], 0);
        are_bounded(&world);
    }
}

/// A process of many threads stops, goes on, calls exec and dies; each thread has children, who want a
/// signal when it dies.
#[test]
fn the_life_of_many_threads_with_children() {
    let world = world();
    let leader = world.fork(world.init);
    let threads = threads(&world, leader, many());
    for &thread in threads.iter().step_by(10) {
        for child in children(&world, thread, 3) {
            world
                .set_pdeath_signal(child, libc::SIGCHLD)
                .expect("prctl");
        }
    }
    for (signal, state) in [
        (libc::SIGSTOP, TaskState::Stopped),
        (libc::SIGCONT, TaskState::Running),
    ] {
        world.kill(Kill::Outside(leader), signal).expect("kill");
        assert_eq!(world.state_of(leader), Some(state));
    }
    are_bounded(&world);
    // All children, of whichever thread, are looked at in vain.
    let last = threads[threads.len() - 1];
    assert_eq!(world.wait(last, -1, WNOHANG), Ok(None));
    world.exec(last, b"program").expect("exec");
    assert_eq!(world.task(last).expect("task").nr_threads, 1);
    are_bounded(&world);
    let again = crowd::threads(&world, last, many());
    children(&world, again[0], many());
    assert_eq!(world.end_by(again[1], 7).0, last);
    are_bounded(&world);
}

/// Processes that have their dispositions in common: what one ignores is taken from none of the others,
/// and what one handles holds for all.
#[test]
fn many_processes_with_one_table_of_handlers() {
    let world = world();
    let first = world.fork(world.init);
    let shares = CloneArgs::new().flags(altpid::CloneFlags::VM | altpid::CloneFlags::SIGHAND);
    let others = crowd::born(&world, first, &shares, many());
    for (disposition, is_dead) in [(Disposition::Ignore, false), (Disposition::Default, true)] {
        world
            .sigaction(first, libc::SIGUSR1, Some(disposition.into()))
            .expect("sigaction");
        world
            .kill(Kill::Pid(first, -1), libc::SIGUSR1)
            .expect("kill");
        let expected = if is_dead {
            TaskState::Zombie
        } else {
            TaskState::Running
        };
        world.all_are(expected, &others);
    }
    world.end(first, 0);
    are_bounded(&world);
}
