// SPDX-License-Identifier: GPL-2.0

//! Worlds: self-contained pid universes, one for each open of the device.
//!
//! A [`World`] begins with its initial namespace and the init in it, and owns everything that is made over its
//! descriptor.
//!
//! # Work
//!
//! *Queued work* is what verbs leave to be done: exits, signals to be taken, walks ([`queue`](crate::tree::queue)).
//! [`World::work`] takes the lock to change the tree, and gives the guard [`hold::Work`], which has queued work done
//! when it is dropped: that is *working off*, in [`work`]. [`World::work_item`] is a work item of the kernel's work
//! queues, by which the world goes on with that if the caller is killed.
//!
//! # Locks
//!
//! The tree lock is in here; see the crate root for the order.

pub(crate) mod hold;
pub(crate) mod lent;
pub(crate) mod sleep;
pub(crate) mod work;

use self::work::Step;

use crate::{
    base::slots::Idx,
    base::sync::{Acquire, Atomic, Full, Relaxed},
    native,
    pid::namespace::Namespace,
    pid::registry::{NsId, Registry},
    pid::{find_pid, find_pid_from, PidType},
    reason::{Outcome, Reason},
    tree::task::TaskId,
    tree::{group::Group, Tree},
    world::lent::Loan,
    world::sleep::Queues,
};
use kernel::{
    new_mutex, new_spinlock, new_work,
    prelude::*,
    sync::{aref::ARef, Arc, ArcBorrow, Mutex, SpinLock},
    task::might_sleep,
    workqueue::Work,
};

/// Worlds in the module.
static COUNT: Atomic<i64> = Atomic::new(0);

/// Counts one world in [`COUNT`] until it is dropped.
struct Counted(());

impl Counted {
    /// Counts one more world, unless there are `max` already.
    fn new(max: usize) -> Result<Self> {
        // One too many is counted for a moment; another world that is made meanwhile would be too many as well.
        let counted = Self(());
        let before = COUNT.fetch_add(1i64, Relaxed);
        if usize::try_from(before).is_ok_and(|before| before >= max) {
            return Err(ENFILE);
        }
        Ok(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        COUNT.add(-1i64, Relaxed);
    }
}

/// Limits of a world, and how many worlds there may be.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) worlds: usize,
    pub(crate) tasks: usize,
    pub(crate) namespaces: usize,
    pub(crate) pidfds: usize,
    /// The last events that are kept.
    pub(crate) events: usize,
}

/// A pid universe.
///
/// # Invariants
///
/// It is in an [`Arc`].
#[pin_data]
pub(crate) struct World {
    #[pin]
    tree: SpinLock<Tree>,
    /// Where callers sleep.
    #[pin]
    queues: Queues,
    /// Works off what is queued when the caller that should is killed.
    #[pin]
    pub(crate) work_item: Work<World>,
    /// The last file of the device that had this world is closed.
    closed: Atomic<u32>,
    /// Threads that have this world as their own.
    members: Atomic<i32>,
    /// Threads among them that wait until their task has exited.
    waiting: Atomic<i32>,
    /// Callers that wait until no signal for many is on its way.
    held_up: Atomic<i32>,
    /// See [`World::kill_on_close`].
    kills_on_close: Atomic<u32>,
    /// Its members are being killed: they cannot clone any more.
    is_ending: Atomic<u32>,
    /// Members whose parents the kernel has told of a stop or a continue, which the tree does not know yet.
    untaken_jobs: Atomic<i32>,
    /// A member has called ptrace.
    has_tracing: Atomic<u32>,
    /// What was said in the kernel log of calls that its members cannot make, as bits.
    told: Atomic<u32>,
    /// The user that has opened it.
    owner: u32,
    /// References to it that go when it ends.
    #[pin]
    loans: Mutex<KVec<Arc<Loan>>>,
    registry: Arc<Registry>,
    root: ARef<Namespace>,
    step: Step,
    /// The last events that are kept.
    max_events: usize,
    /// Dropped last.
    _counted: Counted,
}

