// SPDX-License-Identifier: GPL-2.0

//! exit(2), exit_group(2) and wait4(2): who is a zombie, whose child it is then, who reaps it, and
//! what dies together with an init.

use altpid::{Clone, CloneFlags, NsState, Parent, TaskId, TaskState};
use altpid_device_tests::{
    Fixture, SIGCHLD, WALL, WCLONE, WNOHANG, WNOTHREAD, exited, sleeper::Sleeper,
};
use rustix::io::Errno;
use std::thread;

/// The status word of a process that was killed.
const KILLED: i32 = libc::SIGKILL;

fn parent_of(world: &Fixture, task: TaskId) -> Option<TaskId> {
    world.task(task).expect("task").parent
}

/// A process that vanishes when it exits.
fn autoreap(world: &Fixture, parent: TaskId) -> TaskId {
    let args = Clone::new().flags(CloneFlags::AUTOREAP).exit_signal(0);
    world.born(parent, &args)
}

#[test]
fn a_zombie_waits_for_its_parent() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    world.exit(child, 33).expect("exit");
    let task = world.task(child).expect("a zombie is still there");
    assert_eq!(task.state, TaskState::Zombie);
    assert_eq!((task.exit_code, task.nr_threads), (exited(33), 0));
    assert_eq!((task.pid, task.ns_for_children), (vec![2], None));
    assert_eq!(world.info().expect("world").zombies, 1);
    let waited = world.reap(world.init);
    assert_eq!((waited.task, waited.pid), (child, 2));
    assert_eq!(waited.status, exited(33));
    assert_eq!(world.state_of(child), None);
    let info = world.info().expect("world");
    assert_eq!((info.tasks, info.zombies), (1, 0));
}

#[test]
fn eight_bits_of_the_code_count() {
    let world = Fixture::new();
    for code in [0, 1, 127, 128, 255, 256, 257, -1, i32::MIN, i32::MAX] {
        let child = world.fork(world.init);
        assert_eq!(world.end(child, code), exited(code), "{code}");
        let child = world.fork(world.init);
        world.exit(child, code).expect("exit");
        assert_eq!(world.reap(world.init).status, exited(code), "{code}");
    }
}

#[test]
fn the_worlds_init_does_not_exit() {
    let world = Fixture::new();
    world.refuses(Errno::BUSY, |w| w.exit(world.init, 0));
    world.refuses(Errno::BUSY, |w| w.exit_group(world.init, 0));
    // A thread of it may, even the first, but not the last.
    let thread = world.thread(world.init);
    world.refuses(Errno::BUSY, |w| w.exit_group(thread, 0));
    world.exit(world.init, 0).expect("exit");
    world.refuses(Errno::BUSY, |w| w.exit(thread, 0));
    let child = world.fork(thread);
    assert_eq!(parent_of(&world, child), Some(thread));
    let root = world.ns(world.root).expect("ns");
    assert_eq!(root.child_reaper, Some(thread));
    assert_eq!(root.state, NsState::Active);
}

#[test]
fn children_go_to_another_thread_of_the_process() {
    let world = Fixture::new();
    let process = world.fork(world.init);
    let thread = world.thread(process);
    let child = world.born(thread, &Clone::new().exit_signal(10));
    let zombie = world.fork(thread);
    world.exit(zombie, 1).expect("exit");
    world.exit(thread, 0).expect("exit");
    assert_eq!(world.state_of(thread), None, "a thread leaves no zombie");
    assert_eq!(parent_of(&world, child), Some(process));
    assert_eq!(parent_of(&world, zombie), Some(process));
    let task = world.task(child).expect("task");
    assert_eq!(task.exit_signal, 10, "nobody has to be told");
    assert_eq!(world.reap(process).task, zombie);
}

