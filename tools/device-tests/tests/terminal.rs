// SPDX-License-Identifier: GPL-2.0

//! The `altpid` command on a terminal, where it needs the module: what is drawn again in its place,
//! and how far long work is.

use altpid_device_tests::{
    Fixture,
    command_line::{altpid, run, terminal::Terminal},
    scratch::Scratch,
};
use rustix::fd::{AsFd, AsRawFd};
use std::{fmt::Write, process::id};

/// What stands on a screen after all of a text was written to it, without spaces at the ends of the
/// lines and empty lines at the end.
fn screen(text: &str) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0, 0);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                if row == lines.len() {
                    lines.push(Vec::new());
                }
            }
            '\x1b' => {
                assert_eq!(chars.next(), Some('['));
                let mut count = String::new();
                let code = chars.by_ref().find(|&c| {
                    let is_digit = c.is_ascii_digit();
                    if is_digit {
                        count.push(c);
                    }
                    !is_digit
                });
                match code {
                    Some('A') => {
                        let up: usize = count.parse().expect("how far");
                        assert!(up <= row, "{up} lines up from line {row}");
                        row -= up;
                    }
                    Some('J') => {
                        lines.truncate(row + 1);
                        lines[row].truncate(column);
                    }
                    other => panic!("{other:?}"),
                }
            }
            c => {
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
    }
    let mut lines: Vec<_> = lines
        .into_iter()
        .map(|line| line.iter().collect::<String>().trim_end().to_owned())
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

#[test]
fn what_is_watched_is_drawn_again_in_its_place() {
    let world = Fixture::new();
    let target = format!("{}:{}", id(), world.as_fd().as_raw_fd());
    let mut command = altpid(&["watch", "--count", "6", "--target", &target]);
    command.env("NO_COLOR", "1");
    let mut terminal = Terminal::start(command);
    // It is drawn when events are told already.
    let mut shown = terminal.until("1 init\r\n");
    assert_eq!(screen(&shown), ["1 init"]);
    let (one, other) = (world.fork(world.init), world.fork(world.init));
    shown += &terminal.until(&format!("task:{} by", other.0));
    world.end(one, 1);
    shown += &terminal.until("reap");
    world.end(other, 2);
    let (status, rest) = terminal.end();
    shown += &rest;
    assert_eq!(status, 0);
    let lines = screen(&shown);
    // Of the two processes nothing is left, and of six events the last five.
    assert_eq!(lines[..2], ["1 init", ""], "{lines:#?}");
    let kinds: Vec<_> = lines[2..]
        .iter()
        .map(|line| line.split_whitespace().nth(1).expect("a kind"))
        .collect();
    assert_eq!(kinds, ["clone", "exit", "reap", "exit", "reap"]);
    assert!(
        shown.matches('A').count() >= 2,
        "it was drawn more than once: {shown:?}"
    );
}

/// The test kernel has no locks for files, under which the history is kept.
#[test]
fn a_shell_is_left_without_a_word() {
    let mut command = altpid(&["shell"]);
    command.env("HOME", std::env::temp_dir());
    let mut terminal = Terminal::start(command);
    terminal.until("altpid> ");
    terminal.types("a = clone\r");
    terminal.until("= 2\r\n");
    terminal.until("altpid> ");
    // The end of the input.
    terminal.types("\x04");
    let (status, rest) = terminal.end();
    assert_eq!(status, 0, "{rest}");
    assert!(!rest.contains("altpid:"), "{rest}");
}

#[test]
fn long_work_shows_how_far_it_is() {
    const MANY: i32 = 6000;
    let stress = ["stress", "--threads", "1", "--ops", "4000", "--seed", "1"];
    let mut terminal = Terminal::start(altpid(&stress));
    terminal.until("altpid: stress [");
    terminal.until("/4000 operations each");
    let (status, rest) = terminal.end();
    assert_eq!(status, 0, "{rest}");
    assert!(rest.contains("operations by 1 threads"), "{rest}");

    let mut snapshot = format!(
        r#"{{"version": 1, "kernel": "7.3.0", "pid_max": 32768, "last_pid": {MANY},
"namespaces": [{{"parent": null, "level": 0, "inode": 1}}],
"tasks": [
{{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1], "ppid": 0, "ns": 0, "state": "S", "comm": "init"}}"#
    );
    for nr in 2..MANY {
        write!(
            snapshot,
            ",\n{{\"pid\": [{nr}], \"tgid\": [{nr}], \"pgid\": [1], \"sid\": [1], \"ppid\": 1, \
             \"ns\": 0, \"state\": \"S\", \"comm\": \"one\"}}"
        )
        .expect("a text");
    }
    let snapshot = Scratch::new("many", &(snapshot + "\n]}"));
    let restore = ["restore", snapshot.path()];
    let mut terminal = Terminal::start(altpid(&restore));
    terminal.until("altpid: restoring [");
    let (status, rest) = terminal.end();
    assert_eq!(status, 0, "{rest}");
    // Where nobody looks at it there is none.
    let (status, _, err) = run(&restore, "");
    assert_eq!(status, 0, "{err}");
    assert!(!err.contains("restoring"), "{err}");
}
