// SPDX-License-Identifier: GPL-2.0

//! Signals, job control, waitid, exec, prctl and reboot, as a program over the device sees them.
//! The tables of who is immune to what are KUnit's; here it is the interface that counts.

use altpid::{
    Action, Disposition, Kill, Mask, SaFlags, SigInfo, SigSet, TaskId, TaskState, WaitFlags,
    WaitId, WaitIdReport,
};
use altpid_device_tests::{
    Fixture, SIGCHLD, WNOHANG, crowd::threads, exited, raw, sleeper::Sleeper,
};
use rustix::io::Errno;
use std::thread;

const SIGHUP: i32 = libc::SIGHUP;
const SIGUSR1: i32 = libc::SIGUSR1;
const SIGTERM: i32 = libc::SIGTERM;
const SIGKILL: i32 = libc::SIGKILL;
const SIGCONT: i32 = libc::SIGCONT;
const SIGSTOP: i32 = libc::SIGSTOP;
const WUNTRACED: WaitFlags = WaitFlags::STOPPED;
const WCONTINUED: WaitFlags = WaitFlags::CONTINUED;
const WEXITED: WaitFlags = WaitFlags::EXITED;
const WNOWAIT: WaitFlags = WaitFlags::NOWAIT;

fn handle(world: &Fixture, task: TaskId, signal: i32) {
    let action = Disposition::Handler.into();
    world
        .sigaction(task, signal, Some(action))
        .expect("sigaction");
}

fn status(world: &Fixture, parent: TaskId, options: WaitFlags) -> Option<i32> {
    let waited = world.wait(parent, -1, WNOHANG | options).expect("wait4");
    waited.map(|waited| waited.status)
}

#[test]
fn a_signal_kills() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    for signal in [SIGHUP, SIGTERM, SIGKILL, libc::SIGSEGV, 40] {
        let child = world.fork(parent);
        world.kill(Kill::Task(parent, child), signal).expect("kill");
        assert_eq!(world.state_of(child), Some(TaskState::Zombie));
        assert_eq!(status(&world, parent, WaitFlags::empty()), Some(signal));
    }
    for signal in [SIGCHLD, SIGCONT, libc::SIGURG, libc::SIGWINCH] {
        let child = world.fork(parent);
        world.kill(Kill::Task(parent, child), signal).expect("kill");
        assert_eq!(world.state_of(child), Some(TaskState::Running));
    }
}

#[test]
fn what_comes_along() {
    let world = Fixture::new();
    let (init, _) = world.container(world.init);
    let member = world.fork(init);
    handle(&world, init, SIGUSR1);
    let signals = world.signals(init).expect("signals");
    assert_eq!(signals.handled, SigSet::of(&[SIGUSR1]));
    assert_eq!(signals.received, 0);
    let cases = [
        (Kill::Pid(member, 1), libc::SI_USER, 2, 0),
        (Kill::Thread(member, 1, 1), libc::SI_TKILL, 2, 0),
        (Kill::Tkill(member, 1), libc::SI_TKILL, 2, 0),
        (Kill::Queue(member, 1, -1, 4711), -1, 2, 4711),
        (Kill::QueueThread(member, 1, 1, -7, 4712), -7, 2, 4712),
        (Kill::Task(world.init, init), libc::SI_USER, 0, 0),
        (Kill::Outside(init), libc::SI_USER, 0, 0),
        (Kill::Kernel(init), libc::SI_KERNEL, 0, 0),
    ];
    for (i, (kill, code, pid, value)) in cases.into_iter().enumerate() {
        world.kill(kill, SIGUSR1).expect("kill");
        let signals = world.signals(init).expect("signals");
        assert_eq!(signals.received as usize, i + 1);
        let expected = SigInfo {
            signo: SIGUSR1,
            code,
            pid,
            status: 0,
            value,
        };
        assert_eq!(signals.last, expected, "{kill:?}");
    }
}

