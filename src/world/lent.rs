// SPDX-License-Identifier: GPL-2.0

//! References to a world that go when it ends: a mount of a world's /proc has one.
//!
//! A world ends with the last reference to it. One that is lent does not keep it: when nobody has the device
//! open any more, and no member is in it, it is given back.
//!
//! # Locks
//!
//! The lock of what a world has lent, a mutex, and below it the lock of each loan, a spinlock, under which
//! nothing else is wanted.

use crate::world::World;
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{Arc, SpinLock},
};

/// A reference to a world that goes when it ends.
#[pin_data]
pub(crate) struct Loan {
    #[pin]
    world: SpinLock<Option<Arc<World>>>,
}

impl Loan {
    /// The world, as long as it has not ended.
    pub(crate) fn world(&self) -> Option<Arc<World>> {
        let world = self.world.lock().clone();
        world.filter(|world| !world.is_closed())
    }

    /// The reference, which is not there any more.
    fn take(&self) -> Option<Arc<World>> {
        self.world.lock().take()
    }

    /// Gives it back before the world ends. May sleep.
    pub(crate) fn give_back(&self) {
        let world = self.take();
        if let Some(world) = &world {
            (world.loans.lock()).retain(|loan| !core::ptr::eq(&**loan, self));
        }
    }
}

impl World {
    /// A reference that goes when the world ends. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub(crate) fn lend(&self) -> Result<Arc<Loan>> {
        let loan = Arc::pin_init(
            pin_init!(Loan {
                world <- new_spinlock!(Some(self.to_arc()), "altpid_loan"),
            }),
            GFP_KERNEL_ACCOUNT,
        )?;
        self.loans.lock().push(loan.clone(), GFP_KERNEL_ACCOUNT)?;
        // It may have ended before this one was on the list.
        self.end_loans();
        Ok(loan)
    }

    /// If the world has ended, what is lent goes. The caller has a reference. May sleep.
    pub(super) fn end_loans(&self) {
        if self.is_closed() {
            let loans = core::mem::take(&mut *self.loans.lock());
            for loan in &loans {
                drop(loan.take());
            }
        }
    }
}
