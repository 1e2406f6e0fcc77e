// SPDX-License-Identifier: GPL-2.0

//! The task tree of a world, and what every verb over it needs. Who joins and leaves it, and whose
//! children have something to tell, is in the modules below.
//!
//! `kernel/fork.c` and `kernel/exit.c` under `tasklist_lock`; `kernel/pid.c`: `pid_task()`.
//!
//! # Locks
//!
//! A [`Tree`] is what the tree lock of its world protects: to have `&mut Tree` is to hold it.
//! Nothing here sleeps or allocates.
//!
//! # Invariants
//!
//! - A task is on the thread list of its group, a group on the child list of its parent, and on
//!   the lists of its process group and its session, from when it joins until it is released.
//! - A pid that is used by a task has its numbers; the last use that ends frees them.

mod members;
mod siblings;

pub(crate) use self::siblings::News;

use crate::{
    events::Events,
    jobctl::{Hangup, Looked, LOOKED},
    pending::Queued,
    pid::{Pid, PidType},
    pidfd::Pidfd,
    reason::{Outcome, Reason},
    signal::WALKS,
    slots::{chain::Chain, Idx, Slots, Spare},
    task::{chain, Group, Handlers, Sighand, Task, TaskState, COMM_LEN},
};
use kernel::{prelude::*, task::might_sleep};

/// Positions that are gone through at a time when a tree ends.
const PIECE: usize = 128;

/// Room to be brought along for one more task and one more group with what that needs, and for a
/// handle if one is wanted.
pub(crate) struct Room {
    tasks: Spare<Task>,
    groups: Spare<Group>,
    sighands: Spare<Sighand>,
    pidfds: Option<Spare<Pidfd>>,
}

impl Room {
    /// None yet.
    pub(crate) fn new(with_pidfd: bool) -> Self {
        Self {
            tasks: Spare::new(),
            groups: Spare::new(),
            sighands: Spare::new(),
            pidfds: with_pidfd.then(Spare::new),
        }
    }

    /// Allocates what was found to be missing. May sleep; call it without the tree lock.
    pub(crate) fn fill(&mut self) -> Result {
        self.tasks.fill()?;
        self.groups.fill()?;
        self.sighands.fill()?;
        self.pidfds.as_mut().map_or(Ok(()), Spare::fill)
    }
}

/// All tasks of a world.
pub(crate) struct Tree {
    pub(crate) tasks: Slots<Task>,
    pub(crate) groups: Slots<Group>,
    pub(crate) sighands: Slots<Sighand>,
    /// Tasks that have something left to do: to exit, or to take signals; see [`Tree::step`].
    pub(crate) working: Chain<chain::Working, Task>,
    /// Groups that are killed and have live threads left.
    pub(crate) killed: Chain<chain::Killed, Group>,
    /// Handles on tasks.
    pub(crate) pidfds: Slots<Pidfd>,
    /// Who comes next in each [`Walk`](crate::signal::Walk) that is under way.
    pub(crate) walks: [Option<Idx<Group>>; WALKS],
    /// Signals are not taken as they arrive but in a later [`Tree::step`]: see [`Tree::held`].
    pub(crate) holds_signals: bool,
    /// A process group that is orphaned and has not been told of it entirely.
    pub(crate) hangup: Option<Hangup>,
    /// What came with signals that wait.
    pub(crate) queued: Slots<Queued>,
    /// Zombies among the tasks.
    pub(crate) nr_zombies: usize,
    /// Stopped processes.
    pub(crate) nr_stopped: usize,
    /// Changes whenever somebody joins or leaves, begins to exit, dies, stops or goes on, or gets
    /// another parent, process group or session: what is looked at in pieces is the same as long as
    /// this is.
    pub(crate) changes: u64,
    /// Changes whenever a process group can come to be controlled; see [`Tree::is_orphaned`].
    pub(crate) ties: u64,
    /// How often a process has stopped.
    pub(crate) stops: u64,
    /// What the last looks through process groups have found.
    pub(crate) looked: [Looked; LOOKED],
    /// The last [`Group::place`] that was given.
    pub(crate) last_place: u64,
    /// Processes that take orphans (`PR_SET_CHILD_SUBREAPER`).
    pub(crate) nr_subreapers: usize,
    /// The most tasks there may be.
    pub(crate) max_tasks: usize,
    /// The most handles that may be open.
    pub(crate) max_pidfds: usize,
    /// What happens here.
    pub(crate) events: Events,
}

