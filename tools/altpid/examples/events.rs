// SPDX-License-Identifier: GPL-2.0

//! What happens in a world, in order.

use altpid::{CloneArgs, EventKind, WaitFlags, World};
use std::error::Error;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let world = World::open()?;
    let init = world.info()?.init;
    let mut events = world.events()?;

    let child = world.clone(init, &CloneArgs::new())?.task;
    world.exit_group(child, 0)?;

    // With `true` a read would sleep until there is something.
    let mut told = events.read(false)?.into_iter();
    assert!(told.all(|event| event.task == Some(child)));
    world.wait(init, -1, WaitFlags::empty())?;
    let last = events.read(false)?;
    assert_eq!(last[0].kind, EventKind::Reap(0));
    Ok(())
}
