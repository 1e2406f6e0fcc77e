// SPDX-License-Identifier: GPL-2.0

//! What one call leaves to be done is done when it returns, whichever call it is. The init of a
//! namespace that dies waits until the last number in there is free, and its parent waits for the init:
//! whoever frees that number wakes both.

use altpid::{Batch, CloneArgs, CloneFlags, Disposition, Kill, NsState, TaskId, TaskState};
use altpid_device_tests::{Fixture, WALL, WNOHANG, exited, patience::eventually, sleeper::Sleeper};
use std::thread;

/// A namespace whose init has been killed, and one process outside of it that keeps a number in there:
/// that of a process group whose members inside are dead.
struct Dying {
    world: Fixture,
    /// The parent of the init, who may wait.
    parent: TaskId,
    /// The init.
    init: TaskId,
    /// The parent of who keeps the number.
    shell: TaskId,
    /// Who keeps the number.
    holder: TaskId,
    /// A thread of the holder.
    thread: TaskId,
}

impl Dying {
    fn new() -> Self {
        let world = Fixture::new();
        let parent = world.fork(world.init);
        let shell = world.fork(world.init);
        let holder = world.fork(shell);
        let thread = world.thread(holder);
        let (init, ns) = world.container(parent);
        let member = world.fork(init);
        world.setpgid(member, 0, 0).expect("setpgid");
        let group = world.number_in(member, world.root);
        world.setpgid(holder, 0, group).expect("setpgid");
        world
            .kill(Kill::Outside(init), libc::SIGKILL)
            .expect("kill");
        assert_eq!(world.state_of(init), Some(TaskState::Exiting));
        assert_eq!(world.state_of(member), None);
        let ns = world.ns(ns).expect("ns");
        assert_eq!((ns.state, ns.nr_pids), (NsState::Dying, 2));
        Self {
            world,
            parent,
            init,
            shell,
            holder,
            thread,
        }
    }
}

/// A verb that frees the last number.
type Way = fn(&Dying);

/// How the number is given up.
const WAYS: &[(&str, Way)] = &[
    ("setpgid", |d| {
        d.world.setpgid(d.holder, 0, 0).expect("setpgid")
    }),
    ("setpgid to another group", |d| {
        let other = d.world.fork(d.shell);
        d.world.setpgid(other, 0, 0).expect("setpgid");
        let group = d.world.own_pid(other);
        d.world.setpgid(d.holder, 0, group).expect("setpgid");
    }),
    ("setpgid by its parent", |d| {
        let pid = d.world.own_pid(d.holder);
        d.world.setpgid(d.shell, pid, pid).expect("setpgid");
    }),
    ("setsid", |d| {
        d.world.setsid(d.holder).expect("setsid");
    }),
    ("exit_group and wait4", |d| {
        d.world.end(d.holder, 0);
    }),
    ("SIGKILL and wait4", |d| {
        d.world
            .kill(Kill::Outside(d.holder), libc::SIGKILL)
            .expect("kill");
        d.world.reap(d.shell);
    }),
    ("exit of a parent that nobody waits for", |d| {
        let ignore = Some(Disposition::Ignore.into());
        d.world
            .sigaction(d.world.init, libc::SIGCHLD, ignore)
            .expect("sigaction");
        d.world.exit_group(d.holder, 0).expect("exit_group");
        d.world.exit_group(d.shell, 0).expect("exit_group");
    }),
    ("exit with SIGCHLD ignored", |d| {
        let ignore = Some(Disposition::Ignore.into());
        d.world
            .sigaction(d.shell, libc::SIGCHLD, ignore)
            .expect("sigaction");
        d.world.exit_group(d.holder, 0).expect("exit_group");
    }),
    ("exit of the last thread", |d| {
        let ignore = Some(Disposition::Ignore.into());
        d.world
            .sigaction(d.shell, libc::SIGCHLD, ignore)
            .expect("sigaction");
        d.world.exit(d.holder, 0).expect("exit");
        d.world.exit(d.thread, 0).expect("exit");
    }),
    ("a signal to its group", |d| {
        let ignore = Some(Disposition::Ignore.into());
        d.world
            .sigaction(d.shell, libc::SIGCHLD, ignore)
            .expect("sigaction");
        d.world
            .kill(Kill::Pid(d.holder, 0), libc::SIGTERM)
            .expect("kill");
    }),
    ("an array of operations", |d| {
        let mut batch = Batch::new();
        batch.setpgid(d.holder, 0, 0);
        let done = batch.run(&d.world, false).expect("batch");
        assert!(done.iter().all(Result::is_ok));
    }),
    ("the signal that it wants at its parent's death", |d| {
        let ignore = Some(Disposition::Ignore.into());
        d.world
            .sigaction(d.world.init, libc::SIGCHLD, ignore)
            .expect("sigaction");
        d.world
            .set_pdeath_signal(d.holder, libc::SIGKILL)
            .expect("prctl");
        d.world.exit_group(d.shell, 0).expect("exit_group");
    }),
    ("a signal that is no longer blocked", |d| {
        let ignore = Some(Disposition::Ignore.into());
        d.world
            .sigaction(d.shell, libc::SIGCHLD, ignore)
            .expect("sigaction");
        let set = altpid::SigSet::of(&[libc::SIGTERM]);
        for task in [d.holder, d.thread] {
            let how = altpid::Mask::Block;
            d.world.sigprocmask(task, how, set).expect("sigprocmask");
        }
        d.world
            .kill(Kill::Outside(d.holder), libc::SIGTERM)
            .expect("kill");
        let how = altpid::Mask::Unblock;
        d.world
            .sigprocmask(d.thread, how, set)
            .expect("sigprocmask");
    }),
    ("a pidfd that kills when it is closed", |d| {
        // It is the last member of the group then, and vanishes.
        let flags = CloneFlags::AUTOREAP | CloneFlags::PIDFD | CloneFlags::PIDFD_AUTOKILL;
        let args = CloneArgs::new().flags(flags).exit_signal(0);
        let cloned = d.world.clone(d.holder, &args).expect("clone");
        d.world.setpgid(d.holder, 0, 0).expect("setpgid");
        assert_eq!(d.world.state_of(d.init), Some(TaskState::Exiting));
        d.world
            .pidfd_close(cloned.pidfd.expect("a pidfd"))
            .expect("close");
    }),
    ("exec of its last member, which vanishes", |d| {
        let ignore = Some(Disposition::Ignore.into());
        d.world
            .sigaction(d.shell, libc::SIGCHLD, ignore)
            .expect("sigaction");
        d.world.exec(d.thread, b"program").expect("exec");
        assert_eq!(d.world.state_of(d.init), Some(TaskState::Exiting));
        d.world.exit(d.thread, 0).expect("exit");
    }),
];

