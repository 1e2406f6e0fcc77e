// SPDX-License-Identifier: GPL-2.0

//! Pid namespaces: numbers for the tasks in one and in every one below it.
//!
//! `kernel/pid_namespace.c`: `create_pid_namespace()`, `disable_pid_allocation()`, `put_pid_ns()`;
//! `kernel/pid.c`: the sysctls `pid_max` and `ns_last_pid`.
//!
//! # Lifetime
//!
//! A [`Namespace`] is reference counted. It is held by each [`Pid`] born in it, by the tasks whose
//! children go there, by its child namespaces and by who looks at it. Its memory stays for a grace
//! period longer, for readers that come by a pid.
//!
//! # Locks
//!
//! `life`, `nr_pids` and `reboot` change under the tree lock of the world; they are atomic because they are
//! read without it. Everything else is fixed at creation or has its own rules.

mod life;

pub(crate) use life::{Answer, Life};

mod active;

pub(crate) use self::active::ForChildren;

use crate::{
    base::sync::{Atomic, Relaxed},
    pid::mem::RcuHead,
    pid::pidmap::{PidMap, RESERVED_PIDS},
    pid::registry::{NsId, Registry},
    pid::{create_cache, Pid},
    uapi,
};
use core::{
    mem::offset_of,
    ptr::{null, NonNull},
};
use kernel::{
    bindings,
    prelude::*,
    sync::{
        aref::{ARef, AlwaysRefCounted},
        Arc, //
    }, //
};

/// Levels that exist: MAX_PID_NS_LEVEL + 1 (`include/linux/pid_namespace.h`).
pub(crate) const LEVELS: usize = uapi::ALTPID_LEVELS as usize;

/// Where `pid_max` ends, and a new namespace's begins (`include/linux/threads.h`).
pub(crate) const PID_MAX_LIMIT: i32 = 4 * 1024 * 1024;

/// `PID_MAX_DEFAULT`: the least that an initial namespace starts with.
const PID_MAX_DEFAULT: i32 = 0x8000;

/// `PIDS_PER_CPU_DEFAULT` and `PIDS_PER_CPU_MIN`.
const PIDS_PER_CPU_DEFAULT: i32 = 1024;
const PIDS_PER_CPU_MIN: i32 = 8;

/// The least that `pid_max` can be set to (`pid_max_min`).
pub(crate) fn pid_max_min() -> i32 {
    (RESERVED_PIDS as i32 + 1).max(PIDS_PER_CPU_MIN * kernel::cpu::nr_cpu_ids() as i32)
}

/// What `pid_idr_init()` gives the initial namespace as `pid_max`.
fn pid_max_init() -> i32 {
    PID_MAX_LIMIT.min(PID_MAX_DEFAULT.max(PIDS_PER_CPU_DEFAULT * kernel::cpu::nr_cpu_ids() as i32))
}

/// A pid namespace (`struct pid_namespace`).
pub(crate) struct Namespace {
    /// 0 for the root of a world.
    level: u32,
    id: NsId,
    /// The numbers, and with them the references to the namespace.
    map: PidMap<Pid>,
    /// Numbers are below this.
    pid_max: Atomic<i32>,
    /// Whether numbers may be given out, and the task that is init here.
    life: Life,
    /// What init's status shall say when the namespace was rebooted, or 0.
    reboot: Atomic<i32>,
    /// Numbers in use by tasks, groups and sessions (`pid_allocated` without `PIDNS_ADDING`).
    nr_pids: Atomic<u32>,
    /// Tasks whose children are born here ([`ForChildren`]).
    for_children: Atomic<u32>,
    parent: Option<ARef<Namespace>>,
    /// The namespaces from level 0 to this one, each kept by the one below it.
    ancestors: [*const Namespace; LEVELS],
    registry: Arc<Registry>,
    rcu: RcuHead,
}

// SAFETY: What changes is atomic; the pointers are to namespaces, which are `Sync` themselves and
// kept by `parent`.
unsafe impl Send for Namespace {}
// SAFETY: As above.
unsafe impl Sync for Namespace {}

// SAFETY: The count keeps the namespace until it is 0, and all instances are made by `create`.
unsafe impl AlwaysRefCounted for Namespace {
    fn inc_ref(&self) {
        self.map.owner_refs().inc();
    }

    #[inline]
    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller owned a reference.
        if unsafe { obj.as_ref() }.map.owner_refs().dec_and_test() {
            // SAFETY: That was the last one.
            unsafe { release_line(obj) };
        }
    }
}

