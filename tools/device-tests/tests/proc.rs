// SPDX-License-Identifier: GPL-2.0

//! /proc of a world: what its members read there, and what the host does where it is mounted.
//!
//! What one process can check of itself is in `c/members/procfs.c`, which holds natively as well.

use altpid::{CloneArgs, CloneFlags, World};
use altpid_device_tests::{
    Fixture, command_line,
    members::{Bystander, exec, has_members, program},
    module,
    mounted::Mount,
    patience::eventually,
};
use rustix::{
    fd::{AsFd, AsRawFd},
    fs::{FlockOperation, flock},
    io::Errno,
    mount::{UnmountFlags, unmount},
};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{Read, Seek},
    os::unix::fs::{DirEntryExt, MetadataExt},
    path::Path,
    process::{Child, Stdio, id},
};

/// What `sh -c SCRIPT` has written that runs in a world with its /proc mounted.
fn shell(script: &str) -> String {
    let world = Fixture::new();
    let args = ["--mount-proc", "--", "sh", "-c", script];
    let (status, out, err) = command_line::finish(&mut exec(&world, &args), "");
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    out
}

/// A shell in a world that has done something, says so, and waits for its input to end.
fn waiting(world: &World, script: &str) -> Child {
    let script = format!("{script}; echo; read x; kill %1 %2; wait");
    let mut child = exec(world, &["--", "sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut byte = [0];
    let out = child.stdout.as_mut().expect("a pipe");
    out.read_exact(&mut byte).expect("it is ready");
    child
}

fn errno(path: &Path) -> Option<i32> {
    fs::read(path).err()?.raw_os_error()
}

/// A line of status.
fn line<'a>(status: &'a str, name: &str) -> &'a str {
    (status.lines())
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(":\t"))
        .unwrap_or_else(|| panic!("no {name} in {status}"))
}

/// What a member mounts as proc is that of its own namespace, whoever does it: here unshare(1).
#[test]
fn a_proc_that_a_member_mounts_is_the_worlds() {
    if !has_members() {
        return;
    }
    let inner = "cd /proc; echo $$ self $(readlink self) all [0-9]*; grep ^NSpid self/status";
    let script =
        format!("unshare --fork --pid --mount --mount-proc sh -c '{inner}'; echo /proc/[0-9]*");
    let out = shell(&script);
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[1], "NSpid:\t1", "{out}");
    assert_eq!(lines[2], "/proc/1", "{out}");
}

#[test]
fn a_process_reads_of_itself() {
    if !has_members() {
        return;
    }
    let _bystander = Bystander::new();
    // A lock of nobody there. Not every kernel has locks.
    let locked = File::create(std::env::temp_dir().join("altpid-locked")).expect("a file");
    let _ = flock(&locked, FlockOperation::LockExclusive);
    let world = Fixture::new();
    let args = ["--mount-proc", "--", program(), "procfs"];
    let done = command_line::finish(&mut exec(&world, &args), "");
    assert_eq!(done, (0, String::new(), String::new()));
    assert_eq!(world.info().expect("info").tasks, 1);
}

/// Likewise in a pid namespace and the /proc of the kernel's.
#[test]
fn natively_it_is_the_same() {
    let mut native = std::process::Command::new("unshare");
    native.env("PROC_TYPE", "proc");
    native.args(["--fork", "--pid", "--mount-proc", program(), "procfs"]);
    let native = command_line::finish(&mut native, "");
    assert_eq!(native, (0, String::new(), String::new()));
}

