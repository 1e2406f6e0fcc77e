// SPDX-License-Identifier: GPL-2.0

//! The constants of C that a scenario can name.

use altpid::uapi;

/// Constants of one kind.
#[derive(Debug)]
pub struct Constants {
    /// What one of them is, for messages.
    pub what: &'static str,
    /// What their names begin with in C, which can be left out.
    pub prefix: &'static str,
    /// Whether they are shown with it.
    pub is_shown: bool,
    /// Whether several can be joined.
    pub is_flags: bool,
    /// The names, without the prefix, and the values.
    pub names: &'static [(&'static str, u64)],
}

impl Constants {
    /// The value of a name, with or without the prefix.
    pub fn value(&self, name: &str) -> Option<u64> {
        let short = name.strip_prefix(self.prefix).unwrap_or(name);
        let find = |name: &str| self.names.iter().find(|(known, _)| *known == name);
        find(short).map(|&(_, value)| value)
    }

    /// The value of a name or of a number.
    pub fn parse(&self, word: &str) -> Option<u64> {
        self.value(word).or_else(|| number(word))
    }

    /// The name of a value as it is shown, or the number; flags are joined.
    pub fn show(&self, value: u64) -> String {
        let prefix = if self.is_shown { self.prefix } else { "" };
        if let Some((name, _)) = self.names.iter().find(|&&(_, known)| known == value) {
            return format!("{prefix}{name}");
        }
        if !self.is_flags || value == 0 {
            return value.to_string();
        }
        let mut rest = value;
        let mut shown = Vec::new();
        for (name, bit) in self.names {
            if *bit != 0 && rest & bit == *bit {
                shown.push(format!("{prefix}{name}"));
                rest &= !bit;
            }
        }
        if rest != 0 {
            shown.push(format!("{rest:#x}"));
        }
        shown.join("|")
    }
}

/// A number that is not negative, decimal or with `0x`.
fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if word.starts_with(|c: char| c.is_ascii_digit()) => word.parse().ok(),
        None => None,
    }
}

