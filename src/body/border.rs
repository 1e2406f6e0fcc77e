// SPDX-License-Identifier: GPL-2.0

//! What becomes of each system call of a member (x86-64, Linux 7.3): one table.
//!
//! A number that is not in it is refused, whatever a newer kernel does by it; `tools/scripts/check-border`
//! compares the table with the system calls of the kernel that the module is built for.

use super::leaks;

/// What becomes of a system call. Arguments are counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is made as it is: it carries no number of a process, or only by handles.
    Native,
    /// `ENOSYS`
    Refused,
    /// Its arguments at these places are numbers of threads or processes, 0 for the caller.
    Tasks(&'static [u8]),
    /// A clock, which may be the CPU time of a process or thread.
    Clock,
    /// A clock, and a `struct sigevent`, which may be for a thread.
    TimerCreate,
    /// The header has a number.
    Capability,
    /// The event, and a number.
    Perf,
    /// Which, and the number of a process, process group, or user.
    Priority,
    /// Likewise, with other values for "which".
    IoPriority,
    /// A file system by its name at this place: procfs is the world's.
    FsType(u8),
    Fcntl,
    Ioctl,
    Prctl,
    Futex,
    Ptrace,
    Keyctl,
    Seccomp,
    SharedMemory,
    MessageQueue,
    Semaphore,
    GetSocketOption,
    SendMessage,
    SendMessages,
    ReceiveMessage,
    ReceiveMessages,
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
    Sigqueue,
    ThreadSigqueue,
    PidfdOpen,
    PidfdSendSignal,
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
    Reboot,
}

/// The last system call that there is in Linux 7.3.
const LAST: usize = 472;

/// Makes the table of system calls by their numbers from what becomes of them.
macro_rules! table {
    ($($fate:expr => [$($nr:literal $name:ident),* $(,)?];)*) => {{
        let mut table = [Fate::Refused; LAST + 1];
        $($(table[$nr] = $fate;)*)*
        table
    }};
}

