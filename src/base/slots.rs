// SPDX-License-Identifier: GPL-2.0

//! A store of objects that refer to each other by index.
//!
//! The task tree is a graph with cycles, under one lock. Its objects live in [`Slots`], name each
//! other by [`Idx`], and hang on circular lists ([`chain`]); so the verbs over the tree need no
//! unsafe code, and a stale index is found out instead of followed.
//!
//! Memory comes in chunks of a page that are allocated before the lock is taken ([`Spare`]) and
//! handed over under it; [`Slots::make_room`] then gives a [`Vacancy`], and only by that an object is put
//! in, which cannot fail. Chunks stay until the store goes. An index is the number of a chunk and an offset in
//! it: an access loads the address of the chunk from the directory, and multiplies nothing. A clone, an
//! exit and a wait together access objects about a hundred times.

pub(crate) mod chain;
mod chunk;
mod index;

pub(crate) use index::{Cookie, Id, Idx};

use chunk::{Chunk, Slot};
use core::{cell::Cell, mem::swap};
use kernel::{prelude::*, task::might_sleep};

/// Chunks that the first directory has room for.
const FIRST_CHUNKS: usize = 16;

type Directory<T> = KVVec<Chunk<T>>;

/// Memory for a store to grow into.
pub(crate) struct Spare<T> {
    chunk: Option<Chunk<T>>,
    /// A larger directory; or the one that it has replaced, which cannot be freed under the lock.
    directory: Option<Directory<T>>,
    /// Whether a chunk was missing when the store was to grow, and a directory for how many chunks.
    wants_chunk: bool,
    wants_directory: usize,
}

impl<T> Spare<T> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self {
            chunk: None,
            directory: None,
            wants_chunk: false,
            wants_directory: 0,
        }
    }

    /// Allocates what a store was found to lack. May sleep.
    pub(crate) fn fill(&mut self) -> Result {
        if self.wants_chunk && self.chunk.is_none() {
            self.chunk = Some(Chunk::new()?);
        }
        if self.room_for_chunks() < self.wants_directory {
            let directory = Directory::with_capacity(self.wants_directory, GFP_KERNEL_ACCOUNT)?;
            self.directory = Some(directory);
        }
        Ok(())
    }

    /// For how many chunks the directory has room.
    fn room_for_chunks(&self) -> usize {
        self.directory.as_ref().map_or(0, Directory::capacity)
    }
}

/// A store of `T`s.
pub(crate) struct Slots<T> {
    chunks: Directory<T>,
    places: Places<T>,
    /// Slots whose generations are used up.
    worn: usize,
    /// Objects that were met on lists and by position, ever, modulo 2^32.
    met: Cell<u32>,
}

/// Which slots of a store have an object.
struct Places<T> {
    /// Numbers from here on were never in use: vacant, and in no list.
    touched: usize,
    /// First of the list of vacated slots.
    vacant: Option<Idx<T>>,
    len: usize,
    /// Objects that were put in or taken out, ever.
    turnover: u64,
}

impl<T> Places<T> {
    /// The slot that the next object is put into.
    #[inline]
    fn next(&self) -> Idx<T> {
        self.vacant.unwrap_or_else(|| Idx::new(self.touched))
    }
}

/// Room for one object in a store. As long as there is a vacancy nothing else can be done with the store.
#[must_use]
pub(crate) struct Vacancy<'a, T> {
    slot: &'a mut Slot<T>,
    places: &'a mut Places<T>,
    idx: Idx<T>,
}

impl<T> Vacancy<'_, T> {
    /// The id that the object will have.
    #[inline]
    pub(crate) fn id(&self) -> Id<T> {
        Id::new(self.idx, self.slot.generation)
    }

    /// Puts an object into the store.
    #[inline]
    pub(crate) fn insert(self, value: T) -> Idx<T> {
        let Self { slot, places, idx } = self;
        slot.value = Some(value);
        match places.vacant {
            Some(_) => places.vacant = slot.next_vacant,
            None => places.touched += 1,
        }
        places.len += 1;
        places.turnover += 1;
        idx
    }
}

