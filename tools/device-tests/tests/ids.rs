// SPDX-License-Identifier: GPL-2.0

//! Ids of tasks and namespaces that name nothing, and numbers at the ends of what a number can be.

use altpid::{
    CloneArgs, CloneFlags, Kill, Mask, NsId, NsNr, Parent, PidType, Result, SigSet, TaskId,
    WaitFlags, WaitId, World,
};
use altpid_device_tests::{Fixture, WALL, WNOHANG, exited};
use rustix::io::Errno;

type Attempt<Id> = (&'static str, fn(&World, Id) -> Result<()>);

/// Everything that a task can be told to do.
const DEEDS: &[Attempt<TaskId>] = &[
    ("clone", |w, id| w.clone(id, &CloneArgs::new()).map(drop)),
    ("unshare", |w, id| {
        w.unshare(id, CloneFlags::NEWPID).map(drop)
    }),
    ("unshare of nothing", |w, id| {
        w.unshare(id, CloneFlags::empty()).map(drop)
    }),
    ("setns", |w, id| w.setns(id, w.info()?.root_ns)),
    ("exit", |w, id| w.exit(id, 0)),
    ("exit_group", |w, id| w.exit_group(id, 0)),
    ("wait4", |w, id| w.wait(id, -1, WNOHANG | WALL).map(drop)),
    ("setsid", |w, id| w.setsid(id).map(drop)),
    ("setpgid", |w, id| w.setpgid(id, 0, 0)),
    ("set_name", |w, id| w.set_name(id, b"ghost")),
    ("name", |w, id| w.name(id).map(drop)),
    ("getpid", |w, id| w.getpid(id).map(drop)),
    ("gettid", |w, id| w.gettid(id).map(drop)),
    ("getppid", |w, id| w.getppid(id).map(drop)),
    ("getpgid", |w, id| w.getpgid(id, 0).map(drop)),
    ("getsid", |w, id| w.getsid(id, 1).map(drop)),
    ("sigpending", |w, id| w.sigpending(id).map(drop)),
    ("waitid", |w, id| {
        w.waitid(id, WaitId::All, WNOHANG | WaitFlags::EXITED)
            .map(drop)
    }),
    ("kill", |w, id| w.kill(Kill::Pid(id, 1), 0)),
    ("kill everybody", |w, id| w.kill(Kill::Pid(id, -1), 0)),
    ("kill a group", |w, id| w.kill(Kill::Pid(id, 0), 0)),
    ("tgkill", |w, id| w.kill(Kill::Thread(id, 1, 1), 0)),
    ("tkill", |w, id| w.kill(Kill::Tkill(id, 1), 0)),
    ("rt_tgsigqueueinfo", |w, id| {
        w.kill(Kill::QueueThread(id, 1, 1, -1, 0), 0)
    }),
    ("rt_sigqueueinfo", |w, id| {
        w.kill(Kill::Queue(id, 1, -1, 0), 0)
    }),
    ("fault", |w, id| w.kill(Kill::Fault(id), 11)),
    ("sigaction", |w, id| w.sigaction(id, 15, None).map(drop)),
    ("sigprocmask", |w, id| {
        w.sigprocmask(id, Mask::Set, SigSet::ALL).map(drop)
    }),
    ("sigtimedwait", |w, id| w.sigwait(id, SigSet::ALL).map(drop)),
    ("execve", |w, id| w.exec(id, b"ghost")),
    ("reboot", |w, id| w.reboot(id, 0x0123_4567)),
    ("subreaper", |w, id| w.set_child_subreaper(id, true)),
    ("pdeath", |w, id| w.set_pdeath_signal(id, 9)),
    ("clone to a parent", |w, id| {
        let args = CloneArgs::new().parent(Parent::Task(id));
        w.clone(w.info()?.init, &args).map(drop)
    }),
];

/// Everything that is done with a namespace.
const USES: &[Attempt<NsId>] = &[
    ("ns", |w, id| w.ns(id).map(drop)),
    ("setns", |w, id| w.setns(w.info()?.init, id)),
    ("pid_max", |w, id| w.set_pid_max(id, 1000)),
    ("last_pid", |w, id| w.set_last_pid(id, 1)),
    ("find", |w, id| w.find(id, 1, PidType::Pid).map(drop)),
    ("translate from", |w, id| {
        w.translate_in_place(id, w.info()?.root_ns, &mut [1])
            .map(drop)
    }),
    ("parent", |w, id| w.ns_parent(w.info()?.init, id).map(drop)),
    ("pid in", |w, id| {
        w.ns_nr(w.info()?.init, id, 1, NsNr::PidIn).map(drop)
    }),
    ("translate to", |w, id| {
        w.translate_in_place(w.info()?.root_ns, id, &mut [1])
            .map(drop)
    }),
];

#[track_caller]
fn all_fail<Id: Copy>(world: &Fixture, attempts: &[Attempt<Id>], id: Id, errno: Errno) {
    for (name, attempt) in attempts {
        println!("{name}");
        world.refuses(errno, |w| attempt(w, id));
    }
}

#[test]
fn ids_that_never_were() {
    let world = Fixture::new();
    let known = [world.init.0, world.root.0];
    for id in [
        1 << 31,
        1 << 32,
        (1 << 32) + 1,
        1 << 63,
        u64::MAX - 1,
        u64::MAX,
    ] {
        if known.contains(&id) {
            continue;
        }
        // In the place of a parent the last one means somebody outside.
        let deeds = if id == u64::MAX {
            &DEEDS[..DEEDS.len() - 1]
        } else {
            DEEDS
        };
        all_fail(&world, deeds, TaskId(id), Errno::SRCH);
        world.refuses(Errno::SRCH, |w| w.task(TaskId(id)));
        world.refuses(Errno::SRCH, |w| w.kill(Kill::Outside(TaskId(id)), 9));
        all_fail(&world, USES, NsId(id), Errno::NOENT);
        world.refuses(Errno::NOENT, |w| w.tasks(Some(NsId(id))));
        world.refuses(Errno::NOENT, |w| w.namespaces(Some(NsId(id))));
        world.refuses(Errno::NOENT, |w| w.blockers(NsId(id)));
    }
    // 0 is never an id; in the place of a parent and of a view it means that there is none.
    all_fail(&world, &DEEDS[..DEEDS.len() - 1], TaskId(0), Errno::SRCH);
    all_fail(&world, USES, NsId(0), Errno::NOENT);
}

#[test]
fn ids_of_the_dead() {
    let world = Fixture::new();
    let zombie = world.fork(world.init);
    world.exit(zombie, 0).expect("exit");
    // Its parent can do nothing for it, and it can do nothing.
    all_fail(&world, DEEDS, zombie, Errno::SRCH);
    world.task(zombie).expect("a zombie can be looked at");
    let late = world.kill(Kill::Outside(zombie), 9);
    late.expect("a zombie can be sent signals");

    assert_eq!(world.reap(world.init).task, zombie);
    all_fail(&world, DEEDS, zombie, Errno::SRCH);
    world.refuses(Errno::SRCH, |w| w.task(zombie));
    world.refuses(Errno::SRCH, |w| w.kill(Kill::Outside(zombie), 9));
}

#[test]
fn ids_of_the_dead_are_not_used_again() {
    let world = Fixture::new();
    let mut ids = vec![world.init];
    let mut namespaces = vec![world.root];
    for _ in 0..200 {
        let (init, ns) = world.container(world.init);
        assert!(!ids.contains(&init), "{init:?} is back");
        assert!(!namespaces.contains(&ns), "{ns:?} is back");
        ids.push(init);
        namespaces.push(ns);
        world.end(init, 0);
        assert!(!world.has_ns(ns));
    }
    for id in &ids[1..] {
        world.refuses(Errno::SRCH, |w| w.task(*id));
    }
}

#[test]
fn namespaces_that_are_gone() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    world.end(init, 0);
    all_fail(&world, USES, ns, Errno::NOENT);
    world.refuses(Errno::NOENT, |w| w.tasks(Some(ns)));
    world.refuses(Errno::NOENT, |w| w.namespaces(Some(ns)));
}

