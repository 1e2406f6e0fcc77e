// SPDX-License-Identifier: GPL-2.0

//! Deliberate faults, which the oracle must find: that it finds nothing else is worth as much.
//!
//! Only a test build (`ALTPID_FAULTS=y`) has them; in every other one [`has`] is a constant. One is
//! chosen when the module is loaded, by its parameter.

/// A fault, by the number that the parameter has for it.
#[cfg_attr(not(altpid_faults), allow(dead_code))]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Numbers begin again at 1 and not at RESERVED_PIDS.
    WrapToOne = 1,
    /// Init of a namespace does not wait for zombies whose parents are outside.
    NoZapWait = 2,
    /// Orphans go to the init of the namespace above.
    WrongReaper = 3,
    /// A namespace whose init has exited takes new tasks.
    NoGuard = 4,
    /// Who has unshared can do so again.
    UnshareTwice = 5,
    /// Init of a namespace gets signals like everybody.
    NoImmunity = 6,
    /// No fault: loading prints a message with every kind of argument, see `crate::stock::messages`.
    Messages = 100,
    /// Takes the kernel's release for another ([`crate::stock::loading`]).
    OtherRelease = 101,
    /// Looks for a field of the kernel's where it is not.
    OtherLayout = 102,
}

/// Whether this build and load of the module has a fault.
#[cfg(not(altpid_faults))]
#[inline(always)]
pub(crate) const fn has(_: Fault) -> bool {
    false
}

#[cfg(altpid_faults)]
pub(crate) use chosen::{choose, has};

#[cfg(altpid_faults)]
mod chosen {
    use super::Fault;
    use crate::base::sync::{Atomic, Relaxed};

    static CHOSEN: Atomic<u32> = Atomic::new(0);

    /// Chooses the fault with this number, 0 for none.
    pub(crate) fn choose(number: u32) {
        CHOSEN.store(number, Relaxed);
    }

    /// Whether a fault was chosen.
    pub(crate) fn has(fault: Fault) -> bool {
        CHOSEN.load(Relaxed) == fault as u32
    }
}
