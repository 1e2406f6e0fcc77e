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
    tree::task::TaskId,
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
    pub(crate) fn sigwait(
        &self,
        task: TaskId,
        wanted: SigSet,
        timeout: c_long,
    ) -> Outcome<SigInfo> {
        let wanted = wanted.minus(SigSet::ONLY);
        let (mut tree, index) = self.act(task)?;
        let taken = tree.dequeue(index, wanted);
        if taken.is_some() || timeout == 0 {
            tree.recalc_sigpending(index);
            return taken.ok_or(EAGAIN.into());
        }
        drop(tree);
        let (call, mut tree, index) = self.enter(task)?;
        let before = tree.interruptions(index);
        let mut spare = Spare::new();
        let awaited = loop {
            if let Some(room) = tree.room_for_awaited(&mut spare) {
                break room.insert(Awaited(wanted));
            }
            drop(tree);
            spare.fill()?;
            (tree, _) = call.go_on()?;
        };
        drop(tree);
        let result = self.sleep_for_signal(&call, awaited, before, timeout);
        let mut tree = self.work();
        let mut last = None;
        if let Ok(task) = tree.find_alive(task) {
            let blocked = tree.tasks()[task].blocked();
            tree.leave_to_others(task, wanted.intersection(blocked));
            // Whatever has ended the sleep, one that is there by now is taken.
            if result.is_err() && tree.goes_on(task) {
                last = tree.dequeue(task, wanted);
            }
            tree.set_call(task, Call::Working);
            tree.recalc_sigpending(task);
        }
        tree.discard_awaited(awaited);
        last.map_or(result, Ok)
    }

    fn sleep_for_signal(
        &self,
        call: &InCall<'_>,
        awaited: Idx<Awaited>,
        before: (u32, u32),
        mut timeout: c_long,
    ) -> Outcome<SigInfo> {
        loop {
            let (mut tree, task) = call.go_on()?;
            let wanted = tree.awaited(awaited);
            if let Some(info) = tree.dequeue(task, wanted) {
                return Ok(info);
            }
            // A handler was called, or the process has stopped.
            if tree.interruptions(task) != before {
                return Err(EINTR.into());
            }
            if timeout == 0 {
                return Err(EAGAIN.into());
            }
            tree.set_call(task, Call::Sigwait(awaited));
            // A signal that another thread was woken for and has not taken ends the sleep.
            tree.recalc_sigpending(task);
            let of_process = Key::process(tree.tasks()[task].group());
            let keys = [of_process, Key::task(&tree, task)];
            timeout = tree.sleep(keys, timeout)?;
        }
    }
}
