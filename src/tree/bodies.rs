// SPDX-License-Identifier: GPL-2.0

//! Tasks with a real thread behind them: members, and their bodies.
//!
//! A body is run, signalled and accounted by the kernel; numbers, parents, zombies and waits are the
//! tree's. So the tree does not kill, stop or tell a member anything itself: it owes it a signal, and
//! that is sent when the lock is released ([`Tree::take_post`]). A member has exited when its body says so
//! ([`World::exited`]), whatever was asked of it before.
//!
//! # Locks
//!
//! Under the tree lock. A signal is sent without it.
//!
//! # Invariants
//!
//! - All threads of a process have bodies, or none has.
//! - A body that is owed something and has begun to live is on [`Tree::owing`].

use super::Tree;
use crate::{
    namespace::Namespace,
    native::{End, Native, NativeNr, Signal},
    pending::{SigInfo, SigSet, SIGCHLD, SIGKILL, SI_KERNEL},
    pid::{find_pid, NewPid, Pid},
    reason::{Outcome, Reason},
    slots::{
        chain::{Link, Member},
        Idx,
    },
    task::{chain, Fate, Group, Handlers, JobState, Parent, Task, COMM_LEN},
    world::World,
};
use kernel::sync::aref::ARef;

/// Letters that are sent after one hold of the lock.
const LETTERS: usize = 16;

/// What is behind a member.
pub(crate) struct Body {
    /// `None` as long as the native call that makes it is under way.
    native: Option<Native>,
    /// The user that it belonged to when it exited.
    uid: u32,
    /// Signals that the process is owed.
    owed: SigSet,
    /// What comes along with SIGCHLD, and with the last one of the others.
    child: SigInfo,
    child_uid: u32,
    other: SigInfo,
    owing: Link<Body>,
}

impl Member<chain::Owing> for Body {
    fn link(&self) -> &Link<Self> {
        &self.owing
    }
    fn link_mut(&mut self) -> &mut Link<Self> {
        &mut self.owing
    }
}

impl Body {
    /// One that is still to be born.
    pub(crate) fn new() -> Self {
        Self {
            native: None,
            uid: 0,
            owed: SigSet::EMPTY,
            child: SigInfo::default(),
            child_uid: 0,
            other: SigInfo::default(),
            owing: Link::new(),
        }
    }

    /// The next signal that it is owed.
    fn next_letter(&mut self) -> Option<Letter> {
        let native = self.native.clone()?;
        let signo = self.owed.first()?;
        self.owed = self.owed.minus(SigSet::of(&[signo]));
        let (info, uid) = match signo {
            SIGCHLD => (self.child, self.child_uid),
            _ => (self.other, 0),
        };
        let info = match info.signo == signo {
            true => info,
            false => SigInfo {
                code: SI_KERNEL,
                ..SigInfo::default()
            },
        };
        Some(Letter {
            to: native,
            signal: Signal {
                signo,
                code: info.code,
                pid: info.pid,
                uid,
                status: info.status,
            },
        })
    }
}

/// A signal for a body.
struct Letter {
    to: Native,
    signal: Signal,
}

/// Signals for bodies, to be sent after the tree lock is released.
pub(crate) struct Post([Option<Letter>; LETTERS]);

impl Post {
    /// Sends them. Not under the tree lock.
    pub(crate) fn send(self) {
        for letter in self.0.iter().flatten() {
            letter.to.send(&letter.signal);
        }
    }
}

impl Tree {
    /// Whether there is a real process behind a group.
    pub(crate) fn is_member(&self, group: Idx<Group>) -> bool {
        self.body_of(group).is_some()
    }

    fn body_of(&self, group: Idx<Group>) -> Option<Idx<Body>> {
        self.tasks[self.groups[group].leader?].body
    }

    /// The process behind a group, if there is one and it has begun to live.
    pub(crate) fn native_of(&self, group: Idx<Group>) -> Option<&Native> {
        self.bodies[self.body_of(group)?].native.as_ref()
    }

    /// The thread behind a task, likewise.
    pub(crate) fn native_of_task(&self, task: Idx<Task>) -> Option<&Native> {
        self.bodies[self.tasks[task].body?].native.as_ref()
    }

    /// The native numbers of a thread and its process, for the host's root to see.
    pub(crate) fn native_numbers(&self, task: Idx<Task>) -> Option<(NativeNr, NativeNr)> {
        let native = self.native_of_task(task)?;
        Some((native.nr(), self.native_of(self.tasks[task].group)?.nr()))
    }

