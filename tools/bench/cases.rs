// SPDX-License-Identifier: GPL-2.0

//! What is measured.

use crate::{
    namespace::{Namespace, PID_MAX_LIMIT},
    native::{flush_work, settle, Native, NativePid},
    peers,
    pid::{self, alloc_pid, NewPid},
    registry::Registry,
    sync::{read_lock, Atomic, Full, Relaxed},
};
use kernel::{
    bindings,
    prelude::*,
    sync::{aref::ARef, Arc, Completion},
    workqueue,
};

/// Allocate and free, with `live` pids in use.
const ALLOCATE: u32 = 0x1;
/// Look up and translate.
const LOOK_UP: u32 = 0x2;
/// Namespaces.
const NAMESPACES: u32 = 0x4;
/// Other ways to give out numbers.
const PEERS: u32 = 0x8;
/// One and two CPUs.
const CPUS: u32 = 0x10;
/// A map with one free number. The native namespace's pid_max has been set to 32768 before.
const ONE_FREE: u32 = 0x20;
/// Bytes of what is allocated.
const MEMORY: u32 = 0x40;

/// Batches of each side.
const BATCHES: usize = 11;
/// Operations of a batch.
const OPERATIONS: u32 = 2000;

fn now() -> i64 {
    // SAFETY: No requirements.
    unsafe { bindings::ktime_get() }
}

fn report(case: core::fmt::Arguments<'_>, side: &str, operations: u32, ns: i64) {
    pr_info!("{} {} {} {}\n", case, side, operations, ns);
}

/// Does something `OPERATIONS` times and returns the time.
fn time(mut operation: impl FnMut()) -> i64 {
    let start = now();
    for _ in 0..OPERATIONS {
        operation();
    }
    now() - start
}

/// One batch of the one side and one of the other, and again.
fn compare(case: core::fmt::Arguments<'_>, mut altpid: impl FnMut(), mut native: impl FnMut()) {
    for _ in 0..BATCHES {
        let ns = time(&mut altpid);
        settle();
        report(case, "altpid", OPERATIONS, ns);
        let ns = time(&mut native);
        settle();
        report(case, "native", OPERATIONS, ns);
    }
}

fn compare_allocation(case: core::fmt::Arguments<'_>, chain: &Chain, native: &Native) {
    compare(
        case,
        || drop(alloc_pid(&chain.ns, &[])),
        || {
            if let Ok(pid) = native.alloc() {
                native.free(pid);
            }
        },
    );
}

/// A namespace at a level, each above with an init and one more pid.
struct Chain {
    ns: ARef<Namespace>,
    _inits: KVVec<NewPid>,
    registry: Arc<Registry>,
}

impl Chain {
    fn new(level: usize) -> Result<Self> {
        let registry = Registry::new(4096)?;
        let mut inits = KVVec::with_capacity(level + 1, GFP_KERNEL)?;
        let mut ns = Namespace::create(None, &registry)?;
        ns.set_pid_max(PID_MAX_LIMIT.into())?;
        for depth in 0..=level {
            if depth > 0 {
                ns = Namespace::create(Some(&ns), &registry)?;
            }
            // As if it had an init: the first number is 1, and others may follow.
            inits.push(alloc_pid(&ns, &[])?, GFP_KERNEL)?;
            ns.set_child_reaper(1);
        }
        Ok(Self {
            ns,
            _inits: inits,
            registry,
        })
    }
}

/// Measures what the bits of `which` say.
pub(crate) fn run(which: u32, live: usize, native: &Native) -> Result {
    let level = native.level();
    let chain = Chain::new(level)?;
    if which & ALLOCATE != 0 {
        allocate(live, &chain, native)?;
    }
    if which & LOOK_UP != 0 {
        look_up(&chain, native)?;
    }
    if which & NAMESPACES != 0 {
        namespaces(&chain, native);
    }
    if which & PEERS != 0 {
        other_peers()?;
    }
    if which & CPUS != 0 {
        cpus(native)?;
    }
    if which & ONE_FREE != 0 {
        one_free(&chain, native)?;
    }
    if which & MEMORY != 0 {
        memory(&chain)?;
    }
    Ok(())
}

