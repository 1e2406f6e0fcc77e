// SPDX-License-Identifier: GPL-2.0

//! exit, reparenting, zap and wait.

use crate::{
    process::clone::{flags::*, ParentArg},
    process::wait::{Wanted, WEXITED, WNOHANG, WNOWAIT},
    support::{many, state::*, world, world_of, Errno, Verbs},
    tree::pending::{SIGCHLD, SIGKILL},
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_exit)]
mod tests {
    use super::*;

    /// `do_exit()`, `wait_task_zombie()`: the low 8 bits of the code, once
    #[test]
    fn a_zombie_waits_for_its_parent() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let child = verbs.fork(init)?;
        assert_eq!(verbs.wait(init, -1)?, (0, 0));
        verbs.exit(child, 0x1fe)?;
        assert_eq!(verbs.state(child), ZOMBIE);
        assert!(verbs.exit(child, 0).err() == Some(ESRCH));
        // Only the low 8 bits of the code count.
        assert_eq!(verbs.wait(init, -1)?, (2, 0xfe00));
        assert_eq!(verbs.state(child), GONE);
        assert!(verbs.wait(init, -1).err() == Some(ECHILD));
        Ok(())
    }

    /// `find_new_reaper()`: another thread of the group first, then the namespace's init
    #[test]
    fn orphans_go_to_a_thread_or_to_init() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let container = verbs.container(world.init())?;
        let father = verbs.fork(container)?;
        let thread = verbs.thread(father)?;
        let child = verbs.fork(father)?;
        world.exit(father, 0, false)?;
        assert_eq!(verbs.parent(child), thread);
        world.exit(thread, 0, false)?;
        assert_eq!(verbs.parent(child), container);
        assert_eq!(verbs.state(thread), GONE);
        assert_eq!(verbs.state(father), ZOMBIE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `find_new_reaper()`: an injected task is reparented outside, its own children to the init inside
    #[test]
    fn the_fathers_namespace_decides() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let container = verbs.container(init)?;
        let outer = verbs.fork(init)?;
        world.setns(outer, verbs.ns(container)?)?;
        let injected = verbs.fork(outer)?;
        let inner = verbs.fork(injected)?;
        verbs.exit(outer, 0)?;
        assert_eq!(verbs.parent(injected), init);
        verbs.exit(injected, 0)?;
        assert_eq!(verbs.parent(inner), container);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `delay_group_leader()`; the status is that of the last thread
    #[test]
    fn a_leader_waits_for_its_threads() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let leader = verbs.fork(init)?;
        let (a, b) = (verbs.thread(leader)?, verbs.thread(leader)?);
        world.exit(leader, 1, false)?;
        assert_eq!(verbs.state(leader), ZOMBIE);
        assert_eq!(verbs.wait(init, -1)?, (0, 0));
        world.exit(a, 2, false)?;
        assert_eq!(verbs.state(a), GONE);
        assert_eq!(verbs.wait(init, -1)?, (0, 0));
        world.exit(b, 3, false)?;
        assert_eq!(verbs.wait(init, -1)?, (2, 3 << 8));
        Ok(())
    }

    /// `do_group_exit()`, `zap_other_threads()`
    #[test]
    fn exit_group_takes_all_threads() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let leader = verbs.fork(init)?;
        for _ in 0..300 {
            verbs.thread(leader)?;
        }
        let last = verbs.thread(leader)?;
        verbs.exit(last, 9)?;
        assert_eq!(verbs.state(last), GONE);
        assert_eq!(verbs.wait(init, -1)?, (2, 9 << 8));
        assert_eq!(world.describe().tasks, 1);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_notify_parent()`: signal->autoreap, also of the init of a namespace
    #[test]
    fn who_reaps_itself() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        for flags in [AUTOREAP, AUTOREAP | NEWPID] {
            let (task, _) = verbs.clone(init, flags, &[])?;
            verbs.exit(task, 0)?;
            assert_eq!(verbs.state(task), GONE);
            assert!(verbs.wait(init, -1).err() == Some(ECHILD));
        }
        // Reparenting keeps it.
        let father = verbs.fork(init)?;
        let (orphan, _) = verbs.clone(father, AUTOREAP, &[])?;
        verbs.exit(father, 0)?;
        verbs.exit(orphan, 0)?;
        assert_eq!(verbs.state(orphan), GONE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `do_exit()`: "Attempted to kill init!" is `EBUSY`; `find_child_reaper()`
    #[test]
    fn the_worlds_init_stays() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        assert!(verbs.exit(init, 0).err() == Some(EBUSY));
        assert!(world.exit(init, 0, false).errno().err() == Some(EBUSY));
        let thread = verbs.thread(init)?;
        assert!(verbs.exit(thread, 0).err() == Some(EBUSY));
        // Its main thread may go as long as another lives: that one is init then.
        let child = verbs.fork(init)?;
        world.exit(init, 0, false)?;
        assert_eq!(verbs.parent(child), thread);
        assert!(world.exit(thread, 0, false).errno().err() == Some(EBUSY));
        assert_eq!(verbs.state(child), RUNNING);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `zap_pid_ns_processes()`: nested members and nested inits; all gone before init can be reaped
    #[test]
    fn zap_takes_everybody() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let container = verbs.container(init)?;
        let mut nested = container;
        for _ in 0..5 {
            for _ in 0..40 {
                let child = verbs.fork(nested)?;
                verbs.thread(child)?;
                verbs.fork(child)?;
            }
            nested = verbs.container(nested)?;
        }
        let zombie = verbs.fork(container)?;
        verbs.exit(zombie, 0)?;
        assert!(verbs.is_sound());
        verbs.exit(container, 5)?;
        let world_now = world.describe();
        assert_eq!((world_now.tasks, world_now.zombies), (2, 1));
        assert_eq!(verbs.wait(init, -1)?, (2, 5 << 8));
        let world_now = world.describe();
        assert_eq!((world_now.tasks, world_now.namespaces), (1, 1));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `zap_pid_ns_processes()`: init waits for a zombie that has a parent outside
    #[test]
    fn a_zombie_held_from_outside_holds_init() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let container = verbs.container(init)?;
        let holder = verbs.fork(init)?;
        world.setns(holder, verbs.ns(container)?)?;
        let stuck = verbs.fork(holder)?;
        verbs.exit(container, 0)?;
        assert_eq!(verbs.state(stuck), ZOMBIE);
        assert_eq!(verbs.state(container), EXITING);
        assert_eq!(verbs.wait(init, -1)?, (0, 0));
        assert!(verbs.fork(holder).err() == Some(ENOMEM));
        // When it is reaped init goes on.
        let (nr, status) = verbs.wait(holder, -1)?;
        assert_eq!((nr, status), (4, SIGKILL));
        assert_eq!(verbs.state(container), ZOMBIE);
        assert_eq!(verbs.wait(init, 2)?, (2, 0));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `zap_pid_ns_processes()`: the outer init waits for the inner one, which waits for a zombie held
    /// from outside
    #[test]
    fn nested_inits_wait_for_each_other() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let outer = verbs.container(init)?;
        let inner = verbs.container(outer)?;
        let holder = verbs.fork(init)?;
        world.setns(holder, verbs.ns(inner)?)?;
        verbs.fork(holder)?;
        verbs.exit(outer, 1)?;
        assert_eq!((verbs.state(outer), verbs.state(inner)), (EXITING, EXITING));
        verbs.wait(holder, -1)?;
        assert_eq!((verbs.state(outer), verbs.state(inner)), (ZOMBIE, GONE));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `find_child_reaper()`: another live thread becomes init, until the last one exits
    #[test]
    fn init_dies_with_its_last_thread() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let container = verbs.container(init)?;
        let thread = verbs.thread(container)?;
        let member = verbs.fork(container)?;
        world.exit(container, 0, false)?;
        // "init whose main thread exits continues as long as a thread lives"
        assert_eq!(verbs.state(member), RUNNING);
        assert_eq!(
            world.describe_namespace(verbs.ns(member)?)?.child_reaper,
            thread.to_raw()
        );
        assert_eq!(verbs.parent(member), thread);
        world.exit(thread, 4, false)?;
        assert_eq!(
            (verbs.state(member), verbs.state(container)),
            (GONE, ZOMBIE)
        );
        assert_eq!(verbs.wait(init, -1)?, (2, 4 << 8));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `kernel_wait4()`, `eligible_child()`
    #[test]
    fn whom_wait_means() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (a, b) = (verbs.fork(init)?, verbs.fork(init)?);
        let (odd, _) = verbs.clone_with(init, 0, 10, &[], ParentArg::Native)?;
        verbs.setpgid(b, 0, 0)?;
        let grandchild = verbs.fork(a)?;
        for task in [a, b, odd] {
            verbs.exit(task, 0)?;
        }
        let stranger = verbs.nr(grandchild, 0) + 100;
        for (pid, error) in [(stranger, ECHILD), (-stranger, ECHILD), (i32::MIN, ESRCH)] {
            assert!(verbs.wait(init, pid).err() == Some(error));
        }
        assert!(verbs.wait4(init, -1, 0x40).err() == Some(EINVAL));
        // A process group; then a number; then those of the own group, which b is not in.
        assert_eq!(verbs.wait(init, -3)?.0, 3);
        assert_eq!(verbs.wait(init, 2)?.0, 2);
        // odd is a "clone" child: only __WCLONE and __WALL see it.
        assert_eq!(verbs.wait(init, -1)?, (0, 0));
        let wall = verbs.wait4(init, -1, 0x4000_0001)?;
        assert_eq!(wall.map(|reaped| reaped.pid), Some(4));
        verbs.exit(grandchild, 0)?;
        assert_eq!(verbs.wait(init, 0)?.0, 5);
        Ok(())
    }

    /// `do_wait()` with `__WNOTHREAD`
    #[test]
    fn nothread_means_ones_own_children() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let leader = verbs.fork(world.init())?;
        let thread = verbs.thread(leader)?;
        let child = verbs.fork(leader)?;
        verbs.exit(child, 0)?;
        assert!(verbs.wait4(thread, -1, 0x2000_0001).err() == Some(ECHILD));
        assert!(verbs.wait4(thread, -1, 1)?.is_some());
        Ok(())
    }

    /// `forget_original_parent()`, zombies among them
    #[test]
    fn many_children_find_a_new_parent() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let father = verbs.fork(init)?;
        for i in 0..1000 {
            let child = verbs.fork(father)?;
            if i % 3 == 0 {
                verbs.exit(child, 0)?;
            }
        }
        verbs.exit(father, 0)?;
        let mut reaped = 0;
        while verbs.wait(init, -1)?.0 != 0 {
            reaped += 1;
        }
        assert_eq!(reaped, 335);
        assert_eq!(world.describe().tasks, 667);
        assert_eq!(world.describe_task(init)?.exit_signal, SIGCHLD);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `zap_pid_ns_processes()`: each is the child of the one before; no depth of a tree is a stack's
    #[test]
    fn a_chain_of_a_hundred_thousand() -> Result {
        const DEPTH: usize = many(100_000);
        let world = world_of(DEPTH + 10, 10)?;
        world.root().set_pid_max(1 << 22)?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        let mut last = init;
        for _ in 0..DEPTH {
            last = verbs.fork(last)?;
        }
        assert_eq!(world.describe().tasks, DEPTH as u64 + 2);
        verbs.exit(init, 0)?;
        assert_eq!(world.describe().tasks, 2);
        assert_eq!(verbs.state(last), GONE);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `zap_pid_ns_processes()` of many
    #[test]
    fn a_hundred_thousand_siblings() -> Result {
        const COUNT: usize = many(100_000);
        let world = world_of(COUNT + 10, 10)?;
        world.root().set_pid_max(1 << 22)?;
        let verbs = Verbs(&world);
        let init = verbs.container(world.init())?;
        for _ in 0..COUNT {
            verbs.fork(init)?;
        }
        verbs.exit(init, 0)?;
        assert_eq!(world.describe().tasks, 2);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `eligible_child()`: children of the usual kind, those of another with `__WCLONE`, all with
    /// `__WALL`
    #[test]
    fn children_of_the_other_kind() -> Result {
        const WALL: u32 = 0x4000_0000;
        const WCLONE: u32 = 0x8000_0000;
        let world = world()?;
        let verbs = Verbs(&world);
        let parent = verbs.fork(world.init())?;
        let usual = verbs.fork(parent)?;
        let native = ParentArg::Native;
        let (odd, _) = verbs.clone_with(parent, 0, 0, &[], native)?;
        for task in [usual, odd] {
            verbs.exit(task, 0)?;
        }
        let wait = |options| {
            let found = world.wait(parent, Wanted::WaitId(0, 0, WNOHANG | WEXITED | options));
            found
                .errno()
                .map(|report| report.map(|report| report.child))
        };
        assert_eq!(wait(WNOWAIT)?, Some(usual));
        assert_eq!(wait(WNOWAIT | WCLONE)?, Some(odd));
        // With both it is as with the latter.
        assert_eq!(wait(WNOWAIT | WCLONE | WALL)?, Some(usual));
        for task in [usual, odd] {
            assert_eq!(wait(WALL)?, Some(task));
        }
        assert!(wait(WALL).err() == Some(ECHILD));
        Ok(())
    }

    /// `do_notify_parent()`: a death kills the parent by its exit signal, and so on up the line
    #[test]
    fn a_line_dies_upwards() -> Result {
        const LENGTH: usize = many(3000);
        for signal in [SIGKILL, 15, 40] {
            let world = world()?;
            let verbs = Verbs(&world);
            let mut line = KVVec::new();
            line.push(verbs.fork(world.init())?, GFP_KERNEL)?;
            for above in 0..LENGTH {
                let native = ParentArg::Native;
                let (next, _) = verbs.clone_with(line[above], 0, signal, &[], native)?;
                line.push(next, GFP_KERNEL)?;
            }
            verbs.exit(line[LENGTH], 0)?;
            for &task in line.iter() {
                assert_eq!(verbs.state(task), ZOMBIE);
            }
            assert!(verbs.is_sound());
        }
        Ok(())
    }
}
