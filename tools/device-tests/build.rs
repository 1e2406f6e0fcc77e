// SPDX-License-Identifier: GPL-2.0

//! Compiles the user of the interface that is written in C, against the header itself, and makes a
//! test of each scenario.

use std::{env, fmt::Write, fs, path::Path};

const SCENARIOS: &str = "../scenarios";

/// A test for each scenario.
fn scenarios() -> String {
    let mut paths: Vec<_> = fs::read_dir(SCENARIOS)
        .expect("the scenarios")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    let mut tests = String::new();
    for path in paths {
        let path = path.canonicalize().expect("a path");
        let name = path.file_stem().and_then(|name| name.to_str());
        let name = name.expect("a name");
        writeln!(
            tests,
            "#[test]\nfn {}() {{\n    run({name:?}, include_str!({path:?}));\n}}",
            name.replace('-', "_")
        )
        .expect("a string");
    }
    tests
}

fn main() {
    println!("cargo::rerun-if-changed={SCENARIOS}");
    let out = env::var("OUT_DIR").expect("where to");
    fs::write(Path::new(&out).join("scenarios.rs"), scenarios()).expect("the tests");
    println!("cargo::rerun-if-changed=c/interface.c");
    println!("cargo::rerun-if-changed=c/machine.c");
    println!("cargo::rerun-if-changed=c/sizes.c");
    println!("cargo::rerun-if-changed=../../src/uapi/altpid.h");
    cc::Build::new()
        .file("c/interface.c")
        .file("c/machine.c")
        .include("../../src/uapi")
        .std("gnu11")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .compile("altpid_interface");
    // What 32-bit programs make of the header, and one that drives the device.
    println!("cargo::rerun-if-changed=c/program32.c");
    let sizes = ["-fsyntax-only", "c/sizes.c"].map(String::from);
    let program = format!("{out}/program32");
    let program = [
        "-O1",
        "-nostdlib",
        "-static",
        "-o",
        &program,
        "c/program32.c",
    ]
    .map(String::from);
    compile_32_bit(&sizes);
    compile_32_bit(&program);
    // A real program, to be run in a world.
    println!("cargo::rerun-if-changed=c/members");
    let sources = fs::read_dir("c/members").expect("its sources");
    let sources = sources.map(|entry| entry.expect("a file").path());
    let sources = sources.filter(|path| path.extension().is_some_and(|kind| kind == "c"));
    let done = cc::Build::new()
        .get_compiler()
        .to_command()
        .args(["-O1", "-static", "-pthread", "-Wall", "-Wextra", "-Werror"])
        .args(["-o", &format!("{out}/members")])
        .args(sources)
        .status()
        .expect("a C compiler");
    assert!(done.success(), "c/members");
}

/// Runs the C compiler for 32 bits, for which there is no C library.
fn compile_32_bit(args: &[String]) {
    let done = cc::Build::new()
        .get_compiler()
        .to_command()
        .args([
            "-m32",
            "-ffreestanding",
            "-fno-pic",
            "-no-pie",
            "-fno-stack-protector",
        ])
        .args(["-Wall", "-Wextra", "-Werror", "-I../../src/uapi"])
        // <asm/types.h> is the same for both, and where only compilers for 64 bits look.
        .arg("-I/usr/include/x86_64-linux-gnu")
        .args(args)
        .status()
        .expect("a C compiler");
    assert!(done.success(), "32-bit programs: {args:?}");
}
