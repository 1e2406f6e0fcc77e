// SPDX-License-Identifier: GPL-2.0

//! The namespaces of a world by id.
//!
//! The registry does not keep a namespace alive; each takes itself out when its last reference
//! goes (`kernel/nstree.c`).
//!
//! # Locks
//!
//! One spinlock, taken inside the tree lock or alone.

use crate::{
    base::slots::{Id, Slots, Spare},
    pid::namespace::{CreateError, Namespace},
};
use core::ptr::NonNull;
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{aref::ARef, Arc, SpinLock},
};

/// A namespace that is not released yet.
pub(crate) struct Entry(NonNull<Namespace>);

/// Names a namespace of a world.
pub(crate) type NsId = Id<Entry>;

// SAFETY: Namespaces may be used from everywhere.
unsafe impl Send for Entry {}

/// All namespaces of one world.
#[pin_data]
pub(crate) struct Registry {
    #[pin]
    entries: SpinLock<Slots<Entry>>,
    /// The most there may be.
    max: usize,
}

impl Registry {
    /// An empty registry for up to `max` namespaces.
    pub(crate) fn new(max: usize) -> Result<Arc<Registry>> {
        Arc::pin_init(
            pin_init!(Self {
                entries <- new_spinlock!(Slots::new(), "altpid_registry"),
                max,
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Adds a namespace; `named` is told its id before anybody can find it. May sleep.
    pub(crate) fn add(
        &self,
        ns: &mut Namespace,
        named: impl FnOnce(&mut Namespace, NsId),
    ) -> Result<(), CreateError> {
        let mut spare = Spare::new();
        loop {
            let mut entries = self.entries.lock();
            if entries.len() >= self.max {
                return Err(CreateError::TooMany);
            }
            if let Some(room) = entries.make_room(&mut spare) {
                let id = room.id();
                room.insert(Entry(NonNull::from(&mut *ns)));
                named(ns, id);
                return Ok(());
            }
            drop(entries);
            spare.fill().map_err(|_| CreateError::NoMemory)?;
        }
    }

    /// Takes a namespace out.
    pub(crate) fn remove(&self, id: NsId) {
        let mut entries = self.entries.lock();
        if let Some(idx) = entries.find(id) {
            entries.remove(idx);
        }
    }

    /// The namespace with an id, unless it is gone.
    pub(crate) fn find(&self, id: NsId) -> Option<ARef<Namespace>> {
        let entries = self.entries.lock();
        let entry = &entries[entries.find(id)?];
        // SAFETY: It is in the registry, so its memory is there, and `remove` waits for the lock.
        unsafe { entry.0.as_ref() }.try_get()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// The most there may be.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// Where the positions end that [`Registry::at`] goes through.
    pub(crate) fn positions(&self) -> usize {
        self.entries.lock().positions()
    }

    /// The namespace at a position, see [`Slots::at`].
    pub(crate) fn at(&self, position: usize) -> Option<ARef<Namespace>> {
        let entries = self.entries.lock();
        let entry = &entries[entries.at(position)?];
        // SAFETY: As in `find`.
        unsafe { entry.0.as_ref() }.try_get()
    }
}
