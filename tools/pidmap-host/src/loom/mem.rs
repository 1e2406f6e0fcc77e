// SPDX-License-Identifier: GPL-2.0

//! Nodes that know whether they may be touched, and the readers that may.
//!
//! What is kept here is no part of the model: loom's threads take turns on one thread of the host,
//! so a thread-local variable of the host is common to a whole run and seen by it alone.

use crate::pidmap::Node;
use crate::sync::Atomic;
use core::ptr::NonNull;
use loom::sync::atomic::{AtomicU64, Ordering};
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
};

/// Two slots a node, so that a few numbers make a tall table.
pub(crate) const NODE_BITS: u32 = 1;

/// Atomics in a node: the slots, `full` and `left`.
const ATOMICS: usize = (1 << NODE_BITS) + 2;

loom::lazy_static! {
    static ref RECLAIM: loom::sync::Mutex<()> = loom::sync::Mutex::new(());
    /// Counts the nodes given to [`free_node_rcu`]; who reads it has seen their removal.
    static ref GRACE: AtomicU64 = AtomicU64::new(0);
}

#[derive(Default)]
struct World {
    /// By address.
    nodes: BTreeMap<usize, State>,
    /// Guards that are held, and by which thread.
    guards: HashMap<u64, usize>,
    next_guard: u64,
    removed: u64,
    /// The thread whose allocations fail.
    failing: Option<usize>,
    /// How many threads run; 0 as long as only one does.
    threads: usize,
    /// Those that have been seen so far.
    ids: Vec<loom::thread::ThreadId>,
}

#[derive(PartialEq)]
enum State {
    Live,
    /// Out of the table; these guards were held when it was taken out.
    Removed(Vec<u64>),
    /// Never got into a table, or the table is gone.
    Freed,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

fn world<R>(f: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(f)
}

/// Begins a run of a model, with one thread.
pub(crate) fn begin() {
    world(|world| *world = World::default());
}

/// From now on there are `threads`, this one included.
pub(crate) fn start(threads: usize) {
    let nodes: Vec<usize> = world(|world| {
        world.threads = threads;
        world.nodes.keys().copied().collect()
    });
    for node in nodes {
        touch(node);
    }
    // These would come to be at their first use, which may be a race.
    thread();
    GRACE.load(Ordering::Relaxed);
    drop(reclaim_lock());
}

/// The other threads have ended.
pub(crate) fn stop() {
    world(|world| world.threads = 0);
}

/// How many threads run, when it is more than one.
pub(crate) fn threads() -> usize {
    world(|world| world.threads)
}

/// Whether more than one thread runs.
pub(crate) fn is_concurrent() -> bool {
    threads() != 0
}

/// The number of this thread, from 0.
pub(crate) fn thread() -> usize {
    if !is_concurrent() {
        return 0;
    }
    let id = loom::thread::current().id();
    world(|world| {
        let known = world.ids.iter().position(|&known| known == id);
        known.unwrap_or_else(|| {
            world.ids.push(id);
            world.ids.len() - 1
        })
    })
}

/// Ends a run: every node has been given back.
pub(crate) fn end() {
    let world = WORLD.take();
    assert!(world.guards.is_empty());
    for (address, state) in world.nodes {
        assert!(state != State::Live, "a node was lost");
        let node = core::ptr::with_exposed_provenance_mut::<Node>(address);
        // SAFETY: It was made by `alloc_node` in this run, and every thread of it has ended.
        drop(unsafe { Box::from_raw(node) });
    }
}

/// Nodes that are in use.
pub(crate) fn nodes() -> usize {
    world(|world| {
        let live = |state: &&State| **state == State::Live;
        world.nodes.values().filter(live).count()
    })
}

/// Has every allocation of this thread fail from now on, or no longer.
pub(crate) fn fail(on: bool) {
    let thread = thread();
    world(|world| world.failing = on.then_some(thread));
}

/// Panics when the calling thread may not touch what is at `address`.
pub(crate) fn check_access(address: usize) {
    let thread = thread();
    world(|world| {
        let Some((node, state)) = world.nodes.range(..=address).next_back() else {
            return;
        };
        if address >= node + size_of::<Node>() {
            return;
        }
        match state {
            State::Live => {}
            State::Removed(readers) => assert!(
                readers.iter().any(|g| world.guards.get(g) == Some(&thread)),
                "use of a removed node after its grace period"
            ),
            State::Freed => panic!("use of a freed node"),
        }
    });
}

/// A read-side critical section, until it is dropped.
pub(crate) struct Guard(u64);

pub(crate) fn read_lock() -> Guard {
    if is_concurrent() && GRACE.load(Ordering::Acquire) != world(|world| world.removed) {
        // The load was late; what was removed until now must not be found under this guard.
        GRACE.fetch_add(0, Ordering::AcqRel);
    }
    let thread = thread();
    world(|world| {
        world.next_guard += 1;
        world.guards.insert(world.next_guard, thread);
        Guard(world.next_guard)
    })
}

impl Drop for Guard {
    fn drop(&mut self) {
        // A panic in a model may be under way, with the world borrowed.
        WORLD.with(|world| {
            if let Ok(mut world) = world.try_borrow_mut() {
                world.guards.remove(&self.0);
            }
        });
    }
}

pub(crate) struct RcuHead;

impl RcuHead {
    pub(crate) fn new() -> Self {
        Self
    }
}

pub(crate) fn alloc_node() -> Option<NonNull<Node>> {
    let thread = thread();
    if world(|world| world.failing == Some(thread)) {
        return None;
    }
    let node = Box::into_raw(Box::new(Node::new()));
    let address = node.expose_provenance();
    world(|world| world.nodes.insert(address, State::Live));
    touch(address);
    NonNull::new(node)
}

/// Makes the atomics of a node known to loom.
fn touch(node: usize) {
    // A node begins with its atomics, one behind the other.
    const { assert!(size_of::<Node>() >= ATOMICS * size_of::<Atomic<u64>>()) };
    let atomics = core::ptr::with_exposed_provenance::<Atomic<u64>>(node);
    for i in 0..ATOMICS {
        // SAFETY: By the layout of `Node`, which is that of C. All atomics have one layout, and
        // each was initialized with 64 bits, or with 32 that are 0.
        unsafe { &*atomics.add(i) }.touch();
    }
}

/// # Safety
///
/// It came from [`alloc_node`], and nobody uses it any more.
pub(crate) unsafe fn free_node(node: NonNull<Node>) {
    retire(node, State::Freed);
}

/// # Safety
///
/// It came from [`alloc_node`], and nobody can find it any more.
pub(crate) unsafe fn free_node_rcu(node: NonNull<Node>) {
    let concurrent = is_concurrent();
    if concurrent {
        GRACE.fetch_add(1, Ordering::AcqRel);
    }
    let readers = world(|world| {
        world.removed += u64::from(concurrent);
        world.guards.keys().copied().collect()
    });
    retire(node, State::Removed(readers));
}

fn retire(node: NonNull<Node>, state: State) {
    let was = world(|world| world.nodes.insert(node.addr().get(), state));
    assert!(was == Some(State::Live), "a node was freed twice");
}

pub(crate) fn reclaim_lock() -> Option<loom::sync::MutexGuard<'static, ()>> {
    is_concurrent().then(|| RECLAIM.lock().unwrap())
}
