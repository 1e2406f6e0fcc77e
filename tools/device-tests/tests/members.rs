// SPDX-License-Identifier: GPL-2.0

//! Real programs in a world: each rule that a process can show, by processes.
//!
//! The program is `c/members`, and busybox's shell. A process outside of all worlds is there meanwhile,
//! which would die of any signal that goes astray.

use altpid::{Attach, Kill};
use altpid_device_tests::{
    Fixture, command_line, exited,
    members::{Bystander, exec, has_members, numbered, program, run},
    patience::eventually,
    raw,
    scratch::Scratch,
};
use rustix::{
    fd::{AsFd, AsRawFd},
    io::Errno,
};
use std::{
    fs,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, Stdio},
};

/// What becomes of `sh -c SCRIPT` in a world: its status and what it has written.
fn shell(script: &str) -> (i32, String) {
    let world = Fixture::new();
    let (status, out, err) =
        command_line::finish(&mut exec(&world, &["--", "sh", "-c", script]), "");
    assert_eq!(err, "", "{out}");
    assert_eq!(world.info().expect("info").tasks, 1);
    (status, out)
}

macro_rules! cases {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            if !has_members() {
                return;
            }
            let _bystander = Bystander::new();
            let world = Fixture::new();
            let program = program();
            let mut command = exec(&world, &["--", program, stringify!($name)]);
            let (status, out, err) = command_line::finish(&mut command, "");
            assert_eq!((status, out.as_str(), err.as_str()), (0, "", ""));
            assert_eq!(world.info().expect("info").tasks, 1);
        })*
    };
}

cases! {
    ids
    waits
    signals
    families
    namespaces
    programs
    refused
    terminals
    usage
    border
    peers
    handles
    inits
    escapes
    parents
    tracing
}

#[test]
fn a_kernel_with_preempt_rt_refuses() {
    if has_members() {
        return;
    }
    let world = Fixture::new();
    let (status, _, err) = command_line::finish(&mut exec(&world, &["--", "true"]), "");
    assert_eq!(status, 125, "{err}");
    assert!(err.contains("this kernel cannot have members"), "{err}");
}

#[test]
fn a_shell_is_pid_1() {
    if !has_members() {
        return;
    }
    assert_eq!(shell("echo $$ $PPID; exit 7"), (7, "1 0\n".into()));
    assert_eq!(
        shell("seq 1 1000 | grep 9 | sort -r | wc -l"),
        (0, "271\n".into())
    );
    let script = "(exit 3); echo $?; sleep 0.1 & echo $!; wait $!; echo $?";
    assert_eq!(shell(script), (0, "3\n3\n0\n".into()));
    let script = "trap 'echo usr1' USR1; kill -USR1 $$; (kill -USR1 1); kill -TERM 1; echo end";
    assert_eq!(shell(script), (0, "usr1\nusr1\nend\n".into()));
    let script = "exec 2>/dev/null; sleep 1000 & kill -9 $!; wait $!; echo $?";
    assert_eq!(shell(script).1, "137\n");
    let script =
        "i=0; while [ $i -lt 100 ]; do (exit $i); [ $? = $i ] || echo $i; i=$((i + 1)); done";
    assert_eq!(shell(script), (0, String::new()));
}

/// The rules of these cases are the kernel's own.
#[test]
fn some_are_the_same_natively() {
    const CASES: [&str; 9] = [
        "terminals",
        "usage",
        "border",
        "peers",
        "handles",
        "inits",
        "escapes",
        "parents",
        "tracing",
    ];
    for case in CASES {
        let mut native = Command::new("unshare");
        native.args(["--fork", "--pid", program(), case]);
        let native = command_line::finish(&mut native, "");
        assert_eq!(native, (0, String::new(), String::new()), "{case}");
    }
}

/// What `qemu/session` says of itself natively it says in a world.
#[test]
fn a_session_is_the_same_natively() {
    if !has_members() {
        return;
    }
    let mut native = Command::new("unshare");
    let native = command_line::finish(native.args(["--fork", "--pid", "session"]), "");
    assert!(native.1.contains("orphan: 13 1 0 0"), "{native:?}");
    let world = Fixture::new();
    let listing = Scratch::new("listing", "");
    let mut session = exec(&world, &["--", "session", listing.path()]);
    assert_eq!(command_line::finish(&mut session, ""), native);
    let listing = fs::read_to_string(listing.path()).expect("what is listed");
    assert!(
        listing.lines().any(|line| line.starts_with("13 ")),
        "{listing}"
    );
}

#[test]
fn the_status_is_passed_on() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    let status = |args: &[&str]| {
        exec(&world, args)
            .stderr(Stdio::null())
            .status()
            .expect("it runs")
    };
    assert_eq!(status(&["--", "true"]).code(), Some(0));
    assert_eq!(status(&["--", "/nowhere"]).code(), Some(127));
    assert_eq!(status(&["--", "/"]).code(), Some(126));
    assert_eq!(status(&["--pid", "0", "--", "true"]).code(), Some(125));
    // Not the init of a namespace: it dies of it.
    let root = format!("ns:{}", world.info().expect("info").root_ns.0);
    let killed = status(&["--in", &root, "--", "sh", "-c", "kill -TERM $$"]);
    assert_eq!(killed.signal(), Some(15));
}

