// SPDX-License-Identifier: GPL-2.0

//! Worlds as large as they may be. What takes the kernel too long in one piece, it complains of
//! itself: a CPU or a lock that is held for seconds ends the run.

use altpid::{
    Action, Blocker, CloneArgs, CloneFlags, Disposition, Kill, Parent, PidType, SaFlags, TaskId,
    TaskState, World,
};
use altpid_device_tests::{
    Fixture, WNOHANG,
    crowd::{born, children, wide},
    exited,
    figures::{is_debug_kernel, tell},
    meanwhile::AtTheEnd,
};
use rustix::io::Errno;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

/// Tasks of a large world: what the module allows in one, but for a few. In the debug kernel each of them
/// takes a hundred times as long.
fn many() -> usize {
    if is_debug_kernel() { 20_000 } else { 1_000_000 }
}

/// Held by tests with large worlds: there is memory for one of them.
static LARGE: Mutex<()> = Mutex::new(());

/// Somebody in a process group of its own that nobody controls, and stopped: as long as there is one,
/// it matters who is orphaned.
fn stopped(world: &Fixture) -> TaskId {
    let stopped = world.fork(world.fork(world.init));
    world.setpgid(stopped, 0, 0).expect("setpgid");
    world
        .kill(Kill::Outside(stopped), libc::SIGSTOP)
        .expect("kill");
    stopped
}

/// An audit of a large world, while others make tasks and namespaces and end them.
#[test]
fn an_audit_lets_others_go_on() {
    let _alone = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    let world = Fixture::new();
    wide(&world);
    let count = many() / 10;
    children(&world, world.init, count);
    let quiet = world.audit().expect("audit");
    assert_eq!((quiet.broken, quiet.skipped), (0, 0), "{}", quiet.what);
    let done = AtomicBool::new(false);
    let (audit, others) = thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut others = 0u64;
            while !done.load(Relaxed) {
                let (init, _) = world.container(world.init);
                children(&world, init, 10);
                assert_eq!(world.end(init, 3), exited(3));
                others += 1;
            }
            others
        });
        let end = AtTheEnd(&done);
        let audit = world.audit().expect("audit");
        drop(end);
        (audit, other.join().expect("others"))
    });
    assert_eq!(audit.broken, 0, "{}", audit.what);
    assert!(audit.tasks as usize >= count);
    tell(&format!(
        "{count} tasks audited; others made and ended {others} namespaces meanwhile, and {} \
         comparisons were left out",
        audit.skipped
    ));
}

#[test]
fn a_million_tasks() {
    let _alone = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    let world = Fixture::new();
    wide(&world);
    let (init, ns) = world.container(world.init);
    world.setsid(init).expect("setsid");
    let count = many();
    children(&world, init, count);
    assert_eq!(world.ns(ns).expect("ns").nr_pids as usize, count + 1);

    // None of them has anything to tell; then the last of all.
    let nobody = world.wait(init, -1, WNOHANG).expect("wait4");
    assert_eq!(nobody, None);
    let nr = count as i32 + 1;
    let last = world.find(ns, nr, PidType::Pid).expect("the last child");
    world.kill(Kill::Outside(last), 9).expect("kill");
    assert_eq!(world.reap(init).task, last);
    let nobody = world.wait(init, -1, WNOHANG).expect("wait4");
    assert_eq!(nobody, None);
    // A signal to all of the process group, one to everybody, and one that only asks.
    for pid in [-1, 0, -1] {
        world
            .kill(Kill::Pid(init, pid), libc::SIGCONT)
            .expect("kill");
    }
    world.kill(Kill::Pid(init, 0), 0).expect("kill");
    // All stop, and go on; what they are stopped by their parent is not told.
    let not_told = Action {
        flags: SaFlags::NOCLDSTOP,
        ..Disposition::Default.into()
    };
    world
        .sigaction(init, libc::SIGCHLD, Some(not_told))
        .expect("sigaction");
    world
        .kill(Kill::Pid(init, -1), libc::SIGSTOP)
        .expect("kill");
    world
        .kill(Kill::Pid(init, -1), libc::SIGCONT)
        .expect("kill");

    // While they die others get on.
    let done = AtomicBool::new(false);
    let others = thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut others = 0u64;
            while !done.load(Relaxed) {
                assert_eq!(world.end(world.fork(world.init), 3), exited(3));
                others += 1;
            }
            others
        });
        let end = AtTheEnd(&done);
        world.exit_group(init, 7).expect("exit_group");
        drop(end);
        other.join().expect("others")
    });
    tell(&format!(
        "{count} tasks died with their init; others did {others} rounds meanwhile"
    ));
    assert_eq!(world.reap(world.init).status, exited(7));
    assert_eq!(world.info().expect("world").tasks, 1);
    assert!(!world.has_ns(ns));
}

#[test]
fn a_world_that_is_closed_with_a_million_tasks() {
    let _alone = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    let world = World::open().expect("/dev/altpid");
    wide(&world);
    children(&world, world.info().expect("world").init, many());
    assert_eq!(world.info().expect("world").tasks as usize, many() + 1);
    drop(world);
}

