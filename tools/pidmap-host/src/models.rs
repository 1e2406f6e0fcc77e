// SPDX-License-Identifier: GPL-2.0

//! A few threads on a small map, in every interleaving.
//!
//! Nodes have two slots here: numbers 1 and 2 share a leaf, as do 3 and 4, and 16 is the largest. Each
//! model begins with a map that one thread prepared, and ends with [`check`] when all threads are
//! done: what is in use is in use, a search finds everything else (a mark over a free number would
//! hide it), no slot is left frozen, and no node is left that nobody needs.

mod life;
mod low;
mod marks;
mod nodes;
mod numbers;
mod readers;

use crate::{
    mem,
    pidmap::{PidMap, Reservation, ReserveError},
    sync::read_lock,
};
use loom::{
    cell::UnsafeCell,
    thread::{spawn, JoinHandle},
};
use std::{
    collections::BTreeSet,
    ptr::NonNull,
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        Arc,
    },
};

type Map = PidMap<UnsafeCell<u32>>;

/// Larger than every number that there can be.
const ALL: u32 = 17;

/// Runs a model in every interleaving, or in those with at most `preemptions` preemptions where all
/// would be too many.
fn explore(preemptions: impl Into<Option<usize>>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 20_000;
    builder.preemption_bound = preemptions.into();
    let runs = Arc::new(AtomicU64::new(0));
    let counter = runs.clone();
    builder.check(move || {
        counter.fetch_add(1, Relaxed);
        mem::begin();
        model();
        mem::end();
    });
    eprintln!("{} interleavings", runs.load(Relaxed));
}

/// Gives a map to two threads.
fn shared(map: Map) -> Arc<Map> {
    share(map, 2)
}

/// Gives a map to so many threads.
fn share(map: Map, threads: usize) -> Arc<Map> {
    mem::start(threads);
    // Loom is to know every atomic before there are threads.
    map.cursor();
    map.bytes();
    map.get(ALL, &read_lock());
    #[allow(clippy::arc_with_non_send_sync, reason = "loom's cells are not")]
    Arc::new(map)
}

/// A map of full height with the given numbers in use and the cursor at `next`.
fn map(used: impl IntoIterator<Item = u32>, next: u32) -> Map {
    let map = new_map(next);
    drop(map.reserve(ALL - 1).unwrap());
    for nr in used {
        keep(map.reserve(nr)).unwrap();
    }
    map
}

/// A map without a node.
fn new_map(next: u32) -> Map {
    let map = Map::new();
    map.set_cursor(next);
    map
}

/// The number, which stays in use.
fn keep<T>(reservation: Result<Reservation<'_, T>, ReserveError>) -> Result<u32, ReserveError> {
    reservation.map(|reservation| {
        let nr = reservation.nr();
        std::mem::forget(reservation);
        nr
    })
}

/// Starts a thread that works on the map.
fn with<R: 'static>(
    map: &Arc<Map>,
    work: impl FnOnce(&Map) -> R + Send + 'static,
) -> JoinHandle<R> {
    let map = map.clone();
    spawn(move || work(&map))
}

/// Starts a thread that allocates one number.
fn next(map: &Arc<Map>, pid_max: u32) -> JoinHandle<Result<u32, ReserveError>> {
    with(map, move |map| keep(map.reserve_next(pid_max)))
}

/// Checks a map that nobody uses any more, with the given numbers in use.
fn check(map: Arc<Map>, used: impl IntoIterator<Item = u32>, pid_max: u32) {
    mem::stop();
    let used: BTreeSet<u32> = used.into_iter().collect();
    check_nodes(&map, &used);
    assert_eq!(map.is_empty(), used.is_empty());
    for &nr in &used {
        assert_eq!(keep(map.reserve(nr)), Err(ReserveError::InUse));
    }
    // A search, and nothing given back before it: that would clear marks.
    map.set_cursor(1);
    let mut found = BTreeSet::new();
    while let Ok(nr) = keep(map.reserve_next(pid_max)) {
        assert!(found.insert(nr), "{nr} twice");
    }
    let free: BTreeSet<u32> = (1..pid_max).filter(|nr| !used.contains(nr)).collect();
    assert_eq!(found, free, "free numbers are those that a search finds");
    map.set_cursor(1);
    for nr in used.into_iter().chain(free) {
        map.release(nr);
    }
    assert!(map.is_empty());
    check_nodes(&map, &BTreeSet::new());
    drop(Arc::into_inner(map).unwrap());
}

/// Checks that there are no nodes but those above the numbers in use, number 1 and the cursor.
fn check_nodes(map: &Map, used: &BTreeSet<u32>) {
    let nodes = mem::nodes();
    assert_eq!(map.bytes(), nodes * size_of::<crate::pidmap::Node>());
    let next = map.cursor();
    let needed: BTreeSet<(u32, u32)> = used
        .iter()
        .copied()
        .chain([1, next.max(1), next.saturating_sub(1).max(1)])
        .flat_map(|nr| (0..4).map(move |level| (level, (nr - 1) >> (level + 1))))
        .filter(|&(level, index)| index < (ALL - 1) >> (level + 1))
        .collect();
    assert!(
        nodes <= needed.len(),
        "{nodes} nodes where {} are needed: {used:?}, next {next}",
        needed.len()
    );
}
