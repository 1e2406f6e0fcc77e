// SPDX-License-Identifier: GPL-2.0

//! Boxes of given sizes on shelves, so that all together come near to the format of a page.

use super::boxes::GAP;

/// Width to height of what looks well.
const FORMAT: f64 = 1.5;

/// How large something is.
#[derive(Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Size {
    /// The less the better: how large a page it would fill.
    pub(super) fn page(self) -> f64 {
        (self.width / FORMAT).max(self.height)
    }
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
pub(super) fn arrange(tasks: Size, sizes: &[Size]) -> (Vec<(f64, f64)>, Size) {
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
