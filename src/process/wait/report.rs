// SPDX-License-Identifier: GPL-2.0

//! What a wait tells of a child.

use crate::{
    tree::pending::{CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED},
    tree::task::TaskId,
};

/// What a wait reports of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// The child's id.
    pub(crate) child: TaskId,
    /// The number of the child as the waiter sees it.
    pub(crate) pid: i32,
    /// `CLD_EXITED` and so on.
    pub(crate) code: i32,
    /// The exit code, or the signal that has killed, stopped or continued the child.
    pub(crate) status: i32,
    /// The user that a member belonged to when it exited.
    pub(crate) uid: u32,
}

impl Report {
    /// Whether the child is dead.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self.code, CLD_EXITED | CLD_KILLED | CLD_DUMPED)
    }

    /// The status word of wait4(2).
    pub(crate) fn word(&self) -> i32 {
        match self.code {
            CLD_EXITED => self.status << 8,
            CLD_STOPPED => self.status << 8 | 0x7f,
            CLD_CONTINUED => 0xffff,
            CLD_DUMPED => self.status | 0x80,
            _ => self.status,
        }
    }
}