    /// A task that has just joined has a body. The caller has made room for it.
    pub(crate) fn expect_body(&mut self, task: Idx<Task>) {
        let body = self.bodies.insert(Body::new());
        let body = body.unwrap_or_else(|_| panic!("altpid: no room was made"));
        self.tasks[task].body = Some(body);
        self.nr_members += 1;
    }

    /// The body of a task has begun to live.
    pub(crate) fn bind(&mut self, id: u64, native: Native) {
        let Some(task) = self.tasks.find(id) else {
            return;
        };
        let Some(body) = self.tasks[task].body else {
            return;
        };
        self.bodies[body].native = Some(native);
        if self.bodies[body].owed != SigSet::EMPTY {
            self.owing.push_back(&mut self.bodies, body);
        }
    }

    /// A task leaves the tree, and its body with it.
    pub(crate) fn leave_body(&mut self, task: Idx<Task>) {
        if let Some(body) = self.tasks[task].body.take() {
            self.owing.remove(&mut self.bodies, body);
            self.bodies.discard(body);
            self.nr_members -= 1;
        }
    }

    /// Two threads of a process change places, of which the first takes over what the process is
    /// (`de_thread()`), as the thread that the kernel now calls by this.
    pub(crate) fn exchange_bodies(&mut self, task: Idx<Task>, leader: Idx<Task>, native: Native) {
        let bodies = (self.tasks[task].body, self.tasks[leader].body);
        (self.tasks[leader].body, self.tasks[task].body) = bodies;
        if let Some(body) = self.tasks[task].body {
            self.bodies[body].native = Some(native);
        }
    }

    /// A member's process is owed a signal by the kernel's hand. One that it is owed already is not
    /// counted twice, as those that wait are not natively.
    pub(crate) fn owe(&mut self, group: Idx<Group>, info: SigInfo, uid: u32) {
        let Some(body) = self.body_of(group) else {
            return;
        };
        let signal = SigSet::of(&[info.signo]);
        let entry = &mut self.bodies[body];
        if entry.owed.contains(info.signo) {
            return;
        }
        entry.owed = entry.owed.union(signal);
        match info.signo {
            SIGCHLD => (entry.child, entry.child_uid) = (info, uid),
            _ => entry.other = info,
        }
        let is_unlinked = !entry.owing.is_linked();
        if is_unlinked && entry.native.is_some() {
            self.owing.push_back(&mut self.bodies, body);
        }
    }

    /// A member's process is killed.
    pub(crate) fn kill_body(&mut self, group: Idx<Group>) {
        let info = SigInfo {
            signo: SIGKILL,
            code: SI_KERNEL,
            ..SigInfo::default()
        };
        self.owe(group, info, 0);
    }

    /// Whether a body is owed something.
    #[inline]
    pub(crate) fn owes(&self) -> bool {
        !self.owing.is_empty()
    }

    /// Takes some of what bodies are owed.
    pub(crate) fn take_post(&mut self) -> Post {
        let mut letters = [const { None }; LETTERS];
        let mut len = 0;
        while let (Some(body), Some(place)) = (self.owing.first(), letters.get_mut(len)) {
            *place = self.bodies[body].next_letter();
            if place.is_some() {
                len += 1;
            } else {
                self.owing.remove(&mut self.bodies, body);
            }
        }
        Post(letters)
    }

    /// What comes along with the SIGCHLD of a child: the user that it belonged to.
    pub(crate) fn uid_of(&self, child: Idx<Group>) -> u32 {
        self.body_of(child).map_or(0, |body| self.bodies[body].uid)
    }

    /// The member that an id names, which does something itself.
    ///
    /// # Errors
    ///
    /// `ESRCH` for one that is gone or about to die.
    pub(crate) fn find_member(&mut self, id: u64) -> Outcome<Idx<Task>> {
        let task = self.find_alive(id)?;
        if !self.goes_on(task) {
            return Err(Reason::TaskExited.into());
        }
        Ok(task)
    }
}