#[test]
fn a_shell_finds_its_processes() {
    if !has_members() {
        return;
    }
    let script = "sleep 100 & sleep 100 & echo $! /proc/[0-9]*; kill %1 %2; wait";
    assert_eq!(shell(script), "3 /proc/1 /proc/2 /proc/3\n");
    let script = "readlink /proc/self & wait; echo $!; readlink /proc/thread-self";
    assert_eq!(shell(script), "2\n2\n1/task/1\n");
    assert_eq!(shell("x=$(ps -o pid,ppid,comm); echo \"$x\""), shell_ps());
    // Pipes by their names, as bash's <(...) has them.
    let script = "echo first | cat /proc/self/fd/0; echo second | cat /dev/fd/0";
    assert_eq!(shell(script), "first\nsecond\n");
    assert_eq!(
        shell("pidof sleep; sleep 100 & until pidof sleep; do :; done; kill $!"),
        "3\n"
    );
    assert_eq!(
        shell("cat /proc/$$/comm; cat /proc/1/cmdline | tr '\\0' ' '"),
        "sh\nsh -c cat /proc/$$/comm; cat /proc/1/cmdline | tr '\\0' ' ' "
    );
    // The command finds the world by its descriptor.
    assert_eq!(
        shell("altpid ls -no PID,COMMAND; echo /proc/[0-9]*"),
        "1   init\n2/1 sh\n3/2 altpid\n/proc/1\n"
    );
    // Whom pidof names can be killed.
    let script =
        "exec 2>/dev/null; sleep 100 & until kill $(pidof sleep); do :; done; wait $!; echo $?";
    assert_eq!(shell(script), "143\n");
}

/// What ps has to say of a shell and itself.
fn shell_ps() -> String {
    "PID   PPID  COMMAND\n    1     0 sh\n    2     1 ps\n".into()
}

#[test]
fn what_is_listed_is_what_altpid_lists() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    let root = world.info().expect("info").root_ns;
    let child = world.fork(world.init);
    let (inner, ns) = world.container(child);
    world.thread(child);
    let mut shell = waiting(&world, "sleep 100 & sleep 100 & :");
    let mount = Mount::new(&world, "");
    let listed = |ns| -> BTreeSet<i32> {
        let tasks = world.tasks(Some(ns)).expect("list");
        let leaders = tasks.iter().filter(|task| task.leader == task.id);
        leaders.map(|task| world.number_in(task.id, ns)).collect()
    };
    assert_eq!(mount.processes(), listed(root));
    assert_eq!(mount.processes().len(), 6);
    let nested = Mount::new(&world, &format!(",ns={}", ns.0));
    assert_eq!(nested.processes(), listed(ns));
    assert_eq!(nested.processes(), BTreeSet::from([1]));
    assert_eq!(world.number_in(inner, ns), 1);
    // Threads are there, and not listed.
    let tasks = fs::read_dir(mount.file(&format!("{}/task", world.own_pid(child))));
    assert_eq!(tasks.expect("a directory").count(), 2);
    // The caller is nobody there.
    for link in ["self", "thread-self"] {
        assert_eq!(errno(&mount.file(link)), Some(Errno::NOENT.raw_os_error()));
    }
    assert!(!mount.read("uptime").is_empty());
    drop(shell.stdin.take());
    shell.wait().expect("its end");
    drop(nested);
    eventually("they are gone", || mount.processes().len() == 3);
}

#[test]
fn tasks_without_a_body() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    let (inner, ns) = world.container(child);
    let (nr, inner_nr) = (world.own_pid(child), world.pid_of(inner)[0]);
    world.exec(child, b"some (name)").expect("exec");
    let mount = Mount::new(&world, "");
    let dir = |name: &str| mount.read(&format!("{nr}/{name}"));
    assert_eq!(dir("comm"), "some (name)\n");
    assert_eq!(dir("cmdline"), "");
    let stat = dir("stat");
    assert!(
        stat.starts_with(&format!("{nr} (some (name)) S 1 ")),
        "{stat}"
    );
    assert_eq!(
        stat.rsplit_once(") ").expect("a name").1.split(' ').count(),
        50
    );
    let status = dir("status");
    assert_eq!(line(&status, "Name"), "some (name)");
    assert_eq!(line(&status, "PPid"), "1");
    assert_eq!(dir(&format!("task/{nr}/children")), format!("{inner_nr} "));
    assert_eq!(dir(&format!("task/{nr}/comm")), dir("comm"));
    // From within.
    let nested = Mount::new(&world, &format!(",ns={}", ns.0));
    let status = nested.read("1/status");
    assert_eq!((line(&status, "Pid"), line(&status, "PPid")), ("1", "0"));
    assert_eq!(line(&status, "NSpid"), "1");
    let status = mount.read(&format!("{inner_nr}/status"));
    assert_eq!(line(&status, "NSpid"), format!("{inner_nr}\t1"));
    let names = fs::read_dir(mount.file(&nr.to_string())).expect("a directory");
    let names: BTreeSet<_> = (names.map(|entry| entry.expect("an entry").file_name())).collect();
    let expected = ["stat", "status", "comm", "cmdline", "task"];
    assert_eq!(names, expected.map(Into::into).into());
    assert_eq!(
        errno(&mount.file(&format!("{nr}/exe"))),
        Some(Errno::NOENT.raw_os_error())
    );
    // What is listed has the inode that it has.
    for dir in [".", &nr.to_string(), &format!("{nr}/task/{nr}")] {
        for entry in fs::read_dir(mount.file(dir)).expect("a directory") {
            let entry = entry.expect("an entry");
            let inode = fs::symlink_metadata(entry.path()).expect("a file").ino();
            assert_eq!(entry.ino(), inode, "{:?}", entry.path());
        }
    }
    // A zombie; then it is gone.
    let mut held = File::open(mount.file(&format!("{inner_nr}/stat"))).expect("a file");
    let held_dir = mount.file(&inner_nr.to_string());
    world.exit_group(inner, 3).expect("exit");
    let mut text = String::new();
    held.read_to_string(&mut text).expect("stat");
    assert!(text.contains(") Z "), "{text}");
    assert!(text.ends_with(" 768\n"), "{text}");
    world.reap(child);
    held.rewind().expect("a position");
    let gone = held.read_to_string(&mut text).expect_err("nobody");
    assert_eq!(gone.raw_os_error(), Some(Errno::SRCH.raw_os_error()));
    assert!(!held_dir.exists());
    assert_eq!(nested.processes(), BTreeSet::new());
}