impl<T> Slots<T> {
    /// The most chunks that an index can name.
    const MAX_CHUNKS: usize = (u32::MAX >> Idx::<T>::BITS) as usize;

    /// An empty store, without room.
    pub(crate) const fn new() -> Self {
        Self {
            chunks: Directory::new(),
            places: Places {
                touched: 0,
                vacant: None,
                len: 0,
                turnover: 0,
            },
            worn: 0,
            met: Cell::new(0),
        }
    }

    /// How many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len
    }

    /// How often an object was put in or taken out.
    pub(crate) fn turnover(&self) -> u64 {
        self.places.turnover
    }

    /// How many objects were met on lists ([`chain::Chain`]) and by position ([`Slots::at`]), ever, modulo
    /// 2^32: no loop over a store goes by without being counted.
    pub(crate) fn met(&self) -> u32 {
        self.met.get()
    }

    /// One more object is met.
    #[inline]
    pub(crate) fn meet(&self) {
        self.met.set(self.met.get().wrapping_add(1));
    }

    /// For how many more objects there is room.
    pub(crate) fn room(&self) -> usize {
        self.chunks.len() * Chunk::<T>::OBJECTS - self.places.len - self.worn
    }

    /// Room for one more object, with memory from `spare` if need be.
    ///
    /// Does not sleep. `None` when there is no room and `spare` has not enough memory either: fill it and
    /// try again.
    #[inline]
    pub(crate) fn make_room(&mut self, spare: &mut Spare<T>) -> Option<Vacancy<'_, T>> {
        if self.places.next().chunk() >= self.chunks.len() && !self.grow(spare) {
            return None;
        }
        self.vacancy()
    }

    /// Room for one more object, if there is some.
    #[inline]
    pub(crate) fn vacancy(&mut self) -> Option<Vacancy<'_, T>> {
        let idx = self.places.next();
        Some(Vacancy {
            slot: self.chunks.get_mut(idx.chunk())?.slot_mut(idx),
            places: &mut self.places,
            idx,
        })
    }

    /// Makes room for a chunk of objects with memory from `spare`. Returns false when it has not
    /// enough: fill it and try again.
    #[cold]
    #[inline(never)]
    pub(crate) fn grow(&mut self, spare: &mut Spare<T>) -> bool {
        let len = self.chunks.len();
        // What was wanted before may be there by now: others can have grown the store.
        spare.wants_directory = if len >= Self::MAX_CHUNKS {
            // None of that size can be had.
            usize::MAX
        } else if len < self.chunks.capacity() {
            0
        } else {
            FIRST_CHUNKS.max(2 * len)
        };
        spare.wants_chunk = true;
        if spare.room_for_chunks() < spare.wants_directory {
            return false;
        }
        let Some(chunk) = spare.chunk.take() else {
            return false;
        };
        if let (Some(directory), 1..) = (&mut spare.directory, spare.wants_directory) {
            self.move_to(directory);
        }
        (spare.wants_chunk, spare.wants_directory) = (false, 0);
        self.chunks.push_within_capacity(chunk).is_ok()
    }

    /// Moves the chunks to a larger directory; leaves the old one in its place.
    fn move_to(&mut self, directory: &mut Directory<T>) {
        for chunk in self.chunks.drain_all() {
            // There is room: this is no larger.
            let _ = directory.push_within_capacity(chunk);
        }
        swap(&mut self.chunks, directory);
    }

    /// Takes an object out. Its id ([`Id`]) is not given again.
    pub(crate) fn remove(&mut self, idx: Idx<T>) -> Option<T> {
        let value = self.slot_mut(idx)?.value.take()?;
        self.vacate(idx);
        Some(value)
    }

    /// Drops an object. Its id is not given again.
    pub(crate) fn discard(&mut self, idx: Idx<T>) {
        let value = self.slot_mut(idx).map(|slot| &mut slot.value);
        if let Some(value @ Some(_)) = value {
            *value = None;
            self.vacate(idx);
        }
    }

    /// An object was taken from its slot.
    fn vacate(&mut self, idx: Idx<T>) {
        let vacant = self.places.vacant;
        let Some(slot) = self.slot_mut(idx) else {
            return;
        };
        slot.generation = slot.generation.wrapping_add(1);
        // A slot whose generations are used up stays vacant for ever, so that no id comes twice.
        if slot.generation != 0 {
            slot.next_vacant = vacant;
            self.places.vacant = Some(idx);
        } else {
            self.worn += 1;
        }
        self.places.len -= 1;
        self.places.turnover += 1;
    }

    /// The object, if there is one.
    #[inline]
    pub(crate) fn get(&self, idx: Idx<T>) -> Option<&T> {
        self.slot(idx)?.value.as_ref()
    }

    /// The object, if there is one.
    #[inline]
    pub(crate) fn get_mut(&mut self, idx: Idx<T>) -> Option<&mut T> {
        self.slot_mut(idx)?.value.as_mut()
    }

    /// The id of an object.
    pub(crate) fn id(&self, idx: Idx<T>) -> Id<T> {
        Id::new(idx, self.slot(idx).map_or(0, |slot| slot.generation))
    }

    /// The object that an id names, if it is still there.
    pub(crate) fn find(&self, id: Id<T>) -> Option<Idx<T>> {
        Some(self.named(id)?.0)
    }

    /// Likewise, with the object itself.
    #[inline]
    pub(crate) fn named(&self, id: Id<T>) -> Option<(Idx<T>, &T)> {
        let (position, generation) = id.parts()?;
        if position >= self.places.touched {
            return None;
        }
        let idx = Idx::new(position);
        let slot = self.slot(idx)?;
        let value = slot.value.as_ref()?;
        (slot.generation == generation).then_some((idx, value))
    }

    /// What names an object over a dropped lock.
    #[inline]
    pub(crate) fn cookie(&self, idx: Idx<T>) -> Cookie<T> {
        let generation = self.slot(idx).map_or(0, |slot| slot.generation);
        Cookie { idx, generation }
    }

    /// The object that a cookie names, if it is still there.
    #[inline]
    pub(crate) fn remembered(&self, cookie: Cookie<T>) -> Option<(Idx<T>, &T)> {
        let slot = self.slot(cookie.idx)?;
        let value = slot.value.as_ref()?;
        (slot.generation == cookie.generation).then_some((cookie.idx, value))
    }

    /// Numbers in use are below this.
    pub(crate) fn positions(&self) -> usize {
        self.places.touched
    }

    /// The object with a number, for going through all of them piece by piece.
    ///
    /// An object keeps its number: one that is there all the time is met exactly once, whatever is
    /// inserted and removed meanwhile.
    pub(crate) fn at(&self, position: usize) -> Option<Idx<T>> {
        self.meet();
        if position >= self.places.touched {
            return None;
        }
        let idx = Idx::new(position);
        self.get(idx).is_some().then_some(idx)
    }

    #[inline]
    fn slot(&self, idx: Idx<T>) -> Option<&Slot<T>> {
        Some(self.chunks.get(idx.chunk())?.slot(idx))
    }

    #[inline]
    fn slot_mut(&mut self, idx: Idx<T>) -> Option<&mut Slot<T>> {
        Some(self.chunks.get_mut(idx.chunk())?.slot_mut(idx))
    }
}

impl<T> Drop for Slots<T> {
    /// There may be millions: others get the CPU between two chunks. May sleep.
    fn drop(&mut self) {
        while let Some(chunk) = self.chunks.pop() {
            drop(chunk);
            might_sleep();
        }
    }
}

/// Indexing is for indices that the tree itself keeps; a stale one is a bug of the module.
impl<T> core::ops::Index<Idx<T>> for Slots<T> {
    type Output = T;

    #[inline]
    fn index(&self, idx: Idx<T>) -> &T {
        self.get(idx).expect("altpid: stale index")
    }
}

impl<T> core::ops::IndexMut<Idx<T>> for Slots<T> {
    #[inline]
    fn index_mut(&mut self, idx: Idx<T>) -> &mut T {
        self.get_mut(idx).expect("altpid: stale index")
    }
}
