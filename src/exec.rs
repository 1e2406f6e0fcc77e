// SPDX-License-Identifier: GPL-2.0

//! exec(2): one thread goes on as another program, with the numbers of the process.
//!
//! `fs/exec.c`: `de_thread()`, `unshare_sighand()`, `begin_new_exec()`; `kernel/pid.c`: `exchange_tids()`.
//!
//! # Locks
//!
//! The tree lock is let go of while the other threads die, and taken again to take over from the
//! leader.

use crate::{
    pending::{SIGCHLD, SIGSEGV},
    reason::{Outcome, Reason},
    slots::{Idx, Spare},
    task::{Group, Sighand, Task, TaskState, COMM_LEN},
    tree::Tree,
    world::World,
};

impl World {
    /// A thread calls exec: every other thread of its process ends, and it takes the numbers of the
    /// leader at every level. `name` is what the program is called. May sleep.
    ///
    /// What it was told to ignore and to block stays so, handlers are gone, and so is nothing else:
    /// process group, session, children, and where children are born are as they were.
    ///
    /// # Errors
    ///
    /// `ESRCH`, `EBUSY`, `ENOMEM`; `EAGAIN` when the process is killed meanwhile.
    #[doc(alias = "begin_new_exec")]
    pub(crate) fn exec(&self, task: u64, name: &[u8; COMM_LEN]) -> Outcome {
        let mut room = Spare::new();
        loop {
            let mut tree = self.tree().lock();
            let index = tree.find_actor(task)?;
            let group = tree.tasks[index].group;
            if !tree.shares_handlers(group) || tree.sighands.make_room(&mut room) {
                break;
            }
            // Before anything is done that could not be undone.
            drop(tree);
            room.fill()?;
        }
        let result = self.become_another(task, name, &mut room);
        // A thread that has gone may have held a number that init waits for.
        self.work_off();
        result
    }

    /// A thread becomes another program as soon as it is the last of its process.
    ///
    /// # Errors
    ///
    /// `EAGAIN` when the process is killed. `ENOMEM` in the one case that the room which was made
    /// for it is gone; there is no way back then, and it dies as it would natively.
    fn become_another(
        &self,
        task: u64,
        name: &[u8; COMM_LEN],
        room: &mut Spare<Sighand>,
    ) -> Outcome {
        let mut out_of_memory = false;
        loop {
            let mut tree = self.tree().lock();
            let index = tree.find_alive(task).map_err(|_| Reason::Killed)?;
            if !tree.goes_on(index) {
                return Err(Reason::Killed.into());
            }
            let group = tree.tasks[index].group;
            if !tree.is_all_that_is_left(index) {
                // More than once only if somebody lets the same task clone meanwhile.
                tree.groups[group].exec = Some(index);
                tree.begin_kill(group);
                drop(tree);
                self.work_off();
                continue;
            }
            if !tree.shares_handlers(group) || tree.sighands.make_room(room) {
                tree.begin_new_exec(index, name);
                return Ok(());
            }
            if out_of_memory {
                tree.begin_group_exit(group, SIGSEGV);
                return Err(Reason::NoMemory.into());
            }
            drop(tree);
            out_of_memory = room.fill().is_err();
        }
    }
}

impl Tree {
    /// Whether no other thread is in the process of a live one, but for its dead leader.
    fn is_all_that_is_left(&self, task: Idx<Task>) -> bool {
        let group = self.group_of(task);
        let is_dead = |leader| self.tasks[leader].state == TaskState::Zombie;
        let others = u32::from(group.leader.is_some_and(is_dead));
        group.nr_threads == 1 + others
    }

    /// Whether a live thread is not about to die, by a signal or by the exec of another one.
    fn goes_on(&self, task: Idx<Task>) -> bool {
        let group = self.group_of(task);
        group.group_exit.is_none() && group.exec.is_none_or(|one| one == task)
    }

    /// The last thread of a process becomes another program.
    fn begin_new_exec(&mut self, task: Idx<Task>, name: &[u8; COMM_LEN]) {
        let index = self.tasks[task].group;
        if !self.is_leader(task) {
            self.take_over(task);
        }
        debug_assert!(self.is_group_empty(index));
        let group = &mut self.groups[index];
        let has_waited = group.exec.take().is_some();
        group.exit_signal = SIGCHLD;
        group.has_execed = true;
        self.unshare_sighand(index);
        self.handlers_mut(index).forget();
        // flush_itimer_signals(): timers do not survive, nor what they have sent.
        self.tasks[task].pending.flush_timers(&mut self.queued);
        self.groups[index].pending.flush_timers(&mut self.queued);
        let next = &mut self.tasks[task].self_exec_id;
        *next = next.wrapping_add(1);
        self.set_name(task, name);
        self.tell_exec(task);
        if has_waited {
            // What has arrived meanwhile is for the new program.
            self.queue_work(task);
        }
    }

    /// What a process does about signals is its own from now on; the caller has made room for it.
    fn unshare_sighand(&mut self, group: Idx<Group>) {
        if self.shares_handlers(group) {
            self.changes += 1;
            let own = self.insert_sighand(self.handlers(group).clone());
            let shared = core::mem::replace(&mut self.groups[group].sighand, own);
            self.put_sighand(shared);
        }
    }

    /// A thread takes the place of its dead leader, with its numbers (`de_thread()`).
    fn take_over(&mut self, task: Idx<Task>) {
        let group = self.tasks[task].group;
        let Some(leader) = self.groups[group].leader else {
            return;
        };
        debug_assert!(self.tasks[leader].state == TaskState::Zombie);
        self.exchange_tids(task, leader);
        self.groups[group].leader = Some(task);
        // As a thread now, with the number that the other one had.
        self.leave(leader);
    }
}