#[test]
fn another_worlds_ids_are_not_this_ones() {
    let (world, other) = (Fixture::new(), Fixture::new());
    let child = other.fork(other.init);
    let (_, ns) = other.container(other.init);
    other.end(child, 0);
    // The ids can be the same numbers; what they name is not the same.
    assert_eq!(world.tasks(None).expect("list").len(), 1);
    assert!(!world.has_ns(ns) || ns == world.root);
    assert_eq!(other.tasks(None).expect("list").len(), 2);
}

#[test]
fn numbers_at_the_ends() {
    let world = Fixture::new();
    let (init, root) = (world.init, world.root);
    let child = world.fork(init);
    for nr in [i32::MIN, i32::MIN + 1, -2, -1, 0, i32::MAX - 1, i32::MAX] {
        for kind in [PidType::Pid, PidType::Tgid, PidType::Pgid, PidType::Sid] {
            world.refuses(Errno::SRCH, |w| w.find(root, nr, kind));
        }
        let mut numbers = [nr];
        world
            .translate_in_place(root, root, &mut numbers)
            .expect("translate");
        assert_eq!(numbers, [-Errno::SRCH.raw_os_error()], "{nr}");
        let args = CloneArgs::new().set_tid(&[nr]);
        world.refuses(Errno::INVAL, |w| w.clone(init, &args));
    }
    for nr in [i32::MIN, -1, 0, 1] {
        let first = world.find_from(root, nr, PidType::Pid).expect("find");
        assert_eq!(first, (1, init), "{nr}");
    }
    let next = world.find_from(root, 2, PidType::Pid).expect("find");
    assert_eq!(next, (world.own_pid(child), child));
    for nr in [world.own_pid(child) + 1, i32::MAX - 1, i32::MAX] {
        world.refuses(Errno::SRCH, |w| w.find_from(root, nr, PidType::Pid));
    }

    world.refuses(Errno::SRCH, |w| w.wait(init, i32::MIN, WNOHANG));
    for nr in [i32::MIN + 1, -2, i32::MAX] {
        world.refuses(Errno::CHILD, |w| w.wait(init, nr, WNOHANG));
    }
    for nr in [i32::MIN, i32::MIN + 1, -2, -1] {
        world.refuses(Errno::INVAL, |w| w.setpgid(init, 0, nr));
        world.refuses(Errno::INVAL, |w| w.setpgid(init, nr, 0));
        world.refuses(Errno::SRCH, |w| w.setpgid(init, nr, 1));
    }
    world.refuses(Errno::SRCH, |w| w.setpgid(init, i32::MAX, 0));
    world.refuses(Errno::PERM, |w| w.setpgid(child, 0, i32::MAX));
}

