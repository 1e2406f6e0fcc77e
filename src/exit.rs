// SPDX-License-Identifier: GPL-2.0

//! exit(2) and exit_group(2): dying, leaving the children to somebody, and taking a namespace along.
//!
//! `kernel/exit.c`: `do_exit()`, `exit_notify()`, `forget_original_parent()`, `find_new_reaper()`,
//! `reparent_leader()`, `release_task()`; `kernel/signal.c`: `do_notify_parent()`;
//! `kernel/pid_namespace.c`: `zap_pid_ns_processes()`.
//!
//! A death can take any number of others with it, and its children can be any number. So a task
//! that exits is queued and worked off in pieces ([`Tree::step`]), and the tree lock is let go of
//! between two pieces. Nothing recurses: the init of a nested namespace that is killed together
//! with its surroundings is just one more task in the queue.
//!
//! # Locks
//!
//! All of it runs under the tree lock.

use crate::{
    faults::{self, Fault},
    pending::{SigInfo, CLD_EXITED, CLD_KILLED, NSIG, SIGCHLD, SIGKILL},
    pid::{find_pid_from, Pid},
    signal::{Scope, Source},
    slots::Idx,
    task::{Disposition, Group, Parent, Task, TaskState},
    tree::Tree,
};

/// How many children are handed on, or members of a namespace killed, at a time.
const PIECE: usize = 64;

impl Tree {
    /// A thread begins to exit with a status word (`do_exit()`). The rest is left to
    /// [`Tree::step`].
    pub(crate) fn begin_exit(&mut self, task: Idx<Task>, status: i32) {
        if !self.tasks[task].is_alive() {
            return;
        }
        self.tell_exit(task, status);
        self.tasks[task].state = TaskState::Exiting;
        self.tasks[task].exit_code = status;
        self.tasks[task].ns_for_children = None;
        self.changes += 1;
        self.queue_work(task);
        let group = &mut self.groups[self.tasks[task].group];
        group.nr_live -= 1;
        // The last thread's status is the group's (`synchronize_group_exit()`).
        if group.nr_live == 0 && group.group_exit.is_none() {
            group.group_exit = Some(status);
            let group = self.tasks[task].group;
            self.forget_job(group);
        } else if group.group_exit.is_none() {
            self.retarget(task);
        }
    }

    /// All threads of a group begin to exit with a status word (`do_group_exit()`, or a fatal
    /// signal). The rest is left to [`Tree::step`].
    pub(crate) fn begin_group_exit(&mut self, group: Idx<Group>, status: i32) {
        if self.groups[group].nr_live == 0 {
            return;
        }
        self.groups[group].group_exit.get_or_insert(status);
        self.forget_job(group);
        self.begin_kill(group);
    }

    /// Live threads of a group begin to exit: all of them, or all but the one that calls exec.
    pub(crate) fn begin_kill(&mut self, group: Idx<Group>) {
        if !self.groups[group].is_killed() {
            self.killed.push_back(&mut self.groups, group);
        }
    }

    /// Lets a task have its turn in [`Tree::step`].
    pub(crate) fn queue_work(&mut self, task: Idx<Task>) {
        if !self.tasks[task].is_queued() {
            self.working.push_back(&mut self.tasks, task);
        }
    }

    /// Whether there is work left of deaths and of signals.
    pub(crate) fn has_work(&self) -> bool {
        self.hangup.is_some() || !self.working.is_empty() || !self.killed.is_empty()
    }

    /// Does one piece of the work that is left of deaths and of signals.
    pub(crate) fn step(&mut self) {
        if self.hang_up() {
            return;
        }
        if let Some(task) = self.working.first() {
            self.working.remove(&mut self.tasks, task);
            match self.tasks[task].state {
                TaskState::Exiting => self.exit(task),
                TaskState::Zapping { next } => self.zap(task, next),
                TaskState::ZapWait => self.zap_wait(task),
                TaskState::Running => self.take_signals(task),
                TaskState::Zombie => {}
            }
        } else if let Some(group) = self.killed.first() {
            self.killed.remove(&mut self.groups, group);
            self.kill_threads(group);
        }
    }

