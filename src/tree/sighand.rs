// SPDX-License-Identifier: GPL-2.0

//! Signal dispositions of a process, or of several that were cloned with `CLONE_SIGHAND` and share them.
//!
//! `include/linux/sched/signal.h`: `struct sighand_struct`; `kernel/signal.c`: `flush_signal_handlers()`.
//!
//! # Locks
//!
//! Under the tree lock.

use super::Tree;
use crate::{
    base::slots::Idx,
    tree::group::Group,
    tree::pending::{SigSet, NSIG},
};
use kernel::{
    prelude::*,
    sync::{Arc, UniqueArc},
};

/// The disposition of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// `SIG_DFL`
    Default,
    /// `SIG_IGN`
    Ignore,
    /// Calls a function.
    Handler,
}

/// The signal dispositions of one process, or of several that share them (`struct sighand_struct`).
pub(crate) struct Sighand {
    pub(super) handlers: Handlers,
    /// How many processes share it.
    pub(super) users: u32,
}

impl Sighand {
    read_value! {
        /// See [`Sighand::users`].
        users: u32;
    }
}

impl Sighand {
    /// Dispositions for one process.
    pub(crate) fn new(handlers: Handlers) -> Self {
        Self { handlers, users: 1 }
    }
}

/// The disposition of each signal, with flags and mask (`struct k_sigaction`).
#[derive(Clone)]
pub(crate) struct Handlers {
    /// Signals that are ignored, and that have a handler; no signal is in both.
    pub(super) ignored: SigSet,
    pub(super) handled: SigSet,
    /// Flags and masks, `None` if there are none; forks share them until one changes its own.
    details: Option<Arc<Details>>,
}

impl Handlers {
    read_value! {
        /// See [`Handlers::ignored`].
        ignored: SigSet;
        /// See [`Handlers::handled`].
        handled: SigSet;
    }
}

/// Flags and masks for each signal (`sa_flags`, `sa_mask`), which few processes have any of.
pub(crate) struct Details {
    flags: [u32; NSIG as usize],
    masks: [SigSet; NSIG as usize],
}

impl Details {
    /// Room for those of one process: neither flags nor masks. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(crate) fn room() -> Result<UniqueArc<Self>> {
        // Made in its place: it is three quarters of a KiB.
        let none = init!(Self {
            flags: [0; NSIG as usize],
            masks: [SigSet::EMPTY; NSIG as usize],
        });
        UniqueArc::init(none, GFP_KERNEL_ACCOUNT)
    }

    fn is_none(&self) -> bool {
        self.flags.iter().all(|&flags| flags == 0)
            && self.masks.iter().all(|&mask| mask == SigSet::EMPTY)
    }
}

impl Handlers {
    /// The default for every signal.
    pub(crate) const DEFAULT: Self = Self {
        ignored: SigSet::EMPTY,
        handled: SigSet::EMPTY,
        details: None,
    };

    /// The disposition of a signal.
    pub(crate) fn of(&self, signal: i32) -> Disposition {
        debug_assert!((1..=NSIG).contains(&signal));
        if self.ignored.contains(signal) {
            Disposition::Ignore
        } else if self.handled.contains(signal) {
            Disposition::Handler
        } else {
            Disposition::Default
        }
    }

    /// The flags (`ALTPID_SA_*`) and the mask of a signal.
    pub(crate) fn details(&self, signal: i32) -> (u32, SigSet) {
        let at = signal as usize - 1;
        self.details
            .as_deref()
            .map_or((0, SigSet::EMPTY), |all| (all.flags[at], all.masks[at]))
    }

    /// Whether a signal has a flag (`ALTPID_SA_*`).
    pub(crate) fn has_flag(&self, signal: i32, flag: u32) -> bool {
        self.details(signal).0 & flag != 0
    }

    /// Changes the flags and the mask of a signal; with `room` for them, unless they are what they
    /// were. False: there was no room, and nothing is changed.
    #[must_use]
    pub(crate) fn set_details(
        &mut self,
        signal: i32,
        flags: u32,
        mask: SigSet,
        room: &mut Option<UniqueArc<Details>>,
    ) -> bool {
        if self.details(signal) == (flags, mask) {
            return true;
        }
        let Some(mut new) = room.take() else {
            return false;
        };
        if let Some(old) = self.details.as_deref() {
            new.flags = old.flags;
            new.masks = old.masks;
        }
        let at = signal as usize - 1;
        (new.flags[at], new.masks[at]) = (flags, mask);
        self.details = (!new.is_none()).then(|| new.into());
        true
    }

    /// Changes the disposition of a signal, not its flags and its mask.
    pub(crate) fn set(&mut self, signal: i32, disposition: Disposition) {
        let signal = SigSet::of(&[signal]);
        self.ignored = self.ignored.minus(signal);
        self.handled = self.handled.minus(signal);
        match disposition {
            Disposition::Default => {}
            Disposition::Ignore => self.ignored = self.ignored.union(signal),
            Disposition::Handler => self.handled = self.handled.union(signal),
        }
    }

    /// Back to the default, but for what is ignored (`flush_signal_handlers()`).
    pub(crate) fn forget(&mut self) {
        *self = Self {
            ignored: self.ignored,
            ..Self::DEFAULT
        };
    }
}

impl Tree {
    /// The signal dispositions of a process.
    pub(crate) fn handlers(&self, group: Idx<Group>) -> &Handlers {
        &self.sighands[self.groups[group].sighand].handlers
    }

    /// The signal dispositions of a process, to be changed for every process that shares them.
    pub(crate) fn handlers_mut(&mut self, group: Idx<Group>) -> &mut Handlers {
        &mut self.sighands[self.groups[group].sighand].handlers
    }

    /// Whether a process shares its signal dispositions with another one.
    pub(crate) fn shares_handlers(&self, group: Idx<Group>) -> bool {
        self.sighands[self.groups[group].sighand].users > 1
    }

    /// A process gives up its use of dispositions (`__cleanup_sighand()`).
    pub(crate) fn put_sighand(&mut self, sighand: Idx<Sighand>) {
        self.sighands[sighand].users -= 1;
        if self.sighands[sighand].users == 0 {
            self.sighands.discard(sighand);
        }
    }
}
