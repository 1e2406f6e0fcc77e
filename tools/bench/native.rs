// SPDX-License-Identifier: GPL-2.0

//! The kernel's own code, by address: it is not exported.

use core::{
    mem::{size_of, transmute},
    ptr::null_mut,
};
use kernel::{bindings, error::from_err_ptr, prelude::*};

type AllocPid =
    unsafe extern "C" fn(*mut bindings::pid_namespace, *mut i32, usize) -> *mut bindings::pid;
type FreePid = unsafe extern "C" fn(*mut bindings::pid);
type FindPidNs = unsafe extern "C" fn(i32, *mut bindings::pid_namespace) -> *mut bindings::pid;
type PidNrNs = unsafe extern "C" fn(*mut bindings::pid, *mut bindings::pid_namespace) -> i32;
type CopyPidNs = unsafe extern "C" fn(
    u64,
    *mut bindings::user_namespace,
    *mut bindings::pid_namespace,
) -> *mut bindings::pid_namespace;
type PutPidNs = unsafe extern "C" fn(*mut bindings::pid_namespace);

/// Where the functions are, by `/proc/kallsyms`.
pub(crate) struct Addresses {
    pub(crate) alloc_pid: u64,
    pub(crate) free_pid: u64,
    pub(crate) find_pid_ns: u64,
    pub(crate) pid_nr_ns: u64,
    pub(crate) copy_pid_ns: u64,
    pub(crate) put_pid_ns: u64,
}

/// The functions, and the namespace of the loading process.
pub(crate) struct Native {
    alloc_pid: AllocPid,
    free_pid: FreePid,
    find_pid_ns: FindPidNs,
    pid_nr_ns: PidNrNs,
    copy_pid_ns: CopyPidNs,
    put_pid_ns: PutPidNs,
    ns: *mut bindings::pid_namespace,
}

// SAFETY: The namespace is that of the process that loads the module and waits for it.
unsafe impl Send for Native {}
// SAFETY: As above; the kernel's functions can be called by many at once.
unsafe impl Sync for Native {}

/// A pid of the kernel's that no task uses. `free_pid()` when it is dropped.
pub(crate) struct NativePid<'a>(*mut bindings::pid, &'a Native);

// SAFETY: A pid is nobody's in particular.
unsafe impl Send for NativePid<'_> {}
// SAFETY: As above.
unsafe impl Sync for NativePid<'_> {}

impl Drop for NativePid<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The pid came from `alloc_pid()` and no task uses it.
        unsafe { (self.1.free_pid)(self.0) };
    }
}

/// A pid namespace of the kernel's, or the one of the loading process.
pub(crate) struct NativeNs<'a> {
    ns: *mut bindings::pid_namespace,
    init: Option<NativePid<'a>>,
    native: &'a Native,
}

// SAFETY: A namespace is nobody's in particular.
unsafe impl Send for NativeNs<'_> {}
// SAFETY: As above; the kernel's functions can be called by many at once.
unsafe impl Sync for NativeNs<'_> {}

impl<'a> NativeNs<'a> {
    /// Has it have an init: its first number is 1, and others may follow.
    pub(crate) fn with_init(mut self) -> Result<Self> {
        self.init = Some(self.alloc()?);
        // SAFETY: The namespace is ours. The process outlives it, and is not waiting for it to go.
        unsafe { (*self.ns).child_reaper = kernel::current!().as_ptr() };
        Ok(self)
    }

    /// `alloc_pid()`
    #[inline]
    pub(crate) fn alloc(&self) -> Result<NativePid<'a>> {
        // SAFETY: The namespace is live; no numbers are asked for.
        let pid = unsafe { (self.native.alloc_pid)(self.ns, null_mut(), 0) };
        Ok(NativePid(from_err_ptr(pid)?, self.native))
    }
}

impl Drop for NativeNs<'_> {
    fn drop(&mut self) {
        if self.ns == self.native.ns {
            return;
        }
        if let Some(init) = self.init.take() {
            // SAFETY: The namespace is ours, and has no pid but this one.
            unsafe { (*self.ns).child_reaper = null_mut() };
            drop(init);
        }
        // SAFETY: It came from `copy_pid_ns()`.
        unsafe { (self.native.put_pid_ns)(self.ns) };
    }
}