macro_rules! constants {
    ($($(#[$doc:meta])* $id:ident: $what:literal, $prefix:literal $shown:ident $flags:ident
       [$($name:ident = $value:expr),* $(,)?];)*) => {
        $($(#[$doc])*
        pub static $id: Constants = Constants {
            what: $what,
            prefix: $prefix,
            is_shown: constants!(@is $shown),
            is_flags: constants!(@is $flags),
            names: &[$((stringify!($name), $value as u64)),*],
        };)*
    };
    (@is shown) => { true };
    (@is hidden) => { false };
    (@is flags) => { true };
    (@is one) => { false };
}

constants! {
    /// Flags of clone3(2) and unshare(2): `include/uapi/linux/sched.h`.
    CLONE: "flag of clone", "CLONE_" hidden flags [
        NEWTIME = 0x80, VM = 0x100, FS = 0x200, FILES = 0x400, SIGHAND = 0x800, PIDFD = 0x1000,
        PTRACE = 0x2000, VFORK = 0x4000, PARENT = 0x8000, THREAD = 0x1_0000, NEWNS = 0x2_0000,
        SYSVSEM = 0x4_0000, SETTLS = 0x8_0000, PARENT_SETTID = 0x10_0000,
        CHILD_CLEARTID = 0x20_0000, DETACHED = 0x40_0000, UNTRACED = 0x80_0000,
        CHILD_SETTID = 0x100_0000, NEWCGROUP = 0x200_0000, NEWUTS = 0x400_0000,
        NEWIPC = 0x800_0000, NEWUSER = 0x1000_0000, NEWPID = 0x2000_0000, NEWNET = 0x4000_0000,
        IO = 0x8000_0000u64, CLEAR_SIGHAND = 1u64 << 32, INTO_CGROUP = 1u64 << 33,
        AUTOREAP = 1u64 << 34, NNP = 1u64 << 35, PIDFD_AUTOKILL = 1u64 << 36,
        EMPTY_MNTNS = 1u64 << 37,
    ];
    /// Options of wait4(2).
    WAIT4: "option of wait4", "" hidden flags [
        WNOHANG = 1, WUNTRACED = 2, WCONTINUED = 8, __WNOTHREAD = 0x2000_0000,
        __WALL = 0x4000_0000, __WCLONE = 0x8000_0000u64,
    ];
    /// Options of waitid(2).
    WAITID: "option of waitid", "" hidden flags [
        WNOHANG = 1, WSTOPPED = 2, WEXITED = 4, WCONTINUED = 8, WNOWAIT = 0x100_0000,
        __WNOTHREAD = 0x2000_0000, __WALL = 0x4000_0000, __WCLONE = 0x8000_0000u64,
    ];
    /// Whom waitid(2) waits for.
    ID_TYPE: "kind of id", "P_" shown one [ALL = 0, PID = 1, PGID = 2, PIDFD = 3];
    /// What is done about a signal.
    DISPOSITION: "disposition", "SIG_" hidden one [
        DFL = uapi::ALTPID_SIG_DFL, IGN = uapi::ALTPID_SIG_IGN, HANDLER = uapi::ALTPID_SIG_HANDLER,
    ];
    /// Flags of sigaction(2).
    ACTION: "flag of sigaction", "SA_" hidden flags [
        NOCLDSTOP = uapi::ALTPID_SA_NOCLDSTOP, NOCLDWAIT = uapi::ALTPID_SA_NOCLDWAIT,
        RESTART = uapi::ALTPID_SA_RESTART, NODEFER = uapi::ALTPID_SA_NODEFER,
        RESETHAND = uapi::ALTPID_SA_RESETHAND,
    ];
    /// How sigprocmask(2) changes the mask.
    MASK: "way to change the mask", "SIG_" hidden one [
        BLOCK = uapi::ALTPID_SIG_BLOCK, UNBLOCK = uapi::ALTPID_SIG_UNBLOCK,
        SETMASK = uapi::ALTPID_SIG_SETMASK,
    ];
    /// Options of prctl(2).
    PRCTL: "option of prctl", "PR_" hidden one [
        SET_PDEATHSIG = 1, GET_PDEATHSIG = 2, SET_NAME = 15, GET_NAME = 16,
        SET_CHILD_SUBREAPER = 36, GET_CHILD_SUBREAPER = 37,
    ];
    /// Commands of reboot(2).
    REBOOT: "command of reboot", "LINUX_REBOOT_CMD_" hidden one [
        RESTART = 0x0123_4567, RESTART2 = 0xa1b2_c3d4u32, HALT = 0xcdef_0123u32,
        POWER_OFF = 0x4321_fedc, CAD_ON = 0x89ab_cdefu32, CAD_OFF = 0,
        SW_SUSPEND = 0xd000_fce2u32, KEXEC = 0x4558_4543,
    ];
    /// The sysctls of a namespace.
    SYSCTL: "sysctl", "kernel." shown one [
        pid_max = uapi::ALTPID_NS_PID_MAX, ns_last_pid = uapi::ALTPID_NS_LAST_PID,
    ];
    /// As what a number is in use.
    PID_TYPE: "kind of number", "PIDTYPE_" hidden one [
        PID = uapi::ALTPID_PIDTYPE_PID, TGID = uapi::ALTPID_PIDTYPE_TGID,
        PGID = uapi::ALTPID_PIDTYPE_PGID, SID = uapi::ALTPID_PIDTYPE_SID,
    ];
    /// How a number is looked for.
    FIND: "flag of find", "" hidden flags [GE = uapi::ALTPID_FIND_GE];
    /// Where a signal comes from, as `si_code`.
    SI_CODE: "si_code", "SI_" shown one [
        USER = 0, KERNEL = 0x80, QUEUE = -1i32, TIMER = -2i32, MESGQ = -3i32, ASYNCIO = -4i32,
        SIGIO = -5i32, TKILL = -6i32,
    ];
    /// What has happened to a child, as `si_code` of SIGCHLD.
    CLD_CODE: "si_code", "CLD_" shown one [
        EXITED = 1, KILLED = 2, DUMPED = 3, TRAPPED = 4, STOPPED = 5, CONTINUED = 6,
    ];
    /// Flags of pidfd_open(2).
    PIDFD: "flag of pidfd_open", "PIDFD_" hidden flags [
        THREAD = uapi::ALTPID_PIDFD_THREAD, NONBLOCK = uapi::ALTPID_PIDFD_NONBLOCK,
    ];
    /// Whom a signal by a pidfd is for.
    PIDFD_SIGNAL: "flag of pidfd_send_signal", "PIDFD_SIGNAL_" hidden one [
        THREAD = uapi::ALTPID_SIGNAL_THREAD, THREAD_GROUP = uapi::ALTPID_SIGNAL_THREAD_GROUP,
        PROCESS_GROUP = uapi::ALTPID_SIGNAL_PROCESS_GROUP,
    ];
    /// What poll(2) says.
    POLL: "event", "POLL" hidden flags [
        IN = uapi::ALTPID_POLL_IN, HUP = uapi::ALTPID_POLL_HUP, NVAL = uapi::ALTPID_POLL_NVAL,
    ];
    /// Signals with a name; the real-time ones are numbers.
    SIGNAL: "signal", "SIG" shown one [
        HUP = 1, INT = 2, QUIT = 3, ILL = 4, TRAP = 5, ABRT = 6, BUS = 7, FPE = 8, KILL = 9,
        USR1 = 10, SEGV = 11, USR2 = 12, PIPE = 13, ALRM = 14, TERM = 15, STKFLT = 16, CHLD = 17,
        CONT = 18, STOP = 19, TSTP = 20, TTIN = 21, TTOU = 22, URG = 23, XCPU = 24, XFSZ = 25,
        VTALRM = 26, PROF = 27, WINCH = 28, IO = 29, PWR = 30, SYS = 31,
    ];
    /// Error numbers.
    ERRNO: "errno", "" hidden one [
        EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, ENXIO = 6, E2BIG = 7, EBADF = 9,
        ECHILD = 10, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EFAULT = 14, EBUSY = 16, EEXIST = 17,
        ENODEV = 19, EINVAL = 22, ENFILE = 23, EMFILE = 24, ENOTTY = 25, ENOSPC = 28, EPIPE = 32,
        ERANGE = 34, ENOSYS = 38, ENODATA = 61, EREMOTE = 66, EOVERFLOW = 75, EOPNOTSUPP = 95,
    ];
}

/// An `si_code` by its name or number.
pub fn si_code(word: &str) -> Option<i32> {
    let named = SI_CODE.value(word).or_else(|| CLD_CODE.value(word));
    named
        .map(|value| value as i32)
        .or_else(|| word.parse().ok())
}

/// Whether an `si_code` is about a child.
pub fn is_of_child(code: i32) -> bool {
    CLD_CODE
        .names
        .iter()
        .any(|&(_, known)| known as i32 == code)
}

/// The name of an `si_code`, or the number. What else the kernel has between 1 and 6 does not occur.
pub fn show_si_code(code: i32) -> String {
    let bits = code as i64 as u64;
    if is_of_child(code) {
        CLD_CODE.show(bits)
    } else if SI_CODE.names.iter().any(|&(_, known)| known == bits) {
        SI_CODE.show(bits)
    } else {
        code.to_string()
    }
}

/// The name of a signal, or the number.
pub fn show_signal(signal: i32) -> String {
    match u64::try_from(signal) {
        Ok(signal) => SIGNAL.show(signal),
        Err(_) => signal.to_string(),
    }
}

/// A set of signals: names or numbers with commas, `ALL` or `NONE`.
pub fn show_signals(set: u64) -> String {
    match set {
        0 => "NONE".to_owned(),
        u64::MAX => "ALL".to_owned(),
        _ => {
            let signals = (1..=64).filter(|signal| set >> (signal - 1) & 1 != 0);
            let names: Vec<_> = signals.map(show_signal).collect();
            names.join(",")
        }
    }
}

/// The name of an errno, or the number.
pub fn show_errno(errno: i32) -> String {
    ERRNO.show(errno as u64)
}
