// SPDX-License-Identifier: GPL-2.0

//! Many threads on one map, at full speed and with pauses in bad places.

use crate::{
    mem,
    pidmap::{PidMap, ReserveError},
    sync::{disturb_with, read_lock},
};
use std::{
    ptr::NonNull,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
};

const ROUNDS: u32 = if cfg!(miri) { 24 } else { 40_000 };

/// Numbers that look random: xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) % u64::from(end)) as u32
    }
}

/// Users by number: each says whether its number is somebody's.
fn owners(pid_max: u32) -> Vec<AtomicBool> {
    (0..pid_max).map(|_| AtomicBool::new(false)).collect()
}

/// Lets so many threads allocate, look up and free below `pid_max`, each with up to `hold` numbers
/// at a time. Everybody's numbers are their own at every moment.
fn churn(threads: u64, pid_max: u32, hold: usize) {
    let map = PidMap::<AtomicBool>::new();
    let owners = owners(pid_max);
    let allocated = AtomicU64::new(0);
    let left: i64 = thread::scope(|scope| {
        let work = |seed: u64| {
            let (map, owners, allocated) = (&map, &owners, &allocated);
            move || {
                disturb_with(seed as u32 * 7919);
                let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let mut mine = Vec::new();
                for _ in 0..ROUNDS {
                    match random.below(8) {
                        0..4 if mine.len() < hold => {
                            let taken = if random.below(6) == 0 {
                                map.reserve(1 + random.below(pid_max - 1))
                            } else {
                                map.reserve_next(pid_max)
                            };
                            match taken {
                                Ok(reservation) => {
                                    let nr = reservation.nr();
                                    let owner = &owners[nr as usize];
                                    assert!(!owner.swap(true, Relaxed), "{nr} is had twice");
                                    reservation.publish(NonNull::from(owner));
                                    mine.push(nr);
                                    allocated.fetch_add(1, Relaxed);
                                }
                                Err(error) => assert_ne!(error, ReserveError::NoMemory),
                            }
                        }
                        4 => {
                            let guard = read_lock();
                            let nr = 1 + random.below(pid_max - 1);
                            if let Some(found) = map.get(nr, &guard) {
                                assert_eq!(found, NonNull::from(&owners[nr as usize]));
                            }
                            for &nr in mine.iter().take(3) {
                                assert!(map.get(nr, &guard).is_some(), "{nr} is lost");
                                let next = map.get_next(nr, &guard);
                                assert_eq!(next.map(|(nr, _)| nr), Some(nr));
                            }
                        }
                        _ if !mine.is_empty() => {
                            let at = random.below(mine.len() as u32) as usize;
                            let nr = mine.swap_remove(at);
                            assert!(owners[nr as usize].swap(false, Relaxed));
                            map.release(nr);
                        }
                        _ => {}
                    }
                }
                for nr in mine {
                    owners[nr as usize].store(false, Relaxed);
                    map.release(nr);
                }
                disturb_with(0);
                mem::nodes()
            }
        };
        let all: Vec<_> = (1..=threads).map(|seed| scope.spawn(work(seed))).collect();
        all.into_iter().map(|t| t.join().expect("a thread")).sum()
    });
    assert!(map.is_empty());
    assert!(allocated.load(Relaxed) > u64::from(ROUNDS) / 8);
    let bytes = map.bytes();
    assert!(
        bytes <= 8 * size_of::<crate::pidmap::Node>(),
        "{bytes} bytes are kept"
    );
    let before = mem::nodes();
    drop(map);
    assert_eq!(left + mem::nodes() - before, 0, "nodes are left");
}

#[test]
fn two_with_much_room() {
    churn(2, 32768, 100);
}

#[test]
fn four_with_little_room() {
    churn(4, 420, 100);
}

#[test]
fn four_with_hardly_any_room() {
    churn(4, 304, 100);
}

#[test]
fn eight_across_many_leaves() {
    churn(8, 6000, 600);
}

/// Whoever gives a number back to a full map can have one: so no search misses one for good.
#[test]
fn a_full_map_never_loses_a_number() {
    let pid_max = if cfg!(miri) { 340 } else { 700 };
    let map = PidMap::<AtomicBool>::new();
    let owners = owners(pid_max);
    let publish = |nr: u32, reservation: crate::pidmap::Reservation<'_, AtomicBool>| {
        reservation.publish(NonNull::from(&owners[nr as usize]));
    };
    for nr in 1..pid_max {
        let reservation = map.reserve_next(pid_max).expect("a free number");
        publish(nr, reservation);
    }
    thread::scope(|scope| {
        for seed in 1..=3u32 {
            let (map, publish) = (&map, &publish);
            scope.spawn(move || {
                disturb_with(seed * 104_729);
                let mut mine = 300 + seed;
                for _ in 0..ROUNDS / 4 {
                    map.release(mine);
                    // Others hold one free number each for a moment: one of them is for us.
                    mine = loop {
                        match map.reserve_next(pid_max) {
                            Ok(reservation) => {
                                let nr = reservation.nr();
                                publish(nr, reservation);
                                break nr;
                            }
                            Err(error) => assert_eq!(error, ReserveError::Full),
                        }
                    };
                }
                disturb_with(0);
            });
        }
    });
    // Nothing is free, and nothing was lost.
    assert_eq!(map.reserve_next(pid_max).err(), Some(ReserveError::Full));
    let guard = read_lock();
    assert!((1..pid_max).all(|nr| map.get(nr, &guard).is_some()));
}
