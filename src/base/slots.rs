// SPDX-License-Identifier: GPL-2.0

//! A store of objects that refer to each other by index.
//!
//! The task tree is a graph with cycles, under one lock. Its objects live in [`Slots`], name each
//! other by [`Idx`], and hang on circular lists ([`chain`]); so the verbs over the tree need no
//! unsafe code, and a stale index is found out instead of followed.
//!
//! Memory comes in chunks of a page that are allocated before the lock is taken ([`Spare`]) and
//! handed over under it. Chunks stay until the store goes. The way from an index to its object is
//! one load in the directory of the chunks: every verb goes it dozens of times.

pub(crate) mod chain;

use core::{
    cell::Cell,
    marker::PhantomData,
    mem::{size_of, swap},
    num::NonZeroU32,
};
use kernel::{prelude::*, task::might_sleep};

/// Bytes of a chunk. What it holds of them for objects of 152 bytes is 26 objects, 96 %.
const CHUNK_BYTES: usize = 4096;
/// Chunks that the first directory has room for.
const FIRST_CHUNKS: usize = 16;

/// Names an object of a [`Slots<T>`].
pub(crate) struct Idx<T>(NonZeroU32, PhantomData<fn() -> T>);

impl<T> Clone for Idx<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Idx<T> {}
impl<T> core::fmt::Debug for Idx<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}
impl<T> PartialEq for Idx<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Idx<T> {}

impl<T> Idx<T> {
    fn new(position: usize) -> Self {
        // Positions are below `u32::MAX`: see `Slots::MAX_CHUNKS`.
        Self(NonZeroU32::MIN.saturating_add(position as u32), PhantomData)
    }

    fn position(self) -> usize {
        self.0.get() as usize - 1
    }

    /// As a number, for keeping in an atomic; 0 is no index.
    pub(crate) fn to_raw(this: Option<Self>) -> u32 {
        this.map_or(0, |idx| idx.0.get())
    }

    /// The reverse of [`Idx::to_raw`].
    pub(crate) fn from_raw(raw: u32) -> Option<Self> {
        Some(Self(NonZeroU32::new(raw)?, PhantomData))
    }
}

struct Slot<T> {
    value: Option<T>,
    /// How often the slot was vacated; the high half of the ids given for it.
    generation: u32,
    next_vacant: u32,
}

type Chunk<T> = KVec<Slot<T>>;
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
            let mut chunk = Chunk::with_capacity(Slots::<T>::PER_CHUNK, GFP_KERNEL_ACCOUNT)?;
            for _ in 0..Slots::<T>::PER_CHUNK {
                chunk.push(
                    Slot {
                        value: None,
                        generation: 0,
                        next_vacant: 0,
                    },
                    GFP_KERNEL_ACCOUNT,
                )?;
            }
            self.chunk = Some(chunk);
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
    /// Positions behind those that were ever in use: vacant, and in no list.
    touched: usize,
    /// First of the list of vacated slots, as `Idx::to_raw`.
    vacant: u32,
    len: usize,
    /// Slots whose generations are used up.
    worn: usize,
    /// Objects that were put in or taken out, ever.
    turnover: u64,
    /// Objects that were met on lists and by position since [`Slots::begin_count`].
    met: Cell<u32>,
}

impl<T> Slots<T> {
    /// Objects of a chunk.
    const PER_CHUNK: usize = CHUNK_BYTES / size_of::<Slot<T>>();
    /// How many bits of a position say where in its chunk an object is; the others say which chunk
    /// that is. Not every position exists.
    const BITS: u32 = Self::PER_CHUNK.next_power_of_two().trailing_zeros();
    /// The most chunks whose positions an index can have.
    const MAX_CHUNKS: usize = (u32::MAX >> Self::BITS) as usize;

    /// An empty store, without room.
    pub(crate) const fn new() -> Self {
        Self {
            chunks: Directory::new(),
            touched: 0,
            vacant: 0,
            len: 0,
            worn: 0,
            turnover: 0,
            met: Cell::new(0),
        }
    }

    /// How many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How often an object was put in or taken out.
    pub(crate) fn turnover(&self) -> u64 {
        self.turnover
    }

    /// Begins to count anew for [`Slots::met`].
    pub(crate) fn begin_count(&self) {
        self.met.set(0);
    }

    /// How many objects were met on lists ([`chain::Chain`]) and by position ([`Slots::at`]): no loop
    /// over a store goes by without being counted.
    pub(crate) fn met(&self) -> u32 {
        self.met.get()
    }

    /// One more object is met.
    #[inline]
    pub(crate) fn meet(&self) {
        self.met.set(self.met.get().saturating_add(1));
    }

    /// For how many more objects there is room.
    pub(crate) fn room(&self) -> usize {
        self.chunks.len() * Self::PER_CHUNK - self.len - self.worn
    }

    /// Makes sure that [`Slots::insert`] finds room, with memory from `spare` if need be.
    ///
    /// Does not sleep. Returns false when there is no room and `spare` has not enough memory either:
    /// fill it and try again.
    pub(crate) fn make_room(&mut self, spare: &mut Spare<T>) -> bool {
        self.room() > 0 || self.grow(spare)
    }

