// SPDX-License-Identifier: GPL-2.0

//! What names an object of a store: an index inside of the module, an id outside.

use super::chunk::{Chunk, Slot, CHUNK_BYTES};
use core::{
    marker::PhantomData,
    mem::{align_of, size_of},
    num::NonZeroU32,
};

/// Names an object of a [`Slots<T>`](super::Slots).
///
/// # Invariants
///
/// The high bits are the number of a chunk. The low [`Self::BITS`] are 1 plus the offset of the object in
/// its chunk, in units of its alignment; the 1 keeps every index from being 0. Every chunk has a whole
/// object at that offset.
pub(crate) struct Idx<T>(NonZeroU32, PhantomData<fn() -> T>);

impl<T> Idx<T> {
    /// Bytes of a unit.
    pub(super) const UNIT: usize = align_of::<Slot<T>>();
    /// Units of an object. Two at least, so that 1 and the last offset of a chunk fit [`Self::BITS`].
    const UNITS: u32 = {
        let units = size_of::<Slot<T>>() / Self::UNIT;
        assert!(units >= 2 && units * Self::UNIT <= CHUNK_BYTES);
        units as u32
    };
    /// How many bits say where in its chunk an object is.
    pub(super) const BITS: u32 = (CHUNK_BYTES / Self::UNIT).trailing_zeros();

    /// Units of a chunk behind its last object.
    const UNITS_LEFT: u32 = (1 << Self::BITS) - Chunk::<T>::OBJECTS as u32 * Self::UNITS;

    /// The index of the object with a number. There are [`Slots::MAX_CHUNKS`](super::Slots) chunks at most.
    pub(super) fn new(position: usize) -> Self {
        let chunk = (position / Chunk::<T>::OBJECTS) as u32;
        // The chunk's number times `1 << BITS`, and the offset in it: the latter also if the former overflows.
        let before = chunk.wrapping_mul(Self::UNITS_LEFT);
        let units = (position as u32)
            .wrapping_mul(Self::UNITS)
            .wrapping_add(before);
        // INVARIANT: A chunk has `OBJECTS` objects; with 1 added the last offset stays below `1 << BITS`.
        Self(NonZeroU32::MIN.saturating_add(units), PhantomData)
    }

    /// The number of the chunk.
    pub(super) fn chunk(self) -> usize {
        (self.0.get() >> Self::BITS) as usize
    }

    /// The offset of the object in its chunk, in units, and 1.
    #[inline]
    pub(super) fn units_and_1(self) -> u32 {
        self.0.get() % (1 << Self::BITS)
    }

    /// The number of the object in its store: see [`Slots::at`](super::Slots::at).
    pub(crate) fn position(self) -> usize {
        // What `new` has added.
        let added = (self.0.get() >> Self::BITS).wrapping_mul(Self::UNITS_LEFT);
        ((self.0.get() - 1).wrapping_sub(added) / Self::UNITS) as usize
    }

    /// As a number, for keeping in an atomic; 0 is no index.
    pub(crate) fn to_raw(this: Option<Self>) -> u32 {
        this.map_or(0, |idx| idx.0.get())
    }

    /// The reverse of [`Idx::to_raw`]; `None` for what that does not give.
    pub(crate) fn from_raw(raw: u32) -> Option<Self> {
        let idx = Self(NonZeroU32::new(raw)?, PhantomData);
        let units = idx.units_and_1().checked_sub(1)?;
        let end = Chunk::<T>::OBJECTS as u32 * Self::UNITS;
        // INVARIANT: So an object begins there, and it is one of the chunk's.
        (units < end && units % Self::UNITS == 0).then_some(idx)
    }
}

/// Names an object of a [`Slots<T>`](super::Slots) and nothing else that is ever in that store: what user space is
/// given. The low half is 1 plus the object's number, the high half says how often its place was vacated.
pub(crate) struct Id<T>(u64, PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// Names nothing ever: 0 for user space.
    pub(crate) const NOTHING: Self = Self::from_raw(0);

    /// The id of what is at a place that was vacated so often.
    pub(super) fn new(idx: Idx<T>, generation: u32) -> Self {
        Self::from_raw(u64::from(generation) << 32 | (idx.position() as u64 + 1))
    }

    /// An id that user space has given: any number, which may name nothing.
    pub(crate) const fn from_raw(raw: u64) -> Self {
        Self(raw, PhantomData)
    }

    /// Likewise; `None` for 0.
    pub(crate) fn unless_0(raw: u64) -> Option<Self> {
        (raw != 0).then(|| Self::from_raw(raw))
    }

    /// As user space is given it.
    pub(crate) const fn to_raw(self) -> u64 {
        self.0
    }

    /// The number that it names, and how often the place of that was vacated.
    #[inline]
    pub(super) fn parts(self) -> Option<(usize, u32)> {
        let position = (self.0 as u32).checked_sub(1)?;
        Some((position as usize, (self.0 >> 32) as u32))
    }
}

/// Names an object of a store over a dropped lock: finds it again, without the arithmetic of an [`Id`], as long
/// as it is there.
pub(crate) struct Cookie<T> {
    pub(super) idx: Idx<T>,
    /// How often its place was vacated.
    pub(super) generation: u32,
}

impl<T> Clone for Cookie<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Cookie<T> {}

/// Copies, compares and prints a type by the number in it, without asking that of `T`, as a derive would.
macro_rules! is_number {
    ($($name:ident)*) => {
        $(
            impl<T> Clone for $name<T> {
                fn clone(&self) -> Self {
                    *self
                }
            }
            impl<T> Copy for $name<T> {}
            impl<T> core::fmt::Debug for $name<T> {
                fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                    self.0.fmt(f)
                }
            }
            impl<T> PartialEq for $name<T> {
                fn eq(&self, other: &Self) -> bool {
                    self.0 == other.0
                }
            }
            impl<T> Eq for $name<T> {}
        )*
    };
}

is_number!(Idx Id);

impl<T> kernel::fmt::Display for Id<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}
