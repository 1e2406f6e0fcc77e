// SPDX-License-Identifier: GPL-2.0

//! Operations as lines of a scenario (docs/scenarios.md), to be written and read.

use crate::op::{Call, Name, Num, Op, Space, Whom};
use altpid::{Action, Disposition, Mask, SigSet};
use anyhow::{Context, Result, bail};
use std::{
    collections::HashMap,
    fmt::{self, Display, Formatter},
};

/// What a scenario begins with: `d` is to it what the driver is to the arena `a`.
pub const PREAMBLE: &str = "\
d = clone
setsid d
h = clone d
setpgid h
exit_group h
unshare d NEWPID
a = clone d
setns d init
setpgid d a h
exec a
";

/// Flags of clone3 by name.
const CLONE_FLAGS: &[(&str, u64)] = &[
    ("VM", 0x100),
    ("FS", 0x200),
    ("FILES", 0x400),
    ("SIGHAND", 0x800),
    ("PIDFD", 0x1000),
    ("PARENT", 0x8000),
    ("THREAD", 0x10000),
    ("NEWNS", 0x20000),
    ("SYSVSEM", 0x40000),
    ("DETACHED", 0x40_0000),
    ("NEWIPC", 0x800_0000),
    ("NEWPID", 0x2000_0000),
    ("CLEAR_SIGHAND", 1 << 32),
    ("AUTOREAP", 1 << 34),
    ("NNP", 1 << 35),
    ("PIDFD_AUTOKILL", 1 << 36),
];

/// Options of wait4 and waitid by name.
const WAIT_FLAGS: &[(&str, u64)] = &[
    ("NOHANG", 0x1),
    ("STOPPED", 0x2),
    ("EXITED", 0x4),
    ("CONTINUED", 0x8),
    ("NOWAIT", 0x100_0000),
    ("__WNOTHREAD", 0x2000_0000),
    ("__WALL", 0x4000_0000),
    ("__WCLONE", 0x8000_0000),
];

/// Commands of reboot by name.
const REBOOT: &[(&str, u64)] = &[
    ("RESTART", 0x0123_4567),
    ("RESTART2", 0xa1b2_c3d4),
    ("HALT", 0xcdef_0123),
    ("POWER_OFF", 0x4321_fedc),
];

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("a"),
            number => write!(f, "t{number}"),
        }
    }
}

impl Display for Space {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Space::Of(name) => name.fmt(f),
            Space::By(number) => write!(f, "n{number}"),
        }
    }
}

impl Display for Num {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Num::Is(number) => number.fmt(f),
            Num::Of(name) => name.fmt(f),
            Num::Minus(name) => write!(f, "-{name}"),
        }
    }
}

/// Flags by name, with `prefix` where C has one; what has no name as a number.
fn flags(value: u64, names: &[(&str, u64)], prefix: &str) -> String {
    let mut rest = value;
    let mut parts = Vec::new();
    for (name, bit) in names {
        if rest & bit != 0 {
            rest &= !bit;
            let prefix = if name.starts_with('_') { "" } else { prefix };
            parts.push(format!("{prefix}{name}"));
        }
    }
    if rest != 0 || parts.is_empty() {
        parts.push(format!("{rest:#x}"));
    }
    parts.join("|")
}

fn set(signals: SigSet) -> String {
    match signals.bits() {
        0 => "NONE".to_owned(),
        u64::MAX => "ALL".to_owned(),
        _ => {
            let numbers: Vec<_> = signals.iter().map(|signal| signal.to_string()).collect();
            numbers.join(",")
        }
    }
}

