// SPDX-License-Identifier: GPL-2.0

//! Numbers in what system calls give: as a result, and in what the kernel has written.
//!
//! # Locks
//!
//! The tree lock for moments, or RCU.

use super::{
    arguments::{int_at, owner_kind, set_int_at},
    lending::{Loan, MOST},
    member::Member,
    numbers::{as_seen, from_kernel, Kind},
    pidfds, tracing,
    user::{read_word, write_bytes},
};
use crate::{
    native::{tracing::event_of, NativeNr},
    pid::Pid,
};
use kernel::{prelude::*, sync::aref::ARef};

/// A struct that was lent to the kernel for one call.
pub(super) struct Lent {
    pub(super) loan: Loan,
    /// The program's own.
    pub(super) to: u64,
    pub(super) back: Back,
}

/// What the program gets of what was lent.
pub(super) enum Back {
    Nothing,
    /// The first word, also when the call has failed.
    Version,
    /// So many bytes, with numbers at these places.
    Struct(usize, &'static [(usize, Kind)]),
    /// A `struct flock`.
    Lock,
    /// The owner in a `struct f_owner_ex`, as a result.
    Owner,
    /// A `struct f_owner_ex`.
    OwnerStruct,
    /// A `struct ucred` about the peer of a socket, as long as the kernel has written at this address.
    Peer {
        fd: i32,
        length: u64,
    },
    /// What a tracee tells of an event: it was one with the number of a thread before the call, or not.
    Message(NativeNr, bool),
    /// The `siginfo_t` that a tracee is stopped by.
    Signal(NativeNr),
    /// So much of a `struct pidfd_info`, about this one.
    PidfdInfo(usize, Option<ARef<Pid>>),
}

impl Lent {
    /// The call has ended without being seen.
    pub(super) fn abandon(self) {
        let _ = self.loan.end(false);
    }

    /// The call is over: its result.
    pub(super) fn end(self, member: &Member, result: i64) -> i64 {
        match self.give(member, result) {
            Ok(result) => result,
            Err(error) if result >= 0 => error.to_errno().into(),
            Err(_) => result,
        }
    }

    fn give(self, member: &Member, result: i64) -> Result<i64> {
        let mut bytes = self.loan.end(matches!(self.back, Back::Nothing))?;
        if result < 0 && !matches!(self.back, Back::Version) {
            return Ok(result);
        }
        let translate = |bytes: &mut [u8], at: usize, kind: Kind| {
            let nr = from_kernel(member, int_at(bytes, at), kind);
            set_int_at(bytes, at, nr);
        };
        let len = match self.back {
            Back::Nothing => 0,
            // It is the program's own but for that.
            Back::Version if read_word(self.to, 0) == Some(int_at(&bytes, 0)) => 0,
            Back::Version => 4,
            Back::Struct(len, numbers) => {
                for &(at, kind) in numbers {
                    translate(&mut bytes, at, kind);
                }
                len
            }
            Back::Lock => {
                const UNLCK: u8 = 2;
                // Nobody has one: the rest is what the program has put in.
                if bytes[0] != UNLCK || bytes[1] != 0 {
                    translate(&mut bytes, 24, Kind::Task);
                }
                32
            }
            Back::Owner => {
                let nr = from_kernel(member, int_at(&bytes, 4), owner_kind(&bytes));
                let is_group = owner_kind(&bytes) == Kind::Group;
                return Ok(if is_group { -nr } else { nr }.into());
            }
            Back::OwnerStruct => {
                let kind = owner_kind(&bytes);
                translate(&mut bytes, 4, kind);
                8
            }
            Back::Peer { fd, length } => {
                let peer = pidfds::peer_of(fd);
                set_int_at(&mut bytes, 0, peer.map_or(0, |pid| as_seen(member, &pid)));
                let written = read_word(length, 0).ok_or(EFAULT)?;
                usize::try_from(written).unwrap_or(0).min(12)
            }
            Back::Message(tracee, had_number) => {
                let has_number = tracing::has_number(event_of(tracee));
                if had_number != has_number {
                    // It was killed meanwhile.
                    return Err(ESRCH);
                }
                if has_number {
                    translate(&mut bytes, 0, Kind::Task);
                }
                8
            }
            Back::Signal(tracee) => {
                tracing::translate_signal(tracee, &mut bytes);
                128
            }
            Back::PidfdInfo(len, pid) => {
                let known = len.min(MOST);
                pidfds::translate_info(member, pid.as_deref(), &mut bytes[..known])?;
                // copy_struct_to_user()
                for at in known..len {
                    write_bytes(self.to.wrapping_add(at as u64), &[0])?;
                }
                known
            }
        };
        write_bytes(self.to, &bytes[..len])?;
        Ok(result)
    }
}
