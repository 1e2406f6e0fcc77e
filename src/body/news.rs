// SPDX-License-Identifier: GPL-2.0

//! What is noticed where nothing can be done about it, and is done by a work item.
//!
//! `kernel/signal.c`: `do_signal_stop()`, `prepare_signal()`. The kernel stops and continues a body;
//! that is seen in probes with interrupts off. A member is put on a list, and the work item asks
//! the kernel what has become of it. It also sends again what the kernel has ignored for an init from
//! above, and drops what RCU has given up, for which it may sleep.
//!
//! # Locks
//!
//! None: the lists are pushed and taken as a whole (`include/linux/llist.h`).

use super::member::Member;
use crate::{
    base::sync::{Acquire, Atomic, Full, Relaxed, Release},
    native::Signal,
    tree::pending::SI_KERNEL,
    world::{sleep::pause, work::queue},
};
use core::ptr::null_mut;
use kernel::{
    new_work,
    prelude::*,
    sync::Arc,
    workqueue::{impl_has_work, Work, WorkItem},
};

/// The places of a member in the lists.
pub(super) struct Entry {
    next: Atomic<*mut ()>,
    /// It is on [`NEWS`].
    is_listed: Atomic<u32>,
    /// Signals to be sent again, as bits.
    again: Atomic<u64>,
    /// The kernel has told its parent of a stop or a continue, which the tree does not know yet.
    is_told: Atomic<u32>,
    /// It takes a stop signal, and has not been seen to do anything else since.
    may_stop: Atomic<u32>,
    next_dead: Atomic<*mut ()>,
}

impl Entry {
    pub(super) fn new() -> Self {
        Self {
            next: Atomic::new(null_mut()),
            is_listed: Atomic::new(0),
            again: Atomic::new(0),
            is_told: Atomic::new(0),
            may_stop: Atomic::new(0),
            next_dead: Atomic::new(null_mut()),
        }
    }
}

/// Members that something has happened to, each with a reference.
static NEWS: Atomic<*mut ()> = Atomic::new(null_mut());

/// References to be dropped.
static DEAD: Atomic<*mut ()> = Atomic::new(null_mut());

/// The work item, as a reference of an [`Arc`]; null when the module goes.
static WORKER: Atomic<*mut ()> = Atomic::new(null_mut());

/// See [`WORKER`].
#[pin_data]
struct Worker {
    #[pin]
    work: Work<Worker>,
}

impl_has_work! {
    impl HasWork<Worker> for Worker { self.work }
}

impl WorkItem for Worker {
    type Pointer = Arc<Worker>;

    fn run(_this: Arc<Worker>) {
        work();
    }
}

/// Makes the work item.
///
/// # Errors
///
/// `ENOMEM`
pub(super) fn init() -> Result {
    let worker = Arc::pin_init(
        pin_init!(Worker {
            work <- new_work!("altpid_bodies"),
        }),
        GFP_KERNEL,
    )?;
    WORKER.store(Arc::into_raw(worker).cast_mut().cast(), Release);
    Ok(())
}

/// Nothing happens any more. Whoever frees the queue waits for what is queued.
pub(super) fn end() {
    let worker = WORKER.xchg(null_mut(), Full);
    if !worker.is_null() {
        // SAFETY: The reference of `init`.
        drop(unsafe { Arc::from_raw(worker.cast::<Worker>()) });
    }
}

/// Has the work item run. From everywhere.
fn run() {
    let worker = WORKER.load(Acquire).cast::<Worker>();
    if !worker.is_null() {
        // SAFETY: The reference of `init` is there as long as there are members, or RCU has some.
        let worker: Arc<Worker> = unsafe { kernel::sync::ArcBorrow::from_raw(worker) }.into();
        // It is queued already: then it will find this too.
        let _ = queue().enqueue(worker);
    }
}

fn push(head: &Atomic<*mut ()>, next: &Atomic<*mut ()>, member: *mut ()) {
    let mut first = head.load(Relaxed);
    loop {
        next.store(first, Relaxed);
        match head.cmpxchg(first, member, Full) {
            Ok(_) => return,
            Err(now) => first = now,
        }
    }
}

/// Drops the reference of a member that had joined, where that may sleep. From everywhere, once for each.
pub(super) fn give_up(member: Arc<Member>) {
    let member = Arc::into_raw(member);
    // SAFETY: The reference is there.
    let next = unsafe { &(*member).news.next_dead };
    push(&DEAD, next, member.cast_mut().cast());
    run();
}

