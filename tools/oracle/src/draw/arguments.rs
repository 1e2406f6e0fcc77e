// SPDX-License-Identifier: GPL-2.0

//! Draws arguments: signals and sets of them, options, and numbers.

use super::{Draw, leaders};
use crate::{
    op::{Call, Name, Num},
    twin::State,
};
use altpid::{Action, Disposition, SaFlags, SigSet, TaskState};

/// Signals, the more frequent ones more than once; some are none.
const SIGNALS: &[i32] = &[
    9, 9, 9, 15, 15, 15, 19, 19, 18, 18, 18, 18, 20, 20, 21, 22, 1, 1, 10, 10, 10, 10, 12, 17, 17,
    23, 28, 34, 34, 40, 64, 2, 3, 11, 14, 0, 0, 65, -1,
];

impl Draw {
    pub(super) fn sigaction(&mut self) -> Call {
        let signal = if self.one_in(3) { 17 } else { self.signal() };
        let disposition = match self.below(5) {
            0 => Disposition::Default,
            1 | 2 => Disposition::Ignore,
            _ => Disposition::Handler,
        };
        let mut action = Action::from(disposition);
        for flag in [SaFlags::NOCLDSTOP, SaFlags::NOCLDWAIT] {
            action.flags.set(flag, signal == 17 && self.one_in(4));
        }
        let has_handler = disposition == Disposition::Handler;
        for flag in [SaFlags::NODEFER, SaFlags::RESETHAND] {
            action.flags.set(flag, has_handler && self.one_in(5));
        }
        Call::Sigaction(signal, action)
    }

    pub(super) fn signal(&mut self) -> i32 {
        self.pick(SIGNALS).unwrap_or(15)
    }

    pub(super) fn set(&mut self) -> SigSet {
        match self.below(8) {
            0 => SigSet::ALL,
            1 => SigSet::EMPTY,
            _ => {
                let mut bits = 0;
                for _ in 0..=self.below(4) {
                    let signal = self.signal();
                    if (1..=64).contains(&signal) {
                        bits |= 1 << (signal - 1);
                    }
                }
                SigSet::from_bits(bits)
            }
        }
    }

    /// Always without sleeping.
    pub(super) fn wait_options(&mut self, others: &[u32]) -> u32 {
        let mut options = 1;
        for option in others {
            if self.one_in(5) {
                options |= option;
            }
        }
        if self.one_in(40) {
            options |= 0x10;
        }
        options
    }

    /// Whom kill(2) is for.
    pub(super) fn whom(&mut self, by: Name, state: &State, signal: i32) -> Num {
        match self.below(12) {
            0 => Num::Is(0),
            // Not too often everybody.
            1 if signal != 9 || self.one_in(4) => Num::Is(-1),
            2 | 3 => self.group(by, state),
            4 if self.one_in(4) => Num::Is(i32::MIN),
            5 => Num::Is(1),
            _ => self.number(by, state),
        }
    }

    /// Whom wait4(2) waits for.
    pub(super) fn awaited(&mut self, by: Name, state: &State) -> Num {
        match self.below(8) {
            0..=3 => Num::Is(-1),
            4 => Num::Is(0),
            5 => self.group(by, state),
            _ if self.one_in(20) => Num::Is(i32::MIN),
            _ => self.number(by, state),
        }
    }

    /// A process group.
    pub(super) fn group(&mut self, by: Name, state: &State) -> Num {
        let names: Vec<Name> = leaders(state)
            .filter(|(_, seen)| seen.task.pgid == seen.task.pid)
            .filter(|(name, _)| state.number(by, *name, |task| &task.pid).is_some())
            .map(|(name, _)| name)
            .collect();
        match self.pick(&names) {
            // -1 is everybody.
            Some(name) if state.resolve(by, Num::Of(name)) != Some(1) => Num::Minus(name),
            _ => self.number(by, state),
        }
    }

    /// A number: mostly of somebody whom `by` sees.
    pub(super) fn number(&mut self, by: Name, state: &State) -> Num {
        if !self.one_in(10)
            && let Some(name) = self.visible(by, state)
        {
            return Num::Of(name);
        }
        // That of somebody else where he lives, or of nobody.
        let names: Vec<Name> = state.tasks.keys().copied().collect();
        let foreign = self.pick(&names).and_then(|name| {
            let seen = state.tasks.get(&name)?;
            seen.task.pid.last().copied()
        });
        match self.below(4) {
            0 => Num::Is(self.range(1, 12)),
            1 => Num::Is(self.range(-1, 0)),
            2 => Num::Is(foreign.unwrap_or(2)),
            _ => Num::Is(self.range(290, 310)),
        }
    }

    /// Somebody whom `by` sees.
    pub(super) fn visible(&mut self, by: Name, state: &State) -> Option<Name> {
        let names: Vec<Name> = state
            .tasks
            .iter()
            .filter(|(_, seen)| seen.task.state != TaskState::Exiting)
            .map(|(name, _)| *name)
            .filter(|name| state.number(by, *name, |task| &task.pid).is_some())
            .collect();
        self.pick(&names)
    }
}
