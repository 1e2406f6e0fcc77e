// SPDX-License-Identifier: GPL-2.0

//! read(2) and poll(2): the stream of events.

use super::OpenFile;
use crate::{uapi::altpid_event, world::World};
use core::mem::size_of;
use kernel::{
    bindings,
    fs::{File, Kiocb},
    iov::IovIterDest,
    prelude::*,
    sync::poll::PollTable,
};
use zerocopy::{FromZeros, IntoBytes};

/// Bytes of an event.
const SIZE: usize = size_of::<altpid_event>();

/// Events that are copied at a time.
const EVENTS_AT_A_TIME: usize = 16;

/// `include/linux/fs.h`, where bindgen cannot read it.
const FMODE_NOWAIT: bindings::fmode_t = 1 << 27;

/// `include/uapi/linux/fs.h`; in a kiocb it is `IOCB_NOWAIT`.
const RWF_NOWAIT: i32 = 0x8;

/// Has the kernel pass on that a single read must not sleep. Who shares a descriptor with others
/// cannot set O_NONBLOCK for itself.
pub(super) fn allow_nowait(file: &File) {
    // SAFETY: The file is being opened, so that nobody else has it yet.
    unsafe { (*file.as_ptr()).f_mode |= FMODE_NOWAIT };
}

/// Whether a read may sleep: neither it nor the descriptor says that it must not.
fn may_wait(kiocb: &Kiocb<'_, Pin<KBox<OpenFile>>>) -> bool {
    // SAFETY: The kiocb and its file are there as long as the call.
    let (call, file) = unsafe {
        let kiocb = kiocb.as_raw();
        ((*kiocb).ki_flags, (*(*kiocb).ki_filp).f_flags)
    };
    call & RWF_NOWAIT == 0 && file & bindings::O_NONBLOCK == 0
}

/// Reads whole events from the file position on, which is that of an event times its size.
///
/// # Errors
///
/// As in `struct altpid_event`.
pub(super) fn read(
    mut kiocb: Kiocb<'_, Pin<KBox<OpenFile>>>,
    iov: &mut IovIterDest<'_>,
) -> Result<usize> {
    let position = usize::try_from(kiocb.ki_pos()).map_err(|_| EINVAL)?;
    if position % SIZE != 0 || iov.len() < SIZE {
        return Err(EINVAL);
    }
    let mut next = (position / SIZE) as u64;
    let mut read = 0;
    let mut wait = may_wait(&kiocb);
    let mut piece = [altpid_event::new_zeroed(); EVENTS_AT_A_TIME];
    while iov.len() >= SIZE {
        let room = EVENTS_AT_A_TIME.min(iov.len() / SIZE);
        let world = &kiocb.file().get_ref().world;
        let copied = match world.read_events(next, wait, &mut piece[..room]) {
            Ok(copied) => copied,
            Err(_) if read > 0 => break,
            Err(failure) => return Err(failure.into()),
        };
        let bytes = piece[..copied].as_bytes();
        let written = iov.copy_to_iter(bytes) / SIZE;
        if written > 0 {
            next = piece[written - 1].seq + 1;
        }
        read += written * SIZE;
        if written < copied {
            break;
        }
        wait = false;
    }
    if read == 0 {
        return Err(EFAULT);
    }
    let position = next.saturating_mul(SIZE as u64);
    *kiocb.ki_pos_mut() = i64::try_from(position).unwrap_or(i64::MAX);
    Ok(read)
}

/// Whether a read(2) would find something, or fail; puts who asks where he is told when it would.
pub(super) fn poll(world: &World, file: &File, table: &PollTable<'_>) -> bindings::__poll_t {
    // SAFETY: The file is there as long as the call. Somebody may read at the same time: then it is
    // the position before or behind, as the member is one word.
    let position = unsafe { (&raw const (*file.as_ptr()).f_pos).read_volatile() };
    let next = u64::try_from(position).unwrap_or(0) / SIZE as u64;
    match world.poll_events(next, |queue| table.register_wait(file, queue)) {
        Ok(false) => 0,
        Ok(true) => bindings::POLLIN | bindings::POLLRDNORM,
        Err(_) => bindings::POLLIN | bindings::POLLERR,
    }
}