#[test]
fn orphans_go_to_init() {
    let world = Fixture::new();
    let father = world.fork(world.init);
    let child = world.born(father, &Clone::new().exit_signal(10));
    let grandchild = world.fork(child);
    let zombie = world.born(father, &Clone::new().exit_signal(0));
    world.exit(zombie, 4).expect("exit");
    world.exit(father, 0).expect("exit");
    for orphan in [child, zombie] {
        let task = world.task(orphan).expect("task");
        assert_eq!((task.parent, task.exit_signal), (Some(world.init), SIGCHLD));
    }
    assert_eq!(parent_of(&world, grandchild), Some(child));
    // Both are children like any other now.
    let waited = world.wait(world.init, world.own_pid(zombie), WNOHANG);
    assert_eq!(waited.expect("wait4").expect("a child").task, zombie);
}

/// It is the father's namespace that says whose they become.
#[test]
fn orphans_go_to_the_init_of_their_fathers_namespace() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    // Born and orphaned inside.
    let father = world.fork(init);
    let child = world.fork(father);
    world.end(father, 0);
    assert_eq!(parent_of(&world, child), Some(init));
    // Born inside, of a father outside.
    let father = world.fork(world.init);
    let injected = world.inject(father, ns);
    let (nested_init, nested) = world.container(father);
    let own = world.fork(injected);
    world.end(father, 0);
    assert_eq!(parent_of(&world, injected), Some(world.init));
    assert_eq!(parent_of(&world, nested_init), Some(world.init));
    assert!(world.has_ns(nested));
    world.end(injected, 0);
    assert_eq!(parent_of(&world, own), Some(init), "an insider's father");
}

#[test]
fn a_thousand_children_find_a_parent() {
    let world = Fixture::new();
    let father = world.fork(world.init);
    let children: Vec<_> = (0..1000).map(|_| world.fork(father)).collect();
    for child in children.iter().step_by(2) {
        world.exit(*child, 0).expect("exit");
    }
    world.end(father, 0);
    for child in &children {
        assert_eq!(parent_of(&world, *child), Some(world.init));
    }
    // The oldest is the first, before and after.
    for child in children.iter().step_by(2) {
        assert_eq!(world.reap(world.init).task, *child);
    }
}

#[test]
fn a_leader_waits_for_its_threads() {
    let world = Fixture::new();
    let leader = world.fork(world.init);
    let threads = [world.thread(leader), world.thread(leader)];
    world.exit(leader, 1).expect("exit");
    assert_eq!(world.state_of(leader), Some(TaskState::Zombie));
    let alive = |expected| {
        assert_eq!(world.wait(world.init, -1, WNOHANG), Ok(None));
        let task = world.task(leader).expect("task");
        assert_eq!((task.state, task.nr_threads), (TaskState::Zombie, expected));
    };
    alive(2);
    // Its threads go on, and can have children and threads.
    let child = world.fork(threads[1]);
    let third = world.thread(threads[0]);
    alive(3);
    world.exit(threads[0], 2).expect("exit");
    world.exit(third, 3).expect("exit");
    alive(1);
    world.exit(threads[1], 4).expect("exit");
    let waited = world.reap(world.init);
    assert_eq!(
        (waited.task, waited.status),
        (leader, exited(4)),
        "the last one's"
    );
    assert_eq!(parent_of(&world, child), Some(world.init));
}

#[test]
fn exit_group_ends_all_threads() {
    let world = Fixture::new();
    for caller in 0..3 {
        let leader = world.fork(world.init);
        let threads = [leader, world.thread(leader), world.thread(leader)];
        world.exit_group(threads[caller], 9).expect("exit_group");
        assert_eq!(world.state_of(threads[1]), None);
        assert_eq!(world.state_of(threads[2]), None);
        let waited = world.reap(world.init);
        assert_eq!((waited.task, waited.status), (leader, exited(9)));
    }
    // After the leader has exited with something else.
    let leader = world.fork(world.init);
    let thread = world.thread(leader);
    world.exit(leader, 1).expect("exit");
    assert_eq!(world.end_by(thread, 6), (leader, exited(6)));
}

