// SPDX-License-Identifier: GPL-2.0

//! Flags of clone3(2) (`include/uapi/linux/sched.h`).

/// `CLONE_VM`
pub const VM: u64 = 0x100;
/// `CLONE_FS`
pub const FS: u64 = 0x200;
/// `CLONE_SIGHAND`
pub const SIGHAND: u64 = 0x800;
/// `CLONE_PIDFD`
pub const PIDFD: u64 = 0x1000;
/// `CLONE_PARENT`
pub const PARENT: u64 = 0x8000;
/// `CLONE_THREAD`
pub const THREAD: u64 = 0x10000;
/// `CLONE_SYSVSEM`
pub const SYSVSEM: u64 = 0x40000;
/// `CLONE_DETACHED`
pub const DETACHED: u64 = 0x40_0000;
/// `CLONE_NEWPID`
pub const NEWPID: u64 = 0x2000_0000;
/// `CLONE_CLEAR_SIGHAND`
pub const CLEAR_SIGHAND: u64 = 1 << 32;
/// `CLONE_AUTOREAP`
pub const AUTOREAP: u64 = 1 << 34;
/// `CLONE_NNP`
pub const NNP: u64 = 1 << 35;
/// `CLONE_PIDFD_AUTOKILL`
pub const PIDFD_AUTOKILL: u64 = 1 << 36;
