// SPDX-License-Identifier: GPL-2.0

//! Members that are traced when they exit: their tracers come first.

use crate::{late::Late, process::clone::flags::*, support::state::*, tree::pending::*};
use kernel::prelude::*;

const THREADS: u64 = THREAD | SIGHAND | VM;

#[kernel::macros::kunit_tests(altpid_tracing)]
mod tests {
    use super::*;

    /// `wait_consider_task()`: a traced zombie is there for its parent, which is told of it and can reap it when its
    /// tracer has waited for it, or exits
    #[test]
    fn a_parent_waits_for_the_tracer() -> Result {
        for waits in [true, false] {
            let late = Late::new()?;
            let verbs = late.verbs();
            let root = late.world.init();
            let (tracer, tracer_nr) = late.attach(root)?;
            let (parent, parent_nr) = late.attach(root)?;
            let (child, child_nr) = late.birth(parent, 0)?;
            late.exits_traced(child, 7 << 8, tracer);
            assert_eq!(verbs.state(child), ZOMBIE);
            assert_eq!(late.wait(parent)?, (0, 0));
            assert!(late.log().takes(&[]));
            if waits {
                assert!(!late.is_waited_for(child, parent));
                assert!(late.is_waited_for(child, tracer));
                assert!(!late.is_waited_for(child, tracer));
            } else {
                late.exits(tracer, 0);
                assert!(late.log().takes(&[]));
                late.world.let_all_go(tracer);
                assert_eq!(verbs.wait(root, -1)?, (tracer_nr, 0));
            }
            assert!(late.log().takes(&[(parent_nr, SIGCHLD)]));
            assert_eq!(late.wait(parent)?, (child_nr, 7 << 8));
            assert!(verbs.is_sound());
        }
        Ok(())
    }

    /// `wait_task_zombie()`: who is traced by its parent is waited for once; one that exits has no tracees any more
    #[test]
    fn a_parent_that_traces() -> Result {
        let late = Late::new()?;
        let verbs = late.verbs();
        let root = late.world.init();
        let (parent, parent_nr) = late.attach(root)?;
        let (child, _) = late.birth(parent, 0)?;
        late.exits_traced(child, 0, parent);
        assert_eq!(late.wait(parent)?, (0, 0));
        assert!(late.is_waited_for(child, parent));
        assert_eq!(late.wait(parent).err(), Some(ECHILD));
        assert!(late.log().takes(&[]));
        let (other, other_nr) = late.birth(parent, 0)?;
        late.exits(parent, 0);
        assert_eq!(verbs.wait(root, -1)?, (parent_nr, 0));
        late.exits_traced(other, 0, parent);
        assert_eq!(verbs.wait(root, -1)?, (other_nr, 0));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `wait_task_zombie()`: whom the kernel does not have any more is not his tracer's, whichever is told
    #[test]
    fn those_who_are_gone() -> Result {
        let late = Late::new()?;
        let verbs = late.verbs();
        let root = late.world.init();
        let (tracer, _) = late.attach(root)?;
        let (parent, _) = late.attach(root)?;
        let (one, one_nr) = late.birth(parent, 0)?;
        let (other, other_nr) = late.birth(parent, 0)?;
        late.exits_traced(one, 0, tracer);
        late.exits_traced(other, 0, tracer);
        late.world.native(one).ok_or(ESRCH)?.set_gone();
        assert!(late.is_waited_for(other, tracer));
        assert_eq!(late.wait(parent)?, (one_nr, 0));
        assert_eq!(late.wait(parent)?, (other_nr, 0));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `delay_group_leader()`: a traced thread is one of its process until its tracer has waited for it, also when its
    /// number holds a dying namespace
    #[test]
    fn traced_threads() -> Result {
        let late = Late::new()?;
        let verbs = late.verbs();
        let root = late.world.init();
        let (tracer, _) = late.attach(root)?;
        let (leader, nr) = late.attach_init(root)?;
        let (thread, _) = late.birth(leader, THREADS)?;
        late.exits_traced(thread, 0, tracer);
        assert_eq!(verbs.state(thread), ZOMBIE);
        late.exits_traced(leader, 0, tracer);
        assert_eq!(verbs.state(leader), EXITING);
        assert_eq!(verbs.wait(root, -1)?, (0, 0));
        assert!(late.is_waited_for(thread, tracer));
        assert_eq!(verbs.state(leader), ZOMBIE);
        assert_eq!(verbs.wait(root, -1)?, (0, 0));
        assert!(late.is_waited_for(leader, tracer));
        assert_eq!(verbs.wait(root, -1)?, (nr, 0));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `de_thread()`: a dead leader is released, also from its tracer, and who takes its place is not its tracer's
    #[test]
    fn exec_over_a_traced_leader() -> Result {
        let late = Late::new()?;
        let verbs = late.verbs();
        let root = late.world.init();
        let (tracer, _) = late.attach(root)?;
        let (parent, _) = late.attach(root)?;
        let (leader, nr) = late.birth(parent, 0)?;
        let (thread, _) = late.birth(leader, THREADS)?;
        late.exits_traced(leader, 0, tracer);
        let native = late.world.native(leader).ok_or(ESRCH)?;
        assert!(late.world.execed(thread, &native, [0; 16]).is_some());
        late.exits(thread, 7 << 8);
        assert_eq!(late.wait(parent)?, (nr, 7 << 8));
        assert!(verbs.is_sound());
        Ok(())
    }

    /// `reparent_leader()`, `zap_pid_ns_processes()`: a traced zombie is handed on as one that is not dead
    #[test]
    fn a_traced_orphan() -> Result {
        let late = Late::new()?;
        let verbs = late.verbs();
        let root = late.world.init();
        let (tracer, _) = late.attach(root)?;
        let (init, init_nr) = late.attach_init(root)?;
        let (parent, _) = late.birth(init, 0)?;
        let (child, _) = late.birth(parent, 0)?;
        late.exits_traced(child, 0, tracer);
        late.exits(parent, 0);
        assert_eq!(verbs.parent(child), init);
        assert_eq!(verbs.state(child), ZOMBIE);
        late.exits(init, 0);
        assert_eq!(verbs.state(init), EXITING);
        assert!(late.is_waited_for(child, tracer));
        assert_eq!(verbs.wait(root, -1)?, (init_nr, 0));
        assert!(verbs.is_sound());
        Ok(())
    }
}
