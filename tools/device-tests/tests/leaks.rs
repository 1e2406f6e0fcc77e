// SPDX-License-Identifier: GPL-2.0

//! The leak detector (docs/members.md): what real programs do converts no number that altpid has not translated,
//! and it sees the number that goes by where a row is taken out of the table of system calls.

use altpid_device_tests::{
    Fixture, command_line,
    members::{exec, has_members, program},
    module::{OneCpu, Reloaded},
};
use std::{collections::BTreeSet, fs, process::Command};

/// A build that can watch.
const WATCHING: &str = "/lib/modules/faults/altpid.ko";

const PARAMETERS: &str = "/sys/module/altpid/parameters";

/// The table of system calls.
const BORDER: &str = include_str!("../../../src/body/border.rs");

/// Rows that are not tried, and why.
const UNTRIED: &[(i32, &str)] = &[
    (
        56,
        "a child that nobody has expected is killed, and the kernel log warns of it",
    ),
    (57, "likewise"),
    (58, "likewise"),
    (435, "likewise"),
    (59, "no number is converted for it"),
    (322, "likewise"),
    (157, "Yama and core scheduling are not in the test kernel"),
    (165, "the name of a file system"),
    (430, "likewise"),
    (169, "the number of nobody"),
    (202, "the number is in a word of the program's"),
    (250, "KEYCTL_SESSION_TO_PARENT has no number"),
    (251, "the test kernel has no block devices"),
    (252, "likewise"),
    (256, "the test kernel has one node"),
    (279, "likewise"),
    (272, "no number is converted for it"),
    (
        305,
        "the clock of a process cannot be adjusted, which the kernel says first",
    ),
    (308, "no number is converted for it"),
    (317, "the test kernel has no seccomp"),
    (424, "a pidfd is no number"),
];

fn parameter(name: &str) -> String {
    fs::read_to_string(format!("{PARAMETERS}/{name}")).expect("a parameter")
}

/// What the kernel log has of the detector.
fn reports() -> String {
    let log = Command::new("dmesg").output().expect("dmesg");
    let log = String::from_utf8_lossy(&log.stdout).into_owned();
    let lines = log.lines().filter(|line| line.contains("altpid-leak"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The numbers of the rows of the table that say something else than that a call is made as it is, or refused.
fn rows() -> BTreeSet<i32> {
    let table = BORDER.split("static FATES").nth(1).expect("the table");
    let table = table.split("\n};").next().expect("its end");
    let rows = table.split("Fate::").skip(1);
    let rows = rows.filter(|row| !row.starts_with("Native") && !row.starts_with("Refused"));
    rows.filter_map(|row| row.split_once("=> ["))
        .flat_map(|(_, calls)| calls.split([' ', ',', '\n', ']']))
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[test]
fn nothing_leaks_and_a_row_that_is_taken_out_does() {
    if !has_members() {
        return;
    }
    let reloaded = Reloaded::from(WATCHING, "watch=1 probe_seconds=1000000");
    let one = OneCpu::begin();
    let status = exec(&Fixture::new(), &["--", "true"]).status();
    assert!(status.expect("it runs").success());
    drop(one);
    let cases = "ids waits signals families namespaces programs refused terminals usage border peers handles \
                 escapes parents tracing";
    for case in cases.split_whitespace() {
        let world = Fixture::new();
        let mut command = exec(&world, &["--", program(), case]);
        let done = command_line::finish(&mut command, "");
        assert_eq!(done, (0, String::new(), String::new()), "{case}");
        assert_eq!(parameter("leaks"), "0\n", "{case}:\n{}", reports());
    }
    // Its own calls are seen, if not as leaks.
    let expected = parameter("expected");
    let of = |name: &str| {
        let line = expected.lines().find_map(|line| line.strip_prefix(name));
        line.expect("a row").trim().parse::<u64>().expect("a count")
    };
    assert!(of("alloc_pid") > 0, "{expected}");

    let world = Fixture::new();
    let root = format!("ns:{}", world.info().expect("info").root_ns.0);
    // Whatever a call does with this number natively, it is nobody's.
    let args = ["--in", &root, "--pid", "30000", "--", program(), "rows"];
    let (status, out, err) = command_line::finish(&mut exec(&world, &args), "");
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let seen: Result<BTreeSet<i32>, _> = out.lines().map(str::parse).collect();
    let mut tried = seen.unwrap_or_else(|_| panic!("{out}"));
    tried.extend(UNTRIED.iter().map(|(call, _)| call));
    assert_eq!(tried, rows(), "a row without a try");
    assert_ne!(parameter("leaks"), "0\n");
    drop(world);
    drop(reloaded);
}
