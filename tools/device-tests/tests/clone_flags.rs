// SPDX-License-Identifier: GPL-2.0

//! Which flags clone3(2) takes together, and from whom: one case a row.

use altpid::{CloneArgs, CloneFlags, Parent, TaskId};
use altpid_device_tests::{Fixture, SIGCHLD};
use rustix::io::Errno;

const VM: u64 = 0x100;
const FS: u64 = 0x200;
const FILES: u64 = 0x400;
const SIGHAND: u64 = 0x800;
const PIDFD: u64 = 0x1000;
const PTRACE: u64 = 0x2000;
const VFORK: u64 = 0x4000;
const PARENT: u64 = 0x8000;
const THREAD: u64 = 0x1_0000;
const NEWNS: u64 = 0x2_0000;
const SYSVSEM: u64 = 0x4_0000;
const SETTLS: u64 = 0x8_0000;
const PARENT_SETTID: u64 = 0x10_0000;
const CHILD_CLEARTID: u64 = 0x20_0000;
const DETACHED: u64 = 0x40_0000;
const UNTRACED: u64 = 0x80_0000;
const CHILD_SETTID: u64 = 0x100_0000;
const NEWCGROUP: u64 = 0x200_0000;
const NEWUTS: u64 = 0x400_0000;
const NEWIPC: u64 = 0x800_0000;
const NEWUSER: u64 = 0x1000_0000;
const NEWPID: u64 = 0x2000_0000;
const NEWNET: u64 = 0x4000_0000;
const IO: u64 = 0x8000_0000;
const NEWTIME: u64 = 0x80;
const CLEAR_SIGHAND: u64 = 1 << 32;
const AUTOREAP: u64 = 1 << 34;
const NNP: u64 = 1 << 35;
const AUTOKILL: u64 = 1 << 36;

/// A whole thread.
const THREADLIKE: u64 = THREAD | SIGHAND | VM;

/// Who clones.
#[derive(Clone, Copy, Debug)]
enum Caller {
    /// A process like any other.
    Process,
    /// Init of the world.
    WorldInit,
    /// Init of a namespace.
    NsInit,
    /// A process that vanishes when it exits.
    Autoreap,
    /// A process whose children are born elsewhere.
    Unshared,
    /// A process of a namespace whose children are born below.
    Joined,
    /// The second thread of a process.
    Thread,
}

use Caller::*;

fn caller(world: &Fixture, kind: Caller) -> TaskId {
    match kind {
        Process => world.fork(world.init),
        WorldInit => world.init,
        NsInit => world.container(world.init).0,
        Autoreap => {
            let flags = CloneFlags::AUTOREAP;
            world.born(world.init, &CloneArgs::new().flags(flags).exit_signal(0))
        }
        Unshared => {
            let task = world.fork(world.init);
            world.unshare(task, CloneFlags::NEWPID).expect("unshare");
            task
        }
        Joined => {
            let (_, ns) = world.container(world.init);
            let task = world.fork(world.init);
            world.setns(task, ns).expect("setns");
            task
        }
        Thread => {
            let task = world.fork(world.init);
            world.thread(task)
        }
    }
}

/// What is tried: who, with which flags, with which exit signal.
type Row = (Caller, u64, i32);

/// Runs each row in a world of its own.
fn check(rows: &[Row], expected: Result<(), Errno>) {
    for &(kind, flags, signal) in rows {
        let world = Fixture::new();
        let task = caller(&world, kind);
        let flags = CloneFlags::from_bits_retain(flags);
        let args = CloneArgs::new().flags(flags).exit_signal(signal);
        println!("{kind:?} {flags:?} {signal}");
        match expected {
            Ok(()) => drop(world.born(task, &args)),
            Err(errno) => world.refuses(errno, |w| w.clone(task, &args)),
        }
    }
}

#[test]
fn flags_that_need_each_other() {
    check(
        &[
            (Process, THREAD, 0),
            (Process, THREAD | VM, 0),
            (Process, THREAD | SIGHAND, 0),
            (Process, SIGHAND, SIGCHLD),
            (Process, AUTOKILL, 0),
            (Process, AUTOKILL | PIDFD, 0),
            (Process, AUTOKILL | AUTOREAP, 0),
        ],
        Err(Errno::INVAL),
    );
    check(
        &[
            (Process, THREADLIKE, 0),
            (Process, SIGHAND | VM, SIGCHLD),
            (Process, VM, SIGCHLD),
            (Process, AUTOKILL | PIDFD | AUTOREAP, 0),
            (Process, AUTOKILL | PIDFD | AUTOREAP | NNP, 0),
        ],
        Ok(()),
    );
}

