// SPDX-License-Identifier: GPL-2.0

//! What processes have used, which goes from a child to the parent that waits for it.
//!
//! # Locks
//!
//! The kernel's own, of the calling process.

/// What a process and the children that it has waited for have used (`struct altpid_usage`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Nanoseconds.
    utime: u64,
    /// Nanoseconds.
    stime: u64,
    min_flt: u64,
    maj_flt: u64,
    inblock: u64,
    oublock: u64,
    nvcsw: u64,
    nivcsw: u64,
    /// Pages.
    maxrss: u64,
}

extern "C" {
    fn altpid_own_usage(usage: *mut Usage);
    fn altpid_add_usage(usage: *const Usage);
}

impl Usage {
    /// Of the calling process, whose last thread exits.
    pub(crate) fn own() -> Self {
        let mut usage = Self::default();
        // SAFETY: There is room for the answer.
        unsafe { altpid_own_usage(&mut usage) };
        usage
    }

    /// The calling process has waited for a child that has used this.
    pub(crate) fn add_to_own(&self) {
        // SAFETY: It is read during the call only.
        unsafe { altpid_add_usage(self) };
    }

    /// The words of `struct rusage`.
    pub(crate) fn words(&self) -> [u64; 18] {
        const NANOS: u64 = 1_000_000_000;
        const PAGE_KIB: u64 = kernel::page::PAGE_SIZE as u64 / 1024;
        let mut words = [0; 18];
        for (at, time) in [self.utime, self.stime].into_iter().enumerate() {
            words[2 * at] = time / NANOS;
            words[2 * at + 1] = time % NANOS / 1000;
        }
        words[4] = self.maxrss * PAGE_KIB;
        (words[8], words[9]) = (self.min_flt, self.maj_flt);
        (words[11], words[12]) = (self.inblock, self.oublock);
        (words[16], words[17]) = (self.nvcsw, self.nivcsw);
        words
    }
}
