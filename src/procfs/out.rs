// SPDX-License-Identifier: GPL-2.0

//! Text that is put together in a buffer of a fixed size.

use kernel::prelude::*;

/// What is written, and how much of it there is.
pub(super) struct Out<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> Out<'a> {
    pub(super) fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    /// Bytes that were written.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that there is room for.
    pub(super) fn room(&self) -> usize {
        self.buffer.len() - self.len
    }

    /// Adds text.
    ///
    /// # Errors
    ///
    /// `EOVERFLOW` when there is no room.
    pub(super) fn text(&mut self, text: &[u8]) -> Result {
        let room = self.buffer.get_mut(self.len..self.len + text.len());
        room.ok_or(EOVERFLOW)?.copy_from_slice(text);
        self.len += text.len();
        Ok(())
    }

    /// Adds a number.
    ///
    /// # Errors
    ///
    /// As [`Out::text`].
    pub(super) fn number(&mut self, number: i64) -> Result {
        self.column(number, 0)
    }

    /// Adds a number that takes so many places at least.
    ///
    /// # Errors
    ///
    /// As [`Out::text`].
    pub(super) fn column(&mut self, number: i64, width: usize) -> Result {
        let mut digits = [b' '; 24];
        let mut at = digits.len();
        let mut left = number.unsigned_abs();
        while left != 0 || at == digits.len() {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        if number < 0 {
            at -= 1;
            digits[at] = b'-';
        }
        self.text(&digits[at.min(digits.len() - width.min(digits.len()))..])
    }

    /// Adds 64 bits as 16 digits.
    ///
    /// # Errors
    ///
    /// As [`Out::text`].
    pub(super) fn hex(&mut self, bits: u64) -> Result {
        for digit in (0..16).rev() {
            let digit = (bits >> (digit * 4) & 0xf) as usize;
            self.text(&b"0123456789abcdef"[digit..=digit])?;
        }
        Ok(())
    }
}
