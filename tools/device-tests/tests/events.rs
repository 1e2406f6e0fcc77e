// SPDX-License-Identifier: GPL-2.0

//! read(2): what happens in a world, in order.

use altpid::{CloneArgs, CloneFlags, Event, EventKind, Kill, TaskId, uapi};
use altpid_device_tests::{Fixture, exited, sleeper::Sleeper};
use rustix::{
    buffer::spare_capacity,
    event::{PollFd, PollFlags, Timespec, epoll, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, ReadWriteFlags, pread, preadv2, read},
};
use std::{
    fs,
    io::IoSliceMut,
    os::fd::{AsFd, AsRawFd},
    thread,
};

/// Bytes of an event.
const SIZE: usize = 64;

/// poll(2) without waiting.
const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// What happened to whom.
fn told(events: &[Event]) -> Vec<(EventKind, Option<TaskId>)> {
    events.iter().map(|e| (e.kind, e.task)).collect()
}

#[test]
fn the_life_of_a_container() {
    let world = Fixture::new();
    let mut events = world.events().expect("events");
    assert_eq!(events.position(), 0);
    let (init, ns) = world.container(world.init);
    let member = world.fork(init);
    let orphan = world.fork(member);
    world.exec(member, b"program").expect("exec");
    world
        .kill(Kill::Kernel(member), libc::SIGSTOP)
        .expect("kill");
    world
        .kill(Kill::Kernel(member), libc::SIGCONT)
        .expect("kill");
    assert_eq!(world.end(member, 3), exited(3));
    world.exit_group(init, 4).expect("exit");
    assert_eq!(world.reap(world.init).status, exited(4));
    let all = events.read(false).expect("read");
    let expected = [
        (EventKind::NsBorn(world.root), Some(world.init)),
        (EventKind::Clone(Some(world.init)), Some(init)),
        (EventKind::Clone(Some(init)), Some(member)),
        (EventKind::Clone(Some(member)), Some(orphan)),
        (EventKind::Exec, Some(member)),
        (EventKind::Stop(libc::SIGSTOP), Some(member)),
        (EventKind::Continue, Some(member)),
        (EventKind::Exit(exited(3)), Some(member)),
        (EventKind::Reparent(Some(init)), Some(orphan)),
        (EventKind::Reap(exited(3)), Some(member)),
        (EventKind::Exit(exited(4)), Some(init)),
        (EventKind::NsDying, Some(init)),
        (EventKind::Exit(libc::SIGKILL), Some(orphan)),
        (EventKind::Reap(libc::SIGKILL), Some(orphan)),
        (EventKind::Reap(exited(4)), Some(init)),
        (EventKind::NsDead, None),
    ];
    assert_eq!(told(&all), expected);
    for (seq, event) in all.iter().enumerate() {
        assert_eq!(event.seq, seq as u64);
    }
    assert_eq!((all[3].pid, all[3].nr, all[3].ns), (4, 3, Some(ns)));
    assert_eq!((all[0].pid, all[0].nr, all[0].ns), (0, 0, Some(ns)));
    assert_eq!(all[15].ns, Some(ns));
    assert_eq!(events.read(false).expect("read"), []);
}

#[test]
fn what_an_unshare_makes_is_born_then() {
    let world = Fixture::new();
    let outer = world.fork(world.init);
    let mut events = world.events().expect("events");
    let ns = world.unshare(outer, CloneFlags::NEWPID).expect("unshare");
    let first = world.fork(outer);
    let all = events.read(false).expect("read");
    let expected = [
        (EventKind::NsBorn(world.root), Some(outer)),
        (EventKind::Clone(Some(outer)), Some(first)),
    ];
    assert_eq!(told(&all), expected);
    assert_eq!((all[0].ns, all[1].ns), (ns, ns));
    // A clone that fails has made nothing.
    world.refuses(Errno::INVAL, |world| {
        world.clone(
            first,
            &CloneArgs::new().flags(CloneFlags::NEWPID).set_tid(&[2]),
        )
    });
    assert_eq!(events.read(false).expect("read"), []);
}

/// A reader tells a thread from a child, and the exit of a leader from that of its process.
#[test]
fn threads_are_told_from_processes() {
    let world = Fixture::new();
    let mut events = world.events().expect("events");
    let leader = world.fork(world.init);
    let thread = world.thread(leader);
    world.exit(leader, 31).expect("exit");
    world.exit(thread, 4).expect("exit");
    let all = events.read(false).expect("read");
    let clones: Vec<_> = all
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Clone(_)))
        .map(|event| event.flags.contains(CloneFlags::THREAD))
        .collect();
    assert_eq!(clones, [false, true]);
    let exits: Vec<_> = all
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Exit(_)))
        .map(|event| (event.task, event.threads))
        .collect();
    assert_eq!(exits, [(Some(leader), 1), (Some(thread), 0)]);
}

