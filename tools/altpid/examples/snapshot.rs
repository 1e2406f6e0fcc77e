// SPDX-License-Identifier: GPL-2.0

//! A tree from a description: checked, built with every number as it says, compared and read back.

use altpid::{World, restore::restore, snapshot::Snapshot};
use std::error::Error;

const TEXT: &str = r#"{
    "version": 1, "kernel": "7.3", "pid_max": 32768, "last_pid": 400,
    "namespaces": [{"parent": null, "level": 0, "inode": 1}, {"parent": 0, "level": 1, "inode": 2}],
    "tasks": [
        {"pid": [1], "tgid": [1], "pgid": [1], "sid": [1],
         "ppid": 0, "ns": 0, "state": "S", "comm": "init"},
        {"pid": [30, 1], "tgid": [30, 1], "pgid": [30, 1], "sid": [30, 1],
         "ppid": 1, "ns": 1, "state": "S", "comm": "sh"}
    ]
}"#;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let snapshot = Snapshot::parse(TEXT.as_bytes())?;
    let restored = restore(World::open()?, &snapshot, |_done, _all| ())?;
    let verdict = restored.verify(&snapshot)?;
    assert_eq!(verdict.mismatches, Vec::<String>::new());

    // The world as a snapshot again: the same numbers, outermost namespace first.
    let again = restored.snapshot()?;
    assert_eq!(again.tasks[1].to_string(), "task 30/1 (sh)");
    Ok(())
}
