// SPDX-License-Identifier: GPL-2.0

//! Creating a namespace and destroying it again.

use super::Chain;
use crate::{
    measure::{now, report, settle, BATCHES},
    namespace::Namespace,
    native::{flush_work, Native},
};

/// Namespaces of a batch.
const NAMESPACES: u32 = 200;

/// Up to the end of the work that natively does the destroying.
pub(super) fn create_and_destroy(chain: &Chain, native: &Native) {
    let case = format_args!("namespace create+destroy, level {}", native.level() + 1);
    for _ in 0..BATCHES {
        let start = now();
        for _ in 0..NAMESPACES {
            drop(Namespace::create(Some(&chain.ns), &chain.registry));
        }
        let ns = now() - start;
        settle();
        report(case, "altpid", NAMESPACES, ns);
        let start = now();
        for _ in 0..NAMESPACES {
            drop(native.create_ns());
        }
        flush_work();
        let ns = now() - start;
        settle();
        report(case, "native", NAMESPACES, ns);
    }
}
