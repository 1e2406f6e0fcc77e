// SPDX-License-Identifier: GPL-2.0

//! Failed allocations and copies, each that a call comes by, one after the other: it succeeds all
//! the same, or it is ENOMEM or EFAULT and has changed nothing.
//!
//! The kernel makes the n-th of them fail (`/proc/thread-self/fail-nth`, failslab, fail_page_alloc
//! and fail_usercopy in `Documentation/fault-injection`). The debug kernel can do that; in another one
//! these tests fail, and the run leaves them out. What leaks is found by kmemleak at its end.

use altpid::{CloneArgs, CloneFlags, World, uapi::*};
use altpid_device_tests::{
    Fixture, State,
    command::{COMMANDS, Command, Request},
    figures::tell,
    module,
    patience::eventually,
    raw::{Arena, Array, PAGE, Region, Slots},
};
use rustix::{
    fd::AsFd,
    fs::{OFlags, fcntl_setfl},
    io::Errno,
};
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    mem::offset_of,
    os::unix::fs::FileExt,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// More failures than any call comes by.
const NEVER: u64 = 10_000_000;

/// By how many the failures that a load comes by can differ from one to the next: what is taken from
/// the stock of an allocator once is taken from the page allocator another time.
const MARGIN: u64 = 20;

/// Lets one thing fail in calls of this thread.
struct Injector {
    file: File,
    /// Loading the module is one of the tests.
    _turn: MutexGuard<'static, ()>,
}

impl Injector {
    fn new() -> Self {
        static TURNS: Mutex<()> = Mutex::new(());
        let turn = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        // Also what may sleep, and without a word about each.
        for (file, value) in [
            ("failslab/ignore-gfp-wait", "N"),
            ("failslab/verbose", "0"),
            ("fail_page_alloc/ignore-gfp-wait", "N"),
            ("fail_page_alloc/ignore-gfp-highmem", "N"),
            ("fail_page_alloc/min-order", "0"),
            ("fail_page_alloc/verbose", "0"),
            ("fail_usercopy/verbose", "0"),
        ] {
            fs::write(format!("/sys/kernel/debug/{file}"), value).expect(file);
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/proc/thread-self/fail-nth");
        Self {
            file: file.expect("fail-nth"),
            _turn: turn,
        }
    }

    /// Makes a call of which the `nth` allocation or copy fails. Returns what came of it, and how
    /// many more there would have had to be: 0 if it has failed.
    fn with<T>(&mut self, nth: u64, call: impl FnOnce() -> T) -> (T, u64) {
        let mut text = [0; 24];
        let len = {
            let mut rest = &mut text[..];
            write!(rest, "{nth}").expect("room");
            24 - rest.len()
        };
        self.file.write_at(&text[..len], 0).expect("fail-nth");
        let result = call();
        // What has not failed in the call may do so in the reading of this file, or in the writing.
        let mut text = [0; 24];
        let left = self.file.read_at(&mut text, 0).map_or(1, |len| {
            let text = String::from_utf8_lossy(&text[..len]);
            text.trim().parse().expect("a number")
        });
        while self.file.write_at(b"0", 0).is_err() {}
        (result, left)
    }
}

/// What has come of all that was made to fail.
#[derive(Default)]
struct Sums {
    sites: u64,
    nomem: u64,
    fault: u64,
    overcome: u64,
}

impl Sums {
    fn tell(&self, what: &str) {
        tell(&format!(
            "injected failures, {what}: {} one by one: {} ENOMEM, {} EFAULT, {} overcome",
            self.sites, self.nomem, self.fault, self.overcome
        ));
    }
}

/// Lets everything fail in a command, each time in a new world where `prepare` has been.
fn exhaust(
    injector: &mut Injector,
    sums: &mut Sums,
    command: &Command,
    prepare: impl Fn(&Fixture),
    change: impl for<'a> Fn(&mut Request<'a>, &'a Region),
) {
    let name = command.name;
    let mut room = Region::with_room(PAGE);
    room.write_numbers(0, &[200, 201, 202, 203]);
    let arena = Arena::new();
    let at = arena.structure(0);
    let attempt = |injector: &mut Injector, nth| {
        let world = Fixture::new();
        prepare(&world);
        let mut request = command.request(&world, &room);
        change(&mut request, &room);
        arena.write(at, &request.as_sent());
        let before = State::of(&world);
        let issue = || arena.issue(&world, command.number, at);
        let (result, left) = injector.with(nth, issue);
        (result, left, before, State::of(&world))
    };
    let (result, _, _, done) = attempt(injector, NEVER);
    assert_eq!(result, Ok(()), "{name}");
    for nth in 1.. {
        let (result, left, before, after) = attempt(injector, nth);
        if left > 0 {
            assert_eq!(result, Ok(()), "{name}");
            return;
        }
        sums.sites += 1;
        match result {
            Ok(()) => {
                assert_eq!(after, done, "{name}, failure {nth}");
                sums.overcome += 1;
            }
            Err(Errno::NOMEM) => {
                assert_eq!(after, before, "{name}, failure {nth}");
                sums.nomem += 1;
            }
            // A reply that cannot be written does not undo what was done.
            Err(Errno::FAULT) => {
                let may_be_done = command.replies && after == done;
                assert!(after == before || may_be_done, "{name}, failure {nth}");
                sums.fault += 1;
            }
            Err(error) => panic!("{name}, failure {nth}: {error}"),
        }
    }
}

#[test]
fn in_every_command() {
    let mut injector = Injector::new();
    let mut sums = Sums::default();
    for command in COMMANDS.iter() {
        exhaust(&mut injector, &mut sums, command, |_| (), |_, _| ());
    }
    sums.tell("in every command");
}

/// A clone that asks for the first number in `room`.
fn with_number<'a>(request: &mut Request<'a>, room: &'a Region) {
    let at = offset_of!(altpid_clone, set_tid_size);
    request.put(at, &1u64.to_le_bytes());
    request.array = Array::At(room, 0);
}

