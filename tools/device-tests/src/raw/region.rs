// SPDX-License-Identifier: GPL-2.0

//! Memory that the tests give the module addresses of.

use super::PAGE;
use std::{
    ffi::c_int,
    ptr::{self, NonNull},
    slice,
};

/// What can be done with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    ReadWrite,
    /// Reading only.
    ReadOnly,
    /// Nothing.
    Nothing,
}

impl Access {
    fn protection(self) -> c_int {
        match self {
            Self::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
            Self::ReadOnly => libc::PROT_READ,
            Self::Nothing => libc::PROT_NONE,
        }
    }
}

/// Pages of memory, with one more behind them that cannot be accessed.
#[derive(Debug)]
pub struct Region {
    pub(super) base: NonNull<u8>,
    pages: Vec<Access>,
}

impl Region {
    /// Pages of zeroes with the given access.
    pub fn new(pages: &[Access]) -> Self {
        let len = (pages.len() + 1) * PAGE;
        // SAFETY: A new mapping at an address that the kernel chooses.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(base, libc::MAP_FAILED, "mmap");
        let region = Self {
            base: NonNull::new(base.cast()).expect("memory is not at 0"),
            pages: pages.to_vec(),
        };
        region.protect(false);
        region
    }

    /// Usable memory of at least `len` bytes.
    pub fn with_room(len: usize) -> Self {
        Self::new(&vec![Access::ReadWrite; len.div_ceil(PAGE).max(1)])
    }

    /// Bytes before the last page.
    pub fn len(&self) -> usize {
        self.pages.len() * PAGE
    }

    /// Whether only the last page is there.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// The address of a byte in it.
    pub fn address(&self, at: usize) -> u64 {
        assert!(at <= self.len());
        self.base.as_ptr().expose_provenance() as u64 + at as u64
    }

    /// Gives each page its access, or access to all of them.
    fn protect(&self, open: bool) {
        for (index, access) in self.pages.iter().enumerate() {
            let access = if open { Access::ReadWrite } else { *access };
            // SAFETY: The page is one of this mapping, and no reference to it exists: they do not
            // leave `read` and `write`.
            let status = unsafe {
                let page = self.base.as_ptr().add(index * PAGE);
                libc::mprotect(page.cast(), PAGE, access.protection())
            };
            assert_eq!(status, 0, "mprotect");
        }
    }

    /// Copies bytes into it, whatever the access.
    pub fn write(&mut self, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= self.len());
        self.protect(true);
        // SAFETY: Within the mapping, which can be written to now; `self` is borrowed mutably.
        unsafe {
            self.base
                .as_ptr()
                .add(at)
                .copy_from(bytes.as_ptr(), bytes.len())
        };
        self.protect(false);
    }

    /// Copies bytes out of it, whatever the access.
    pub fn read(&self, at: usize, len: usize) -> Vec<u8> {
        assert!(at + len <= self.len());
        self.protect(true);
        // SAFETY: Within the mapping, which can be read now.
        let bytes = unsafe { slice::from_raw_parts(self.base.as_ptr().add(at), len) }.to_vec();
        self.protect(false);
        bytes
    }

    /// Copies numbers into it.
    pub fn write_numbers(&mut self, at: usize, numbers: &[i32]) {
        let bytes: Vec<u8> = numbers.iter().flat_map(|nr| nr.to_ne_bytes()).collect();
        self.write(at, &bytes);
    }

    /// Copies numbers out of it.
    pub fn read_numbers(&self, at: usize, count: usize) -> Vec<i32> {
        let bytes = self.read(at, count * size_of::<i32>());
        let (numbers, _) = bytes.as_chunks();
        numbers.iter().copied().map(i32::from_ne_bytes).collect()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: The mapping is this region's, and goes with it.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len() + PAGE) };
    }
}
