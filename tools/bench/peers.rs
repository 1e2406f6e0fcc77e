// SPDX-License-Identifier: GPL-2.0

//! Other ways to give out numbers that the kernel has.

use crate::pidmap::PidMap;
use core::{cell::UnsafeCell, mem::ManuallyDrop, ptr::without_provenance_mut};
use kernel::{bindings, id_pool, new_spinlock, prelude::*, sync::SpinLock, types::Opaque};

/// One more than the largest number.
const END: u32 = 1 << 22;

/// `XA_FLAGS_LOCK_IRQ` (`include/linux/xarray.h`)
const XA_FLAGS_LOCK_IRQ: bindings::gfp_t = 1;

/// Something that is never looked at.
const USER: *mut core::ffi::c_void = without_provenance_mut(8);

/// A way to give out numbers from 1. It does not run out of them here.
pub(crate) trait Numbers {
    /// Takes a number.
    fn take(&self) -> u32;
    /// Gives it back.
    fn give(&self, nr: u32);
}

/// altpid's own.
pub(crate) struct Table(PidMap<u64>);

impl Table {
    pub(crate) fn new() -> Self {
        Self(PidMap::new())
    }
}

impl Numbers for Table {
    #[inline]
    fn take(&self) -> u32 {
        // The number stays taken.
        self.0
            .reserve_next(END)
            .map_or(0, |taken| ManuallyDrop::new(taken).nr())
    }

    #[inline]
    fn give(&self, nr: u32) {
        self.0.release(nr);
    }
}

/// `idr_alloc_cyclic()` and `idr_remove()` under a spinlock, as native pids have them.
#[pin_data(PinnedDrop)]
pub(crate) struct Idr {
    #[pin]
    idr: SpinLock<UnsafeCell<bindings::idr>>,
}

impl Idr {
    pub(crate) fn new() -> impl PinInit<Self> {
        let mut idr = bindings::idr::default();
        // `IDR_RT_MARKER` is the same.
        idr.idr_rt.xa_flags = bindings::XA_FLAGS_ALLOC;
        pin_init!(Self {
            idr <- new_spinlock!(UnsafeCell::new(idr), "altpid_bench_idr"),
        })
    }
}

impl Numbers for Idr {
    #[inline]
    fn take(&self) -> u32 {
        let idr = self.idr.lock();
        // SAFETY: The IDR is initialized and used under its lock only.
        let nr = unsafe {
            bindings::idr_alloc_cyclic(idr.get(), USER, 1, END as i32, bindings::GFP_ATOMIC)
        };
        nr as u32
    }

    #[inline]
    fn give(&self, nr: u32) {
        let idr = self.idr.lock();
        // SAFETY: As above.
        unsafe { bindings::idr_remove(idr.get(), nr as usize) };
    }
}

#[pinned_drop]
impl PinnedDrop for Idr {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Nobody uses it any more.
        unsafe { bindings::idr_destroy(self.idr.lock().get()) };
    }
}

/// `__xa_alloc_cyclic()` and `xa_erase()`.
pub(crate) struct XArray {
    xa: Pin<KBox<Opaque<bindings::xarray>>>,
    next: UnsafeCell<u32>,
}

impl XArray {
    pub(crate) fn new() -> Result<Self> {
        let xa = KBox::pin_init(
            Opaque::ffi_init(|xa| {
                // SAFETY: The memory is for an XArray.
                unsafe { bindings::xa_init_flags(xa, bindings::XA_FLAGS_ALLOC) }
            }),
            GFP_KERNEL,
        )?;
        Ok(Self {
            xa,
            next: UnsafeCell::new(0),
        })
    }
}

impl Numbers for XArray {
    #[inline]
    fn take(&self) -> u32 {
        let limit = bindings::xa_limit {
            min: 1,
            max: END - 1,
        };
        let mut nr = 0;
        // SAFETY: The XArray is initialized; the next number is used under its lock.
        unsafe {
            let xa = self.xa.get();
            bindings::xa_lock(xa);
            let _ = bindings::__xa_alloc_cyclic(
                xa,
                &mut nr,
                USER,
                limit,
                self.next.get(),
                bindings::GFP_ATOMIC,
            );
            bindings::xa_unlock(xa);
        }
        nr
    }

    #[inline]
    fn give(&self, nr: u32) {
        // SAFETY: The XArray is initialized.
        unsafe { bindings::xa_erase(self.xa.get(), nr as usize) };
    }
}

impl Drop for XArray {
    fn drop(&mut self) {
        // SAFETY: Nobody uses it any more.
        unsafe { bindings::xa_destroy(self.xa.get()) };
    }
}

/// `ida_alloc_range()` and `ida_free()`: the lowest free number, and nobody to find by it.
pub(crate) struct Ida(Pin<KBox<Opaque<bindings::ida>>>);

impl Ida {
    pub(crate) fn new() -> Result<Self> {
        let ida = KBox::pin_init(
            Opaque::ffi_init(|ida: *mut bindings::ida| {
                // SAFETY: The memory is for an IDA; the flags are `IDA_INIT_FLAGS`.
                unsafe {
                    bindings::xa_init_flags(
                        &raw mut (*ida).xa,
                        XA_FLAGS_LOCK_IRQ | bindings::XA_FLAGS_ALLOC,
                    )
                }
            }),
            GFP_KERNEL,
        )?;
        Ok(Self(ida))
    }
}

impl Numbers for Ida {
    #[inline]
    fn take(&self) -> u32 {
        // SAFETY: The IDA is initialized and has a lock of its own.
        unsafe { bindings::ida_alloc_range(self.0.get(), 1, END - 1, bindings::GFP_KERNEL) as u32 }
    }

    #[inline]
    fn give(&self, nr: u32) {
        // SAFETY: As above.
        unsafe { bindings::ida_free(self.0.get(), nr) };
    }
}

impl Drop for Ida {
    fn drop(&mut self) {
        // SAFETY: Nobody uses it any more.
        unsafe { bindings::ida_destroy(self.0.get()) };
    }
}

/// `kernel::id_pool` under a spinlock, with a cursor, and nobody to find by a number.
#[pin_data]
pub(crate) struct IdPool {
    #[pin]
    pool: SpinLock<(id_pool::IdPool, usize)>,
}

impl IdPool {
    pub(crate) fn new() -> Result<impl PinInit<Self>> {
        let pool = id_pool::IdPool::with_capacity(END as usize, GFP_KERNEL)?;
        Ok(pin_init!(Self {
            pool <- new_spinlock!((pool, 1), "altpid_bench_id_pool"),
        }))
    }
}

impl Numbers for IdPool {
    #[inline]
    fn take(&self) -> u32 {
        let mut guard = self.pool.lock();
        let (pool, next) = &mut *guard;
        let from = if *next < END as usize { *next } else { 1 };
        let nr = pool.find_unused_id(from).map_or(0, |free| free.acquire());
        *next = nr + 1;
        nr as u32
    }

    #[inline]
    fn give(&self, nr: u32) {
        self.pool.lock().0.release_id(nr as usize);
    }
}
