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
    before: KBox<[u8; MOST]>,
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
        let mut before = KBox::new([0; MOST], GFP_KERNEL)?;
        read_bytes(address, 0, &mut before[..len])?;
        write_bytes(address, bytes(address))?;
        Ok(Self {
            address,
            len,
            before,
        })
    }

    /// Where it is.
    pub(super) fn address(&self) -> u64 {
        self.address
    }

    /// The call is over: what the kernel has left there.
    ///
    /// # Errors
    ///
    /// `EFAULT` when it is not there any more.
    pub(super) fn end(self) -> Result<[u8; MOST]> {
        let mut now = [0; MOST];
        let read = read_bytes(self.address, 0, &mut now[..self.len]);
        let _ = write_bytes(self.address, &self.before[..self.len]);
        read.map(|()| now)
    }
}
