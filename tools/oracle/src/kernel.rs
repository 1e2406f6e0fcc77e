// SPDX-License-Identifier: GPL-2.0

//! Which kernel runs: where two of them differ, each does what it does.

use anyhow::Result;

/// A kernel, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Linux 7.2
    V7_2,
    /// Linux 7.3, which altpid does like, and what comes after it.
    V7_3,
}

impl Kernel {
    /// The one that runs.
    pub fn running() -> Result<Self> {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
        Ok(match release.starts_with("7.2") {
            true => Self::V7_2,
            false => Self::V7_3,
        })
    }
}
