// SPDX-License-Identifier: GPL-2.0

//! Giving back nodes.

use super::*;

#[test]
fn two_releases_empty_a_leaf() {
    explore(3, || {
        let map = shared(map([7, 8], 2));
        let other = with(&map, |map| map.release(7));
        map.release(8);
        other.join().unwrap();
        check(map, [], ALL);
    });
}

#[test]
fn two_releases_empty_two_leaves() {
    explore(None, || {
        let map = shared(map([5, 7], 2));
        let other = with(&map, |map| map.release(7));
        map.release(5);
        other.join().unwrap();
        check(map, [], ALL);
    });
}

#[test]
fn a_leaf_goes_while_its_neighbour_number_is_wanted() {
    explore(3, || {
        let map = shared(map([7], 2));
        let other = with(&map, |map| map.release(7));
        keep(map.reserve(8)).unwrap();
        other.join().unwrap();
        check(map, [8], ALL);
    });
}

#[test]
fn a_leaf_goes_while_the_cursor_comes() {
    explore(3, || {
        let map = shared(map([7], 7));
        let other = with(&map, |map| map.release(7));
        let mine = keep(map.reserve_next(ALL)).unwrap();
        assert!(mine == 7 || mine == 8);
        other.join().unwrap();
        check(map, [mine], ALL);
    });
}

#[test]
fn a_leaf_goes_while_somebody_looks() {
    explore(3, || {
        let map = map([], 2);
        let mut user = UnsafeCell::new(7);
        map.reserve(7).unwrap().publish(NonNull::from(&mut user));
        let map = shared(map);
        let other = with(&map, |map| map.release(7));
        let guard = read_lock();
        let first = map.get_next(6, &guard);
        let then = map.get(7, &guard);
        assert!(first.is_some() || then.is_none());
        drop(guard);
        other.join().unwrap();
        check(map, [], ALL);
    });
}

#[test]
fn a_leaf_goes_and_comes_while_somebody_looks() {
    explore(3, || {
        let map = share(map([7], 2), 3);
        let other = with(&map, |map| map.release(7));
        let third = with(&map, |map| keep(map.reserve(7)));
        {
            let guard = read_lock();
            assert!(map.get(7, &guard).is_none());
        }
        other.join().unwrap();
        if third.join().unwrap().is_ok() {
            check(map, [7], ALL);
        } else {
            check(map, [], ALL);
        }
    });
}

#[test]
fn a_leaf_goes_and_a_root_comes() {
    explore(3, || {
        let map = new_map(2);
        keep(map.reserve(2)).unwrap();
        keep(map.reserve(4)).unwrap();
        let map = shared(map);
        let other = with(&map, |map| map.release(4));
        keep(map.reserve(6)).unwrap();
        other.join().unwrap();
        check(map, [2, 6], ALL);
    });
}

#[test]
fn the_cursor_leaves_a_leaf_as_it_is_emptied() {
    explore(3, || {
        let map = shared(map([6], 7));
        let other = next(&map, ALL);
        map.release(6);
        assert_eq!(other.join().unwrap(), Ok(7));
        check(map, [7], ALL);
    });
}

#[test]
fn the_cursor_leaves_a_leaf_that_is_just_made() {
    explore(2, || {
        let map = shared(map([], 5));
        // 5 and 6; then 7 leaves the leaf, which may be there or not.
        let other = with(&map, |map| {
            let nr = map.reserve_next(ALL).unwrap().nr();
            keep(map.reserve_next(ALL)).unwrap();
            nr
        });
        let mine = map.reserve_next(ALL).unwrap().nr();
        other.join().unwrap();
        assert!((5..8).contains(&mine));
        let last = map.cursor() - 1;
        assert_eq!(last, 7);
        let used: Vec<u32> = (5..8).filter(|&nr| map.reserve(nr).is_err()).collect();
        assert_eq!(used.len(), 1);
        check(map, used, ALL);
    });
}

#[test]
fn a_reservation_is_dropped_as_its_leaf_goes() {
    explore(3, || {
        let map = shared(map([7], 2));
        let other = with(&map, |map| drop(map.reserve(8)));
        map.release(7);
        other.join().unwrap();
        check(map, [], ALL);
    });
}