#[test]
fn exit_group_ends_a_thousand_threads() {
    let world = Fixture::new();
    let leader = world.fork(world.init);
    for _ in 0..1000 {
        world.thread(leader);
    }
    assert_eq!(world.end(leader, 2), exited(2));
    assert_eq!(world.info().expect("world").tasks, 1);
}

#[test]
fn who_vanishes() {
    let world = Fixture::new();
    // Autoreap, also as an orphan, and when its parent waits for it in particular.
    let child = autoreap(&world, world.init);
    let nr = world.own_pid(child);
    assert!(world.task(child).expect("task").is_autoreap);
    assert_eq!(world.wait(world.init, nr, WNOHANG | WALL), Ok(None));
    world.exit(child, 0).expect("exit");
    assert_eq!(world.state_of(child), None);
    world.refuses(Errno::CHILD, |w| w.wait(world.init, nr, WNOHANG | WALL));
    let father = world.fork(world.init);
    let orphan = autoreap(&world, father);
    let own = world.fork(orphan);
    world.end(father, 0);
    world.exit(orphan, 0).expect("exit");
    assert_eq!(world.state_of(orphan), None);
    // It is not inherited.
    assert_eq!(parent_of(&world, own), Some(world.init));
    world.exit(own, 0).expect("exit");
    assert_eq!(world.reap(world.init).task, own);
    // A leader does once its threads are gone.
    let child = autoreap(&world, world.init);
    let thread = world.thread(child);
    world.exit(child, 0).expect("exit");
    assert_eq!(world.state_of(child), Some(TaskState::Zombie));
    world.exit(thread, 0).expect("exit");
    assert_eq!(world.state_of(child), None);
    // And an init, with all the others.
    let args = Clone::new()
        .flags(CloneFlags::AUTOREAP | CloneFlags::NEWPID)
        .exit_signal(0);
    let init = world.born(world.init, &args);
    let ns = world.task(init).expect("task").ns;
    let member = world.fork(init);
    world.exit(init, 0).expect("exit");
    assert_eq!((world.state_of(init), world.state_of(member)), (None, None));
    assert!(!world.has_ns(ns));
}

#[test]
fn all_go_with_their_init() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let child = world.fork(init);
    let grandchild = world.fork(child);
    let thread = world.thread(child);
    let zombie = world.fork(child);
    world.exit(zombie, 0).expect("exit");
    let injected = world.inject(world.init, ns);
    let bystander = world.fork(world.init);
    world.exit(init, 5).expect("exit");
    for gone in [child, grandchild, thread, zombie] {
        assert_eq!(world.state_of(gone), None);
    }
    // Whose parent is outside is killed, and reaped by that.
    assert_eq!(world.state_of(injected), Some(TaskState::Zombie));
    assert_eq!(world.state_of(init), Some(TaskState::Exiting));
    assert_eq!(world.ns(ns).expect("ns").state, NsState::Dying);
    let nr = world.own_pid(init);
    assert_eq!(nr, 1);
    let nr = world.number_in(init, world.root);
    assert_eq!(world.wait(world.init, nr, WNOHANG), Ok(None), "not yet");
    let waited = world.reap(world.init);
    assert_eq!((waited.task, waited.status), (injected, KILLED));
    let waited = world.reap(world.init);
    assert_eq!((waited.task, waited.status), (init, exited(5)));
    assert!(!world.has_ns(ns));
    assert_eq!(world.state_of(bystander), Some(TaskState::Running));
}

/// Whatever they were to send their father.
#[test]
fn an_init_reaps_children_of_every_kind() {
    for signal in [0, 10, SIGCHLD, 64] {
        for count in [1, 2, 3, 200] {
            let world = Fixture::new();
            let (init, ns) = world.container(world.init);
            let args = Clone::new().exit_signal(signal);
            for nr in 0..count {
                let child = world.born(init, &args);
                // Some are dead before.
                if nr % 3 == 2 {
                    world.exit(child, 0).expect("exit");
                }
            }
            println!("{count} children with signal {signal}");
            assert_eq!(world.end(init, 5), exited(5));
            assert!(!world.has_ns(ns));
        }
    }
}

