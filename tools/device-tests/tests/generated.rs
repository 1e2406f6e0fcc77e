// SPDX-License-Identifier: GPL-2.0

//! Generated commands by the hundred thousand: each gives a result or an error that the header
//! allows it, whatever is in its struct and wherever that is, and the world stays as it should be.

use altpid_device_tests::{
    Fixture, State,
    command::COMMANDS,
    figures::{repeated, tell},
    generate::{Generator, Style},
    header::{Kind, Shape, attach, errno_name, shapes},
    meanwhile::AtTheEnd,
    raw::{Arena, call_nowhere, interrupt},
};
use rustix::{io::Errno, thread::gettid};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
};

/// Commands after which the world is audited.
const AUDIT_EVERY: u64 = 20_000;

/// How often a thread lets others go first.
const PATIENCE: u32 = 50;

/// Runs `work` while somebody sends this thread a signal all the time, so that nothing that sleeps
/// does so for ever.
fn interrupted<T>(work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    let here = gettid();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                interrupt(here);
                thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        let _done = AtTheEnd(&done);
        work()
    })
}

/// A member of a struct that changes all the time between two values.
struct Change {
    at: usize,
    size: usize,
    values: [u64; 2],
}

/// Results by errno, 0 for success.
type Results = BTreeMap<i32, u64>;

/// Checks and counts the result of a command.
#[track_caller]
fn note(results: &mut Results, shape: usize, result: Result<(), Errno>, what: &dyn Fn() -> String) {
    note_of(results, &shapes()[shape], result, what);
}

/// Likewise, of a command that is not among those.
fn note_of(
    results: &mut Results,
    shape: &Shape,
    result: Result<(), Errno>,
    what: &dyn Fn() -> String,
) {
    let errno = result.err().map_or(0, Errno::raw_os_error);
    assert!(
        errno == 0 || shape.errors.contains(&errno),
        "{}: {} is not an error that the header allows it; {}",
        shape.name,
        Errno::from_raw_os_error(errno),
        what()
    );
    *results.entry(errno).or_default() += 1;
}