impl Tree {
    /// A tree without tasks, for up to `max_tasks` and `max_pidfds` handles on them.
    pub(crate) fn new(max_tasks: usize, max_pidfds: usize) -> Self {
        Self {
            tasks: Slots::new(),
            groups: Slots::new(),
            sighands: Slots::new(),
            working: Chain::new(),
            killed: Chain::new(),
            pidfds: Slots::new(),
            walks: [None; WALKS],
            holds_signals: false,
            hangup: None,
            queued: Slots::new(),
            nr_zombies: 0,
            nr_stopped: 0,
            changes: 0,
            ties: 0,
            stops: 0,
            looked: Default::default(),
            last_place: 0,
            nr_subreapers: 0,
            max_tasks,
            max_pidfds,
            events: Events::new(),
        }
    }

    /// Makes sure that a task and a group can join, with `room` if need be. False: fill `room`
    /// without the lock and try again.
    pub(crate) fn make_room(&mut self, room: &mut Room) -> bool {
        self.tasks.make_room(&mut room.tasks)
            && self.groups.make_room(&mut room.groups)
            && self.sighands.make_room(&mut room.sighands)
            && (room.pidfds.as_mut()).is_none_or(|spare| self.pidfds.make_room(spare))
    }

    /// Puts a task into the store. The caller has made room for it.
    pub(crate) fn insert_task(&mut self, task: Task) -> Idx<Task> {
        self.tasks
            .insert(task)
            .unwrap_or_else(|_| panic!("altpid: no room was made"))
    }

    /// Puts a group into the store. The caller has made room for it.
    pub(crate) fn insert_group(&mut self, group: Group) -> Idx<Group> {
        self.groups
            .insert(group)
            .unwrap_or_else(|_| panic!("altpid: no room was made"))
    }

    /// Puts what a process does about signals into the store. The caller has made room for it.
    pub(crate) fn insert_sighand(&mut self, handlers: Handlers) -> Idx<Sighand> {
        self.sighands
            .insert(Sighand::new(handlers))
            .unwrap_or_else(|_| panic!("altpid: no room was made"))
    }

    /// What a process does about signals.
    pub(crate) fn handlers(&self, group: Idx<Group>) -> &Handlers {
        &self.sighands[self.groups[group].sighand].handlers
    }

    /// Likewise, to be changed for every process that has it in common.
    pub(crate) fn handlers_mut(&mut self, group: Idx<Group>) -> &mut Handlers {
        &mut self.sighands[self.groups[group].sighand].handlers
    }

    /// Whether a process has what it does about signals in common with another one.
    pub(crate) fn shares_handlers(&self, group: Idx<Group>) -> bool {
        self.sighands[self.groups[group].sighand].users > 1
    }

    /// A process needs what it does about signals no more (`__cleanup_sighand()`).
    pub(crate) fn put_sighand(&mut self, sighand: Idx<Sighand>) {
        self.sighands[sighand].users -= 1;
        if self.sighands[sighand].users == 0 {
            self.sighands.discard(sighand);
        }
    }

    /// The task that an id names.
    ///
    /// # Errors
    ///
    /// `ESRCH` when there is none any more.
    pub(crate) fn find(&self, id: u64) -> Outcome<Idx<Task>> {
        Ok(self.tasks.find(id).ok_or(Reason::TaskGone)?)
    }

    /// The task that an id names, to do something itself: it must not have begun to exit, be about
    /// to, or be stopped.
    ///
    /// # Errors
    ///
    /// `ESRCH` when there is none, or none alive; `EBUSY` for a stopped one.
    pub(crate) fn find_actor(&self, id: u64) -> Outcome<Idx<Task>> {
        let (index, task) = self.alive(id)?;
        let group = &self.groups[task.group];
        if group.group_exit.is_some() || group.exec.is_some_and(|other| other != index) {
            return Err(Reason::TaskExited.into());
        }
        if group.is_stopped() {
            return Err(Reason::TaskStopped.into());
        }
        Ok(index)
    }

    /// The task that an id names, which must not have begun to exit.
    ///
    /// # Errors
    ///
    /// `ESRCH` when there is none, or none alive.
    pub(crate) fn find_alive(&self, id: u64) -> Outcome<Idx<Task>> {
        Ok(self.alive(id)?.0)
    }

