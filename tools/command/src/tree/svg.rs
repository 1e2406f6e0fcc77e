// SPDX-License-Identifier: GPL-2.0

//! The tree as a picture: a box for each namespace with its tasks, and each of their numbers in the
//! colour of the level that it is a number at.

use super::boxes::{CHAR, Frame, GAP, INDENT, LINE, Repeated, Row, TITLE, frames};
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

/// What something is painted with on a light page and on a dark one.
type Both = (&'static str, &'static str);

/// What the levels look like, over and over: the area of a box, its edge, and what is written in its
/// colour.
const COLORS: [(Both, Both, Both); 6] = [
    (
        ("#f6f8fa", "#161b22"),
        ("#aab6c2", "#484f58"),
        ("#4a5a6a", "#a9b6c4"),
    ),
    (
        ("#e7f0fb", "#12233a"),
        ("#6f9fd8", "#3a6ea5"),
        ("#1f5fae", "#79b8ff"),
    ),
    (
        ("#e6f5ec", "#12291d"),
        ("#66b08a", "#3a7d5a"),
        ("#1c7a4b", "#7ee2a8"),
    ),
    (
        ("#fdf2dd", "#2d2410"),
        ("#d9a648", "#8a6a25"),
        ("#96620a", "#f0c674"),
    ),
    (
        ("#f3ebfb", "#251a33"),
        ("#a988d3", "#6f559a"),
        ("#6b3fa8", "#c9a8f5"),
    ),
    (
        ("#fceaea", "#331a1a"),
        ("#d98484", "#985050"),
        ("#a93a3a", "#ff9d9d"),
    ),
];

/// What else there is, by class: text, what is said beside it, names of the dead, lines, strokes between
/// numbers, the page.
const PLAIN: [(&str, &str, Both); 6] = [
    ("text", "fill", ("#1d2733", "#e6edf3")),
    (".s, .n, .r", "fill", ("#6b7885", "#8b98a5")),
    (".z", "fill", ("#9aa4ae", "#6e7681")),
    (".g", "stroke", ("#b6c0ca", "#4d5762")),
    (".d", "fill", ("#a8b2bc", "#6e7681")),
    (".p", "fill", ("#fff", "#0d1117")),
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
         white-space: pre }}\n\
         .t, .i {{ font-weight: bold }}\n\
         .s, .n {{ font-size: 10.5px }}\n\
         .z {{ text-decoration: line-through }}\n\
         .r {{ font-style: italic }}\n\
         .g {{ fill: none; stroke-width: 1 }}\n\
         .b {{ stroke-width: 1.2 }}"
    )?;
    colors(out, |both| both.0)?;
    writeln!(out, "@media (prefers-color-scheme: dark) {{")?;
    colors(out, |both| both.1)?;
    writeln!(out, "}}\n</style>")
}

/// The colours, for a page of one kind.
fn colors(out: &mut impl Write, choose: fn(&Both) -> &'static str) -> io::Result<()> {
    for (class, what, both) in &PLAIN {
        writeln!(out, "{class} {{ {what}: {} }}", choose(both))?;
    }
    for (i, (area, edge, ink)) in COLORS.iter().enumerate() {
        let (area, edge, ink) = (choose(area), choose(edge), choose(ink));
        writeln!(out, ".b{i} {{ fill: {area}; stroke: {edge} }}")?;
        writeln!(out, ".c{i} {{ fill: {ink} }}")?;
    }
    Ok(())
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
    writeln!(out, "<rect class=\"p\" width=\"100%\" height=\"100%\"/>")?;
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
        draw_branch(out, row)?;
    }
    for repeated in &frame.repeated {
        draw_repeated(out, &frame.rows[repeated.row], repeated)?;
    }
    for row in &frame.rows {
        draw_row(out, row)?;
    }
    if let Some(words) = &frame.left_out {
        let y = frame.more_y() + 13.0;
        writeln!(
            out,
            "<text class=\"n\" x=\"{GAP}\" y=\"{y:.1}\">{words}</text>"
        )?;
    }
    writeln!(out, "</g>")
}

/// From a parent to its child.
fn draw_branch(out: &mut impl Write, row: &Row<'_>) -> io::Result<()> {
    let Some(y) = row.branch_y.filter(|_| row.indent > 0.0) else {
        return Ok(());
    };
    let x = row.x + row.indent - INDENT + 4.0;
    writeln!(
        out,
        "<path class=\"g\" d=\"M{x:.1} {:.1}V{:.1}H{:.1}\"/>",
        y + LINE - 2.0,
        row.y + LINE / 2.0,
        x + INDENT - 6.0,
    )
}

/// A task again, as the ancestor of those below it.
fn draw_repeated(out: &mut impl Write, row: &Row<'_>, at: &Repeated) -> io::Result<()> {
    let y = at.y + 13.5;
    writeln!(
        out,
        "<text class=\"r\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>\
         <text class=\"r\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
        at.x + at.indent,
        Numbers(&row.task.pid),
        at.name_x,
        escape(&row.name),
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
