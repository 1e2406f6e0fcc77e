// SPDX-License-Identifier: GPL-2.0

//! What does not do what the kernel does is found: runs of the oracle (docs/oracle.md) over a build
//! of the module with deliberate faults.

use altpid_device_tests::{figures::tell, module::Reloaded};
use std::{
    path::Path,
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Where the module with deliberate faults is.
const FAULTY: &str = "/lib/modules/faults/altpid.ko";

/// There is one module at a time.
static MODULE: Mutex<()> = Mutex::new(());

/// The status with which `altpid run` ends when an expectation does not hold.
const NOT_MET: i32 = 3;

/// The scenario that a run of the oracle prints of a divergence.
fn scenario(text: &str) -> String {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("DIVERGENCE "));
    let lines: Vec<_> = lines.skip(1).take_while(|line| !line.is_empty()).collect();
    lines.join("\n") + "\n"
}

/// What the command says of a scenario.
fn play(path: &Path) -> Option<i32> {
    let run = Command::new("altpid").arg("run").arg(path).output();
    let run = run.expect("the command");
    println!("{}", String::from_utf8_lossy(&run.stdout));
    eprintln!("{}", String::from_utf8_lossy(&run.stderr));
    run.status.code()
}

/// Whether `oracle` says of a scenario that both sides do the same.
fn compare(path: &Path) -> bool {
    let run = Command::new("oracle").arg(path).output();
    let run = run.expect("the oracle");
    println!("{}", String::from_utf8_lossy(&run.stdout));
    eprintln!("{}", String::from_utf8_lossy(&run.stderr));
    run.status.success()
}

/// A run over the module with a fault must find a divergence, and print it as a scenario that does
/// not hold over that module, and does over the other one: for `altpid run`, and for the oracle itself.
fn finds(fault: u32, what: &str) {
    let _one = MODULE.lock().unwrap_or_else(PoisonError::into_inner);
    let reloaded = Reloaded::from(FAULTY, &format!("fault={fault}"));
    let run = Command::new("oracle")
        .args(["--ops", "20000", "--seed", "1", "--undirected"])
        .output()
        .expect("the oracle");
    let text = String::from_utf8_lossy(&run.stdout);
    println!("{text}{}", String::from_utf8_lossy(&run.stderr));
    let path = std::env::temp_dir().join(format!("fault-{fault}.altpid"));
    std::fs::write(&path, scenario(&text)).expect("a file");
    let over_this = (play(&path), compare(&path));
    drop(reloaded);
    let found = text
        .lines()
        .find_map(|line| line.strip_prefix("DIVERGENCE "));
    let found = found.unwrap_or_else(|| panic!("{what}: not found"));
    assert!(!run.status.success(), "a divergence is a failure");
    let over_other = (play(&path), compare(&path));
    let holds_not = (Some(NOT_MET), false);
    assert_eq!(over_this, holds_not, "over the module with the fault");
    assert_eq!(over_other, (Some(0), true), "over the module without");
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