/// Where a clone needs more memory than usual: for a namespace, and where a table is full.
#[test]
fn in_clones_of_every_kind() {
    let mut injector = Injector::new();
    let mut sums = Sums::default();
    let command = Command::named("CLONE");
    let flags = |flags: CloneFlags| {
        move |request: &mut Request<'_>, _: &Region| {
            let at = offset_of!(altpid_clone, flags);
            request.put(at, &flags.bits().to_le_bytes());
            if flags.contains(CloneFlags::THREAD) {
                request.put(offset_of!(altpid_clone, exit_signal), &[0; 4]);
            }
        }
    };
    let thread = CloneFlags::THREAD | CloneFlags::SIGHAND | CloneFlags::VM;
    for flag in [CloneFlags::NEWPID, thread] {
        exhaust(&mut injector, &mut sums, &command, |_| (), flags(flag));
    }
    for tasks in [62, 63, 64, 65] {
        let prepare = |world: &Fixture| {
            for _ in 1..tasks {
                world.fork(world.init);
            }
        };
        exhaust(&mut injector, &mut sums, &command, prepare, |_, _| ());
    }
    let namespaces = |world: &Fixture| {
        for _ in 0..63 {
            world.container(world.init);
        }
    };
    let newpid = flags(CloneFlags::NEWPID);
    exhaust(&mut injector, &mut sums, &command, namespaces, newpid);
    // Deep down, with a number at every level.
    let deep = |world: &Fixture| {
        let mut place = world.init;
        for _ in 0..31 {
            (place, _) = world.container(place);
        }
    };
    exhaust(&mut injector, &mut sums, &command, deep, |_, _| ());
    exhaust(&mut injector, &mut sums, &command, |_| (), with_number);
    sums.tell("in clones of every kind");
}

/// Each time a signal is sent there has to be room for what comes with it; without, it arrives
/// bare.
#[test]
fn in_signals_that_wait() {
    let mut injector = Injector::new();
    let mut sums = Sums::default();
    let command = Command::named("KILL");
    let fills = |world: &Fixture| {
        let every = altpid::SigSet::ALL;
        let task = world.fork(world.init);
        world
            .sigprocmask(task, altpid::Mask::Set, every)
            .expect("sigprocmask");
        for _ in 0..63 {
            world
                .kill(altpid::Kill::Outside(task), 40)
                .expect("a signal that waits");
        }
    };
    exhaust(&mut injector, &mut sums, &command, fills, |_, _| ());
    let exit = Command::named("EXIT");
    exhaust(&mut injector, &mut sums, &exit, fills, |_, _| ());
    sums.tell("in signals that wait");
}

