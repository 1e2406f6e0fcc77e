// SPDX-License-Identifier: GPL-2.0

//! setsid and setpgid, and numbers that live on in a group or a session.

use crate::{
    pid::registry::NsId,
    pid::PidType,
    support::{world, Errno, Verbs},
    tree::task::TaskId,
};
use kernel::prelude::*;

#[kernel::macros::kunit_tests(altpid_session)]
mod tests {
    use super::*;

    /// `ksys_setsid()`
    #[test]
    fn setsid_once() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        assert_eq!(world.describe_task(init)?.sid[0], 0);
        assert_eq!(verbs.setsid(init)?, 1);
        assert!(verbs.setsid(init).err() == Some(EPERM));
        let leader = verbs.fork(init)?;
        verbs.setpgid(leader, 0, 0)?;
        // It leads a process group already.
        assert!(verbs.setsid(leader).err() == Some(EPERM));
        let container = verbs.container(init)?;
        assert_eq!(verbs.setsid(container)?, 1);
        let task = world.describe_task(container)?;
        assert_eq!((task.sid[0], task.sid[1], task.pgid[1]), (3, 1, 1));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `ksys_setsid()`: the leader has left its group, another one is still in it
    #[test]
    fn a_group_with_ones_number_forbids_a_session() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let (leader, member) = (verbs.fork(init)?, verbs.fork(init)?);
        verbs.setpgid(leader, 0, 0)?;
        verbs.setpgid(member, 0, 2)?;
        let other = verbs.fork(init)?;
        verbs.setpgid(other, 0, 0)?;
        verbs.setpgid(leader, 0, 4)?;
        assert!(verbs.setsid(leader).err() == Some(EPERM));
        verbs.setpgid(member, 0, 4)?;
        assert_eq!(verbs.setsid(leader)?, 2);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `setpgid()`: caller, pid, pgid, errno; 0 is success
    #[test]
    fn setpgid_rules() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let shell = verbs.fork(init)?; // 2
        verbs.setsid(shell)?;
        let job = verbs.fork(shell)?; // 3
        let thread = verbs.thread(job)?; // 4
        let grandchild = verbs.fork(job)?; // 5
        let foreign = verbs.fork(shell)?; // 6
        verbs.setsid(foreign)?;
        let cases: &[(TaskId, i32, i32, Result)] = &[
            (shell, 0, -1, Err(EINVAL)),
            (shell, -3, 0, Err(EINVAL)),
            (shell, -3, 3, Err(ESRCH)),
            (shell, 99, 0, Err(ESRCH)),
            (shell, 5, 0, Err(ESRCH)),
            (shell, 1, 0, Err(ESRCH)),
            (shell, 4, 0, Err(EINVAL)),
            (shell, 6, 0, Err(EPERM)),
            (shell, 0, 0, Err(EPERM)),
            (shell, 3, 99, Err(EPERM)),
            (shell, 3, 6, Err(EPERM)),
            (shell, 3, 0, Ok(())),
            (shell, 3, 2, Ok(())),
            (thread, 0, 3, Ok(())),
            (job, 5, 3, Ok(())),
            (grandchild, 0, 2, Ok(())),
        ];
        for &(caller, pid, pgid, expected) in cases {
            assert!(verbs.setpgid(caller, pid, pgid) == expected);
        }
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `setpgid()` from the parent's namespace on an init, and by a member whose session is outside
    #[test]
    fn across_namespaces() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let container = verbs.container(init)?;
        verbs.setpgid(init, 2, 0)?;
        assert_eq!(world.describe_task(container)?.pgid[1], 1);
        let member = verbs.fork(container)?;
        verbs.setpgid(member, 0, 0)?;
        let task = world.describe_task(member)?;
        assert_eq!((task.pgid[1], task.sid[1]), (2, 0));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `__change_pid()`: a number lives as long as any PIDTYPE has a member
    #[test]
    fn a_number_lives_as_long_as_its_group() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let root = world.root().id();
        let leader = verbs.fork(init)?; // 2
        verbs.setsid(leader)?;
        let member = verbs.fork(leader)?; // 3
        verbs.exit(leader, 0)?;
        verbs.wait(init, -1)?;
        let find = |kind| world.find(root, 2, kind, false).errno();
        assert!(find(PidType::Pid).err() == Some(ESRCH));
        assert!(find(PidType::Tgid).err() == Some(ESRCH));
        assert!(find(PidType::Pgid) == Ok((2, member)));
        assert!(find(PidType::Sid) == Ok((2, member)));
        assert!(verbs.clone(init, 0, &[2]).err() == Some(EEXIST));
        assert!(verbs.is_sound());
        verbs.setsid(member)?;
        assert!(find(PidType::Sid).err() == Some(ESRCH));
        assert_eq!(verbs.clone(init, 0, &[2])?.1, 2);
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `find_ge_pid()`, `next_tgid()`
    #[test]
    fn the_next_number_in_use_as_a_kind() -> Result {
        let world = world()?;
        let verbs = Verbs(&world);
        let init = world.init();
        let root = world.root().id();
        let leader = verbs.fork(init)?; // 2
        let thread = verbs.thread(leader)?; // 3
        let other = verbs.fork(init)?; // 4
        let next = |nr, kind| world.find(root, nr, kind, true).errno();
        assert!(next(3, PidType::Pid) == Ok((3, thread)));
        assert!(next(3, PidType::Tgid) == Ok((4, other)));
        assert!(next(5, PidType::Pid).err() == Some(ESRCH));
        assert!(
            world
                .find(NsId::from_raw(4711), 1, PidType::Pid, false)
                .errno()
                .err()
                == Some(ENOENT)
        );
        Ok(())
    }
}