    /// Likewise, with the task itself.
    #[inline]
    fn alive(&self, id: u64) -> Outcome<(Idx<Task>, &Task)> {
        let (index, task) = self.tasks.named(id).ok_or(Reason::TaskGone)?;
        if !task.is_alive() {
            return Err(Reason::TaskExited.into());
        }
        Ok((index, task))
    }

    /// The group of a task.
    pub(crate) fn group_of(&self, task: Idx<Task>) -> &Group {
        &self.groups[self.tasks[task].group]
    }

    /// Whether a task leads its group.
    pub(crate) fn is_leader(&self, task: Idx<Task>) -> bool {
        self.group_of(task).leader == Some(task)
    }

    /// The first live thread of a group (`find_alive_thread()`).
    pub(crate) fn alive_thread(&self, group: Idx<Group>) -> Option<Idx<Task>> {
        let group = &self.groups[group];
        if group.nr_live == 0 {
            return None;
        }
        group
            .threads
            .iter(&self.tasks)
            .find(|&t| self.tasks[t].is_alive())
    }

    /// Whether only the leader of a group is left (`thread_group_empty()`).
    pub(crate) fn is_group_empty(&self, group: Idx<Group>) -> bool {
        self.groups[group].nr_threads == 1
    }

    /// Whether a process can be reaped: the leader has exited and no other thread is left.
    pub(crate) fn is_dead(&self, group: Idx<Group>) -> bool {
        let leader = self.groups[group].leader;
        self.is_group_empty(group)
            && leader.is_some_and(|t| self.tasks[t].state == TaskState::Zombie)
    }

    /// The task that uses a pid as its number.
    pub(crate) fn task_of(&self, pid: &Pid) -> Option<Idx<Task>> {
        Idx::from_raw(pid.user(PidType::Pid))
    }

    /// The group that uses a pid as its number.
    pub(crate) fn leader_of(&self, pid: &Pid) -> Option<Idx<Group>> {
        Idx::from_raw(pid.user(PidType::Tgid))
    }

    /// A task that uses a pid as a `kind` (`pid_task()`): for a process group or a session the
    /// leader of a process in it.
    pub(crate) fn user_of(&self, pid: &Pid, kind: PidType) -> Option<Idx<Task>> {
        match kind {
            PidType::Pid => self.task_of(pid),
            PidType::Tgid | PidType::Pgid | PidType::Sid => {
                self.groups[Idx::<Group>::from_raw(pid.user(kind))?].leader
            }
        }
    }

    /// Whether a group is the init of the world (`is_global_init()`).
    pub(crate) fn is_world_init(&self, group: Idx<Group>) -> bool {
        let pid = &self.groups[group].tgid;
        pid.ns().level() == 0 && pid.nr() == 1
    }

    /// The groups of the process group that a pid stands for.
    pub(crate) fn process_group(&self, pid: &Pid) -> Chain<chain::ProcessGroup, Group> {
        Chain::starting_at(Idx::from_raw(pid.user(PidType::Pgid)))
    }

    /// The groups of the session that a pid stands for.
    pub(crate) fn session(&self, pid: &Pid) -> Chain<chain::Session, Group> {
        Chain::starting_at(Idx::from_raw(pid.user(PidType::Sid)))
    }

    /// Names a task: up to the first NUL, 15 bytes at most (`__set_task_comm()`).
    pub(crate) fn set_name(&mut self, task: Idx<Task>, name: &[u8; COMM_LEN]) {
        let mut comm = [0; COMM_LEN];
        let len = name[..COMM_LEN - 1]
            .iter()
            .take_while(|&&byte| byte != 0)
            .count();
        comm[..len].copy_from_slice(&name[..len]);
        self.tasks[task].comm = comm;
    }
}

/// Lets others have the CPU now and then, on a way through all positions. May sleep.
fn rest(position: usize) {
    if position % PIECE == 0 {
        might_sleep();
    }
}

impl Drop for Tree {
    /// Ends the world's tasks without any of the rules: nobody is left to see it.
    fn drop(&mut self) {
        for position in 0..self.groups.positions() {
            rest(position);
            if let Some(group) = self.groups.at(position) {
                let group = &self.groups[group];
                group.pgid.free_numbers();
                group.sid.free_numbers();
            }
        }
        for position in 0..self.tasks.positions() {
            rest(position);
            if let Some(task) = self.tasks.at(position) {
                self.tasks[task].pid.free_numbers();
            }
        }
    }
}
