// SPDX-License-Identifier: GPL-2.0

//! The `altpid` command on living worlds: those that this process holds, and its own.

use altpid::{CloneArgs, CloneFlags, TaskId};
use altpid_device_tests::{
    Fixture, State,
    command_line::{Done, altpid, finish, run},
    scratch::Scratch,
};
use rustix::fd::{AsFd, AsRawFd};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio, id},
};

/// What a verb says about a world that this process holds.
fn about(world: &Fixture, args: &[&str]) -> Done {
    let target = format!("{}:{}", id(), world.as_fd().as_raw_fd());
    finish(altpid(args).args(["--target", &target]), "")
}

#[track_caller]
fn shown(world: &Fixture, args: &[&str]) -> String {
    let (status, out, err) = about(world, args);
    assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
    out
}

/// Named processes, so that lists do not depend on ids.
fn populate(world: &Fixture) -> TaskId {
    let container = CloneArgs::new()
        .flags(CloneFlags::NEWPID)
        .set_tid(&[1, 4000]);
    let sh = world.born(world.init, &container);
    world.set_name(sh, b"sh").expect("name");
    world.setsid(sh).expect("setsid");
    let dead = world.born(sh, &CloneArgs::new().set_tid(&[7, 4001]));
    world.set_name(dead, b"dead").expect("name");
    world.exit_group(dead, 3).expect("exit");
    sh
}

#[test]
fn a_world_is_looked_at_while_somebody_else_holds_it() {
    let world = Fixture::new();
    populate(&world);
    assert_eq!(
        shown(&world, &["ls", "-o", "PID,PPID,SID,STATE,COMMAND,EXIT"]),
        "PID    PPID SID    STATE   COMMAND EXIT
1         0 0      running init    -
4000/1    1 4000/1 running sh      -
4001/7 4000 4000/1 zombie  dead    exit 3
"
    );
    let tree = shown(&world, &["tree"]);
    assert!(
        tree.starts_with("1 init\n└─ 4000/1 sh  [pid namespace "),
        "{tree}"
    );
    let task = shown(&world, &["show", "4001"]);
    assert!(
        task.contains("zombie") && task.contains("4000/1 (sh)"),
        "{task}"
    );
    assert!(shown(&world, &["audit"]).contains("nothing is broken"));
    assert_eq!(
        shown(&world, &["translate", "4001", "1"]),
        "4001\t4001/7\n1\t1\n"
    );
    let (status, out, _) = about(&world, &["translate", "5"]);
    assert_eq!((status, out.as_str()), (3, "5\t-\n"));
    // Whoever looked has left nothing: the world goes with this process's descriptor.
    assert_eq!(world.info().expect("world").tasks, 3);
}

#[test]
fn numbers_are_translated_between_living_namespaces() {
    let world = Fixture::new();
    let sh = populate(&world);
    let ns = world.task(sh).expect("task").ns.0.to_string();
    let root = world.root.0.to_string();
    let inside = ["translate", "--from", &ns, "--to", &root, "1", "7"];
    assert_eq!(shown(&world, &inside), "1\t4000\n7\t4001\n");
    let outside = ["translate", "--to", &ns, "1", "4001"];
    assert_eq!(shown(&world, &outside), "1\t0\n4001\t7\n");
}

#[test]
fn why_a_namespace_does_not_go() {
    let world = Fixture::new();
    let sh = populate(&world);
    let ns = world.task(sh).expect("task").ns;
    // A process from outside in there, whom its parent does not reap.
    let stuck = world.inject(world.init, ns);
    world.set_name(stuck, b"stuck").expect("name");
    let name = ns.0.to_string();
    let active = shown(&world, &["why", &name]);
    assert!(
        active.contains("is active: its init 4000/1 (sh) lives"),
        "{active}"
    );
    assert!(active.contains("(stuck) is alive"), "{active}");
    world.exit_group(sh, 0).expect("exit");
    let dying = shown(&world, &["why", &name]);
    assert!(
        dying.contains("is dying: its init 4000/1 (sh) has exited, and waits for:\n"),
        "{dying}"
    );
    let line = "(stuck) is a zombie: its parent 1 (init) has not waited for it\n";
    assert!(dying.contains(line), "{dying}");
    world.reap(world.init);
    world.reap(world.init);
    let (status, _, err) = about(&world, &["why", &name]);
    assert_eq!(status, 3);
    assert!(err.contains("there is none"), "{err}");
}

