// SPDX-License-Identifier: GPL-2.0

//! Descriptors of worlds that are closed while other threads use them.

use super::{Address, Arena, ioctl};
use rustix::{
    fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    io::Errno,
};

/// Numbers of descriptors of this process that stand for worlds, or for nothing at the moment.
#[derive(Debug)]
pub struct Slots {
    first: RawFd,
    count: usize,
}

impl Slots {
    /// Some that are empty.
    pub fn new(count: usize) -> Self {
        // Far above those that the process gets by itself: it has no more than a few.
        Self { first: 500, count }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    fn number(&self, slot: usize) -> RawFd {
        assert!(slot < self.count);
        self.first + slot as RawFd
    }

    fn fd(&self, slot: usize) -> BorrowedFd<'_> {
        // SAFETY: Only this struct knows the number. That it may be closed meanwhile is what it is
        // for: then the kernel says EBADF, for nothing else has it ever.
        unsafe { BorrowedFd::borrow_raw(self.number(slot)) }
    }

    /// Puts a duplicate of a descriptor there. What is there is closed, at once and whoever uses it.
    pub fn put(&self, slot: usize, world: impl AsFd) {
        let fd = world.as_fd().as_raw_fd();
        // SAFETY: The number is ours.
        let number = unsafe { libc::dup3(fd, self.number(slot), libc::O_CLOEXEC) };
        assert_eq!(number, self.number(slot), "dup3");
    }

    /// Closes what is there.
    pub fn clear(&self, slot: usize) {
        // SAFETY: The number is ours; nothing is there or a world.
        unsafe { libc::close(self.number(slot)) };
    }

    /// Issues a command.
    ///
    /// # Errors
    ///
    /// What the module returns, and `EBADF` when nothing is there.
    pub fn issue(&self, slot: usize, command: u32, address: Address) -> Result<(), Errno> {
        ioctl(self.fd(slot), command, address.get())
    }

    /// Reads events, into the memory for arrays, from the file position or from an offset.
    ///
    /// # Errors
    ///
    /// As [`Slots::issue`].
    pub fn read(
        &self,
        slot: usize,
        arena: &Arena,
        len: usize,
        from: Option<i64>,
    ) -> Result<usize, Errno> {
        let buffer = arena.array(0);
        assert!(arena.is_good(buffer, len));
        let buffer = std::ptr::with_exposed_provenance_mut(buffer.get() as usize);
        let fd = self.number(slot);
        // SAFETY: The buffer is memory of the arena, of which nobody has a reference.
        let status = unsafe {
            match from {
                Some(from) => libc::pread(fd, buffer, len, from),
                None => libc::read(fd, buffer, len),
            }
        };
        usize::try_from(status).map_err(|_| {
            Errno::from_io_error(&std::io::Error::last_os_error()).expect("an error number")
        })
    }
}
