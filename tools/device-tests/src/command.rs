// SPDX-License-Identifier: GPL-2.0

//! Every command of the interface, with a request that succeeds.

mod table;

pub use self::table::COMMANDS;

use crate::{
    Fixture,
    raw::{Array, PAGE, Region, call, with_address},
};
use altpid::uapi::*;
use rustix::io::Errno;

/// A command.
#[derive(Clone, Copy)]
pub struct Command {
    /// Its name in the header, without the prefix.
    pub name: &'static str,
    /// Its number.
    pub number: u32,
    /// The size of its struct.
    pub size: usize,
    /// Whether something is written back.
    pub replies: bool,
    /// Bytes that have to be 0: where a reserved member begins.
    pub reserved: &'static [usize],
    /// Flags that do not exist: where they are, and which.
    pub unknown: &'static [(usize, u64)],
    request: fn(&Fixture) -> Vec<u8>,
}

/// A request in the making.
pub struct Request<'a> {
    /// The command.
    pub command: Command,
    /// Its struct.
    pub bytes: Vec<u8>,
    /// What its address is, where it has one.
    pub array: Array<'a>,
}

impl Request<'_> {
    /// Changes some bytes of the struct.
    pub fn put(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        if self.bytes.len() < at + bytes.len() {
            self.bytes.resize(at + bytes.len(), 0);
        }
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Says how large the struct is; it becomes so large, with zeroes, if that can be.
    pub fn resize(&mut self, size: u32) -> &mut Self {
        self.bytes.resize((size as usize).clamp(4, PAGE + 1), 0);
        self.put(0, &size.to_ne_bytes())
    }

    /// The struct as it is when it is issued, with the address of the array.
    pub fn as_sent(&self) -> Vec<u8> {
        with_address(self.command.number, &self.bytes, self.array)
    }

    /// Issues it, with the struct in good memory.
    ///
    /// # Errors
    ///
    /// What the module returns.
    pub fn send(&self, world: &Fixture) -> Result<Vec<u8>, Errno> {
        let mut region = Region::with_room(self.bytes.len());
        self.send_in(world, &mut region, 0)?;
        Ok(region.read(0, self.bytes.len()))
    }

    /// Issues it, with the struct in a region.
    ///
    /// # Errors
    ///
    /// What the module returns.
    pub fn send_in(&self, world: &Fixture, region: &mut Region, at: usize) -> Result<(), Errno> {
        call(
            world,
            self.command.number,
            &self.bytes,
            self.array,
            region,
            at,
        )
    }
}

impl Command {
    /// The size of its struct when it was published: a caller's may be as short as this.
    pub fn first_size(&self) -> usize {
        let grown = table::GROWN.iter().find(|(name, _)| *name == self.name);
        grown.map_or(self.size, |(_, first_size)| *first_size)
    }

    /// A request that succeeds; whom it is about is made for it. `room` is for its array.
    pub fn request<'a>(&self, world: &Fixture, room: &'a Region) -> Request<'a> {
        let has_array =
            [ALTPID_CMD_TRANSLATE, ALTPID_CMD_LIST, ALTPID_CMD_BATCH].contains(&self.number);
        let mut request = Request {
            command: *self,
            bytes: (self.request)(world),
            array: if has_array {
                Array::At(room, 0)
            } else {
                Array::None
            },
        };
        assert_eq!(request.bytes.len(), self.size, "{}", self.name);
        request.resize(self.size as u32);
        request
    }

    /// The command of a name.
    pub fn named(name: &str) -> Self {
        let found = COMMANDS.iter().find(|command| command.name == name);
        *found.expect("a command")
    }
}
