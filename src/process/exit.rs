// SPDX-License-Identifier: GPL-2.0

//! exit(2) and exit_group(2): dying, and leaving the children to somebody.
//!
//! `kernel/exit.c`: `do_exit()`, `exit_notify()`, `forget_original_parent()`, `reparent_leader()`,
//! `release_task()`; `kernel/signal.c`: `do_notify_parent()`. The new parent of the children is in
//! [`reaper`](crate::process::reaper), taking a namespace along in [`zap`](crate::process::zap).
//!
//! A task that exits is queued, and exits in steps ([`work`](crate::world::work)): its children can be any
//! number. When nothing else is queued exit(2) does the first of these steps in the hold in which it begins,
//! and mostly that is the only one. An exit of which others have seen a part is *half done*
//! ([`Task::is_half_done`]).
//!
//! # Locks
//!
//! All of it runs under the tree lock.

use crate::{
    base::slots::Idx,
    process::reaper::Heir,
    reason::{Outcome, Reason},
    signal::sending::{Scope, Source},
    tree::budget::SIGNAL_STEPS,
    tree::crowd::PdeathProgress,
    tree::fate::Fate,
    tree::group::{Group, Parent},
    tree::pending::{SigInfo, SigSet, CLD_DUMPED, CLD_EXITED, CLD_KILLED, NSIG, SIGCHLD},
    tree::sighand::Disposition,
    tree::task::{Task, TaskId, TaskState},
    tree::wakeups::Key,
    tree::Tree,
    world::World,
};

impl World {
    /// A thread exits with a code, or with `whole_group` its process does. May sleep.
    ///
    /// # Errors
    ///
    /// As [`World::act`]; `EBUSY` for the last thread of the world's init.
    #[doc(alias = "do_exit")]
    pub(crate) fn exit(&self, task: TaskId, code: i32, whole_group: bool) -> Outcome {
        let status = (code & 0xff) << 8;
        let (mut tree, task) = self.act(task)?;
        let group = tree.tasks()[task].group();
        let is_last = tree.groups()[group].nr_live() == 1;
        if (whole_group || is_last) && tree.is_world_init(group) {
            return Err(Reason::WorldInit.into());
        }
        if whole_group && !is_last {
            tree.begin_group_exit(group, status);
        }
        tree.do_exit(task, status, true);
        Ok(())
    }
}

impl Tree {
    /// A thread begins to exit with a status word (`do_exit()`). The rest is left to
    /// [`Tree::step`].
    pub(crate) fn begin_exit(&mut self, task: Idx<Task>, status: i32) {
        self.do_exit(task, status, false);
    }

    /// Likewise; with `at_once` the first step of the rest is done in this hold, if nothing is queued that
    /// would have its turn before and there is room for the signals of a step.
    fn do_exit(&mut self, task: Idx<Task>, status: i32, at_once: bool) {
        if !self.tasks()[task].is_alive() {
            return;
        }
        self.tell_exit(task, status);
        let group = self.tasks()[task].group();
        let unblocked = SigSet::EVERY.minus(self.tasks()[task].blocked());
        match self.groups()[group].fate() {
            Fate::Alive => self.leave_to_others(task, unblocked),
            // It has looked at its pending signals before it dies of the exec (get_signal()).
            Fate::Exec(_) => self.retarget(task, unblocked),
            Fate::Exiting(_) => {}
        }
        self.set_exiting(task, status);
        self.end_vfork_of(task);
        self.abandon_call(task);
        self.wake_task(task);
        self.uncount_live(group, status);
        if at_once && !self.has_work() && self.has_room_for_signals() && !self.is_spent() {
            self.draw(1);
            self.exit(task);
        } else {
            self.queue_work(task);
        }
    }

    /// A thread that exits: hands on its children, then becomes a zombie or vanishes.
    pub(crate) fn exit(&mut self, task: Idx<Task>) {
        if !self.find_child_reaper(task) {
            self.begin_zap(task);
            return;
        }
        let is_done = self.hand_on_children(task) && self.exit_notify(task);
        if !is_done && self.tasks()[task].state() == TaskState::Exiting {
            self.begin_half(task);
        }
    }

