// SPDX-License-Identifier: GPL-2.0

//! Arrays of operations, and why an operation failed.

use altpid::{
    Batch, CloneArgs, CloneFlags, Error, PidType, Reason, TaskId, TaskState, WaitFlags, World,
    uapi::{self, altpid_op},
};
use altpid_device_tests::{
    Fixture, WNOHANG,
    array::issue,
    exited,
    patience::eventually,
    raw::{Array, Region, bytes_of, call, call_as},
    sleeper::Sleeper,
};
use rustix::{io::Errno, thread::gettid};
use std::thread;

fn container() -> CloneArgs {
    CloneArgs::new().flags(CloneFlags::NEWPID)
}

/// The errno and the reason of an operation that must fail.
#[track_caller]
fn why<T: std::fmt::Debug>(result: Result<T, Error>) -> (Errno, u32) {
    let error = result.expect_err("it must fail");
    (error.errno, error.reason.0)
}

/// Only what changes is written back: whatever stood there before must not stay.
#[test]
fn what_came_of_it_replaces_what_stood_there() {
    let world = Fixture::new();
    let size = size_of::<uapi::altpid_world>();
    let mut memory = Region::with_room(size);
    let asked = uapi::altpid_world {
        size: size as u32,
        ..Default::default()
    };
    memory.write(0, &bytes_of(&asked));
    let op = |i: usize| altpid_op {
        cmd: [uapi::ALTPID_CMD_WORLD, 0xb9ff][i % 2],
        arg: memory.address(0),
        ..Default::default()
    };
    // Wrong ones, at every place of a piece and around the ends of it.
    for wrong in 0..40 {
        let ops: Vec<_> = (0..40)
            .map(|i| match i == wrong {
                true => altpid_op {
                    error: -libc::EIO,
                    made: 7,
                    reason: 8,
                    ..op(i)
                },
                false => op(i),
            })
            .collect();
        let (batch, ops) = issue(&world, uapi::ALTPID_BATCH_GO_ON, &ops);
        assert_eq!((batch.count, batch.failed), (40, 20));
        for (i, found) in ops.into_iter().enumerate() {
            let expected = altpid_op {
                error: [0, -libc::ENOTTY][i % 2],
                ..op(i)
            };
            assert_eq!(
                bytes_of(&found),
                bytes_of(&expected),
                "{i} with {wrong} wrong"
            );
        }
    }
}

#[test]
fn questions_in_an_array() {
    let world = Fixture::new();
    let mut batch = Batch::new();
    let init = batch.clone(world.init, &container());
    batch.unshare(init);
    let found = batch.find(world.root, 2, PidType::Tgid);
    batch.setsid(found);
    batch.find(world.root, 3, PidType::Pid);
    let done = batch.run(&world, true).expect("batch");
    assert_eq!(done[2], done[0], "whom the first has made");
    assert_eq!(done[3], Ok(0));
    let nobody = (Errno::SRCH, uapi::ALTPID_REASON_NO_NUMBER);
    assert_eq!(why(done[4]), nobody);
}

#[test]
fn it_stops_at_the_first_failure_or_goes_on() {
    for go_on in [false, true] {
        let world = Fixture::new();
        let mut batch = Batch::new();
        let child = batch.clone(world.init, &CloneArgs::new());
        batch.exit_group(TaskId(u64::MAX), 0);
        batch.exit_group(child, 3).wait(world.init, -1, WNOHANG);
        let done = batch.run(&world, go_on).expect("batch");
        assert_eq!(done.len(), if go_on { 4 } else { 2 });
        let gone = (Errno::SRCH, uapi::ALTPID_REASON_TASK_GONE);
        assert_eq!(why(done[1]), gone);
        assert_eq!(world.info().expect("world").tasks, 2 - u64::from(go_on));
    }
}

#[test]
fn no_batch_in_a_batch_and_nothing_in_reserved_members() {
    let world = Fixture::new();
    let ops = [
        altpid_op {
            cmd: uapi::ALTPID_CMD_BATCH,
            ..Default::default()
        },
        altpid_op {
            cmd: uapi::ALTPID_CMD_WORLD,
            reserved: 1,
            ..Default::default()
        },
        altpid_op {
            cmd: 0xb9ff,
            ..Default::default()
        },
        altpid_op {
            cmd: uapi::ALTPID_CMD_WORLD,
            arg: 8,
            ..Default::default()
        },
    ];
    let (batch, ops) = issue(&world, uapi::ALTPID_BATCH_GO_ON, &ops);
    assert_eq!((batch.count, batch.failed), (4, 4));
    let errors: Vec<_> = ops.iter().map(|op| -op.error).collect();
    let expected = [libc::EINVAL, libc::EINVAL, libc::ENOTTY, libc::EFAULT];
    assert_eq!(errors, expected);
    // Without the flag the second one is not reached, and is left as it was.
    let (batch, ops) = issue(&world, 0, &ops);
    assert_eq!((batch.count, batch.failed), (0, 1));
    assert_eq!(ops[2].error, -libc::ENOTTY);
    let (batch, _) = issue(&world, 0, &[]);
    assert_eq!((batch.count, batch.failed), (0, 0));
}

