// SPDX-License-Identifier: GPL-2.0

//! Random sequences on one map, against a model.

use crate::{
    mem,
    pidmap::{Node, PidMap, ReserveError},
    sync::read_lock,
};
use proptest::{collection::vec, prelude::*, test_runner::RngSeed};
use std::{collections::BTreeSet, ptr::NonNull};

type Map = PidMap<u64>;

/// What the map must do: `idr_alloc_cyclic()` as `alloc_pid()` calls it.
#[derive(Default)]
struct Model {
    used: BTreeSet<u32>,
    cursor: u32,
}

impl Model {
    fn next(&mut self, pid_max: u32) -> Option<u32> {
        let lowest = if self.cursor > 300 { 300 } else { 1 };
        let mut free = (self.cursor.max(lowest)..pid_max)
            .chain(lowest..pid_max)
            .filter(|nr| !self.used.contains(nr));
        let nr = free.next()?;
        self.used.insert(nr);
        self.cursor = nr + 1;
        Some(nr)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Next,
    Exact(u32),
    /// One that is in use.
    Release(prop::sample::Index),
    /// All that are in use at and above a number.
    ReleaseFrom(u32),
    SetCursor(u32),
    GetNext(u32),
    /// The next number, when there is no memory for more than so many nodes.
    Starved(u32),
}

fn steps(pid_max: u32) -> impl Strategy<Value = Vec<Step>> {
    let nr = || 1..pid_max;
    let step = prop_oneof![
        12 => Just(Step::Next),
        3 => nr().prop_map(Step::Exact),
        9 => any::<prop::sample::Index>().prop_map(Step::Release),
        1 => nr().prop_map(Step::ReleaseFrom),
        1 => (0..pid_max + 3).prop_map(Step::SetCursor),
        1 => (0..pid_max + 3).prop_map(Step::GetNext),
        1 => (0..3u32).prop_map(Step::Starved),
    ];
    vec(step, 0..if cfg!(miri) { 30 } else { 400 })
}

/// A user that is never looked at: its address tells the number.
fn user(nr: u32) -> NonNull<u64> {
    NonNull::<u64>::dangling().map_addr(|a| a.saturating_add(nr as usize * 8))
}

fn publish<'a>(
    taken: Result<crate::pidmap::Reservation<'a, u64>, ReserveError>,
) -> Result<u32, ReserveError> {
    taken.map(|reservation| {
        let nr = reservation.nr();
        reservation.publish(user(nr));
        nr
    })
}

/// Nodes that are needed: on the way to the numbers in use, to 1, and to where the cursor is.
fn needed(used: &BTreeSet<u32>, cursor: u32) -> usize {
    let mut nodes: BTreeSet<(u32, u32)> = used
        .iter()
        .copied()
        .chain([1, cursor.max(1), cursor.saturating_sub(1).max(1)])
        .flat_map(|nr| (0..4).map(move |level| (level, (nr - 1) >> (6 * (level + 1)))))
        .collect();
    nodes.retain(|&(level, _)| level < 4);
    nodes.len()
}

fn as_the_model_has_it(pid_max: u32, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let before = mem::nodes();
    let (map, mut model) = (Map::new(), Model::default());
    for step in steps {
        match step {
            Step::Next => {
                let expected = model.next(pid_max).ok_or(ReserveError::Full);
                prop_assert_eq!(publish(map.reserve_next(pid_max)), expected);
            }
            Step::Exact(nr) => {
                let free = model.used.insert(nr);
                let expected = if free {
                    Ok(nr)
                } else {
                    Err(ReserveError::InUse)
                };
                prop_assert_eq!(publish(map.reserve(nr)), expected);
            }
            Step::Release(index) => {
                let used: Vec<u32> = model.used.iter().copied().collect();
                if !used.is_empty() {
                    let nr = *index.get(&used);
                    model.used.remove(&nr);
                    map.release(nr);
                }
            }
            Step::ReleaseFrom(nr) => {
                for nr in model.used.split_off(&nr) {
                    map.release(nr);
                }
            }
            Step::SetCursor(next) => {
                map.set_cursor(next);
                model.cursor = next;
            }
            Step::GetNext(nr) => {
                let expected = model.used.range(nr..).next().map(|&nr| (nr, user(nr)));
                prop_assert_eq!(map.get_next(nr, &read_lock()), expected);
            }
            Step::Starved(nodes) => {
                mem::fail_after(Some(nodes));
                let got = publish(map.reserve_next(pid_max));
                mem::fail_after(None);
                if got != Err(ReserveError::NoMemory) {
                    prop_assert_eq!(got, model.next(pid_max).ok_or(ReserveError::Full));
                }
            }
        }
        prop_assert_eq!(map.cursor(), model.cursor);
        prop_assert_eq!(map.is_empty(), model.used.is_empty());
        prop_assert!(map.bytes() <= needed(&model.used, model.cursor) * size_of::<Node>());
    }
    let guard = read_lock();
    for nr in (0..pid_max + 2).step_by(if cfg!(miri) { 97 } else { 1 }) {
        let expected = model.used.contains(&nr).then(|| user(nr));
        prop_assert_eq!(map.get(nr, &guard), expected, "{}", nr);
    }
    drop(guard);
    drop(map);
    prop_assert_eq!(mem::nodes(), before, "nodes are left");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 400 },
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn in_one_leaf(steps in steps(60)) {
        as_the_model_has_it(60, steps)?;
    }

    #[test]
    fn around_the_wrap(steps in steps(330)) {
        as_the_model_has_it(330, steps)?;
    }

    #[test]
    fn in_two_levels(steps in steps(1000)) {
        as_the_model_has_it(1000, steps)?;
    }

    #[test]
    fn in_three_levels(steps in steps(9000)) {
        as_the_model_has_it(9000, steps)?;
    }
}

/// What is kept after the cursor has gone through everything: the ways to 1, to the numbers in use
/// and to the cursor, however many numbers there were.
#[test]
fn little_is_kept_of_the_whole_range() {
    let end = if cfg!(miri) { 200 } else { 1 << 22 };
    let map = Map::new();
    for nr in 1..end {
        assert_eq!(publish(map.reserve_next(end)), Ok(nr));
    }
    let full = map.bytes();
    assert!(full >= (end as usize - 1).div_ceil(64) * size_of::<Node>());
    assert_eq!(publish(map.reserve_next(end)), Err(ReserveError::Full));
    for nr in 1..end {
        map.release(nr);
    }
    assert!(map.is_empty());
    assert!(
        map.bytes() <= 8 * size_of::<Node>(),
        "{} bytes",
        map.bytes()
    );
    // Again, one at a time, with as many in use as a leaf has.
    for nr in 1..=64 {
        assert_eq!(publish(map.reserve(nr)), Ok(nr));
    }
    for _ in 1..end {
        let nr = publish(map.reserve_next(end)).expect("a number");
        map.release(nr);
    }
    assert!(
        map.bytes() <= 8 * size_of::<Node>(),
        "{} bytes",
        map.bytes()
    );
}