impl Member {
    /// It may have been continued. From everywhere.
    pub(super) fn look_at_job(&self) {
        if self.news.is_listed.xchg(1, Full) == 0 {
            let member = Arc::into_raw(self.to_arc());
            push(&NEWS, &self.news.next, member.cast_mut().cast());
        }
        run();
    }

    /// The kernel tells its parent, with the SIGCHLD that is being sent, that it has stopped or been continued: who then
    /// waits without sleeping finds it, as [`World::has_untaken_jobs`](crate::world::World::has_untaken_jobs) says that there is
    /// something to come. From everywhere.
    pub(super) fn is_told_of(&self) {
        if self.news.is_told.xchg(1u32, Full) == 0 {
            self.world.count_untaken_job(1);
        }
        self.look_at_job();
    }

    /// It takes a signal that stops it, unless nobody controls its process group. From everywhere.
    pub(super) fn may_stop(&self) {
        self.news.may_stop.store(1u32, Relaxed);
        self.look_at_job();
    }

    /// It does something, and so is not about to stop.
    #[inline]
    pub(super) fn goes_on(&self) {
        if self.news.may_stop.load(Relaxed) != 0 {
            self.news.may_stop.store(0u32, Relaxed);
        }
    }

    /// The kernel has ignored a signal for its process that counts. From everywhere.
    pub(super) fn send_again(&self, signal: i32) {
        let bit = 1u64 << signal;
        let mut old = self.news.again.load(Relaxed);
        while let Err(now) = self.news.again.cmpxchg(old, old | bit, Full) {
            old = now;
        }
        self.look_at_job();
    }

    /// Does what there is to do; true when it is about to stop and is to be looked at again by the list of
    /// those that wait. It is on one list at most, that or [`NEWS`].
    fn is_to_wait(&self) -> bool {
        kernel::task::might_sleep();
        // Before: what comes while this looks is found by another look.
        self.news.is_listed.xchg(0, Full);
        !self.settle() && self.news.is_listed.xchg(1, Full) == 0
    }

    /// Does what there is to do; false when it is about to stop: look again.
    fn settle(&self) -> bool {
        let again = self.news.again.xchg(0u64, Full);
        for signo in (1..64).filter(|signo| again >> signo & 1 != 0) {
            let signal = Signal {
                signo,
                code: SI_KERNEL,
                pid: 0,
                uid: 0,
                status: 0,
            };
            if let Some(native) = self.world.native(self.id) {
                native.send(&signal);
            }
        }
        let may_stop = self.news.may_stop.load(Relaxed) != 0;
        let was_told = self.news.is_told.xchg(0u32, Full) != 0;
        let (is_settled, is_stopped) = self.world.look_at_job(self.id);
        if was_told {
            self.world.count_untaken_job(-1);
        }
        is_settled && (is_stopped || !may_stop)
    }
}

/// Jiffies between two looks at what is about to stop, at most.
const MOST: u32 = 25;

fn work() {
    let mut left: Option<KVec<Arc<Member>>> = None;
    let mut pauses = 0;
    loop {
        let mut dead = DEAD.xchg(null_mut(), Full).cast::<Member>();
        while !dead.is_null() {
            // SAFETY: What `give_up` has pushed.
            let member = unsafe { Arc::from_raw(dead) };
            dead = member.news.next_dead.load(Relaxed).cast();
        }
        let mut waiting = left.take().unwrap_or_else(KVec::new);
        waiting.retain(|member| member.is_to_wait());
        let mut next = NEWS.xchg(null_mut(), Full).cast::<Member>();
        while !next.is_null() {
            // SAFETY: What `look_at_job` has pushed.
            let member = unsafe { Arc::from_raw(next) };
            next = member.news.next.load(Relaxed).cast();
            if member.is_to_wait() {
                pauses = 0;
                if waiting.push(member.clone(), GFP_KERNEL).is_err() {
                    // It is put back, and found again.
                    member.news.is_listed.store(0u32, Release);
                    member.look_at_job();
                }
            }
        }
        if waiting.is_empty() {
            return;
        }
        left = Some(waiting);
        pauses = (pauses + 1).min(MOST);
        for _ in 0..pauses {
            pause();
            if !NEWS.load(Relaxed).is_null() {
                break;
            }
        }
    }
}
