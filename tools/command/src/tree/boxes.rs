// SPDX-License-Identifier: GPL-2.0

//! Where the boxes of namespaces go, and the tasks in them.
//!
//! A box has its tasks in columns, and beside or below them the boxes of the namespaces right below,
//! on shelves. Of the ways to arrange them the one is taken that comes nearest to the format of a
//! page. Sizes are worked out from the deepest namespaces up, places from the top down.

use super::{lines, parents};
use altpid::{
    Ns, NsId, NsState, Task, TaskState,
    snapshot::{Comm, Numbers},
    view::View,
};
use std::collections::HashMap;
use unicode_width::UnicodeWidthStr;

/// The width of a character of the font that is used for everything.
pub(super) const CHAR: f64 = 7.25;
/// The height of a line.
pub(super) const LINE: f64 = 19.0;
/// Between a box and what is in it, and between boxes.
pub(super) const GAP: f64 = 12.0;
/// The height of a box's title.
pub(super) const TITLE: f64 = 26.0;
/// How far a child is indented below its parent.
pub(super) const INDENT: f64 = 14.0;
/// Between columns of tasks.
const GUTTER: f64 = 22.0;
/// How deep tasks are indented at most.
const DEEPEST: usize = 12;
/// Width to height of what looks well.
const FORMAT: f64 = 1.5;
/// The longest name that is shown in full.
const LONGEST: usize = 24;

/// A task in a box.
pub(super) struct Row<'a> {
    pub(super) task: &'a Task,
    /// Its name, shortened if need be.
    pub(super) name: String,
    /// What else there is to say.
    pub(super) note: String,
    /// How far below the first of its tree it is.
    depth: usize,
    /// How far it is indented.
    pub(super) indent: f64,
    /// The row of its parent, if that is in the same box.
    pub(super) parent: Option<usize>,
    /// Where it is, from the corner of the box.
    pub(super) x: f64,
    pub(super) y: f64,
    /// Where its name begins.
    pub(super) name_x: f64,
    /// Where the line to it begins: below its parent, or where that is repeated.
    pub(super) branch_y: Option<f64>,
}

/// A row that is shown again at the top of a column, for some below it are its children.
#[derive(Clone, Copy)]
pub(super) struct Repeated {
    pub(super) row: usize,
    pub(super) indent: f64,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) name_x: f64,
}

/// A namespace.
pub(super) struct Frame<'a> {
    pub(super) ns: NsId,
    pub(super) level: u32,
    pub(super) title: String,
    pub(super) note: String,
    pub(super) rows: Vec<Row<'a>>,
    pub(super) repeated: Vec<Repeated>,
    /// Tasks that are there, and not shown, in words.
    pub(super) left_out: Option<String>,
    pub(super) inside: Vec<usize>,
    /// Where it is: at first from the corner of the box around it, at last of the picture.
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// How large something is.
#[derive(Clone, Copy, Default)]
struct Size {
    width: f64,
    height: f64,
}

impl Size {
    /// The less the better: how large a page it would fill.
    fn page(self) -> f64 {
        (self.width / FORMAT).max(self.height)
    }
}

fn text_width(text: &str) -> f64 {
    text.width() as f64 * CHAR
}

/// A name of bounded length.
fn shorten(comm: &[u8]) -> String {
    let name = Comm::new(comm).to_string();
    if name.chars().count() <= LONGEST {
        return name;
    }
    name.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn note(task: &Task) -> String {
    let mut notes = Vec::new();
    match task.state {
        TaskState::Zombie => notes.push("defunct".to_owned()),
        TaskState::Stopped => notes.push("stopped".to_owned()),
        TaskState::Exiting => notes.push("exiting".to_owned()),
        TaskState::Running => {}
    }
    if task.nr_threads > 1 {
        notes.push(format!("{} threads", task.nr_threads));
    }
    notes.join(", ")
}

/// The tasks to show, at most so many, and what is said of the others. Threads of the kernel, which are
/// children of kthreadd, are left out first.
fn choose<'a>(tasks: Vec<&'a Task>, most: usize) -> (Vec<&'a Task>, Option<String>) {
    let Some(excess) = tasks.len().checked_sub(most).filter(|&excess| excess > 0) else {
        return (tasks, None);
    };
    let of_kernel = |task: &Task| task.pid == [2] && task.comm == b"kthreadd";
    let kthreadd = tasks
        .iter()
        .find(|task| of_kernel(task))
        .map(|task| task.id);
    let is_kernel = |task: &Task| kthreadd.is_some() && task.parent == kthreadd;
    let all = tasks.iter().filter(|task| is_kernel(task)).count();
    let kernel = all.min(excess);
    let mut kept = all - kernel;
    let chosen: Vec<_> = tasks
        .into_iter()
        .filter(|task| {
            let drops = is_kernel(task) && kept == 0;
            kept -= usize::from(is_kernel(task) && !drops);
            !drops
        })
        .collect();
    let words = match (kernel, excess) {
        (0, _) => format!("… and {excess} more"),
        (1, 1) => "… and 1 kernel thread".into(),
        (kernel, _) if kernel == excess => format!("… and {kernel} kernel threads"),
        _ => format!("… and {excess} more, {kernel} of them kernel threads"),
    };
    (chosen, Some(words))
}