/// Also when they were other threads' until all exited together.
#[test]
fn an_init_reaps_the_children_of_its_threads() {
    for signal in [0, SIGCHLD] {
        for count in [1, 50, 500] {
            let world = Fixture::new();
            let (init, ns) = world.container(world.init);
            let args = Clone::new().exit_signal(signal);
            for thread in [world.thread(init), world.thread(init), world.thread(init)] {
                for nr in 0..count {
                    let child = world.born(thread, &args);
                    if nr % 2 == 0 {
                        world.exit(child, 0).expect("exit");
                    }
                }
            }
            println!("{count} children of each with signal {signal}");
            assert_eq!(world.end(init, 5), exited(5));
            assert!(!world.has_ns(ns));
        }
    }
}

#[test]
fn who_has_no_parent_does_not_hold_an_init() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let args = Clone::new().parent(Parent::Outside);
    let outsider = world.born(init, &args);
    let own = world.fork(outsider);
    // What an outsider leaves behind is init's.
    world.exit(outsider, 0).expect("exit");
    assert_eq!(parent_of(&world, own), Some(init));
    world.born(init, &args);
    assert_eq!(world.end(init, 0), exited(0));
    assert!(!world.has_ns(ns));
}

#[test]
fn nested_namespaces_go_too() {
    let world = Fixture::new();
    let (outermost, ns) = world.container(world.init);
    let (mut init, mut all) = (outermost, vec![ns]);
    for _ in 0..20 {
        world.fork(init);
        world.thread(init);
        let (next, ns) = world.container(init);
        all.push(ns);
        init = next;
    }
    assert_eq!(world.end(outermost, 0), exited(0));
    assert_eq!(world.info().expect("world").tasks, 1);
    assert!(all.iter().all(|&ns| !world.has_ns(ns)));
}

#[test]
fn wide_trees_go_too() {
    let world = Fixture::new();
    let (init, _) = world.container(world.init);
    for _ in 0..50 {
        let (nested, _) = world.container(init);
        for _ in 0..20 {
            let child = world.fork(nested);
            world.thread(child);
        }
    }
    assert_eq!(world.end(init, 0), exited(0));
    let info = world.info().expect("world");
    assert_eq!((info.tasks, info.zombies, info.namespaces), (1, 0, 1));
}

/// A zombie in a nested namespace that somebody outside of all has to reap holds both inits.
#[test]
fn a_zombie_holds_every_init_above_it() {
    let world = Fixture::new();
    let (outer, outer_ns) = world.container(world.init);
    let (inner, inner_ns) = world.container(outer);
    let injected = world.inject(world.init, inner_ns);
    world.exit(outer, 0).expect("exit");
    for init in [outer, inner] {
        assert_eq!(world.state_of(init), Some(TaskState::Exiting));
    }
    world.refuses(Errno::SRCH, |w| w.clone(inner, &Clone::new()));
    assert_eq!(world.reap(world.init).task, injected);
    assert_eq!(world.state_of(inner), None);
    assert_eq!(world.reap(world.init).task, outer);
    assert!(!world.has_ns(outer_ns) && !world.has_ns(inner_ns));
}

#[test]
fn a_group_or_session_holds_an_init_too() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    // Both are the children of somebody outside, who has to reap them; the leader's number is a
    // session's as long as the other is there.
    let leader = world.inject(world.init, ns);
    world.setsid(leader).expect("setsid");
    let member = world.born(
        leader,
        &Clone::new().flags(CloneFlags::PARENT).exit_signal(0),
    );
    let nr = world.number_in(leader, world.root);
    world.exit(init, 0).expect("exit");
    let waited = world.wait(world.init, nr, WNOHANG).expect("wait4");
    assert_eq!(waited.expect("a child").task, leader);
    assert_eq!(world.state_of(init), Some(TaskState::Exiting));
    assert_eq!(world.ns(ns).expect("ns").nr_pids, 3);
    assert_eq!(world.reap(world.init).task, member);
    assert_eq!(world.reap(world.init).task, init);
}