#[test]
fn names_end_where_they_should() {
    let world = Fixture::new();
    let name = |w: &Fixture| w.task(w.init).expect("task").comm;
    assert_eq!(name(&world), b"init");
    for (given, kept) in [
        (&b""[..], &b""[..]),
        (b"a", b"a"),
        (b"fifteen letters", b"fifteen letters"),
        (b"more than fifteen letters", b"more than fifte"),
        (b"a\0b", b"a"),
        (b"\xff\n\x01", b"\xff\n\x01"),
    ] {
        world.set_name(world.init, given).expect("prctl");
        assert_eq!(name(&world), kept);
        assert_eq!(world.name(world.init).expect("prctl"), kept);
    }
    world.set_name(world.init, b"parent").expect("prctl");
    let child = world.fork(world.init);
    assert_eq!(
        world.task(child).expect("task").comm,
        b"parent",
        "inherited"
    );
    world.set_name(child, b"child").expect("prctl");
    assert_eq!(name(&world), b"parent", "and one's own after that");
}

/// exec by another thread of the world's init makes that one pid 1, and the init of the world.
#[test]
fn the_worlds_init_after_an_exec() {
    let world = Fixture::new();
    let thread = world.thread(world.init);
    world.exec(thread, b"init").expect("exec");
    assert_eq!(world.info().expect("world").init, thread);
    let root = world.ns(world.root).expect("ns");
    assert_eq!(root.child_reaper, Some(thread));
    assert_eq!(world.pid_of(thread), [1]);
    assert_eq!(world.end(world.fork(thread), 3), exited(3));
}
