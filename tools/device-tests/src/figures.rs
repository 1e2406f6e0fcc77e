// SPDX-License-Identifier: GPL-2.0

//! What tests have done, for the end of a run.

use std::{env, fs::OpenOptions, io::Write, path::Path};

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

/// Tells how much was done: a line in the file that `ALTPID_FIGURES` names, where the run prints it
/// at its end, and in the output of the test.
pub fn tell(line: &str) {
    println!("{line}");
    if let Some(path) = env::var_os("ALTPID_FIGURES") {
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| writeln!(file, "{line}"))
            .expect("the file for figures");
    }
}
