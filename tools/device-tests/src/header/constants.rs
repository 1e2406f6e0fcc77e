// SPDX-License-Identifier: GPL-2.0

//! Constants of other headers that `altpid.h` speaks of, and the numbers of errors.

/// Flags of clone3(2) (`include/uapi/linux/sched.h`), options of wait4(2) and waitid(2)
/// (`include/uapi/linux/wait.h`), commands of reboot(2) (`include/uapi/linux/reboot.h`).
pub(super) const FOREIGN: &[(&str, u64)] = &[
    ("CLONE_VM", 1 << 8),
    ("CLONE_FS", 1 << 9),
    ("CLONE_SIGHAND", 1 << 11),
    ("CLONE_PIDFD", 1 << 12),
    ("CLONE_VFORK", 1 << 14),
    ("CLONE_PARENT", 1 << 15),
    ("CLONE_THREAD", 1 << 16),
    ("CLONE_NEWNS", 1 << 17),
    ("CLONE_DETACHED", 1 << 22),
    ("CLONE_NEWUSER", 1 << 28),
    ("CLONE_NEWPID", 1 << 29),
    ("CLONE_CLEAR_SIGHAND", 1 << 32),
    ("CLONE_AUTOREAP", 1 << 34),
    ("CLONE_NNP", 1 << 35),
    ("CLONE_PIDFD_AUTOKILL", 1 << 36),
    ("WNOHANG", 0x1),
    ("WUNTRACED", 0x2),
    ("WSTOPPED", 0x2),
    ("WEXITED", 0x4),
    ("WCONTINUED", 0x8),
    ("WNOWAIT", 0x0100_0000),
    ("__WNOTHREAD", 0x2000_0000),
    ("__WALL", 0x4000_0000),
    ("__WCLONE", 0x8000_0000),
    ("P_ALL", 0),
    ("P_PID", 1),
    ("P_PGID", 2),
    ("P_PIDFD", 3),
    ("LINUX_REBOOT_CMD_RESTART", 0x0123_4567),
    ("RESTART2", 0xa1b2_c3d4),
    ("HALT", 0xcdef_0123),
    ("POWER_OFF", 0x4321_fedc),
];

macro_rules! errors {
    ($($name:ident)*) => {
        /// The number of an error.
        pub(super) fn errno(name: &str) -> Option<i32> {
            match name {
                $(stringify!($name) => Some(libc::$name),)*
                _ => None,
            }
        }

        /// The name of an error.
        pub fn errno_name(errno: i32) -> &'static str {
            match errno {
                $(libc::$name => stringify!($name),)*
                _ => "an error without a name",
            }
        }
    };
}

errors! {
    E2BIG EACCES EAGAIN EALREADY EBADF EBUSY ECHILD ECANCELED EDEADLK EEXIST EFAULT EFBIG EINTR
    EINVAL EIO EMFILE EMSGSIZE ENFILE ENODATA ENODEV ENOENT ENOMEM ENOSPC ENOSYS ENOTTY ENXIO
    EOPNOTSUPP EOVERFLOW EPERM ERANGE EREMOTE ESRCH ESTALE ETIMEDOUT EUSERS
}
