// SPDX-License-Identifier: GPL-2.0

//! How long a world lives, who keeps it, and that nothing of it is left behind.
//!
//! What is left is read from the counters of the whole module, so that the tests of this program
//! take turns. Some of them need another process: that is this program once more, told by its
//! environment to be [`the_other_process`].

use altpid::{CloneArgs, CloneFlags, TaskId, TaskState, World, uapi::*};
use altpid_device_tests::{
    Fixture, SIGCHLD, WALL, WNOHANG, figures::scaled, patience::eventually, raw,
};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use std::{
    env, fs,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio, id},
    sync::{Mutex, MutexGuard},
    thread,
};

/// What the other process is to do.
const ROLE: &str = "ALTPID_TEST_ROLE";
/// Where it can see whether this process has a descriptor still.
const WATCHED: &str = "ALTPID_TEST_WATCHED";

/// A test's turn: the counters as they are before it does anything.
struct Turn {
    watch: Fixture,
    worlds: u64,
    pids: u64,
    _guard: MutexGuard<'static, ()>,
}

impl Turn {
    fn new() -> Self {
        static TURNS: Mutex<()> = Mutex::new(());
        // A test that has failed has had its turn.
        let guard = TURNS.lock().unwrap_or_else(|e| e.into_inner());
        let watch = Fixture::new();
        let info = watch.info().expect("world");
        Self {
            watch,
            worlds: info.worlds,
            pids: info.pids,
            _guard: guard,
        }
    }

    /// Worlds and pids that there are more than in the beginning.
    fn more(&self) -> (i64, i64) {
        let info = self.watch.info().expect("world");
        (
            info.worlds as i64 - self.worlds as i64,
            info.pids as i64 - self.pids as i64,
        )
    }

    /// Everything that was there meanwhile goes. Memory is freed a little later than it is given
    /// up.
    #[track_caller]
    fn nothing_is_left(&self) {
        eventually("as many worlds as before", || self.more().0 == 0);
        eventually("as many pids as before", || self.more().1 <= 0);
        self.watch.check();
    }
}

/// Tasks of every kind: threads, zombies, inits, groups whose leader has gone.
fn populate(world: &World, init: TaskId, count: usize) {
    let born = |parent, args: &CloneArgs| world.clone(parent, args).expect("clone").task;
    let newpid = CloneArgs::new().flags(CloneFlags::NEWPID);
    let mut place = init;
    for n in 0..count {
        let child = born(place, &CloneArgs::new());
        born(child, &CloneArgs::thread());
        world.setsid(child).expect("setsid");
        born(child, &CloneArgs::new());
        match n % 4 {
            0 => world.exit(child, 0).expect("exit"),
            1 => world.exit_group(child, 0).expect("exit_group"),
            // Both fail at the deepest level.
            2 => drop(world.unshare(child, CloneFlags::NEWPID)),
            _ => drop(world.clone(child, &newpid)),
        }
        if n % 10 == 0 {
            // Down, and from the bottom back to the top.
            place = world.clone(place, &newpid).map_or(init, |c| c.task);
        }
    }
}

/// Starts the other process; `world` is its standard input.
fn start(role: &str, world: Option<OwnedFd>, watched: &str) -> Child {
    Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "the_other_process", "--ignored"])
        .env(ROLE, role)
        .env(WATCHED, watched)
        .stdin(world.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::null())
        .spawn()
        .expect("another process")
}

/// Kills it with SIGKILL, if it is there still.
fn kill(mut child: Child) -> ExitStatus {
    child.kill().expect("kill");
    child.wait().expect("wait")
}

/// A task of a world that is known by its descriptor alone.
fn clone_by_descriptor(fd: impl AsFd) -> TaskId {
    let info = raw::ask(&fd, ALTPID_CMD_WORLD, &altpid_world::default()).expect("world");
    let arg = altpid_clone {
        task: info.init,
        exit_signal: SIGCHLD,
        ..Default::default()
    };
    let reply = raw::ask(&fd, ALTPID_CMD_CLONE, &arg).expect("clone");
    TaskId(reply.child)
}

