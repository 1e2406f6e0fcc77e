// SPDX-License-Identifier: GPL-2.0

//! Who gets the children of a thread that exits.
//!
//! `kernel/exit.c`: `find_new_reaper()`, `find_alive_thread()`; `kernel/sys.c`: `PR_SET_CHILD_SUBREAPER`.
//!
//! Natively `has_child_subreaper` says that some ancestor takes orphans, and the way up to it is gone in
//! one hold of `tasklist_lock`: in a line of n processes that die from the last one up, n^2 / 2 steps. Here
//! a process remembers an ancestor up to which nobody takes orphans ([`Group::reaper_hint`]), the way is
//! shortened by that each time it is gone, and it can be gone in parts.
//!
//! # Why a hint stays true
//!
//! Between a process and the ancestor that its hint names there is no subreaper. A process in between that
//! dies leaves its children to the first subreaper above it, which is that ancestor or above it: so nothing
//! in between can become one by a death. prctl(2) can make one: then all hints are void
//! ([`Tree::subreapers_set`]). An ancestor that is gone is not found by its id.
//!
//! # Locks
//!
//! Under the tree lock.

use crate::{
    base::faults::{self, Fault},
    base::slots::Idx,
    tree::task::{Group, Parent, Task},
    tree::Tree,
};

/// What came of looking for the task that gets orphans.
pub(crate) enum Heir {
    /// This one, or nobody in this world.
    Found(Option<Idx<Task>>),
    /// The way up is long: go on later.
    Later,
}

impl Tree {
    /// Who gets the children of `father`: another thread of its group, the nearest subreaper among
    /// its ancestors, or the init of *its* namespace.
    pub(crate) fn find_new_reaper(&mut self, father: Idx<Task>) -> Heir {
        if faults::has(Fault::WrongReaper) {
            if let Some(above) = self.tasks()[father].ns().parent() {
                return Heir::Found(Idx::from_raw(above.child_reaper()));
            }
        }
        if let Some(thread) = self.alive_thread(self.tasks()[father].group) {
            return Heir::Found(Some(thread));
        }
        let init = Idx::from_raw(self.tasks()[father].ns().child_reaper());
        let exiting = &self.tasks()[father];
        match self.find_subreaper(exiting.group, exiting.is_half_done) {
            Heir::Found(subreaper) => {
                Heir::Found(subreaper.or(init).filter(|&heir| heir != father))
            }
            Heir::Later => Heir::Later,
        }
    }

    /// A live thread of the nearest ancestor that takes orphans. Those at another level than `father`
    /// do not count, nor what is above them: they are not of its namespace.
    ///
    /// If the way was interrupted, `has_begun`, it goes on where that was: who has become a subreaper on
    /// the way since did so after this exit.
    pub(crate) fn find_subreaper(&mut self, father: Idx<Group>, has_begun: bool) -> Heir {
        if self.nr_subreapers() == 0 {
            return Heir::Found(None);
        }
        let level = self.groups()[father].tgid.ns().level();
        let mut at = self.hinted(father, has_begun).unwrap_or(father);
        if at != father && self.takes_orphans(at, level) {
            return Heir::Found(self.alive_thread(at));
        }
        // Each process on the way learns of the one behind the next (path splitting): however often a long
        // way is gone, that is some log n steps for each of n processes.
        let mut below = None;
        loop {
            let Some(next) = self.next_above(at) else {
                return Heir::Found(None);
            };
            self.draw(2);
            if self.groups()[next].tgid.ns().level() != level {
                return Heir::Found(None);
            }
            if let Some(below) = below {
                self.hint(below, next);
            }
            self.hint(father, next);
            if self.takes_orphans(next, level) {
                return Heir::Found(self.alive_thread(next));
            }
            if self.is_spent() {
                return Heir::Later;
            }
            (below, at) = (Some(at), next);
        }
    }

    /// The ancestor of a process that its hint names, or else its parent.
    fn next_above(&self, group: Idx<Group>) -> Option<Idx<Group>> {
        self.hinted(group, false)
            .or_else(|| match self.groups()[group].parent {
                Parent::Task(parent) => Some(self.tasks()[parent].group),
                Parent::Outside => None,
            })
    }

    /// Whether a process takes the orphans of a level.
    fn takes_orphans(&self, group: Idx<Group>, level: usize) -> bool {
        let process = &self.groups()[group];
        process.is_subreaper && process.nr_live > 0 && process.tgid.ns().level() == level
    }

    /// The ancestor up to which nobody takes orphans, as far as a process knows; if it is `trusted` also
    /// if somebody has become a subreaper since.
    fn hinted(&self, group: Idx<Group>, trusted: bool) -> Option<Idx<Group>> {
        let process = &self.groups()[group];
        let is_current =
            process.hinted_at == self.subreapers_set() && self.subreapers_set() != u32::MAX;
        let is_valid = trusted || is_current;
        self.groups().find(process.reaper_hint).filter(|_| is_valid)
    }

    fn hint(&mut self, group: Idx<Group>, ancestor: Idx<Group>) {
        let id = self.groups().id(ancestor);
        let now = self.subreapers_set();
        let process = self.group_mut(group);
        (process.reaper_hint, process.hinted_at) = (id, now);
    }
}
