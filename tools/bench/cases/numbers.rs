// SPDX-License-Identifier: GPL-2.0

//! Taking a number and giving it back, without all the rest of a pid.

use crate::{
    measure::{measure, Batch},
    peers::{IdPool, Ida, Idr, Numbers, Table, XArray},
};
use kernel::prelude::*;

/// One batch of one way, with so many numbers in use.
fn one(side: &str, numbers: &impl Numbers, used: usize) {
    let case = format_args!("take+give a number, {used} used");
    measure(case, side, Batch::Short, || numbers.give(numbers.take()));
}

/// With so many numbers in use.
pub(super) fn among(used: usize) -> Result {
    let table = Table::new();
    let idr = KBox::pin_init(Idr::new(), GFP_KERNEL)?;
    let xarray = XArray::new()?;
    let ida = Ida::new()?;
    let pool = KBox::pin_init(IdPool::new()?, GFP_KERNEL)?;
    for _ in 0..used {
        table.take();
        idr.take();
        xarray.take();
        ida.take();
        pool.take();
    }
    for _ in 0..Batch::Short.count() {
        one("altpid", &table, used);
        one("idr", &*idr, used);
        one("xarray", &xarray, used);
        one("ida", &ida, used);
        one("id_pool", &*pool, used);
    }
    Ok(())
}