#[test]
fn an_init_lives_as_long_as_a_thread_of_it() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let thread = world.thread(init);
    let (member, child) = (world.fork(init), world.fork(thread));
    world.exit(init, 1).expect("exit");
    let found = world.ns(ns).expect("ns");
    assert_eq!(
        (found.state, found.child_reaper),
        (NsState::Active, Some(thread))
    );
    assert_eq!(world.state_of(init), Some(TaskState::Zombie));
    assert_eq!(parent_of(&world, member), Some(thread));
    assert_eq!(world.wait(world.init, -1, WNOHANG), Ok(None));
    // Who is orphaned now goes to that thread.
    let grandchild = world.fork(child);
    world.end(child, 0);
    assert_eq!(parent_of(&world, grandchild), Some(thread));
    world.exit(thread, 2).expect("exit");
    assert_eq!(world.state_of(grandchild), None);
    let waited = world.reap(world.init);
    assert_eq!((waited.task, waited.status), (init, exited(2)));
    assert!(!world.has_ns(ns));
}

#[test]
fn the_last_thread_of_an_init_waits_for_the_members() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let thread = world.thread(init);
    let injected = world.inject(world.init, ns);
    world.exit(init, 1).expect("exit");
    world.exit(thread, 2).expect("exit");
    assert_eq!(world.state_of(thread), Some(TaskState::Exiting));
    assert_eq!(world.state_of(injected), Some(TaskState::Zombie));
    assert_eq!(world.reap(world.init).task, injected);
    assert_eq!(world.state_of(thread), None);
    assert_eq!(world.reap(world.init).task, init);
}

/// Whom wait4(2) means by its number.
#[test]
fn numbers_that_are_waited_for() {
    let world = Fixture::new();
    let caller = world.fork(world.init);
    world.setsid(caller).expect("setsid");
    let children: Vec<_> = (0..4).map(|_| world.fork(caller)).collect();
    let nr: Vec<i32> = children.iter().map(|&c| world.own_pid(c)).collect();
    // The third and the fourth are a group.
    world.setpgid(children[2], 0, 0).expect("setpgid");
    world.setpgid(children[3], 0, nr[2]).expect("setpgid");
    let stranger = world.fork(world.init);
    let grandchild = world.fork(children[0]);
    let thread = world.thread(children[0]);
    // Nobody is dead.
    for pid in [-1, 0, nr[0], nr[3], -nr[2], -world.own_pid(caller)] {
        assert_eq!(world.wait(caller, pid, WNOHANG), Ok(None), "{pid}");
    }
    let none = [
        world.own_pid(caller),
        world.own_pid(stranger),
        world.own_pid(grandchild),
        world.own_pid(thread),
        1,
        4000,
        -4000,
        -nr[0],
        -1 - nr[3],
    ];
    for pid in none {
        world.refuses(Errno::CHILD, |w| w.wait(caller, pid, WNOHANG));
    }
    world.refuses(Errno::SRCH, |w| w.wait(caller, i32::MIN, WNOHANG));
    for child in &children[1..] {
        world.exit(*child, 0).expect("exit");
    }
    let reaped = |pid| {
        let waited = world.wait(caller, pid, WNOHANG).expect("wait4")?;
        Some(waited.task)
    };
    assert_eq!(reaped(nr[0]), None);
    assert_eq!(reaped(-nr[2]), Some(children[2]));
    assert_eq!(reaped(0), Some(children[1]), "of its own group");
    assert_eq!(reaped(0), None);
    assert_eq!(reaped(-1), Some(children[3]));
    assert_eq!(reaped(-1), None);
    world.refuses(Errno::CHILD, |w| w.wait(caller, -nr[2], WNOHANG));
}

