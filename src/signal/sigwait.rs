// SPDX-License-Identifier: GPL-2.0

//! sigtimedwait(2): a thread takes a signal by itself, and sleeps until there is one.
//!
//! `kernel/signal.c`: `do_sigtimedwait()`.
//!
//! As long as it sleeps the signals that it waits for count as not blocked, so that it is the thread that
//! they wake; they are left for it all the same.
//!
//! # Locks
//!
//! Under the tree lock, which is released to sleep.

use crate::{
    base::slots::{Idx, Spare},
    reason::Outcome,
    tree::call::Awaited,
    tree::call::Call,
    tree::pending::{SigInfo, SigSet},
    tree::task::Task,
    tree::wakeups::Key,
    world::hold::InCall,
    world::World,
};
use kernel::prelude::*;

impl World {
    /// A thread takes the first of some signals that waits for it or its group. Sleeps for up to
    /// `timeout` jiffies until there is one.
    ///
    /// # Errors
    ///
    /// As [`World::act`]; `EAGAIN` when there is none in that time, `EINTR` when another signal ends the
    /// sleep, `ENOMEM`.
    #[doc(alias = "do_sigtimedwait")]
    pub(crate) fn sigwait(&self, task: u64, wanted: SigSet, timeout: c_long) -> Outcome<SigInfo> {
        let wanted = wanted.minus(SigSet::ONLY);
        let (mut tree, task_index) = self.act(task)?;
        if let Some(info) = tree.dequeue(task_index, wanted) {
            return Ok(info);
        }
        if timeout == 0 {
            return Err(EAGAIN.into());
        }
        drop(tree);
        let (call, mut tree, mut index) = self.enter(task)?;
        let mut room = Spare::new();
        while !tree.make_room_for_awaited(&mut room) {
            drop(tree);
            room.fill()?;
            (tree, index) = call.go_on()?;
        }
        let awaited = tree.insert_awaited(wanted);
        drop(tree);
        let result = self.sleep_for_signal(&call, awaited, index, timeout);
        let mut tree = self.work();
        if let Some(task) = tree.tasks().find(task) {
            tree.task_mut(task).call = Call::Working;
        }
        tree.discard_awaited(awaited);
        result
    }

    fn sleep_for_signal(
        &self,
        call: &InCall<'_>,
        awaited: Idx<Awaited>,
        index: Idx<Task>,
        mut timeout: c_long,
    ) -> Outcome<SigInfo> {
        let handled = call.go_on()?.0.tasks()[index].nr_received;
        loop {
            let (mut tree, task) = call.go_on()?;
            let wanted = tree.awaited(awaited);
            if let Some(info) = tree.dequeue(task, wanted) {
                return Ok(info);
            }
            if tree.tasks()[task].nr_received != handled || tree.is_stopped(task) {
                return Err(EINTR.into());
            }
            if timeout == 0 {
                return Err(EAGAIN.into());
            }
            tree.set_call(task, Call::Sigwait(awaited));
            let key = Key::task(&tree, task);
            timeout = tree.sleep([key; 2], timeout)?;
        }
    }
}
