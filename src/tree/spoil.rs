// SPDX-License-Identifier: GPL-2.0

//! Breaks invariants of the tree, for the KUnit suites that check whether an audit finds it. Not in the module.

use super::{group::Group, task::Task, News, Tree};
use crate::base::slots::Idx;

impl Tree {
    /// Sets whether a process is a subreaper without counting it.
    pub(crate) fn spoil_subreaper(&mut self, group: Idx<Group>, on: bool) {
        self.groups[group].is_subreaper = on;
    }

    /// Replaces where a task looks for news of its children; returns the previous places.
    pub(crate) fn spoil_news(
        &mut self,
        task: Idx<Task>,
        news: [Option<Idx<Group>>; News::ALL.len()],
    ) -> [Option<Idx<Group>>; News::ALL.len()] {
        core::mem::replace(&mut self.tasks[task].news, news)
    }
}
