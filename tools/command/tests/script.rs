// SPDX-License-Identifier: GPL-2.0

//! The language of scenarios, as far as it can be tested without a device: what is understood, what
//! is said about what is not, and that the documentation has what the tables have.

mod scope;

use altpid_command::script::{Line, PROPERTIES, Script, Verb, complete, help, verbs};
use scope::scope;
use std::{fs, path::Path};

#[track_caller]
fn line(text: &str) -> Line {
    match Line::parse(text, &mut scope()) {
        Ok(line) => line,
        Err(error) => panic!("{error}"),
    }
}

/// Each is written as it was read.
#[test]
fn canonical_lines() {
    for text in [
        "",
        "# a comment: x = 3, \"quotes",
        "clone",
        "clone NEWPID",
        "a = clone",
        "a = clone a NEWPID|AUTOREAP set_tid=1,40 exit_signal=SIGUSR1 parent=b",
        "a = clone 0x4000000000 exit_signal=-1 parent=outside",
        "repeat 300: a = clone a",
        "repeat 3: expect EAGAIN NS_FULL: clone a  # full",
        "expect 3/1: a = clone b NEWPID",
        "n = unshare a NEWPID",
        "events",
        "expect none: events",
        "expect clone a by outside, reparent b to a, exit b exited 3, reap b: events",
        "expect ns-born a, stop b SIGSTOP, continue b, ns-dying a, ns-dead, lost 7: events",
        "unshare a 0",
        "setns a n",
        "setns a b.children",
        "exec a",
        "exec a sh",
        "exec a \"two words # \\\" \\\\ =\"",
        "exit a 3",
        "exit a -1",
        "exit_group init",
        "wait4",
        "wait4 WNOHANG|__WALL",
        "wait4 a -1",
        "wait4 a -b WUNTRACED|WCONTINUED",
        "expect b exited 3 pid=5: wait4 a b",
        "expect b killed SIGKILL: wait4 a",
        "expect b stopped SIGSTOP: wait4 a",
        "expect b continued: wait4 a",
        "expect b pid=2: wait4 a",
        "expect 0: wait4 a WNOHANG",
        "expect sleeps: wait4 a",
        "waitid a P_ALL",
        "waitid a P_ALL 0",
        "waitid a P_PID b WEXITED|WNOWAIT",
        "waitid a P_PGID 0 WSTOPPED",
        "kill a b",
        "kill a -1 SIGKILL",
        "kill a -b 0",
        "kill a 7 65",
        "kill outside b SIGKILL",
        "kill kernel b SIGALRM",
        "tgkill a b c SIGUSR1",
        "tkill a -3 SIGUSR1",
        "sigqueue a b 40 code=SI_USER value=-7",
        "expect EPERM SIGNAL_CODE: sigqueue a b SIGUSR1 code=SI_KERNEL",
        "tgsigqueue a b c 40 code=SI_TKILL value=7",
        "pidfd_send_signal a b",
        "pidfd_send_signal a h SIGUSR1 THREAD code=SI_USER value=3 signo=SIGTERM",
        "b, h = clone a PIDFD|PIDFD_AUTOKILL",
        "h = pidfd_open a b THREAD|NONBLOCK",
        "pidfd_send_signal a h SIGTERM PROCESS_GROUP",
        "expect IN|HUP: poll h",
        "expect 0: poll h",
        "close h",
        "setns a h",
        "waitid a P_PIDFD h WNOHANG|WEXITED",
        "expect status h killed SIGKILL",
        "expect why n pidfd h",
        "expect pidfds 2",
        "fault a",
        "sigaction a SIGTERM",
        "expect DFL: sigaction a SIGCHLD IGN NOCLDSTOP|NOCLDWAIT",
        "expect HANDLER NOCLDWAIT: sigaction a SIGCHLD",
        "sigaction a SIGUSR1 HANDLER RESTART|NODEFER|RESETHAND mask=SIGHUP,SIGTERM",
        "expect DFL RESETHAND mask=NONE: sigaction a SIGUSR1",
        "expect SIGUSR1,SIGTERM: sigpending a",
        "expect NONE: sigprocmask a BLOCK SIGUSR1,SIGTERM,40",
        "sigprocmask a SETMASK ALL",
        "expect SIGUSR1 code=SI_USER pid=0: sigwait a ALL",
        "expect SIGCHLD code=CLD_EXITED pid=2 status=3: sigwait a SIGCHLD",
        "expect 40 code=SI_QUEUE value=-7: sigwait a 40",
        "expect EAGAIN: sigwait a ALL",
        "expect 2: setsid a",
        "setpgid a",
        "setpgid a b -c",
        "setpgid a 0 0",
        "expect 2: getpid a",
        "expect 2: gettid a",
        "expect 0: getppid a",
        "getpgid a",
        "expect ESRCH NO_NUMBER: getpgid a -5",
        "getsid a b",
        "prctl a SET_PDEATHSIG SIGTERM",
        "expect 15: prctl a GET_PDEATHSIG",
        "prctl a SET_CHILD_SUBREAPER 1",
        "prctl a SET_NAME sh",
        "expect \"a name\": prctl a GET_NAME",
        "expect listed n no",
        "prctl a 99 7",
        "reboot a POWER_OFF",
        "reboot a 7",
        "sysctl n kernel.pid_max",
        "sysctl a kernel.pid_max=301",
        "expect EINVAL RANGE: sysctl a.children kernel.ns_last_pid=-1",
        "find n 5",
        "expect b: c = find a 5 TGID GE",
        "translate a 5 b -1 in n",
        "expect 3 0 ESRCH: translate a 5 b 99 in init",
        "audit",
        "show a",
        "show a.children",
        "tasks n",
        "namespaces",
        "signals a",
        "why n",
        "expect pid b 1 in a.children",
        "expect pid b 3/1",
        "expect ppid b 0 in n",
        "expect parent b none",
        "expect state b zombie",
        "expect state n awaiting",
        "expect status b killed SIGTERM",
        "expect ns b a.children",
        "expect children b none",
        "expect comm b \"two words\"",
        "expect exit_signal b -1",
        "expect subreaper b yes",
        "expect blocked b SIGUSR1,SIGTERM",
        "expect pending b NONE",
        "expect init n none",
        "expect above n init",
        "expect why n zombie b",
        "expect why n namespace m",
        "expect why n none",
        "expect tasks 3",
    ] {
        assert_eq!(line(text).to_string(), text);
    }
}

