// SPDX-License-Identifier: GPL-2.0

//! A store of objects that refer to each other by index.
//!
//! The task tree is a graph with cycles, under one lock. Its objects live in [`Slots`], name each
//! other by [`Idx`], and hang on circular lists ([`chain`]); so the verbs over the tree need no
//! unsafe code, and a stale index is found out instead of followed.
//!
//! Memory comes in chunks of a page that are allocated before the lock is taken ([`Spare`]) and
//! handed over under it. Chunks stay until the store goes. An index says in which chunk its object is,
//! and how far behind the beginning of the chunk: the way to the object is one load in the directory
//! of the chunks, without a multiplication. A clone, an exit and a wait go it a hundred times.

pub(crate) mod chain;

use core::{
    cell::Cell,
    marker::PhantomData,
    mem::{align_of, size_of, swap},
    num::NonZeroU32,
    ptr::NonNull,
};
use kernel::{prelude::*, task::might_sleep};

/// Bytes of a chunk. Of tasks, which take 184 bytes with what a slot adds, it holds 22: 99 % of it.
const CHUNK_BYTES: usize = 4096;
/// Chunks that the first directory has room for.
const FIRST_CHUNKS: usize = 16;

/// Names an object of a [`Slots<T>`].
///
/// # Invariants
///
/// The high bits are the number of a chunk. The low [`Self::BITS`] are 1 plus the offset of the object in
/// its chunk, in units of its alignment; the 1 keeps every index from being 0. Every chunk has a whole
/// object at that offset.
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
    /// Bytes of a unit.
    const UNIT: usize = align_of::<Slot<T>>();
    /// Units of an object. Two at least, so that 1 and the last offset of a chunk fit [`Self::BITS`].
    const UNITS: u32 = {
        let units = size_of::<Slot<T>>() / Self::UNIT;
        assert!(units >= 2 && units * Self::UNIT <= CHUNK_BYTES);
        units as u32
    };
    /// How many bits say where in its chunk an object is.
    const BITS: u32 = (CHUNK_BYTES / Self::UNIT).trailing_zeros();

    /// Where the object with a number is. Numbers are below those of [`Slots::MAX_CHUNKS`] chunks.
    fn new(position: usize) -> Self {
        let (chunk, within) = (
            position / Slots::<T>::PER_CHUNK,
            position % Slots::<T>::PER_CHUNK,
        );
        let raw = (chunk as u32) << Self::BITS | (within as u32 * Self::UNITS);
        // INVARIANT: A chunk has `PER_CHUNK` objects; with 1 added the last stays below `1 << BITS`.
        Self(NonZeroU32::MIN.saturating_add(raw), PhantomData)
    }

    /// The number of the chunk.
    fn chunk(self) -> usize {
        (self.0.get() >> Self::BITS) as usize
    }

    /// Units behind the beginning of the chunk.
    fn units(self) -> u32 {
        (self.0.get() % (1 << Self::BITS)).wrapping_sub(1)
    }

    /// The number of the object in its store: see [`Slots::at`].
    pub(crate) fn position(self) -> usize {
        self.chunk() * Slots::<T>::PER_CHUNK + (self.units() / Self::UNITS) as usize
    }

    /// As a number, for keeping in an atomic; 0 is no index.
    pub(crate) fn to_raw(this: Option<Self>) -> u32 {
        this.map_or(0, |idx| idx.0.get())
    }

    /// The reverse of [`Idx::to_raw`]; `None` for what that does not give.
    pub(crate) fn from_raw(raw: u32) -> Option<Self> {
        let idx = Self(NonZeroU32::new(raw)?, PhantomData);
        let units = idx.units();
        let end = Slots::<T>::PER_CHUNK as u32 * Self::UNITS;
        // INVARIANT: So an object begins there, and it is one of the chunk's.
        (units < end && units % Self::UNITS == 0).then_some(idx)
    }
}

struct Slot<T> {
    value: Option<T>,
    /// How often the slot was vacated; the high half of the ids given for it.
    generation: u32,
    next_vacant: Option<Idx<T>>,
}

/// Objects that are allocated at a time.
///
/// # Invariants
///
/// It owns [`Slots::PER_CHUNK`] slots, which begin here.
struct Chunk<T>(NonNull<Slot<T>>);

