// SPDX-License-Identifier: GPL-2.0

//! `altpid diff`: what counts as a difference, and how it is written.

mod command_line;

use command_line::{NESTED as SNAPSHOT, run};
use serde_json::{Value, json};
use std::fs;

#[test]
fn what_differs() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.json");
    fs::write(&file, SNAPSHOT).expect("a file");
    let a = file.to_str().expect("a name");
    assert_eq!(
        run(&["diff", a, "-"], SNAPSHOT),
        (0, String::new(), String::new())
    );
    let other = SNAPSHOT
        .replace("\"T\", \"comm\": \"deep\"", "\"R\", \"comm\": \"dive\"")
        .replace(
            r#"{"pid": [40], "tgid": [40], "pgid": [39], "sid": [39], "#,
            r#"{"pid": [41], "tgid": [41], "pgid": [39], "sid": [39], "#,
        );
    let (status, out, _) = run(&["diff", a, "-"], &other);
    assert_eq!(status, 3);
    assert_eq!(
        out,
        "~ 32/3/1 deep: state stopped → alive, name deep → dive\n- 40 cron\n+ 41 cron\n"
    );
    let (_, json, _) = run(&["diff", "-J", a, "-"], &other);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["differences"][1]["task"]["pid"], json!([40]));
}

/// Names are compared as far as they can be the same: the kernel keeps 15 bytes of those of its threads,
/// and what a worker does is of the moment.
#[test]
fn names_that_cannot_be_the_same() {
    let with = |name: &str| SNAPSHOT.replace("\"cron\"", &format!("\"{name}\""));
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.json");
    let differs = |a: &str, b: &str| {
        fs::write(&file, with(a)).expect("a file");
        run(&["diff", file.to_str().expect("a name"), "-"], &with(b)).0
    };
    assert_eq!(differs("kworker/0:1-mm_percpu_wq", "kworker/0:1+events"), 0);
    assert_eq!(differs("kworker/0:1-mm_percpu_wq", "kworker/0:1-mm_"), 0);
    assert_eq!(differs("kworker/0:1-events", "kworker/0:2-events"), 3);
    assert_eq!(
        differs("rcu_exp_par_gp_kthread_worker/0", "rcu_exp_par_gp_"),
        0
    );
    assert_eq!(differs("a-b", "a-c"), 3);
}

/// A namespace that is dying, or has no init, differs from one that lives.
#[test]
fn states_of_namespaces_differ() {
    let dying = fs::read_to_string("tests/dying-namespace.snapshot.json").expect("the snapshot");
    let alive = dying.replace("\"I\"", "\"S\"");
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.json");
    fs::write(&file, alive).expect("a file");
    let (status, out, _) = run(&["diff", file.to_str().expect("a name"), "-"], &dying);
    assert_eq!(
        (status, out.as_str()),
        (3, "~ 5/1 stuckinit: state alive → exiting\n")
    );
}