#[test]
fn readers_go_their_own_way() {
    let world = Fixture::new();
    let mut one = world.events().expect("events");
    for _ in 0..3 {
        world.fork(world.init);
    }
    let mut other = world.events().expect("events");
    world.fork(world.init);
    let seqs = |events: Vec<Event>| events.iter().map(|e| e.seq).collect::<Vec<_>>();
    assert_eq!(seqs(other.read(false).expect("read")), [3]);
    assert_eq!(seqs(one.read(false).expect("read")), [0, 1, 2, 3]);
}

#[test]
fn who_is_too_slow_is_told_how_much_is_lost() {
    let kept: u64 = fs::read_to_string("/sys/module/altpid/parameters/max_events")
        .map_or(8192, |text| text.trim().parse().expect("a number"));
    let world = Fixture::new();
    let before = 5;
    for _ in 0..before {
        let child = world.fork(world.init);
        world.end(child, 0);
    }
    let mut events = world.events().expect("events");
    assert_eq!(events.position(), 3 * before, "what was before is not told");
    let rounds = kept / 3 + 10;
    for _ in 0..rounds {
        let child = world.fork(world.init);
        world.end(child, 0);
    }
    let all = events.read(false).expect("read");
    let lost = 3 * rounds - kept;
    assert_eq!(all[0].kind, EventKind::Lost(lost));
    assert_eq!(all[0].seq, 3 * before + lost - 1);
    assert_eq!(all[1].seq, 3 * before + lost);
    let mut next = all[all.len() - 1].seq + 1;
    loop {
        let more = events.read(false).expect("read");
        let Some(last) = more.last() else { break };
        assert_eq!(more[0].seq, next);
        next = last.seq + 1;
    }
    assert_eq!(next, 3 * (before + rounds));
}

#[test]
fn a_reader_sleeps_until_something_happens() {
    let world = Fixture::new();
    let mut events = world.events().expect("events");
    thread::scope(|scope| {
        let sleeper = Sleeper::of(scope, || events.read(true));
        let child = world.fork(world.init);
        let all = sleeper.result().expect("read");
        assert_eq!(
            told(&all),
            [(EventKind::Clone(Some(world.init)), Some(child))]
        );
    });
    thread::scope(|scope| {
        let sleeper = Sleeper::of(scope, || events.read(true));
        sleeper.interrupt();
        let error = sleeper.result().expect_err("nothing happened");
        assert_eq!(error.errno, Errno::INTR);
    });
}

#[test]
fn reads_are_whole_events_at_their_places() {
    let world = Fixture::new();
    world.events().expect("events");
    for _ in 0..40 {
        world.fork(world.init);
    }
    let fd = &*world;
    fcntl_setfl(fd, OFlags::RDWR | OFlags::NONBLOCK).expect("fcntl");
    let mut bytes = [0u8; 100 * SIZE];
    for len in [0, 1, SIZE - 1] {
        assert_eq!(
            pread(fd, &mut bytes[..len], 0),
            Err(Errno::INVAL),
            "{len} bytes"
        );
    }
    for at in [1, SIZE as u64 - 1, SIZE as u64 + 8] {
        assert_eq!(pread(fd, &mut bytes, at), Err(Errno::INVAL), "from {at}");
    }
    assert_eq!(pread(fd, &mut bytes[..2 * SIZE + 10], 0), Ok(2 * SIZE));
    assert_eq!(pread(fd, &mut bytes, 38 * SIZE as u64), Ok(2 * SIZE));
    assert_eq!(bytes[..8], 38u64.to_ne_bytes());
    assert_eq!(pread(fd, &mut bytes, 40 * SIZE as u64), Err(Errno::AGAIN));
    // read(2) goes on from where it was.
    assert_eq!(read(fd, &mut bytes[..30 * SIZE]), Ok(30 * SIZE));
    assert_eq!(read(fd, &mut bytes), Ok(10 * SIZE));
    assert_eq!(bytes[..8], 30u64.to_ne_bytes());
    assert_eq!(read(fd, &mut bytes), Err(Errno::AGAIN));
    fcntl_setfl(fd, OFlags::RDWR).expect("fcntl");
    assert_eq!(pread(fd, &mut bytes, 39 * SIZE as u64), Ok(SIZE));
}

/// Who has the descriptor from somebody else must not change it for them.
#[test]
fn a_single_read_may_be_one_that_does_not_sleep() {
    let world = Fixture::new();
    world.events().expect("events");
    let fd = &*world;
    let mut bytes = [0u8; 2 * SIZE];
    let mut read = |at| {
        let room = &mut [IoSliceMut::new(&mut bytes)];
        preadv2(fd, room, at, ReadWriteFlags::NOWAIT)
    };
    assert_eq!(read(0), Err(Errno::AGAIN));
    world.fork(world.init);
    assert_eq!(read(0), Ok(SIZE));
    assert_eq!(read(SIZE as u64), Err(Errno::AGAIN));
    let flags = fcntl_getfl(fd).expect("fcntl");
    assert!(!flags.contains(OFlags::NONBLOCK), "{flags:?}");
}

