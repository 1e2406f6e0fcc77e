// SPDX-License-Identifier: GPL-2.0

//! Signals for all members of a process group: what the sender is told, and groups of any size that
//! nobody controls any more.

use altpid::{
    Disposition, Error, Kill, Mask, PidfdFlags, PidfdId, Reason, Result, SigSet, TaskId, TaskState,
    World,
    uapi::{self, altpid_kill},
};
use altpid_device_tests::{Fixture, raw::ask};
use rustix::io::Errno;

const SIGHUP: i32 = libc::SIGHUP;
const SIGUSR1: i32 = libc::SIGUSR1;
const SIGSTOP: i32 = libc::SIGSTOP;
/// A real-time signal: each that is sent waits by itself.
const REALTIME: i32 = 40;
/// `SI_QUEUE`
const QUEUE: i32 = -1;

/// More members of a group than are told in one piece, or in two.
const MANY: usize = 150;

fn act(world: &Fixture, task: TaskId, signal: i32, disposition: Disposition) {
    let action = Some(disposition.into());
    world.sigaction(task, signal, action).expect("sigaction");
}

fn block(world: &Fixture, task: TaskId, signal: i32) {
    let set = SigSet::of(&[signal]);
    world.sigprocmask(task, Mask::Block, set).expect("mask");
}

/// pidfd_send_signal(2) with a `si_code`, and with flags.
fn send(
    world: &World,
    sender: TaskId,
    pidfd: PidfdId,
    (signal, code): (i32, i32),
    flags: u32,
) -> Result<()> {
    let request = altpid_kill {
        how: uapi::ALTPID_KILL_PIDFD,
        task: sender.0,
        target: pidfd.0,
        sig: signal,
        code,
        value: 4711,
        flags,
        ..Default::default()
    };
    let sent = ask(world, uapi::ALTPID_CMD_KILL, &request);
    sent.map(drop).map_err(|errno| Error {
        verb: "pidfd_send_signal",
        errno,
        reason: Reason::default(),
    })
}

/// A process group of a leader and another member, both with a disposition of [`REALTIME`]: `None`
/// for who blocks it. And a pidfd for the leader.
fn pair(world: &Fixture, dispositions: [Option<Disposition>; 2]) -> ([TaskId; 2], PidfdId) {
    let leader = world.fork(world.init);
    world.setpgid(leader, 0, 0).expect("setpgid");
    let members = [leader, world.fork(leader)];
    for (member, disposition) in members.into_iter().zip(dispositions) {
        match disposition {
            Some(disposition) => act(world, member, REALTIME, disposition),
            None => block(world, member, REALTIME),
        }
    }
    let pidfd = world.pidfd_of(leader, PidfdFlags::empty());
    (members, pidfd.expect("pidfd_open"))
}

/// Lets as many signals wait for a process as there can; returns that.
fn fill(world: &Fixture) -> TaskId {
    let full = world.fork(world.init);
    block(world, full, REALTIME);
    let kill = Kill::Queue(world.init, world.own_pid(full), QUEUE, 0);
    // Some thousands, as RLIMIT_SIGPENDING has it.
    for _ in 0..1 << 20 {
        if let Err(error) = world.kill(kill, REALTIME) {
            assert_eq!(error.errno, Errno::AGAIN);
            return full;
        }
    }
    panic!("a million signals wait");
}

