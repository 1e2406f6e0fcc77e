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
};
use core::{cell::UnsafeCell, mem::MaybeUninit};
use kernel::{bindings, prelude::*, sync::LockClassKey, types::Opaque};

/// Wait queues of a world.
const QUEUES: usize = 16;

/// Keys of one hold that are remembered; behind that whole queues are woken.
const KEYS: usize = 24;

/// Keys after which a hold begins nothing more, so that there is room for those of what it has begun.
const MANY_KEYS: usize = 8;

/// `include/linux/sched.h`, where bindgen cannot read it.
const TASK_INTERRUPTIBLE: c_int = bindings::TASK_INTERRUPTIBLE as c_int;

/// What a caller waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// What it is, and its index or address.
    what: usize,
    /// Says which queue, together with nothing else.
    queue: usize,
}

impl Key {
    /// Matches every key of its queue.
    const ANY: usize = 0;

    /// Events ([`events`](crate::ask::events)).
    pub(crate) const EVENTS: Self = Self { what: 4, queue: 0 };

    /// What happens to a task: its call ends, or it takes a signal.
    pub(crate) fn task(tree: &Tree, task: Idx<Task>) -> Self {
        let raw = Idx::to_raw(Some(task)) as usize;
        Self {
            what: raw << 2 | 1,
            queue: Self::children(tree.tasks[task].group).queue,
        }
    }

    /// What the children of a process have to tell (`wait_chldexit`).
    pub(crate) fn children(group: Idx<Group>) -> Self {
        let raw = Idx::to_raw(Some(group)) as usize;
        Self {
            what: raw << 2 | 2,
            queue: raw % QUEUES,
        }
    }

    /// The exit and the reaping of the task that has a pid (`wait_pidfd`).
    pub(crate) fn pid(pid: &Pid) -> Self {
        let address = core::ptr::from_ref(pid).addr();
        Self {
            what: address | 3,
            queue: (address >> 6) % QUEUES,
        }
    }
}

/// What happened in a hold of the tree lock that somebody may wait for.
pub(crate) struct Wakes {
    keys: [Option<Key>; KEYS],
    /// How many of them there are.
    len: usize,
    /// Queues in which everybody is to be woken: there were more keys.
    queues: u32,
    /// Callers that sleep or are about to.
    sleepers: usize,
}

impl Wakes {
    /// Nothing.
    pub(crate) const fn new() -> Self {
        Self {
            keys: [None; KEYS],
            len: 0,
            queues: 0,
            sleepers: 0,
        }
    }

    /// Something has happened: the callers with this key are woken when the lock is released.
    pub(crate) fn note(&mut self, key: Key) {
        if self.sleepers == 0 || self.keys[..self.len].contains(&Some(key)) {
            return;
        }
        match self.keys.get_mut(self.len) {
            Some(entry) => {
                *entry = Some(key);
                self.len += 1;
            }
            None => self.queues |= 1 << key.queue,
        }
    }

    /// Takes what was noted.
    pub(crate) fn take(&mut self) -> Wakeups {
        let taken = Wakeups {
            keys: self.keys,
            len: self.len,
            queues: self.queues,
        };
        (self.len, self.queues) = (0, 0);
        taken
    }

    /// Whether so much was noted that it should be sent first.
    #[inline]
    pub(crate) fn are_many(&self) -> bool {
        self.len >= MANY_KEYS
    }

    /// Whether anything was noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0 && self.queues == 0
    }
}

/// Wakeups that are due, to be sent after the tree lock is released.
pub(crate) struct Wakeups {
    keys: [Option<Key>; KEYS],
    len: usize,
    queues: u32,
}

impl Wakeups {
    /// Wakes the callers. Not under the tree lock.
    pub(crate) fn send(self, queues: &Queues) {
        for key in self.keys[..self.len].iter().flatten() {
            queues.wake(key.queue, key.what);
        }
        for queue in (0..QUEUES).filter(|queue| self.queues >> queue & 1 != 0) {
            queues.wake(queue, Key::ANY);
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

    fn head(&self, queue: usize) -> *mut bindings::wait_queue_head {
        let heads = self.heads.get().cast::<bindings::wait_queue_head>();
        // SAFETY: There are so many heads.
        unsafe { heads.add(queue % QUEUES) }
    }

    fn wake(&self, queue: usize, what: usize) {
        let key = core::ptr::without_provenance_mut(what);
        // SAFETY: The head was initialized. All entries are `Entry`s, whose function takes the key for
        // a number.
        unsafe { bindings::__wake_up(self.head(queue), bindings::TASK_NORMAL, 0, key) };
    }
}

/// A caller in a wait queue (`struct wait_bit_queue_entry`).
#[repr(C)]
struct Entry {
    wait: UnsafeCell<MaybeUninit<bindings::wait_queue_entry>>,
    keys: [usize; 2],
}

/// Wakes a caller if the wakeup is meant for it (`wake_bit_function()`).
///
/// # Safety
///
/// Called by `__wake_up()` with the `wait` of an [`Entry`] and a key of [`Queues::wake`].
unsafe extern "C" fn wake_if_meant(
    wait: *mut bindings::wait_queue_entry,
    mode: c_uint,
    sync: c_int,
    key: *mut c_void,
) -> c_int {
    let what = key.addr();
    // SAFETY: By the safety requirements; `wait` is the first member.
    let keys = unsafe { (*wait.cast::<Entry>()).keys };
    if what != Key::ANY && !keys.contains(&what) {
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
        if self.has_work() || !self.wakes.is_empty() {
            return Ok(timeout);
        }
        let queues = self.world().queues();
        let head = queues.head(keys[0].queue);
        let entry = Entry {
            wait: UnsafeCell::new(MaybeUninit::zeroed()),
            keys: keys.map(|key| key.what),
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

/// Sleep for as long as it takes (`MAX_SCHEDULE_TIMEOUT`).
pub(crate) const FOR_EVER: c_long = c_long::MAX;
