// SPDX-License-Identifier: GPL-2.0

//! A process, or a thread, that does the system calls it is told to.
//!
//! It is started as `oracle-agent SLOT` with the descriptors that `protocol` names, by the driver
//! for the first process of an arena and by itself when it is told to call execve(2); all others
//! are begotten by clone3(2). Nothing in here may use the C library once [`serve`] runs: threads
//! made by clone3 alone have no storage of their own.

#![no_main]

use altpid_oracle::protocol::{
    BASE, MEMORY_FD, SLOT_SIZE, SLOTS, STACK_SIZE, STACKS, STEPS, Slot, slot,
};
use std::{
    arch::{asm, global_asm},
    ffi::{CStr, c_char, c_int, c_void},
    sync::atomic::{
        AtomicU32,
        Ordering::{Acquire, Relaxed, Release},
    },
};

unsafe extern "C" {
    /// What a signal handler returns to: rt_sigreturn(2).
    fn altpid_oracle_restorer();
}

global_asm!(
    ".globl altpid_oracle_restorer",
    "altpid_oracle_restorer:",
    "mov eax, 15",
    "syscall",
);

/// Any system call.
///
/// # Safety
///
/// It is one that the driver has asked for, and what that does to this process is wanted.
unsafe fn system_call(number: u64, args: [u64; 6]) -> i64 {
    let result;
    let [a, b, c, d, e, f] = args;
    // SAFETY: By the safety requirements; these are the registers that the kernel looks at and
    // changes.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as i64 => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    result
}

/// clone3(2) of an agent with a slot and stack of its own.
///
/// # Safety
///
/// `args` is the address of a `struct clone_args` with the stack that belongs to `child`, which is a
/// slot that nobody uses.
unsafe fn clone3(args: u64, size: u64, child: u64) -> i64 {
    let result;
    // SAFETY: The child runs on a stack of its own and never returns. To the parent it is a system
    // call like others.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call {serve}",
            "ud2",
            "2:",
            serve = sym serve,
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") args, in("rsi") size, in("r12") child,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    result
}

/// Sleeps while the futex has this value, or until a signal comes.
fn futex_wait(futex: &AtomicU32, value: u32) {
    let address = std::ptr::from_ref(futex).expose_provenance() as u64;
    let args = [address, libc::FUTEX_WAIT as u64, value.into(), 0, 0, 0];
    // SAFETY: It only sleeps.
    unsafe { system_call(libc::SYS_futex as u64, args) };
}

/// Wakes who sleeps at the futex.
fn futex_wake(futex: &AtomicU32) {
    let address = std::ptr::from_ref(futex).expose_provenance() as u64;
    // SAFETY: It only wakes.
    unsafe {
        system_call(
            libc::SYS_futex as u64,
            [address, libc::FUTEX_WAKE as u64, i32::MAX as u64, 0, 0, 0],
        )
    };
}

/// Does what is asked for in a slot, for ever.
///
/// # Safety
///
/// The slots are mapped, and nobody else serves this one.
unsafe extern "C" fn serve(number: u64) -> ! {
    let slot = slot(number as usize);
    // SAFETY: By the safety requirements. The driver leaves the steps alone while an answer is due.
    let (asked, answered, next, count) = unsafe {
        (
            &(*slot).asked,
            &(*slot).answered,
            &(*slot).next,
            &(*slot).count,
        )
    };
    loop {
        let turn = asked.load(Acquire);
        if turn == answered.load(Relaxed) {
            futex_wait(asked, turn);
            continue;
        }
        loop {
            let index = next.load(Relaxed);
            if index >= count.load(Relaxed) || index as usize >= STEPS {
                break;
            }
            // Raised before, so that exec goes on behind itself.
            next.store(index + 1, Relaxed);
            // SAFETY: As above; the index is below `STEPS`.
            unsafe { perform(slot, index as usize) };
        }
        answered.store(turn, Release);
        futex_wake(answered);
    }
}

/// Does one step of a slot.
///
/// # Safety
///
/// As [`serve`]; the index is below [`STEPS`].
unsafe fn perform(slot: *mut Slot, index: usize) {
    // SAFETY: By the safety requirements. The pointers are used as such, for with vfork-like flags
    // another task may look at this memory as well.
    unsafe {
        let steps = (&raw mut (*slot).steps).cast::<altpid_oracle::protocol::Step>();
        let step = steps.add(index);
        let mut args = (*step).args;
        let from = (*step).from;
        for (bit, arg) in args.iter_mut().enumerate() {
            if from >> bit & 1 != 0 {
                *arg = (*steps.add(*arg as usize % STEPS)).result as u64;
            }
        }
        let number = (*step).number;
        let result = if number == libc::SYS_clone3 as u64 {
            clone3(args[0], args[1], args[2])
        } else {
            system_call(number, args)
        };
        (*step).result = result;
        if result < 0 {
            let on_error = (*step).on_error as u32;
            (*slot).next.fetch_max(on_error, Relaxed);
        }
    }
}

/// Counts a signal in the slot of who gets it, whom the stack tells.
extern "C" fn handler(_: c_int, info: *const c_void, _: *const c_void) {
    let here = (&raw const info).addr();
    let slot = slot(here.wrapping_sub(STACKS) / STACK_SIZE);
    // SAFETY: The slots are mapped, and the kernel hands over a siginfo_t, which is larger than
    // what is copied. Every signal is blocked meanwhile.
    unsafe {
        info.cast::<[u8; 48]>()
            .copy_to_nonoverlapping(&raw mut (*slot).info, 1);
        (*slot).received.fetch_add(1, Release);
    }
}

/// Maps the slots and the stacks, and serves the slot that the argument names.
///
/// # Safety
///
/// As the C library calls it.
#[unsafe(no_mangle)]
unsafe extern "C" fn main(argc: c_int, argv: *const *const c_char) -> c_int {
    if argc < 2 {
        return 2;
    }
    // SAFETY: There are so many arguments, all of them strings.
    let argument = unsafe { CStr::from_ptr(*argv.add(1)) };
    let Some(number) = argument.to_str().ok().and_then(|text| text.parse().ok()) else {
        return 2;
    };
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let fixed = libc::MAP_FIXED_NOREPLACE;
    // SAFETY: Nothing is at these addresses, or the calls fail.
    unsafe {
        let base = std::ptr::with_exposed_provenance_mut(BASE);
        let slots = libc::mmap(
            base,
            SLOTS * SLOT_SIZE,
            protection,
            libc::MAP_SHARED | fixed,
            MEMORY_FD,
            0,
        );
        let place = std::ptr::with_exposed_provenance_mut(STACKS);
        let private = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let stacks = libc::mmap(
            place,
            SLOTS * STACK_SIZE,
            protection,
            private | fixed,
            -1,
            0,
        );
        if slots != base || stacks != place {
            return 3;
        }
        let slot = slot(number);
        (*slot).handler.store(handler as *const () as u64, Relaxed);
        let restorer = altpid_oracle_restorer as *const () as u64;
        (*slot).restorer.store(restorer, Relaxed);
        asm!(
            "mov rsp, {top}",
            "xor ebp, ebp",
            "call {serve}",
            "ud2",
            top = in(reg) STACKS + (number % SLOTS + 1) * STACK_SIZE,
            in("rdi") number,
            serve = sym serve,
            options(noreturn),
        );
    }
}
