// SPDX-License-Identifier: GPL-2.0

//! Memory of a member that the kernel is given in place of what the program points to.
//!
//! Below the red zone of the caller's stack, where a signal handler would write as well. The program's own
//! structs may be read-only, shared with others, or looked at by another thread: so the kernel reads a copy with
//! native numbers, or writes there, and what it has written is translated on its way to the program. What was there
//! before is put back.

use super::user::{read_bytes, write_bytes};
use kernel::{bindings, prelude::*};

/// Bytes that can be lent: less than what Go leaves below the stack of a goroutine.
pub(super) const MOST: usize = 256;

/// Bytes below the stack pointer that the program may use (the red zone of the ABI).
const RED_ZONE: u64 = 128;

/// A piece of the caller's stack that the kernel uses for one call.
pub(super) struct Loan {
    address: u64,
    len: usize,
    /// What was there, and what was put there.
    bytes: KBox<[[u8; MOST]; 2]>,
}

impl Loan {
    /// Lends as many bytes as these, at most [`MOST`], with these in them.
    ///
    /// # Errors
    ///
    /// `EFAULT` where there is no stack, `ENOMEM`.
    pub(super) fn new(regs: &bindings::pt_regs, bytes: &[u8]) -> Result<Self> {
        Self::with(regs, bytes.len(), |_| bytes)
    }

    /// Likewise, with what `bytes` says once it is told where they are.
    pub(super) fn with<'a>(
        regs: &bindings::pt_regs,
        len: usize,
        bytes: impl FnOnce(u64) -> &'a [u8],
    ) -> Result<Self> {
        let below = (regs.sp as u64).checked_sub(RED_ZONE + len as u64);
        let address = below.ok_or(EFAULT)? & !15;
        let mut kept = KBox::new([[0; MOST]; 2], GFP_KERNEL)?;
        read_bytes(address, 0, &mut kept[0][..len])?;
        let lent = bytes(address);
        for (to, byte) in kept[1].iter_mut().zip(lent) {
            *to = *byte;
        }
        if let Err(error) = write_bytes(address, lent) {
            // A part of it may be there.
            let _ = write_bytes(address, &kept[0][..len]);
            return Err(error);
        }
        Ok(Self {
            address,
            len,
            bytes: kept,
        })
    }

    /// Where it is.
    pub(super) fn address(&self) -> u64 {
        self.address
    }

    /// The call is over: what the kernel has left there. Where it only reads, what is another now is somebody
    /// else's, and stays.
    ///
    /// # Errors
    ///
    /// `EFAULT` when it is not there any more.
    pub(super) fn end(self, is_only_read: bool) -> Result<[u8; MOST]> {
        let [before, lent] = &*self.bytes;
        let mut now = [0; MOST];
        let read = read_bytes(self.address, 0, &mut now[..self.len]);
        if !is_only_read || now[..self.len] == lent[..self.len] {
            let _ = write_bytes(self.address, &before[..self.len]);
        }
        read.map(|()| now)
    }
}