    /// Makes room for a chunk of objects with memory from `spare`. Returns false when it has not
    /// enough: fill it and try again.
    pub(crate) fn grow(&mut self, spare: &mut Spare<T>) -> bool {
        let len = self.chunks.len();
        // What was wanted before may be there by now: others can have grown the store.
        spare.wants_directory = if len < self.chunks.capacity() {
            0
        } else if len >= Self::MAX_CHUNKS {
            // None of that size can be had.
            usize::MAX
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

    /// Puts an object into the store. Gives it back when there is no room, which does not happen
    /// after [`Slots::make_room`].
    pub(crate) fn insert(&mut self, value: T) -> Result<Idx<T>, T> {
        let vacated = Idx::<T>::from_raw(self.vacant);
        let position = vacated.map_or(self.touched, Idx::position);
        let Some(slot) = self.slot_mut(position) else {
            return Err(value);
        };
        slot.value = Some(value);
        let next = slot.next_vacant;
        if vacated.is_some() {
            self.vacant = next;
        } else if (position + 1) % (1 << Self::BITS) == Self::PER_CHUNK % (1 << Self::BITS) {
            self.touched = ((position >> Self::BITS) + 1) << Self::BITS;
        } else {
            self.touched += 1;
        }
        self.len += 1;
        self.turnover += 1;
        Ok(Idx::new(position))
    }

    /// Takes an object out. Its id is not given again.
    pub(crate) fn remove(&mut self, idx: Idx<T>) -> Option<T> {
        let value = self.slot_mut(idx.position())?.value.take()?;
        self.vacate(idx);
        Some(value)
    }

    /// Drops an object. Its id is not given again.
    pub(crate) fn discard(&mut self, idx: Idx<T>) {
        let value = self.slot_mut(idx.position()).map(|slot| &mut slot.value);
        if let Some(value @ Some(_)) = value {
            *value = None;
            self.vacate(idx);
        }
    }

    /// An object was taken from its slot.
    fn vacate(&mut self, idx: Idx<T>) {
        let vacant = self.vacant;
        let Some(slot) = self.slot_mut(idx.position()) else {
            return;
        };
        slot.generation = slot.generation.wrapping_add(1);
        // A slot whose generations are used up stays vacant for ever, so that no id comes twice.
        if slot.generation != 0 {
            slot.next_vacant = vacant;
            self.vacant = idx.0.get();
        } else {
            self.worn += 1;
        }
        self.len -= 1;
        self.turnover += 1;
    }

    /// The object, if there is one.
    pub(crate) fn get(&self, idx: Idx<T>) -> Option<&T> {
        self.slot(idx.position())?.value.as_ref()
    }

    /// The object, if there is one.
    pub(crate) fn get_mut(&mut self, idx: Idx<T>) -> Option<&mut T> {
        self.slot_mut(idx.position())?.value.as_mut()
    }

    /// The id of an object: 64 bits that name it and, in this store, nothing else ever.
    pub(crate) fn id(&self, idx: Idx<T>) -> u64 {
        let generation = self.slot(idx.position()).map_or(0, |slot| slot.generation);
        (u64::from(generation) << 32) | u64::from(idx.0.get())
    }

    /// The object that an id names, if it is still there.
    pub(crate) fn find(&self, id: u64) -> Option<Idx<T>> {
        Some(self.named(id)?.0)
    }

    /// Likewise, with the object itself.
    #[inline]
    pub(crate) fn named(&self, id: u64) -> Option<(Idx<T>, &T)> {
        let idx = Idx::from_raw(id as u32)?;
        let slot = self.slot(idx.position())?;
        let value = slot.value.as_ref()?;
        (slot.generation == (id >> 32) as u32).then_some((idx, value))
    }

    /// Positions in use go from 0 to here.
    pub(crate) fn positions(&self) -> usize {
        self.touched
    }

    /// The object at a position, for going through all of them piece by piece.
    ///
    /// An object keeps its position: one that is there all the time is met exactly once, whatever
    /// is inserted and removed meanwhile.
    pub(crate) fn at(&self, position: usize) -> Option<Idx<T>> {
        self.meet();
        self.slot(position)?.value.as_ref()?;
        Some(Idx::new(position))
    }

    #[inline]
    fn slot(&self, position: usize) -> Option<&Slot<T>> {
        let within = position % (1 << Self::BITS);
        self.chunks.get(position >> Self::BITS)?.get(within)
    }

    #[inline]
    fn slot_mut(&mut self, position: usize) -> Option<&mut Slot<T>> {
        let within = position % (1 << Self::BITS);
        self.chunks.get_mut(position >> Self::BITS)?.get_mut(within)
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

    fn index(&self, idx: Idx<T>) -> &T {
        self.get(idx).expect("altpid: stale index")
    }
}

impl<T> core::ops::IndexMut<Idx<T>> for Slots<T> {
    fn index_mut(&mut self, idx: Idx<T>) -> &mut T {
        self.get_mut(idx).expect("altpid: stale index")
    }
}