fn allocate(live: usize, chain: &Chain, native: &Native) -> Result {
    let mut ours = KVVec::with_capacity(live, GFP_KERNEL)?;
    let mut theirs = KVVec::<NativePid<'_>>::with_capacity(live, GFP_KERNEL)?;
    for i in 0..live {
        ours.push(alloc_pid(&chain.ns, &[])?, GFP_KERNEL)?;
        theirs.push(native.alloc()?, GFP_KERNEL)?;
        if i % 4096 == 0 {
            kernel::task::might_sleep();
        }
    }
    let level = native.level();
    let case = format_args!("alloc+free,level={level},live={live}");
    compare_allocation(case, chain, native);
    drop(ours);
    for pid in theirs {
        native.free(pid);
    }
    settle();
    Ok(())
}

fn look_up(chain: &Chain, native: &Native) -> Result {
    let mut ours = KVVec::new();
    let mut theirs = KVVec::new();
    for _ in 0..1000 {
        ours.push(alloc_pid(&chain.ns, &[])?, GFP_KERNEL)?;
        theirs.push(native.alloc()?, GFP_KERNEL)?;
    }
    let level = native.level();
    let our_nr = |i: u32| ours[i as usize % 1000].nr();
    let their_nr = |i: u32| native.nr(&theirs[i as usize % 1000]);
    let (our_numbers, their_numbers): ([i32; 64], [i32; 64]) = (
        core::array::from_fn(|i| our_nr(i as u32 * 7)),
        core::array::from_fn(|i| their_nr(i as u32 * 7)),
    );
    let (mut i, mut j) = (0, 0);
    let mut found = 0u32;
    compare(
        format_args!("look up,level={level}"),
        || {
            let guard = read_lock();
            let nr = our_numbers[i % 64] as u32;
            found += u32::from(chain.ns.map().get(nr, &guard).is_some());
            i += 1;
        },
        || {
            core::hint::black_box(native.find(their_numbers[j % 64]));
            j += 1;
        },
    );
    if found != OPERATIONS * BATCHES as u32 {
        return Err(EIO);
    }
    compare(
        format_args!("look up a miss,level={level}"),
        || {
            let guard = read_lock();
            core::hint::black_box(chain.ns.map().get(3_000_000, &guard));
        },
        || {
            core::hint::black_box(native.find(3_000_000));
        },
    );
    compare(
        format_args!("translate,level={level}"),
        || {
            core::hint::black_box(pid::translate(&chain.ns, our_numbers[i % 64], &chain.ns));
            i += 1;
        },
        || {
            core::hint::black_box(native.translate(their_numbers[j % 64]));
            j += 1;
        },
    );
    drop(ours);
    for pid in theirs {
        native.free(pid);
    }
    settle();
    Ok(())
}

/// Create and destroy, up to the end of the work that natively does the destroying.
fn namespaces(chain: &Chain, native: &Native) {
    const NAMESPACES: u32 = 200;
    let level = native.level();
    let case = format_args!("namespace create+destroy,level={level}");
    for _ in 0..BATCHES {
        let start = now();
        for _ in 0..NAMESPACES {
            drop(Namespace::create(Some(&chain.ns), &chain.registry));
        }
        let ns = now() - start;
        settle();
        report(case, "altpid", NAMESPACES, ns);
        let start = now();
        for _ in 0..NAMESPACES {
            if native.create_and_put().is_err() {
                return;
            }
        }
        flush_work();
        let ns = now() - start;
        settle();
        report(case, "native", NAMESPACES, ns);
    }
}

fn other_peers() -> Result {
    let idr = KBox::pin_init(peers::Idr::new(), GFP_KERNEL)?;
    let xarray = peers::XArray::new()?;
    let ida = peers::Ida::new()?;
    let map = crate::pidmap::PidMap::<u64>::new();
    for _ in 0..BATCHES {
        let case = format_args!("take+give a number");
        let ns = time(|| drop(map.reserve_next(1 << 22)));
        report(case, "altpid", OPERATIONS, ns);
        report(case, "idr", OPERATIONS, time(|| idr.take_and_give()));
        report(case, "xarray", OPERATIONS, time(|| xarray.take_and_give()));
        report(case, "ida", OPERATIONS, time(|| ida.take_and_give()));
    }
    Ok(())
}

