// SPDX-License-Identifier: GPL-2.0

//! setsid(2) and setpgid(2): who may, as whom the result is known in each namespace, and how long a
//! group or a session keeps its number.

use altpid::{CloneArgs, CloneFlags, PidType, Task, TaskId};
use altpid_device_tests::Fixture;
use rustix::io::Errno;

/// getpgid(2) and getsid(2), as each level sees them.
fn job(world: &Fixture, task: TaskId) -> (Vec<i32>, Vec<i32>) {
    let task = world.task(task).expect("task");
    (task.pgid, task.sid)
}

/// Somebody who is in the group or the session of a number of the root.
fn member(world: &Fixture, nr: i32, kind: PidType) -> Task {
    let found = world.find(world.root, nr, kind).expect("a number in use");
    world.task(found).expect("task")
}

/// Whether a number of the root is in use as a group's and as a session's.
fn uses(world: &Fixture, nr: i32) -> (bool, bool) {
    let is = |kind| match world.find(world.root, nr, kind) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.errno, Errno::SRCH);
            false
        }
    };
    (is(PidType::Pgid), is(PidType::Sid))
}

/// A shell, which leads a session, and two children of it.
struct Shell {
    world: Fixture,
    shell: TaskId,
    first: TaskId,
    second: TaskId,
}

impl Shell {
    fn new() -> Self {
        let world = Fixture::new();
        let shell = world.fork(world.init);
        world.setsid(shell).expect("setsid");
        let (first, second) = (world.fork(shell), world.fork(shell));
        Self {
            world,
            shell,
            first,
            second,
        }
    }

    fn nr(&self, task: TaskId) -> i32 {
        self.world.own_pid(task)
    }
}

#[test]
fn a_session_is_a_group_too() {
    let world = Fixture::new();
    let task = world.fork(world.init);
    let thread = world.thread(task);
    assert_eq!(job(&world, task), (vec![0], vec![0]));
    assert_eq!(uses(&world, 2), (false, false));
    assert_eq!(world.setsid(task), Ok(2));
    assert_eq!(job(&world, task), (vec![2], vec![2]));
    assert_eq!(job(&world, thread), (vec![2], vec![2]));
    assert_eq!(uses(&world, 2), (true, true));
    // Children inherit both.
    let child = world.fork(thread);
    assert_eq!(job(&world, child), (vec![2], vec![2]));
    assert_eq!(world.setsid(child), Ok(world.own_pid(child)));
}

#[test]
fn any_thread_makes_the_session_of_its_process() {
    let world = Fixture::new();
    let task = world.fork(world.init);
    let thread = world.thread(task);
    assert_eq!(world.setsid(thread), Ok(world.own_pid(task)));
    world.refuses(Errno::PERM, |w| w.setsid(task));
    world.refuses(Errno::PERM, |w| w.setsid(thread));
}

#[test]
fn setsid_by_who_leads_already() {
    let shell = Shell::new();
    let world = &shell.world;
    world.refuses(Errno::PERM, |w| w.setsid(shell.shell));
    // The leader of a group, and who has left it while others are in it.
    world.setpgid(shell.first, 0, 0).expect("setpgid");
    world.refuses(Errno::PERM, |w| w.setsid(shell.first));
    let nr = shell.nr(shell.first);
    world.setpgid(shell.second, 0, nr).expect("setpgid");
    let other = shell.nr(shell.shell);
    world.setpgid(shell.first, 0, other).expect("setpgid");
    world.refuses(Errno::PERM, |w| w.setsid(shell.first));
    // Until the group is gone.
    world.end(shell.second, 0);
    assert_eq!(world.setsid(shell.first), Ok(nr));
}

#[test]
fn an_init_begins_a_session_once() {
    let world = Fixture::new();
    let (init, _) = world.container(world.init);
    assert_eq!(world.setsid(init), Ok(1));
    assert_eq!(job(&world, init), (vec![2, 1], vec![2, 1]));
    world.refuses(Errno::PERM, |w| w.setsid(init));
    assert_eq!(world.setsid(world.init), Ok(1));
    world.refuses(Errno::PERM, |w| w.setsid(world.init));
}