/// The init is a zombie as soon as the call returns.
#[test]
fn whoever_frees_the_last_number_lets_the_init_go() {
    for (name, give_up) in WAYS {
        let dying = Dying::new();
        give_up(&dying);
        let state = dying.world.state_of(dying.init);
        assert_eq!(state, Some(TaskState::Zombie), "after {name}");
        let waited = dying.world.reap(dying.parent);
        assert_eq!((waited.task, waited.status), (dying.init, libc::SIGKILL));
    }
}

/// Who waits for the init is woken by that call, and by none that others would have to make.
#[test]
fn whoever_frees_the_last_number_wakes_who_waits_for_the_init() {
    for (name, give_up) in WAYS {
        let dying = Dying::new();
        thread::scope(|scope| {
            let world = dying.world.world();
            let sleeper = Sleeper::new(scope, world, dying.parent, -1, WALL);
            assert!(sleeper.settles(), "before {name}");
            give_up(&dying);
            let state = dying.world.state_of(dying.init);
            assert_ne!(state, Some(TaskState::Exiting), "after {name}");
            eventually("the waiter is awake", || !sleeper.settles());
            let waited = sleeper.result().expect("wait4").expect("a child");
            assert_eq!(waited.task, dying.init, "after {name}");
        });
    }
}

/// What a session's number keeps, and numbers at several levels: each init is let go by the one call.
#[test]
fn numbers_at_several_levels() {
    for by_setsid in [false, true] {
        let world = Fixture::new();
        let parent = world.fork(world.init);
        let holder = world.fork(world.init);
        let mut inits = Vec::new();
        let mut place = parent;
        for _ in 0..8 {
            (place, _) = world.container(place);
            inits.push(place);
        }
        let member = world.fork(place);
        world.setpgid(member, 0, 0).expect("setpgid");
        let group = world.number_in(member, world.root);
        world.setpgid(holder, 0, group).expect("setpgid");
        world
            .kill(Kill::Outside(inits[0]), libc::SIGKILL)
            .expect("kill");
        assert_eq!(world.state_of(inits[0]), Some(TaskState::Exiting));
        assert_eq!(world.wait(parent, -1, WNOHANG), Ok(None));
        if by_setsid {
            world.setsid(holder).expect("setsid");
        } else {
            world.setpgid(holder, 0, 0).expect("setpgid");
        }
        assert_eq!(world.reap(parent).task, inits[0]);
        assert_eq!(world.info().expect("world").namespaces, 1);
    }
}

/// A call that fails half way, and has taken a number meanwhile, leaves nothing to be done either: the
/// init of a namespace below goes on.
#[test]
fn a_clone_that_fails() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let child = world.fork(init);
    world.setns(world.init, ns).expect("setns");
    world
        .kill(Kill::Outside(init), libc::SIGKILL)
        .expect("kill");
    let failed = world.clone(world.init, &CloneArgs::new());
    assert_eq!(
        failed.expect_err("a dead namespace").errno,
        rustix::io::Errno::NOMEM
    );
    assert_eq!(world.state_of(child), None);
    assert_eq!(world.state_of(init), Some(TaskState::Zombie));
    let waited = world.reap(world.init);
    assert_eq!((waited.task, waited.status & 0x7f), (init, libc::SIGKILL));
    world.setns(world.init, world.root).expect("setns");
    assert_eq!(world.end(world.fork(world.init), 3), exited(3));
}
