// SPDX-License-Identifier: GPL-2.0

//! clone3(2): what comes into being, and whose child it is.

use altpid::{CloneArgs, CloneFlags, NsState, Parent, PidType, Task, TaskState};
use altpid_device_tests::{Fixture, SIGCHLD, WALL, WNOHANG, exited};
use rustix::io::Errno;

fn look(world: &Fixture, task: altpid::TaskId) -> Task {
    world.task(task).expect("task")
}

#[test]
fn a_world_begins_with_its_init() {
    let world = Fixture::new();
    let info = world.info().expect("world");
    assert_eq!((info.tasks, info.zombies, info.namespaces), (1, 0, 1));
    assert!(info.worlds >= 1 && info.pids >= 1);
    assert!(info.max_tasks > 1 && info.max_namespaces > 1);

    let init = look(&world, world.init);
    assert_eq!(init.id, world.init);
    assert_eq!(
        (init.pid.as_slice(), init.tgid.as_slice()),
        (&[1][..], &[1][..])
    );
    // Like the first process of a kernel, whose group and session have no number.
    assert_eq!(
        (init.pgid.as_slice(), init.sid.as_slice()),
        (&[0][..], &[0][..])
    );
    assert_eq!((init.leader, init.parent), (world.init, None));
    assert_eq!(
        (init.ns, init.ns_for_children),
        (world.root, Some(world.root))
    );
    assert_eq!((init.state, init.nr_threads), (TaskState::Running, 1));
    assert!(init.is_reaper && !init.is_autoreap);

    let root = world.ns(world.root).expect("ns");
    assert_eq!((root.parent, root.level), (None, 0));
    assert_eq!(
        (root.state, root.child_reaper),
        (NsState::Active, Some(world.init))
    );
    assert_eq!((root.last_pid, root.nr_pids), (1, 1));
}

#[test]
fn a_child_gets_the_next_number() {
    let world = Fixture::new();
    world.setsid(world.init).expect("setsid");
    for nr in 2..40 {
        let child = world.clone(world.init, &CloneArgs::new()).expect("clone");
        assert_eq!(child.pid, nr);
        let task = look(&world, child.task);
        assert_eq!((task.pid, task.tgid), (vec![nr], vec![nr]));
        assert_eq!((task.pgid, task.sid), (vec![1], vec![1]), "inherited");
        assert_eq!((task.parent, task.leader), (Some(world.init), child.task));
        assert_eq!(task.exit_signal, SIGCHLD);
        assert!(!task.is_reaper);
        assert_eq!(world.ns(world.root).expect("ns").last_pid, nr);
    }
    assert_eq!(world.info().expect("world").tasks, 39);
}

#[test]
fn a_number_that_was_freed_waits_for_its_turn() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    assert_eq!(world.own_pid(child), 2);
    world.end(child, 0);
    let next = world.fork(world.init);
    assert_eq!(world.own_pid(next), 3, "cyclic, not the lowest");
}

#[test]
fn the_number_returned_is_what_the_caller_sees() {
    let world = Fixture::new();
    let child = world.clone(world.init, &CloneArgs::new().flags(CloneFlags::NEWPID));
    let child = child.expect("clone");
    assert_eq!((child.pid, world.pid_of(child.task)), (2, vec![2, 1]));
    // Born below by a caller above, after setns and after unshare.
    let ns = look(&world, child.task).ns;
    world.setns(world.init, ns).expect("setns");
    let inner = world.clone(world.init, &CloneArgs::new()).expect("clone");
    assert_eq!((inner.pid, world.pid_of(inner.task)), (3, vec![3, 2]));
    // From inside.
    let inner = world.clone(child.task, &CloneArgs::new()).expect("clone");
    assert_eq!((inner.pid, world.pid_of(inner.task)), (3, vec![4, 3]));
}

#[test]
fn a_thread_belongs_to_its_process() {
    let world = Fixture::new();
    let process = world.fork(world.init);
    let thread = world.thread(process);
    let second = world.thread(thread);
    let leader = look(&world, process);
    for (task, nr) in [(thread, 3), (second, 4)] {
        let task = look(&world, task);
        assert_eq!((&task.pid, &task.tgid), (&vec![nr], &leader.pid));
        assert_eq!((task.leader, task.parent), (process, Some(world.init)));
        assert_eq!((task.exit_signal, task.nr_threads), (-1, 3));
    }
    assert_eq!(leader.nr_threads, 3);
    let find = |nr, kind| world.find(world.root, nr, kind).map_err(|e| e.errno);
    assert_eq!(find(3, PidType::Pid), Ok(thread));
    assert_eq!(find(3, PidType::Tgid), Err(Errno::SRCH), "it leads nothing");
    // What a thread forks is its own child.
    let child = world.fork(second);
    assert_eq!(look(&world, child).parent, Some(second));
}

