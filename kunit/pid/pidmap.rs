// SPDX-License-Identifier: GPL-2.0

//! The table of numbers by itself: order, search, growth and giving back.

use crate::pid::pidmap::{PidMap, ReserveError};
use core::ptr::NonNull;
use kernel::prelude::*;

/// Takes the next number for good.
fn take(map: &PidMap<u64>, pid_max: u32) -> Result<u32, ReserveError> {
    let reservation = map.reserve_next(pid_max)?;
    let nr = reservation.nr();
    reservation.publish(user(nr));
    Ok(nr)
}

/// Takes a certain number for good.
fn take_exact(map: &PidMap<u64>, nr: u32) -> Result<(), ReserveError> {
    map.reserve(nr)?.publish(user(nr));
    Ok(())
}

/// A user that is never looked at: its address tells the number.
fn user(nr: u32) -> NonNull<u64> {
    NonNull::<u64>::dangling().map_addr(|a| a.saturating_add(nr as usize * 8))
}

#[kernel::macros::kunit_tests(altpid_pidmap)]
mod tests {
    use super::*;
    use crate::{base::sync::read_lock, pid::pidmap::Node, support::Random};

    /// `idr_alloc_cyclic()` with pid_min of `alloc_pid()`: (pid_max, cursor, expected)
    #[test]
    fn numbers_come_in_order_and_wrap_to_300() {
        let cases: &[(u32, u32, &[u32])] = &[
            (1000, 0, &[1, 2, 3]),
            (1000, 998, &[998, 999, 300, 301]),
            (301, 300, &[300]),
            (400, 399, &[399, 300, 301]),
            (400, 5000, &[300, 301]),
            (200, 199, &[199, 1, 2]),
            (200, 5000, &[]),
        ];
        for &(pid_max, cursor, expected) in cases {
            let map = PidMap::<u64>::new();
            map.set_cursor(cursor);
            for &nr in expected {
                assert_eq!(take(&map, pid_max), Ok(nr));
            }
            if expected.is_empty() {
                // [300, 200) is empty: there is nothing to give out.
                assert_eq!(take(&map, pid_max), Err(ReserveError::Full));
                assert_eq!(map.cursor(), cursor);
            }
        }
    }

    /// `idr_alloc_cyclic()` with one number above `RESERVED_PIDS`
    #[test]
    fn pid_max_301_gives_300_again_and_again() {
        let map = PidMap::<u64>::new();
        for nr in 1..=299 {
            assert_eq!(take(&map, 301), Ok(nr));
        }
        for _ in 0..3 {
            assert_eq!(take(&map, 301), Ok(300));
            map.release(300);
        }
        assert_eq!(take(&map, 301), Ok(300));
        assert_eq!(take(&map, 301), Err(ReserveError::Full));
    }

    /// `idr_alloc_cyclic()`: `ENOSPC`, which `alloc_pid()` makes `EAGAIN`
    #[test]
    fn a_full_map_says_so_and_keeps_its_cursor() {
        let map = PidMap::<u64>::new();
        for nr in 1..500 {
            assert_eq!(take(&map, 500), Ok(nr));
        }
        for _ in 0..5 {
            assert_eq!(take(&map, 500), Err(ReserveError::Full));
            assert_eq!(map.cursor(), 500);
        }
        // What is freed below 300 is out of reach after the first time round.
        map.release(17);
        assert_eq!(take(&map, 500), Err(ReserveError::Full));
        map.release(444);
        assert_eq!(take(&map, 500), Ok(444));
    }

    /// idr_alloc(tid, tid + 1): ENOSPC, which `alloc_pid()` makes EEXIST
    #[test]
    fn a_number_is_taken_once() {
        let map = PidMap::<u64>::new();
        for nr in [1, 63, 64, 65, 4096, 4097, 262144, 262145, 4194303] {
            assert_eq!(take_exact(&map, nr), Ok(()));
            assert_eq!(take_exact(&map, nr), Err(ReserveError::InUse));
            assert_eq!(map.get(nr, &read_lock()), Some(user(nr)));
            assert_eq!(map.cursor(), 0);
        }
        assert_eq!(take(&map, 1 << 22), Ok(2));
    }

