// SPDX-License-Identifier: GPL-2.0

//! Worlds: self-contained pid universes, one for each open of the device.
//!
//! A [`World`] begins with its initial namespace and the init in it, and has everything that is
//! made over its descriptor. When it is dropped all of that goes.
//!
//! # Locks
//!
//! The tree lock is in here; see the crate root for the order.

use crate::{
    namespace::Namespace,
    pending::{Queued, SIGCHLD},
    pid::{alloc_pid, find_pid, Pid},
    reason::{Outcome, Reason},
    registry::Registry,
    slots::Spare,
    sync::{Atomic, Relaxed},
    task::{Group, Handlers, Parent, Task, COMM_LEN},
    tree::{Room, Tree},
};
use kernel::{
    new_condvar, new_mutex, new_spinlock,
    prelude::*,
    sync::{
        aref::ARef,
        lock::{spinlock::SpinLockBackend, Guard},
        Arc, CondVar, Mutex, SpinLock,
    },
    task::might_sleep,
};

/// Signals that one step of a death is expected to send at most.
const STEP_SIGNALS: usize = 128;

/// Worlds in the module.
static COUNT: Atomic<i64> = Atomic::new(0);

/// One of the worlds that [`COUNT`] counts, as long as this is there.
struct Counted(());

impl Counted {
    /// One more, unless there are `max` already.
    fn new(max: usize) -> Result<Self> {
        // One too many is counted for a moment; whoever comes meanwhile is one too many as well.
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

/// What a world may have at most, and how many worlds there may be.
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
#[pin_data]
pub(crate) struct World {
    #[pin]
    tree: SpinLock<Tree>,
    /// Told when a task may have become something that somebody waits for.
    #[pin]
    changed: CondVar,
    /// Held by who sends a signal to a process group.
    #[pin]
    walking: Mutex<()>,
    registry: Arc<Registry>,
    root: ARef<Namespace>,
    /// The last events that are kept.
    max_events: usize,
    /// Dropped last.
    _counted: Counted,
}

impl World {
    /// A world with an init. May sleep.
    ///
    /// # Errors
    ///
    /// `ENFILE` when there are as many as there may be, `ENOMEM`.
    pub(crate) fn new(limits: Limits) -> Result<impl PinInit<World>> {
        let counted = Counted::new(limits.worlds)?;
        let registry = Registry::new(limits.namespaces)?;
        let root = Namespace::create(None, &registry)?;
        let mut tree = Tree::new(limits.tasks, limits.pidfds);
        tree.add_init(&root)?;
        Ok(pin_init!(World {
            tree <- new_spinlock!(tree, "altpid_tree"),
            changed <- new_condvar!("altpid_changed"),
            walking <- new_mutex!((), "altpid_walking"),
            registry,
            root,
            max_events: limits.events.max(1),
            _counted: counted,
        }))
    }

    /// Worlds in the whole module.
    pub(crate) fn count() -> u64 {
        COUNT.load(Relaxed).max(0) as u64
    }

    /// The tree, under its lock.
    pub(crate) fn tree(&self) -> &SpinLock<Tree> {
        &self.tree
    }

    /// The lock of who sends a signal to a process group.
    pub(crate) fn walking(&self) -> &Mutex<()> {
        &self.walking
    }

    /// The namespaces by id.
    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The initial namespace.
    pub(crate) fn root(&self) -> &Namespace {
        &self.root
    }

    /// The id of the world's init: of the task that is pid 1 of its root, which is another one after
    /// an exec by another thread of it. Takes the tree lock.
    pub(crate) fn init(&self) -> u64 {
        let tree = self.tree.lock();
        let init = find_pid(&self.root, 1).and_then(|pid| tree.task_of(&pid));
        init.map_or(0, |init| tree.tasks.id(init))
    }

    /// How many of the last events are kept.
    pub(crate) fn max_events(&self) -> usize {
        self.max_events
    }

    /// How many events there have been.
    pub(crate) fn events(&self) -> u64 {
        self.tree.lock().events.count()
    }

    /// The namespace with an id.
    ///
    /// # Errors
    ///
    /// `ENOENT` when there is none any more.
    pub(crate) fn namespace(&self, id: u64) -> Outcome<ARef<Namespace>> {
        Ok(self.registry.find(id).ok_or(Reason::NsGone)?)
    }

    /// A thread exits with a code, or with `whole_group` its process does. May sleep.
    ///
    /// # Errors
    ///
    /// `ESRCH`; `EBUSY` for the last thread of the world's init.
    #[doc(alias = "do_exit")]
    pub(crate) fn exit(&self, task: u64, code: i32, whole_group: bool) -> Outcome {
        let status = (code & 0xff) << 8;
        let mut tree = self.tree.lock();
        let task = tree.find_actor(task)?;
        let group = tree.tasks[task].group;
        let is_last = tree.groups[group].nr_live == 1;
        if (whole_group || is_last) && tree.is_world_init(group) {
            return Err(Reason::WorldInit.into());
        }
        if whole_group && !is_last {
            tree.begin_group_exit(group, status);
        }
        tree.begin_exit(task, status);
        self.work_off_under(tree);
        Ok(())
    }

    /// The tree under its lock, with room for what comes along with `signals` signals if there is
    /// memory. May sleep.
    pub(crate) fn lock_for_signals(
        &self,
        signals: usize,
        room: &mut Spare<Queued>,
    ) -> Guard<'_, Tree, SpinLockBackend> {
        loop {
            let mut tree = self.tree.lock();
            while tree.queued.room() < signals && tree.queued.grow(room) {}
            if tree.queued.room() >= signals {
                return tree;
            }
            drop(tree);
            if room.fill().is_err() {
                return self.tree.lock();
            }
        }
    }

    /// Does what deaths have left to do, in pieces between which others get the lock, and wakes who
    /// waits. To be called after everything that can let a task exit, stop or continue. May sleep.
    pub(crate) fn work_off(&self) {
        self.work_off_under(self.tree.lock());
    }

    /// Likewise, the first piece under the tree lock that is held.
    pub(crate) fn work_off_under<'a>(&'a self, mut tree: Guard<'a, Tree, SpinLockBackend>) {
        let mut room = Spare::new();
        while tree.has_work() {
            if tree.queued.room() < STEP_SIGNALS {
                drop(tree);
                tree = self.lock_for_signals(STEP_SIGNALS, &mut room);
            }
            tree.step();
            if tree.has_work() {
                drop(tree);
                might_sleep();
                tree = self.tree.lock();
            }
        }
        drop(tree);
        self.changed.notify_all();
    }

    /// Told when a task may have become something that somebody waits for.
    pub(crate) fn changed(&self) -> &CondVar {
        &self.changed
    }
}

impl Tree {
    /// Makes the init of a world, pid 1 of its root.
    fn add_init(&mut self, root: &Namespace) -> Result {
        let mut room = Room::new(false);
        while !self.make_room(&mut room) {
            room.fill()?;
        }
        let outside = Pid::outside(root)?;
        let pid = alloc_pid(root, &[])?.keep();
        let mut comm = [0; COMM_LEN];
        comm[..4].copy_from_slice(b"init");
        let sighand = self.insert_sighand(Handlers::DEFAULT);
        let mut group = Group::new(
            pid.clone(),
            outside.clone(),
            outside,
            Parent::Outside,
            SIGCHLD,
            sighand,
        );
        group.unkillable = true;
        let group = self.insert_group(group);
        let task = self.insert_task(Task::new(group, pid, root.into(), comm));
        self.join_group(task);
        self.join_tree(group, task);
        Ok(())
    }
}