#[test]
fn events_are_told_as_they_happen() {
    let world = Fixture::new();
    let target = format!("{}:{}", id(), world.as_fd().as_raw_fd());
    let mut watch = altpid(&[
        "watch", "--json", "--from", "0", "--count", "4", "--target", &target,
    ])
    .stdout(Stdio::piped())
    .spawn()
    .expect("the command runs");
    // What was before the first reader is told as lost.
    world.fork(world.init);
    let mut lines = BufReader::new(watch.stdout.take().expect("its output")).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    let first = next();
    let lost = first.contains("\"lost\"");
    if !lost {
        assert!(first.contains("\"type\":\"clone\""), "{first}");
    }
    let child = world.fork(world.init);
    world.end(child, 2);
    let mut types = Vec::new();
    for _ in 0..3 {
        let line = next();
        let (_, rest) = line.split_once("\"type\":\"").expect("a type");
        types.push(rest.split('"').next().expect("a word").to_owned());
    }
    assert_eq!(types, ["clone", "exit", "reap"]);
    assert!(watch.wait().expect("wait").success());
}

/// The world of a command of `altpid hold` is that of its verbs.
#[test]
fn a_world_is_held_for_a_command() {
    let snapshot = Scratch::new("hold", SNAPSHOT);
    let script = "altpid ls -n -r -o PID,COMMAND; altpid audit >/dev/null; exit 7";
    let (status, out, err) = run(&["hold", snapshot.path(), "--", "sh", "-c", script], "");
    assert_eq!((status, err.as_str()), (7, ""));
    assert_eq!(out, "1 init\n20 login\n30/1 sh\n31/2 sleep\n");
    let (status, _, err) = run(&["hold", "--", "/does/not/exist"], "");
    assert_eq!(status, 1);
    assert!(err.starts_with("altpid: /does/not/exist: "), "{err}");
}

/// Ends it also when an assertion fails.
struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Holds a world in another process; returns that, and the world's number.
fn hold(args: &[&str]) -> (Held, String) {
    let mut child = altpid(&["hold"])
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .expect("hold");
    let mut line = String::new();
    let out = child.stdout.take().expect("its output");
    BufReader::new(out).read_line(&mut line).expect("a line");
    let number = line.split_whitespace().nth(1).expect("a number").to_owned();
    assert_eq!(
        line,
        format!("world {number} is held by process {}\n", child.id())
    );
    (Held(child), number)
}

#[test]
fn a_held_world_is_found_by_number_and_by_process() {
    let snapshot = Scratch::new("found", SNAPSHOT);
    let (holder, number) = hold(&[snapshot.path()]);
    let pid = holder.0.id().to_string();
    let (_, worlds, _) = run(&["worlds", "-n", "-r", "-o", "WORLD,PID,TASKS,NS"], "");
    let line = format!("{number} {pid} 4 2");
    assert!(
        worlds.lines().any(|found| found == line),
        "{line} in {worlds}"
    );
    for place in [["--world", &number], ["--target", &pid]] {
        let (status, out, err) =
            finish(altpid(&["ls", "-n", "-r", "-o", "COMMAND"]).args(place), "");
        assert_eq!((status, err.as_str()), (0, ""));
        assert_eq!(out, "init\nlogin\nsh\nsleep\n");
    }
    let (_, again, _) = run(&["capture", "--world", &number], "");
    let again = Scratch::new("again", &again);
    let (status, out, _) = run(&["diff", snapshot.path(), again.path()], "");
    assert_eq!((status, out.as_str()), (0, ""));
    drop(holder);
    let (status, _, err) = run(&["ls", "--world", &number], "");
    assert_eq!(status, 1);
    assert!(err.contains("no process holds it"), "{err}");
}

