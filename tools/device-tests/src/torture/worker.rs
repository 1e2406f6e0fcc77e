// SPDX-License-Identifier: GPL-2.0

//! One process that does everything at random.

use super::{Count, Tally};
use crate::{
    generate::{Generator, Style},
    header::shapes,
    raw::{Arena, Slots, interrupt},
};
use altpid::{
    World,
    uapi::{ALTPID_EVENT_NS_DYING, altpid_event},
};
use rustix::{
    fd::{AsFd, BorrowedFd},
    io::Errno,
    thread::{Pid, gettid},
};
use std::{
    mem::offset_of,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

/// Threads that issue commands.
const THREADS: usize = 3;
/// Worlds of its own, beside those that it shares.
const OWN: usize = 3;
/// Events that are read at a time.
const EVENTS: usize = 100;

/// What the threads of a worker share.
struct Worker<'a> {
    slots: Slots,
    /// How many of the slots have worlds that other processes use too.
    shared: &'a [BorrowedFd<'a>],
    tally: &'a Tally,
    threads: Mutex<Vec<Pid>>,
}

/// Does everything at random, to these worlds and to some of its own, until it is killed.
pub fn work(shared: &[BorrowedFd<'_>], tally: &Tally, seed: u64) {
    let worker = Worker {
        slots: Slots::new(shared.len() + OWN),
        shared,
        tally,
        threads: Mutex::new(Vec::new()),
    };
    for (slot, world) in shared.iter().enumerate() {
        worker.slots.put(slot, world);
    }
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let worker = &worker;
            scope.spawn(move || worker.thread(seed.wrapping_add(thread as u64)));
        }
        worker.interrupt_all(seed);
    });
}

impl Worker<'_> {
    /// Sends signals to the others, who may sleep in a command.
    fn interrupt_all(&self, seed: u64) {
        let mut rng = fastrand::Rng::with_seed(seed);
        loop {
            let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(&thread) = rng.choice(&*threads) {
                interrupt(thread);
                self.tally.add(Count::Interrupted, 1);
            }
            drop(threads);
            thread::sleep(Duration::from_micros(rng.u64(..2000)));
        }
    }

    fn thread(&self, seed: u64) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.push(gettid());
        drop(threads);
        let arena = Arena::new();
        // Init and the root have the same ids in every world, and so have many others.
        let mut sane = Generator::new(seed, Style::Sane, 1, 1);
        let mut wild = Generator::new(!seed, Style::Wild, 1, 1);
        loop {
            let slot = sane.rng.usize(..self.slots.count());
            match sane.rng.u32(..64) {
                0 => self.change(slot),
                1 => self.slots.clear(slot),
                2 | 3 => self.read(slot, &arena, &mut sane.rng),
                4 => self.command(slot, &arena, &mut wild),
                _ => self.command(slot, &arena, &mut sane),
            }
        }
    }

    /// Puts a world into a slot: one that others use too, or a new one.
    fn change(&self, slot: usize) {
        if let Some(world) = self.shared.get(slot) {
            self.slots.put(slot, world);
        } else if let Ok(world) = World::open() {
            self.slots.put(slot, world.as_fd());
            self.tally.add(Count::Opened, 1);
        }
        self.tally.add(Count::Closed, 1);
    }

    fn read(&self, slot: usize, arena: &Arena, rng: &mut fastrand::Rng) {
        const SIZE: usize = size_of::<altpid_event>();
        let from = rng.bool().then(|| (rng.usize(..100_000) * SIZE) as i64);
        self.tally.add(Count::Reads, 1);
        let Ok(len) = self.slots.read(slot, arena, EVENTS * SIZE, from) else {
            return;
        };
        self.tally.add(Count::Events, (len / SIZE) as u64);
        let is_zap = |n: &usize| {
            let mut kind = [0; 4];
            let at = n * SIZE + offset_of!(altpid_event, type_);
            arena.read(arena.array(at), &mut kind);
            u32::from_ne_bytes(kind) == ALTPID_EVENT_NS_DYING
        };
        let zaps = (0..len / SIZE).filter(is_zap).count();
        self.tally.add(Count::Zaps, zaps as u64);
    }

    fn command(&self, slot: usize, arena: &Arena, generator: &mut Generator) {
        let index = generator.rng.usize(..shapes().len());
        let shape = &shapes()[index];
        let made = generator.request(shape, arena);
        let result = self.slots.issue(slot, shape.number, made.at);
        self.tally.add_command(index, result.is_ok());
        match result {
            Ok(()) => generator.learn(shape, &made, arena),
            Err(Errno::SRCH | Errno::NOENT) => generator.forget(shape, &made),
            // Nothing is in the slot at the moment.
            Err(Errno::BADF) => {}
            Err(error) if shape.errors.contains(&error.raw_os_error()) => {}
            Err(error) => {
                eprintln!("{}: {error}: {:x?}", shape.name, made.bytes);
                self.tally.add(Count::Wrong, 1);
            }
        }
    }
}
