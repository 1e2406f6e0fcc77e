// SPDX-License-Identifier: GPL-2.0

//! The last events of a world.
//!
//! `drivers/connector/cn_proc.c` natively. Each event has a number. They are kept, from the first
//! reader on, in a ring. How they are read is in [`events`](crate::ask::events).
//!
//! # Locks
//!
//! Under the tree lock.

use super::{
    group::{Group, Parent},
    task::Task,
    wakeups::Key,
    Tree,
};
use crate::{
    base::slots::Idx,
    pid::namespace::Namespace,
    pid::registry::NsId,
    uapi::{self, altpid_event},
};
use kernel::{
    new_poll_condvar,
    prelude::*,
    sync::{poll::PollCondVar, Arc},
};
use zerocopy::FromZeros;

/// The condition that pollers of events wait for.
#[pin_data]
pub(crate) struct Polled {
    #[pin]
    arrived: PollCondVar,
}

impl Polled {
    /// Without pollers. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(crate) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Polled { arrived <- new_poll_condvar!("altpid_polled") }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// The condition that is notified of new events.
    pub(crate) fn arrived(&self) -> &PollCondVar {
        &self.arrived
    }
}

/// The last events.
pub(crate) struct Ring {
    /// The event with number `n` is at `n` modulo the length, which is not 0.
    entries: KVVec<altpid_event>,
    /// The number of the first one that was recorded here.
    first: u64,
    /// `None` until a reader polls: freeing it takes a grace period.
    polled: Option<Arc<Polled>>,
}

impl Ring {
    /// Room for the last `len` events. May sleep.
    pub(crate) fn new(len: usize) -> Result<Self> {
        let mut entries = KVVec::with_capacity(len, GFP_KERNEL_ACCOUNT)?;
        entries.resize(len, altpid_event::new_zeroed(), GFP_KERNEL_ACCOUNT)?;
        Ok(Self {
            entries,
            first: 0,
            polled: None,
        })
    }

    /// The index of the event with a number.
    fn at(&self, number: u64) -> usize {
        number.checked_rem(self.entries.len() as u64).unwrap_or(0) as usize
    }
}

/// The events of a world.
pub(crate) struct Events {
    /// The number of the next event.
    next: u64,
    /// `None` until there is a reader.
    ring: Option<Ring>,
    /// Readers and pollers have to be woken when the lock is released.
    has_news: bool,
}

/// Pollers to be woken after the tree lock is released.
pub(crate) struct Told(Option<Arc<Polled>>);

impl Told {
    /// Wakes them. Not under the tree lock.
    pub(crate) fn send(self) {
        if let Some(polled) = self.0 {
            polled.arrived.notify_all();
        }
    }
}

impl Events {
    /// No events so far.
    pub(crate) const fn new() -> Self {
        Self {
            next: 0,
            ring: None,
            has_news: false,
        }
    }

    /// Whether events are kept.
    pub(crate) fn are_kept(&self) -> bool {
        self.ring.is_some()
    }

    /// Keeps events in this ring from now on; returns it if there is a ring already.
    pub(crate) fn keep(&mut self, mut ring: Ring) -> Option<Ring> {
        if self.ring.is_some() {
            return Some(ring);
        }
        ring.first = self.next;
        self.ring = Some(ring);
        None
    }

    /// The condition that pollers wait for, if a reader has polled.
    pub(crate) fn polled(&self) -> Option<Arc<Polled>> {
        self.ring.as_ref()?.polled.clone()
    }

    /// Has pollers wait for `new`, or for what they wait for already; returns which. `None` if no events are
    /// kept.
    pub(crate) fn poll_at(&mut self, new: &Arc<Polled>) -> Option<Arc<Polled>> {
        let polled = &mut self.ring.as_mut()?.polled;
        Some(polled.get_or_insert_with(|| new.clone()).clone())
    }

    /// How many events there have been.
    pub(crate) fn count(&self) -> u64 {
        self.next
    }

    /// One more event.
    fn add(&mut self, event: altpid_event) {
        if let Some(ring) = &mut self.ring {
            let at = ring.at(self.next);
            ring.entries[at] = altpid_event {
                seq: self.next,
                ..event
            };
            self.has_news = true;
        }
        self.next += 1;
    }

