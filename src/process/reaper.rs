// SPDX-License-Identifier: GPL-2.0

//! Reparenting: which task becomes the parent of the children of a thread that exits.
//!
//! `kernel/exit.c`: `find_new_reaper()`, `find_alive_thread()`; `kernel/sys.c`: `PR_SET_CHILD_SUBREAPER`.
//!
//! Natively `has_child_subreaper` says that some ancestor is a subreaper, and the walk up to it is done in one
//! hold of `tasklist_lock`: in a line of n processes that die from the last one up, n^2 / 2 steps. Here a
//! process remembers an ancestor up to which there is no subreaper ([`Group::reaper_hint`]); each walk up
//! shortens the next one by that, and can be done in parts.
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
    tree::group::{Group, Parent},
    tree::task::Task,
    tree::Tree,
};

/// The result of a search for the new parent.
pub(crate) enum Heir {
    /// This task, or none in this world.
    Found(Option<Idx<Task>>),
    /// The walk up is long: go on later.
    Later,
}

impl Tree {
    /// The new parent of the children of `father`: another thread of its group, the nearest subreaper among its
    /// ancestors, or the init of the namespace of `father`.
    pub(crate) fn find_new_reaper(&mut self, father: Idx<Task>) -> Heir {
        if faults::has(Fault::WrongReaper) {
            if let Some(above) = self.tasks()[father].ns().parent() {
                return Heir::Found(Idx::from_raw(above.child_reaper()));
            }
        }
        if let Some(thread) = self.alive_thread(self.tasks()[father].group()) {
            return Heir::Found(Some(thread));
        }
        let init = Idx::from_raw(self.tasks()[father].ns().child_reaper());
        let has_begun = self.note_reaper_sought(father);
        match self.find_subreaper(self.tasks()[father].group(), has_begun) {
            Heir::Found(subreaper) => {
                Heir::Found(subreaper.or(init).filter(|&heir| heir != father))
            }
            Heir::Later => Heir::Later,
        }
    }

    /// A live thread of the nearest ancestor that is a subreaper. The search ends at an ancestor of another level
    /// than `father`, which is not of its namespace.
    ///
    /// If this exit `has_begun` to search it goes on from the hint, however old: a process below it that has become a
    /// subreaper since has done so after this exit. Other exits must not trust that hint, so its age is kept.
    pub(crate) fn find_subreaper(&mut self, father: Idx<Group>, has_begun: bool) -> Heir {
        if self.nr_subreapers() == 0 {
            return Heir::Found(None);
        }
        let level = self.groups()[father].tgid().ns().level();
        let now = self.subreapers_set();
        if !has_begun && self.hinted(father, false).is_none() {
            self.forget_reaper_hint(father);
        }
        let then = match has_begun {
            true => self.groups()[father].hinted_at(),
            false => now,
        };
        let mut at = self.hinted(father, has_begun).unwrap_or(father);
        if at != father && self.takes_orphans(at, level) {
            return Heir::Found(self.alive_thread(at));
        }
        // The hint of each process on the way is set to its grandparent there (path splitting), so that all walks
        // together take some log n steps for each of n processes.
        let mut below = None;
        loop {
            let Some(next) = self.next_above(at) else {
                return Heir::Found(None);
            };
            self.draw(2);
            if self.groups()[next].tgid().ns().level() != level {
                return Heir::Found(None);
            }
            if let Some(below) = below {
                self.hint_reaper(below, next, now);
            }
            self.hint_reaper(father, next, then);
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
            .or_else(|| match self.groups()[group].parent() {
                Parent::Task(parent) => Some(self.tasks()[parent].group()),
                Parent::Outside => None,
            })
    }

    /// Whether a process is a live subreaper of a level.
    fn takes_orphans(&self, group: Idx<Group>, level: usize) -> bool {
        let process = &self.groups()[group];
        process.is_subreaper() && process.nr_live() > 0 && process.tgid().ns().level() == level
    }

    /// The ancestor in the hint of a process, if the hint is valid: no process has become a subreaper since, or it is
    /// `trusted` all the same.
    fn hinted(&self, group: Idx<Group>, trusted: bool) -> Option<Idx<Group>> {
        let process = &self.groups()[group];
        let is_current =
            process.hinted_at() == self.subreapers_set() && self.subreapers_set() != u32::MAX;
        let is_valid = trusted || is_current;
        self.groups()
            .find(process.reaper_hint())
            .filter(|_| is_valid)
    }
}
