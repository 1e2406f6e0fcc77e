// SPDX-License-Identifier: GPL-2.0

//! A store of objects that refer to each other by index.
//!
//! The task tree is a graph with cycles, under one lock. Its objects live in [`Slots`], name each
//! other by [`Idx`], and hang on circular lists ([`Chain`]); so the verbs over the tree need no
//! unsafe code, and a stale index is found out instead of followed.
//!
//! Memory comes in chunks that are allocated before the lock is taken ([`Spare`]) and handed over
//! under it. Chunks stay until the store goes.

use core::{marker::PhantomData, num::NonZeroU32};
use kernel::{prelude::*, task::might_sleep};

/// Objects of a chunk.
const CHUNK: usize = 64;
/// Chunks of a directory.
const DIRECTORY: usize = 512;
/// Directories of a store: room for 4,194,304 objects, as many as there are pids.
const DIRECTORIES: usize = 128;

/// Names an object of a [`Slots<T>`].
pub(crate) struct Idx<T>(NonZeroU32, PhantomData<fn() -> T>);

impl<T> Clone for Idx<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Idx<T> {}
impl<T> PartialEq for Idx<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Idx<T> {}

impl<T> Idx<T> {
    fn new(position: usize) -> Self {
        // `position` is below 2^22.
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

type Chunk<T> = KVVec<Slot<T>>;
type Directory<T> = KVVec<Chunk<T>>;

/// Memory for a store to grow into.
pub(crate) struct Spare<T> {
    chunk: Option<Chunk<T>>,
    directory: Option<Directory<T>>,
}

impl<T> Spare<T> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self {
            chunk: None,
            directory: None,
        }
    }

    /// Whether it holds what one growth can need.
    pub(crate) fn is_filled(&self) -> bool {
        self.chunk.is_some() && self.directory.is_some()
    }

    /// Allocates what one growth can need. May sleep.
    pub(crate) fn fill(&mut self) -> Result {
        if self.chunk.is_none() {
            let mut chunk = Chunk::with_capacity(CHUNK, GFP_KERNEL_ACCOUNT)?;
            for _ in 0..CHUNK {
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
        if self.directory.is_none() {
            self.directory = Some(Directory::with_capacity(DIRECTORY, GFP_KERNEL_ACCOUNT)?);
        }
        Ok(())
    }
}

/// A store of `T`s.
pub(crate) struct Slots<T> {
    directories: KVVec<Directory<T>>,
    /// Slots that exist.
    capacity: usize,
    /// Slots that were ever in use: the ones behind are vacant and in no list.
    touched: usize,
    /// First of the list of vacated slots, as `Idx::to_raw`.
    vacant: u32,
    len: usize,
    /// Slots whose generations are used up.
    worn: usize,
    /// Objects that were put in or taken out, ever.
    turnover: u64,
}

impl<T> Slots<T> {
    /// An empty store, without room.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            directories: KVVec::with_capacity(DIRECTORIES, GFP_KERNEL_ACCOUNT)?,
            capacity: 0,
            touched: 0,
            vacant: 0,
            len: 0,
            worn: 0,
            turnover: 0,
        })
    }

    /// How many objects there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How often an object was put in or taken out.
    pub(crate) fn turnover(&self) -> u64 {
        self.turnover
    }

    /// For how many more objects there is room.
    pub(crate) fn room(&self) -> usize {
        self.capacity - self.len - self.worn
    }

    /// Makes sure that [`Slots::insert`] finds room, with memory from `spare` if need be.
    ///
    /// Does not sleep. Returns false when there is no room and `spare` has no memory either.
    pub(crate) fn make_room(&mut self, spare: &mut Spare<T>) -> bool {
        self.room() > 0 || self.grow(spare)
    }

    /// Makes room for 64 more objects with memory from `spare`; false when it has none.
    pub(crate) fn grow(&mut self, spare: &mut Spare<T>) -> bool {
        let last_is_full = self.directories.last().is_none_or(|d| d.len() == DIRECTORY);
        if spare.chunk.is_none() || (last_is_full && spare.directory.is_none()) {
            return false;
        }
        if last_is_full {
            let Some(directory) = spare.directory.take() else {
                return false;
            };
            if self.directories.push_within_capacity(directory).is_err() {
                return false;
            }
        }
        let (Some(directory), Some(chunk)) = (self.directories.last_mut(), spare.chunk.take())
        else {
            return false;
        };
        if directory.push_within_capacity(chunk).is_err() {
            return false;
        }
        self.capacity += CHUNK;
        true
    }

    /// Puts an object into the store. Gives it back when there is no room, which does not happen
    /// after [`Slots::make_room`].
    pub(crate) fn insert(&mut self, value: T) -> Result<Idx<T>, T> {
        let position = match Idx::<T>::from_raw(self.vacant) {
            Some(idx) => idx.position(),
            None if self.touched < self.capacity => self.touched,
            None => return Err(value),
        };
        let from_list = self.vacant != 0;
        let Some(slot) = self.slot_mut(position) else {
            return Err(value);
        };
        slot.value = Some(value);
        let next = slot.next_vacant;
        if from_list {
            self.vacant = next;
        } else {
            self.touched += 1;
        }
        self.len += 1;
        self.turnover += 1;
        Ok(Idx::new(position))
    }

    /// Takes an object out. Its id is not given again.
    pub(crate) fn remove(&mut self, idx: Idx<T>) -> Option<T> {
        let vacant = self.vacant;
        let slot = self.slot_mut(idx.position())?;
        let value = slot.value.take()?;
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
        Some(value)
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
        let idx = Idx::from_raw(id as u32)?;
        let slot = self.slot(idx.position())?;
        (slot.value.is_some() && slot.generation == (id >> 32) as u32).then_some(idx)
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
        self.slot(position)?.value.as_ref()?;
        Some(Idx::new(position))
    }

    fn slot(&self, position: usize) -> Option<&Slot<T>> {
        self.directories
            .get(position / CHUNK / DIRECTORY)?
            .get(position / CHUNK % DIRECTORY)?
            .get(position % CHUNK)
    }

    fn slot_mut(&mut self, position: usize) -> Option<&mut Slot<T>> {
        self.directories
            .get_mut(position / CHUNK / DIRECTORY)?
            .get_mut(position / CHUNK % DIRECTORY)?
            .get_mut(position % CHUNK)
    }
}

