// SPDX-License-Identifier: GPL-2.0

//! Why an operation failed, finer than an errno can say.
//!
//! `EINVAL` of clone3 has ten causes, `ENOMEM` two. A verb that knows the cause fails with a
//! [`Reason`], which implies the errno; everything else is an [`Error`] without one. `?` makes a
//! [`Failure`] of either. Natively only netlink has the like (`struct netlink_ext_ack`).

use crate::{pid::namespace::CreateError, pid::AllocError, uapi};
use core::num::NonZeroU64;
use kernel::{bindings, prelude::*};

/// An errno by its number, for those that the `kernel` crate has a name for only since 7.3.
pub(crate) fn errno(number: u32) -> Error {
    Error::from_errno(-(number as i32))
}

macro_rules! reasons {
    ($($name:ident => $errno:expr, $code:ident;)*) => {
        /// A cause; what each means stands at `ALTPID_REASON_*` in `src/uapi/altpid.h`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Reason {
            $($name,)*
        }

        impl Reason {
            /// The errno that goes with it.
            pub(crate) fn error(self) -> Error {
                match self {
                    $(Self::$name => $errno,)*
                }
            }

            /// `ALTPID_REASON_*`
            pub(crate) fn code(self) -> u32 {
                match self {
                    $(Self::$name => uapi::$code,)*
                }
            }
        }
    };
}

reasons! {
    Flags => EINVAL, ALTPID_REASON_FLAGS;
    TaskGone => ESRCH, ALTPID_REASON_TASK_GONE;
    TaskExited => ESRCH, ALTPID_REASON_TASK_EXITED;
    TaskStopped => EBUSY, ALTPID_REASON_TASK_STOPPED;
    WorldInit => EBUSY, ALTPID_REASON_WORLD_INIT;
    TaskLimit => EAGAIN, ALTPID_REASON_TASK_LIMIT;
    NsGone => ENOENT, ALTPID_REASON_NS_GONE;
    NsDead => ENOMEM, ALTPID_REASON_NS_DEAD;
    NsFull => EAGAIN, ALTPID_REASON_NS_FULL;
    NsDepth => ENOSPC, ALTPID_REASON_NS_DEPTH;
    NsLimit => ENOSPC, ALTPID_REASON_NS_LIMIT;
    NsNotBelow => EINVAL, ALTPID_REASON_NS_NOT_BELOW;
    NoMemory => ENOMEM, ALTPID_REASON_NO_MEMORY;
    SetTidSize => EINVAL, ALTPID_REASON_SET_TID_SIZE;
    SetTidRange => EINVAL, ALTPID_REASON_SET_TID_RANGE;
    SetTidUsed => EEXIST, ALTPID_REASON_SET_TID_USED;
    NotInit => EINVAL, ALTPID_REASON_NOT_INIT;
    ExitSignal => EINVAL, ALTPID_REASON_EXIT_SIGNAL;
    ChildrenElsewhere => EINVAL, ALTPID_REASON_CHILDREN_ELSEWHERE;
    InitParent => EINVAL, ALTPID_REASON_INIT_PARENT;
    AutoreapParent => EINVAL, ALTPID_REASON_AUTOREAP_PARENT;
    ParentBlind => EINVAL, ALTPID_REASON_PARENT_BLIND;
    NoNumber => ESRCH, ALTPID_REASON_NO_NUMBER;
    NoChild => ECHILD, ALTPID_REASON_NO_CHILD;
    Options => EINVAL, ALTPID_REASON_OPTIONS;
    Signal => EINVAL, ALTPID_REASON_SIGNAL;
    SignalCode => EPERM, ALTPID_REASON_SIGNAL_CODE;
    SignalQueue => EAGAIN, ALTPID_REASON_SIGNAL_QUEUE;
    Invisible => EINVAL, ALTPID_REASON_INVISIBLE;
    SessionLeader => EPERM, ALTPID_REASON_SESSION_LEADER;
    GroupExists => EPERM, ALTPID_REASON_GROUP_EXISTS;
    OtherSession => EPERM, ALTPID_REASON_OTHER_SESSION;
    NoGroup => EPERM, ALTPID_REASON_NO_GROUP;
    NotLeader => EINVAL, ALTPID_REASON_NOT_LEADER;
    NotChild => ESRCH, ALTPID_REASON_NOT_CHILD;
    HasExeced => EACCES, ALTPID_REASON_HAS_EXECED;
    Killed => EAGAIN, ALTPID_REASON_KILLED;
    Range => EINVAL, ALTPID_REASON_RANGE;
    PidfdGone => EBADF, ALTPID_REASON_PIDFD_GONE;
    PidfdLimit => EMFILE, ALTPID_REASON_PIDFD_LIMIT;
    Reaped => ESRCH, ALTPID_REASON_REAPED;
    NotProcess => ENOENT, ALTPID_REASON_NOT_PROCESS;
    Remote => errno(bindings::EREMOTE), ALTPID_REASON_REMOTE;
    NsNotInside => EPERM, ALTPID_REASON_NS_NOT_INSIDE;
    NotVirtual => EINVAL, ALTPID_REASON_NOT_VIRTUAL;
    SignalInfo => EINVAL, ALTPID_REASON_SIGNAL_INFO;
    TaskBusy => EBUSY, ALTPID_REASON_TASK_BUSY;
    Member => EBUSY, ALTPID_REASON_MEMBER;
    HasThreads => EINVAL, ALTPID_REASON_HAS_THREADS;
    HasChildren => EINVAL, ALTPID_REASON_HAS_CHILDREN;
    IsMember => errno(bindings::EALREADY), ALTPID_REASON_IS_MEMBER;
    NotPrivileged => EPERM, ALTPID_REASON_NOT_PRIVILEGED;
    Elsewhere => EINVAL, ALTPID_REASON_ELSEWHERE;
    Not64Bit => EINVAL, ALTPID_REASON_NOT_64_BIT;
    NoBodies => errno(bindings::EOPNOTSUPP), ALTPID_REASON_NO_BODIES;
    NotOwner => EPERM, ALTPID_REASON_NOT_OWNER;
}