/// The number and the name of each system call stand together, as in `syscall_64.tbl`.
static FATES: [Fate; LAST + 1] = table! {
    Fate::Refused => [
        300 fanotify_init, 321 bpf, 323 userfaultfd, 425 io_uring_setup,
        426 io_uring_enter, 427 io_uring_register, 470 listns,
    ];
    Fate::Tasks(&[0]) => [
        142 sched_setparam, 143 sched_getparam, 144 sched_setscheduler, 145 sched_getscheduler,
        148 sched_rr_get_interval, 203 sched_setaffinity, 204 sched_getaffinity, 256 migrate_pages,
        274 get_robust_list, 279 move_pages, 302 prlimit64, 310 process_vm_readv,
        311 process_vm_writev, 314 sched_setattr, 315 sched_getattr,
    ];
    Fate::Tasks(&[0, 1]) => [312 kcmp];
    Fate::Ptrace => [101 ptrace];
    Fate::Getpid => [39 getpid];
    Fate::Gettid => [186 gettid];
    Fate::Getppid => [110 getppid];
    Fate::Getpgrp => [111 getpgrp];
    Fate::Getpgid => [121 getpgid];
    Fate::Getsid => [124 getsid];
    Fate::Setsid => [112 setsid];
    Fate::Setpgid => [109 setpgid];
    Fate::Clone => [56 clone];
    Fate::Fork => [57 fork];
    Fate::Vfork => [58 vfork];
    Fate::Clone3 => [435 clone3];
    Fate::Exec => [59 execve, 322 execveat];
    Fate::Wait4 => [61 wait4];
    Fate::Waitid => [247 waitid];
    Fate::Kill => [62 kill];
    Fate::Tkill => [200 tkill];
    Fate::Tgkill => [234 tgkill];
    Fate::Sigqueue => [129 rt_sigqueueinfo];
    Fate::ThreadSigqueue => [297 rt_tgsigqueueinfo];
    Fate::PidfdOpen => [434 pidfd_open];
    Fate::PidfdSendSignal => [424 pidfd_send_signal];
    Fate::Unshare => [272 unshare];
    Fate::Setns => [308 setns];
    Fate::SetTidAddress => [218 set_tid_address];
    Fate::Prctl => [157 prctl];
    Fate::Reboot => [169 reboot];
    Fate::FsType(2) => [165 mount];
    Fate::FsType(0) => [430 fsopen];
    Fate::Priority => [140 getpriority, 141 setpriority];
    Fate::IoPriority => [251 ioprio_set, 252 ioprio_get];
    Fate::Clock => [
        227 clock_settime, 228 clock_gettime, 229 clock_getres, 230 clock_nanosleep,
        305 clock_adjtime,
    ];
    Fate::TimerCreate => [222 timer_create];
    Fate::Perf => [298 perf_event_open];
    Fate::Capability => [125 capget, 126 capset];
    Fate::SendMessage => [46 sendmsg];
    Fate::SendMessages => [307 sendmmsg];
    Fate::ReceiveMessage => [47 recvmsg];
    Fate::ReceiveMessages => [299 recvmmsg];
    Fate::GetSocketOption => [55 getsockopt];
    Fate::Ioctl => [16 ioctl];
    Fate::Fcntl => [72 fcntl];
    Fate::SharedMemory => [31 shmctl];
    Fate::MessageQueue => [71 msgctl];
    Fate::Semaphore => [66 semctl];
    Fate::Futex => [202 futex];
    Fate::Keyctl => [250 keyctl];
    Fate::Seccomp => [317 seccomp];
    Fate::Native => [
        0 read, 1 write, 2 open, 3 close, 4 stat, 5 fstat, 6 lstat, 7 poll, 8 lseek, 9 mmap,
        10 mprotect, 11 munmap, 12 brk, 13 rt_sigaction, 14 rt_sigprocmask, 15 rt_sigreturn,
        17 pread64, 18 pwrite64, 19 readv, 20 writev, 21 access, 22 pipe, 23 select, 24 sched_yield,
        25 mremap, 26 msync, 27 mincore, 28 madvise, 29 shmget, 30 shmat, 32 dup, 33 dup2, 34 pause,
        35 nanosleep, 36 getitimer, 37 alarm, 38 setitimer, 40 sendfile, 41 socket, 42 connect,
        43 accept, 44 sendto, 45 recvfrom, 48 shutdown, 49 bind, 50 listen, 51 getsockname,
        52 getpeername, 53 socketpair, 54 setsockopt, 60 exit, 63 uname, 64 semget, 65 semop,
        67 shmdt, 68 msgget, 69 msgsnd, 70 msgrcv, 73 flock, 74 fsync, 75 fdatasync, 76 truncate,
        77 ftruncate, 78 getdents, 79 getcwd, 80 chdir, 81 fchdir, 82 rename, 83 mkdir, 84 rmdir,
        85 creat, 86 link, 87 unlink, 88 symlink, 89 readlink, 90 chmod, 91 fchmod, 92 chown,
        93 fchown, 94 lchown, 95 umask, 96 gettimeofday, 97 getrlimit, 98 getrusage, 99 sysinfo,
        100 times, 102 getuid, 103 syslog, 104 getgid, 105 setuid, 106 setgid, 107 geteuid,
        108 getegid, 113 setreuid, 114 setregid, 115 getgroups, 116 setgroups, 117 setresuid,
        118 getresuid, 119 setresgid, 120 getresgid, 122 setfsuid, 123 setfsgid, 127 rt_sigpending,
        128 rt_sigtimedwait, 130 rt_sigsuspend, 131 sigaltstack, 132 utime, 133 mknod, 134 uselib,
        135 personality, 136 ustat, 137 statfs, 138 fstatfs, 139 sysfs, 146 sched_get_priority_max,
        147 sched_get_priority_min, 149 mlock, 150 munlock, 151 mlockall, 152 munlockall,
        153 vhangup, 154 modify_ldt, 155 pivot_root, 156 _sysctl, 158 arch_prctl, 159 adjtimex,
        160 setrlimit, 161 chroot, 162 sync, 163 acct, 164 settimeofday, 166 umount2,
        167 swapon, 168 swapoff, 170 sethostname, 171 setdomainname, 172 iopl, 173 ioperm,
        174 create_module, 175 init_module, 176 delete_module, 177 get_kernel_syms,
        178 query_module, 179 quotactl, 180 nfsservctl, 181 getpmsg, 182 putpmsg, 183 afs_syscall,
        184 tuxcall, 185 security, 187 readahead, 188 setxattr, 189 lsetxattr, 190 fsetxattr,
        191 getxattr, 192 lgetxattr, 193 fgetxattr, 194 listxattr, 195 llistxattr, 196 flistxattr,
        197 removexattr, 198 lremovexattr, 199 fremovexattr, 201 time, 205 set_thread_area,
        206 io_setup, 207 io_destroy, 208 io_getevents, 209 io_submit, 210 io_cancel,
        211 get_thread_area, 212 lookup_dcookie, 213 epoll_create, 214 epoll_ctl_old,
        215 epoll_wait_old, 216 remap_file_pages, 217 getdents64, 219 restart_syscall,
        220 semtimedop, 221 fadvise64, 223 timer_settime, 224 timer_gettime, 225 timer_getoverrun,
        226 timer_delete, 231 exit_group, 232 epoll_wait, 233 epoll_ctl, 235 utimes, 236 vserver,
        237 mbind, 238 set_mempolicy, 239 get_mempolicy, 240 mq_open, 241 mq_unlink,
        242 mq_timedsend, 243 mq_timedreceive, 244 mq_notify, 245 mq_getsetattr, 246 kexec_load,
        248 add_key, 249 request_key, 253 inotify_init, 254 inotify_add_watch, 255 inotify_rm_watch,
        257 openat, 258 mkdirat, 259 mknodat, 260 fchownat, 261 futimesat, 262 newfstatat,
        263 unlinkat, 264 renameat, 265 linkat, 266 symlinkat, 267 readlinkat, 268 fchmodat,
        269 faccessat, 270 pselect6, 271 ppoll, 273 set_robust_list, 275 splice, 276 tee,
        277 sync_file_range, 278 vmsplice, 280 utimensat, 281 epoll_pwait, 282 signalfd,
        283 timerfd_create, 284 eventfd, 285 fallocate, 286 timerfd_settime, 287 timerfd_gettime,
        288 accept4, 289 signalfd4, 290 eventfd2, 291 epoll_create1, 292 dup3, 293 pipe2,
        294 inotify_init1, 295 preadv, 296 pwritev, 301 fanotify_mark, 303 name_to_handle_at,
        304 open_by_handle_at, 306 syncfs, 309 getcpu, 313 finit_module, 316 renameat2,
        318 getrandom, 319 memfd_create, 320 kexec_file_load, 324 membarrier, 325 mlock2,
        326 copy_file_range, 327 preadv2, 328 pwritev2, 329 pkey_mprotect, 330 pkey_alloc,
        331 pkey_free, 332 statx, 333 io_pgetevents, 334 rseq, 335 uretprobe, 336 uprobe,
        428 open_tree, 429 move_mount, 431 fsconfig, 432 fsmount, 433 fspick,
        436 close_range, 437 openat2, 438 pidfd_getfd, 439 faccessat2, 440 process_madvise,
        441 epoll_pwait2, 442 mount_setattr, 443 quotactl_fd, 444 landlock_create_ruleset,
        445 landlock_add_rule, 446 landlock_restrict_self, 447 memfd_secret, 448 process_mrelease,
        449 futex_waitv, 450 set_mempolicy_home_node, 451 cachestat, 452 fchmodat2,
        453 map_shadow_stack, 454 futex_wake, 455 futex_wait, 456 futex_requeue, 457 statmount,
        458 listmount, 459 lsm_get_self_attr, 460 lsm_set_self_attr, 461 lsm_list_modules,
        462 mseal, 463 setxattrat, 464 getxattrat, 465 listxattrat, 466 removexattrat,
        467 open_tree_attr, 468 file_getattr, 469 file_setattr, 471 rseq_slice_yield, 472 fchroot,
    ];
};

