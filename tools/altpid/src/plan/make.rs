// SPDX-License-Identifier: GPL-2.0

//! Making somebody: who clones them, in which namespace, and what the new one does first.

use super::{Birth, INIT, Item, Op, Planner, Role, Who, innermost};
use crate::{
    snapshot::{Comm, PID_MAX_LIMIT, Problem, Task},
    types::CloneFlags,
};

/// What a planner knows of somebody.
pub(super) struct Actor {
    /// The active namespace.
    ns: usize,
    /// Where children are born.
    ns_for_children: usize,
    comm: Option<Comm>,
    /// Numbers, level 0 first.
    pid: Vec<i32>,
}

impl Planner<'_> {
    /// Casts somebody.
    pub(super) fn add_actor(
        &mut self,
        role: Role,
        ns: usize,
        comm: Option<Comm>,
        pid: &[i32],
    ) -> Who {
        self.plan.cast.push(role);
        self.actors.push(Actor {
            ns,
            ns_for_children: ns,
            comm,
            pid: pid.to_vec(),
        });
        self.actors.len() - 1
    }

    /// A helper in namespace `ns`, with whatever number is free, cloned by `by`.
    pub(super) fn make_helper(&mut self, by: Who, ns: usize) -> Who {
        let pid = self.free_numbers(ns);
        self.clone_actor(by, Role::Helper, &pid, Birth::Of(INIT), ns, false)
    }

    /// Takes a number that is free at each level, the highest there is, level 0 first.
    pub(super) fn free_numbers(&mut self, ns: usize) -> Vec<i32> {
        let mut pid = Vec::new();
        for ns in self.snapshot.chain(ns) {
            let end = if ns == 0 {
                self.root_pid_max()
            } else {
                PID_MAX_LIMIT
            };
            let free = (2..end).rev().find(|&nr| !self.used.contains(&(ns, nr)));
            let nr = free.unwrap_or(end - 1);
            self.used.insert((ns, nr));
            pid.push(nr);
        }
        pid
    }

    /// A helper in the process group of `leader`, in the deepest namespace that is both above `task`
    /// and above the leader.
    fn make_joiner(&mut self, leader: Who, task: &Task) -> Who {
        let theirs = self.snapshot.chain(self.actors[leader].ns);
        let ours = self.snapshot.chain(task.ns);
        let level = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count() - 1;
        let by = self
            .leader(task.sid[0])
            .map_or(self.outsider, |leader| self.made[&leader]);
        let joiner = self.make_helper(by, ours[level]);
        self.plan.ops.push(Op::SetPgid(joiner, 0, task.pgid[level]));
        joiner
    }

    /// A helper goes; its numbers can be used again.
    pub(super) fn dismiss(&mut self, helper: Who) {
        self.plan.ops.push(Op::Exit(helper, true));
        self.gone.insert(helper);
        let chain = self.snapshot.chain(self.actors[helper].ns);
        for number in chain.into_iter().zip(self.actors[helper].pid.clone()) {
            self.used.remove(&number);
        }
    }

    /// `kernel.pid_max` of namespace 0 while the plan is carried out.
    pub(super) fn root_pid_max(&self) -> i32 {
        match self.plan.ops.first() {
            Some(Op::PidMax(value)) => *value,
            _ => PID_MAX_LIMIT,
        }
    }

    /// Lets the children of somebody be born in `ns`.
    pub(super) fn set_ns(&mut self, who: Who, ns: usize) {
        if self.actors[who].ns_for_children != ns {
            self.actors[who].ns_for_children = ns;
            self.plan.ops.push(Op::SetNs(who, ns));
        }
    }

    /// Lets the children of somebody be born in `ns`, which is made by that, below their own namespace.
    pub(super) fn unshare(&mut self, who: Who, ns: usize) {
        let own = self.actors[who].ns;
        self.set_ns(who, own);
        self.actors[who].ns_for_children = ns;
        self.plan.ops.push(Op::Unshare(who, ns));
    }

    /// `by` clones somebody with the numbers `pid`, level 0 first.
    pub(super) fn clone_actor(
        &mut self,
        by: Who,
        role: Role,
        pid: &[i32],
        birth: Birth,
        ns: usize,
        is_init: bool,
    ) -> Who {
        let mut flags = CloneFlags::empty();
        if is_init {
            flags |= CloneFlags::NEWPID;
            let above = self.actors[by].ns;
            self.set_ns(by, above);
        } else {
            self.set_ns(by, ns);
        }
        if role == Role::Helper {
            flags |= CloneFlags::AUTOREAP;
        }
        let mut set_tid: Vec<_> = pid.iter().rev().copied().collect();
        // clone3 takes no more than 32 numbers; that of level 0 can be brought about otherwise.
        if set_tid.len() > 32 {
            set_tid.truncate(32);
            self.plan.ops.push(Op::LastPid(pid[0] - 1));
        }
        let comm = self.actors[by].comm.clone();
        let new = self.add_actor(role, ns, comm, pid);
        self.plan.ops.push(Op::Clone {
            by,
            new,
            set_tid,
            birth,
            flags,
            ns,
        });
        new
    }

    /// Founds the session or the process group that the task leads.
    fn found(&mut self, who: Who, index: usize) {
        let task = self.task(index);
        if task.sid == task.pid {
            self.plan.ops.push(Op::SetSid(who));
        } else if task.pgid == task.pid || self.left.contains(&index) {
            self.plan.ops.push(Op::SetPgid(who, 0, 0));
        }
    }

    /// If the task will leave the group that it has founded: somebody stays until all are there.
    pub(super) fn keep_group(&mut self, who: Who, index: usize) {
        if self.left.contains(&index) {
            self.make_helper(who, self.actors[who].ns);
            self.late.insert(index);
        }
    }

    /// Gives somebody the name that the task has.
    pub(super) fn rename(&mut self, who: Who, task: &Task) {
        if self.actors[who].comm.as_ref() != Some(&task.comm) {
            self.actors[who].comm = Some(task.comm.clone());
            self.plan.ops.push(Op::SetName(who, task.comm.clone()));
        }
    }

    /// Makes one item, whose needs are met.
    pub(super) fn make(&mut self, item: Item) -> Who {
        let late = matches!(item, Item::Process(index) if self.late.contains(&index));
        let cloner = self
            .cloner(item, late)
            .and_then(|cloner| self.made.get(&cloner).copied());
        match item {
            Item::StandIn(number) => {
                let (pid, ns) = (self.dead[&number].pid.clone(), self.dead[&number].ns);
                let sid = self.dead[&number].sid;
                let by = cloner.unwrap_or(if sid == number { INIT } else { self.outsider });
                let who = self.clone_actor(by, Role::Helper, &pid, Birth::Of(INIT), ns, false);
                let op = if sid == number {
                    Op::SetSid(who)
                } else {
                    Op::SetPgid(who, 0, 0)
                };
                self.plan.ops.push(op);
                who
            }
            Item::Process(index) => {
                let task = self.task(index);
                let leads_session = task.sid == task.pid;
                let mut by = cloner.unwrap_or(if leads_session { INIT } else { self.outsider });
                let mut helpers = Vec::new();
                // Its group came from a namespace that it is not below.
                if !self
                    .snapshot
                    .is_ancestor_or_self(self.actors[by].ns, task.ns)
                {
                    by = self.make_joiner(by, task);
                    helpers.push(by);
                }
                let birth = match self.leaders.get(&task.ppid) {
                    Some(&parent) => Birth::Of(self.made[&Item::Process(parent)]),
                    None => Birth::Outside,
                };
                let is_init = task.own_pid() == 1;
                let above = self.snapshot.namespaces[task.ns].parent;
                // A namespace is made from the one right above it.
                if let Some(above) = above.filter(|&above| is_init && self.actors[by].ns != above) {
                    by = self.make_helper(by, above);
                    helpers.push(by);
                }
                let who =
                    self.clone_actor(by, Role::Task(index), &task.pid, birth, task.ns, is_init);
                for helper in helpers {
                    self.dismiss(helper);
                }
                self.found(who, index);
                self.rename(who, task);
                self.keep_group(who, index);
                who
            }
        }
    }

    /// Makes the threads, when all leaders are there.
    pub(super) fn make_threads(&mut self) {
        for (index, task) in self.snapshot.tasks.iter().enumerate() {
            if task.is_leader() {
                continue;
            }
            let leader = self.made[&Item::Process(self.leaders[&task.tgid[0]])];
            let role = Role::Task(index);
            let who = self.clone_actor(leader, role, &task.pid, Birth::Thread, task.ns, false);
            self.rename(who, task);
        }
    }

    /// Those whose group was not there yet, or had to be left later, join it.
    pub(super) fn join_late(&mut self) -> Result<(), Problem> {
        for index in std::mem::take(&mut self.late) {
            let task = self.task(index);
            let who = self.made[&Item::Process(index)];
            let op = match (innermost(&task.pgid), self.parent_can_put(task)) {
                (0, Some((parent, level))) => {
                    Op::SetPgid(self.made[&parent], task.pid[level], task.pgid[level])
                }
                (0, None) => {
                    return Err(Problem(format!(
                        "{task}: nobody can put it into its process group any more"
                    )));
                }
                (own, _) => Op::SetPgid(who, 0, own),
            };
            self.plan.ops.push(op);
        }
        Ok(())
    }
}
