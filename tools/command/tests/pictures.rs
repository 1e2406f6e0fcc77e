// SPDX-License-Identifier: GPL-2.0

//! The pictures of a tree: boxes in boxes that do not overlap, with everybody in the right one.

#[path = "../../altpid/tests/model/mod.rs"]
mod model;

use altpid::{
    snapshot::{Numbers, Snapshot},
    view::View,
};
use altpid_command::tree::{dot, svg};
use model::{text::tree, trees::TREES};
use std::{collections::HashMap, fmt::Write};

/// A box of the picture.
#[derive(Clone, Copy, Debug)]
struct Frame {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Frame {
    fn contains(&self, other: &Self) -> bool {
        self.x < other.x
            && self.y < other.y
            && other.x + other.width < self.x + self.width
            && other.y + other.height < self.y + self.height
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

fn picture(snapshot: &Snapshot, most: usize) -> String {
    let mut out = Vec::new();
    svg(&mut out, &View::of_snapshot(snapshot), most).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

/// What is between two strings.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    Some(rest.split_once(to)?.0)
}

/// The group of each namespace in a picture, by position.
fn groups<'a>(picture: &'a str, names: &[u64]) -> HashMap<usize, &'a str> {
    let groups = picture.split("<g id=\"ns-").skip(1);
    groups
        .map(|group| {
            let (id, rest) = group.split_once('"').expect("an id");
            let id: u64 = id.parse().expect("a number");
            let at = names.iter().position(|name| *name == id);
            (at.expect("its name"), rest)
        })
        .collect()
}

fn frame(group: &str) -> Frame {
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let place = between(group, "translate(", ")").expect("a place");
    let (x, y) = place.split_once(' ').expect("two numbers");
    Frame {
        x: number(x),
        y: number(y),
        width: number(between(group, "width=\"", "\"").expect("a width")),
        height: number(between(group, " height=\"", "\"").expect("a height")),
    }
}

/// Checks a picture in which everybody is.
#[track_caller]
fn check(name: &str, snapshot: &Snapshot) {
    let picture = picture(snapshot, usize::MAX);
    let names = snapshot.ns_names();
    let groups = groups(&picture, &names);
    assert_eq!(groups.len(), snapshot.namespaces.len(), "{name}");
    let frames: Vec<Frame> = (0..groups.len()).map(|ns| frame(groups[&ns])).collect();
    for (i, ns) in snapshot.namespaces.iter().enumerate() {
        if let Some(parent) = ns.parent {
            assert!(
                frames[parent].contains(&frames[i]),
                "{name}: {i} in {parent}"
            );
        }
        for j in 0..i {
            if snapshot.namespaces[j].parent == ns.parent {
                assert!(!frames[i].overlaps(&frames[j]), "{name}: {i} and {j}");
            }
        }
    }
    for task in snapshot.tasks.iter().filter(|task| task.is_leader()) {
        let title = format!("<title>{} ", Numbers(&task.pid));
        assert!(groups[&task.ns].contains(&title), "{name}: {task}");
        // Below the title and above the edge, and not in a box inside.
        let row = groups[&task.ns].split(&title).nth(1).expect("its row");
        let text = between(row, "<text ", ">").expect("its text");
        let at =
            |what: &str| between(text, what, "\"").map(|nr| nr.parse::<f64>().expect("a number"));
        let frame = frames[task.ns];
        let (x, y) = (at("x=\"").expect("x"), at("y=\"").expect("y"));
        assert!(
            x > 0.0 && x < frame.width && y > 20.0 && y < frame.height,
            "{name}: {task}"
        );
        let spot = Frame {
            x: frame.x + x,
            y: frame.y + y,
            width: 1.0,
            height: 1.0,
        };
        let inside = (0..frames.len()).filter(|&i| snapshot.namespaces[i].parent == Some(task.ns));
        for inner in inside {
            assert!(
                !frames[inner].overlaps(&spot),
                "{name}: {task} over {inner}"
            );
        }
    }
    assert_eq!(
        picture.matches("<g").count(),
        picture.matches("</g>").count(),
        "{name}"
    );
}

#[test]
fn boxes_are_nested_as_namespaces_are() {
    for (name, above, text) in TREES {
        check(name, &tree(above, text));
    }
}

/// Namespaces of many sizes, side by side and in each other.
#[test]
fn many_boxes() {
    let (mut text, mut above) = (String::from("1 = = = 0\n"), Vec::new());
    let mut pid = 100;
    for n in 1..=40 {
        let parent = if n % 3 == 0 { above.len() } else { 0 };
        above.push(parent);
        let chain: Vec<usize> =
            std::iter::successors(Some(n), |&ns| (ns > 0).then(|| above[ns - 1])).collect();
        for own in 1..=(n * 7 % 30 + 1) {
            pid += 1;
            let mut numbers = vec![pid.to_string()];
            for level in 1..chain.len() - 1 {
                numbers.push((pid + level).to_string());
            }
            numbers.push(own.to_string());
            writeln!(text, "{} = = = 1 @{n}", numbers.join("/")).expect("a string");
        }
    }
    check("many", &tree(&above, &text));
}

#[test]
fn what_is_left_out_is_counted() {
    let mut text = String::from("1 = = = 0\n");
    for nr in 2..=100 {
        writeln!(text, "{nr} = = = 1").expect("a string");
    }
    let snapshot = tree(&[], &text);
    let some = picture(&snapshot, 10);
    assert_eq!(some.matches("<title>").count(), 1 + 10);
    assert!(some.contains("… and 90 more"), "{some}");
    assert!(!picture(&snapshot, 100).contains("more</text>"));
}

/// What does not fit is of the kernel, if that is enough.
#[test]
fn threads_of_the_kernel_are_left_out_first() {
    let mut text = String::from("1 = = = 0 init\n2 = . . 0 kthreadd\n");
    for nr in 3..=50 {
        writeln!(text, "{nr} = . . 2 kworker").expect("a string");
    }
    for nr in 51..=60 {
        writeln!(text, "{nr} = = = 1 user").expect("a string");
    }
    let snapshot = tree(&[], &text);
    let some = picture(&snapshot, 20);
    assert_eq!(some.matches(">user</text>").count(), 10);
    assert_eq!(some.matches(">kworker</text>").count(), 8);
    assert!(some.contains("… and 40 kernel threads"), "{some}");
    let few = picture(&snapshot, 5);
    assert_eq!(few.matches(">kworker</text>").count(), 0);
    assert!(
        few.contains("… and 55 more, 48 of them kernel threads"),
        "{few}"
    );
}

/// Where a column begins in the middle of a tree, it says of whose.
#[test]
fn an_ancestor_is_repeated_where_a_column_breaks() {
    let mut text = String::from("1 = = = 0 init\n5 = = = 1 parent\n");
    for nr in 10..=70 {
        writeln!(text, "{nr} = = = 5 child").expect("a string");
    }
    let drawn = picture(&tree(&[], &text), 100);
    let parents = drawn.matches(">parent</text>").count();
    let columns: std::collections::BTreeSet<_> = drawn
        .match_indices(">child</text>")
        .filter_map(|(at, _)| between(&drawn[..at][drawn[..at].rfind("<text")?..], "x=\"", "\""))
        .collect();
    assert!(columns.len() > 1);
    assert_eq!(parents, columns.len());
    // Each child is joined to a parent above it.
    assert_eq!(drawn.matches("class=\"g\"").count(), 61 + 1);
}

/// The same picture is for light pages and for dark ones.
#[test]
fn pictures_follow_the_colour_scheme() {
    let drawn = picture(&tree(&[], "1 = = = 0"), 10);
    let (_, dark) = drawn
        .split_once("@media (prefers-color-scheme: dark)")
        .expect("colours for dark pages");
    for class in [".p ", ".b0 ", ".b5 ", ".c0 ", ".c5 ", "text "] {
        assert!(dark.contains(class), "{class}: {dark}");
    }
}

#[test]
fn names_of_any_kind() {
    for name in ["<&\">", "a\\b\"c", "日本語", "\u{1b}[31m"] {
        let mut snapshot = tree(&[], "1 = = = 0\n 2 = = = 1");
        snapshot.tasks[1].comm = altpid::snapshot::Comm::new(name.as_bytes());
        let picture = picture(&snapshot, 10);
        assert!(!picture.contains("<&"), "{picture}");
        assert!(!picture.contains('\u{1b}'), "{picture}");
        let mut out = Vec::new();
        dot(&mut out, &View::of_snapshot(&snapshot)).expect("memory");
        let out = String::from_utf8(out).expect("UTF-8");
        let line = out
            .lines()
            .find(|line| line.starts_with("t2 "))
            .expect("its node");
        let escaped = line.matches("\\\"").count();
        assert_eq!((line.matches('"').count() - escaped) % 2, 0, "{line}");
    }
}

#[test]
fn clusters_are_nested_as_namespaces_are() {
    let snapshot = tree(&[0, 1], "1 = = = 0\n 10/1 = = = 1 @1\n 11/2/1 = = = 10 @2");
    let mut out = Vec::new();
    dot(&mut out, &View::of_snapshot(&snapshot)).expect("memory");
    let out = String::from_utf8(out).expect("UTF-8");
    let mut open: Vec<&str> = Vec::new();
    let mut found = HashMap::new();
    for line in out.lines() {
        if line.ends_with('{') {
            open.push(line.trim_end_matches(" {"));
        } else if line == "}" {
            open.pop();
        } else if let Some((node, _)) = line.split_once(" [label") {
            found.insert(node.to_owned(), open.last().copied().unwrap_or_default());
        }
    }
    assert!(open.is_empty());
    let names = snapshot.ns_names();
    for (node, cluster) in [("t1", 0), ("t10", 1), ("t11", 2usize)] {
        assert_eq!(found[node], format!("subgraph cluster_{}", names[cluster]));
    }
    assert!(out.contains("t1 -> t10;") && out.contains("t10 -> t11;"));
}

/// The picture that heads the README is what the command draws of the snapshot beside it.
#[test]
fn the_picture_of_the_first_page() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let read = |name: &str| std::fs::read_to_string(format!("{docs}/{name}")).expect("a file");
    let snapshot = Snapshot::parse(read("tree.snapshot.json").as_bytes()).expect("a snapshot");
    assert!(
        read("tree.svg") == picture(&snapshot, 48),
        "run: altpid tree --svg docs/tree.snapshot.json >docs/tree.svg"
    );
}
