// SPDX-License-Identifier: GPL-2.0

//! A container: a pid namespace, its init, and what is left of it.

use altpid::{Clone, CloneFlags, NsState, World};
use std::error::Error;

/// `WNOHANG`
const WNOHANG: u32 = 1;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let world = World::open()?;
    let outside = world.info()?.init;

    // unshare --pid --fork: the first process in there is pid 1.
    let container = Clone::new().flags(CloneFlags::NEWPID);
    let init = world.clone(outside, &container)?;
    let shell = world.clone(init.task, &Clone::new())?;
    assert_eq!(shell.pid, 2, "as init sees it");

    // Everybody has a number at each level, outermost first.
    let seen = world.task(shell.task)?;
    assert_eq!(seen.pid, [3, 2]);

    // The number of one namespace is another one elsewhere.
    let (root, inside) = (world.info()?.root_ns, seen.ns);
    let mut numbers = [1, 2, 99];
    world.translate(inside, root, &mut numbers)?;
    assert_eq!(numbers[..2], [2, 3]);
    assert!(numbers[2] < 0, "nobody is 99 in there");

    // When init goes, everybody goes, and its parent is told.
    world.exit_group(init.task, 7)?;
    assert_eq!(world.ns(inside)?.state, NsState::Dying);
    let waited = world.wait(outside, -1, WNOHANG)?.expect("a dead child");
    assert_eq!(altpid::names::status(waited.status), "exit 7");
    assert!(world.task(shell.task).is_err());
    Ok(())
}
