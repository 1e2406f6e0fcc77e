// SPDX-License-Identifier: GPL-2.0

//! Macros for objects of the tree: methods for fields that the layers above read and do not change, and the links
//! of lists.

/// Methods that lend fields, by the names of these.
macro_rules! read {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $($(#[$doc])* #[inline] pub(crate) fn $name(&self) -> &$type { &self.$name })*
    };
}

/// Methods that return copies of fields, by the names of these.
macro_rules! read_value {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $($(#[$doc])* #[inline] pub(crate) fn $name(&self) -> $type { self.$name })*
    };
}

/// A field of an object is its link in lists of a kind.
macro_rules! member {
    ($object:ty, $kind:ident, $field:ident) => {
        impl crate::base::slots::chain::Member<crate::tree::task::chain::$kind> for $object {
            fn link(&self) -> &crate::base::slots::chain::Link<Self> {
                &self.$field
            }
            fn link_mut(&mut self) -> &mut crate::base::slots::chain::Link<Self> {
                &mut self.$field
            }
        }
    };
}
