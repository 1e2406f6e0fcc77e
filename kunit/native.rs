// SPDX-License-Identifier: GPL-2.0

//! Stands for `src/native.rs`: a body here runs nothing. It records what is sent to it and obeys when the case
//! says so ([`late`](crate::late)).

use crate::{
    base::sync::{Atomic, Relaxed},
    world::World,
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{Arc, SpinLock},
};

/// The most signals that a case looks at together.
const MAX_SENT: usize = 64;

/// A number in the kernel's own first pid namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct NativeNr(i32);

impl NativeNr {
    pub(crate) fn to_user(self) -> i32 {
        self.0
    }

    pub(crate) fn to_argument(self) -> u64 {
        self.0 as u64
    }
}

/// How a thread ends.
pub(crate) struct End {
    pub(crate) code: i32,
    pub(crate) uid: u32,
    /// The status word of its process, if that is decided.
    pub(crate) group: Option<i32>,
}

impl End {
    pub(crate) fn of_group(&self) -> Option<i32> {
        self.group
    }
}

/// A signal with what comes along.
pub(crate) struct Signal {
    pub(crate) signo: i32,
    pub(crate) code: i32,
    pub(crate) pid: i32,
    pub(crate) uid: u32,
    pub(crate) status: i32,
}

/// Whether a signal waits for the caller.
pub(crate) static HAS_SIGNALS: Atomic<u32> = Atomic::new(0);

/// The calling process ignores SIGCHLD from now on: that of a test is no init.
pub(crate) fn ignore_children() {}

pub(crate) fn has_signals() -> bool {
    HAS_SIGNALS.load(Relaxed) != 0
}

/// What a process does about SIGCHLD.
#[derive(Clone, Copy)]
pub(crate) struct AboutChildren(());

impl AboutChildren {
    pub(crate) fn ignores(self) -> bool {
        false
    }

    pub(crate) fn does_not_wait(self) -> bool {
        false
    }

    pub(crate) fn no_stops(self) -> bool {
        false
    }
}

/// What the bodies of a world have been sent.
#[pin_data]
pub(crate) struct Log {
    #[pin]
    sent: SpinLock<Sent>,
    /// The world, whose tree lock must be free when something is sent.
    #[pin]
    world: SpinLock<Option<Arc<World>>>,
}

/// Signals by the numbers of their receivers, in the order in which they were sent.
struct Sent {
    signals: [(i32, i32); MAX_SENT],
    len: usize,
    is_sound: bool,
}

impl Log {
    /// Of the bodies of a world.
    pub(crate) fn new(world: Arc<World>) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                sent <- new_spinlock!(Sent { signals: [(0, 0); MAX_SENT], len: 0, is_sound: true }),
                world <- new_spinlock!(Some(world)),
            }),
            GFP_KERNEL,
        )
    }

    /// Nothing is sent any more: the bodies are going to be released with the world.
    pub(crate) fn close(&self) {
        let world = self.world.lock().take();
        drop(world);
    }

    /// Whether just this was sent since the last time that this was asked, and each without the tree lock;
    /// says what was if not.
    pub(crate) fn takes(&self, wanted: &[(i32, i32)]) -> bool {
        let mut sent = self.sent.lock();
        let len = core::mem::replace(&mut sent.len, 0);
        let is_it = sent.signals.get(..len) == Some(wanted) && sent.is_sound;
        if !is_it {
            pr_err!(
                "sent: {:?}, sound: {}\n",
                &sent.signals[..len],
                sent.is_sound
            );
        }
        is_it
    }

    /// A body is sent a signal, or, with 0 and 0, somebody is woken. Does not sleep.
    pub(crate) fn note(&self, nr: i32, signal: i32) {
        // Nobody else uses the world of a case while something is sent.
        let is_unlocked = {
            let world = self.world.lock();
            world
                .as_ref()
                .is_some_and(|world| world.locked().try_lock().is_some())
        };
        let mut sent = self.sent.lock();
        let len = sent.len;
        sent.is_sound &= is_unlocked && len < MAX_SENT;
        if let Some(entry) = sent.signals.get_mut(len) {
            *entry = (nr, signal);
            sent.len += 1;
        }
    }
}

/// A thread of the kernel's: there is none, and whoever wants to know what it does asks this.
#[derive(Clone)]
pub(crate) struct Native(Arc<Recorder>);

struct Recorder {
    nr: i32,
    log: Arc<Log>,
    /// The signal that it is stopped by, 0 for none.
    stopped_by: Atomic<i32>,
    /// The kernel does not have it any more.
    is_gone: Atomic<u32>,
}

impl Native {
    /// One that is known to the kernel by this number.
    pub(crate) fn new(nr: i32, log: Arc<Log>) -> Result<Self> {
        let stopped_by = Atomic::new(0);
        let recorder = Recorder {
            nr,
            log,
            stopped_by,
            is_gone: Atomic::new(0),
        };
        Ok(Self(Arc::new(recorder, GFP_KERNEL)?))
    }

    /// It has stopped by a signal, or with 0 goes on.
    pub(crate) fn set_stopped_by(&self, signal: i32) {
        self.0.stopped_by.store(signal, Relaxed);
    }

    pub(crate) fn nr(&self) -> NativeNr {
        NativeNr(self.0.nr)
    }

    /// The kernel does not have it any more.
    pub(crate) fn set_gone(&self) {
        self.0.is_gone.store(1u32, Relaxed);
    }

    pub(crate) fn is_there(&self) -> bool {
        self.0.is_gone.load(Relaxed) == 0
    }

    pub(crate) fn about_children(&self) -> AboutChildren {
        AboutChildren(())
    }

    pub(crate) fn keeps_pdeath_mark(&self) -> bool {
        true
    }

    pub(crate) fn is_child_of(&self, _parent: &Self) -> bool {
        false
    }

    pub(crate) fn is_callers_tracee(&self) -> bool {
        false
    }

    pub(crate) fn stopped_by(&self) -> Result<Option<i32>, ()> {
        let signal = self.0.stopped_by.load(Relaxed);
        Ok((signal != 0).then_some(signal))
    }

    pub(crate) fn group(&self) -> Option<NativeNr> {
        None
    }

    pub(crate) fn send(&self, signal: &Signal) {
        self.0.log.note(self.0.nr, signal.signo);
    }
}

/// Whoever runs the suites.
pub(crate) fn own_uid() -> u32 {
    0
}

/// Whether that is somebody who may do anything.
pub(crate) fn is_admin() -> bool {
    true
}

pub(crate) mod usage {
    //! Nobody uses anything.

    /// What a process has used.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Usage(());

    impl Usage {
        pub(crate) fn own() -> Self {
            Self(())
        }
    }
}