#[test]
fn waiting_goes_by_what_the_waiter_sees() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let child = world.fork(init);
    let injected = world.inject(world.init, ns);
    let numbers = world.pid_of(injected);
    assert_eq!(numbers.len(), 2);
    world.exit(injected, 0).expect("exit");
    // To somebody inside it is not a child, by whichever number.
    world.refuses(Errno::CHILD, |w| w.wait(init, numbers[1], WNOHANG));
    let found = world.wait(init, world.own_pid(child), WNOHANG);
    assert_eq!(found, Ok(None));
    let waited = world.wait(world.init, numbers[0], WNOHANG).expect("wait4");
    assert_eq!(waited.expect("a child").pid, numbers[0]);
}

#[test]
fn options() {
    /// A child that is waited for, or one that is not.
    const FOUND: Result<bool, Errno> = Ok(true);
    const NONE: Result<bool, Errno> = Err(Errno::CHILD);
    const BAD: Result<bool, Errno> = Err(Errno::INVAL);
    // Options; then for a child that sends SIGCHLD, one that sends something else, one that sends
    // nothing.
    let rows = [
        (0, [FOUND, NONE, NONE]),
        (WCLONE, [NONE, FOUND, FOUND]),
        (WALL, [FOUND, FOUND, FOUND]),
        (WALL | WCLONE, [FOUND, FOUND, FOUND]),
        (WNOTHREAD, [FOUND, NONE, NONE]),
        (WNOTHREAD | WCLONE, [NONE, FOUND, FOUND]),
        (libc::WUNTRACED as u32, [FOUND, NONE, NONE]),
        (libc::WCONTINUED as u32, [FOUND, NONE, NONE]),
        (4, [BAD; 3]),
        (0x10, [BAD; 3]),
        (0x0100_0000, [BAD; 3]),
        (0x1000_0000, [BAD; 3]),
    ];
    for (options, expected) in rows {
        for (signal, expected) in [SIGCHLD, 10, 0].into_iter().zip(expected) {
            for exits_first in [false, true] {
                for by_number in [false, true] {
                    let world = Fixture::new();
                    let child = world.born(world.init, &Clone::new().exit_signal(signal));
                    let pid = if by_number { world.own_pid(child) } else { -1 };
                    println!("{options:#x} for {pid}, signal {signal}, dead: {exits_first}");
                    if exits_first {
                        world.exit(child, 0).expect("exit");
                    }
                    let options = options | WNOHANG;
                    match expected {
                        Ok(_) => {
                            let waited = world.wait(world.init, pid, options).expect("wait4");
                            assert_eq!(waited.map(|w| w.task), exits_first.then_some(child));
                        }
                        Err(errno) => {
                            world.refuses(errno, |w| w.wait(world.init, pid, options));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn children_of_other_threads() {
    let world = Fixture::new();
    let process = world.fork(world.init);
    let thread = world.thread(process);
    let child = world.fork(process);
    let nr = world.own_pid(child);
    for pid in [-1, nr] {
        assert_eq!(world.wait(thread, pid, WNOHANG), Ok(None));
        let options = WNOHANG | WNOTHREAD;
        world.refuses(Errno::CHILD, |w| w.wait(thread, pid, options));
        assert_eq!(world.wait(process, pid, options), Ok(None));
    }
    world.exit(child, 0).expect("exit");
    world.refuses(Errno::CHILD, |w| w.wait(thread, -1, WNOHANG | WNOTHREAD));
    assert_eq!(world.reap(thread).task, child);
}

#[test]
fn ones_own_children_come_first() {
    let world = Fixture::new();
    let process = world.fork(world.init);
    let threads = [process, world.thread(process), world.thread(process)];
    // The older children are the others'.
    let children = threads.map(|thread| {
        let child = world.fork(thread);
        world.exit(child, 0).expect("exit");
        child
    });
    assert_eq!(world.reap(threads[1]).task, children[1]);
    // Then those of the threads after it, and of the ones before.
    assert_eq!(world.reap(threads[1]).task, children[2]);
    assert_eq!(world.reap(threads[1]).task, children[0]);
}

#[test]
fn an_exit_wakes_who_waits() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let (child, other) = (world.fork(parent), world.fork(parent));
    let nr = world.own_pid(child);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), parent, nr, 0);
        world.exit(other, 1).expect("exit");
        assert!(sleeper.settles(), "that was somebody else");
        world.exit(child, 2).expect("exit");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!((waited.task, waited.status), (child, exited(2)));
    });
    assert_eq!(world.reap(parent).task, other);
}

#[test]
fn each_dead_child_wakes_one() {
    let world = Fixture::new();
    let children: Vec<_> = (0..8).map(|_| world.fork(world.init)).collect();
    let mut reaped: Vec<_> = thread::scope(|scope| {
        let sleepers: Vec<_> = (0..8)
            .map(|_| Sleeper::new(scope, world.world(), world.init, -1, WALL))
            .collect();
        for child in &children {
            world.exit(*child, 0).expect("exit");
        }
        sleepers
            .into_iter()
            .map(|sleeper| sleeper.result().expect("wait4").expect("a child").task)
            .collect()
    });
    reaped.sort();
    assert_eq!(reaped, children);
}

#[test]
fn a_signal_ends_the_wait() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), world.init, -1, 0);
        assert!(sleeper.settles());
        sleeper.interrupt();
        let error = sleeper.result().expect_err("interrupted");
        assert_eq!(error.errno, Errno::INTR);
    });
    world.exit(child, 3).expect("exit");
    let waited = world.reap(world.init);
    assert_eq!(
        (waited.task, waited.status),
        (child, exited(3)),
        "nothing is lost"
    );
}