fn action(action: &Action) -> String {
    let mut text = match action.disposition {
        Disposition::Default => "DFL",
        Disposition::Ignore => "IGN",
        Disposition::Handler => "HANDLER",
    }
    .to_owned();
    if action.nocldstop {
        text += " NOCLDSTOP";
    }
    if action.nocldwait {
        text += " NOCLDWAIT";
    }
    text
}

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let by = self.by;
        match &self.call {
            Call::Clone {
                child,
                flags: bits,
                exit_signal,
                set_tid,
            } => {
                write!(f, "{child} = clone {by}")?;
                if *bits != 0 {
                    write!(f, " {}", flags(*bits, CLONE_FLAGS, ""))?;
                }
                if !set_tid.is_empty() {
                    let numbers: Vec<_> = set_tid.iter().map(i32::to_string).collect();
                    write!(f, " set_tid={}", numbers.join(","))?;
                }
                write!(f, " exit_signal={exit_signal}")
            }
            Call::Unshare(number) => write!(f, "n{number} = unshare {by} NEWPID"),
            Call::Setns(space) => write!(f, "setns {by} {space}"),
            // By a pidfd it is the namespace that the task lives in.
            Call::SetnsOf(name) => write!(f, "setns {by} {name} # by pidfd"),
            Call::Exec => write!(f, "exec {by}"),
            Call::Exit(code) => write!(f, "exit {by} {code}"),
            Call::ExitGroup(code) => write!(f, "exit_group {by} {code}"),
            Call::Kill(pid, signal) => write!(f, "kill {by} {pid} {signal}"),
            Call::Tgkill(tgid, tid, signal) => write!(f, "tgkill {by} {tgid} {tid} {signal}"),
            Call::Tkill(tid, signal) => write!(f, "tkill {by} {tid} {signal}"),
            Call::Queue(pid, signal, code, value) => {
                write!(f, "sigqueue {by} {pid} {signal} code={code} value={value}")
            }
            Call::PidfdSend(name, signal) => write!(f, "pidfd_send_signal {by} {name} {signal}"),
            Call::Sigaction(signal, new) => write!(f, "sigaction {by} {signal} {}", action(new)),
            Call::Sigprocmask(how, signals) => {
                let how = match how {
                    Mask::Block => "BLOCK",
                    Mask::Unblock => "UNBLOCK",
                    Mask::Set => "SETMASK",
                };
                write!(f, "sigprocmask {by} {how} {}", set(*signals))
            }
            Call::Sigwait(signals) => write!(f, "sigwait {by} {}", set(*signals)),
            Call::Wait4(pid, options) => {
                write!(
                    f,
                    "wait4 {by} {pid} {}",
                    flags(u64::from(*options), WAIT_FLAGS, "W")
                )
            }
            Call::WaitId(whom, options) => {
                let options = flags(u64::from(*options), WAIT_FLAGS, "W");
                match whom {
                    Whom::All => write!(f, "waitid {by} P_ALL 0 {options}"),
                    Whom::Pid(pid) => write!(f, "waitid {by} P_PID {pid} {options}"),
                    Whom::Pgid(pgid) => write!(f, "waitid {by} P_PGID {pgid} {options}"),
                }
            }
            Call::Setsid => write!(f, "setsid {by}"),
            Call::Setpgid(pid, pgid) => write!(f, "setpgid {by} {pid} {pgid}"),
            Call::Subreaper(on) => write!(f, "prctl {by} SET_CHILD_SUBREAPER {}", u8::from(*on)),
            Call::Pdeath(signal) => write!(f, "prctl {by} SET_PDEATHSIG {signal}"),
            Call::Reboot(command) => write!(f, "reboot {by} {}", flags_exact(*command)),
            Call::PidMax(value) => write!(f, "sysctl {by} kernel.pid_max={value}"),
            Call::LastPid(value) => write!(f, "sysctl {by} kernel.ns_last_pid={value}"),
        }
    }
}

/// A command of reboot by name, or as a number.
fn flags_exact(command: u32) -> String {
    REBOOT
        .iter()
        .find(|(_, value)| *value == u64::from(command))
        .map_or_else(|| format!("{command:#x}"), |(name, _)| (*name).to_owned())
}

/// Reads scenarios that consist of operations, as they are written here.
#[derive(Default)]
pub struct Reader {
    tasks: HashMap<String, Name>,
    spaces: HashMap<String, Space>,
    next: u32,
}

impl Reader {
    /// The operations of a scenario; the lines of [`PREAMBLE`] are not among them.
    pub fn read(text: &str) -> Result<Vec<Op>> {
        let mut reader = Self::default();
        reader.tasks.insert("a".to_owned(), Name::INIT);
        let mut ops = Vec::new();
        let text = text.replace(PREAMBLE, "");
        for (number, line) in text.lines().enumerate() {
            let by_pidfd = line.contains("# by pidfd");
            let line = line.split('#').next().unwrap_or_default().trim();
            // What is expected was found out natively; both sides are asked again.
            let line = match line.strip_prefix("expect ") {
                None => line,
                Some(rest) => rest.split_once(": ").map_or("", |(_, call)| call),
            };
            if line.is_empty() {
                continue;
            }
            let op = reader
                .line(line, by_pidfd)
                .with_context(|| format!("line {}: {line}", number + 1))?;
            ops.push(op);
        }
        Ok(ops)
    }

