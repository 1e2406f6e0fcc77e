// SPDX-License-Identifier: GPL-2.0

//! Memory of user space that arguments of a system call point to: what the border looks at there.
//!
//! It may be another one when the kernel looks itself.

use kernel::{prelude::*, uaccess::UserSlice};

/// Writes an int of user space.
pub(super) fn write_word(address: u64, value: i32) -> Result {
    write_bytes(address, &value.to_ne_bytes())
}

/// Writes bytes of user space.
pub(super) fn write_bytes(address: u64, bytes: &[u8]) -> Result {
    let user = kernel::uaccess::UserPtr::from_addr(address as usize);
    UserSlice::new(user, bytes.len())
        .writer()
        .write_slice(bytes)
}

/// Reads an int of user space.
pub(super) fn read_word(address: u64, offset: usize) -> Option<i32> {
    let mut bytes = [0; 4];
    read_bytes(address, offset, &mut bytes).ok()?;
    Some(i32::from_ne_bytes(bytes))
}

/// Reads a long of user space.
pub(super) fn read_long(address: u64, offset: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    read_bytes(address, offset, &mut bytes).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

/// Reads bytes of user space.
pub(super) fn read_bytes(address: u64, offset: usize, bytes: &mut [u8]) -> Result {
    let address = (address as usize).checked_add(offset).ok_or(EFAULT)?;
    let user = kernel::uaccess::UserPtr::from_addr(address);
    UserSlice::new(user, bytes.len()).reader().read_slice(bytes)
}