impl Native {
    /// The functions at these addresses.
    pub(crate) fn at(at: Addresses) -> Result<Self> {
        let all = [
            at.alloc_pid,
            at.free_pid,
            at.find_pid_ns,
            at.pid_nr_ns,
            at.copy_pid_ns,
            at.put_pid_ns,
        ];
        if all.contains(&0) {
            return Err(EINVAL);
        }
        // SAFETY: The loader says that these are the functions of those names, with these types.
        unsafe {
            Ok(Self {
                alloc_pid: transmute::<u64, AllocPid>(at.alloc_pid),
                free_pid: transmute::<u64, FreePid>(at.free_pid),
                find_pid_ns: transmute::<u64, FindPidNs>(at.find_pid_ns),
                pid_nr_ns: transmute::<u64, PidNrNs>(at.pid_nr_ns),
                copy_pid_ns: transmute::<u64, CopyPidNs>(at.copy_pid_ns),
                put_pid_ns: transmute::<u64, PutPidNs>(at.put_pid_ns),
                ns: bindings::task_active_pid_ns(kernel::current!().as_ptr()),
            })
        }
    }

    /// How deep the namespace is.
    pub(crate) fn level(&self) -> usize {
        // SAFETY: It is there as long as the loading process is.
        unsafe { (*self.ns).level as usize }
    }

    /// `alloc_pid()`
    #[inline]
    pub(crate) fn alloc(&self) -> Result<NativePid<'_>> {
        // SAFETY: The namespace is live; no numbers are asked for.
        let pid = unsafe { (self.alloc_pid)(self.ns, null_mut(), 0) };
        Ok(NativePid(from_err_ptr(pid)?, self))
    }

    /// The number of a pid in the namespace.
    pub(crate) fn nr(&self, pid: &NativePid<'_>) -> i32 {
        // SAFETY: Both are live.
        unsafe { (self.pid_nr_ns)(pid.0, self.ns) }
    }

    /// `find_pid_ns()`, under RCU; whether there is one.
    #[inline]
    pub(crate) fn find(&self, nr: i32) -> bool {
        let _guard = kernel::sync::rcu::read_lock();
        // SAFETY: The namespace is live, and RCU is held.
        !unsafe { (self.find_pid_ns)(nr, self.ns) }.is_null()
    }

    /// `pid_nr_ns(find_pid_ns())`: what a number is in the initial namespace.
    #[inline]
    pub(crate) fn translate(&self, nr: i32) -> i32 {
        let _guard = kernel::sync::rcu::read_lock();
        // SAFETY: The namespaces are live, and RCU keeps the pid.
        unsafe {
            (self.pid_nr_ns)(
                (self.find_pid_ns)(nr, self.ns),
                &raw mut bindings::init_pid_ns,
            )
        }
    }

    /// The namespace of the loading process.
    pub(crate) fn own_ns(&self) -> NativeNs<'_> {
        NativeNs {
            ns: self.ns,
            init: None,
            native: self,
        }
    }

    /// `copy_pid_ns()`; `put_pid_ns()` when the namespace is dropped.
    pub(crate) fn create_ns(&self) -> Result<NativeNs<'_>> {
        // SAFETY: The loading process is in the namespace, and the initial user namespace is always
        // there.
        let ns = unsafe {
            (self.copy_pid_ns)(
                u64::from(bindings::CLONE_NEWPID),
                &raw mut bindings::init_user_ns,
                self.ns,
            )
        };
        Ok(NativeNs {
            ns: from_err_ptr(ns)?,
            init: None,
            native: self,
        })
    }
}

/// Bytes of a `struct pid` at a level, before the slab rounds them up.
pub(crate) const fn size_of_pid(level: usize) -> usize {
    size_of::<bindings::pid>() + (level + 1) * size_of::<bindings::upid>()
}

/// Waits until namespaces that were put are gone: natively a work item does it.
pub(crate) fn flush_work() {
    // SAFETY: The queue is always there.
    unsafe { bindings::__flush_workqueue(bindings::system_percpu_wq) };
}