#[test]
#[ignore = "other tests start it"]
fn the_other_process() {
    let stdin = std::io::stdin();
    match env::var(ROLE).as_deref() {
        Ok("make one task") => drop(clone_by_descriptor(&stdin)),
        Ok("go on alone") => {
            // Until nobody else has it.
            let watched = env::var(WATCHED).expect("a descriptor");
            eventually("this process is alone", || fs::read_link(&watched).is_err());
            for _ in 0..100 {
                clone_by_descriptor(&stdin);
            }
            let info = raw::ask(&stdin, ALTPID_CMD_WORLD, &altpid_world::default());
            assert_eq!(info.expect("world").tasks, 102);
        }
        Ok("make tasks") => {
            let world = World::open().expect("open");
            let init = world.info().expect("world").init;
            let args = CloneArgs::new();
            while world.clone(init, &args).is_ok() {}
        }
        Ok("make everything") => {
            let world = World::open().expect("open");
            let init = world.info().expect("world").init;
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        loop {
                            populate(&world, init, 10_000);
                        }
                    });
                }
            });
        }
        Ok("end namespaces") => {
            let world = Fixture::new();
            loop {
                let (init, _) = world.container(world.init);
                populate(&world, init, 3000);
                world.end(init, 0);
            }
        }
        Ok("wait") => {
            let world = World::open().expect("open");
            let init = world.info().expect("world").init;
            populate(&world, init, 100);
            let child = world.clone(init, &CloneArgs::new()).expect("clone");
            let _ = world.wait(init, child.pid, WALL);
        }
        _ => {}
    }
}

#[test]
fn every_pid_is_counted() {
    let turn = Turn::new();
    let world = Fixture::new();
    let before = turn.more();
    assert_eq!(before.0, 1);
    let children: Vec<_> = (0..1000).map(|_| world.fork(world.init)).collect();
    assert_eq!(turn.more().1 - before.1, 1000);
    for child in &children {
        world.exit(*child, 0).expect("exit");
    }
    assert_eq!(turn.more().1 - before.1, 1000, "zombies have theirs");
    for _ in &children {
        world.reap(world.init);
    }
    eventually("no pid of the dead", || turn.more() == before);
    drop(world);
    turn.nothing_is_left();
}

#[test]
fn the_last_close_ends_a_world() {
    let turn = Turn::new();
    for count in [0, 1, 10, 100, 3000] {
        let world = Fixture::new();
        populate(&world, world.init, count);
        assert_eq!(turn.more().0, 1);
        drop(world);
        turn.nothing_is_left();
    }
}

#[test]
fn many_worlds() {
    let turn = Turn::new();
    let worlds: Vec<_> = (0..200).map(|_| Fixture::new()).collect();
    for world in &worlds {
        populate(world, world.init, 10);
    }
    assert_eq!(turn.more().0, 200);
    drop(worlds);
    turn.nothing_is_left();
}

#[test]
fn worlds_come_and_go_in_many_threads() {
    let turn = Turn::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let world = Fixture::new();
                    populate(&world, world.init, 30);
                }
            });
        }
    });
    turn.nothing_is_left();
}

#[test]
fn a_duplicate_of_the_descriptor_keeps_the_world() {
    let turn = Turn::new();
    let world = Fixture::new();
    let child = world.fork(world.init);
    let second = world.as_fd().try_clone_to_owned().expect("dup");
    let third = second.try_clone().expect("dup");
    // It is the same world.
    let task = clone_by_descriptor(&second);
    assert_eq!(world.state_of(task), Some(TaskState::Running));
    drop(world);
    drop(second);
    assert_eq!(turn.more().0, 1);
    let arg = altpid_task {
        task: child.0,
        ..Default::default()
    };
    let reply = raw::ask(&third, ALTPID_CMD_TASK, &arg).expect("task");
    assert_eq!(reply.pid[0], 2);
    drop(third);
    turn.nothing_is_left();
}

