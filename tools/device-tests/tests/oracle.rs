// SPDX-License-Identifier: GPL-2.0

//! altpid and the kernel that it runs on do the same: short runs of the oracle (docs/oracle.md).

use altpid_device_tests::{
    figures::{repeated, tell},
    members::has_members,
};
use std::process::Command;

fn run(ops: u64, how: &[&str], what: &str) {
    let run = Command::new("oracle")
        .args(["--ops", &repeated(ops).to_string(), "--seed", "1"])
        .args(how)
        .output()
        .expect("the oracle");
    let text = String::from_utf8_lossy(&run.stdout);
    println!("{text}{}", String::from_utf8_lossy(&run.stderr));
    assert!(
        run.status.success(),
        "a divergence, a rule without a case, or a difference that is none"
    );
    let sum = text.lines().find(|line| line.contains("operations in"));
    tell(&format!("{what}: {}, no divergence", sum.unwrap_or("?")));
}

#[test]
fn a_short_run() {
    run(20_000, &[], "oracle");
}

/// What it finds is listed in docs/oracle.md.
#[test]
#[ignore = "finds what is not mended yet"]
fn a_short_run_with_members() {
    if has_members() {
        run(5_000, &["--members"], "oracle with members");
    }
}