/// What else is understood, and what it is.
#[test]
fn other_ways_to_say_it() {
    for (text, canonical) in [
        ("  a=clone   NEWPID ", "a = clone NEWPID"),
        ("a = clone CLONE_NEWPID", "a = clone NEWPID"),
        ("clone a NEWPID PARENT", "clone a PARENT|NEWPID"),
        ("clone a 0x20000000", "clone a NEWPID"),
        ("clone a NEWPID | VM", "clone a VM|NEWPID"),
        ("clone set_tid = 1, 40", "clone set_tid=1,40"),
        (
            "clone exit_signal=USR1 set_tid=5",
            "clone set_tid=5 exit_signal=SIGUSR1",
        ),
        ("wait a", "wait4 a"),
        ("waitpid a b WNOHANG", "wait4 a b WNOHANG"),
        ("execve a sh", "exec a sh"),
        ("kill a b 9", "kill a b SIGKILL"),
        ("kill a b KILL", "kill a b SIGKILL"),
        (
            "sigaction a CHLD SIG_IGN SA_NOCLDWAIT",
            "sigaction a SIGCHLD IGN NOCLDWAIT",
        ),
        (
            "prctl a PR_SET_PDEATHSIG 15",
            "prctl a SET_PDEATHSIG SIGTERM",
        ),
        ("reboot a LINUX_REBOOT_CMD_RESTART", "reboot a RESTART"),
        ("sysctl a pid_max = 400", "sysctl a kernel.pid_max=400"),
        ("waitid a ALL WEXITED", "waitid a P_ALL WEXITED"),
        (
            "expect SIGTERM: prctl a GET_PDEATHSIG",
            "expect 15: prctl a GET_PDEATHSIG",
        ),
        (
            "expect EINVAL ALTPID_REASON_RANGE: sysctl a pid_max=1",
            "expect EINVAL RANGE: sysctl a kernel.pid_max=1",
        ),
    ] {
        assert_eq!(line(text).to_string(), canonical);
    }
}

/// Names are those of the lines before.
#[test]
fn names_have_to_be_given_first() {
    assert!(Script::parse("a = clone\nn = unshare a NEWPID\nsetns a n").is_ok());
    assert!(Script::parse("exit a\na = clone").is_err());
    assert!(Script::parse("a = clone\na = unshare a NEWPID\nexit a").is_err());
}