    fn line(&mut self, line: &str, by_pidfd: bool) -> Result<Op> {
        let (made, call) = match line.split_once(" = ") {
            Some((name, call)) => (Some(name.trim()), call),
            None => (None, line),
        };
        let words: Vec<&str> = call.split_whitespace().collect();
        let word = |index: usize| words.get(index).copied();
        let verb = word(0).context("no verb")?;
        let by = self.task(word(1).context("no caller")?)?;
        let pid = |index| self.num(word(index).unwrap_or("0"));
        let signal = |index| {
            word(index)
                .unwrap_or("SIGTERM")
                .parse()
                .or_else(|_| signal(word(index).unwrap_or("SIGTERM")))
        };
        let call = match verb {
            "clone" => self.clone_call(made, &words[2..])?,
            "unshare" => {
                self.next += 1;
                let number = self.next;
                if let Some(name) = made {
                    self.spaces.insert(name.to_owned(), Space::By(number));
                }
                Call::Unshare(number)
            }
            "setns" => {
                let name = word(2).context("no namespace")?;
                match self.spaces.get(name) {
                    Some(space) if !by_pidfd => Call::Setns(*space),
                    _ => Call::SetnsOf(self.task(name)?),
                }
            }
            "exec" => Call::Exec,
            "exit" => Call::Exit(word(2).unwrap_or("0").parse()?),
            "exit_group" => Call::ExitGroup(word(2).unwrap_or("0").parse()?),
            "kill" => Call::Kill(pid(2)?, signal(3)?),
            "tgkill" => Call::Tgkill(pid(2)?, pid(3)?, signal(4)?),
            "tkill" => Call::Tkill(pid(2)?, signal(3)?),
            "sigqueue" => {
                let value = |key: &str| {
                    let found = words.iter().find_map(|word| word.strip_prefix(key));
                    found.map(|text| text.parse::<i64>())
                };
                let code = value("code=").transpose()?.unwrap_or(-1) as i32;
                let value = value("value=").transpose()?.unwrap_or(0) as u64;
                Call::Queue(pid(2)?, signal(3)?, code, value)
            }
            "pidfd_send_signal" => {
                Call::PidfdSend(self.task(word(2).context("no target")?)?, signal(3)?)
            }
            "sigaction" => Call::Sigaction(
                signal(2)?,
                Action {
                    disposition: match word(3).context("no disposition")? {
                        "DFL" => Disposition::Default,
                        "IGN" => Disposition::Ignore,
                        "HANDLER" => Disposition::Handler,
                        other => bail!("{other} is no disposition"),
                    },
                    nocldstop: words.contains(&"NOCLDSTOP"),
                    nocldwait: words.contains(&"NOCLDWAIT"),
                },
            ),
            "sigprocmask" => {
                let how = match word(2).context("how?")? {
                    "BLOCK" => Mask::Block,
                    "UNBLOCK" => Mask::Unblock,
                    "SETMASK" => Mask::Set,
                    other => bail!("{other} is no way to change a mask"),
                };
                Call::Sigprocmask(how, sigset(word(3).context("no set")?)?)
            }
            "sigwait" => Call::Sigwait(sigset(word(2).context("no set")?)?),
            "wait4" | "wait" => Call::Wait4(
                self.num(word(2).unwrap_or("-1"))?,
                bits(&words[3.min(words.len())..], WAIT_FLAGS)? as u32,
            ),
            "waitid" => {
                let whom = match word(2).context("whom?")? {
                    "P_ALL" => Whom::All,
                    "P_PID" => Whom::Pid(pid(3)?),
                    "P_PGID" => Whom::Pgid(pid(3)?),
                    other => bail!("{other} is no idtype"),
                };
                Call::WaitId(whom, bits(&words[4.min(words.len())..], WAIT_FLAGS)? as u32)
            }
            "setsid" => Call::Setsid,
            "setpgid" => Call::Setpgid(pid(2)?, pid(3)?),
            "prctl" => match word(2).context("no option")? {
                "SET_CHILD_SUBREAPER" => Call::Subreaper(word(3) == Some("1")),
                "SET_PDEATHSIG" => Call::Pdeath(signal(3)?),
                other => bail!("{other} is no option"),
            },
            "reboot" => {
                let name = word(2).context("no command")?;
                Call::Reboot(bits(&[name], REBOOT)? as u32)
            }
            "sysctl" => {
                let (key, value) = word(2)
                    .and_then(|word| word.split_once('='))
                    .context("key=value")?;
                match key.trim_start_matches("kernel.") {
                    "pid_max" => Call::PidMax(value.parse()?),
                    "ns_last_pid" => Call::LastPid(value.parse()?),
                    other => bail!("{other} is no sysctl of a namespace"),
                }
            }
            other => bail!("{other} is no operation"),
        };
        Ok(Op { by, call })
    }

