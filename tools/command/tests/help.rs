// SPDX-License-Identifier: GPL-2.0

//! The help, the man pages and the completions of the command.

mod command_line;

use command_line::run;
use std::{collections::HashSet, fs};

/// The verbs, as the help of the command lists them: in groups, below the title of each.
fn verbs() -> Vec<String> {
    let (_, help, _) = run(&["--help"], "");
    let list = help.split("\n\n").skip(2);
    let groups = list.take_while(|group| !group.starts_with('"'));
    let verbs = groups.flat_map(|group| group.lines().skip(1));
    let words = verbs.filter_map(|line| line.split_whitespace().next());
    words.map(str::to_owned).collect()
}

#[test]
fn the_help_groups_the_verbs() {
    let (_, help, _) = run(&["--help"], "");
    let titles = help.lines().filter(|line| line.ends_with(':'));
    let groups: Vec<_> = titles.take(4).collect();
    let wanted = [
        "Make and keep worlds:",
        "Look at a world or a snapshot:",
        "Do something in a world:",
        "Play scenarios:",
    ];
    assert_eq!(groups, wanted);
    let verbs = verbs();
    let unique: HashSet<_> = verbs.iter().collect();
    assert_eq!(unique.len(), verbs.len(), "{verbs:?}");
}

#[test]
fn every_verb_has_an_example_in_its_help() {
    let verbs = verbs();
    assert!(verbs.len() >= 15, "{verbs:?}");
    for verb in &verbs {
        for flag in ["--help", "-h"] {
            let (status, help, err) = run(&[verb, flag], "");
            assert_eq!((status, err.as_str()), (0, ""), "{verb}");
            let example = help.split("Example").nth(1).unwrap_or_default();
            assert!(
                example.contains(&format!("altpid {verb}")),
                "{verb}: {help}"
            );
        }
    }
}

#[test]
fn every_verb_has_a_man_page_and_is_completed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_str().expect("a name");
    assert_eq!(run(&["generate", path], "").0, 0);
    let read = |name: String| fs::read_to_string(dir.path().join(name)).expect("a file");
    let files = ["altpid.bash", "_altpid", "altpid.fish"];
    let completions = files.map(|name| read(format!("completions/{name}")));
    // The names of columns are completed where a list of them is asked for.
    for text in &completions {
        assert!(
            text.contains("CHILDNS") && text.contains("LASTPID"),
            "{text}"
        );
    }
    let main = read("man/altpid.1".into());
    assert!(
        main.starts_with(".ie") && main.contains("ALTPID_FD"),
        "{main}"
    );
    for verb in verbs() {
        let page = read(format!("man/altpid-{verb}.1"));
        let sections = ["EXAMPLES", "EXIT STATUS", "SEE ALSO"];
        for section in sections {
            assert!(
                page.contains(&format!(".SH \"{section}\"")),
                "{verb}: {page}"
            );
        }
        assert!(
            !page.contains("EXTRA") && page.contains(&format!("altpid {verb}")),
            "{verb}"
        );
        assert!(main.contains(&format!("altpid\\-{verb}(1)")), "{verb}");
        for text in &completions {
            assert!(text.contains(&verb), "{verb}");
        }
    }
}
