// SPDX-License-Identifier: GPL-2.0

//! What goes wrong, by errno and by reason.

use crate::uapi;
use rustix::io::Errno;
use std::fmt;

/// What the kernel refused, and why.
///
/// # Examples
///
/// ```
/// use altpid::{Error, Reason};
/// use rustix::io::Errno;
///
/// let error = Error {
///     verb: "clone3",
///     errno: Errno::EXIST,
///     reason: Reason::named("SET_TID_USED").expect("a reason"),
/// };
/// assert!(error.to_string().ends_with(": a number is in use"));
/// assert_eq!(format!("{error:?}"), "clone3: EEXIST, SET_TID_USED");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// What was tried, by the name of its system call.
    pub verb: &'static str,
    /// The error number.
    pub errno: Errno,
    /// The cause, as far as the module knows a finer one.
    pub reason: Reason,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.verb, self.errno)?;
        match self.reason.text() {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

/// The errors that the device and what the library does besides give, by number.
const ERRNOS: &[(i32, &str)] = &[
    (1, "EPERM"),
    (2, "ENOENT"),
    (3, "ESRCH"),
    (4, "EINTR"),
    (7, "E2BIG"),
    (9, "EBADF"),
    (10, "ECHILD"),
    (11, "EAGAIN"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (14, "EFAULT"),
    (16, "EBUSY"),
    (17, "EEXIST"),
    (22, "EINVAL"),
    (23, "ENFILE"),
    (24, "EMFILE"),
    (25, "ENOTTY"),
    (28, "ENOSPC"),
    (66, "EREMOTE"),
];

/// The verb, the errno and the reason by their names.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errno = self.errno.raw_os_error();
        match ERRNOS.iter().find(|(number, _)| *number == errno) {
            Some((_, name)) => write!(f, "{}: {name}", self.verb)?,
            None => write!(f, "{}: errno {errno}", self.verb)?,
        }
        match self.reason {
            Reason(uapi::ALTPID_REASON_NONE) => Ok(()),
            reason => write!(f, ", {reason:?}"),
        }
    }
}

/// Why an operation failed: one of `ALTPID_REASON_*`.
///
/// # Examples
///
/// ```
/// use altpid::Reason;
///
/// let reason = Reason::named("SET_TID_USED").expect("a reason");
/// assert_eq!(reason.text(), Some("a number is in use"));
/// assert_eq!(Reason::default().text(), None);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Reason(pub u32);

/// The name in the header, without `ALTPID_REASON_`, or the number of one that is not known.
impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match REASONS.get(self.0 as usize) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "reason {}", self.0),
        }
    }
}

/// The names and texts in the header, by number.
const REASONS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/reasons.rs"));

impl Reason {
    /// The header's name for it and its text; `None` when nothing but the errno is known.
    fn known(self) -> Option<(&'static str, &'static str)> {
        let is_known = self.0 != uapi::ALTPID_REASON_NONE;
        REASONS.get(self.0 as usize).copied().filter(|_| is_known)
    }

    /// What it is in words, as the header has it; `None` when nothing but the errno is known.
    pub fn text(self) -> Option<&'static str> {
        self.known().map(|(_, text)| text)
    }

    /// Its name in the header, without `ALTPID_REASON_`.
    pub fn name(self) -> Option<&'static str> {
        self.known().map(|(name, _)| name)
    }

    /// The reason of a name.
    pub fn named(name: &str) -> Option<Self> {
        let index = Self::names().position(|known| known == name)?;
        Some(Self(index as u32 + 1))
    }

    /// The names of all reasons.
    pub fn names() -> impl Iterator<Item = &'static str> {
        // The first one is that nothing is known.
        REASONS.iter().skip(1).map(|&(name, _)| name)
    }
}

impl std::error::Error for Error {}

/// What the methods of [`World`](crate::World) return.
///
/// # Examples
///
/// ```no_run
/// use altpid::World;
///
/// fn count() -> altpid::Result<u64> {
///     Ok(World::open()?.info()?.tasks)
/// }
/// println!("{} tasks", count()?);
/// # Ok::<(), altpid::Error>(())
/// ```
pub type Result<T> = std::result::Result<T, Error>;