/// A namespace has one name: its inode in the snapshot is what the restored world is asked about.
#[test]
fn a_namespace_has_one_name() {
    let text = SNAPSHOT.replace("\"inode\": 2", "\"inode\": 4026532201");
    let snapshot = Scratch::new("names", &text);
    let (_holder, number) = hold(&[snapshot.path()]);
    let of_world = ["--world", number.as_str()];
    let of_file = ["-s", snapshot.path()];
    for args in [
        &["tree"][..],
        &["ls", "-o", "PID,NS,CHILDNS"],
        &["ls", "ns", "-o", "NS,INODE,PARENT,STATE,NPIDS,PID"],
        &["why", "4026532201"],
        &["why", "1@4026532201"],
        &["translate", "30/1", "2@4026532201"],
        &["translate", "--to", "4026532201", "30"],
        &["ls", "--ns", "4026532201"],
    ] {
        let [world, file] = [of_world, of_file].map(|place| {
            let (status, out, err) = finish(altpid(args).args(place), "");
            assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
            out
        });
        assert_eq!(world, file, "{args:?}");
    }
    let show = ["show", "4026532201", "-J", "--world", &number];
    let (status, out, _) = run(&show, "");
    assert_eq!(status, 0);
    assert!(out.contains("\"inode\": 4026532201"), "{out}");
    // A capture of that world, and a restore, have the names again.
    let (_, again, _) = run(&["capture", "--world", &number], "");
    assert!(again.contains("\"inode\":4026532201"), "{again}");
    let (_, out, _) = run(&["restore", snapshot.path()], "");
    assert!(out.contains("[pid namespace 4026532201]"), "{out}");
}

/// What if this init were killed? The dying namespace says what keeps it.
#[test]
fn a_held_world_can_be_played_with() {
    let snapshot = Scratch::new("played", &SNAPSHOT.replace("\"inode\": 2", "\"inode\": 77"));
    let (_holder, number) = hold(&[snapshot.path()]);
    let in_world = |args: &[&str], input: &str| {
        let (status, out, err) = finish(altpid(args).args(["--world", &number]), input);
        assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
        out
    };
    let scenario = "login = find init 20
sh = find init 30
a = clone login
setns a sh
held = clone a
";
    assert!(in_world(&["run", "-"], scenario).ends_with("5 statements, all as expected\n"));
    let killed = in_world(&["kill", "-s", "KILL", "1@77"], "");
    assert_eq!(
        killed,
        "30/1 (sh): exiting\n  namespace 77 is dying; \"altpid why 77\" says what keeps it\n"
    );
    let why = in_world(&["why", "77"], "");
    assert!(why.contains("is a zombie: its parent"), "{why}");
    assert!(why.contains("(login) would be born there"), "{why}");
    let exited = in_world(&["exit", "--code", "3", "20"], "");
    assert_eq!(
        exited,
        "20 (login): zombie, exit 3; its parent has not waited for it\n"
    );
    let found = in_world(&["shell"], "x = find init 20\nexpect status x exited 3\n");
    assert!(found.contains("ok"), "{found}");
    for (args, status) in [
        (&["kill", "99"][..], 3),
        (&["kill", "-s", "SIGKIL", "1"], 2),
        (&["exit", "20"], 1),
    ] {
        let done = finish(altpid(args).args(["--world", &number]), "");
        assert_eq!(
            (done.0, done.1.as_str()),
            (status, ""),
            "{args:?}: {}",
            done.2
        );
    }
}

