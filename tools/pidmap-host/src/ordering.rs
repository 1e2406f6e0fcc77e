// SPDX-License-Identifier: GPL-2.0

//! The names of the kernel's memory orderings (`rust/kernel/sync/atomic/ordering.rs`).

/// Orders nothing.
pub(crate) struct Relaxed;
/// Orders the load before everything behind it.
pub(crate) struct Acquire;
/// Orders everything so far before the store.
pub(crate) struct Release;
/// Orders everything before with everything behind, as `smp_mb()` does.
pub(crate) struct Full;

/// Which of them, as a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Relaxed,
    Acquire,
    Release,
    Full,
}

/// Any ordering.
pub(crate) trait Ordering {
    const KIND: Kind;
}
/// What a load can have.
pub(crate) trait AcquireOrRelaxed: Ordering {}
/// What a store can have.
pub(crate) trait ReleaseOrRelaxed: Ordering {}

macro_rules! ordering {
    ($($name:ident: $($role:ident)?;)*) => {$(
        impl Ordering for $name {
            const KIND: Kind = Kind::$name;
        }
        $(impl $role for $name {})?
    )*};
}
ordering! {
    Relaxed: AcquireOrRelaxed;
    Acquire: AcquireOrRelaxed;
    Release: ReleaseOrRelaxed;
    Full: ;
}
impl ReleaseOrRelaxed for Relaxed {}
