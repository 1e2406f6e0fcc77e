// SPDX-License-Identifier: GPL-2.0

//! Slab caches of the module's own.
//!
//! A thin layer over `kmem_cache_create()` and friends (`include/linux/slab.h`), which the kernel
//! crate has no abstraction for. The caches live in statics, are created before they are needed
//! first and destroyed when the module goes; memory from them is charged to the memory cgroup of
//! whoever caused the allocation.

use crate::base::sync::{Acquire, Atomic, Relaxed, Release};
use core::{alloc::Layout, ptr::NonNull};
use kernel::{bindings, prelude::*};

/// A cache of objects of one size.
///
/// # Invariants
///
/// The pointer is null, or a cache that [`Cache::create`] made and that is not destroyed yet.
pub(crate) struct Cache(Atomic<*mut bindings::kmem_cache>);

impl Cache {
    /// A cache that does not exist yet.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(core::ptr::null_mut()))
    }

    /// Creates the cache, for objects of `layout`.
    ///
    /// With a `constructor` the objects are type stable (`SLAB_TYPESAFE_BY_RCU`): memory of the
    /// cache stays memory of the cache for a grace period after it was freed. A reader under RCU
    /// may find another object in the place of the one it looked for, but never anything else. The
    /// constructor is called when memory joins the cache, not for each allocation.
    pub(crate) fn create(
        &self,
        name: &CStr,
        layout: Layout,
        constructor: Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> Result {
        let mut flags = 1 << bindings::_slab_flag_bits__SLAB_ACCOUNT;
        if constructor.is_some() {
            flags |= 1 << bindings::_slab_flag_bits__SLAB_TYPESAFE_BY_RCU;
        }
        let mut args = bindings::kmem_cache_args {
            align: layout.align() as u32,
            ctor: constructor,
            ..Default::default()
        };
        // SAFETY: The name is copied, and the arguments are valid for the call.
        let cache = unsafe {
            bindings::__kmem_cache_create_args(
                name.as_char_ptr(),
                layout.size() as u32,
                &mut args,
                flags,
            )
        };
        if cache.is_null() {
            return Err(ENOMEM);
        }
        // INVARIANT: It was just made.
        self.0.store(cache, Release);
        Ok(())
    }

    /// Whether it was created. Who is told so can use it.
    pub(crate) fn exists(&self) -> bool {
        // Acquire: pairs with the Release in `create`.
        !self.0.load(Acquire).is_null()
    }

    /// Destroys the cache, if it exists.
    ///
    /// Every object must have been freed: the kernel reports those that are left.
    pub(crate) fn destroy(&self) {
        let cache = self.0.xchg(core::ptr::null_mut(), Relaxed);
        // SAFETY: By the invariants the cache exists or the pointer is null, which is allowed.
        unsafe { bindings::kmem_cache_destroy(cache) };
    }

    /// Allocates an object, uninitialized. May sleep.
    pub(crate) fn alloc(&self) -> Option<NonNull<u8>> {
        // SAFETY: By the invariants; callers run while the module is loaded and only ask a cache
        // that was created.
        let object = unsafe {
            bindings::kmem_cache_alloc_noprof(self.0.load(Relaxed), bindings::GFP_KERNEL)
        };
        NonNull::new(object.cast())
    }

    /// Frees an object.
    ///
    /// # Safety
    ///
    /// It came from [`Cache::alloc`] of this cache, and nobody uses it any more.
    pub(crate) unsafe fn free(&self, object: NonNull<u8>) {
        // SAFETY: By the safety requirements.
        unsafe { bindings::kmem_cache_free(self.0.load(Relaxed), object.as_ptr().cast()) }
    }
}
