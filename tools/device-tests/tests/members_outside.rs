// SPDX-License-Identifier: GPL-2.0

//! Real programs in a world, and what others do to them: signals of the host, a descriptor that is closed.

use altpid::{TaskState, World};
use altpid_device_tests::{
    Fixture, command_line,
    members::{Bystander, exec, has_members, numbered, program, run},
    patience::eventually,
    raw,
};
use rustix::{
    fd::AsRawFd,
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};
use std::{
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
};

/// The native numbers of all members but this one.
fn natives(world: &World, but: i32) -> Vec<i32> {
    let tasks = world.tasks(None).expect("a listing");
    let natives = tasks.iter().filter_map(|task| task.native);
    natives
        .map(|(pid, _)| pid)
        .filter(|&pid| pid != but && pid != 0)
        .collect()
}

#[test]
fn the_host_kills_whom_it_likes() {
    if !has_members() {
        return;
    }
    let _bystander = Bystander::new();
    for round in 0..10 {
        let world = Fixture::new();
        let status = run(&world, &["races", "0"], |child| {
            let init = i32::try_from(child.id()).expect("a pid");
            eventually("there are some", || natives(&world, init).len() > 4);
            for _ in 0..round {
                // One that is gone meanwhile is nobody's number yet: there are too few processes.
                for native in natives(&world, init).into_iter().take(3) {
                    let _ = kill_process(Pid::from_raw(native).expect("a pid"), Signal::KILL);
                }
            }
            kill_process(Pid::from_raw(init).expect("a pid"), Signal::KILL).expect("kill");
        });
        assert_eq!(status.signal(), Some(9));
        assert_eq!(world.info().expect("info").tasks, 1);
    }
}

#[test]
fn a_world_lives_on_with_its_members() {
    if !has_members() {
        return;
    }
    let world = World::open().expect("a world");
    let program = program();
    let mut child = exec(&world, &["--", program, "closing", "sh", "-c"])
        .arg("read line; (exit 5); echo $?")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(world);
    drop(child.stdin.take());
    let output = child.wait_with_output().expect("its end");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "5\n");
}

#[test]
fn a_world_can_end_with_its_descriptor() {
    if !has_members() {
        return;
    }
    let world = World::open().expect("a world");
    let program = program();
    let mut child = exec(&world, &["--kill-on-close", "--", program, "closing"])
        .args(["sh", "-c", "echo closed; sleep 100000"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut line = [0; 7];
    let out = child.stdout.as_mut().expect("its output");
    std::io::Read::read_exact(out, &mut line).expect("a line");
    drop(world);
    assert_eq!(child.wait().expect("its end").signal(), Some(9));
}

/// Whoever sends a signal from outside has no number, also where it says one itself.
#[test]
fn a_sender_outside_has_no_number() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    let mut child = exec(&world, &["--", program(), "queued"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut out = child.stdout.take().expect("its output");
    let mut line = [0; 6];
    std::io::Read::read_exact(&mut out, &mut line).expect("a line");
    let native = child.id().to_string();
    let sent = Command::new(program()).args(["queue", &native]).status();
    assert!(sent.expect("it runs").success());
    let said = std::io::read_to_string(out).expect("what it says");
    // SI_QUEUE
    assert_eq!(said, "-1 0 5\n");
    assert!(child.wait().expect("its end").success());
}

#[test]
fn stopped_ones_are_told_of() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    let mut child = exec(&world, &["--pid", "1,300", "--", "sleep", "100000"])
        .spawn()
        .expect("it runs");
    let native = Pid::from_child(&child);
    eventually("it joins", || world.info().expect("info").tasks == 2);
    let member = numbered(&world, 300);
    kill_process(native, Signal::STOP).expect("kill");
    eventually("it stops", || {
        world.state_of(member) == Some(TaskState::Stopped)
    });
    kill_process(native, Signal::CONT).expect("kill");
    eventually("it goes on", || {
        world.state_of(member) == Some(TaskState::Running)
    });
    kill_process(native, Signal::KILL).expect("kill");
    assert_eq!(child.wait().expect("its end").signal(), Some(9));
}

/// The kernel log says once a world what its members have missed.
#[test]
fn what_is_missed_is_told_once() {
    if !has_members() {
        return;
    }
    let told = || {
        let log = Command::new("dmesg").output().expect("dmesg").stdout;
        let log = String::from_utf8_lossy(&log);
        log.matches("members cannot have io_uring").count()
    };
    let before = told();
    for worlds in 1..3 {
        let world = Fixture::new();
        for _ in 0..2 {
            assert_eq!(run(&world, &["refused"], |_| {}).code(), Some(0));
        }
        assert_eq!(told(), before + worlds);
    }
}

/// A pidfd on somebody of another world, or of none, is on nobody here.
#[test]
fn a_pidfd_from_elsewhere_is_on_nobody() {
    if !has_members() {
        return;
    }
    let (world, other) = (Fixture::new(), Fixture::new());
    // As many tasks as there are indices that it could be taken for.
    for _ in 0..20 {
        other.fork(other.init);
    }
    let mut member = exec(&other, &["--", "sleep", "100000"])
        .spawn()
        .expect("sleep");
    eventually("it joins", || other.info().expect("info").tasks == 22);
    let mut stranger = Command::new("sleep").arg("100000").spawn().expect("sleep");
    for child in [&member, &stranger] {
        let pidfd = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).expect("a pidfd");
        let fd = pidfd.as_raw_fd().to_string();
        let mut command = exec(&world, &["--", program(), "stranger", fd.as_str()]);
        raw::hand_down(&mut command, &pidfd);
        let (status, out, err) = command_line::finish(&mut command, "");
        assert_eq!((status, out.as_str(), err.as_str()), (0, "", ""));
    }
    for child in [&mut member, &mut stranger] {
        child.kill().expect("kill");
        assert_eq!(child.wait().expect("its end").signal(), Some(9));
    }
}
