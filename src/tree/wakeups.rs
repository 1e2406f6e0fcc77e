// SPDX-License-Identifier: GPL-2.0

//! Wakeups: what happened in a hold of the tree lock that a caller may sleep for.
//!
//! An event only notes its key ([`Wakes::note`]); the callers are woken after the lock is released
//! ([`Wakeups::send`]), once for everything that happened in one hold. How they sleep is in
//! [`sleep`](crate::world::sleep).
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{base::slots::Idx, pid::Pid, tree::group::Group, tree::task::Task, tree::Tree};

/// Wait queues of a world.
pub(crate) const QUEUES: usize = 16;

/// Keys of one hold that are remembered; behind that whole queues are woken.
const KEYS: usize = 24;

/// Keys after which a hold begins nothing more, so that there is room for those of what it has begun.
const MANY_KEYS: usize = 8;

/// Children of one process that are remembered of one hold; behind that every caller that waits for a
/// child of the process is woken.
const CHILDREN: usize = 3;

/// What a caller waits for, or what happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// What it is, and its index or address; [`Self::ANY`] is all of its queue.
    what: usize,
    /// Says which queue, together with nothing else.
    queue: u32,
    /// The thread whose child it is, 0 for any.
    parent: u32,
    /// The address of the child's pid, 0 for any.
    tgid: usize,
    /// The address of the pid of the child's process group, 0 for any.
    pgid: usize,
}

impl Key {
    /// Matches every key of its queue.
    const ANY: usize = 0;

    /// Events ([`events`](crate::ask::events)).
    pub(crate) const EVENTS: Self = Self::new(4, 0);

    const fn new(what: usize, queue: usize) -> Self {
        Self {
            what,
            queue: (queue % QUEUES) as u32,
            parent: 0,
            tgid: 0,
            pgid: 0,
        }
    }

    /// What happens to a task: its call ends, or it takes a signal.
    pub(crate) fn task(tree: &Tree, task: Idx<Task>) -> Self {
        let raw = Idx::to_raw(Some(task)) as usize;
        Self {
            what: raw << 2 | 1,
            ..Self::children(tree.tasks[task].group)
        }
    }

    /// What all children of a process have to tell (`wait_chldexit`), and what happens to itself.
    pub(crate) fn children(group: Idx<Group>) -> Self {
        let raw = Idx::to_raw(Some(group)) as usize;
        Self::new(raw << 2 | 2, group.position())
    }

    /// What happens to a process itself: it stops or goes on.
    pub(crate) fn process(group: Idx<Group>) -> Self {
        // No child has this pid.
        Self {
            tgid: usize::MAX,
            ..Self::children(group)
        }
    }

    /// What a child of a thread has to tell (`__wake_up_parent()`).
    pub(crate) fn child(tree: &Tree, parent: Idx<Task>, child: Idx<Group>) -> Self {
        let child = &tree.groups[child];
        Self::children(tree.tasks[parent].group)
            .of_parent(parent)
            .of_process(&child.tgid)
            .of_process_group(&child.pgid)
    }

    /// No child but those of this thread.
    pub(crate) fn of_parent(self, parent: Idx<Task>) -> Self {
        Self {
            parent: Idx::to_raw(Some(parent)),
            ..self
        }
    }

    /// No child but the one with this pid.
    pub(crate) fn of_process(self, pid: &Pid) -> Self {
        Self {
            tgid: core::ptr::from_ref(pid).addr(),
            ..self
        }
    }

    /// No child but those of the process group with this pid.
    pub(crate) fn of_process_group(self, pid: &Pid) -> Self {
        Self {
            pgid: core::ptr::from_ref(pid).addr(),
            ..self
        }
    }

    /// The exit and the reaping of the task that has a pid (`wait_pidfd`).
    pub(crate) fn pid(pid: &Pid) -> Self {
        let address = core::ptr::from_ref(pid).addr();
        Self::new(address | 3, address >> 6)
    }

    /// Whether a caller that waits for `self` is to be woken for `event` (`pid_child_should_wake()`).
    pub(crate) fn is_meant(&self, event: &Self) -> bool {
        let fits = |wanted, is| wanted == 0 || is == 0 || wanted == is;
        event.what == Self::ANY
            || event.what == self.what
                && fits(self.parent as usize, event.parent as usize)
                && fits(self.tgid, event.tgid)
                && fits(self.pgid, event.pgid)
    }

    /// The queue that a caller with this key sleeps in.
    pub(crate) fn queue(&self) -> usize {
        self.queue as usize
    }
}

/// What happened in a hold of the tree lock that somebody may wait for.
pub(crate) struct Wakes {
    due: Wakeups,
    /// Callers that sleep or are about to.
    sleepers: usize,
}

impl Wakes {
    /// Nothing.
    pub(crate) const fn new() -> Self {
        Self {
            due: Wakeups::NONE,
            sleepers: 0,
        }
    }

    /// Whether callers sleep or are about to: nobody else can be woken.
    #[inline]
    pub(crate) fn has_sleepers(&self) -> bool {
        self.sleepers != 0
    }

    /// Something has happened: the callers with this key are woken when the lock is released.
    #[inline(never)]
    pub(super) fn note(&mut self, key: Key) {
        self.due.add(key);
    }

    /// Takes what was noted, if anything was.
    pub(crate) fn take(&mut self) -> Option<Wakeups> {
        (!self.is_empty()).then(|| core::mem::replace(&mut self.due, Wakeups::NONE))
    }

    /// Whether so much was noted that it should be sent first.
    #[inline]
    pub(crate) fn are_many(&self) -> bool {
        self.due.len >= MANY_KEYS
    }

    /// Whether anything was noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.due.len == 0 && self.due.queues == 0
    }

    /// A caller is about to sleep.
    pub(crate) fn begin_sleep(&mut self) {
        self.sleepers += 1;
    }

    /// A caller does not sleep any more.
    pub(crate) fn end_sleep(&mut self) {
        self.sleepers -= 1;
    }
}

/// Wakeups that are due, to be sent after the tree lock is released.
pub(crate) struct Wakeups {
    /// What happened, in the first `len` places.
    keys: [Key; KEYS],
    len: usize,
    /// Queues in which everybody is to be woken: there were more keys.
    queues: u32,
}

impl Wakeups {
    const NONE: Self = Self {
        keys: [Key::new(Key::ANY, 0); KEYS],
        len: 0,
        queues: 0,
    };

    fn add(&mut self, key: Key) {
        let noted = &mut self.keys[..self.len];
        let covers = |noted: &Key| noted.what == key.what && noted.tgid == 0 || *noted == key;
        if noted.iter().any(covers) {
            return;
        }
        let mut siblings = noted.iter_mut().filter(|noted| noted.what == key.what);
        if let Some(last) = siblings.nth(CHILDREN - 1) {
            *last = Key::new(key.what, key.queue as usize);
            return;
        }
        match self.keys.get_mut(self.len) {
            Some(entry) => {
                *entry = key;
                self.len += 1;
            }
            None => self.queues |= 1 << key.queue,
        }
    }

    /// Has `wake` called for each key, by which the callers in its queue are woken. Not under the tree
    /// lock.
    pub(crate) fn send(mut self, mut wake: impl FnMut(&mut Key)) {
        self.keys[..self.len].iter_mut().for_each(&mut wake);
        for queue in (0..QUEUES).filter(|queue| self.queues >> queue & 1 != 0) {
            wake(&mut Key::new(Key::ANY, queue));
        }
    }
}