/// `run --hold` keeps the world that it has played in.
#[test]
fn a_scenario_leaves_its_world() {
    let scenario = Scratch::new("left", "box = clone NEWPID\nb = clone box\n");
    let mut child = altpid(&["run", "--hold", scenario.path()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("run");
    let out = child.stdout.take().expect("its output");
    let holder = Held(child);
    let mut lines = BufReader::new(out).lines().map(|line| line.expect("text"));
    let line = lines
        .find(|line| line.starts_with("world "))
        .expect("which world it is");
    let number = line.split(' ').nth(1).expect("a number").to_owned();
    let (status, out, _) = run(&["ls", "-n", "-r", "-o", "PID", "--world", &number], "");
    assert_eq!((status, out.as_str()), (0, "1\n2/1\n3/2\n"));
    drop(holder);
}

#[test]
fn a_tree_is_put_beside_others() {
    let world = Fixture::new();
    let snapshot = Scratch::new("beside", SNAPSHOT);
    let before = State::of(&world);
    let dry = about(&world, &["restore", "--dry-run", snapshot.path()]);
    assert_eq!((dry.0, dry.1.as_str()), (0, ""), "{}", dry.2);
    assert_eq!(State::of(&world), before, "a dry run has changed this");
    let other = world.born(world.init, &CloneArgs::new().set_tid(&[2000]));
    let restored = shown(&world, &["restore", "-q", snapshot.path()]);
    assert!(restored.ends_with(" 0 mismatches\n"), "{restored}");
    let tasks = world.tasks(None).expect("list");
    let mut numbers: Vec<_> = tasks.iter().map(|task| task.pid.clone()).collect();
    numbers.sort();
    assert_eq!(
        numbers,
        [vec![1], vec![20], vec![30, 1], vec![31, 2], vec![2000]]
    );
    assert!(tasks.iter().any(|task| task.id == other));
    // Once more there is no room for it: everything that is in the way is said, nothing is done.
    let before = State::of(&world);
    let (status, out, _) = about(&world, &["restore", "--dry-run", snapshot.path()]);
    assert_eq!(status, 3);
    let expected = [
        "task 20 (login): number 20 is in use by 20 (login)",
        "task 30/1 (sh): number 30 is in use by 30/1 (sh)",
        "task 31/2 (sleep): number 31 is in use by 31/2 (sleep)",
    ];
    assert_eq!(out.lines().collect::<Vec<_>>(), expected);
    let (status, out, err) = about(&world, &["restore", snapshot.path()]);
    assert_eq!((status, out.as_str()), (1, ""), "{err}");
    assert_eq!(State::of(&world), before);
}

#[test]
fn stress_finds_nothing_broken() {
    let args = [
        "stress",
        "--threads",
        "1",
        "--ops",
        "4000",
        "--seed",
        "7",
        "-J",
    ];
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (status, out, err) = run(&args, "");
        assert_eq!(status, 0, "{err}");
        let (_, operations) = out.split_once("\"operations\"").expect("a list");
        runs.push(operations.to_owned());
    }
    assert_eq!(runs[0], runs[1], "a seed says everything");
    let (status, _, err) = run(&["stress", "-t", "4", "--ops", "3000"], "");
    assert_eq!(status, 0, "{err}");
    assert!(err.contains("nothing is broken"), "{err}");
}

/// A closed pipe is no failure.
#[test]
fn a_reader_that_has_seen_enough() {
    let world = Fixture::new();
    for _ in 0..3000 {
        world.fork(world.init);
    }
    let target = format!("{}:{}", id(), world.as_fd().as_raw_fd());
    for verb in ["ls", "tree"] {
        let mut child = altpid(&[verb, "--target", &target])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let output = child.wait_with_output().expect("wait");
        assert_eq!(
            (output.status.code(), output.stderr.as_slice()),
            (Some(0), &b""[..]),
            "{verb}"
        );
    }
}

const SNAPSHOT: &str = r#"{
"version": 1, "kernel": "7.3.0", "pid_max": 32768, "last_pid": 400,
"namespaces": [{"parent": null, "level": 0, "inode": 1}, {"parent": 0, "level": 1, "inode": 2}],
"tasks": [
{"pid": [1], "tgid": [1], "pgid": [1], "sid": [1], "ppid": 0, "ns": 0, "state": "S", "comm": "init"},
{"pid": [20], "tgid": [20], "pgid": [20], "sid": [20], "ppid": 1, "ns": 0, "state": "S", "comm": "login"},
{"pid": [30, 1], "tgid": [30, 1], "pgid": [30, 1], "sid": [30, 1], "ppid": 20, "ns": 1, "state": "S", "comm": "sh"},
{"pid": [31, 2], "tgid": [31, 2], "pgid": [30, 1], "sid": [30, 1], "ppid": 30, "ns": 1, "state": "Z", "comm": "sleep"}
]}"#;
