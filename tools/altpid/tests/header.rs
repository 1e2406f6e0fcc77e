// SPDX-License-Identifier: GPL-2.0

//! The reasons in the header: the list for programs in C says what the constants say.

use altpid::Reason;
use std::fs;

/// What stands between two quotes, or before a comma.
fn part<'a>(text: &mut &'a str, end: &str) -> &'a str {
    let (found, rest) = text.split_once(end).expect("another part");
    *text = rest;
    found.trim()
}

#[test]
fn the_list_of_reasons_has_them_all() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/uapi/altpid.h");
    let header = fs::read_to_string(path).expect("the header");
    let (_, list) = header
        .split_once("#define ALTPID_REASONS(X) \\\n")
        .expect("the list");
    let rows = list.lines().take_while(|line| line.starts_with("\tX("));
    let rows: Vec<(String, String, String)> = rows
        .map(|row| {
            let mut rest = &row[3..];
            let (name, errno) = (part(&mut rest, ","), part(&mut rest, ","));
            part(&mut rest, "\"");
            let text = part(&mut rest, "\"");
            (name.into(), errno.into(), text.into())
        })
        .collect();
    let names: Vec<&str> = rows.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, Reason::names().collect::<Vec<_>>());
    for (name, errno, text) in &rows {
        let reason = Reason::named(name).expect("a reason");
        assert_eq!(reason.text(), Some(text.as_str()), "{name}");
        // The errno stands in the comment of the constant.
        let mut lines = header.lines();
        let start = format!("#define ALTPID_REASON_{name}");
        let is_it = |line: &&str| {
            line.strip_prefix(&start)
                .is_some_and(|rest| rest.starts_with(char::is_whitespace))
        };
        let line = lines.find(is_it).expect("the constant");
        assert!(line.contains(&format!("/* {errno}: {text} */")), "{line}");
    }
}
