// SPDX-License-Identifier: GPL-2.0

//! What a pid is in memory: its fields, the caches that it comes from, and references to it.
//!
//! `kernel/pid.c`: `put_pid()`, `free_pid()`; `kernel/pid_namespace.c`: `create_pid_cachep()`. All that depends
//! on the raw layout of a [`Pid`] is here.
//!
//! # Lifetime
//!
//! A [`Pid`] is reference counted and can outlive its numbers, as an open pidfd makes it do. Its
//! memory is type stable: a reader under RCU that finds a pid in a map may see it become another
//! pid under its hands, and finds that out by looking once more ([`Pid::try_get`], [`Pid::nr_of_found`]).
//!
//! # Locks
//!
//! None to make, free and read one. `users` and `stage` change under the tree lock.

use super::AllocError;
use crate::{
    base::refcount::RefCount,
    base::slab::Cache,
    base::sync::{Acquire, Atomic, Guard, Relaxed, Release},
    pid::namespace::{Namespace, LEVELS},
};
use core::{alloc::Layout, mem::ManuallyDrop, ptr::NonNull};
use kernel::{
    prelude::*,
    str::CString,
    sync::aref::{ARef, AlwaysRefCounted},
};

/// As what a number can be in use (`enum pid_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum PidType {
    /// A thread's number.
    Pid = 0,
    /// A thread group's.
    Tgid = 1,
    /// A process group's.
    Pgid = 2,
    /// A session's.
    Sid = 3,
}

impl PidType {
    /// All of them.
    pub(crate) const ALL: [PidType; 4] = [Self::Pid, Self::Tgid, Self::Pgid, Self::Sid];
}

/// An identity (`struct pid`), with one number a level behind it in memory.
#[repr(C)]
pub(crate) struct Pid {
    /// How many references there are, one of them that of the numbers. 0 in memory that is no pid
    /// at the moment.
    refs: RefCount,
    /// Changes whenever the memory becomes another pid.
    incarnation: Atomic<u32>,
    /// [`NUMBERED`], [`ATTACHED`] and [`REAPED`]. Written under the tree lock, or when nobody else can
    /// do it.
    stage: Atomic<u32>,
    /// How its task ended, as a status word; with [`REAPED`].
    exit_code: Atomic<i32>,
    /// The namespace it was born in; the pid owns a reference.
    ns: Atomic<*const Namespace>,
    /// Who uses it as what: the first task, group, group of the process group and group of the
    /// session, as raw indices of the tree.
    users: [Atomic<u32>; 4],
    /// What it is in each namespace from level 0 to its own: `ns.level() + 1` entries.
    numbers: [Atomic<i32>; 0],
}

/// In [`Pid::stage`]: the numbers are in the maps, and hold one of the references.
const NUMBERED: u32 = 1;
/// In [`Pid::stage`]: tasks have used it, and it is counted in [`COUNT`].
const ATTACHED: u32 = 2;
/// In [`Pid::stage`]: it was a task's, which is gone (`PIDFS_ATTR_BIT_EXIT`).
const REAPED: u32 = 4;

/// One cache a level, since pids of a level have one size; made when a namespace first is at it.
static CACHES: [Cache; LEVELS] = [const { Cache::new() }; LEVELS];

kernel::sync::global_lock! {
    // SAFETY: Initialized in `init_caches`, before the first namespace exists.
    /// Held by who makes a cache.
    unsafe(uninit) static CREATING: Mutex<()> = ();
}

/// Pids that tasks use or that are kept by somebody, in the whole module.
static COUNT: Atomic<i64> = Atomic::new(0);

/// Gets ready to make caches.
///
/// # Safety
///
/// Called once, when the module is loaded.
pub(crate) unsafe fn init_caches() {
    // SAFETY: By the safety requirements.
    unsafe { CREATING.init() };
}

/// Makes sure that there is a cache for pids born at `level`. May sleep.
#[doc(alias = "create_pid_cachep")]
#[inline]
pub(crate) fn create_cache(level: usize) -> Result {
    if CACHES[level].exists() {
        return Ok(());
    }
    create_missing_cache(level)
}

