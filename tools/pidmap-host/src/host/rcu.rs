// SPDX-License-Identifier: GPL-2.0

//! RCU: what is retired is freed as soon as no reader is left that may have found it, and not a
//! moment later.

use core::{
    cell::Cell,
    marker::PhantomData,
    sync::atomic::{
        fence, AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release, SeqCst},
    },
};
use std::sync::Mutex;

const READERS: usize = 64;

/// Counts retirements.
static CLOCK: AtomicU64 = AtomicU64::new(1);
/// For each reading thread the clock when it began, 0 when it does not read.
static READING_SINCE: [AtomicU64; READERS] = [const { AtomicU64::new(0) }; READERS];
static TAKEN: [AtomicBool; READERS] = [const { AtomicBool::new(false) }; READERS];
static RETIRED: Mutex<Vec<Retired>> = Mutex::new(Vec::new());

struct Retired {
    at: u64,
    free: Box<dyn FnOnce() + Send>,
}

/// A thread's entry in [`READING_SINCE`].
struct Reader {
    index: usize,
    depth: Cell<u32>,
}

thread_local! {
    static READER: Reader = Reader {
        index: TAKEN
            .iter()
            .position(|taken| !taken.swap(true, Acquire))
            .expect("a free entry for a reader"),
        depth: const { Cell::new(0) },
    };
}

impl Drop for Reader {
    fn drop(&mut self) {
        TAKEN[self.index].store(false, Release);
    }
}

/// A read-side critical section, until it is dropped.
pub(crate) struct Guard(PhantomData<*mut ()>);

pub(crate) fn read_lock() -> Guard {
    READER.with(|reader| {
        if reader.depth.replace(reader.depth.get() + 1) == 0 {
            READING_SINCE[reader.index].store(CLOCK.load(SeqCst), Relaxed);
            fence(SeqCst);
        }
    });
    Guard(PhantomData)
}

impl Drop for Guard {
    fn drop(&mut self) {
        READER.with(|reader| {
            reader.depth.set(reader.depth.get() - 1);
            if reader.depth.get() == 0 {
                READING_SINCE[reader.index].store(0, Release);
            }
        });
    }
}

/// Has `free` called when no reader is left that began before now.
pub(crate) fn call(free: impl FnOnce() + Send + 'static) {
    let at = CLOCK.fetch_add(1, SeqCst);
    let free = Box::new(free);
    let mut retired = RETIRED.lock().unwrap();
    retired.push(Retired { at, free });
    fence(SeqCst);
    let oldest = READING_SINCE
        .iter()
        .map(|since| since.load(Acquire))
        .filter(|&since| since != 0)
        .min()
        .unwrap_or(u64::MAX);
    for done in retired.extract_if(.., |r| r.at < oldest) {
        (done.free)();
    }
}