    /// `alloc_pid()`: the NULL placeholder before `idr_replace()`
    #[test]
    fn a_reservation_is_not_found_and_undoes_itself() {
        let map = PidMap::<u64>::new();
        let reservation = map.reserve(7);
        assert!(reservation.is_ok());
        assert_eq!(map.get(7, &read_lock()), None);
        assert_eq!(take_exact(&map, 7), Err(ReserveError::InUse));
        assert!(!map.is_empty());
        drop(reservation);
        assert!(map.is_empty());
        assert_eq!(take_exact(&map, 7), Ok(()));
    }

    /// `idr_get_next()`
    #[test]
    fn the_next_number_in_use_is_found() {
        let map = PidMap::<u64>::new();
        let used = [3, 63, 64, 65, 5000, 300000, 4194303];
        for nr in used {
            assert_eq!(take_exact(&map, nr), Ok(()));
        }
        let reserved = map.reserve(1000);
        let guard = read_lock();
        let mut from = 0;
        for nr in used {
            assert_eq!(map.get_next(from, &guard), Some((nr, user(nr))));
            from = nr + 1;
        }
        assert_eq!(map.get_next(from, &guard), None);
        drop(guard);
        drop(reserved);
    }

    /// `idr_find()`
    #[test]
    fn numbers_that_do_not_exist_are_not_found() {
        let map = PidMap::<u64>::new();
        let guard = read_lock();
        for nr in [0, 1, 63, 64, 4096, 1 << 24, u32::MAX] {
            assert_eq!(map.get(nr, &guard), None);
        }
        assert_eq!(map.get_next(0, &guard), None);
    }

    /// Numbers that are in use, counted one by one.
    fn count(map: &PidMap<u64>) -> usize {
        let guard = read_lock();
        let next = |nr| map.get_next(nr, &guard).map(|(nr, _)| nr);
        core::iter::successors(next(1), |&nr| next(nr + 1)).count()
    }

    /// Takes the numbers of a small map in one order and frees them in another, and counts those in
    /// use after each step. `base` is the number before the first.
    fn take_and_free(base: u32, taking: &[u32], freeing: &[u32]) -> bool {
        let map = PidMap::<u64>::new();
        let taken = taking.iter().enumerate().all(|(i, &nr)| {
            take_exact(&map, base + nr) == Ok(())
                && take_exact(&map, base + nr).is_err()
                && count(&map) == i + 1
        });
        let freed = freeing.iter().rev().enumerate().rev().all(|(left, &nr)| {
            map.release(base + nr);
            map.get(base + nr, &read_lock()).is_none() && count(&map) == left
        });
        taken && freed && map.is_empty()
    }

    /// `idr_alloc_cyclic()`, `idr_remove()`: all 120 orders of five numbers, by Heap's algorithm
    #[test]
    fn every_order_of_taking_and_freeing_a_small_map() -> Result {
        let mut order = [1u32, 2, 3, 4, 5];
        let mut counts = [0usize; 5];
        let mut orders = KVVec::new();
        orders.push(order, GFP_KERNEL)?;
        let mut i = 0;
        while i < order.len() {
            if counts[i] < i {
                let other = if i % 2 == 0 { 0 } else { counts[i] };
                order.swap(other, i);
                orders.push(order, GFP_KERNEL)?;
                counts[i] += 1;
                i = 0;
            } else {
                counts[i] = 0;
                i += 1;
            }
        }
        assert_eq!(orders.len(), 120);
        // In one node, and around the border of two.
        for base in [0, 61] {
            for taking in &orders {
                for freeing in &orders {
                    assert!(take_and_free(base, taking, freeing));
                }
            }
        }
        Ok(())
    }