#[cold]
#[inline(never)]
fn create_missing_cache(level: usize) -> Result {
    /// Makes new memory of a cache into pids that nobody has a reference to.
    ///
    /// # Safety
    ///
    /// Called by the allocator with memory for an object of the cache.
    unsafe extern "C" fn construct(object: *mut c_void) {
        // SAFETY: The object is memory for a `Pid`, and nobody knows it yet.
        unsafe { object.write_bytes(0, core::mem::size_of::<Pid>()) };
    }
    let _creating = CREATING.lock();
    let cache = &CACHES[level];
    if cache.exists() {
        return Ok(());
    }
    let name = CString::try_from_fmt(fmt!("altpid_pid_{}", level))?;
    cache.create(&name, layout(level), Some(construct))
}

/// Gives back what [`create_cache`] made. No pid may exist any more.
pub(crate) fn destroy_caches() {
    for cache in &CACHES {
        cache.destroy();
    }
}

/// See `pids` in `struct altpid_world`.
pub(crate) fn count() -> u64 {
    COUNT.load(Relaxed).max(0) as u64
}

/// Size and alignment of a pid born at `level`.
pub(crate) const fn layout(level: usize) -> Layout {
    let size = core::mem::size_of::<Pid>() + (level + 1) * core::mem::size_of::<i32>();
    let align = core::mem::align_of::<Pid>();
    match Layout::from_size_align(size.next_multiple_of(align), align) {
        Ok(layout) => layout,
        Err(_) => panic!("a pid fits into memory"),
    }
}

// SAFETY: All of it is atomic, and namespaces are `Sync`.
unsafe impl Send for Pid {}
// SAFETY: As above.
unsafe impl Sync for Pid {}

// SAFETY: The count keeps the pid until it is 0, and all instances are made by `alloc_pid`.
unsafe impl AlwaysRefCounted for Pid {
    fn inc_ref(&self) {
        self.refs.inc();
    }

    #[doc(alias = "put_pid")]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller owns a reference, and says so.
        unsafe { Pid::put(obj) };
    }
}

/// Memory for a pid, which goes back if nothing comes of it.
pub(super) struct PidMemory {
    /// From the cache of this level, and known to nobody else.
    memory: NonNull<Pid>,
    level: usize,
}

/// Whether a pid is in the maps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// It is not.
    None,
    /// It is about to be: its one reference is that of the numbers.
    InMaps,
}

impl PidMemory {
    /// Memory for a pid born at `level`, for which there is a cache: readers that still look at the pid
    /// that it was find out. May sleep.
    #[inline]
    pub(super) fn alloc(level: usize) -> Result<Self, AllocError> {
        let memory = CACHES[level].alloc().ok_or(AllocError::NoMemory)?.cast();
        let this = Self { memory, level };
        let incarnation = &this.pid().incarnation;
        // Nobody else writes it.
        incarnation.store(incarnation.load(Relaxed).wrapping_add(1), Relaxed);
        Ok(this)
    }

    fn pid(&self) -> &Pid {
        // SAFETY: The constructor of the cache made it a valid `Pid`, and it is this one's.
        unsafe { self.memory.as_ref() }
    }

    /// Writes the number at `level`, which is not above that of the memory.
    #[inline]
    pub(super) fn set_number(&mut self, level: usize, nr: i32) {
        assert!(level <= self.level);
        // SAFETY: Checked above.
        let number = unsafe { self.pid().number_at(level) };
        // Release: a reader that sees the number sees that it is another pid's. Partner: the
        // second look in `nr_of_found`. Litmus test: MP+incarnate.
        number.store(nr, Release);
    }

