// SPDX-License-Identifier: GPL-2.0

//! altpid and the kernel that it runs on do the same: a short run of the oracle (docs/oracle.md).

use altpid_device_tests::figures::{repeated, tell};
use std::process::Command;

#[test]
fn a_short_run() {
    let run = Command::new("oracle")
        .args(["--ops", &repeated(20_000).to_string(), "--seed", "1"])
        .output()
        .expect("the oracle");
    let text = String::from_utf8_lossy(&run.stdout);
    println!("{text}{}", String::from_utf8_lossy(&run.stderr));
    assert!(
        run.status.success(),
        "a divergence, a rule without a case, or a difference that is none"
    );
    let sum = text.lines().find(|line| line.contains("operations in"));
    tell(&format!("oracle: {}, no divergence", sum.unwrap_or("?")));
}
