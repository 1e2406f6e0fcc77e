// SPDX-License-Identifier: GPL-2.0

//! Memory of user space that arguments of a system call point to: what the border looks at there.
//!
//! It may be another one when the kernel looks itself.

use crate::world::work::is_killed;
use kernel::{prelude::*, uaccess::UserSlice};

/// Writes an int of user space.
pub(super) fn write_word(address: u64, value: i32) -> Result {
    let user = kernel::uaccess::UserPtr::from_addr(address as usize);
    UserSlice::new(user, 4)
        .writer()
        .write_slice(&value.to_ne_bytes())
}

/// Reads an int of user space.
pub(super) fn read_word(address: u64, offset: usize) -> Option<i32> {
    let mut bytes = [0; 4];
    read_bytes(address, offset, &mut bytes).ok()?;
    Some(i32::from_ne_bytes(bytes))
}

/// Reads a long of user space.
fn read_long(address: u64, offset: usize) -> Option<u64> {
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

/// Whether a `struct sigevent` is for one thread (`SIGEV_THREAD_ID`).
pub(super) fn names_thread(event: u64) -> bool {
    event != 0 && read_word(event, 12).is_some_and(|notify| notify & 4 != 0)
}

/// Whether one of these messages says who sends it (`SCM_CREDENTIALS`), or is longer than what is looked
/// at. Of what cannot be read the kernel says what is wrong.
pub(super) fn sends_credentials(messages: u64, count: u32) -> bool {
    // struct mmsghdr, struct msghdr; UIO_MAXIOV
    const MMSGHDR: usize = 64;
    // struct cmsghdr
    const CMSGHDR: usize = 16;
    const MOST: usize = 1 << 16;
    (0..count.min(1024) as usize).any(|index| {
        let offset = index * MMSGHDR;
        let control = read_long(messages, offset + 32).unwrap_or(0);
        let length = read_long(messages, offset + 40).unwrap_or(0) as usize;
        let mut at = 0;
        if control != 0 && length > MOST || is_killed() {
            return true;
        }
        while control != 0 && length.checked_sub(at).is_some_and(|left| left >= CMSGHDR) {
            let Some(size) = read_long(control, at) else {
                return false;
            };
            let kind = (read_word(control, at + 8), read_word(control, at + 12));
            // SOL_SOCKET, SCM_CREDENTIALS
            if kind == (Some(1), Some(2)) {
                return true;
            }
            // CMSG_OK()
            let size = size as usize;
            if size < CMSGHDR || size > length - at {
                return false;
            }
            at += size.next_multiple_of(8);
        }
        false
    })
}
