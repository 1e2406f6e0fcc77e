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
    user::{read_bytes, read_long, read_word, write_word},
};
use crate::{reason::errno, world::work::is_killed};
use kernel::{bindings, prelude::*};

/// struct msghdr, and where in it the control messages are.
const MSGHDR: usize = 56;
const CONTROL: usize = 32;
const CONTROL_LENGTH: usize = 40;
/// struct mmsghdr
const MMSGHDR: usize = 64;
/// struct cmsghdr
const CMSGHDR: usize = 16;
/// Bytes of control messages that are looked at.
const LONGEST: usize = 1 << 16;
/// UIO_MAXIOV
const MESSAGES: u32 = 1024;

/// Calls `found` with the place of the number in each `SCM_CREDENTIALS` of some control messages, until one says no;
/// false when they are longer than what is looked at. Of what cannot be read the kernel says what is wrong.
fn each_credential(control: u64, length: usize, mut found: impl FnMut(usize) -> bool) -> bool {
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
        if kind == (Some(1), Some(2)) && size >= CMSGHDR + 12 && !found(at + CMSGHDR) {
            return true;
        }
        at += size.next_multiple_of(8);
    }
    true
}

/// The control messages of a message.
fn control_of(message: u64) -> (u64, usize) {
    let control = read_long(message, CONTROL).unwrap_or(0);
    let length = read_long(message, CONTROL_LENGTH).unwrap_or(0);
    (control, length as usize)
}

/// Whether one of these messages of sendmmsg(2) says who sends it, or is longer than what is looked at.
pub(super) fn have_credentials(messages: u64, count: u32) -> bool {
    (0..u64::from(count.min(MESSAGES))).any(|index| {
        let (control, length) = control_of(messages + index * MMSGHDR as u64);
        let mut is_there = false;
        let is_short = each_credential(control, length, |_| {
            is_there = true;
            false
        });
        is_there || !is_short
    })
}

/// sendmsg(2)
pub(super) fn send(entry: &mut Entry<'_>) -> Result<Option<Then>> {
    let message = entry.args[1];
    let (control, length) = control_of(message);
    let mut places = [0; 2];
    let mut count = 0;
    let is_short = each_credential(control, length, |place| {
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
        let control = address + MSGHDR as u64;
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

/// recvmsg(2) has given one message, or recvmmsg(2) so many.
pub(super) fn received(member: &Member, messages: u64, is_many: bool, result: i64) {
    let count = if is_many { result } else { 1 };
    for index in 0..count.clamp(0, MESSAGES.into()) as u64 {
        let (control, length) = control_of(messages + index * MMSGHDR as u64);
        each_credential(control, length.min(LONGEST), |place| {
            if let Some(native) = read_word(control, place) {
                let nr = from_kernel(member, native, Kind::Task);
                let _ = write_word(control + place as u64, nr);
            }
            true
        });
    }
}
