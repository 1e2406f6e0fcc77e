// SPDX-License-Identifier: GPL-2.0

//! The litmus tests and the sources name each other. Whether what a test says must never be is in
//! fact never is for herd7 to say, with the kernel's tools/memory-model; here only that none is
//! forgotten.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found
}

/// The tests that the sources name, in comments as "Litmus test: MP+this. Litmus tests: A and B".
fn named() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src");
    let is_pattern = |word: &str| {
        let (pattern, rest) = word.split_once('+').unwrap_or_default();
        ["MP", "SB", "R"].contains(&pattern) && !rest.is_empty()
    };
    files(&root, "rs")
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).expect("a source");
            text.split(|c: char| !(c.is_ascii_alphanumeric() || "+-".contains(c)))
                .filter(|word| is_pattern(word))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn sources_and_litmus_tests_name_each_other() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("litmus");
    let there: BTreeSet<String> = files(&dir, "litmus")
        .iter()
        .map(|path| {
            let name = path.file_stem().expect("a name").to_str().expect("ASCII");
            let text = fs::read_to_string(path).expect("a litmus test");
            assert!(text.starts_with(&format!("C {name}\n")), "{name}");
            assert!(text.contains(" * Result: Never\n"), "{name}");
            assert!(text.contains("\nexists ("), "{name}");
            name.to_owned()
        })
        .collect();
    assert_eq!(named(), there);
    assert!(there.len() >= 8);
}
