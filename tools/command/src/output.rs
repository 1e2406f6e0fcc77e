// SPDX-License-Identifier: GPL-2.0

//! What the verbs write: results to standard output, messages to standard error.

use altpid::view::View;
use altpid_command::tree::{Style, draw};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::termios::tcgetwinsize;
use std::{
    fmt,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};
use unicode_width::UnicodeWidthStr;

/// The exit status when something is not as it should be.
pub const DIFFERS: u8 = 3;

/// An error with what may help.
#[derive(Debug)]
pub struct Hinted {
    what: String,
    hint: String,
    status: u8,
}

impl Hinted {
    fn error(what: String, hint: impl Into<String>, status: u8) -> anyhow::Error {
        let hint = hint.into();
        Self { what, hint, status }.into()
    }

    /// Something that failed.
    pub fn failure(what: String, hint: impl Into<String>) -> anyhow::Error {
        Self::error(what, hint, 1)
    }

    /// Something that was typed wrongly.
    pub fn usage(what: String, hint: impl Into<String>) -> anyhow::Error {
        Self::error(what, hint, 2)
    }

    /// Something that was asked for and is not there.
    pub fn absent(what: String, hint: impl Into<String>) -> anyhow::Error {
        Self::error(what, hint, DIFFERS)
    }
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Hinted {}

/// So many of something.
pub fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Writes a result.
pub fn print(text: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text)
        .and_then(|()| out.flush())
        .context("standard output")
}

/// Writes a text of several lines; on a terminal no word of it is split at the edge.
pub fn print_folded(text: &str) -> Result<()> {
    print(folded(text).as_bytes())
}

/// A text as the terminal has room for it; as it is if it does not go to one.
pub fn folded(text: &str) -> String {
    let out = io::stdout();
    let columns = match out.is_terminal() {
        true => tcgetwinsize(&out).map_or(0, |size| size.ws_col.into()),
        false => 0,
    };
    fold(text, columns)
}

/// A text with lines of at most so many columns, if there are words to divide them between. What goes
/// on stands below the beginning of the line, or below its second column if it has some. 0 is no limit.
fn fold(text: &str, columns: usize) -> String {
    let mut folded = String::new();
    for line in text.lines() {
        if columns == 0 || line.width() <= columns {
            folded += &format!("{line}\n");
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let second = line.trim_start().find("  ").map(|at| {
            let rest = &line[indent + at..];
            indent + at + (rest.len() - rest.trim_start().len())
        });
        let below = second.filter(|&at| at < columns / 3 * 2).unwrap_or(indent);
        let (mut row, mut is_empty) = (line[..below].to_owned(), true);
        for word in line[below..].split_whitespace() {
            if !is_empty && row.width() + 1 + word.width() > columns {
                folded += &format!("{row}\n");
                (row, is_empty) = (" ".repeat(below), true);
            }
            if !is_empty {
                row.push(' ');
            }
            row.push_str(word);
            is_empty = false;
        }
        folded += &format!("{row}\n");
    }
    folded
}

/// Writes a line of a result.
pub fn print_line(line: &str) -> Result<()> {
    print(format!("{line}\n").as_bytes())
}

/// Writes a result as JSON.
pub fn print_json(value: &serde_json::Value) -> Result<()> {
    print(format!("{}\n", serde_json::to_string_pretty(value)?).as_bytes())
}

/// Writes a long result piece by piece.
pub fn print_with(
    write: impl FnOnce(&mut io::BufWriter<io::StdoutLock<'_>>) -> io::Result<()>,
) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)
        .and_then(|()| out.flush())
        .context("standard output")
}

/// Whether the locale has no characters but those of ASCII: of the variables that say which it is, the
/// first one that is set names no UTF-8.
fn is_ascii_locale() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| {
        let value = std::env::var(name).ok()?;
        (!value.is_empty()).then_some(value)
    });
    set.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}

/// How standard output is to look; in ASCII if that is asked for, or the locale has nothing else.
pub fn style(ascii: bool) -> Style {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Style {
        color: io::stdout().is_terminal() && !no_color,
        ascii: ascii || is_ascii_locale(),
    }
}

/// Draws a tree.
pub fn show_tree(view: &View, ascii: bool) -> Result<()> {
    print_with(|out| draw(out, view, style(ascii)))
}

/// Shows on a terminal how far something long is, if there are many steps.
pub fn progress(what: &'static str) -> impl FnMut(usize, usize) {
    const MANY: usize = 5000;
    let mut bar: Option<ProgressBar> = None;
    move |done, all| {
        if all < MANY || done % 256 != 0 && done != all {
            return;
        }
        let bar = bar.get_or_insert_with(|| {
            // Not drawn when standard error is no terminal.
            let target = ProgressDrawTarget::stderr();
            let bar = ProgressBar::with_draw_target(Some(all as u64), target);
            let style =
                ProgressStyle::with_template("altpid: {msg} [{bar:30}] {pos}/{len}, {eta} left");
            bar.with_style(
                style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            )
            .with_message(what)
        });
        bar.set_position(done as u64);
        if done == all {
            bar.finish_and_clear();
        }
    }
}

/// Not to be able to write is an error, unless nobody wants to read.
pub fn unless_broken_pipe(result: Result<()>) -> Result<()> {
    result.or_else(|error| {
        if is_broken_pipe(&error) {
            Ok(())
        } else {
            Err(error)
        }
    })
}

/// Whether nobody wants to read any more.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Says what failed, and what may help; returns the exit status.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("altpid: {}", chain(error));
    for hint in hints(error) {
        eprintln!("        {hint}");
    }
    let hinted = error.downcast_ref::<Hinted>();
    hinted.map_or(1, |hinted| hinted.status).into()
}

/// An error and its causes in one line.
fn chain(error: &anyhow::Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}

/// What may help.
fn hints(error: &anyhow::Error) -> Vec<&str> {
    if let Some(hinted) = error.downcast_ref::<Hinted>() {
        return hinted.hint.lines().collect();
    }
    let Some(error) = error.downcast_ref::<altpid::Error>() else {
        return Vec::new();
    };
    match (error.verb, error.errno.kind()) {
        ("open", io::ErrorKind::NotFound) => {
            vec!["is the module loaded? try: insmod altpid.ko"]
        }
        ("open", io::ErrorKind::PermissionDenied) => {
            vec!["the device is root's; try as root"]
        }
        ("pidfd_getfd", io::ErrorKind::PermissionDenied) => {
            vec!["only who could trace a process can look at its world; try as root"]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn no_word_is_split() {
        let text = "clone      a new process or thread\n  plain words that go on and on\nlooooooooooooooooooooooooong\n";
        let folded = "\
clone      a new process
           or thread
  plain words that go on
  and on
looooooooooooooooooooooooong
";
        assert_eq!(fold(text, 24), folded);
        assert_eq!(fold(text, 0), text);
        assert_eq!(fold(text, 80), text);
    }
}
