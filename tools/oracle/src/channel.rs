// SPDX-License-Identifier: GPL-2.0

//! The driver's side of the shared memory: asking agents and reading their answers.

use crate::{
    op::Name,
    protocol::{DATA, MEMORY_FD, SLOT_SIZE, SLOTS, STACK_SIZE, STACKS, STEPS, Slot, Step, slot},
};
use anyhow::{Result, ensure};
use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    sync::atomic::Ordering::{Acquire, Relaxed, Release},
    time::Duration,
};

/// An argument of a system call.
#[derive(Clone, Copy)]
pub enum Arg {
    /// This number or address.
    Is(u64),
    /// What an earlier step has returned.
    Of(usize),
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Is(number as u64)
    }
}

impl From<i32> for Arg {
    fn from(number: i32) -> Self {
        Self::Is(number as u64)
    }
}

impl From<u64> for Arg {
    fn from(number: u64) -> Self {
        Self::Is(number)
    }
}

/// A list of system calls, and the bytes that they point to.
#[derive(Default)]
pub struct Program {
    steps: Vec<(libc::c_long, Vec<Arg>)>,
    /// An index of a step that is done whatever failed before.
    always: Option<usize>,
    data: Vec<u8>,
    slot: usize,
}

impl Program {
    /// Nothing yet, for the agent with this name.
    pub fn new(name: Name) -> Self {
        Self {
            slot: name.0 as usize,
            ..Self::default()
        }
    }

    /// Adds a system call; returns its index.
    pub fn call(&mut self, number: libc::c_long, args: &[Arg]) -> usize {
        self.steps.push((number, args.to_vec()));
        self.steps.len() - 1
    }

    /// How many system calls there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// What comes from here on is done even if something fails before.
    pub fn always(&mut self) {
        self.always.get_or_insert(self.steps.len());
    }

    /// Adds bytes; returns their address in the agent.
    pub fn bytes(&mut self, bytes: &[u8]) -> Arg {
        self.data.resize(self.data.len().next_multiple_of(8), 0);
        let offset = self.data.len();
        self.data.extend_from_slice(bytes);
        Arg::Is(self.address(offset))
    }

    /// Adds a string; returns its address in the agent.
    pub fn text(&mut self, text: &str) -> Arg {
        self.bytes(&[text.as_bytes(), b"\0"].concat())
    }

    /// Adds numbers; returns their address in the agent.
    pub fn words(&mut self, words: &[u64]) -> Arg {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        self.bytes(&bytes)
    }

    /// Adds room that a system call writes to; returns its address and its offset.
    pub fn room(&mut self, size: usize) -> (Arg, usize) {
        let address = self.bytes(&vec![0; size]);
        (address, self.data.len() - size)
    }

    fn address(&self, offset: usize) -> u64 {
        (slot(self.slot).addr() + std::mem::offset_of!(Slot, data) + offset) as u64
    }
}

/// The shared memory.
pub struct Channel {
    memory: OwnedFd,
    /// Where it is in this process; every agent has it at `BASE`.
    base: usize,
}

fn check(result: libc::c_int) -> Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())?;
    }
    Ok(result)
}

impl Channel {
    /// Maps it at an address where nothing is.
    pub fn new(at: usize) -> Result<Self> {
        // SAFETY: The calls make descriptors and map memory where nothing is.
        unsafe {
            let fd = check(libc::memfd_create(c"oracle".as_ptr(), 0))?;
            let memory = OwnedFd::from_raw_fd(fd);
            check(libc::ftruncate(fd, (SLOTS * SLOT_SIZE) as i64))?;
            let base = std::ptr::with_exposed_provenance_mut(at);
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_SHARED | libc::MAP_FIXED_NOREPLACE;
            let mapped = libc::mmap(base, SLOTS * SLOT_SIZE, protection, flags, fd, 0);
            ensure!(
                mapped == base,
                "no room for the slots: {}",
                io::Error::last_os_error()
            );
            Ok(Self { memory, base: at })
        }
    }

    /// Puts its descriptor where an agent looks for it. For the process that becomes one.
    pub(crate) fn hand_down(&self) -> Result<()> {
        // SAFETY: Nobody else uses that descriptor.
        unsafe { check(libc::dup2(self.memory.as_raw_fd(), MEMORY_FD)) }?;
        Ok(())
    }

    /// The slot of an agent, as it is mapped here.
    fn slot(&self, name: Name) -> *mut Slot {
        let index = name.0 as usize % SLOTS;
        std::ptr::with_exposed_provenance_mut(self.base + index * SLOT_SIZE)
    }

    /// Makes the slots as new. No agent may be left.
    pub fn clear(&mut self) -> Result<()> {
        // SAFETY: What is dropped reads as zeroes, which is a slot that nobody has used.
        unsafe {
            check(libc::fallocate(
                self.memory.as_raw_fd(),
                libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE,
                0,
                (SLOTS * SLOT_SIZE) as i64,
            ))?;
        }
        Ok(())
    }