/// Releases a namespace to which there is no reference any more, and ancestors that only it has kept: one
/// after the other, not recursively.
///
/// # Safety
///
/// The caller owned the last reference.
#[cold]
unsafe fn release_line(ns: NonNull<Namespace>) {
    // SAFETY: By the safety requirements.
    let mut next = unsafe { Namespace::release(ns) };
    while let Some(ns) = next {
        // SAFETY: The child that was just released owned a reference.
        if !unsafe { ns.as_ref() }.map.owner_refs().dec_and_test() {
            return;
        }
        // SAFETY: That was the last reference.
        next = unsafe { Namespace::release(ns) };
    }
}

/// What can stand in the way of a new namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreateError {
    /// It would be below level 32.
    TooDeep,
    /// The world has as many as it may.
    TooMany,
    /// There is no memory.
    NoMemory,
}

impl From<CreateError> for Error {
    fn from(error: CreateError) -> Error {
        match error {
            CreateError::TooDeep | CreateError::TooMany => ENOSPC,
            CreateError::NoMemory => ENOMEM,
        }
    }
}

impl Namespace {
    /// Makes a namespace below `parent`, or with none the root of a world. May sleep.
    ///
    /// # Errors
    ///
    /// As native, `ENOSPC` for what is too deep or too many, `ENOMEM`.
    #[doc(alias = "create_pid_namespace")]
    pub(crate) fn create(
        parent: Option<&Namespace>,
        registry: &Arc<Registry>,
    ) -> Result<ARef<Namespace>, CreateError> {
        let level = parent.map_or(0, |p| p.level + 1);
        if level as usize >= LEVELS {
            return Err(CreateError::TooDeep);
        }
        create_cache(level as usize).map_err(|_| CreateError::NoMemory)?;
        // Made in its place: it is half a KiB.
        let memory = KBox::new_uninit(GFP_KERNEL_ACCOUNT).map_err(|_| CreateError::NoMemory)?;
        let mut ns = KBox::write(
            memory,
            Namespace {
                level,
                id: NsId::NOTHING,
                map: PidMap::new(),
                pid_max: Atomic::new(if level == 0 {
                    pid_max_init()
                } else {
                    PID_MAX_LIMIT
                }),
                life: Life::new(),
                reboot: Atomic::new(0),
                nr_pids: Atomic::new(0),
                for_children: Atomic::new(0),
                parent: parent.map(ARef::from),
                ancestors: parent.map_or([null(); LEVELS], |p| p.ancestors),
                registry: registry.clone(),
                rcu: RcuHead::new(),
            },
        );
        let this: *const Namespace = &raw const *ns;
        ns.ancestors[level as usize] = this;
        registry.add(&mut ns, |ns, id| ns.id = id)?;
        // SAFETY: The box was just made, and its only reference goes to the caller.
        Ok(unsafe { ARef::from_raw(NonNull::new_unchecked(KBox::into_raw(ns))) })
    }

    /// Ends a namespace that has no reference any more; returns its parent, whose reference the
    /// caller now owns.
    ///
    /// # Safety
    ///
    /// The count has just become 0.
    unsafe fn release(ns: NonNull<Namespace>) -> Option<NonNull<Namespace>> {
        /// Frees the memory of a namespace.
        ///
        /// # Safety
        ///
        /// Called by RCU, once, with the head that was given to it.
        unsafe extern "C" fn free(head: *mut bindings::callback_head) {
            // SAFETY: The head is that of a namespace that `release` was called with; its memory
            // is a box's, and what was in it is gone.
            drop(unsafe {
                KBox::from_raw(
                    head.byte_sub(offset_of!(Namespace, rcu))
                        .cast::<core::mem::MaybeUninit<Namespace>>(),
                )
            });
        }
        // SAFETY: Nobody has a reference, so nobody else uses the fields that are taken here.
        // Readers under RCU that come by a pid read `level` and `ancestors`, which stay.
        unsafe {
            let this = ns.as_ptr();
            (*this).registry.remove((*this).id);
            let parent = (*this).parent.take().map(ARef::into_raw);
            core::ptr::drop_in_place(&raw mut (*this).map);
            core::ptr::drop_in_place(&raw mut (*this).registry);
            (*this).rcu.call(free);
            parent
        }
    }

    /// Takes a reference, unless the namespace is on its way out.
    pub(crate) fn try_get(&self) -> Option<ARef<Namespace>> {
        let taken = self.map.owner_refs().inc_not_zero();
        // SAFETY: The reference was just taken.
        taken.then(|| unsafe { ARef::from_raw(NonNull::from(self)) })
    }

    /// The id, unique in the world for ever.
    pub(crate) fn id(&self) -> NsId {
        self.id
    }

    /// The level, 0 for the root.
    #[inline]
    pub(crate) fn level(&self) -> usize {
        self.level as usize
    }

    /// The namespace above.
    pub(crate) fn parent(&self) -> Option<&Namespace> {
        self.parent.as_deref()
    }