/// An open of what /proc calls the descriptor is an open of the device: another world.
#[test]
fn an_open_by_way_of_proc_is_another_world() {
    let turn = Turn::new();
    let world = Fixture::new();
    populate(&world, world.init, 5);
    let path = format!("/proc/self/fd/{}", world.as_fd().as_raw_fd());
    let other = World::open_at(path).expect("open");
    assert_eq!(turn.more().0, 2);
    assert_eq!(other.info().expect("world").tasks, 1);
    drop(other);
    drop(world);
    turn.nothing_is_left();
}

#[test]
fn another_process_can_have_the_descriptor() {
    let turn = Turn::new();
    let world = Fixture::new();
    let fd = world.as_fd().try_clone_to_owned().expect("dup");
    let mut child = start("make one task", Some(fd), "");
    assert!(child.wait().expect("wait").success());
    assert_eq!(world.info().expect("world").tasks, 2);
    drop(world);
    turn.nothing_is_left();
}

#[test]
fn another_process_keeps_the_world() {
    let turn = Turn::new();
    let world = Fixture::new();
    world.fork(world.init);
    let fd = world.as_fd().try_clone_to_owned().expect("dup");
    let watched = format!("/proc/{}/fd/{}", id(), world.as_fd().as_raw_fd());
    let mut child = start("go on alone", Some(fd), &watched);
    drop(world);
    assert!(child.wait().expect("wait").success());
    turn.nothing_is_left();
}

#[test]
fn a_process_that_is_killed_leaves_nothing() {
    let turn = Turn::new();
    for role in ["make tasks", "make everything", "end namespaces"] {
        for most in [1, scaled(500) as i64, scaled(5000) as i64] {
            println!("{role} until there are {most}");
            let child = start(role, None, "");
            eventually("it is in the middle of it", || turn.more().1 >= most);
            assert_eq!(kill(child).signal(), Some(libc::SIGKILL));
            turn.nothing_is_left();
        }
    }
}

#[test]
fn a_process_that_is_killed_while_it_waits_leaves_nothing() {
    let turn = Turn::new();
    let child = start("wait", None, "");
    let tasks = format!("/proc/{}/task", child.id());
    let ioctl = libc::SYS_ioctl.to_string();
    eventually("it sleeps in the kernel", || {
        turn.more().0 == 1
            && fs::read_dir(&tasks).is_ok_and(|tasks| {
                tasks.flatten().any(|task| {
                    fs::read_to_string(task.path().join("syscall"))
                        .is_ok_and(|text| text.split(' ').next() == Some(&ioctl))
                })
            })
    });
    assert_eq!(kill(child).signal(), Some(libc::SIGKILL));
    turn.nothing_is_left();
}

#[test]
fn worlds_do_not_see_each_other() {
    let turn = Turn::new();
    let (one, two) = (Fixture::new(), Fixture::new());
    let first: Vec<_> = (0..10).map(|_| one.fork(one.init)).collect();
    let second: Vec<_> = (0..10).map(|_| two.fork(two.init)).collect();
    // The same numbers, and whatever is done to one is not done to the other.
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(one.pid_of(*a), two.pid_of(*b));
        one.exit(*a, 1).expect("exit");
        assert_eq!(two.state_of(*b), Some(TaskState::Running));
    }
    one.set_pid_max(one.root, 1000).expect("pid_max");
    one.set_last_pid(one.root, 500).expect("last_pid");
    let root = two.ns(two.root).expect("ns");
    assert_eq!(root.last_pid, 11);
    assert_ne!(root.pid_max, 1000);
    for _ in &first {
        one.reap(one.init);
    }
    assert_eq!(
        one.wait(one.init, -1, WNOHANG).map_err(|e| e.verb),
        Err("wait4")
    );
    assert_eq!(two.wait(two.init, -1, WNOHANG), Ok(None));
    // Ids of the one that are far beyond those of the other.
    let mut last = one.init;
    for _ in 0..100 {
        last = one.fork(one.init);
    }
    two.refuses(rustix::io::Errno::SRCH, |w| w.task(last));
    assert_eq!(two.tasks(None).expect("list").len(), 11);
    drop((one, two));
    turn.nothing_is_left();
}
