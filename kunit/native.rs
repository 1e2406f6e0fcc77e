// SPDX-License-Identifier: GPL-2.0

//! Stands for `src/native.rs`: in the suites no task has a real thread behind it, and nothing makes one.

/// A number in the kernel's own first pid namespace.
#[derive(Clone, Copy)]
pub(crate) struct NativeNr(());

impl NativeNr {
    pub(crate) fn to_user(self) -> i32 {
        0
    }

    pub(crate) fn to_argument(self) -> u64 {
        0
    }
}

/// How a thread ends.
pub(crate) struct End {
    pub(crate) code: i32,
    pub(crate) uid: u32,
}

impl End {
    pub(crate) fn of_group(&self) -> Option<i32> {
        None
    }
}

/// A signal with what comes along.
pub(crate) struct Signal {
    pub(crate) signo: i32,
    pub(crate) code: i32,
    pub(crate) pid: i32,
    pub(crate) uid: u32,
    pub(crate) status: i32,
}

/// What a process does about SIGCHLD.
#[derive(Clone, Copy)]
pub(crate) struct AboutChildren(());

impl AboutChildren {
    pub(crate) fn ignores(self) -> bool {
        false
    }

    pub(crate) fn does_not_wait(self) -> bool {
        false
    }

    pub(crate) fn no_stops(self) -> bool {
        false
    }
}

/// A thread of the kernel's: there is none.
#[derive(Clone)]
pub(crate) struct Native(());

impl Native {
    pub(crate) fn nr(&self) -> NativeNr {
        NativeNr(())
    }

    pub(crate) fn about_children(&self) -> AboutChildren {
        AboutChildren(())
    }

    pub(crate) fn is_child_of(&self, _parent: &Self) -> bool {
        false
    }

    pub(crate) fn stopped_by(&self) -> Result<Option<i32>, ()> {
        Ok(None)
    }

    pub(crate) fn group(&self) -> Option<NativeNr> {
        None
    }

    pub(crate) fn send(&self, _signal: &Signal) {}
}

/// Whoever runs the suites.
pub(crate) fn own_uid() -> u32 {
    0
}

/// Whether that is somebody who may do anything.
pub(crate) fn is_admin() -> bool {
    true
}

pub(crate) mod usage {
    //! Nobody uses anything.

    /// What a process has used.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Usage(());

    impl Usage {
        pub(crate) fn own() -> Self {
            Self(())
        }
    }
}
