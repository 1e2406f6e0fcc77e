// SPDX-License-Identifier: GPL-2.0

//! What a program gets of altpid, beside what it gets of the kernel, in the guest of `make bench`.
//!
//! Writes a line for each sample, as the measuring module does: what, by whom, how many operations,
//! nanoseconds; and to its standard error how many bytes something takes. The sides of a case take
//! turns, so that what the machine does meanwhile hits all.
//!
//! `altpid-bench-user [TASKS]`: the size of the largest namespace, 1,000,000 if it is not given.
//! `altpid-bench-user --host`: what an empty call takes on this machine; the device is not needed.
//! `altpid-bench-user --process SIDE` and the others of `members.rs`: what a real process gets.

mod members;
mod native;

use altpid::{Batch, CloneArgs, CloneFlags, PidType, TaskId, WaitFlags, World};
use anyhow::{Context, Result, ensure};
use std::{fs, time::Instant};

/// Samples of a case.
const SAMPLES: usize = 15;
/// `WNOHANG`: whom is waited for is dead.
const WNOHANG: WaitFlags = WaitFlags::NOHANG;
/// Operations of an array.
const ARRAY: usize = 3000;
/// Cases of one operation.
const SETPGID: &str = "one operation (setpgid)";
const FIND: &str = "one operation (find)";

/// One sample.
fn sample(
    case: &str,
    side: &str,
    operations: usize,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let start = Instant::now();
    work().with_context(|| format!("{case}, {side}"))?;
    let nanoseconds = start.elapsed().as_nanos();
    println!("{case} {side} {operations} {nanoseconds}");
    Ok(())
}

/// Does all operations of an array, of which none may fail.
fn run(batch: &mut Batch, world: &World) -> Result<()> {
    let done = batch.run(world, false)?;
    ensure!(done.len() == batch.len(), "{} were done", done.len());
    if let Some(Err(error)) = done.last() {
        return Err((*error).into());
    }
    Ok(())
}

/// A child is born, exits with 3 and is reaped.
fn clone_exit_wait() -> Result<()> {
    const CALLS: usize = 500;
    let case = "clone+exit+wait";
    let world = World::open()?;
    let init = world.info()?.init;
    let child = CloneArgs::new();
    let mut array = Batch::new();
    for _ in 0..ARRAY / 3 {
        let born = array.clone(init, &child);
        array.exit_group(born, 3).wait(init, -1, WNOHANG);
    }
    for _ in 0..SAMPLES {
        sample(case, "native", CALLS, || {
            (0..CALLS).try_for_each(|_| native::fork_exit_wait())
        })?;
        sample(case, "calls", CALLS, || {
            for _ in 0..CALLS {
                let born = world.clone(init, &child)?;
                world.exit_group(born.task, 3)?;
                let reaped = world.wait(init, born.pid, WNOHANG)?;
                ensure!(reaped.is_some_and(|r| r.status == 3 << 8), "nobody");
            }
            Ok(())
        })?;
        sample(case, "altpid", ARRAY / 3, || run(&mut array, &world))?;
    }
    Ok(())
}

/// One operation that does little: in an array, by a call of its own, and a call that does nothing.
fn one_operation(
    case: &str,
    world: &World,
    add: impl Fn(&mut Batch),
    call: impl Fn() -> Result<(), altpid::Error>,
) -> Result<()> {
    let mut array = Batch::new();
    for _ in 0..ARRAY {
        add(&mut array);
    }
    for _ in 0..SAMPLES {
        sample(case, "altpid", ARRAY, || run(&mut array, world))?;
        sample(case, "calls", ARRAY, || {
            Ok((0..ARRAY).try_for_each(|_| call())?)
        })?;
        sample(case, "empty-call", ARRAY, || {
            (0..ARRAY).for_each(|_| native::empty_call(world));
            Ok(())
        })?;
    }
    Ok(())
}

/// An operation of a task, and a question.
fn operations() -> Result<()> {
    let world = World::open()?;
    let (init, root) = world.info().map(|info| (info.init, info.root_ns))?;
    let task = world.clone(init, &CloneArgs::new())?.task;
    one_operation(
        SETPGID,
        &world,
        |array| {
            array.setpgid(task, 0, 0);
        },
        || world.setpgid(task, 0, 0),
    )?;
    one_operation(
        FIND,
        &world,
        |array| {
            array.find(root, 2, PidType::Pid);
        },
        || world.find(root, 2, PidType::Pid).map(drop),
    )
}

/// What an empty call takes on the machine itself: beside the samples of User Mode Linux, where
/// operations go at the CPU's own pace and calls do not.
fn host() -> Result<()> {
    let file = fs::File::open("/dev/null")?;
    for case in [SETPGID, FIND] {
        for _ in 0..SAMPLES {
            sample(case, "host-call", ARRAY, || {
                (0..ARRAY).for_each(|_| native::empty_call(&file));
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// A namespace with so many members; its init.
fn container(world: &World, members: usize) -> Result<TaskId> {
    let init = world.info()?.init;
    let inner = world
        .clone(init, &CloneArgs::new().flags(CloneFlags::NEWPID))?
        .task;
    let mut array = Batch::new();
    for _ in 0..ARRAY {
        array.clone(inner, &CloneArgs::new());
    }
    for _ in 0..members / ARRAY {
        run(&mut array, world)?;
    }
    for _ in 0..members % ARRAY {
        world.clone(inner, &CloneArgs::new())?;
    }
    Ok(inner)
}

/// Memory that the kernel has free or could free, in bytes.
fn available() -> Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("MemAvailable")?.parse::<u64>()? * 1024)
}

/// The init of a namespace of few and of many exits and takes all of them along; then a world with
/// as many is closed.
fn many(tasks: usize) -> Result<()> {
    let open = || -> Result<World> {
        let world = World::open()?;
        world.set_pid_max(world.info()?.root_ns, 1 << 22)?;
        Ok(world)
    };
    const FEW: usize = 1000;
    let world = open()?;
    let zap = |tasks: usize| -> Result<()> {
        let inner = container(&world, tasks)?;
        let case = format!("zap of {tasks}, for each task");
        sample(&case, "altpid", tasks, || Ok(world.exit_group(inner, 0)?))?;
        world.wait(world.info()?.init, -1, WNOHANG)?;
        ensure!(world.info()?.tasks == 1, "somebody is left");
        Ok(())
    };
    for round in 0..3 * SAMPLES {
        zap(FEW)?;
        if round % SAMPLES == 0 {
            zap(tasks)?;
        }
    }
    drop(world);
    for round in 0..3 {
        let before = available()?;
        let world = open()?;
        container(&world, tasks)?;
        let taken = before.saturating_sub(available()?);
        if round == 0 {
            let what = "a process, and all it takes, of a world of";
            eprintln!("{what} {tasks} altpid {}", taken / tasks as u64);
        }
        let case = format!("close of a world of {tasks}, for each task");
        sample(&case, "altpid", tasks, || {
            drop(world);
            Ok(())
        })?;
    }
    Ok(())
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["--host"] => host(),
        ["--process", side] => members::process(side),
        ["--empty", side] => members::empty(side),
        ["--traced", side] => members::traced(side),
        ["--access", side] => members::access(side),
        ["--crowd", children] => members::crowd(children.parse()?),
        ["--zap", side, children, ref command @ ..] => {
            members::zap(side, children.parse()?, command)
        }
        ["--nothing"] => Ok(()),
        ref tasks => {
            let tasks = tasks.first().map_or(Ok(1_000_000), |tasks| tasks.parse())?;
            clone_exit_wait()?;
            operations()?;
            many(tasks)
        }
    }
}