/// A member that waits until its task has exited.
#[must_use]
pub(crate) struct Waiting<'a>(&'a World);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.add(-1, Relaxed);
    }
}

/// A caller waits until no signal for many is on its way, as long as this is there.
pub(crate) struct HeldUp<'a>(&'a World);

impl Drop for HeldUp<'_> {
    fn drop(&mut self) {
        self.0.held_up.add(-1, Relaxed);
    }
}

impl World {
    /// A world whose tree `populate` gives an init, and whose queued work `step` does. May sleep.
    ///
    /// # Errors
    ///
    /// `ENFILE` when there are as many as there may be, `ENOMEM`.
    pub(crate) fn create(
        limits: Limits,
        step: Step,
        populate: impl FnOnce(&mut Tree, &Namespace) -> Result,
    ) -> Result<Arc<World>> {
        let counted = Counted::new(limits.worlds)?;
        let registry = Registry::new(limits.namespaces)?;
        let root = Namespace::create(None, &registry)?;
        let mut tree = Tree::new(limits.tasks, limits.pidfds);
        populate(&mut tree, &root)?;
        // INVARIANT: A world is in an `Arc`.
        Arc::pin_init(
            pin_init!(World {
                tree <- new_spinlock!(tree, "altpid_tree"),
                queues <- Queues::new(c"altpid_queues", kernel::static_lock_class!()),
                work_item <- new_work!("altpid_work"),
                closed: Atomic::new(0),
                members: Atomic::new(0),
                waiting: Atomic::new(0),
                held_up: Atomic::new(0),
                kills_on_close: Atomic::new(0),
                is_ending: Atomic::new(0),
                untaken_jobs: Atomic::new(0),
                has_tracing: Atomic::new(0),
                told: Atomic::new(0),
                owner: native::own_uid(),
                loans <- new_mutex!(KVec::new(), "altpid_loans"),
                registry,
                root,
                step,
                max_events: limits.events.max(1),
                _counted: counted,
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// The last file of the device that had this world is closed: queued work need not be done any more.
    pub(crate) fn close(&self) {
        if self.kills_on_close.load(Relaxed) != 0 {
            self.kill_members();
        }
        // Full, here and in `remove_member`: one of the two sees that both have happened.
        self.closed.xchg(1u32, Full);
        self.end_loans();
    }

    /// Whether the last file is closed, and no member is left.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed) != 0 && self.members.load(Relaxed) == 0
    }

    /// Kills all members, which cannot clone any more from now on. May sleep.
    pub(crate) fn kill_members(&self) {
        // A clone that has seen it unset, under the tree lock, has put its child into the tree in the same hold.
        self.is_ending.store(1u32, Relaxed);
        let mut next = 2;
        while let Some((nr, pid)) = find_pid_from(self.root(), next) {
            next = nr + 1;
            might_sleep();
            let mut tree = self.work();
            let group = Idx::<Group>::from_raw(pid.user(PidType::Tgid));
            // The number may belong to another process of the world by now, which has to be killed as well.
            if let Some(group) = group.filter(|&group| tree.groups().get(group).is_some()) {
                if tree.is_member(group) {
                    tree.kill_body(group);
                }
            }
        }
    }

    /// Whether this is to be said, and was not before: a bit for each of what is said once a world.
    pub(crate) fn tells_once(&self, bit: u32) -> bool {
        let mut told = self.told.load(Relaxed);
        while told & bit == 0 {
            match self.told.cmpxchg(told, told | bit, Full) {
                Ok(_) => return true,
                Err(now) => told = now,
            }
        }
        false
    }

    /// One member more, or less, whose parent the kernel has told of a stop or a continue that the tree does not know
    /// yet. From everywhere.
    pub(crate) fn count_untaken_job(&self, by: i32) {
        // Full: who is told, or does not find one here, finds what the tree was told before.
        self.untaken_jobs.fetch_add(by, Full);
    }

    /// Whether there are such members.
    pub(crate) fn has_untaken_jobs(&self) -> bool {
        self.untaken_jobs.load(Acquire) > 0
    }

    /// A member has called ptrace.
    pub(crate) fn note_tracing(&self) {
        self.has_tracing.store(1u32, Relaxed);
    }

    /// Whether a member has called ptrace so far.
    pub(crate) fn has_tracing(&self) -> bool {
        self.has_tracing.load(Relaxed) != 0
    }

    /// Whether members cannot clone any more. Under the tree lock.
    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Relaxed) != 0
    }

    /// Whether the calling process belongs to the user that has opened the world.
    pub(crate) fn is_own(&self) -> bool {
        native::own_uid() == self.owner
    }

    /// Whether the caller may do something here: a world with real processes in it can do so to these, and
    /// its descriptor may have come to somebody else.
    #[inline]
    pub(crate) fn may_act(&self) -> bool {
        self.members.load(Relaxed) == 0 || self.is_own() || native::is_admin()
    }

    /// Whether the last file is closed, and no member is left but those that wait until their task has exited.
    pub(crate) fn is_left_alone(&self) -> bool {
        self.closed.load(Relaxed) != 0 && self.members.load(Relaxed) <= self.waiting.load(Relaxed)
    }

    /// The calling thread waits until its task has exited, as long as the guard is there.
    pub(crate) fn count_waiting(&self) -> Waiting<'_> {
        self.waiting.add(1, Relaxed);
        Waiting(self)
    }