#[test]
fn a_waiter_notices_what_becomes_of_its_children() {
    let world = Fixture::new();
    // The last one vanishes.
    let parent = world.fork(world.init);
    let child = autoreap(&world, parent);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), parent, -1, WALL);
        world.exit(child, 0).expect("exit");
        let error = sleeper.result().expect_err("no child is left");
        assert_eq!(error.errno, Errno::CHILD);
    });
    // Somebody else has reaped it.
    let thread = world.thread(parent);
    let child = world.fork(parent);
    let other = world.fork(parent);
    let nr = world.own_pid(child);
    thread::scope(|scope| {
        let first = Sleeper::new(scope, world.world(), parent, nr, 0);
        let second = Sleeper::new(scope, world.world(), thread, nr, 0);
        world.exit(child, 0).expect("exit");
        let mut results = [first.result(), second.result()].map(|r| match r {
            Ok(waited) => Ok(waited.expect("a child").task),
            Err(error) => Err(error.errno),
        });
        results.sort_by_key(Result::is_err);
        assert_eq!(results, [Ok(child), Err(Errno::CHILD)]);
    });
    // The parent itself ends.
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), parent, -1, 0);
        world.exit_group(parent, 0).expect("exit_group");
        let error = sleeper.result().expect_err("nobody waits any more");
        assert_eq!(error.errno, Errno::SRCH);
    });
    assert_eq!(parent_of(&world, other), Some(world.init));
}

#[test]
fn orphans_wake_their_new_parent() {
    let world = Fixture::new();
    let father = world.born(world.init, &Clone::new().exit_signal(10));
    let zombie = world.fork(father);
    world.exit(zombie, 0).expect("exit");
    let own = world.fork(world.init);
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), world.init, -1, 0);
        // Of its own children none is dead; of those that it gets now one is.
        world.exit(father, 0).expect("exit");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!(waited.task, zombie);
    });
    assert_eq!(world.state_of(own), Some(TaskState::Running));
}

