// SPDX-License-Identifier: GPL-2.0

//! Lists in the manner of util-linux: columns to choose from, without headings, raw, or as JSON.

use crate::output::{Hinted, print};
use altpid::snapshot::Numbers;
use altpid_command::tree::Line;
use anyhow::Result;
use clap::builder::{PossibleValue, TypedValueParser};
use serde_json::{Map, Value, json};
use std::{ffi::OsStr, fmt::Write};
use unicode_width::UnicodeWidthStr;

/// How a list is written.
#[derive(clap::Args, Default)]
pub struct Format {
    /// As JSON
    #[arg(short = 'J', long)]
    pub json: bool,
    /// These columns, by their names with commas between; +NAME adds to the usual ones
    #[arg(short, long, value_name = "LIST", hide_possible_values = true)]
    output: Option<String>,
    /// Without a line of headings
    #[arg(short, long)]
    noheadings: bool,
    /// One blank between columns, and none in them
    #[arg(short, long, conflicts_with = "json")]
    raw: bool,
}

/// A column of a list of `R`.
pub struct Column<R: 'static> {
    /// What it is called, and in lower case in JSON.
    pub name: &'static str,
    /// What is in it.
    pub help: &'static str,
    /// Whether it is there without being asked for.
    pub usual: bool,
    /// What a row has there.
    pub value: fn(&R) -> Value,
}

impl<R> Column<R> {
    /// One that is there without being asked for.
    pub const fn usual(name: &'static str, help: &'static str, value: fn(&R) -> Value) -> Self {
        let usual = true;
        Self {
            name,
            help,
            usual,
            value,
        }
    }

    /// One that is there for whom asks.
    pub const fn other(name: &'static str, help: &'static str, value: fn(&R) -> Value) -> Self {
        let usual = false;
        Self {
            name,
            help,
            usual,
            value,
        }
    }
}

/// The columns there are, for a help text.
pub fn describe<R>(columns: &[Column<R>]) -> String {
    columns.iter().fold(String::new(), |mut text, column| {
        _ = writeln!(text, "  {:<9} {}", column.name, column.help);
        text
    })
}

/// Takes any list of columns; completes their names.
#[derive(Clone)]
pub struct ColumnNames(pub Vec<&'static str>);

impl TypedValueParser for ColumnNames {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        // What a name may be is said when the list is made, with the names that there are.
        clap::builder::StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

/// The names of columns.
pub fn names<R>(columns: &[Column<R>]) -> Vec<&'static str> {
    columns.iter().map(|column| column.name).collect()
}

/// What stands in a cell.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let numbers: Vec<i32> = items
                .iter()
                .filter_map(|item| i32::try_from(item.as_i64()?).ok())
                .collect();
            if numbers.is_empty() {
                "-".into()
            } else {
                Numbers(&numbers).to_string()
            }
        }
        other => other.to_string(),
    }
}

