// SPDX-License-Identifier: GPL-2.0

//! Looking whether everything holds that must hold.
//!
//! [`World::audit`] walks every structure of a world and counts the broken invariants:
//!
//! - each number of a task, a thread group, a process group and a session is in use in its
//!   namespace and in every one above, and names that very pid there;
//! - each pid knows its users, and they know it;
//! - each process has a parent that is there, knows it, and can see it; or it is outside's;
//! - each task is on the list of its group, and counts agree with lists;
//! - whoever has something to tell its parent is not before where that looks first, and what is
//!   remembered of a process group is so;
//! - each pidfd is of a task that has the pid, or of one that is reaped and has left its status;
//! - each signal in a queue waits for somebody, and nobody who is killed is stopped;
//! - a namespace counts as many numbers as its table holds, and its init is its pid 1;
//! - nothing lives in a namespace without init, and nothing is dead and unwaited for.
//!
//! # Pieces
//!
//! [`LOOK_STEPS`] objects and numbers are looked at in one go; others get the tree lock in between. A
//! world that is no larger is looked at as it is in one moment. In a larger one that others change
//! meanwhile, what is said of each object is still true of one moment, so that no invariant is
//! reported that is not broken; each object that is there all the time is looked at. What takes more
//! than one moment, the end of a list and comparing counts, is left out when something has changed
//! meanwhile, and told of ([`Findings::skipped`]).
//!
//! # Locks
//!
//! The tree lock for a piece at a time, and the registry lock within it.

mod checks;

use crate::{
    base::slots::Idx, pid::find_pid_from, pid::namespace::Namespace, pid::registry::Registry,
    tree::budget::BUDGET, tree::group::Group, tree::task::Task, tree::Tree, world::work::is_killed,
    world::World,
};
use kernel::{fmt, prelude::*, str::NullTerminatedFormatter, sync::aref::ARef, task::might_sleep};

/// Steps of one hold of the lock, but for the last object with what belongs to it: more than others take,
/// as what is looked at in one hold is of one moment.
pub(crate) const LOOK_STEPS: u32 = 2 * BUDGET;

/// What an audit has found.
pub(crate) struct Findings {
    /// Broken invariants.
    pub(crate) broken: u32,
    /// Lists and counts that were left out, because something had changed meanwhile.
    pub(crate) skipped: u32,
    /// Tasks looked at.
    pub(crate) tasks: u64,
    /// Numbers looked at.
    pub(crate) numbers: u64,
    /// The first broken one in words.
    pub(crate) what: [u8; 128],
}

impl Findings {
    fn new() -> Self {
        Self {
            broken: 0,
            skipped: 0,
            tasks: 0,
            numbers: 0,
            what: [0; 128],
        }
    }

    fn check(&mut self, holds: bool, what: fmt::Arguments<'_>) {
        if holds {
            return;
        }
        if self.broken == 0 {
            if let Some(mut text) = NullTerminatedFormatter::new(&mut self.what) {
                // What does not fit is left out.
                let _ = fmt::Write::write_fmt(&mut text, what);
            }
        }
        self.broken = self.broken.saturating_add(1);
    }
}

/// How many objects were met on lists where they belong, and how many belong on one.
#[derive(Default)]
struct Listed {
    threads: usize,
    children: usize,
    have_parent: usize,
    in_process_groups: usize,
    in_sessions: usize,
    stopped: usize,
    /// Threads in calls that defer signals, and what their processes count.
    deferring: usize,
    counted_deferring: usize,
    subreapers: usize,
    signals: usize,
    users_of_sighands: usize,
}

/// What is gone through, one after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Tasks,
    Groups,
    Sighands,
    Pidfds,
    Namespaces,
    Done,
}

impl Stage {
    fn next(self) -> Self {
        match self {
            Self::Tasks => Self::Groups,
            Self::Groups => Self::Sighands,
            Self::Sighands => Self::Pidfds,
            Self::Pidfds => Self::Namespaces,
            Self::Namespaces | Self::Done => Self::Done,
        }
    }
}

/// A list that belongs to an object, and the next one on it.
enum List {
    Children(Idx<Task>, Idx<Group>),
    /// With the threads that were met, and those of them that are alive.
    Threads(Idx<Group>, Idx<Task>, u32, u32),
    /// Of the group that is the first member.
    ProcessGroup(Idx<Group>, Idx<Group>),
    Session(Idx<Group>, Idx<Group>),
    Numbers(Numbers),
}

/// The numbers of a namespace.
struct Numbers {
    ns: ARef<Namespace>,
    /// What [`Tree::changes`] was at the first one.
    since: u64,
    next: i32,
    held: u32,
    alive: u32,
}

/// An audit that is under way.
pub(crate) struct Audit {
    pub(crate) findings: Findings,
    listed: Listed,
    stage: Stage,
    /// The next object of the stage.
    position: usize,
    /// Lists of the last object whose ends are not reached.
    lists: [Option<List>; 3],
    /// What the tree was when the audit began, and at the last piece; `None` before the first.
    version: Option<(Version, Version)>,
}

/// As long as this is the same, counts are of one moment: [`Tree::changes`], and how often a signal
/// has come or gone.
type Version = (u64, u64);

fn version(tree: &Tree) -> Version {
    (tree.changes(), tree.queued().turnover())
}