/// That an operation failed, and why if that is known. It is one word, so that what an operation returns is
/// not taken apart and put together on its way.
///
/// # Invariants
///
/// The low [`ERRNO_BITS`] are the errno, the others `ALTPID_REASON_*`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure(NonZeroU64);

/// Room for `MAX_ERRNO`.
const ERRNO_BITS: u32 = 16;

/// What an operation returns.
pub(crate) type Outcome<T = ()> = core::result::Result<T, Failure>;

impl Failure {
    fn new(error: Error, code: u32) -> Self {
        let word = u64::from(code) << ERRNO_BITS | u64::from(error.to_errno().unsigned_abs());
        // No errno is 0.
        Self(NonZeroU64::new(word).unwrap_or(NonZeroU64::MAX))
    }

    /// The errno.
    pub(crate) fn error(&self) -> Error {
        errno((self.0.get() % (1 << ERRNO_BITS)) as u32)
    }

    /// `ALTPID_REASON_*`
    pub(crate) fn code(&self) -> u32 {
        (self.0.get() >> ERRNO_BITS) as u32
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error, uapi::ALTPID_REASON_NONE)
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::new(reason.error(), reason.code())
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error()
    }
}

impl From<AllocError> for Failure {
    fn from(error: AllocError) -> Self {
        match error {
            AllocError::TooManyNumbers => Reason::SetTidSize,
            AllocError::OutOfRange => Reason::SetTidRange,
            AllocError::NotInit => Reason::NotInit,
            AllocError::InUse => Reason::SetTidUsed,
            AllocError::Full => Reason::NsFull,
            AllocError::NoMemory => Reason::NoMemory,
            AllocError::Dead => Reason::NsDead,
        }
        .into()
    }
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::TooDeep => Reason::NsDepth,
            CreateError::TooMany => Reason::NsLimit,
            CreateError::NoMemory => Reason::NoMemory,
        }
        .into()
    }
}