    /// Makes some live threads of a killed group exit, and queues it again if there are more.
    fn kill_threads(&mut self, group: Idx<Group>) {
        let (status, spared) = match self.groups[group].group_exit {
            Some(status) => (status, None),
            // As do_group_exit() has it for the other threads of an exec.
            None => (0, self.groups[group].exec),
        };
        let mut next = self.groups[group].threads.first();
        // Threads that have exited are gone from the list, but for the leader and for those that
        // are being worked on; so this finds live ones at its beginning.
        for _ in 0..PIECE {
            let Some(task) = next else { return };
            next = self.groups[group].threads.next(&self.tasks, task);
            if spared != Some(task) {
                self.begin_exit(task, status);
            }
        }
        if next.is_some() {
            self.begin_kill(group);
        }
    }

    /// A thread that exits: hands on its children, then becomes a zombie or vanishes.
    fn exit(&mut self, task: Idx<Task>) {
        let group = self.tasks[task].group;
        let raw = Idx::to_raw(Some(task));
        // find_child_reaper()
        if self.tasks[task].ns().child_reaper() == raw {
            match self.alive_thread(group) {
                Some(other) => self.tasks[task]
                    .ns()
                    .set_child_reaper(Idx::to_raw(Some(other))),
                None => {
                    self.tasks[task].ns().disable_allocation();
                    self.tell_ns_dying(task);
                    let handlers = self.handlers_mut(group);
                    handlers.set(SIGCHLD, Disposition::Ignore);
                    self.tasks[task].state = TaskState::Zapping { next: 2 };
                    self.queue_work(task);
                    return;
                }
            }
        }
        let is_done = self.held(|tree| {
            let is_done = tree.hand_on_children(task);
            if is_done {
                tree.exit_notify(task);
            }
            is_done
        });
        if !is_done {
            // Before those who take what they were sent by it, as if it was one piece.
            self.working.push_front(&mut self.tasks, task);
        }
    }

    /// Gives some children of an exiting thread to whom they belong from now on; true when none is
    /// left (`forget_original_parent()`).
    fn hand_on_children(&mut self, father: Idx<Task>) -> bool {
        if self.tasks[father].children.is_empty() {
            return true;
        }
        let group = self.tasks[father].group;
        let heir = self.find_new_reaper(father);
        let threaded = heir.is_some_and(|heir| self.tasks[heir].group == group);
        // With stopped jobs about, each child may have a process group of any length that is to be
        // looked at.
        let piece = if self.nr_stopped == 0 { PIECE } else { 1 };
        for _ in 0..piece {
            if self.hangup.is_some() {
                break;
            }
            let Some(child) = self.tasks[father].children.first() else {
                return true;
            };
            self.change_parent(child, heir.map_or(Parent::Outside, Parent::Task));
            self.tell_reparent(child);
            if self.groups[child].wants_pdeath {
                self.send_pdeath(child, father);
            }
            if threaded {
                if heir.is_some_and(|heir| self.tasks[heir].is_zapping()) && self.is_dead(child) {
                    self.release_leader(child);
                }
                continue;
            }
            // reparent_leader()
            self.groups[child].exit_signal = SIGCHLD;
            let unwanted = self.is_dead(child) && self.notify_parent(child);
            self.kill_orphaned(child, Some(father));
            if unwanted {
                self.release_leader(child);
            }
        }
        self.tasks[father].children.is_empty() && self.hangup.is_none()
    }

    /// Sends the threads of a process the signals that they want when their parent dies.
    fn send_pdeath(&mut self, child: Idx<Group>, father: Idx<Task>) {
        let mut next = self.groups[child].threads.first();
        while let Some(thread) = next {
            next = self.groups[child].threads.next(&self.tasks, thread);
            let signal = self.tasks[thread].pdeath_signal;
            // 0 only asks.
            let _ = self.send_checked(signal, Source::NoInfo(father), thread, Scope::Process);
        }
    }

