// SPDX-License-Identifier: GPL-2.0

//! The task tree of a world: its stores, its counters, and lookups that every verb needs. Joining and leaving,
//! lists of children and everything else is in the modules below.
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

#[macro_use]
mod read;

mod bodies;
pub(crate) mod budget;
pub(crate) mod call;
pub(crate) mod crowd;
pub(crate) mod fate;
mod fields;
pub(crate) mod group;
pub(crate) mod handles;
mod held;
mod jobs;
mod members;
pub(crate) mod pending;
pub(crate) mod queue;
pub(crate) mod ring;
pub(crate) mod room;
pub(crate) mod shares;
mod siblings;
pub(crate) mod sighand;
#[cfg(altpid_kunit)]
mod spoil;
mod stores;
pub(crate) mod task;
pub(crate) mod wakeups;
pub(crate) mod walks;

pub(crate) use self::{bodies::Body, siblings::News};

use crate::{
    base::slots::{chain::Chain, Idx, Slots},
    pid::{Pid, PidType},
    reason::{Outcome, Reason},
    tree::call::Awaited,
    tree::call::Call,
    tree::call::Exec,
    tree::crowd::Crowd,
    tree::fate::Fate,
    tree::group::{Group, Parent},
    tree::handles::Pidfd,
    tree::pending::Queued,
    tree::ring::Events,
    tree::shares::Shares,
    tree::sighand::Sighand,
    tree::task::{chain, Task, TaskId, TaskState, COMM_LEN},
    tree::wakeups::Wakes,
    tree::walks::{Hangup, Posting, SignalWalk},
};
use core::cell::Cell;
use kernel::task::might_sleep;

/// Positions that are gone through at a time when a tree ends.
const ENDED_AT_A_TIME: usize = 128;

/// Counters for what changes in families.
const FAMILIES: usize = 32;

/// All tasks of a world.
pub(crate) struct Tree {
    tasks: Slots<Task>,
    groups: Slots<Group>,
    sighands: Slots<Sighand>,
    /// The part of processes that only those with several threads have.
    crowds: Slots<Crowd>,
    /// Calls of exec that wait for the other threads to be gone.
    execs: Slots<Exec>,
    /// Dispositions that are reserved for them.
    kept_sighands: usize,
    /// The signals that tasks in sigtimedwait wait for.
    awaited: Slots<Awaited>,
    /// Tasks that have a step of their exit to do. Like the next lists these are queued work ([`Tree::step`]).
    exiting: Chain<chain::Working, Task>,
    /// Tasks that have signals to take.
    taking: Chain<chain::Working, Task>,
    /// Which callers work off the queued work.
    shares: Shares,
    /// Exits that have begun to change what other tasks see, and are not done.
    half_done: usize,
    /// Groups that have duties ([`crowd`]).
    crowded: Chain<chain::Crowded, Group>,
    /// Groups that are killed and have live threads left.
    killed: Chain<chain::Killed, Group>,
    /// Bodies of members, and the list of bodies that have signals to be sent.
    bodies: Slots<Body>,
    owing: Chain<chain::Owing, Body>,
    /// Bodies that have exited and are their tracers'.
    held: Chain<chain::Held, Body>,
    /// Tasks that are members.
    nr_members: usize,
    /// Handles on tasks.
    pidfds: Slots<Pidfd>,
    /// Signals for many, and those of them that are on their way, the first one being sent.
    signal_walks: Slots<SignalWalk>,
    walking: Chain<chain::Walking, SignalWalk>,
    /// A process group that is being checked for having become orphaned, or that is being sent SIGHUP and SIGCONT
    /// because it has.
    hangup: Option<Hangup>,
    /// A signal for many that a member is sending.
    posting: Option<Posting>,
    /// Whether walks have the next turn.
    walks_turn: bool,
    /// Wakeups to be sent when the lock is released.
    wakes: Wakes,
    /// Steps that no store has counted, of all holds, modulo 2^32.
    drawn: Cell<u32>,
    /// Steps of the holds before this one, modulo 2^32.
    steps_before: Cell<u32>,
    /// Siginfo of pending signals.
    queued: Slots<Queued>,
    /// Zombies among the tasks.
    nr_zombies: usize,
    /// Stopped processes.
    nr_stopped: usize,
    /// Changes whenever a task joins or leaves, begins to exit, dies, stops or goes on, or gets another
    /// parent, process group or session: a scan that dropped the lock must begin again if this moved.
    changes: u64,
    /// Counters that move when children of a process join, leave, or can be waited for in another way, each for
    /// several processes ([`Tree::family_of`]).
    families: [u32; FAMILIES],
    /// The last [`Group::place`] that was given.
    last_place: u64,
    /// Processes that take orphans (`PR_SET_CHILD_SUBREAPER`).
    nr_subreapers: usize,
    /// How often a process has become a subreaper.
    subreapers_set: u32,
    /// The most tasks there may be.
    max_tasks: usize,
    /// The most handles that may be open.
    max_pidfds: usize,
    /// Events of this world.
    events: Events,
}

