// SPDX-License-Identifier: GPL-2.0

//! Which conversions of numbers the kernel is expected to make in a system call of a member.
//!
//! Only a build for tests (`ALTPID_LEAKS=y`) has this, with `src/native/leaks.c`, which sees each conversion; in
//! every other one nothing is kept. A number is expected to be looked up in a system call if it is one that a
//! translation has put there; one is expected to be told if what comes of the call is translated.
//! All others are reported, but for those of functions of which `leaks.c` knows why they are harmless.
//!
//! # Locks
//!
//! None: it is asked like an NMI.

#[cfg(not(altpid_leaks))]
pub(super) use absent::{is_untranslated, Given, Watch};
#[cfg(altpid_leaks)]
pub(super) use present::{is_untranslated, Given, Watch};

#[cfg(not(altpid_leaks))]
mod absent {
    use kernel::prelude::*;

    pub(in super::super) struct Given(());

    impl Given {
        pub(in super::super) const fn new() -> Self {
            Self(())
        }

        #[inline(always)]
        pub(in super::super) fn note(&self, _: i32) {}

        #[inline(always)]
        pub(in super::super) fn clear(&self) {}
    }

    pub(in super::super) struct Watch(());

    impl Watch {
        pub(in super::super) fn new() -> Result<Self> {
            Ok(Self(()))
        }
    }

    #[inline(always)]
    pub(in super::super) const fn is_untranslated(_: i64) -> bool {
        false
    }
}

#[cfg(altpid_leaks)]
mod present {
    use crate::{
        base::sync::{Atomic, Relaxed},
        body::{
            calls::{Call, Then},
            member::{self, Own},
            results::Back,
        },
    };
    use core::ptr::read_volatile;
    use kernel::{error::to_result, prelude::*};

    extern "C" {
        fn altpid_watch_leaks() -> c_int;
        fn altpid_unwatch_leaks();
        static altpid_untranslated: c_int;
    }

    /// Numbers that one call gives: the most is a message with two of them.
    const MOST: usize = 4;

    /// Native numbers that the kernel was given in the system call that a thread is in.
    pub(in super::super) struct Given([Atomic<i32>; MOST]);

    impl Given {
        pub(in super::super) const fn new() -> Self {
            Self([const { Atomic::new(0) }; MOST])
        }

        /// The kernel is given this one: of a process group perhaps, by its negative number.
        pub(in super::super) fn note(&self, nr: i32) {
            let free = self.0.iter().find(|place| place.load(Relaxed) == 0);
            if let Some(free) = free {
                free.store(nr.wrapping_abs(), Relaxed);
            }
        }

        /// Another call begins.
        pub(in super::super) fn clear(&self) {
            for place in &self.0 {
                place.store(0, Relaxed);
            }
        }

        fn has_none(&self) -> bool {
            self.0.iter().all(|place| place.load(Relaxed) == 0)
        }

        fn has(&self, nr: i32) -> bool {
            self.0.iter().any(|place| place.load(Relaxed) == nr)
        }
    }

    /// Conversions are looked at as long as this is there.
    pub(in super::super) struct Watch(());

    impl Watch {
        /// May sleep. Called once, when the module is loaded.
        ///
        /// # Errors
        ///
        /// `EOPNOTSUPP` where a CPU cannot stop at what is read, `ENOSPC` where somebody else uses that.
        pub(in super::super) fn new() -> Result<Self> {
            // SAFETY: No requirements.
            to_result(unsafe { altpid_watch_leaks() }).inspect_err(|error| {
                pr_err!("conversions of numbers cannot be seen: {error:?}\n")
            })?;
            Ok(Self(()))
        }
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            // SAFETY: It was begun, and is ended once.
            unsafe { altpid_unwatch_leaks() };
        }
    }

    /// Whether a test has this system call made as it is.
    pub(in super::super) fn is_untranslated(nr: i64) -> bool {
        // SAFETY: It is always there; root may write another value meanwhile.
        i64::from(unsafe { read_volatile(&raw const altpid_untranslated) }) == nr
    }

    /// Whether what comes of a call is translated, or replaced.
    fn is_translated(own: &Own) -> bool {
        let Call::Changed(_, then) = &own.call else {
            return false;
        };
        match then {
            Then::Result(_) | Then::Number(_) | Then::Clone(_) | Then::Task => true,
            Then::Received(_) | Then::Wait(_) => true,
            Then::Lent(lent) => !matches!(lent.back, Back::Nothing | Back::Version),
            _ => false,
        }
    }

    /// What the calling thread alone looks at, if it is a member.
    ///
    /// # Safety
    ///
    /// Nothing of the module is on the stack of the thread but this, and what is returned is given up
    /// before there is.
    unsafe fn own<'a>() -> Option<&'a Own> {
        // SAFETY: By the safety requirements nobody has lent it.
        member::current().map(|member| &*unsafe { member.own() })
    }

    /// Whether the calling thread is a member.
    #[no_mangle]
    extern "C" fn altpid_leak_is_member() -> bool {
        member::current().is_some()
    }

    /// The number of the system call that altpid has changed, -1 if it has not.
    ///
    /// # Safety
    ///
    /// Called where the calling thread was interrupted, outside of the module.
    #[no_mangle]
    unsafe extern "C" fn altpid_leak_call() -> c_long {
        // SAFETY: By the safety requirements.
        match unsafe { own() } {
            Some(Own {
                call: Call::Changed(saved, _),
                ..
            }) => saved.nr as c_long,
            _ => -1,
        }
    }

    /// Whether the calling thread is in a call that was given some number.
    ///
    /// # Safety
    ///
    /// As [`altpid_leak_call`].
    #[no_mangle]
    unsafe extern "C" fn altpid_leak_is_given() -> bool {
        // SAFETY: By the safety requirements.
        unsafe { own() }.is_some_and(|own| !own.given.has_none())
    }

    /// Whether the calling thread, a member, is in a call for which this number is looked up, or one is told.
    ///
    /// # Safety
    ///
    /// As [`altpid_leak_call`].
    #[no_mangle]
    unsafe extern "C" fn altpid_leak_is_expected(is_in: bool, is_out: bool, nr: c_int) -> bool {
        // SAFETY: By the safety requirements.
        let Some(own) = (unsafe { own() }) else {
            return true;
        };
        // A negative number is nobody's, whoever gives it.
        is_in && (nr < 0 || own.given.has(nr)) || is_out && is_translated(own)
    }
}
