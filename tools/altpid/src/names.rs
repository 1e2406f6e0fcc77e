// SPDX-License-Identifier: GPL-2.0

//! Signals and status words as people call them.

/// The names of signals 1 to 31 on x86-64 and arm64, without SIG.
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The first real-time signal, as the kernel counts.
const SIGRTMIN: i32 = 32;
/// The last one.
const SIGRTMAX: i32 = 64;

/// What a signal is called.
///
/// # Examples
///
/// ```
/// assert_eq!(altpid::names::signal(15), "SIGTERM");
/// assert_eq!(altpid::names::signal(34), "SIGRTMIN+2");
/// assert_eq!(altpid::names::signal(65), "signal 65");
/// ```
pub fn signal(number: i32) -> String {
    match number {
        1..SIGRTMIN => format!("SIG{}", SIGNALS[number as usize - 1]),
        SIGRTMIN..=SIGRTMAX => match number - SIGRTMIN {
            0 => "SIGRTMIN".into(),
            more => format!("SIGRTMIN+{more}"),
        },
        _ => format!("signal {number}"),
    }
}

/// The number of a signal, by its number or its name with or without SIG, in any case.
///
/// # Examples
///
/// ```
/// use altpid::names::signal_number;
///
/// assert_eq!(signal_number("SIGTERM"), Some(15));
/// assert_eq!(signal_number("rtmin+2"), Some(34));
/// assert_eq!(signal_number("9"), Some(9));
/// assert_eq!(signal_number("SIGNONE"), None);
/// ```
pub fn signal_number(text: &str) -> Option<i32> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    if let Some(at) = SIGNALS.iter().position(|known| *known == name) {
        return Some(at as i32 + 1);
    }
    match name.strip_prefix("RTMIN")? {
        "" => Some(SIGRTMIN),
        more => {
            let number = SIGRTMIN + more.strip_prefix('+')?.parse::<i32>().ok()?;
            (number <= SIGRTMAX).then_some(number)
        }
    }
}

/// What a status word of wait4(2) says of a process that has ended.
///
/// # Examples
///
/// ```
/// assert_eq!(altpid::names::status(0x0300), "exit 3");
/// assert_eq!(altpid::names::status(9), "SIGKILL");
/// ```
pub fn status(word: i32) -> String {
    match word & 0x7f {
        0 => format!("exit {}", word >> 8 & 0xff),
        number => signal(number),
    }
}
