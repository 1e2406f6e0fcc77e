// SPDX-License-Identifier: GPL-2.0

//! Random commands, made after the header: most of each is as it should be, so that it gets far.

use crate::{
    header::{Kind, Member, Shape, shapes},
    raw::{Address, Arena, PAGE},
};
use altpid::uapi::{
    ALTPID_CMD_BATCH, ALTPID_KILL_PIDFD, ALTPID_KILL_QUEUE, ALTPID_KILL_QUEUE_THREAD,
    ALTPID_KILL_TASK, ALTPID_KILL_THREAD, ALTPID_SIGNAL_INFO, altpid_op,
};
use fastrand::Rng;
use std::mem::offset_of;

/// Ids that are remembered of each kind.
const KNOWN: usize = 64;
/// Where in the memory for arrays the structs of a batch begin, one a page.
const INNER: usize = PAGE;
/// Operations of a batch at most.
const OPS: usize = 8;
/// Where arrays begin.
const ELEMENTS: usize = INNER + OPS * PAGE;
/// Elements of an array that always have room.
const FEW: u64 = 24;

/// Numbers at which something is likely to go wrong.
const EDGES: [u64; 18] = [
    0,
    1,
    2,
    31,
    33,
    63,
    64,
    65,
    127,
    4096,
    i32::MAX as u64,
    1 << 31,
    u32::MAX as u64,
    1 << 32,
    i64::MAX as u64,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// How much of a request is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Nothing; it may still be refused for what is in the world.
    Sane,
    /// Every now and then a member.
    Wild,
}

/// A request in an arena.
#[derive(Clone, Debug)]
pub struct Made {
    /// Where its struct is.
    pub at: Address,
    /// The struct.
    pub bytes: Vec<u8>,
}

/// The id that a member is, which has 8 bytes.
fn id_at(bytes: &[u8], member: &Member) -> u64 {
    let mut id = [0; 8];
    id.copy_from_slice(&bytes[member.at..][..8]);
    u64::from_le_bytes(id)
}

/// Makes requests, and remembers the ids that replies give.
#[derive(Debug)]
pub struct Generator {
    /// Where chance comes from.
    pub rng: Rng,
    style: Style,
    tasks: Vec<u64>,
    namespaces: Vec<u64>,
    pidfds: Vec<u64>,
}

