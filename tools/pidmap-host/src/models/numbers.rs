// SPDX-License-Identifier: GPL-2.0

//! Numbers in order.

use super::*;

#[test]
fn two_draw_from_a_new_map() {
    explore(None, || {
        let map = shared(map([], 0));
        let other = next(&map, ALL);
        let mine = keep(map.reserve_next(ALL)).unwrap();
        let theirs = other.join().unwrap().unwrap();
        assert_eq!(BTreeSet::from([mine, theirs]), BTreeSet::from([1, 2]));
        assert_eq!(map.cursor(), 3);
        check(map, [1, 2], ALL);
    });
}

#[test]
fn two_draw_from_a_map_without_nodes() {
    explore(2, || {
        let map = shared(new_map(0));
        let other = next(&map, ALL);
        let mine = keep(map.reserve_next(ALL)).unwrap();
        let theirs = other.join().unwrap().unwrap();
        assert_eq!(BTreeSet::from([mine, theirs]), BTreeSet::from([1, 2]));
        assert_eq!(map.cursor(), 3);
        check(map, [1, 2], ALL);
    });
}

#[test]
fn three_draw() {
    explore(2, || {
        let map = share(map([4], 3), 3);
        let others = [next(&map, ALL), next(&map, ALL)];
        let mine = keep(map.reserve_next(ALL)).unwrap();
        let mut all = BTreeSet::from([mine]);
        all.extend(others.map(|other| other.join().unwrap().unwrap()));
        assert_eq!(all, BTreeSet::from([3, 5, 6]));
        assert_eq!(map.cursor(), 7);
        check(map, [3, 4, 5, 6], ALL);
    });
}

#[test]
fn two_draw_around_the_end() {
    explore(3, || {
        let map = shared(map([1, 3, 6], 7));
        let other = next(&map, 8);
        let mine = keep(map.reserve_next(8)).unwrap();
        let theirs = other.join().unwrap().unwrap();
        assert_eq!(BTreeSet::from([mine, theirs]), BTreeSet::from([7, 2]));
        assert_eq!(map.cursor(), 3);
        check(map, [1, 2, 3, 6, 7], 8);
    });
}

#[test]
fn two_draw_the_last_number() {
    explore(3, || {
        let map = shared(map([1, 2, 3, 5, 6, 7], 6));
        let other = next(&map, 8);
        let mine = keep(map.reserve_next(8));
        let theirs = other.join().unwrap();
        let mut results = [mine, theirs];
        results.sort_by_key(|result| result.is_err());
        assert_eq!(results, [Ok(4), Err(ReserveError::Full)]);
        assert_eq!(map.cursor(), 5);
        check(map, 1..8, 8);
    });
}

#[test]
fn a_draw_and_the_same_number_by_name() {
    explore(None, || {
        let map = shared(map([], 4));
        let other = next(&map, ALL);
        let mine = keep(map.reserve(4));
        let theirs = other.join().unwrap();
        match mine {
            Ok(4) => {
                assert_eq!(theirs, Ok(5));
                check(map, [4, 5], ALL);
            }
            _ => {
                assert_eq!((mine, theirs), (Err(ReserveError::InUse), Ok(4)));
                check(map, [4], ALL);
            }
        }
    });
}

#[test]
fn a_search_and_the_same_number_by_name() {
    explore(3, || {
        let map = shared(map([4], 4));
        let other = next(&map, ALL);
        let mine = keep(map.reserve(5));
        let theirs = other.join().unwrap();
        match mine {
            Ok(5) => {
                assert_eq!(theirs, Ok(6));
                check(map, [4, 5, 6], ALL);
            }
            _ => {
                assert_eq!((mine, theirs), (Err(ReserveError::InUse), Ok(5)));
                check(map, [4, 5], ALL);
            }
        }
    });
}

#[test]
fn a_draw_and_a_new_cursor() {
    explore(3, || {
        let map = shared(map([6], 6));
        let other = next(&map, ALL);
        map.set_cursor(2);
        match other.join().unwrap() {
            Ok(7) => {
                assert_eq!(map.cursor(), 2);
                check(map, [6, 7], ALL);
            }
            result => {
                assert_eq!((result, map.cursor()), (Ok(2), 3));
                check(map, [6, 2], ALL);
            }
        }
    });
}

#[test]
fn without_memory_the_cursor_stays() {
    explore(3, || {
        // 4 is in use, 5 is not, and there is no node for 6.
        let map = shared(map([4], 4));
        let other = with(&map, |map| {
            mem::fail(true);
            let result = keep(map.reserve_next(ALL));
            mem::fail(false);
            result
        });
        let mine = keep(map.reserve_next(ALL)).unwrap();
        let next = map.cursor();
        match other.join().unwrap() {
            Ok(theirs) => {
                assert_eq!(BTreeSet::from([mine, theirs]), BTreeSet::from([5, 6]));
                check(map, [4, 5, 6], ALL);
            }
            Err(error) => {
                assert_eq!(error, ReserveError::NoMemory);
                assert!(next > mine, "{mine} would soon be given out again");
                check(map, [4, mine], ALL);
            }
        }
    });
}