#[test]
fn flags_that_exclude_each_other() {
    check(
        &[
            (Process, SIGHAND | VM | CLEAR_SIGHAND, SIGCHLD),
            (Process, NEWNS | FS, SIGCHLD),
            (Process, NEWUSER | FS, SIGCHLD),
            (Process, NEWIPC | SYSVSEM, SIGCHLD),
            (Process, THREADLIKE | NEWPID, 0),
            (Process, THREADLIKE | NEWUSER, 0),
            (Process, THREADLIKE | NNP, 0),
            (Process, THREADLIKE | AUTOREAP, 0),
            (Process, THREADLIKE | AUTOKILL | PIDFD | AUTOREAP, 0),
            (Process, PARENT | AUTOREAP, 0),
        ],
        Err(Errno::INVAL),
    );
    check(
        &[
            (Process, CLEAR_SIGHAND, SIGCHLD),
            (Process, NEWNS, SIGCHLD),
            (Process, NEWUSER | NEWPID, SIGCHLD),
            (Process, NEWIPC | FS, SIGCHLD),
            (Process, NNP, SIGCHLD),
        ],
        Ok(()),
    );
}

#[test]
fn flags_that_exclude_an_exit_signal() {
    check(
        &[
            (Process, THREADLIKE, SIGCHLD),
            (Process, THREADLIKE, 1),
            (Process, PARENT, SIGCHLD),
            (Process, PARENT, 9),
            (Process, AUTOREAP, SIGCHLD),
            (Process, AUTOREAP, 1),
        ],
        Err(Errno::INVAL),
    );
    check(
        &[
            (Process, PARENT, 0),
            (Process, AUTOREAP, 0),
            (Process, AUTOREAP | NEWPID, 0),
            (Process, 0, 0),
        ],
        Ok(()),
    );
}

#[test]
fn flags_that_clone3_does_not_have() {
    let mut rows = vec![
        (Process, DETACHED, SIGCHLD),
        (Process, DETACHED | PIDFD, SIGCHLD),
    ];
    // The exit signal has a member of its own; one of its bits is a flag.
    rows.extend((0..7).map(|bit| (Process, 1 << bit, SIGCHLD)));
    rows.push((Process, SIGCHLD as u64, SIGCHLD));
    // There are 38, beginning with the 32 that clone(2) has.
    rows.extend((38..64).map(|bit| (Process, 1 << bit, SIGCHLD)));
    check(&rows, Err(Errno::INVAL));
}

#[test]
fn flags_about_what_a_task_does_not_have() {
    let none = [
        FILES,
        PIDFD,
        PTRACE,
        VFORK,
        SYSVSEM,
        SETTLS,
        PARENT_SETTID,
        CHILD_CLEARTID,
        UNTRACED,
        CHILD_SETTID,
        NEWCGROUP,
        NEWUTS,
        NEWIPC,
        NEWUSER,
        NEWNET,
        IO,
        NEWTIME,
    ];
    let rows: Vec<_> = none.iter().map(|&flag| (Process, flag, SIGCHLD)).collect();
    check(&rows, Ok(()));
    check(
        &[
            (Process, VM | NEWPID, SIGCHLD),
            (Process, VM | VFORK | NEWPID, SIGCHLD),
            (Process, THREADLIKE | FS | FILES | SYSVSEM | SETTLS, 0),
        ],
        Ok(()),
    );
}

#[test]
fn callers_that_may_not_have_siblings() {
    check(
        &[
            (WorldInit, PARENT, 0),
            (WorldInit, PARENT | NEWPID, 0),
            (NsInit, PARENT, 0),
            (Autoreap, PARENT, 0),
            (Autoreap, PARENT | NEWPID, 0),
        ],
        Err(Errno::INVAL),
    );
    check(
        &[
            (Process, PARENT, 0),
            (Process, PARENT | NEWPID, 0),
            (Thread, PARENT, 0),
            (NsInit, 0, SIGCHLD),
            (NsInit, THREADLIKE, 0),
            (Autoreap, 0, SIGCHLD),
            (Autoreap, AUTOREAP, 0),
        ],
        Ok(()),
    );
}

#[test]
fn callers_whose_children_go_elsewhere() {
    for kind in [Unshared, Joined] {
        check(
            &[
                (kind, THREADLIKE, 0),
                (kind, NEWPID, SIGCHLD),
                (kind, NEWPID | PARENT, 0),
            ],
            Err(Errno::INVAL),
        );
        check(
            &[(kind, 0, SIGCHLD), (kind, VM, SIGCHLD), (kind, PARENT, 0)],
            Ok(()),
        );
    }
}

#[test]
fn an_init_stays_one_as_long_as_its_process() {
    let world = Fixture::new();
    let (init, _) = world.container(world.init);
    let thread = world.thread(init);
    let args = CloneArgs::new().flags(CloneFlags::PARENT).exit_signal(0);
    world.refuses(Errno::INVAL, |w| w.clone(thread, &args));
    world.exit(init, 0).expect("exit");
    world.refuses(Errno::INVAL, |w| w.clone(thread, &args));
}

#[test]
fn a_sibling_of_an_outsider_is_one_too() {
    let world = Fixture::new();
    let outsider = world.born(world.init, &CloneArgs::new().parent(Parent::Outside));
    let args = CloneArgs::new().flags(CloneFlags::PARENT).exit_signal(0);
    let sibling = world.born(outsider, &args);
    assert_eq!(world.parent_of(sibling), None);
}
