// SPDX-License-Identifier: GPL-2.0

//! The cursor of a map: which number is tried next.
//!
//! Its word has the next number in the low half, and in the high half how often it was set back. An
//! allocation moves it and so draws a number; one that fails undoes that, unless others have drawn since.

use super::PidMap;
use crate::base::sync::{Full, Relaxed};

/// Splits the cursor word into how often it was set back and the next number.
pub(super) fn split(cursor: u64) -> (u32, u32) {
    ((cursor >> 32) as u32, cursor as u32)
}

/// The cursor word after `cursor` that names `next` as the next number.
pub(super) fn rewound(cursor: u64, next: u32) -> u64 {
    (u64::from(split(cursor).0.wrapping_add(1)) << 32) | u64::from(next)
}

impl<T> PidMap<T> {
    /// The next number to be tried (`idr_get_cursor()`).
    pub(crate) fn cursor(&self) -> u32 {
        split(self.contended.cursor.load(Relaxed)).1
    }

    /// Makes `next` the next number to be tried (`idr_set_cursor()`).
    pub(crate) fn set_cursor(&self, next: u32) {
        let mut cursor = self.contended.cursor.load(Relaxed);
        while let Err(now) = self
            .contended
            .cursor
            .cmpxchg(cursor, rewound(cursor, next), Full)
        {
            cursor = now;
        }
        self.cursor_moved(split(cursor).1, next);
    }

    /// Sets the cursor back to what it was before an allocation that failed moved it, unless
    /// somebody else has moved it since.
    pub(super) fn move_back(&self, moved: u64, before: u64) -> bool {
        let done = self.contended.cursor.cmpxchg(moved, before, Full).is_ok();
        if done {
            self.cursor_moved(split(moved).1, split(before).1);
        }
        done
    }

    /// Undoes a draw from a full map. Draws that others make at the same time must not add up, or
    /// the cursor would run away from `pid_max` while nothing can be had: whoever cannot undo their own
    /// goes on until it is no further than that.
    pub(super) fn return_ticket_full(&self, ticket: u64, pid_max: u32) {
        if self.move_back(ticket + 1, ticket) {
            return;
        }
        let limit = split(ticket).1.max(pid_max);
        loop {
            let now = self.contended.cursor.load(Relaxed);
            if split(now).1 <= limit || self.move_back(now, rewound(now, limit)) {
                return;
            }
        }
    }
}