impl<T> Chunk<T> {
    /// A chunk of vacant slots. May sleep.
    fn new() -> Result<Self> {
        let mut slots = KVec::with_capacity(Slots::<T>::PER_CHUNK, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..Slots::<T>::PER_CHUNK {
            let vacant = Slot {
                value: None,
                generation: 0,
                next_vacant: None,
            };
            slots.push(vacant, GFP_KERNEL_ACCOUNT)?;
        }
        let (first, ..) = slots.into_raw_parts();
        // INVARIANT: They were pushed, and nobody else has them.
        Ok(Self(NonNull::new(first).ok_or(ENOMEM)?))
    }

    /// Where an index says that an object is.
    #[inline]
    fn at(&self, idx: Idx<T>) -> NonNull<Slot<T>> {
        let (raw, unit) = (idx.0.get(), Idx::<T>::UNIT);
        let units = (raw % (1 << Idx::<T>::BITS)) as usize;
        let first = self.0.as_ptr().wrapping_byte_sub(unit);
        // SAFETY: By the invariants of both types there is an object.
        unsafe { NonNull::new_unchecked(first.wrapping_byte_add(units * unit)) }
    }

    /// The slot that an index says.
    #[inline]
    fn slot(&self, idx: Idx<T>) -> &Slot<T> {
        // SAFETY: There is one, which is lent as this is.
        unsafe { self.at(idx).as_ref() }
    }

    /// Likewise.
    #[inline]
    fn slot_mut(&mut self, idx: Idx<T>) -> &mut Slot<T> {
        // SAFETY: As in `slot`.
        unsafe { self.at(idx).as_mut() }
    }
}

impl<T> Drop for Chunk<T> {
    fn drop(&mut self) {
        let count = Slots::<T>::PER_CHUNK;
        // SAFETY: `new` has taken the vector apart, with as many, and as large as it was asked for.
        drop(unsafe { KVec::from_raw_parts(self.0.as_ptr(), count, count) });
    }
}

// SAFETY: A chunk owns its objects.
unsafe impl<T: Send> Send for Chunk<T> {}
// SAFETY: What is shared of a chunk is its objects.
unsafe impl<T: Sync> Sync for Chunk<T> {}

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
    /// Numbers from here on were never in use: vacant, and in no list.
    touched: usize,
    /// First of the list of vacated slots.
    vacant: Option<Idx<T>>,
    len: usize,
    /// Slots whose generations are used up.
    worn: usize,
    /// Objects that were put in or taken out, ever.
    turnover: u64,
    /// Objects that were met on lists and by position, ever, modulo 2^32.
    met: Cell<u32>,
}

impl<T> Slots<T> {
    /// Objects of a chunk.
    const PER_CHUNK: usize = CHUNK_BYTES / size_of::<Slot<T>>();
    /// The most chunks that an index can name.
    const MAX_CHUNKS: usize = (u32::MAX >> Idx::<T>::BITS) as usize;

    /// An empty store, without room.
    pub(crate) const fn new() -> Self {
        Self {
            chunks: Directory::new(),
            touched: 0,
            vacant: None,
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
        self.chunks.len() * Self::PER_CHUNK - self.len - self.worn
    }

    /// Makes sure that [`Slots::insert`] finds room, with memory from `spare` if need be.
    ///
    /// Does not sleep. Returns false when there is no room and `spare` has not enough memory either:
    /// fill it and try again.
    pub(crate) fn make_room(&mut self, spare: &mut Spare<T>) -> bool {
        self.vacant.is_some() || self.room() > 0 || self.grow(spare)
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
        let idx = self.vacant.unwrap_or_else(|| Idx::new(self.touched));
        let Some(slot) = self.slot_mut(idx) else {
            return Err(value);
        };
        slot.value = Some(value);
        let next = slot.next_vacant;
        match self.vacant {
            Some(_) => self.vacant = next,
            None => self.touched += 1,
        }
        self.len += 1;
        self.turnover += 1;
        Ok(idx)
    }

    /// Takes an object out. Its id is not given again.
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
        let vacant = self.vacant;
        let Some(slot) = self.slot_mut(idx) else {
            return;
        };
        slot.generation = slot.generation.wrapping_add(1);
        // A slot whose generations are used up stays vacant for ever, so that no id comes twice.
        if slot.generation != 0 {
            slot.next_vacant = vacant;
            self.vacant = Some(idx);
        } else {
            self.worn += 1;
        }
        self.len -= 1;
        self.turnover += 1;
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

    /// The id of an object: 64 bits that name it and, in this store, nothing else ever.
    pub(crate) fn id(&self, idx: Idx<T>) -> u64 {
        let generation = self.slot(idx).map_or(0, |slot| slot.generation);
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
        let slot = self.slot(idx)?;
        let value = slot.value.as_ref()?;
        (slot.generation == (id >> 32) as u32).then_some((idx, value))
    }

    /// Numbers in use are below this.
    pub(crate) fn positions(&self) -> usize {
        self.touched
    }

    /// The object with a number, for going through all of them piece by piece.
    ///
    /// An object keeps its number: one that is there all the time is met exactly once, whatever is
    /// inserted and removed meanwhile.
    pub(crate) fn at(&self, position: usize) -> Option<Idx<T>> {
        self.meet();
        if position >= self.touched {
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
