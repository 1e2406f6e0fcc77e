// SPDX-License-Identifier: GPL-2.0

//! An array of operations in one call.

use super::{
    args::{check_flags, Args, Array, Call},
    perform, OpenFile,
};
use crate::{
    reason::{Failure, Outcome},
    uapi::{self, altpid_op},
};
use core::mem::{offset_of, size_of};
use kernel::prelude::*;
use zerocopy::FromZeros;

/// Operations that are read, and written back, at a time.
const AT_A_TIME: usize = 16;

pub(super) fn batch(file: &OpenFile, arg: usize) -> Outcome {
    let call = Call::new(file, arg, None);
    let mut args = Args::<uapi::altpid_batch>::read(&call)?;
    check_flags(args.value.flags.into(), uapi::ALTPID_BATCH_GO_ON.into())?;
    let go_on = args.value.flags & uapi::ALTPID_BATCH_GO_ON != 0;
    let count = args.value.count as usize;
    let array = Array::new(args.value.ops, size_of::<altpid_op>())?;
    let mut piece = [altpid_op::new_zeroed(); AT_A_TIME];
    let (mut done, mut failed) = (0, 0);
    let mut ended = false;
    while done < count && !ended {
        let first = done;
        let piece = &mut piece[..AT_A_TIME.min(count - done)];
        array.read(first, piece)?;
        let (mut tried, mut changed) = (0, 0..0);
        while tried < piece.len() && !ended {
            if first + tried > 0 && kernel::current!().signal_pending() {
                ended = true;
                break;
            }
            let (before, rest) = piece.split_at_mut(tried);
            let made_by = |index: u64| made_by(&array, first, before, index);
            let op = &mut rest[0];
            let stood = results(op);
            let result = one(file, op, &made_by);
            if results(op) != stood {
                let first = match changed.is_empty() {
                    true => tried,
                    false => changed.start,
                };
                changed = first..tried + 1;
            }
            tried += 1;
            if result.is_err() {
                failed += 1;
                ended = !go_on;
            }
            done += usize::from(!ended);
        }
        array.write(first + changed.start, &piece[changed])?;
    }
    args.value.count = done as u32;
    args.value.failed = failed;
    args.reply()
}

/// What is written back of an operation.
fn results(op: &altpid_op) -> (i32, u64, u32) {
    (op.error, op.made, op.reason)
}

/// Performs one operation and enters what came of it.
fn one(file: &OpenFile, op: &mut altpid_op, made_by: &dyn Fn(u64) -> Outcome<u64>) -> Outcome {
    let call = usize::try_from(op.arg).map(|arg| Call::new(file, arg, Some(made_by)));
    let result = match &call {
        _ if op.reserved != 0 => Err(EINVAL.into()),
        _ if op.cmd == uapi::ALTPID_IOC_BATCH => Err(EINVAL.into()),
        Ok(call) => perform(call, op.cmd),
        Err(_) => Err(EFAULT.into()),
    };
    let failure = result.as_ref().err();
    op.error = failure.map_or(0, |failure: &Failure| failure.error().to_errno());
    op.reason = failure.map_or(uapi::ALTPID_REASON_NONE, Failure::code);
    op.made = call.as_ref().map_or(0, Call::made);
    result
}

/// What operation `index` has made, be it of the piece in hand, which begins with operation
/// `first`, or of one that was written back.
///
/// # Errors
///
/// `EINVAL` for one that is not before, or has made nothing; `EFAULT`.
fn made_by(array: &Array, first: usize, before: &[altpid_op], index: u64) -> Outcome<u64> {
    let index = index as usize;
    let made = match index.checked_sub(first) {
        Some(index) => before.get(index).ok_or(EINVAL)?.made,
        None => {
            let mut made = [0u64];
            array.read_member(index, offset_of!(altpid_op, made), &mut made)?;
            made[0]
        }
    };
    if made == 0 {
        return Err(EINVAL.into());
    }
    Ok(made)
}