    /// Reparents the children of an exiting thread; false when some are left for later
    /// (`forget_original_parent()`).
    fn hand_on_children(&mut self, father: Idx<Task>) -> bool {
        if self.tasks()[father].children().is_empty() {
            return true;
        }
        let Heir::Found(heir) = self.find_new_reaper(father) else {
            return false;
        };
        let group = self.tasks()[father].group();
        let threaded = heir.is_some_and(|heir| self.tasks()[heir].group() == group);
        while let Some(child) = self.tasks()[father].children().first() {
            if self.is_spent() || self.hangup().is_some() {
                return false;
            }
            self.draw(SIGNAL_STEPS);
            if self.groups()[child].wants_pdeath() && !self.send_pdeath_signals(child, father) {
                return false;
            }
            self.change_parent(child, heir.map_or(Parent::Outside, Parent::Task));
            self.tell_reparent(child);
            if threaded {
                if heir.is_some_and(|heir| self.tasks()[heir].is_zapping())
                    && self.is_reapable(child)
                {
                    self.release_leader(child);
                }
                continue;
            }
            // reparent_leader()
            self.reset_exit_signal(child);
            let unwanted = self.is_reapable(child) && self.notify_parent(child);
            self.kill_orphaned(child, father);
            if unwanted {
                self.release_leader(child);
            }
        }
        self.hangup().is_none()
    }

    /// Sends the parent-death signals of all threads of a process, a dead leader's first, as natively the leader
    /// still is among the threads; false when some are left for later.
    fn send_pdeath_signals(&mut self, child: Idx<Group>, father: Idx<Task>) -> bool {
        let mut next = match self.crowd(child).map(|crowd| crowd.pdeath_progress()) {
            Some(PdeathProgress::At(next)) => next,
            Some(PdeathProgress::None) | None => {
                let leader = self.groups()[child].leader();
                if let Some(leader) = leader.filter(|&leader| !self.tasks()[leader].is_alive()) {
                    self.send_pdeath_signal(leader, father);
                }
                self.groups()[child].threads().first()
            }
        };
        while let Some(thread) = next {
            if self.is_spent() {
                self.set_pdeath_progress(child, PdeathProgress::At(next));
                return false;
            }
            next = self.groups()[child].threads().next(self.tasks(), thread);
            self.send_pdeath_signal(thread, father);
        }
        self.set_pdeath_progress(child, PdeathProgress::None);
        true
    }

    /// Sends the parent-death signal of one thread, to its process, unless the kernel has taken that back from a body.
    fn send_pdeath_signal(&mut self, thread: Idx<Task>, father: Idx<Task>) {
        let native = self.native_of_task(thread);
        if native.is_some_and(|native| !native.keeps_pdeath_mark()) {
            return;
        }
        let signal = self.tasks()[thread].pdeath_signal().into();
        // 0 only asks.
        let _ = self.send_checked(signal, Source::NoInfo(father), thread, Scope::Process);
    }

    /// An exiting thread without children becomes a zombie or vanishes; false when it has to wait
    /// (`exit_notify()`).
    pub(crate) fn exit_notify(&mut self, task: Idx<Task>) -> bool {
        let group = self.tasks()[task].group();
        if self.is_last(group) {
            let was_leaving = self.set_leaving(group, true);
            if self.hangup().is_some() {
                self.set_leaving(group, was_leaving);
                return false;
            }
            if let (Parent::Task(parent), false) = (self.groups()[group].parent(), was_leaving) {
                self.kill_orphaned(group, parent);
                if self.hangup().is_some() {
                    return false;
                }
            }
        }
        self.set_zombie(task);
        if !self.is_leader(task) {
            if !self.is_held(task) {
                self.release(task);
            }
        } else if self.is_group_empty(group) {
            self.become_waitable(group);
        } else {
            self.wake_exec(group);
        }
        true
    }

    /// Whether only one thread of a group has not exited, and that is exiting (`group_dead`).
    fn is_last(&self, group: Idx<Group>) -> bool {
        let process = &self.groups()[group];
        let is_dead = |leader: Idx<Task>| self.tasks()[leader].state() == TaskState::Zombie;
        let dead = u32::from(process.leader().is_some_and(is_dead));
        process.nr_live() == 0 && process.nr_threads() == 1 + dead + self.nr_held(group)
    }

