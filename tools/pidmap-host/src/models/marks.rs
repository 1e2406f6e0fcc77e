// SPDX-License-Identifier: GPL-2.0

//! Marks on what is full.

use super::*;

#[test]
fn a_release_and_a_search() {
    explore(3, || {
        let map = shared(map(1..8, 3));
        let other = next(&map, 8);
        map.release(5);
        match other.join().unwrap() {
            Ok(nr) => {
                assert_eq!(nr, 5);
                check(map, 1..8, 8);
            }
            Err(error) => {
                assert_eq!(error, ReserveError::Full);
                check(map, [1, 2, 3, 4, 6, 7], 8);
            }
        }
    });
}

#[test]
fn two_releases_and_a_search() {
    explore(2, || {
        let map = share(map(1..8, 4), 3);
        let search = next(&map, 8);
        let release = with(&map, |map| map.release(6));
        map.release(5);
        release.join().unwrap();
        let found = search.join().unwrap();
        let free = [5, 6].into_iter().filter(|&nr| found != Ok(nr));
        let free: BTreeSet<u32> = free.collect();
        check(map, (1..8).filter(|nr| !free.contains(nr)), 8);
    });
}

#[test]
fn a_release_and_two_searches() {
    explore(2, || {
        let map = share(map(1..8, 4), 3);
        let searches = [next(&map, 8), next(&map, 8)];
        map.release(6);
        let found = searches.map(|search| search.join().unwrap());
        assert_ne!(found, [Ok(6), Ok(6)]);
        if found.contains(&Ok(6)) {
            check(map, 1..8, 8);
        } else {
            assert_eq!(found, [Err(ReserveError::Full); 2]);
            check(map, [1, 2, 3, 4, 5, 7], 8);
        }
    });
}

#[test]
fn a_release_a_search_and_a_higher_root() {
    explore(2, || {
        let map = new_map(2);
        for nr in 1..4 {
            keep(map.reserve(nr)).unwrap();
        }
        let map = share(map, 3);
        let search = next(&map, 4);
        let grow = with(&map, |map| keep(map.reserve(8)).unwrap());
        map.release(2);
        grow.join().unwrap();
        if search.join().unwrap() == Ok(2) {
            check(map, [1, 2, 3, 8], ALL);
        } else {
            check(map, [1, 3, 8], ALL);
        }
    });
}

/// The leaf has no node above it that could have a mark, and then it has.
#[test]
fn a_release_a_search_and_the_first_root_above() {
    explore(2, || {
        let map = new_map(2);
        for nr in 1..3 {
            keep(map.reserve(nr)).unwrap();
        }
        let map = share(map, 3);
        let search = next(&map, 3);
        let grow = with(&map, |map| keep(map.reserve(4)).unwrap());
        map.release(2);
        grow.join().unwrap();
        if search.join().unwrap() == Ok(2) {
            check(map, [1, 2, 4], ALL);
        } else {
            check(map, [1, 4], ALL);
        }
    });
}

/// Who gives a number back to a full map finds one, unless somebody else has it by then.
#[test]
fn full_is_said_of_full_maps_only() {
    explore(2, || {
        let map = shared(map(1..8, 4));
        let other = next(&map, 8);
        map.release(5);
        let mine = keep(map.reserve_next(8));
        let theirs = other.join().unwrap();
        assert!(mine.is_ok() != theirs.is_ok(), "{mine:?}, {theirs:?}");
        check(map, 1..8, 8);
    });
}

/// One number is free at every moment, but never the same for long.
#[test]
fn a_free_number_that_moves_is_found() {
    explore(2, || {
        let map = shared(map([1, 2, 4, 5, 6, 7], 4));
        let other = with(&map, |map| {
            map.release(5);
            keep(map.reserve(3))
        });
        let mine = keep(map.reserve_next(8)).unwrap();
        match other.join().unwrap() {
            Ok(_) => assert_eq!(mine, 5),
            Err(error) => assert_eq!((mine, error), (3, ReserveError::InUse)),
        }
        let free = [3, 5].into_iter().filter(|&nr| mine == 3 && nr == 5);
        let free: BTreeSet<u32> = free.collect();
        check(map, (1..8).filter(|nr| !free.contains(nr)), 8);
    });
}
