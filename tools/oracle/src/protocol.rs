// SPDX-License-Identifier: GPL-2.0

//! The memory that the driver shares with its agents, and what stands in it.
//!
//! Each agent has a slot of one page and a stack, both chosen by its number, at the same addresses
//! in every process. The driver writes a list of system calls into a slot and raises
//! [`Slot::asked`]; the agent does them, writes what they returned and raises
//! [`Slot::answered`]. Both are futexes.

use std::sync::atomic::{AtomicU32, AtomicU64};

/// Where the slots are in every process.
pub const BASE: usize = 0x10_0000_0000;
/// Where the driver has those of members.
pub const MEMBERS_BASE: usize = 0x18_0000_0000;
/// How many agents there can be in an arena.
pub const SLOTS: usize = 512;
/// A slot takes one page.
pub const SLOT_SIZE: usize = 4096;
/// Where the stacks are, which every process has for itself.
pub const STACKS: usize = BASE + SLOTS * SLOT_SIZE;
/// The size of a stack, in bytes.
pub const STACK_SIZE: usize = 32768;
/// The descriptor of the shared memory in every agent.
pub const MEMORY_FD: i32 = 100;
/// The descriptor of `/proc/sys/kernel/ns_last_pid` in every agent.
pub const LAST_PID_FD: i32 = 101;
/// A pidfd for the driver in every agent.
pub const DRIVER_FD: i32 = 102;
/// How many system calls can be asked for at once.
pub const STEPS: usize = 16;
/// Room for what the system calls point to, in bytes.
pub const DATA: usize = 1024;

/// One system call.
#[repr(C)]
pub struct Step {
    /// Its number.
    pub number: u64,
    /// Its arguments. What clone3 gets in its third is the slot of the child.
    pub args: [u64; 6],
    /// Bit `i`: argument `i` is the index of a step whose result is meant.
    pub from: u64,
    /// When it fails it is the last one but for those from this index on.
    pub on_error: u64,
    /// What it returned, a negative number for an error.
    pub result: i64,
}

/// What an agent and the driver tell each other.
#[repr(C, align(4096))]
pub struct Slot {
    /// Raised by the driver: there is something to do.
    pub asked: AtomicU32,
    /// What `asked` was when the last answer was given.
    pub answered: AtomicU32,
    /// The next step to do; in here so that the program that exec has made goes on with it.
    pub next: AtomicU32,
    /// How many steps there are.
    pub count: AtomicU32,
    /// How many signals its handler was called for.
    pub received: AtomicU32,
    /// Keeps what follows aligned.
    pub reserved: AtomicU32,
    /// The address of its signal handler.
    pub handler: AtomicU64,
    /// The address of what a handler returns to.
    pub restorer: AtomicU64,
    /// The beginning of the last signal's `siginfo_t`.
    pub info: [u8; 48],
    /// What is to be done.
    pub steps: [Step; STEPS],
    /// What the system calls point to.
    pub data: [u8; DATA],
}

const _: () = assert!(size_of::<Slot>() == SLOT_SIZE);

/// The slot with this number.
///
/// The memory has to be mapped; the pointer is valid for as long as it is.
pub fn slot(number: usize) -> *mut Slot {
    std::ptr::with_exposed_provenance_mut(BASE + number % SLOTS * SLOT_SIZE)
}
