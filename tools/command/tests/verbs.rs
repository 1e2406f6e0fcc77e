// SPDX-License-Identifier: GPL-2.0

//! The verbs that look, on snapshots: what they write, and what they say of wrong usage.

mod command_line;

use command_line::{NESTED as SNAPSHOT, altpid, finish, run};
use serde_json::{Value, json};
use std::fs;

/// What it writes about the snapshot below, when all goes well.
#[track_caller]
fn shown(args: &[&str]) -> String {
    let (status, out, err) = run(args, SNAPSHOT);
    assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
    out
}

#[track_caller]
fn json_of(args: &[&str]) -> Value {
    serde_json::from_str(&shown(args)).expect("JSON")
}

#[test]
fn tasks_in_columns() {
    assert_eq!(
        shown(&["ls", "-s", "-"]),
        "PID    PPID NS STATE   COMMAND
1         0  1 running init
20        1  1 running log in
30/1     20  2 running sh
31/2     30  2 zombie  <&>
32/3/1   30  3 stopped deep
40        1  1 running cron
"
    );
    assert_eq!(
        shown(&[
            "ls",
            "-s",
            "-",
            "-L",
            "-n",
            "-r",
            "-o",
            "command,tgid,threads"
        ]),
        "init 1 1\nlog\\x20in 20 2\nworker 20 2\nsh 30/1 1\n<&> 31/2 0\ndeep 32/3/1 1\ncron 40 1\n"
    );
    assert_eq!(
        shown(&["ls", "-s", "-", "-T", "-o", "COMMAND,PGID"]),
        "COMMAND       PGID
init          1
├─ log in     20
│  └─ sh      30/1
│     ├─ <&>  30/1
│     └─ deep 30/1/0
└─ cron       39
"
    );
}

#[test]
fn what_a_namespace_sees() {
    assert_eq!(
        shown(&["ls", "-", "--ns", "2", "-o", "PID,PPID,SID,COMMAND"]),
        "PID PPID SID COMMAND
1      0 1   sh
2      1 1   <&>
3/1    1 1/0 deep
"
    );
}

#[test]
fn namespaces_in_columns() {
    assert_eq!(
        shown(&["ls", "ns", "-s", "-", "-T"]),
        "NS      LEVEL STATE  NPIDS PID    COMMAND
1           0 active     8 1      init
└─ 2        1 active     3 30/1   sh
   └─ 3     2 active     1 32/3/1 deep
"
    );
    let rows = json_of(&["ls", "ns", "-s", "-", "-J", "-o", "NS,PARENT,TASKS,PIDMAX"]);
    assert_eq!(
        rows,
        json!({ "namespaces": [
            { "ns": 1, "parent": null, "tasks": 4, "pidmax": null },
            { "ns": 2, "parent": 1, "tasks": 2, "pidmax": null },
            { "ns": 3, "parent": 2, "tasks": 1, "pidmax": null },
        ] })
    );
}

#[test]
fn json_has_numbers_as_numbers() {
    let rows = json_of(&["ls", "-s", "-", "-J", "-o", "+CHILDNS"]);
    assert_eq!(
        rows["tasks"][4],
        json!({
            "pid": [32, 3, 1], "ppid": 30, "ns": 3, "state": "stopped", "command": "deep",
            "childns": 3
        })
    );
}

