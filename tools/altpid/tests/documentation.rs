// SPDX-License-Identifier: GPL-2.0

//! What the library says of itself: every public type has an example, which `cargo test` compiles, and
//! runs where it needs no device.

use std::{fs, path::Path};

/// The public types of a file whose documentation has no example, as `name:line type`.
fn without_example(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a source");
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let is_type = |line: &str| {
        let kinds = [
            "pub struct ",
            "pub enum ",
            "pub type ",
            "pub trait ",
            "pub union ",
        ];
        kinds.iter().any(|kind| line.starts_with(kind))
    };
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_type(line)) {
        let above = lines[..at].iter().rev();
        let mut about = above.take_while(|line| line.starts_with("///") || line.starts_with("#["));
        if !about.any(|line| *line == "/// # Examples") {
            let name = path.display();
            found.push(format!("{name}:{}: {line}", at + 1));
        }
    }
    found
}

/// The sources in a directory and below.
fn sources(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    let paths = entries.map(|entry| entry.expect("a file").path());
    let mut all = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => all.extend(sources(&path)),
            false => all.push(path),
        }
    }
    all
}

#[test]
fn every_public_type_has_an_example() {
    let all = sources(Path::new("src"));
    assert!(all.len() > 20, "{all:?}");
    let missing: Vec<String> = all.iter().flat_map(|path| without_example(path)).collect();
    assert_eq!(missing, Vec::<String>::new());
}