#[test]
fn groups_come_and_go() {
    let shell = Shell::new();
    let (world, nr) = (&shell.world, shell.nr(shell.first));
    // By its parent, by itself; given in words or by 0.
    for (caller, pid, pgid) in [
        (shell.shell, nr, nr),
        (shell.shell, nr, 0),
        (shell.first, 0, 0),
        (shell.first, nr, 0),
        (shell.first, 0, nr),
        (shell.first, nr, nr),
    ] {
        world.setpgid(caller, pid, pgid).expect("setpgid");
        assert_eq!(job(world, shell.first).0, [nr]);
        assert_eq!(uses(world, nr), (true, false));
        // Once more changes nothing.
        world.setpgid(caller, pid, pgid).expect("setpgid");
        // And back, into the group of the shell.
        let back = shell.nr(shell.shell);
        world.setpgid(caller, pid, back).expect("setpgid");
        assert_eq!(job(world, shell.first).0, [back]);
        assert_eq!(uses(world, nr), (false, false));
    }
}

#[test]
fn any_thread_changes_the_group_of_its_process() {
    let shell = Shell::new();
    let world = &shell.world;
    let thread = world.thread(shell.first);
    world.setpgid(thread, 0, 0).expect("setpgid");
    let nr = shell.nr(shell.first);
    assert_eq!(job(world, shell.first).0, [nr]);
    assert_eq!(job(world, thread).0, [nr]);
    // A parent is any thread of the process as well.
    let parent = world.thread(shell.shell);
    let other = shell.nr(shell.second);
    world.setpgid(parent, other, nr).expect("setpgid");
    assert_eq!(job(world, shell.second).0, [nr]);
}

#[test]
fn errors_of_setpgid() {
    let shell = Shell::new();
    let world = &shell.world;
    let (first, second) = (shell.first, shell.second);
    let (nr, other) = (shell.nr(first), shell.nr(second));
    let thread = shell.nr(world.thread(first));
    let grandchild = world.fork(first);
    let gone = world.fork(shell.shell);
    let gone_nr = shell.nr(gone);
    world.end(gone, 0);
    // A child in a session of its own, and a group outside of the session.
    let away = world.fork(shell.shell);
    world.setsid(away).expect("setsid");
    let away_child = world.fork(away);
    let stranger = world.fork(world.init);
    world.setsid(stranger).expect("setsid");
    let own = shell.nr(shell.shell);

    let rows = [
        // Who, whose group, which group.
        (first, 0, -1, Errno::INVAL),
        (first, nr, i32::MIN, Errno::INVAL),
        (first, gone_nr, -1, Errno::INVAL),
        (first, -5, 0, Errno::INVAL),
        (first, thread, 0, Errno::INVAL),
        (shell.shell, thread, thread, Errno::INVAL),
        // Not oneself and not a child.
        (first, other, 0, Errno::SRCH),
        (first, own, 0, Errno::SRCH),
        (first, gone_nr, 0, Errno::SRCH),
        (first, 30_000, 0, Errno::SRCH),
        (first, -5, 7, Errno::SRCH),
        (shell.shell, shell.nr(grandchild), 0, Errno::SRCH),
        (shell.shell, shell.nr(stranger), 0, Errno::SRCH),
        // Another session, a leader of one.
        (shell.shell, shell.nr(away), 0, Errno::PERM),
        (shell.shell, 0, 0, Errno::PERM),
        (shell.shell, 0, nr, Errno::PERM),
        // No such group in the session.
        (first, 0, other, Errno::PERM),
        (first, 0, gone_nr, Errno::PERM),
        (first, 0, 30_000, Errno::PERM),
        (first, 0, thread, Errno::PERM),
        (first, 0, shell.nr(stranger), Errno::PERM),
        (first, 0, shell.nr(away), Errno::PERM),
        (shell.shell, nr, shell.nr(away), Errno::PERM),
    ];
    for (caller, pid, pgid, errno) in rows {
        println!("{caller:?}: setpgid({pid}, {pgid})");
        world.refuses(errno, |w| w.setpgid(caller, pid, pgid));
    }
    // What is in the way of nobody else.
    world.setpgid(away_child, 0, 0).expect("setpgid");
}

#[test]
fn children_of_threads_and_dead_children() {
    let shell = Shell::new();
    let world = &shell.world;
    let thread = world.thread(shell.first);
    let child = world.fork(thread);
    let nr = shell.nr(child);
    world.setpgid(shell.first, nr, 0).expect("setpgid");
    assert_eq!(job(world, child).0, [nr]);
    // A zombie still is in a group, and can be put into another.
    world.exit(child, 0).expect("exit");
    assert_eq!(job(world, child).0, [nr]);
    let other = shell.nr(shell.shell);
    world.setpgid(thread, nr, other).expect("setpgid");
    assert_eq!(job(world, child).0, [other]);
}

