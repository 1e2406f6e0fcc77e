// SPDX-License-Identifier: GPL-2.0

//! Draws clone3(2): flags, exit signals and numbers to have.

use super::{Draw, mood::Mood};
use crate::{
    flags::{
        AUTOREAP, CLEAR_SIGHAND, DETACHED, FS, NEWPID, NNP, PARENT, PIDFD, PIDFD_AUTOKILL, SIGHAND,
        SYSVSEM, THREAD, VFORK, VM,
    },
    op::{Call, Name},
    twin::State,
};

impl Draw {
    pub(super) fn clone_call(&mut self, by: Name, state: &State) -> Call {
        let thread = THREAD | SIGHAND | VM;
        let newpid = if self.mood == Mood::Deep { 60 } else { 14 };
        let threads = if self.mood == Mood::Threads { 50 } else { 12 };
        let die = self.below(100);
        let mut flags = if die < newpid {
            NEWPID | if self.one_in(6) { PARENT } else { 0 }
        } else if die < newpid + threads {
            thread
        } else {
            match self.below(26) {
                0 | 1 => PARENT,
                2 => AUTOREAP,
                3 => VM,
                4 => CLEAR_SIGHAND,
                5 => thread | NEWPID,
                6 => self.any_flags(),
                7 => VM | SYSVSEM | FS,
                8 => VM | SIGHAND,
                9 => VM | SIGHAND | self.pick(&[PARENT, NEWPID, AUTOREAP]).unwrap_or(0),
                10 | 11 if self.mood == Mood::Handles => AUTOREAP,
                _ => 0,
            }
        };
        if self.one_in(if self.mood == Mood::Handles { 2 } else { 10 }) {
            flags |= PIDFD;
            if flags & AUTOREAP != 0 && self.one_in(2) {
                flags |= PIDFD_AUTOKILL;
            }
        }
        if self.one_in(14) {
            // As vfork(2) has it, or not.
            flags |= if self.one_in(4) { VFORK } else { VFORK | VM };
            flags &= !(PIDFD | PIDFD_AUTOKILL);
        }
        let no_signal = flags & (THREAD | PARENT | AUTOREAP) != 0;
        let exit_signal = if no_signal != self.one_in(30) {
            0
        } else if self.one_in(6) {
            self.pick(&[0, 10, 34, 18, 9, 15, 64, 65, 255, 1])
                .unwrap_or(0)
        } else {
            17
        };
        let set_tid = if self.one_in(10) {
            self.set_tid(by, flags, state)
        } else {
            Vec::new()
        };
        Call::Clone {
            child: Name(self.serial),
            flags,
            exit_signal,
            set_tid,
        }
    }

    /// Flags that probably exclude each other.
    fn any_flags(&mut self) -> u64 {
        const ALL: [u64; 12] = [
            VM,
            FS,
            SIGHAND,
            PIDFD,
            PARENT,
            THREAD,
            SYSVSEM,
            DETACHED,
            NEWPID,
            CLEAR_SIGHAND,
            AUTOREAP,
            NNP,
        ];
        let mut flags = 0;
        for flag in ALL {
            if self.one_in(3) {
                flags |= flag;
            }
        }
        if self.one_in(6) {
            flags |= PIDFD_AUTOKILL;
        }
        flags
    }

    fn set_tid(&mut self, by: Name, flags: u64, state: &State) -> Vec<i32> {
        let level = state.tasks[&by].level() + usize::from(flags & NEWPID != 0);
        let size = if self.one_in(8) {
            self.below(level + 4)
        } else {
            1 + self.below(level.clamp(1, 3))
        };
        let mut numbers: Vec<i32> = (0..size)
            .map(|_| match self.below(12) {
                0 => self.range(-1, 1),
                1 => self.range(300, 306),
                2 => 4_194_303 + self.range(0, 1),
                3 => self.range(1, 12),
                _ => self.range(2, 400),
            })
            .collect();
        if flags & NEWPID != 0
            && !self.one_in(5)
            && let Some(first) = numbers.first_mut()
        {
            *first = 1;
        }
        // The arena's parent is the machine, where other numbers are in use.
        numbers.truncate(level);
        if numbers.len() == level && self.one_in(10) {
            numbers.resize(33, 1);
        }
        numbers
    }
}
