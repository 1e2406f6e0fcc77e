// SPDX-License-Identifier: GPL-2.0

//! A small model of the device's rules, for tests that do without the module.
//!
//! Tasks, thread groups, pids and namespaces are entries of tables; nothing is shared and nothing is
//! fast. What the rules are, and which error is looked for first, stands in `src/uapi/altpid.h`. What
//! is not needed to build trees is left out: signals, waiting, limits.

#![allow(dead_code, reason = "each test program uses another part")]

mod life;
pub mod perform;
mod show;
pub mod text;
pub mod trees;

use altpid::{
    CloneFlags,
    snapshot::{Comm, LEVELS, PID_MAX_LIMIT},
};
use rustix::io::{Errno, Result};
use std::collections::BTreeMap;

/// A task of the model, by its position.
pub type TaskNr = usize;
/// A thread group of the model, by its position.
pub type GroupNr = usize;
/// A pid of the model, by its position.
pub type PidNr = usize;
/// A namespace of the model, by its position.
pub type NsNr = usize;

/// Whose child a new process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// Whose the kernel takes.
    Native,
    /// This task's.
    Task(TaskNr),
    /// Somebody's outside.
    Outside,
}

/// What the number of an identity is in use for is counted here; at 0 it is free.
#[derive(Debug)]
pub struct Pid {
    pub ns: NsNr,
    pub numbers: Vec<i32>,
    users: usize,
}

/// A thread.
#[derive(Debug)]
pub struct Thread {
    pub group: GroupNr,
    pub pid: PidNr,
    pub ns: NsNr,
    pub ns_for_children: NsNr,
    pub is_alive: bool,
    pub comm: Comm,
}

/// A thread group. Who is in none, or in one outside, has no `pgid` and `sid`.
#[derive(Debug)]
pub struct Group {
    pub leader: TaskNr,
    pub tgid: PidNr,
    pub pgid: Option<PidNr>,
    pub sid: Option<PidNr>,
    pub parent: Option<GroupNr>,
    is_autoreap: bool,
}

/// A namespace.
#[derive(Debug)]
pub struct Space {
    pub parent: Option<NsNr>,
    pub level: usize,
    pid_max: i32,
    last_pid: i32,
    is_adding: bool,
    init: Option<TaskNr>,
    numbers: BTreeMap<i32, PidNr>,
}

/// A world.
#[derive(Debug)]
pub struct Model {
    pub tasks: BTreeMap<TaskNr, Thread>,
    pub groups: BTreeMap<GroupNr, Group>,
    pub spaces: Vec<Space>,
    pids: Vec<Pid>,
    made: usize,
}

/// The world's init.
pub const INIT: TaskNr = 0;

impl Model {
    /// An empty tree: init.
    pub fn new() -> Self {
        let mut model = Self {
            tasks: BTreeMap::new(),
            groups: BTreeMap::new(),
            spaces: Vec::new(),
            pids: Vec::new(),
            made: 0,
        };
        let root = model.create(None);
        model.spaces[root].pid_max = 32768;
        let comm = Comm::new(b"init");
        let pid = model
            .alloc_pid(root, &[])
            .expect("the first number is free");
        let group = model.add_group(pid, None, None, None, false);
        model.add_task(group, pid, root, comm);
        model
    }

    fn create(&mut self, parent: Option<NsNr>) -> NsNr {
        self.spaces.push(Space {
            parent,
            level: parent.map_or(0, |parent| self.spaces[parent].level + 1),
            pid_max: PID_MAX_LIMIT,
            last_pid: 0,
            is_adding: true,
            init: None,
            numbers: BTreeMap::new(),
        });
        self.spaces.len() - 1
    }

    /// A namespace and all above, the deepest first.
    pub fn upwards(&self, ns: NsNr) -> impl Iterator<Item = NsNr> {
        std::iter::successors(Some(ns), |&ns| self.spaces[ns].parent)
    }

    pub fn is_ancestor_or_self(&self, upper: NsNr, lower: NsNr) -> bool {
        self.upwards(lower).any(|ns| ns == upper)
    }

    /// `pid_nr_ns()`
    pub fn nr(&self, pid: PidNr, ns: NsNr) -> i32 {
        let pid = &self.pids[pid];
        if self.is_ancestor_or_self(ns, pid.ns) {
            pid.numbers[self.spaces[ns].level]
        } else {
            0
        }
    }

    /// What an identity, if it is one, looks like from each namespace down to `ns`.
    fn vector(&self, pid: Option<PidNr>, ns: NsNr) -> Vec<i32> {
        let mut all: Vec<_> = self
            .upwards(ns)
            .map(|ns| pid.map_or(0, |pid| self.nr(pid, ns)))
            .collect();
        all.reverse();
        all
    }