#[test]
fn many_children_and_threads() {
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let nr = world.own_pid(parent);
    let children: Vec<_> = (0..2000).map(|_| world.fork(parent)).collect();
    for _ in 0..1000 {
        world.thread(parent);
    }
    let mount = Mount::new(&world, "");
    assert_eq!(mount.processes().len(), 2002);
    let expected: String = (children.iter())
        .map(|child| format!("{} ", world.own_pid(*child)))
        .collect();
    let path = format!("{nr}/task/{nr}/children");
    assert_eq!(mount.read(&path), expected);
    let threads = fs::read_dir(mount.file(&format!("{nr}/task"))).expect("a directory");
    let threads: BTreeSet<_> =
        (threads.map(|entry| entry.expect("an entry").file_name())).collect();
    assert_eq!(threads.len(), 1001);
    // Somebody who reads on where he was is not stopped by those that go.
    let mut file = File::open(mount.file(&path)).expect("a file");
    let mut some = [0; 20];
    file.read_exact(&mut some).expect("children");
    for child in &children[..100] {
        world.exit_group(*child, 0).expect("exit");
        world.reap(parent);
    }
    let mut rest = String::new();
    file.read_to_string(&mut rest).expect("children");
    assert!(expected.ends_with(&rest[rest.len() - 1000..]));
}

