// SPDX-License-Identifier: GPL-2.0

//! The store that the task tree is kept in.

use crate::base::slots::{Id, Idx, Slots, Spare};
use kernel::prelude::*;

/// Puts objects into a store, up to `count` of them, each made of its number.
fn fill<T>(slots: &mut Slots<T>, count: usize, object: fn(usize) -> T) -> Result {
    let mut spare = Spare::new();
    while slots.len() < count {
        let number = slots.len();
        match slots.make_room(&mut spare) {
            Some(room) => {
                room.insert(object(number));
            }
            None => spare.fill()?,
        }
    }
    Ok(())
}

/// Every object of a store is where its index says, and no other number is an index.
fn check_indices<T: PartialEq>(object: fn(usize) -> T) -> Result {
    const MANY: usize = 1000;
    let mut slots = Slots::new();
    fill(&mut slots, MANY, object)?;
    let mut last = 0;
    for position in 0..MANY {
        let idx = slots.at(position).ok_or(EINVAL)?;
        assert!(slots[idx] == object(position));
        assert_eq!(idx.position(), position);
        let raw = Idx::to_raw(Some(idx));
        assert!(raw > last);
        last = raw;
        assert_eq!(Idx::from_raw(raw), Some(idx));
        assert_eq!(slots.id(idx).to_raw(), position as u64 + 1);
        assert_eq!(slots.find(slots.id(idx)), Some(idx));
    }
    assert!(slots.at(MANY).is_none());
    let indices = (0..=last).filter(|&raw| Idx::<T>::from_raw(raw).is_some());
    assert_eq!(indices.count(), MANY);
    let found = (0..=last).filter(|&raw| slots.find(Id::from_raw(raw.into())).is_some());
    assert_eq!(found.count(), MANY);
    assert!(slots.find(Id::from_raw(u32::MAX.into())).is_none());
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
        fill(&mut slots, MANY, |number| number)?;
        let room = slots.room();
        assert!(slots.grow(&mut late));
        assert!(slots.room() > room);
        let found = (0..slots.positions()).filter_map(|position| slots.at(position));
        assert!(found.map(|index| slots[index]).eq(0..MANY));
        Ok(())
    }

    /// Nothing native: an index of user space's making is no index, whatever the size and alignment of
    /// the objects
    #[test]
    fn only_what_is_an_index_is_one() -> Result {
        check_indices(|number| number as u8)?;
        check_indices(|number| number as u32)?;
        check_indices(|number| number)?;
        check_indices(|number| [number; 3])?;
        check_indices(|number| [number; 21])
    }

    /// Nothing native: an id that was given once is not given again when its place is
    #[test]
    fn ids_are_given_once() -> Result {
        let mut slots = Slots::new();
        fill(&mut slots, 100, |number| number)?;
        let idx = slots.at(50).ok_or(EINVAL)?;
        let id = slots.id(idx);
        assert_eq!(slots.remove(idx), Some(50));
        assert!(slots.find(id).is_none());
        assert!(slots.at(50).is_none());
        let room = slots.vacancy().ok_or(EINVAL)?;
        assert_eq!(room.insert(7), idx);
        assert!(slots.find(id).is_none());
        assert_eq!(slots.find(slots.id(idx)), Some(idx));
        Ok(())
    }
}
