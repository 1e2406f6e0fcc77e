// SPDX-License-Identifier: GPL-2.0

//! Numbers in the arguments of system calls that the kernel makes: by value, and in structs.
//!
//! What the kernel reads or writes in a struct is lent to it ([`lending`](super::lending)). A struct that cannot be
//! read is the kernel's to complain about.
//!
//! # Locks
//!
//! The tree lock for moments.

use super::{
    border::{self, Fate},
    calls::Then,
    lending::{Loan, MOST},
    member::{Member, Own},
    messages::{self, Received},
    numbers::{terminal_to_kernel, to_kernel, Kind},
    pidfds::{self, Descriptor},
    results::{Back, Lent},
    tracing,
    user::{read_bytes, write_bytes},
};
use crate::reason::errno;
use kernel::{bindings, prelude::*};

/// A system call on its way in.
pub(super) struct Entry<'a> {
    pub(super) member: &'a Member,
    pub(super) own: &'a Own,
    pub(super) regs: &'a mut bindings::pt_regs,
    pub(super) args: [u64; 6],
}

/// A system call with other arguments, for what is done behind it; `None` when it goes on as it is. The error is the
/// call's.
type Begun = Result<Option<Then>>;

impl Entry<'_> {
    fn int(&self, at: u8) -> i32 {
        self.args[usize::from(at)] as i32
    }

    fn set(&mut self, at: u8, value: u64) {
        let value = value as usize;
        match at {
            0 => self.regs.di = value,
            1 => self.regs.si = value,
            2 => self.regs.dx = value,
            3 => self.regs.r10 = value,
            4 => self.regs.r8 = value,
            _ => self.regs.r9 = value,
        }
    }

    /// An argument that is a number.
    pub(super) fn number(&mut self, at: u8, kind: Kind) -> Begun {
        let nr = self.int(at);
        let native = to_kernel(self.member, self.own, nr, kind);
        if native == nr {
            return Ok(None);
        }
        self.set(at, native as u64);
        Ok(Some(Then::Nothing))
    }

    /// A struct in place of the one that an argument points to.
    pub(super) fn lend(&mut self, at: u8, bytes: &[u8], back: Back) -> Begun {
        let loan = Loan::new(self.regs, bytes)?;
        self.set(at, loan.address());
        let to = self.args[usize::from(at)];
        Ok(Some(Then::Lent(Lent { loan, to, back })))
    }

    /// Likewise, where the kernel only writes: so many bytes, with numbers at these places.
    fn lend_result(&mut self, at: u8, len: usize, numbers: &'static [(usize, Kind)]) -> Begun {
        let zeroes = [0; MOST];
        self.lend(at, &zeroes[..len], Back::Struct(len, numbers))
    }

    /// A struct that the kernel only reads, with a number at one place.
    fn lend_number(&mut self, at: u8, bytes: &mut [u8], place: usize, kind: Kind) -> Begun {
        let nr = int_at(bytes, place);
        let native = to_kernel(self.member, self.own, nr, kind);
        if native == nr {
            return Ok(None);
        }
        set_int_at(bytes, place, native);
        self.lend(at, bytes, Back::Nothing)
    }

    fn read<const N: usize>(&self, at: u8) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        read_bytes(self.args[usize::from(at)], 0, &mut bytes).ok()?;
        Some(bytes)
    }

    /// A clock: `~number << 3`, and what of the task is meant.
    fn clock(&mut self, at: u8) -> Begun {
        const FD: i32 = 3;
        let clock = self.int(at);
        if clock >= 0 || clock & 7 == FD {
            return Ok(None);
        }
        let native = to_kernel(self.member, self.own, !(clock >> 3), Kind::Task);
        let wanted = !native << 3 | clock & 7;
        if wanted == clock {
            return Ok(None);
        }
        self.set(at, wanted as u64);
        Ok(Some(Then::Nothing))
    }

    /// A number that is of one kind or another, as another argument says: `which` has one for each of its
    /// values.
    fn one_of(&mut self, which: u8, kinds: &[Option<Kind>], at: u8) -> Begun {
        let value = usize::try_from(self.int(which)).ok();
        match value.and_then(|value| kinds.get(value)) {
            Some(&Some(kind)) => self.number(at, kind),
            _ => Ok(None),
        }
    }

    /// What becomes of a call that the kernel is to make.
    pub(super) fn begin(&mut self, fate: Fate) -> Begun {
        const TASK: Option<Kind> = Some(Kind::Task);
        const GROUP: Option<Kind> = Some(Kind::Group);
        let enosys = Err(errno(bindings::ENOSYS));
        match fate {
            Fate::Tasks(places) => {
                let mut then = None;
                for &at in places {
                    then = self.number(at, Kind::Task)?.or(then);
                }
                Ok(then)
            }
            Fate::Ptrace => tracing::begin(self),
            Fate::Priority => self.one_of(0, &[TASK, GROUP], 1),
            Fate::IoPriority => self.one_of(0, &[None, TASK, GROUP], 1),
            Fate::Clock => self.clock(0),
            Fate::TimerCreate => self.timer(),
            // PERF_FLAG_PID_CGROUP: it is a descriptor.
            Fate::Perf if self.args[4] & 4 != 0 => Ok(None),
            Fate::Perf => self.number(1, Kind::Task),
            Fate::Capability => self.capability(),
            Fate::FsType(at) => match self.read::<5>(at) {
                Some(name) if &name == b"proc\0" => self.lend(at, b"altpid_proc\0", Back::Nothing),
                _ => Ok(None),
            },
            Fate::Fcntl => self.fcntl(),
            Fate::Ioctl if border::is_refused_ioctl(self.args[1] as u32) => enosys,
            Fate::Ioctl => self.ioctl(),
            Fate::Keyctl if border::is_refused_keyctl(self.args[0]) => enosys,
            // SECCOMP_FILTER_FLAG_TSYNC, and neither NEW_LISTENER nor TSYNC_ESRCH: a thread that fails.
            Fate::Seccomp if self.args[1] & 0x19 == 1 => Ok(Some(Then::Task)),
            // IPC_STAT, SHM_STAT, SHM_STAT_ANY
            Fate::SharedMemory if matches!(self.args[1] as u32 & !0x100, 2 | 13 | 15) => {
                self.lend_result(2, 112, &[(80, Kind::Task), (84, Kind::Task)])
            }
            // IPC_STAT, MSG_STAT, MSG_STAT_ANY
            Fate::MessageQueue if matches!(self.args[1] as u32 & !0x100, 2 | 11 | 13) => {
                self.lend_result(2, 120, &[(96, Kind::Task), (100, Kind::Task)])
            }
            // GETPID
            Fate::Semaphore if self.args[2] as u32 & !0x100 == 11 => Ok(Some(Then::Task)),
            // SOL_SOCKET, SO_PEERCRED
            Fate::GetSocketOption if self.int(1) == 1 && self.int(2) == 17 => {
                let back = Back::Peer {
                    fd: self.int(0),
                    length: self.args[4],
                };
                self.lend(3, &[0; 12], back)
            }
            Fate::SendMessage => messages::send(self),
            Fate::SendMessages if messages::have_credentials(self.args[1], self.args[2] as u32) => {
                enosys
            }
            Fate::ReceiveMessage => Ok(Received::new(self.args[1], 1)?.map(Then::Received)),
            Fate::ReceiveMessages => {
                let received = Received::new(self.args[1], self.args[2] as u32)?;
                Ok(received.map(Then::Received))
            }
            Fate::PidfdOpen => self.number(0, Kind::Task),
            Fate::Prctl => self.prctl(),
            _ => Ok(None),
        }
    }

    /// prctl(2), what the kernel does of it.
    fn prctl(&mut self) -> Begun {
        const SET_NAME: i32 = 15;
        const SCHED_CORE: i32 = 62;
        const SET_PTRACER: i32 = 0x5961_6d61;
        const KINDS: [Option<Kind>; 3] = [Some(Kind::Task), Some(Kind::Task), Some(Kind::Group)];
        match self.int(0) {
            SET_NAME => Ok(Some(Then::Name)),
            SCHED_CORE => self.one_of(3, &KINDS, 2),
            SET_PTRACER => self.number(1, Kind::Task),
            _ => Ok(None),
        }
    }

    /// timer_create(2): the clock, and `SIGEV_THREAD_ID` of the event.
    fn timer(&mut self) -> Begun {
        const THREAD_ID: i32 = 4;
        let clock = self.clock(0)?;
        let event = self.read::<64>(1);
        let Some(mut event) = event.filter(|event| int_at(event, 12) & THREAD_ID != 0) else {
            return Ok(clock);
        };
        Ok(self.lend_number(1, &mut event, 16, Kind::Task)?.or(clock))
    }

    /// capget(2), capset(2): the header; the kernel may write the version that it has.
    fn capability(&mut self) -> Begun {
        let Some(mut header) = self.read::<8>(0) else {
            return Ok(None);
        };
        let nr = int_at(&header, 4);
        if nr <= 0 {
            return Ok(None);
        }
        let native = to_kernel(self.member, self.own, nr, Kind::Task);
        set_int_at(&mut header, 4, native);
        self.lend(0, &header, Back::Version)
    }

    fn fcntl(&mut self) -> Begun {
        const GETLK: i32 = 5;
        const SETOWN: i32 = 8;
        const GETOWN: i32 = 9;
        const SETOWN_EX: i32 = 15;
        const GETOWN_EX: i32 = 16;
        const OFD_GETLK: i32 = 36;
        match self.int(1) {
            GETLK | OFD_GETLK => match self.read::<32>(2) {
                Some(lock) => self.lend(2, &lock, Back::Lock),
                None => Ok(None),
            },
            SETOWN => self.number(2, Kind::TaskOrGroup),
            // Its result may be the number of a process group, which looks like an error.
            GETOWN => {
                self.set(1, GETOWN_EX as u64);
                self.lend(2, &[0; 8], Back::Owner)
            }
            GETOWN_EX => self.lend(2, &[0; 8], Back::OwnerStruct),
            SETOWN_EX => match self.read::<8>(2) {
                Some(mut owner) => {
                    let kind = owner_kind(&owner);
                    self.lend_number(2, &mut owner, 4, kind)
                }
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn ioctl(&mut self) -> Begun {
        const TIOCGPGRP: u32 = 0x540f;
        const TIOCSPGRP: u32 = 0x5410;
        const TIOCGSID: u32 = 0x5429;
        const FIOSETOWN: u32 = 0x8901;
        const SIOCSPGRP: u32 = 0x8902;
        const FIOGETOWN: u32 = 0x8903;
        const SIOCGPGRP: u32 = 0x8904;
        const SECCOMP_NOTIF_RECV: u32 = 0xc050_2100;
        let cmd = self.args[1] as u32;
        match cmd {
            TIOCGPGRP => self.lend_result(2, 4, &[(0, Kind::Group)]),
            TIOCGSID => self.lend_result(2, 4, &[(0, Kind::Session)]),
            FIOGETOWN | SIOCGPGRP => self.lend_result(2, 4, &[(0, Kind::TaskOrGroup)]),
            TIOCSPGRP | FIOSETOWN | SIOCSPGRP => match self.read::<4>(2) {
                Some(word) if cmd == TIOCSPGRP => {
                    let native =
                        terminal_to_kernel(self.member, self.own, i32::from_ne_bytes(word));
                    self.lend(2, &native.to_ne_bytes(), Back::Nothing)
                }
                Some(mut word) => self.lend_number(2, &mut word, 0, Kind::TaskOrGroup),
                None => Ok(None),
            },
            // struct seccomp_notif, which has to be all zeroes.
            SECCOMP_NOTIF_RECV => match self.read::<80>(2) {
                // What cannot be given is to be there for the next one.
                Some(given) if write_bytes(self.args[2], &given).is_ok() => {
                    self.lend(2, &given, Back::Struct(80, &[(8, Kind::Task)]))
                }
                _ => Ok(None),
            },
            _ if pidfds::is_get_info(cmd) => self.pidfd_info(cmd),
            _ => Ok(None),
        }
    }

    /// `PIDFD_GET_INFO`: what is beyond the numbers is as long as the program knows it.
    fn pidfd_info(&mut self, cmd: u32) -> Begun {
        let len = (cmd >> 16 & 0x3fff) as usize;
        let lent = len.min(MOST);
        let pid = match pidfds::find(self.member, self.int(0)) {
            Descriptor::Handle(handle) => Some(handle.pid),
            // pidfd_info(): it is not visible.
            Descriptor::Stranger => return Err(ESRCH),
            // It may be one by the time that the kernel looks.
            Descriptor::Other => None,
        };
        let mut given = [0; MOST];
        if read_bytes(self.args[2], 0, &mut given[..lent]).is_err() {
            return Ok(None);
        }
        self.set(1, u64::from(cmd & !(0x3fff << 16)) | (lent as u64) << 16);
        self.lend(2, &given[..lent], Back::PidfdInfo(len, pid))
    }
}

/// What the number in a `struct f_owner_ex` is of.
pub(super) fn owner_kind(owner: &[u8]) -> Kind {
    // F_OWNER_PGRP
    match int_at(owner, 0) {
        2 => Kind::Group,
        _ => Kind::Task,
    }
}

/// An int in a struct.
pub(super) fn int_at(bytes: &[u8], at: usize) -> i32 {
    let bytes = bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, i32::from_ne_bytes)
}

/// Changes an int in a struct.
pub(super) fn set_int_at(bytes: &mut [u8], at: usize, value: i32) {
    if let Some(bytes) = bytes.get_mut(at..at + 4) {
        bytes.copy_from_slice(&value.to_ne_bytes());
    }
}
