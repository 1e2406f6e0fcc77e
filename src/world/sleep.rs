// SPDX-License-Identifier: GPL-2.0

//! Sleeping until something happens to one task, one process or one pid.
//!
//! `kernel/exit.c`: `wait_chldexit`; `fs/pidfs.c`: `wait_pidfd`; `kernel/fork.c`: `vfork_done`. Natively
//! each process and pid has a wait queue of its own. Here a world has a few of them, as
//! `kernel/sched/wait_bit.c` has for the whole machine: a caller sleeps in the queue that its key hashes
//! to, and a wakeup for a key wakes the callers with that key and nobody else.
//!
//! # Locks
//!
//! A caller enters the queue under the tree lock, in the hold in which it found that it has to wait, so
//! that no wakeup is lost. An event only notes its key ([`Wakes::note`]); the callers are woken after the
//! lock is released ([`Wakeups::send`]), once for everything that happened in one hold.

use crate::{
    base::slots::Idx,
    pid::Pid,
    tree::task::{Group, Task},
    tree::Tree,
    world::hold::Work,
    world::World,
};
use core::{cell::UnsafeCell, mem::MaybeUninit};
use kernel::{bindings, prelude::*, sync::LockClassKey, types::Opaque};

/// Wait queues of a world.
const QUEUES: usize = 16;

/// Keys of one hold that are remembered; behind that whole queues are woken.
const KEYS: usize = 24;

/// Keys after which a hold begins nothing more, so that there is room for those of what it has begun.
const MANY_KEYS: usize = 8;

/// Children of one process that are remembered of one hold; behind that every caller that waits for a
/// child of the process is woken.
const CHILDREN: usize = 3;

