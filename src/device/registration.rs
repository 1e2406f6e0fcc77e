// SPDX-License-Identifier: GPL-2.0

//! The registered device: what `kernel::miscdevice` makes of a file of it, and poll(2) beside.
//!
//! [`MiscDevice`] has no poll, and in Linux 7.2 its files do not keep the module loaded. Its file
//! operations are therefore copied, `poll` and `owner` are entered, and the device is registered with
//! these: `drivers/char/misc.c`: `misc_register()`.

use super::{stream, OpenFile};
use kernel::{
    bindings,
    error::to_result,
    fs::File,
    miscdevice::{MiscDevice, MiscDeviceOptions},
    prelude::*,
    sync::poll::PollTable,
    types::{ForeignOwnable, Opaque},
};

/// The device's name and, without poll, its file operations.
const OPTIONS: MiscDeviceOptions = MiscDeviceOptions { name: c"altpid" };

/// The registered device, as long as this is there.
///
/// # Invariants
///
/// `device` is registered, and what `MiscDeviceOptions::into_raw::<OpenFile>()` gives but for its
/// file operations, which are `operations` and differ from those by `poll` and `owner` alone. It is
/// what a `MiscDeviceRegistration<OpenFile>` is in memory, which they take it for.
#[pin_data(PinnedDrop)]
pub(crate) struct Device {
    /// What the kernel calls for a file of the device: it is there as long as one, since a file keeps
    /// the module and that keeps this.
    operations: bindings::file_operations,
    #[pin]
    device: Opaque<bindings::miscdevice>,
}

// SAFETY: A device can be deregistered by another thread than the one that registered it.
unsafe impl Send for Device {}
// SAFETY: There is nothing to be done with a shared reference.
unsafe impl Sync for Device {}

impl Device {
    /// Registers the device of the module, which has to keep this until it goes.
    pub(crate) fn register(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        // INVARIANT: It is there only if it could be registered.
        try_pin_init!(&this in Self {
            operations: bindings::file_operations {
                owner: module.as_ptr(),
                poll: Some(poll),
                // SAFETY: `into_raw` points it to a constant.
                ..unsafe { *OPTIONS.into_raw::<OpenFile>().fops }
            },
            device <- Opaque::try_ffi_init(move |slot: *mut bindings::miscdevice| {
                let device = bindings::miscdevice {
                    // SAFETY: It is being initialized at this place, where it stays.
                    fops: unsafe { &raw const (*this.as_ptr()).operations },
                    ..OPTIONS.into_raw::<OpenFile>()
                };
                // SAFETY: The slot is there to be written.
                unsafe { slot.write(device) };
                // SAFETY: It was just written, and is pinned; it is deregistered before it goes.
                to_result(unsafe { bindings::misc_register(slot) })
            }),
        })
    }
}

#[pinned_drop]
impl PinnedDrop for Device {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: It is registered, by the type's invariants.
        unsafe { bindings::misc_deregister(self.device.get()) };
    }
}

/// What is behind a file of the device; `None` for another one.
///
/// # Safety
///
/// The file is there as long as what is returned is used.
pub(super) unsafe fn open_file<'a>(file: *mut bindings::file) -> Option<Pin<&'a OpenFile>> {
    type Poll = unsafe extern "C" fn(
        *mut bindings::file,
        *mut bindings::poll_table_struct,
    ) -> bindings::__poll_t;
    // SAFETY: By the safety requirements; a file has operations.
    let (private, ops) = unsafe { ((*file).private_data, &*(*file).f_op) };
    // Nobody else has this one.
    let is_ours = ops
        .poll
        .is_some_and(|theirs| core::ptr::fn_addr_eq(theirs, poll as Poll));
    // SAFETY: What `open` made is lent to calls, and there until the file is released.
    is_ours.then(|| unsafe { <<OpenFile as MiscDevice>::Ptr as ForeignOwnable>::borrow(private) })
}

/// poll(2), select(2) and epoll(7) of a file of the device.
///
/// # Safety
///
/// `file` is a file of the device that was opened and not released, and `table` null or a table
/// that is valid as long as the call.
unsafe extern "C" fn poll(
    file: *mut bindings::file,
    table: *mut bindings::poll_table_struct,
) -> bindings::__poll_t {
    // SAFETY: The file is there as long as the call, and is not within `fdget_pos()`.
    let (private, file) = unsafe { ((*file).private_data, File::from_raw_file(file)) };
    // SAFETY: What `open` made is lent to calls, of which there are none at release.
    let this = unsafe { <<OpenFile as MiscDevice>::Ptr as ForeignOwnable>::borrow(private) };
    // SAFETY: By the safety requirements.
    let table = unsafe { PollTable::from_raw(table) };
    stream::poll(&this.get_ref().world, file, &table)
}
