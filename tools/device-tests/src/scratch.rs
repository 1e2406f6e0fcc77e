// SPDX-License-Identifier: GPL-2.0

//! A file that is there as long as a test.

use std::{fs, path::PathBuf, process::id};

/// A file that goes with this.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A file with a text; no two of a process have one name.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[track_caller]
    pub fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("altpid-{}-{name}", id()));
        fs::write(&path, text).expect("a file");
        Self(path)
    }

    /// Where it is.
    ///
    /// # Panics
    ///
    /// When that is not UTF-8.
    pub fn path(&self) -> &str {
        self.0.to_str().expect("a name")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