/// The rows of the tasks of one namespace, each below its parent.
fn rows<'a>(tasks: &[&'a Task], most: usize) -> Vec<Row<'a>> {
    let parents = parents(tasks);
    let mut row_of = HashMap::new();
    let mut depth = HashMap::new();
    let mut rows: Vec<Row<'a>> = Vec::new();
    for line in lines(&parents, false).into_iter().take(most) {
        let task = tasks[line.at];
        let parent = parents[line.at].and_then(|parent| row_of.get(&parent).copied());
        let deep = parents[line.at].map_or(0, |parent| depth.get(&parent).map_or(0, |d| d + 1));
        row_of.insert(line.at, rows.len());
        depth.insert(line.at, deep);
        rows.push(Row {
            task,
            name: shorten(&task.comm),
            note: note(task),
            depth: deep,
            indent: 0.0,
            parent,
            x: 0.0,
            y: 0.0,
            name_x: 0.0,
            branch_y: None,
        });
    }
    rows
}

/// How many of the first rows make a column of about `per`: it ends where a tree does, if one ends
/// not far above.
fn column_len(rows: &[Row<'_>], per: usize) -> usize {
    if rows.len() <= per {
        return rows.len();
    }
    let least = per - per / 3;
    (least..=per)
        .rev()
        .min_by_key(|&at| rows[at].depth)
        .unwrap_or(per)
}

/// Puts rows into columns of about `per` rows; returns how large they are together, and what is
/// repeated at the top of columns that begin in the middle of a tree.
fn put_into_columns(rows: &mut [Row<'_>], per: usize) -> (Size, Vec<Repeated>) {
    let (mut size, mut all_repeated) = (Size::default(), Vec::new());
    let mut begin = 0;
    for column in 0.. {
        if begin == rows.len() {
            break;
        }
        let end = begin + column_len(&rows[begin..], per.max(1));
        // Parents that stand in a column before. They are ancestors of the first row.
        let mut above: Vec<usize> = rows[begin..end]
            .iter()
            .filter_map(|row| row.parent.filter(|&parent| parent < begin))
            .collect();
        above.sort_unstable();
        above.dedup();
        let shown = || above.iter().copied().chain(begin..end);
        // What begins in the middle of a tree stands at the left all the same.
        let left = shown().map(|at| rows[at].depth).min().unwrap_or(0);
        let indent = |row: &Row<'_>| (row.depth - left).min(DEEPEST) as f64 * INDENT;
        let x = size.width + if column == 0 { 0.0 } else { GUTTER };
        let numbers = |at: usize| {
            let row = &rows[at];
            indent(row) + text_width(&Numbers(&row.task.pid).to_string())
        };
        let names = shown().map(numbers).fold(0.0, f64::max) + 1.5 * CHAR;
        let note = |row: &Row<'_>| match row.note.is_empty() {
            true => 0.0,
            false => text_width(&row.note) + CHAR,
        };
        let width = shown().map(|at| names + text_width(&rows[at].name) + note(&rows[at]));
        let width = width.fold(0.0, f64::max);
        let name_x = x + names;
        let repeated: Vec<_> = above
            .iter()
            .enumerate()
            .map(|(i, &row)| Repeated {
                row,
                indent: indent(&rows[row]),
                x,
                y: i as f64 * LINE,
                name_x,
            })
            .collect();
        for at in begin..end {
            let row = &mut rows[at];
            row.indent = indent(row);
            (row.x, row.y) = (x, (above.len() + at - begin) as f64 * LINE);
            row.name_x = name_x;
            row.branch_y = row.parent.map(|parent| match parent.checked_sub(begin) {
                Some(at) => (above.len() + at) as f64 * LINE,
                None => above.iter().position(|&row| row == parent).unwrap_or(0) as f64 * LINE,
            });
        }
        size.width = x + width;
        size.height = size.height.max((above.len() + end - begin) as f64 * LINE);
        all_repeated.extend(repeated);
        begin = end;
    }
    (size, all_repeated)
}

/// Boxes below each other on a shelf.
struct Stack {
    x: f64,
    width: f64,
    height: f64,
}

/// Puts boxes of these sizes, the highest first, on shelves of a width; returns where each goes, and
/// how large all are together. The first box on a shelf says how high it is; lower ones stand on each
/// other.
fn shelve(sizes: &[Size], most: f64) -> (Vec<(f64, f64)>, Size) {
    let (mut places, mut all) = (Vec::new(), Size::default());
    let (mut y, mut shelf) = (0.0, 0.0);
    let mut stacks: Vec<Stack> = Vec::new();
    for size in sizes {
        let has_room = |stack: &&mut Stack| {
            size.width <= stack.width && stack.height + GAP + size.height <= shelf
        };
        if let Some(stack) = stacks.iter_mut().find(has_room) {
            places.push((stack.x, y + stack.height + GAP));
            stack.height += GAP + size.height;
            continue;
        }
        let mut x = stacks.last().map_or(0.0, |last| last.x + last.width + GAP);
        if stacks.is_empty() || x + size.width > most {
            y += if stacks.is_empty() { 0.0 } else { shelf + GAP };
            (x, shelf) = (0.0, size.height);
            stacks.clear();
        }
        places.push((x, y));
        stacks.push(Stack {
            x,
            width: size.width,
            height: size.height,
        });
        all.width = all.width.max(x + size.width);
        all.height = all.height.max(y + size.height);
    }
    (places, all)
}

/// The best of several ways to shelve boxes, beside or below something of a size: where each goes,
/// and how large everything is.
fn arrange(tasks: Size, sizes: &[Size]) -> (Vec<(f64, f64)>, Size) {
    const WAYS: usize = 48;
    if sizes.is_empty() {
        return (Vec::new(), tasks);
    }
    let widest = sizes.iter().map(|size| size.width).fold(0.0, f64::max);
    let total: f64 = sizes.iter().map(|size| size.width + GAP).sum();
    let ways = (0..=WAYS).map(|way| widest + (total - widest) * (way as f64 / WAYS as f64).powi(2));
    let mut best: Option<(Vec<(f64, f64)>, Size)> = None;
    for most in ways {
        let (places, all) = shelve(sizes, most);
        let gap = if tasks.height > 0.0 { GAP } else { 0.0 };
        let below = Size {
            width: tasks.width.max(all.width),
            height: tasks.height + gap + all.height,
        };
        let beside = Size {
            width: tasks.width + 2.0 * gap + all.width,
            height: tasks.height.max(all.height),
        };
        let (offset, size) = if below.page() <= beside.page() {
            ((0.0, tasks.height + gap), below)
        } else {
            ((tasks.width + 2.0 * gap, 0.0), beside)
        };
        if best
            .as_ref()
            .is_none_or(|(_, best)| size.page() < best.page())
        {
            let places = places
                .into_iter()
                .map(|(x, y)| (x + offset.0, y + offset.1));
            best = Some((places.collect(), size));
        }
    }
    best.unwrap_or_default()
}

/// What it is called, and what else there is to say about it.
fn titles(view: &View, ns: &Ns, tasks: usize) -> (String, String) {
    let processes = match tasks {
        1 => "1 process".into(),
        more => format!("{more} processes"),
    };
    let mut note = vec![format!("level {}", ns.level), processes];
    if ns.state != NsState::Active {
        note.push(ns.state.to_string());
    }
    let init = ns.child_reaper.and_then(|init| view.task(init));
    if let Some(parent) = init.and_then(|init| view.task(init.parent?)) {
        note.push(format!("below {}", Numbers(&parent.pid)));
    }
    (format!("namespace {}", view.name(ns.id)), note.join(" · "))
}

/// The boxes, those around others first, with at most so many tasks in each.
pub(super) fn frames(view: &View, most: usize) -> Vec<Frame<'_>> {
    let mut members: HashMap<NsId, Vec<&Task>> = HashMap::new();
    for task in view.tasks.iter().filter(|task| task.id == task.leader) {
        members.entry(task.ns).or_default().push(task);
    }
    let at: HashMap<NsId, usize> = (0..)
        .zip(&view.namespaces)
        .map(|(i, ns)| (ns.id, i))
        .collect();
    let mut frames: Vec<Frame<'_>> = Vec::with_capacity(view.namespaces.len());
    for (i, ns) in view.namespaces.iter().enumerate() {
        let tasks = members.remove(&ns.id).unwrap_or_default();
        let (title, note) = titles(view, ns, tasks.len());
        let (tasks, left_out) = choose(tasks, most);
        frames.push(Frame {
            ns: ns.id,
            level: ns.level,
            title,
            note,
            left_out,
            rows: rows(&tasks, most),
            repeated: Vec::new(),
            inside: Vec::new(),
            x: 0.0,
            y: 0.0,
            width: 0.0,
            height: 0.0,
        });
        if let Some(&above) = ns.parent.and_then(|parent| at.get(&parent)) {
            frames[above].inside.push(i);
        }
    }
    // Those inside have their size before those around them.
    for i in (0..frames.len()).rev() {
        let mut inside = std::mem::take(&mut frames[i].inside);
        inside.sort_by(|&a, &b| frames[b].height.total_cmp(&frames[a].height));
        let size_of = |frame: &Frame<'_>| Size {
            width: frame.width,
            height: frame.height,
        };
        let sizes: Vec<_> = inside
            .iter()
            .map(|&inner| size_of(&frames[inner]))
            .collect();
        let places = frames[i].measure(&sizes);
        for (&inner, (x, y)) in inside.iter().zip(places) {
            (frames[inner].x, frames[inner].y) = (x, y);
        }
        frames[i].inside = inside;
    }
    for i in 0..frames.len() {
        let (x, y) = (frames[i].x, frames[i].y);
        for inner in frames[i].inside.clone() {
            frames[inner].x += x;
            frames[inner].y += y;
        }
    }
    frames
}

