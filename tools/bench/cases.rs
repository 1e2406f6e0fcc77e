// SPDX-License-Identifier: GPL-2.0

//! What is measured: groups of cases, each a bit of the parameter `which`.

mod allocate;
mod cpus;
mod look_up;
mod memory;
mod namespaces;
mod numbers;

use crate::{
    namespace::{Namespace, PID_MAX_LIMIT},
    native::{Native, NativePid},
    pid::{alloc_pid, NewPid},
    registry::Registry,
};
use kernel::{
    prelude::*,
    sync::{aref::ARef, Arc},
};

/// Allocate and free, with `live` pids in use.
const ALLOCATE: u32 = 0x1;
/// Look up and translate, with `live` pids in use.
const LOOK_UP: u32 = 0x2;
/// Create and destroy namespaces.
const NAMESPACES: u32 = 0x4;
/// Other ways to give out numbers.
const NUMBERS: u32 = 0x8;
/// Several CPUs.
const CPUS: u32 = 0x10;
/// A map with one free number. The native namespace's pid_max has been set to 32768 before.
const ONE_FREE: u32 = 0x20;
/// Bytes of what is allocated.
const MEMORY: u32 = 0x40;

/// A namespace at a level, each above with an init and one more pid.
pub(crate) struct Chain {
    ns: ARef<Namespace>,
    _inits: KVVec<NewPid>,
    registry: Arc<Registry>,
}

impl Chain {
    fn new(level: usize) -> Result<Self> {
        let registry = Registry::new(4096)?;
        let root = Namespace::create(None, &registry)?;
        root.set_pid_max(PID_MAX_LIMIT.into())?;
        let mut inits = KVVec::new();
        inits.push(make_init(&root)?, GFP_KERNEL)?;
        let mut ns = root;
        for _ in 0..level {
            ns = Namespace::create(Some(&ns), &registry)?;
            inits.push(make_init(&ns)?, GFP_KERNEL)?;
        }
        Ok(Self {
            ns,
            _inits: inits,
            registry,
        })
    }

    /// The same, with a namespace of its own below.
    fn below(&self) -> Result<Self> {
        let ns = Namespace::create(Some(&self.ns), &self.registry)?;
        let mut inits = KVVec::new();
        inits.push(make_init(&ns)?, GFP_KERNEL)?;
        Ok(Self {
            ns,
            _inits: inits,
            registry: self.registry.clone(),
        })
    }
}

/// Has a namespace have an init: its first number is 1, and others may follow.
fn make_init(ns: &Namespace) -> Result<NewPid> {
    let init = alloc_pid(ns, &[])?;
    ns.set_child_reaper(1);
    Ok(init)
}

/// Pids in use on both sides.
struct Live<'a> {
    ours: KVVec<NewPid>,
    theirs: KVVec<NativePid<'a>>,
}

impl<'a> Live<'a> {
    fn new(count: usize, chain: &Chain, native: &'a Native) -> Result<Self> {
        let mut live = Live {
            ours: KVVec::with_capacity(count, GFP_KERNEL)?,
            theirs: KVVec::with_capacity(count, GFP_KERNEL)?,
        };
        for i in 0..count {
            live.ours.push(alloc_pid(&chain.ns, &[])?, GFP_KERNEL)?;
            live.theirs.push(native.alloc()?, GFP_KERNEL)?;
            if i % 1024 == 0 {
                crate::measure::breathe();
            }
        }
        Ok(live)
    }
}

/// Measures what the bits of `which` say.
pub(crate) fn run(which: u32, live: usize, native: &Native) -> Result {
    let chain = Chain::new(native.level())?;
    if which & (ALLOCATE | LOOK_UP) != 0 {
        let pids = Live::new(live, &chain, native)?;
        if which & ALLOCATE != 0 {
            allocate::with(live, &chain, native);
        }
        if which & LOOK_UP != 0 {
            look_up::among(&pids, &chain, native)?;
        }
    }
    if which & NAMESPACES != 0 {
        namespaces::create_and_destroy(&chain, native);
    }
    if which & NUMBERS != 0 {
        numbers::among(0)?;
        numbers::among(30_000)?;
    }
    if which & CPUS != 0 {
        cpus::allocate(native)?;
    }
    if which & ONE_FREE != 0 {
        allocate::with_one_free(&chain, native)?;
    }
    if which & MEMORY != 0 {
        memory::of_pids(&chain, native)?;
        if native.level() == 0 {
            memory::of_namespaces(&chain, native)?;
            memory::of_tables()?;
        }
    }
    Ok(())
}
