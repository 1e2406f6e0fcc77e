// SPDX-License-Identifier: GPL-2.0

//! The description for syzkaller says what the header says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// Members in order, with their sizes in bytes.
type Members = Vec<(String, usize)>;

fn read(name: &str) -> String {
    let path = format!("{}/../../src/uapi/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).expect("a file beside the header")
}

/// A number of C.
fn number(text: &str) -> Option<usize> {
    let text = text.trim_end_matches(['U', 'L']);
    match text.strip_prefix("0x") {
        Some(digits) => usize::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The header, as far as it matters here.
struct Header {
    structs: BTreeMap<String, Members>,
    commands: BTreeSet<String>,
    /// The other constants, with their values where they are plain numbers.
    constants: BTreeMap<String, Option<usize>>,
}

impl Header {
    fn parse(text: &str) -> Self {
        let mut header = Self {
            structs: BTreeMap::new(),
            commands: BTreeSet::new(),
            constants: BTreeMap::new(),
        };
        let mut open: Option<(String, Members)> = None;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match (&mut open, &words[..]) {
                (None, ["#define", name, value, ..]) if name.starts_with("ALTPID_") => {
                    header.define(name, value);
                }
                (None, ["struct", name, "{"]) => open = Some(((*name).to_owned(), Members::new())),
                (Some(_), ["};"]) => header.structs.extend(open.take()),
                (Some((_, members)), [types @ .., name]) => {
                    members.push(header.member(types, name));
                }
                _ => {}
            }
        }
        header
    }

    fn define(&mut self, name: &str, value: &str) {
        if let Some(command) = name.strip_prefix("ALTPID_IOC_")
            && value.starts_with("_IO")
        {
            self.commands.insert(command.to_owned());
        } else if !name.contains('(') && !value.starts_with('"') {
            self.constants.insert(name.to_owned(), number(value));
        }
    }

    /// A member as `__u32 name;` or `struct name name;` or `__u8 name[N];` has it.
    fn member(&self, types: &[&str], name: &str) -> (String, usize) {
        let size = match types {
            ["__u8"] => 1,
            ["__u32" | "__s32"] => 4,
            ["__u64" | "__s64"] => 8,
            ["struct", inner] => self.structs[*inner].iter().map(|(_, size)| size).sum(),
            other => panic!("{other:?} {name}"),
        };
        let name = name.trim_end_matches(';');
        match name.split_once('[') {
            None => (name.to_owned(), size),
            Some((name, count)) => {
                let count = count.trim_end_matches(']');
                let count = number(count).or_else(|| self.constants[count]);
                (name.to_owned(), size * count.expect("a length"))
            }
        }
    }
}

/// The description, without what is left to the fuzzer.
struct Description<'a> {
    header: &'a Header,
    /// What is written between braces or brackets, by name.
    blocks: BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
    /// What a resource or a type is.
    types: BTreeMap<&'a str, &'a str>,
    /// What a command takes, by its name.
    calls: BTreeMap<&'a str, &'a str>,
}

/// What is between the first of these and its counterpart at the end.
fn arguments(text: &str) -> Vec<&str> {
    let inner = text
        .split_once('[')
        .map_or("", |(_, rest)| rest.trim_end_matches(' '));
    let inner = inner.strip_suffix(']').unwrap_or(inner);
    let (mut depth, mut from, mut all) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                all.push(inner[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    all.push(inner[from..].trim());
    all
}

impl<'a> Description<'a> {
    fn parse(text: &'a str, header: &'a Header) -> Self {
        let mut description = Self {
            header,
            blocks: BTreeMap::new(),
            types: BTreeMap::new(),
            calls: BTreeMap::new(),
        };
        let mut open: Option<(&str, Vec<(&str, &str)>)> = None;
        for line in text.lines() {
            if let Some((_, members)) = &mut open {
                match line
                    .strip_prefix('\t')
                    .and_then(|line| line.split_once('\t'))
                {
                    Some((name, text)) => members.push((name, text.trim_start())),
                    None => description.blocks.extend(open.take()),
                }
            } else if let Some(rest) = line.strip_prefix("resource ") {
                let (name, rest) = rest.split_once('[').expect("a resource");
                description
                    .types
                    .insert(name, rest.split(']').next().expect("a type"));
            } else if let Some(name) = line
                .strip_suffix([' ', '{', '['])
                .map(|l| l.trim_end_matches([' ', '{', '[']))
            {
                let name = name.trim_start_matches("type ");
                open = Some((name.split('[').next().expect("a name"), Vec::new()));
            } else if let Some(rest) = line.strip_prefix("type ") {
                let (name, rest) = rest.split_once(' ').expect("a type");
                description.types.insert(name, rest);
            } else if let Some(rest) = line.strip_prefix("ioctl$ALTPID_IOC_") {
                let (name, rest) = rest.split_once('(').expect("arguments");
                assert!(
                    rest.contains(&format!("cmd const[ALTPID_IOC_{name}]")),
                    "{line}"
                );
                let arg = rest.split("arg ptr[inout, ").nth(1).expect("a struct");
                description.calls.insert(name, arg.trim_end_matches("])"));
            }
        }
        description
    }

    /// The size of a type in bytes.
    fn size(&self, text: &str) -> usize {
        let text = text.split('\t').next().expect("a type");
        let name = text.split('[').next().expect("a name");
        let arguments = arguments(text);
        match name {
            "int8" => 1,
            "int32" => 4,
            "int64" | "ptr64" => 8,
            "const" | "flags" | "len" | "bytesize" => self.size(arguments[1]),
            "array" => {
                let count = number(arguments[1]).or_else(|| self.header.constants[arguments[1]]);
                self.size(arguments[0]) * count.expect("a length")
            }
            name => match (self.types.get(name), self.blocks.get(name)) {
                (Some(base), _) => self.size(base),
                // Of the unions that stand in structs every member has the same size.
                (None, Some(members)) if name == "altpid_target" => self.size(members[0].1),
                (None, Some(members)) => members.iter().map(|(_, text)| self.size(text)).sum(),
                (None, None) => panic!("{text} is not described"),
            },
        }
    }

    fn members(&self, name: &str) -> Members {
        let members = self
            .blocks
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not described"));
        let sized = |(name, text): &(&str, &str)| {
            // To syzkaller "parent" is the struct itself.
            let name = if *name == "parent_id" { "parent" } else { name };
            (name.to_owned(), self.size(text))
        };
        members.iter().map(sized).collect()
    }
}

#[test]
fn every_command_is_described() {
    let (header, text) = (Header::parse(&read("altpid.h")), read("dev_altpid.txt"));
    let description = Description::parse(&text, &header);
    let described: BTreeSet<String> = description.calls.keys().map(|&name| name.into()).collect();
    assert_eq!(described, header.commands);
    for (name, arg) in &description.calls {
        assert_eq!(*arg, format!("altpid_{}", name.to_lowercase()));
    }
    // All but these can be in an array.
    let mut arrays = header.commands.clone();
    arrays.retain(|name| !["BATCH", "FAILURE"].contains(&name.as_str()));
    let operations: BTreeSet<String> = description.blocks["altpid_op"]
        .iter()
        .map(|(name, text)| {
            let name = name.to_uppercase();
            let arg = description.calls[name.as_str()];
            assert_eq!(*text, format!("altpid_operation[ALTPID_IOC_{name}, {arg}]"));
            name
        })
        .collect();
    assert_eq!(operations, arrays);
}

#[test]
fn every_struct_is_described_member_by_member() {
    let (header, text) = (Header::parse(&read("altpid.h")), read("dev_altpid.txt"));
    let description = Description::parse(&text, &header);
    assert!(header.structs.len() > 30, "{}", header.structs.len());
    for (name, members) in &header.structs {
        // That one is a type with the command and the struct left open.
        let described = match name.as_str() {
            "altpid_op" => {
                let open = |name: &str| if name == "cmd" { 4 } else { 8 };
                let members = description.blocks["altpid_operation"].iter();
                members
                    .map(|(name, text)| match *name {
                        "cmd" | "arg" => ((*name).to_owned(), open(name)),
                        _ => ((*name).to_owned(), description.size(text)),
                    })
                    .collect()
            }
            name => description.members(name),
        };
        assert_eq!(described, *members, "struct {name}");
    }
}

#[test]
fn every_constant_is_used() {
    let (header, text) = (Header::parse(&read("altpid.h")), read("dev_altpid.txt"));
    let words: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .collect();
    let known = |name: &&str| {
        header.constants.contains_key(*name)
            || name
                .strip_prefix("ALTPID_IOC_")
                .is_some_and(|name| header.commands.contains(name))
    };
    for name in header
        .constants
        .keys()
        .filter(|name| *name != "ALTPID_IOC_TYPE")
    {
        assert!(words.contains(name.as_str()), "{name} is not described");
    }
    for name in words.iter().filter(|word| word.starts_with("ALTPID_")) {
        assert!(known(name), "{name} is not in the header");
    }
}
