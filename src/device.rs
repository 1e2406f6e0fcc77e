// SPDX-License-Identifier: GPL-2.0

//! `/dev/altpid`: parse, act, reply.
//!
//! Each open of the device is a [`World`]. A command ([`verbs`], [`signals`], [`pidfds`],
//! [`questions`]) reads its struct ([`args`]), calls the one method of the world that does it, and writes back what came of
//! it. Many of them can come in one call ([`batch`]), and why one failed can be asked
//! ([`failures`]). Everything that there is to know about a command stands in
//! `src/uapi/altpid.h`.

mod args;
mod batch;
mod debugfs;
mod failures;
mod info;
mod pidfds;
mod questions;
mod registration;
mod signals;
mod stream;
mod verbs;

use crate::{
    reason::{Outcome, Reason},
    uapi,
    world::{Limits, World},
};
use args::Call;
use failures::Failures;
pub(crate) use info::Directory;
use kernel::{
    bindings,
    fs::{File, Kiocb},
    iov::IovIterDest,
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
    seq_file::SeqFile,
    sync::{Arc, SetOnce},
};
pub(crate) use registration::Device;

/// What there may be at most, for every open of the device.
static LIMITS: SetOnce<Limits> = SetOnce::new();

/// Says what there may be at most. Called once, before the device is registered.
pub(crate) fn set_limits(limits: Limits) {
    LIMITS.populate(limits);
}

/// The world of a file, if it is one of the device.
///
/// # Safety
///
/// The file is there as long as the call.
pub(crate) unsafe fn world_of(file: *mut bindings::file) -> Option<Arc<World>> {
    // SAFETY: By the safety requirements.
    unsafe { registration::open_file(file) }.map(|open| open.get_ref().world.to_arc())
}

/// One open of the device.
#[pin_data(PinnedDrop)]
struct OpenFile {
    /// Worlds that were opened before, which is also the name of its file in debugfs.
    number: u64,
    /// The world, also shown in debugfs.
    world: debugfs::File<World>,
    #[pin]
    failures: Failures,
}

#[pinned_drop]
impl PinnedDrop for OpenFile {
    fn drop(self: Pin<&mut Self>) {
        self.world.close();
    }
}

#[vtable]
impl MiscDevice for OpenFile {
    type Ptr = Pin<KBox<Self>>;

    fn open(file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        stream::allow_nowait(file);
        let world = World::new(*LIMITS.as_ref().ok_or(ENODEV)?)?;
        let (number, world) = info::number_and_file(world)?;
        KBox::try_pin_init(
            try_pin_init!(Self {
                number,
                world,
                failures <- Failures::new(),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    fn read_iter(kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        stream::read(kiocb, iov)
    }

    fn show_fdinfo(this: Pin<&Self>, m: &SeqFile, _file: &File) {
        let this = this.get_ref();
        info::show_fdinfo(this.number, &this.world, m);
    }

    fn ioctl(this: Pin<&Self>, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
        let this = this.get_ref();
        let result = match cmd {
            uapi::ALTPID_IOC_BATCH => batch::batch(this, arg),
            uapi::ALTPID_IOC_FAILURE => failures::failure(&Call::new(this, arg, None)),
            _ => perform(&Call::new(this, arg, None), cmd),
        };
        match result {
            Ok(()) => Ok(0),
            Err(failure) => {
                this.failures.note(cmd, failure);
                Err(failure.error())
            }
        }
    }
}

/// Performs an operation, be it a call of its own or one of an array.
fn perform(call: &Call<'_>, cmd: u32) -> Outcome {
    // Commands by which something happens come before the questions; NS_SET, which changes a sysctl, is among
    // those.
    let acts = (uapi::ALTPID_IOC_CLONE..uapi::ALTPID_IOC_TASK).contains(&cmd);
    if (acts || cmd == uapi::ALTPID_IOC_NS_SET) && !call.world.may_act() {
        return Err(Reason::NotOwner.into());
    }
    match cmd {
        uapi::ALTPID_IOC_WORLD => questions::world_info(call),
        uapi::ALTPID_IOC_CLONE => verbs::clone(call),
        uapi::ALTPID_IOC_UNSHARE => verbs::unshare(call),
        uapi::ALTPID_IOC_SETNS => verbs::setns(call),
        uapi::ALTPID_IOC_EXIT => verbs::exit(call),
        uapi::ALTPID_IOC_WAIT => verbs::wait(call),
        uapi::ALTPID_IOC_SETSID => verbs::setsid(call),
        uapi::ALTPID_IOC_SETPGID => verbs::setpgid(call),
        uapi::ALTPID_IOC_SET_NAME => verbs::set_name(call),
        uapi::ALTPID_IOC_KILL => signals::kill(call),
        uapi::ALTPID_IOC_SIGACTION => signals::sigaction(call),
        uapi::ALTPID_IOC_SIGPROCMASK => signals::sigprocmask(call),
        uapi::ALTPID_IOC_SIGWAIT => signals::sigwait(call),
        uapi::ALTPID_IOC_EXEC => verbs::exec(call),
        uapi::ALTPID_IOC_PRCTL => verbs::prctl(call),
        uapi::ALTPID_IOC_REBOOT => verbs::reboot(call),
        uapi::ALTPID_IOC_WAITID => verbs::waitid(call),
        uapi::ALTPID_IOC_PIDFD_OPEN => pidfds::open(call),
        uapi::ALTPID_IOC_PIDFD_CLOSE => pidfds::close(call),
        uapi::ALTPID_IOC_PIDFD_INFO => pidfds::info(call),
        uapi::ALTPID_IOC_NS_GET => questions::ns_get(call),
        uapi::ALTPID_IOC_POLL => pidfds::poll(call),
        uapi::ALTPID_IOC_GETID => verbs::getid(call),
        uapi::ALTPID_IOC_SIGPENDING => signals::sigpending(call),
        uapi::ALTPID_IOC_GET_NAME => verbs::get_name(call),
        uapi::ALTPID_IOC_ATTACH => verbs::attach(call),
        uapi::ALTPID_IOC_TASK => questions::task(call),
        uapi::ALTPID_IOC_NS => questions::namespace(call),
        uapi::ALTPID_IOC_NS_SET => questions::set_sysctl(call),
        uapi::ALTPID_IOC_FIND => questions::find(call),
        uapi::ALTPID_IOC_TRANSLATE => questions::translate(call),
        uapi::ALTPID_IOC_LIST => questions::list(call),
        uapi::ALTPID_IOC_AUDIT => questions::audit(call),
        uapi::ALTPID_IOC_SIGNALS => questions::signals(call),
        _ => Err(ENOTTY.into()),
    }
}