#[test]
fn one_task_or_namespace() {
    for name in ["32", "32/3/1", "3@2", "1@3", "task:32"] {
        let task = json_of(&["show", "-s", "-", "-J", name]);
        assert_eq!(task["pid"], json!([32, 3, 1]), "{name}");
        assert_eq!(task["parent"], "30/1 (sh)");
        assert_eq!(task["roles"], json!(["init of its namespace"]));
    }
    let text = shown(&["show", "-s", "-", "ns:2"]);
    for line in [
        "init:             30/1 (sh)",
        "tasks in it:      2",
        "namespaces below: 3",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    for (name, message, expected) in [
        ("33", "task 33: there is none", 3),
        ("32/3", "task 32/3: there is none", 3),
        ("4@2", "task 4@2: there is none", 3),
        ("1@7", "namespace 7: there is none", 3),
        ("ns:7", "namespace 7: there is none", 3),
        ("4026532201", "namespace 4026532201: there is none", 3),
        ("sh", "sh: not a number", 2),
        ("pid:3", "pid:3: not a task", 2),
    ] {
        let (status, out, err) = run(&["show", "-s", "-", name], SNAPSHOT);
        assert_eq!((status, out.as_str()), (expected, ""), "{name}");
        assert!(err.starts_with(&format!("altpid: {message}\n")), "{err}");
    }
}

#[test]
fn numbers_elsewhere() {
    let translate = |args: &[&str]| {
        let args = [&["translate", "-s"], args].concat();
        let (status, out, _) = run(&args, "");
        (status, out)
    };
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("snapshot.json");
    fs::write(&file, SNAPSHOT).expect("a file");
    let file = file.to_str().expect("a name");
    let lines = |text: &str| (0, text.to_owned());
    assert_eq!(
        translate(&[file, "32", "20"]),
        lines("32\t32/3/1\n20\t20\n")
    );
    let to_inside = translate(&[file, "--to", "2", "32", "20"]);
    assert_eq!(to_inside, lines("32\t3\n20\t0\n"));
    let to_outside = translate(&[file, "--from", "3", "--to", "1", "1"]);
    assert_eq!(to_outside, lines("1\t32\n"));
    // The number of a group whose leader is gone is in use too; 99 is not.
    assert_eq!(
        translate(&[file, "39", "99"]),
        (3, "39\t39\n99\t-\n".into())
    );
    let (_, json) = translate(&[file, "-J", "30", "98"]);
    assert_eq!(
        serde_json::from_str::<Value>(&json).expect("JSON"),
        json!({ "numbers": [
            { "nr": 30, "to": [{ "ns": 1, "nr": 30 }, { "ns": 2, "nr": 1 }] },
            { "nr": 98, "to": null },
        ] })
    );
    let (status, out, _) = run(&["translate", "-s", file, "--to", "2", "-"], "30 31\n32\n");
    assert_eq!((status, out.as_str()), (0, "30\t1\n31\t2\n32\t3\n"));
}

/// The same forms of a task as elsewhere.
#[test]
fn tasks_elsewhere() {
    let translate = |args: &[&str]| {
        let args = [&["translate", "-s", "-"], args].concat();
        run(&args, SNAPSHOT)
    };
    for task in ["32/3/1", "3@2", "task:32"] {
        assert_eq!(translate(&[task]).1, "32\t32/3/1\n", "{task}");
        assert_eq!(translate(&["--from", "2", "--to", "1", task]).1, "3\t32\n");
    }
    let (status, _, err) = translate(&["--from", "3", "30/1"]);
    assert_eq!(status, 3);
    assert!(
        err.starts_with("altpid: 30/1: namespace 3 does not see it\n"),
        "{err}"
    );
    assert_eq!(translate(&["x"]).0, 2);
    assert_eq!(translate(&["task:99"]).0, 3);
}

/// What keeps a namespace, by the snapshot; it is named by its inode, or by a task in it.
#[test]
fn why_of_a_snapshot() {
    for name in ["2", "ns:2", "2@2", "task:31", "30/1"] {
        let why = shown(&["why", "-s", "-", name]);
        assert_eq!(
            why,
            "namespace 2 is active: its init 30/1 (sh) lives, and would take along:
  1: 30/1 (sh) is alive
  2: 31/2 (<&>) is a zombie: its parent 30/1 (sh) has not waited for it
  3: 32/3/1 (deep) is alive
  namespace 3 is right below
"
        );
    }
    let dying = fs::read_to_string("tests/dying-namespace.snapshot.json").expect("the snapshot");
    let (status, why, err) = run(&["why", "-s", "-", "2"], &dying);
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(
        why,
        "namespace 2 is dying: its init 5/1 (stuckinit) has exited, and waits for:
  2: 7/2 (held) is a zombie: its parent 6 (lazy) has not waited for it
  children of 6 (lazy) would be born there (unshare or setns)
"
    );
    let (_, tree, _) = run(&["tree", "-"], &dying);
    assert!(
        tree.contains("5/1 stuckinit <exiting>  [pid namespace 2]\n"),
        "{tree}"
    );
    let (_, list, _) = run(&["ls", "ns", "-"], &dying);
    assert!(
        list.contains(" 2     1 dying      2 5/1 stuckinit\n"),
        "{list}"
    );
}

/// A tree in JSON has those below as children.
#[test]
fn a_tree_in_json() {
    let rows = json_of(&["ls", "-", "-JT", "-o", "COMMAND"]);
    assert_eq!(
        rows,
        json!({ "tasks": [{ "command": "init", "children": [
            { "command": "log in", "children": [
                { "command": "sh", "children": [{ "command": "<&>" }, { "command": "deep" }] }
            ] },
            { "command": "cron" },
        ] }] })
    );
    let rows = json_of(&["ls", "ns", "-", "-JT", "-o", "NS"]);
    assert_eq!(
        rows,
        json!({ "namespaces": [{ "ns": 1, "children": [{ "ns": 2, "children": [{ "ns": 3 }] }] }] })
    );
}

/// Where the locale has nothing else, and where that is asked for.
#[test]
fn trees_in_ascii() {
    let drawn = "1 init
|- 20 log in  {21 worker}
|  `- 30/1 sh  [pid namespace 2]
|     |- 31/2 <&> <defunct>
|     `- 32/3/1 deep  [pid namespace 3]
`- 40 cron
";
    assert_eq!(shown(&["tree", "--ascii", "-"]), drawn);
    let in_c = finish(altpid(&["tree", "-"]).env("LC_ALL", "C"), SNAPSHOT);
    assert_eq!(in_c, (0, drawn.to_owned(), String::new()));
    let list = finish(altpid(&["ls", "-T", "-"]).env("LC_ALL", "C"), SNAPSHOT);
    assert!(list.1.is_ascii(), "{}", list.1);
    let utf8 = finish(
        altpid(&["tree", "-"]).env("LC_ALL", "en_GB.UTF-8"),
        SNAPSHOT,
    );
    assert!(utf8.1.contains("├─ 20 log in"), "{}", utf8.1);
}

/// A dry run needs no device, and finds more than the first thing.
#[test]
fn a_dry_run_lists_everything() {
    let (status, out, err) = run(&["restore", "--dry-run", "-"], SNAPSHOT);
    assert_eq!((status, out.as_str()), (0, ""), "{err}");
    assert!(
        err.contains("7 tasks and 3 namespaces can be restored"),
        "{err}"
    );
    let bad = SNAPSHOT
        .replace("\"ppid\": 20,", "\"ppid\": 77,")
        .replace("\"tgid\": [40]", "\"tgid\": [50]");
    let (status, out, err) = run(&["restore", "-n", "-"], &bad);
    assert_eq!(status, 3);
    assert!(err.contains(" conflicts\n"), "{err}");
    assert!(
        out.contains("task 30/1 (sh): its parent 77 does not exist\n"),
        "{out}"
    );
    assert!(
        out.contains("task 40 (cron): its thread group 50 has no leader\n"),
        "{out}"
    );
}

#[test]
fn wrong_usage_says_what_would_be_right() {
    let (status, out, err) = run(&["ls", "-s", "-", "-o", "PID,FOO"], SNAPSHOT);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(
        err.starts_with("altpid: unknown column: FOO\n        there are PID, PPID,"),
        "{err}"
    );
    let (status, _, err) = run(&["ls", "-p"], "");
    assert_eq!(status, 2);
    assert!(
        err.contains("unexpected argument '-p'") && !err.contains("tip:"),
        "{err}"
    );
    for args in [
        &["ls", "-J", "-r"][..],
        &["ls", "--ascii"],
        &["ls", "--world", "1", "--target", "2"],
        &["tree", "--svg", "--dot", "-"],
        &["tree", "--most", "3", "-"],
        &["translate"],
        &["stress", "--ops", "1", "--seconds", "1"],
        &["stress", "--threads", "0"],
    ] {
        let (status, out, err) = run(args, "");
        assert_eq!((status, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains("--help") && !err.contains("panicked"), "{err}");
    }
}

/// Without the module nobody holds a world; that is said with what to do.
#[test]
fn without_a_world() {
    for args in [
        &["ls"][..],
        &["tree"],
        &["audit"],
        &["why", "1"],
        &["watch"],
        &["show", "1"],
    ] {
        let (status, out, err) = run(args, "");
        assert_eq!((status, out.as_str()), (1, ""), "{args:?}");
        assert!(
            err.starts_with("altpid: no process holds a world\n"),
            "{err}"
        );
        assert!(err.contains("\"altpid hold\""), "{err}");
    }
    let (status, out, _) = run(&["worlds", "-n"], "");
    assert_eq!((status, out.as_str()), (0, ""));
    let (status, _, err) = run(&["audit", "--world", "7"], "");
    assert_eq!(status, 1);
    assert!(
        err.starts_with("altpid: world 7: no process holds it\n"),
        "{err}"
    );
    // A descriptor of something else, and none at all.
    for (fd, errno) in [("0", "Inappropriate ioctl"), ("99", "Bad file descriptor")] {
        let (status, _, err) = run(&["audit", "--fd", fd], "");
        assert_eq!(status, 1);
        assert!(
            err.starts_with(&format!("altpid: descriptor {fd}: ")),
            "{err}"
        );
        assert!(err.contains(errno), "{err}");
    }
}