impl Tree {
    /// A tree without tasks, for up to `max_tasks` and `max_pidfds` handles on them.
    pub(crate) fn new(max_tasks: usize, max_pidfds: usize) -> Self {
        Self {
            tasks: Slots::new(),
            groups: Slots::new(),
            sighands: Slots::new(),
            crowds: Slots::new(),
            execs: Slots::new(),
            kept_sighands: 0,
            awaited: Slots::new(),
            exiting: Chain::new(),
            taking: Chain::new(),
            shares: Shares::new(),
            half_done: 0,
            crowded: Chain::new(),
            killed: Chain::new(),
            bodies: Slots::new(),
            owing: Chain::new(),
            held: Chain::new(),
            nr_members: 0,
            pidfds: Slots::new(),
            signal_walks: Slots::new(),
            walking: Chain::new(),
            hangup: None,
            posting: None,
            walks_turn: false,
            wakes: Wakes::new(),
            drawn: Cell::new(0),
            steps_before: Cell::new(0),
            queued: Slots::new(),
            nr_zombies: 0,
            nr_stopped: 0,
            changes: 0,
            families: [0; FAMILIES],
            last_place: 0,
            nr_subreapers: 0,
            subreapers_set: 0,
            max_tasks,
            max_pidfds,
            events: Events::new(),
        }
    }

    /// The task that an id names.
    ///
    /// # Errors
    ///
    /// `ESRCH` when there is none any more.
    pub(crate) fn find(&self, id: TaskId) -> Outcome<Idx<Task>> {
        Ok(self.tasks.find(id).ok_or(Reason::TaskGone)?)
    }

    /// The task that an id names, to do something itself: it must not have begun to exit, be about
    /// to, be stopped, or be in a call.
    ///
    /// # Errors
    ///
    /// `ESRCH` when there is none, or none alive; `EBUSY` for a stopped one, and one in a call.
    #[inline(always)]
    pub(crate) fn find_actor(&self, id: TaskId) -> Outcome<Idx<Task>> {
        let (index, task) = self.alive(id)?;
        let group = &self.groups[task.group];
        if !self.is_spared(index, group.fate) {
            return Err(Reason::TaskExited.into());
        }
        if task.body.is_some() {
            return Err(Reason::Member.into());
        }
        if task.call != Call::None {
            return Err(Reason::TaskBusy.into());
        }
        if group.job.stops(task.call) {
            return Err(Reason::TaskStopped.into());
        }
        Ok(index)
    }

    /// Whether a live thread is not about to die, by a signal or by the exec of another one.
    pub(crate) fn goes_on(&self, task: Idx<Task>) -> bool {
        self.is_spared(task, self.group_of(task).fate)
    }

    /// [`Tree::goes_on`], with the fate of the process at hand.
    #[inline]
    fn is_spared(&self, task: Idx<Task>, fate: Fate) -> bool {
        match fate {
            Fate::Alive => true,
            Fate::Exec(exec) => self.execs[exec].task() == task,
            Fate::Exiting(_) => false,
        }
    }

    /// The task that an id names, which must not have begun to exit.
    ///
    /// # Errors
    ///
    /// `ESRCH` when there is none, or none alive.
    pub(crate) fn find_alive(&self, id: TaskId) -> Outcome<Idx<Task>> {
        Ok(self.alive(id)?.0)
    }

    /// [`Tree::find_alive`], with a reference to the task.
    #[inline]
    fn alive(&self, id: TaskId) -> Outcome<(Idx<Task>, &Task)> {
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
        // Threads that are not live are on this list only if none is live.
        group.threads.first().filter(|_| group.nr_live > 0)
    }

    /// A counter that moves when the children of a process join, leave, or can be waited for in another
    /// way; also when those of some other processes do.
    pub(crate) fn family_of(&self, group: Idx<Group>) -> u32 {
        self.families[Self::family_place(group)]
    }

    fn family_place(group: Idx<Group>) -> usize {
        // hash_32(): the indices of processes are multiples of what one takes.
        let hash = Idx::to_raw(Some(group)).wrapping_mul(0x61c8_8647);
        (hash >> (u32::BITS - FAMILIES.ilog2())) as usize
    }

    /// Moves the family counter of the parent of a process.
    pub(crate) fn change_family(&mut self, child: Idx<Group>) {
        if let Parent::Task(parent) = self.groups[child].parent {
            let family = &mut self.families[Self::family_place(self.tasks[parent].group)];
            *family = family.wrapping_add(1);
        }
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
    if position % ENDED_AT_A_TIME == 0 {
        might_sleep();
    }
}

impl Drop for Tree {
    /// Frees the numbers of all tasks, without exits: nobody is left who could observe them.
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