    /// Who gets the children of `father`: another thread of its group, the nearest subreaper among
    /// its ancestors, or the init of *its* namespace (`find_new_reaper()`).
    fn find_new_reaper(&self, father: Idx<Task>) -> Option<Idx<Task>> {
        if faults::has(Fault::WrongReaper) {
            if let Some(above) = self.tasks[father].ns().parent() {
                return Idx::from_raw(above.child_reaper());
            }
        }
        self.alive_thread(self.tasks[father].group)
            .or_else(|| self.find_subreaper(father))
            .or_else(|| Idx::from_raw(self.tasks[father].ns().child_reaper()))
            .filter(|&heir| heir != father)
    }

    /// The nearest live ancestor that takes orphans. Those at another level than `father` do not
    /// count, nor what is above them: they are not of its namespace.
    ///
    /// Native remembers for each process whether it may have such an ancestor
    /// (`has_child_subreaper`); that there is none in the whole world is all that is remembered
    /// here. The way up is as long as the line of ancestors, natively too; one piece of work goes it
    /// once.
    fn find_subreaper(&self, father: Idx<Task>) -> Option<Idx<Task>> {
        if self.nr_subreapers == 0 {
            return None;
        }
        let level = self.tasks[father].ns().level();
        let parent_of = |task: Idx<Task>| match self.group_of(task).parent {
            Parent::Task(parent) => Some(parent),
            Parent::Outside => None,
        };
        core::iter::successors(parent_of(father), |&task| parent_of(task))
            .take_while(|&task| self.tasks[task].ns().level() == level)
            .filter(|&task| self.group_of(task).is_subreaper)
            .find_map(|task| self.alive_thread(self.tasks[task].group))
    }

    /// An exiting thread without children becomes a zombie or vanishes (`exit_notify()`).
    fn exit_notify(&mut self, task: Idx<Task>) {
        let group = self.tasks[task].group;
        if self.is_last(task) {
            self.kill_orphaned(group, None);
        }
        self.tasks[task].state = TaskState::Zombie;
        self.changes += 1;
        self.nr_zombies += 1;
        if !self.is_leader(task) {
            self.release(task);
        } else if self.is_group_empty(group) {
            self.become_waitable(group);
        }
    }

    /// Whether every other thread of a group has exited (`group_dead`). Those that have are gone from
    /// the list, but for the leader: at most two are looked at that do not matter.
    fn is_last(&self, task: Idx<Task>) -> bool {
        let threads = &self.groups[self.tasks[task].group].threads;
        let mut next = threads.first();
        for _ in 0..3 {
            let Some(thread) = next else { return true };
            if thread != task && self.tasks[thread].state != TaskState::Zombie {
                return false;
            }
            next = threads.next(&self.tasks, thread);
        }
        true
    }

    /// Tells the parent that a process is dead; true when nobody will reap it
    /// (`do_notify_parent()`). Who waits is woken by the world, after the tree lock is released.
    fn notify_parent(&mut self, group: Idx<Group>) -> bool {
        let child = &self.groups[group];
        let Parent::Task(parent) = child.parent else {
            return true;
        };
        if child.autoreap {
            return true;
        }
        let mut signal = child.exit_signal;
        // The parent is another program by now.
        if child.parent_exec_id != self.tasks[parent].self_exec_id {
            signal = SIGCHLD;
        }
        // Its own: what reboot(2) makes of it is for who waits.
        let status = child
            .leader
            .map_or(0, |leader| self.tasks[leader].exit_code);
        let (code, status) = match status & 0x7f {
            0 => (CLD_EXITED, status >> 8),
            by => (CLD_KILLED, by),
        };
        let (mut unwanted, mut told) = (false, (1..=NSIG).contains(&signal));
        if signal == SIGCHLD {
            (unwanted, told) = self.reaps_by_itself(self.tasks[parent].group);
            // Most do not want to know: then nothing need be sent.
            told &= !self.is_ignored(parent, SIGCHLD, false);
        }
        if told {
            let info = SigInfo {
                signo: signal,
                code,
                pid: child.tgid.nr_ns(self.tasks[parent].ns()),
                status,
                value: 0,
            };
            // Too many real-time signals: natively it is lost as well.
            let _ = self.send(signal, Source::Child(info), parent, Scope::Process);
        }
        // Who takes a namespace along waits for children of every kind.
        unwanted || self.tasks[parent].is_zapping()
    }