/// `include/linux/sched.h`, where bindgen cannot read it.
const TASK_INTERRUPTIBLE: c_int = bindings::TASK_INTERRUPTIBLE as c_int;

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

    /// What all children of a process have to tell (`wait_chldexit`).
    pub(crate) fn children(group: Idx<Group>) -> Self {
        let raw = Idx::to_raw(Some(group)) as usize;
        Self::new(raw << 2 | 2, raw)
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
    fn is_meant(&self, event: &Self) -> bool {
        let fits = |wanted, is| wanted == 0 || is == 0 || wanted == is;
        event.what == Self::ANY
            || event.what == self.what
                && fits(self.parent as usize, event.parent as usize)
                && fits(self.tgid, event.tgid)
                && fits(self.pgid, event.pgid)
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

    /// Something has happened: the callers with this key are woken when the lock is released.
    pub(crate) fn note(&mut self, key: Key) {
        if self.sleepers != 0 {
            self.due.add(key);
        }
    }

    /// Takes what was noted.
    pub(crate) fn take(&mut self) -> Wakeups {
        core::mem::replace(&mut self.due, Wakeups::NONE)
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

    /// Wakes the callers. Not under the tree lock.
    pub(crate) fn send(mut self, queues: &Queues) {
        for key in &mut self.keys[..self.len] {
            queues.wake(key);
        }
        for queue in (0..QUEUES).filter(|queue| self.queues >> queue & 1 != 0) {
            queues.wake(&mut Key::new(Key::ANY, queue));
        }
    }
}

/// The wait queues of a world.
#[pin_data]
pub(crate) struct Queues {
    #[pin]
    heads: Opaque<[bindings::wait_queue_head; QUEUES]>,
}

// SAFETY: Wait queues can be used from everywhere.
unsafe impl Send for Queues {}
// SAFETY: As above.
unsafe impl Sync for Queues {}

impl Queues {
    /// Empty queues, with what lockdep calls them.
    pub(crate) fn new(name: &'static CStr, key: Pin<&'static LockClassKey>) -> impl PinInit<Self> {
        pin_init!(Self {
            heads <- Opaque::ffi_init(move |slot: *mut [bindings::wait_queue_head; QUEUES]| {
                for queue in 0..QUEUES {
                    // SAFETY: The slot is memory for so many heads, which stay where they are.
                    unsafe {
                        let head = slot.cast::<bindings::wait_queue_head>().add(queue);
                        bindings::__init_waitqueue_head(head, name.as_char_ptr(), key.as_ptr());
                    }
                }
            }),
        })
    }

    fn head(&self, key: &Key) -> *mut bindings::wait_queue_head {
        let heads = self.heads.get().cast::<bindings::wait_queue_head>();
        // SAFETY: There are so many heads.
        unsafe { heads.add(key.queue as usize % QUEUES) }
    }

    fn wake(&self, event: &mut Key) {
        let head = self.head(event);
        let event = core::ptr::from_mut(event).cast();
        // SAFETY: The head was initialized. All entries are `Entry`s, whose function takes what it is
        // given for a `Key`.
        unsafe { bindings::__wake_up(head, bindings::TASK_NORMAL, 0, event) };
    }
}

/// A caller in a wait queue (`struct wait_bit_queue_entry`).
#[repr(C)]
struct Entry {
    wait: UnsafeCell<MaybeUninit<bindings::wait_queue_entry>>,
    keys: [Key; 2],
}

/// Wakes a caller if the wakeup is meant for it (`wake_bit_function()`).
///
/// # Safety
///
/// Called by `__wake_up()` with the `wait` of an [`Entry`] and the [`Key`] of [`Queues::wake`].
unsafe extern "C" fn wake_if_meant(
    wait: *mut bindings::wait_queue_entry,
    mode: c_uint,
    sync: c_int,
    key: *mut c_void,
) -> c_int {
    // SAFETY: By the safety requirements; `wait` is the first member, and the keys do not change.
    let keys = unsafe { &(*wait.cast::<Entry>()).keys };
    // SAFETY: By the safety requirements.
    let event = unsafe { &*key.cast::<Key>() };
    if !keys.iter().any(|wanted| wanted.is_meant(event)) {
        return 0;
    }
    // SAFETY: What `__wake_up()` gave.
    unsafe { bindings::autoremove_wake_function(wait, mode, sync, key) }
}

impl Work<'_> {
    /// Releases the tree lock and sleeps until one of two keys of the same queue is woken, or for
    /// `timeout` jiffies; returns what is left of these. There may be no wakeup meant for it: look again.
    ///
    /// If there is still work to do, that is done instead of sleeping.
    ///
    /// # Errors
    ///
    /// `EINTR` when a signal for the calling thread ends the sleep.
    pub(crate) fn sleep(mut self, keys: [Key; 2], timeout: c_long) -> Result<c_long> {
        if self.has_work() || self.owes() || !self.wakes.is_empty() {
            return Ok(timeout);
        }
        let queues = self.world().queues();
        let head = queues.head(&keys[0]);
        let entry = Entry {
            wait: UnsafeCell::new(MaybeUninit::zeroed()),
            keys,
        };
        let wait = entry.wait.get().cast::<bindings::wait_queue_entry>();
        self.wakes.sleepers += 1;
        // SAFETY: The entry stays on this stack, and off the queue, until `finish_wait()` below.
        unsafe {
            bindings::init_wait(wait);
            (*wait).func = Some(wake_if_meant);
            bindings::prepare_to_wait(head, wait, TASK_INTERRUPTIBLE);
        }
        let world = self.release();
        let is_signalled = || kernel::current!().signal_pending();
        let mut left = timeout;
        if !is_signalled() {
            // SAFETY: No lock is held.
            left = unsafe { bindings::schedule_timeout(timeout) };
        }
        // SAFETY: The entry is one that `prepare_to_wait()` was called with.
        unsafe { bindings::finish_wait(head, wait) };
        world.work().wakes.sleepers -= 1;
        if is_signalled() {
            return Err(EINTR);
        }
        Ok(left)
    }
}

/// Somebody in a wait queue who does not sleep there, but has something done when woken.
#[repr(C)]
pub(crate) struct Bell {
    wait: UnsafeCell<MaybeUninit<bindings::wait_queue_entry>>,
    keys: UnsafeCell<[Key; 2]>,
    ring: fn(&Self),
}

// SAFETY: It is changed by its owner only, when it is in no queue.
unsafe impl Send for Bell {}
// SAFETY: As above.
unsafe impl Sync for Bell {}

impl Bell {
    /// One in no queue. `ring` is called with the lock of a queue held and interrupts off.
    pub(crate) const fn new(ring: fn(&Self)) -> Self {
        Self {
            wait: UnsafeCell::new(MaybeUninit::zeroed()),
            keys: UnsafeCell::new([Key::new(Key::ANY, 0); 2]),
            ring,
        }
    }
}

/// Rings a bell if the wakeup is meant for it.
///
/// # Safety
///
/// Called by `__wake_up()` with the `wait` of a [`Bell`] and the [`Key`] of [`Queues::wake`].
unsafe extern "C" fn ring_if_meant(
    wait: *mut bindings::wait_queue_entry,
    _mode: c_uint,
    _sync: c_int,
    key: *mut c_void,
) -> c_int {
    // SAFETY: By the safety requirements; `wait` is the first member.
    let bell = unsafe { &*wait.cast::<Bell>() };
    // SAFETY: The keys do not change as long as it is in a queue, and by the safety requirements.
    let (keys, event) = unsafe { (&*bell.keys.get(), &*key.cast::<Key>()) };
    if keys.iter().any(|wanted| wanted.is_meant(event)) {
        (bell.ring)(bell);
    }
    0
}

impl Work<'_> {
    /// Puts a bell into the queue of two keys.
    ///
    /// # Safety
    ///
    /// It is in no queue, nobody else hangs it meanwhile, and it stays where it is until
    /// [`World::take_bell`].
    pub(crate) unsafe fn hang_bell(&mut self, bell: &Bell, keys: [Key; 2]) {
        self.wakes.sleepers += 1;
        let head = self.world().queues().head(&keys[0]);
        let wait = bell.wait.get().cast::<bindings::wait_queue_entry>();
        // SAFETY: By the safety requirements.
        unsafe {
            *bell.keys.get() = keys;
            bindings::init_wait(wait);
            (*wait).func = Some(ring_if_meant);
            bindings::add_wait_queue(head, wait);
        }
    }
}

impl World {
    /// Takes a bell out of its queue: it is not rung any more.
    ///
    /// # Safety
    ///
    /// It was hung in this world and is not taken by anybody else.
    pub(crate) unsafe fn take_bell(&self, bell: &Bell) {
        let wait = bell.wait.get().cast::<bindings::wait_queue_entry>();
        // SAFETY: By the safety requirements.
        unsafe {
            let head = self.queues().head(&(*bell.keys.get())[0]);
            bindings::remove_wait_queue(head, wait);
        }
        self.work().wakes.sleepers -= 1;
    }
}

/// Sleeps for a moment.
pub(crate) fn pause() {
    // SAFETY: No lock is held.
    unsafe { bindings::schedule_timeout_uninterruptible(1) };
}

/// Sleep for as long as it takes (`MAX_SCHEDULE_TIMEOUT`).
pub(crate) const FOR_EVER: c_long = c_long::MAX;
