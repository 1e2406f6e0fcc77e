// SPDX-License-Identifier: GPL-2.0

//! The verbs: what each takes, returns and does. One table, from which lines are parsed, printed
//! and completed, and which `help` and `docs/scenarios.md` quote.

mod ids;
mod life;
mod questions;
mod signals;

use super::{constants::Constants, scope::Kind};

/// All of them, a table for each subject.
const TABLES: [&[Verb]; 4] = [life::VERBS, ids::VERBS, signals::VERBS, questions::VERBS];

/// All verbs.
pub fn verbs() -> impl Iterator<Item = &'static Verb> {
    TABLES.into_iter().flatten()
}

/// Which verb it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table says what each is")]
pub enum Op {
    Clone,
    Unshare,
    Setns,
    Exec,
    Exit,
    ExitGroup,
    Wait4,
    Waitid,
    Kill,
    Tgkill,
    Tkill,
    Sigqueue,
    Tgsigqueue,
    PidfdOpen,
    PidfdSendSignal,
    Poll,
    Close,
    Fault,
    Sigaction,
    Sigprocmask,
    Sigpending,
    Sigwait,
    Setsid,
    Setpgid,
    Getpid,
    Gettid,
    Getppid,
    Getpgid,
    Getsid,
    Prctl,
    Reboot,
    Sysctl,
    Find,
    Translate,
    Audit,
    Show,
    Tasks,
    Namespaces,
    Signals,
    Why,
    Events,
}

/// What a call can be expected to return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// 0, as most system calls.
    Zero,
    /// A number.
    Number,
    /// A number or a name.
    NumberOrName,
    /// The number of a child, or its numbers at all levels.
    Child,
    /// A task.
    Task,
    /// Which child, and what has happened to it.
    Report,
    /// A signal, and what came with it.
    Signal,
    /// A set of signals.
    Signals,
    /// Events of poll.
    Events,
    /// What is done about a signal.
    Action,
    /// Numbers.
    Numbers,
    /// What has happened.
    Happenings,
    /// Something to look at, which cannot be expected.
    View,
}

/// What kind of argument it is.
#[derive(Clone, Copy, Debug)]
pub enum ParamKind {
    /// A task.
    Task,
    /// Who sends: a task, `outside` or `kernel`.
    Sender,
    /// Whose child it is to be: a task or `outside`.
    Parent,
    /// A namespace.
    Ns,
    /// A pidfd.
    Pidfd,
    /// A task or a pidfd.
    TaskOrPidfd,
    /// A namespace or a pidfd.
    NsOrPidfd,
    /// A number as the caller sees it.
    Pid,
    /// Several of them.
    Pids,
    /// Whom waitid waits for, which depends on the argument before.
    WaitWho,
    /// One or more constants.
    Constant(&'static Constants),
    /// A signal.
    Signal,
    /// A set of signals.
    Signals,
    /// A number.
    Number,
    /// Numbers with commas.
    Numbers,
    /// An `si_code`.
    SiCode,
    /// A name of a program, or any other text.
    Text,
    /// What prctl sets, which depends on the argument before.
    PrctlValue,
    /// `=` and a number.
    Assigned,
    /// A namespace behind the word `in`.
    InNs,
}

/// An argument.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// What kind it is.
    pub kind: ParamKind,
    /// What usages call it.
    pub label: &'static str,
    /// What stands before the `=` when it is given that way.
    pub key: Option<&'static str>,
    /// Whether it can be left out.
    pub is_optional: bool,
}

impl Param {
    const fn new(kind: ParamKind, label: &'static str) -> Self {
        Self {
            kind,
            label,
            key: None,
            is_optional: false,
        }
    }

    const fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    const fn keyed(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self.is_optional = true;
        self
    }
}

const TASK: Param = Param::new(ParamKind::Task, "TASK");
const NS: Param = Param::new(ParamKind::Ns, "NS");
const PID: Param = Param::new(ParamKind::Pid, "PID");
const SIG: Param = Param::new(ParamKind::Signal, "SIG");