impl Format {
    /// The columns that are wanted.
    fn choose<'a, R>(&self, columns: &'a [Column<R>]) -> Result<Vec<&'a Column<R>>> {
        let usual = || columns.iter().filter(|column| column.usual);
        let Some(list) = &self.output else {
            return Ok(usual().collect());
        };
        let (mut chosen, list) = match list.strip_prefix('+') {
            Some(more) => (usual().collect(), more),
            None => (Vec::new(), list.as_str()),
        };
        for name in list.split(',') {
            let found = columns.iter().find(|c| c.name.eq_ignore_ascii_case(name));
            let names: Vec<_> = columns.iter().map(|column| column.name).collect();
            chosen.push(found.ok_or_else(|| {
                Hinted::usage(
                    format!("unknown column: {name}"),
                    format!("there are {}", names.join(", ")),
                )
            })?);
        }
        Ok(chosen)
    }

    /// Writes rows. With the lines of a tree, one for each row, they are drawn so: the prefix goes
    /// before what is in the column `tree`, or in the first one.
    pub fn write<R>(
        &self,
        name: &str,
        columns: &[Column<R>],
        rows: &[R],
        tree: Option<(&str, &[Line])>,
    ) -> Result<()> {
        let chosen = self.choose(columns)?;
        if self.json {
            let depths = tree.map(|(_, lines)| lines.iter().map(|line| line.depth).collect());
            return write_json(name, &chosen, rows, depths);
        }
        let drawn = tree.map(|(name, lines)| {
            let at = chosen.iter().position(|column| column.name == name);
            (at.unwrap_or(0), lines)
        });
        let cells = rows.iter().enumerate().map(|(row, value)| {
            let cells = chosen.iter().enumerate().map(|(at, column)| {
                let cell = text(&(column.value)(value));
                match drawn {
                    Some((tree, lines)) if tree == at => format!("{}{cell}", lines[row].prefix),
                    _ => cell,
                }
            });
            cells.collect::<Vec<_>>()
        });
        let headings = chosen.iter().map(|column| column.name.to_owned());
        let headings = (!self.noheadings).then(|| headings.collect());
        let lines = headings.into_iter().chain(cells);
        if self.raw {
            let lines = lines.map(|cells| {
                let cells: Vec<_> = cells
                    .iter()
                    .map(|cell| cell.replace(' ', "\\x20"))
                    .collect();
                cells.join(" ") + "\n"
            });
            return print(lines.collect::<String>().as_bytes());
        }
        let lines: Vec<Vec<String>> = lines.collect();
        let is_right: Vec<bool> = (0..chosen.len())
            .map(|at| {
                let is_tree = drawn.is_some_and(|(tree, _)| tree == at);
                let is_number = |row| matches!((chosen[at].value)(row), Value::Number(_));
                !is_tree && rows.iter().any(is_number)
            })
            .collect();
        print(align(&lines, &is_right).as_bytes())
    }
}

/// Lines of cells below each other, a blank between columns.
fn align(lines: &[Vec<String>], is_right: &[bool]) -> String {
    let mut widths = vec![0; is_right.len()];
    for cells in lines {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for cells in lines {
        for (at, cell) in cells.iter().enumerate() {
            let blanks = " ".repeat(widths[at] - cell.width());
            let blank = if at == 0 { "" } else { " " };
            if is_right[at] {
                _ = write!(text, "{blank}{blanks}{cell}");
            } else {
                _ = write!(text, "{blank}{cell}{blanks}");
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text
}

/// Levels of a tree in JSON, as many as readers take.
const DEEPEST: usize = 100;

/// Rows as objects; with their depths in a tree, each has those below it as `children`.
fn write_json<R>(
    name: &str,
    columns: &[&Column<R>],
    rows: &[R],
    depths: Option<Vec<usize>>,
) -> Result<()> {
    let object = |row: &R| {
        let members = columns
            .iter()
            .map(|column| (column.name.to_ascii_lowercase(), (column.value)(row)));
        members.collect::<Map<_, _>>()
    };
    let depths = depths.unwrap_or_else(|| vec![0; rows.len()]);
    if let Some(depth) = depths.iter().max().filter(|&&depth| depth > DEEPEST) {
        return Err(Hinted::failure(
            format!("a tree of {depth} levels is too deep for JSON"),
            "without -T it is a list, in which PPID says the parent",
        ));
    }
    // Those that are not complete yet, each below the one before it; the first is the list itself.
    let mut open: Vec<(Map<String, Value>, Vec<Value>)> = vec![Default::default()];
    let close = |open: &mut Vec<(Map<String, Value>, Vec<Value>)>| {
        if let Some((mut object, children)) = open.pop()
            && let Some((_, list)) = open.last_mut()
        {
            if !children.is_empty() {
                object.insert("children".into(), Value::Array(children));
            }
            list.push(Value::Object(object));
        }
    };
    for (row, depth) in rows.iter().zip(depths) {
        while open.len() > depth + 1 {
            close(&mut open);
        }
        open.push((object(row), Vec::new()));
    }
    while open.len() > 1 {
        close(&mut open);
    }
    let list = open.pop().map(|(_, list)| list).unwrap_or_default();
    let text = serde_json::to_string_pretty(&json!({ name: list }))?;
    print(format!("{text}\n").as_bytes())
}
