// SPDX-License-Identifier: GPL-2.0

//! getpid(2) and its kin, as a program over the device sees them. The tables are KUnit's.

use altpid::{Kill, TaskId, uapi::*};
use altpid_device_tests::{Fixture, raw};
use rustix::io::Errno;

#[test]
fn numbers_that_a_task_asks_for() {
    let world = Fixture::new();
    let shell = world.fork(world.init);
    world.setsid(shell).expect("setsid");
    let (init, _) = world.container(shell);
    let process = world.fork(init);
    let thread = world.thread(process);
    let told = |task: TaskId| {
        let numbers = [
            world.getpid(task),
            world.gettid(task),
            world.getppid(task),
            world.getpgid(task, 0),
            world.getsid(task, 0),
        ];
        numbers.map(|number| number.expect("a number"))
    };
    assert_eq!(told(shell), [2, 2, 1, 2, 2]);
    assert_eq!(told(init), [1, 1, 0, 0, 0]);
    assert_eq!(told(process), [2, 2, 1, 0, 0]);
    assert_eq!(told(thread), [2, 3, 1, 0, 0]);
    // What is said of a task from outside is the same.
    for task in [shell, init, process, thread] {
        let about = world.task(task).expect("task");
        let last = |numbers: &[i32]| *numbers.last().expect("a level");
        let [pid, tid, _, pgid, sid] = told(task);
        assert_eq!(pid, last(&about.tgid));
        assert_eq!(tid, last(&about.pid));
        assert_eq!((pgid, sid), (last(&about.pgid), last(&about.sid)));
    }
    // Of others by their numbers, those of threads too.
    for nr in [2, world.pid_of(init)[0], world.pid_of(thread)[0]] {
        assert_eq!(world.getpgid(world.init, nr), Ok(2));
        assert_eq!(world.getsid(world.init, nr), Ok(2));
    }
    for nr in [i32::MIN, -2, 99, i32::MAX] {
        world.refuses(Errno::SRCH, |w| w.getpgid(shell, nr));
        world.refuses(Errno::SRCH, |w| w.getsid(shell, nr));
    }
    world
        .kill(Kill::Outside(shell), libc::SIGSTOP)
        .expect("kill");
    world.refuses(Errno::BUSY, |w| w.getpid(shell));
}

#[test]
fn whose_number_goes_with_two_of_them() {
    let world = Fixture::new();
    let ask = |what, pid| {
        let arg = altpid_getid {
            what,
            task: world.init.0,
            pid,
            ..Default::default()
        };
        raw::ask(&world, ALTPID_CMD_GETID, &arg).map(drop)
    };
    for what in [ALTPID_GETPID, ALTPID_GETTID, ALTPID_GETPPID] {
        assert_eq!(ask(what, 0), Ok(()));
        assert_eq!(ask(what, 1), Err(Errno::INVAL));
    }
    for what in [ALTPID_GETPGID, ALTPID_GETSID] {
        assert_eq!(ask(what, 0), Ok(()));
        assert_eq!(ask(what, 1), Ok(()));
    }
    assert_eq!(ask(ALTPID_GETSID + 1, 0), Err(Errno::INVAL));
}