/// Runs `work` on so many CPUs at once; returns the time until the last is done.
fn on_cpus(n: u32, work: impl Fn(u32) + Send + Sync + 'static) -> Result<i64> {
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
            mine.ready.fetch_add(1u32, Full);
            while mine.ready.load(Relaxed) < n {
                core::hint::spin_loop();
            }
            mine.start.store(now(), Relaxed);
            (mine.work)(i);
            mine.end.store(now(), Relaxed);
            if mine.running.fetch_sub(1u32, Full) == 1 {
                mine.done.complete_all();
            }
        })?;
    }
    shared.done.wait_for_completion();
    Ok(shared.end.load(Relaxed) - shared.start.load(Relaxed))
}

fn cpus(native: &Native) -> Result {
    const ROUNDS: u32 = 20_000;
    // Work wants what lives for ever, and this lives until the last batch is done.
    let native = core::ptr::from_ref(native).expose_provenance();
    let shared = Arc::new(Chain::new(0)?, GFP_KERNEL)?;
    let own = [
        Arc::new(Chain::new(0)?, GFP_KERNEL)?,
        Arc::new(Chain::new(0)?, GFP_KERNEL)?,
    ];
    for n in [1, 2] {
        for _ in 0..BATCHES {
            let chain = shared.clone();
            let ns = on_cpus(n, move |_| {
                for _ in 0..ROUNDS {
                    drop(alloc_pid(&chain.ns, &[]));
                }
            })?;
            settle();
            report(
                format_args!("one namespace,cpus={n}"),
                "altpid",
                n * ROUNDS,
                ns,
            );
            let ns = on_cpus(n, move |_| {
                // SAFETY: `on_cpus` returns only when this has ended, and `native` lives longer.
                let native = unsafe { &*core::ptr::with_exposed_provenance::<Native>(native) };
                for _ in 0..ROUNDS {
                    if let Ok(pid) = native.alloc() {
                        native.free(pid);
                    }
                }
            })?;
            settle();
            report(
                format_args!("one namespace,cpus={n}"),
                "native",
                n * ROUNDS,
                ns,
            );
            let chains = own.clone();
            let ns = on_cpus(n, move |i| {
                for _ in 0..ROUNDS {
                    drop(alloc_pid(&chains[i as usize % 2].ns, &[]));
                }
            })?;
            settle();
            report(
                format_args!("separate namespaces,cpus={n}"),
                "altpid",
                n * ROUNDS,
                ns,
            );
        }
    }
    Ok(())
}

fn one_free(chain: &Chain, native: &Native) -> Result {
    chain.ns.set_pid_max(32768)?;
    let mut ours = KVVec::with_capacity(32768, GFP_KERNEL)?;
    let mut theirs = KVVec::<NativePid<'_>>::with_capacity(32768, GFP_KERNEL)?;
    while let Ok(pid) = alloc_pid(&chain.ns, &[]) {
        ours.push(pid, GFP_KERNEL)?;
    }
    while let Ok(pid) = native.alloc() {
        theirs.push(pid, GFP_KERNEL)?;
    }
    // In the middle.
    drop(ours.remove(ours.len() / 2));
    if let Ok(pid) = theirs.remove(theirs.len() / 2) {
        native.free(pid);
    }
    let case = format_args!("alloc+free,level=0,one free of 32768");
    compare_allocation(case, chain, native);
    drop(ours);
    for pid in theirs {
        native.free(pid);
    }
    settle();
    Ok(())
}

fn memory(chain: &Chain) -> Result {
    let before = chain.ns.map().bytes();
    let mut pids = KVVec::new();
    for _ in 0..30_000 {
        pids.push(alloc_pid(&chain.ns, &[])?, GFP_KERNEL)?;
    }
    let map = chain.ns.map().bytes() - before;
    pr_info!("memory: table {} bytes for {} pids\n", map, pids.len());
    let (ours, theirs) = (pid::layout(0).size(), crate::native::size_of_pid(0));
    pr_info!(
        "memory: pid at level 0, altpid {} native {} bytes\n",
        ours,
        theirs
    );
    let (ours, theirs) = (pid::layout(31).size(), crate::native::size_of_pid(31));
    pr_info!(
        "memory: pid at level 31, altpid {} native {} bytes\n",
        ours,
        theirs
    );
    let (ours, theirs) = (
        core::mem::size_of::<Namespace>(),
        core::mem::size_of::<bindings::pid_namespace>(),
    );
    pr_info!(
        "memory: namespace, altpid {} native {} bytes\n",
        ours,
        theirs
    );
    Ok(())
}