impl Frame<'_> {
    /// Works out the size of a box around boxes of these sizes; returns where they go.
    fn measure(&mut self, inside: &[Size]) -> Vec<(f64, f64)> {
        let count = self.rows.len();
        let mut best: Option<(usize, f64)> = None;
        for columns in 1..=count.div_ceil(8).clamp(1, 12) {
            let per = count.div_ceil(columns).max(1);
            let (mut tasks, _) = put_into_columns(&mut self.rows, per);
            tasks.height += self.more();
            let page = arrange(tasks, inside).1.page();
            if best.is_none_or(|(_, best)| page < best) {
                best = Some((per, page));
            }
        }
        let per = best.map_or(1, |(per, _)| per);
        let (mut tasks, repeated) = put_into_columns(&mut self.rows, per);
        self.repeated = repeated;
        tasks.height += self.more();
        let (places, size) = arrange(tasks, inside);
        for row in &mut self.rows {
            row.x += GAP;
            row.name_x += GAP;
            row.y += TITLE + GAP / 2.0;
            row.branch_y = row.branch_y.map(|y| y + TITLE + GAP / 2.0);
        }
        for row in &mut self.repeated {
            row.x += GAP;
            row.name_x += GAP;
            row.y += TITLE + GAP / 2.0;
        }
        let title = text_width(&self.title) + text_width(&self.note) * 0.88 + 4.0 * GAP;
        self.width = (size.width + 2.0 * GAP).max(title + GAP);
        self.height = TITLE + size.height + GAP * if size.height > 0.0 { 1.5 } else { 0.5 };
        let inner = |(x, y): (f64, f64)| (x + GAP, y + TITLE + GAP / 2.0);
        places.into_iter().map(inner).collect()
    }

    /// The height of the line that says how many are left out.
    pub(super) fn more(&self) -> f64 {
        if self.left_out.is_some() { LINE } else { 0.0 }
    }

    /// Where that line is: below the rows.
    pub(super) fn more_y(&self) -> f64 {
        self.rows
            .iter()
            .map(|row| row.y + LINE)
            .fold(TITLE, f64::max)
    }
}