#[test]
fn clone_parent_makes_a_sibling() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let caller = world.born(parent, &CloneArgs::new().exit_signal(10));
    let args = CloneArgs::new().flags(CloneFlags::PARENT).exit_signal(0);
    let sibling = world.born(caller, &args);
    let task = look(&world, sibling);
    assert_eq!(task.parent, Some(parent));
    assert_eq!(task.exit_signal, 10, "that of the caller");
    // By a thread it is the same, and the leader's signal.
    let thread = world.thread(caller);
    let task = look(&world, world.born(thread, &args));
    assert_eq!((task.parent, task.exit_signal), (Some(parent), 10));
}

#[test]
fn clone_parent_can_make_an_init() {
    let world = Fixture::new();
    let caller = world.fork(world.init);
    let flags = CloneFlags::PARENT | CloneFlags::NEWPID;
    let child = world.born(caller, &CloneArgs::new().flags(flags).exit_signal(0));
    let task = look(&world, child);
    assert_eq!(task.pid.len(), 2);
    assert_eq!((task.pid[1], task.parent), (1, Some(world.init)));
    assert!(task.is_reaper);
}

#[test]
fn a_child_of_somebody_else() {
    let world = Fixture::new();
    let (caller, other) = (world.fork(world.init), world.fork(world.init));
    let args = |parent| CloneArgs::new().parent(Parent::Task(parent));
    let child = world.born(caller, &args(other));
    assert_eq!(look(&world, child).parent, Some(other));
    assert_eq!(world.end(child, 3), exited(3), "and waited for by that one");

    // Born into a namespace below that of its parent, even as init.
    let (init, ns) = world.container(caller);
    let child = world.born(init, &args(other));
    assert_eq!(look(&world, child).ns, ns);
    let child = world.born(init, &args(other).flags(CloneFlags::NEWPID));
    assert_eq!(world.pid_of(child).len(), 3);

    // But the parent has to see it.
    world.refuses(Errno::INVAL, |w| w.clone(caller, &args(init)));
    let (sibling, _) = world.container(caller);
    world.refuses(Errno::INVAL, |w| w.clone(init, &args(sibling)));
    // And to be alive.
    world.exit(other, 0).expect("exit");
    world.refuses(Errno::SRCH, |w| w.clone(caller, &args(other)));
}

#[test]
fn a_parent_is_not_given_together_with_another() {
    let world = Fixture::new();
    let caller = world.fork(world.init);
    for parent in [Parent::Outside, Parent::Task(world.init)] {
        for args in [
            CloneArgs::thread(),
            CloneArgs::new().flags(CloneFlags::PARENT).exit_signal(0),
        ] {
            let args = args.parent(parent);
            world.refuses(Errno::INVAL, |w| w.clone(caller, &args));
        }
    }
}

#[test]
fn a_child_of_nobody() {
    let world = Fixture::new();
    let child = world.born(world.init, &CloneArgs::new().parent(Parent::Outside));
    assert_eq!(look(&world, child).parent, None);
    world.refuses(Errno::CHILD, |w| w.wait(w.info()?.init, -1, WNOHANG | WALL));
    world.exit(child, 0).expect("exit");
    assert_eq!(world.state_of(child), None, "nobody waits for it");
}

#[test]
fn exit_signals() {
    let world = Fixture::new();
    for signal in [0, 1, 17, 31, 34, 64] {
        let child = world.born(world.init, &CloneArgs::new().exit_signal(signal));
        assert_eq!(look(&world, child).exit_signal, signal);
    }
    for signal in [-1, 65, 127, 255, 256, 1 << 16, i32::MIN, i32::MAX] {
        let args = CloneArgs::new().exit_signal(signal);
        world.refuses(Errno::INVAL, |w| w.clone(world.init, &args));
    }
}

#[test]
fn the_first_of_several_errors() {
    let world = Fixture::new();
    let (dead, full) = (world.fork(world.init), world.init);
    world.exit(dead, 0).expect("exit");
    // Flags that exclude each other come before the task.
    let bad = CloneArgs::new().flags(CloneFlags::THREAD);
    world.refuses(Errno::INVAL, |w| w.clone(dead, &bad));
    // The task comes before the numbers.
    world.refuses(Errno::SRCH, |w| {
        w.clone(dead, &CloneArgs::new().set_tid(&[0]))
    });
    // Too many numbers come before what they are.
    world.refuses(Errno::INVAL, |w| {
        w.clone(full, &CloneArgs::new().set_tid(&[1, 0]))
    });
    // A number out of range comes before one in use.
    let (init, _) = world.container(full);
    world.refuses(Errno::INVAL, |w| {
        w.clone(init, &CloneArgs::new().set_tid(&[1, 0]))
    });
    world.refuses(Errno::EXIST, |w| {
        w.clone(init, &CloneArgs::new().set_tid(&[5, 1]))
    });
}
