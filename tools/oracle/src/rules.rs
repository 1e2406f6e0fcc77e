// SPDX-License-Identifier: GPL-2.0

//! What the kernel is known to do, each rule with a test that says whether an operation was a case
//! of it. A run in which a rule has no case is not complete.

mod life;
mod numbers;
mod pidfds;
mod signals;

use crate::event::Event;
use altpid::NsState;

/// One of them.
pub struct Rule {
    /// Its name, in which the part before the colon is the area.
    pub name: &'static str,
    /// What it says.
    pub text: &'static str,
    /// Whether an operation was a case of it.
    pub is: fn(&Event<'_>) -> bool,
}

const fn rule(name: &'static str, text: &'static str, is: fn(&Event<'_>) -> bool) -> Rule {
    Rule { name, text, is }
}

/// The flags and the wanted numbers of a clone that failed with this errno.
fn clone_fails<'a>(e: &Event<'a>, errno: i32) -> Option<(u64, &'a [i32])> {
    (e.error() == errno).then(|| e.wants()).flatten()
}

/// Whether the caller's children were born in a namespace in this state.
fn nursery_is(e: &Event<'_>, state: NsState) -> bool {
    e.nursery().is_some_and(|ns| ns.state == state)
}

/// All rules, always in the same order.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [numbers::RULES, life::RULES, signals::RULES, pidfds::RULES]
        .into_iter()
        .flatten()
}

/// Adds the cases that an operation was of to the counts, one for each rule.
pub fn count(event: &Event<'_>, cases: &mut [u64]) {
    for (rule, cases) in rules().zip(cases) {
        *cases += u64::from((rule.is)(event));
    }
}