impl World {
    /// Checks every invariant of the world, until the caller is killed. May sleep.
    pub(crate) fn audit(&self) -> Findings {
        let mut audit = Audit::new();
        while audit.step(self) {
            might_sleep();
            if is_killed() {
                break;
            }
        }
        audit.findings
    }
}

impl Audit {
    /// One that has looked at nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            findings: Findings::new(),
            listed: Listed::default(),
            stage: Stage::Tasks,
            position: 0,
            lists: [const { None }; 3],
            version: None,
        }
    }

    /// Looks at a piece; false when there is no more.
    pub(crate) fn step(&mut self, world: &World) -> bool {
        let tree = world.tree();
        let now = version(&tree);
        let (began, last) = self.version.unwrap_or((now, now));
        self.version = Some((began, now));
        if last.0 != now.0 {
            self.leave_lists();
        }
        while tree.steps() < LOOK_STEPS && self.stage != Stage::Done {
            let looked_at = self.look(&tree, world.registry());
            tree.draw(looked_at as u32);
        }
        self.stage != Stage::Done
    }

    /// Where a list would be gone on with may not be on it any more.
    fn leave_lists(&mut self) {
        for list in &mut self.lists {
            if list
                .as_ref()
                .is_some_and(|list| !matches!(list, List::Numbers(_)))
            {
                *list = None;
                self.findings.skipped += 1;
            }
        }
    }

    /// Looks at the next object or number; returns how many they were.
    fn look(&mut self, tree: &Tree, registry: &Registry) -> usize {
        if let Some(at) = self.lists.iter().position(Option::is_some) {
            let list = self.lists[at].take();
            self.lists[at] = list.and_then(|list| self.go_on(tree, list));
            return 1;
        }
        let position = self.position;
        self.position += 1;
        let end = match self.stage {
            Stage::Tasks => tree.tasks().positions(),
            Stage::Groups => tree.groups().positions(),
            Stage::Sighands => tree.sighands().positions(),
            Stage::Pidfds => tree.pidfds().positions(),
            Stage::Namespaces => registry.positions(),
            Stage::Done => 0,
        };
        if position >= end {
            self.end_stage(tree);
            return 1;
        }
        match self.stage {
            Stage::Tasks => tree
                .tasks()
                .at(position)
                .map_or(1, |at| self.task(tree, at)),
            Stage::Groups => (tree.groups().at(position)).map_or(1, |at| self.group(tree, at)),
            Stage::Sighands => {
                let sighand = tree.sighands().at(position);
                let users = sighand.map_or(0, |at| tree.sighands()[at].users());
                self.listed.users_of_sighands += users as usize;
                1
            }
            Stage::Pidfds => {
                if let Some(pidfd) = tree.pidfds().at(position) {
                    let nr = tree.pidfds()[pidfd].pid().nr();
                    self.findings.check(
                        tree.is_pidfd_sound(pidfd),
                        fmt!("a pidfd of {nr} is neither of a task nor of a reaped one"),
                    );
                }
                1
            }
            Stage::Namespaces => {
                self.lists[0] = registry.at(position).map(|ns| {
                    List::Numbers(Numbers {
                        ns,
                        since: tree.changes(),
                        next: 0,
                        held: 0,
                        alive: 0,
                    })
                });
                1
            }
            Stage::Done => 0,
        }
    }

    /// Everything of a kind was looked at.
    fn end_stage(&mut self, tree: &Tree) {
        if self.stage == Stage::Sighands {
            if self.version.is_some_and(|(began, now)| began == now) {
                self.compare(tree);
            } else {
                self.findings.skipped += 1;
            }
        }
        self.stage = self.stage.next();
        self.position = 0;
    }

    /// Looks at the next one of a list; returns where to go on.
    fn go_on(&mut self, tree: &Tree, list: List) -> Option<List> {
        match list {
            List::Children(task, child) => {
                self.child(tree, task, child);
                let next = tree.tasks()[task].children().next(tree.groups(), child)?;
                Some(List::Children(task, next))
            }
            List::Threads(group, thread, all, live) => {
                let (all, live) = self.thread(tree, group, thread, all, live);
                let process = &tree.groups()[group];
                let exiting = tree.crowd(group).and_then(|crowd| crowd.exiting().first());
                let first = process.threads().first().or(exiting);
                match Some(tree.next_thread(thread)).filter(|&next| Some(next) != first) {
                    Some(next) => Some(List::Threads(group, next, all, live)),
                    None => {
                        self.count_threads(tree, group, all, live);
                        None
                    }
                }
            }
            List::ProcessGroup(first, member) => {
                self.member(tree, first, member);
                let members = tree.process_group(tree.groups()[first].pgid());
                let next = members.next(tree.groups(), member)?;
                Some(List::ProcessGroup(first, next))
            }
            List::Session(first, member) => {
                let same = tree.groups()[member].sid().is(tree.groups()[first].sid());
                self.findings.check(
                    same,
                    fmt!("a process is on the list of another session than its own"),
                );
                self.listed.in_sessions += 1;
                let members = tree.session(tree.groups()[first].sid());
                let next = members.next(tree.groups(), member)?;
                Some(List::Session(first, next))
            }
            List::Numbers(mut numbers) => match find_pid_from(&numbers.ns, numbers.next) {
                Some((nr, pid)) => {
                    self.number(tree, &mut numbers, nr, &pid);
                    Some(List::Numbers(numbers))
                }
                None => {
                    self.namespace(tree, &numbers);
                    None
                }
            },
        }
    }
}