#[test]
fn what_is_blocked_waits() {
    let world = Fixture::new();
    let task = world.fork(world.init);
    let every = SigSet::ALL;
    assert_eq!(
        world.sigprocmask(task, Mask::Set, every).expect("mask"),
        SigSet::EMPTY
    );
    let blocked = world.signals(task).expect("signals").blocked;
    assert!(!blocked.contains(SIGKILL) && !blocked.contains(SIGSTOP));
    world.kill(Kill::Outside(task), SIGTERM).expect("kill");
    world.kill(Kill::Tkill(task, 2), SIGUSR1).expect("tkill");
    let signals = world.signals(task).expect("signals");
    assert_eq!(signals.shared, SigSet::of(&[SIGTERM]));
    assert_eq!(signals.pending, SigSet::of(&[SIGUSR1]));
    let waiting = world.sigpending(task).expect("sigpending");
    assert_eq!(waiting, SigSet::of(&[SIGTERM, SIGUSR1]));
    assert_eq!(world.sigwait(task, every).expect("sigwait").signo, SIGUSR1);
    let waiting = world.sigpending(task).expect("sigpending");
    assert_eq!(waiting, SigSet::of(&[SIGTERM]));
    let old = world.sigprocmask(task, Mask::Unblock, SigSet::of(&[SIGTERM]));
    assert_eq!(old.expect("mask"), blocked);
    assert_eq!(world.state_of(task), Some(TaskState::Zombie));
    let nothing = world.sigwait(world.init, every).map_err(|e| e.errno);
    assert_eq!(nothing, Err(Errno::AGAIN));
}

#[test]
fn actions_are_told() {
    let world = Fixture::new();
    let task = world.fork(world.init);
    let ask = |signal| world.sigaction(task, signal, None).expect("sigaction");
    assert_eq!(ask(SIGTERM), Disposition::Default.into());
    assert_eq!(ask(SIGKILL), Disposition::Default.into());
    let action = Action {
        disposition: Disposition::Ignore,
        flags: SaFlags::all(),
        mask: SigSet::of(&[SIGHUP, 64]),
    };
    let old = world.sigaction(task, SIGCHLD, Some(action));
    assert_eq!(old.expect("sigaction"), Disposition::Default.into());
    assert_eq!(ask(SIGCHLD), action);
    // Of every signal.
    let old = world.sigaction(task, SIGTERM, Some(action));
    assert_eq!(old.expect("sigaction"), Disposition::Default.into());
    assert_eq!(ask(SIGTERM), action);
    // Asking changes nothing, whatever else is said.
    let asked = altpid::uapi::altpid_sigaction {
        sig: SIGTERM,
        task: task.0,
        handler: altpid::uapi::ALTPID_SIG_KEEP,
        ..Default::default()
    };
    raw::ask(&world, altpid::uapi::ALTPID_CMD_SIGACTION, &asked).expect("sigaction");
    assert_eq!(ask(SIGTERM), action);
    let handler = Some(Disposition::Handler.into());
    for signal in [0, -1, 65, SIGKILL, SIGSTOP] {
        world.refuses(Errno::INVAL, |w| w.sigaction(task, signal, handler));
    }
}

#[test]
fn stop_and_continue() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let child = world.fork(parent);
    world
        .kill(Kill::Task(parent, child), SIGSTOP)
        .expect("kill");
    assert_eq!(world.state_of(child), Some(TaskState::Stopped));
    world.refuses(Errno::BUSY, |w| w.exit(child, 0));
    assert_eq!(status(&world, parent, WaitFlags::empty()), None);
    assert_eq!(status(&world, parent, WUNTRACED), Some(SIGSTOP << 8 | 0x7f));
    assert_eq!(status(&world, parent, WUNTRACED), None);
    world
        .kill(Kill::Task(parent, child), SIGCONT)
        .expect("kill");
    assert_eq!(world.state_of(child), Some(TaskState::Running));
    assert_eq!(status(&world, parent, WCONTINUED), Some(0xffff));
    assert_eq!(world.end(child, 3), exited(3));
}

