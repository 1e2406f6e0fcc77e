// SPDX-License-Identifier: GPL-2.0

//! What others see.

use super::*;

#[test]
fn who_finds_a_user_finds_it_as_it_was_made() {
    explore(None, || {
        let map = shared(map([], 1));
        // Lives until the end of the run: nobody frees it.
        let user = Box::into_raw(Box::new(UnsafeCell::new(0)));
        let shared = user.expose_provenance();
        let other = with(&map, move |map| {
            let user = NonNull::new(std::ptr::with_exposed_provenance_mut::<UnsafeCell<u32>>(
                shared,
            ))
            .unwrap();
            // SAFETY: Nobody else knows it yet.
            unsafe { user.as_ref() }.with_mut(|value| unsafe { *value = 42 });
            map.reserve(6).unwrap().publish(user);
        });
        {
            let guard = read_lock();
            let by_number = map.get(6, &guard);
            let next = map.get_next(1, &guard);
            assert!(next.is_none_or(|(nr, _)| nr == 6));
            for found in by_number.into_iter().chain(next.map(|(_, user)| user)) {
                // SAFETY: It is there until the end of the run, and not written any more.
                let value = unsafe { found.as_ref() }.with(|value| unsafe { *value });
                assert_eq!(value, 42);
            }
        }
        other.join().unwrap();
        check(map, [6], ALL);
        // SAFETY: It came from a box.
        drop(unsafe { Box::from_raw(user) });
    });
}

/// As `alloc_pid()` does it: the number is taken first, so that nothing but the publication orders what
/// is written to the user in between.
#[test]
fn who_finds_a_user_finds_what_was_written_after_the_number_was_taken() {
    explore(None, || {
        let map = shared(map([], 1));
        // Lives until the end of the run: nobody frees it.
        let user = Box::into_raw(Box::new(UnsafeCell::new(0)));
        let shared = user.expose_provenance();
        let other = with(&map, move |map| {
            let user = NonNull::new(std::ptr::with_exposed_provenance_mut::<UnsafeCell<u32>>(
                shared,
            ))
            .unwrap();
            let reservation = map.reserve(6).unwrap();
            // SAFETY: Nobody else knows it yet.
            unsafe { user.as_ref() }.with_mut(|value| unsafe { *value = 42 });
            reservation.publish(user);
        });
        {
            let guard = read_lock();
            if let Some(found) = map.get(6, &guard) {
                // SAFETY: It is there until the end of the run, and not written any more.
                let value = unsafe { found.as_ref() }.with(|value| unsafe { *value });
                assert_eq!(value, 42);
            }
        }
        other.join().unwrap();
        check(map, [6], ALL);
        // SAFETY: It came from a box.
        drop(unsafe { Box::from_raw(user) });
    });
}

/// Who makes a namespace dead and then looks at its map finds each number that was taken by
/// somebody who did not see that.
#[test]
fn a_reservation_is_seen_or_sees_that_the_namespace_is_dead() {
    explore(None, || {
        let map = shared(map([], 1));
        let adding = Arc::new(crate::sync::Atomic::new(1u32));
        adding.load(crate::sync::Relaxed);
        let other = {
            let adding = adding.clone();
            with(&map, move |map| {
                keep(map.reserve(1)).unwrap();
                adding.load(crate::sync::Relaxed) != 0
            })
        };
        adding.xchg(0, crate::sync::Full);
        let empty = map.is_empty();
        let born = other.join().unwrap();
        assert!(!(empty && born), "nobody would end it");
        check(map, [1], ALL);
    });
}