#[test]
fn a_signal_ends_it_between_two_operations() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    world.fork(parent);
    let done = thread::scope(|scope| {
        let sleeper = Sleeper::of(scope, || {
            let mut batch = Batch::new();
            // The first sleeps until the signal comes; the second is not reached.
            batch.wait(parent, -1, WaitFlags::empty());
            batch.clone(world.init, &CloneArgs::new());
            batch.run(&world, true)
        });
        sleeper.interrupt();
        sleeper.result().expect("batch")
    });
    assert_eq!(done.len(), 1);
    assert_eq!(why(done[0]).0, Errno::INTR);
    assert_eq!(world.info().expect("world").tasks, 3);
}

#[test]
fn reasons_are_finer_than_errnos() {
    let world = Fixture::new();
    let (init, _) = world.container(world.init);
    let outer = world.fork(world.init);
    let ns = world.unshare(outer, CloneFlags::NEWPID).expect("unshare");
    let clone = |task, args: CloneArgs| why(world.clone(task, &args));
    let cases = [
        (
            clone(outer, container()),
            (Errno::INVAL, uapi::ALTPID_REASON_CHILDREN_ELSEWHERE),
        ),
        (
            clone(
                init,
                CloneArgs::new().flags(CloneFlags::PARENT).exit_signal(0),
            ),
            (Errno::INVAL, uapi::ALTPID_REASON_INIT_PARENT),
        ),
        (
            clone(init, CloneArgs::new().flags(CloneFlags::SIGHAND)),
            (Errno::INVAL, uapi::ALTPID_REASON_FLAGS),
        ),
        (
            clone(init, CloneArgs::new().exit_signal(256)),
            (Errno::INVAL, uapi::ALTPID_REASON_EXIT_SIGNAL),
        ),
        (
            clone(init, CloneArgs::new().set_tid(&[5, 6, 7])),
            (Errno::INVAL, uapi::ALTPID_REASON_SET_TID_SIZE),
        ),
        (
            clone(init, CloneArgs::new().set_tid(&[0])),
            (Errno::INVAL, uapi::ALTPID_REASON_SET_TID_RANGE),
        ),
        (
            clone(init, CloneArgs::new().set_tid(&[1])),
            (Errno::EXIST, uapi::ALTPID_REASON_SET_TID_USED),
        ),
        (
            clone(outer, CloneArgs::new().set_tid(&[2])),
            (Errno::INVAL, uapi::ALTPID_REASON_NOT_INIT),
        ),
        (
            why(world.setns(init, world.root)),
            (Errno::INVAL, uapi::ALTPID_REASON_NS_NOT_BELOW),
        ),
        (
            why(world.exit_group(world.init, 0)),
            (Errno::BUSY, uapi::ALTPID_REASON_WORLD_INIT),
        ),
        (
            why(world.wait(init, -1, WNOHANG)),
            (Errno::CHILD, uapi::ALTPID_REASON_NO_CHILD),
        ),
    ];
    for (i, (found, expected)) in cases.into_iter().enumerate() {
        assert_eq!(found, expected, "case {i}");
    }
    // ENOMEM, and it is not the memory.
    let first = world
        .clone(outer, &CloneArgs::new())
        .expect("its init")
        .task;
    world.exit_group(first, 0).expect("exit");
    assert_eq!(world.reap(outer).status, exited(0));
    let dead = (Errno::NOMEM, uapi::ALTPID_REASON_NS_DEAD);
    assert_eq!(clone(outer, CloneArgs::new()), dead);
    assert!(ns.is_some());
    let text = Reason(dead.1).text().expect("a text");
    assert!(text.contains("exited"), "{text}");
    assert_eq!(world.state_of(outer), Some(TaskState::Running));
}

#[test]
fn each_thread_has_its_own_last_failure() {
    let world = Fixture::new();
    let none = |world: &World| {
        let mut room = Region::with_room(16);
        let struct_ = bytes_of(&uapi::altpid_failure {
            size: 16,
            ..Default::default()
        });
        let number = uapi::ALTPID_CMD_FAILURE;
        call(world, number, &struct_, Array::None, &mut room, 0).err()
    };
    assert_eq!(none(&world), Some(Errno::NODATA));
    world.task(TaskId(u64::MAX)).expect_err("nobody");
    assert_eq!(none(&world), None);
    thread::scope(|scope| {
        let other = scope.spawn(|| none(&world));
        assert_eq!(other.join().expect("thread"), Some(Errno::NODATA));
    });
    assert_eq!(
        none(&world),
        None,
        "the failure of the other does not count"
    );
}

/// A number of the machine is soon somebody else's: who has it then is told nothing of it.
#[test]
fn a_failure_is_not_that_of_who_has_the_number_next() {
    let world = Fixture::new();
    let ask = |number| {
        let size = size_of::<uapi::altpid_failure>() as u32;
        call_as(number, &*world, uapi::ALTPID_CMD_FAILURE, size)
    };
    let number = thread::scope(|scope| {
        let other = scope.spawn(|| {
            world.task(TaskId(u64::MAX)).expect_err("nobody");
            gettid()
        });
        other.join().expect("thread")
    });
    eventually(
        "a process has the number of the thread that is gone",
        || {
            match ask(number) {
                // The thread has told that it ends before it is gone.
                Err(Errno::EXIST) => false,
                asked => {
                    assert_eq!(asked, Ok(Err(Errno::NODATA)));
                    true
                }
            }
        },
    );
}