    /// Whether there are events that readers have not been woken for.
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.has_news
    }

    /// The last number of a dying namespace is free.
    pub(crate) fn tell_ns_dead(&mut self, ns: &Namespace) {
        self.add(altpid_event {
            type_: uapi::ALTPID_EVENT_NS_DEAD,
            ns: ns.id().to_raw(),
            ..altpid_event::new_zeroed()
        });
    }

    /// Copies events from number `from` on; returns how many. If that one is lost, the first one
    /// copied says so.
    pub(crate) fn copy(&self, from: u64, out: &mut [altpid_event]) -> usize {
        let Some(ring) = &self.ring else { return 0 };
        let len = ring.entries.len() as u64;
        let oldest = ring.first.max(self.next.saturating_sub(len));
        let mut copied = 0;
        let mut next = from;
        if from < oldest && !out.is_empty() {
            out[0] = altpid_event {
                seq: oldest - 1,
                type_: uapi::ALTPID_EVENT_LOST,
                value: oldest - from,
                ..altpid_event::new_zeroed()
            };
            copied = 1;
            next = oldest;
        }
        while copied < out.len() && next < self.next {
            out[copied] = ring.entries[ring.at(next)];
            copied += 1;
            next += 1;
        }
        copied
    }
}

/// An event of a kind about a task, as it is now.
fn of_task(tree: &Tree, kind: u32, index: Idx<Task>) -> altpid_event {
    let task = &tree.tasks[index];
    altpid_event {
        type_: kind,
        task: tree.tasks.id(index).to_raw(),
        ns: task.ns().id().to_raw(),
        pid: task.pid.nr_at(0),
        nr: task.pid.nr(),
        ..altpid_event::new_zeroed()
    }
}

impl Tree {
    /// Notes a wakeup of readers for the events since the last call of this; returns the pollers.
    pub(crate) fn take_news(&mut self) -> Told {
        if !core::mem::take(&mut self.events.has_news) {
            return Told(None);
        }
        self.note_wakeup(|_| Key::EVENTS);
        let ring = self.events.ring.as_ref();
        Told(ring.and_then(|ring| ring.polled.clone()))
    }

    /// Adds an event, which is made only if there is a reader.
    fn tell(&mut self, event: impl FnOnce(&Tree) -> altpid_event) {
        if self.events.ring.is_none() {
            self.events.next += 1;
            return;
        }
        let event = event(self);
        self.events.add(event);
    }

    /// A task was born, with these flags.
    pub(crate) fn tell_clone(&mut self, child: Idx<Task>, parent: Parent, flags: u64) {
        self.tell(|tree| altpid_event {
            other: tree.parent_id(parent),
            value: flags,
            ..of_task(tree, uapi::ALTPID_EVENT_CLONE, child)
        });
    }

    /// A task has called exec.
    pub(crate) fn tell_exec(&mut self, task: Idx<Task>) {
        self.tell(|tree| of_task(tree, uapi::ALTPID_EVENT_EXEC, task));
    }

    /// A task begins to exit; it is still counted among the live threads of its process.
    pub(crate) fn tell_exit(&mut self, task: Idx<Task>, status: i32) {
        self.tell(|tree| altpid_event {
            status,
            value: u64::from(tree.group_of(task).nr_live.saturating_sub(1)),
            ..of_task(tree, uapi::ALTPID_EVENT_EXIT, task)
        });
    }

    /// A task is about to be reaped.
    pub(crate) fn tell_reap(&mut self, task: Idx<Task>) {
        self.tell(|tree| altpid_event {
            status: tree.group_of(task).exit_status().unwrap_or(0),
            ..of_task(tree, uapi::ALTPID_EVENT_REAP, task)
        });
    }

    /// A process has another parent.
    pub(crate) fn tell_reparent(&mut self, group: Idx<Group>) {
        self.tell(|tree| {
            let process = &tree.groups[group];
            let event = process.leader.map_or(altpid_event::new_zeroed(), |leader| {
                of_task(tree, uapi::ALTPID_EVENT_REPARENT, leader)
            });
            altpid_event {
                other: tree.parent_id(process.parent),
                ..event
            }
        });
    }

    /// A process has stopped by a signal, or with SIGCONT goes on.
    pub(crate) fn tell_job(&mut self, group: Idx<Group>, kind: u32, signal: i32) {
        self.tell(|tree| {
            let leader = tree.groups[group].leader;
            let event = leader.map_or(altpid_event::new_zeroed(), |leader| {
                of_task(tree, kind, leader)
            });
            altpid_event {
                status: signal,
                ..event
            }
        });
    }

    /// A task has made a namespace, `ns`, below another one.
    pub(crate) fn tell_ns_born(&mut self, ns: NsId, above: Option<NsId>, task: Idx<Task>) {
        self.tell(|tree| altpid_event {
            type_: uapi::ALTPID_EVENT_NS_BORN,
            task: tree.tasks.id(task).to_raw(),
            other: above.map_or(0, NsId::to_raw),
            ns: ns.to_raw(),
            ..altpid_event::new_zeroed()
        });
    }

    /// The init of a namespace exits, and the namespace dies with it.
    pub(crate) fn tell_ns_dying(&mut self, init: Idx<Task>) {
        self.tell(|tree| of_task(tree, uapi::ALTPID_EVENT_NS_DYING, init));
    }
}
