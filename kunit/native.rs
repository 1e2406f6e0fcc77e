// SPDX-License-Identifier: GPL-2.0

//! Stands for `src/native.rs`: in the suites no task has a real thread behind it.

/// A number in the kernel's own first pid namespace.
#[derive(Clone, Copy)]
pub(crate) enum NativeNr {}

impl NativeNr {
    pub(crate) fn to_user(self) -> i32 {
        match self {}
    }

    pub(crate) fn to_argument(self) -> u64 {
        match self {}
    }
}

/// Whoever runs the suites.
pub(crate) fn own_uid() -> u32 {
    0
}

pub(crate) fn is_admin() -> bool {
    true
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
pub(crate) enum AboutChildren {}

impl AboutChildren {
    pub(crate) fn ignores(self) -> bool {
        match self {}
    }

    pub(crate) fn does_not_wait(self) -> bool {
        match self {}
    }

    pub(crate) fn no_stops(self) -> bool {
        match self {}
    }
}

/// A thread of the kernel's: there is none.
#[derive(Clone)]
pub(crate) enum Native {}

impl Native {
    pub(crate) fn nr(&self) -> NativeNr {
        match *self {}
    }

    pub(crate) fn about_children(&self) -> AboutChildren {
        match *self {}
    }

    pub(crate) fn is_child_of(&self, _parent: &Self) -> bool {
        match *self {}
    }

    pub(crate) fn stopped_by(&self) -> Result<Option<i32>, ()> {
        match *self {}
    }

    pub(crate) fn group(&self) -> NativeNr {
        match *self {}
    }

    pub(crate) fn send(&self, _signal: &Signal) {
        match *self {}
    }
}
