// SPDX-License-Identifier: GPL-2.0

//! Structs and arrays of user space, with the rules of `copy_struct_from_user()`.

use crate::uapi;
use core::mem::size_of;
use kernel::{
    prelude::*,
    uaccess::{UserPtr, UserSlice},
};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The largest struct that is looked at, as natively.
const MAX_SIZE: usize = kernel::page::PAGE_SIZE;

/// A struct of the interface: its first member is its size.
pub(super) trait Extensible: FromBytes + IntoBytes + Immutable {
    /// Its size when it was first published; a caller cannot know a smaller one.
    const FIRST_SIZE: usize;
}

macro_rules! extensible {
    ($($name:ident: $size:literal,)*) => {
        $(impl Extensible for uapi::$name {
            const FIRST_SIZE: usize = $size;
        })*
    };
}

extensible! {
    altpid_world: 80,
    altpid_clone: 64,
    altpid_unshare: 32,
    altpid_setns: 24,
    altpid_exit: 24,
    altpid_wait: 40,
    altpid_waitid: 48,
    altpid_kill: 48,
    altpid_sigaction: 24,
    altpid_sigprocmask: 24,
    altpid_sigwait: 48,
    altpid_exec: 32,
    altpid_prctl: 24,
    altpid_reboot: 16,
    altpid_setsid: 16,
    altpid_setpgid: 24,
    altpid_set_name: 32,
    altpid_task: 616,
    altpid_signals: 80,
    altpid_ns: 56,
    altpid_ns_set: 24,
    altpid_find: 40,
    altpid_translate: 32,
    altpid_list: 40,
    altpid_audit: 152,
}

/// A struct read from user space, and where it is to be written back.
pub(super) struct Args<T> {
    pub(super) value: T,
    user: UserPtr,
    /// The size that the caller said.
    size: usize,
}

impl<T: Extensible> Args<T> {
    /// Reads the struct.
    ///
    /// # Errors
    ///
    /// `EFAULT`; `EINVAL` for a size below the first one; `E2BIG` for one above a page, and when
    /// what is behind the struct as it is known here is not zero.
    pub(super) fn read(arg: usize) -> Result<Self> {
        let user = UserPtr::from_addr(arg);
        let mut size = [0; size_of::<u32>()];
        UserSlice::new(user, size.len())
            .reader()
            .read_slice(&mut size)?;
        let size = u32::from_ne_bytes(size) as usize;
        if size > MAX_SIZE {
            return Err(E2BIG);
        }
        if size < T::FIRST_SIZE {
            return Err(EINVAL);
        }
        let mut reader = UserSlice::new(user, size).reader();
        let mut value = T::new_zeroed();
        let known = size.min(size_of::<T>());
        reader.read_slice(&mut value.as_mut_bytes()[..known])?;
        let mut rest = [0; 64];
        while !reader.is_empty() {
            let piece = reader.len().min(rest.len());
            reader.read_slice(&mut rest[..piece])?;
            if rest[..piece].iter().any(|&byte| byte != 0) {
                return Err(E2BIG);
            }
        }
        Ok(Self { value, user, size })
    }

    /// Writes the struct back, as much of it as both sides know. The size stays the caller's: it
    /// may have changed in memory since it was read, and was checked only once.
    ///
    /// # Errors
    ///
    /// `EFAULT`
    pub(super) fn reply(&self) -> Result {
        let known = self.size.min(size_of::<T>());
        let skip = size_of::<u32>();
        let user = self.user.wrapping_byte_add(skip);
        UserSlice::new(user, known - skip)
            .writer()
            .write_slice(&self.value.as_bytes()[skip..known])
    }
}

/// An array in user space.
pub(super) struct Array {
    user: UserPtr,
    stride: usize,
}

impl Array {
    /// The array at an address, whose elements are `stride` bytes apart.
    ///
    /// # Errors
    ///
    /// `EFAULT` for an address that is none.
    pub(super) fn new(address: u64, stride: usize) -> Result<Self> {
        Ok(Self {
            user: UserPtr::from_addr(usize::try_from(address).map_err(|_| EFAULT)?),
            stride,
        })
    }

    fn at(&self, index: usize, len: usize) -> Result<UserSlice> {
        let offset = index.checked_mul(self.stride).ok_or(EFAULT)?;
        Ok(UserSlice::new(self.user.wrapping_byte_add(offset), len))
    }

    /// Reads elements from `index` on.
    pub(super) fn read<T: FromBytes + IntoBytes>(&self, index: usize, out: &mut [T]) -> Result {
        let out = out.as_mut_bytes();
        self.at(index, out.len())?.reader().read_slice(out)
    }

    /// Writes elements from `index` on.
    pub(super) fn write<T: IntoBytes + Immutable>(&self, index: usize, values: &[T]) -> Result {
        let values = values.as_bytes();
        self.at(index, values.len())?.writer().write_slice(values)
    }

    /// Writes one element of which the caller knows `stride` bytes: the end is left out, or filled
    /// with zeroes.
    pub(super) fn write_prefix<T: IntoBytes + Immutable>(&self, index: usize, value: &T) -> Result {
        let value = value.as_bytes();
        let known = value.len().min(self.stride);
        let mut writer = self.at(index, self.stride)?.writer();
        writer.write_slice(&value[..known])?;
        while !writer.is_empty() {
            let piece = writer.len().min(64);
            writer.write_slice(&[0; 64][..piece])?;
        }
        Ok(())
    }
}

/// `EINVAL` unless a flag word has known flags only, or a reserved member is 0.
pub(super) fn check_flags(flags: u64, known: u64) -> Result {
    if flags & !known == 0 {
        Ok(())
    } else {
        Err(EINVAL)
    }
}
