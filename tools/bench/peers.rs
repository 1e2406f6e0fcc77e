// SPDX-License-Identifier: GPL-2.0

//! Other ways to give out numbers that the kernel has.

use core::{cell::UnsafeCell, ptr::without_provenance_mut};
use kernel::{bindings, new_spinlock, prelude::*, sync::SpinLock, types::Opaque};

/// One more than the largest number.
const END: i32 = 1 << 22;

/// `XA_FLAGS_LOCK_IRQ` (`include/linux/xarray.h`)
const XA_FLAGS_LOCK_IRQ: bindings::gfp_t = 1;

/// Something that is never looked at.
const USER: *mut core::ffi::c_void = without_provenance_mut(8);

/// `idr_alloc_cyclic()` and `idr_remove()` under a spinlock, as native pids have them, without all
/// the rest of a pid.
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

    #[inline]
    pub(crate) fn take_and_give(&self) {
        // SAFETY: The IDR is initialized and used under its lock only.
        let nr = unsafe {
            let idr = self.idr.lock();
            bindings::idr_alloc_cyclic(idr.get(), USER, 1, END, bindings::GFP_ATOMIC)
        };
        // SAFETY: As above.
        unsafe {
            let idr = self.idr.lock();
            bindings::idr_remove(idr.get(), nr as usize);
        }
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

    #[inline]
    pub(crate) fn take_and_give(&self) {
        let limit = bindings::xa_limit {
            min: 1,
            max: END as u32 - 1,
        };
        let mut nr = 0;
        // SAFETY: The XArray is initialized; the next number is used under its lock.
        unsafe {
            let xa = self.xa.get();
            bindings::xa_lock(xa);
            // It does not fail: the one node that it needs stays.
            let _ = bindings::__xa_alloc_cyclic(
                xa,
                &mut nr,
                USER,
                limit,
                self.next.get(),
                bindings::GFP_ATOMIC,
            );
            bindings::xa_unlock(xa);
            bindings::xa_erase(xa, nr as usize);
        }
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

    #[inline]
    pub(crate) fn take_and_give(&self) {
        // SAFETY: The IDA is initialized and has a lock of its own.
        unsafe {
            let nr =
                bindings::ida_alloc_range(self.0.get(), 1, END as u32 - 1, bindings::GFP_KERNEL);
            bindings::ida_free(self.0.get(), nr as u32);
        }
    }
}

impl Drop for Ida {
    fn drop(&mut self) {
        // SAFETY: Nobody uses it any more.
        unsafe { bindings::ida_destroy(self.0.get()) };
    }
}
