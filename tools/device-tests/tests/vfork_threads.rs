// SPDX-License-Identifier: GPL-2.0

//! vfork(2) by a thread: what the other threads of its process do meanwhile, and what becomes of signals
//! and stops of the process (`wants_signal()`, `do_signal_stop()`, `recalc_sigpending()`).

use altpid::{
    CloneArgs, CloneFlags, Disposition, Kill, Mask, SigSet, TaskId, TaskState, WaitFlags, World,
};
use altpid_device_tests::{Fixture, WALL, WNOHANG, exited, sleeper::Sleeper};
use rustix::io::Errno;
use std::thread;

/// Options of wait4(2): children that stop too.
const WUNTRACED: WaitFlags = WaitFlags::STOPPED;

/// What vfork(2) is.
fn args() -> CloneArgs {
    CloneArgs::new().flags(CloneFlags::VM | CloneFlags::VFORK)
}

/// A thread of a process is sent a signal.
#[track_caller]
fn signal_to(world: &Fixture, thread: TaskId, signal: i32) {
    let tgid = world.task(thread).expect("task").tgid[0];
    let by = Kill::Thread(world.init, tgid, world.own_pid(thread));
    world.kill(by, signal).expect("kill");
}

/// A process is sent a signal from outside.
#[track_caller]
fn signal(world: &World, process: TaskId, signal: i32) {
    world.kill(Kill::Outside(process), signal).expect("kill");
}

/// A process whose leader sleeps in vfork, another thread of it, and the leader's child.
fn family(world: &Fixture, parent: TaskId) -> (TaskId, TaskId, TaskId) {
    let leader = world.fork(parent);
    let handler = Some(Disposition::Handler.into());
    world
        .sigaction(leader, libc::SIGUSR1, handler)
        .expect("sigaction");
    let thread = world.thread(leader);
    let child = world.born(leader, &args());
    (leader, thread, child)
}

/// How many signals a thread has called handlers for.
#[track_caller]
fn received(world: &World, thread: TaskId) -> u32 {
    world.signals(thread).expect("signals").received
}

/// Another thread of the caller's process acts for itself: its signals are its own, and exec and
/// exit_group by it end the one who sleeps. The process stops when all of its threads do.
#[test]
fn other_threads_of_the_caller() {
    let world = Fixture::new();
    let (leader, thread, _) = family(&world, world.init);
    signal_to(&world, thread, libc::SIGUSR1);
    assert_eq!(received(&world, thread), 1);
    signal(&world, leader, libc::SIGSTOP);
    let options = WUNTRACED | WNOHANG | WALL;
    assert_eq!(world.wait(world.init, -1, options), Ok(None));
    signal(&world, leader, libc::SIGCONT);
    world.exec(thread, b"program").expect("exec");
    assert_eq!(world.state_of(leader), None);
    assert_eq!(world.task(thread).expect("task").nr_threads, 1);
    world.set_name(thread, b"awake").expect("set_name");

    let process = world.fork(world.init);
    let thread = world.thread(process);
    let child = world.born(process, &args());
    assert_eq!(world.end_by(thread, 2), (process, exited(2)));
    assert_eq!(world.parent_of(child), Some(world.init));
}