    /// Lets an agent begin with a program. It must have answered everything before.
    pub fn ask(&mut self, name: Name, program: &Program) {
        assert!(program.steps.len() <= STEPS && program.data.len() <= DATA);
        let slot = self.slot(name);
        // SAFETY: The memory is mapped as long as `self` lives, and the agent leaves it alone until
        // it is asked.
        unsafe {
            let data = (&raw mut (*slot).data).cast::<u8>();
            data.copy_from_nonoverlapping(program.data.as_ptr(), program.data.len());
            for (index, (number, args)) in program.steps.iter().enumerate() {
                let always = program.always.filter(|always| index < *always);
                let mut step = Step {
                    number: *number as u64,
                    args: [0; 6],
                    from: 0,
                    on_error: always.unwrap_or(0) as u64,
                    result: 0,
                };
                for (bit, (place, arg)) in step.args.iter_mut().zip(args).enumerate() {
                    match arg {
                        Arg::Is(number) => *place = *number,
                        Arg::Of(index) => {
                            *place = *index as u64;
                            step.from |= 1 << bit;
                        }
                    }
                }
                (&raw mut (*slot).steps)
                    .cast::<Step>()
                    .add(index)
                    .write(step);
            }
            (*slot).next.store(0, Relaxed);
            (*slot).count.store(program.steps.len() as u32, Relaxed);
            (*slot).asked.fetch_add(1, Release);
            let futex = (&raw const (*slot).asked).cast::<u32>();
            libc::syscall(libc::SYS_futex, futex, libc::FUTEX_WAKE, 1);
        }
    }

    /// Whether an agent has answered all that it was asked; waits for it as long as `patience`.
    pub fn has_answered(&self, name: Name, patience: Duration) -> bool {
        let slot = self.slot(name);
        // SAFETY: The memory is mapped as long as `self` lives.
        unsafe {
            let answered = (*slot).answered.load(Acquire);
            let asked = (*slot).asked.load(Relaxed);
            if answered == asked || patience.is_zero() {
                return answered == asked;
            }
            let timeout = libc::timespec {
                tv_sec: patience.as_secs() as i64,
                tv_nsec: patience.subsec_nanos().into(),
            };
            let futex = (&raw const (*slot).answered).cast::<u32>();
            libc::syscall(
                libc::SYS_futex,
                futex,
                libc::FUTEX_WAIT,
                answered,
                &raw const timeout,
            );
            (*slot).answered.load(Acquire) == asked
        }
    }

    /// What a step of an answer has returned.
    pub fn result(&self, name: Name, step: usize) -> i64 {
        assert!(step < STEPS);
        let slot = self.slot(name);
        // SAFETY: The memory is mapped as long as `self` lives, and the agent has answered.
        unsafe {
            (&raw const (*slot).steps)
                .cast::<Step>()
                .add(step)
                .read_volatile()
                .result
        }
    }

    /// Bytes that an answer consists of.
    pub fn bytes<const N: usize>(&self, name: Name, offset: usize) -> [u8; N] {
        assert!(offset + N <= DATA);
        let slot = self.slot(name);
        // SAFETY: As above, and within the data.
        unsafe {
            let data = (&raw const (*slot).data).cast::<u8>();
            data.add(offset).cast::<[u8; N]>().read_unaligned()
        }
    }

    /// How many signals an agent has had, and the beginning of the last one's siginfo_t.
    pub fn received(&self, name: Name) -> (u32, [u8; 48]) {
        let slot = self.slot(name);
        // SAFETY: The memory is mapped as long as `self` lives. What is read while it is written is
        // read again, for the driver compares until nothing changes.
        unsafe {
            (
                (*slot).received.load(Acquire),
                (&raw const (*slot).info).read_volatile(),
            )
        }
    }

    /// The addresses of an agent's handler and of what that returns to.
    pub fn handler(&self, name: Name) -> (u64, u64) {
        let slot = self.slot(name);
        // SAFETY: The memory is mapped as long as `self` lives.
        unsafe {
            (
                (*slot).handler.load(Relaxed),
                (*slot).restorer.load(Relaxed),
            )
        }
    }

    /// Notes that a child has the program of its parent.
    pub fn inherit(&mut self, parent: Name, child: Name) {
        let (handler, restorer) = self.handler(parent);
        let slot = self.slot(child);
        // SAFETY: As above.
        unsafe {
            (*slot).handler.store(handler, Relaxed);
            (*slot).restorer.store(restorer, Relaxed);
        }
    }

    /// Where the stack of an agent begins, and its size.
    pub fn stack(name: Name) -> (u64, u64) {
        let index = name.0 as usize % SLOTS;
        ((STACKS + index * STACK_SIZE) as u64, STACK_SIZE as u64)
    }
}