    /// This namespace and all above it, this one first.
    pub(crate) fn upwards(&self) -> impl Iterator<Item = &Namespace> + '_ {
        core::iter::successors(Some(self), |ns| ns.parent())
    }

    /// The namespace at `level` among this one (for its own level or a deeper one) and those above.
    #[inline]
    pub(crate) fn ancestor(&self, level: usize) -> &Namespace {
        // SAFETY: Entries up to the own level point to this namespace and to ancestors, each of
        // which is kept by the one below it.
        unsafe { &*self.ancestors[level.min(self.level())] }
    }

    /// Whether `self` is `other` or one of its ancestors.
    #[inline]
    pub(crate) fn is_ancestor_or_self(&self, other: &Namespace) -> bool {
        self.level <= other.level && core::ptr::eq(other.ancestors[self.level()], self)
    }

    /// The numbers.
    #[inline]
    pub(crate) fn map(&self) -> &PidMap<Pid> {
        &self.map
    }

    /// `kernel.pid_max`: numbers are below it.
    #[inline]
    pub(crate) fn pid_max(&self) -> i32 {
        self.pid_max.load(Relaxed)
    }

    /// Writes `kernel.pid_max`. Numbers in use stay as they are.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a value outside of [`pid_max_min`] to [`PID_MAX_LIMIT`].
    #[doc(alias = "pid_table_root_permissions")]
    pub(crate) fn set_pid_max(&self, value: i64) -> Result {
        if !(i64::from(pid_max_min())..=i64::from(PID_MAX_LIMIT)).contains(&value) {
            return Err(EINVAL);
        }
        self.pid_max.store(value as i32, Relaxed);
        Ok(())
    }

    /// Reads `kernel.ns_last_pid`: the last number given in order.
    #[doc(alias = "pid_ns_ctl_handler")]
    pub(crate) fn last_pid(&self) -> i32 {
        self.map.cursor() as i32 - 1
    }

    /// Writes `kernel.ns_last_pid`: the next number tried is the one after `value`.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a value outside of 0 to `pid_max`, which is allowed itself.
    #[doc(alias = "pid_ns_ctl_handler")]
    pub(crate) fn set_last_pid(&self, value: i64) -> Result {
        if !(0..=i64::from(self.pid_max())).contains(&value) {
            return Err(EINVAL);
        }
        self.map.set_cursor(value as u32 + 1);
        Ok(())
    }

    /// Where it is in its life, for who needs more than one of the facts of it.
    #[inline]
    pub(crate) fn life(&self) -> &Life {
        &self.life
    }

    /// Whether numbers may still be given out (`PIDNS_ADDING`).
    pub(crate) fn is_adding(&self) -> bool {
        self.life.stage().is_adding
    }

    /// Forbids allocation for ever: init is gone. Called under the tree lock. See [`Life::disable`].
    #[doc(alias = "disable_pid_allocation")]
    pub(crate) fn disable_allocation(&self) {
        self.life.disable();
    }

    /// The task that is init, as the tree's raw index; 0 for none.
    #[inline]
    pub(crate) fn child_reaper(&self) -> u32 {
        self.life.stage().child_reaper
    }

    /// Changes who is init. Called under the tree lock.
    pub(crate) fn set_child_reaper(&self, task: u32) {
        self.life.set_child_reaper(task);
    }

    /// The signal that init seems to be killed by, after reboot(2); 0 for none.
    pub(crate) fn reboot(&self) -> i32 {
        self.reboot.load(Relaxed)
    }

    /// Notes that the namespace is rebooted. Called under the tree lock.
    pub(crate) fn set_reboot(&self, signal: i32) {
        self.reboot.store(signal, Relaxed);
    }

    /// Numbers in use.
    pub(crate) fn nr_pids(&self) -> u32 {
        self.nr_pids.load(Relaxed)
    }

    /// Counts a number that tasks use now. Called under the tree lock.
    pub(crate) fn count_pid(&self) {
        self.nr_pids.store(self.nr_pids() + 1, Relaxed);
    }

    /// Counts a number that nothing uses any more; returns how many are left. Called under the
    /// tree lock.
    pub(crate) fn uncount_pid(&self) -> u32 {
        let left = self.nr_pids().saturating_sub(1);
        self.nr_pids.store(left, Relaxed);
        left
    }

    /// Where the namespace is in its life (`ALTPID_NS_*`).
    pub(crate) fn state(&self) -> u32 {
        let stage = self.life.stage();
        match (stage.is_adding, stage.child_reaper) {
            (true, 0) => uapi::ALTPID_NS_AWAITING_INIT,
            (true, _) => uapi::ALTPID_NS_ACTIVE,
            (false, 0) => uapi::ALTPID_NS_DEAD,
            (false, _) => uapi::ALTPID_NS_DYING,
        }
    }
}
