// SPDX-License-Identifier: GPL-2.0

//! The interface as its header describes it: commands, what their structs are made of, and which
//! errors each may give.
//!
//! All of it is read from `src/uapi/altpid.h` itself, so that what is made of it ([`crate::generate`])
//! covers a new command, a new member and a new error as soon as they are written down there. The
//! header's own comments say what a member is: an id, an address, a choice of constants.

mod constants;

pub use constants::errno_name;

use constants::{FOREIGN, errno};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

const TEXT: &str = include_str!("../../../src/uapi/altpid.h");

/// What a member of a struct is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// How large the struct is.
    Size,
    /// Must be 0, or is only written.
    Zero,
    /// The id of a task.
    Task,
    /// The id of a namespace.
    Namespace,
    /// The id of a pidfd.
    Pidfd,
    /// An address in user space.
    Address,
    /// One of these values.
    One(Vec<u64>),
    /// Any of these bits.
    Bits(Vec<u64>),
    /// A signal.
    Signal,
    /// A number of a task, a group or a session, or something negative that names several.
    Number,
    /// How many elements there are at an address.
    Count,
    /// Anything.
    Any,
}

/// A member of a struct, one for each element of an array.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name, with that of the struct inside that it is in.
    pub name: String,
    /// Bytes from the beginning of the struct.
    pub at: usize,
    /// Bytes.
    pub size: usize,
    /// What it is.
    pub kind: Kind,
}

/// A command of the interface.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Its name without `ALTPID_IOC_`.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// Bytes of its struct.
    pub size: usize,
    /// What its struct is made of.
    pub members: Vec<Member>,
    /// The errors that the header allows it, as positive numbers.
    pub errors: BTreeSet<i32>,
}

/// A struct and its comment.
#[derive(Default)]
struct Struct {
    /// The command that takes it, without `ALTPID_IOC_`.
    command: Option<String>,
    /// Type, name and length of each member.
    fields: Vec<(String, String, usize)>,
    /// What is said of each member.
    about: BTreeMap<String, String>,
    errors: BTreeSet<i32>,
}

/// Words of a text, as C has them, with a `*` behind that stands for many.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '*'))
        .filter(|word| !word.is_empty())
}

/// The errors that a text speaks of.
fn errors(text: &str) -> BTreeSet<i32> {
    words(text)
        .filter(|word| {
            word.len() > 3
                && word.starts_with('E')
                && word
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        })
        .map(|name| errno(name).unwrap_or_else(|| panic!("{name}: an error without a number")))
        .collect()
}