    /// The caller waits until no signal for many is on its way, as long as the guard is there. Under the tree lock.
    pub(crate) fn hold_up(&self) -> HeldUp<'_> {
        self.held_up.add(1, Relaxed);
        HeldUp(self)
    }

    /// Whether somebody waits until no signal for many is on its way. Under the tree lock.
    pub(crate) fn holds_up(&self) -> bool {
        self.held_up.load(Relaxed) > 0
    }

    /// One more process or thread has this world as its own.
    pub(crate) fn add_member(&self) {
        self.members.add(1, Relaxed);
    }

    /// One process or thread less has this world as its own. May sleep.
    pub(crate) fn remove_member(&self) {
        self.members.fetch_sub(1, Full);
        self.end_loans();
    }

    /// The last close of the device kills the members that there are then.
    pub(crate) fn kill_on_close(&self) {
        self.kills_on_close.store(1u32, Relaxed);
    }

    /// Another reference to it.
    pub(crate) fn to_arc(&self) -> Arc<World> {
        // SAFETY: By the invariants it is in an `Arc`, which is there as long as the reference.
        unsafe { ArcBorrow::from_raw(self) }.into()
    }

    /// Worlds in the whole module.
    pub(crate) fn count() -> u64 {
        COUNT.load(Relaxed).max(0) as u64
    }

    /// The lock of the tree, for [`World::tree`] and [`World::work`].
    pub(crate) fn locked(&self) -> &SpinLock<Tree> {
        &self.tree
    }

    /// Where callers sleep.
    pub(crate) fn queues(&self) -> &Queues {
        &self.queues
    }

    /// The namespaces by id.
    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Does a step of the queued work.
    pub(crate) fn step(&self) -> Step {
        self.step
    }

    /// The initial namespace.
    pub(crate) fn root(&self) -> &Namespace {
        &self.root
    }

    /// The id of the world's init: of the task that is pid 1 of its root, which is another one after
    /// an exec by another thread of it. Takes the tree lock.
    pub(crate) fn init(&self) -> TaskId {
        let tree = self.tree();
        let init = find_pid(&self.root, 1).and_then(|pid| tree.task_of(&pid));
        init.map_or(TaskId::NOTHING, |init| tree.tasks().id(init))
    }

    /// How many of the last events are kept.
    pub(crate) fn max_events(&self) -> usize {
        self.max_events
    }

    /// How many events there have been.
    pub(crate) fn events(&self) -> u64 {
        self.tree().events().count()
    }

    /// The namespace with an id.
    ///
    /// # Errors
    ///
    /// `ENOENT` when there is none any more.
    pub(crate) fn namespace(&self, id: NsId) -> Outcome<ARef<Namespace>> {
        Ok(self.registry.find(id).ok_or(Reason::NsGone)?)
    }
}