    fn clone_call(&mut self, made: Option<&str>, words: &[&str]) -> Result<Call> {
        self.next += 1;
        let child = Name(self.next);
        let (mut flag_words, mut set_tid, mut exit_signal) = (Vec::new(), Vec::new(), None);
        for word in words {
            if let Some(numbers) = word.strip_prefix("set_tid=") {
                for number in numbers.split(',') {
                    set_tid.push(number.parse()?);
                }
            } else if let Some(text) = word.strip_prefix("exit_signal=") {
                exit_signal = Some(text.parse().or_else(|_| signal(text))?);
            } else {
                flag_words.push(*word);
            }
        }
        let flags = bits(&flag_words, CLONE_FLAGS)?;
        // As clone3 wants it of threads, siblings and those that reap themselves.
        let none = flags & (0x10000 | 0x8000 | 1 << 34) != 0;
        if let Some(name) = made {
            self.tasks.insert(name.to_owned(), child);
            self.spaces.insert(name.to_owned(), Space::Of(child));
        }
        Ok(Call::Clone {
            child,
            flags,
            exit_signal: exit_signal.unwrap_or(if none { 0 } else { 17 }),
            set_tid,
        })
    }

    fn task(&self, name: &str) -> Result<Name> {
        let name = self.tasks.get(name);
        name.copied().context("no task of this name")
    }

    fn num(&self, word: &str) -> Result<Num> {
        if let Ok(number) = word.parse() {
            return Ok(Num::Is(number));
        }
        match word.strip_prefix('-') {
            Some(name) => Ok(Num::Minus(self.task(name)?)),
            None => Ok(Num::Of(self.task(word)?)),
        }
    }
}

/// The value of flags by name.
fn bits(words: &[&str], names: &[(&str, u64)]) -> Result<u64> {
    let mut value = 0;
    for word in words.iter().flat_map(|word| word.split('|')) {
        let found = names
            .iter()
            .find(|(name, _)| word == *name || word.strip_prefix(['W', 'P']) == Some(name));
        value |= match (found, word.strip_prefix("0x")) {
            (Some((_, bit)), _) => *bit,
            (None, Some(digits)) => u64::from_str_radix(digits, 16)?,
            (None, None) => word.parse().with_context(|| format!("{word} is no flag"))?,
        };
    }
    Ok(value)
}

/// The number of a signal by name.
fn signal(name: &str) -> Result<i32> {
    const NAMES: &[(&str, i32)] = &[
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("KILL", 9),
        ("USR1", 10),
        ("SEGV", 11),
        ("USR2", 12),
        ("ALRM", 14),
        ("TERM", 15),
        ("CHLD", 17),
        ("CONT", 18),
        ("STOP", 19),
        ("TSTP", 20),
        ("TTIN", 21),
        ("TTOU", 22),
        ("URG", 23),
        ("WINCH", 28),
    ];
    let short = name.strip_prefix("SIG").unwrap_or(name);
    let found = NAMES.iter().find(|(name, _)| *name == short);
    Ok(found.with_context(|| format!("{name} is no signal"))?.1)
}

fn sigset(text: &str) -> Result<SigSet> {
    match text {
        "NONE" => Ok(SigSet::EMPTY),
        "ALL" => Ok(SigSet::ALL),
        _ => {
            let mut signals = Vec::new();
            for word in text.split(',') {
                signals.push(word.parse().or_else(|_| signal(word))?);
            }
            Ok(SigSet::of(&signals))
        }
    }
}
