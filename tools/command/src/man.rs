// SPDX-License-Identifier: GPL-2.0

//! Man pages: what clap knows of a command, and what is said behind its help, in sections of their
//! own.

use clap::Command;
use clap_mangen::Man;
use std::{fmt::Write, fs, io, path::Path};

/// Which words begin a section of what is said behind a help, and what it is called in a page.
const SECTIONS: &[(&str, &str)] = &[
    ("Examples", "EXAMPLES"),
    ("Example", "EXAMPLES"),
    ("Exit status", "EXIT STATUS"),
    ("Environment", "ENVIRONMENT"),
    ("Columns", "COLUMNS"),
    ("Columns of tasks", "COLUMNS OF TASKS"),
    ("Columns of namespaces", "COLUMNS OF NAMESPACES"),
];

/// What is said when nothing else is.
const STATUS: &str = "0 if all went well, 1 if something failed, 2 for wrong usage.";

/// Writes a page for a command and one for each of its verbs that is shown, into a directory.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write(mut command: Command, directory: &Path) -> io::Result<()> {
    command.build();
    page(&command, None, directory)?;
    for verb in command.get_subcommands() {
        if !verb.is_hide_set() && verb.get_name() != "help" {
            page(verb, Some(&command), directory)?;
        }
    }
    Ok(())
}

/// One page, of a verb if there is a command that it is one of.
fn page(of: &Command, command: Option<&Command>, directory: &Path) -> io::Result<()> {
    let name = match command {
        Some(command) => format!("{}-{}", command.get_name(), of.get_name()),
        None => of.get_name().to_owned(),
    };
    let man = Man::new(of.clone()).title(name.clone());
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.is_none() {
        man.render_subcommands_section(&mut out)?;
    }
    let said = of.get_after_long_help().or(of.get_after_help());
    let said = said.map(ToString::to_string).unwrap_or_default();
    let mut sections = sections(&said);
    match sections
        .iter_mut()
        .find(|(title, _)| title == "EXIT STATUS")
    {
        Some((_, text)) if text.starts_with('3') => *text = format!("{STATUS} {text}"),
        Some(_) => {}
        None => sections.push(("EXIT STATUS".into(), STATUS.into())),
    }
    // Where readers look for them.
    sections.sort_by_key(|(title, _)| match title.as_str() {
        "EXAMPLES" => 2,
        "EXIT STATUS" => 1,
        _ => 0,
    });
    let mut text = String::new();
    for (title, body) in &sections {
        section(&mut text, title, body);
    }
    let others = match command {
        Some(command) => format!("{}(1), lsns(8), pid_namespaces(7)", command.get_name()),
        None => "pid_namespaces(7), lsns(8), unshare(1), nsenter(1)".to_owned(),
    };
    section(&mut text, "SEE ALSO", &others);
    out.extend(text.into_bytes());
    fs::write(directory.join(format!("{name}.1")), out)
}

/// The parts of what is said behind a help: the title and the text of each.
fn sections(said: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in said.lines() {
        let known = line.split_once(':').and_then(|(word, rest)| {
            let section = SECTIONS.iter().find(|(begin, _)| *begin == word)?;
            Some((section.1, rest))
        });
        if let Some((title, rest)) = known {
            sections.push((title.to_owned(), rest.trim_start().to_owned()));
            continue;
        }
        if sections.is_empty() {
            sections.push(("NOTES".into(), String::new()));
        }
        if let Some((_, text)) = sections.last_mut() {
            text.push('\n');
            text.push_str(line);
        }
    }
    sections.retain(|(_, text)| !text.trim().is_empty());
    sections
}

/// A section. Lines that are indented stay as they are.
fn section(out: &mut String, title: &str, body: &str) {
    _ = writeln!(out, ".SH \"{title}\"");
    let body = body.trim_matches('\n');
    let is_verbatim = title == "EXAMPLES" || body.lines().any(|line| line.starts_with("  "));
    if is_verbatim {
        out.push_str(".nf\n");
    }
    for line in body.lines() {
        let line = line.strip_prefix("  ").unwrap_or(line);
        let escaped = line.replace('\\', "\\\\").replace('-', "\\-");
        // A line that began with one of these would be a request.
        let guard = if escaped.starts_with(['.', '\'']) {
            "\\&"
        } else {
            ""
        };
        _ = writeln!(out, "{guard}{escaped}");
    }
    if is_verbatim {
        out.push_str(".fi\n");
    }
}
