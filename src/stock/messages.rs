// SPDX-License-Identifier: GPL-2.0

//! Messages with every kind of argument, in a test build.
//!
//! The kernel formats them with `%pA`, or, where its Rust crates are linked into the module,
//! src/stock/format.c does; what comes out has to be the same: src/stock/messages.txt.

use crate::base::faults::{self, Fault};
use kernel::{c_str, fmt, pr_cont, prelude::*, str::BStr};

/// Something that derives its text.
#[derive(Debug)]
#[allow(dead_code)]
struct Derived<'a> {
    name: &'a str,
    numbers: [u8; 3],
    inner: Option<(i32, char)>,
}

/// Something that writes its text in pieces.
struct Pieces(usize);

impl fmt::Display for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.0).try_for_each(|index| write!(f, "{index},"))
    }
}

/// Prints them, if that was chosen for this load.
pub(crate) fn print() {
    if !faults::has(Fault::Messages) {
        return;
    }
    let derived = Derived {
        name: "two",
        numbers: [1, 2, 3],
        inner: Some((-4, 'x')),
    };
    let (width, precision) = (9, 3);
    pr_info!("message: nothing to format, and 100 % of it %s %d %pA {{}}\n");
    pr_info!("message: {} {} {} {}\n", "text", 'c', true, c_str!("of C"));
    pr_info!(
        "message: {:?} {:?} {:?}\n",
        "quo\"ted",
        '\n',
        BStr::from_bytes(b"by\xfftes")
    );
    pr_info!(
        "message: {} {} {} {}\n",
        u8::MAX,
        i16::MIN,
        u32::MAX,
        i64::MIN
    );
    pr_info!("message: {} {}\n", u64::MAX, usize::MAX);
    pr_info!(
        "message: {:x} {:#X} {:#b} {:o} {:#018x}\n",
        255,
        255,
        5,
        8,
        0xabcu64
    );
    pr_info!(
        "message: [{:5}] [{:<5}] [{:^5}] [{:>5}] [{:*^7}] [{:+}] [{:05}]\n",
        1,
        2,
        3,
        4,
        5,
        6,
        -7
    );
    pr_info!(
        "message: [{:width$}] [{:.precision$}] [{:>8}]\n",
        "a",
        "abcdef",
        "right"
    );
    pr_info!("message: [{name:>8}] [{1} {0} {1}]\n", 1, 2, name = "named");
    pr_info!("message: {derived:?}\n");
    pr_info!(
        "message: {:?} {:?} {:?}\n",
        EINVAL,
        Some(Pieces(0).0),
        None::<u8>
    );
    pr_info!("message: {:p} {:?}\n", core::ptr::null::<u8>(), [(); 2]);
    pr_info!("message: {}\n", Pieces(40));
    pr_info!("message: {}\n", Pieces(200));
    pr_emerg!("message: level 0 {}\n", 0);
    pr_alert!("message: level 1 {}\n", 1);
    pr_crit!("message: level 2 {}\n", 2);
    pr_err!("message: level 3 {}\n", 3);
    pr_warn!("message: level 4 {}\n", 4);
    pr_notice!("message: level 5 {}\n", 5);
    pr_info!("message: a line {}", "in");
    pr_cont!(" {} pieces\n", 2);
}
