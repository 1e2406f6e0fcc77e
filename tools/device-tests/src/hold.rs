// SPDX-License-Identifier: GPL-2.0

//! The longest hold of the tree lock since the module was loaded, which the module forgets when it is
//! unloaded.

use altpid::World;
use rustix::fd::{AsFd, AsRawFd};
use std::{env, fs, fs::OpenOptions, io::Write};

/// The lines of the fdinfo of each descriptor of the device that tell of it, by how they begin.
const LINES: [&str; 2] = ["max_hold:", "hold_bound:"];

/// Writes down what the module says, in the file that `ALTPID_HOLDS` in the environment names; the run
/// judges it at its end. Does nothing without such a file, and while the module is not loaded.
///
/// # Panics
///
/// When the file cannot be written, or the fdinfo not be read.
pub fn note() {
    let (Some(path), Ok(world)) = (env::var_os("ALTPID_HOLDS"), World::open()) else {
        return;
    };
    let fdinfo = format!("/proc/self/fdinfo/{}", world.as_fd().as_raw_fd());
    let fdinfo = fs::read_to_string(fdinfo).expect("fdinfo");
    let is_told = |line: &&str| LINES.iter().any(|begin| line.starts_with(begin));
    let lines: Vec<_> = fdinfo.lines().filter(is_told).collect();
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| writeln!(file, "{}", lines.join("\n")))
        .expect("the file for holds");
}