    /// Makes it a pid of `ns`, which is at its level, with one reference. Every number was written.
    #[inline]
    pub(super) fn incarnate(self, ns: &Namespace, numbers: Numbers) -> ARef<Pid> {
        assert!(ns.level() == self.level);
        let stage = match numbers {
            Numbers::None => 0,
            Numbers::InMaps => NUMBERED,
        };
        let this = ManuallyDrop::new(self);
        let pid = this.pid();
        ns.inc_ref();
        // Release: a reader that is late follows it, and sees that it is another pid's. Partner: the
        // second look in `nr_of_found`. Litmus tests: MP+publish-pid and MP+incarnate-ns.
        pid.ns.store(ns, Release);
        pid.stage.store(stage, Relaxed);
        for user in &pid.users {
            user.store(0, Relaxed);
        }
        // Release: pairs with the Acquire in `try_get`; who gets a reference sees all of the above.
        // Litmus test: MP+take-pid.
        pid.refs.set(1);
        // SAFETY: This is the reference that was just counted.
        unsafe { ARef::from_raw(this.memory) }
    }
}

impl Drop for PidMemory {
    fn drop(&mut self) {
        // SAFETY: The memory came from the cache, and nobody has got to know it.
        unsafe { CACHES[self.level].free(self.memory.cast()) };
    }
}

impl Pid {
    /// Drops a reference.
    ///
    /// # Safety
    ///
    /// The caller owns it, and does not use the pid any more.
    #[inline]
    unsafe fn put(pid: NonNull<Self>) {
        // SAFETY: The caller owns a reference.
        let this = unsafe { pid.as_ref() };
        if !this.refs.dec_and_test() {
            return;
        }
        let ns = this.ns.load(Relaxed).cast_mut();
        if this.stage.load(Relaxed) & ATTACHED != 0 {
            COUNT.add(-1, Relaxed);
        }
        // SAFETY: That was the last reference to the pid, so its reference to the namespace can
        // go too; the namespace, still held here, says which cache the memory is from.
        unsafe {
            CACHES[(*ns).level()].free(pid.cast());
            Namespace::dec_ref(NonNull::new_unchecked(ns));
        }
    }

    /// The number at `level`.
    ///
    /// # Safety
    ///
    /// `level` is not above the level of the cache that the memory came from.
    #[inline]
    unsafe fn number_at(&self, level: usize) -> &Atomic<i32> {
        // SAFETY: There are that many numbers behind the fixed part.
        unsafe { &*self.numbers.as_ptr().add(level) }
    }
    /// Whether another reference is to this pid.
    #[inline]
    pub(crate) fn is(&self, other: &Pid) -> bool {
        core::ptr::eq(self, other)
    }

    /// The namespace it was born in: the active one of its tasks.
    #[inline]
    pub(crate) fn ns(&self) -> &Namespace {
        // SAFETY: The pid owns a reference to the namespace, and whoever calls this one to the pid.
        unsafe { &*self.ns.load(Relaxed) }
    }

    /// The number in its own namespace.
    #[doc(alias = "pid_vnr")]
    pub(crate) fn nr(&self) -> i32 {
        self.nr_at(self.ns().level())
    }

    /// The number at a level of its own namespace's ancestors, 0 below its own.
    pub(crate) fn nr_at(&self, level: usize) -> i32 {
        if level > self.ns().level() {
            return 0;
        }
        // SAFETY: Checked above.
        unsafe { self.number_at(level) }.load(Relaxed)
    }

    /// What it is in `ns`: 0 where it is not visible. A number stays readable after it was freed.
    #[doc(alias = "pid_nr_ns")]
    #[inline]
    pub(crate) fn nr_ns(&self, ns: &Namespace) -> i32 {
        // Acquire, here and below: for the second look in `nr_of_found`, whichever way it goes.
        // Litmus tests: MP+incarnate-ns and MP+incarnate.
        // SAFETY: The pid owns a reference to the namespace, and the caller one to the pid; or, in
        // `nr_of_found`, it is in a read-side critical section that began before the pid's reference
        // went, and the namespace stays as long.
        let own = unsafe { &*self.ns.load(Acquire) };
        if ns.is_ancestor_or_self(own) {
            // SAFETY: An ancestor's level is not above its own.
            unsafe { self.number_at(ns.level()) }.load(Acquire)
        } else {
            0
        }
    }

    /// Takes a reference to a pid that was found in a map, unless it is gone already.
    pub(super) fn try_get(pid: NonNull<Pid>, _guard: &Guard) -> Option<ARef<Pid>> {
        // SAFETY: The memory is type stable, and the guard was held when it was found.
        let this = unsafe { pid.as_ref() };
        // SAFETY: The reference was just taken.
        (this.refs.inc_not_zero()).then(|| unsafe { ARef::from_raw(pid) })
    }

