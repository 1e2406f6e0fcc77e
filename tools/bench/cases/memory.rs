// SPDX-License-Identifier: GPL-2.0

//! Bytes: of what is allocated by itself, and of all that it takes, by how much less memory is free
//! afterwards.

use super::Chain;
use crate::{
    measure::{breathe, settle},
    namespace::Namespace,
    native::{size_of_pid, Native, NativeNs, NativePid},
    pid::{self, alloc_pid, NewPid},
    pidmap::PidMap,
};
use kernel::{bindings, page::PAGE_SIZE, prelude::*, sync::aref::ARef};

fn report(what: core::fmt::Arguments<'_>, side: &str, bytes: usize) {
    pr_info!("memory: {} {} {}\n", what, side, bytes);
}

/// Memory that is free, in bytes.
fn free() -> i64 {
    settle();
    let mut info = bindings::sysinfo::default();
    // SAFETY: It is for the function to fill in.
    unsafe { bindings::si_meminfo(&mut info) };
    info.freeram as i64 * PAGE_SIZE as i64
}

/// What one of `count` takes, all told.
fn each<T>(count: usize, mut make: impl FnMut() -> Result<T>) -> Result<usize> {
    let mut made = KVVec::with_capacity(count, GFP_KERNEL)?;
    // The first come with what is shared by all.
    for _ in 0..64 {
        made.push(make()?, GFP_KERNEL)?;
    }
    let before = free();
    for i in 64..count {
        made.push(make()?, GFP_KERNEL)?;
        if i % 1024 == 0 {
            breathe();
        }
    }
    let taken = before - free();
    Ok(taken.max(0) as usize / (count - 64).max(1))
}

/// A pid, with its place in the table of each namespace.
pub(super) fn of_pids(chain: &Chain, native: &Native) -> Result {
    let level = native.level();
    let what = format_args!("struct pid, level {level}");
    report(what, "altpid", pid::object::layout(level).size());
    report(what, "native", size_of_pid(level));
    let count = if level == 0 { 500_000 } else { 50_000 };
    let what = format_args!("a pid with all it takes, level {level}");
    let ours = each::<NewPid>(count, || Ok(alloc_pid(&chain.ns, &[])?))?;
    report(what, "altpid", ours);
    let theirs = each::<NativePid<'_>>(count, || native.alloc())?;
    report(what, "native", theirs);
    Ok(())
}

/// A namespace, alone and with a pid in it.
pub(super) fn of_namespaces(chain: &Chain, native: &Native) -> Result {
    let what = format_args!("struct pid_namespace");
    report(what, "altpid", size_of::<Namespace>());
    report(what, "native", size_of::<bindings::pid_namespace>());
    let count = 2000;
    let what = format_args!("a namespace with its init and all they take");
    let ours = each::<(NewPid, ARef<Namespace>)>(count, || {
        let ns = Namespace::create(Some(&chain.ns), &chain.registry)?;
        Ok((alloc_pid(&ns, &[])?, ns))
    })?;
    report(what, "altpid", ours);
    let theirs = each::<NativeNs<'_>>(count, || native.create_ns()?.with_init())?;
    report(what, "native", theirs);
    Ok(())
}

/// The table of numbers of one namespace.
pub(super) fn of_tables() -> Result {
    const END: u32 = 1 << 22;
    let map = PidMap::<u64>::new();
    let mut taken = KVVec::new();
    for _ in 0..64 {
        taken.push(map.reserve_next(END).map_err(|_| ENOMEM)?, GFP_KERNEL)?;
    }
    report(
        format_args!("table with 64 numbers in use"),
        "altpid",
        map.bytes(),
    );
    for i in 64..END - 1 {
        drop(map.reserve_next(END).map_err(|_| ENOMEM)?);
        if i % 1024 == 0 {
            breathe();
        }
    }
    let what = "table with 64 in use that gave out all 4,194,303";
    report(format_args!("{what}"), "altpid", map.bytes());
    Ok(())
}
