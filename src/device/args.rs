// SPDX-License-Identifier: GPL-2.0

//! Structs and arrays of user space, with the rules of `copy_struct_from_user()`.

use super::{failures::Failures, OpenFile};
use crate::{
    reason::{Outcome, Reason},
    uapi,
    world::World,
};
use core::{
    cell::Cell,
    mem::{offset_of, size_of},
};
use kernel::{
    prelude::*,
    uaccess::{UserPtr, UserSlice},
};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The largest struct that is looked at, as natively.
pub(super) const MAX_SIZE: usize = kernel::page::PAGE_SIZE;

/// One operation that is asked for: by a call of its own, or in an array of them.
pub(super) struct Call<'a> {
    pub(super) world: &'a World,
    pub(super) failures: &'a Failures,
    /// Address of its struct.
    arg: usize,
    /// What those before it in the same array have made.
    earlier: Option<&'a dyn Fn(u64) -> Outcome<u64>>,
    /// The id that it had to give.
    made: Cell<u64>,
}

impl<'a> Call<'a> {
    /// An operation with its struct at `arg`. In an array `earlier` gives what the operation with
    /// an index has made.
    pub(super) fn new(
        file: &'a OpenFile,
        arg: usize,
        earlier: Option<&'a dyn Fn(u64) -> Outcome<u64>>,
    ) -> Self {
        Self {
            world: &file.world,
            failures: &file.failures,
            arg,
            earlier,
            made: Cell::new(0),
        }
    }

    /// The id that it had to give, 0 for none.
    pub(super) fn made(&self) -> u64 {
        self.made.get()
    }

    /// An id as it is given in the struct: itself, or by way of an earlier operation.
    fn resolve(&self, id: &mut u64) -> Outcome {
        const MADE_BY: u64 = uapi::ALTPID_MADE_BY as u64;
        if let (Some(earlier), 1) = (self.earlier, *id / MADE_BY) {
            *id = earlier(*id % MADE_BY)?;
        }
        Ok(())
    }
}

/// A struct of the interface: its first member is its size.
pub(super) trait Extensible: FromBytes + IntoBytes + Immutable {
    /// Its size when it was first published; a caller cannot know a smaller one.
    const FIRST_SIZE: usize;
    /// From here on it is written back: what is before is what the caller has given.
    const FIRST_OUT: usize;

    /// The first member: how large the caller says that it is.
    fn size(&self) -> usize;

    /// Goes through its members that are ids of tasks and namespaces and given by the caller.
    fn each_id(&mut self, resolve: impl Fn(&mut u64) -> Outcome) -> Outcome;

    /// The id that it gives the caller.
    fn made(&self) -> u64;
}

macro_rules! extensible {
    ($($name:ident: $size:literal, [$($id:ident)*] $(=> $made:ident)? $(, from $out:ident)?;)*) => {
        $(impl Extensible for uapi::$name {
            const FIRST_SIZE: usize = $size;
            const FIRST_OUT: usize = {
                let first = extensible!(@out $name $($out)?);
                // All of it or none: a result is in a struct that is as long as the first one.
                assert!(first < $size);
                first
            };

            fn size(&self) -> usize {
                self.size as usize
            }

            fn each_id(&mut self, _resolve: impl Fn(&mut u64) -> Outcome) -> Outcome {
                $(_resolve(&mut self.$id)?;)*
                Ok(())
            }

            fn made(&self) -> u64 {
                extensible!(@made self $($made)?)
            }
        })*
    };
    // Behind the size.
    (@out $name:ident) => { size_of::<u32>() };
    (@out $name:ident $out:ident) => { offset_of!(uapi::$name, $out) };
    (@made $self:ident $made:ident) => { $self.$made };
    (@made $self:ident) => { 0 };
}

// The size when it was first published, the ids it takes, the id it gives, and for those that a program calls
// often where results begin: a member at a multiple of 8, as others are copied byte by byte.
extensible! {
    altpid_world: 80, [];
    altpid_clone: 64, [task parent] => child, from child;
    altpid_unshare: 32, [task] => ns;
    altpid_setns: 24, [task ns pidfd];
    altpid_exit: 24, [task];
    altpid_wait: 40, [task] => child, from pid;
    altpid_waitid: 48, [task pidfd] => child, from child;
    altpid_kill: 48, [task target];
    altpid_sigaction: 24, [task];
    altpid_sigprocmask: 24, [task];
    altpid_sigwait: 48, [task];
    altpid_exec: 32, [task];
    altpid_prctl: 24, [task];
    altpid_reboot: 16, [task];
    altpid_setsid: 16, [task];
    altpid_setpgid: 24, [task];
    altpid_set_name: 32, [task];
    altpid_get_name: 32, [task];
    altpid_getid: 24, [task], from pid;
    altpid_sigpending: 24, [task];
    altpid_attach: 56, [parent ns] => task;
    altpid_pidfd_open: 40, [task target] => pidfd;
    altpid_pidfd_close: 16, [pidfd];
    altpid_pidfd_info: 208, [pidfd task];
    altpid_poll: 24, [pidfd];
    altpid_task: 616, [task];
    altpid_signals: 80, [task];
    altpid_ns: 56, [ns];
    altpid_ns_set: 24, [ns];
    altpid_ns_get: 40, [task ns] => parent;
    altpid_find: 40, [ns] => task, from nr;
    altpid_translate: 32, [from to];
    altpid_list: 40, [ns];
    altpid_audit: 152, [];
    altpid_failure: 16, [];
    altpid_batch: 24, [];
}

