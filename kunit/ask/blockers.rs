// SPDX-License-Identifier: GPL-2.0

//! What keeps a namespace from going.

use crate::{
    pid::registry::NsId,
    process::clone::flags::*,
    support::{world, Verbs},
    uapi::{self, altpid_blocker},
    world::World,
};
use kernel::prelude::*;

const ALIVE: u32 = uapi::ALTPID_BLOCKER_ALIVE;
const ZOMBIE: u32 = uapi::ALTPID_BLOCKER_ZOMBIE;
const NUMBER: u32 = uapi::ALTPID_BLOCKER_NUMBER;
const FOR_CHILDREN: u32 = uapi::ALTPID_BLOCKER_FOR_CHILDREN;
const NAMESPACE: u32 = uapi::ALTPID_BLOCKER_NAMESPACE;

/// Everything that keeps a namespace: reason, number, task and other, asked for `room` at a time.
fn blockers(world: &World, ns: NsId, room: usize) -> Result<KVVec<(u32, i32, u64, u64)>> {
    let ns = world.namespace(ns)?;
    let mut all = KVVec::new();
    let mut cursor = 0;
    loop {
        let mut piece = KVVec::<altpid_blocker>::with_capacity(room, GFP_KERNEL)?;
        let next = world.list_blockers(&ns, cursor, &mut |blocker| {
            piece.len() < room && piece.push_within_capacity(blocker).is_ok()
        });
        for b in piece.iter() {
            all.push((b.reason, b.nr, b.task, b.other), GFP_KERNEL)?;
        }
        match next {
            Some(next) => cursor = next,
            None => return Ok(all),
        }
    }
}

#[kernel::macros::kunit_tests(altpid_blockers)]
mod tests {
    use super::*;

    /// `zap_pid_ns_processes()`: what init waits for, without a limit
    #[test]
    fn a_zombie_with_a_parent_outside() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let outside = verbs.fork(world.init())?;
        let init = verbs.container(outside)?;
        let ns = verbs.ns(init)?;
        let holder = verbs.fork(world.init())?;
        world.setns(holder, ns)?;
        let injected = verbs.fork(holder)?;
        verbs.exit(injected, 0)?;
        assert!(blockers(&world, ns, 10)?.contains(&(
            ZOMBIE,
            2,
            injected.to_raw(),
            holder.to_raw()
        )));
        verbs.exit(init, 0)?;
        for room in [1, 10] {
            let found = blockers(&world, ns, room)?;
            assert!(
                found[..]
                    == [
                        (ZOMBIE, 2, injected.to_raw(), holder.to_raw()),
                        (FOR_CHILDREN, 0, holder.to_raw(), 0)
                    ]
            );
        }
        verbs.wait(holder, -1)?;
        // Only a memory by now.
        assert!(blockers(&world, ns, 10)?[..] == [(FOR_CHILDREN, 0, holder.to_raw(), 0)]);
        verbs.wait(outside, -1)?;
        world.setns(holder, verbs.ns(holder)?)?;
        assert!(world.namespace(ns).is_err());
        Ok(())
    }

    /// `zap_pid_ns_processes()`: whom a live init would wait for, and what is below it
    #[test]
    fn who_is_alive() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        let member = verbs.fork(init)?;
        let thread = verbs.thread(member)?;
        world.exit(member, 0, false)?;
        let nested = verbs.container(init)?;
        let (ns, below) = (verbs.ns(init)?, verbs.ns(nested)?);
        let found = blockers(&world, ns, 2)?;
        assert!(
            found[..]
                == [
                    (ALIVE, 1, init.to_raw(), 0),
                    (ZOMBIE, 2, member.to_raw(), thread.to_raw()),
                    (ALIVE, 3, thread.to_raw(), 0),
                    (ALIVE, 4, nested.to_raw(), 0),
                    (NAMESPACE, 0, 0, below.to_raw()),
                ]
        );
        Ok(())
    }

    /// `free_pid()`: a number that a process group of outsiders has keeps the namespace
    #[test]
    fn a_number_that_a_group_has() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        verbs.setsid(parent)?;
        let init = verbs.container(parent)?;
        let ns = verbs.ns(init)?;
        world.setns(parent, ns)?;
        let leader = verbs.fork(parent)?;
        verbs.setpgid(leader, 0, 0)?;
        let nr = verbs.nr(leader, 0);
        // Somebody outside joins the group that is led from inside.
        world.setns(parent, verbs.ns(parent)?)?;
        let member = verbs.fork(parent)?;
        verbs.setpgid(parent, verbs.nr(member, 0), nr)?;
        verbs.exit(leader, 0)?;
        verbs.wait(parent, nr)?;
        verbs.exit(init, 0)?;
        let found = blockers(&world, ns, 10)?;
        assert!(found[..] == [(NUMBER, 2, member.to_raw(), 0)]);
        verbs.exit(member, 0)?;
        verbs.wait(parent, -1)?;
        assert!(blockers(&world, ns, 10)?.is_empty());
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `zap_pid_ns_processes()`: the listing goes on from where it was, whatever the room
    #[test]
    fn many() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        let ns = verbs.ns(init)?;
        for _ in 0..500 {
            verbs.fork(init)?;
            _ = world.unshare(verbs.fork(world.init())?, NEWPID)?;
            if world.describe().namespaces > 200 {
                break;
            }
        }
        let alive = world.describe_namespace(ns)?.nr_pids as usize;
        for room in [1, 7, 1000] {
            assert_eq!(blockers(&world, ns, room)?.len(), alive);
        }
        // Awaiting its init: nobody is there, and somebody's children will be.
        let waiting = verbs.fork(world.init())?;
        let waiting = world.unshare(waiting, NEWPID)?.ok_or(EINVAL)?;
        let found = blockers(&world, waiting, 3)?;
        assert!(found.len() == 1 && found[0].0 == FOR_CHILDREN);
        Ok(())
    }
}