    fn alloc_pid(&mut self, ns: NsNr, set_tid: &[i32]) -> Result<PidNr> {
        let chain: Vec<_> = self.upwards(ns).collect();
        if set_tid.len() > chain.len() {
            return Err(Errno::INVAL);
        }
        for (&tid, &ns) in set_tid.iter().zip(&chain) {
            if tid < 1 || tid >= self.spaces[ns].pid_max {
                return Err(Errno::INVAL);
            }
        }
        let mut numbers = Vec::new();
        for (i, &ns) in chain.iter().enumerate() {
            let space = &self.spaces[ns];
            let nr = match set_tid.get(i) {
                Some(tid) if space.numbers.contains_key(tid) => return Err(Errno::EXIST),
                Some(&tid) => tid,
                None => space.next_free().ok_or(Errno::AGAIN)?,
            };
            if nr != 1 && space.init.is_none() {
                return Err(Errno::INVAL);
            }
            numbers.push(nr);
        }
        if !chain.iter().all(|&ns| self.spaces[ns].is_adding) {
            return Err(Errno::NOMEM);
        }
        let pid = self.pids.len();
        for (i, (&ns, &nr)) in chain.iter().zip(&numbers).enumerate() {
            self.spaces[ns].numbers.insert(nr, pid);
            if i >= set_tid.len() {
                self.spaces[ns].last_pid = nr;
            }
        }
        numbers.reverse();
        let users = 0;
        self.pids.push(Pid { ns, numbers, users });
        Ok(pid)
    }

    fn get_pid(&mut self, pid: PidNr) -> PidNr {
        self.pids[pid].users += 1;
        pid
    }

    fn put_pid(&mut self, pid: PidNr) {
        self.pids[pid].users -= 1;
        if self.pids[pid].users == 0 {
            let chain: Vec<_> = self.upwards(self.pids[pid].ns).collect();
            for (ns, nr) in chain.into_iter().zip(self.pids[pid].numbers.iter().rev()) {
                self.spaces[ns].numbers.remove(nr);
            }
        }
    }

    fn add_group(
        &mut self,
        tgid: PidNr,
        pgid: Option<PidNr>,
        sid: Option<PidNr>,
        parent: Option<GroupNr>,
        is_autoreap: bool,
    ) -> GroupNr {
        let group = Group {
            leader: self.made,
            tgid: self.get_pid(tgid),
            pgid: pgid.map(|pid| self.get_pid(pid)),
            sid: sid.map(|pid| self.get_pid(pid)),
            parent,
            is_autoreap,
        };
        self.groups.insert(self.made, group);
        self.made
    }

    fn add_task(&mut self, group: GroupNr, pid: PidNr, ns: NsNr, comm: Comm) -> TaskNr {
        let task = Thread {
            group,
            pid: self.get_pid(pid),
            ns,
            ns_for_children: ns,
            is_alive: true,
            comm,
        };
        if self.nr(pid, ns) == 1 {
            self.spaces[ns].init = Some(self.made);
        }
        self.tasks.insert(self.made, task);
        self.made += 1;
        self.made - 1
    }

    /// A live task.
    pub fn alive(&self, task: TaskNr) -> Result<&Thread> {
        let thread = self.tasks.get(&task).ok_or(Errno::SRCH)?;
        thread.is_alive.then_some(thread).ok_or(Errno::SRCH)
    }

    /// Live threads of a group.
    fn live(&self, group: GroupNr) -> Vec<TaskNr> {
        let members = self.tasks.iter().filter(|(_, t)| t.group == group);
        members
            .filter(|(_, t)| t.is_alive)
            .map(|(&i, _)| i)
            .collect()
    }

    /// clone3(2)
    pub fn clone(
        &mut self,
        task: TaskNr,
        flags: CloneFlags,
        set_tid: &[i32],
        parent: Parent,
    ) -> Result<TaskNr> {
        let autoreap = flags.contains(CloneFlags::AUTOREAP);
        let is_thread = flags.contains(CloneFlags::THREAD);
        let of_parent = flags.contains(CloneFlags::PARENT);
        if set_tid.len() > 32
            || (is_thread && flags.intersects(CloneFlags::NEWPID))
            || (autoreap && (is_thread || of_parent))
            || (parent != Parent::Native && (is_thread || of_parent))
        {
            return Err(Errno::INVAL);
        }
        let caller = self.alive(task)?;
        let (own, mut ns, comm) = (caller.ns, caller.ns_for_children, caller.comm.clone());
        let group = &self.groups[&caller.group];
        let unkillable = self.nr(group.tgid, own) == 1;
        if of_parent && (unkillable || group.is_autoreap) {
            return Err(Errno::INVAL);
        }
        if (is_thread || flags.contains(CloneFlags::NEWPID)) && own != ns {
            return Err(Errno::INVAL);
        }
        let mother = match parent {
            Parent::Native if of_parent => group.parent,
            Parent::Native => Some(caller.group),
            Parent::Outside => None,
            Parent::Task(parent) => {
                let parent = self.alive(parent)?;
                if !self.is_ancestor_or_self(parent.ns, ns) {
                    return Err(Errno::INVAL);
                }
                Some(parent.group)
            }
        };
        let (pgid, sid, group) = (group.pgid, group.sid, caller.group);
        if flags.contains(CloneFlags::NEWPID) {
            if self.spaces[ns].level + 1 >= LEVELS {
                return Err(Errno::NOSPC);
            }
            ns = self.create(Some(ns));
        }
        let created = self.spaces.len();
        let pid = self.alloc_pid(ns, set_tid).inspect_err(|_| {
            if flags.contains(CloneFlags::NEWPID) {
                self.spaces.truncate(created - 1);
            }
        })?;
        let group = if is_thread {
            group
        } else {
            self.add_group(pid, pgid, sid, mother, autoreap)
        };
        Ok(self.add_task(group, pid, ns, comm))
    }