impl Generator {
    /// One that knows the init of a world and its namespace.
    pub fn new(seed: u64, style: Style, init: u64, root: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            style,
            tasks: vec![init],
            namespaces: vec![root],
            // None yet: 0 is never an id.
            pidfds: vec![0],
        }
    }

    /// Whether something is to be wrong now.
    fn odd(&mut self) -> bool {
        self.style == Style::Wild && self.rng.u32(..16) == 0
    }

    /// One of the remembered ids; often that of init and of the root, which do not go.
    fn id(&mut self, known: fn(&Self) -> &[u64]) -> u64 {
        let count = known(self).len();
        let index = if self.rng.u32(..4) == 0 {
            0
        } else {
            self.rng.usize(..count)
        };
        known(self)[index]
    }

    /// A number that is not what is expected.
    fn odd_number(&mut self) -> u64 {
        match self.rng.u32(..4) {
            0 => self.rng.u64(..),
            1 => self.rng.u64(..200),
            _ => EDGES[self.rng.usize(..EDGES.len())],
        }
    }

    /// A value for a member.
    pub fn value(&mut self, shape: &Shape, member: &Member, arena: &Arena) -> u64 {
        if self.odd() {
            return match member.kind {
                Kind::Address => self.odd_address(arena).get(),
                Kind::Size => match self.rng.u32(..4) {
                    0 => self.rng.u64(..16),
                    1 => self.rng.u64(..2 * PAGE as u64),
                    2 => shape.size as u64 - 1 + self.rng.u64(..100),
                    _ => self.odd_number(),
                },
                _ => self.odd_number(),
            };
        }
        match &member.kind {
            Kind::Size => shape.size as u64,
            Kind::Zero => 0,
            // A parent need not be given, and nor need be from where one looks.
            Kind::Task if member.name != "task" && self.rng.bool() => 0,
            Kind::Namespace if shape.name == "LIST" && self.rng.bool() => 0,
            // A namespace and a child can be named otherwise.
            Kind::Pidfd if ["SETNS", "WAITID"].contains(&&*shape.name) && self.rng.bool() => 0,
            Kind::Task if shape.name == "KILL" && member.name == "target" && self.rng.bool() => {
                self.id(|this| &this.pidfds)
            }
            Kind::Pidfd => self.id(|this| &this.pidfds),
            Kind::Task => self.id(|this| &this.tasks),
            Kind::Namespace => self.id(|this| &this.namespaces),
            Kind::Address => arena.array(ELEMENTS).get(),
            Kind::One(values) => values[self.rng.usize(..values.len())],
            Kind::Bits(values) => {
                let wanted = self.rng.usize(..4);
                let one = |rng: &mut Rng| values[rng.usize(..values.len())];
                (0..wanted).fold(0, |bits, _| bits | one(&mut self.rng))
            }
            Kind::Signal => match self.rng.u32(..4) {
                0 => 17,
                _ => self.rng.u64(..65),
            },
            Kind::Number => match self.rng.u32(..8) {
                0 => u64::MAX,
                1 => 0,
                2 => self.rng.u64(2..40).wrapping_neg(),
                _ => self.rng.u64(1..40),
            },
            Kind::Count => self.rng.u64(..=FEW),
            Kind::Any => match self.rng.u32(..4) {
                0 => self.odd_number(),
                _ => self.rng.u64(..4),
            },
        }
    }

    /// An address at which something is wrong, or unusual.
    fn odd_address(&mut self, arena: &Arena) -> Address {
        let bad = arena.bad();
        match self.rng.u32(..4) {
            // Not aligned, or where the struct itself is.
            0 => arena.array(ELEMENTS + self.rng.usize(..9)),
            1 => arena.structure(self.rng.usize(..64)),
            _ => bad[self.rng.usize(..bad.len())],
        }
    }

    /// The struct of a command.
    fn structure(&mut self, shape: &Shape, arena: &Arena) -> Vec<u8> {
        let mut bytes = vec![0; shape.size];
        let mut put = |member: &Member, value: u64| {
            let value = value.to_le_bytes();
            bytes[member.at..][..member.size].copy_from_slice(&value[..member.size]);
        };
        let mut count = None;
        for member in &shape.members {
            let value = self.value(shape, member, arena);
            put(member, value);
            if member.kind == Kind::Count {
                count = Some(value);
            }
        }
        // No array needs no address, and clone3 takes none then.
        if count == Some(0) && !self.odd() {
            for member in shape.members.iter().filter(|m| m.kind == Kind::Address) {
                put(member, 0);
            }
        }
        if shape.name == "CLONE" && !self.odd() {
            self.make_clone_likely(shape, &mut put);
        }
        if shape.name == "KILL" && !self.odd() {
            self.make_kill_likely(shape, &mut put);
        }
        bytes
    }

    /// Of all the flags that clone3 has few go together, and few numbers can be had.
    fn make_clone_likely(&mut self, shape: &Shape, put: &mut impl FnMut(&Member, u64)) {
        const NEWPID: u64 = 1 << 29;
        const THREAD: u64 = (1 << 8) | (1 << 11) | (1 << 16);
        const PIDFD: u64 = 1 << 12;
        const SHARED: u64 = (1 << 8) | (1 << 11);
        const KILLED: u64 = PIDFD | (1 << 34) | (1 << 36);
        let flags = [
            0,
            0,
            PIDFD,
            NEWPID,
            NEWPID,
            THREAD,
            1 << 15,
            1 << 32,
            1 << 34,
            SHARED,
            KILLED,
        ];
        let flags = flags[self.rng.usize(..flags.len())];
        let has_signal = flags & (1 << 16 | 1 << 15 | 1 << 34) == 0;
        let numbers = self.rng.u32(..8) == 0;
        for member in &shape.members {
            match member.name.as_str() {
                "flags" => put(member, flags),
                "exit_signal" => put(member, if has_signal { 17 } else { 0 }),
                "parent" if flags & THREAD != 0 => put(member, 0),
                "set_tid" if !numbers => put(member, 0),
                "set_tid_size" => put(member, if numbers { self.rng.u64(1..3) } else { 0 }),
                _ => {}
            }
        }
    }

    /// What of a signal has to be given depends on how it is sent.
    fn make_kill_likely(&mut self, shape: &Shape, put: &mut impl FnMut(&Member, u64)) {
        let how = self.rng.u32(..10);
        let by_pidfd = how == ALTPID_KILL_PIDFD;
        let by_number = !(ALTPID_KILL_TASK..=ALTPID_KILL_PIDFD).contains(&how);
        let has_tgid = [ALTPID_KILL_THREAD, ALTPID_KILL_QUEUE_THREAD].contains(&how);
        let has_code = by_pidfd || [ALTPID_KILL_QUEUE, ALTPID_KILL_QUEUE_THREAD].contains(&how);
        let signal = self.rng.u64(..65);
        let has_info = by_pidfd && self.rng.bool();
        for member in &shape.members {
            match member.name.as_str() {
                "how" => put(member, how.into()),
                "task" if !by_number && !by_pidfd && how > ALTPID_KILL_TASK => put(member, 0),
                "target" if by_pidfd => put(member, self.id(|this| &this.pidfds)),
                "target" if !by_number => put(member, self.id(|this| &this.tasks)),
                "pid" if by_number => {}
                "tgid" if has_tgid => {}
                "code" | "value" if has_code => put(member, u64::MAX),
                "flags" if by_pidfd => {
                    let info = if has_info { ALTPID_SIGNAL_INFO } else { 0 };
                    let to = [0, 1, 2, 4][self.rng.usize(..4)];
                    put(member, (to | info).into());
                }
                "sig" | "signo" if has_info => put(member, signal),
                "target" | "pid" | "tgid" | "code" | "value" | "flags" | "signo" => put(member, 0),
                _ => {}
            }
        }
    }

    /// Fills the elements that an array in good memory would have: small numbers.
    fn fill_elements(&mut self, arena: &Arena) {
        let numbers: Vec<u8> = (0..FEW)
            .flat_map(|_| self.rng.i32(-2..400).to_le_bytes())
            .collect();
        arena.write(arena.array(ELEMENTS), &numbers);
    }

    /// Puts the operations of a batch into the arena; returns how many.
    fn fill_batch(&mut self, arena: &Arena) -> u64 {
        let count = self.rng.usize(1..=OPS);
        for index in 0..count {
            let mut shape = &shapes()[self.rng.usize(..shapes().len())];
            if shape.number == ALTPID_CMD_BATCH && !self.odd() {
                shape = &shapes()[0];
            }
            let mut inner = self.structure(shape, arena);
            // What an earlier one has made.
            if index > 0 && self.rng.bool() {
                let made = (1 << 31) | self.rng.u64(..index as u64);
                let task = shape.members.iter().find(|m| m.kind == Kind::Task);
                if let Some(task) = task {
                    inner[task.at..][..8].copy_from_slice(&made.to_le_bytes());
                }
            }
            let at = arena.array(INNER + index * PAGE);
            arena.write(at, &inner);
            let at = if self.odd() {
                self.odd_address(arena)
            } else {
                at
            };
            let mut op = [0; size_of::<altpid_op>()];
            op[offset_of!(altpid_op, cmd)..][..4].copy_from_slice(&shape.number.to_le_bytes());
            op[offset_of!(altpid_op, arg)..][..8].copy_from_slice(&at.get().to_le_bytes());
            if self.odd() {
                op[offset_of!(altpid_op, reserved)] = 1;
            }
            arena.write(arena.array(index * op.len()), &op);
        }
        count as u64
    }

    /// Makes a request and puts it, with all that belongs to it, into an arena.
    pub fn request(&mut self, shape: &Shape, arena: &Arena) -> Made {
        self.fill_elements(arena);
        let mut bytes = self.structure(shape, arena);
        if shape.number == ALTPID_CMD_BATCH {
            let count = self.fill_batch(arena);
            for member in &shape.members {
                let value = match member.kind {
                    Kind::Address if !self.odd() => arena.array(0).get(),
                    Kind::Count if !self.odd() => count,
                    _ => continue,
                };
                let value = value.to_le_bytes();
                bytes[member.at..][..member.size].copy_from_slice(&value[..member.size]);
            }
        }
        let mut at = arena.structure(0);
        if self.odd() {
            at = self.odd_address(arena);
        }
        if arena.is_good(at, bytes.len()) {
            arena.write(at, &bytes);
        }
        Made { at, bytes }
    }

    /// Forgets whom a command was about, if that is one who can go.
    pub fn forget(&mut self, shape: &Shape, made: &Made) {
        for member in &shape.members {
            let known = match member.kind {
                Kind::Task => &mut self.tasks,
                Kind::Namespace => &mut self.namespaces,
                Kind::Pidfd => &mut self.pidfds,
                _ => continue,
            };
            let id = id_at(&made.bytes, member);
            if let Some(index) = known.iter().skip(1).position(|&known| known == id) {
                known.swap_remove(index + 1);
            }
        }
    }

    /// Remembers the ids in the reply to a command that succeeded.
    pub fn learn(&mut self, shape: &Shape, made: &Made, arena: &Arena) {
        if !arena.is_good(made.at, shape.size) {
            return;
        }
        let mut reply = vec![0; shape.size];
        arena.read(made.at, &mut reply);
        for member in shape.members.iter().filter(|member| member.size == 8) {
            let id = id_at(&reply, member);
            let known = match member.name.as_str() {
                "child" | "task" | "leader" => &mut self.tasks,
                "ns" | "ns_for_children" => &mut self.namespaces,
                "pidfd" => &mut self.pidfds,
                _ => continue,
            };
            if id == 0 || known.contains(&id) {
                continue;
            }
            if known.len() < KNOWN {
                known.push(id);
            } else {
                known[self.rng.usize(1..KNOWN)] = id;
            }
        }
    }
}
