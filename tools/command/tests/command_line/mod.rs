// SPDX-License-Identifier: GPL-2.0

//! The `altpid` command as tests run it: in pipes, or on a terminal of its own.
//!
//! The tests of this package run what was built with them, which finds no device; those of the
//! device, which have this too, run what is installed where they are.

#![allow(dead_code, reason = "each test program uses another part")]

pub mod terminal;

use std::{
    ffi::OsStr,
    io::Write,
    process::{Command, Output, Stdio},
};

/// A snapshot with threads, a zombie, a stopped task, and namespaces one in the other.
pub const NESTED: &str = include_str!("nested.json");

/// The exit status, what was written to standard output, and what to standard error.
pub type Done = (i32, String, String);

/// The command with these arguments.
pub fn altpid<S: AsRef<OsStr>>(args: &[S]) -> Command {
    let built = option_env!("CARGO_BIN_EXE_altpid");
    let mut command = Command::new(built.unwrap_or("altpid"));
    command.args(args).env_remove("ALTPID_FD");
    if built.is_some() {
        command.env("ALTPID_DEVICE", "/dev/null/nothing");
    }
    command
}

/// What becomes of the command with these arguments and this on its standard input.
pub fn run(args: &[&str], input: &str) -> Done {
    finish(&mut altpid(args), input)
}

/// What becomes of a command with this on its standard input.
///
/// # Panics
///
/// When it cannot be run, is killed, or writes something else than UTF-8.
pub fn finish(command: &mut Command, input: &str) -> Done {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut stdin = child.stdin.take().expect("its standard input");
    // It may not want to read all of it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("the command ends");
    let text = |bytes| String::from_utf8(bytes).expect("it speaks UTF-8");
    let status = status.code().expect("it is not killed");
    (status, text(stdout), text(stderr))
}
