// SPDX-License-Identifier: GPL-2.0

//! Handles on tasks over the device: what KUnit cannot see is sleeping, arrays of operations and
//! callers that do not know them.

use altpid::{
    Batch, Blocker, CloneArgs, CloneFlags, Given, Kill, PidfdFlags, PollFlags, Scope, TaskId,
    WaitFlags, WaitId,
    uapi::{self, altpid_clone},
};
use altpid_device_tests::{Fixture, SIGCHLD, WNOHANG, exited, raw, sleeper::Sleeper};
use rustix::io::Errno;

const WEXITED: WaitFlags = WaitFlags::EXITED;
/// A clone whose child has a pidfd.
fn with_pidfd(flags: CloneFlags) -> CloneArgs {
    let signal = if flags.contains(CloneFlags::AUTOREAP) {
        0
    } else {
        SIGCHLD
    };
    CloneArgs::new()
        .flags(flags | CloneFlags::PIDFD)
        .exit_signal(signal)
}

fn kill(world: &Fixture, task: TaskId) {
    world.kill(Kill::Outside(task), 9).expect("kill");
}

#[test]
fn from_birth_to_close() {
    let world = Fixture::new();
    let child = world.clone(world.init, &with_pidfd(CloneFlags::NEWPID));
    let child = child.expect("clone");
    let pidfd = child.pidfd.expect("CLONE_PIDFD");
    let ns = world.task(child.task).expect("task").ns;
    let info = world.pidfd_info(pidfd, Some(world.init)).expect("info");
    let ids = info.ids.expect("it lives");
    assert_eq!((ids.task, ids.pid, ids.ppid), (child.task, child.pid, 1));
    assert_eq!((info.exit_code, info.nr), (None, vec![child.pid, 1]));
    assert_eq!(info.namespaces, Some((ns, ns)));
    assert_eq!(world.info().expect("world").pidfds, 1);

    assert_eq!(world.end(child.task, 21), exited(21));
    let info = world.pidfd_info(pidfd, None).expect("info");
    assert_eq!((info.ids, info.exit_code), (None, Some(exited(21))));
    let held = Blocker::Pidfd {
        nr: 1,
        task: None,
        pidfd,
    };
    assert_eq!(world.blockers(ns).expect("blockers"), [held]);
    world.pidfd_close(pidfd).expect("close");
    assert!(!world.has_ns(ns));
    world.refuses(Errno::BADF, |world| world.pidfd_close(pidfd));
    world.refuses(Errno::BADF, |world| world.pidfd_info(pidfd, None));
    world.refuses(Errno::BADF, |world| world.poll(pidfd, PollFlags::IN));
}

#[test]
fn bad_targets_open_nothing() {
    let world = Fixture::new();
    let process = world.fork(world.init);
    let thread = world.thread(process);
    let tid = world.own_pid(thread);
    let none = PidfdFlags::empty();
    for pid in [0, -1, i32::MIN] {
        world.refuses(Errno::INVAL, |w| w.pidfd_open(process, pid, none));
    }
    world.refuses(Errno::SRCH, |w| w.pidfd_open(process, 4000, none));
    world.refuses(Errno::NOENT, |w| w.pidfd_open(process, tid, none));
    world.refuses(Errno::NOENT, |w| w.pidfd_of(thread, none));
    world.refuses(Errno::SRCH, |w| w.pidfd_of(TaskId(u64::MAX), none));
    world.refuses(Errno::SRCH, |w| w.pidfd_open(TaskId(u64::MAX), 1, none));
    assert_eq!(world.info().expect("world").pidfds, 0);
    world
        .pidfd_open(process, tid, PidfdFlags::THREAD)
        .expect("a thread's");
}

#[test]
fn poll_sleeps_until_it_has_exited_and_until_it_is_reaped() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    let pidfd = world.pidfd_of(child, PidfdFlags::empty());
    let pidfd = pidfd.expect("pidfd_open");
    let now = || world.poll_now(pidfd, PollFlags::IN).expect("poll");
    assert_eq!(now(), PollFlags::empty());
    std::thread::scope(|scope| {
        let exited = Sleeper::of(scope, || world.poll(pidfd, PollFlags::IN));
        let reaped = Sleeper::of(scope, || world.poll(pidfd, PollFlags::empty()));
        kill(&world, child);
        assert_eq!(exited.result().expect("poll"), PollFlags::IN);
        assert!(reaped.settles(), "it is a zombie");
        world.reap(world.init);
        assert_eq!(reaped.result().expect("poll"), PollFlags::HUP);
    });
    assert_eq!(now(), PollFlags::IN | PollFlags::HUP);
}

