// SPDX-License-Identifier: GPL-2.0

//! The pairs of steps of the other models on maps of one or two levels, where there are fewer of them:
//! few enough for every interleaving, or for 4 or 5 preemptions.

use super::*;

/// A map that is no higher than its numbers need, with the cursor at `next`.
fn low(used: impl IntoIterator<Item = u32>, next: u32) -> Map {
    let map = new_map(next);
    for nr in used {
        keep(map.reserve(nr)).unwrap();
    }
    map
}

#[test]
fn a_release_and_a_search() {
    explore(None, || {
        let map = shared(low(1..4, 2));
        let other = next(&map, 4);
        map.release(2);
        match other.join().unwrap() {
            Ok(nr) => {
                assert_eq!(nr, 2);
                check(map, 1..4, 4);
            }
            Err(error) => {
                assert_eq!(error, ReserveError::Full);
                check(map, [1, 3], 4);
            }
        }
    });
}

#[test]
fn two_draw_the_last_number() {
    explore(4, || {
        let map = shared(low([1, 3], 3));
        let other = next(&map, 4);
        let mine = keep(map.reserve_next(4));
        let mut results = [mine, other.join().unwrap()];
        results.sort_by_key(|result| result.is_err());
        assert_eq!(results, [Ok(2), Err(ReserveError::Full)]);
        check(map, 1..4, 4);
    });
}

#[test]
fn two_draw_around_the_end() {
    explore(4, || {
        let map = shared(low([1], 3));
        let other = next(&map, 4);
        let mine = keep(map.reserve_next(4)).unwrap();
        let theirs = other.join().unwrap().unwrap();
        assert_eq!(BTreeSet::from([mine, theirs]), BTreeSet::from([2, 3]));
        check(map, 1..4, 4);
    });
}

#[test]
fn two_draw_from_a_map_without_nodes() {
    explore(5, || {
        let map = shared(new_map(0));
        let other = next(&map, 3);
        let mine = keep(map.reserve_next(3)).unwrap();
        let theirs = other.join().unwrap().unwrap();
        assert_eq!(BTreeSet::from([mine, theirs]), BTreeSet::from([1, 2]));
        check(map, [1, 2], 3);
    });
}

#[test]
fn a_draw_and_a_new_cursor() {
    explore(None, || {
        let map = shared(low([1], 2));
        let other = next(&map, 5);
        map.set_cursor(3);
        let theirs = other.join().unwrap().unwrap();
        assert!(theirs == 2 || theirs == 3);
        check(map, [1, theirs], 5);
    });
}

#[test]
fn two_releases_empty_a_leaf() {
    explore(5, || {
        let map = shared(low([3, 4], 2));
        let other = with(&map, |map| map.release(3));
        map.release(4);
        other.join().unwrap();
        check(map, [], ALL);
    });
}

#[test]
fn a_leaf_goes_while_its_neighbour_number_is_wanted() {
    explore(None, || {
        let map = shared(low([3], 2));
        let other = with(&map, |map| map.release(3));
        keep(map.reserve(4)).unwrap();
        other.join().unwrap();
        check(map, [4], ALL);
    });
}

#[test]
fn a_leaf_goes_while_the_cursor_comes() {
    explore(5, || {
        let map = shared(low([3], 3));
        let other = with(&map, |map| map.release(3));
        let mine = keep(map.reserve_next(5)).unwrap();
        assert!(mine == 3 || mine == 4);
        other.join().unwrap();
        check(map, [mine], 5);
    });
}

#[test]
fn a_leaf_goes_while_somebody_looks() {
    explore(None, || {
        let map = low([], 2);
        let mut user = UnsafeCell::new(3);
        map.reserve(3).unwrap().publish(NonNull::from(&mut user));
        let map = shared(map);
        let other = with(&map, |map| map.release(3));
        {
            let guard = read_lock();
            let first = map.get_next(2, &guard);
            let then = map.get(3, &guard);
            assert!(first.is_some() || then.is_none());
        }
        other.join().unwrap();
        check(map, [], ALL);
    });
}

#[test]
fn the_cursor_leaves_a_leaf_as_it_is_emptied() {
    explore(None, || {
        let map = shared(low([2], 3));
        let other = next(&map, 5);
        map.release(2);
        assert_eq!(other.join().unwrap(), Ok(3));
        check(map, [3], 5);
    });
}

#[test]
fn a_reservation_is_dropped_as_its_leaf_goes() {
    explore(4, || {
        let map = shared(low([3], 2));
        let other = with(&map, |map| drop(map.reserve(4)));
        map.release(3);
        other.join().unwrap();
        check(map, [], ALL);
    });
}

/// Nothing can be had: those who fail bring the cursor back, in whatever order they do.
#[test]
fn two_fail_on_a_full_map() {
    explore(3, || {
        let map = shared(low(1..3, 3));
        let other = next(&map, 3);
        let mine = keep(map.reserve_next(3));
        let results = [mine, other.join().unwrap()];
        assert_eq!(results, [Err(ReserveError::Full); 2]);
        assert_eq!(map.cursor(), 3, "no further than pid_max");
        check(map, 1..3, 3);
    });
}

#[test]
fn three_fail_on_a_full_map() {
    explore(2, || {
        let map = share(low(1..3, 3), 3);
        let others = [next(&map, 3), next(&map, 3)];
        let mine = keep(map.reserve_next(3));
        for result in others.map(|other| other.join().unwrap()) {
            assert_eq!(result, Err(ReserveError::Full));
        }
        assert_eq!(mine, Err(ReserveError::Full));
        assert_eq!(map.cursor(), 3, "no further than pid_max");
        check(map, 1..3, 3);
    });
}