/// A parent goes on from number to number, and is read meanwhile.
#[test]
fn reading_while_processes_come_and_go() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    let script = "i=0; while [ $i -lt 150 ]; do (exit 3) & (:); i=$((i+1)); done; wait";
    let mut shell = exec(
        &world,
        &["--new-ns", "--mount-proc", "--", "sh", "-c", script],
    )
    .spawn()
    .expect("it runs");
    let mount = Mount::new(&world, "");
    let mut seen = 0;
    while shell.try_wait().expect("a child").is_none() {
        for nr in mount.processes() {
            for name in ["stat", "status", "task", "maps", "fd"] {
                let path = mount.file(&format!("{nr}/{name}"));
                let text = match path.is_dir() {
                    true => fs::read_dir(&path).map(|names| names.count().to_string()),
                    false => fs::read_to_string(&path),
                };
                match (text, name) {
                    (Ok(text), "stat") => {
                        assert!(text.starts_with(&format!("{nr} (")), "{nr}: {text}");
                        seen += 1;
                    }
                    (Ok(text), "status") => assert_eq!(line(&text, "Pid"), nr.to_string()),
                    (Err(error), _) => {
                        let errno = error.raw_os_error().map(Errno::from_raw_os_error);
                        // Not there at one look, or a zombie at the next.
                        let is_gone =
                            matches!(errno, Some(Errno::NOENT | Errno::SRCH | Errno::ISDIR));
                        assert!(is_gone, "{nr}/{name}: {error}");
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_world_that_has_ended_is_empty() {
    let world = Fixture::new();
    let worlds = world.info().expect("info").worlds;
    world.fork(world.init);
    let mount = Mount::new(&world, "");
    let held = File::open(mount.file("1/stat")).expect("a file");
    let dir = File::open(mount.path()).expect("a directory");
    assert_eq!(mount.processes().len(), 2);
    drop(world);
    // A child that another test is about to start has all descriptors until it calls exec.
    eventually("it has ended", || {
        fs::read_dir(mount.path()).expect("a directory").count() == 0
    });
    assert_eq!(
        errno(&mount.file("uptime")),
        Some(Errno::NOENT.raw_os_error())
    );
    let gone = (&held).read(&mut [0; 8]).expect_err("nobody");
    assert_eq!(gone.raw_os_error(), Some(Errno::SRCH.raw_os_error()));
    // The mount has not kept it.
    let other = World::open().expect("a world");
    eventually("only those of other tests are left", || {
        other.info().expect("info").worlds <= worlds
    });
    drop((held, dir));
}

#[test]
fn the_last_close_kills_in_spite_of_a_mount() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    let mut sleeper = exec(
        &world,
        &[
            "--kill-on-close",
            "--",
            program(),
            "closing",
            "sleep",
            "100",
        ],
    )
    .spawn()
    .expect("it runs");
    let mount = Mount::new(&world, "");
    eventually("it has closed its descriptor", || {
        let nr = mount.processes().last().copied().unwrap_or(0);
        fs::read_to_string(mount.file(&format!("{nr}/comm"))).is_ok_and(|comm| comm == "sleep\n")
    });
    drop(world);
    sleeper.wait().expect("its end");
    eventually("the mount is empty", || mount.processes().is_empty());
}

#[test]
fn a_mount_keeps_the_module() {
    let world = Fixture::new();
    let mount = Mount::new(&world, "");
    drop(world);
    assert_eq!(module::unload().err(), Some(Errno::AGAIN), "mounted");
    drop(mount);
}

#[test]
fn who_cannot_mount_it() {
    let wrong = |options: &str| Mount::with(options).err();
    // Nobody's world, no file of the device, no file, no such namespace.
    assert_eq!(wrong(""), Some(Errno::INVAL));
    let file = File::open("/proc/version").expect("a file");
    assert_eq!(
        wrong(&format!("fd={}", file.as_raw_fd())),
        Some(Errno::INVAL)
    );
    assert_eq!(wrong("fd=1000"), Some(Errno::BADF));
    let world = Fixture::new();
    let fd = world.as_fd().as_raw_fd();
    assert_eq!(wrong(&format!("fd={fd},ns=99999")), Some(Errno::NOENT));
    assert_eq!(wrong(&format!("fd={fd},hidepid=2")), Some(Errno::INVAL));
}

#[test]
fn the_command_mounts_it() {
    let world = Fixture::new();
    let child = world.fork(world.init);
    world
        .clone(child, &CloneArgs::new().flags(CloneFlags::NEWPID))
        .expect("clone");
    let at = std::env::temp_dir().join(format!("altpid-proc-{}-command", id()));
    fs::create_dir(&at).expect("a directory");
    let at = Mount::at(at);
    let fd = world.as_fd().as_raw_fd().to_string();
    let path = at.path().to_str().expect("a name");
    let run = |args: &[&str]| {
        let mut command = command_line::altpid(&["proc", path, "--fd", fd.as_str()]);
        command.args(args);
        altpid_device_tests::raw::hand_down(&mut command, &world);
        command_line::finish(&mut command, "")
    };
    assert_eq!(run(&[]), (0, String::new(), String::new()));
    assert_eq!(at.processes().len(), 3);
    unmount(at.path(), UnmountFlags::empty()).expect("umount");
    assert_eq!(run(&["--in", "ns:2"]), (0, String::new(), String::new()));
    assert_eq!(at.processes(), BTreeSet::from([1]));
    let (status, _, err) = run(&["--in", "ns:77"]);
    assert_ne!(status, 0);
    assert!(err.contains("there is none"), "{err}");
}
