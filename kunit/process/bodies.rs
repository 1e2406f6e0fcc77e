// SPDX-License-Identifier: GPL-2.0

//! Members whose bodies obey late: to ask a body to exit or to stop is not its having done so.

use crate::{
    base::sync::Relaxed,
    late::Late,
    native::HAS_SIGNALS,
    pid::alloc_pid,
    process::clone::flags::*,
    signal::kill::By,
    support::{signals::*, state::*, Errno},
    tree::pending::*,
    world::World,
};
use kernel::{error::code::ERESTARTNOINTR, prelude::*};

const THREADS: u64 = THREAD | SIGHAND | VM;

#[kernel::macros::kunit_tests(altpid_bodies)]
mod tests {
    use super::*;

    /// `zap_pid_ns_processes()`: init waits for everybody in its namespace, however long that takes
    #[test]
    fn zap_waits_for_a_body_that_obeys_late() -> Result {
        for child_is_first in [true, false] {
            let late = Late::new()?;
            let verbs = late.verbs();
            let root = late.world.init();
            let init = verbs.container(root)?;
            let (member, nr) = late.attach(init)?;
            let (child, child_nr) = late.birth(member, 0)?;
            verbs.exit(init, 3)?;
            assert!(late.log().takes(&[(nr, SIGKILL), (child_nr, SIGKILL)]));
            assert_eq!(verbs.state(member), RUNNING);
            assert_eq!(verbs.state(child), RUNNING);
            let (first, last) = match child_is_first {
                true => (child, member),
                false => (member, child),
            };
            for member in [first, last] {
                assert_eq!(verbs.state(init), EXITING);
                assert_eq!(verbs.wait(root, -1)?, (0, 0));
                late.exits(member, SIGKILL);
            }
            assert_eq!(verbs.state(init), ZOMBIE);
            assert_eq!(verbs.wait(root, -1)?.1, 3 << 8);
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `zap_pid_ns_processes()`: the same of an init with a body, whose members die at once but for one
    #[test]
    fn init_with_a_body_waits_for_a_late_one() -> Result {
        let late = Late::new()?;
        let verbs = late.verbs();
        let root = late.world.init();
        let (init, _) = late.attach_init(root)?;
        let (member, nr) = late.birth(init, 0)?;
        late.exits(init, 0);
        assert!(late.log().takes(&[(nr, SIGKILL)]));
        assert_eq!(verbs.state(init), EXITING);
        assert_eq!(verbs.wait(root, -1)?, (0, 0));
        late.exits(member, SIGKILL);
        assert_eq!(verbs.state(init), ZOMBIE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_group_exit()`: a process is dead when its last thread is, with the status that was decided first
    #[test]
    fn exit_group_of_a_process_with_late_threads() -> Result {
        for by_leader in [true, false] {
            let late = Late::new()?;
            let verbs = late.verbs();
            let root = late.world.init();
            let (leader, nr) = late.attach(root)?;
            let (second, _) = late.birth(leader, THREADS)?;
            let (third, _) = late.birth(leader, THREADS)?;
            let (caller, other) = match by_leader {
                true => (leader, second),
                false => (second, leader),
            };
            late.exits_all(caller, 5 << 8);
            for thread in [other, third] {
                assert_eq!(verbs.state(thread), RUNNING);
                assert_eq!(verbs.wait(root, -1)?, (0, 0));
                late.exits(thread, SIGKILL);
            }
            assert_eq!(verbs.wait(root, -1)?, (nr, 5 << 8));
            // That is between the body and the kernel.
            assert!(late.log().takes(&[]));
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `send_signal_locked()`: who is killed lives on until it has taken that, clones, is killed again, and may
    /// exit by itself before
    #[test]
    fn killed_now_and_dead_later() -> Result {
        let late = Late::new()?;
        let verbs = late.verbs();
        let root = late.world.init();
        let (member, nr) = late.attach(root)?;
        for _ in 0..2 {
            verbs.kill(root, nr, SIGKILL)?;
            assert!(late.log().takes(&[(nr, SIGKILL)]));
            assert_eq!(verbs.state(member), RUNNING);
            assert_eq!(verbs.wait(root, -1)?, (0, 0));
        }
        let (child, child_nr) = late.birth(member, 0)?;
        late.exits(member, 7 << 8);
        assert_eq!(verbs.wait(root, -1)?, (nr, 7 << 8));
        assert_eq!(verbs.parent(child), root);
        assert_eq!(verbs.state(child), RUNNING);
        late.exits(child, SIGKILL);
        assert_eq!(verbs.wait(root, -1)?, (child_nr, SIGKILL));
        assert!(late.log().takes(&[]));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_signal_stop()`, `prepare_signal()`: a process is stopped when it has stopped, and continued when it
    /// goes on; its parent is told then
    #[test]
    fn stopped_and_continued_when_the_body_says_so() -> Result {
        let late = Late::new()?;
        let verbs = late.verbs();
        let root = late.world.init();
        let (parent, parent_nr) = late.attach(root)?;
        let (member, nr) = late.birth(parent, 0)?;
        late.world.kill_from(By::Outside, member, SIGSTOP)?;
        assert!(late.log().takes(&[(nr, SIGSTOP)]));
        late.world.look_at_job(member);
        assert_eq!(verbs.state(member), RUNNING);
        assert!(late.log().takes(&[]));
        late.stops(member, SIGSTOP)?;
        assert_eq!(verbs.state(member), STOPPED);
        assert!(late.log().takes(&[(parent_nr, SIGCHLD)]));
        late.world.kill_from(By::Outside, member, SIGCONT)?;
        assert!(late.log().takes(&[(nr, SIGCONT)]));
        assert_eq!(verbs.state(member), STOPPED);
        late.stops(member, 0)?;
        assert_eq!(verbs.state(member), RUNNING);
        assert!(late.log().takes(&[(parent_nr, SIGCHLD)]));
        // One that is killed as long as it is stopped is stopped until it has exited.
        late.stops(member, SIGSTOP)?;
        late.world.kill_from(By::Outside, member, SIGKILL)?;
        assert!(late.log().takes(&[(parent_nr, SIGCHLD), (nr, SIGKILL)]));
        assert_eq!(verbs.state(member), STOPPED);
        late.exits(member, SIGKILL);
        assert_eq!(verbs.state(member), ZOMBIE);
        assert!(late.log().takes(&[(parent_nr, SIGCHLD)]));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// Tasks and numbers of a world.
    fn in_use(world: &World) -> (usize, u32) {
        (world.tree().tasks().len(), world.root().nr_pids())
    }

    /// `copy_process()`: a clone that fails behind everything that it has reserved leaves nothing, and nobody
    /// is told
    #[test]
    fn an_abandoned_birth_leaves_nothing() -> Result {
        for flags in [0, THREADS, NEWPID] {
            let late = Late::new()?;
            let verbs = late.verbs();
            let root = late.world.init();
            let (member, _) = late.attach(root)?;
            let before = in_use(&late.world);
            let child = late.reserve(member, flags)?;
            assert_eq!(verbs.state(child), RUNNING);
            if flags != THREADS {
                verbs.kill(root, verbs.nr(child, 0), SIGKILL)?;
            }
            late.work();
            assert_eq!(verbs.state(child), RUNNING);
            assert!(late.log().takes(&[]));
            late.world.abandon(child);
            assert_eq!(verbs.state(child), GONE);
            assert_eq!(in_use(&late.world), before);
            assert!(late.log().takes(&[]));
            assert_eq!(verbs.state(member), RUNNING);
            late.exits(member, 0);
            assert_eq!(verbs.state(member), ZOMBIE);
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `copy_process()`: a child that is there when its namespace begins to die is killed when it has a body,
    /// and waited for until it has exited, or is known never to have one
    #[test]
    fn born_behind_the_end_of_its_namespace() -> Result {
        for is_born in [true, false] {
            let late = Late::new()?;
            let verbs = late.verbs();
            let init = verbs.container(late.world.init())?;
            let (member, nr) = late.attach(init)?;
            let child = late.reserve(member, 0)?;
            verbs.exit(init, 0)?;
            assert!(late.log().takes(&[(nr, SIGKILL)]));
            assert_eq!(late.reserve(member, 0), Err(ENOMEM));
            late.exits(member, SIGKILL);
            assert_eq!(verbs.state(init), EXITING);
            if is_born {
                let child_nr = late.bind(child)?;
                // Whoever binds it may hold other locks.
                assert!(late.log().takes(&[]));
                late.work();
                assert!(late.log().takes(&[(child_nr, SIGKILL)]));
                assert_eq!(verbs.state(init), EXITING);
                late.exits(child, SIGKILL);
            } else {
                late.world.abandon(child);
            }
            assert_eq!(verbs.state(init), ZOMBIE);
            assert!(late.log().takes(&[]));
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `copy_process()`: who has a signal to take has no child before, so that a signal for many misses none
    #[test]
    fn who_has_a_signal_to_take_does_not_clone() -> Result {
        let late = Late::new()?;
        let (member, _) = late.attach(late.world.init())?;
        HAS_SIGNALS.store(1u32, Relaxed);
        let refused = late.reserve(member, 0);
        HAS_SIGNALS.store(0u32, Relaxed);
        assert_eq!(refused, Err(ERESTARTNOINTR));
        assert_eq!(late.world.describe().tasks, 2);
        late.birth(member, 0)?;
        assert!(late.verbs().is_sound());
        Ok(())
    }

    /// `do_notify_parent()`: a parent has its SIGCHLD when its wait for the child returns
    #[test]
    fn who_is_told_is_told_before_others_are_woken() -> Result {
        let late = Late::new()?;
        let (parent, nr) = late.attach(late.world.init())?;
        let (child, _) = late.birth(parent, 0)?;
        late.while_waiting(parent, || late.exits(child, 0))?;
        assert!(late.log().takes(&[(nr, SIGCHLD), (0, 0)]));
        Ok(())
    }

    /// `copy_process()`: PIDNS_ADDING is looked at again when a process joins that has a number already
    #[test]
    fn nobody_is_admitted_to_a_namespace_that_dies() -> Result {
        let late = Late::new()?;
        let verbs = late.verbs();
        let root = late.world.init();
        let init = verbs.container(root)?;
        let ns = late.world.namespace(verbs.ns(init)?)?;
        let pid = alloc_pid(&ns, &[]).map_err(Error::from)?;
        verbs.exit(init, 0)?;
        let admitted = late.world.admit(pid, ns, Some(root), [0; 16]).errno();
        assert_eq!(admitted.err(), Some(ENOMEM));
        assert_eq!(verbs.state(init), ZOMBIE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `next_signal()`: a body is sent faults first, then the lowest number, each once; bodies have their turns in
    /// the order in which they came to be owed something, whatever number of them there is
    #[test]
    fn the_order_of_what_is_sent() -> Result {
        const MANY: usize = 20;
        let late = Late::new()?;
        let verbs = late.verbs();
        let root = late.world.init();
        let (member, _) = late.attach(root)?;
        let child = late.reserve(member, 0)?;
        let child_nr = verbs.nr(child, 0);
        for signal in [SIGTERM, SIGUSR1, SIGSEGV, SIGKILL, SIGUSR1, SIGSTOP] {
            verbs.kill(root, child_nr, signal)?;
        }
        late.bind(child)?;
        late.work();
        let wanted = [SIGSEGV, SIGKILL, SIGUSR1, SIGTERM, SIGSTOP];
        assert!(late.log().takes(&wanted.map(|signal| (child_nr, signal))));
        let init = verbs.container(root)?;
        let mut wanted = [(0, SIGKILL); MANY];
        for (nr, _) in &mut wanted {
            (_, *nr) = late.attach(init)?;
        }
        verbs.exit(init, 0)?;
        assert!(late.log().takes(&wanted));
        Ok(())
    }
}