#[test]
fn waitid_tells_what_has_happened() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let child = world.fork(parent);
    let pid = world.own_pid(child);
    let wait = |options| world.waitid(parent, WaitId::Pid(pid), WNOHANG | options);
    let report = |code, status| {
        Ok(Some(WaitIdReport {
            task: child,
            pid,
            code,
            status,
        }))
    };
    assert_eq!(wait(WEXITED), Ok(None));
    world.kill(Kill::Outside(child), SIGSTOP).expect("kill");
    assert_eq!(
        wait(WUNTRACED | WNOWAIT),
        report(libc::CLD_STOPPED, SIGSTOP)
    );
    assert_eq!(wait(WUNTRACED), report(libc::CLD_STOPPED, SIGSTOP));
    assert_eq!(wait(WUNTRACED), Ok(None));
    world.kill(Kill::Outside(child), SIGCONT).expect("kill");
    assert_eq!(wait(WCONTINUED), report(libc::CLD_CONTINUED, SIGCONT));
    world.kill(Kill::Outside(child), SIGTERM).expect("kill");
    assert_eq!(wait(WEXITED | WNOWAIT), report(libc::CLD_KILLED, SIGTERM));
    assert_eq!(wait(WEXITED), report(libc::CLD_KILLED, SIGTERM));
    assert_eq!(wait(WEXITED).map_err(|e| e.errno), Err(Errno::CHILD));
    for (id, options) in [
        (WaitId::All, WaitFlags::empty()),
        (WaitId::All, WEXITED | WaitFlags::from_bits_retain(0x10)),
        (WaitId::Pid(0), WEXITED),
        (WaitId::Pid(-1), WEXITED),
        (WaitId::Pgid(-1), WEXITED),
    ] {
        world.refuses(Errno::INVAL, |w| w.waitid(parent, id, WNOHANG | options));
    }
}

/// A wait ends with EINTR when the waiting task gets a signal that it has a handler for.
#[test]
fn a_handler_interrupts_a_wait() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let child = world.fork(parent);
    handle(&world, parent, SIGUSR1);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), parent, -1, WaitFlags::empty());
        world.kill(Kill::Outside(parent), SIGCONT).expect("kill");
        assert!(sleeper.settles(), "that one does nothing");
        world.kill(Kill::Outside(parent), SIGUSR1).expect("kill");
        let result = sleeper.result().map_err(|e| e.errno);
        assert_eq!(result, Err(Errno::INTR));
    });
    // Nothing is lost.
    assert_eq!(world.end(child, 0), 0);
}

/// It goes on when all handlers that were called have `SA_RESTART`: the call is made anew, so that
/// the own process group is that of this moment.
#[test]
fn a_handler_with_restart_does_not_interrupt_a_wait() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    world.setpgid(parent, 0, 0).expect("setpgid");
    let (alive, dead) = (world.fork(parent), world.fork(parent));
    world.setpgid(dead, 0, 0).expect("setpgid");
    world.exit(dead, 5).expect("exit");
    let restart = Action {
        flags: SaFlags::RESTART,
        ..Disposition::Handler.into()
    };
    world
        .sigaction(parent, SIGUSR1, Some(restart))
        .expect("sigaction");
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), parent, 0, WaitFlags::empty());
        let (pid, pgid) = (world.own_pid(parent), world.own_pid(dead));
        world.setpgid(world.init, pid, pgid).expect("setpgid");
        assert!(sleeper.settles(), "it waits for the group that it had");
        world.kill(Kill::Outside(parent), SIGUSR1).expect("kill");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!((waited.task, waited.status), (dead, exited(5)));
    });
    assert_eq!(world.signals(parent).expect("signals").received, 1);
    // One without it does interrupt.
    handle(&world, parent, SIGTERM);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), parent, -1, WaitFlags::empty());
        world.kill(Kill::Outside(parent), SIGUSR1).expect("kill");
        assert!(sleeper.settles(), "it goes on");
        world.kill(Kill::Outside(parent), SIGTERM).expect("kill");
        let result = sleeper.result().map_err(|e| e.errno);
        assert_eq!(result, Err(Errno::INTR));
    });
    assert_eq!(world.end(alive, 0), 0);
}

#[test]
fn a_handler_that_is_called_once() {
    let world = Fixture::new();
    let task = world.fork(world.init);
    let once = Action {
        flags: SaFlags::RESETHAND,
        ..Disposition::Handler.into()
    };
    world
        .sigaction(task, SIGTERM, Some(once))
        .expect("sigaction");
    world.kill(Kill::Outside(task), SIGTERM).expect("kill");
    assert_eq!(world.signals(task).expect("signals").handled, SigSet::EMPTY);
    let after = world.sigaction(task, SIGTERM, None).expect("sigaction");
    let default = Disposition::Default;
    assert_eq!((after.disposition, after.flags), (default, once.flags));
    world.kill(Kill::Outside(task), SIGTERM).expect("kill");
    assert_eq!(world.reap(world.init).status, SIGTERM);
}

