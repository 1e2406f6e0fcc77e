// SPDX-License-Identifier: GPL-2.0

//! Draws what is about pidfds.

use super::{Draw, mood::Mood};
use crate::{
    op::{Call, Handle, Name, Num, Whom},
    twin::State,
};
use altpid::PidfdFlags;

/// How many may be open.
const MOST: usize = 10;
/// `WNOHANG`, `WEXITED`
const WNOHANG: u32 = 1;
const WEXITED: u32 = 4;

impl Draw {
    /// One of those that are open.
    pub(super) fn handle(&mut self, state: &State) -> Option<Handle> {
        let handles: Vec<Handle> = state.handles.keys().copied().collect();
        self.pick(&handles)
    }

    /// `None` when there are enough.
    pub(super) fn pidfd_open(&mut self, by: Name, state: &State) -> Option<Call> {
        if state.handles.len() >= MOST {
            return None;
        }
        let mut flags = PidfdFlags::empty();
        flags.set(PidfdFlags::THREAD, self.one_in(3));
        flags.set(PidfdFlags::NONBLOCK, self.one_in(3));
        if self.one_in(20) {
            // There are none of these.
            flags |= PidfdFlags::from_bits_retain(1 << self.below(7));
        }
        let pid = match self.visible(by, state) {
            Some(name) if !self.one_in(8) => Num::Of(name),
            _ => self.number(by, state),
        };
        Some(Call::PidfdOpen(Handle(self.serial), pid, flags))
    }

    /// Whether a waitid(2) shall be by a pidfd.
    pub(super) fn is_by_pidfd(&mut self, state: &State) -> bool {
        !state.handles.is_empty() && (self.mood == Mood::Handles || self.one_in(4))
    }

    pub(super) fn waitid_by_pidfd(&mut self, state: &State) -> Option<Call> {
        let handle = self.handle(state)?;
        let mut options = self.wait_options(&[0x2, 0x8, 0x100_0000, 0x4000_0000, 0x8000_0000]);
        if !self.one_in(8) {
            options |= WEXITED;
        }
        // Others would sleep.
        if state.handles[&handle].is_nonblock && self.one_in(2) {
            options &= !WNOHANG;
        }
        Some(Call::WaitId(Whom::Pidfd(handle), options))
    }
}