impl World {
    /// Makes a task for a calling process that becomes a member, with no parent in this world or this one.
    /// May sleep.
    ///
    /// # Errors
    ///
    /// See `struct altpid_attach`. Nothing is changed then.
    pub(crate) fn admit(
        &self,
        pid: NewPid,
        ns: ARef<Namespace>,
        parent: Option<u64>,
        comm: [u8; COMM_LEN],
    ) -> Outcome<Admitted> {
        let mut room = super::Room::new(false, false).with_body();
        let mut tree = loop {
            let mut tree = self.work();
            if tree.has_walks() {
                // Has them done.
                drop(tree);
                if crate::work::is_killed() {
                    return Err(kernel::error::code::EINTR.into());
                }
                continue;
            }
            if tree.make_room(&mut room) {
                break tree;
            }
            drop(tree);
            room.fill()?;
        };
        let relative = match parent {
            Some(id) => tree.find_alive(id)?,
            None => {
                let init = find_pid(self.root(), 1);
                let init = init.and_then(|pid| tree.task_of(&pid));
                init.ok_or(Reason::TaskGone)?
            }
        };
        let parent = parent.map_or(Parent::Outside, |_| Parent::Task(relative));
        if let Parent::Task(parent) = parent {
            if !tree.tasks[parent].ns().is_ancestor_or_self(&ns) {
                return Err(Reason::ParentBlind.into());
            }
        }
        if tree.tasks.len() >= tree.max_tasks {
            return Err(Reason::TaskLimit.into());
        }
        if !pid.ns().upwards().all(Namespace::is_adding) {
            return Err(Reason::NsDead.into());
        }
        let (pgid, sid) = {
            let group = tree.group_of(relative);
            (group.pgid.clone(), group.sid.clone())
        };
        let self_exec_id = tree.tasks[relative].self_exec_id;
        let sighand = tree.insert_sighand(Handlers::DEFAULT);
        let pid = pid.keep();
        let mut group = Group::new(pid.clone(), pgid, sid, parent, SIGCHLD, sighand);
        group.unkillable = pid.nr() == 1;
        group.parent_exec_id = self_exec_id;
        let admitted = pid.clone();
        let group = tree.insert_group(group);
        let task = tree.insert_task(Task::new(group, pid, ns, comm));
        tree.join_group(task);
        tree.join_tree(group, task);
        tree.expect_body(task);
        tree.tell_clone(task, parent, 0);
        Ok(Admitted {
            id: tree.tasks.id(task),
            pid: admitted,
        })
    }

    /// The body of a task has begun to live. Does not sleep: what it is owed already is sent by whoever
    /// works next.
    pub(crate) fn bind(&self, id: u64, native: Native) {
        self.tree().tree_mut().bind(id, native);
    }

    /// A task does not get the body that it was made for: it is gone, and nobody is told.
    pub(crate) fn abandon(&self, id: u64) {
        let mut tree = self.work();
        let Some(task) = tree.tasks.find(id) else {
            return;
        };
        let group = tree.tasks[task].group;
        if tree.is_leader(task) {
            tree.groups[group].autoreap = true;
        }
        tree.begin_exit(task, 0);
    }

    /// The body of a task exits. May sleep.
    pub(crate) fn exited(&self, id: u64, end: &End) {
        let mut tree = self.work();
        let Some(task) = tree.tasks.find(id) else {
            return;
        };
        let group = tree.tasks[task].group;
        if let Some(body) = tree.tasks[task].body {
            tree.bodies[body].uid = end.uid;
        }
        if let (Some(status), Fate::Alive) = (end.of_group(), tree.groups[group].fate) {
            tree.decide_exit(group, status);
        }
        tree.begin_exit(task, end.code);
    }

    /// A member has called exec, as the thread that the kernel now calls by this. The other threads of its
    /// process are gone, or nearly. May sleep.
    pub(crate) fn execed(
        &self,
        id: u64,
        native: &Native,
        comm: [u8; COMM_LEN],
    ) -> Option<ARef<Pid>> {
        loop {
            let mut tree = self.work();
            let task = tree.find_member(id).ok()?;
            if tree.is_all_that_is_left(task) {
                tree.finish_member_exec(task, native, comm);
                return Some(tree.tasks[task].pid.clone());
            }
            // Others work off what is left of the exits.
            drop(tree);
            kernel::task::might_sleep();
            if crate::work::is_killed() {
                return None;
            }
            crate::sleep::pause();
        }
    }

    /// The pids of a task and its process.
    pub(crate) fn pids_of(&self, id: u64) -> Option<(ARef<Pid>, ARef<Pid>)> {
        let tree = self.tree();
        let task = tree.tasks.find(id)?;
        Some((tree.tasks[task].pid.clone(), tree.group_of(task).tgid.clone()))
    }

