// SPDX-License-Identifier: GPL-2.0

//! What can be expected to be so: the properties of tasks, namespaces and the world.

use super::{
    constants::{show_signal, show_signals},
    tokens::quote,
    values::{NsRef, Status, join},
};
use std::fmt;

/// What can be asked about somebody.
#[derive(Debug)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// Which it is.
    pub(super) what: What,
    /// Whom it is about.
    pub(super) subject: Subject,
    /// What its value is.
    pub(super) kind: FactKind,
    /// An example of its use, and what it says.
    pub example: &'static str,
    /// What it is.
    pub meaning: &'static str,
}

/// Which property it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Pid,
    Tgid,
    Pgid,
    Sid,
    Ppid,
    Parent,
    State,
    Status,
    Ns,
    Children,
    Threads,
    Comm,
    ExitSignal,
    Subreaper,
    Autoreap,
    Blocked,
    Pending,
    Shared,
    Ignored,
    Handled,
    Received,
    Init,
    Above,
    Level,
    PidMax,
    LastPid,
    NrPids,
    Listed,
    Why,
    Tasks,
    Zombies,
    Namespaces,
    Pidfds,
}

/// Whom a property is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A task.
    Task,
    /// A namespace.
    Ns,
    /// A task or a namespace.
    Either,
    /// A task or a pidfd.
    TaskOrPidfd,
    /// The world.
    World,
}

/// What kind of value a property has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// A number from somewhere, or the numbers at all levels.
    Pids,
    /// A number from somewhere.
    Pid,
    /// A task, or `none`.
    Task,
    /// A namespace, or `none`.
    Ns,
    /// A word of `STATES`.
    State,
    /// What has happened to it.
    Status,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A signal.
    Signal,
    /// A set of signals.
    Signals,
    /// Yes or no.
    Yes,
    /// What keeps a namespace.
    Blocker,
}

/// The states of tasks, and those of namespaces.
pub const STATES: (&[&str], &[&str]) = (
    &["running", "stopped", "zombie", "exiting"],
    &["awaiting", "active", "dying", "dead"],
);
/// The state of who is no more.
pub const GONE: &str = "gone";
/// The state of the namespace for the children of a task that has exited: there is no such namespace.
pub const NONE: &str = "none";
/// What can keep a namespace, by a task.
pub const BLOCKERS: &[&str] = &["alive", "zombie", "number", "for_children"];

macro_rules! properties {
    ($($name:literal $what:ident $subject:ident $kind:ident: $example:literal, $meaning:literal;)*) => {
        /// All of them.
        pub const PROPERTIES: &[Property] = &[$(Property {
            name: $name,
            what: What::$what,
            subject: Subject::$subject,
            kind: FactKind::$kind,
            example: $example,
            meaning: $meaning,
        }),*];
    };
}

