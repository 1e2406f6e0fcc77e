// SPDX-License-Identifier: GPL-2.0

//! The stream of what happens in a world.

use crate::{
    types::*,
    uapi::{self, altpid_event},
    world::World,
};
use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, ReadWriteFlags, pread, preadv2},
};
use std::io::IoSliceMut;

/// What happened.
///
/// # Examples
///
/// ```
/// use altpid::EventKind;
///
/// assert_eq!(EventKind::NsDying.name(), "ns-dying");
/// assert_eq!(EventKind::Exit(0x0300).name(), "exit");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A task was born, to this parent in the world, if any.
    Clone(Option<TaskId>),
    /// A process has called exec.
    Exec,
    /// A task begins to exit, with a status word.
    Exit(i32),
    /// A task is gone; the status word of its process.
    Reap(i32),
    /// A process has another parent, or none in the world.
    Reparent(Option<TaskId>),
    /// A process has stopped by a signal.
    Stop(i32),
    /// A stopped process goes on.
    Continue,
    /// A namespace was made below this one.
    NsBorn(NsId),
    /// The init of a namespace begins to take it along.
    NsDying,
    /// The last number of a namespace is free.
    NsDead,
    /// So many events are lost, for the reader was too slow.
    Lost(u64),
    /// One that this library does not know, by its number.
    Unknown(u32),
}

impl EventKind {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clone(_) => "clone",
            Self::Exec => "exec",
            Self::Exit(_) => "exit",
            Self::Reap(_) => "reap",
            Self::Reparent(_) => "reparent",
            Self::Stop(_) => "stop",
            Self::Continue => "continue",
            Self::NsBorn(_) => "ns-born",
            Self::NsDying => "ns-dying",
            Self::NsDead => "ns-dead",
            Self::Lost(_) => "lost",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// One thing that happened.
///
/// # Examples
///
/// ```no_run
/// use altpid::{EventKind, World};
///
/// let world = World::open()?;
/// for event in world.events()?.read(false)? {
///     match event.kind {
///         EventKind::Exit(status) if event.threads == 0 => {
///             println!("process {} exits, {status:#x}", event.pid);
///         }
///         kind => println!("{}: {}", event.seq, kind.name()),
///     }
/// }
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number: the first one of a world is 0.
    pub seq: u64,
    /// What it is.
    pub kind: EventKind,
    /// Whom it happened to; for a namespace that is born, who made it.
    pub task: Option<TaskId>,
    /// The active namespace of that task, or the namespace that it happened to.
    pub ns: Option<NsId>,
    /// The number of the task at level 0, 0 if it is not about one.
    pub pid: i32,
    /// Its number in its namespace.
    pub nr: i32,
    /// Of a clone: with which flags; [`CloneFlags::THREAD`] tells a thread from a child.
    pub flags: CloneFlags,
    /// Of an exit: how many other threads of the process live on. With 0 it is the process that
    /// exits.
    pub threads: u64,
}

impl From<&altpid_event> for Event {
    fn from(event: &altpid_event) -> Self {
        let task = |id| (id != 0).then_some(TaskId(id));
        let ns = |id| (id != 0).then_some(NsId(id));
        Self {
            seq: event.seq,
            kind: match event.type_ {
                uapi::ALTPID_EVENT_CLONE => EventKind::Clone(task(event.other)),
                uapi::ALTPID_EVENT_EXEC => EventKind::Exec,
                uapi::ALTPID_EVENT_EXIT => EventKind::Exit(event.status),
                uapi::ALTPID_EVENT_REAP => EventKind::Reap(event.status),
                uapi::ALTPID_EVENT_REPARENT => EventKind::Reparent(task(event.other)),
                uapi::ALTPID_EVENT_STOP => EventKind::Stop(event.status),
                uapi::ALTPID_EVENT_CONTINUE => EventKind::Continue,
                uapi::ALTPID_EVENT_NS_BORN => EventKind::NsBorn(NsId(event.other)),
                uapi::ALTPID_EVENT_NS_DYING => EventKind::NsDying,
                uapi::ALTPID_EVENT_NS_DEAD => EventKind::NsDead,
                uapi::ALTPID_EVENT_LOST => EventKind::Lost(event.value),
                other => EventKind::Unknown(other),
            },
            task: task(event.task),
            ns: ns(event.ns),
            pid: event.pid,
            nr: event.nr,
            flags: match event.type_ {
                uapi::ALTPID_EVENT_CLONE => CloneFlags::from_bits_retain(event.value),
                _ => CloneFlags::empty(),
            },
            threads: match event.type_ {
                uapi::ALTPID_EVENT_EXIT => event.value,
                _ => 0,
            },
        }
    }
}

