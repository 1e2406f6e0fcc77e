// SPDX-License-Identifier: GPL-2.0

//! Files of debugfs that user space may hold for as long as it likes.
//!
//! `kernel::debugfs` makes files whose file operations have no owner and are part of the module, so
//! that who closes one after rmmod makes the kernel read memory that is gone. Here
//!
//! - the owner is the module, which an open file keeps (`fs/debugfs/file.c`: `full_proxy_open_regular()`);
//! - the file operations are not part of the module, and never freed. A file that was opened with
//!   O_PATH only does not keep the module, but its inode points to them; who opens it by way of
//!   `/proc/self/fd` is told that the file was removed, after `__debugfs_file_get()` has looked which
//!   operations there are.
//!
//! # Locks
//!
//! None of the module's.

use core::{ops::Deref, ptr::NonNull};
use kernel::{bindings, fmt, prelude::*, seq_file::SeqFile, seq_print, sync::Arc};

/// Something in debugfs, which is removed with all that is in it when this goes: who reads a file
/// of it is waited for.
///
/// # Invariants
///
/// Null, an error, or what `debugfs_create_dir()` or `debugfs_create_file()` returned and nobody else
/// removes.
struct Entry(*mut bindings::dentry);

// SAFETY: The functions for it may be called by everybody.
unsafe impl Send for Entry {}
// SAFETY: As above.
unsafe impl Sync for Entry {}

impl Entry {
    /// Makes a directory at the top of debugfs.
    #[cfg_attr(not(CONFIG_DEBUG_FS), allow(unused_variables))]
    fn directory(name: &CStr) -> Self {
        #[cfg(CONFIG_DEBUG_FS)]
        // INVARIANT: It is nobody else's.
        // SAFETY: The name is copied.
        return Self(unsafe {
            bindings::debugfs_create_dir(name.as_char_ptr(), core::ptr::null_mut())
        });
        #[cfg(not(CONFIG_DEBUG_FS))]
        Self(core::ptr::null_mut())
    }

    /// Makes a file that root may read.
    ///
    /// # Safety
    ///
    /// `data` is what `operations` take it for until this is dropped; they are there for ever.
    #[cfg_attr(not(CONFIG_DEBUG_FS), allow(unused_variables))]
    unsafe fn file(
        &self,
        name: &CStr,
        data: *mut c_void,
        operations: NonNull<bindings::file_operations>,
    ) -> Self {
        #[cfg(CONFIG_DEBUG_FS)]
        // INVARIANT: It is nobody else's.
        // SAFETY: The name is copied; the rest is by the safety requirements and the invariants. An
        // error as the directory is allowed.
        return Self(unsafe {
            bindings::debugfs_create_file_full(
                name.as_char_ptr(),
                0o400,
                self.0,
                data,
                core::ptr::null(),
                operations.as_ptr(),
            )
        });
        #[cfg(not(CONFIG_DEBUG_FS))]
        Self(core::ptr::null_mut())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        #[cfg(CONFIG_DEBUG_FS)]
        // SAFETY: By the invariants; null and errors are allowed.
        unsafe {
            bindings::debugfs_remove(self.0)
        };
    }
}

/// A directory of files that show `T`s, as long as this is there.
pub(super) struct Directory<T> {
    entry: Entry,
    /// # Invariants
    ///
    /// Those of files whose data is a `T`. They are never freed.
    operations: NonNull<bindings::file_operations>,
    _shows: core::marker::PhantomData<fn(&T)>,
}

// SAFETY: The file operations are not written any more.
unsafe impl<T> Send for Directory<T> {}
// SAFETY: As above.
unsafe impl<T> Sync for Directory<T> {}

impl<T: fmt::Display + Send + Sync> Directory<T> {
    /// Makes a directory at the top of debugfs. Called once in the life of a module, since it takes a
    /// page that is not given back. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`. That debugfs would not have it is no error: then there are no files.
    pub(super) fn new(name: &CStr, module: &'static ThisModule) -> Result<Self> {
        const { assert!(size_of::<bindings::file_operations>() <= kernel::page::PAGE_SIZE) };
        // SAFETY: No requirements.
        let page = unsafe { bindings::get_free_pages_noprof(bindings::GFP_KERNEL, 0) };
        let operations: *mut bindings::file_operations =
            core::ptr::with_exposed_provenance_mut(page as usize);
        let operations = NonNull::new(operations).ok_or(ENOMEM)?;
        // INVARIANT: `open` takes the data for a `T`, and the others are for what `open` makes.
        // SAFETY: The page is large enough for them, aligned, and nobody else's.
        unsafe {
            operations.write(bindings::file_operations {
                owner: module.as_ptr(),
                open: Some(open::<T>),
                read: Some(bindings::seq_read),
                llseek: Some(bindings::seq_lseek),
                release: Some(bindings::single_release),
                ..pin_init::zeroed()
            });
        }
        Ok(Self {
            entry: Entry::directory(name),
            operations,
            _shows: core::marker::PhantomData,
        })
    }

    /// Makes a file in it that shows `data`. May sleep.
    pub(super) fn file(&self, name: &CStr, data: Arc<T>) -> File<T> {
        let pointer: *const T = &raw const *data;
        // SAFETY: The data is dropped after the entry, and by the invariants the operations are for
        // it. They only get a shared reference.
        let entry = unsafe {
            self.entry
                .file(name, pointer.cast_mut().cast(), self.operations)
        };
        File {
            _entry: entry,
            data,
        }
    }
}

/// A file that shows a `T`, as long as this is there. Fields are dropped in order: the file is gone
/// when the data goes.
pub(super) struct File<T> {
    _entry: Entry,
    data: Arc<T>,
}

impl<T> File<T> {
    /// The data without a file.
    pub(super) fn nowhere(data: Arc<T>) -> Self {
        // INVARIANT: Null is allowed.
        let entry = Entry(core::ptr::null_mut());
        Self {
            _entry: entry,
            data,
        }
    }
}

impl<T> Deref for File<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.data
    }
}

/// Opens a file.
///
/// # Safety
///
/// Called by debugfs for a file whose data is a `T`, which is not removed as long as the call.
unsafe extern "C" fn open<T: fmt::Display>(
    inode: *mut bindings::inode,
    file: *mut bindings::file,
) -> c_int {
    // SAFETY: By the safety requirements; `show` is for that data.
    unsafe { bindings::single_open(file, Some(show::<T>), (*inode).i_private) }
}

/// Writes what a file shows.
///
/// # Safety
///
/// Called for a file that [`open`] has opened, which is not removed as long as the call.
unsafe extern "C" fn show<T: fmt::Display>(seq: *mut bindings::seq_file, _: *mut c_void) -> c_int {
    // SAFETY: By the safety requirements: the data is there as long as the file is not removed.
    let (data, seq) = unsafe { (&*(*seq).private.cast::<T>(), SeqFile::from_raw(seq)) };
    seq_print!(seq, "{data}");
    0
}
