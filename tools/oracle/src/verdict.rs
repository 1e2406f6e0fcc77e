// SPDX-License-Identifier: GPL-2.0

//! What a run has found.

use crate::workers::News;
use altpid_oracle::{differences, hunt::Counts, kernel::Kernel, rules::rules};
use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

/// Rules that members have no case of: flags of clone3(2) beyond 32 bits are `ENOSYS` for them, and a namespace that nobody
/// lives in cannot be joined by a pidfd.
const NOT_OF_MEMBERS: &[&str] = &[
    "ns: init by setns",
    "ns: setns dead",
    "clone: AUTOREAP",
    "reap: AUTOREAP",
    "pidfd: autoreap",
    "pidfd: autokill",
    "pidfd: autokill, flags",
];

/// What all workers have told so far.
pub struct Verdict {
    started: Instant,
    kernel: Kernel,
    with_members: bool,
    counts: Vec<Counts>,
    cases: HashMap<usize, Vec<u64>>,
    kinds: HashSet<String>,
    deliberate: HashSet<String>,
}

impl Verdict {
    /// Nothing yet.
    pub fn new(workers: usize, kernel: Kernel, with_members: bool) -> Self {
        Self {
            started: Instant::now(),
            kernel,
            with_members,
            counts: vec![Counts::default(); workers],
            cases: HashMap::new(),
            kinds: HashSet::new(),
            deliberate: HashSet::new(),
        }
    }

    /// Takes notice of what a worker tells.
    pub fn hear(&mut self, worker: usize, news: News) {
        match news {
            News::Counts(counts, cases) => {
                self.counts[worker] = counts;
                self.cases.insert(worker, cases);
            }
            News::Divergence(kind, scenario, after) => {
                if self.kinds.insert(kind) {
                    println!("DIVERGENCE after {after} operations of worker {worker}:\n{scenario}");
                }
            }
            News::Race(what) => println!("not always: {what}\n"),
            News::Deliberate(name) => {
                self.deliberate.insert(name);
            }
        }
    }

    /// How many kinds of divergences there are.
    pub fn divergences(&self) -> usize {
        self.kinds.len()
    }

    fn sum(&self, of: fn(&Counts) -> u64) -> u64 {
        self.counts.iter().map(of).sum()
    }

    /// How far it is, in words.
    pub fn progress(&self) -> String {
        let ops = self.sum(|counts| counts.ops);
        let speed = ops as f64 / self.started.elapsed().as_secs_f64();
        format!("{speed:4.0} operations a second: {ops}")
    }

    fn cases(&self, rule: usize) -> u64 {
        self.cases
            .values()
            .filter_map(|cases| cases.get(rule))
            .sum()
    }

    /// Prints all of it.
    pub fn print(&self) {
        println!("\nrules, and how often each had a case on both sides:");
        for (index, rule) in rules().enumerate() {
            println!("{:8}  {:<28} {}", self.cases(index), rule.name, rule.text);
        }
        println!("\ndeliberate differences:");
        for difference in differences::of(self.kernel, self.with_members) {
            let shown = if self.deliberate.contains(difference.name) {
                "differs"
            } else {
                "DOES NOT DIFFER"
            };
            println!(
                "    {}: {shown}\n    {}",
                difference.name, difference.reason
            );
        }
        println!(
            "\n{} operations in {} sequences in {:.0} s\n\
            {} ended in a deliberate difference, {} in what the kernel does not always do\n\
            {} divergences",
            self.sum(|counts| counts.ops),
            self.sum(|counts| counts.sequences),
            self.started.elapsed().as_secs_f64(),
            self.sum(|counts| counts.deliberate),
            self.sum(|counts| counts.races),
            self.divergences(),
        );
    }

    /// Whether nothing diverges, every deliberate difference has shown, and every rule had a case if
    /// that is wanted.
    pub fn is_good(&self, coverage: bool) -> bool {
        let mut rules = rules().enumerate();
        let covered = rules.all(|(index, rule)| {
            let is_refused = self.with_members && NOT_OF_MEMBERS.contains(&rule.name);
            self.cases(index) > 0 || is_refused
        });
        let mut differences = differences::of(self.kernel, self.with_members);
        self.kinds.is_empty()
            && differences.all(|difference| self.deliberate.contains(difference.name))
            && (covered || !coverage)
    }
}
