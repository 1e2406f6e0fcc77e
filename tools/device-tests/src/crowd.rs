// SPDX-License-Identifier: GPL-2.0

//! Many tasks at once, made by few calls.

use altpid::{Batch, CloneArgs, TaskId, World};

/// Operations of one call: enough that the call itself costs nothing.
const ARRAY: usize = 5000;

/// Room for the numbers of as many tasks as there can be.
///
/// # Panics
///
/// When that is refused.
#[track_caller]
pub fn wide(world: &World) {
    let root = world.info().expect("world").root_ns;
    world.set_pid_max(root, 1 << 22).expect("pid_max");
}

/// Runs `count` operations, many in a call, and returns what each has made: `add` appends the one of a
/// number to an array.
///
/// # Panics
///
/// When one of them fails.
#[track_caller]
fn in_arrays(world: &World, count: usize, mut add: impl FnMut(&mut Batch, usize)) -> Vec<u64> {
    let mut made = Vec::with_capacity(count);
    let numbers: Vec<_> = (0..count).collect();
    for part in numbers.chunks(ARRAY) {
        let mut batch = Batch::new();
        for &number in part {
            add(&mut batch, number);
        }
        for done in batch.run(world, false).expect("batch") {
            made.push(done.expect("each operation of the array"));
        }
    }
    made
}

/// Tasks that a task makes in this way.
///
/// # Panics
///
/// When one of the clones fails.
#[track_caller]
pub fn born(world: &World, task: TaskId, how: &CloneArgs, count: usize) -> Vec<TaskId> {
    let made = in_arrays(world, count, |batch, _| {
        batch.clone(task, how);
    });
    made.into_iter().map(TaskId).collect()
}

/// Children of a task.
///
/// # Panics
///
/// As [`born`].
#[track_caller]
pub fn children(world: &World, parent: TaskId, count: usize) -> Vec<TaskId> {
    born(world, parent, &CloneArgs::new(), count)
}

/// Threads of the process of a task.
///
/// # Panics
///
/// As [`born`].
#[track_caller]
pub fn threads(world: &World, task: TaskId, count: usize) -> Vec<TaskId> {
    born(world, task, &CloneArgs::thread(), count)
}

/// Children of a task, in a process group that the first of them leads.
///
/// # Panics
///
/// When one of the calls fails.
#[track_caller]
pub fn job(world: &World, parent: TaskId, count: usize) -> Vec<TaskId> {
    let members = children(world, parent, count);
    let group = world.task(members[0]).expect("task").pid[0];
    in_arrays(world, count, |batch, number| {
        batch.setpgid(members[number], 0, group);
    });
    members
}

/// A line of descendants of a task, each the child of the one before, the eldest first.
///
/// # Panics
///
/// When one of the clones fails.
#[track_caller]
pub fn line(world: &World, task: TaskId, how: &CloneArgs, count: usize) -> Vec<TaskId> {
    let mut line: Vec<TaskId> = Vec::with_capacity(count);
    while line.len() < count {
        let mut batch = Batch::new();
        let mut parent = *line.last().unwrap_or(&task);
        for _ in 0..ARRAY.min(count - line.len()) {
            parent = batch.clone(parent, how);
        }
        for made in batch.run(world, false).expect("batch") {
            line.push(TaskId(made.expect("clone")));
        }
    }
    line
}