/// A struct read from user space, and where it is to be written back.
pub(super) struct Args<'a, T> {
    pub(super) value: T,
    call: &'a Call<'a>,
    /// The size that the caller said.
    size: usize,
}

impl<'a, T: Extensible> Args<'a, T> {
    /// Where the struct of a call is read into ([`Args::fill`]).
    #[inline]
    pub(super) fn new(call: &'a Call<'a>) -> Self {
        Self {
            value: T::new_zeroed(),
            call,
            size: 0,
        }
    }

    /// Reads the struct.
    ///
    /// # Errors
    ///
    /// As [`Args::fill`].
    pub(super) fn read(call: &'a Call<'a>) -> Outcome<Self> {
        let mut args = Self::new(call);
        args.fill()?;
        Ok(args)
    }

    /// Reads the struct to where this is: what is large and called often is not copied once more.
    ///
    /// # Errors
    ///
    /// `EFAULT`; `EINVAL` for a size below the first one; `E2BIG` for one above a page, and when
    /// what is behind the struct as it is known here is not zero. In an array `EINVAL` for the id
    /// of what no earlier operation has made.
    #[inline]
    pub(super) fn fill(&mut self) -> Outcome {
        let (call, value) = (self.call, &mut self.value);
        let user = UserPtr::from_addr(call.arg);
        let read = |bytes: &mut [u8]| UserSlice::new(user, bytes.len()).reader().read_slice(bytes);
        // Most callers know all of it.
        let all = read(value.as_mut_bytes());
        if all.is_err() {
            // Of a shorter one, or a bad one, the size may be there, and is the first thing to be
            // wrong.
            *value = T::new_zeroed();
            read(&mut value.as_mut_bytes()[..size_of::<u32>()])?;
        }
        let size = value.size();
        if size > MAX_SIZE {
            return Err(E2BIG.into());
        }
        if size < T::FIRST_SIZE {
            return Err(EINVAL.into());
        }
        let known = size.min(size_of::<T>());
        if all.is_err() {
            let of_size = size_of::<u32>();
            let mut reader = UserSlice::new(user, known).reader();
            reader.skip(of_size)?;
            reader.read_slice(&mut value.as_mut_bytes()[of_size..known])?;
        } else if known < size_of::<T>() {
            // Behind a shorter one was something else.
            value.as_mut_bytes()[known..].fill(0);
        }
        if size > known {
            check_zeroed(user.wrapping_byte_add(known), size - known)?;
        }
        value.each_id(|id| call.resolve(id))?;
        self.size = size;
        Ok(())
    }

    /// Whether the caller's struct is long enough for a member that was added to it and ends
    /// `end` bytes behind its beginning.
    pub(super) fn reaches(&self, end: usize) -> bool {
        self.size >= end
    }

    /// Writes the results back, as much of them as both sides know. The size stays the caller's: it
    /// may have changed in memory since it was read, and was checked only once.
    ///
    /// # Errors
    ///
    /// `EFAULT`
    pub(super) fn reply(&self) -> Outcome {
        self.call.made.set(self.value.made());
        let known = self.size.min(size_of::<T>());
        let skip = T::FIRST_OUT;
        let user = UserPtr::from_addr(self.call.arg).wrapping_byte_add(skip);
        UserSlice::new(user, known - skip)
            .writer()
            .write_slice(&self.value.as_bytes()[skip..known])?;
        Ok(())
    }
}

/// Memory of a caller's struct behind what is known of it here is zero (`check_zeroed_user()`).
///
/// # Errors
///
/// `EFAULT`; `E2BIG` when it is not.
#[cold]
fn check_zeroed(user: UserPtr, len: usize) -> Outcome {
    let mut reader = UserSlice::new(user, len).reader();
    let mut rest = [0; 64];
    while !reader.is_empty() {
        let piece = reader.len().min(rest.len());
        reader.read_slice(&mut rest[..piece])?;
        if rest[..piece].iter().any(|&byte| byte != 0) {
            return Err(E2BIG.into());
        }
    }
    Ok(())
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
        self.read_member(index, 0, out)
    }

    /// Reads what is `offset` bytes behind the beginning of element `index`.
    pub(super) fn read_member<T: FromBytes + IntoBytes>(
        &self,
        index: usize,
        offset: usize,
        out: &mut [T],
    ) -> Result {
        let out = out.as_mut_bytes();
        let mut reader = self.at(index, offset + out.len())?.reader();
        reader.skip(offset)?;
        reader.read_slice(out)
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
pub(super) fn check_flags(flags: u64, known: u64) -> Outcome {
    if flags & !known == 0 {
        Ok(())
    } else {
        Err(Reason::Flags.into())
    }
}