    /// `idr_alloc_cyclic()`
    #[test]
    fn the_one_free_number_of_a_full_map_is_found() {
        let map = PidMap::<u64>::new();
        let pid_max = 20000;
        for nr in 1..pid_max {
            assert_eq!(take(&map, pid_max), Ok(nr));
        }
        assert_eq!(take(&map, pid_max), Err(ReserveError::Full));
        let mut random = Random::new(7);
        for _ in 0..2000 {
            let nr = 300 + random.below(pid_max - 300);
            map.release(nr);
            assert_eq!(take(&map, pid_max), Ok(nr));
        }
        assert_eq!(take(&map, pid_max), Err(ReserveError::Full));
    }

    /// `radix_tree_node_free()`: what is empty is given back
    #[test]
    fn a_table_that_saw_every_number_keeps_little() {
        let map = PidMap::<u64>::new();
        assert_eq!(take(&map, 1 << 22), Ok(1));
        for _ in 0..300_000 {
            let nr = take(&map, 1 << 22);
            assert!(nr.is_ok());
            map.release(nr.unwrap_or(0));
        }
        // The way to 1, and the way to where the cursor is.
        assert!(map.bytes() <= 8 * core::mem::size_of::<Node>());
        // Everything at once, then nothing: again the way to 1 and to the cursor.
        for _ in 0..100_000 {
            assert!(take(&map, 1 << 22).is_ok());
        }
        for nr in 300_002..400_002 {
            map.release(nr);
        }
        assert!(map.bytes() <= 8 * core::mem::size_of::<Node>());
    }

    /// One node as the IDR has one `struct xa_node`
    #[test]
    fn few_numbers_take_one_node() {
        let map = PidMap::<u64>::new();
        assert_eq!(map.bytes(), 0);
        for nr in 1..=64 {
            assert_eq!(take(&map, 1 << 22), Ok(nr));
            assert_eq!(map.bytes(), core::mem::size_of::<Node>());
        }
        assert_eq!(core::mem::size_of::<Node>(), 576);
    }

    /// What native does, in ten lines: idr_alloc_cyclic() as alloc_pid() calls it.
    struct Model {
        used: KVVec<bool>,
        cursor: u32,
    }

    impl Model {
        fn next(&mut self, pid_max: u32) -> Option<u32> {
            let lowest = if self.cursor > 300 { 300 } else { 1 };
            let from = self.cursor.max(lowest);
            let free = |nr: &u32| !self.used[*nr as usize];
            let nr = (from..pid_max)
                .find(free)
                .or_else(|| (lowest..pid_max).find(free))?;
            self.used[nr as usize] = true;
            self.cursor = nr + 1;
            Some(nr)
        }
    }

    /// `idr_alloc_cyclic()` as `alloc_pid()` calls it, beside a model of it
    #[test]
    fn as_native_in_random_sequences() -> Result {
        const NUMBERS: u32 = 4400;
        for seed in 1..=6 {
            let mut random = Random::new(seed);
            let map = PidMap::<u64>::new();
            let mut model = Model {
                used: KVVec::from_elem(false, NUMBERS as usize, GFP_KERNEL)?,
                cursor: 0,
            };
            // Small ranges fill up and wrap; large ones cross the nodes' borders.
            let pid_max = [302, 340, 500, 1000, 4200, NUMBERS][seed as usize - 1];
            for step in 0..30_000 {
                match random.below(100) {
                    0..55 => {
                        let expected = model.next(pid_max).ok_or(ReserveError::Full);
                        assert_eq!(take(&map, pid_max), expected);
                    }
                    55..96 => {
                        let nr = 1 + random.below(pid_max - 1);
                        let was = core::mem::take(&mut model.used[nr as usize]);
                        assert_eq!(map.get(nr, &read_lock()).is_some(), was);
                        if was {
                            map.release(nr);
                        }
                    }
                    96..99 => {
                        let nr = 1 + random.below(pid_max - 1);
                        let was = core::mem::replace(&mut model.used[nr as usize], true);
                        assert_eq!(take_exact(&map, nr).is_err(), was);
                    }
                    _ => {
                        let cursor = random.below(pid_max + 2);
                        map.set_cursor(cursor);
                        model.cursor = cursor;
                    }
                }
                if step % 64 == 0 {
                    assert_eq!(map.cursor(), model.cursor);
                }
            }
        }
        Ok(())
    }
}