/// A verb.
#[derive(Debug)]
pub struct Verb {
    /// Its name: that of the system call, where it is one.
    pub name: &'static str,
    /// Other names that it goes by.
    pub aliases: &'static [&'static str],
    /// Which it is.
    pub op: Op,
    /// What can be named when it is called.
    pub makes: &'static [Kind],
    /// What it takes.
    pub params: &'static [Param],
    /// What it returns.
    pub returns: Returns,
    /// What it is about, in a few words.
    pub brief: &'static str,
    /// What it does, by which rule, and with which errors.
    pub rule: &'static str,
    /// The functions of the kernel that have the rule, with commas.
    pub c: &'static str,
    /// A scenario that shows it.
    pub example: &'static str,
}

impl Verb {
    /// The verb of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        verbs().find(|verb| verb.name == name || verb.aliases.contains(&name))
    }

    /// All names of verbs.
    pub fn names() -> impl Iterator<Item = &'static str> {
        verbs().flat_map(|verb| [verb.name].into_iter().chain(verb.aliases.iter().copied()))
    }

    /// How it is written.
    pub fn usage(&self) -> String {
        let mut usage = match self.makes {
            [] => String::new(),
            [_] => "[NAME =] ".to_owned(),
            _ => "[NAME[, PIDFD] =] ".to_owned(),
        };
        usage.push_str(self.name);
        for param in self.params {
            let label = match param.key {
                Some(key) => format!("{key}={}", param.label),
                None => param.label.to_owned(),
            };
            // What stands behind `=` follows without a blank.
            let blank = if label.starts_with('=') { "" } else { " " };
            usage.push_str(&if param.is_optional && blank.is_empty() {
                format!("[{label}]")
            } else if param.is_optional {
                format!(" [{label}]")
            } else {
                format!("{blank}{label}")
            });
        }
        usage
    }

    /// What `help VERB` says.
    pub fn help(&self) -> String {
        let mut help = format!("{}\n", self.usage());
        if !self.aliases.is_empty() {
            help.push_str(&format!("also: {}\n", self.aliases.join(", ")));
        }
        help.push_str(&format!("\n{}\n", self.rule));
        if !self.c.is_empty() {
            help.push_str(&format!("\nIn the kernel: {}\n", self.c));
        }
        help.push_str("\nExample:\n");
        for line in self.example.lines() {
            help.push_str(&format!("    {line}\n"));
        }
        help
    }
}

/// The verb that a word may be meant as: one that is spelt nearly so, or the one that does what
/// another tool calls so.
pub fn meant(word: &str) -> Option<String> {
    const ELSEWHERE: &[(&str, &str)] = &[
        ("fork", "clone"),
        ("vfork", "clone VFORK|VM"),
        ("pthread_create", "clone a THREAD|SIGHAND|VM"),
        ("spawn", "clone"),
        ("nsenter", "setns"),
        ("ps", "tasks"),
        ("pstree", "tasks"),
        ("lsns", "namespaces"),
        ("ls", "tasks"),
        ("_exit", "exit"),
        ("abort", "fault a SIGABRT"),
        ("raise", "tgkill"),
        ("killpg", "kill a -b"),
        ("getpgrp", "getpgid a"),
        ("pid_max", "sysctl a pid_max"),
        ("ns_last_pid", "sysctl a ns_last_pid"),
        ("last_pid", "sysctl a ns_last_pid"),
        ("signal", "sigaction"),
        ("assert", "expect"),
        ("watch", "events"),
        ("read", "events"),
    ];
    let elsewhere = ELSEWHERE.iter().find(|(name, _)| *name == word);
    elsewhere.map(|&(_, here)| here.to_owned()).or_else(|| {
        super::error::nearest(word, Verb::names().chain(["expect", "repeat"])).map(str::to_owned)
    })
}
