// SPDX-License-Identifier: GPL-2.0

//! Memory for generated commands, with every kind of bad place in it.
//!
//! Commands get addresses of an [`Arena`] and of nowhere else: those that its methods give. Bytes
//! are read and written one at a time as atomics, since another thread may change them, or the
//! kernel.

use super::{PAGE, Region, ioctl};
use crate::raw::Access::{Nothing, ReadOnly, ReadWrite};
use rustix::{fd::AsFd, io::Errno};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Pages for structs: two that can be written to, one that cannot be accessed, one that can be
/// read, and again one that cannot be accessed.
const STRUCTS: usize = 5;
/// Pages for arrays, with nothing behind them.
const ARRAYS: usize = 16;

/// An address that the module may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(u64);

impl Address {
    /// As a number, to be put into a struct.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// Where structs and arrays are put.
#[derive(Debug)]
pub struct Arena {
    region: Region,
}

// SAFETY: Its bytes are only accessed as atomics.
unsafe impl Sync for Arena {}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

impl Arena {
    /// Bytes for arrays.
    pub const ARRAY_LEN: usize = ARRAYS * PAGE;

    /// Memory full of zeroes.
    pub fn new() -> Self {
        let mut pages = vec![ReadWrite, ReadWrite, Nothing, ReadOnly, Nothing];
        assert_eq!(pages.len(), STRUCTS);
        pages.resize(STRUCTS + ARRAYS, ReadWrite);
        Self {
            region: Region::new(&pages),
        }
    }

    /// Where a struct of up to a page is good, a few bytes further on.
    pub fn structure(&self, further: usize) -> Address {
        assert!(further <= PAGE);
        Address(self.region.address(further))
    }

    /// A byte of the memory for arrays.
    pub fn array(&self, at: usize) -> Address {
        assert!(at <= Self::ARRAY_LEN);
        Address(self.region.address(STRUCTS * PAGE + at))
    }

    /// Addresses at which something is wrong: nothing is there, it ends too early, it cannot be
    /// written to, it is the kernel's.
    pub fn bad(&self) -> [Address; 16] {
        let page = PAGE as u64;
        let begin = self.region.address(0);
        let end = self.region.address((STRUCTS + ARRAYS) * PAGE);
        [
            0,
            8,
            begin + 2 * page - 1,
            begin + 2 * page - 4,
            begin + 2 * page - 24,
            begin + 2 * page,
            begin + 3 * page,
            begin + 4 * page - 8,
            end - 1,
            end - 4,
            end,
            // The last address of user space and what is behind, the kernel's own, the very last.
            0x7fff_ffff_f000,
            0x8000_0000_0000,
            0xffff_8880_0000_0000,
            0xffff_ffff_8100_0000,
            u64::MAX - 3,
        ]
        .map(Address)
    }

    /// The byte at an address of this arena that can be written to.
    fn byte(&self, address: Address, at: usize) -> &AtomicU8 {
        let begin = self.region.address(0);
        let offset = (address.0 - begin) as usize + at;
        let page = offset / PAGE;
        assert!(page < 2 || (STRUCTS..STRUCTS + ARRAYS).contains(&page));
        // SAFETY: Within the pages that can be written to, and all accesses are atomic.
        unsafe { AtomicU8::from_ptr(self.region.base.as_ptr().add(offset)) }
    }

    /// Whether that many bytes at an address can be written to.
    pub fn is_good(&self, address: Address, len: usize) -> bool {
        let good = |first: usize, pages: usize| {
            let begin = self.region.address(first * PAGE);
            let end = self.region.address((first + pages) * PAGE);
            address.0 >= begin && address.0 <= end && len as u64 <= end - address.0
        };
        good(0, 2) || good(STRUCTS, ARRAYS)
    }

    /// Copies bytes to an address that is good for them.
    pub fn write(&self, address: Address, bytes: &[u8]) {
        for (at, byte) in bytes.iter().enumerate() {
            self.byte(address, at).store(*byte, Relaxed);
        }
    }

    /// Copies bytes from an address that is good for them.
    pub fn read(&self, address: Address, out: &mut [u8]) {
        for (at, byte) in out.iter_mut().enumerate() {
            *byte = self.byte(address, at).load(Relaxed);
        }
    }

    /// Changes a whole number of 4 or 8 bytes at an address that is good for it.
    pub fn store(&self, address: Address, size: usize, value: u64) {
        let pointer = self.byte(address, 0).as_ptr();
        assert!(self.is_good(address, size) && pointer.addr().is_multiple_of(size));
        // SAFETY: Aligned, within the pages that can be written to, and all accesses are atomic.
        unsafe {
            match size {
                4 => AtomicU32::from_ptr(pointer.cast()).store(value as u32, Relaxed),
                _ => AtomicU64::from_ptr(pointer.cast()).store(value, Relaxed),
            }
        }
    }

    /// Issues a command. Addresses in its struct are this arena's as well.
    ///
    /// # Errors
    ///
    /// What the module returns.
    pub fn issue(&self, world: impl AsFd, command: u32, address: Address) -> Result<(), Errno> {
        ioctl(world, command, address.0)
    }
}
