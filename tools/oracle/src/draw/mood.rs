// SPDX-License-Identifier: GPL-2.0

//! What sequences are about: which calls are frequent in them.

/// What a sequence is mostly about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Anything,
    /// Namespaces in namespaces, down to the limit.
    Deep,
    /// Few numbers: they wrap and run out.
    Small,
    Signals,
    Threads,
    /// Stopped jobs, sessions and process groups.
    Jobs,
    /// Parents that die.
    Orphans,
    /// Pidfds, and whom they are for.
    Handles,
}

impl Mood {
    /// One of them, the more general ones more often; `die` is below [`Mood::SIDES`].
    pub fn of(die: u32) -> Self {
        match die {
            0..=2 => Self::Anything,
            3 => Self::Deep,
            4 => Self::Small,
            5 => Self::Signals,
            6 | 7 => Self::Threads,
            8 => Self::Jobs,
            9 => Self::Handles,
            _ => Self::Orphans,
        }
    }

    /// How many sides the die has.
    pub const SIDES: u32 = 11;

    /// A kind of call; `die` is below [`Mood::sum`].
    pub fn kind(self, die: u32) -> Kind {
        let mut rest = die;
        for (kind, weights) in WEIGHTS {
            match rest.checked_sub(weights[self as usize]) {
                Some(left) => rest = left,
                None => return *kind,
            }
        }
        Kind::Clone
    }

    /// The sum of the weights.
    pub fn sum(self) -> u32 {
        let mut sum = 0;
        for (_, weights) in WEIGHTS {
            sum += weights[self as usize];
        }
        sum
    }
}

/// Which calls are drawn, with their weights in each [`Mood`], in its order.
const WEIGHTS: &[(Kind, [u32; 8])] = &[
    (Kind::Clone, [22, 50, 50, 16, 26, 22, 30, 26]),
    (Kind::Unshare, [5, 8, 2, 2, 3, 1, 3, 3]),
    (Kind::Setns, [6, 8, 2, 2, 3, 1, 6, 2]),
    (Kind::SetnsOf, [2, 3, 1, 1, 1, 1, 2, 1]),
    (Kind::SetnsBy, [1, 1, 0, 0, 1, 0, 1, 6]),
    (Kind::Exec, [3, 1, 1, 2, 6, 4, 2, 5]),
    (Kind::Exit, [4, 1, 6, 2, 12, 3, 6, 5]),
    (Kind::ExitGroup, [5, 1, 8, 2, 5, 5, 12, 8]),
    (Kind::Kill, [14, 3, 8, 24, 12, 26, 14, 8]),
    (Kind::Tgkill, [3, 0, 1, 6, 8, 2, 1, 1]),
    (Kind::Tkill, [2, 0, 1, 3, 4, 1, 1, 1]),
    (Kind::Queue, [4, 0, 1, 12, 4, 2, 1, 1]),
    (Kind::PidfdOpen, [3, 1, 2, 2, 4, 1, 2, 16]),
    (Kind::PidfdSendBy, [3, 0, 1, 4, 3, 2, 2, 20]),
    (Kind::Close, [1, 0, 1, 1, 1, 0, 1, 6]),
    (Kind::Poll, [0, 0, 0, 0, 0, 0, 0, 2]),
    (Kind::PidfdSend, [3, 1, 1, 6, 2, 2, 2, 3]),
    (Kind::Sigaction, [7, 1, 3, 16, 6, 6, 5, 4]),
    (Kind::Sigprocmask, [5, 0, 1, 16, 6, 3, 1, 3]),
    (Kind::Sigwait, [3, 0, 1, 10, 3, 1, 1, 1]),
    (Kind::Wait4, [12, 3, 20, 8, 8, 14, 14, 10]),
    (Kind::WaitId, [6, 1, 4, 4, 5, 8, 6, 14]),
    (Kind::Setsid, [3, 1, 2, 1, 2, 10, 2, 3]),
    (Kind::Setpgid, [6, 1, 6, 2, 2, 24, 2, 3]),
    (Kind::Subreaper, [3, 1, 0, 1, 2, 1, 8, 1]),
    (Kind::Pdeath, [3, 0, 1, 3, 4, 1, 6, 1]),
    (Kind::Reboot, [1, 1, 1, 0, 1, 0, 1, 0]),
    (Kind::PidMax, [2, 1, 8, 0, 0, 0, 0, 0]),
    (Kind::LastPid, [3, 2, 14, 0, 1, 0, 0, 1]),
];

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Clone,
    Unshare,
    Setns,
    SetnsOf,
    SetnsBy,
    Exec,
    Exit,
    ExitGroup,
    Kill,
    Tgkill,
    Tkill,
    Queue,
    PidfdOpen,
    PidfdSend,
    PidfdSendBy,
    Close,
    Poll,
    Sigaction,
    Sigprocmask,
    Sigwait,
    Wait4,
    WaitId,
    Setsid,
    Setpgid,
    Subreaper,
    Pdeath,
    Reboot,
    PidMax,
    LastPid,
}