/// The other threads of a caller stop at once, and the process has stopped when the caller has; a
/// SIGCONT before that tells the parent of a stop, by no signal, and is one to wait for.
#[test]
fn a_stop_of_the_other_threads() {
    let world = Fixture::new();
    let stop = |thread| signal_to(&world, thread, libc::SIGSTOP);
    let parent = world.fork(world.init);
    let action = Some(Disposition::Handler.into());
    world
        .sigaction(parent, libc::SIGCHLD, action)
        .expect("sigaction");
    let process = world.fork(parent);
    let thread = world.thread(process);
    let told = || {
        let signals = world.signals(parent).expect("signals");
        (signals.received, signals.last.code, signals.last.status)
    };
    let look = || {
        let options = WUNTRACED | WaitFlags::CONTINUED | WNOHANG | WALL;
        let waited = world.wait(parent, -1, options).expect("wait4");
        waited.map(|waited| waited.status)
    };

    let child = world.born(process, &args());
    stop(thread);
    assert_eq!(world.state_of(thread), Some(TaskState::Stopped));
    assert_eq!(world.state_of(process), Some(TaskState::Running));
    let refused = world.set_name(thread, b"name").expect_err("stopped");
    assert_eq!(refused.reason.name(), Some("TASK_STOPPED"));
    assert_eq!((look(), told().0), (None, 0));
    world.exit_group(child, 0).expect("exit_group");
    assert_eq!(world.state_of(process), Some(TaskState::Stopped));
    assert_eq!(told(), (1, libc::CLD_STOPPED, libc::SIGSTOP));
    assert_eq!(look(), Some(libc::SIGSTOP << 8 | 0x7f));
    signal(&world, process, libc::SIGCONT);
    assert_eq!((look(), told().0), (Some(0xffff), 2));
    world.reap(process);

    let child = world.born(process, &args());
    stop(thread);
    signal(&world, process, libc::SIGCONT);
    assert_eq!(world.state_of(thread), Some(TaskState::Running));
    assert_eq!(told(), (3, libc::CLD_STOPPED, 0));
    assert_eq!(look(), Some(0xffff));
    world.exit_group(child, 0).expect("exit_group");
    assert_eq!(
        (world.state_of(process), look()),
        (Some(TaskState::Running), None)
    );

    // One that is killed meanwhile has never stopped.
    world.reap(process);
    world.born(process, &args());
    stop(thread);
    signal(&world, process, libc::SIGKILL);
    assert_eq!(look(), Some(libc::SIGKILL));
}

/// A stop that is not complete does not take back that the process was continued after the one before.
#[test]
fn a_stop_that_is_not_complete_leaves_what_a_continue_has_to_tell() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let process = world.fork(parent);
    let thread = world.thread(process);
    let look = |options| {
        let waited = world.wait(parent, -1, options | WNOHANG).expect("wait4");
        waited.map(|waited| waited.status)
    };
    signal(&world, process, libc::SIGSTOP);
    signal(&world, process, libc::SIGCONT);
    let child = world.born(process, &args());
    signal_to(&world, thread, libc::SIGSTOP);
    assert_eq!(world.state_of(thread), Some(TaskState::Stopped));
    assert_eq!(look(WUNTRACED), None);
    assert_eq!(look(WaitFlags::CONTINUED), Some(0xffff));
    assert_eq!(look(WaitFlags::CONTINUED), None);
    world.exit_group(child, 0).expect("exit_group");
    assert_eq!(look(WUNTRACED), Some(libc::SIGSTOP << 8 | 0x7f));
    // Nobody has heard of this one when the next stop is complete.
    signal(&world, process, libc::SIGCONT);
    signal(&world, process, libc::SIGSTOP);
    assert_eq!(look(WaitFlags::CONTINUED), None);
}

/// A signal of the process that was left to the thread in vfork is its own: another thread takes it only
/// when a call of its own looks (`recalc_sigpending()`), as sigtimedwait and clone do.
#[test]
fn a_signal_that_is_left_to_the_sleeper() {
    let world = Fixture::new();
    let (leader, thread, child) = family(&world, world.init);
    let other = world.thread(thread);
    let child_of_other = world.born(other, &args());
    signal(&world, leader, libc::SIGUSR1);
    world.set_name(thread, b"name").expect("set_name");
    assert_eq!((received(&world, leader), received(&world, thread)), (0, 0));
    // That another vfork is over is no reason to look.
    world.exit_group(child_of_other, 0).expect("exit_group");
    assert_eq!((received(&world, leader), received(&world, other)), (0, 0));
    world.exit_group(child, 0).expect("exit_group");
    assert_eq!((received(&world, leader), received(&world, other)), (1, 0));

    let nothing: SigSet = SigSet::of(&[libc::SIGUSR2]);
    world.born(leader, &args());
    signal(&world, leader, libc::SIGUSR1);
    let waited = world.sigwait(thread, nothing).map_err(|e| e.errno);
    assert_eq!(waited, Err(Errno::AGAIN));
    assert_eq!((received(&world, leader), received(&world, thread)), (1, 1));
    assert!(world.audit().expect("audit").broken == 0);
}

