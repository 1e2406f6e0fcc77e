// SPDX-License-Identifier: GPL-2.0

//! Makes the types of the interface from `src/uapi/altpid.h`, as the module's build does.

use anyhow::{Context, Result, ensure};
use std::{env, ffi::OsString, fs, path::PathBuf, process::Command};

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

/// The program, and not the library of that name: the module's build needs it as well, and to compile
/// it once more takes longer than all the rest here. `BINDGEN` says where it is; else it is in `PATH`,
/// or where `tools/scripts/setup` builds it.
fn find_bindgen() -> OsString {
    let in_cache = || {
        let cache = env::var_os("ALTPID_CACHE").map(PathBuf::from).or_else(|| {
            let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
            Some(
                xdg.or_else(|| Some(env::home_dir()?.join(".cache")))?
                    .join("altpid"),
            )
        })?;
        let mut found: Vec<_> = fs::read_dir(cache.join("tools"))
            .ok()?
            .flatten()
            .map(|entry| entry.path().join("bin/bindgen"))
            .filter(|path| path.exists())
            .collect();
        found.sort();
        found.pop().map(OsString::from)
    };
    println!("cargo::rerun-if-env-changed=BINDGEN");
    env::var_os("BINDGEN")
        .filter(|path| !path.is_empty())
        .or_else(in_cache)
        .unwrap_or_else(|| "bindgen".into())
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
    let source = out.with_file_name("commands.h");
    let path = fs::canonicalize(HEADER)?;
    fs::write(
        &source,
        format!("#include \"{}\"\n{commands}", path.display()),
    )?;
    let program = find_bindgen();
    let mut bindgen = Command::new(&program);
    if env::var_os("LIBCLANG_PATH").is_none()
        && let Some(path) = find_libclang()
    {
        bindgen.env("LIBCLANG_PATH", path);
    }
    let status = bindgen
        .arg(&source)
        .args(["--allowlist-item", "[Aa][Ll][Tt][Pp][Ii][Dd]_.*"])
        // bindgen takes ~0ULL for an int; see src/uapi.rs.
        .args(["--blocklist-item", "ALTPID_OUTSIDE"])
        .args(["--default-macro-constant-type", "unsigned"])
        .args(["--default-enum-style", "consts", "--no-prepend-enum-name"])
        .args(["--with-derive-default", "--output"])
        .arg(&out)
        .status()
        .with_context(|| {
            let program = program.display();
            format!("{program} does not run: make setup, or BINDGEN=/path")
        })?;
    ensure!(status.success(), "bindgen on the interface header");
    Ok(())
}
