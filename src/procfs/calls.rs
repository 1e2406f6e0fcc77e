// SPDX-License-Identifier: GPL-2.0

//! What the C files of this folder call (`procfs.h`). A view is given to them as a pointer, from the mount
//! until the superblock is gone.

use super::{
    find::{Shown, Who},
    made::Place,
    out::Out,
    View,
};
use crate::pid::registry::NsId;
use core::slice;
use kernel::{bindings, error::Error, prelude::*, sync::aref::ARef};

/// The view behind a pointer.
///
/// # Safety
///
/// The pointer is what [`altpid_proc_mount`] has given, and [`altpid_proc_unmount`] is not called as long as
/// the reference is used.
unsafe fn view<'a>(view: *mut c_void) -> &'a View {
    // SAFETY: By the safety requirements.
    unsafe { &*view.cast::<View>() }
}

/// What a mount will show; null if that cannot be.
///
/// # Safety
///
/// The file is null or there as long as the call; there is room for an error.
#[no_mangle]
unsafe extern "C" fn altpid_proc_mount(
    file: *mut bindings::file,
    ns: u64,
    error: *mut c_int,
) -> *mut c_void {
    // SAFETY: By the safety requirements.
    match unsafe { View::new(file, NsId::unless_0(ns)) } {
        Ok(view) => KBox::into_raw(view).cast(),
        Err(failure) => {
            // SAFETY: By the safety requirements.
            unsafe { *error = failure.error().to_errno() };
            core::ptr::null_mut()
        }
    }
}

/// The mount is gone.
///
/// # Safety
///
/// As [`view`]; called once.
#[no_mangle]
unsafe extern "C" fn altpid_proc_unmount(view: *mut c_void) {
    // SAFETY: By the safety requirements.
    drop(unsafe { KBox::from_raw(view.cast::<View>()) });
}

/// Whether the world has not ended.
///
/// # Safety
///
/// As [`view`].
#[no_mangle]
unsafe extern "C" fn altpid_proc_is_open(this: *mut c_void) -> bool {
    // SAFETY: By the safety requirements.
    unsafe { view(this) }.world().is_some()
}

/// Whether somebody is there.
///
/// # Safety
///
/// As [`view`].
#[no_mangle]
unsafe extern "C" fn altpid_proc_is_there(this: *mut c_void, who: u64) -> bool {
    // SAFETY: By the safety requirements.
    unsafe { view(this) }.is_there(Who::from_raw(who))
}

/// The id of the namespace.
///
/// # Safety
///
/// As [`view`].
#[no_mangle]
unsafe extern "C" fn altpid_proc_ns(this: *mut c_void) -> u64 {
    // SAFETY: By the safety requirements.
    unsafe { view(this) }.ns.id().to_raw()
}

/// Numbers in the namespace that are in use.
///
/// # Safety
///
/// As [`view`].
#[no_mangle]
unsafe extern "C" fn altpid_proc_count(this: *mut c_void) -> c_uint {
    // SAFETY: By the safety requirements.
    unsafe { view(this) }.ns.nr_pids()
}

/// Gives the caller a task, if there is one.
///
/// # Safety
///
/// There is room for it.
unsafe fn give(shown: Option<Shown>, to: *mut Shown) -> bool {
    match shown {
        Some(shown) => {
            // SAFETY: By the safety requirements.
            unsafe { to.write(shown) };
            true
        }
        None => false,
    }
}

/// The task with a number, or with a process its thread with that.
///
/// # Safety
///
/// As [`view`]; there is room for the task.
#[no_mangle]
unsafe extern "C" fn altpid_proc_find(
    this: *mut c_void,
    process: u64,
    nr: c_int,
    task: *mut Shown,
) -> bool {
    // SAFETY: By the safety requirements.
    let shown = unsafe { view(this) }.find(Who::unless_0(process), nr);
    // SAFETY: By the safety requirements.
    unsafe { give(shown, task) }
}

/// The first process with this number or one behind it.
///
/// # Safety
///
/// As [`view`]; there is room for the task.
#[no_mangle]
unsafe extern "C" fn altpid_proc_next(this: *mut c_void, nr: c_int, task: *mut Shown) -> bool {
    // SAFETY: By the safety requirements.
    let shown = unsafe { view(this) }.next(nr);
    // SAFETY: By the safety requirements.
    unsafe { give(shown, task) }
}

