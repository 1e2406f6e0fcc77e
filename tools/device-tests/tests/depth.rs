// SPDX-License-Identifier: GPL-2.0

//! Lines of tasks in which what happens to one makes the same happen to the next: the kernel's stack
//! does not grow with them. A stack that overflows ends the run.

use altpid::{CloneArgs, CloneFlags, Disposition, Kill, TaskId, TaskState};
use altpid_device_tests::{
    Fixture,
    crowd::{line, wide},
    figures::scaled,
    holds::are_bounded,
};

/// How long a line is: far more than there are frames on a stack of 16 KiB.
fn long() -> usize {
    scaled(2000) as usize
}

/// A shell in a session of its own, with room for many numbers.
fn shell(world: &Fixture) -> TaskId {
    wide(world);
    let shell = world.fork(world.init);
    world.setsid(shell).expect("setsid");
    shell
}

#[track_caller]
fn all_are(world: &Fixture, tasks: &[TaskId], expected: TaskState) {
    for (index, &task) in tasks.iter().enumerate() {
        assert_eq!(world.state_of(task), Some(expected), "number {index}");
    }
}

/// A line of stopped processes is continued when its group is orphaned, each of which tells its parent,
/// which has a signal that waits and so continues. The order of the group is from the youngest to the
/// eldest, so that each tells one who is still stopped.
#[test]
fn a_stopped_line_is_continued() {
    for length in [60, long()] {
        let world = Fixture::new();
        let shell = shell(&world);
        let first = world.fork(shell);
        world.setpgid(first, 0, 0).expect("setpgid");
        for signal in [libc::SIGHUP, libc::SIGCHLD] {
            let handler = Some(Disposition::Handler.into());
            world.sigaction(first, signal, handler).expect("sigaction");
        }
        let mut all = vec![first];
        all.extend(line(&world, first, &CloneArgs::new(), length - 1));
        let group = world.own_pid(first);
        let other = world.fork(shell);
        world.setpgid(other, 0, 0).expect("setpgid");
        // Each goes to another group and back, the youngest but one first: that is the order of the
        // members from then on.
        for &task in all[..length - 1].iter().rev() {
            let elsewhere = world.own_pid(other);
            world.setpgid(task, 0, elsewhere).expect("setpgid");
            world.setpgid(task, 0, group).expect("setpgid");
        }
        world
            .kill(Kill::Pid(shell, -group), libc::SIGSTOP)
            .expect("kill");
        all_are(&world, &all, TaskState::Stopped);
        world.exit_group(shell, 0).expect("exit_group");
        all_are(&world, &all, TaskState::Running);
        for &task in &all {
            let received = world.signals(task).expect("signals").received;
            assert!(received > 0, "SIGHUP, and SIGCHLD but of the last");
        }
        are_bounded(&world);
    }
}

/// The same by a signal to everybody, and by one to each of them from the youngest to the eldest.
#[test]
fn a_stopped_line_is_continued_by_somebody() {
    for by_one in [false, true] {
        let world = Fixture::new();
        let shell = shell(&world);
        let handler = Some(Disposition::Handler.into());
        let first = world.fork(shell);
        world
            .sigaction(first, libc::SIGCHLD, handler)
            .expect("sigaction");
        let all = line(&world, first, &CloneArgs::new(), long());
        world
            .kill(Kill::Pid(shell, -1), libc::SIGSTOP)
            .expect("kill");
        all_are(&world, &all, TaskState::Stopped);
        if by_one {
            for &task in all.iter().rev() {
                world
                    .kill(Kill::Pid(shell, world.own_pid(task)), libc::SIGCONT)
                    .expect("kill");
            }
        } else {
            world
                .kill(Kill::Pid(shell, -1), libc::SIGCONT)
                .expect("kill");
        }
        all_are(&world, &all, TaskState::Running);
        are_bounded(&world);
    }
}

/// Each process is a job of its own, stopped, with its parent as the only one that controls it: the
/// death of the first orphans the second, which dies of SIGHUP and orphans the third.
#[test]
fn each_job_is_orphaned_by_the_one_before() {
    let world = Fixture::new();
    let shell = shell(&world);
    let all = line(&world, shell, &CloneArgs::new(), long());
    for &task in &all {
        world.setpgid(task, 0, 0).expect("setpgid");
    }
    for &task in &all {
        world
            .kill(Kill::Outside(task), libc::SIGSTOP)
            .expect("kill");
    }
    world.end(shell, 0);
    all_are(&world, &all, TaskState::Zombie);
    are_bounded(&world);
}

/// The death of a parent kills its child, and so on down the line: by the signal that it has asked for.
#[test]
fn a_line_dies_downwards() {
    for signal in [libc::SIGKILL, libc::SIGTERM, 40] {
        let world = Fixture::new();
        let shell = shell(&world);
        let all = line(&world, shell, &CloneArgs::new(), long());
        for &task in &all {
            world.set_pdeath_signal(task, signal).expect("prctl");
        }
        world.end(shell, 0);
        all_are(&world, &all, TaskState::Zombie);
        are_bounded(&world);
    }
}

/// The death of a child kills its parent, and so on up the line: by its exit signal.
#[test]
fn a_line_dies_upwards() {
    for signal in [libc::SIGKILL, libc::SIGTERM, 40] {
        let world = Fixture::new();
        let shell = shell(&world);
        let deadly = CloneArgs::new().exit_signal(signal);
        let all = line(&world, shell, &deadly, long());
        let last = *all.last().expect("somebody");
        world.exit_group(last, 0).expect("exit_group");
        all_are(&world, &[shell], TaskState::Zombie);
        let info = world.info().expect("world");
        assert_eq!(info.tasks - info.zombies, 1, "but init");
        are_bounded(&world);
    }
}

/// The same with children that vanish: each is reaped as it dies.
#[test]
fn a_line_vanishes() {
    let world = Fixture::new();
    let shell = shell(&world);
    let vanishing = CloneArgs::new().flags(CloneFlags::AUTOREAP).exit_signal(0);
    let all = line(&world, shell, &vanishing, long());
    for &task in &all {
        world.set_pdeath_signal(task, libc::SIGKILL).expect("prctl");
    }
    world.end(shell, 0);
    for &task in &all {
        assert_eq!(world.state_of(task), None);
    }
    assert_eq!(world.info().expect("world").tasks, 1);
    are_bounded(&world);
}

/// As many namespaces as can be nested, each init with a line of its own below, die at once, and from
/// the deepest.
#[test]
fn nested_namespaces_with_lines() {
    for deepest_first in [false, true] {
        let world = Fixture::new();
        wide(&world);
        let mut inits = vec![world.init];
        for _ in 1..33 {
            let (init, _) = world.container(*inits.last().expect("an init"));
            for task in line(&world, init, &CloneArgs::new(), 50) {
                world.set_pdeath_signal(task, libc::SIGTERM).expect("prctl");
            }
            inits.push(init);
        }
        let inits = &inits[1..];
        if deepest_first {
            for (parent, &init) in inits[..31].iter().zip(&inits[1..]).rev() {
                world
                    .kill(Kill::Outside(init), libc::SIGKILL)
                    .expect("kill");
                assert_eq!(world.reap(*parent).task, init);
            }
        }
        world
            .kill(Kill::Outside(inits[0]), libc::SIGKILL)
            .expect("kill");
        world.reap(world.init);
        let info = world.info().expect("world");
        assert_eq!((info.tasks, info.namespaces), (1, 1));
        are_bounded(&world);
    }
}