    /// What a pid that was found in a map is in `ns`, 0 where it is not visible; `None` when it became
    /// another pid meanwhile. Takes no reference: two looks, with the number read in between.
    #[inline]
    pub(super) fn nr_of_found(pid: NonNull<Pid>, ns: &Namespace, _guard: &Guard) -> Option<i32> {
        // SAFETY: The memory is type stable, and everything in a pid is atomic.
        let pid = unsafe { pid.as_ref() };
        // Acquire: the numbers are read after this, so they belong to this incarnation or to a
        // later one.
        let incarnation = pid.incarnation.load(Acquire);
        let nr = pid.nr_ns(ns);
        // The second look: the namespace and the number were read with Acquire, so they were read
        // before it.
        (pid.incarnation.load(Relaxed) == incarnation).then_some(nr)
    }

    /// Frees the numbers, at every level. They can be had again at once; the pid itself stays as
    /// long as somebody holds it. Doing it again has no effect.
    ///
    /// Called under the tree lock, or when nobody else can do it.
    #[doc(alias = "free_pid")]
    #[inline]
    pub(crate) fn free_numbers(&self) {
        if self.has_numbers() {
            self.free_own_numbers();
        }
    }

    fn free_own_numbers(&self) {
        let ns = self.ns();
        // Root first, as native does it.
        for level in 0..=ns.level() {
            ns.ancestor(level).map().release(self.nr_at(level) as u32);
        }
        let stage = self.stage.load(Relaxed);
        self.stage.store(stage & !NUMBERED, Relaxed);
        // SAFETY: The numbers came with one reference, which goes with them.
        unsafe { Pid::put(NonNull::from(self)) };
    }

    /// A pid with number 0 in the root namespace `ns` and in no map: what the process group and the
    /// session of a world's init are before it makes its own (`init_struct_pid`).
    pub(crate) fn outside(ns: &Namespace) -> Result<ARef<Pid>, AllocError> {
        let mut memory = PidMemory::alloc(ns.level())?;
        memory.set_number(0, 0);
        Ok(memory.incarnate(ns, Numbers::None))
    }

    /// Whether its numbers are in use; not after [`Pid::free_numbers`].
    pub(crate) fn has_numbers(&self) -> bool {
        self.stage.load(Relaxed) & NUMBERED != 0
    }

    /// Notes that a task uses the pid, which so far nobody did: it counts in every namespace that
    /// it has a number in. Called under the tree lock.
    pub(crate) fn attach(&self) {
        self.add_stage(ATTACHED);
        COUNT.add(1, Relaxed);
        self.ns().upwards().for_each(Namespace::count_pid);
    }

    /// Notes how the task ended that had the pid and is gone. Called under the tree lock.
    #[doc(alias = "pidfs_exit")]
    pub(crate) fn set_exit_code(&self, status: i32) {
        self.exit_code.store(status, Relaxed);
        self.add_stage(REAPED);
    }

    /// Sets a bit in [`Pid::stage`]. Called under the tree lock.
    fn add_stage(&self, bit: u32) {
        self.stage.store(self.stage.load(Relaxed) | bit, Relaxed);
    }

    /// How its task ended; `None` as long as it has one. It stays what it is under the tree lock.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        (self.stage.load(Relaxed) & REAPED != 0).then(|| self.exit_code.load(Relaxed))
    }

    /// The first user of one kind, as a raw index of the tree; 0 for none. Which tree it is an
    /// index of depends on the kind.
    pub(crate) fn user(&self, kind: PidType) -> u32 {
        self.users[kind as usize].load(Relaxed)
    }

    /// Changes the first user of one kind. Called under the tree lock.
    pub(crate) fn set_user(&self, kind: PidType, user: u32) {
        self.users[kind as usize].store(user, Relaxed);
    }

    /// Whether nothing uses it. Under the tree lock.
    pub(crate) fn is_unused(&self) -> bool {
        self.users.iter().all(|user| user.load(Relaxed) == 0)
    }
}
