// SPDX-License-Identifier: GPL-2.0

//! exec(2): one thread goes on as another program, with the numbers of the process.
//!
//! `fs/exec.c`: `de_thread()`, `unshare_sighand()`, `begin_new_exec()`; `kernel/pid.c`: `exchange_tids()`.
//!
//! A thread that is not alone waits for the others to be gone. Nothing else acts for it until then
//! ([`Call::Exec`]), and all that it needs in the end is there before the first of them is killed: so exec
//! cannot fail halfway, and goes on also when the caller is killed.
//!
//! # Locks
//!
//! Under the tree lock, which is let go of while the other threads die.

use crate::{
    base::slots::{Idx, Spare},
    reason::Outcome,
    tree::call::Call,
    tree::call::Exec,
    tree::fate::Fate,
    tree::task::{Task, TaskId, TaskState, COMM_LEN},
    tree::Tree,
    world::World,
};
use kernel::prelude::*;

impl World {
    /// A thread calls exec: every other thread of its process ends, and it takes the numbers of the
    /// leader at every level. `name` is what the program is called. May sleep.
    ///
    /// Handlers are reset. Everything else stays: ignored and blocked signals, process group, session,
    /// children, and where children are born.
    ///
    /// # Errors
    ///
    /// As [`World::act`]; `ENOMEM`, with nothing changed; `EAGAIN` when the process is killed meanwhile;
    /// `EINTR` when the caller is: the exec goes on.
    #[doc(alias = "begin_new_exec")]
    pub(crate) fn exec(&self, task: TaskId, name: &[u8; COMM_LEN]) -> Outcome {
        let (mut sighands, mut execs) = (Spare::new(), Spare::new());
        let (call, mut tree, mut index) = self.enter(task)?;
        let exec = loop {
            let group = tree.tasks()[index].group();
            if let Some(room) = tree.room_for_exec(group, &mut sighands, &mut execs) {
                break room.insert(index, name);
            }
            drop(tree);
            sighands.fill()?;
            execs.fill()?;
            (tree, index) = call.go_on()?;
        };
        tree.begin_exec(index, exec);
        call.leave_to_others();
        if tree.is_all_that_is_left(index) {
            tree.finish_exec(exec);
        } else {
            let group = tree.tasks()[index].group();
            tree.begin_kill(group);
            // Has the other threads killed, also those that exit already.
            tree.work_off_all();
            tree = self.work();
        }
        let result = tree.result_of_exec(exec);
        result.unwrap_or(Err(EINTR.into()))
    }
}

impl Tree {
    /// A thread will become another program.
    fn begin_exec(&mut self, task: Idx<Task>, exec: Idx<Exec>) {
        let group = self.tasks()[task].group();
        self.set_call(task, Call::Exec);
        self.set_fate(group, Fate::Exec(exec));
        self.cancel_stop(group);
    }

    /// A group has its turn in which a thread calls exec: goes on with that if no other thread is left.
    pub(crate) fn go_on_with_exec(&mut self, exec: Idx<Exec>) -> bool {
        let is_ready = self.is_all_that_is_left(self.execs()[exec].task());
        if is_ready {
            self.finish_exec(exec);
        }
        is_ready
    }

    /// The last thread of a process becomes another program.
    fn finish_exec(&mut self, exec: Idx<Exec>) {
        let (task, name) = (self.execs()[exec].task(), self.execs()[exec].name());
        let index = self.tasks()[task].group();
        if !self.is_leader(task) {
            self.take_over(task);
        }
        debug_assert!(self.is_group_empty(index));
        self.note_exec(task);
        self.change_family(index);
        self.unshare_sighand(index, exec);
        self.handlers_mut(index).forget();
        self.settle_signals(task);
        // flush_itimer_signals(): timers do not survive, nor what they have sent.
        self.flush_timers(task);
        self.set_name(task, &name);
        self.end_vfork_of(task);
        self.tell_exec(task);
        // Signals that have arrived meanwhile are for the new program.
        self.set_call(task, Call::None);
        self.end_exec(exec, Ok(()));
    }

    /// A thread takes the place of its dead leader, with its numbers (`de_thread()`).
    pub(crate) fn take_over(&mut self, task: Idx<Task>) {
        let group = self.tasks()[task].group();
        let Some(leader) = self.groups()[group].leader() else {
            return;
        };
        debug_assert!(self.tasks()[leader].state() == TaskState::Zombie);
        self.exchange_tids(task, leader);
        self.set_leader(group, task);
        // As a thread now, with the number that the other one had.
        self.leave(leader);
    }
}