/// Who is stopped while waiting goes on waiting when it is continued.
#[test]
fn a_stopped_waiter_sleeps_on() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let child = world.fork(parent);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), parent, -1, WaitFlags::empty());
        world.kill(Kill::Outside(parent), SIGSTOP).expect("kill");
        world.exit_group(child, 5).expect("exit");
        assert!(sleeper.settles(), "it is stopped");
        assert_eq!(world.state_of(child), Some(TaskState::Zombie));
        world.kill(Kill::Outside(parent), SIGCONT).expect("kill");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!((waited.task, waited.status), (child, exited(5)));
    });
}

#[test]
fn exec_takes_the_leaders_place() {
    let world = Fixture::new();
    let leader = world.fork(world.init);
    let thread = world.thread(leader);
    let pid = world.pid_of(leader);
    world
        .exec(thread, b"a-program-with-a-long-name")
        .expect("exec");
    let task = world.task(thread).expect("task");
    assert_eq!((task.pid, task.leader, task.nr_threads), (pid, thread, 1));
    assert_eq!(task.comm, b"a-program-with-");
    assert_eq!(world.state_of(leader), None);
}

#[test]
fn the_worlds_init_is_who_is_pid_1() {
    let world = Fixture::new();
    let thread = world.thread(world.init);
    world.exec(thread, b"init").expect("exec");
    assert_eq!(world.info().expect("world").init, thread);
    assert_eq!(world.own_pid(thread), 1);
    assert_eq!(world.state_of(world.init), None);
}

#[test]
fn subreapers_and_parent_death() {
    let world = Fixture::new();
    let reaper = world.fork(world.init);
    assert!(!world.child_subreaper(reaper).expect("prctl"));
    world.set_child_subreaper(reaper, true).expect("prctl");
    assert!(world.child_subreaper(reaper).expect("prctl"));
    assert!(world.task(reaper).expect("task").is_subreaper);
    let father = world.fork(reaper);
    let child = world.fork(father);
    handle(&world, child, SIGUSR1);
    world.set_pdeath_signal(child, SIGUSR1).expect("prctl");
    assert_eq!(world.pdeath_signal(child), Ok(SIGUSR1));
    for signal in [-1, 65, i32::MAX] {
        world.refuses(Errno::INVAL, |w| w.set_pdeath_signal(child, signal));
    }
    world.exit_group(father, 0).expect("exit");
    assert_eq!(world.parent_of(child), Some(reaper));
    assert_eq!(world.signals(child).expect("signals").received, 1);
}

#[test]
fn reboot_of_a_namespace() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let member = world.fork(init);
    // A command that there is not comes before the level, and before the caller.
    for caller in [member, world.init, TaskId(u64::MAX)] {
        world.refuses(Errno::INVAL, |w| w.reboot(caller, 0xdead));
    }
    world.refuses(Errno::BUSY, |w| w.reboot(w.info()?.init, 0x0123_4567));
    world.reboot(member, 0x4321_fedc).expect("reboot");
    assert_eq!(world.state_of(member), None);
    assert_eq!(
        status(&world, world.init, WaitFlags::empty()),
        Some(libc::SIGINT)
    );
    assert!(!world.has_ns(ns));
}

/// A signal that kills waits while a process is stopped, however many threads it has.
#[test]
fn the_stopped_keep_what_kills_them() {
    for others in [0, 1, 15, 16, 40] {
        let world = Fixture::new();
        let process = world.fork(world.init);
        threads(&world, process, others);
        for signal in [SIGSTOP, SIGTERM] {
            world.kill(Kill::Outside(process), signal).expect("kill");
        }
        let signals = world.signals(process).expect("signals");
        assert!(signals.shared.contains(SIGTERM), "{others}");
        assert_eq!(
            world.state_of(process),
            Some(TaskState::Stopped),
            "{others}"
        );
        world.kill(Kill::Outside(process), SIGCONT).expect("kill");
        assert_eq!(world.reap(world.init).status & 0x7f, SIGTERM);
    }
}
