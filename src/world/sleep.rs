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
//! that no wakeup is lost. What wakes them, and when, is in [`wakeups`](crate::tree::wakeups).

use crate::{
    tree::wakeups::{Key, QUEUES},
    world::hold::Work,
    world::World,
};
use core::{cell::UnsafeCell, mem::MaybeUninit};
use kernel::{bindings, prelude::*, sync::LockClassKey, types::Opaque};

/// `include/linux/sched.h`, where bindgen cannot read it.
const TASK_INTERRUPTIBLE: c_int = bindings::TASK_INTERRUPTIBLE as c_int;

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
        unsafe { heads.add(key.queue() % QUEUES) }
    }

    /// Wakes the callers that a key is meant for.
    pub(crate) fn wake(&self, event: &mut Key) {
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
    /// If work of this hold is left, that is done instead of sleeping.
    ///
    /// # Errors
    ///
    /// `EINTR` when a signal for the calling thread ends the sleep.
    pub(crate) fn sleep(mut self, keys: [Key; 2], timeout: c_long) -> Result<c_long> {
        let is_signalled = || kernel::current!().signal_pending();
        if self.is_due() {
            drop(self);
            return if is_signalled() {
                Err(EINTR)
            } else {
                Ok(timeout)
            };
        }
        let queues = self.world().queues();
        let head = queues.head(&keys[0]);
        let entry = Entry {
            wait: UnsafeCell::new(MaybeUninit::zeroed()),
            keys,
        };
        let wait = entry.wait.get().cast::<bindings::wait_queue_entry>();
        self.begin_sleep();
        // SAFETY: The entry stays on this stack, and off the queue, until `finish_wait()` below.
        unsafe {
            bindings::init_wait(wait);
            (*wait).func = Some(wake_if_meant);
            bindings::prepare_to_wait(head, wait, TASK_INTERRUPTIBLE);
        }
        let world = self.release();
        let mut left = timeout;
        if !is_signalled() {
            // SAFETY: No lock is held.
            left = unsafe { bindings::schedule_timeout(timeout) };
        }
        // SAFETY: The entry is one that `prepare_to_wait()` was called with.
        unsafe { bindings::finish_wait(head, wait) };
        world.work().end_sleep();
        if is_signalled() {
            return Err(EINTR);
        }
        Ok(left)
    }
}

/// An entry of a wait queue for a caller that does not sleep there: a function is called when it is woken.
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
    /// A bell in no queue. `ring` is called with the lock of a queue held and interrupts off.
    pub(crate) const fn new(ring: fn(&Self)) -> Self {
        Self {
            wait: UnsafeCell::new(MaybeUninit::zeroed()),
            keys: UnsafeCell::new([Key::EVENTS; 2]),
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
    /// The bell is in no queue, no other caller hangs it meanwhile, and it does not move until
    /// [`World::take_bell`].
    pub(crate) unsafe fn hang_bell(&mut self, bell: &Bell, keys: [Key; 2]) {
        self.begin_sleep();
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
    /// The bell was hung in this world, and no other caller takes it.
    pub(crate) unsafe fn take_bell(&self, bell: &Bell) {
        let wait = bell.wait.get().cast::<bindings::wait_queue_entry>();
        // SAFETY: By the safety requirements.
        unsafe {
            let head = self.queues().head(&(*bell.keys.get())[0]);
            bindings::remove_wait_queue(head, wait);
        }
        self.work().end_sleep();
    }
}

/// Sleeps for a moment.
pub(crate) fn pause() {
    // SAFETY: No lock is held.
    unsafe { bindings::schedule_timeout_uninterruptible(1) };
}

/// Sleep for as long as it takes (`MAX_SCHEDULE_TIMEOUT`).
pub(crate) const FOR_EVER: c_long = c_long::MAX;