/// A clone takes what waits for the process before it makes anything (`copy_process()`).
#[test]
fn a_clone_takes_signals_first() {
    // A handler: then it clones.
    let world = Fixture::new();
    let (leader, thread, _) = family(&world, world.init);
    signal(&world, leader, libc::SIGUSR1);
    assert_eq!(received(&world, thread), 0);
    world.fork(thread);
    assert_eq!((received(&world, leader), received(&world, thread)), (0, 1));

    // That its children go elsewhere is told afterwards (`copy_pid_ns()`).
    signal(&world, leader, libc::SIGUSR1);
    let ns = world.unshare(thread, CloneFlags::NEWPID).expect("unshare");
    assert!(ns.is_some());
    let elsewhere = CloneArgs::new().flags(CloneFlags::NEWPID);
    let refused = world.clone(thread, &elsewhere).expect_err("elsewhere");
    assert_eq!(refused.reason.name(), Some("CHILDREN_ELSEWHERE"));
    assert_eq!((received(&world, leader), received(&world, thread)), (0, 2));

    // A stop: it does not.
    let (leader, thread, _) = family(&world, world.init);
    signal(&world, leader, libc::SIGSTOP);
    assert_eq!(world.state_of(thread), Some(TaskState::Running));
    let before = world.info().expect("world").tasks;
    let refused = world.clone(thread, &CloneArgs::new()).expect_err("stopped");
    assert_eq!(refused.errno, Errno::BUSY);
    assert_eq!(refused.reason.name(), Some("TASK_STOPPED"));
    assert_eq!(world.state_of(thread), Some(TaskState::Stopped));
    assert_eq!(world.info().expect("world").tasks, before);
    signal(&world, leader, libc::SIGCONT);
    world.fork(thread);

    // Nor when the signal kills; what is wrong with the arguments is told before.
    let (leader, thread, _) = family(&world, world.init);
    signal(&world, leader, libc::SIGQUIT);
    let wrong = CloneArgs::new().flags(CloneFlags::THREAD);
    world.refuses(Errno::INVAL, |w| w.clone(thread, &wrong));
    assert_eq!(world.state_of(leader), Some(TaskState::Running));
    let killed = world.clone(thread, &CloneArgs::new()).expect_err("killed");
    assert_eq!(killed.errno, Errno::SRCH);
    let waited = world.wait(world.init, world.own_pid(leader), WNOHANG);
    let waited = waited.expect("wait4").expect("a dead child");
    assert_eq!(waited.status & 0x7f, libc::SIGQUIT);
}

/// A stop ends a sleep in sigtimedwait (`signal_wake_up()`), by a signal that another thread takes, and
/// also if a call of a third thread defers it. What children do does not.
#[test]
fn a_stop_ends_a_sleep_for_a_signal() {
    for has_vfork in [false, true] {
        let world = Fixture::new();
        let process = world.fork(world.init);
        let (waiter, other) = (world.thread(process), world.thread(process));
        let set: SigSet = SigSet::of(&[libc::SIGUSR2]);
        world
            .sigprocmask(waiter, Mask::Block, set)
            .expect("sigprocmask");
        if has_vfork {
            world.born(process, &args());
        }
        thread::scope(|scope| {
            let of_world = world.world();
            let sleeper = Sleeper::of(scope, move || of_world.sigtimedwait(waiter, set, None));
            let naps = sleeper.sleeps_so_far();
            world.end(world.fork(other), 0);
            assert!(sleeper.settles(), "a child has exited");
            assert_eq!(sleeper.sleeps_so_far(), naps);
            signal_to(&world, other, libc::SIGSTOP);
            let waited = sleeper.result().map_err(|e| e.errno);
            assert_eq!(waited, Err(Errno::INTR));
        });
        assert_eq!(world.state_of(waiter), Some(TaskState::Stopped));
        signal(&world, process, libc::SIGCONT);
        world.set_name(waiter, b"awake").expect("set_name");
    }
}