#[test]
fn a_parent_of_many_dies() {
    let _alone = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    let world = Fixture::new();
    wide(&world);
    let father = world.fork(world.init);
    let count = many() / 4;
    children(&world, father, count);
    world.end(father, 0);
    let left = world.info().expect("world");
    assert_eq!((left.tasks as usize, left.zombies), (count + 1, 0));
    world.kill(Kill::Pid(world.init, -1), 9).expect("kill");
    assert_eq!(world.info().expect("world").zombies as usize, count);
}

#[test]
fn a_stop_signal_to_an_orphaned_group() {
    let world = Fixture::new();
    wide(&world);
    // Nobody outside of the group controls it, which each member has to find out.
    let leader = world.fork(world.init);
    world.setsid(leader).expect("setsid");
    let count = many() / 10;
    children(&world, leader, count);
    world
        .kill(Kill::Pid(leader, 0), libc::SIGTSTP)
        .expect("kill");
    assert_eq!(world.state_of(leader), Some(TaskState::Running));
    world.kill(Kill::Pid(leader, 0), 9).expect("kill");
    assert_eq!(world.reap(world.init).task, leader);
    world.kill(Kill::Pid(world.init, -1), 0).expect("kill");
}

#[test]
fn an_orphaned_group_of_many_with_stopped_members() {
    let world = Fixture::new();
    wide(&world);
    let (shell, job) = {
        let shell = world.fork(world.init);
        world.setsid(shell).expect("setsid");
        let job = world.fork(shell);
        world.setpgid(job, 0, 0).expect("setpgid");
        (shell, job)
    };
    let count = many() / 20;
    children(&world, job, count);
    world.kill(Kill::Pid(job, 0), libc::SIGTSTP).expect("kill");
    // The shell was what controlled them: SIGHUP kills all.
    world.end(shell, 0);
    let left = world.info().expect("world");
    assert_eq!(left.tasks - left.zombies, 1, "but init");
}

/// Each exit may orphan the group, as far as its parent is concerned, and somebody is stopped: who
/// looked at all members each time would not come to an end.
#[test]
fn exits_from_a_large_orphaned_group() {
    let world = Fixture::new();
    wide(&world);
    let stopped = stopped(&world);
    let leader = world.fork(world.init);
    world.setpgid(leader, 0, 0).expect("setpgid");
    let group = world.pid_of(leader)[0];
    let count = many() / 5;
    children(&world, leader, count);
    world.end(leader, 0);
    world.kill(Kill::Pid(world.init, -group), 9).expect("kill");
    assert_eq!(world.info().expect("world").zombies as usize, count);
    assert_eq!(world.state_of(stopped), Some(TaskState::Stopped));
    for _ in 0..count {
        let reaped = world.wait(world.init, -group, WNOHANG).expect("wait4");
        assert!(reaped.is_some());
    }
}

/// A shell with that many jobs in one group dies, and somebody is stopped.
#[test]
fn a_shell_with_many_jobs_dies() {
    let world = Fixture::new();
    wide(&world);
    let stopped = stopped(&world);
    let shell = world.fork(world.init);
    world.setsid(shell).expect("setsid");
    let leader = world.fork(shell);
    world.setpgid(leader, 0, 0).expect("setpgid");
    let job = CloneArgs::new().parent(Parent::Task(shell));
    born(&world, leader, &job, many() / 5);
    world.end(shell, 0);
    assert_eq!(world.state_of(leader), Some(TaskState::Running));
    assert_eq!(world.state_of(stopped), Some(TaskState::Stopped));
}

#[test]
fn thirty_three_levels_with_members_at_each() {
    let world = Fixture::new();
    wide(&world);
    let mut inits = vec![world.init];
    for _ in 1..33 {
        let (init, _) = world.container(inits[inits.len() - 1]);
        children(&world, init, 100);
        inits.push(init);
    }
    let deepest = inits[32];
    world.refuses(Errno::NOSPC, |world| {
        world.clone(deepest, &CloneArgs::new().flags(CloneFlags::NEWPID))
    });
    let ns = world.task(deepest).expect("task").ns;
    assert_eq!(world.ns(ns).expect("ns").level, 32);
    world.kill(Kill::Outside(inits[1]), 9).expect("kill");
    world.reap(world.init);
    let info = world.info().expect("world");
    assert_eq!((info.tasks, info.namespaces), (1, 1));
}

#[test]
fn what_a_namespace_of_many_waits_for() {
    let world = Fixture::new();
    wide(&world);
    let (init, ns) = world.container(world.init);
    // Born outside, so that nobody reaps them when their init dies.
    let mut expected = Vec::new();
    for nr in 2..502 {
        let task = world.inject(world.init, ns);
        expected.push(Blocker::Zombie {
            nr,
            task,
            waits_for: Some(world.init),
        });
    }
    children(&world, init, many() / 100);
    world.exit_group(init, 0).expect("exit_group");
    assert_eq!(world.blockers(ns).expect("blockers"), expected);
    while world
        .wait(world.init, -1, WNOHANG)
        .is_ok_and(|w| w.is_some())
    {}
    assert!(!world.has_ns(ns));
}
