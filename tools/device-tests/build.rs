// SPDX-License-Identifier: GPL-2.0

//! Compiles the user of the interface that is written in C, against the header itself.

fn main() {
    println!("cargo::rerun-if-changed=c/interface.c");
    println!("cargo::rerun-if-changed=../../src/uapi/altpid.h");
    cc::Build::new()
        .file("c/interface.c")
        .include("../../src/uapi")
        .std("gnu11")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .compile("altpid_interface");
}