/// The thread of a process at a place, where that at the place before is known; it is known then.
///
/// # Safety
///
/// As [`view`]; there is room for the task, and `at` can be written.
#[no_mangle]
unsafe extern "C" fn altpid_proc_thread(
    this: *mut c_void,
    process: u64,
    at: *mut u64,
    place: u64,
    task: *mut Shown,
) -> bool {
    // SAFETY: By the safety requirements.
    let (view, at) = unsafe { (view(this), &mut *at) };
    let shown = view.thread(Who::from_raw(process), Who::unless_0(*at), place);
    *at = shown.as_ref().map_or(0, Shown::who);
    // SAFETY: By the safety requirements.
    unsafe { give(shown, task) }
}

/// The calling thread's own numbers, if it has any in the namespace.
///
/// # Safety
///
/// As [`view`]; there is room for the numbers.
#[no_mangle]
unsafe extern "C" fn altpid_proc_own(this: *mut c_void, tgid: *mut c_int, tid: *mut c_int) -> bool {
    // SAFETY: By the safety requirements.
    let own = unsafe { view(this) }.own();
    if let Some(own) = own {
        // SAFETY: By the safety requirements.
        unsafe { (*tgid, *tid) = own };
    }
    own.is_some()
}

/// The length of what was written, or an error.
fn length(result: Result, out: &Out<'_>) -> isize {
    match result {
        Ok(()) => out.len() as isize,
        Err(error) => Error::to_errno(error) as isize,
    }
}

/// Rewrites a line. Returns its length.
///
/// # Safety
///
/// As [`view`]; the line is there, there is room for so many bytes in `out`, and `state` can be written.
#[no_mangle]
unsafe extern "C" fn altpid_proc_line(
    this: *mut c_void,
    task: u64,
    kind: c_uint,
    line: *const u8,
    len: usize,
    out: *mut u8,
    size: usize,
    state: *mut u64,
) -> isize {
    // SAFETY: By the safety requirements.
    let (view, line, out, state) = unsafe {
        (
            view(this),
            slice::from_raw_parts(line, len),
            slice::from_raw_parts_mut(out, size),
            &mut *state,
        )
    };
    let mut out = Out::new(out);
    length(
        view.line(kind, Who::from_raw(task), line, &mut out, state),
        &out,
    )
}

/// Makes the next part of a file. Returns its length.
///
/// # Safety
///
/// As [`view`]; there is room for so many bytes in `out`, and `place` can be written.
#[no_mangle]
unsafe extern "C" fn altpid_proc_make(
    this: *mut c_void,
    task: u64,
    kind: c_uint,
    out: *mut u8,
    size: usize,
    place: *mut Place,
) -> isize {
    // SAFETY: By the safety requirements.
    let (view, out, place) = unsafe {
        (
            view(this),
            slice::from_raw_parts_mut(out, size),
            &mut *place,
        )
    };
    let mut out = Out::new(out);
    length(view.make(kind, Who::from_raw(task), &mut out, place), &out)
}

/// Writes a sysctl of the namespace.
///
/// # Safety
///
/// As [`view`].
#[no_mangle]
unsafe extern "C" fn altpid_proc_write(
    this: *mut c_void,
    kind: c_uint,
    value: c_longlong,
) -> isize {
    // SAFETY: By the safety requirements.
    match unsafe { view(this) }.write(kind, value) {
        Ok(()) => 0,
        Err(error) => Error::to_errno(error) as isize,
    }
}

/// The pid of a process, with a reference; null when it is reaped.
///
/// # Safety
///
/// As [`view`].
#[no_mangle]
unsafe extern "C" fn altpid_proc_pid(this: *mut c_void, who: u64) -> *mut c_void {
    // SAFETY: By the safety requirements.
    let pid = unsafe { view(this) }.pid(Who::from_raw(who));
    pid.map_or(core::ptr::null_mut(), |pid| {
        ARef::into_raw(pid).as_ptr().cast()
    })
}