/// A reader of the events of a world. Each has its own place in the stream.
///
/// # Examples
///
/// ```no_run
/// use altpid::World;
///
/// let world = World::open()?;
/// let mut events = world.events()?;
/// loop {
///     // Sleeps until something happens.
///     for event in events.read(true)? {
///         println!("{} {:?}", event.kind.name(), event.task);
///     }
/// #   break;
/// }
/// # Ok::<(), altpid::Error>(())
/// ```
#[derive(Debug)]
pub struct Events<'a> {
    world: &'a World,
    next: u64,
}

impl World {
    /// A reader of what happens from now on.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use altpid::{CloneArgs, World};
    ///
    /// let world = World::open()?;
    /// let mut events = world.events()?;
    /// world.clone(world.info()?.init, &CloneArgs::new())?;
    /// for event in events.read(false)? {
    ///     println!("{event:?}");
    /// }
    /// # Ok::<(), altpid::Error>(())
    /// ```
    pub fn events(&self) -> Result<Events<'_>> {
        let mut events = self.events_from(0);
        // The first read begins the recording; what was before it counts as lost.
        while !events.read(false)?.is_empty() {}
        Ok(events)
    }

    /// A reader that begins with the event of a number; what is lost of it from there on is told
    /// by the first read.
    pub fn events_from(&self, number: u64) -> Events<'_> {
        Events {
            world: self,
            next: number,
        }
    }
}

impl Events<'_> {
    /// Goes to the event with a number. If it is lost, the next read begins with how many are.
    pub fn seek(&mut self, number: u64) {
        self.next = number;
    }

    /// The number of the event that will be read next.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Reads what has happened since the last time; with `wait` it sleeps until there is
    /// something, for which the world's descriptor must not be `O_NONBLOCK`, and is made so.
    ///
    /// # Errors
    ///
    /// `EINTR`, `ENOMEM`
    pub fn read(&mut self, wait: bool) -> Result<Vec<Event>> {
        const SIZE: usize = size_of::<altpid_event>();
        let error = |errno| Error {
            verb: "read",
            errno,
            reason: Reason::default(),
        };
        let mut bytes = [0; 64 * SIZE];
        let from = self.next * SIZE as u64;
        let read = if wait {
            let flags = fcntl_getfl(self.world).map_err(error)?;
            if flags.contains(OFlags::NONBLOCK) {
                fcntl_setfl(self.world, flags - OFlags::NONBLOCK).map_err(error)?;
            }
            pread(self.world, &mut bytes, from).map_err(error)?
        } else {
            let room = &mut [IoSliceMut::new(&mut bytes)];
            match preadv2(self.world, room, from, ReadWriteFlags::NOWAIT) {
                Err(Errno::AGAIN) => 0,
                read => read.map_err(error)?,
            }
        };
        let events: Vec<_> = bytes[..read]
            .chunks_exact(SIZE)
            .map(|bytes| Event::from(&event_of(bytes)))
            .collect();
        if let Some(last) = events.last() {
            self.next = last.seq + 1;
        }
        Ok(events)
    }
}

/// The struct that bytes are.
fn event_of(bytes: &[u8]) -> altpid_event {
    let u64_at = |at: usize| u64::from_ne_bytes(std::array::from_fn(|i| bytes[at + i]));
    let i32_at = |at: usize| i32::from_ne_bytes(std::array::from_fn(|i| bytes[at + i]));
    macro_rules! member {
        ($read:ident $name:ident) => {
            $read(std::mem::offset_of!(altpid_event, $name))
        };
    }
    altpid_event {
        seq: member!(u64_at seq),
        type_: member!(i32_at type_) as u32,
        status: member!(i32_at status),
        task: member!(u64_at task),
        other: member!(u64_at other),
        ns: member!(u64_at ns),
        pid: member!(i32_at pid),
        nr: member!(i32_at nr),
        value: member!(u64_at value),
        reserved: 0,
    }
}