#[test]
fn numbers_are_as_the_caller_sees_them() {
    let world = Fixture::new();
    world.setsid(world.init).expect("setsid");
    let (init, ns) = world.container(world.init);
    let child = world.fork(init);
    // From above on the init below; with a session that is outside.
    let nr = world.number_in(init, world.root);
    world.setpgid(world.init, nr, 0).expect("setpgid");
    assert_eq!(job(&world, init), (vec![2, 1], vec![1, 0]));
    // From inside.
    world.setpgid(init, 2, 0).expect("setpgid");
    assert_eq!(job(&world, child), (vec![3, 2], vec![1, 0]));
    world.setpgid(child, 0, 1).expect("the group of init");
    assert_eq!(job(&world, child).0, [2, 1]);
    world.setpgid(child, 0, 2).expect("its own");
    world.refuses(Errno::PERM, |w| w.setpgid(init, 2, 3));
    // The outer numbers mean nothing there, and the inner ones nothing here.
    world.refuses(Errno::SRCH, |w| w.setpgid(init, 3, 0));
    // Who is injected is the child of somebody outside; for those inside it is not.
    let injected = world.inject(world.init, ns);
    let (outside, inside) = (
        world.number_in(injected, world.root),
        world.own_pid(injected),
    );
    world.refuses(Errno::SRCH, |w| w.setpgid(init, inside, 0));
    world.setpgid(world.init, outside, 3).expect("setpgid");
    assert_eq!(job(&world, injected).0, [3, 2]);
    assert_eq!(world.setsid(injected), Ok(inside));
    assert_eq!(job(&world, injected).1, [outside, inside]);
}

/// A group that is joined again after its init has left it is in the same session still.
#[test]
fn an_init_in_a_group_from_outside() {
    let world = Fixture::new();
    world.setsid(world.init).expect("setsid");
    let member = world.fork(world.init);
    world.setpgid(member, 0, 0).expect("setpgid");
    let child = world.fork(member);
    let init = world.born(member, &CloneArgs::new().flags(CloneFlags::NEWPID));
    assert_eq!(job(&world, init), (vec![2, 0], vec![1, 0]));
    // It can leave, but not come back: the group has no number that it knows.
    world.setpgid(init, 0, 0).expect("setpgid");
    assert_eq!(job(&world, init).0, [4, 1]);
    world.refuses(Errno::PERM, |w| w.setpgid(init, 0, 2));
    world.setpgid(member, 4, 2).expect("setpgid");
    assert_eq!(job(&world, init).0, [2, 0]);
    assert_eq!(job(&world, child).0, [2]);
}

#[test]
fn a_group_keeps_its_number() {
    let shell = Shell::new();
    let (world, nr) = (&shell.world, shell.nr(shell.first));
    world.setpgid(shell.first, 0, 0).expect("setpgid");
    world.setpgid(shell.second, 0, nr).expect("setpgid");
    let pids = world.ns(world.root).expect("ns").nr_pids;
    assert_eq!(world.end(shell.first, 0), 0);
    // It is nobody's number, but a group's.
    assert_eq!(world.ns(world.root).expect("ns").nr_pids, pids);
    assert_eq!(uses(world, nr), (true, false));
    assert_eq!(member(world, nr, PidType::Pgid).id, shell.second);
    for kind in [PidType::Pid, PidType::Tgid] {
        world.refuses(Errno::SRCH, |w| w.find(w.info()?.root_ns, nr, kind));
    }
    let args = CloneArgs::new().set_tid(&[nr]);
    world.refuses(Errno::EXIST, |w| w.clone(shell.shell, &args));
    // Others can still join, and the next process gets another number.
    let third = world.fork(shell.shell);
    world.setpgid(third, 0, nr).expect("setpgid");
    world
        .set_last_pid(world.root, i64::from(nr) - 1)
        .expect("last_pid");
    assert_ne!(world.own_pid(world.fork(shell.shell)), nr);
    world.end(shell.second, 0);
    assert_eq!(uses(world, nr), (true, false));
    world.setpgid(third, 0, 0).expect("setpgid");
    // With its last member it goes.
    assert_eq!(uses(world, nr), (false, false));
    let again = world.born(shell.shell, &args);
    assert_eq!(job(world, again).0, [shell.nr(shell.shell)]);
}

