// SPDX-License-Identifier: GPL-2.0

//! Many operations in one call, some of which refer to what others make; and why one fails.

use altpid::{Batch, CloneArgs, CloneFlags, TaskId, World};
use std::error::Error;

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let world = World::open()?;
    let mut batch = Batch::new();
    let init = batch.clone(
        world.info()?.init,
        &CloneArgs::new()
            .flags(CloneFlags::NEWPID)
            .set_tid(&[1, 4213]),
    );
    // `init` stands for what that operation will have made.
    for _ in 0..1000 {
        batch.clone(init, &CloneArgs::new());
    }
    let done = batch.run(&world, false)?;
    assert_eq!(done.len(), 1001);
    let init = TaskId(done[0]?);
    assert_eq!(world.task(init)?.pid, [4213, 1]);

    // An error has the errno of the system call, and a reason where errno says too little.
    let again = CloneArgs::new().set_tid(&[4213]);
    let error = world
        .clone(world.info()?.init, &again)
        .expect_err("it is in use");
    assert_eq!(error.reason.text(), Some("a number is in use"));
    Ok(())
}
