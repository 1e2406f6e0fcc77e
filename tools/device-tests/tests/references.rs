// SPDX-License-Identifier: GPL-2.0

//! Operations of an array that refer to what earlier ones have made.

use altpid::{
    Batch, CloneArgs, CloneFlags, Kill, TaskId,
    uapi::{self, altpid_clone, altpid_op},
};
use altpid_device_tests::{
    Fixture, State, WNOHANG,
    array::issue,
    raw::{Access, PAGE, Region, bytes_of},
};

/// Operations of which the last ones are read behind the first ones, and after those were written
/// back.
const MANY: usize = 40;

const SIZE: usize = size_of::<altpid_clone>();

/// What stands for what an operation has made.
fn made_by(index: usize) -> u64 {
    u64::from(uapi::ALTPID_MADE_BY) | index as u64
}

/// fork(2) by a task.
fn fork(task: u64) -> altpid_clone {
    altpid_clone {
        size: SIZE as u32,
        exit_signal: libc::SIGCHLD,
        task,
        ..Default::default()
    }
}

/// An operation whose struct is in a region.
fn op(region: &Region, at: usize) -> altpid_op {
    altpid_op {
        cmd: uapi::ALTPID_CMD_CLONE,
        arg: region.address(at),
        ..Default::default()
    }
}

/// Forks by tasks, with their structs in memory that can be written to.
fn forks(memory: &mut Region, tasks: impl IntoIterator<Item = u64>) -> Vec<altpid_op> {
    let tasks = tasks.into_iter().enumerate();
    let ops = tasks.map(|(i, task)| {
        memory.write(i * SIZE, &bytes_of(&fork(task)));
        op(memory, i * SIZE)
    });
    ops.collect()
}

#[test]
fn operations_refer_to_what_earlier_ones_made() {
    let world = Fixture::new();
    let container = CloneArgs::new().flags(CloneFlags::NEWPID).set_tid(&[1, 77]);
    let mut batch = Batch::new();
    let init = batch.clone(world.init, &container);
    let member = batch.clone(init, &CloneArgs::new());
    let ns = batch.unshare(member);
    batch.setns(member, ns).setsid(member);
    batch.kill(Kill::Task(init, member), libc::SIGKILL);
    batch.wait(init, -1, WNOHANG);
    assert_eq!(batch.len(), 7);
    let done = batch.run(&world, false).expect("batch");
    let made: Vec<u64> = done.into_iter().map(|done| done.expect("done")).collect();
    let task = world.task(TaskId(made[0])).expect("init");
    assert_eq!(task.pid, [77, 1]);
    assert_eq!(made[6], made[1], "the child that was waited for");
    assert_eq!((made[3], made[4], made[5]), (0, 0, 0));
    assert_eq!(world.state_of(TaskId(made[1])), None, "it is reaped");
}

#[test]
fn a_batch_of_many() {
    // More than are read at a time, each a child of the one before.
    let world = Fixture::new();
    let mut batch = Batch::new();
    let mut parent = world.init;
    for _ in 0..300 {
        parent = batch.clone(parent, &CloneArgs::new());
    }
    let done = batch.run(&world, false).expect("batch");
    assert_eq!(done.len(), 300);
    let mut parent = world.init;
    for made in done {
        let child = TaskId(made.expect("clone"));
        assert_eq!(world.parent_of(child), Some(parent));
        parent = child;
    }
}

#[test]
fn what_is_no_reference_is_refused() {
    let world = Fixture::new();
    // Itself, a later one, one far away, and one that made nothing.
    let tasks = [made_by(0), made_by(2), made_by(1 << 30), made_by(0)];
    let mut memory = Region::with_room(PAGE);
    let ops = forks(&mut memory, tasks);
    let before = State::of(&world);
    let (batch, ops) = issue(&world, uapi::ALTPID_BATCH_GO_ON, &ops);
    assert_eq!((batch.count, batch.failed), (4, 4));
    for (i, op) in ops.iter().enumerate() {
        let expected = if i == 2 {
            [-libc::EFAULT, -libc::EINVAL]
        } else {
            [-libc::EINVAL; 2]
        };
        assert!(expected.contains(&op.error), "operation {i}: {}", op.error);
        assert_eq!(op.made, 0);
    }
    assert_eq!(State::of(&world), before);
}

/// An operation that fails has made nothing, whatever stood in its place before: not for those that
/// are read together with it, and not for those that are read when it is written back.
#[test]
fn what_stood_there_is_no_reference() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    for failing in [0, 1, 14, 15, 16, 17, 31, 32] {
        let task = |i| {
            if i > failing {
                made_by(failing)
            } else {
                u64::MAX
            }
        };
        let mut memory = Region::with_room(MANY * SIZE);
        let mut ops = forks(&mut memory, (0..MANY).map(task));
        ops[failing].made = child.0;
        let before = State::of(&world);
        let (batch, ops) = issue(&world, uapi::ALTPID_BATCH_GO_ON, &ops);
        assert_eq!((batch.count, batch.failed), (MANY as u32, MANY as u32));
        for (i, op) in ops.iter().enumerate() {
            let expected = match i > failing {
                true => -libc::EINVAL,
                false => -libc::ESRCH,
            };
            let what = format!("{i} of what {failing} has made");
            assert_eq!((op.error, op.made), (expected, 0), "{what}");
        }
        assert_eq!(State::of(&world), before);
    }
}

/// A result that cannot be written back does not undo what was done: what the operation has made is
/// told in the array all the same, and can be referred to, wherever in the array.
#[test]
fn what_was_made_by_who_could_not_say_so() {
    for failing in [0, 1, 14, 15, 16, 17, 31, 32] {
        let world = Fixture::new();
        let mut reading = Region::new(&[Access::ReadOnly]);
        reading.write(0, &bytes_of(&fork(world.init.0)));
        let task = |i| {
            if i > failing {
                made_by(failing)
            } else {
                world.init.0
            }
        };
        let mut memory = Region::with_room(MANY * SIZE);
        let mut ops = forks(&mut memory, (0..MANY).map(task));
        ops[failing] = op(&reading, 0);
        let (batch, ops) = issue(&world, uapi::ALTPID_BATCH_GO_ON, &ops);
        assert_eq!((batch.count, batch.failed), (MANY as u32, 1));
        let parent = TaskId(ops[failing].made);
        for (i, op) in ops.iter().enumerate() {
            let expected = if i == failing { -libc::EFAULT } else { 0 };
            assert_eq!(op.error, expected, "{i} of what {failing} has made");
            let of = if i > failing { parent } else { world.init };
            assert_eq!(world.parent_of(TaskId(op.made)), Some(of), "{i}");
        }
        assert_eq!(world.info().expect("world").tasks, MANY as u64 + 1);
    }
}