#[test]
fn a_poll_that_ends_otherwise() {
    let world = Fixture::new();
    let flags = PidfdFlags::empty();
    let pidfd = world.pidfd_of(world.init, flags).expect("pidfd_open");
    std::thread::scope(|scope| {
        let sleeper = Sleeper::of(scope, || world.poll(pidfd, PollFlags::IN));
        sleeper.interrupt();
        let error = sleeper.result().expect_err("nothing happened");
        assert_eq!(error.errno, Errno::INTR);
    });
}

/// `do_pollfd()`: a poll under way holds the file, and looks at the descriptor again when it is woken.
#[test]
fn a_close_does_not_end_a_poll() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    let pidfd = world.pidfd_of(child, PidfdFlags::empty());
    let pidfd = pidfd.expect("pidfd_open");
    std::thread::scope(|scope| {
        let sleeper = Sleeper::of(scope, || world.poll(pidfd, PollFlags::IN));
        world.pidfd_close(pidfd).expect("close");
        world.refuses(Errno::BADF, |world| world.poll_now(pidfd, PollFlags::IN));
        assert!(sleeper.settles());
        world.exit(child, 0).expect("exit");
        assert_eq!(sleeper.result().expect("poll"), PollFlags::NVAL);
    });
}

#[test]
fn waitid_by_one() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    let other = world.fork(child);
    let open = |task, flags| world.pidfd_of(task, flags).expect("pidfd_open");
    let id = WaitId::Pidfd(open(child, PidfdFlags::empty()));
    let impatient = WaitId::Pidfd(open(child, PidfdFlags::NONBLOCK));
    let others = WaitId::Pidfd(open(other, PidfdFlags::empty()));
    let init = world.init;
    world.refuses(Errno::CHILD, |w| w.waitid(init, others, WEXITED));
    world.refuses(Errno::AGAIN, |w| w.waitid(init, impatient, WEXITED));
    let nobody = world.waitid(init, impatient, WEXITED | WNOHANG);
    assert_eq!(nobody.expect("waitid"), None);
    std::thread::scope(|scope| {
        let sleeper = Sleeper::of(scope, || world.waitid(init, id, WEXITED));
        world.exit_group(child, 7).expect("exit_group");
        let report = sleeper.result().expect("waitid").expect("a child");
        assert_eq!((report.task, report.status), (child, 7));
    });
    world.refuses(Errno::CHILD, |w| w.waitid(init, id, WEXITED));
}

#[test]
fn signals_by_one() {
    let world = Fixture::new();
    let (inner, _) = world.container(world.init);
    let flags = PidfdFlags::empty();
    let pidfd = world.pidfd_of(inner, flags).expect("pidfd_open");
    let of_init = world.pidfd_of(world.init, flags).expect("pidfd_open");
    let send = |sender, pidfd, scope| Kill::Pidfd(sender, pidfd, scope);
    let as_opened = Scope::AsOpened;
    world.refuses(Errno::INVAL, |w| w.kill(send(inner, of_init, as_opened), 0));
    world.refuses(Errno::INVAL, |w| {
        w.kill(send(world.init, pidfd, as_opened), 65)
    });
    // A siginfo of another signal, and codes that only the kernel has.
    let with_info = |sender, signo, code| {
        let value = 7;
        Kill::PidfdInfo(sender, pidfd, as_opened, Given { signo, code, value })
    };
    world.refuses(Errno::INVAL, |w| w.kill(with_info(world.init, 11, -1), 10));
    world.refuses(Errno::PERM, |w| w.kill(with_info(world.init, 10, 0), 10));
    world.kill(with_info(inner, 10, 0), 10).expect("to oneself");
    world.kill(with_info(world.init, 10, -1), 10).expect("kill");
    // The child is in no process group of its own number.
    world.refuses(Errno::SRCH, |w| {
        w.kill(send(world.init, pidfd, Scope::ProcessGroup), 0)
    });
    world.setsid(inner).expect("setsid");
    for scope in [Scope::Thread, Scope::ThreadGroup, Scope::ProcessGroup] {
        world.kill(send(world.init, pidfd, scope), 0).expect("kill");
    }
    world.kill(send(inner, pidfd, as_opened), 9).expect("kill");
    assert!(world.state_of(inner).is_some(), "immune from inside");
    world
        .kill(send(world.init, pidfd, as_opened), 9)
        .expect("kill");
    assert_eq!(world.reap(world.init).status, 9);
    world.refuses(Errno::SRCH, |w| {
        w.kill(send(world.init, pidfd, as_opened), 0)
    });
}

