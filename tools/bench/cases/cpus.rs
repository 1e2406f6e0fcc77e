// SPDX-License-Identifier: GPL-2.0

//! Several CPUs that allocate and free at once.

use super::Chain;
use crate::{
    measure::{now, report, settle, BATCHES},
    native::{Native, NativeNs},
    pid::alloc_pid,
    sync::{Atomic, Full, Relaxed},
};
use kernel::{
    prelude::*,
    sync::{Arc, Completion},
    workqueue,
};

/// Pids that each CPU allocates and frees in a batch: few, since other work of the host hits long
/// batches on several CPUs more often than those on one.
const ROUNDS: u32 = 2000;

/// More CPUs than this are not tried.
const MOST_CPUS: u32 = 8;

/// Runs `work` on so many CPUs at once; returns the time until the last is done.
fn together(n: u32, work: impl Fn(u32) + Send + Sync + 'static) -> Result<i64> {
    #[pin_data]
    struct Shared<F> {
        work: F,
        ready: Atomic<u32>,
        running: Atomic<u32>,
        start: Atomic<i64>,
        end: Atomic<i64>,
        #[pin]
        done: Completion,
    }
    let shared = Arc::pin_init(
        pin_init!(Shared {
            work,
            ready: Atomic::new(0),
            running: Atomic::new(n),
            start: Atomic::new(0),
            end: Atomic::new(0),
            done <- Completion::new(),
        }),
        GFP_KERNEL,
    )?;
    for i in 0..n {
        let mine = shared.clone();
        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            mine.ready.fetch_add(1, Full);
            while mine.ready.load(Relaxed) < n {
                core::hint::spin_loop();
            }
            mine.start.store(now(), Relaxed);
            for _ in 0..ROUNDS {
                (mine.work)(i);
            }
            mine.end.store(now(), Relaxed);
            if mine.running.fetch_sub(1, Full) == 1 {
                mine.done.complete_all();
            }
        })?;
    }
    shared.done.wait_for_completion();
    Ok(shared.end.load(Relaxed) - shared.start.load(Relaxed))
}

/// The native side, for work that lives for ever as far as the type says.
#[derive(Clone, Copy)]
struct Forever(usize);

impl Forever {
    fn new<T: Sync>(of: &T) -> Self {
        Self(core::ptr::from_ref(of).expose_provenance())
    }

    /// # Safety
    ///
    /// What it was made of, of this type, lives as long as the result is used.
    unsafe fn get<'a, T: Sync>(self) -> &'a T {
        // SAFETY: By the safety requirements.
        unsafe { &*core::ptr::with_exposed_provenance::<T>(self.0) }
    }
}

fn report_on(case: &str, n: u32, side: &str, ns: i64) {
    let s = if n == 1 { "" } else { "s" };
    report(format_args!("{case}, {n} CPU{s}"), side, n * ROUNDS, ns);
}

/// One batch of altpid's.
fn ours(case: &str, n: u32, chains: &Arc<KVVec<Chain>>) -> Result {
    let chains = chains.clone();
    let ns = together(n, move |i| {
        drop(alloc_pid(
            &chains[(i as usize).min(chains.len() - 1)].ns,
            &[],
        ));
    })?;
    settle();
    report_on(case, n, "altpid", ns);
    Ok(())
}

/// One batch of the kernel's.
fn theirs(case: &str, n: u32, spaces: &KVVec<NativeNs<'_>>) -> Result {
    let all = Forever::new(spaces);
    let ns = together(n, move |i| {
        // SAFETY: `together` returns only when this has ended.
        let spaces = unsafe { all.get::<KVVec<NativeNs<'_>>>() };
        drop(spaces[(i as usize).min(spaces.len() - 1)].alloc());
    })?;
    settle();
    report_on(case, n, "native", ns);
    Ok(())
}

/// In one namespace, and each in a namespace of its own below that.
pub(super) fn allocate(native: &Native) -> Result {
    let cpus = (kernel::cpu::nr_cpu_ids() as u32).min(MOST_CPUS);
    let root = Chain::new(0)?;
    let mut own = KVVec::new();
    let (mut their_root, mut their_own) = (KVVec::new(), KVVec::new());
    their_root.push(native.own_ns(), GFP_KERNEL)?;
    for _ in 0..cpus {
        own.push(root.below()?, GFP_KERNEL)?;
        their_own.push(native.create_ns()?.with_init()?, GFP_KERNEL)?;
    }
    let mut shared = KVVec::new();
    shared.push(root, GFP_KERNEL)?;
    let (shared, own) = (Arc::new(shared, GFP_KERNEL)?, Arc::new(own, GFP_KERNEL)?);
    for _ in 0..5 * BATCHES {
        let mut n = 1;
        while n <= cpus {
            ours("one namespace", n, &shared)?;
            theirs("one namespace", n, &their_root)?;
            ours("separate namespaces", n, &own)?;
            theirs("separate namespaces", n, &their_own)?;
            n *= 2;
        }
    }
    Ok(())
}
