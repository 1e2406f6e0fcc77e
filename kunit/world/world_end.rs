// SPDX-License-Identifier: GPL-2.0

//! The end of a world that has members, whose bodies obey late: they are asked to go, and waited for.

use crate::{
    base::sync::{Atomic, Relaxed},
    late::Late,
    support::state::*,
    tree::pending::SIGKILL,
    tree::task::TaskId,
    world::sleep::pause,
    world::World,
};
use kernel::{
    prelude::*,
    sync::{Arc, Completion},
    workqueue,
};

/// Something that another thread does.
struct Aside(Arc<Doing>);

#[pin_data]
struct Doing {
    is_over: Atomic<u32>,
    #[pin]
    done: Completion,
}

impl Aside {
    /// Has it begun.
    fn new(world: &Arc<World>, what: impl FnOnce(&World) + Send + 'static) -> Result<Self> {
        let doing = Arc::pin_init(
            pin_init!(Doing {
                is_over: Atomic::new(0),
                done <- Completion::new(),
            }),
            GFP_KERNEL,
        )?;
        let (theirs, world) = (doing.clone(), world.clone());
        workqueue::system_unbound().try_spawn(GFP_KERNEL, move || {
            what(&world);
            drop(world);
            theirs.is_over.store(1u32, Relaxed);
            theirs.done.complete_all();
        })?;
        Ok(Self(doing))
    }

    /// Whether it is not over after a while.
    fn goes_on(&self) -> bool {
        for _ in 0..10 {
            pause();
        }
        self.0.is_over.load(Relaxed) == 0
    }

    /// Waits for it.
    fn wait(self) {
        self.0.done.wait_for_completion();
    }
}

#[kernel::macros::kunit_tests(altpid_world_end)]
mod tests {
    use super::*;

    /// Nothing native: the last close kills the members if that was asked for; the world is there until the last of
    /// them has exited, and none of them has a child any more
    #[test]
    fn a_world_ends_with_its_last_member() -> Result {
        for kills in [true, false] {
            let late = Late::new()?;
            let root = late.world.init();
            let (first, first_nr) = late.attach(root)?;
            let (second, second_nr) = late.birth(first, 0)?;
            late.verbs().fork(root)?;
            if kills {
                late.world.kill_on_close();
            }
            late.world.close();
            let killed = [(first_nr, SIGKILL), (second_nr, SIGKILL)];
            assert!(late.log().takes(if kills { &killed } else { &[] }));
            let child = late.reserve(second, 0);
            match kills {
                true => assert_eq!(child, Err(ENOMEM)),
                false => late.world.abandon(child?),
            }
            for member in [first, second] {
                assert!(!late.world.is_closed());
                assert_eq!(late.verbs().state(member), RUNNING);
                late.exits(member, SIGKILL);
            }
            assert!(late.world.is_closed());
        }
        Ok(())
    }

    /// Nothing native: a child that was reserved before the end is killed when it has a body
    #[test]
    fn a_world_ends_with_a_child_that_is_still_to_be_born() -> Result {
        let late = Late::new()?;
        let (member, nr) = late.attach(late.world.init())?;
        let child = late.reserve(member, 0)?;
        late.world.kill_on_close();
        late.world.close();
        assert!(late.log().takes(&[(nr, SIGKILL)]));
        let child_nr = late.bind(child)?;
        late.work();
        assert!(late.log().takes(&[(child_nr, SIGKILL)]));
        late.exits(member, SIGKILL);
        assert!(!late.world.is_closed());
        late.exits(child, SIGKILL);
        assert!(late.world.is_closed());
        Ok(())
    }

    /// An init with a member, which exits.
    fn dying_namespace(late: &Late) -> Result<(TaskId, TaskId)> {
        let (init, _) = late.attach_init(late.world.init())?;
        let (member, nr) = late.birth(init, 0)?;
        late.exits(init, 0);
        // It has not left yet: its thread waits.
        late.world.add_member();
        assert!(late.log().takes(&[(nr, SIGKILL)]));
        Ok((init, member))
    }

    /// `zap_pid_ns_processes()`: the thread of an init returns when its namespace is empty
    #[test]
    fn the_thread_of_an_init_waits_for_late_bodies() -> Result {
        let late = Late::new()?;
        let (init, member) = dying_namespace(&late)?;
        let waits = Aside::new(&late.world, move |world| world.wait_for_end(init))?;
        assert!(waits.goes_on());
        // Nor is it left alone when everybody else has closed the world.
        late.world.close();
        assert!(waits.goes_on());
        assert!(!late.world.is_left_alone());
        late.exits(member, SIGKILL);
        waits.wait();
        assert_eq!(late.verbs().state(init), ZOMBIE);
        Ok(())
    }
}
