// SPDX-License-Identifier: GPL-2.0

//! The store that the task tree is kept in.

use crate::base::slots::{Slots, Spare};
use kernel::prelude::*;

/// Puts numbers into a store, up to `count` of them.
fn fill(slots: &mut Slots<usize>, count: usize) -> Result {
    let mut spare = Spare::new();
    while slots.len() < count {
        while !slots.make_room(&mut spare) {
            spare.fill()?;
        }
        let number = slots.len();
        slots.insert(number).map_err(|_| EINVAL)?;
    }
    Ok(())
}

#[kernel::macros::kunit_tests(altpid_slots)]
mod tests {
    use super::*;

    /// Nothing native: who brings memory along may come so late that the store has outgrown it
    #[test]
    fn room_that_comes_late_loses_nobody() -> Result {
        const MANY: usize = 20_000;
        let mut slots = Slots::new();
        let mut late = Spare::new();
        assert!(!slots.grow(&mut late));
        late.fill()?;
        fill(&mut slots, MANY)?;
        let room = slots.room();
        assert!(slots.grow(&mut late));
        assert!(slots.room() > room);
        let found = (0..slots.positions()).filter_map(|position| slots.at(position));
        assert!(found.map(|index| slots[index]).eq(0..MANY));
        Ok(())
    }
}