properties! {
    "pid" Pid Task Pids: "expect pid b 1 in a.children", "the number of a task (thread), in its own namespace if no other is given, 0 where it is not visible; with slashes at all levels, the outermost first: `expect pid b 3/1`";
    "tgid" Tgid Task Pids: "expect tgid b 3/1", "likewise of its thread group";
    "pgid" Pgid Task Pids: "expect pgid b 1", "likewise of its process group";
    "sid" Sid Task Pids: "expect sid b 1", "likewise of its session";
    "ppid" Ppid Task Pid: "expect ppid b 0", "the number of its parent's process, in its own namespace if no other is given";
    "parent" Parent Task Task: "expect parent b a", "its parent; none for nobody in this world";
    "state" State Either State: "expect state b zombie", "of a task running, stopped, zombie, exiting or gone; of a namespace awaiting, active, dying, dead or gone; of `b.children` none when b has exited";
    "status" Status TaskOrPidfd Status: "expect status b exited 3", "of a zombie, as wait4 will tell it; of a leader whose threads live on, how it has exited itself; by a pidfd also of a task that is reaped";
    "ns" Ns Task Ns: "expect ns b n", "the namespace that it lives in";
    "children" Children Task Ns: "expect children a n", "the one that its children will be born in; none for who has exited";
    "threads" Threads Task Number: "expect threads b 1", "live threads of its process";
    "comm" Comm Task Text: "expect comm b sh", "its name";
    "exit_signal" ExitSignal Task Signal: "expect exit_signal b SIGCHLD", "what its parent gets when it exits; -1 for a thread";
    "subreaper" Subreaper Task Yes: "expect subreaper b no", "whether it gets the orphans among its descendants";
    "autoreap" Autoreap Task Yes: "expect autoreap b no", "whether it vanishes when it exits";
    "blocked" Blocked Task Signals: "expect blocked b TERM,USR1", "the signals it blocks";
    "pending" Pending Task Signals: "expect pending b USR1", "the signals that wait for it";
    "shared" Shared Task Signals: "expect shared b TERM", "the signals that wait for any thread of its process";
    "ignored" Ignored Task Signals: "expect ignored b HUP", "the signals that its process ignores";
    "handled" Handled Task Signals: "expect handled b CHLD", "the signals that its process has handlers for";
    "received" Received Task Number: "expect received b 2", "how many signals its handlers were called for";
    "init" Init Ns Task: "expect init n b", "the init (child_reaper) of a namespace; none if there is none";
    "above" Above Ns Ns: "expect above n init", "the namespace above; none for the outermost";
    "level" Level Ns Number: "expect level n 1", "how deep it is; 0 for the outermost";
    "pid_max" PidMax Ns Number: "expect pid_max n 4194304", "where its numbers end";
    "last_pid" LastPid Ns Number: "expect last_pid n 1", "the last number given in order";
    "nr_pids" NrPids Ns Number: "expect nr_pids n 1", "numbers in use";
    "listed" Listed Ns Yes: "expect listed n no", "whether listns(2) lists a namespace: not one that only a pidfd, or only a namespace below, keeps";
    "why" Why Ns Blocker: "expect why n alive b", "one of the things that keep it from going: alive b, zombie b, number b, for_children b, namespace m, pidfd h; none for nothing";
    "tasks" Tasks World Number: "expect tasks 3", "how many the world holds, zombies among them";
    "zombies" Zombies World Number: "expect zombies 1", "how many of them are zombies";
    "pidfds" Pidfds World Number: "expect pidfds 1", "how many are open";
    "namespaces" Namespaces World Number: "expect namespaces 2", "how many the world holds, dead ones that something holds among them";
}

impl Property {
    /// The property of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROPERTIES.iter().find(|property| property.name == name)
    }
}

/// Something that must be so.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What is asked.
    pub property: &'static Property,
    /// Whom it is about; nobody for the world.
    pub subject: Option<NsRef>,
    /// What it must be.
    pub value: FactValue,
    /// From where a number is seen.
    pub view: Option<NsRef>,
}

impl PartialEq for Fact {
    fn eq(&self, other: &Self) -> bool {
        self.property.name == other.property.name
            && self.subject == other.subject
            && self.value == other.value
            && self.view == other.view
    }
}

/// What a property must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactValue {
    /// A number.
    Number(i64),
    /// Numbers at all levels.
    Vector(Vec<i32>),
    /// A task by its name, or none.
    Task(Option<String>),
    /// A namespace, or none.
    Ns(Option<NsRef>),
    /// A word: of `STATES`, or `GONE`.
    State(&'static str),
    /// What has happened.
    Status(Status),
    /// Text.
    Text(String),
    /// A signal.
    Signal(i32),
    /// A set of signals.
    Signals(u64),
    /// Yes or no.
    Yes(bool),
    /// A word of `BLOCKERS` and a task.
    Blocker(&'static str, String),
    /// A namespace that keeps another.
    Below(NsRef),
}

impl fmt::Display for FactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Vector(numbers) => f.write_str(&join(numbers, "/")),
            Self::Task(name) => f.write_str(name.as_deref().unwrap_or("none")),
            Self::Ns(Some(ns)) => ns.fmt(f),
            Self::Ns(None) => f.write_str("none"),
            Self::State(state) => f.write_str(state),
            Self::Status(status) => status.fmt(f),
            Self::Text(text) => f.write_str(&quote(text)),
            Self::Signal(signal) => f.write_str(&show_signal(*signal)),
            Self::Signals(set) => f.write_str(&show_signals(*set)),
            Self::Yes(yes) => f.write_str(if *yes { "yes" } else { "no" }),
            Self::Blocker(how, name) => write!(f, "{how} {name}"),
            Self::Below(ns) => write!(f, "namespace {ns}"),
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expect {}", self.property.name)?;
        if let Some(subject) = &self.subject {
            write!(f, " {subject}")?;
        }
        write!(f, " {}", self.value)?;
        match &self.view {
            Some(ns) => write!(f, " in {ns}"),
            None => Ok(()),
        }
    }
}
