// SPDX-License-Identifier: GPL-2.0

//! Who sends a message of a socket: `SCM_CREDENTIALS`.
//!
//! `net/core/scm.c`: `__scm_send()`, `scm_recv()`. What is sent is lent to the kernel, the header and the control
//! messages; what was received is translated where the kernel has written it.

use super::{
    arguments::{set_int_at, Entry},
    calls::Then,
    lending::{Loan, MOST},
    member::Member,
    numbers::{from_kernel, to_kernel, Kind},
    results::{Back, Lent},
    user::{read_bytes, read_long, read_word, write_bytes},
};
use crate::{reason::errno, world::work::is_killed};
use kernel::{bindings, prelude::*};

/// struct msghdr, and where in it the control messages are.
const MSGHDR: usize = 56;
const CONTROL: usize = 32;
const CONTROL_LENGTH: usize = 40;
/// struct mmsghdr
const MMSGHDR: usize = 64;
/// struct cmsghdr, struct ucred
const CMSGHDR: usize = 16;
const UCRED: usize = 12;
/// Bytes of control messages that are looked at.
const LONGEST: usize = 1 << 16;
/// UIO_MAXIOV
const MESSAGES: u32 = 1024;

/// Calls `found` with the place and the length of each `struct ucred` of some control messages, until one says no;
/// false when they are longer than what is looked at. Of what cannot be read the kernel says what is wrong.
fn each_credential(
    control: u64,
    length: usize,
    mut found: impl FnMut(usize, usize) -> bool,
) -> bool {
    let mut at = 0;
    if control == 0 {
        return true;
    }
    if length > LONGEST || is_killed() {
        return false;
    }
    while length.checked_sub(at).is_some_and(|left| left >= CMSGHDR) {
        let Some(size) = read_long(control, at) else {
            return true;
        };
        let kind = (read_word(control, at + 8), read_word(control, at + 12));
        // CMSG_OK()
        let size = size as usize;
        if size < CMSGHDR || size > length - at {
            return true;
        }
        // SOL_SOCKET, SCM_CREDENTIALS
        if kind == (Some(1), Some(2)) && !found(at + CMSGHDR, size - CMSGHDR) {
            return true;
        }
        at += size.next_multiple_of(8);
    }
    true
}

/// The control messages of a message, if it can be read.
fn control_of(message: u64) -> Option<(u64, usize)> {
    let control = read_long(message, CONTROL)?;
    Some((control, read_long(message, CONTROL_LENGTH)? as usize))
}

/// A message of a vector.
fn nth(messages: u64, index: u64) -> Option<u64> {
    messages.checked_add(index * MMSGHDR as u64)
}

/// Whether one of these messages of sendmmsg(2) says who sends it, or is longer than what is looked at.
pub(super) fn have_credentials(messages: u64, count: u32) -> bool {
    for index in 0..u64::from(count.min(MESSAGES)) {
        // The kernel gets no further.
        let Some((control, length)) = nth(messages, index).and_then(control_of) else {
            return false;
        };
        let mut is_there = false;
        let is_short = each_credential(control, length, |_, _| {
            is_there = true;
            false
        });
        if is_there || !is_short {
            return true;
        }
    }
    false
}

/// sendmsg(2)
pub(super) fn send(entry: &mut Entry<'_>) -> Result<Option<Then>> {
    let message = entry.args[1];
    let Some((control, length)) = control_of(message) else {
        return Ok(None);
    };
    let mut places = [0; 2];
    let mut count = 0;
    let is_short = each_credential(control, length, |place, length| {
        if length != UCRED {
            // The kernel's to complain about.
            return true;
        }
        if let Some(free) = places.get_mut(count) {
            *free = place;
        }
        count += 1;
        true
    });
    if !is_short || count > places.len() || count > 0 && MSGHDR + length > MOST {
        return Err(errno(bindings::ENOSYS));
    }
    if count == 0 {
        return Ok(None);
    }
    let mut bytes = [0; MOST];
    let lent = &mut bytes[..MSGHDR + length];
    read_bytes(message, 0, &mut lent[..MSGHDR])?;
    read_bytes(control, 0, &mut lent[MSGHDR..])?;
    for place in &places[..count] {
        let place = MSGHDR + place;
        let nr = super::arguments::int_at(lent, place);
        let native = to_kernel(entry.member, entry.own, nr, Kind::Task);
        set_int_at(lent, place, native);
    }
    // The header points to the control messages behind it.
    let loan = Loan::with(entry.regs, lent.len(), |address| {
        let control = address.wrapping_add(MSGHDR as u64);
        lent[CONTROL..CONTROL + 8].copy_from_slice(&control.to_ne_bytes());
        lent[CONTROL_LENGTH..CONTROL_LENGTH + 8].copy_from_slice(&(length as u64).to_ne_bytes());
        lent
    })?;
    entry.regs.si = loan.address() as usize;
    Ok(Some(Then::Lent(Lent {
        loan,
        to: message,
        back: Back::Nothing,
    })))
}

/// Where messages are about to be received.
pub(super) struct Received {
    /// The headers.
    messages: u64,
    /// Of each the control messages: what is received may overwrite the header.
    controls: KVec<(u64, usize)>,
}

impl Received {
    /// recvmsg(2), or recvmmsg(2) of so many; `None` where no control message is wanted. The others of a vector
    /// are kept for their places.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(super) fn new(messages: u64, count: u32) -> Result<Option<Self>> {
        let mut controls = KVec::new();
        let mut is_wanted = false;
        for index in 0..u64::from(count.min(MESSAGES)) {
            let Some(control) = nth(messages, index).and_then(control_of) else {
                break;
            };
            is_wanted |= control.0 != 0 && control.1 != 0;
            if is_wanted || count > 1 {
                controls.push(control, GFP_KERNEL)?;
            }
        }
        Ok(is_wanted.then_some(Self { messages, controls }))
    }

    /// The call is over, with this result.
    pub(super) fn end(self, member: &Member, result: i64) {
        let has_failed = result == i64::from(EFAULT.to_errno());
        if result < 0 && !has_failed {
            return;
        }
        for (index, &(control, given)) in self.controls.iter().enumerate() {
            if is_killed() {
                return;
            }
            // A call that fails with this may have written before.
            let now = nth(self.messages, index as u64).and_then(control_of);
            let length = match now {
                Some((_, length)) if !has_failed => length.min(given),
                _ => given,
            };
            each_credential(control, length.min(LONGEST), |place, length| {
                translate(member, control.wrapping_add(place as u64), length);
                true
            });
        }
    }
}

/// Translates what has been received of a `struct ucred`.
fn translate(member: &Member, address: u64, length: usize) {
    let nr = match read_word(address, 0) {
        Some(native) if length >= 4 => from_kernel(member, native, Kind::Task),
        // Some bytes of it are there.
        _ => 0,
    };
    let _ = write_bytes(address, &nr.to_ne_bytes()[..length.min(4)]);
}
