// SPDX-License-Identifier: GPL-2.0

//! Pids: one identity with a number in its own namespace and in every one above.
//!
//! `kernel/pid.c`: `free_pid()`, `put_pid()`, `find_pid_ns()`, `find_ge_pid()`, `pid_nr_ns()`. How one is
//! made is in [`alloc`].
//!
//! # Lifetime
//!
//! A [`Pid`] is reference counted and can outlive its numbers, as an open pidfd makes it do. Its
//! memory is type stable: a reader under RCU that finds a pid in a map may see it become another
//! pid under its hands, and finds that out by looking once more ([`Pid::try_get`], [`translate`]).
//!
//! # Locks
//!
//! None for allocation, release, lookup and translation. `users` changes under the tree lock.

mod alloc;
pub(crate) mod mem;
pub(crate) mod namespace;
pub(crate) mod pidmap;
pub(crate) mod registry;

pub(crate) use self::alloc::{alloc_pid, AllocError, NewPid};

use crate::{
    base::refcount::RefCount,
    base::slab::Cache,
    base::sync::{read_lock, Acquire, Atomic, Guard, Relaxed, Release},
    pid::namespace::{Namespace, LEVELS},
};
use core::{alloc::Layout, ptr::NonNull};
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

    /// Begins to make memory of a cache into another pid: readers that still look at the one that
    /// it was find out.
    ///
    /// # Safety
    ///
    /// `pid` was just allocated from a cache.
    unsafe fn begin(pid: NonNull<Pid>) {
        // SAFETY: The constructor of the cache made it a valid `Pid`.
        let incarnation = unsafe { &pid.as_ref().incarnation };
        // Only who owns the memory writes this.
        incarnation.store(incarnation.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Writes the number at `level`.
    ///
    /// # Safety
    ///
    /// [`Pid::begin`] was called, and `level` is not above that of the cache.
    unsafe fn set_number(pid: NonNull<Pid>, level: usize, nr: i32) {
        // SAFETY: By the safety requirements.
        let number = unsafe { pid.as_ref().number_at(level) };
        // Release: a reader that sees the number sees that it is another pid's. Partner: the
        // second look in `translate`. Litmus test: MP+incarnate.
        number.store(nr, Release);
    }

    /// Makes memory of a cache into a pid of `ns`, with one reference. With `stage` [`NUMBERED`] that
    /// is the one of the numbers.
    ///
    /// # Safety
    ///
    /// [`Pid::begin`] was called, and [`Pid::set_number`] for each level up to `ns.level()`, which
    /// is that of the cache.
    unsafe fn incarnate(pid: NonNull<Pid>, ns: &Namespace, stage: u32) -> ARef<Pid> {
        // SAFETY: The constructor of the cache made it a valid `Pid`.
        let this = unsafe { pid.as_ref() };
        ns.inc_ref();
        // Release: a reader that is late follows it, and sees that it is another pid's. Partner: the
        // second look in `translate`. Litmus tests: MP+publish-pid and MP+incarnate-ns.
        this.ns.store(ns, Release);
        this.stage.store(stage, Relaxed);
        for user in &this.users {
            user.store(0, Relaxed);
        }
        // Release: pairs with the Acquire in `try_get`; who gets a reference sees all of the above.
        // Litmus test: MP+take-pid.
        this.refs.set(1);
        // SAFETY: This is the reference that was just counted.
        unsafe { ARef::from_raw(pid) }
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
        // Acquire, here and below: for the second look in `translate`, whichever way it goes.
        // Litmus tests: MP+incarnate-ns and MP+incarnate.
        // SAFETY: The pid owns a reference to the namespace, and the caller one to the pid; or, in
        // `translate`, it is in a read-side critical section that began before the pid's reference
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
    fn try_get(pid: NonNull<Pid>, _guard: &Guard) -> Option<ARef<Pid>> {
        // SAFETY: The memory is type stable, and the guard was held when it was found.
        let this = unsafe { pid.as_ref() };
        // SAFETY: The reference was just taken.
        (this.refs.inc_not_zero()).then(|| unsafe { ARef::from_raw(pid) })
    }

    /// Frees the numbers, at every level. They can be had again at once; the pid itself stays as
    /// long as somebody holds it. Doing it again has no effect.
    ///
    /// Called under the tree lock, or when nobody else can do it.
    #[doc(alias = "free_pid")]
    pub(crate) fn free_numbers(&self) {
        if !self.has_numbers() {
            return;
        }
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
        let pid = CACHES[0].alloc().ok_or(AllocError::NoMemory)?.cast();
        // SAFETY: The memory was just allocated for level 0, which a root is at.
        Ok(unsafe {
            Pid::begin(pid);
            Pid::set_number(pid, 0, 0);
            Pid::incarnate(pid, ns, 0)
        })
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

    /// How its task ended; `None` as long as it has one. Under the tree lock.
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

/// The pid that has number `nr` in `ns`.
#[doc(alias = "find_get_pid")]
pub(crate) fn find_pid(ns: &Namespace, nr: i32) -> Option<ARef<Pid>> {
    let nr = u32::try_from(nr).ok()?;
    let guard = read_lock();
    loop {
        let found = ns.map().find(nr, &guard)?;
        let got = Pid::try_get(found.user, &guard);
        // It may have become another pid between the two: then the number names it no more.
        if got.is_some() && found.is_still() {
            return got;
        }
    }
}

/// The first pid with a number at or after `nr` in `ns`, and that number.
#[doc(alias = "find_ge_pid")]
pub(crate) fn find_pid_from(ns: &Namespace, nr: i32) -> Option<(i32, ARef<Pid>)> {
    let mut from = u32::try_from(nr).unwrap_or(0);
    let guard = read_lock();
    loop {
        let (nr, pid) = ns.map().get_next(from, &guard)?;
        let got = Pid::try_get(pid, &guard);
        if ns.map().get(nr, &guard) == Some(pid) {
            if let Some(pid) = got {
                return Some((nr as i32, pid));
            }
        }
        // Freed meanwhile; whether somebody has the number by now is seen when it is looked at
        // again.
        from = nr;
    }
}

/// What number `nr` of `from` is in `to`: 0 where it is not visible, `None` if it is not in use.
///
/// Takes no reference: two looks at the same pid, with the numbers read in between.
pub(crate) fn translate(from: &Namespace, nr: i32, to: &Namespace) -> Option<i32> {
    let nr = u32::try_from(nr).ok()?;
    let guard = read_lock();
    loop {
        let first = from.map().find(nr, &guard)?;
        // SAFETY: The memory is type stable, and everything in a pid is atomic.
        let pid = unsafe { first.user.as_ref() };
        // Acquire: the numbers are read after this, so they belong to this incarnation or to a
        // later one.
        let incarnation = pid.incarnation.load(Acquire);
        let found = pid.nr_ns(to);
        // The second look: the namespace and the number were read with Acquire, so they were read
        // before it.
        if pid.incarnation.load(Relaxed) == incarnation && first.is_still() {
            return Some(found);
        }
    }
}

/// A number at every level, level 0 first.
pub(crate) fn vector(pid: &Pid, ns: &Namespace) -> [i32; LEVELS] {
    let mut numbers = [0; LEVELS];
    for (nr, level) in numbers.iter_mut().zip(0..=ns.level()) {
        *nr = pid.nr_ns(ns.ancestor(level));
    }
    numbers
}