#[test]
fn it_is_listed_with_its_native_number() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    let mut child = exec(
        &world,
        &["--pid", "1,300", "--", "sh", "-c", "echo go; read line"],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .spawn()
    .expect("it runs");
    let native = i32::try_from(child.id()).expect("a pid");
    eventually("it joins", || world.info().expect("info").tasks == 2);
    let member = numbered(&world, 300);
    eventually("it is the shell", || {
        world.task(member).expect("task").comm == b"sh"
    });
    let task = world.task(member).expect("task");
    assert_eq!(
        (task.pid, task.native),
        (vec![300, 1], Some((native, native)))
    );
    // It acts for itself.
    assert_eq!(
        world.exit(member, 0).expect_err("a member").errno,
        Errno::BUSY
    );
    // By altpid from outside it is killed, init or not.
    world.kill(Kill::Outside(member), 9).expect("kill");
    assert_eq!(child.wait().expect("its end").signal(), Some(9));
    assert_eq!(world.info().expect("info").tasks, 1);
}

#[test]
fn a_virtual_parent_waits_for_it() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    let parent = world.fork(world.init);
    let parent_nr = world.task(parent).expect("task").pid[0].to_string();
    let root = format!("ns:{}", world.info().expect("info").root_ns.0);
    let args = ["--in", &root, "--parent", &parent_nr, "--", "sh", "-c"];
    let mut command = exec(&world, &args);
    let (status, out, _) = command_line::finish(command.arg("echo $PPID; exit 9"), "");
    assert_eq!((status, out), (9, format!("{parent_nr}\n")));
    assert_eq!(world.reap(parent).status, exited(9));
}

#[test]
fn who_cannot_join() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    // This process has threads.
    let refused = world.attach(&Attach::new()).expect_err("threads");
    assert_eq!(
        (refused.errno, refused.reason.name()),
        (Errno::INVAL, Some("HAS_THREADS"))
    );
    let refused = |args: &[&str], why: &str| {
        let (status, out, err) = command_line::finish(&mut exec(&world, args), "");
        assert_eq!((status, out.as_str()), (125, ""), "{err}");
        assert!(err.contains(why), "{err}");
    };
    refused(&["--pid", "1,1", "--", "true"], "in use");
    refused(&["--pid", "2", "--", "true"], "pid 1");
    refused(
        &["--pid", "1,2,3", "--", "true"],
        "more numbers than levels",
    );
    // Twice.
    let mut command = exec(&world, &["--", "altpid", "exec", "--", "true"]);
    let (status, _, err) = command_line::finish(&mut command, "");
    assert_eq!(status, 125, "{err}");
    assert!(err.contains("the caller is a member"), "{err}");
    assert_eq!(world.info().expect("info").tasks, 1);
}

/// The commands of a member over the device are those of anybody: it acts for virtual tasks, in its own world and
/// in others, and is a member already.
#[test]
fn it_uses_the_device() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    let root = format!("ns:{}", world.info().expect("info").root_ns.0);
    let script = "exec 2>/dev/null; sleep 100000 & altpid kill -s KILL $! >/dev/null; wait $!; echo $?; \
        altpid exec -- true; echo $?; altpid audit >/dev/null; echo $?; \
        env -u ALTPID_FD altpid stress --ops 1000 --tasks 50 >/dev/null; echo $?";
    let mut command = exec(&world, &["--in", &root, "--", "sh", "-c", script]);
    let (status, out, err) = command_line::finish(&mut command, "");
    assert_eq!((status, out.as_str()), (0, "137\n125\n0\n0\n"), "{err}");
    assert_eq!(world.info().expect("info").tasks, 1);
}

/// nobody, and its group.
const NOBODY: u32 = 65534;

/// Who has a world's descriptor from somebody else does not get at members, and is got at by nobody.
#[test]
fn a_world_is_its_users() {
    if !has_members() {
        return;
    }
    let world = Fixture::new();
    let refused = |command: &mut Command, why: &str| {
        let (status, out, err) = command_line::finish(command.uid(NOBODY).gid(NOBODY), "");
        assert_ne!((status, out.as_str()), (0, ""), "{err}");
        assert!(format!("{out}{err}").contains(why), "{out}{err}");
    };
    let privileges = "neither CAP_SYS_ADMIN nor no_new_privs";
    refused(&mut exec(&world, &["--", "true"]), privileges);
    let mut joins = exec(&world, &["--", "true"]);
    raw::no_new_privs(&mut joins);
    refused(&mut joins, "a world with members is its user's");
    let mut child = exec(&world, &["--", "sh", "-c", "echo go; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    eventually("it joins", || world.info().expect("info").tasks == 2);
    let fd = world.as_fd().as_raw_fd().to_string();
    let mut kill = command_line::altpid(&["kill", "--fd", fd.as_str(), "-s", "KILL", "2"]);
    raw::hand_down(&mut kill, &*world);
    refused(&mut kill, "a world with members is its user's");
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("its end").code(), Some(1));
    assert_eq!(world.info().expect("info").tasks, 1);
}

#[test]
fn an_init_takes_a_thousand_along() {
    if !has_members() {
        return;
    }
    let _bystander = Bystander::new();
    let world = Fixture::new();
    let status = run(&world, &["crowd", "1000"], |_| {});
    assert_eq!(status.code(), Some(0));
    // Whoever waits for init is told when all are gone.
    assert_eq!(world.info().expect("info").tasks, 1);
}

#[test]
fn forks_race_the_end_of_init() {
    if !has_members() {
        return;
    }
    let _bystander = Bystander::new();
    for round in 0..20 {
        let world = Fixture::new();
        let status = run(&world, &["races", &(1 + round * 3000).to_string()], |_| {});
        assert_eq!(status.code(), Some(7));
        assert_eq!(world.info().expect("info").tasks, 1);
    }
}