    /// Takes a dead thread that does not lead out of the tree. If a dead leader had to wait for
    /// that, it is its turn now (`release_task()`).
    fn release(&mut self, task: Idx<Task>) {
        let group = self.tasks[task].group;
        self.leave(task);
        if !self.is_dead(group) {
            return;
        }
        if let Some(leader) = self.groups[group].leader {
            let own = self.tasks[leader].exit_code;
            self.tasks[leader].exit_code = self.groups[group].group_exit.unwrap_or(own);
        }
        self.become_waitable(group);
    }

    /// A process is dead, and its parent is told; if nobody will reap it it is gone.
    fn become_waitable(&mut self, group: Idx<Group>) {
        if self.notify_parent(group) {
            self.release_leader(group);
        } else {
            self.note_news(group);
        }
    }

    /// Takes a dead process out of the tree (`release_task()`).
    pub(crate) fn release_leader(&mut self, group: Idx<Group>) {
        if let Some(leader) = self.groups[group].leader {
            self.leave(leader);
        }
    }

    /// Kills some members of the namespace that `init` takes along (`zap_pid_ns_processes()`).
    fn zap(&mut self, init: Idx<Task>, mut next: i32) {
        for _ in 0..PIECE {
            let Some((nr, pid)) = find_pid_from(self.tasks[init].ns(), next) else {
                self.tasks[init].state = TaskState::ZapWait;
                break;
            };
            self.kill_member(init, &pid);
            next = nr + 1;
            self.tasks[init].state = TaskState::Zapping { next };
        }
        self.queue_work(init);
    }

    /// SIGKILL to the process that a number of a dying namespace names, if it names one. A child of
    /// init that was dead before is reaped.
    fn kill_member(&mut self, init: Idx<Task>, pid: &Pid) {
        let Some(task) = self.task_of(pid) else {
            return;
        };
        let group = self.tasks[task].group;
        if group == self.tasks[init].group {
            return;
        }
        let is_own = matches!(self.groups[group].parent, Parent::Task(parent)
            if self.tasks[parent].group == self.tasks[init].group);
        if is_own && self.is_dead(group) {
            self.release_leader(group);
        } else {
            self.begin_group_exit(group, SIGKILL);
        }
    }

    /// The init of a dying namespace whose members are all killed goes on when its number is the
    /// last one.
    fn zap_wait(&mut self, init: Idx<Task>) {
        let group = self.tasks[init].group;
        // A dead leader keeps its own number beside that of the last thread.
        let own = if self.is_leader(init) { 1 } else { 2 };
        let is_early = faults::has(Fault::NoZapWait)
            && self.tasks[init].children.is_empty()
            && self.killed.first().is_none()
            && self.working.first().is_none();
        if self.tasks[init].ns().nr_pids() > own && !is_early {
            // `Tree::put_number` queues it again.
            return;
        }
        debug_assert!(self.tasks[init].children.is_empty());
        // reboot(2) decides what the parent sees.
        let reboot = self.tasks[init].ns().reboot();
        if reboot != 0 {
            self.groups[group].group_exit = Some(reboot);
        }
        debug_assert!(self.groups[group].nr_live == 0);
        self.held(|tree| tree.exit_notify(init));
    }
}