    /// Somebody outside, whose group and session are outside too, joins `ns` and forks.
    pub fn inject(&mut self, ns: NsNr) -> Result<TaskNr> {
        let pid = self.alloc_pid(ns, &[])?;
        let group = self.add_group(pid, None, None, None, false);
        Ok(self.add_task(group, pid, ns, Comm::new(b"injected")))
    }

    /// setns(2)
    pub fn setns(&mut self, task: TaskNr, ns: NsNr) -> Result<()> {
        if !self.is_ancestor_or_self(self.alive(task)?.ns, ns) {
            return Err(Errno::INVAL);
        }
        if let Some(thread) = self.tasks.get_mut(&task) {
            thread.ns_for_children = ns;
        }
        Ok(())
    }

    /// setsid(2)
    pub fn setsid(&mut self, task: TaskNr) -> Result<()> {
        let group = self.alive(task)?.group;
        let own = self.groups[&group].tgid;
        if self.groups.values().any(|group| group.pgid == Some(own)) {
            return Err(Errno::PERM);
        }
        self.change(group, own, |group| &mut group.sid);
        self.change(group, own, |group| &mut group.pgid);
        Ok(())
    }

    fn change(&mut self, group: GroupNr, to: PidNr, field: fn(&mut Group) -> &mut Option<PidNr>) {
        self.get_pid(to);
        let group = self.groups.get_mut(&group).expect("the group is there");
        if let Some(old) = field(group).replace(to) {
            self.put_pid(old);
        }
    }

    /// setpgid(2)
    pub fn setpgid(&mut self, task: TaskNr, pid: i32, pgid: i32) -> Result<()> {
        let (own, ns) = (self.alive(task)?.group, self.alive(task)?.ns);
        if pgid < 0 || pid < 0 {
            return Err(Errno::INVAL);
        }
        let target = if pid == 0 {
            own
        } else {
            let target = *self.spaces[ns].numbers.get(&pid).ok_or(Errno::SRCH)?;
            let thread = self.tasks.values().find(|task| task.pid == target);
            let group = thread.ok_or(Errno::SRCH)?.group;
            if self.groups[&group].tgid != target {
                return Err(Errno::INVAL);
            }
            group
        };
        let group = &self.groups[&target];
        if group.parent == Some(own) {
            if group.sid != self.groups[&own].sid {
                return Err(Errno::PERM);
            }
        } else if target != own {
            return Err(Errno::SRCH);
        }
        if group.sid == Some(group.tgid) {
            return Err(Errno::PERM);
        }
        let mut to = group.tgid;
        if pgid != 0 && pgid != self.nr(to, ns) {
            to = *self.spaces[ns].numbers.get(&pgid).ok_or(Errno::PERM)?;
            let mut members = self.groups.values().filter(|group| group.pgid == Some(to));
            if members.next().ok_or(Errno::PERM)?.sid != self.groups[&own].sid {
                return Err(Errno::PERM);
            }
        }
        self.change(target, to, |group| &mut group.pgid);
        Ok(())
    }

    /// `kernel.pid_max` or, else, `kernel.ns_last_pid`
    pub fn set_sysctl(&mut self, ns: NsNr, is_pid_max: bool, value: i32) -> Result<()> {
        let space = &mut self.spaces[ns];
        if is_pid_max && (301..=PID_MAX_LIMIT).contains(&value) {
            space.pid_max = value;
        } else if !is_pid_max && (0..=space.pid_max).contains(&value) {
            space.last_pid = value;
        } else {
            return Err(Errno::INVAL);
        }
        Ok(())
    }

    /// prctl(PR_SET_NAME)
    pub fn set_name(&mut self, task: TaskNr, name: &[u8]) -> Result<()> {
        self.alive(task)?;
        if let Some(thread) = self.tasks.get_mut(&task) {
            thread.comm = Comm::new(&name[..name.len().min(15)]);
        }
        Ok(())
    }
}

impl Space {
    /// The number that `idr_alloc_cyclic()` would give.
    fn next_free(&self) -> Option<i32> {
        let cursor = self.last_pid + 1;
        let lowest = if cursor > 300 { 300 } else { 1 };
        let free = |nr: &i32| !self.numbers.contains_key(nr);
        (cursor.max(lowest)..self.pid_max)
            .find(free)
            .or_else(|| (lowest..self.pid_max.min(cursor)).find(free))
    }
}
