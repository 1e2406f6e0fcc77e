// SPDX-License-Identifier: GPL-2.0

//! Taking the time: batches of the one side and of the other in turn, and a line in the log for
//! each.

use kernel::{bindings, prelude::*};

/// Batches of each side, when they are long.
pub(crate) const BATCHES: usize = 9;

/// Operations between two looks at the clock.
const CHUNK: u32 = 1024;

/// Nanoseconds of a millisecond.
const MS: i64 = 1_000_000;

/// How much is done in one batch.
#[derive(Clone, Copy)]
pub(crate) enum Batch {
    /// As much as takes 200 ms: what is left for later, as the callbacks of RCU, is done meanwhile,
    /// but for what the last grace period has left.
    Sustained,
    /// As much as takes 0.3 ms, less than what other work of the host leaves alone: for what leaves
    /// nothing for later.
    Short,
    /// 2000 operations: too few for what is left for later to be done meanwhile.
    Burst,
}

impl Batch {
    /// How many there are of each side.
    pub(crate) fn count(self) -> usize {
        match self {
            Batch::Sustained => BATCHES,
            Batch::Short => 15 * BATCHES,
            Batch::Burst => 3 * BATCHES,
        }
    }
}

pub(crate) fn now() -> i64 {
    // SAFETY: No requirements.
    unsafe { bindings::ktime_get() }
}

/// Writes down what one batch took.
pub(crate) fn report(case: core::fmt::Arguments<'_>, side: &str, operations: u32, ns: i64) {
    pr_info!("{} {} {} {}\n", case, side, operations, ns);
}

/// Waits until what was freed by RCU is.
pub(crate) fn settle() {
    // SAFETY: Called in process context.
    unsafe { bindings::rcu_barrier() };
}

/// Lets others run, RCU among them: a loop in the kernel is no quiescent state by itself.
pub(crate) fn breathe() {
    // SAFETY: Called in process context, and no lock is held.
    unsafe { bindings::schedule() };
}

/// Runs one batch; returns how many operations it had, and the time.
pub(crate) fn run(batch: Batch, mut operation: impl FnMut()) -> (u32, i64) {
    let (chunk, time) = match batch {
        Batch::Sustained => (CHUNK, 200 * MS),
        Batch::Short => (CHUNK, 3 * MS / 10),
        Batch::Burst => (2000, 0),
    };
    let mut operations = 0;
    let start = now();
    loop {
        for _ in 0..chunk {
            operation();
        }
        operations += chunk;
        let elapsed = now() - start;
        if elapsed >= time {
            return (operations, elapsed);
        }
        breathe();
    }
}

/// One batch of one side.
pub(crate) fn measure(
    case: core::fmt::Arguments<'_>,
    side: &str,
    batch: Batch,
    operation: impl FnMut(),
) {
    let (operations, ns) = run(batch, operation);
    if !matches!(batch, Batch::Short) {
        settle();
    }
    report(case, side, operations, ns);
}

/// One batch of the one side and one of the other, and again.
pub(crate) fn compare(
    case: core::fmt::Arguments<'_>,
    batch: Batch,
    mut altpid: impl FnMut(),
    mut native: impl FnMut(),
) {
    for _ in 0..batch.count() {
        measure(case, "altpid", batch, &mut altpid);
        measure(case, "native", batch, &mut native);
    }
}
