// SPDX-License-Identifier: GPL-2.0

//! The `altpid` command as one types it: output, messages, exit status. What needs the module is
//! tested in the guest.

mod command_line;

use command_line::{altpid, finish, run};
use std::{fs, path::Path, process::Command};

const SNAPSHOT: &str = r#"{
"version": 1, "kernel": "7.3.0", "pid_max": 32768, "last_pid": 400,
"namespaces": [{"parent": null, "level": 0, "inode": 1}, {"parent": 0, "level": 1, "inode": 2}],
"tasks": [
{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1], "ppid": 0, "ns": 0, "state": "S", "comm": "init"},
{"pid": [20], "tgid": [20], "pgid": [20], "sid": [20], "ppid": 1, "ns": 0, "state": "S", "comm": "login"},
{"pid": [21], "tgid": [20], "pgid": [20], "sid": [20], "ppid": 1, "ns": 0, "state": "S", "comm": "worker"},
{"pid": [30, 1], "tgid": [30, 1], "pgid": [30, 1], "sid": [30, 1], "ppid": 20, "ns": 1, "state": "S", "comm": "sh"},
{"pid": [31, 2], "tgid": [31, 2], "pgid": [30, 1], "sid": [30, 1], "ppid": 30, "ns": 1, "state": "Z", "comm": "sleep"},
{"pid": [40], "tgid": [40], "pgid": [40], "sid": [40], "ppid": 1, "ns": 0, "state": "S", "comm": "cron"}
]}"#;

#[test]
fn a_tree_is_drawn() {
    let (status, out, err) = run(&["tree", "-"], SNAPSHOT);
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "1 init
├─ 20 login  {21 worker}
│  └─ 30/1 sh  [pid namespace 2]
│     └─ 31/2 sleep <defunct>
└─ 40 cron
"
    );
}

#[test]
fn json_comes_out_as_it_went_in() {
    let (status, once, _) = run(&["tree", "--json", "-"], SNAPSHOT);
    assert_eq!(status, 0);
    let (status, again, _) = run(&["tree", "-J", "-"], &once);
    assert_eq!((status, &again), (0, &once));
}

/// Nothing is touched before the whole snapshot is known to be one.
#[test]
fn a_bad_snapshot_is_refused_before_the_device_is_opened() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("torn.json");
    fs::write(&file, &SNAPSHOT[..SNAPSHOT.len() / 2]).expect("a file");
    let name = file.to_str().expect("a name");
    for verb in ["restore", "tree"] {
        let (status, out, err) = run(&[verb, name], "");
        assert_eq!((status, out.as_str()), (1, ""), "{verb}");
        let start = format!("altpid: {name}: not a snapshot: ");
        assert!(err.starts_with(&start), "{err}");
        assert!(err.contains(" at line 7 column "), "{err}");

        let taken = SNAPSHOT.replace("\"pid\": [40]", "\"pid\": [20]");
        let (status, out, err) = run(&[verb, "-"], &taken);
        assert_eq!((status, out.as_str()), (1, ""), "{verb}");
        assert!(err.starts_with("altpid: standard input: task "), "{err}");

        let (status, _, err) = run(&[verb, "/does/not/exist"], "");
        assert_eq!(status, 1, "{verb}");
        assert_eq!(
            err,
            "altpid: /does/not/exist: No such file or directory (os error 2)\n"
        );
    }
}

#[test]
fn without_the_device() {
    let mut command = altpid(&["restore", "-"]);
    command.env("ALTPID_DEVICE", "/does/not/exist");
    let (status, _, err) = finish(&mut command, SNAPSHOT);
    assert_eq!(status, 1);
    assert!(err.starts_with("altpid: /does/not/exist: "), "{err}");
    assert!(err.contains("is the module loaded?"), "{err}");
}

/// Something else than the device, and text that is not UTF-8.
#[test]
fn what_is_no_device_and_no_text() {
    for verb in ["hold", "run", "shell"] {
        let args = if verb == "run" {
            &[verb, "-"][..]
        } else {
            &[verb]
        };
        let (status, out, err) = finish(altpid(args).env("ALTPID_DEVICE", "/dev/null"), "tasks\n");
        assert_eq!((status, out.as_str()), (1, ""), "{verb}");
        let start = "altpid: /dev/null: this is not the device of altpid\n";
        assert!(err.starts_with(start), "{err}");
    }
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("latin.altpid");
    fs::write(&file, b"a = clone\n# na\xefve\n").expect("a file");
    let name = file.to_str().expect("a name");
    let (status, _, err) = run(&["run", "-n", name], "");
    assert_eq!(status, 2);
    assert!(
        err.starts_with(&format!("altpid: {name}:2: this is not UTF-8\n")),
        "{err}"
    );
    let script = "printf 'help exit\\n\\357\\n' | \"$0\" shell";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_altpid")])
        .output();
    let output = output.expect("a shell");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(err, "altpid: standard input:2: this is not UTF-8\n");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn wrong_usage() {
    for args in [
        &[][..],
        &["frobnicate"],
        &["restore"],
        &["tree", "--frobnicate", "-"],
        &["capture", "-o"],
    ] {
        let (status, out, err) = run(args, "");
        assert_eq!((status, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains("--help") && !err.contains("panicked"), "{err}");
    }
    let (status, out, err) = run(&["--help"], "");
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.contains("capture") && out.contains("restore") && out.contains("tree"));
}

#[test]
fn a_capture_is_a_snapshot() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("snapshot.json");
    let name = file.to_str().expect("a name");
    let (status, out, err) = run(&["capture", "--partial", "-o", name], "");
    assert_eq!((status, out.as_str()), (0, ""), "{err}");
    let (status, out, err) = run(&["tree", name], "");
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.lines().count() > 1);
    let (status, _, err) = run(&["capture", "--proc", name], "");
    assert_eq!(status, 1);
    assert!(
        err.starts_with(&format!("altpid: reading {name}: ")),
        "{err}"
    );
}

