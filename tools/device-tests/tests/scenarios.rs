// SPDX-License-Identifier: GPL-2.0

//! The scenarios, each run by `altpid run` as one types it.

use std::{
    env, fs,
    process::{Command, Output},
};

/// Runs a scenario under the name that it has in the tree.
fn run(name: &str, text: &str) {
    let dir = env::temp_dir().join(format!("altpid-scenario-{name}-{}", std::process::id()));
    fs::create_dir_all(dir.join("scenarios")).expect("a directory");
    let file = format!("scenarios/{name}.altpid");
    fs::write(dir.join(&file), text).expect("a file");
    let output = Command::new("altpid")
        .args(["run", &file])
        .current_dir(&dir)
        .output();
    fs::remove_dir_all(&dir).expect("the directory");
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("the command runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&stdout), text(&stderr));
    assert_eq!(status.code(), Some(0), "{out}\n{err}");
    assert_eq!(err, "");
    assert!(out.ends_with("all as expected\n"), "{out}");
}

// A test for each file in tools/scenarios/, made by build.rs.
include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));