#[test]
fn every_verb_has_help_and_an_example() {
    for verb in verbs() {
        let text = help(Some(verb.name)).expect("help");
        assert!(text.contains(verb.rule) && text.contains(&verb.usage()));
        let script = Script::parse(verb.example).expect(verb.name);
        let uses = |line: &Line| {
            let text = line.to_string();
            let mut words = text.split([' ', ':']);
            words.any(|word| word == verb.name)
        };
        assert!(script.lines.iter().any(uses), "{}", verb.name);
        for alias in verb.aliases {
            assert_eq!(help(Some(alias)).as_ref(), Ok(&text));
        }
        assert!(help(None).expect("help").contains(verb.brief));
    }
    for property in PROPERTIES {
        line(property.example);
        // A word may be both a property and a verb.
        assert!(help(Some(property.name)).is_ok());
        assert!(
            help(Some("expect"))
                .expect("help")
                .contains(property.example)
        );
    }
    assert!(help(Some("klil")).expect_err("no help").contains("kill?"));
}

/// What the tables say about a verb, in Markdown.
fn section(verb: &Verb) -> String {
    let aliases = match verb.aliases {
        [] => String::new(),
        aliases => format!(" (also `{}`)", aliases.join("`, `")),
    };
    let c = match verb.c {
        "" => String::new(),
        c => format!("In the kernel: {c}.\n\n"),
    };
    let example: String = verb
        .example
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    format!(
        "### {}\n\n`{}`{aliases}\n\n{}\n\n{c}{example}\n",
        verb.name,
        verb.usage(),
        verb.rule
    )
}

/// The description has the verbs and the properties as the tables have them. With `BLESS` in the
/// environment it gets them.
#[test]
fn the_description_agrees() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenarios.md");
    let mut text = fs::read_to_string(&path).expect("docs/scenarios.md");
    let verbs: String = verbs().map(section).collect();
    let rows = PROPERTIES
        .iter()
        .map(|property| format!("| `{}` | {} |\n", property.example, property.meaning));
    let properties = format!("| | |\n|---|---|\n{}", rows.collect::<String>());
    for (name, wanted) in [("verbs", verbs), ("properties", properties)] {
        let from = format!("<!-- {name}: from the table in tools/command/src/script -->\n\n");
        let to = format!("<!-- end of {name} -->");
        let (before, rest) = text.split_once(&from).expect("a mark");
        let (found, after) = rest.split_once(&to).expect("a mark");
        let wanted = format!("{}\n\n", wanted.trim_end());
        if std::env::var_os("BLESS").is_some() {
            text = format!("{before}{from}{wanted}{to}{after}");
            fs::write(&path, &text).expect("docs/scenarios.md");
        } else {
            assert_eq!(found, wanted, "run this test with BLESS=1");
        }
    }
    // What it shows is understood.
    for block in text.split("\n\n").filter(|block| block.starts_with("    ")) {
        if block.contains("altpid: ")
            || block.contains("line      =")
            || block.contains("outcome =")
            || block.contains(" = 2\n")
        {
            continue;
        }
        let block: String = block
            .lines()
            .map(|line| format!("{}\n", line.trim()))
            .collect();
        let mut scope = scope();
        for line in block.lines().filter(|line| !line.starts_with("fact ")) {
            if let Err(error) = Line::parse(line, &mut scope) {
                panic!("{error}");
            }
        }
    }
}

#[test]
fn completion() {
    let of = |line: &str| complete(line, &scope()).1;
    assert_eq!(of("clon"), ["clone"]);
    assert_eq!(of("b, h = clon"), ["clone"]);
    assert_eq!(of("expect EINVAL: a = clon"), ["clone"]);
    assert_eq!(of("clone a NEWP"), ["NEWPID"]);
    assert_eq!(of("clone a CLONE_NEWP"), ["CLONE_NEWPID"]);
    assert_eq!(of("clone NEWPID|THR"), ["THREAD"]);
    assert_eq!(of("clone a set"), ["set_tid="]);
    assert_eq!(of("kill a b SIGK"), ["SIGKILL"]);
    assert_eq!(of("kill outs"), ["outside"]);
    assert_eq!(of("setns a b.c"), ["b.children"]);
    assert_eq!(of("expect sta"), ["state", "status"]);
    assert_eq!(of("expect state b zo"), ["zombie"]);
    assert_eq!(of("expect EINV"), ["EINVAL"]);
    assert_eq!(of("help uns"), ["unshare"]);
    assert_eq!(of("exit "), ["a", "b", "c", "init"]);
    assert_eq!(complete("kill a b SIGK", &scope()).0, 9);
}
