// SPDX-License-Identifier: GPL-2.0

//! Makes the types of the interface from `src/uapi/altpid.h`, as the module's build does.

use anyhow::{Context, Result, ensure};
use std::{env, fs, path::PathBuf};

const HEADER: &str = "../../src/uapi/altpid.h";

/// Where libclang may be when nobody says: the newest of Debian's.
fn find_libclang() -> Option<PathBuf> {
    let mut found: Vec<_> = fs::read_dir("/usr/lib")
        .ok()?
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version: u32 = name.strip_prefix("llvm-")?.parse().ok()?;
            let lib = entry.path().join("lib");
            let usable = lib.join("libclang.so").exists() || lib.join("libclang.so.1").exists();
            usable.then_some((version, lib))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, lib)| lib)
}

/// The names of `ALTPID_REASON_*` and the texts, which stand in the header behind each, by number.
fn reasons(header: &str) -> Result<String> {
    let mut texts = Vec::new();
    for line in header.lines() {
        let Some(line) = line.strip_prefix("#define ALTPID_REASON_") else {
            continue;
        };
        let (definition, comment) = line.split_once("/*").context("a reason without a text")?;
        let mut words = definition.split_whitespace();
        let (name, number) = (words.next(), words.next());
        ensure!(
            number.and_then(|number| number.parse().ok()) == Some(texts.len()),
            "reasons in order: {line}"
        );
        let comment = comment.trim().trim_end_matches("*/").trim();
        let text = comment.split_once(": ").map_or(comment, |(_, text)| text);
        texts.push((name.context("a name")?.to_owned(), text.to_owned()));
    }
    Ok(format!("&{texts:?}"))
}

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed={HEADER}");
    println!("cargo::rerun-if-env-changed=LIBCLANG_PATH");
    if env::var_os("LIBCLANG_PATH").is_none()
        && let Some(path) = find_libclang()
    {
        // SAFETY: A build script has one thread.
        unsafe { env::set_var("LIBCLANG_PATH", path) };
    }
    let header = fs::read_to_string(HEADER).with_context(|| format!("reading {HEADER}"))?;
    // bindgen does not evaluate macros like _IO(): each command number becomes a constant of its
    // own, with the compiler's value.
    let commands: String = header
        .lines()
        .filter_map(|line| {
            line.strip_prefix("#define ALTPID_IOC_")?
                .split_whitespace()
                .next()
        })
        .filter(|name| *name != "TYPE")
        .map(|name| format!("enum {{ ALTPID_CMD_{name} = ALTPID_IOC_{name} }};\n"))
        .collect();
    let out = PathBuf::from(env::var("OUT_DIR")?).join("uapi.rs");
    fs::write(out.with_file_name("reasons.rs"), reasons(&header)?)?;
    bindgen::builder()
        .header(HEADER)
        .header_contents("commands.h", &format!("#include \"{HEADER}\"\n{commands}"))
        .allowlist_item("[Aa][Ll][Tt][Pp][Ii][Dd]_.*")
        // bindgen takes ~0ULL for an int; see src/uapi.rs.
        .blocklist_item("ALTPID_OUTSIDE")
        .default_macro_constant_type(bindgen::MacroTypeVariation::Unsigned)
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .derive_default(true)
        .layout_tests(true)
        .generate()
        .context("bindgen on the interface header")?
        .write_to_file(&out)
        .with_context(|| format!("writing {}", out.display()))
}
