// SPDX-License-Identifier: GPL-2.0

//! Arrays of operations that go around the library.

use crate::raw::{Array, Region, bytes_of, call, from_bytes};
use altpid::{
    World,
    uapi::{self, altpid_batch, altpid_op},
};

/// Issues an array as it is; returns what is in the struct then, and the array.
///
/// # Panics
///
/// When the call as a whole fails.
pub fn issue(world: &World, flags: u32, ops: &[altpid_op]) -> (altpid_batch, Vec<altpid_op>) {
    let bytes: Vec<u8> = ops.iter().flat_map(bytes_of).collect();
    let mut array = Region::with_room(bytes.len());
    array.write(0, &bytes);
    let batch = bytes_of(&altpid_batch {
        size: size_of::<altpid_batch>() as u32,
        flags,
        count: ops.len() as u32,
        ..Default::default()
    });
    let mut room = Region::with_room(batch.len());
    let number = uapi::ALTPID_CMD_BATCH;
    call(world, number, &batch, Array::At(&array, 0), &mut room, 0).expect("batch");
    let ops = array.read(0, bytes.len());
    let ops = ops.chunks_exact(size_of::<altpid_op>());
    (
        from_bytes(&room.read(0, batch.len())),
        ops.map(from_bytes).collect(),
    )
}
