// SPDX-License-Identifier: GPL-2.0

//! `altpid run` and `altpid shell` over the device: what they write, and with which status they
//! end.

use altpid::{
    World,
    script::{Player, Script, verbs},
};
use altpid_device_tests::{
    Fixture,
    command_line::{Done, run as altpid},
};

/// `altpid run -` with a scenario.
fn run(text: &str) -> Done {
    altpid(&["run", "-"], text)
}

#[test]
fn each_statement_is_a_line() {
    let (status, out, err) = run("\
# A container.
a = clone
unshare a NEWPID
b = clone a

expect pid b 1 in a.children
expect EINVAL: clone a NEWPID
exit b 3
wait a
show a
");
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "\
a = clone                                    = 2
unshare a NEWPID                             = 0
b = clone a                                  = 3 (3/1)
expect pid b 1 in a.children                 ok
expect EINVAL: clone a NEWPID                = EINVAL CHILDREN_ELSEWHERE (unshared; setns back first)
exit b 3                                     = 0
wait4 a                                      = b exited 3 pid=3
show a
    2, running, child of init
    comm init, tgid 2, pgid 0, sid 0, 1 threads, exit signal SIGCHLD
    lives in that of init, its children are born in namespace 2
standard input: 8 statements, all as expected
"
    );
}

#[test]
fn quiet_and_verbose() {
    let text = "# A task.\na = clone\n";
    assert_eq!(
        altpid(&["run", "--quiet", "-"], text),
        (0, String::new(), String::new())
    );
    let (_, out, _) = altpid(&["run", "--verbose", "-"], text);
    assert!(out.starts_with("# A task.\na = clone"), "{out}");
}

#[test]
fn an_expectation_that_does_not_hold() {
    let (status, out, err) = run("a = clone NEWPID\nb = clone a\nexpect pid b 3 in a\nexit b\n");
    assert_eq!(status, 3);
    assert_eq!(
        err,
        "\
altpid: standard input:3: expectation not met
    3 | expect pid b 3 in a
    expected: 3
    got:      2
    why:      b is 3/2, running, child of a
              a is 2/1, init, running, child of init
"
    );
    // It ends there.
    assert!(!out.contains("exit"), "{out}");
}

#[test]
fn an_outcome_that_is_another() {
    let (status, _, err) = run("a = clone\nexpect EINVAL: clone a NEWPID\n");
    assert_eq!(status, 3);
    assert!(
        err.contains("expected: EINVAL\n    got:      3 (3/1)\n"),
        "{err}"
    );
    // The errno is right, the reason is not.
    let (status, _, err) = run("a = clone\nexpect EINVAL RANGE: clone a THREAD\n");
    assert_eq!(status, 3);
    let lines = "expected: EINVAL RANGE\n    got:      EINVAL FLAGS (flags unknown or exclusive)\n";
    assert!(err.contains(lines), "{err}");
}

#[test]
fn a_call_that_fails() {
    let (status, _, err) = run("a = clone\nunshare a NEWPID\nclone a NEWPID\n");
    assert_eq!(status, 1);
    assert_eq!(
        err,
        "\
altpid: standard input:3: call failed
    3 | clone a NEWPID
    got:      EINVAL CHILDREN_ELSEWHERE (unshared; setns back first)
    why:      a is 2, running, child of init, its children are born in namespace 2
"
    );
}

#[test]
fn a_wait_that_would_sleep() {
    let (status, _, err) = run("a = clone\nwait\n");
    assert_eq!(status, 1);
    let lines = "got:      sleeps\n    why:      it would sleep for ever";
    assert!(err.contains(lines), "{err}");
}

#[test]
fn a_number_that_the_caller_has_not() {
    let (status, _, err) = run("a = clone NEWPID\nb = clone\nkill a b\n");
    assert_eq!(status, 1);
    assert!(
        err.contains("b has no number in the caller's namespace"),
        "{err}"
    );
}

#[test]
fn the_turn_of_a_repetition() {
    let (status, _, err) = run("a = clone\nrepeat 3: exit a\n");
    assert_eq!(status, 1);
    assert!(err.contains("why:      it was the 2. time\n"), "{err}");
}

