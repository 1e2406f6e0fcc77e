// SPDX-License-Identifier: GPL-2.0

//! Whatever sleeps in the kernel wakes: by a signal, by a signal that kills, and when what it waits
//! for cannot come any more.

use altpid::{
    CloneArgs, TaskId, WaitFlags, WaitId,
    uapi::{ALTPID_CMD_BATCH, ALTPID_CMD_WAIT, altpid_batch, altpid_op, altpid_wait},
};
use altpid_device_tests::{
    Fixture, WALL,
    raw::{Arena, bytes_of},
    sleeper::Sleeper,
};
use rustix::io::Errno;
use std::{
    env,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    thread,
};

/// Set for the process that is to be killed.
const SLEEPS: &str = "ALTPID_TEST_SLEEPS";

/// waitid(2) for those that exit.
const WEXITED: WaitFlags = WaitFlags::EXITED;

/// A batch whose only operation is a wait by a task, in an arena.
fn batch_with_a_wait(world: &Fixture, task: TaskId, arena: &Arena) -> Result<(), Errno> {
    let wait = altpid_wait {
        size: size_of::<altpid_wait>() as u32,
        task: task.0,
        pid: -1,
        ..Default::default()
    };
    let op = altpid_op {
        cmd: ALTPID_CMD_WAIT,
        arg: arena.array(4096).get(),
        ..Default::default()
    };
    let batch = altpid_batch {
        size: size_of::<altpid_batch>() as u32,
        ops: arena.array(0).get(),
        count: 1,
        ..Default::default()
    };
    arena.write(arena.array(4096), &bytes_of(&wait));
    arena.write(arena.array(0), &bytes_of(&op));
    arena.write(arena.structure(0), &bytes_of(&batch));
    arena.issue(world, ALTPID_CMD_BATCH, arena.structure(0))
}

/// What the only operation of a batch in an arena says.
fn error_of(arena: &Arena) -> i32 {
    let mut error = [0; 4];
    let at = std::mem::offset_of!(altpid_op, error);
    arena.read(arena.array(at), &mut error);
    i32::from_ne_bytes(error)
}

#[test]
fn a_signal_ends_each_of_them() {
    let world = Fixture::new();
    world.fork(world.init);
    let arena = Arena::new();
    // A thread for each that sleeps.
    let threads = [0; 2].map(|_| world.thread(world.init));
    thread::scope(|scope| {
        let wait = Sleeper::new(scope, &world, world.init, -1, WALL);
        let waitid = Sleeper::of(scope, || world.waitid(threads[0], WaitId::All, WEXITED));
        let batch = Sleeper::of(scope, || batch_with_a_wait(&world, threads[1], &arena));
        let read = Sleeper::of(scope, || {
            world.events().and_then(|mut events| events.read(true))
        });
        for sleeper in [
            wait.settles(),
            waitid.settles(),
            batch.settles(),
            read.settles(),
        ] {
            assert!(sleeper, "it sleeps");
        }
        wait.interrupt();
        waitid.interrupt();
        batch.interrupt();
        read.interrupt();
        let errno = |error: altpid::Error| error.errno;
        assert_eq!(wait.result().map_err(errno), Err(Errno::INTR));
        assert_eq!(waitid.result().map_err(errno), Err(Errno::INTR));
        assert_eq!(read.result().map_err(errno), Err(Errno::INTR));
        assert_eq!(batch.result(), Ok(()), "a batch tells of each operation");
        assert_eq!(error_of(&arena), -Errno::INTR.raw_os_error());
    });
}

/// Everybody who waits on behalf of a task that ends is woken, at whatever depth it is and though
/// nobody waits for it in particular.
#[test]
fn the_end_of_the_one_who_waits_ends_each_of_them() {
    let world = Fixture::new();
    let (top, _) = world.container(world.init);
    let mut place = top;
    let mut waiters = Vec::new();
    for _ in 0..8 {
        (place, _) = world.container(place);
        let waiter = world.fork(place);
        // A child that stays, so that there is something to wait for.
        world.fork(waiter);
        waiters.push(waiter);
        waiters.push(world.thread(waiter));
    }
    thread::scope(|scope| {
        let world = &world;
        let sleepers: Vec<_> = waiters
            .iter()
            .map(|&task| Sleeper::new(scope, world, task, -1, WALL))
            .collect();
        for sleeper in &sleepers {
            assert!(sleeper.settles(), "it sleeps");
        }
        world.exit_group(top, 0).expect("exit_group");
        for sleeper in sleepers {
            let result = sleeper.result().map_err(|error| error.errno);
            assert_eq!(result, Err(Errno::SRCH), "who waits is gone");
        }
    });
}

#[test]
#[ignore = "another test starts it"]
fn the_other_process() {
    let Ok(how) = env::var(SLEEPS) else { return };
    let world = Fixture::new();
    let _ = world.clone(world.init, &CloneArgs::new());
    let arena = Arena::new();
    // Never returns, for nobody sends a signal that has a handler.
    let result = match how.as_str() {
        "wait" => format!("{:?}", world.wait(world.init, -1, WALL)),
        "waitid" => format!("{:?}", world.waitid(world.init, WaitId::All, WEXITED)),
        "batch" => format!("{:?}", batch_with_a_wait(&world, world.init, &arena)),
        _ => format!("{:?}", world.events().and_then(|mut e| e.read(true))),
    };
    panic!("it has returned: {result}");
}

#[test]
fn sigkill_ends_each_of_them() {
    let watch = Fixture::new();
    for how in ["wait", "waitid", "batch", "read"] {
        let before = watch.info().expect("world").worlds;
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "the_other_process", "--ignored"])
            .env(SLEEPS, how)
            .stdout(Stdio::null())
            .spawn()
            .expect("another process");
        let tasks = format!("/proc/{}/task", child.id());
        let calls = [libc::SYS_ioctl, libc::SYS_pread64].map(|call| call.to_string());
        let sleeps = || {
            let Ok(tasks) = std::fs::read_dir(&tasks) else {
                return false;
            };
            tasks.flatten().any(|task| {
                let text = std::fs::read_to_string(task.path().join("syscall"));
                let call = text
                    .ok()
                    .and_then(|text| text.split(' ').next().map(str::to_owned));
                call.is_some_and(|call| calls.contains(&call))
            })
        };
        while !sleeps() {
            assert!(child.try_wait().expect("wait").is_none(), "{how} returned");
            thread::yield_now();
        }
        child.kill().expect("kill");
        let status = child.wait().expect("wait");
        assert_eq!(status.signal(), Some(libc::SIGKILL), "{how}");
        while watch.info().expect("world").worlds > before {
            thread::yield_now();
        }
    }
}