/// A line about results.
fn summary(results: &Results) -> String {
    let parts = results.iter().map(|(&errno, count)| match errno {
        0 => format!("{count} done"),
        _ => format!("{count} {}", errno_name(errno)),
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[test]
fn the_header_is_understood() {
    let world = Fixture::new();
    assert_eq!(shapes().len(), COMMANDS.len());
    for command in COMMANDS.iter() {
        let shape = shapes().iter().find(|shape| shape.name == command.name);
        let shape = shape.expect(command.name);
        assert_eq!(shape.number, command.number, "{}", shape.name);
        assert_eq!(shape.size, command.size, "{}", shape.name);
        // The module knows it: all that it lacks is a struct.
        let result = call_nowhere(&world, shape.number, 0);
        assert_eq!(result, Err(Errno::FAULT), "{}", shape.name);
        for at in command.reserved {
            let member = shape.members.iter().find(|m| m.at == *at);
            assert!(member.is_some(), "{}: a member at {at}", shape.name);
        }
        for errno in [Errno::FAULT, Errno::INVAL, Errno::NOMEM] {
            assert!(shape.errors.contains(&errno.raw_os_error()));
        }
    }
    let clone = &shapes()[1];
    let is = |name: &str, kind: Kind| {
        let member = clone.members.iter().find(|m| m.name == name).expect(name);
        assert_eq!(member.kind, kind, "{name}");
    };
    is("set_tid", Kind::Address);
    is("task", Kind::Task);
    is("reserved", Kind::Zero);
}

#[test]
fn generated_commands_give_documented_errors() {
    let count = repeated(500_000);
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let quiet = Fixture::new();
    quiet.fork(quiet.init);
    let quiet_state = State::of(&quiet);
    let mut results = Results::new();
    interrupted(|| {
        let world = Fixture::new();
        let arena = Arena::new();
        let mut generator = Generator::new(seed, Style::Wild, world.init.0, world.root.0);
        for n in 1..=count {
            let index = generator.rng.usize(..shapes().len());
            let shape = &shapes()[index];
            let made = generator.request(shape, &arena);
            let result = arena.issue(&world, shape.number, made.at);
            match result {
                Ok(()) => generator.learn(shape, &made, &arena),
                Err(Errno::SRCH | Errno::NOENT) => generator.forget(shape, &made),
                Err(_) => {}
            }
            note(&mut results, index, result, &|| {
                format!("seed {seed}, command {n}, {made:x?}")
            });
            if n % AUDIT_EVERY == 0 {
                world.check();
            }
        }
    });
    assert_eq!(State::of(&quiet), quiet_state, "another world");
    tell(&format!(
        "generated commands: {count}: {}",
        summary(&results)
    ));
}

/// A process with threads does not become a member, whatever it asks for.
#[test]
fn generated_requests_to_attach_are_refused() {
    let count = repeated(20_000);
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut results = Results::new();
    let world = Fixture::new();
    let arena = Arena::new();
    let mut generator = Generator::new(seed, Style::Wild, world.init.0, world.root.0);
    let state = State::of(&world);
    // One more thread in any case.
    interrupted(|| {
        for n in 1..=count {
            let made = generator.request(attach(), &arena);
            let result = arena.issue(&world, attach().number, made.at);
            assert!(result.is_err());
            note_of(&mut results, attach(), result, &|| {
                format!("seed {seed}, command {n}, {made:x?}")
            });
        }
    });
    assert_eq!(State::of(&world), state);
    world.check();
}

#[test]
fn structs_that_change_while_they_are_read() {
    let count = repeated(100_000);
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut results = Results::new();
    let arena = Arena::new();
    let change = Mutex::new(None::<Change>);
    // Whoever takes a mutex again as soon as it is given back can keep others out for long.
    let wanted = AtomicBool::new(false);
    let begun = AtomicBool::new(false);
    let set_change = |new: Option<Change>| {
        wanted.store(true, Relaxed);
        let mut change = change.lock().expect("what to change");
        begun.store(new.is_none(), Relaxed);
        *change = new;
        drop(change);
        wanted.store(false, Relaxed);
        // Let it begin, if there is a CPU for that.
        for _ in 0..PATIENCE {
            if begun.load(Relaxed) {
                break;
            }
            thread::yield_now();
        }
    };
    let changes = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                if !wanted.load(Relaxed)
                    && let Some(change) = &*change.lock().expect("what to change")
                {
                    begun.store(true, Relaxed);
                    for _ in 0..1000 {
                        for value in change.values {
                            arena.store(arena.structure(change.at), change.size, value);
                        }
                    }
                    changes.fetch_add(2000, Relaxed);
                }
                thread::yield_now();
            }
        });
        let _done = AtTheEnd(&done);
        interrupted(|| {
            let world = Fixture::new();
            let mut generator = Generator::new(seed, Style::Sane, world.init.0, world.root.0);
            let mut wild = Generator::new(seed, Style::Wild, world.init.0, world.root.0);
            for n in 1..=count {
                set_change(None);
                let index = generator.rng.usize(..shapes().len());
                let shape = &shapes()[index];
                let made = generator.request(shape, &arena);
                let member = &shape.members[generator.rng.usize(..shape.members.len().min(12))];
                let good = generator.value(shape, member, &arena);
                // Addresses stay in good memory: half of one and half of another would be neither.
                let other = match member.kind {
                    Kind::Address => arena.array(16).get(),
                    _ => wild.value(shape, member, &arena),
                };
                set_change((member.size >= 4).then_some(Change {
                    at: member.at,
                    size: member.size,
                    values: [good, other],
                }));
                let result = arena.issue(&world, shape.number, made.at);
                match result {
                    Ok(()) => generator.learn(shape, &made, &arena),
                    Err(_) => generator.forget(shape, &made),
                }
                note(&mut results, index, result, &|| {
                    format!("seed {seed}, command {n}, {} changes", member.name)
                });
                if n % AUDIT_EVERY == 0 {
                    world.check();
                }
            }
        });
    });
    tell(&format!(
        "commands whose struct changes while it is read: {count}, {} changes: {}",
        changes.load(Relaxed),
        summary(&results)
    ));
}

#[test]
fn every_number_that_is_no_command() {
    let world = Fixture::new();
    let before = State::of(&world);
    let all = shapes().iter().chain([attach()]);
    let known: BTreeSet<_> = all.map(|shape| shape.number).collect();
    let mut rng = fastrand::Rng::new();
    let mut tried = 0;
    // Every number of 16 bits, and what is above them by chance.
    let some = (0..repeated(100_000)).map(|_| rng.u32(..));
    for number in (0..=0xffff).chain(some).filter(|n| !known.contains(n)) {
        // What the kernel does itself for every file (include/uapi/asm-generic/ioctls.h).
        if number & 0xff00 == 0x5400 || (number & 0xffff) == 0x6601 {
            continue;
        }
        let result = call_nowhere(&world, number, 0);
        let generic = [Errno::FAULT, Errno::INVAL, Errno::NOTTY, Errno::OPNOTSUPP];
        let is_ours = number >> 8 == 0xb9;
        assert!(
            result == Err(Errno::NOTTY) || (!is_ours && generic.iter().any(|&e| result == Err(e))),
            "{number:#x}: {result:?}"
        );
        tried += 1;
    }
    assert_eq!(State::of(&world), before);
    tell(&format!("numbers that are no command: {tried}"));
}