/// What a procfs does not show is told, with a status of its own unless that is wanted.
#[test]
fn a_capture_tells_what_it_cannot_see() {
    let dir = tempfile::tempdir().expect("a directory");
    let home = dir.path().join("30/task/30");
    fs::create_dir_all(home.join("ns")).expect("directories");
    let status =
        "State:\tS (sleeping)\nPPid:\t7\nNStgid:\t30\nNSpid:\t30\nNSpgid:\t30\nNSsid:\t30\n";
    fs::write(home.join("status"), status).expect("a file");
    fs::write(home.join("comm"), "child\n").expect("a file");
    let proc = dir.path().to_str().expect("a name");
    let (status, out, err) = run(&["capture", "--proc", proc], "");
    assert_eq!(status, 3);
    assert!(
        out.contains("\"ppid\":0") && out.contains("\"pid_max\": null"),
        "{out}"
    );
    assert!(
        err.contains("altpid: not seen: 1 process not shown"),
        "{err}"
    );
    let (status, again, told) = run(&["capture", "--partial", "--proc", proc], "");
    assert_eq!((status, again, told), (0, out, err));
}

/// A reader that has seen enough is no error.
#[test]
fn a_closed_pipe_is_no_failure() {
    let big: String = (2..20_000)
        .map(|nr| {
            format!(
                ",\n{{\"pid\": [{nr}], \"tgid\": [{nr}], \"pgid\": [{nr}], \"sid\": [{nr}], \
                 \"ppid\": 1, \"ns\": 0, \"state\": \"S\", \"comm\": \"t\"}}"
            )
        })
        .collect();
    let first = "{\"pid\": [1], \"tgid\": [1], \"pgid\": [1], \"sid\": [1], \"ppid\": 0, \
                 \"ns\": 0, \"state\": \"S\", \"comm\": \"init\"}";
    let text = format!(
        "{{\"version\": 1, \"kernel\": \"\", \"pid_max\": 32768, \"last_pid\": null, \
         \"namespaces\": [{{\"parent\": null, \"level\": 0, \"inode\": 1}}], \
         \"tasks\": [{first}{big}]}}"
    );
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("big.json");
    fs::write(&file, text).expect("a file");
    let status = shell(&file);
    assert_eq!(status, "0\n");
}

/// The exit status of `altpid tree FILE` when its reader stops after one line.
fn shell(file: &Path) -> String {
    let script = "{ \"$0\" tree \"$1\"; echo $? >&2; } | head -n 1 >/dev/null";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_altpid")])
        .arg(file)
        .output()
        .expect("a shell");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A namespace that only one below keeps is not among those that listns(2) lists.
#[test]
fn listed_namespaces() {
    let text = r#"{
"version": 1, "kernel": "7.3.0", "pid_max": 32768, "last_pid": 400,
"namespaces": [{"parent": null, "level": 0, "inode": 1},
  {"parent": 0, "level": 1, "inode": 2, "state": "dead"},
  {"parent": 1, "level": 2, "inode": 3, "state": "dead"}],
"tasks": [
{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1], "ppid": 0, "ns": 0, "state": "S", "comm": "init"},
{"pid": [20], "tgid": [20], "pgid": [20], "sid": [20], "ppid": 1, "ns": 0, "ns_for_children": 2,
 "state": "S", "comm": "sh"}
]}"#;
    let shown = |args: &[&str]| {
        let (status, out, err) = run(args, text);
        assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
        out
    };
    assert_eq!(
        shown(&["ls", "ns", "-", "-n", "-o", "NS,LISTED"]),
        "1 true\n2 false\n3 true\n"
    );
    assert_eq!(
        shown(&["ls", "ns", "-", "--listed", "-n", "-o", "NS"]),
        "1\n3\n"
    );
    assert!(shown(&["show", "-s", "-", "ns:2"]).contains("listed by listns: false\n"));
    let (status, _, err) = run(&["ls", "--listed", "-"], text);
    assert_eq!(status, 2);
    assert!(err.contains("--listed is about namespaces"), "{err}");
}