impl<T> Drop for Slots<T> {
    /// There may be millions: others get the CPU between two chunks. May sleep.
    fn drop(&mut self) {
        while let Some(mut directory) = self.directories.pop() {
            while let Some(chunk) = directory.pop() {
                drop(chunk);
                might_sleep();
            }
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

/// Where an object hangs on a [`Chain`]: the one before and the one behind, in a circle.
pub(crate) struct Link<T>(Option<(Idx<T>, Idx<T>)>);

impl<T> Link<T> {
    /// On no chain.
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Whether the object is on a chain.
    pub(crate) fn is_linked(&self) -> bool {
        self.0.is_some()
    }
}

/// An object that can hang on the chains named `L`.
pub(crate) trait Member<L>: Sized {
    /// Its link for them.
    fn link(&self) -> &Link<Self>;
    /// Its link for them.
    fn link_mut(&mut self) -> &mut Link<Self>;
}

/// A list of objects of one [`Slots`]; `L` tells the kinds of list apart.
pub(crate) struct Chain<L, T> {
    first: Option<Idx<T>>,
    _kind: PhantomData<fn() -> L>,
}

impl<L, T: Member<L>> Chain<L, T> {
    /// An empty list.
    pub(crate) const fn new() -> Self {
        Self::starting_at(None)
    }

    /// The list whose first object is `first`.
    pub(crate) const fn starting_at(first: Option<Idx<T>>) -> Self {
        Self {
            first,
            _kind: PhantomData,
        }
    }

    /// The first object.
    pub(crate) fn first(&self) -> Option<Idx<T>> {
        self.first
    }

    /// Whether nothing is on the list.
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Appends an object that is on no list of this kind.
    pub(crate) fn push_back(&mut self, slots: &mut Slots<T>, idx: Idx<T>) {
        let Some(first) = self.first else {
            slots[idx].link_mut().0 = Some((idx, idx));
            self.first = Some(idx);
            return;
        };
        let last = slots[first].link().0.map_or(first, |(prev, _)| prev);
        slots[idx].link_mut().0 = Some((last, first));
        Self::set_next(slots, last, idx);
        Self::set_prev(slots, first, idx);
    }

    /// Takes an object that is on this list off it.
    pub(crate) fn remove(&mut self, slots: &mut Slots<T>, idx: Idx<T>) {
        let Some((prev, next)) = slots[idx].link_mut().0.take() else {
            return;
        };
        if next == idx {
            self.first = None;
            return;
        }
        Self::set_next(slots, prev, next);
        Self::set_prev(slots, next, prev);
        if self.first == Some(idx) {
            self.first = Some(next);
        }
    }

    /// The object behind `idx`, if `idx` is not the last.
    pub(crate) fn next(&self, slots: &Slots<T>, idx: Idx<T>) -> Option<Idx<T>> {
        let (_, next) = slots[idx].link().0?;
        (Some(next) != self.first).then_some(next)
    }

    /// All objects in order.
    pub(crate) fn iter<'a>(&'a self, slots: &'a Slots<T>) -> impl Iterator<Item = Idx<T>> + 'a {
        core::iter::successors(self.first, move |&idx| self.next(slots, idx))
    }

    fn set_next(slots: &mut Slots<T>, idx: Idx<T>, next: Idx<T>) {
        if let Some(link) = slots[idx].link_mut().0.as_mut() {
            link.1 = next;
        }
    }

    fn set_prev(slots: &mut Slots<T>, idx: Idx<T>, prev: Idx<T>) {
        if let Some(link) = slots[idx].link_mut().0.as_mut() {
            link.0 = prev;
        }
    }
}