    /// Tells the parent that a process is dead; true when the process is to be reaped without a wait
    /// (`do_notify_parent()`).
    fn notify_parent(&mut self, group: Idx<Group>) -> bool {
        let child = &self.groups()[group];
        let Parent::Task(parent) = child.parent() else {
            return true;
        };
        // Also for a child that is reaped at once: a wait may have no child left then.
        self.note_wakeup(|tree| Key::child(tree, parent, group));
        let child = &self.groups()[group];
        if child.autoreap() {
            return true;
        }
        let mut signal = child.exit_signal();
        // The parent is another program by now.
        if child.parent_exec_id() != self.tasks()[parent].self_exec_id() {
            signal = SIGCHLD;
        }
        // The status of the leader itself: the one that reboot(2) sets is only for a wait.
        let status = child
            .leader()
            .map_or(0, |leader| self.tasks()[leader].exit_code());
        let (code, status) = match status & 0x7f {
            0 => (CLD_EXITED, status >> 8),
            by if status & 0x80 != 0 => (CLD_DUMPED, by),
            by => (CLD_KILLED, by),
        };
        let (mut unwanted, mut told) = (false, (1..=NSIG).contains(&signal));
        if signal == SIGCHLD {
            (unwanted, told) = self.reaps_by_itself(self.tasks()[parent].group());
            // Most do not want to know: then nothing need be sent.
            let parent_group = self.tasks()[parent].group();
            told &= self.is_member(parent_group) || !self.is_ignored(parent, SIGCHLD, false);
        }
        if told {
            let info = SigInfo::new(signal, code)
                .with_pid(child.tgid().nr_ns(self.tasks()[parent].ns()))
                .with_status(status);
            if self.is_member(self.tasks()[parent].group()) {
                self.owe_child(self.tasks()[parent].group(), group, info);
                return unwanted || self.tasks()[parent].is_zapping();
            }
            // Too many real-time signals: natively it is lost as well.
            let _ = self.send(signal, Source::Child(info), parent, Scope::Process);
        }
        // An init that zaps its namespace reaps children of every kind.
        unwanted || self.tasks()[parent].is_zapping()
    }

    /// Takes a dead thread that is not the leader out of the tree. If it was the last one a dead leader can be waited
    /// for from now on (`release_task()`).
    pub(crate) fn release(&mut self, task: Idx<Task>) {
        let group = self.tasks()[task].group();
        self.leave(task);
        if !self.is_dead(group) {
            self.wake_exec(group);
            return;
        }
        if let Some(leader) = self.groups()[group].leader() {
            let own = self.tasks()[leader].exit_code();
            self.set_exit_code(leader, self.groups()[group].exit_status().unwrap_or(own));
        }
        self.become_waitable(group);
    }

    /// A process is dead: its parent is told, or it is reaped at once if the parent will not wait for it. If it is
    /// its tracer's that comes later.
    pub(crate) fn become_waitable(&mut self, group: Idx<Group>) {
        self.wake_pollers(group);
        if self.is_leader_held(group) {
            return;
        }
        if self.notify_parent(group) {
            self.release_leader(group);
        } else {
            self.note_news(group);
        }
    }

    /// Takes a dead process out of the tree (`release_task()`).
    pub(crate) fn release_leader(&mut self, group: Idx<Group>) {
        if let Some(leader) = self.groups()[group].leader() {
            self.leave(leader);
        }
    }

    /// Callers that poll a process look again.
    fn wake_pollers(&mut self, group: Idx<Group>) {
        self.note_wakeup(|tree| Key::pid(tree.groups()[group].tgid()));
    }
}

impl Tree {
    /// If a thread that exits is the init of its namespace, another thread of its process becomes that
    /// (`find_child_reaper()`). False if there is none, in which case the namespace dies.
    fn find_child_reaper(&mut self, task: Idx<Task>) -> bool {
        let raw = Idx::to_raw(Some(task));
        if self.tasks()[task].ns().child_reaper() != raw {
            return true;
        }
        match self.alive_thread(self.tasks()[task].group()) {
            Some(other) => {
                let ns = self.tasks()[task].ns();
                ns.set_child_reaper(Idx::to_raw(Some(other)));
                true
            }
            None => false,
        }
    }

    /// The last thread of an init begins to zap its namespace, and does not exit before that is done.
    fn begin_zap(&mut self, task: Idx<Task>) {
        self.tasks()[task].ns().disable_allocation();
        self.tell_ns_dying(task);
        let group = self.tasks()[task].group();
        let handlers = self.handlers_mut(group);
        handlers.set(SIGCHLD, Disposition::Ignore);
        self.set_state(task, TaskState::Zapping { next: 2 });
        self.queue_work(task);
    }
}
