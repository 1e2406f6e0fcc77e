// SPDX-License-Identifier: GPL-2.0

//! Spoils what the tree keeps true, for the KUnit suites that see whether an audit finds it. Not in the
//! module.

use super::{group::Group, task::Task, News, Tree};
use crate::base::slots::Idx;

impl Tree {
    /// A process takes orphans, or does not, and is not counted so.
    pub(crate) fn spoil_subreaper(&mut self, group: Idx<Group>, on: bool) {
        self.groups[group].is_subreaper = on;
    }

    /// A task looks for news of its children elsewhere; returns where it has looked so far.
    pub(crate) fn spoil_news(
        &mut self,
        task: Idx<Task>,
        news: [Option<Idx<Group>>; News::ALL.len()],
    ) -> [Option<Idx<Group>>; News::ALL.len()] {
        core::mem::replace(&mut self.tasks[task].news, news)
    }
}
