// SPDX-License-Identifier: GPL-2.0

//! /proc of a world, as one namespace of it sees it: a file system of the module's own.
//!
//! It is stacked on a procfs of the kernel's first pid namespace that the module mounts for itself. Whose
//! directories there are, and every number in them, comes from the world at the moment of reading;
//! everything else is asked of the kernel's own file, by the process that asks, with its own credentials.
//! Tasks without a body have a small directory. Nothing is cached: a name is looked up each time.
//!
//! | file | what |
//! |---|---|
//! | `procfs/super.c` | the file system type, and the kernel's procfs |
//! | `procfs/inode.c`, `dir.c` | what is where |
//! | `procfs/file.c` | files that are the kernel's own |
//! | `procfs/text.c` | files with numbers in them |
//! | [`find`] | who is in the namespace |
//! | [`line`] | lines of the kernel's, with the namespace's numbers in them |
//! | [`made`] | files that are made from the world alone |
//! | [`calls`] | what the C files call |
//!
//! # Locks
//!
//! The tree lock for moments, under locks of inodes and of open files.

mod calls;
mod find;
mod line;
mod made;
mod out;

use crate::{
    body,
    pid::namespace::Namespace,
    pid::registry::NsId,
    reason::{Outcome, Reason},
    world::{lent::Loan, World},
};
use kernel::{
    bindings,
    prelude::*,
    sync::{aref::ARef, Arc, SetOnce},
};

/// Finds the world of a file, if that is one of the device. The file has to be there as long as the call.
type WorldOf = unsafe fn(*mut bindings::file) -> Option<Arc<World>>;

/// Set once, when the module is loaded.
static WORLD_OF: SetOnce<WorldOf> = SetOnce::new();

extern "C" {
    fn altpid_procfs_init() -> c_int;
    fn altpid_procfs_exit();
}

/// The registered file system, as long as this is there. Its mounts keep the module.
pub(crate) struct Filesystem(());

impl Filesystem {
    /// Registers it, with what finds the world of a file. Called once.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(crate) fn new(world_of: WorldOf) -> Result<Self> {
        WORLD_OF.populate(world_of);
        // SAFETY: Called once, when the module is loaded.
        kernel::error::to_result(unsafe { altpid_procfs_init() })?;
        Ok(Self(()))
    }
}

impl Drop for Filesystem {
    fn drop(&mut self) {
        // SAFETY: It is registered, and since each mount keeps the module there is none.
        unsafe { altpid_procfs_exit() };
    }
}

/// What a mount shows: a world as a namespace of it sees it. It keeps the namespace, but not the world.
struct View {
    loan: Arc<Loan>,
    ns: ARef<Namespace>,
}

impl View {
    /// That of the calling task, or of the world of a file of the device; its namespace of level 0 if none is
    /// given. May sleep.
    ///
    /// # Errors
    ///
    /// `EINVAL` for another file, and for a caller that is no task; `ENOENT` when there is no such
    /// namespace; `ENOMEM`.
    ///
    /// # Safety
    ///
    /// The file is null, or there as long as the call.
    unsafe fn new(file: *mut bindings::file, ns: Option<NsId>) -> Outcome<KBox<Self>> {
        let (world, own) = if file.is_null() {
            let (world, task) = body::own().ok_or(EINVAL)?;
            let ns = {
                let tree = world.tree();
                ARef::from(tree.tasks()[tree.find(task)?].ns())
            };
            (world, Some(ns))
        } else {
            let world_of = WORLD_OF.as_ref().ok_or(ENODEV)?;
            // SAFETY: By the safety requirements.
            (unsafe { world_of(file) }.ok_or(EINVAL)?, None)
        };
        // Whoever is in a namespace may see it as it is.
        if (own.is_none() || ns.is_some()) && !world.may_act() {
            return Err(Reason::NotOwner.into());
        }
        let ns = match (ns, own) {
            (Some(ns), _) => world.namespace(ns)?,
            (None, Some(own)) => own,
            (None, None) => world.root().into(),
        };
        let loan = world.lend()?;
        let view = KBox::new(Self { loan, ns }, GFP_KERNEL_ACCOUNT);
        Ok(view.map_err(Error::from)?)
    }

    /// The world, unless it has ended.
    fn world(&self) -> Option<Arc<World>> {
        self.loan.world()
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.loan.give_back();
    }
}