/// What becomes of a system call.
pub(super) fn of(nr: i64) -> Fate {
    if leaks::is_untranslated(nr) {
        return Fate::Native;
    }
    usize::try_from(nr)
        .ok()
        .and_then(|nr| FATES.get(nr).copied())
        .unwrap_or(Fate::Refused)
}

/// A call that programs can do without, if somebody tells whoever runs them: the kernel log, once a world.
#[derive(Clone, Copy)]
pub(super) enum Missed {
    IoUring = 1,
    PiFutex = 2,
}

impl Missed {
    /// What it is, if it is one.
    pub(super) fn of(nr: i64) -> Option<Self> {
        match nr {
            202 => Some(Self::PiFutex),
            425 => Some(Self::IoUring),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::IoUring => "io_uring",
            Self::PiFutex => "futexes with priority inheritance",
        }
    }
}

/// Whether an operation of futex(2) is refused: it compares the word with the native number of the thread.
pub(super) fn is_refused_futex(op: u64) -> bool {
    // FUTEX_LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_REQUEUE_PI, CMP_REQUEUE_PI, LOCK_PI2
    matches!(op as u32 & 0x7f, 6 | 7 | 8 | 11 | 12 | 13)
}

/// Whether an operation of keyctl(2) is refused: KEYCTL_SESSION_TO_PARENT.
pub(super) fn is_refused_keyctl(op: u64) -> bool {
    op as u32 == 18
}

/// Whether an operation of ioctl(2) is refused.
pub(super) fn is_refused_ioctl(cmd: u32) -> bool {
    const NS: u32 = 0xb7;
    const PIDFS: u32 = 0xff;
    const USERFAULTFD: u32 = 0xaa;
    match (cmd >> 8 & 0xff, cmd & 0xff) {
        // NS_GET_{PID,TGID}_{FROM,IN}_PIDNS
        (NS, 6..=9) => true,
        // PIDFD_GET_PID_NAMESPACE, PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE
        (PIDFS, 5 | 6) => true,
        (USERFAULTFD, _) => true,
        _ => false,
    }
}
