// SPDX-License-Identifier: GPL-2.0

//! `altpid watch`

use crate::{
    output::{print, style},
    place::{Chosen, Place},
};
use altpid::{CloneFlags, Event, EventKind, Events, NsId, TaskId, names};
use altpid_command::tree::draw;
use anyhow::{Context, Result};
use rustix::{io::Errno, termios::tcgetwinsize};
use serde_json::json;
use std::{
    fmt::Write as _,
    io::{self, IsTerminal},
    process::ExitCode,
    thread::sleep,
    time::Duration,
};

/// Show what happens in a world, as it happens
///
/// On a terminal the tree is drawn, and drawn again in place when something has happened, above the
/// last events. Elsewhere, or with --lines, each event is a line: its number, what it is, and to whom.
/// It ends when it is interrupted, or after --count events.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  altpid watch\n  altpid watch -J | jq .type")]
pub struct Args {
    /// Lines, on a terminal too
    #[arg(short, long)]
    lines: bool,
    /// Each event as a line of JSON
    #[arg(short = 'J', long)]
    json: bool,
    /// Begin with the event of this number, if it is still known
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// End after so many events
    #[arg(short, long, value_name = "N")]
    count: Option<u64>,
    #[command(flatten)]
    place: Place,
}

impl Args {
    pub fn run(self) -> Result<ExitCode> {
        let chosen = self.place.chosen()?;
        let world = &chosen.world;
        let mut events = world.events()?;
        if let Some(from) = self.from {
            events.seek(from);
        }
        if self.lines || self.json || !io::stdout().is_terminal() {
            self.write_lines(&mut events)?;
        } else {
            self.draw(&chosen, &mut events)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn write_lines(&self, events: &mut Events<'_>) -> Result<()> {
        let mut left = self.count.unwrap_or(u64::MAX);
        while left > 0 {
            let some = next(events, true)?;
            let text: String = some
                .iter()
                .take(usize::try_from(left).unwrap_or(usize::MAX))
                .map(|event| if self.json { json_of(event) } else { line(event) } + "\n")
                .collect();
            left = left.saturating_sub(some.len() as u64);
            print(text.as_bytes())?;
        }
        Ok(())
    }

    /// Draws the tree, again and again in the same place.
    fn draw(&self, chosen: &Chosen, events: &mut Events<'_>) -> Result<()> {
        /// Between two drawings.
        const PAUSE: Duration = Duration::from_millis(50);
        let (mut drawn, mut left) = (0, self.count.unwrap_or(u64::MAX));
        let mut last: Vec<String> = Vec::new();
        loop {
            let text = screen(chosen, &last)?;
            // Up to where the last drawing began; what is left of it goes.
            let up = if drawn > 0 {
                format!("\x1b[{drawn}A")
            } else {
                String::new()
            };
            print(format!("{up}\r\x1b[J{text}").as_bytes())?;
            drawn = text.lines().count();
            if left == 0 {
                return Ok(());
            }
            let mut some = next(events, true)?;
            while !some.is_empty() && left > 0 {
                left = left.saturating_sub(some.len() as u64);
                last.extend(some.iter().map(line));
                last.drain(..last.len().saturating_sub(LAST));
                some = next(events, false)?;
            }
            sleep(PAUSE);
        }
    }
}

/// How many of the last events are shown below the tree.
const LAST: usize = 5;

/// The next events; a signal that does not end the command does not end the reading either.
fn next(events: &mut Events<'_>, wait: bool) -> Result<Vec<Event>> {
    loop {
        match events.read(wait) {
            Err(error) if error.errno == Errno::INTR => {}
            read => return Ok(read?),
        }
    }
}

/// The tree and the last events, as much as there is room for.
fn screen(chosen: &Chosen, last: &[String]) -> Result<String> {
    let (rows, columns) = tcgetwinsize(io::stdout())
        .map_or((24, 80), |size| (size.ws_row.into(), size.ws_col.into()));
    let mut tree = Vec::new();
    draw(&mut tree, &chosen.view()?, style(false)).context("the tree")?;
    let tree = String::from_utf8_lossy(&tree).into_owned();
    let lines: Vec<&str> = tree.lines().collect();
    // One for the line that says how many are left out, one between, one for the cursor.
    let room = usize::saturating_sub(rows, LAST + 3).max(1);
    let mut text = String::new();
    for line in lines.iter().take(room) {
        _ = writeln!(text, "{}", cut(line, columns));
    }
    if lines.len() > room {
        _ = writeln!(text, "… and {} more", lines.len() - room);
    }
    text.push('\n');
    for line in last {
        _ = writeln!(text, "{}", cut(line, columns));
    }
    Ok(text)
}

/// The beginning of a line that fits, with what colours it.
fn cut(line: &str, columns: usize) -> String {
    let (mut text, mut width, mut in_code) = (String::new(), 0, false);
    for c in line.chars() {
        if c == '\x1b' {
            in_code = true;
        }
        if !in_code {
            width += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
            if width > columns {
                break;
            }
        }
        text.push(c);
        in_code &= c != 'm';
    }
    if text.contains('\x1b') {
        text += "\x1b[0m";
    }
    text
}

/// What kind of event it is.
fn name(kind: EventKind) -> String {
    match kind {
        EventKind::Unknown(number) => format!("event {number}"),
        known => known.name().to_owned(),
    }
}

/// What belongs to an event, by what name, and as people read it.
fn more(event: &Event) -> Option<(&'static str, serde_json::Value, String)> {
    let kind = event.kind;
    let task = |id: Option<TaskId>| json!(id.map(|id| id.0));
    let who = |id: Option<TaskId>| id.map_or("outside".into(), |id| format!("task:{}", id.0));
    Some(match kind {
        EventKind::Clone(parent) if event.flags.contains(CloneFlags::THREAD) => {
            ("parent", task(parent), "as a thread".into())
        }
        EventKind::Clone(parent) => ("parent", task(parent), format!("by {}", who(parent))),
        EventKind::Exit(status) if event.threads > 0 => {
            let threads = match event.threads {
                1 => "1 thread lives".to_owned(),
                more => format!("{more} threads live"),
            };
            let words = format!("{}, {threads} on", names::status(status));
            ("status", json!(status), words)
        }
        EventKind::Exit(status) | EventKind::Reap(status) => {
            ("status", json!(status), names::status(status))
        }
        EventKind::Reparent(parent) => ("parent", task(parent), format!("to {}", who(parent))),
        EventKind::Stop(signal) => ("signal", json!(signal), names::signal(signal)),
        EventKind::NsBorn(NsId(above)) => ("above", json!(above), format!("below ns:{above}")),
        EventKind::Lost(count) => ("count", json!(count), format!("{count} events")),
        EventKind::Exec
        | EventKind::Continue
        | EventKind::NsDying
        | EventKind::NsDead
        | EventKind::Unknown(_) => return None,
    })
}

fn line(event: &Event) -> String {
    let mut text = format!("{:>6} {:<9}", event.seq, name(event.kind));
    let ns = event.ns.map(|ns| ns.0);
    match (event.pid, ns) {
        (0, Some(ns)) => _ = write!(text, " ns:{ns}"),
        (pid, Some(ns)) if event.nr != pid => _ = write!(text, " {pid} {}@{ns}", event.nr),
        (0, None) => {}
        (pid, _) => _ = write!(text, " {pid}"),
    }
    if let Some(task) = event.task {
        _ = write!(text, " task:{}", task.0);
    }
    if let Some((_, _, words)) = more(event) {
        _ = write!(text, " {words}");
    }
    text
}

fn json_of(event: &Event) -> String {
    let mut value = json!({ "seq": event.seq, "type": name(event.kind) });
    if let Some(task) = event.task {
        value["task"] = json!(task.0);
    }
    if let Some(ns) = event.ns {
        value["ns"] = json!(ns.0);
    }
    if event.pid != 0 {
        value["pid"] = json!(event.pid);
        value["nr"] = json!(event.nr);
    }
    if let Some((member, more, _)) = more(event) {
        value[member] = more;
    }
    match event.kind {
        EventKind::Clone(_) => value["flags"] = json!(event.flags.bits()),
        EventKind::Exit(_) => value["threads"] = json!(event.threads),
        _ => {}
    }
    value.to_string()
}
