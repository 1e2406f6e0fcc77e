// SPDX-License-Identifier: GPL-2.0

//! Flags of clone3(2) (`include/uapi/linux/sched.h`): those that altpid looks at, and some others.

use altpid::CloneFlags;

macro_rules! flags {
    ($($name:ident = $value:expr;)*) => {
        $(
            #[doc = concat!("`CLONE_", stringify!($name), "`")]
            pub const $name: u64 = $value;
        )*
    };
}

flags! {
    VM = CloneFlags::VM.bits();
    FS = libc::CLONE_FS as u64;
    SIGHAND = CloneFlags::SIGHAND.bits();
    PIDFD = CloneFlags::PIDFD.bits();
    VFORK = CloneFlags::VFORK.bits();
    PARENT = CloneFlags::PARENT.bits();
    THREAD = CloneFlags::THREAD.bits();
    SYSVSEM = libc::CLONE_SYSVSEM as u64;
    DETACHED = libc::CLONE_DETACHED as u64;
    NEWPID = CloneFlags::NEWPID.bits();
    CLEAR_SIGHAND = CloneFlags::CLEAR_SIGHAND.bits();
    AUTOREAP = CloneFlags::AUTOREAP.bits();
    NNP = 1 << 35;
    PIDFD_AUTOKILL = CloneFlags::PIDFD_AUTOKILL.bits();
}