#[test]
fn setns_by_one() {
    let world = Fixture::new();
    let (inner, ns) = world.container(world.init);
    let member = world.fork(inner);
    let flags = PidfdFlags::empty();
    let pidfd = world.pidfd_of(inner, flags).expect("pidfd_open");
    let of_init = world.pidfd_of(world.init, flags).expect("pidfd_open");
    let task = world.fork(world.init);
    world.setns_by_pidfd(task, pidfd).expect("setns");
    let for_children = world.task(task).expect("task").ns_for_children;
    assert_eq!(for_children, Some(ns));
    world.refuses(Errno::INVAL, |w| w.setns_by_pidfd(member, of_init));
    // Which kind of namespace has to be said.
    let arg = uapi::altpid_setns {
        task: task.0,
        pidfd: pidfd.0,
        ..Default::default()
    };
    let result = raw::ask(&world, uapi::ALTPID_CMD_SETNS, &arg);
    assert_eq!(result.err(), Some(Errno::INVAL));
    kill(&world, inner);
    world.refuses(Errno::SRCH, |w| w.setns_by_pidfd(task, pidfd));
}

#[test]
fn closing_kills() {
    let world = Fixture::new();
    let kind = CloneFlags::AUTOREAP | CloneFlags::PIDFD_AUTOKILL;
    let child = world.clone(world.init, &with_pidfd(kind | CloneFlags::NEWPID));
    let child = child.expect("clone");
    let member = world.fork(child.task);
    let another = world.pidfd_of(child.task, PidfdFlags::empty());
    world
        .pidfd_close(another.expect("pidfd_open"))
        .expect("close");
    assert!(world.state_of(member).is_some());
    world
        .pidfd_close(child.pidfd.expect("CLONE_PIDFD"))
        .expect("close");
    assert_eq!(world.state_of(child.task), None);
    assert_eq!(world.state_of(member), None);
    // Without a pidfd, or a child that vanishes, there is nothing to be armed.
    for flags in [CloneFlags::AUTOREAP, CloneFlags::PIDFD] {
        let args = CloneArgs::new().flags(flags | CloneFlags::PIDFD_AUTOKILL);
        let args = args.exit_signal(0);
        let init = world.init;
        world.refuses(Errno::INVAL, |w| w.clone(init, &args));
    }
}

#[test]
fn a_caller_that_does_not_know_them_gets_none() {
    let world = Fixture::new();
    let kind = CloneFlags::PIDFD | CloneFlags::AUTOREAP | CloneFlags::PIDFD_AUTOKILL;
    let arg = altpid_clone {
        task: world.init.0,
        flags: kind.bits(),
        ..Default::default()
    };
    let mut bytes = raw::bytes_of(&arg);
    let old = std::mem::offset_of!(altpid_clone, pidfd);
    bytes.truncate(old);
    bytes[..4].copy_from_slice(&(old as u32).to_ne_bytes());
    let mut room = raw::Region::with_room(old);
    let clone = uapi::ALTPID_CMD_CLONE;
    raw::call(&world, clone, &bytes, raw::Array::None, &mut room, 0).expect("clone");
    let info = world.info().expect("world");
    assert_eq!((info.tasks, info.pidfds), (2, 0));
}

#[test]
fn in_an_array() {
    let world = Fixture::new();
    let mut batch = Batch::new();
    let child = batch.clone(world.init, &CloneArgs::new());
    let pidfd = batch.pidfd_of(child, PidfdFlags::empty());
    batch.kill(Kill::Pidfd(world.init, pidfd, Scope::AsOpened), 9);
    batch.pidfd_close(pidfd);
    let done = batch.run(&world, false).expect("batch");
    assert_eq!(done.len(), 4);
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(world.reap(world.init).status, 9);
    assert_eq!(world.info().expect("world").pidfds, 0);
}

#[test]
fn many_of_them_go_with_the_world() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    let tasks = world.tasks(None);
    let open = || world.pidfd_of(child, PidfdFlags::empty());
    let mut all: Vec<_> = (0..1000).map(|_| open().expect("pidfd_open")).collect();
    assert_eq!(world.info().expect("world").pidfds, 1000);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 1000, "each has a name of its own");
    for pidfd in &all[..500] {
        world.pidfd_close(*pidfd).expect("close");
    }
    assert_eq!(world.info().expect("world").pidfds, 500);
    assert_eq!(world.tasks(None), tasks, "nobody has changed");
}
