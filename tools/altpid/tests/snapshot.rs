// SPDX-License-Identifier: GPL-2.0

//! Snapshots as files: what is refused, with which words, and that nothing is lost on the way.

mod model;

use altpid::{
    NsState,
    snapshot::{Comm, Namespace, Numbers, Snapshot},
};
use model::text::tree;

/// A snapshot as text, with what tests break left open.
fn json(head: &str, namespaces: &str, tasks: &[&str]) -> String {
    format!(
        "{{\n{head},\n\"namespaces\": [{namespaces}],\n\"tasks\": [\n{}\n]}}",
        tasks.join(",\n")
    )
}

const HEAD: &str = "\"version\": 1, \"kernel\": \"7.3.0\", \"pid_max\": 32768, \"last_pid\": null";
const ROOT: &str = r#"{"parent": null, "level": 0, "inode": 1}"#;
const INIT: &str = r#"{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1], "ppid": 0, "ns": 0, "state": "S", "comm": "init"}"#;

fn refused(text: &str) -> String {
    match Snapshot::parse(text.as_bytes()) {
        Ok(_) => panic!("accepted: {text}"),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn the_frame_is_good() {
    let snapshot = Snapshot::parse(json(HEAD, ROOT, &[INIT]).as_bytes());
    let snapshot = snapshot.expect("it is a snapshot");
    assert_eq!(snapshot.tasks.len(), 1);
    assert_eq!(snapshot.tasks[0].to_string(), "task 1 (init)");
}

/// Line and column for what is not even of the right form.
#[test]
fn not_of_the_form() {
    let with = |from: &str, to: &str| {
        let text = json(HEAD, ROOT, &[INIT]);
        assert!(text.contains(from), "{from}");
        refused(&text.replacen(from, to, 1))
    };
    let cases = [
        (
            refused(""),
            "not a snapshot: EOF while parsing a value at line 1 column 0",
        ),
        (
            refused("PID TTY\n  1 ?\n"),
            "not a snapshot: expected value at line 1 column 1",
        ),
        (
            refused("{\"version\": 1,\n"),
            "not a snapshot: EOF while parsing a value at line 2 column 0",
        ),
        (
            refused("[]"),
            "not a snapshot: invalid length 0, expected struct Snapshot with 6 elements at line 1 \
             column 2",
        ),
        (
            refused("{\"version\": 1}"),
            "not a snapshot: missing field `kernel` at line 1 column 14",
        ),
        (
            with("32768", "\"32768\""),
            "not a snapshot: invalid type: string \"32768\", expected i32 at line 2 column 54",
        ),
        (
            with("32768", "3e9"),
            "not a snapshot: invalid type: floating point `3000000000.0`, expected i32 at line 2 \
             column 50",
        ),
        (
            with("\"pgid\": [1]", "\"pgid\": [3000000000]"),
            "not a snapshot: invalid value: integer `3000000000`, expected i32 at line 5 column 46",
        ),
        (
            with("\"state\": \"S\"", "\"state\": \"sleeping\""),
            "not a snapshot: invalid value: string \"sleeping\", expected a character at line 5 \
             column 93",
        ),
        (
            with("\"comm\": \"init\"", "\"comm\": [999]"),
            "not a snapshot: data did not match any variant of untagged enum Comm at line 5 column \
             109",
        ),
        (
            with("\"ppid\": 0, ", ""),
            "not a snapshot: missing field `ppid` at line 5 column 98",
        ),
        (
            with("\"ppid\"", "\"father\""),
            "not a snapshot: unknown field `father`, expected one of `pid`, `tgid`, `pgid`, `sid`, \
             `ppid`, `ns`, `ns_for_children`, `state`, `exiting`, `comm` at line 5 column 63",
        ),
        (
            with("\"inode\": 1", "\"inode\": 1, \"name\": \"x\""),
            "not a snapshot: unknown field `name`, expected one of `parent`, `level`, `inode`, \
             `state` at line 3 column 62",
        ),
        (
            with("\"ns\": 0", "\"ns\": -1"),
            "not a snapshot: invalid value: integer `-1`, expected usize at line 5 column 75",
        ),
    ];
    for (found, wanted) in cases {
        // The column is where the parser noticed it, which is its own affair.
        let line = |text: &str| {
            text.rsplit_once(" column ")
                .map(|(line, _)| line.to_owned())
        };
        assert_eq!(line(&found), line(wanted));
        assert!(line(&found).is_some(), "{found}");
    }
    let twice = json(HEAD, ROOT, &[INIT]).repeat(2);
    assert!(refused(&twice).starts_with("not a snapshot: trailing characters at line 6 column "));
}

#[test]
fn not_of_this_version() {
    let head = HEAD.replace("\"version\": 1", "\"version\": 2");
    assert_eq!(
        refused(&json(&head, ROOT, &[INIT])),
        "version 2 of the format is not known; this program knows 1"
    );
    for pid_max in ["-1", "0", "1", "4194305"] {
        assert_eq!(
            refused(&json(&HEAD.replace("32768", pid_max), ROOT, &[INIT])),
            format!("pid_max {pid_max} is not between 2 and 4194304")
        );
    }
}

#[test]
fn namespaces_that_do_not_fit() {
    let ns = |parent: Option<usize>, level| Namespace {
        parent,
        level,
        inode: None,
        state: NsState::Active,
    };
    let root = ns(None, 0);
    let chain: Vec<_> = (0..34).map(|i: usize| ns(i.checked_sub(1), i)).collect();
    let cases: &[(Vec<Namespace>, &str)] = &[
        (vec![], "there is no namespace"),
        (
            vec![ns(None, 1)],
            "namespace 0 has no parent, as only the first at level 0 may",
        ),
        (
            vec![root.clone(), ns(None, 0)],
            "namespace 1 has no parent, as only the first at level 0 may",
        ),
        (
            vec![ns(Some(0), 0)],
            "namespace 0 at level 0: its parent 0 is not before it and one level above",
        ),
        (
            vec![root.clone(), ns(Some(2), 1), ns(Some(1), 2)],
            "namespace 1 at level 1: its parent 2 is not before it and one level above",
        ),
        (
            vec![root.clone(), ns(Some(0), 2)],
            "namespace 1 at level 2: its parent 0 is not before it and one level above",
        ),
        (
            vec![root.clone(), ns(Some(7), 1)],
            "namespace 1 at level 1: its parent 7 is not before it and one level above",
        ),
        (chain, "namespace 33: level 33 is beyond 32"),
        (vec![root, ns(Some(0), 1)], "namespace 1: nobody is in it"),
    ];
    for (namespaces, message) in cases {
        let mut snapshot = tree(&[], "1 = = = 0");
        snapshot.namespaces.clone_from(namespaces);
        let problem = snapshot.check().expect_err(message);
        assert_eq!(problem.to_string(), *message);
    }
}

/// Each message names the task that is wrong.
const TASKS: &[(&[usize], &str, &str)] = &[
    (
        &[],
        "1 = = = 0\n 5 = = = 1 @3",
        "task 5 (t5): there is no namespace 3",
    ),
    (
        &[0],
        "1 = = = 0\n 5 = = = 1 @1",
        "task 5 (t5): pid has 1 numbers, its namespace is at level 1",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = = = 1",
        "task 5/1 (t5): pid has 2 numbers, its namespace is at level 0",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = 5 = 1 @1",
        "task 5/1 (t5): pgid has 1 numbers, its namespace is at level 1",
    ),
    (&[], "0 = = = 0", "task 0 (t0): pid 0 is out of range"),
    (&[], "-7 = = = 0", "task -7 (t-7): pid -7 is out of range"),
    (
        &[],
        "4194304 = = = 0",
        "task 4194304 (t4194304): pid 4194304 is out of range",
    ),
    (
        &[],
        "1 = = = 0\n 5 0 = = 1",
        "task 5 (t5): tgid 0 is out of range",
    ),
    (
        &[],
        "1 = = = 0\n 5 = -5 = 1",
        "task 5 (t5): pgid -5 is out of range",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = 9999999 1",
        "task 5 (t5): sid 9999999 is out of range",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = 0/1 = 1 @1",
        "task 5/1 (t5): pgid 0/1 is visible below a level where it is not",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = = 1 one\n 5 = = = 1 two",
        "task 5 (two): number 5 of namespace 0 is taken by task 5 (one)",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = = = 1 @1\n 6/1 = = = 1 @1",
        "task 6/1 (t6): number 1 of namespace 1 is taken by task 5/1 (t5)",
    ),
    (
        &[0],
        "1 = = = 0 >1\n 5/1 = = = 1 @1 >0",
        "task 5/1 (t5): its children cannot be born in namespace 0",
    ),
    (
        &[],
        "1 = = = 0 >9",
        "task 1 (t1): its children cannot be born in namespace 9",
    ),
    (
        &[],
        "1 = = = 0\n 5 4 1 1 1",
        "task 5 (t5): its thread group 4 has no leader",
    ),
    (
        &[],
        "1 = = = 0\n 5 1 1 1 0\n 6 5 1 1 0",
        "task 6 (t6): its thread group 5 has no leader",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = = = 1 @1\n 6/2 5/2 5/1 5/1 1 @1",
        "task 6/2 (t6): its thread group 5/2 has no leader",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = = 1\n 6 5 1 5 1",
        "task 6 (t6): its process group is not that of its leader, task 5 (t5)",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = = 1\n 6 5 5 1 1",
        "task 6 (t6): its session is not that of its leader, task 5 (t5)",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = = 1\n 6 5 5 5 0",
        "task 6 (t6): its parent is not that of its leader, task 5 (t5)",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = = 4",
        "task 5 (t5): its parent 4 does not exist",
    ),
    (
        &[],
        "1 = = = 0\n 2 1 1 1 0\n 5 = = = 2",
        "task 5 (t5): its parent 2 does not exist",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = = = 1 @1\n 6 = = = 5",
        "task 6 (t6): its parent task 5/1 (t5) is in a namespace that cannot see it",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = = 1 Z\n 6 = = = 5",
        "task 6 (t6): its parent task 5 (t5) is dead",
    ),
    (
        &[],
        "1 = = = 1",
        "task 1 (t1): the init of its namespace 0 cannot be a child of task 1 (t1) in there",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = = = 6 @1\n 6/2 = = = 1 @1",
        "task 5/1 (t5): the init of its namespace 1 cannot be a child of task 6/2 (t6) in there",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = = 5",
        "task 5 (t5): it is its own ancestor",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = = 7\n 6 = = = 5\n 7 = = = 6",
        "task 5 (t5): it is its own ancestor",
    ),
    (
        &[0],
        "1 = = = 0\n 5/2 = = = 1 @1",
        "task 5/2 (t5): its namespace 1 has no pid 1",
    ),
    (
        &[0, 1],
        "1 = = = 0\n 5/2/1 = = = 1 @2",
        "task 5/2/1 (t5): its namespace 1 has no pid 1",
    ),
    (
        &[0],
        "1 = = = 0\n 5/2 = = = 1 @1\n 6/1 5/2 5/2 5/2 1 @1",
        "task 5/2 (t5): its namespace 1 has no pid 1",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = = = 1 @1 Z\n 6/2 = = = 1 @1",
        "task 6/2 (t6): the init of its namespace 1 is dead",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = = 1\n 6 = = 5 5\n 7 = 6 1 1",
        "task 7 (t7): its process group 6 is in session 5, not in 1",
    ),
    (
        &[],
        "1 = = = 0\n 5 = 1 1 1\n 6 = = 5 5",
        "task 6 (t6): its session 5 is the number of task 5 (t5), who is in another session",
    ),
    (
        &[],
        "1 = = = 0\n 5 = . 1 1",
        "task 5 (t5): its process group 0 is in session 0, not in 1",
    ),
    (
        &[],
        "1 = = = 0\n 5 = 1 = 1",
        "task 5 (t5): it leads its session, but not its process group",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = = = 1 @1\n 6/2 = 5/9 5/1 5 @1",
        "task 6/2 (t6): its process group 5/9 is not as it sees 5/1",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = = = 1 @1\n 6/2 = 5/1 5/0 5 @1",
        "task 6/2 (t6): its session 5/0 is not as it sees 5/1",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = = = 1 @1\n 6 = 5 5 1",
        "task 6 (t6): its session 5/1 comes from a namespace that is not above",
    ),
    (
        &[0],
        "1 = = = 0\n 5/1 = = = 1 @1\n 6/2 = 9/1 5/1 5 @1",
        "task 6/2 (t6): number 1 of namespace 1 is its process group's, and taken by task 5/1 (t5)",
    ),
    (
        &[],
        "1 = = = 0\n 5 = = = 1\n 6 5 5 5 1\n 7 = = 6 1",
        "task 7 (t7): number 6 of namespace 0 is its session's, and taken by task 6 (t6)",
    ),
];

#[test]
fn tasks_that_do_not_fit() {
    for (above, text, message) in TASKS {
        let snapshot = tree(above, text);
        let problem = snapshot.check().expect_err(message);
        assert_eq!(problem.to_string(), *message);
        // Said of a file too.
        assert_eq!(refused(&snapshot.to_json()), *message);
    }
}

#[test]
fn names_are_shown_without_harm() {
    let show = |bytes: &[u8]| Comm::new(bytes).to_string();
    assert_eq!(show(b"(sd-pam)"), "(sd-pam)");
    assert_eq!(show(b"a \"b\" 'c' \\"), "a \"b\" 'c' \\");
    assert_eq!(show(b"x\n\x1b[31m\ty\x7f"), "x\\n\\u{1b}[31m\\ty\\u{7f}");
    assert_eq!(show("na\u{ef}ve".as_bytes()), "na\u{ef}ve");
    assert_eq!(show(b"\xff\xfea\xc3"), "\\xff\\xfea\\xc3");
    assert_eq!(show(b""), "");
}

#[test]
fn numbers_are_shown_outermost_first() {
    assert_eq!(Numbers(&[4213, 17, 1]).to_string(), "4213/17/1");
    assert_eq!(Numbers(&[1]).to_string(), "1");
}
