// SPDX-License-Identifier: GPL-2.0

//! Several callers who act on behalf of the same task at the same time, which natively nobody can.

use altpid::{CloneArgs, EventKind};
use altpid_device_tests::{
    Fixture,
    figures::{repeated, tell},
    meanwhile::Allowance,
    patience::eventually,
};
use rustix::io::Errno;
use std::{collections::BTreeSet, thread};

/// Clones for each exec: half of them are to be ended, half may come meanwhile. Without an end, as
/// many as there are numbers would come while a slow exec ends a few.
const CLONES: u64 = 20;

/// exec ends every other thread, those too that the same task has cloned meanwhile.
#[test]
fn exec_and_clone() {
    let world = Fixture::new();
    let leader = world.fork(world.init);
    let task = world.thread(leader);
    let mut events = world.events().expect("events");
    let mut threads = BTreeSet::from([leader, task]);
    let mut seen = 0;
    let mut follow = || {
        loop {
            let more = events.read(false).expect("read");
            for event in &more {
                let thread = event.task.expect("a task");
                match event.kind {
                    EventKind::Clone(_) => assert!(threads.insert(thread)),
                    EventKind::Reap(_) => assert!(threads.remove(&thread)),
                    EventKind::Exit(_) => {}
                    EventKind::Exec => {
                        assert_eq!(threads, [task].into(), "at exec {seen} all others are gone");
                        seen += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
            if more.is_empty() {
                return seen;
            }
        }
    };
    let clones = Allowance::new();
    let execs = repeated(3000);
    let cloned: u64 = thread::scope(|scope| {
        let cloners = [0, 1].map(|_| {
            scope.spawn(|| {
                let mut cloned = 0;
                while clones.take() {
                    match world.clone(task, &CloneArgs::thread()) {
                        Ok(_) => cloned += 1,
                        // Another exec of the same process is under way.
                        Err(error) => assert_eq!(error.errno, Errno::SRCH),
                    }
                }
                cloned
            })
        });
        let over = clones.until_dropped();
        for _ in 0..execs {
            clones.allow(CLONES);
            eventually("some clones", || clones.left() <= CLONES / 2);
            world.exec(task, b"program").expect("exec");
            let info = world.task(task).expect("task");
            assert_eq!(info.leader, task, "it has the place of the leader");
            follow();
        }
        drop(over);
        cloners
            .map(|one| one.join().expect("a cloner"))
            .iter()
            .sum()
    });
    world.exec(task, b"program").expect("exec");
    assert_eq!(follow(), execs + 1);
    assert_eq!(world.task(task).expect("task").nr_threads, 1);
    assert_eq!(world.state_of(leader), None, "the first leader");
    assert_eq!(world.info().expect("world").tasks, 2);
    tell(&format!(
        "races: {execs} times exec against {cloned} clones by the same task"
    ));
}

/// Of two that call exec only one can be left, and both if it is the same.
#[test]
fn exec_and_exec() {
    let world = Fixture::new();
    for _ in 0..repeated(1000) {
        let leader = world.fork(world.init);
        let tasks = [world.thread(leader), world.thread(leader)];
        let (first, second) = thread::scope(|scope| {
            let other = scope.spawn(|| world.exec(tasks[0], b"first"));
            (world.exec(tasks[1], b"second"), other.join().expect("exec"))
        });
        let gone = |error: altpid::Error| [Errno::SRCH, Errno::AGAIN].contains(&error.errno);
        let fine = first.is_ok() != second.is_ok();
        assert!(fine && first.or(second).is_ok(), "one of them");
        assert!(first.err().or(second.err()).is_none_or(gone));
        let left = tasks.iter().find(|&&task| world.state_of(task).is_some());
        world.end(*left.expect("one of them"), 0);
    }
}