#[test]
fn going_on() {
    let text = "expect tasks 7\na = clone\nexpect tasks 2\nexpect tasks 8\n";
    let (status, out, err) = altpid(&["run", "-k", "-"], text);
    assert_eq!(status, 3);
    assert!(err.contains("standard input:1") && err.contains("standard input:4"));
    assert!(out.contains("expect tasks 2"));
}

#[test]
fn nothing_is_run_before_all_is_understood() {
    let lines = "a = clone\nexpect tasks 7\n";
    let (status, out, err) = run(lines);
    assert_eq!(status, 3);
    assert!(out.starts_with("a = clone ") && err.starts_with("altpid: standard input:2: "));
    let (status, out, err) = run(&format!("{lines}exit b\n"));
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.starts_with("altpid: standard input:3: nothing is named b\n"));
}

#[test]
fn each_file_has_a_world_of_its_own() {
    let dir = std::env::temp_dir().join(format!("altpid-script-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    let file = dir.join("one.altpid");
    std::fs::write(&file, "a = clone\nexpect tasks 2\n").expect("a file");
    let name = file.to_str().expect("a name");
    let (status, out, _) = altpid(&["run", name, name], "");
    std::fs::remove_dir_all(&dir).expect("the directory");
    assert_eq!(status, 0);
    assert_eq!(out.matches("all as expected").count(), 2, "{out}");
}

/// Every example of the help does what it says.
#[test]
fn the_examples_run() {
    for verb in verbs() {
        let script = Script::parse(verb.example).expect(verb.name);
        let mut player = Player::new(World::open().expect("/dev/altpid")).expect("a world");
        for statement in script
            .lines
            .iter()
            .filter_map(|line| line.statement.as_ref())
        {
            if let Err(failure) = player.play(statement) {
                panic!("{}: {statement}\n{failure}", verb.name);
            }
        }
        player.audit().expect("nothing is broken");
    }
}

#[test]
fn a_shell_without_a_terminal() {
    let lines = "a = clone\n\n# a comment\nclone a\nshow t1\nexit t1 3\nwait a\nhelp wait\nquit\nsetsid a\n";
    let (status, out, err) = altpid(&["shell"], lines);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.contains("= t1 exited 3 pid=3\n"), "{out}");
    assert!(out.contains("ECHILD when no child"), "{out}");
    assert!(!out.contains("setsid"), "{out}");
}

#[test]
fn the_shell_goes_on_after_an_error() {
    for (line, status) in [
        ("exti a", 2),
        ("exit b", 2),
        ("wait a", 1),
        ("expect tasks 9", 3),
    ] {
        let (found, out, err) = altpid(&["shell"], &format!("a = clone\n{line}\nexit a\n"));
        assert_eq!(found, status, "{err}");
        assert!(out.contains("exit a"), "{out}");
        assert!(err.starts_with("altpid: "), "{err}");
    }
    // What fails names nothing.
    let (status, _, err) = altpid(&["shell"], "x = clone NEWPID|THREAD\nexit x\n");
    assert_eq!(status, 1);
    assert!(err.contains("nothing is named x"), "{err}");
}

#[test]
fn a_session_is_saved_and_run() {
    let file = std::env::temp_dir().join(format!("altpid-session-{}", std::process::id()));
    let name = file.to_str().expect("a name");
    let lines = format!("a = clone\nexit b\nexit a 3\nexpect a exited 3: wait\nsave {name}\n");
    let (_, _, err) = altpid(&["shell"], &lines);
    assert!(err.ends_with(&format!("3 lines in {name}\n")), "{err}");
    let (status, _, err) = altpid(&["run", name], "");
    std::fs::remove_file(&file).expect("the file");
    assert_eq!((status, err.as_str()), (0, ""));
}

#[test]
fn a_reset_is_a_new_world() {
    let (status, out, _) = altpid(&["shell"], "a = clone\nreset\nexpect tasks 1\n");
    assert_eq!(status, 0);
    assert!(out.contains("expect tasks 1"), "{out}");
}

/// No world is left behind.
#[test]
fn worlds_go_with_the_command() {
    let watch = Fixture::new();
    for _ in 0..20 {
        assert_eq!(run("repeat 50: clone NEWPID\n").0, 0);
    }
    assert!(watch.info().expect("world").worlds < 20);
}