/// wait4(2) of the own process group is for the one that this is when the call begins.
#[test]
fn the_own_group_is_that_at_the_call() {
    let world = Fixture::new();
    let waiter = world.fork(world.init);
    world.setpgid(waiter, 0, 0).expect("setpgid");
    let (stays, joins) = (world.fork(waiter), world.fork(waiter));
    thread::scope(|scope| {
        let sleeper = Sleeper::new(scope, world.world(), waiter, 0, 0);
        let other = world.fork(world.init);
        world.setpgid(other, 0, 0).expect("setpgid");
        let group = world.pid_of(other)[0];
        world.setpgid(waiter, 0, group).expect("setpgid");
        world.setpgid(joins, 0, group).expect("setpgid");
        // Of the group that the waiter is in by now, which is not waited for.
        world.exit_group(joins, 1).expect("exit_group");
        world.exit_group(stays, 2).expect("exit_group");
        let waited = sleeper.result().expect("wait4").expect("a child");
        assert_eq!((waited.task, waited.status), (stays, exited(2)));
    });
}

#[test]
fn who_has_no_children_does_not_sleep() {
    let world = Fixture::new();
    for options in [0, WNOHANG, WALL, WCLONE, WNOTHREAD] {
        for pid in [-1, 0, 1, 2, -2] {
            world.refuses(Errno::CHILD, |w| w.wait(world.init, pid, options));
        }
    }
    // A task without a parent here is nobody's child.
    world.born(world.init, &Clone::new().parent(Parent::Outside));
    world.refuses(Errno::CHILD, |w| w.wait(world.init, -1, WALL));
}

/// Children are born into a namespace, from inside and from outside, while its init exits: those
/// that are born die with it.
#[test]
fn births_and_the_death_of_an_init() {
    for _ in 0..100 {
        let world = Fixture::new();
        let (init, ns) = world.container(world.init);
        let outside = world.fork(world.init);
        world.setns(outside, ns).expect("setns");
        let births = |parent: TaskId, end: &[Errno]| {
            let mut born = 0;
            loop {
                match world.clone(parent, &Clone::new()).map_err(|e| e.errno) {
                    Ok(_) => born += 1,
                    // All numbers are in use, since init has not come to its exit yet.
                    Err(Errno::AGAIN) => thread::yield_now(),
                    Err(errno) => {
                        assert!(end.contains(&errno), "{errno}");
                        return born;
                    }
                }
            }
        };
        let injected = thread::scope(|scope| {
            let injected = scope.spawn(|| births(outside, &[Errno::NOMEM]));
            scope.spawn(|| births(init, &[Errno::NOMEM, Errno::SRCH]));
            world.exit(init, 0).expect("exit");
            injected.join().expect("births")
        });
        for _ in 0..injected {
            assert_eq!(world.reap(outside).status, KILLED);
        }
        world.refuses(Errno::CHILD, |w| w.wait(outside, -1, WNOHANG));
        assert_eq!(world.reap(world.init).task, init);
        assert_eq!(world.ns(ns).expect("ns").nr_pids, 0);
    }
}

/// Waiters, children and exits at once: each child is reaped once.
#[test]
fn many_at_once() {
    const PARENTS: usize = 4;
    const CHILDREN: usize = 200;
    let world = Fixture::new();
    thread::scope(|scope| {
        for _ in 0..PARENTS {
            let world = &world;
            let (init, _) = world.container(world.init);
            scope.spawn(move || {
                for _ in 0..CHILDREN {
                    let child = world.fork(init);
                    let grandchild = world.fork(child);
                    world.thread(child);
                    world.exit_group(child, 1).expect("exit_group");
                    world.exit(grandchild, 2).expect("exit");
                }
                let mut sum = 0;
                for _ in 0..2 * CHILDREN {
                    sum += world.reap(init).status;
                }
                assert_eq!(sum, CHILDREN as i32 * exited(3));
            });
        }
    });
    let info = world.info().expect("world");
    assert_eq!((info.tasks, info.zombies), (1 + PARENTS as u64, 0));
}
