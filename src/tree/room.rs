// SPDX-License-Identifier: GPL-2.0

//! Room for a process or a thread that joins. The caller brings memory ([`Spares`]), and the tree gives a
//! [`ProcessRoom`] or a [`ThreadRoom`], which an insertion consumes: there is no insertion without room, and none
//! fails. The room borrows the tree, so that nothing else can use it up before.
//!
//! # Locks
//!
//! Under the tree lock.

use super::Tree;
use crate::{
    base::slots::{Idx, Slots, Spare, Vacancy},
    tree::bodies::Body,
    tree::call::Call,
    tree::crowd::Crowd,
    tree::group::Group,
    tree::handles::{Pidfd, PidfdId},
    tree::sighand::{Handlers, Sighand},
    tree::task::Task,
};
use kernel::prelude::*;

/// Memory for one more task and what it needs.
pub(crate) struct Spares {
    tasks: Spare<Task>,
    groups: Spare<Group>,
    sighands: Spare<Sighand>,
    /// `None` until one was found to be missing.
    crowds: Option<Spare<Crowd>>,
    /// `None` unless wanted.
    pidfds: Option<Spare<Pidfd>>,
    bodies: Option<Spare<Body>>,
}

impl Spares {
    /// Nothing yet. A task with a handle, or that of a member, which has a body, needs more than others.
    pub(crate) fn new(with_pidfd: bool, with_body: bool) -> Self {
        Self {
            tasks: Spare::new(),
            groups: Spare::new(),
            sighands: Spare::new(),
            crowds: None,
            pidfds: with_pidfd.then(Spare::new),
            bodies: with_body.then(Spare::new),
        }
    }

    /// Allocates what was found to be missing. May sleep; call it without the tree lock.
    pub(crate) fn fill(&mut self) -> Result {
        self.tasks.fill()?;
        self.groups.fill()?;
        self.sighands.fill()?;
        self.crowds.as_mut().map_or(Ok(()), Spare::fill)?;
        self.bodies.as_mut().map_or(Ok(()), Spare::fill)?;
        self.pidfds.as_mut().map_or(Ok(()), Spare::fill)
    }
}

/// Room for a process of one thread.
#[must_use]
pub(crate) struct ProcessRoom<'a> {
    task: Vacancy<'a, Task>,
    group: Vacancy<'a, Group>,
    sighand: Vacancy<'a, Sighand>,
    more: More<'a>,
}

/// Room for one more thread of a process.
#[must_use]
pub(crate) struct ThreadRoom<'a> {
    task: Vacancy<'a, Task>,
    /// For the second thread of a process, with the call that the first one is in.
    crowd: Option<(Vacancy<'a, Crowd>, Call)>,
    more: More<'a>,
}

/// Room for objects that not every task needs.
struct More<'a> {
    body: Option<Vacancy<'a, Body>>,
    pidfd: Option<Vacancy<'a, Pidfd>>,
}

/// A thread that is in the stores and has not joined ([`Tree::join_group`]).
#[must_use]
pub(crate) struct Entrant {
    pub(super) task: Idx<Task>,
    pub(super) crowd: Option<Idx<Crowd>>,
    pub(super) body: Option<Idx<Body>>,
}

/// The signal dispositions of a new process.
pub(crate) enum NewSighand {
    /// Dispositions of its own.
    Own(Handlers),
    /// Those of another process. The caller counts the use ([`Tree::share_sighand`]).
    Shared(Idx<Sighand>),
}

impl ProcessRoom<'_> {
    /// Puts the handle into its store, if room for one was wanted; returns its id.
    pub(crate) fn insert_pidfd(&mut self, pidfd: impl FnOnce() -> Pidfd) -> Option<PidfdId> {
        self.more.insert_pidfd(pidfd)
    }

    /// Puts a process and its thread into the stores.
    #[inline]
    pub(crate) fn insert(
        self,
        sighand: NewSighand,
        group: impl FnOnce(Idx<Sighand>) -> Group,
        task: impl FnOnce(Idx<Group>) -> Task,
    ) -> (Idx<Group>, Entrant) {
        let sighand = match sighand {
            NewSighand::Own(handlers) => self.sighand.insert(Sighand::new(handlers)),
            NewSighand::Shared(sighand) => sighand,
        };
        let group = self.group.insert(group(sighand));
        let entrant = Entrant {
            task: self.task.insert(task(group)),
            crowd: None,
            body: self.more.insert_body(),
        };
        (group, entrant)
    }
}

impl ThreadRoom<'_> {
    /// As [`ProcessRoom::insert_pidfd`].
    pub(crate) fn insert_pidfd(&mut self, pidfd: impl FnOnce() -> Pidfd) -> Option<PidfdId> {
        self.more.insert_pidfd(pidfd)
    }

    /// Puts a thread into the stores.
    #[inline]
    pub(crate) fn insert(self, task: Task) -> Entrant {
        let crowd = self.crowd.map(|(room, call)| room.insert(Crowd::new(call)));
        Entrant {
            task: self.task.insert(task),
            crowd,
            body: self.more.insert_body(),
        }
    }
}

impl More<'_> {
    fn insert_pidfd(&mut self, pidfd: impl FnOnce() -> Pidfd) -> Option<PidfdId> {
        let room = self.pidfd.take()?;
        let id = room.id();
        room.insert(pidfd());
        Some(id)
    }

    #[inline]
    fn insert_body(self) -> Option<Idx<Body>> {
        self.body.map(|room| room.insert(Body::new()))
    }
}

/// Room in `slots` if there is a spare for it; `Some(None)` if none is wanted, `None` if memory is missing.
#[inline]
fn if_wanted<'a, T>(
    slots: &'a mut Slots<T>,
    spare: &mut Option<Spare<T>>,
) -> Option<Option<Vacancy<'a, T>>> {
    match spare {
        Some(spare) => slots.make_room(spare).map(Some),
        None => Some(None),
    }
}

impl Tree {
    /// Room for a process. `None`: fill `spares` without the lock and try again.
    #[inline]
    pub(crate) fn room_for_process(&mut self, spares: &mut Spares) -> Option<ProcessRoom<'_>> {
        Some(ProcessRoom {
            task: self.tasks.make_room(&mut spares.tasks)?,
            group: self.groups.make_room(&mut spares.groups)?,
            sighand: self.sighands.make_room(&mut spares.sighands)?,
            more: More {
                body: if_wanted(&mut self.bodies, &mut spares.bodies)?,
                pidfd: if_wanted(&mut self.pidfds, &mut spares.pidfds)?,
            },
        })
    }

    /// Room for one more thread of a process. `None`: fill `spares` without the lock and try again.
    pub(crate) fn room_for_thread(
        &mut self,
        group: Idx<Group>,
        spares: &mut Spares,
    ) -> Option<ThreadRoom<'_>> {
        let process = &self.groups[group];
        let crowd = match (process.threads.first(), process.crowd) {
            (Some(first), None) => {
                let spare = spares.crowds.get_or_insert_with(Spare::new);
                Some((self.crowds.make_room(spare)?, self.tasks[first].call))
            }
            _ => None,
        };
        Some(ThreadRoom {
            task: self.tasks.make_room(&mut spares.tasks)?,
            crowd,
            more: More {
                body: if_wanted(&mut self.bodies, &mut spares.bodies)?,
                pidfd: if_wanted(&mut self.pidfds, &mut spares.pidfds)?,
            },
        })
    }
}
