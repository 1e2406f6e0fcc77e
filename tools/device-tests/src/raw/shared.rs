// SPDX-License-Identifier: GPL-2.0

//! Counters that processes share, and that outlive those that are killed.

use rustix::{
    fs::{Mode, OFlags, ftruncate, open},
    mm::{MapFlags, ProtFlags, mmap},
};
use std::{path::Path, ptr::NonNull, sync::atomic::AtomicU64};

/// Some numbers in a file, for as long as the process lives.
#[derive(Debug)]
pub struct Counters {
    base: NonNull<AtomicU64>,
    count: usize,
}

// SAFETY: They are atomics, and stay mapped.
unsafe impl Send for Counters {}
// SAFETY: As above.
unsafe impl Sync for Counters {}

impl Counters {
    /// The first `count` numbers of a file, which is made if there is none.
    ///
    /// # Panics
    ///
    /// When there is no memory, or the file cannot be had.
    pub fn open(path: &Path, count: usize) -> Self {
        let bytes = count * size_of::<AtomicU64>();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let file = open(path, flags, Mode::RUSR | Mode::WUSR).expect("a file for counters");
        ftruncate(&file, bytes as u64).expect("room for counters");
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: A new mapping at an address that the kernel chooses.
        let base = unsafe {
            mmap(
                std::ptr::null_mut(),
                bytes,
                protection,
                MapFlags::SHARED,
                &file,
                0,
            )
        };
        Self {
            base: NonNull::new(base.expect("mmap").cast()).expect("memory is not at 0"),
            count,
        }
    }

    /// All of them.
    pub fn all(&self) -> &[AtomicU64] {
        // SAFETY: As many are mapped, for as long as the process lives; all bytes are valid.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.count) }
    }
}