/// What poll(2) says of a world, without waiting.
fn polled(world: &Fixture) -> PollFlags {
    let mut fds = [PollFd::new(&**world, PollFlags::IN | PollFlags::OUT)];
    poll(&mut fds, Some(&NOW)).expect("poll");
    fds[0].revents()
}

#[test]
fn poll_says_whether_a_read_would_sleep() {
    const SOME: PollFlags = PollFlags::IN;
    let none = PollFlags::empty();
    let world = Fixture::new();
    let mut bytes = [0u8; 3 * SIZE];
    assert_eq!(polled(&world), none, "nothing has happened");
    world.fork(world.init);
    world.fork(world.init);
    assert_eq!(polled(&world), SOME);
    assert_eq!(read(&*world, &mut bytes[..SIZE]), Ok(SIZE));
    assert_eq!(polled(&world), SOME, "there is another one");
    // Who reads elsewhere goes his own way.
    assert_eq!(pread(&*world, &mut bytes, 0), Ok(2 * SIZE));
    assert_eq!(polled(&world), SOME);
    assert_eq!(read(&*world, &mut bytes), Ok(SIZE));
    assert_eq!(polled(&world), none);
    // What was before it was asked the first time is lost, and that can be read.
    let other = Fixture::new();
    other.fork(other.init);
    assert_eq!(polled(&other), SOME);
    assert_eq!(read(&*other, &mut bytes), Ok(SIZE));
    assert_eq!(bytes[8..12], uapi::ALTPID_EVENT_LOST.to_ne_bytes());
    assert_eq!(polled(&other), none);
}

#[test]
fn who_polls_sleeps_until_something_happens() {
    let world = Fixture::new();
    let wait = || {
        let mut fds = [PollFd::new(&*world, PollFlags::IN)];
        poll(&mut fds, None)
    };
    thread::scope(|scope| {
        let sleepers: Vec<_> = (0..3).map(|_| Sleeper::of(scope, wait)).collect();
        world.fork(world.init);
        for sleeper in sleepers {
            assert_eq!(sleeper.result(), Ok(1));
        }
    });
    let mut bytes = [0u8; SIZE];
    assert_eq!(read(&*world, &mut bytes), Ok(SIZE));
    thread::scope(|scope| {
        let sleeper = Sleeper::of(scope, wait);
        sleeper.interrupt();
        assert_eq!(sleeper.result(), Err(Errno::INTR));
    });
}

#[test]
fn an_epoll_set_is_told_of_news_and_forgets_a_world_that_is_closed() {
    let set = epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll");
    let ready = || -> Vec<u64> {
        let mut found = Vec::with_capacity(4);
        epoll::wait(&set, spare_capacity(&mut found), Some(&NOW)).expect("epoll_wait");
        found.iter().map(|event| event.data.u64()).collect()
    };
    let (level, edge) = (Fixture::new(), Fixture::new());
    let add = |world: &Fixture, data, flags| {
        let data = epoll::EventData::new_u64(data);
        epoll::add(&set, &**world, data, epoll::EventFlags::IN | flags).expect("add");
    };
    add(&level, 1, epoll::EventFlags::empty());
    add(&edge, 2, epoll::EventFlags::ET);
    assert_eq!(ready(), [0; 0]);
    level.fork(level.init);
    assert_eq!(ready(), [1]);
    edge.fork(edge.init);
    assert_eq!(ready(), [1, 2]);
    assert_eq!(
        ready(),
        [1],
        "of what is not read only the one says so twice"
    );
    edge.fork(edge.init);
    assert_eq!(ready(), [1, 2]);
    drop(level);
    assert_eq!(ready(), [0; 0]);
    edge.fork(edge.init);
    assert_eq!(ready(), [2]);
    drop(edge);
    assert_eq!(ready(), [0; 0]);
}

#[test]
fn fdinfo_and_debugfs_show_what_a_world_holds() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    world.exit_group(child, 0).expect("exit");
    let path = format!("/proc/self/fdinfo/{}", world.as_fd().as_raw_fd());
    let info = fs::read_to_string(path).expect("fdinfo");
    for line in ["tasks:\t2", "zombies:\t1", "namespaces:\t1", "events:\t2"] {
        assert!(info.lines().any(|found| found == line), "{line} in {info}");
    }
    // The file in debugfs is called as the world is.
    let number = info.lines().find_map(|line| line.strip_prefix("world:\t"));
    let number = number.expect("a number");
    let file = format!("/sys/kernel/debug/altpid/{number}");
    let shown = fs::read_to_string(&file).expect("debugfs");
    assert!(shown.starts_with("tasks:"), "{shown}");
    assert!(info.contains(&shown), "{info} and {shown}");
    drop(world);
    assert!(
        !fs::exists(&file).expect("debugfs"),
        "it goes with the world"
    );
}
