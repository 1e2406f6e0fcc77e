// SPDX-License-Identifier: GPL-2.0

//! What does not do what the kernel does is found: runs of the oracle (docs/oracle.md) over a build
//! of the module with deliberate faults.

use altpid_device_tests::{figures::tell, module::Reloaded};
use std::{
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Where the module with deliberate faults is.
const FAULTY: &str = "/lib/modules/faults/altpid.ko";

/// There is one module at a time.
static MODULE: Mutex<()> = Mutex::new(());

/// A run over the module with a fault must find a divergence.
fn finds(fault: u32, what: &str) {
    let _one = MODULE.lock().unwrap_or_else(PoisonError::into_inner);
    let reloaded = Reloaded::from(FAULTY, &format!("fault={fault}"));
    let run = Command::new("oracle")
        .args(["--ops", "20000", "--seed", "1", "--undirected"])
        .output()
        .expect("the oracle");
    drop(reloaded);
    let text = String::from_utf8_lossy(&run.stdout);
    println!("{text}{}", String::from_utf8_lossy(&run.stderr));
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix("DIVERGENCE "));
    let found = found.unwrap_or_else(|| panic!("{what}: not found"));
    assert!(!run.status.success(), "a divergence is a failure");
    tell(&format!(
        "oracle: {what}: found {}",
        found.trim_end_matches(':')
    ));
}

#[test]
fn finds_a_wrap_to_1() {
    finds(1, "a wrap to 1");
}

#[test]
fn finds_an_init_that_does_not_wait() {
    finds(2, "an init that does not wait");
}

#[test]
fn finds_a_wrong_reaper() {
    finds(3, "a wrong reaper");
}

#[test]
fn finds_a_missing_guard() {
    finds(4, "a missing guard");
}

#[test]
fn finds_a_second_unshare() {
    finds(5, "a second unshare");
}

#[test]
fn finds_a_mortal_init() {
    finds(6, "a mortal init");
}
