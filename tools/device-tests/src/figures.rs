// SPDX-License-Identifier: GPL-2.0

//! What tests have done, for the end of a run.

use rustix::fs::{FlockOperation, flock};
use std::{
    collections::BTreeMap,
    env,
    fs::{File, OpenOptions},
    io::{Read, Seek, Write},
    path::Path,
    sync::{Mutex, PoisonError},
};

/// Whether the kernel is the debug kernel, in which everything takes longer.
pub fn is_debug_kernel() -> bool {
    Path::new("/sys/kernel/debug/kmemleak").exists()
}

/// How large something is that takes about as long in the debug kernel as ten times as much in the
/// other.
pub fn scaled(size: u64) -> u64 {
    if is_debug_kernel() { size / 10 } else { size }
}

/// How often something is done, likewise. `ALTPID_TIMES` in the environment makes it a multiple of
/// that.
pub fn repeated(count: u64) -> u64 {
    let times = env::var("ALTPID_TIMES").map_or(1, |times| times.parse().expect("a number"));
    times * scaled(count)
}

/// The file that `ALTPID_FIGURES` names, which the run prints at its end. Nobody else writes to it
/// until this is dropped.
fn file() -> Option<File> {
    let path = env::var_os("ALTPID_FIGURES")?;
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path);
    let file = file.expect("the file for figures");
    flock(&file, FlockOperation::LockExclusive).expect("flock");
    Some(file)
}

/// Tells how much was done: a line in the file for figures, and in the output of the test.
pub fn tell(line: &str) {
    println!("{line}");
    if let Some(mut file) = file() {
        writeln!(file, "{line}").expect("the file for figures");
    }
}

/// Tells the largest of some numbers, of all tests together: the file for figures has one line that
/// begins with `what`, which is the one with the largest number.
pub fn tell_most(what: &str, number: u64, more: &str) {
    /// What this process has told, so that the file need not be read each time.
    static TOLD: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.get(what).is_some_and(|&most| number <= most) {
        return;
    }
    told.insert(what.to_owned(), number);
    let line = format!("{what} {number} {more}");
    println!("{line}");
    if let Some(mut file) = file() {
        let mut text = String::new();
        file.read_to_string(&mut text).expect("text");
        if let Some(text) = with_most(&text, what, number, &line) {
            file.set_len(0).expect("the file for figures");
            file.rewind().expect("the file for figures");
            file.write_all(text.as_bytes())
                .expect("the file for figures");
        }
    }
}

/// The lines with one that has a number, in the place of the line for the same that has a smaller one;
/// `None` when that has not.
fn with_most(text: &str, what: &str, number: u64, line: &str) -> Option<String> {
    let number_of = |line: &str| -> Option<u64> {
        let rest = line.strip_prefix(what)?.trim_start();
        rest.split(' ').next()?.parse().ok()
    };
    let mut most = Vec::new();
    for line in text.lines() {
        match number_of(line) {
            Some(found) if found >= number => return None,
            Some(_) => {}
            None => most.push(line),
        }
    }
    most.push(line);
    Some(most.join("\n") + "\n")
}
