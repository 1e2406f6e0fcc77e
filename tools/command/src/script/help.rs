// SPDX-License-Identifier: GPL-2.0

//! What `help` says.

use super::{
    error::nearest,
    facts::{PROPERTIES, Property},
    verbs::{Verb, meant, verbs},
};

/// What can be asked about besides verbs and properties.
const TOPICS: &[(&str, &str)] = &[
    (
        "expect",
        "expect OUTCOME: [NAME =] VERB ...    what a call must return, or with which errno it must fail
expect PROPERTY SUBJECT VALUE [in NS]    what must be so

    expect 2: a = clone
    expect EINVAL CHILDREN_ELSEWHERE: clone a NEWPID
    expect a exited 3: wait4 init
    expect pid b 1 in a.children

Properties; help PROPERTY says more:
",
    ),
    (
        "repeat",
        "repeat N: [NAME =] VERB ...    does it N times

    repeat 3: clone
    repeat 31: c = clone c NEWPID    each is made by the one before
",
    ),
    (
        "names",
        "NAME = clone, unshare or find    names what a call makes; names begin with a small letter

    TASK    a name; init is there from the beginning
    NS      a name; that of a task is the namespace that it lives in, and
            a.children is where the children of a are born
    PID     a task, as the caller sees it; -a for its process group; a number
    FLAGS   constants of C joined by |, the prefix can be left out: NEWPID
    SIG     SIGTERM, TERM or 15
    SIGSET  TERM,USR1 or ALL or NONE
",
    ),
];

/// All verbs, a line each.
fn overview() -> String {
    let mut text = String::from(
        "[repeat N:] [expect OUTCOME:] [NAME =] VERB ...   or   expect PROPERTY ...\n\n",
    );
    for verb in verbs() {
        text.push_str(&format!("  {:18} {}\n", verb.name, verb.brief));
    }
    text.push_str(
        "\nhelp VERB says by which rule and how; there is also help names, expect and repeat.\n",
    );
    text
}

/// What `help` says about a topic: a verb, a property or another word. None if there is nothing,
/// with what may be meant.
///
/// # Errors
///
/// What to say when there is no such topic.
pub fn help(topic: Option<&str>) -> Result<String, String> {
    let Some(topic) = topic else {
        return Ok(overview());
    };
    if let Some(verb) = Verb::named(topic) {
        return Ok(verb.help());
    }
    if let Some((name, text)) = TOPICS.iter().find(|(name, _)| *name == topic) {
        let mut text = (*text).to_owned();
        if *name == "expect" {
            for property in PROPERTIES {
                text.push_str(&format!("    {}\n", property.example));
            }
        }
        return Ok(text);
    }
    if let Some(property) = Property::named(topic) {
        return Ok(format!("{}\n\n{}\n", property.example, property.meaning));
    }
    let topics = TOPICS.iter().map(|&(name, _)| name);
    let properties = PROPERTIES.iter().map(|property| property.name);
    let near = meant(topic).or_else(|| nearest(topic, topics.chain(properties)).map(str::to_owned));
    Err(match near {
        Some(near) => format!("there is no help about {topic}; did you mean {near}?"),
        None => format!("there is no help about {topic}; help lists all verbs"),
    })
}
