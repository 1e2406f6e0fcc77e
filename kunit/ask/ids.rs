// SPDX-License-Identifier: GPL-2.0

//! getpid(2) and its kin, and sigpending(2): what a task asks about itself.

use crate::{
    ask::ids::Asked,
    signal::kill::{By, Kill},
    support::{signals::*, world, Errno, Verbs},
    tree::pending::*,
    tree::task::TaskId,
    world::World,
};
use kernel::prelude::*;

/// What a task is told, or the errno.
fn ask(world: &World, task: TaskId, asked: Asked) -> Result<i32> {
    world.get_id(task, asked).errno()
}

#[kernel::macros::kunit_tests(altpid_ids)]
mod tests {
    use super::*;

    /// `task_tgid_vnr()`, `task_pid_vnr()`: as seen in the own namespace
    #[test]
    fn ones_own_numbers() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let outer = verbs.fork(world.init())?;
        let inner = verbs.container(outer)?;
        let process = verbs.fork(inner)?;
        let thread = verbs.thread(process)?;
        // A process that was born in there to somebody outside.
        world.setns(outer, verbs.ns(inner)?)?;
        let injected = verbs.fork(outer)?;
        // (task, pid, tid, ppid)
        for (task, pid, tid, ppid) in [
            (world.init(), 1, 1, 0),
            (outer, 2, 2, 1),
            (inner, 1, 1, 0),
            (process, 2, 2, 1),
            (thread, 2, 3, 1),
            (injected, 4, 4, 0),
        ] {
            assert_eq!(ask(&world, task, Asked::Pid)?, pid);
            assert_eq!(ask(&world, task, Asked::Tid)?, tid);
            assert_eq!(ask(&world, task, Asked::Ppid)?, ppid);
        }
        // Another parent, as far as it is seen: of the process, whichever of its threads has made it.
        let child = verbs.fork(thread)?;
        assert_eq!(ask(&world, child, Asked::Ppid)?, 2);
        verbs.exit(process, 0)?;
        assert_eq!(ask(&world, child, Asked::Ppid)?, 1);
        // Who does not live asks nothing.
        assert!(ask(&world, process, Asked::Pid).err() == Some(ESRCH));
        assert!(ask(&world, TaskId::from_raw(4711), Asked::Tid).err() == Some(ESRCH));
        Ok(())
    }

    /// `do_getpgid()`, `SYSCALL_DEFINE1(getsid)`: 0 for oneself and for what has no number here, ESRCH
    /// for a number that no task has
    #[test]
    fn groups_and_sessions() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let leader = verbs.fork(init)?;
        verbs.setsid(leader)?;
        let member = verbs.fork(leader)?;
        verbs.setpgid(member, 0, 0)?;
        let inner = verbs.container(member)?;
        let thread = verbs.thread(member)?;
        let nr = |task| verbs.nr(task, 0);
        // (who asks, of whom, process group, session)
        for (task, of, pgid, sid) in [
            (leader, 0, nr(leader), nr(leader)),
            (member, 0, nr(member), nr(leader)),
            (thread, 0, nr(member), nr(leader)),
            (init, nr(member), nr(member), nr(leader)),
            (init, nr(thread), nr(member), nr(leader)),
            (init, nr(inner), nr(member), nr(leader)),
            (init, 0, 0, 0),
            (inner, 0, 0, 0),
            (inner, 1, 0, 0),
        ] {
            assert_eq!(ask(&world, task, Asked::Pgid(of))?, pgid);
            assert_eq!(ask(&world, task, Asked::Sid(of))?, sid);
        }
        for of in [77, -1, -nr(member), i32::MIN, i32::MAX] {
            assert!(ask(&world, init, Asked::Pgid(of)).err() == Some(ESRCH));
            assert!(ask(&world, init, Asked::Sid(of)).err() == Some(ESRCH));
        }
        // A zombie is in its group still; a number that only a group has is nobody's.
        let number = nr(member);
        verbs.setpgid(member, nr(inner), number)?;
        verbs.exit(member, 0)?;
        assert_eq!(ask(&world, init, Asked::Pgid(number))?, number);
        verbs.wait(leader, number)?;
        assert!(ask(&world, init, Asked::Pgid(number)).err() == Some(ESRCH));
        assert_eq!(ask(&world, init, Asked::Pgid(nr(inner)))?, number);
        // Who is stopped does nothing.
        world.kill_from(By::Outside, leader, SIGSTOP)?;
        assert!(ask(&world, leader, Asked::Sid(0)).err() == Some(EBUSY));
        Ok(())
    }

    /// `do_sigpending()`: what waits for the thread or its process and is blocked by the thread
    #[test]
    fn what_is_blocked_and_waits() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let process = verbs.fork(world.init())?;
        let thread = verbs.thread(process)?;
        let pending = |task| world.sigpending(task).errno();
        for task in [process, thread] {
            verbs.block(task, &[SIGTERM, SIGUSR1])?;
            assert_eq!(pending(task)?, SigSet::EMPTY);
        }
        world.kill_from(By::Outside, process, SIGTERM)?;
        world.kill(thread, Kill::Tkill(verbs.nr(thread, 0)), SIGUSR1)?;
        assert_eq!(pending(process)?, SigSet::of(&[SIGTERM]));
        assert_eq!(pending(thread)?, SigSet::of(&[SIGTERM, SIGUSR1]));
        // It is left there.
        assert_eq!(pending(thread)?, SigSet::of(&[SIGTERM, SIGUSR1]));
        // What waits for somebody else who blocks it is not in it.
        verbs.sigaction(process, SIGTERM, crate::tree::sighand::Disposition::Handler)?;
        verbs.unblock(process, &[SIGTERM])?;
        assert_eq!(pending(thread)?, SigSet::of(&[SIGUSR1]));
        world.kill_from(By::Outside, process, SIGSTOP)?;
        assert!(pending(thread).err() == Some(EBUSY));
        assert!(pending(TaskId::from_raw(4711)).err() == Some(ESRCH));
        Ok(())
    }
}
