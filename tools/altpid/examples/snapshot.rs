// SPDX-License-Identifier: GPL-2.0

//! A tree from a description: checked, built with every number as it says, compared and drawn.

use altpid::{World, restore::restore, snapshot::Snapshot, tree, view::View};
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

    let mut drawing = Vec::new();
    let style = tree::Style { color: false };
    let view = View::of_snapshot(&restored.snapshot()?);
    tree::draw(&mut drawing, &view, style)?;
    let drawing = String::from_utf8(drawing)?;
    assert_eq!(drawing, "1 init\n└─ 30/1 sh  [pid namespace 1]\n");
    Ok(())
}
