// SPDX-License-Identifier: GPL-2.0

//! Wakeups: events in a hold of the tree lock that callers may sleep for.
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

/// An event that a caller waits for, or that has happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// The kind of the event with the index or the address of its object; [`Self::ANY`] matches its whole queue.
    what: usize,
    /// The queue.
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

    /// Events of a task: its call ends, or it takes a signal.
    pub(crate) fn task(tree: &Tree, task: Idx<Task>) -> Self {
        let raw = Idx::to_raw(Some(task)) as usize;
        Self {
            what: raw << 2 | 1,
            ..Self::children(tree.tasks[task].group)
        }
    }

    /// News of any child of a process (`wait_chldexit`), and events of the process itself.
    pub(crate) fn children(group: Idx<Group>) -> Self {
        let raw = Idx::to_raw(Some(group)) as usize;
        Self::new(raw << 2 | 2, group.position())
    }

    /// Events of a process itself: it stops or goes on.
    pub(crate) fn process(group: Idx<Group>) -> Self {
        // No child has this pid.
        Self {
            tgid: usize::MAX,
            ..Self::children(group)
        }
    }

    /// News of one child of a thread (`__wake_up_parent()`).
    pub(crate) fn child(tree: &Tree, parent: Idx<Task>, child: Idx<Group>) -> Self {
        let child = &tree.groups[child];
        Self::children(tree.tasks[parent].group)
            .of_parent(parent)
            .of_process(&child.tgid)
            .of_process_group(&child.pgid)
    }

    /// The same key for children of this thread only.
    pub(crate) fn of_parent(self, parent: Idx<Task>) -> Self {
        Self {
            parent: Idx::to_raw(Some(parent)),
            ..self
        }
    }

    /// The same key for the child with this pid only.
    pub(crate) fn of_process(self, pid: &Pid) -> Self {
        Self {
            tgid: core::ptr::from_ref(pid).addr(),
            ..self
        }
    }

    /// The same key for children in the process group with this pid only.
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

/// The wakeups of a hold of the tree lock, and how many callers sleep.
pub(crate) struct Wakes {
    due: Wakeups,
    /// Callers that sleep or are about to.
    sleepers: usize,
}

impl Wakes {
    /// No wakeups, and no callers that sleep.
    pub(crate) const fn new() -> Self {
        Self {
            due: Wakeups::NONE,
            sleepers: 0,
        }
    }

    /// Whether callers sleep or are about to: only then wakeups need to be noted.
    #[inline]
    pub(crate) fn has_sleepers(&self) -> bool {
        self.sleepers != 0
    }

    /// Notes an event: callers with a matching key are woken when the lock is released.
    #[inline(never)]
    pub(super) fn note(&mut self, key: Key) {
        self.due.add(key);
    }

    /// Takes the wakeups, if there are any.
    pub(crate) fn take(&mut self) -> Option<Wakeups> {
        (!self.is_empty()).then(|| core::mem::replace(&mut self.due, Wakeups::NONE))
    }

    /// Whether there are so many wakeups that they should be sent before the hold goes on.
    #[inline]
    pub(crate) fn are_many(&self) -> bool {
        self.due.len >= MANY_KEYS
    }

    /// Whether there are no wakeups. Whole queues are woken only when there are many keys.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.due.len == 0
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
    /// Events, in the first `len` places.
    keys: [Key; KEYS],
    len: usize,
    /// A bit for each queue whose callers are all to be woken, as there was no room for more keys.
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
