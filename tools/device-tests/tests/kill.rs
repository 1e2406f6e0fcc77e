// SPDX-License-Identifier: GPL-2.0

//! Ways to send a signal, as a program over the device sees them.

use altpid::{Kill, PidfdFlags, TaskState, uapi::*};
use altpid_device_tests::{Fixture, raw};
use rustix::io::Errno;

#[test]
fn members_that_a_way_of_killing_does_not_have() {
    let world = Fixture::new();
    let (sender, target) = (world.fork(world.init), world.fork(world.init));
    let good = altpid_kill {
        size: size_of::<altpid_kill>() as u32,
        how: ALTPID_KILL_TASK,
        task: sender.0,
        target: target.0,
        ..Default::default()
    };
    let outside = altpid_kill {
        how: ALTPID_KILL_OUTSIDE,
        task: 0,
        ..good
    };
    let by_number = altpid_kill { target: 0, ..good };
    let pidfd = world.pidfd_of(target, PidfdFlags::empty());
    let by_pidfd = altpid_kill {
        how: ALTPID_KILL_PIDFD,
        target: pidfd.expect("pidfd_open").0,
        ..good
    };
    let cases = [
        (good, None),
        (outside, None),
        (altpid_kill { pid: 1, ..good }, Some(Errno::INVAL)),
        (altpid_kill { code: -1, ..good }, Some(Errno::INVAL)),
        (altpid_kill { value: 1, ..good }, Some(Errno::INVAL)),
        (altpid_kill { tgid: 1, ..good }, Some(Errno::INVAL)),
        (
            altpid_kill {
                task: sender.0,
                ..outside
            },
            Some(Errno::INVAL),
        ),
        (altpid_kill { flags: 1, ..good }, Some(Errno::INVAL)),
        (altpid_kill { how: 10, ..good }, Some(Errno::INVAL)),
        (altpid_kill { signo: 1, ..good }, Some(Errno::INVAL)),
        (by_pidfd, None),
        (altpid_kill { pid: 1, ..by_pidfd }, Some(Errno::INVAL)),
        (
            altpid_kill {
                tgid: 1,
                ..by_pidfd
            },
            Some(Errno::INVAL),
        ),
        (
            altpid_kill {
                value: 1,
                ..by_pidfd
            },
            Some(Errno::INVAL),
        ),
        (
            altpid_kill {
                flags: 3,
                ..by_pidfd
            },
            Some(Errno::INVAL),
        ),
        (
            altpid_kill {
                flags: 16,
                ..by_pidfd
            },
            Some(Errno::INVAL),
        ),
        (
            altpid_kill {
                signo: 1,
                ..by_pidfd
            },
            Some(Errno::INVAL),
        ),
        // With a siginfo: SI_USER, the si_signo of another signal, and good ones.
        (
            altpid_kill {
                flags: ALTPID_SIGNAL_INFO,
                ..by_pidfd
            },
            Some(Errno::PERM),
        ),
        (
            altpid_kill {
                flags: ALTPID_SIGNAL_INFO,
                code: -1,
                signo: 1,
                ..by_pidfd
            },
            Some(Errno::INVAL),
        ),
        (
            altpid_kill {
                flags: ALTPID_SIGNAL_INFO | ALTPID_SIGNAL_THREAD,
                code: -1,
                ..by_pidfd
            },
            None,
        ),
        (
            altpid_kill {
                flags: ALTPID_SIGNAL_INFO,
                task: target.0,
                value: 1,
                ..by_pidfd
            },
            None,
        ),
        // tgkill(2) with 0 is not tkill(2), which has no tgid.
        (
            altpid_kill {
                how: ALTPID_KILL_THREAD,
                pid: 1,
                ..by_number
            },
            Some(Errno::INVAL),
        ),
        (
            altpid_kill {
                how: ALTPID_KILL_TKILL,
                pid: 1,
                ..by_number
            },
            None,
        ),
        (
            altpid_kill {
                how: ALTPID_KILL_TKILL,
                pid: 1,
                tgid: 1,
                ..by_number
            },
            Some(Errno::INVAL),
        ),
        (
            altpid_kill {
                how: ALTPID_KILL_QUEUE_THREAD,
                pid: 1,
                tgid: 1,
                code: -1,
                value: 1,
                ..by_number
            },
            None,
        ),
        (
            altpid_kill {
                code: 128,
                ..by_pidfd
            },
            Some(Errno::PERM),
        ),
        (
            altpid_kill {
                code: -1,
                value: 1,
                ..by_pidfd
            },
            None,
        ),
    ];
    for (request, error) in cases {
        let mut room = raw::Region::with_room(size_of::<altpid_kill>());
        let bytes = raw::bytes_of(&request);
        let array = raw::Array::None;
        let result = raw::call(&world, ALTPID_CMD_KILL, &bytes, array, &mut room, 0);
        assert_eq!(result.err(), error, "{request:?}");
    }
}

#[test]
fn everybody_is_killed() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    for _ in 0..5000 {
        world.fork(init);
    }
    let member = world.fork(init);
    world
        .kill(Kill::Pid(member, -1), libc::SIGKILL)
        .expect("kill");
    let tasks = world.tasks(Some(ns)).expect("list");
    let alive = tasks.iter().filter(|task| task.state != TaskState::Zombie);
    assert_eq!(alive.count(), 2, "init and the one who did it");
}