#[test]
fn a_session_keeps_its_number() {
    let shell = Shell::new();
    let (world, nr) = (&shell.world, shell.nr(shell.shell));
    // In groups of their own, so that it is the session alone.
    world.setpgid(shell.first, 0, 0).expect("setpgid");
    world.setpgid(shell.second, 0, 0).expect("setpgid");
    world.end(shell.shell, 0);
    assert_eq!(uses(world, nr), (false, true));
    assert_eq!(member(world, nr, PidType::Sid).sid, [nr]);
    for task in [shell.first, shell.second] {
        assert_eq!(job(world, task).1, [nr]);
    }
    let args = CloneArgs::new().set_tid(&[nr]);
    world.refuses(Errno::EXIST, |w| w.clone(world.init, &args));
    // The group of that number can not be made anew: nobody has the number.
    world.refuses(Errno::PERM, |w| w.setpgid(shell.first, 0, nr));
    world.exit(shell.first, 0).expect("exit");
    // Zombies are members too.
    world.end(shell.second, 0);
    assert_eq!(uses(world, nr), (false, true));
    world.reap(world.init);
    assert_eq!(uses(world, nr), (false, false));
    world.born(world.init, &args);
}

/// A number that is kept by a group is in use at every level.
#[test]
fn a_kept_number_is_kept_everywhere() {
    let world = Fixture::new();
    let (init, ns) = world.container(world.init);
    let leader = world.born(init, &CloneArgs::new().set_tid(&[50, 500]));
    world.setsid(leader).expect("setsid");
    let member = world.fork(leader);
    world.end(leader, 0);
    for (caller, numbers) in [(init, &[50][..]), (init, &[51, 500]), (world.init, &[500])] {
        let args = CloneArgs::new().set_tid(numbers);
        world.refuses(Errno::EXIST, |w| w.clone(caller, &args));
    }
    assert_eq!(job(&world, member), (vec![500, 50], vec![500, 50]));
    world.end(member, 0);
    for (ns, nr) in [(ns, 50), (world.root, 500)] {
        world.refuses(Errno::SRCH, |w| w.find(ns, nr, PidType::Sid));
    }
    world.born(init, &CloneArgs::new().set_tid(&[50, 500]));
}

/// A process whose session leader's number comes to be another's is in the old session.
#[test]
fn a_reused_number_is_not_the_old_group() {
    let shell = Shell::new();
    let (world, nr) = (&shell.world, shell.nr(shell.first));
    world.setpgid(shell.first, 0, 0).expect("setpgid");
    world.end(shell.first, 0);
    let args = CloneArgs::new().set_tid(&[nr]);
    let again = world.born(shell.shell, &args);
    assert_eq!(uses(world, nr), (false, false));
    world.refuses(Errno::PERM, |w| w.setpgid(shell.second, 0, nr));
    world.setpgid(again, 0, 0).expect("setpgid");
    world.setpgid(shell.second, 0, nr).expect("setpgid");
    assert_eq!(member(world, nr, PidType::Pgid).pgid, [nr]);
}

/// Threads of many processes change groups at once; the audit at the end has the last word.
#[test]
fn many_at_once() {
    let world = Fixture::new();
    world.setsid(world.init).expect("setsid");
    let tasks: Vec<_> = (0..4).map(|_| world.fork(world.init)).collect();
    let groups: Vec<_> = tasks.iter().map(|&t| world.own_pid(t)).collect();
    std::thread::scope(|scope| {
        for (n, &task) in tasks.iter().enumerate() {
            let (world, groups) = (&world, &groups);
            scope.spawn(move || {
                for round in 0..500 {
                    // The group may have gone meanwhile.
                    let result = world.setpgid(task, 0, groups[(n + round) % 4]);
                    if let Err(error) = result {
                        assert_eq!(error.errno, Errno::PERM);
                    }
                    world.setpgid(task, 0, 0).expect("setpgid");
                }
            });
        }
    });
    for (task, nr) in tasks.iter().zip(groups) {
        assert_eq!(job(&world, *task), (vec![nr], vec![1]));
    }
}
