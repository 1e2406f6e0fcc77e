// SPDX-License-Identifier: GPL-2.0

//! Circular lists of the objects of a store, linked by index.

use super::{Idx, Slots};
use core::marker::PhantomData;

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

    /// The object behind `idx`, if `idx` is not the last. Counted as met by the store.
    pub(crate) fn next(&self, slots: &Slots<T>, idx: Idx<T>) -> Option<Idx<T>> {
        slots.meet();
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
