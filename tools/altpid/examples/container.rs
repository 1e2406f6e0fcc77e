// SPDX-License-Identifier: GPL-2.0

//! A container: a pid namespace, its init, and what is left of it.

use altpid::{CloneArgs, CloneFlags, NsState, Status, WaitFlags, World};
use std::error::Error;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let world = World::open()?;
    let outside = world.info()?.init;

    // unshare --pid --fork: the first process in there is pid 1.
    let container = CloneArgs::new().flags(CloneFlags::NEWPID);
    let init = world.clone(outside, &container)?;
    let shell = world.clone(init.task, &CloneArgs::new())?;
    assert_eq!(shell.pid, 2, "as init sees it");

    // Everybody has a number at each level, outermost first.
    let seen = world.task(shell.task)?;
    assert_eq!(seen.pid, [3, 2]);

    // The number of one namespace is another one elsewhere.
    let (root, inside) = (world.info()?.root_ns, seen.ns);
    let numbers = world.translate(inside, root, &[1, 2, 99])?;
    assert_eq!(numbers[..2], [Ok(2), Ok(3)]);
    assert!(numbers[2].is_err(), "nobody is 99 in there");

    // When init goes, everybody goes, and its parent is told.
    world.exit_group(init.task, 7)?;
    assert_eq!(world.ns(inside)?.state, NsState::Dying);
    let waited = world
        .wait(outside, -1, WaitFlags::NOHANG)?
        .expect("a dead child");
    assert_eq!(waited.how(), Status::Exited(7));
    assert!(world.task(shell.task).is_err());
    Ok(())
}
