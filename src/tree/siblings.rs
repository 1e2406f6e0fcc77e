// SPDX-License-Identifier: GPL-2.0

//! The children of a task, and which of them have news for a wait.
//!
//! `kernel/exit.c`: `do_wait_thread()` goes through the children until it finds one that a wait can report, and
//! through all of them when there is none. Here a task remembers for each kind of news the first child that can
//! have it, so that a million other children need not be looked at.
//!
//! # Locks
//!
//! Under the tree lock.
//!
//! # Invariants
//!
//! - Children are in the order of [`Group::place`](crate::tree::group::Group::place).
//! - No child before [`Task::news`](crate::tree::task::Task::news) of a kind has news of that kind; with
//!   `None` no child has.

use super::Tree;
use crate::{
    base::slots::Idx,
    pid::namespace::Namespace,
    tree::group::{Group, JobReport, Parent},
    tree::task::Task,
    tree::wakeups::Key,
};

/// What a wait can report of a child.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// It is dead.
    Death,
    /// It has stopped.
    Stop,
    /// It was continued.
    Continue,
}

impl News {
    /// Every kind, in the order of their values.
    pub(crate) const ALL: [Self; 3] = [Self::Death, Self::Stop, Self::Continue];
}

impl Tree {
    /// The news that a process has for its parent. A dead process has no stop or continuation to report.
    pub(crate) fn news_of(&self, child: Idx<Group>) -> Option<News> {
        match self.groups[child].job.to_report() {
            Some(JobReport::Stopped(_)) => Some(News::Stop),
            Some(JobReport::Continued) => Some(News::Continue),
            None => self.is_reapable(child).then_some(News::Death),
        }
    }

    /// A process has news for its parent from now on. Callers that wait for it are woken when the lock is released.
    pub(crate) fn note_news(&mut self, child: Idx<Group>) {
        if let Parent::Task(parent) = self.groups[child].parent {
            self.note_wakeup(|tree| Key::child(tree, parent, child));
            // A search that has passed this child begins again.
            self.change_family(child);
        }
        self.enter_news(child);
    }

    /// Lets the parent of a process find the news of it, if there is any.
    pub(super) fn enter_news(&mut self, child: Idx<Group>) {
        let Parent::Task(parent) = self.groups[child].parent else {
            return;
        };
        let Some(news) = self.news_of(child) else {
            return;
        };
        let first = &mut self.tasks[parent].news[news as usize];
        let is_first = |first| self.groups[child].place < self.groups[first].place;
        if first.is_none_or(is_first) {
            *first = Some(child);
        }
    }

    /// Puts a process behind the other children of its parent, which is not woken: natively only the death of a
    /// child is announced again after it was reparented (`reparent_leader()`).
    pub(super) fn enter_children(&mut self, child: Idx<Group>) {
        if let Parent::Task(parent) = self.groups[child].parent {
            self.last_place += 1;
            self.groups[child].place = self.last_place;
            let children = &mut self.tasks[parent].children;
            children.push_back(&mut self.groups, child);
            self.change_family(child);
        }
    }

    /// Takes a process from the children of its parent.
    pub(super) fn leave_children(&mut self, child: Idx<Group>) {
        if let Parent::Task(parent) = self.groups[child].parent {
            self.change_family(child);
            let parent = &mut self.tasks[parent];
            let next = parent.children.next(&self.groups, child);
            for first in parent
                .news
                .iter_mut()
                .filter(|first| **first == Some(child))
            {
                *first = next;
            }
            parent.children.remove(&mut self.groups, child);
        }
    }

    /// The next child of a task behind one that was looked at. If that one has no news of a kind but was the first
    /// that could have it, the next child is the first now.
    pub(crate) fn next_child(
        &mut self,
        parent: Idx<Task>,
        child: Idx<Group>,
    ) -> Option<Idx<Group>> {
        let has = self.news_of(child);
        let parent = &mut self.tasks[parent];
        let next = parent.children.next(&self.groups, child);
        for news in News::ALL {
            let first = &mut parent.news[news as usize];
            if *first == Some(child) && has != Some(news) {
                *first = next;
            }
        }
        next
    }

    /// The first child of a task, at or behind `child`, that may have news of some kinds.
    pub(crate) fn first_news(
        &self,
        parent: Idx<Task>,
        child: Idx<Group>,
        kinds: impl Iterator<Item = News>,
    ) -> Option<Idx<Group>> {
        let place = |child: Idx<Group>| self.groups[child].place;
        kinds
            .filter_map(|news| self.tasks[parent].news[news as usize])
            .map(|first| core::cmp::max_by_key(first, child, |&one| place(one)))
            .min_by_key(|&one| place(one))
    }

    /// The number of a process's parent as seen from a namespace, 0 for one that is not visible
    /// (`task_ppid_nr_ns()`).
    pub(crate) fn parent_nr(&self, group: Idx<Group>, view: &Namespace) -> i32 {
        match self.groups[group].parent {
            Parent::Task(parent) => self.group_of(parent).tgid.nr_ns(view),
            Parent::Outside => 0,
        }
    }
}
