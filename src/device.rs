// SPDX-License-Identifier: GPL-2.0

//! `/dev/altpid`: parse, act, reply.
//!
//! Each open of the device is a [`World`]. A command ([`verbs`], [`signals`], [`questions`]) reads its
//! struct ([`args`]), calls the one method of the world that does it, and writes back what came of it; everything that there is to
//! know about a command stands in `src/uapi/altpid.h`.

mod args;
mod questions;
mod signals;
mod verbs;

use crate::{uapi, world::World};
use kernel::{
    fs::File,
    miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
    prelude::*,
};

/// The registered device.
#[pin_data]
pub(crate) struct Device {
    #[pin]
    device: MiscDeviceRegistration<OpenFile>,
}

impl Device {
    /// Registers the device.
    pub(crate) fn register() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            device <- MiscDeviceRegistration::register(MiscDeviceOptions { name: c"altpid" }),
        })
    }
}

/// One open of the device.
#[pin_data]
struct OpenFile {
    #[pin]
    world: World,
}

#[vtable]
impl MiscDevice for OpenFile {
    type Ptr = Pin<KBox<Self>>;

    fn open(_file: &File, _misc: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        let world = World::new(crate::limits())?;
        KBox::try_pin_init(try_pin_init!(Self { world <- world }), GFP_KERNEL_ACCOUNT)
    }

    fn ioctl(this: Pin<&Self>, _file: &File, cmd: u32, arg: usize) -> Result<isize> {
        let world = &this.get_ref().world;
        match cmd {
            uapi::ALTPID_IOC_WORLD => questions::world_info(world, arg),
            uapi::ALTPID_IOC_CLONE => verbs::clone(world, arg),
            uapi::ALTPID_IOC_UNSHARE => verbs::unshare(world, arg),
            uapi::ALTPID_IOC_SETNS => verbs::setns(world, arg),
            uapi::ALTPID_IOC_EXIT => verbs::exit(world, arg),
            uapi::ALTPID_IOC_WAIT => verbs::wait(world, arg),
            uapi::ALTPID_IOC_SETSID => verbs::setsid(world, arg),
            uapi::ALTPID_IOC_SETPGID => verbs::setpgid(world, arg),
            uapi::ALTPID_IOC_SET_NAME => verbs::set_name(world, arg),
            uapi::ALTPID_IOC_KILL => signals::kill(world, arg),
            uapi::ALTPID_IOC_SIGACTION => signals::sigaction(world, arg),
            uapi::ALTPID_IOC_SIGPROCMASK => signals::sigprocmask(world, arg),
            uapi::ALTPID_IOC_SIGWAIT => signals::sigwait(world, arg),
            uapi::ALTPID_IOC_EXEC => verbs::exec(world, arg),
            uapi::ALTPID_IOC_PRCTL => verbs::prctl(world, arg),
            uapi::ALTPID_IOC_REBOOT => verbs::reboot(world, arg),
            uapi::ALTPID_IOC_WAITID => verbs::waitid(world, arg),
            uapi::ALTPID_IOC_TASK => questions::task(world, arg),
            uapi::ALTPID_IOC_NS => questions::namespace(world, arg),
            uapi::ALTPID_IOC_NS_SET => questions::set_sysctl(world, arg),
            uapi::ALTPID_IOC_FIND => questions::find(world, arg),
            uapi::ALTPID_IOC_TRANSLATE => questions::translate(world, arg),
            uapi::ALTPID_IOC_LIST => questions::list(world, arg),
            uapi::ALTPID_IOC_AUDIT => questions::audit(world, arg),
            uapi::ALTPID_IOC_SIGNALS => questions::signals(world, arg),
            _ => Err(ENOTTY),
        }?;
        Ok(0)
    }
}
