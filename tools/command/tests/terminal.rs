// SPDX-License-Identifier: GPL-2.0

//! The `altpid` command on a terminal, as far as it needs no module: colours, and the line editor of
//! the shell.

mod command_line;

use altpid_command::script::help;
use command_line::{altpid, run, terminal::Terminal};
use std::{fs, path::Path};
use tempfile::TempDir;

const PROMPT: &str = "altpid> ";
const UP: &str = "\x1b[A";

const SNAPSHOT: &str = r#"{
"version": 1, "kernel": "7.3.0", "pid_max": 32768, "last_pid": 400,
"namespaces": [{"parent": null, "level": 0, "inode": 1}, {"parent": 0, "level": 1, "inode": 2}],
"tasks": [
{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1], "ppid": 0, "ns": 0, "state": "S", "comm": "init"},
{"pid": [30, 1], "tgid": [30, 1], "pgid": [30, 1], "sid": [30, 1], "ppid": 1, "ns": 1, "state": "S", "comm": "sh"},
{"pid": [31, 2], "tgid": [31, 2], "pgid": [30, 1], "sid": [30, 1], "ppid": 30, "ns": 1, "state": "Z", "comm": "sleep"}
]}"#;

/// A text without what colours it; says how often that was.
fn plain(text: &str) -> (String, usize) {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    let mut codes = 0;
    for part in parts {
        let (code, rest) = part.split_once('m').expect("the end of a colour");
        assert!(
            code.bytes().all(|b| b.is_ascii_digit() || b == b';'),
            "{code}"
        );
        plain += rest;
        codes += 1;
    }
    (plain, codes)
}

#[test]
fn a_tree_has_colours_on_a_terminal_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("snapshot.json");
    fs::write(&file, SNAPSHOT).expect("a file");
    let args = ["tree", file.to_str().expect("a name")];
    let (status, piped, _) = run(&args, "");
    assert_eq!(status, 0);
    assert!(!piped.contains('\x1b'), "{piped}");

    let mut command = altpid(&args);
    command.env_remove("NO_COLOR");
    let (status, shown) = Terminal::start(command).end();
    let (text, codes) = plain(&shown);
    assert_eq!((status, text.replace("\r\n", "\n")), (0, piped.clone()));
    assert!(codes > 0, "{shown}");

    let mut command = altpid(&args);
    command.env("NO_COLOR", "1");
    let (status, shown) = Terminal::start(command).end();
    assert_eq!((status, shown.replace("\r\n", "\n")), (0, piped));
}

#[test]
fn no_word_of_a_help_is_split() {
    let is_narrow = |args: &[&str]| {
        let (status, shown) = Terminal::with_columns(altpid(args), 60).end();
        assert_eq!(status, 0, "{shown}");
        let (text, _) = plain(&shown);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(
            widest.is_some_and(|widest| (40..=60).contains(&widest)),
            "{text}"
        );
        text
    };
    let verbs = is_narrow(&["--help"]);
    is_narrow(&["-h"]);
    let (verbs, _) = verbs.split_once("Options:").expect("options");
    let names = verbs
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<_> = names
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.contains(&"exec") && names.len() > 15, "{names:?}");
    for name in names {
        is_narrow(&[name, "--help"]);
    }
}

/// A shell whose history is in a directory, at its first prompt.
fn shell(home: &Path) -> Terminal {
    let mut command = altpid(&["shell"]);
    command.env("HOME", home);
    let mut terminal = Terminal::start(command);
    terminal.until("quit ends it.");
    terminal.until(PROMPT);
    terminal
}

/// A directory for that.
fn home() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

/// Ends a line that asks for help on a verb; reads the answer, and the next prompt.
fn is_helped(terminal: &mut Terminal, verb: &str) {
    let text = help(Some(verb)).expect("a verb");
    let last = text.lines().last().expect("a line");
    terminal.types("\r");
    terminal.until(last);
    terminal.until(PROMPT);
}

#[test]
fn a_shell_completes_what_is_typed() {
    let home = home();
    let mut terminal = shell(home.path());
    terminal.types("hel\t");
    terminal.until("altpid> help");
    terminal.types(" unsh\t");
    terminal.until("altpid> help unshare");
    is_helped(&mut terminal, "unshare");
    // What could go on in several ways goes on as far as they agree, and then they are listed.
    terminal.types("help pidfd\t");
    terminal.until("altpid> help pidfd_");
    terminal.types("\t\t");
    let list = terminal.until("pidfd_send_signal");
    assert!(list.contains("pidfd_open"), "{list}");
    terminal.until("altpid> help pidfd_");
    terminal.types("o\t");
    terminal.until("altpid> help pidfd_open");
    is_helped(&mut terminal, "pidfd_open");
    terminal.types("quit\r");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn a_shell_recalls_the_lines_before() {
    let home = home();
    let mut terminal = shell(home.path());
    for verb in ["clone", "setsid"] {
        terminal.types(&format!("help {verb}"));
        is_helped(&mut terminal, verb);
    }
    terminal.types(UP);
    terminal.until("altpid> help setsid");
    terminal.types(UP);
    terminal.until("altpid> help clone");
    is_helped(&mut terminal, "clone");
    // The end of the input, as it is typed.
    terminal.types("\x04");
    assert_eq!(terminal.end().0, 0);

    // The next shell still knows them.
    let mut terminal = shell(home.path());
    for verb in ["clone", "setsid", "clone"] {
        terminal.types(UP);
        terminal.until(&format!("altpid> help {verb}"));
    }
    is_helped(&mut terminal, "clone");
    terminal.types("\x04");
    assert_eq!(terminal.end().0, 0);
}
