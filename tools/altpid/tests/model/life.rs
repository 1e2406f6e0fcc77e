// SPDX-License-Identifier: GPL-2.0

//! How tasks of the model end: exit, reparenting, and a namespace that goes with its init.
//!
//! One thing differs from the device: whoever is killed together with a namespace is reaped at once,
//! as if a parent outside of it had been waiting.

use super::{GroupNr, INIT, Model, NsNr, TaskNr};
use rustix::io::{Errno, Result};

impl Model {
    /// exit(2), or exit_group(2)
    pub fn exit(&mut self, task: TaskNr, whole: bool) -> Result<()> {
        let group = self.alive(task)?.group;
        let live = self.live(group);
        if group == INIT && (whole || live.len() == 1) {
            return Err(Errno::BUSY);
        }
        for thread in if whole { live } else { vec![task] } {
            self.exit_thread(thread);
        }
        Ok(())
    }

    fn exit_thread(&mut self, task: TaskNr) {
        let (group, ns) = (self.tasks[&task].group, self.tasks[&task].ns);
        self.tasks.get_mut(&task).expect("it is there").is_alive = false;
        let heir = self.live(group).first().copied();
        if self.spaces[ns].init == Some(task) {
            match heir {
                Some(heir) => self.spaces[ns].init = Some(heir),
                None => self.zap(ns, group),
            }
        }
        if heir.is_none() {
            self.hand_on_children(group, ns);
        }
        let leader = self.groups[&group].leader;
        if task != leader {
            let thread = self.tasks.remove(&task).expect("it is there");
            self.put_pid(thread.pid);
        }
        let alone = self.tasks.values().filter(|t| t.group == group).count() == 1;
        if alone && !self.tasks[&leader].is_alive {
            self.notify_parent(group);
        }
    }

    /// The children of a process that is dead go to the init of its namespace.
    fn hand_on_children(&mut self, father: GroupNr, ns: NsNr) {
        let reaper = self.spaces[ns].init.map(|init| self.tasks[&init].group);
        for child in self.children(father) {
            let group = self.groups.get_mut(&child).expect("it is there");
            group.parent = reaper.filter(|&reaper| reaper != father);
            self.notify_parent(child);
        }
    }

    pub fn children(&self, parent: GroupNr) -> Vec<GroupNr> {
        let all = self.groups.iter();
        all.filter(|(_, group)| group.parent == Some(parent))
            .map(|(&i, _)| i)
            .collect()
    }

    /// Who has no parent that would reap it vanishes when it is dead.
    fn notify_parent(&mut self, group: GroupNr) {
        let unwanted = self.groups[&group].parent.is_none() || self.groups[&group].is_autoreap;
        if unwanted && self.is_dead(group) {
            self.release(group);
        }
    }

    /// Whether all of a process has exited.
    pub fn is_dead(&self, group: GroupNr) -> bool {
        self.live(group).is_empty()
    }

    fn release(&mut self, group: GroupNr) {
        let gone = self.groups.remove(&group).expect("it is there");
        let leader = self.tasks.remove(&gone.leader).expect("it is there");
        if self.spaces[leader.ns].init == Some(gone.leader) {
            self.spaces[leader.ns].init = None;
        }
        let held = [Some(leader.pid), Some(gone.tgid), gone.pgid, gone.sid];
        for pid in held.into_iter().flatten() {
            self.put_pid(pid);
        }
    }

    /// Takes everybody in a namespace along with its init.
    fn zap(&mut self, ns: NsNr, init: GroupNr) {
        self.spaces[ns].is_adding = false;
        loop {
            let member = self
                .groups
                .iter()
                .find(|(i, group)| **i != init && self.nr(group.tgid, ns) != 0);
            let Some((&member, _)) = member else { break };
            for thread in self.live(member) {
                self.exit_thread(thread);
            }
            if self.groups.contains_key(&member) {
                // Its own init reaps it, or it is a child of somebody who dies as well.
                self.hand_on_children(member, ns);
                self.release(member);
            }
        }
    }

    /// wait4(2) for this child, by its parent.
    pub fn reap(&mut self, child: GroupNr) -> Result<()> {
        let group = self.groups.get(&child).ok_or(Errno::CHILD)?;
        if group.parent.is_none() || !self.is_dead(child) {
            return Err(Errno::CHILD);
        }
        self.release(child);
        Ok(())
    }
}