#[test]
fn in_open() {
    let mut injector = Injector::new();
    let mut sums = Sums::default();
    let watch = Fixture::new();
    let counts = || {
        let info = watch.info().expect("world");
        (info.worlds, info.pids)
    };
    let before = counts();
    for nth in 1.. {
        let (result, left) = injector.with(nth, World::open);
        if left > 0 {
            result.expect("nothing has failed");
            break;
        }
        sums.sites += 1;
        match result.map_err(|error| error.errno) {
            Ok(world) => {
                world.audit().expect("audit");
                sums.overcome += 1;
            }
            Err(Errno::NOMEM) => sums.nomem += 1,
            Err(Errno::FAULT) => sums.fault += 1,
            Err(error) => panic!("open, failure {nth}: {error}"),
        }
        // Memory is given back a little later than it is given up.
        eventually("as many worlds and pids as before", || counts() == before);
    }
    sums.tell("in open");
}

#[test]
fn in_reading_events() {
    let mut injector = Injector::new();
    let mut sums = Sums::default();
    let arena = Arena::new();
    let slots = Slots::new(1);
    let len = 4 * size_of::<altpid_event>();
    // The first read makes room for events; the next one has some to copy.
    for is_first in [true, false] {
        for nth in 1.. {
            let world = Fixture::new();
            fcntl_setfl(world.as_fd(), OFlags::NONBLOCK).expect("fcntl");
            slots.put(0, &world);
            let mut expected = Err(Errno::AGAIN);
            if !is_first {
                assert_eq!(slots.read(0, &arena, len, Some(0)), expected);
                world.clone(world.init, &CloneArgs::new()).expect("clone");
                expected = Ok(size_of::<altpid_event>());
            }
            let (result, left) = injector.with(nth, || slots.read(0, &arena, len, Some(0)));
            if left > 0 {
                assert_eq!(result, expected, "nothing has failed");
                break;
            }
            sums.sites += 1;
            match result {
                Err(Errno::NOMEM) => sums.nomem += 1,
                Err(Errno::FAULT) => sums.fault += 1,
                result if result == expected => sums.overcome += 1,
                result => panic!("read, failure {nth}: {result:?}"),
            }
            let again = slots.read(0, &arena, len, Some(0));
            assert_eq!(again, expected, "the events are there still");
        }
    }
    slots.clear(0);
    sums.tell("in reading events");
}

#[test]
fn in_loading_the_module() {
    let mut injector = Injector::new();
    let mut sums = Sums::default();
    module::unload_when_unused();
    // What runs before any of the module's own is the same for a parameter that it refuses.
    let (result, left) = injector.with(NEVER, || module::load("max_tasks=many"));
    assert_eq!(result, Err(Errno::INVAL));
    let first = NEVER - left - MARGIN;
    for nth in first.. {
        let (result, left) = injector.with(nth, || module::load(""));
        if left > 0 {
            result.expect("nothing has failed");
            break;
        }
        sums.sites += 1;
        match result {
            Ok(()) => {
                Fixture::new().check();
                module::unload_when_unused();
                sums.overcome += 1;
            }
            Err(Errno::NOMEM) => sums.nomem += 1,
            Err(Errno::FAULT) => sums.fault += 1,
            Err(error) => panic!("load, failure {nth}: {error}"),
        }
    }
    sums.tell("in loading the module, from its parameters on");
}

#[test]
fn in_unloading_the_module() {
    let mut injector = Injector::new();
    let mut sums = Sums::default();
    for nth in 1.. {
        // So that there is something to give back.
        let world = Fixture::new();
        world.container(world.init);
        drop(world);
        let (result, left) = injector.with(nth, module::unload);
        sums.sites += u64::from(left == 0);
        match result {
            Ok(()) => {
                module::load("").expect("the module loads");
                sums.overcome += u64::from(left == 0);
            }
            Err(Errno::NOMEM) => sums.nomem += 1,
            Err(Errno::FAULT) => sums.fault += 1,
            Err(error) => panic!("unload, failure {nth}: {error}"),
        }
        if left > 0 {
            break;
        }
    }
    Fixture::new().check();
    sums.tell("in unloading it");
}
