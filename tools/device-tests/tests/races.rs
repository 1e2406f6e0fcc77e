// SPDX-License-Identifier: GPL-2.0

//! Several callers who act on behalf of the same task at the same time, which natively nobody can.

use altpid::Clone;
use altpid_device_tests::{Fixture, figures::scaled};
use rustix::io::Errno;
use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

/// exec ends every other thread, those too that the same task has cloned meanwhile.
#[test]
fn exec_and_clone() {
    let world = Fixture::new();
    let leader = world.fork(world.init);
    let task = world.thread(leader);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    let cloned = world.clone(task, &Clone::thread());
                    if let Err(error) = cloned {
                        // Another exec of the same process is under way.
                        assert_eq!(error.errno, Errno::SRCH);
                    }
                }
            });
        }
        for _ in 0..scaled(3000) {
            world.exec(task, b"program").expect("exec");
            let info = world.task(task).expect("task");
            assert_eq!(info.leader, task, "it has the place of the leader");
        }
        done.store(true, Relaxed);
    });
    world.exec(task, b"program").expect("exec");
    assert_eq!(world.task(task).expect("task").nr_threads, 1);
    assert_eq!(world.state_of(leader), None, "the first leader");
    assert_eq!(world.info().expect("world").tasks, 2);
}

/// Of two that call exec only one can be left, and both if it is the same.
#[test]
fn exec_and_exec() {
    let world = Fixture::new();
    for _ in 0..scaled(1000) {
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
