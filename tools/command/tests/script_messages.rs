// SPDX-License-Identifier: GPL-2.0

//! What is said about lines of a scenario that are wrong.

mod scope;

use altpid_command::script::{Line, Script};
use scope::scope;

#[track_caller]
fn message(text: &str) -> String {
    match Line::parse(text, &mut scope()) {
        Ok(line) => panic!("{text} was understood as {line}"),
        Err(error) => error.to_string(),
    }
}

/// What is said about a line, and the mark below it.
#[test]
fn messages() {
    for (text, wanted) in [
        (
            "x = cloen NEWPID",
            "there is no verb cloen
    1 | x = cloen NEWPID
      |     ^^^^^ did you mean clone?",
        ),
        (
            "clone a NEWPDI",
            "there is no flag of clone NEWPDI
    1 | clone a NEWPDI
      |         ^^^^^^ did you mean NEWPID?",
        ),
        (
            "\tkill bb",
            "nothing is named bb
    1 | \tkill bb
      | \t     ^^ did you mean b?",
        ),
        (
            "expect clone a, born b: events",
            "born is nothing that happens
    1 | expect clone a, born b: events
      |                 ^^^^",
        ),
        (
            "expect reapp a: events",
            "reapp is nothing that happens
    1 | expect reapp a: events
      |        ^^^^^ did you mean reap?",
        ),
        (
            "expect exit: events",
            "whom it happens to is missing
    1 | expect exit: events
      |             ^",
        ),
        (
            "setns n a",
            "n is a namespace, not a task
    1 | setns n a
      |       ^",
        ),
        (
            "kill a",
            "PID is missing
    1 | kill a
      |       ^ usage: kill TASK|outside|kernel PID [SIG]",
        ),
        (
            "fork a",
            "there is no verb fork
    1 | fork a
      | ^^^^ did you mean clone?",
        ),
        (
            "expect EBADD: clone a",
            "there is no errno EBADD
    1 | expect EBADD: clone a
      |        ^^^^^ did you mean EBADF?",
        ),
        (
            "kill a b SIGKIL",
            "there is no signal SIGKIL
    1 | kill a b SIGKIL
      |          ^^^^^^ did you mean SIGKILL?",
        ),
        (
            "clone exit_signal=CHLD NEWPID",
            "NEWPID must stand before exit_signal=
    1 | clone exit_signal=CHLD NEWPID
      |                        ^^^^^^ usage: [NAME[, PIDFD] =] clone [TASK] [FLAGS] [set_tid=N,...] [exit_signal=SIG] [parent=TASK|outside]",
        ),
        (
            "expect EINVAL clone a",
            "there is nothing called EINVAL to expect
    1 | expect EINVAL clone a
      |        ^^^^^^ an outcome has a : behind it, as in expect EINVAL: exec b",
        ),
        (
            "expect state b zomby",
            "there is no state zomby
    1 | expect state b zomby
      |                ^^^^^ did you mean zombie?",
        ),
        (
            "expect EINVAL RANG: clone a",
            "there is no reason RANG
    1 | expect EINVAL RANG: clone a
      |               ^^^^ did you mean RANGE?",
        ),
        (
            "clone a set_tdi=3",
            "clone has no set_tdi=
    1 | clone a set_tdi=3
      |         ^^^^^^^ did you mean set_tid?",
        ),
    ] {
        assert_eq!(message(text), wanted);
    }
}

/// What is wrong, in a word of the message.
#[test]
fn refused_lines() {
    for (text, word) in [
        ("a", "no verb a"),
        ("x = exit a", "makes nothing"),
        ("x, y = unshare a NEWPID", "could be named y"),
        ("x, y = exit a", "could be named x"),
        ("close a", "a task, not a pidfd"),
        ("exit h", "a pidfd, not a task"),
        ("waitid a P_PIDFD b", "a task, not a pidfd"),
        ("pidfd_send_signal a b TERM THREAD", "only a pidfd"),
        ("pidfd_send_signal a b TERM code=SI_USER", "only a pidfd"),
        ("init = clone", "meaning of its own"),
        ("X = clone", "small letter"),
        ("expect EINVAL: x = clone a", "what fails"),
        ("expect 3: exit a", "returns 0"),
        ("expect sleeps: clone a", "a number"),
        ("expect 3: show a", "for looking at"),
        ("expect : clone", "outcome is missing"),
        ("expect", "is missing"),
        ("expect pid", "a task of expect pid"),
        ("expect pid b", "the value of expect pid"),
        ("expect pid b 3/x", "with / between"),
        ("expect pid b 3/1 in a", "only one number"),
        ("expect parent b a in n", "only one number"),
        ("expect pid b 1 2", "nothing more"),
        ("expect subreaper a maybe", "yes or no"),
        ("repeat 0: clone a", "from 1 to"),
        ("repeat x: clone a", "from 1 to"),
        ("repeat 3 clone a", "a : must follow"),
        ("repeat 3: expect pid a 1", "only a call"),
        ("clone a b", "takes no more"),
        ("clone a set_tid=3 set_tid=4", "given twice"),
        ("clone a set_tid=99999999999", "32 bits"),
        ("clone a exit_signal=SIGFOO", "no signal SIGFOO"),
        ("exec a \"open", "not closed"),
        ("exit a b", "CODE is a number"),
        ("exit a 1 2", "takes no more"),
        ("kill a b SIGFOO", "no signal SIGFOO"),
        ("kill outside 5", "by its name"),
        ("kill outside -b", "by its name"),
        ("prctl a SET_NAME", "needs a value"),
        ("prctl a GET_PDEATHSIG 3", "takes no value"),
        ("waitid a P_PID", "told which"),
        ("sigaction a SIGCHLD NOCLDWAIT", "flags and a mask go with"),
        (
            "sigaction a SIGCHLD mask=SIGHUP",
            "flags and a mask go with",
        ),
        (
            "expect DFL RESTRT: sigaction a SIGCHLD",
            "a flag of sigaction",
        ),
        ("prctl a GET_NAME sh", "a number is expected here"),
        ("setns a n.children", "not a task"),
        ("setns a b.parent", "no .parent"),
        ("translate a 5", "in NS is missing"),
        ("sigprocmask a BLOCK 65", "from 1 to 64"),
    ] {
        let message = message(text);
        assert!(message.contains(word), "{text}: {message}");
    }
}

/// All lines that are wrong are told of, and a name that one of them was to give is no other error.
#[test]
fn all_errors_of_a_script() {
    let errors = Script::parse("a = cloen\nb = clone a\n\nexit c\n").expect_err("two errors");
    let lines: Vec<_> = errors.iter().map(|error| error.line).collect();
    assert_eq!(lines, [1, 4]);
}
