// SPDX-License-Identifier: GPL-2.0

//! What a line that is being typed can go on with.

use super::{
    constants::{Constants, ERRNO, SIGNAL},
    facts::{BLOCKERS, FactKind, GONE, NONE, PROPERTIES, Property, STATES, Subject},
    scope::{Kind, Scope},
    verbs::{ParamKind, Verb},
};

/// Where the word that is being typed begins, in bytes, and what it may become.
///
/// `line` is what stands before the cursor.
pub fn complete(line: &str, scope: &Scope) -> (usize, Vec<String>) {
    let ends = |c: char| c.is_whitespace() || "=:,|-".contains(c);
    let word = line.rsplit(ends).next().unwrap_or_default();
    let start = line.len() - word.len();
    let mut found: Vec<_> = candidates(&line[..start], scope)
        .into_iter()
        .filter(|candidate| candidate.starts_with(word))
        .collect();
    // A prefix of C is known, but not proposed.
    if found.is_empty() && word.contains('_') {
        found = with_prefix(word, &candidates(&line[..start], scope));
    }
    found.sort();
    found.dedup();
    (start, found)
}

/// `CLONE_NEW` can go on with `CLONE_NEWPID`.
fn with_prefix(word: &str, known: &[String]) -> Vec<String> {
    ["CLONE_", "SIG_", "SA_", "PR_", "P_", "LINUX_REBOOT_CMD_"]
        .iter()
        .filter_map(|prefix| Some((prefix, word.strip_prefix(prefix)?)))
        .flat_map(|(prefix, rest)| {
            let fit = known.iter().filter(move |known| known.starts_with(rest));
            fit.map(move |known| format!("{prefix}{known}"))
        })
        .collect()
}

/// All words that can stand behind this beginning of a line.
fn candidates(before: &str, scope: &Scope) -> Vec<String> {
    // Only what is behind the last colon and the name counts, as for `expect 2: a = `.
    let before = before.rsplit(':').next().unwrap_or_default();
    let before = match before.split_once('=') {
        Some((name, call)) if (1..=2).contains(&name.split_whitespace().count()) => call,
        _ => before,
    };
    let mut words = before.split_whitespace();
    match words.next() {
        None => owned(Verb::names().chain(["expect", "repeat", "help", "save", "quit"])),
        Some("expect") => of_expectation(&words.collect::<Vec<_>>(), scope),
        Some("help") => owned(Verb::names()),
        Some(verb) => match Verb::named(verb) {
            Some(verb) => of_verb(verb, words.count(), before, scope),
            None => Vec::new(),
        },
    }
}

fn owned<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

fn names_of(constants: &Constants) -> Vec<String> {
    let names = constants.names.iter().map(|&(name, _)| name);
    match constants.is_shown {
        true => names
            .map(|name| format!("{}{name}", constants.prefix))
            .collect(),
        false => owned(names),
    }
}

/// The names that can stand for a namespace.
fn namespaces(scope: &Scope) -> Vec<String> {
    let tasks = scope.names(&[Kind::Task]);
    let of_children = tasks.map(|task| format!("{task}.children"));
    let all = scope.names(&[Kind::Task, Kind::Ns]).map(str::to_owned);
    all.chain(of_children).collect()
}

/// What can be the next argument of a verb that has `given` ones already. As some can be left out,
/// it is what fits any of those that may come.
fn of_verb(verb: &Verb, given: usize, before: &str, scope: &Scope) -> Vec<String> {
    let key = before.split_whitespace().last();
    let key = key.and_then(|word| word.strip_suffix('='));
    if let Some(param) = verb
        .params
        .iter()
        .find(|param| param.key.is_some() && param.key == key)
    {
        return of_param(param.kind, scope);
    }
    let optional_before = verb.params.iter().take(given);
    let first = given
        - optional_before
            .filter(|param| param.is_optional)
            .count()
            .min(given);
    let mut found = Vec::new();
    for param in verb.params.iter().skip(first) {
        match param.key {
            Some(key) => found.push(format!("{key}=")),
            None => found.extend(of_param(param.kind, scope)),
        }
        if !param.is_optional {
            break;
        }
    }
    found
}

fn of_param(kind: ParamKind, scope: &Scope) -> Vec<String> {
    let tasks = || owned(scope.names(&[Kind::Task]));
    match kind {
        ParamKind::Pidfd => owned(scope.names(&[Kind::Pidfd])),
        ParamKind::TaskOrPidfd => owned(scope.names(&[Kind::Pidfd, Kind::Task])),
        ParamKind::NsOrPidfd => namespaces(scope)
            .into_iter()
            .chain(owned(scope.names(&[Kind::Pidfd])))
            .collect(),
        ParamKind::Task | ParamKind::Pid | ParamKind::Pids | ParamKind::WaitWho => tasks(),
        ParamKind::Sender => tasks()
            .into_iter()
            .chain(owned(["outside", "kernel"]))
            .collect(),
        ParamKind::Parent => tasks().into_iter().chain(owned(["outside"])).collect(),
        ParamKind::Ns => namespaces(scope),
        ParamKind::InNs => owned(["in"]).into_iter().chain(namespaces(scope)).collect(),
        ParamKind::Constant(constants) => names_of(constants),
        ParamKind::Signal => names_of(&SIGNAL),
        ParamKind::Signals => names_of(&SIGNAL)
            .into_iter()
            .chain(owned(["ALL", "NONE"]))
            .collect(),
        ParamKind::PrctlValue
        | ParamKind::Number
        | ParamKind::Numbers
        | ParamKind::SiCode
        | ParamKind::Text
        | ParamKind::Assigned => Vec::new(),
    }
}

fn of_expectation(words: &[&str], scope: &Scope) -> Vec<String> {
    let Some(name) = words.first() else {
        let properties = PROPERTIES.iter().map(|property| property.name);
        let outcomes = owned(properties.chain(["sleeps"]));
        return outcomes.into_iter().chain(names_of(&ERRNO)).collect();
    };
    let Some(property) = Property::named(name) else {
        return Vec::new();
    };
    match (property.subject, words.len()) {
        (Subject::Task | Subject::TaskOrPidfd, 1) => owned(scope.names(&[Kind::Task])),
        (Subject::Ns | Subject::Either, 1) => namespaces(scope),
        (Subject::World, _) => Vec::new(),
        (_, 2) => match property.kind {
            FactKind::Task => owned(scope.names(&[Kind::Task]).chain(["none"])),
            FactKind::Ns => namespaces(scope)
                .into_iter()
                .chain(owned(["none"]))
                .collect(),
            FactKind::State => owned(
                STATES
                    .0
                    .iter()
                    .chain(STATES.1)
                    .chain([&GONE, &NONE])
                    .copied(),
            ),
            FactKind::Status => owned(["exited", "killed"]),
            FactKind::Signal | FactKind::Signals => names_of(&SIGNAL),
            FactKind::Yes => owned(["yes", "no"]),
            FactKind::Blocker => owned(BLOCKERS.iter().copied().chain(["namespace", "none"])),
            FactKind::Pids | FactKind::Pid | FactKind::Number | FactKind::Text => Vec::new(),
        },
        (_, 3) => match property.kind {
            FactKind::Pids | FactKind::Pid => owned(["in"]),
            FactKind::Blocker => owned(scope.names(&[Kind::Task, Kind::Ns])),
            _ => Vec::new(),
        },
        _ => namespaces(scope),
    }
}
