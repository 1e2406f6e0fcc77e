// SPDX-License-Identifier: GPL-2.0

//! The tree as a picture: a box for each namespace with its tasks, and each of their numbers in the
//! colour of the level that it is a number at.

use super::boxes::{CHAR, Frame, GAP, INDENT, LINE, Row, TITLE, frames};
use altpid::{
    TaskState,
    snapshot::{Comm, Numbers},
    view::View,
};
use std::{
    borrow::Cow,
    io::{self, Write},
};
use unicode_width::UnicodeWidthStr;

/// What the levels look like, over and over: the area of a box, its edge, and what is written in its
/// colour.
const COLORS: [(&str, &str, &str); 6] = [
    ("#f6f8fa", "#aab6c2", "#4a5a6a"),
    ("#e7f0fb", "#6f9fd8", "#1f5fae"),
    ("#e6f5ec", "#66b08a", "#1c7a4b"),
    ("#fdf2dd", "#d9a648", "#96620a"),
    ("#f3ebfb", "#a988d3", "#6b3fa8"),
    ("#fceaea", "#d98484", "#a93a3a"),
];

/// What may stand in XML: control characters may not.
fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out.into()
}

fn style(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<style>\n\
         text {{ font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 12px; \
         fill: #1d2733; white-space: pre }}\n\
         .t {{ font-weight: bold }}\n\
         .s, .n {{ fill: #6b7885; font-size: 10.5px }}\n\
         .i {{ font-weight: bold }}\n\
         .z {{ fill: #9aa4ae; text-decoration: line-through }}\n\
         .g {{ fill: none; stroke: #b6c0ca; stroke-width: 1 }}\n\
         .d {{ fill: #a8b2bc }}\n\
         .b {{ stroke-width: 1.2 }}"
    )?;
    for (i, (area, edge, ink)) in COLORS.iter().enumerate() {
        writeln!(out, ".b{i} {{ fill: {area}; stroke: {edge} }}")?;
        writeln!(out, ".c{i} {{ fill: {ink} }}")?;
    }
    writeln!(out, "</style>")
}

/// Draws the namespaces of a view as nested boxes, with at most `most` tasks in each.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn svg(out: &mut impl Write, view: &View, most: usize) -> io::Result<()> {
    let frames = frames(view, most);
    let (width, height) = frames
        .first()
        .map_or((0.0, 0.0), |root| (root.width, root.height));
    let (width, height) = (width + 2.0 * GAP, height + 2.0 * GAP);
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">"
    )?;
    writeln!(
        out,
        "<title>Tasks and their numbers in {} pid namespaces</title>",
        frames.len()
    )?;
    style(out)?;
    writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>")?;
    for frame in &frames {
        draw_frame(out, frame)?;
    }
    writeln!(out, "</svg>")?;
    out.flush()
}

fn color(level: usize) -> usize {
    level % COLORS.len()
}

fn draw_frame(out: &mut impl Write, frame: &Frame<'_>) -> io::Result<()> {
    let (x, y) = (frame.x + GAP, frame.y + GAP);
    let color = color(frame.level as usize);
    writeln!(
        out,
        "<g id=\"ns-{}\" transform=\"translate({x:.1} {y:.1})\">",
        frame.ns.0
    )?;
    writeln!(
        out,
        "<rect class=\"b b{color}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"7\"/>",
        frame.width, frame.height
    )?;
    writeln!(
        out,
        "<text class=\"t c{color}\" x=\"{GAP}\" y=\"{:.1}\">{}</text>\
         <text class=\"s\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
        TITLE - 8.0,
        escape(&frame.title),
        frame.width - GAP,
        TITLE - 8.0,
        escape(&frame.note),
    )?;
    for row in &frame.rows {
        if let Some(parent) = row.parent.map(|parent| &frame.rows[parent]) {
            draw_branch(out, parent, row)?;
        }
    }
    for row in &frame.rows {
        draw_row(out, row)?;
    }
    if frame.left_out > 0 {
        let y = frame.more_y() + 13.0;
        writeln!(
            out,
            "<text class=\"n\" x=\"{GAP}\" y=\"{y:.1}\">… and {} more</text>",
            frame.left_out
        )?;
    }
    writeln!(out, "</g>")
}

/// From a parent to its child, if they are in the same column.
fn draw_branch(out: &mut impl Write, parent: &Row<'_>, row: &Row<'_>) -> io::Result<()> {
    if parent.column != row.column || row.indent <= parent.indent {
        return Ok(());
    }
    let x = row.x + row.indent - INDENT + 4.0;
    writeln!(
        out,
        "<path class=\"g\" d=\"M{x:.1} {:.1}V{:.1}H{:.1}\"/>",
        parent.y + LINE - 2.0,
        row.y + LINE / 2.0,
        x + INDENT - 6.0,
    )
}

fn draw_row(out: &mut impl Write, row: &Row<'_>) -> io::Result<()> {
    let y = row.y + 13.5;
    let task = row.task;
    write!(
        out,
        "<g><title>{} {}: group {}, session {}</title><text x=\"{:.1}\" y=\"{y:.1}\">",
        Numbers(&task.pid),
        escape(&Comm::new(&task.comm).to_string()),
        Numbers(&task.pgid),
        Numbers(&task.sid),
        row.x + row.indent,
    )?;
    for (level, nr) in task.pid.iter().enumerate() {
        if level > 0 {
            write!(out, "<tspan class=\"d\">/</tspan>")?;
        }
        write!(out, "<tspan class=\"c{}\">{nr}</tspan>", color(level))?;
    }
    let class = match task.state {
        TaskState::Zombie => " class=\"z\"",
        _ if task.is_reaper => " class=\"i\"",
        _ => "",
    };
    write!(
        out,
        "</text><text{class} x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
        row.name_x,
        escape(&row.name)
    )?;
    if !row.note.is_empty() {
        let x = row.name_x + (row.name.width() as f64 + 1.0) * CHAR;
        write!(
            out,
            "<text class=\"n\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            escape(&row.note)
        )?;
    }
    writeln!(out, "</g>")
}
