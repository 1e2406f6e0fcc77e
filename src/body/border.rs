// SPDX-License-Identifier: GPL-2.0

//! What becomes of each system call of a member (x86-64, Linux 7.3).
//!
//! A number that is not in this table is refused, whatever a newer kernel does by it.

/// What becomes of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is made as it is: it names nobody.
    Native,
    /// `ENOSYS`
    Refused,
    /// Its argument at this place names a process or a thread: 0 and the caller's own number are
    /// translated, others refused.
    Own(u8),
    /// Likewise at two places.
    OwnBoth(u8, u8),
    /// Its argument at this place is an operation; it is refused for some ([`is_refused`]).
    Some(u8),
    /// A clock, which may be the CPU time of somebody else.
    Clock,
    /// ioctl(2): whose a terminal is is translated, some others are refused ([`is_refused_ioctl`]).
    Ioctl,
    Fork,
    Vfork,
    Clone,
    Clone3,
    Exec,
    Wait4,
    Waitid,
    Kill,
    Tkill,
    Tgkill,
    Getpid,
    Gettid,
    Getppid,
    Getpgrp,
    Getpgid,
    Getsid,
    Setsid,
    Setpgid,
    Unshare,
    Setns,
    SetTidAddress,
    Prctl,
    /// getpriority(2) and its kin: which, who.
    Priority,
    TimerCreate,
    /// perf_event_open(2): the event, who.
    Perf,
    Capability,
    SendMessage,
}

/// The last system call that there is in Linux 7.3.
const LAST: usize = 472;

static FATES: [Fate; LAST + 1] = {
    let mut fates = [Fate::Refused; LAST + 1];
    let mut nr = 0;
    while nr <= LAST {
        fates[nr] = fate(nr);
        nr += 1;
    }
    fates
};

/// What becomes of a system call.
pub(super) fn of(nr: i64) -> Fate {
    usize::try_from(nr)
        .ok()
        .and_then(|nr| FATES.get(nr).copied())
        .unwrap_or(Fate::Refused)
}

const fn fate(nr: usize) -> Fate {
    match nr {
        39 => Fate::Getpid,
        186 => Fate::Gettid,
        110 => Fate::Getppid,
        111 => Fate::Getpgrp,
        121 => Fate::Getpgid,
        124 => Fate::Getsid,
        112 => Fate::Setsid,
        109 => Fate::Setpgid,
        56 => Fate::Clone,
        57 => Fate::Fork,
        58 => Fate::Vfork,
        435 => Fate::Clone3,
        59 | 322 => Fate::Exec,
        61 => Fate::Wait4,
        247 => Fate::Waitid,
        62 => Fate::Kill,
        200 => Fate::Tkill,
        234 => Fate::Tgkill,
        272 => Fate::Unshare,
        308 => Fate::Setns,
        218 => Fate::SetTidAddress,
        157 => Fate::Prctl,
        // getpriority, setpriority, ioprio_set, ioprio_get
        140 | 141 | 251 | 252 => Fate::Priority,
        222 => Fate::TimerCreate,
        298 => Fate::Perf,
        125 | 126 => Fate::Capability,
        46 | 307 => Fate::SendMessage,
        // rt_sigqueueinfo; sched_setparam, getparam, setscheduler, getscheduler, rr_get_interval,
        // setaffinity, getaffinity, setattr, getattr; prlimit64; migrate_pages, move_pages;
        // process_vm_readv, writev; get_robust_list; pidfd_open
        129 | 142..=145 | 148 | 203 | 204 | 314 | 315 | 302 | 256 | 279 | 310 | 311 | 274 | 434 => {
            Fate::Own(0)
        }
        // rt_tgsigqueueinfo, kcmp
        297 | 312 => Fate::OwnBoth(0, 1),
        // clock_settime, gettime, getres, nanosleep, adjtime
        227..=230 | 305 => Fate::Clock,
        16 => Fate::Ioctl,
        // futex: priority inheritance; fcntl; shmctl, msgctl; keyctl; seccomp
        202 | 72 | 31 | 71 | 250 | 317 => Fate::Some(1),
        // setsockopt, getsockopt, semctl
        54 | 55 | 66 => Fate::Some(2),
        // ptrace, reboot, pidfd_send_signal, io_uring, bpf, fanotify_init, userfaultfd, listns,
        // process_madvise, process_mrelease: they name somebody by other means, or hand
        // out numbers.
        101 | 169 | 424..=427 | 321 | 300 | 323 | 470 | 440 | 448 => Fate::Refused,
        // uselib, create_module and others that there are not: the kernel's own ENOSYS.
        0..=334 | 424..=LAST => Fate::Native,
        335 | 336 => Fate::Native,
        _ => Fate::Refused,
    }
}

/// Whether a system call is refused for this operation, its argument at the place of [`Fate::Some`].
pub(super) fn is_refused(nr: i64, args: &[u64; 6]) -> bool {
    match nr {
        // FUTEX_LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_REQUEUE_PI, CMP_REQUEUE_PI, LOCK_PI2: the word is
        // compared with the native number.
        202 => matches!(args[1] as u32 & 0x7f, 6 | 7 | 8 | 11 | 12 | 13),
        // F_GETLK, F_SETOWN, F_GETOWN, F_SETOWN_EX, F_GETOWN_EX, F_OFD_GETLK
        72 => matches!(args[1] as u32, 5 | 8 | 9 | 15 | 16 | 36),
        // IPC_STAT, SHM_STAT, SHM_STAT_ANY; IPC_STAT, MSG_STAT, MSG_STAT_ANY; GETPID
        31 => matches!(args[1] as u32 & !0x100, 2 | 13 | 15),
        71 => matches!(args[1] as u32 & !0x100, 2 | 11 | 13),
        66 => args[2] as u32 & !0x100 == 11,
        // KEYCTL_SESSION_TO_PARENT
        250 => args[0] as u32 == 18,
        // SECCOMP_FILTER_FLAG_TSYNC and NEW_LISTENER: a thread's number, and those of others
        317 => args[1] & (1 | 8) != 0,
        // SOL_SOCKET: SO_PASSCRED, SO_PEERCRED, SO_PASSPIDFD, SO_PEERPIDFD
        54 | 55 => args[1] as u32 == 1 && matches!(args[2] as u32, 16 | 17 | 76 | 77),
        _ => false,
    }
}

/// Whether an operation of ioctl(2) is refused.
pub(super) fn is_refused_ioctl(cmd: u32) -> bool {
    let kind = cmd >> 8 & 0xff;
    // FIOSETOWN, SIOCSPGRP, FIOGETOWN, SIOCGPGRP
    matches!(cmd, 0x8901..=0x8904)
        // Those of namespaces, of pidfds, of seccomp's listeners, and of /dev/userfaultfd.
        || matches!(kind, 0xb7 | 0xff | 0x21 | 0xaa)
}

/// Whether a clock is the CPU time of somebody else than the caller, or may be.
pub(super) fn names_clock(clock: u64) -> bool {
    let clock = clock as i32;
    // CLOCKFD is a device, not a process; ~(clock >> 3) is the number otherwise.
    clock < 0 && clock & 7 != 3 && !(clock >> 3) != 0
}