/// `__kill_pgrp_info()`: success if one member has got it, whichever that is; else the error.
#[test]
fn one_member_that_gets_it_is_enough() {
    let world = Fixture::new();
    let to = |world: &World, sender, pidfd| {
        let group = uapi::ALTPID_SIGNAL_PROCESS_GROUP;
        send(world, sender, pidfd, (REALTIME, QUEUE), group)
    };
    let ignores = Some(Disposition::Ignore);
    let (members, both) = pair(&world, [None, None]);
    let (_, first) = pair(&world, [ignores, None]);
    let (_, second) = pair(&world, [None, ignores]);
    let full = fill(&world);
    let init = world.init;
    world.refuses(Errno::AGAIN, |w| to(w, init, both));
    // Nothing has to wait for who ignores it.
    to(&world, init, first).expect("the leader ignores it");
    to(&world, init, second).expect("the other member ignores it");
    // With room for one of the two.
    let realtime = SigSet::of(&[REALTIME]);
    world.sigwait(full, realtime).expect("sigwait");
    to(&world, init, both).expect("one has got it");
    let waits = |task: &TaskId| world.signals(*task).expect("signals").shared == realtime;
    assert_eq!(members.iter().filter(|&task| waits(task)).count(), 1);
    world.refuses(Errno::AGAIN, |w| to(w, init, both));
}

/// `do_pidfd_send_signal()`: a code of the kernel is for oneself, and a group is more than that, also
/// the one that has one's own number.
#[test]
fn a_code_of_the_kernel_is_not_for_a_group() {
    let world = Fixture::new();
    let leader = world.fork(world.init);
    world.setsid(leader).expect("setsid");
    let member = world.fork(leader);
    for task in [leader, member] {
        act(&world, task, SIGUSR1, Disposition::Handler);
    }
    let own = world.pidfd_of(leader, PidfdFlags::empty());
    let own = own.expect("pidfd_open");
    let group = uapi::ALTPID_SIGNAL_PROCESS_GROUP;
    for code in [libc::SI_KERNEL, libc::CLD_EXITED, libc::SI_TKILL] {
        let signal = (SIGUSR1, code);
        world.refuses(Errno::PERM, |w| send(w, leader, own, signal, group));
    }
    let received = |task| world.signals(task).expect("signals").received;
    assert_eq!([received(leader), received(member)], [0, 0]);
    // To oneself, and with a code that is not the kernel's.
    for flags in [0, uapi::ALTPID_SIGNAL_THREAD_GROUP] {
        let signal = (SIGUSR1, libc::SI_KERNEL);
        send(&world, leader, own, signal, flags).expect("to oneself");
    }
    send(&world, leader, own, (SIGUSR1, QUEUE), group).expect("to the group");
    assert_eq!([received(leader), received(member)], [3, 1]);
    let last = world.signals(member).expect("signals").last;
    assert_eq!((last.code, last.value), (QUEUE, 4711));
}

/// `kill_orphaned_pgrp()`: one exit leaves several groups orphaned, those of its children and its own,
/// each with more members than are told at a time. All that are stopped are told, and go on.
#[test]
fn one_exit_orphans_many_large_groups() {
    let world = Fixture::new();
    let session = world.fork(world.init);
    world.setsid(session).expect("setsid");
    let shell = world.fork(session);
    world.setpgid(shell, 0, 0).expect("setpgid");
    let mut members = Vec::new();
    // The first group is the shell's own; the members of the others are its children too, in turn.
    let mut numbers = vec![0];
    for number in 0..3 * MANY {
        let member = world.fork(shell);
        let group = number % 3;
        if group > 0 {
            if numbers.len() == group {
                numbers.push(world.own_pid(member));
            }
            let joins = world.setpgid(member, 0, numbers[group]);
            joins.expect("setpgid");
        }
        act(&world, member, SIGHUP, Disposition::Handler);
        members.push(member);
    }
    for &member in &members {
        world.kill(Kill::Outside(member), SIGSTOP).expect("kill");
    }
    world.exit_group(shell, 0).expect("exit_group");
    for (number, &member) in members.iter().enumerate() {
        let what = format!("member {number}, of group {}", number % 3);
        assert_eq!(world.state_of(member), Some(TaskState::Running), "{what}");
        let signals = world.signals(member).expect("signals");
        assert_eq!(signals.received, 1, "{what}");
        let (last, kernel) = (signals.last, libc::SI_KERNEL);
        assert_eq!((last.signo, last.code), (SIGHUP, kernel), "{what}");
    }
}