/// The value of a number as C writes it.
fn number(text: &str) -> Option<u64> {
    let text = text.trim_end_matches(['U', 'L']);
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The constants that the header defines.
fn constants() -> BTreeMap<String, u64> {
    TEXT.lines()
        .filter_map(|line| {
            let mut parts = line.strip_prefix("#define ")?.split_whitespace();
            let name = parts.next()?.to_owned();
            Some((name, number(parts.next()?)?))
        })
        .chain(
            FOREIGN
                .iter()
                .map(|&(name, value)| (name.to_owned(), value)),
        )
        .collect()
}

/// The comments of kernel-doc and what each is about: the first line, and the rest.
fn comments() -> impl Iterator<Item = (String, String)> {
    TEXT.split("/**\n").skip(1).filter_map(|part| {
        let (comment, _) = part.split_once("*/")?;
        let lines = comment.lines().map(|line| line.trim_start_matches(" *"));
        let text: Vec<_> = lines.collect();
        let (first, rest) = text.split_first()?;
        Some((first.trim().to_owned(), rest.join("\n")))
    })
}

/// Enters what a comment says about a struct.
fn read_comment(of: &mut Struct, first: &str, rest: &str) {
    let command = words(first).find_map(|word| word.strip_prefix("ALTPID_IOC_"));
    of.command = command.map(str::to_owned);
    of.errors = errors(rest);
    let mut member = None;
    for line in rest.lines() {
        if let Some((name, text)) = line
            .trim()
            .strip_prefix('@')
            .and_then(|l| l.split_once(':'))
        {
            member = Some(name.to_owned());
            of.about.insert(name.to_owned(), text.to_owned());
        } else if line.trim().is_empty() {
            member = None;
        } else if let Some(name) = &member {
            let text = of.about.entry(name.clone()).or_default();
            text.push(' ');
            text.push_str(line.trim());
        }
    }
}

/// All structs by name.
fn structs(constants: &BTreeMap<String, u64>) -> BTreeMap<String, Struct> {
    let mut all = BTreeMap::<String, Struct>::new();
    let mut open = None::<String>;
    for line in TEXT.lines() {
        if let Some(rest) = line.strip_prefix("struct ") {
            open = rest.strip_suffix(" {").map(str::to_owned);
        } else if line == "};" {
            open = None;
        } else if let Some(name) = &open {
            let declaration = line.trim().trim_end_matches(';');
            let (kind, field) = declaration.rsplit_once(' ').expect("a type and a name");
            let (field, len) = match field.split_once('[') {
                Some((field, len)) => {
                    let len = len.trim_end_matches(']');
                    let len = number(len).or_else(|| constants.get(len).copied());
                    (field, len.expect("a length") as usize)
                }
                None => (field, 1),
            };
            let of = all.entry(name.clone()).or_default();
            of.fields.push((kind.to_owned(), field.to_owned(), len));
        }
    }
    for (first, rest) in comments() {
        if let Some(of) = words(&first).nth(1).and_then(|name| all.get_mut(name)) {
            read_comment(of, &first, &rest);
        }
    }
    all
}

/// The constants that are named in what is said of a member.
fn choices(about: &str, constants: &BTreeMap<String, u64>) -> Vec<u64> {
    let mut values: Vec<u64> = words(about)
        .flat_map(|word| {
            let many = word.strip_suffix('*').filter(|prefix| prefix.len() > 3);
            constants
                .iter()
                .filter(move |(name, _)| match many {
                    Some(prefix) => name.starts_with(prefix),
                    None => *name == word,
                })
                .map(|(_, &value)| value)
        })
        .collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// What a member is, by its name and what is said of it.
fn kind_of(name: &str, about: &str, constants: &BTreeMap<String, u64>) -> Kind {
    let about = about.trim();
    if about.starts_with("reserved") || about.starts_with("out:") {
        return Kind::Zero;
    }
    match name {
        "size" => return Kind::Size,
        "reserved" => return Kind::Zero,
        "task" | "target" | "parent" => return Kind::Task,
        "ns" | "from" | "to" => return Kind::Namespace,
        "pidfd" => return Kind::Pidfd,
        "sig" | "signo" | "exit_signal" => return Kind::Signal,
        "pid" | "tgid" | "pgid" | "nr" | "id" => return Kind::Number,
        "count" | "set_tid_size" => return Kind::Count,
        "entry_size" => return Kind::One(vec![16, 64, 616, 624, 640]),
        _ => {}
    }
    if about.starts_with("pointer to") {
        return Kind::Address;
    }
    let values = choices(about, constants);
    match (values.is_empty(), name) {
        (true, _) => Kind::Any,
        (false, "flags" | "options") => Kind::Bits(values),
        (false, _) => Kind::One(values),
    }
}

/// Adds the members of a struct that begins `begin` bytes behind the beginning of the outermost
/// one; returns where it ends.
fn lay_out(
    name: &str,
    prefix: &str,
    begin: usize,
    structs: &BTreeMap<String, Struct>,
    constants: &BTreeMap<String, u64>,
    out: &mut Vec<Member>,
) -> usize {
    let of = &structs[name];
    let mut at = begin;
    for (kind, field, len) in &of.fields {
        let about = of.about.get(field).map_or("", String::as_str);
        for _ in 0..*len {
            if let Some(inner) = kind.strip_prefix("struct ") {
                // The structs inside have explicit padding and begin at a multiple of 8.
                at = lay_out(
                    inner,
                    &format!("{prefix}{field}."),
                    at.next_multiple_of(8),
                    structs,
                    constants,
                    out,
                );
                continue;
            }
            let size = match kind.as_str() {
                "__u8" => 1,
                "__u32" | "__s32" => 4,
                "__u64" | "__s64" => 8,
                other => panic!("{name}: a member of type {other}"),
            };
            at = at.next_multiple_of(size);
            let kind = if prefix.is_empty() {
                kind_of(field, about, constants)
            } else {
                Kind::Any
            };
            out.push(Member {
                name: format!("{prefix}{field}"),
                at,
                size,
                kind,
            });
            at += size;
        }
    }
    at
}

/// The errors that every command may give.
fn common_errors() -> BTreeSet<i32> {
    let (_, rest) = TEXT
        .split_once("Errors of every command:")
        .expect("the errors of every command");
    let (text, _) = rest.split_once("A command that fails").expect("their end");
    errors(text)
}

/// The errors that an open of the device may give once it has come to the module.
pub fn open_errors() -> BTreeSet<i32> {
    let (_, rest) = TEXT
        .split_once("Errors of open(2):")
        .expect("the errors of open(2)");
    let (text, _) = rest.split_once("Before it comes here").expect("their end");
    errors(text)
}

/// Reads the header.
fn read() -> Vec<Shape> {
    let constants = constants();
    let structs = structs(&constants);
    let kind = constants["ALTPID_IOC_TYPE"] as u32;
    let common = common_errors();
    let mut shapes = Vec::new();
    for line in TEXT.lines() {
        let Some((name, rest)) = line
            .strip_prefix("#define ALTPID_IOC_")
            .and_then(|line| line.split_once("_IO(ALTPID_IOC_TYPE,"))
        else {
            continue;
        };
        let name = name.trim();
        let nr = number(rest.trim().trim_end_matches(')')).expect("a number") as u32;
        let (struct_name, of) = structs
            .iter()
            .find(|(_, of)| of.command.as_deref() == Some(name))
            .unwrap_or_else(|| panic!("ALTPID_IOC_{name}: no struct says that it is for it"));
        let mut members = Vec::new();
        let size = lay_out(struct_name, "", 0, &structs, &constants, &mut members);
        shapes.push(Shape {
            name: name.to_owned(),
            number: kind << 8 | nr,
            size: size.next_multiple_of(8),
            members,
            errors: of.errors.union(&common).copied().collect(),
        });
    }
    shapes
}

/// Every command of the interface, and at last that by which a process becomes somebody else.
static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let (mut shapes, attach): (Vec<_>, Vec<_>) =
        read().into_iter().partition(|shape| shape.name != "ATTACH");
    shapes.extend(attach);
    shapes
});

/// Every command of the interface that a test can issue anywhere: not [`attach`].
pub fn shapes() -> &'static [Shape] {
    &SHAPES[..SHAPES.len() - 1]
}

/// The command by which a process with one thread becomes a member.
pub fn attach() -> &'static Shape {
    &SHAPES[SHAPES.len() - 1]
}