    /// The thread behind a member.
    pub(crate) fn native(&self, id: u64) -> Option<Native> {
        let tree = self.tree();
        let task = tree.tasks.find(id)?;
        tree.native_of_task(task).cloned()
    }

    /// Takes over what the kernel says of the stops of a member's process: whether that is known for now,
    /// and whether it is stopped, or gone. May sleep.
    pub(crate) fn look_at_job(&self, id: u64) -> (bool, bool) {
        let mut tree = self.work();
        let Ok(task) = tree.find_alive(id) else {
            return (true, true);
        };
        let group = tree.tasks[task].group;
        let Some(stopped) = tree.native_of(group).map(Native::stopped_by) else {
            return (true, true);
        };
        let Ok(stopped) = stopped else {
            return (false, false);
        };
        if tree.groups[group].exit_status().is_some() {
            return (true, true);
        }
        match (stopped, tree.groups[group].job) {
            (Some(signal), JobState::Running | JobState::Continued) => tree.stop(group, signal),
            (None, JobState::Stopped(_) | JobState::Stopping(_)) => {
                tree.resume(group);
                tree.notify_owed(group);
            }
            _ => {}
        }
        (true, stopped.is_some())
    }

    /// Kills everybody in the world but its init.
    pub(crate) fn kill_members(&self) {
        let mut next = 2;
        while let Some((nr, pid)) = crate::pid::find_pid_from(self.root(), next) {
            next = nr + 1;
            let mut tree = self.work();
            let group = Idx::<Group>::from_raw(pid.user(crate::pid::PidType::Tgid));
            // It may be somebody else's by now, of the same world, who is to be killed as well.
            if let Some(group) = group.filter(|&group| tree.groups.get(group).is_some()) {
                if tree.is_member(group) {
                    tree.kill_body(group);
                }
            }
        }
    }
}

impl Tree {
    /// The last thread of a member's process has become another program (`begin_new_exec()`).
    fn finish_member_exec(&mut self, task: Idx<Task>, native: &Native, comm: [u8; COMM_LEN]) {
        let index = self.tasks[task].group;
        let leader = self.groups[index].leader;
        if let Some(leader) = leader.filter(|&leader| leader != task) {
            self.exchange_bodies(task, leader, native.clone());
            self.take_over(task);
        }
        let group = &mut self.groups[index];
        group.exit_signal = SIGCHLD;
        group.has_execed = true;
        self.change_family(index);
        let next = &mut self.tasks[task].self_exec_id;
        *next = next.wrapping_add(1);
        self.set_name(task, &comm);
        self.tell_exec(task);
    }

    /// The native numbers for setpgid(2), after a process has been put into its process group: 0 for the
    /// caller's, and as the group that of another member if it is not the one that it leads. `None` where
    /// the kernel does not know somebody.
    pub(crate) fn native_setpgid(&self, caller: Idx<Task>, pid: i32) -> Option<(u64, u64)> {
        let own = self.tasks[caller].group;
        let target = match pid {
            0 => own,
            _ => self.tasks[self.numbered(caller, pid).ok()?].group,
        };
        let native = self.native_of(target)?;
        let process = match target == own {
            true => 0,
            false => native.nr().to_argument(),
        };
        let group = &self.groups[target];
        if core::ptr::eq(&*group.pgid, &*group.tgid) {
            return Some((process, process));
        }
        let members = self.process_group(&group.pgid);
        let mut others = members.iter(&self.groups).take(64);
        let other = others.find(|&other| other != target && self.native_of(other).is_some())?;
        Some((process, self.native_of(other)?.group().to_argument()))
    }

    /// Whether the SIGCHLD for a stop of a child is the kernel's to send: its parent is the same to both.
    pub(crate) fn is_told_natively(&self, child: Idx<Group>, parent: Idx<Group>) -> bool {
        match (self.native_of(child), self.native_of(parent)) {
            (Some(child), Some(parent)) => child.is_child_of(parent),
            _ => false,
        }
    }

    /// A member is owed word of a child.
    pub(crate) fn owe_child(&mut self, parent: Idx<Group>, child: Idx<Group>, info: SigInfo) {
        let uid = self.uid_of(child);
        self.owe(parent, info, uid);
    }
}

/// A task for a process that becomes a member.
pub(crate) struct Admitted {
    pub(crate) id: u64,
    pub(crate) pid: ARef<Pid>,
}
