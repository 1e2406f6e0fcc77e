// SPDX-License-Identifier: GPL-2.0

//! Random lines of the language of scenarios: nothing makes the parser fall over, and what it
//! understands is written as it is read.

mod scope;

use altpid_command::script::{Line, PROPERTIES, ParamKind, Verb, complete, verbs};
use proptest::prelude::*;
use scope::scope;

/// Words that mean something, and some that do not.
fn word() -> impl Strategy<Value = String> {
    let verbs: Vec<_> = Verb::names().map(str::to_owned).collect();
    let properties: Vec<_> = PROPERTIES.iter().map(|one| one.name.to_owned()).collect();
    let words = [
        "a",
        "b",
        "n",
        "init",
        "a.children",
        "-a",
        "none",
        "outside",
        "kernel",
        "in",
        "expect",
        "repeat",
        "sleeps",
        "exited",
        "killed",
        "stopped",
        "clone",
        "ns-dead",
        "by",
        "yes",
        "zombie",
        "NEWPID",
        "THREAD",
        "SIGKILL",
        "TERM",
        "ALL",
        "NONE",
        "EINVAL",
        "ESRCH",
        "RANGE",
        "WNOHANG",
        "P_PID",
        "BLOCK",
        "IGN",
        "SET_NAME",
        "GE",
        "kernel.pid_max",
        "set_tid",
        "pid",
        "code",
        "0",
        "1",
        "-1",
        "0x7",
        "3/1",
        "=",
        ":",
        ",",
        "|",
        "#",
        "\"",
        "\"x y\"",
        "99999999999999999999",
        "ü",
    ];
    prop_oneof![
        2 => proptest::sample::select(verbs),
        1 => proptest::sample::select(properties),
        6 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
    ]
}

/// A line that is understood is written so that it is understood as the same.
fn same_again(text: &str) -> Result<(), TestCaseError> {
    if let Ok(first) = Line::parse(text, &mut scope()) {
        let written = first.to_string();
        let second = Line::parse(&written, &mut scope());
        prop_assert_eq!(second.as_ref().map(ToString::to_string), Ok(written));
        prop_assert_eq!(Ok(first), second);
    }
    Ok(())
}

/// Something that an argument of a kind can be.
fn argument(kind: ParamKind) -> &'static [&'static str] {
    match kind {
        ParamKind::Task => &["a", "b", "init"],
        ParamKind::Sender => &["a", "outside", "kernel"],
        ParamKind::Parent => &["b", "outside"],
        ParamKind::Pidfd => &["h"],
        ParamKind::TaskOrPidfd => &["b", "h"],
        ParamKind::NsOrPidfd => &["n", "h", "a.children"],
        ParamKind::Ns => &["a", "n", "b.children"],
        ParamKind::Pid | ParamKind::WaitWho => &["b", "-c", "0", "-1", "2147483647"],
        ParamKind::Pids => &["1", "1 -b 3", "a b"],
        ParamKind::Constant(_) => &[
            "NEWPID | VM",
            "0x40",
            "WEXITED",
            "P_PID",
            "IGN",
            "SETMASK",
            "7",
        ],
        ParamKind::Signal => &["TERM", "0", "65", "-1", "SIGKILL"],
        ParamKind::Signals => &["ALL", "NONE", "TERM,64", "1"],
        ParamKind::Number | ParamKind::Numbers => &["3", "-3"],
        ParamKind::SiCode => &["SI_KERNEL", "-60", "CLD_EXITED"],
        ParamKind::Text => &["sh", "\"\"", "\"a \\\" # b\"", "in"],
        ParamKind::PrctlValue => &["1", "sh", "TERM"],
        ParamKind::Assigned => &["=3", "= -3"],
        ParamKind::InNs => &["in n", "in a.children"],
    }
}

/// A call that is mostly right, some of what can be left out left out.
fn call() -> impl Strategy<Value = String> {
    let verbs: Vec<_> = verbs().collect();
    let picks = || proptest::collection::vec((any::<bool>(), any::<proptest::sample::Index>()), 8);
    (proptest::sample::select(verbs), picks()).prop_map(|(verb, picks)| {
        let mut text = verb.name.to_owned();
        for (param, (left_out, pick)) in verb.params.iter().zip(picks) {
            let key = param.key.map_or(String::new(), |key| format!("{key}="));
            if !(param.is_optional && left_out) {
                text.push_str(&format!(" {key}{}", pick.get(argument(param.kind))));
            }
        }
        text
    })
}

/// What may stand before a call.
fn prefix() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "",
        "",
        "",
        "x = ",
        "repeat 3: ",
        "repeat 3: x = ",
        "expect EINVAL RANGE: ",
        "expect 0: ",
        "expect 3: ",
        "expect 3/1: x=",
        "expect b exited 3 pid=2: ",
        "expect a killed 9: ",
        "expect NONE: ",
        "expect IGN NOCLDWAIT: ",
        "expect 40 code=SI_QUEUE value=-1: ",
        "expect 0 ESRCH -4: ",
        "expect a: ",
        "expect sleeps: ",
        "expect ESRCH: ",
        "expect none: ",
        "expect clone a by outside, exit b killed 9, stop c STOP, ns-dead, lost 7: ",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..Default::default() })]

    /// Whatever is understood is written so that it is understood as the same.
    #[test]
    fn written_as_it_is_read(words in proptest::collection::vec(word(), 0..8)) {
        same_again(&words.join(" "))?;
    }

    /// Likewise what is mostly right.
    #[test]
    fn calls_as_they_are_read(prefix in prefix(), call in call()) {
        same_again(&format!("{prefix}{call}"))?;
    }

    /// Nothing makes it fall over, and every error can be shown.
    #[test]
    fn any_text(text in "(\\PC|[\t ])*") {
        if let Err(error) = Line::parse(&text, &mut scope()) {
            prop_assert!(error.to_string().contains("^"));
        }
        let (start, _) = complete(&text, &scope());
        prop_assert!(text.is_char_boundary(start));
    }
}
